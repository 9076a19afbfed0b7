"""`spike`: a measure is far above its own past, at a stated number of false alerts a year.

Several measures over windows of several lengths are tested side by side and the smallest p is
corrected for their number; see `warden.engine.detect.spike`. The budget's level for a week rests
only on the series seen by that week, so that what comes later takes no alert back.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from warden.engine.detect import budget as budgets
from warden.engine.detect.ratio import acled_surge, acled_threat, ratio
from warden.engine.detect.spike import Spike, SpikeSettings, spike
from warden.engine.detect.tails import Floats
from warden.engine.facts import Severity, number
from warden.engine.frame import BoolArray, IntArray, day_from_number, day_number
from warden.engine.horizon import Horizon
from warden.engine.kinds import charts
from warden.engine.kinds.base import Kind, Measure, Parameters, PositiveDays
from warden.engine.kinds.measure import Series, series, span
from warden.engine.kinds.memo import Columns, remembered
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
from warden.model.alert import Alert
from warden.model.rule import Rule
from warden.model.signal import Key, Signal

DEFAULT_BUDGET = 6.0
_FIELDS = ("p", "measure", "window", "observed", "expected", "low", "high")


def _as_tuple(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


class Baseline(BaseModel):
    """What a count is compared with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["nb_glm", "gamma_poisson", "ratio", "acled_surge", "acled_threat"] = Field(
        default="nb_glm",
        description="nb_glm or gamma_poisson keep to a budget; the others compare plain ratios",
    )
    ratio: float = Field(default=2.0, gt=1, description="ratio only: how many times the usual")
    periods: int = Field(default=4, ge=1, le=52, description="ratio only: earlier windows")
    on_zero: Literal["fire", "never"] = Field(
        default="never", description="ratio only: when the earlier windows are empty"
    )


class SpikeParameters(Parameters):
    """What a `spike` rule tests, against which past, and at which cost."""

    measures: Annotated[tuple[Measure, ...], BeforeValidator(_as_tuple)] = Field(
        default=("events", "fatal_events", "fatalities_capped"),
        min_length=1,
        description="tested side by side",
    )
    windows: Annotated[tuple[PositiveDays, ...], BeforeValidator(_as_tuple)] = Field(
        default=(7, 28, 91), min_length=1, description="whole weeks: 1w, 4w, 13w"
    )
    week: WeekKind = Field(default="auto", description="iso, or the source's coding week")
    baseline: Baseline = Field(default=Baseline(), description="what a count is compared with")
    min_count: float = Field(
        default=3,
        ge=1,
        description="smaller counts, of whatever is measured and of events, are no spike",
    )
    min_ratio: float = Field(default=1.5, ge=1, description="nor smaller multiples of the usual")
    false_alerts_per_year: float | None = Field(
        default=None, gt=0, le=52, description="of the whole rule, if nothing changed; default 6"
    )
    calibration: float = Field(
        default=1,
        ge=0.1,
        le=10,
        description="times the level of the budget; `warden calibrate` says what it may be",
    )
    alpha: float | None = Field(default=None, gt=0, le=0.1, description="instead: level of a test")
    recurrence_interval: PositiveDays | None = Field(
        default=None, description="instead: how rarely one series may alarm by chance"
    )

    @model_validator(mode="after")
    def _one_budget(self) -> SpikeParameters:
        given = [self.false_alerts_per_year, self.alpha, self.recurrence_interval]
        if sum(value is not None for value in given) > 1:
            raise ValueError("give one of false_alerts_per_year, alpha, recurrence_interval")
        if any(days % DAYS for days in self.windows):
            raise ValueError("windows are whole weeks, as in 1w, 4w, 13w")
        return self

    @property
    def budget(self) -> float:
        """The false alerts a year of the whole rule."""
        return self.false_alerts_per_year or DEFAULT_BUDGET


@dataclass(frozen=True, slots=True)
class _Tested:
    """Everything a rule's matrices gave, one row a key, one column a week."""

    columns: Columns
    alarm: BoolArray
    recurrence: Floats
    weeks: Weeks


def signals(
    rule: Rule,
    matches: Matches,
    horizon: Horizon,
    only: AbstractSet[str] | None = None,  # noqa: ARG001 - a baseline needs all its events
) -> tuple[Signal, ...]:
    """One signal an episode and key."""
    weeks = complete_weeks(matches, horizon, rule.parameters.week)
    if weeks is None or not len(matches):
        return ()
    plain = all_series(matches, "events")
    tested = _test(rule, matches, weeks, plain)
    severity = Severity(rule)
    found: list[Signal] = []
    for row, one in enumerate(plain):
        passing = _passing(rule.parameters, tested, one, row)
        found.extend(
            _signal(rule, matches, tested, row=row, one=one, chain=chain, severity=severity)
            for chain in chains(passing, weeks, rule.keep_firing_for_days)
            if horizon.asks(chain.until)
        )
    return tuple(found)


def _test(rule: Rule, matches: Matches, weeks: Weeks, plain: Sequence[Series]) -> _Tested:
    parameters: SpikeParameters = rule.parameters
    events = matrix(plain, weeks)
    counts: dict[str, Floats] = {
        str(name): events if name == "events" else matrix(all_series(matches, name), weeks)
        for name in parameters.measures
    }
    columns = remembered(
        (rule.id, rule.version, weeks.first),
        np.stack(list(counts.values())),
        _FIELDS,
        lambda start: _columns(parameters, counts, start),
        series=tuple(one.key for one in plain),
    )
    seen = budgets.series_seen(events, range(weeks.count))
    if parameters.baseline.method in {"nb_glm", "gamma_poisson"}:
        alarm = columns["p"] <= _alpha(parameters, seen)
    else:
        alarm = columns["p"] <= 0
    return _Tested(columns, alarm, budgets.recurrence_days(columns["p"], seen), weeks)


def _alpha(parameters: SpikeParameters, seen: Floats) -> Floats:
    """The level of each week; `calibration` moves it to where the budget is really spent."""
    if parameters.alpha is not None:
        level = np.full_like(seen, parameters.alpha)
    elif parameters.recurrence_interval is not None:
        once = budgets.alpha_for_recurrence(parameters.recurrence_interval)
        level = np.full_like(seen, once)
    else:
        level = budgets.alpha_for_budget(parameters.budget, seen)
    return np.asarray(np.minimum(level * parameters.calibration, budgets.LARGEST_ALPHA))


def _columns(
    parameters: SpikeParameters, counts: dict[str, Floats], start: int
) -> tuple[Floats, ...]:
    """The test results of the weeks from `start`, in the order of _FIELDS."""
    total = next(iter(counts.values())).shape[1]
    weeks = range(start, total)
    if parameters.baseline.method in {"nb_glm", "gamma_poisson"}:
        settings = SpikeSettings(
            windows=tuple(days // DAYS for days in parameters.windows),
            baseline="nb_glm" if parameters.baseline.method == "nb_glm" else "gamma_poisson",
            min_count=parameters.min_count,
            min_ratio=parameters.min_ratio,
        )
        return _statistical(spike(counts, weeks, settings))
    return _plain(parameters, next(iter(counts.values())), start)


def _statistical(result: Spike) -> tuple[Floats, ...]:
    interesting = result.p < 0.1  # noqa: PLR2004 - no budget reaches beyond; bounds cost time
    low, high = np.full_like(result.p, np.nan), np.full_like(result.p, np.nan)
    if interesting.any():
        law = type(result.law)(
            *(
                getattr(result.law, name)[interesting]
                for name in ("mean", "phi", "vague", "freedom")
            )
        )
        low[interesting], high[interesting] = law.low(0.05), law.high(0.05)
    return (
        result.p,
        result.measure.astype(np.float64),
        result.window.astype(np.float64),
        result.observed,
        result.law.mean,
        low,
        high,
    )


def _plain(parameters: SpikeParameters, counts: Floats, start: int) -> tuple[Floats, ...]:
    """Ratio rules know no probability: p is 0 where they alarm, 1 elsewhere."""
    weeks = list(range(start, counts.shape[1]))
    window = parameters.windows[0] // DAYS
    baseline = parameters.baseline
    if baseline.method == "acled_surge":
        bounds, window = acled_surge(counts, weeks), 1
    elif baseline.method == "acled_threat":
        bounds, window = acled_threat(counts, weeks), 4
    else:
        bounds = ratio(
            counts,
            weeks,
            window=window,
            windows=baseline.periods,
            times=baseline.ratio,
            on_zero=baseline.on_zero,
        )
    sums = np.cumsum(np.pad(counts, ((0, 0), (window, 0))), axis=1)
    observed = (sums[:, window:] - sums[:, :-window])[:, start:]
    alarm = bounds.alarm & (observed >= parameters.min_count)
    blank = np.full_like(observed, np.nan)
    return (
        np.where(alarm, 0.0, 1.0),
        np.zeros_like(observed),
        np.full_like(observed, window),
        observed,
        bounds.expected,
        blank,
        bounds.high,
    )


def _passing(
    parameters: SpikeParameters, tested: _Tested, one: Series, row: int
) -> list[tuple[int, IntArray]]:
    """The alarms of a row with their events; one event against none is a mere `event`."""
    found = []
    for week in np.flatnonzero(tested.alarm[row]).tolist():
        positions = _evidence(tested, one, row, week)
        if len(positions) >= parameters.min_count:
            found.append((week, positions))
    return found


def _evidence(tested: _Tested, one: Series, row: int, week: int) -> IntArray:
    length = int(tested.columns["window"][row, week]) * DAYS
    last = tested.weeks.last_day(week)
    return members(one, last - length + 1, last)


def _signal(
    rule: Rule,
    matches: Matches,
    tested: _Tested,
    *,
    row: int,
    one: Series,
    chain: Chain,
    severity: Severity,
) -> Signal:
    columns, weeks = tested.columns, tested.weeks
    strongest = min(chain.tests, key=lambda week: (columns["p"][row, week], week))
    held = np.array(sorted(chain.held), dtype=np.int64)
    parameters: SpikeParameters = rule.parameters
    observed = float(columns["observed"][row, strongest])
    expected = float(columns["expected"][row, strongest])
    statistical = parameters.baseline.method in {"nb_glm", "gamma_poisson"}
    measure = parameters.measures[int(columns["measure"][row, strongest])]
    window = int(columns["window"][row, strongest]) * DAYS
    tested_day = weeks.last_day(strongest)
    facts = {
        "value": number(observed),
        "measure": measure,
        "window_days": window,
        "tested_day": day_from_number(tested_day).isoformat(),
        "observed": number(observed),
        "expected": number(expected),
        "low": number(float(columns["low"][row, strongest])),
        "high": number(float(columns["high"][row, strongest])),
        "ratio": number(round(observed / expected, 3)) if expected > 0 else None,
        "p": float(columns["p"][row, strongest]) if statistical else None,
        "recurrence_days": (
            round(float(tested.recurrence[row, strongest])) if statistical else None
        ),
        "false_alerts_per_year": parameters.budget if statistical else None,
    }
    measured = one if measure == "events" else series(matches, one.key, measure)
    excess = Excess(measured, tested_day - window + 1, tested_day, observed, expected)
    since, ended = (
        weeks.last_day(chain.tests[0]),
        is_over(rule, chain.until, weeks.last_day(weeks.count - 1)),
    )
    rise = Found(one, held, since, chain.until, ended, observed, facts, excess=excess)
    return signal(rule, matches, rise, severity)


def _side_by_side(
    rule: Rule, alert: Alert, matches: Matches, horizon: Horizon
) -> list[dict[str, Any]]:
    """Every measure over the window that stood out most, with what was to be expected of it.

    A rule about deaths has their plain sum last, with the share of the deadliest event: sums alone
    have almost no power, but readers ask for them.
    """
    parameters: SpikeParameters = rule.parameters
    weeks = complete_weeks(matches, horizon, parameters.week)
    tested = date.fromisoformat(alert.facts["tested_day"])
    week = -1 if weeks is None else (day_number(tested) + 1 - weeks.first) // DAYS - 1
    if weeks is None or parameters.baseline.method not in {"nb_glm", "gamma_poisson"} or week < 0:
        return []
    last, window = weeks.last_day(week), int(alert.facts["window_days"])
    told = [
        _one_measure(rule, matches, alert.key, name, weeks=weeks, week=week, window=window)
        for name in parameters.measures
    ]
    if any("fatal" in name for name in parameters.measures):
        deaths = series(matches, alert.key, "fatalities")
        low, high = span(deaths, last - window + 1, last)
        each = np.zeros(0) if deaths.weights is None else deaths.weights[low:high]
        share = float(each.max() / each.sum()) if each.size else None
        told.append({"measure": "fatalities", "observed": number(float(each.sum())),
                     "largest_share": number(share)})  # fmt: skip
    return told


def _one_measure(
    rule: Rule, matches: Matches, key: Key, name: str, *, weeks: Weeks, week: int, window: int
) -> dict[str, Any]:
    keys = sorted(matches.keys)
    if key not in keys:
        return {"measure": name, "observed": 0}
    settings = SpikeSettings(
        windows=(window // DAYS,),
        baseline=rule.parameters.baseline.method,
        min_count=0.0,
        min_ratio=0.0,
    )
    counts = matrix(all_series(matches, name), weeks)
    result, row = spike({name: counts}, [week], settings), keys.index(key)
    return {
        "measure": name,
        "observed": number(float(result.observed[row, 0])),
        "expected": number(float(result.law.mean[row, 0])),
        "low": number(float(result.law.low(0.05)[row, 0])),
        "high": number(float(result.law.high(0.05)[row, 0])),
    }


KIND = Kind(
    name="spike",
    Parameters=SpikeParameters,
    signals=signals,
    windowed=True,
    reach=lambda rule: max(rule.parameters.windows) + DAYS + rule.keep_firing_for_days,
    clocked="known",
    chart=charts.of_spike,
    measures=_side_by_side,
    reference=(
        "A measure is far above its own past. Several measures and windows are tested each "
        "complete week; the smallest p, corrected for their number, is compared with the level "
        "that keeps the whole rule to `false_alerts_per_year`. Counts under `min_count`, or under "
        "`min_ratio` times the usual, are not tested. An alert is withdrawn only when its own "
        "events change, never because the baseline moved."
    ),
    example="""\
rules:
- id: civilians-spike
  title: Unusually many civilians killed in events involving one side
  kind: spike
  where:
    actor: {group: [militant-islamist, malian-and-russian-forces], roles: [actor1, assoc_actor_1]}
    civilian_targeting: true
  by: actor_group
  groups: [militant-islamist, malian-and-russian-forces]
  measures: [events, fatal_events, fatalities_capped]
  windows: [1w, 4w, 13w]
  false_alerts_per_year: 6
  severity: warning
""",
)
