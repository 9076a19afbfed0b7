"""`new`: a value, or any event at all, is seen for the first time in a long while."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any, Literal

import numpy as np
from pydantic import Field

from warden.engine.facts import Severity, episode_facts, order_of
from warden.engine.frame import IntArray, day_from_number
from warden.engine.horizon import Horizon
from warden.engine.kinds import charts
from warden.engine.kinds.base import Kind, Parameters, PositiveDays
from warden.engine.where import Matches
from warden.model.alert import Alert
from warden.model.rule import Rule
from warden.model.signal import Key, Signal


class NewParameters(Parameters):
    """What a `new` rule watches for, and how long it remembers."""

    field: Literal["event", "actor", "actor_group", "admin1", "admin2", "country", "location"] = (
        Field(default="event", description="whose values are watched; event: any event at all")
    )
    memory: PositiveDays = Field(description="how long without it makes it new again")


def signals(
    rule: Rule,
    matches: Matches,
    horizon: Horizon,
    only: AbstractSet[str] | None = None,  # noqa: ARG001 - a first needs all that came before
) -> tuple[Signal, ...]:
    """One signal a run of events that began after a gap longer than the memory."""
    parameters: NewParameters = rule.parameters
    start = horizon.starts(matches.frame.datasets())
    if start is None:
        return ()
    severity = Severity(rule)
    found: list[Signal] = []
    for key, value, rows in _values(matches, parameters.field):
        for run, last_seen in _runs(matches, rows, parameters.memory):
            first, last = int(matches.frame.day[run[0]]), int(matches.frame.day[run[-1]])
            if last_seen is None and first - start < parameters.memory:
                continue  # whether it was there before is not known
            if not horizon.asks(last):
                continue
            facts: dict[str, Any] = {
                **episode_facts(rule, matches, run),
                "field": parameters.field,
                "new_value": value,
                "memory_days": parameters.memory,
                "last_seen": day_from_number(last_seen).isoformat() if last_seen else None,
                "since": day_from_number(first).isoformat(),
                "until": day_from_number(last).isoformat(),
            }
            found.append(
                Signal(
                    rule_id=rule.id,
                    key=key,
                    evidence=tuple(matches.frame.uid[run]),
                    first_day=day_from_number(first),
                    last_day=day_from_number(last),
                    since=day_from_number(first),
                    until=day_from_number(last),
                    ended=False,
                    severity=severity.of(facts),
                    value=None,
                    facts=facts,
                )
            )
    return tuple(found)


def _values(matches: Matches, field: str) -> Iterator[tuple[Key, str, IntArray]]:
    """Each key and value with its rows, in order of (event_date, uid)."""
    by_value: dict[tuple[Key, str], list[int]] = {}
    for row, code in zip(matches.key_row.tolist(), matches.key_code.tolist(), strict=True):
        for value in _of_row(matches, row, field):
            by_value.setdefault((matches.keys[code], value), []).append(row)
    for (key, value), rows in sorted(by_value.items()):
        positions = np.array(rows, dtype=np.int64)
        dimension = ((field, value),) if field != "event" else ()
        yield tuple(sorted({*key, *dimension})), value, positions[order_of(matches, positions)]


def _of_row(matches: Matches, row: int, field: str) -> tuple[str, ...]:
    if field == "event":
        return ("",)
    if field == "actor":
        return matches.names[row]
    if field == "actor_group":
        return matches.groups[row]
    value = matches.frame.coded["iso3" if field == "country" else field][row]
    return (value,) if value else ()


def _runs(matches: Matches, rows: IntArray, memory: int) -> Iterator[tuple[IntArray, int | None]]:
    """The runs of events with gaps of at most `memory` days, and the last day before each."""
    days = matches.frame.day[rows]
    breaks = np.flatnonzero(np.diff(days) > memory) + 1
    starts = [0, *breaks.tolist()]
    ends = [*breaks.tolist(), len(rows)]
    for start, end in zip(starts, ends, strict=True):
        yield rows[start:end], int(days[start - 1]) if start else None


def _rows_of(rule: Rule, alert: Alert, matches: Matches) -> IntArray:
    """The rows of an alert's value, in order of (event_date, uid)."""
    for key, _, rows in _values(matches, rule.parameters.field):
        if key == alert.key:
            return rows
    return np.zeros(0, dtype=np.int64)


def _chart(rule: Rule, alert: Alert, matches: Matches, _: Horizon) -> charts.Chart:
    return charts.months(matches.frame.day[_rows_of(rule, alert, matches)], alert.last_day)


KIND = Kind(
    name="new",
    Parameters=NewParameters,
    signals=signals,
    windowed=True,
    ends=False,
    reach=lambda rule: int(rule.parameters.memory),
    chart=_chart,
    rows=_rows_of,
    reference=(
        "A value of `field` (or, with `field: event`, any matching event at all) is seen for the "
        "first time in `memory`. The events that follow with gaps no longer than that belong to "
        "the same alert. It never resolves, is silent before the data reach back a whole memory, "
        "and tells when it was last seen."
    ),
    example="""\
rules:
- id: bamako-first-strike
  title: First violent event involving militant Islamists inside Bamako in years
  kind: new
  where:
    location: certain
    actor: {group: militant-islamist}
    near: {place: bamako, within_km: 20}
  field: event
  memory: 5y
  severity: critical
""",
)
