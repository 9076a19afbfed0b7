"""The Gamma-Poisson predictive bound, with a prior pooled over peer series.

With k counts of sum S and Jeffreys' prior, the next count is negative-binomial of size S + 1/2 and
probability k / (k + 1) (Riebler 2004; R's `surveillance::bayes`). warden uses it for histories
below two years, where a regression knows too little: there the prior is fitted to all series of the
rule, so that a series without a past is expected to behave like its peers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from warden.engine.detect.results import Bounds, as_matrix, as_weeks
from warden.engine.detect.tails import Floats, predictive_at_least, smallest_below

JEFFREYS_SHAPE = 0.5


def gamma_poisson(
    counts: NDArray[np.integer] | Floats,
    weeks: NDArray[np.integer] | range | list[int],
    *,
    recent: int = 6,
    years: int = 0,
    use_recent: bool = True,
    around: int | None = None,
    period: int = 52,
    alpha: float = 0.05,
) -> Bounds:
    """Test weeks against Jeffreys' predictive bound from comparable weeks.

    Args:
        counts: series x weeks.
        weeks: the columns to test.
        recent: how many weeks before the tested one count, where `use_recent`.
        years: how many earlier years count, each with the same week and `around` on either side.
        use_recent: whether this year's weeks count.
        around: weeks on either side in earlier years; `recent` if None.
        period: weeks a year.
        alpha: the nominal level: an alarm needs P(X > bound) <= alpha.

    """
    matrix = as_matrix(counts)
    tested = as_weeks(weeks, matrix.shape[1])
    offsets = _offsets(
        recent if use_recent else 0, years, recent if around is None else around, period
    )
    columns = tested[:, None] + offsets[None, :]
    enough = (columns >= 0).all(axis=1)
    total = matrix[:, np.maximum(columns, 0)].sum(axis=2)
    shape, size = total + JEFFREYS_SHAPE, float(len(offsets))
    expected = shape / size
    high = smallest_below(lambda q: predictive_at_least(q + 1, shape, size), alpha, expected)
    high, expected = (np.where(enough, column, np.nan) for column in (high, expected))
    return Bounds(expected, high, np.greater(matrix[:, tested], high))


def _offsets(recent: int, years: int, around: int, period: int) -> NDArray[np.intp]:
    """Columns of the comparable weeks, relative to the tested one."""
    parts = [np.arange(-recent, 0)]
    parts += [np.arange(-around, around + 1) - year * period for year in range(1, years + 1)]
    return np.concatenate(parts).astype(np.intp)
