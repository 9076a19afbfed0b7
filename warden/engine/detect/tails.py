"""Upper tails of counts, and bounds found from them.

Standing in the flow: every detector of this room asks here how surprising a count is. A count with
mean m and variance phi * m is negative-binomial with size m / (phi - 1), Poisson where phi is 1.
Tails come from the incomplete beta and gamma functions, which stay exact far out; a quantile
function is never called, since it hangs or overflows on extreme parameters. A bound is found from
the tail by bisection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, gammainc, gammaln

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]
Counts = NDArray[np.integer] | Floats
TailFunction = Callable[[Floats], Floats]

POISSON_BELOW = 1e-7  # phi - 1 below this is Poisson: the two tails agree to ten digits there
SMALLEST_MEAN = 1e-12
LARGEST_BOUND = 2.0**52


def at_least(x: Counts | float, mean: Floats | float, phi: Floats | float) -> Floats:
    """P(X >= x) for mean `mean` and variance `phi * mean`; 1 where x <= 0. Broadcasts."""
    count, mu, spread = np.broadcast_arrays(
        np.asarray(x, float),
        np.maximum(np.asarray(mean, float), SMALLEST_MEAN),
        np.asarray(phi, float) - 1,
    )
    over = spread > POISSON_BELOW
    safe_count = np.where(count > 0, count, 1.0)
    safe_spread = np.where(over, spread, 1.0)
    beta = betainc(safe_count, mu / safe_spread, safe_spread / (1 + safe_spread))
    tail = beta if over.all() else np.where(over, beta, gammainc(safe_count, mu))
    return np.where(count > 0, tail, 1.0)


def mid_p(x: Counts | float, mean: Floats | float, phi: Floats | float) -> Floats:
    """P(X > x) + P(X = x) / 2 (Lancaster 1961): a tail probability that is not conservative."""
    count = np.asarray(x, float)
    return at_least(count + 1, mean, phi) + 0.5 * probability(count, mean, phi)


def probability(x: Counts | float, mean: Floats | float, phi: Floats | float) -> Floats:
    """P(X = x) for mean `mean` and variance `phi * mean`. Broadcasts."""
    count = np.asarray(x, float)
    mu = np.maximum(np.asarray(mean, float), SMALLEST_MEAN)
    spread = np.maximum(np.asarray(phi, float) - 1, POISSON_BELOW)
    size = mu / spread
    log_p = gammaln(count + size) - gammaln(size) - gammaln(count + 1)
    log_p += count * np.log(spread / (1 + spread)) - size * np.log1p(spread)
    return np.where(count >= 0, np.exp(log_p), 0.0)


def predictive_at_least(x: Counts | float, shape: Floats | float, weeks: Floats | float) -> Floats:
    """P(X >= x) for a Poisson count whose rate is Gamma(shape, rate `weeks`). Broadcasts.

    The negative-binomial predictive distribution of size `shape` and probability weeks / (weeks+1).
    """
    count = np.asarray(x, float)
    tail = betainc(np.where(count > 0, count, 1.0), shape, 1 / (1 + np.asarray(weeks, float)))
    return np.where(count > 0, tail, 1.0)


def smallest_below(tail: TailFunction, alpha: float, start: Floats) -> Floats:
    """The smallest whole q >= 0 with `tail(q) <= alpha`, for each element, by bisection.

    Args:
        tail: falls with its argument; takes and returns arrays of the shape of `start`. For the
            upper bound that a count must exceed, `tail(q)` is P(X > q).
        alpha: the nominal level.
        start: a first guess of the scale (such as the mean), only for speed.

    """
    slack = alpha * (1 + 1e-12)
    high = np.floor(np.maximum(start, 0.0)) + 1
    outside = ~(tail(high) <= slack)
    while outside.any():
        high = np.where(outside, 2 * high, high)
        outside = ~(tail(high) <= slack) & (high < LARGEST_BOUND)
    low = np.full_like(high, -1.0)  # tail(low) > alpha, or low is -1
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        inside = tail(np.maximum(middle, 0.0)) <= slack
        open_ = high - low > 1
        high = np.where(open_ & inside, middle, high)
        low = np.where(open_ & ~inside, middle, low)
    return high
