"""Cumulative sums against a known in-control mean: the reference forms that `drift` builds on.

`cusum` standardises counts first (Rossi, Lampugnani and Marchi 1999); `likelihood_cusum` sums log
likelihood ratios of a Poisson or negative-binomial count, for a shift of known or unknown size
(Hoehle and Paul 2008, Comput Stat Data Anal 52:4357). For comparison: what rules use is `drift`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from warden.engine.detect.results import as_matrix
from warden.engine.detect.tails import Bools, Floats

Transform = Literal["standard", "rossi", "anscombe", "pearson_nb"]
NEWTON_STEPS = 50
NEWTON_TOLERANCE = 1e-10


def standardise(
    counts: Floats, mean: Floats, transform: Transform, overdispersion: float = 0.1
) -> Floats:
    """Counts to be summed, near a standard normal while in control.

    `overdispersion` is a in variance = mean + a * mean^2; only `pearson_nb` uses it.
    """
    if transform == "standard":
        return np.asarray((counts - mean) / np.sqrt(mean))
    if transform == "rossi":
        return np.asarray((counts - 3 * mean + 2 * np.sqrt(counts * mean)) / (2 * np.sqrt(mean)))
    if transform == "anscombe":
        return np.asarray(1.5 * (counts ** (2 / 3) - mean ** (2 / 3)) / mean ** (1 / 6))
    return np.asarray((counts - mean) / np.sqrt(mean + overdispersion * mean**2))


def cusum(standardised: Floats, *, k: float = 1.04, h: float = 2.26) -> tuple[Floats, Bools]:
    """(sums, alarms) of S_t = max(0, S_{t-1} + z_t - k), an alarm where S_t >= h; never reset."""
    steps = as_matrix(standardised) - k
    sums = np.zeros_like(steps)
    current = np.zeros(len(steps))
    for week in range(steps.shape[1]):
        current = np.maximum(0.0, current + steps[:, week])
        sums[:, week] = current
    return sums, sums >= h


def likelihood_cusum(
    counts: NDArray[np.integer] | Floats,
    mean: Floats,
    *,
    threshold: float = 5.0,
    overdispersion: float = 0.0,
    log_shift: float | None = None,
) -> tuple[Floats, Bools]:
    """(statistic, alarms) of one series, starting afresh after every alarm.

    Args:
        counts: one series.
        mean: its in-control mean, one a week.
        threshold: an alarm where the statistic reaches it.
        overdispersion: a in variance = mean + a * mean^2; 0 is Poisson.
        log_shift: the logarithm of the multiple looked for; None takes the likeliest rise over
            every start since the last alarm (the generalised likelihood ratio).

    """
    series = np.asarray(counts, float)
    statistic, alarm = np.zeros(len(series)), np.zeros(len(series), bool)
    start = 0
    for week in range(len(series)):
        span = slice(start, week + 1)
        statistic[week] = _best_ratio(series[span], mean[span], overdispersion, log_shift)
        if statistic[week] >= threshold:
            alarm[week], start = True, week + 1
    return statistic, alarm


def _best_ratio(x: Floats, mean: Floats, overdispersion: float, shift: float | None) -> float:
    """The largest log likelihood ratio over all starts of the rise within these weeks."""
    if shift is not None:
        steps = _log_ratio(x, mean, overdispersion, np.full(len(x), shift))
        return max(0.0, float(np.cumsum(steps[::-1]).max()))
    tails_x, tails_mean = np.cumsum(x[::-1]), np.cumsum(mean[::-1])
    if overdispersion == 0:
        kappa = np.log(np.maximum(tails_x, 1e-300) / tails_mean)
        return float(np.where(kappa > 0, tails_x * kappa - (tails_x - tails_mean), 0.0).max())
    return _best_nb_ratio(x[::-1], mean[::-1], overdispersion)


def _best_nb_ratio(x: Floats, mean: Floats, overdispersion: float) -> float:
    """Newton's method for every start at once; the likelihood is concave in the log shift."""
    before = np.tril(np.ones((len(x), len(x)), bool))  # row i: the i + 1 newest weeks
    kappa = np.zeros(len(x))
    for _ in range(NEWTON_STEPS):
        risen = overdispersion * mean * np.exp(kappa)[:, None]
        score = np.where(before, x - (x + 1 / overdispersion) * risen / (1 + risen), 0).sum(axis=1)
        bend = np.where(before, (x + 1 / overdispersion) * risen / (1 + risen) ** 2, 0).sum(axis=1)
        step = np.clip(score / bend, -1.0, 1.0)
        kappa = np.maximum(0.0, kappa + step)
        if np.all(np.abs(np.where((kappa == 0) & (step < 0), 0.0, step)) < NEWTON_TOLERANCE):
            break
    ratio = _log_ratio(x, mean, overdispersion, kappa[:, None])
    return float(np.where(before, ratio, 0.0).sum(axis=1).max())


def _log_ratio(x: Floats, mean: Floats, overdispersion: float, kappa: Floats) -> Floats:
    """Log likelihood of mean * exp(kappa) over that of the mean, a week."""
    if overdispersion == 0:
        return np.asarray(kappa * x - mean * np.expm1(kappa))
    rise = np.log1p(overdispersion * mean * np.exp(kappa)) - np.log1p(overdispersion * mean)
    return np.asarray(kappa * x - (x + 1 / overdispersion) * rise)
