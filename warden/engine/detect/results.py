"""What detectors return: frozen columns, one row a series, one column a tested week.

Standing in the flow: kinds read these and turn alarms into signals; benchmarks compare them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warden.engine.detect.tails import Bools, Floats, at_least, mid_p, smallest_below

Weeks = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The verdict of a method that compares a count with a bound and knows no probability.

    Attributes:
        expected: the method's idea of an ordinary count; NaN where it could not test.
        high: an alarm needs a count above this; NaN where it could not test.
        alarm: whether it was.

    """

    expected: Floats
    high: Floats
    alarm: Bools


@dataclass(frozen=True, slots=True)
class Tails:
    """The verdict of a method that knows the distribution of an ordinary count.

    Attributes:
        observed: the tested counts.
        expected: the mean of an ordinary count; NaN where it was not tested.
        phi: its variance over its mean, >= 1.
        p: the mid-p upper tail of the observed count; 1 where it was not tested.

    """

    observed: Floats
    expected: Floats
    phi: Floats
    p: Floats

    def alarm(self, alpha: float) -> Bools:
        """Where p is at most `alpha`."""
        return self.p <= alpha

    def high(self, alpha: float) -> Floats:
        """The largest count that is no alarm at `alpha`; NaN where nothing was tested."""
        known = np.isfinite(self.expected)
        mean, phi = np.where(known, self.expected, 1.0), np.where(known, self.phi, 1.0)
        first = smallest_below(lambda q: mid_p(q, mean, phi), alpha, mean)
        return np.where(known, first - 1, np.nan)

    def low(self, alpha: float) -> Floats:
        """The smallest count whose lower tail P(X <= q) exceeds `alpha`; NaN where not tested."""
        known = np.isfinite(self.expected)
        mean, phi = np.where(known, self.expected, 1.0), np.where(known, self.phi, 1.0)
        first = smallest_below(lambda q: at_least(q + 1, mean, phi) - (1 - alpha), 0.0, mean)
        return np.where(known, first, np.nan)


def as_matrix(counts: NDArray[np.integer] | Floats) -> Floats:
    """Counts as floats, series x weeks; one series may come as a vector."""
    matrix = np.atleast_2d(np.asarray(counts, float))
    if matrix.ndim != 2:  # noqa: PLR2004 - a matrix has two dimensions
        raise ValueError(f"counts must be series x weeks, not {matrix.ndim}-dimensional")
    return matrix


def as_weeks(weeks: NDArray[np.integer] | range | int | list[int], length: int) -> Weeks:
    """Indexes of the tested columns, checked against the matrix."""
    tested = np.atleast_1d(np.asarray(weeks, dtype=np.intp))
    if len(tested) and (tested.min() < 0 or tested.max() >= length):
        raise ValueError(f"tested weeks must lie in 0..{length - 1}")
    return tested
