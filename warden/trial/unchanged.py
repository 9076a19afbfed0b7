"""Histories in which nothing changes, made like a rule's own: what alarms in them is false.

Standing in the flow: `calibration` replays a rule on them. Each key of the rule gets an unchanging
negative-binomial number of events a week, with the mean and dispersion of its own history. Which
events those are is drawn from its own, so that deaths, reports and places are those that it has,
and all measures hang together as they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import numpy as np

from warden.engine.detect.calibrate import InControl, in_control
from warden.engine.detect.simulate import negative_binomial
from warden.engine.frame import Frame, IntArray, ObjectArray, day_from_number, instant_text
from warden.engine.kinds.weekly import DAYS, Weeks
from warden.engine.where import Matches
from warden.trial.history import midnight

LONGEST = 260  # weeks that the law is taken from: as many as a baseline has
DISPERSION_WEEKS = 26  # dispersion is that about the mean of each half-year: trends are not noise
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Drawn:
    """Drawn events, not yet in order: which event each is like, its day, its key's index."""

    like: IntArray
    day: IntArray
    key: IntArray

    def then(self, other: Drawn) -> Drawn:
        """These events and those."""
        return Drawn(
            np.concatenate((self.like, other.like)),
            np.concatenate((self.day, other.day)),
            np.concatenate((self.key, other.key)),
        )


@dataclass(frozen=True, slots=True)
class Unchanged:
    """What each key of a rule does while nothing changes.

    Attributes:
        matches: the rule's own events. weeks: how many of their newest weeks the laws rest on.
        law: mean a week and dispersion of each key, in the order of `matches.keys`.
        rows: for each key the events that may be drawn.
    """

    matches: Matches
    weeks: int
    law: InControl
    rows: tuple[IntArray, ...]

    @classmethod
    def of(cls, matches: Matches, weeks: Weeks) -> Unchanged:
        """Take the laws from the newest complete weeks, at most five years."""
        used = min(weeks.count, LONGEST)
        column = (matches.frame.day[matches.key_row] - weeks.first) // DAYS
        column = column - (weeks.count - used)
        recent = (column >= 0) & (column < used)
        counts = np.zeros((len(matches.keys), used))
        np.add.at(counts, (matches.key_code[recent], column[recent]), 1.0)
        rows = []
        for code in range(len(matches.keys)):
            its = matches.key_code == code
            newest = matches.key_row[its & recent]
            rows.append(newest if len(newest) else matches.key_row[its])
        return cls(matches, used, in_control(counts, block=DISPERSION_WEEKS), tuple(rows))

    def draw(
        self, rng: np.random.Generator, first: int, weeks: int, *, times: float = 1.0
    ) -> Drawn:
        """Events of so many weeks from the day `first`, at `times` the usual rate."""
        mean = np.repeat(self.law.mean[:, None] * times, weeks, axis=1)
        counts = negative_binomial(rng, mean, self.law.phi[:, None]).astype(np.int64)
        a_key = counts.sum(axis=1)
        key = np.repeat(np.arange(len(counts), dtype=np.int64), a_key)
        week = np.repeat(np.tile(np.arange(weeks), len(counts)), counts.ravel())
        day = first + DAYS * week + rng.integers(0, DAYS, size=len(week))
        like = [rng.choice(rows, size) for rows, size in zip(self.rows, a_key, strict=True) if size]
        return Drawn(
            np.concatenate(like) if like else np.zeros(0, dtype=np.int64),
            day.astype(np.int64),
            key,
        )

    def matches_of(self, drawn: Drawn) -> Matches:
        """The drawn events as the rule's matches, in order of (day, uid); reported at once."""
        order = np.argsort(drawn.day, kind="stable")
        like, day = drawn.like[order], drawn.day[order]
        own, every = self.matches, np.arange(len(like), dtype=np.int64)
        return Matches(
            frame=_frame(own.frame, like, day),
            distance_km=own.distance_km[like],
            place=_picked(own.place, like),
            border_km=own.border_km[like],
            border_neighbour=_picked(own.border_neighbour, like),
            border_of=own.border_of,
            side=_picked(own.side, like),
            certain=own.certain[like],
            actors=_picked(own.actors, like),
            groups=_picked(own.groups, like),
            names=_picked(own.names, like),
            key_row=every,
            key_code=drawn.key[order],
            keys=own.keys,
            facts=np.full(len(like), None, dtype=object),
        )


def until(matches: Matches, day: int) -> Matches:
    """The matches up to a day, all keys kept; those of `matches_of` only, which lie in order."""
    end = int(np.searchsorted(matches.frame.day, day, side="right"))
    frame = matches.frame
    return replace(
        matches,
        frame=Frame(
            plain={name: column[:end] for name, column in frame.plain.items()},
            coded={
                name: replace(column, codes=column.codes[:end])
                for name, column in frame.coded.items()
            },
            number={name: column[:end] for name, column in frame.number.items()},
            civilian_targeting=frame.civilian_targeting[:end],
            day=frame.day[:end],
            day_end=frame.day_end[:end],
            _parsed_actors=frame._parsed_actors,  # noqa: SLF001  the cache goes with its column
        ),
        distance_km=matches.distance_km[:end],
        place=matches.place[:end],
        border_km=matches.border_km[:end],
        border_neighbour=matches.border_neighbour[:end],
        side=matches.side[:end],
        certain=matches.certain[:end],
        actors=matches.actors[:end],
        groups=matches.groups[:end],
        names=matches.names[:end],
        key_row=matches.key_row[:end],
        key_code=matches.key_code[:end],
        facts=matches.facts[:end],
    )


def _frame(own: Frame, like: IntArray, day: IntArray) -> Frame:
    frame = own.take(like)
    uids: ObjectArray = np.array([f"unchanged:{n:08d}" for n in range(len(like))], dtype=object)
    days, position = np.unique(day, return_inverse=True)
    texts = [instant_text(midnight(day_from_number(one) + timedelta(days=1))) for one in days]
    known: ObjectArray = np.array(texts, dtype=object)[position]
    stamps = dict.fromkeys(("source_updated_at", "first_seen_at", "known_at"), known)
    return replace(
        frame,
        plain={**frame.plain, "uid": uids, "source_id": uids, **stamps},
        day=day,
        day_end=day,
    )


def _picked(values: Sequence[_T], rows: IntArray) -> tuple[_T, ...]:
    return tuple([values[row] for row in rows.tolist()])
