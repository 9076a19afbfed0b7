"""`record`: a rolling sum is at least as high as any in a long while.

The rule that OCHA's HDX Signals publishes for armed conflict: the 30-day sum of deaths is the
highest of 366 or of 1,096 days and at least 100, told once in 180 days unless it is more severe.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from warden.engine.facts import Severity, number
from warden.engine.frame import BoolArray, FloatArray, IntArray, day_from_number
from warden.engine.horizon import Horizon
from warden.engine.kinds import charts
from warden.engine.kinds.base import Kind, Measure, Parameters, PositiveDays, window_reach
from warden.engine.kinds.episodes import Tests, episodes, test_days
from warden.engine.kinds.measure import rolling, series
from warden.engine.kinds.signalling import Found, is_over, signal
from warden.engine.where import Matches
from warden.model.rule import Rule
from warden.model.signal import Signal


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


class RecordParameters(Parameters):
    """What a `record` rule sums, and what it compares the sum with."""

    measure: Measure = Field(default="fatalities", description="what is summed")
    window: PositiveDays = Field(description="how many days a sum covers")
    lookback: Annotated[tuple[PositiveDays, ...], BeforeValidator(_as_list)] = Field(
        min_length=1,
        description="over how many days the sum must be the highest, the tested day included; "
        "of several the longest that holds is told as record_days",
    )
    floor: float = Field(gt=0, description="a sum below this is no record")

    @model_validator(mode="after")
    def _looks_back_further(self) -> RecordParameters:
        if min(self.lookback) <= self.window:
            raise ValueError("lookback must be longer than the window: every sum would be a record")
        return self


def signals(
    rule: Rule,
    matches: Matches,
    horizon: Horizon,
    only: AbstractSet[str] | None = None,  # noqa: ARG001 - a window needs all its events
) -> tuple[Signal, ...]:
    """One signal an episode and key."""
    parameters: RecordParameters = rule.parameters
    datasets = matches.frame.datasets()
    known_through, start = horizon.known_through(datasets), horizon.starts(datasets)
    severity = Severity(rule)
    found: list[Signal] = []
    for key in sorted(matches.keys):
        one = series(matches, key, parameters.measure)
        if not one.days.size:
            continue
        began = int(one.days[0]) if start is None else min(start, int(one.days[0]))
        days = np.arange(began, int(test_days(one, known_through)[-1]) + 1, dtype=np.int64)
        sums = rolling(one, days, parameters.window)
        lengths = record_days(sums, parameters, first_whole=parameters.window - 1)
        passed = lengths > 0
        tests = Tests(days, sums, passed)
        for episode in episodes(one, tests, parameters.window, rule.keep_firing_for_days):
            if not horizon.asks(episode.until):
                continue
            inside = (days >= episode.since) & (days <= episode.until) & passed
            one_found = Found(
                one,
                episode.members,
                episode.since,
                episode.until,
                ended=is_over(rule, episode.until, known_through),
                value=episode.peak,
                facts=_facts(parameters, days, sums, lengths, inside),
            )
            found.append(signal(rule, matches, one_found, severity))
    return tuple(found)


def record_days(sums: FloatArray, parameters: RecordParameters, first_whole: int) -> IntArray:
    """For each day the longest lookback over which its sum is the highest, 0 for none.

    A day counts only when the whole lookback lies in the data: `first_whole` is the first day
    whose window does.
    """
    longest = np.zeros(len(sums), dtype=np.int64)
    for lookback in sorted(parameters.lookback):
        highest = _rolling_max(sums, lookback)
        whole = np.arange(len(sums)) >= first_whole + lookback - 1
        holds: BoolArray = whole & (sums >= highest) & (sums >= parameters.floor)
        longest[holds] = lookback
    return longest


def _rolling_max(values: FloatArray, length: int) -> FloatArray:
    """The highest of the last `length` values at each place (van Herk 1992; Gil & Werman 1993)."""
    n = len(values)
    blocks = -(-n // length) * length
    padded = np.full(blocks, -np.inf)
    padded[:n] = values
    rows = padded.reshape(-1, length)
    forward = np.maximum.accumulate(rows, axis=1).ravel()
    backward = np.maximum.accumulate(rows[:, ::-1], axis=1)[:, ::-1].ravel()
    first = np.arange(n) - length + 1
    return np.maximum(forward[:n], np.where(first >= 0, backward[np.maximum(first, 0)], -np.inf))


def _facts(
    parameters: RecordParameters,
    days: IntArray,
    sums: FloatArray,
    lengths: IntArray,
    inside: BoolArray,
) -> dict[str, Any]:
    peak = int(np.flatnonzero(inside)[np.argmax(sums[inside])])
    longest = int(lengths[inside].max())
    before = sums[max(peak - longest + 1, 0) : max(peak - parameters.window + 1, 0)]
    return {
        "value": number(float(sums[peak])),
        "current": None,
        "measure": parameters.measure,
        "window_days": parameters.window,
        "record_days": longest,
        "peak_day": day_from_number(days[peak]).isoformat(),
        "previous": number(float(before.max())) if before.size else None,
        "bound": {"gte": parameters.floor},
    }


KIND = Kind(
    name="record",
    Parameters=RecordParameters,
    signals=signals,
    windowed=True,
    clocked="always",  # a sum is the highest as soon as the higher one has left the lookback
    reach=window_reach,
    chart=charts.of_window,
    reference=(
        "The sum over `window` days is at least `floor` and at least as high as every such sum of "
        "the last `lookback` days. Of several lookbacks the longest that holds is the fact "
        "`record_days`, for the severity to use; a rise within the episode is an update. Nothing "
        "passes before the data reach back a whole lookback. A `cooldown` runs from the day on "
        "which the told record began, and what is a record when it is over is told, as HDX Signals "
        "does."
    ),
    example="""\
rules:
- id: fatalities-record
  title: Most deaths in thirty days for a year or more
  kind: record
  where: {event_type: attack}
  by: country
  measure: fatalities
  window: 30d
  lookback: [366d, 1096d]
  floor: 100
  cooldown: 180d
  severity:
  - {level: critical, when: record_days >= 1096}
  - warning
""",
)
