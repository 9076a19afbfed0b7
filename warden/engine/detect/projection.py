"""What a running period will come to, with an interval that says how little that means.

`linear` divides the count by the share of the period elapsed, `seasonal` by the mean share that
earlier years had reached by the same day, shrunken towards the linear one. What is still to come is
negative-binomial around that, with the uncertainty of the rate from its own count. For deaths the
number of events to come follows that law and each one's deaths are those of an event seen: one
massacre is half a year. The law of their sum is computed, not drawn: it is what a compound
bootstrap tends to with ever more draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from scipy.special import betainc

from warden.engine.detect.tails import Floats, at_least, smallest_below

LEAST_DAYS, LEAST_EVENTS = 60, 5
COVERAGE = 0.9
SHRINKAGE_YEARS = 2.0  # seasonal shares of so many years weigh as much as the linear one
DEFAULT_PHI = 1.5  # events of a year come in clusters
HALF = 0.5  # Jeffreys' prior of a Poisson rate
_REACH_SD = 12  # the law of a sum is followed this many standard deviations beyond its mean
_FINEST = 2**18  # and on no more points than this: sums beyond are counted in tens, hundreds, …


@dataclass(frozen=True, slots=True)
class Projection:
    """The end of a running period.

    Attributes:
        projected: the likeliest value, count over share.
        low, high: a 90 % interval.
        probability: that it exceeds the bound asked for; None without a bound.
        share: the share of the period's total taken to be reached.

    """

    projected: float
    low: float
    high: float
    probability: float | None
    share: float


def may_project(elapsed_days: int, events: int) -> bool:
    """Nothing is projected before 60 days or 5 events."""
    return elapsed_days >= LEAST_DAYS and events >= LEAST_EVENTS


def seasonal_share(linear: float, earlier: NDArray[np.floating]) -> tuple[float, float]:
    """(share reached by now, its standard deviation) from the shares of earlier years.

    Args:
        linear: share of the period elapsed.
        earlier: for each of the last three to five years, the share of that year's total that had
            happened by the same day (years without events left out).

    """
    shares = np.asarray(earlier, float)
    if len(shares) == 0:
        return linear, 0.0
    weight = len(shares) / (len(shares) + SHRINKAGE_YEARS)
    share = float(np.clip(weight * shares.mean() + (1 - weight) * linear, 1e-3, 1.0))
    spread = float(shares.std(ddof=1)) if len(shares) > 1 else 0.0
    return share, weight * spread / np.sqrt(len(shares))


def project_count(
    count: float,
    share: float,
    *,
    share_sd: float = 0.0,
    phi: float = DEFAULT_PHI,
    exceeds: float | None = None,
) -> Projection:
    """Project a count of events.

    Args:
        count: so far.
        share: of the period's total taken to be reached, in (0, 1].
        share_sd: its standard deviation.
        phi: variance over mean of the counts.
        exceeds: the bound whose exceedance probability is asked for.

    """
    mean, spread = _remainder(count, share, share_sd, phi)
    outside = (1 - COVERAGE) / 2
    low = _quantile(mean, spread, 1 - outside)
    high = _quantile(mean, spread, outside)
    probability = None
    if exceeds is not None:
        probability = probability_of_more(count, share, share_sd=share_sd, phi=phi, exceeds=exceeds)
    return Projection(count / share, count + low, count + high, probability, share)


def probability_of_more(
    count: float,
    share: float,
    *,
    share_sd: float = 0.0,
    phi: float = DEFAULT_PHI,
    exceeds: float,
) -> float:
    """P(the period ends above `exceeds`): of `project_count` only that, which costs the least."""
    mean, spread = _remainder(count, share, share_sd, phi)
    needed = np.floor(exceeds) + 1 - count
    return float(at_least(np.asarray(needed), mean, spread))


def project_deaths(
    deaths: NDArray[np.integer] | Floats,
    earlier_deaths: NDArray[np.integer] | Floats,
    share: float,
    *,
    share_sd: float = 0.0,
    phi: float = DEFAULT_PHI,
    exceeds: float | None = None,
) -> Projection:
    """Project a sum of deaths by the compound law of events to come and deaths in each.

    Args:
        deaths: of each event so far, whole numbers.
        earlier_deaths: of the events of earlier years, as likely to come again as this one's.
        share, share_sd, phi, exceeds: as in `project_count`, phi of the events.

    """
    total = float(np.sum(deaths))
    mean, spread = _remainder(len(deaths), share, share_sd, phi)
    pool = np.concatenate([np.asarray(deaths, float), np.asarray(earlier_deaths, float)])
    at_most, unit = _law_of_sum(pool, mean, spread)
    outside = (1 - COVERAGE) / 2
    low, high = (np.searchsorted(at_most, [outside, 1 - outside]) * unit).tolist()
    probability = None
    if exceeds is not None:
        probability = _beyond(at_most, (exceeds - total) / unit)
    return Projection(total / share, total + low, total + high, probability, share)


def _law_of_sum(pool: Floats, mean: float, spread: float) -> tuple[Floats, float]:
    """(P(sum <= i units) for i = 0, 1, …; the unit) of what the events to come add up to.

    By the probability generating function of a negative-binomial number of terms, evaluated on
    the unit circle and transformed back (Grübel and Hermesmeier, ASTIN Bulletin 29, 1999).
    """
    each, second = float(pool.mean()), float((pool**2).mean())
    reach = mean * each + _REACH_SD * (mean * (second + (spread - 1) * each**2)) ** 0.5
    unit = max(1.0, np.ceil((reach + float(pool.max())) / _FINEST))
    points = next_fast_len(int((reach + float(pool.max())) / unit) + 2, real=True)
    steps = np.rint(pool / unit).astype(np.int64)
    of_one = np.fft.rfft(np.bincount(steps, minlength=points) / len(pool))
    if spread > 1:
        # The base's real part is at least 1: the principal branch is the right one.
        of_all = (1 + (spread - 1) * (1 - of_one)) ** (-mean / (spread - 1))
    else:
        of_all = np.exp(-mean * (1 - of_one))
    return np.cumsum(np.maximum(np.fft.irfft(of_all, points), 0)), unit


def _beyond(at_most: Floats, bound: float) -> float:
    """P(sum > bound), `bound` in units; it may be negative or infinite."""
    if bound < 0:
        return 1.0
    return float(np.clip(1 - at_most[int(bound)], 0, 1)) if bound < len(at_most) else 0.0


def may_exceed(
    deaths: NDArray[np.integer] | Floats,
    earlier_deaths: NDArray[np.integer] | Floats,
    share: float,
    *,
    share_sd: float = 0.0,
    phi: float = DEFAULT_PHI,
    exceeds: float,
) -> float:
    """The most that P(the sum at the end exceeds `exceeds`) can be: Cantelli's bound, 1910.

    From mean and variance of the law that `project_deaths` computes, so at next to no cost.
    """
    mean, spread = _remainder(len(deaths), share, share_sd, phi)
    pool = np.concatenate([np.asarray(deaths, float), np.asarray(earlier_deaths, float)])
    each, wild = float(pool.mean()), float(pool.var())
    above = exceeds - float(np.sum(deaths)) - mean * each
    variance = mean * (wild + spread * each**2)
    return variance / (variance + above**2) if above > 0 else 1.0


def probability_of_rise(
    now: float, before: float, *, ratio: float = 1.0, phi: float = DEFAULT_PHI
) -> float:
    """P(the rate behind `now` is more than `ratio` times that behind `before`), equal periods.

    For the trailing twelve months against the twelve before: gamma posteriors of both rates, counts
    of dispersion phi telling phi times less than Poisson counts.
    """
    risen, usual = now / phi + HALF, before / phi + HALF
    return float(1 - betainc(risen, usual, ratio / (1 + ratio)))


def _remainder(count: float, share: float, share_sd: float, phi: float) -> tuple[float, float]:
    """(mean, variance over mean) of what is still to come."""
    shape = count + HALF
    mean = max(shape * (1 - share) / share, 1e-9)
    # log remainder = log rate + log((1 - share) / share): their variances add.
    vague = phi / shape + (share_sd / max(share * (1 - share), 1e-3)) ** 2
    return mean, phi + mean * vague


def _quantile(mean: float, phi: float, above: float) -> float:
    """The smallest count q with P(X > q) <= `above`."""
    start = np.asarray([mean])
    found = smallest_below(lambda q: at_least(q + 1, start, np.asarray(phi)), above, start)
    return float(found[0])
