"""What can be said about a signal: plain JSON data, self-contained.

Standing in the flow: kinds put the facts into their signals, `evaluate` adds those that cost
more and are only needed when something is said, notices carry them, templates read them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from warden.engine.expression import Expression, compile_known
from warden.engine.frame import Coded, Frame, IntArray, ObjectArray, day_from_number
from warden.engine.where import Matches
from warden.model.rule import Level, Rule
from warden.model.signal import Key

MAX_EVENTS = 20

EVENT_NAMES: frozenset[str] = frozenset(
    {
        "event_type", "sub_event_type", "disorder_type", "fatalities", "fatalities_low",
        "fatalities_high", "civilian_targeting", "country", "iso3", "admin1", "admin2", "admin3",
        "location", "lat", "lon", "geo_precision", "time_precision", "location_error_km",
        "certainty", "place", "distance_km", "bearing", "border_km", "border_neighbour", "side",
        "date", "dataset", "source", "nth_in_12_months", "previous_12_months",
    }
)  # fmt: skip
WINDOW_NAMES: frozenset[str] = frozenset(
    {
        "value", "window_days", "first_day", "last_day", "reports", "fatalities", "event_count",
        "largest_share", "observed", "expected", "low", "high", "ratio", "p", "recurrence_days",
        "record_days", "projected", "previous", "probability", "last_seen",
    }
)  # fmt: skip
EXPRESSION_NAMES: frozenset[str] = EVENT_NAMES | WINDOW_NAMES
# Facts that depend on the rule's other events: a change in one event may move another's.
NEIGHBOUR_NAMES: frozenset[str] = frozenset({"nth_in_12_months", "previous_12_months"})


def number(value: float | None) -> float | int | None:
    """A JSON number: None for NaN, whole where it is whole, else rounded to six digits."""
    if value is None or not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() else round(float(value), 6)


def event_facts(matches: Matches, row: int) -> dict[str, Any]:
    """All that a message may say of one matching event; made once a row, and not to be changed."""
    (facts,) = _facts_kept(matches, [row])
    return facts


def prepare_facts(matches: Matches) -> None:
    """Make the facts of all rows in one go: cheaper by far where all will be asked for."""
    _facts_kept(matches, range(len(matches)))


def _facts_kept(matches: Matches, rows: Sequence[int]) -> list[dict[str, Any]]:
    """The facts of some rows; what is not there yet is made and kept."""
    kept = matches.facts
    found = [kept[row] for row in rows]
    missing = [row for row, facts in zip(rows, found, strict=True) if facts is None]
    if not missing:
        return found
    for row, facts in zip(missing, _facts_of(matches, missing), strict=True):
        kept[row] = facts
    return [kept[row] for row in rows]


def _facts_of(matches: Matches, rows: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Read column by column, tell row by row."""
    frame = matches.frame
    at = np.array(rows, dtype=np.int64)
    coded = {name: _texts(frame.coded[name], at) for name in _CODED}
    plain = {name: frame.plain[name][at].tolist() for name in _PLAIN}
    figures = {
        name: list(map(number, column[at].tolist())) for name, column in frame.number.items()
    }
    first, last = frame.day[at].tolist(), frame.day_end[at].tolist()
    targeting = frame.civilian_targeting[at].tolist()
    for i, row in enumerate(rows):
        place = matches.place[row]
        yield {
            "uid": plain["uid"][i],
            "id": plain["source_id"][i],
            "dataset": coded["dataset"][i],
            "source": coded["source"][i],
            "date": day_from_number(first[i]).isoformat(),
            "date_end": day_from_number(last[i]).isoformat(),
            "event_type": coded["event_type"][i],
            "sub_event_type": coded["sub_event_type"][i],
            "disorder_type": coded["disorder_type"][i],
            "actors": [
                {"name": a.name, "role": a.role, "type": a.type} for a in frame.row_parties(row)
            ],
            "matched_actors": list(matches.actors[row]),
            "actor_groups": list(matches.groups[row]),
            "civilian_targeting": targeting[i],
            **{name: found[i] for name, found in figures.items()},
            "iso3": coded["iso3"][i],
            "country": coded["country"][i],
            "admin1": coded["admin1"][i],
            "admin2": coded["admin2"][i],
            "admin3": coded["admin3"][i],
            "location": coded["location"][i],
            "certainty": "certain" if matches.certain[row] else "approximate",
            "place": place.id if place else None,
            "place_title": place.title if place else None,
            "place_lat": place.lat if place else None,
            "place_lon": place.lon if place else None,
            "distance_km": _km(matches.distance_km[row]),
            "border_km": _km(matches.border_km[row]),
            "border_neighbour": matches.border_neighbour[row] or None,
            "border_of": matches.border_of or None,
            "side": matches.side[row] or None,
            "first_seen_at": plain["first_seen_at"][i],
            "known_at": plain["known_at"][i],
            "reporters": plain["reporters"][i] or "",
            "notes": plain["notes"][i] or "",
            "url": plain["url"][i] or "",
        }


_CODED = (
    "dataset", "source", "event_type", "sub_event_type", "disorder_type", "iso3", "country",
    "admin1", "admin2", "admin3", "location",
)  # fmt: skip
_PLAIN = ("uid", "source_id", "first_seen_at", "known_at", "reporters", "notes", "url")


def _texts(column: Coded, rows: IntArray) -> list[str]:
    return [column.values[code] for code in column.codes[rows].tolist()]


def episode_facts(rule: Rule, matches: Matches, rows: IntArray) -> dict[str, Any]:
    """What the events of one episode add up to. `rows` are in order of (event_date, uid)."""
    frame = matches.frame
    deaths = frame.number["fatalities"][rows]
    known = deaths[deaths == deaths]  # noqa: PLR0124 - all but NaN
    total = float(known.sum())
    newest = rows[: -MAX_EVENTS - 1 : -1].tolist()
    return {
        "kind": rule.kind,
        "first_day": day_from_number(frame.day[rows[0]]).isoformat(),
        "last_day": day_from_number(frame.day[rows[-1]]).isoformat(),
        "event_count": len(rows),
        "reports": count_reports(matches, rows),
        "fatalities": number(total),
        "largest_share": number(float(known.max()) / total) if total > 0 else None,
        "events": _facts_kept(matches, newest),
        "datasets": _datasets(frame, rows),
        "known_at": _newest_text(frame.plain["known_at"], rows),
    }


def _datasets(frame: Frame, rows: IntArray) -> list[str]:
    column = frame.coded["dataset"]
    if len(column.values) == 1:
        return list(column.values)
    return sorted(column.values[code] for code in set(column.codes[rows].tolist()))


def _newest_text(column: ObjectArray, rows: IntArray) -> str:
    return str(column[rows[0]] if len(rows) == 1 else max(column[rows].tolist()))


def count_reports(matches: Matches, rows: IntArray) -> int:
    """How many reports are behind some rows: those of one day with one text are one.

    A row without a text is a report of its own.
    """
    if len(rows) == 1:
        return 1
    frame = matches.frame
    texts = frame.plain["report"][rows].tolist()
    different = set(texts)
    nameless = texts.count("") + texts.count(None) if "" in different or None in different else 0
    if len(different) == len(texts):
        return len(texts)  # no two alike, as it mostly is
    named = set(zip(frame.day[rows].tolist(), texts, strict=True))
    return nameless + sum(1 for _, text in named if text) if nameless else len(named)


def expression_values(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The flat values that severity expressions read: the newest event's, then the episode's."""
    events = facts.get("events") or [{}]
    values = dict(events[0]) if facts.get("kind") == "event" else {}
    values.update({name: value for name, value in facts.items() if name != "events"})
    values["bearing"] = values.get("bearing_deg")
    return values


class Severity:
    """A rule's severity steps, compiled."""

    def __init__(self, rule: Rule) -> None:
        self._steps: list[tuple[Level, Expression | None]] = [
            (step.level, compile_known(step.when) if step.when is not None else None)
            for step in rule.severity
        ]

    @property
    def names(self) -> frozenset[str]:
        """The names that the steps read."""
        return frozenset().union(*(e.names for _, e in self._steps if e is not None))

    def of(self, facts: Mapping[str, Any]) -> Level:
        """The level of the first step that holds; info when none does."""
        values: dict[str, Any] | None = None
        for level, expression in self._steps:
            if expression is None:
                return level
            values = expression_values(facts) if values is None else values
            if expression.holds(values):
                return level
        return "info"


def recurrence(matches: Matches, key: Key, uid: str) -> tuple[int, int]:
    """Count the key's events in the 12 months up to this one, itself included, and before those.

    Events of the same day count as earlier by uid.
    """
    frame = matches.frame
    rows = rows_of_key(matches, key)
    position = np.flatnonzero(frame.uid[rows] == uid)
    if not position.size:
        return 1, 0
    days = frame.day[rows]
    mine = int(position[0])  # rows are in order of (day, uid)
    day = days[mine]
    earlier = days[: mine + 1]
    nth = int(np.count_nonzero(earlier > day - 365))
    before = int(np.count_nonzero((earlier <= day - 365) & (earlier > day - 730)))
    return nth, before


def rows_of_key(matches: Matches, key: Key) -> IntArray:
    """The rows that count under a key, in order of (event_date, uid)."""
    return matches.rows_of(key)


def order_of(matches: Matches, rows: IntArray) -> IntArray:
    """The permutation that sorts rows by (event_date, uid)."""
    days, uids = matches.frame.day[rows], matches.frame.uid[rows]
    steps = np.diff(days)
    ties = np.flatnonzero(steps == 0)
    if (steps >= 0).all() and (uids[ties] <= uids[ties + 1]).all():
        return np.arange(len(rows), dtype=np.int64)  # as it mostly is: sorting texts is slow
    order: IntArray = np.lexsort((uids.astype(str), days))
    return order


def _km(value: float) -> float | None:
    return round(float(value), 3) if math.isfinite(value) else None
