"""EARS C1, C2 and C3: a count against the few weeks before it (Hutwagner et al. 2003).

For comparison and for small jobs: on sparse counts these raise many times their nominal level.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.special import ndtri

from warden.engine.detect.results import Bounds, as_matrix, as_weeks
from warden.engine.detect.tails import Floats

Method = Literal["C1", "C2", "C3"]
GUARD_WEEKS = 2  # C2 and C3 leave these out between the baseline and the tested week
DEFAULT_ALPHA: dict[Method, float] = {"C1": 0.001, "C2": 0.001, "C3": 0.025}


def ears(
    counts: NDArray[np.integer] | Floats,
    weeks: NDArray[np.integer] | range | list[int],
    *,
    method: Method = "C1",
    baseline: int = 7,
    min_sigma: float = 0.0,
    alpha: float | None = None,
) -> Bounds:
    """Test weeks against mean + z * max(sd, min_sigma) of the `baseline` weeks before.

    C3 follows R's `surveillance::earsC`: an alarm when the C2 excesses over one standard deviation
    of the two weeks *before* sum to more than z (its bound contains the tested count itself).
    Weeks with too little history have NaN bounds and no alarm.
    """
    matrix = as_matrix(counts)
    tested = as_weeks(weeks, matrix.shape[1])
    z = -float(ndtri(DEFAULT_ALPHA[method] if alpha is None else alpha))
    mean, spread = _moments(matrix, baseline, 0 if method == "C1" else GUARD_WEEKS)
    spread = np.maximum(spread, min_sigma)
    high = mean + z * spread
    if method == "C3":
        with np.errstate(invalid="ignore"):  # after weeks without spread the bound is unknown
            bound = matrix + spread * (z - _earlier_excess(matrix, mean, spread))
        high = np.maximum(0.0, bound)
        high[:, : baseline + 2 * GUARD_WEEKS] = np.nan
    with np.errstate(invalid="ignore"):
        alarm = matrix > high
    return Bounds(mean[:, tested], high[:, tested], alarm[:, tested])


def _moments(matrix: Floats, baseline: int, guard: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the `baseline` weeks that end `guard` weeks before each."""
    mean, spread = np.full_like(matrix, np.nan), np.full_like(matrix, np.nan)
    first = baseline + guard
    if matrix.shape[1] > first:
        windows = sliding_window_view(matrix, baseline, axis=1)[:, : matrix.shape[1] - first]
        mean[:, first:] = windows.mean(axis=2)
        spread[:, first:] = windows.std(axis=2, ddof=1)
    return mean, spread


def _earlier_excess(matrix: Floats, mean: Floats, spread: Floats) -> Floats:
    """The sum over the two weeks before of max(0, C2 - 1)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = np.maximum(0.0, (matrix - mean) / spread - 1)
    total = np.full_like(matrix, np.nan)
    total[:, GUARD_WEEKS:] = excess[:, 1:-1] + excess[:, :-2]
    return total
