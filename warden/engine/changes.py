"""What moved between two sets of facts, and whether it is worth telling.

Renamed actors, new stamps and rewritten notes are not: more than a quarter of a country's rows
are recoded within three months, mostly by an actor's suffix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from warden.engine.geo.distance import distance_km
from warden.model.alert import Alert
from warden.model.notice import Change
from warden.model.rule import UpdateWhen

# Facts of an event whose change recipients of an update read about, in this order.
TOLD_FIELDS: tuple[str, ...] = (
    "event_type", "sub_event_type", "date", "location", "admin1", "country", "distance_km",
    "border_km", "border_neighbour", "geo_precision", "fatalities", "civilian_targeting",
)  # fmt: skip
WINDOW_FIELDS: tuple[str, ...] = ("value", "event_count", "fatalities", "first_day", "last_day")
_VOLATILE = frozenset({"source", "source_updated_at"})


def same_facts(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two sets of facts are equal, apart from who last read them."""
    if any(one.get(name) != other.get(name) for name in {*one, *other} - {"events"}):
        return False
    if one.get("events") == other.get("events"):
        return True
    return _steady(one) == _steady(other)


def changes_between(told: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Change, ...]:
    """What has moved since it was last told, in the order recipients read it."""
    if not told:
        return ()
    if told.get("kind", "event") != "event":
        return _differences(told, now, WINDOW_FIELDS)
    old, new = newest(told), newest(now)
    changes = _differences(old, new, TOLD_FIELDS)
    moved = moved_km(old, new)
    if moved is not None and moved >= 0.1:  # noqa: PLR2004 - a hundred metres: not a rounding
        changes = (*changes, Change("moved_km", 0, round(moved, 1)))
    return changes


def is_material(wanted: UpdateWhen, told: Alert, now: Alert, *, raised: bool) -> bool:
    """Whether the difference between the facts last told and those now is worth an update."""
    if raised and wanted.severity_raised:
        return True
    if _value_ratio_reached(wanted, told.told_value, now.value):
        return True
    old, new = newest(told.told_facts), newest(now.facts)
    if now.facts.get("kind") != "event":
        old, new = told.told_facts, now.facts
    return (
        _deaths_moved(wanted, old, new)
        or _point_moved(wanted, old, new)
        or any(_changed(name, old, new) for name in wanted.changed)
    )


def newest(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The newest event of some facts; {} without events."""
    events: Sequence[Mapping[str, Any]] = facts.get("events") or ({},)
    return events[0]


def moved_km(old: Mapping[str, Any], new: Mapping[str, Any]) -> float | None:
    """How far the point moved; None where a point is missing."""
    points = [facts.get(name) for facts in (old, new) for name in ("lat", "lon")]
    if any(value is None for value in points):
        return None
    return distance_km(*(float(value) for value in points if value is not None))


def _value_ratio_reached(wanted: UpdateWhen, told: float | None, now: float | None) -> bool:
    if wanted.value_ratio is None or told is None or now is None:
        return False
    return now >= wanted.value_ratio * told if told > 0 else now > 0


def _deaths_moved(wanted: UpdateWhen, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    if wanted.fatalities is None:
        return False
    before, after = (float(facts.get("fatalities") or 0) for facts in (old, new))
    return abs(after - before) >= wanted.fatalities


def _point_moved(wanted: UpdateWhen, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    if wanted.moved_km is None:
        return False
    distance = moved_km(old, new)
    return distance is not None and distance >= wanted.moved_km


def _changed(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    field = "actor_groups" if name == "actor_group" else name
    return bool(old.get(field) != new.get(field))


def _differences(
    old: Mapping[str, Any], new: Mapping[str, Any], names: tuple[str, ...]
) -> tuple[Change, ...]:
    return tuple(
        Change(name, old.get(name), new.get(name))
        for name in names
        if name in new and old.get(name) != new.get(name)
    )


def _steady(facts: Mapping[str, Any]) -> dict[str, Any]:
    steady = {name: value for name, value in facts.items() if name != "events"}
    steady["events"] = [
        {name: value for name, value in event.items() if name not in _VOLATILE}
        for event in facts.get("events", ())
    ]
    return steady
