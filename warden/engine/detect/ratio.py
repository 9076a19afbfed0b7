"""Methods that compare a count with a multiple of recent means and know no probability.

`ratio` is ElastAlert's spike, mended: it says what happens when the past is zero. The two trackers
are those of ACLED's early-warning page. All are simple to explain and raise many false alarms on
sparse counts; docs/detection.md shows how many.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from warden.engine.detect.nb_glm import window_sums
from warden.engine.detect.results import Bounds, as_matrix, as_weeks
from warden.engine.detect.tails import Floats

MONTH, YEAR = 4, 52
TRACKER_RATIO = 2.0
TRACKER_LEAST_MEAN = 1.0


def ratio(
    counts: NDArray[np.integer] | Floats,
    weeks: NDArray[np.integer] | range | list[int],
    *,
    times: float = 2.0,
    window: int = 1,
    windows: int = 4,
    on_zero: Literal["fire", "never"] = "never",
    min_count: float = 3.0,
) -> Bounds:
    """Alarm where a window's sum is at least `times` the mean of the `windows` windows before it.

    Args:
        counts: series x weeks.
        weeks: the columns to test, each the last week of a window.
        times: the multiple.
        window: weeks a window.
        windows: how many windows before make the mean.
        on_zero: what a sum after windows without any event does.
        min_count: smaller sums never alarm.

    """
    matrix = as_matrix(counts)
    tested = as_weeks(weeks, matrix.shape[1])
    sums = window_sums(matrix, window)
    expected = _before(window_sums(matrix, window * windows), window)[:, tested] / windows
    observed = sums[:, tested]
    bound = np.where((expected == 0) & (on_zero == "never"), np.inf, times * expected)
    alarm = (observed >= np.maximum(bound, min_count)) & (observed > 0)
    return Bounds(expected, np.where(np.isnan(expected), np.nan, bound), alarm)


def acled_surge(
    counts: NDArray[np.integer] | Floats, weeks: NDArray[np.integer] | range | list[int]
) -> Bounds:
    """The week has at least twice the weekly mean of the four weeks before, which is at least 1."""
    matrix = as_matrix(counts)
    tested = as_weeks(weeks, matrix.shape[1])
    month = _before(window_sums(matrix, MONTH), 1)[:, tested] / MONTH
    return _tracker(matrix[:, tested], month, month)


def acled_threat(
    counts: NDArray[np.integer] | Floats, weeks: NDArray[np.integer] | range | list[int]
) -> Bounds:
    """The last four weeks have at least twice the four-weekly mean of the year before them."""
    matrix = as_matrix(counts)
    tested = as_weeks(weeks, matrix.shape[1])
    month = window_sums(matrix, MONTH)[:, tested]
    year = _before(window_sums(matrix, YEAR), MONTH)[:, tested] * (MONTH / YEAR)
    return _tracker(month, year, month / MONTH)


def _tracker(observed: Floats, expected: Floats, weekly: Floats) -> Bounds:
    """Twice the expected, where the four-week mean is at least one a week."""
    with np.errstate(invalid="ignore"):
        alarm = (observed >= TRACKER_RATIO * expected) & (weekly >= TRACKER_LEAST_MEAN)
    return Bounds(expected, TRACKER_RATIO * expected, alarm & np.isfinite(expected))


def _before(sums: Floats, weeks: int) -> Floats:
    """The same sums as they stood `weeks` earlier; NaN in the first weeks."""
    shifted = np.full_like(sums, np.nan)
    shifted[:, weeks:] = sums[:, : sums.shape[1] - weeks]
    return shifted
