"""Measures by week: the matrices, series x weeks, that detectors work on.

Tests run on complete weeks only. ACLED's coding weeks run from Saturday to Friday and come out on
the Monday or Tuesday after; ISO weeks from Monday to Sunday. A week that began before the data do
is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from warden.engine.frame import FloatArray, IntArray
from warden.engine.horizon import Horizon
from warden.engine.kinds.measure import Series, series
from warden.engine.where import Matches

WeekKind = Literal["auto", "iso", "coding"]
DAYS = 7
_SATURDAY = 2  # 1970-01-03, as days since 1970-01-01
_MONDAY = 4  # 1970-01-05
_CODED_BY_WEEK = frozenset({"acled"})


@dataclass(frozen=True, slots=True)
class Weeks:
    """The complete weeks of a matrix.

    Attributes:
        first: the first day of the first week. count: how many weeks.
        known_through: the newest day that is fully known.
    """

    first: int
    count: int
    known_through: int

    def last_day(self, week: int) -> int:
        """The last day of a column."""
        return self.first + DAYS * (week + 1) - 1

    def first_day(self, week: int) -> int:
        """The first day of a column."""
        return self.first + DAYS * week


def complete_weeks(matches: Matches, horizon: Horizon, kind: WeekKind) -> Weeks | None:
    """The weeks from the start of the data to the newest complete one; None without any."""
    datasets = matches.frame.datasets()
    start, known = horizon.starts(datasets), horizon.known_through(datasets)
    if start is None or known is None:
        return None
    coding = kind == "coding" or (kind == "auto" and set(datasets) <= _CODED_BY_WEEK)
    anchor = _SATURDAY if coding else _MONDAY
    first = start + (anchor - start) % DAYS
    count = (known + 1 - first) // DAYS
    return Weeks(first, count, known) if count > 0 else None


def all_series(matches: Matches, measure: str) -> tuple[Series, ...]:
    """Every key's contributing events, in order of the keys."""
    return tuple(series(matches, key, measure) for key in sorted(matches.keys))


def matrix(rows: Sequence[Series], weeks: Weeks) -> FloatArray:
    """The measure, series x weeks; a distinct measure counts each label once a week."""
    values = np.zeros((len(rows), weeks.count))
    for position, one in enumerate(rows):
        column = (one.days - weeks.first) // DAYS
        inside = (column >= 0) & (column < weeks.count)
        if one.weights is not None:
            np.add.at(values[position], column[inside], one.weights[inside])
            continue
        labels = {
            (int(week), label)
            for index, week in enumerate(column)
            if inside[index]
            for label in one.labels[index]
        }
        for week, _ in labels:
            values[position, week] += 1
    return values


def members(one: Series, first: int, last: int) -> IntArray:
    """Positions of a series' events on the days first..last."""
    low = int(one.days.searchsorted(first, side="left"))
    high = int(one.days.searchsorted(last, side="right"))
    return np.arange(low, high, dtype=np.int64)


@dataclass(slots=True)
class Chain:
    """Passing tests that belong together.

    Attributes:
        tests: columns of its passing weeks, in order.
        held: positions of their events in the key's series.
        until: the last day of its newest test.
    """

    tests: list[int]
    held: set[int]
    until: int


def chains(passing: Sequence[tuple[int, IntArray]], weeks: Weeks, keep_firing: int) -> list[Chain]:
    """Join passing tests (column, positions of their events) that share events or lie close."""
    found: list[Chain] = []
    for week, positions in sorted(passing, key=lambda test: test[0]):
        last, held = weeks.last_day(week), set(positions.tolist())
        joined = Chain([week], held, last)
        apart: list[Chain] = []
        for chain in found:
            if chain.held & held or last - chain.until <= keep_firing:
                joined = Chain(chain.tests + joined.tests, chain.held | joined.held, last)
            else:
                apart.append(chain)
        found = [*apart, joined]
    for chain in found:
        chain.tests.sort()
    return sorted(found, key=lambda chain: chain.tests[0])
