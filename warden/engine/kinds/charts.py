"""What the chart beside a notice shows: the measure over time, what was expected, the bound.

Standing in the flow: `engine.notices` asks for it when a notice is made, and only then; it is no
part of an alert's facts, so nothing that is compared or decided rests on it. Every list is bounded.

A point is (day, value). With `window_days` its value is the measure over so many days that end with
the day; without, the measure over the month, quarter or year that begins on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np

from warden.engine.detect.drift import DriftSettings, drift
from warden.engine.detect.spike import SpikeSettings, spike
from warden.engine.facts import number, rows_of_key
from warden.engine.frame import FloatArray, IntArray, day_from_number, day_number
from warden.engine.horizon import Horizon
from warden.engine.kinds.measure import Series, rolling, series, total
from warden.engine.kinds.weekly import DAYS, Weeks, complete_weeks, matrix
from warden.engine.where import Matches
from warden.model.alert import Alert
from warden.model.rule import Rule

MAX_POINTS = 120
WEEKS = 105  # two years and the week before
MONTHS = 24
PERIODS = 12
MAX_EARLIER = 200
EARLIER_DAYS = 730  # of single events; as far back as their months go
_YEAR_MONTHS = 12
_TESTED = frozenset({"nb_glm", "gamma_poisson"})
Unit = Literal["day", "week", "month", "quarter", "year"]
Band = tuple[int, float | None, float | None, float | None]  # day, low, expected, high


@dataclass(frozen=True, slots=True)
class Chart:
    """The measure at some days.

    Attributes:
        unit: the step from point to point.
        points: (day, value), oldest first, at most MAX_POINTS.
        expected: (day, low, expected, high) where a kind expects something; () for none.
        bound: the value from which the rule speaks, where it is one number.
        window_days: see above.
    """

    unit: Unit
    points: tuple[tuple[int, float], ...]
    expected: tuple[Band, ...] = ()
    bound: float | None = None
    window_days: int | None = None

    def as_facts(self, complete_through: int | None) -> dict[str, Any]:
        """The chart as plain JSON data; days after `complete_through` are not fully known."""
        return {
            "unit": self.unit,
            "points": [[_iso(day), number(value)] for day, value in self.points[-MAX_POINTS:]],
            "expected": [
                [_iso(day), *(None if part is None else number(round(part, 3)) for part in rest)]
                for day, *rest in self.expected[-MAX_POINTS:]
            ]
            or None,
            "bound": number(self.bound),
            "complete_through": None if complete_through is None else _iso(complete_through),
            "window_days": self.window_days,
        }


# --- one for each family of kinds -------------------------------------------------------------


def of_months(_rule: Rule, alert: Alert, matches: Matches, _horizon: Horizon) -> Chart:
    """Events a month of the two years that end with the alert's newest event."""
    return months(matches.frame.day[rows_of_key(matches, alert.key)], alert.last_day)


def months(days: IntArray, last: date) -> Chart:
    """How many of the days up to `last` lie in each of the months that end with its own."""
    count = last.year * _YEAR_MONTHS + last.month - 1
    firsts = np.array([_month(count - back) for back in range(MONTHS - 1, -2, -1)], dtype=np.int64)
    known = np.sort(days[days <= day_number(last)])
    edges = np.searchsorted(known, firsts, side="left")
    values = np.diff(edges).tolist()
    return Chart("month", tuple(zip(firsts[:-1].tolist(), map(float, values), strict=True)))


def of_window(rule: Rule, alert: Alert, matches: Matches, horizon: Horizon) -> Chart:
    """The rolling measure that the rule compares with its bound."""
    window = int(alert.facts["window_days"])
    one = series(matches, alert.key, rule.parameters.measure)
    step = 1 if window < DAYS else DAYS
    days = _days(alert, matches, horizon, window=window, step=step)
    bound = alert.facts.get("bound") or {}
    return Chart(
        "day" if step == 1 else "week",
        _points(days, rolling(one, days, window)),
        bound=next((float(value) for value in bound.values()), None),
        window_days=window,
    )


def of_periods(rule: Rule, alert: Alert, matches: Matches, horizon: Horizon) -> Chart:
    """The periods up to the projected one, with its interval; or the rolling year."""
    if rule.parameters.period == "rolling-year":
        return _of_rolling_year(rule, alert, matches, horizon)
    size = _YEAR_MONTHS if rule.parameters.period == "year" else 3
    one = series(matches, alert.key, rule.parameters.measure)
    last = date.fromisoformat(alert.facts["period_last_day"])
    following = last.year * _YEAR_MONTHS + last.month
    start = horizon.starts(matches.frame.datasets())
    spans = [
        (_month(following - size * back), _month(following - size * (back - 1)) - 1)
        for back in range(PERIODS, 0, -1)
    ]
    points = [(first, total(one, first, end)) for first, end in spans if _reaches(start, first)]
    return Chart(
        rule.parameters.period,
        tuple(points),
        expected=_interval(alert, spans[-1][0]),
        bound=alert.facts.get("expected"),
    )


def of_spike(rule: Rule, alert: Alert, matches: Matches, horizon: Horizon) -> Chart | None:
    """The measure and window that stood out most, week by week, with what was to be expected."""
    weeks = complete_weeks(matches, horizon, rule.parameters.week)
    if weeks is None:
        return None
    window = int(alert.facts["window_days"])
    counts = _counts(alert, matches, weeks, str(alert.facts["measure"]))
    shown = np.arange(max(weeks.count - WEEKS, 0), weeks.count)
    sums = _summed(counts[0], window // DAYS)[shown]
    days = _last_days(weeks, shown)
    tested = rule.parameters.baseline.method in _TESTED
    return Chart(
        "week",
        _points(days, sums),
        expected=_law(rule, alert, counts, shown, days) if tested else (),
        bound=None if tested else alert.facts.get("high"),
        window_days=window,
    )


def of_drift(rule: Rule, alert: Alert, matches: Matches, horizon: Horizon) -> Chart | None:
    """The measure of each week beside its usual rate."""
    weeks = complete_weeks(matches, horizon, rule.parameters.week)
    if weeks is None:
        return None
    counts = _counts(alert, matches, weeks, rule.parameters.measure)
    shown = np.arange(max(weeks.count - WEEKS, 0), weeks.count)
    days = _last_days(weeks, shown)
    usual = drift(counts, DriftSettings(times=rule.parameters.ratio)).expected[0, shown]
    band = [
        (day, None, float(rate), None)
        for day, rate in zip(days.tolist(), usual, strict=True)
        if np.isfinite(rate)
    ]
    return Chart("week", _points(days, counts[0, shown]), tuple(band), window_days=DAYS)


def earlier(alert: Alert, matches: Matches, rows: IntArray, *, single: bool) -> list[list[Any]]:
    """[lat, lon, day, deaths] of matching events before the alert's own, newest first.

    For single events they reach two years back: what a backtest has at hand for them.
    """
    frame = matches.frame
    days = frame.day[rows]
    before = days <= day_number(alert.last_day)
    if single:
        before &= days >= day_number(alert.last_day) - EARLIER_DAYS
    own = set(alert.evidence)
    found: list[list[Any]] = []
    for row in rows[before][::-1].tolist():
        lat, lon = frame.number["lat"][row], frame.number["lon"][row]
        if frame.uid[row] in own or not np.isfinite(lat) or not np.isfinite(lon):
            continue
        deaths = number(frame.number["fatalities"][row])
        found.append([round(float(lat), 4), round(float(lon), 4), _iso(frame.day[row]), deaths])
        if len(found) == MAX_EARLIER:
            break
    return found


# --- parts ------------------------------------------------------------------------------------


def _of_rolling_year(rule: Rule, alert: Alert, matches: Matches, horizon: Horizon) -> Chart:
    window = int(alert.facts["window_days"])
    one = series(matches, alert.key, rule.parameters.measure)
    days = _days(alert, matches, horizon, window=2 * window, step=DAYS)
    before = rolling(one, days - window, window) * rule.parameters.ratio
    band = tuple((day, None, value, None) for day, value in _points(days, before))
    return Chart("week", _points(days, rolling(one, days, window)), band, window_days=window)


def _days(alert: Alert, matches: Matches, horizon: Horizon, *, window: int, step: int) -> IntArray:
    """Days to look at, oldest first: up to the newest known one, back to the first whole window."""
    datasets = matches.frame.datasets()
    known, start = horizon.known_through(datasets), horizon.starts(datasets)
    end = max(day_number(alert.last_day), known if known is not None else 0)
    count = MAX_POINTS if step == 1 else WEEKS
    first = end if start is None else min(start + window - 1, end)
    days = end - step * np.arange(count - 1, -1, -1, dtype=np.int64)
    return days[days >= first]


def _counts(alert: Alert, matches: Matches, weeks: Weeks, measure: str) -> FloatArray:
    one: Series = series(matches, alert.key, measure)
    return matrix([one], weeks)


def _summed(counts: FloatArray, window: int) -> FloatArray:
    running = np.concatenate((np.zeros(window), np.cumsum(counts)))
    return running[window:] - running[: len(counts)]


def _law(
    rule: Rule, alert: Alert, counts: FloatArray, shown: IntArray, days: IntArray
) -> tuple[Band, ...]:
    """What each shown week was expected to bring, from its own past; what was told where it was."""
    settings = SpikeSettings(
        windows=(int(alert.facts["window_days"]) // DAYS,),
        min_count=0.0,
        min_ratio=0.0,
        baseline=rule.parameters.baseline.method,
    )
    law = spike({"counts": counts}, range(int(shown[0]), int(shown[-1]) + 1), settings).law
    low, mean, high = law.low(0.05)[0], law.mean[0], law.high(0.05)[0]
    bands: dict[int, Band] = {
        day: (day, _finite(low[at]), _finite(mean[at]), _finite(high[at]))
        for at, day in enumerate(days.tolist())
        if np.isfinite(mean[at])
    }
    facts = alert.facts
    tested = day_number(date.fromisoformat(facts["tested_day"]))
    if tested in bands:
        bands[tested] = (tested, facts.get("low"), facts.get("expected"), facts.get("high"))
    return tuple(bands.values())


def _interval(alert: Alert, first: int) -> tuple[Band, ...]:
    over = alert.facts.get("actual") is not None
    names = ("low", "projected", "high")
    low, projected, high = (alert.facts.get(f"first_{n}" if over else n) for n in names)
    return () if projected is None else ((first, low, projected, high),)


def _points(days: Iterable[int] | IntArray, values: Sequence[float] | FloatArray) -> Any:
    return tuple((int(day), float(value)) for day, value in zip(days, values, strict=True))


def _last_days(weeks: Weeks, columns: IntArray) -> IntArray:
    return weeks.first + DAYS * (columns + 1) - 1


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _reaches(start: int | None, first: int) -> bool:
    return start is None or first >= start


def _month(count: int) -> int:
    """The first day of a month, counted from the year 0."""
    return day_number(date(count // _YEAR_MONTHS, count % _YEAR_MONTHS + 1, 1))


def _iso(day: int | np.integer[Any]) -> str:
    return day_from_number(int(day)).isoformat()
