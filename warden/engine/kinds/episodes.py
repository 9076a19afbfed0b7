"""Episodes: chains of passing tests that share evidence or lie close together.

A test is a day. Two passing days belong together when an event lies in the windows of both, or
when they lie no more than `keep_firing_for` apart. Days after the newest fully known one are
unknown: a pass there counts, since its evidence is there, but a fail does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from warden.engine.frame import BoolArray, FloatArray, IntArray
from warden.engine.kinds.measure import Series, rolling


@dataclass(frozen=True, slots=True)
class Tests:
    """The tests of one key: which days were looked at, what was measured, which passed."""

    days: IntArray
    values: FloatArray
    passed: BoolArray


@dataclass(frozen=True, slots=True)
class Episode:
    """One chain.

    Attributes:
        since, until: its first and last passing day.
        peak: the highest value of a passing test.
        members: positions in the series of the events that contribute, in order.
    """

    since: int
    until: int
    peak: float
    members: IntArray


def test_days(one: Series, known_through: int | None) -> IntArray:
    """From the first event's day to the newest fully known or observed day."""
    if not one.days.size:
        return np.zeros(0, dtype=np.int64)
    newest = int(one.days[-1])
    last = newest if known_through is None else max(newest, known_through)
    return np.arange(int(one.days[0]), last + 1, dtype=np.int64)


def window_tests(one: Series, window: int, days: IntArray) -> FloatArray:
    """The measure over the window that ends with each day."""
    return rolling(one, days, window)


def episodes(one: Series, tests: Tests, window: int, keep_firing: int) -> Iterator[Episode]:
    """The chains of a key's passing tests, oldest first."""
    passing = tests.days[tests.passed]
    if not passing.size:
        return
    values = tests.values[tests.passed]
    before, after = passing[:-1], passing[1:]
    close = (after - before) <= keep_firing
    # Windows (before-w, before] and (after-w, after] share an event iff one lies in
    # (after-w, before], as windows all have the same length.
    shared = one.days.searchsorted(before, side="right") > np.searchsorted(
        one.days, after - window, side="right"
    )
    starts = np.concatenate(([0], np.flatnonzero(~(close | shared)) + 1))
    ends = np.concatenate((starts[1:], [len(passing)]))
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        days = passing[start:end]
        yield Episode(
            since=int(days[0]),
            until=int(days[-1]),
            peak=float(values[start:end].max()),
            members=_members(one, days, window),
        )


def has_ended(until: int, patience: int, known_through: int | None) -> bool:
    """Whether the condition is known to have failed for more than `patience` complete days."""
    return known_through is not None and known_through - until > patience


def _members(one: Series, days: IntArray, window: int) -> IntArray:
    low = one.days.searchsorted(days - window, side="right")
    high = one.days.searchsorted(days, side="right")
    count = len(one.days) + 1
    edges = np.bincount(low, minlength=count) - np.bincount(high, minlength=count)
    return np.flatnonzero(np.cumsum(edges)[:-1] > 0)
