"""Whether it is the reporting that changed, and how much of some days is usually known by now.

Standing in the flow: the statistical kinds ask for a change in reporting when they make a signal;
`engine.notices` asks for completeness when something is said. Both look at when events became known
and who reported them, as stored; neither ever corrects a count.

What became known in the first days of watching is a load: when it was first reported is not known,
and nothing is concluded from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from warden.engine.detect.completeness import (
    LATE_DAYS,
    completeness_by_age,
    reporting_change_is_likely,
    window_completeness,
)
from warden.engine.facts import number
from warden.engine.frame import BoolArray, IntArray, ObjectArray
from warden.engine.kinds.measure import Series, amount, span
from warden.engine.where import Matches
from warden.model.rule import LEVELS, Level, level_rank

LOAD_DAYS = 7  # a first load may take so long
REFERENCE_DAYS = 260 * 7  # as far back as the baselines look
LEAST_REFERENCE = 20  # reports that must be known before a reporter can be called new
LEAST_EVENTS = 50  # seen since watching began, before completeness is spoken of
LEAST_DAYS = 180
MAX_NAMES = 5
CHUNK = 64  # texts read at once


@dataclass(frozen=True, slots=True)
class Excess:
    """What a test found: the days it looked at, what came and what was to be expected."""

    one: Series
    first: int
    last: int
    observed: float
    expected: float


def change_in_reporting(matches: Matches, excess: Excess) -> dict[str, Any] | None:
    """What speaks for a change in reporting; None unless it is likely.

    `late` and `new_sources` say how much of the excess became known over 28 days late, and how much
    comes from reporters that no event of the rule named in the five years before.
    """
    one = excess.one
    low, high = span(one, excess.first, excess.last)
    positions = np.arange(low, high, dtype=np.int64)
    rows = one.rows[positions]
    if not excess.observed > excess.expected or not len(rows):
        return None
    fresh, names = _from_new_sources(matches, rows, excess.first)
    late = amount(one, positions[_late(matches, rows)])
    new = amount(one, positions[fresh])
    if not reporting_change_is_likely(excess.observed, excess.expected, late, new):
        return None
    over = excess.observed - excess.expected
    return {
        "late": number(late),
        "new_sources": number(new),
        "excess": number(round(over, 3)),
        "names": names[:MAX_NAMES],
    }


def lowered(severity: Level, change: dict[str, Any] | None) -> Level:
    """One level less where a change in reporting is likely."""
    return severity if change is None else LEVELS[max(level_rank(severity) - 1, 0)]


def completeness(matches: Matches, today: int, last: int, days: int) -> float | None:
    """The share of events of the `days` days up to `last` that is usually known by `today`.

    None where watching has not gone on long enough to tell.
    """
    happened = matches.frame.day
    if not len(happened):
        return None
    seen = _days_of(matches.frame.plain["first_seen_at"].tolist())
    began = int(seen.min())
    watched = happened >= began
    if today - began < LEAST_DAYS or int(watched.sum()) < LEAST_EVENTS:
        return None
    delay, age = seen[watched] - happened[watched], today - happened[watched]
    by_age = completeness_by_age(delay, age)
    return window_completeness(by_age, max(today - last, 0), max(days, 1))


def _late(matches: Matches, rows: IntArray) -> BoolArray:
    """Which rows became known over 28 days late, as far as anybody watched."""
    plain = matches.frame.plain
    known = _days_of(plain["known_at"][rows].tolist())
    late: BoolArray = known - matches.frame.day[rows] > LATE_DAYS
    if not late.any():
        return late
    seen = _days_of(plain["first_seen_at"][rows].tolist())
    began = _days_of([min(plain["first_seen_at"].tolist())])[0]
    late &= seen - began > LOAD_DAYS
    return late


def _from_new_sources(matches: Matches, rows: IntArray, first: int) -> tuple[BoolArray, list[str]]:
    """Which rows only reporters unseen before `first` told of, and who these are."""
    texts = matches.frame.plain["reporters"]
    told = [_reporters(text or "") for text in texts[rows].tolist()]
    if not any(told):  # most sources name nobody: nothing to compare
        return np.zeros(len(rows), dtype=np.bool_), []
    days = matches.frame.day
    reference = np.flatnonzero((days < first) & (days >= first - REFERENCE_DAYS))
    unseen = _unseen(texts, reference, frozenset[str]().union(*told))
    fresh = [bool(names) and unseen.issuperset(names) for names in told]
    spelled = {
        name: spelling
        for names, new in zip(told, fresh, strict=True)
        if new
        for name, spelling in names.items()
    }
    return np.array(fresh, dtype=np.bool_), sorted(spelled.values())


def _unseen(texts: ObjectArray, reference: IntArray, names: frozenset[str]) -> frozenset[str]:
    """Those of the names that no text of the reference bears.

    The newest are looked at first: the usual reporters are found there, and the rest is not read.
    """
    left, named = set(names), 0
    for end in range(len(reference), 0, -CHUNK):
        for text in texts[reference[max(end - CHUNK, 0) : end]].tolist():
            if text:
                named += 1
                left.difference_update(_reporters(text))
        if not left:
            break
    return frozenset(left) if named >= LEAST_REFERENCE else frozenset()


@lru_cache(maxsize=65_536)
def _reporters(text: str) -> Mapping[str, str]:
    """The reporters that a source names, by their folded names."""
    names = (" ".join(part.split()) for part in text.split(";"))
    return {name.casefold(): name for name in names if name}


def _days_of(instants: Sequence[str]) -> IntArray:
    """The days of ISO instants, as days since 1970-01-01."""
    return np.array([text[:10] for text in instants], dtype="datetime64[D]").astype(np.int64)
