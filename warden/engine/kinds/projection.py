"""`projection`: this period will, with high probability, exceed the one before.

A running year or quarter is projected from what has happened so far, on each day with an event;
the first on which P(exceeds) reaches the bound latches the alert for the period. `rolling-year`
compares the trailing twelve months with the twelve before. See `warden.engine.detect.projection`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from pydantic import Field

from warden.engine.detect.projection import (
    LEAST_DAYS,
    Projection,
    may_exceed,
    may_project,
    probability_of_more,
    probability_of_rise,
    project_count,
    project_deaths,
    seasonal_share,
)
from warden.engine.facts import Severity, number
from warden.engine.frame import BoolArray, FloatArray, IntArray, day_from_number, day_number
from warden.engine.horizon import Horizon
from warden.engine.kinds import charts
from warden.engine.kinds.base import Kind, Measure, Parameters
from warden.engine.kinds.episodes import Tests, episodes, test_days
from warden.engine.kinds.measure import Series, alike_through, rolling, series, total
from warden.engine.kinds.signalling import Found, is_over, signal
from warden.engine.kinds.weekly import members
from warden.engine.where import Matches
from warden.model.foresight import Foreseen
from warden.model.rule import Rule
from warden.model.signal import Signal

YEAR_DAYS = 365
_SHARE_YEARS = 5
_MEASURES_OF_DEATHS = frozenset({"fatalities", "fatalities_capped"})


class ProjectionParameters(Parameters):
    """What a `projection` rule projects, and how sure it must be."""

    measure: Measure = Field(default="events", description="what is counted")
    period: Literal["year", "quarter", "rolling-year"] = Field(
        default="year", description="the period, compared with the one before"
    )
    method: Literal["linear", "seasonal"] = Field(
        default="linear", description="by the share of days, or by the share of earlier years"
    )
    ratio: float = Field(default=1.0, gt=0, le=100, description="times the previous period")
    probability: float = Field(
        default=0.95, gt=0.5, lt=1, description="how probable exceeding that must be"
    )
    at_least: float = Field(default=5, ge=1, description="nothing is said before so many")


@dataclass(frozen=True, slots=True)
class _Period:
    label: str
    first: int
    last: int  # inclusive

    @property
    def days(self) -> int:
        return self.last - self.first + 1


def signals(
    rule: Rule,
    matches: Matches,
    horizon: Horizon,
    only: AbstractSet[str] | None = None,  # noqa: ARG001 - a period needs all its events
) -> tuple[Signal, ...]:
    """One signal a latched period and key, or an episode of the rolling year."""
    parameters: ProjectionParameters = rule.parameters
    datasets = matches.frame.datasets()
    known, start = horizon.known_through(datasets), horizon.starts(datasets)
    if known is None or start is None:
        return ()
    found: list[Signal] = []
    for key in sorted(matches.keys):
        one = series(matches, key, parameters.measure)
        if not one.days.size:
            continue
        if parameters.period == "rolling-year":
            found += _rolling(rule, matches, one, known, start)
        else:
            found += _calendar(rule, matches, one, known, start, horizon=horizon)
    return tuple(found)


# --- calendar periods -------------------------------------------------------------------------


def _calendar(
    rule: Rule, matches: Matches, one: Series, known: int, start: int, *, horizon: Horizon
) -> Iterator[Signal]:
    parameters: ProjectionParameters = rule.parameters
    severity = Severity(rule)
    for period in _periods(parameters.period, int(one.days[0]), known):
        before = _previous(parameters.period, period)
        if before.first < start or not horizon.asks(min(period.last, known)):
            continue
        previous = total(one, before.first, before.last)
        latched = _latched(rule, one, period, previous, known)
        if latched is None:
            continue
        last = min(period.last, known)
        now = _project(rule, one, period, previous, last)
        held = members(one, period.first, last)
        ended = known >= period.last
        value = total(one, period.first, last)
        facts = {
            **_words(parameters, period, previous, value, now),
            "first_projected": number(round(latched[1].projected, 1)),
            "first_low": number(round(latched[1].low, 1)),
            "first_high": number(round(latched[1].high, 1)),
            "first_probability": round(latched[1].probability or 0.0, 4),
            "first_on": day_from_number(latched[0]).isoformat(),
            "actual": number(value) if ended else None,
        }
        found = Found(one, held, latched[0], last, ended, value, facts, identity=period.label)
        yield signal(rule, matches, found, severity)


@dataclass(frozen=True, slots=True)
class _Look:
    """How far a period was looked through, with what.

    Attributes:
        known: the last day looked at. previous: the total of the period before.
        one: the events it was looked through with.
        found: what that gave.
    """

    known: int
    previous: float
    one: Series
    found: tuple[int, Projection] | None

    def like(self, one: Series, previous: float, known: int) -> int:
        """The last day up to which looking through `one` goes alike; -1 without any."""
        if self.previous != previous:
            return -1
        return alike_through(self.one, one, min(self.known, known))


def _latched(
    rule: Rule, one: Series, period: _Period, previous: float, known: int
) -> tuple[int, Projection] | None:
    """The first day looked at on which exceeding is probable enough, and what was projected.

    What a day says rests only on the events up to it: days that were looked at before with the
    same events are not looked at again.
    """
    known = min(known, period.last)
    asked = (rule.id, rule.version, one.key, period)
    looks = _looks.get(asked, ())
    best = max(looks, key=lambda look: look.like(one, previous, known), default=None)
    through = -1 if best is None else best.like(one, previous, known)
    if best is not None and best.found is not None and best.found[0] <= through:
        return best.found
    if best is not None and through >= known:
        return None
    found = _search(rule, one, period, previous, known, after=through)
    longer = [look for look in looks if look.known > known]
    if len(_looks) >= _MOST_PERIODS:
        _looks.clear()
    _looks[asked] = (_Look(known, previous, one, found), *longer[:1])
    return found


_MOST_PERIODS = 20_000
_looks: dict[tuple[object, ...], tuple[_Look, ...]] = {}


def _search(
    rule: Rule, one: Series, period: _Period, previous: float, known: int, *, after: int
) -> tuple[int, Projection] | None:
    """Look through the days that come later than `after`."""
    parameters: ProjectionParameters = rule.parameters
    for day in _days_to_look_at(one, period, after, known):
        projection = _project(rule, one, period, previous, day, sought=parameters.probability)
        if (projection.probability or 0.0) >= parameters.probability:
            return day, projection
    return None


def _days_to_look_at(one: Series, period: _Period, after: int, known: int) -> list[int]:
    """The days with events, and the first that may be projected at all.

    Without another event what a period will come to only falls from day to day. So this finds the
    very day from which exceeding was sure enough, whatever weekday the data reach up to.
    """
    earliest = period.first + LEAST_DAYS - 1
    began = max(earliest, after + 1)
    low, high = np.searchsorted(one.days, (began, known + 1))
    days = set(one.days[low:high].tolist())
    return sorted(days | ({earliest} if began == earliest <= known else set()))


_NOTHING = Projection(projected=float("nan"), low=float("nan"), high=float("nan"),
                      probability=None, share=0.0)  # fmt: skip


def _project(
    rule: Rule, one: Series, period: _Period, previous: float, day: int, *, sought: float = 0.0
) -> Projection:
    """The period's total as it is projected on a day, from the events up to that day.

    Nothing where exceeding cannot be nearly as probable as `sought`, which costs less to tell.
    """
    parameters: ProjectionParameters = rule.parameters
    held = members(one, period.first, day)
    so_far = total(one, period.first, day)
    elapsed = day - period.first + 1
    if not may_project(elapsed, len(held)) or so_far < parameters.at_least:
        return _NOTHING
    share, spread = _share(parameters, one, period, day)
    exceeds = parameters.ratio * previous
    if parameters.measure not in _MEASURES_OF_DEATHS or one.weights is None:
        asked = so_far, round(share, 9), round(spread, 9), exceeds
        return _NOTHING if sought and _rise(*asked) < sought else _count(*asked)
    earlier = members(one, period.first - 3 * YEAR_DAYS, period.first - 1)
    deaths, before = one.weights[held], one.weights[earlier]
    most = may_exceed(deaths, before, share, share_sd=spread, exceeds=exceeds) if sought else 1.0
    if most < sought:
        return _NOTHING
    return _deaths(deaths.tobytes(), before.tobytes(), round(share, 9), round(spread, 9), exceeds)


@lru_cache(maxsize=65_536)
def _count(so_far: float, share: float, spread: float, exceeds: float) -> Projection:
    return project_count(so_far, share, share_sd=spread, exceeds=exceeds)


def _rise(so_far: float, share: float, spread: float, exceeds: float) -> float:
    return probability_of_more(so_far, share, share_sd=spread, exceeds=exceeds)


@lru_cache(maxsize=16_384)
def _deaths(
    deaths: bytes, earlier: bytes, share: float, spread: float, exceeds: float
) -> Projection:
    return project_deaths(
        np.frombuffer(deaths), np.frombuffer(earlier), share, share_sd=spread, exceeds=exceeds
    )


def _share(
    parameters: ProjectionParameters, one: Series, period: _Period, day: int
) -> tuple[float, float]:
    """The share of the period's total that is taken to be reached, and its deviation."""
    linear = min((day - period.first + 1) / period.days, 1.0)
    if parameters.method == "linear" or linear >= 1.0:
        return linear, 0.0
    shares = []
    for years in range(1, _SHARE_YEARS + 1):
        shift = years * YEAR_DAYS
        whole = total(one, period.first - shift, period.last - shift)
        if whole > 0 and period.first - shift >= int(one.days[0]):
            shares.append(total(one, period.first - shift, day - shift) / whole)
    return seasonal_share(linear, np.array(shares))


def _words(
    parameters: ProjectionParameters,
    period: _Period,
    previous: float,
    value: float,
    now: Projection,
) -> dict[str, Any]:
    return {
        "value": number(value),
        "measure": parameters.measure,
        "period": period.label,
        "period_last_day": day_from_number(period.last).isoformat(),
        "method": parameters.method,
        "projected": number(round(now.projected, 1)) if np.isfinite(now.projected) else None,
        "low": number(round(now.low, 1)) if np.isfinite(now.low) else None,
        "high": number(round(now.high, 1)) if np.isfinite(now.high) else None,
        "previous": number(previous),
        "probability": None if now.probability is None else round(now.probability, 4),
        "times": parameters.ratio,
        "observed": number(value),
        "expected": number(previous * parameters.ratio),
        "ratio": number(round(now.projected / previous, 3)) if previous > 0 else None,
    }


def _periods(kind: str, first_day: int, last_day: int) -> Iterator[_Period]:
    """The calendar years or quarters that touch the days first_day..last_day."""
    first, last = day_from_number(first_day), day_from_number(last_day)
    months = 12 if kind == "year" else 3
    begin = date(first.year, (first.month - 1) // months * months + 1, 1)
    while begin <= last:
        following = _month_later(begin, months)
        yield _Period(
            _label(begin, months), day_number(begin), day_number(following - timedelta(days=1))
        )
        begin = following


def _previous(kind: str, period: _Period) -> _Period:
    months = 12 if kind == "year" else 3
    begin = _month_later(day_from_number(period.first), -months)
    return _Period(_label(begin, months), day_number(begin), period.first - 1)


def _month_later(day: date, months: int) -> date:
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _label(begin: date, months: int) -> str:
    return f"{begin.year}" if months == 12 else f"{begin.year}-Q{(begin.month + 2) // 3}"  # noqa: PLR2004


# --- what is kept, to be scored ---------------------------------------------------------------


def foresee(rule: Rule, matches: Matches, horizon: Horizon) -> tuple[Foreseen, ...]:
    """What is projected for each key's running period, from what is known at a month's end."""
    parameters: ProjectionParameters = rule.parameters
    known = horizon.known_through(matches.frame.datasets())
    if parameters.period == "rolling-year" or known is None:
        return ()
    day = _month_end(known)
    found = []
    for key in sorted(matches.keys):
        one = series(matches, key, parameters.measure)
        for period in _periods(parameters.period, day, day):
            projection = _project(rule, one, period, math.inf, day)
            if np.isfinite(projection.projected) and day < period.last:
                found.append(_foreseen(rule, one, period, day, projection))
    return tuple(found)


def came_to(matches: Matches, horizon: Horizon, kept: Foreseen) -> float | None:
    """What a kept projection's period came to, as known now; None before it is over."""
    known = horizon.known_through(matches.frame.datasets())
    last = day_number(kept.last_day)
    if known is None or known < last:
        return None
    return total(series(matches, kept.key, kept.measure), day_number(kept.first_day), last)


def _foreseen(
    rule: Rule, one: Series, period: _Period, day: int, projection: Projection
) -> Foreseen:
    return Foreseen(
        rule_id=rule.id,
        rule_version=rule.version,
        key=one.key,
        period=period.label,
        first_day=day_from_number(period.first),
        last_day=day_from_number(period.last),
        on_day=day_from_number(day),
        measure=rule.parameters.measure,
        method=rule.parameters.method,
        so_far=total(one, period.first, day),
        projected=round(projection.projected, 3),
        low=round(projection.low, 3),
        high=round(projection.high, 3),
    )


def _month_end(day: int) -> int:
    """The newest last day of a month up to a day."""
    following = day_from_number(day + 1)
    return day_number(following.replace(day=1)) - 1


def project(rule: Rule, one: Series, first: int, last: int, day: int) -> Projection:
    """A period's total as the rule's method projects it on a day; NaN where nothing is said."""
    return _project(
        rule, one, _Period(day_from_number(first).isoformat(), first, last), math.inf, day
    )


# --- the rolling year -------------------------------------------------------------------------


def _rolling(rule: Rule, matches: Matches, one: Series, known: int, start: int) -> Iterator[Signal]:
    parameters: ProjectionParameters = rule.parameters
    severity = Severity(rule)
    days = test_days(one, known)
    days = days[days >= start + 2 * YEAR_DAYS - 1]
    if not days.size:
        return
    now = rolling(one, days, YEAR_DAYS)
    before = rolling(one, days - YEAR_DAYS, YEAR_DAYS)
    chance = _chances(now, before, parameters.ratio)
    passed = (chance >= parameters.probability) & (now >= parameters.at_least)
    tests = Tests(days, now, passed)
    for episode in episodes(one, tests, YEAR_DAYS, rule.keep_firing_for_days):
        at = _strongest(days, chance, passed, episode.since, episode.until)
        facts = {
            "value": number(float(now[at])),
            "measure": parameters.measure,
            "window_days": YEAR_DAYS,
            "period": "rolling-year",
            "method": "linear",
            "projected": None,
            "low": None,
            "high": None,
            "previous": number(float(before[at])),
            "probability": round(float(chance[at]), 4),
            "times": parameters.ratio,
            "observed": number(float(now[at])),
            "expected": number(float(before[at]) * parameters.ratio),
            "ratio": number(round(float(now[at] / before[at]), 3)) if before[at] > 0 else None,
            "tested_day": day_from_number(days[at]).isoformat(),
        }
        ended = is_over(rule, episode.until, known)
        found = Found(
            one, episode.members, episode.since, episode.until, ended, float(now[at]), facts
        )
        yield signal(rule, matches, found, severity)


def _chances(now: FloatArray, before: FloatArray, ratio: float) -> FloatArray:
    pairs = zip(now.tolist(), before.tolist(), strict=True)
    return np.array([_chance(a, b, ratio) for a, b in pairs])


@lru_cache(maxsize=65_536)
def _chance(now: float, before: float, ratio: float) -> float:
    return probability_of_rise(now, before, ratio=ratio)


def _strongest(
    days: IntArray, chance: FloatArray, passed: BoolArray, since: int, until: int
) -> int:
    inside = np.flatnonzero(passed & (days >= since) & (days <= until))
    return int(inside[np.argmax(chance[inside])])


KIND = Kind(
    name="projection",
    Parameters=ProjectionParameters,
    signals=signals,
    windowed=True,
    reach=lambda rule: 2 * YEAR_DAYS + rule.keep_firing_for_days,
    clocked="always",
    chart=charts.of_periods,
    foresee=foresee,
    came_to=came_to,
    reference=(
        "This period exceeds `ratio` times the one before with at least `probability`. Years and "
        "quarters are looked at on each day with an event; the first that passes latches one alert "
        "for the period, and when the period ends the projection is told beside what it came to. "
        "`rolling-year` compares the trailing twelve months with the twelve before. Nothing is "
        "said before 60 days, 5 events and `at_least`."
    ),
    example="""\
rules:
- id: bamako-projection
  title: More violent events within 150 km of Bamako this year than last
  kind: projection
  where: {use: attack-near-bamako}
  measure: events
  period: year
  method: linear
  ratio: 1
  probability: 0.95
  at_least: 5
  severity: warning
""",
)
