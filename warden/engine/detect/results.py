"""What detectors return: frozen columns, one row a series, one column a tested week.

Standing in the flow: kinds read these and turn alarms into signals; benchmarks compare them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warden.engine.detect.tails import Bools, Floats, at_least, mid_p, smallest_below

Weeks = NDArray[np.intp]
TailOfLaw = Callable[[Floats, Floats, Floats], Floats]

# Gauss-Hermite nodes for a normal law: the uncertain logarithm of a dispersion in three values.
NODES = (-np.sqrt(3.0), 0.0, np.sqrt(3.0))
NODE_WEIGHTS = (1 / 6, 2 / 3, 1 / 6)


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
class Predictive:
    """The law of an ordinary count, with what is not known about it.

    A negative-binomial law of mean `mean` and variance (phi + vague) * mean, where the logarithm of
    phi is uncertain with variance 2 / freedom: the tail is averaged over it.

    Attributes:
        mean: the expected count; NaN where nothing is known.
        phi: variance over mean of a count of known mean, >= 1.
        vague: what the uncertainty of the mean adds to it.
        freedom: degrees of freedom behind phi.

    """

    mean: Floats
    phi: Floats
    vague: Floats
    freedom: Floats

    def tail(self, count: Floats) -> Floats:
        """The mid-p upper tail of counts; 1 where nothing is known."""
        return self._average(mid_p, count)

    def high(self, alpha: Floats | float) -> Floats:
        """The largest count that is no alarm at `alpha`; NaN where nothing is known."""
        level = np.broadcast_to(np.asarray(alpha, float), self.mean.shape)
        first = smallest_below(lambda q: self.tail(q) / level, 1.0, np.nan_to_num(self.mean))
        return np.where(np.isfinite(self.mean), first - 1, np.nan)

    def low(self, alpha: float) -> Floats:
        """The smallest count q with P(X <= q) > `alpha`; NaN where nothing is known."""
        first = smallest_below(
            lambda q: self._average(at_least, q + 1), 1 - alpha, np.nan_to_num(self.mean)
        )
        return np.where(np.isfinite(self.mean), first, np.nan)

    def _average(self, tail: TailOfLaw, count: Floats) -> Floats:
        known = np.isfinite(self.mean)
        mean = np.where(known, self.mean, 1.0)
        deviation = np.sqrt(2 / self.freedom)
        total = np.zeros(np.broadcast_shapes(mean.shape, np.shape(count)))
        for node, weight in zip(NODES, NODE_WEIGHTS, strict=True):
            spread = np.maximum(self.phi * np.exp(node * deviation), 1.0) + self.vague
            total += weight * tail(count, mean, np.where(known, spread, 1.0))
        return np.where(known, total, 1.0)


@dataclass(frozen=True, slots=True)
class Tails:
    """The verdict of a method that knows the law of an ordinary count.

    Attributes:
        observed: the tested counts.
        law: what was to be expected.
        p: the mid-p upper tail of the observed count; 1 where it was not tested (guarded, or no
            history).

    """

    observed: Floats
    law: Predictive
    p: Floats

    @property
    def expected(self) -> Floats:
        """The mean of an ordinary count; NaN where it was not tested."""
        return self.law.mean

    def alarm(self, alpha: Floats | float) -> Bools:
        """Where p is at most `alpha` (one level, or one a week)."""
        return np.less_equal(self.p, alpha)


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
