"""How past outbreaks are kept out of a fit, and what that costs where there were none.

Past outbreaks inflate a baseline and hide the next one. A week counts less the further its Anscombe
residual lies above what is ordinary (Farrington 1996, section 3.4), alone or together with a
neighbouring week, since outbreaks last and chance does not. Ordinary tails are cut by this as well:
the mean and the dispersion of the weighted weeks are too small, by factors that depend only on the
law of the counts. They are computed once from that law and taken out again.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from warden.engine.detect.tails import Floats

THRESHOLD = 1.9  # residuals above this are downweighted
LOG_MEANS = np.linspace(np.log(0.003), np.log(1000.0), 40)
LOG_EXCESS = np.linspace(np.log(0.02), np.log(12.0), 14)  # of phi - 1
MOST_ATOMS = 140  # counts of a wide distribution are taken together into so many
SQRT_HALF = 0.5**0.5


def anscombe(cube_root: Floats, mean: Floats, phi: Floats) -> Floats:
    """Anscombe residuals, near a standard normal; `cube_root` is that of the counts."""
    root = np.sqrt(mean)
    return np.asarray(1.5 * (cube_root**2 / np.cbrt(root) - root) / np.sqrt(phi))


def outbreak_weights(residual: Floats) -> Floats:
    """Weights in 0..1 of weeks (series x weeks) by their own and their neighbours' residuals."""
    together = residual[:, 1:] + residual[:, :-1]
    together *= SQRT_HALF
    unusual = residual.copy()
    np.maximum(unusual[:, 1:], together, out=unusual[:, 1:])
    np.maximum(unusual[:, :-1], together, out=unusual[:, :-1])
    return _weight(unusual)


def lost_to_weights(mean: Floats, phi: Floats) -> tuple[Floats, Floats]:
    """(log of the weighted mean over the mean, the same of the dispersion) without outbreaks."""
    mean_table, phi_table = _tables()
    row = (np.log(mean) - LOG_MEANS[0]) / (LOG_MEANS[1] - LOG_MEANS[0])
    excess = np.log(np.maximum(phi - 1, 1e-9))
    column = (excess - LOG_EXCESS[0]) / (LOG_EXCESS[1] - LOG_EXCESS[0])
    return _between(mean_table, row, column), _between(phi_table, row, column)


def _weight(unusual: Floats) -> Floats:
    """Falling with the fourth power, so that a clear outbreak hardly counts."""
    share = THRESHOLD / np.maximum(unusual, THRESHOLD)
    share *= share
    share *= share
    return share


def _between(table: Floats, row: Floats, column: Floats) -> Floats:
    """Bilinear interpolation; beyond the table its edge holds."""
    row = np.clip(row, 0, table.shape[0] - 1)
    column = np.clip(column, 0, table.shape[1] - 1)
    i = np.minimum(row.astype(np.intp), table.shape[0] - 2)
    j = np.minimum(column.astype(np.intp), table.shape[1] - 2)
    f, g = row - i, column - j
    upper = (1 - g) * table[i, j] + g * table[i, j + 1]
    lower = (1 - g) * table[i + 1, j] + g * table[i + 1, j + 1]
    return np.asarray((1 - f) * upper + f * lower)


@cache
def _tables() -> tuple[Floats, Floats]:
    """Both factors on the grid of means and dispersions; a third of a second, once a process."""
    found = np.array(
        [[_factors(mean, phi) for phi in 1 + np.exp(LOG_EXCESS)] for mean in np.exp(LOG_MEANS)]
    )
    return found[..., 0], found[..., 1]


def _factors(mean: float, phi: float) -> tuple[float, float]:
    """Both factors for one law, by summing over a week and the larger of its two neighbours."""
    counts, probability = _atoms(mean, phi)
    centre = float(probability @ counts)
    variance = float(probability @ (counts - centre) ** 2)
    residual = anscombe(np.cbrt(counts), np.asarray(mean), np.asarray(phi))
    larger = np.diff(np.cumsum(probability) ** 2, prepend=0.0)
    together = (residual[:, None] + residual[None, :]) / np.sqrt(2.0)
    weight = _weight(np.maximum(residual[:, None], together)) @ larger
    share = probability * weight / (probability @ weight)
    seen = float(share @ counts)
    spread = float(share @ (counts - seen) ** 2)
    return np.log(seen / centre), np.log((spread / seen) / (variance / centre))


def _atoms(mean: float, phi: float) -> tuple[Floats, Floats]:
    """Counts and their probabilities, wide distributions taken together into bins."""
    size, deviation = mean / (phi - 1), np.sqrt(mean * phi)
    low = max(0, int(mean - 10 * deviation))
    counts = np.arange(low, int(mean + 14 * deviation + 40 * phi), dtype=float)
    log_p = (
        gammaln(counts + size) - gammaln(size) - gammaln(counts + 1)
        - size * np.log(phi) + counts * np.log1p(-1 / phi)
    )  # fmt: skip
    probability = np.exp(log_p)
    if len(counts) > MOST_ATOMS:
        bins: NDArray[np.intp] = np.arange(len(counts)) * MOST_ATOMS // len(counts)
        total = np.maximum(np.bincount(bins, probability), 1e-300)
        counts = np.bincount(bins, np.maximum(probability, 1e-300) * counts) / np.bincount(
            bins, np.maximum(probability, 1e-300)
        )
        probability = total
    return counts, probability / probability.sum()
