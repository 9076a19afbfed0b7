"""A rule's measure over calendar periods: what an analyst checks against a published figure.

Standing in the flow: beside it. The same `where` and measures as the rule, no episodes: one value
a period and key, the periods without any event included, and for the period that is still running
a projection with its interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, get_args

import numpy as np

from warden.engine.detect.projection import project_deaths
from warden.engine.frame import day_from_number, day_number
from warden.engine.kinds.measure import Series, series, span, total
from warden.engine.kinds.projection import project
from warden.engine.where import Matches
from warden.model.rule import Rule
from warden.model.signal import Key

Period = Literal["day", "week", "month", "year"]
PERIODS: tuple[Period, ...] = get_args(Period)

MIN_DAYS = 60  # nothing is projected from less
MIN_EVENTS = 5
DISPERSION = 1.2  # counts of violent events vary a little more than Poisson's
WEEK = 7
DECEMBER = 12


@dataclass(frozen=True, slots=True)
class Point:
    """The measure in one period.

    Attributes:
        period: "2022", "2022-06", "2022-W25" (ISO week) or "2022-06-24".
        key: the rule's key; None for the total over all keys.
        complete: every day of it is known.
        projected, low, high: for the running period, the value at its end and its 90 % interval;
            None where too little is known (60 days, 5 events) or the period is over.
        method: how it was projected.
    """

    period: str
    key: Key | None
    value: float
    complete: bool
    projected: float | None = None
    low: float | None = None
    high: float | None = None
    method: str | None = None


def points(
    matches: Matches,
    *,
    by: Period,
    measure: str,
    first: date,
    today: date,
    known_through: date,
    rule: Rule | None = None,
) -> tuple[Point, ...]:
    """The measure per period and key, from the period of `first` to that of `today`.

    Each period has a row a key (sorted), then the total with key None. A `rule` of the kind
    projection projects by its own method, as its alerts do; else it is linear.
    """
    counted: list[tuple[Key | None, Series]] = [
        (key, series(matches, key, measure)) for key in sorted(matches.keys) if key
    ]
    counted.append((None, series(_without_keys(matches), (), measure)))
    return tuple(
        _point(key, one, span_, by, min(known_through, today), rule=rule)
        for span_ in _periods(by, first, today)
        for key, one in counted
    )


def name_of(by: Period, day: date) -> str:
    """The name of the period that a day lies in."""
    if by == "year":
        return f"{day.year:04d}"
    if by == "month":
        return f"{day.year:04d}-{day.month:02d}"
    if by == "week":
        year, week, _ = day.isocalendar()
        return f"{year:04d}-W{week:02d}"
    return day.isoformat()


def bounds(by: Period, day: date) -> tuple[date, date]:
    """The first and last day of the period that a day lies in."""
    if by == "year":
        return date(day.year, 1, 1), date(day.year, DECEMBER, 31)
    if by == "month":
        late = day.replace(day=28) + timedelta(days=4)
        return day.replace(day=1), late - timedelta(days=late.day)
    if by == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=WEEK - 1)
    return day, day


def _periods(by: Period, first: date, today: date) -> Iterator[tuple[date, date]]:
    start, end = bounds(by, first)
    while start <= today:
        yield start, end
        if end == date.max:
            return
        start, end = bounds(by, end + timedelta(days=1))


def _without_keys(matches: Matches) -> Matches:
    """The same matches, each counted once under the empty key."""
    rows = np.arange(len(matches), dtype=np.int64)
    return replace(matches, key_row=rows, key_code=np.zeros(len(rows), dtype=np.int64), keys=((),))


def _point(
    key: Key | None,
    one: Series,
    period: tuple[date, date],
    by: Period,
    known: date,
    *,
    rule: Rule | None,
) -> Point:
    first, last = day_number(period[0]), day_number(period[1])
    plain = Point(
        name_of(by, period[0]), key, total(one, first, last), complete=last <= day_number(known)
    )
    elapsed = day_number(known) - first + 1
    if plain.complete or elapsed < MIN_DAYS or one.weights is None:
        return plain
    low, high = span(one, first, day_number(known))
    weights = one.weights[low:high]
    if len(weights) < MIN_EVENTS:
        return plain
    if rule is not None and rule.kind == "projection":
        return _by_rule(plain, rule, one, (first, last), day_number(known))
    share = elapsed / (last - first + 1)
    found = project_deaths(weights, np.zeros(0), share, phi=DISPERSION)
    return replace(
        plain,
        projected=round(found.projected, 1),
        low=found.low,
        high=found.high,
        method="linear",
    )


def _by_rule(plain: Point, rule: Rule, one: Series, period: tuple[int, int], day: int) -> Point:
    found = project(rule, one, *period, day)
    if not np.isfinite(found.projected):
        return plain
    return replace(
        plain,
        projected=round(found.projected, 1),
        low=round(found.low, 1),
        high=round(found.high, 1),
        method=str(rule.parameters.method),
    )


def first_day(days: np.ndarray[tuple[int], np.dtype[np.int64]]) -> date | None:
    """The earliest of some days, None without any."""
    return day_from_number(int(days.min())) if len(days) else None
