"""`drift`: a cumulative sum says that the rate has moved up and stays up.

Finds sustained rises that no single week shows: at a quarter of an event a week, a threefold rate
within a season. See `warden.engine.detect.drift`.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
from pydantic import Field

from warden.engine.detect import budget as budgets
from warden.engine.detect.drift import Drift, DriftSettings, drift
from warden.engine.detect.tails import Floats
from warden.engine.facts import Severity, number
from warden.engine.frame import day_from_number
from warden.engine.horizon import Horizon
from warden.engine.kinds import charts
from warden.engine.kinds.base import Kind, Measure, Parameters
from warden.engine.kinds.measure import Series
from warden.engine.kinds.memo import remembered
from warden.engine.kinds.reporting import Excess
from warden.engine.kinds.signalling import Found, is_over, signal
from warden.engine.kinds.weekly import (
    DAYS,
    Chain,
    WeekKind,
    Weeks,
    all_series,
    chains,
    complete_weeks,
    matrix,
    members,
)
from warden.engine.where import Matches
from warden.model.rule import Rule
from warden.model.signal import Signal

DEFAULT_BUDGET = 1.0


class DriftParameters(Parameters):
    """What a `drift` rule sums, and how large a rise it looks for."""

    measure: Measure = Field(default="events", description="what is counted")
    ratio: float = Field(default=2.0, gt=1, le=10, description="the multiple of the usual rate")
    week: WeekKind = Field(default="auto", description="iso, or the source's coding week")
    min_count: float = Field(default=3, ge=1, description="events a rise must have")
    false_alerts_per_year: float = Field(
        default=DEFAULT_BUDGET, gt=0, le=52, description="of the whole rule, if nothing changed"
    )


def signals(
    rule: Rule,
    matches: Matches,
    horizon: Horizon,
    only: AbstractSet[str] | None = None,  # noqa: ARG001 - a rate needs all its events
) -> tuple[Signal, ...]:
    """One signal an excursion and key."""
    parameters: DriftParameters = rule.parameters
    weeks = complete_weeks(matches, horizon, parameters.week)
    if weeks is None or not len(matches):
        return ()
    rows = all_series(matches, parameters.measure)
    result = _sums(rule, rows, weeks)
    severity = Severity(rule)
    found: list[Signal] = []
    for row, one in enumerate(rows):
        passing = _passing(parameters, result, one, row, weeks)
        found.extend(
            _signal(
                rule, matches, result, row=row, one=one, chain=chain, weeks=weeks, severity=severity
            )
            for chain in chains(passing, weeks, rule.keep_firing_for_days)
        )
    return tuple(found)


def _sums(rule: Rule, rows: Sequence[Series], weeks: Weeks) -> Drift:
    parameters: DriftParameters = rule.parameters
    counts = matrix(rows, weeks)

    def test(start: int) -> tuple[Floats, ...]:
        seen = budgets.series_seen(counts, range(weeks.count))
        run_length = budgets.drift_run_length(parameters.false_alerts_per_year, seen)
        found = drift(counts, DriftSettings(times=parameters.ratio), run_length=run_length)
        since = found.since.astype(np.float64)
        return tuple(
            column[:, start:] for column in (found.statistic, since, found.expected, found.phi)
        )

    columns = remembered(
        (rule.id, rule.version, weeks.first),
        counts[None],
        ("statistic", "since", "expected", "phi"),
        test,
        series=tuple(one.key for one in rows),
    )
    statistic, since = columns["statistic"], columns["since"].astype(np.intp)
    return Drift(statistic, statistic >= 1, since, columns["expected"], columns["phi"])


def _passing(
    parameters: DriftParameters, result: Drift, one: Series, row: int, weeks: Weeks
) -> list[tuple[int, Any]]:
    found = []
    for week in np.flatnonzero(result.alarm[row]).tolist():
        began = weeks.first_day(int(result.since[row, week]))
        positions = members(one, began, weeks.last_day(week))
        if len(positions) >= parameters.min_count:
            found.append((week, positions))
    return found


def _signal(
    rule: Rule,
    matches: Matches,
    result: Drift,
    *,
    row: int,
    one: Series,
    chain: Chain,
    weeks: Weeks,
    severity: Severity,
) -> Signal:
    parameters: DriftParameters = rule.parameters
    held = np.array(sorted(chain.held), dtype=np.int64)
    first, last = chain.tests[0], chain.tests[-1]
    began = int(min(result.since[row, week] for week in chain.tests))
    length = last - began + 1
    sums = one.weights[held].sum() if one.weights is not None else float(len(held))
    usual = float(result.expected[row, first])
    observed, expected = float(sums), usual * length
    facts = {
        "began": day_from_number(weeks.first_day(began)).isoformat(),
        "value": number(observed),
        "measure": parameters.measure,
        "window_days": length * DAYS,
        "observed": number(observed),
        "expected": number(round(expected, 3)),
        "low": None,
        "high": None,
        "ratio": number(round(observed / expected, 3)) if expected > 0 else None,
        "p": None,
        "recurrence_days": None,
        "times": parameters.ratio,
        "false_alerts_per_year": parameters.false_alerts_per_year,
    }
    excess = Excess(one, weeks.first_day(began), weeks.last_day(last), observed, expected)
    ended = is_over(rule, chain.until, weeks.last_day(weeks.count - 1))
    rise = Found(
        one, held, weeks.last_day(first), chain.until, ended, observed, facts, excess=excess
    )
    return signal(rule, matches, rise, severity)


KIND = Kind(
    name="drift",
    Parameters=DriftParameters,
    signals=signals,
    windowed=True,
    clocked="known",
    chart=charts.of_drift,
    reference=(
        "A negative-binomial CUSUM sums, week by week, the evidence that the rate is `ratio` times "
        "its usual one. It finds sustained rises that no single week shows, and tells when the "
        "rise probably began. The threshold keeps the whole rule to `false_alerts_per_year`. The "
        "condition holds until the sum has fallen back."
    ),
    example="""\
rules:
- id: bamako-drift
  title: Sustained rise of violent events within 200 km of Bamako
  kind: drift
  where:
    actor: {group: militant-islamist}
    event_type: attack
    near: {place: bamako, within_km: 200}
  measure: events
  ratio: 2
  false_alerts_per_year: 0.5
  severity: warning
""",
)
