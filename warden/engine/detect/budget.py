"""From a number of false alerts a year to the level at which one test alarms, and back.

A rule tests every series every complete week. With n series seen by week w, an alarm at level alpha
costs n * 52 * alpha false alerts a year, so alpha follows from the budget and from the series *seen
by that week*: a level that followed today's number of series would take back alerts that were
raised when there were fewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from warden.engine.detect.results import as_matrix, as_weeks
from warden.engine.detect.tails import Floats

WEEKS_A_YEAR = 365.2425 / 7
DAYS_A_YEAR = 365.2425
LONGEST_RECURRENCE_DAYS = 20 * DAYS_A_YEAR  # nobody can vouch for more: "> 20 years"
LARGEST_ALPHA = 0.1
MOST_CORRECTION = 8.0  # a calibration moves a level at most by this factor
LEAST_ALERTS = 10  # a share is known to a third


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a nominal level really costs on a history.

    Attributes:
        nominal: levels, rising.
        realised: alerts an in-control test at each (neighbouring alarms are one alert).

    """

    nominal: tuple[float, ...] = ()
    realised: tuple[float, ...] = ()

    @classmethod
    def of(cls, levels: Sequence[float], alerts: Sequence[int], tests: int) -> Self:
        """From in-control tests: how many alerts each level (rising) would have raised.

        Levels with fewer than ten alerts are left out, and those above the first that merge so
        that there are no more: beyond the ends the correction stays what it was there.
        """
        kept: list[tuple[float, float]] = []
        for level, count in zip(levels, alerts, strict=True):
            if count >= LEAST_ALERTS and (not kept or count / tests > kept[-1][1]):
                kept.append((float(level), count / tests))
        return cls(tuple(n for n, _ in kept), tuple(r for _, r in kept))

    def nominal_for(self, wanted: Floats) -> Floats:
        """The level at which a test really costs `wanted` alerts."""
        if not self.nominal:
            return np.asarray(wanted)
        correction = np.log(np.asarray(self.nominal)) - np.log(np.asarray(self.realised))
        correction = np.clip(correction, -np.log(MOST_CORRECTION), np.log(MOST_CORRECTION))
        moved = np.interp(np.log(wanted), np.log(np.asarray(self.realised)), correction)
        return np.asarray(wanted * np.exp(moved))


UNCALIBRATED = Calibration()


def series_seen(
    counts: NDArray[np.integer] | Floats, weeks: NDArray[np.integer] | range | list[int]
) -> Floats:
    """How many series had an event by each week (at least 1): the causal number of tests."""
    matrix = as_matrix(counts)
    seen = np.maximum.accumulate(np.nan_to_num(matrix) > 0, axis=1).sum(axis=0)
    return np.asarray(np.maximum(seen[as_weeks(weeks, matrix.shape[1])], 1).astype(float))


def alpha_for_budget(
    false_alerts_per_year: float, seen: Floats, calibration: Calibration = UNCALIBRATED
) -> Floats:
    """The level of each week's tests that costs so many false alerts a year."""
    wanted = np.minimum(false_alerts_per_year / (WEEKS_A_YEAR * seen), LARGEST_ALPHA)
    return np.asarray(np.minimum(calibration.nominal_for(wanted), LARGEST_ALPHA))


def alpha_for_recurrence(recurrence_days: float, calibration: Calibration = UNCALIBRATED) -> float:
    """The level at which one series alarms by chance once in so many days."""
    wanted = np.asarray(min(7 / recurrence_days, LARGEST_ALPHA))
    return min(float(calibration.nominal_for(wanted)), LARGEST_ALPHA)


def drift_run_length(false_alerts_per_year: float, seen: Floats) -> Floats:
    """Weeks between false drift alarms of one series that together cost so many a year."""
    return np.asarray(np.maximum(WEEKS_A_YEAR * seen / false_alerts_per_year, 4.0))


def recurrence_days(p: Floats, seen: Floats) -> Floats:
    """How often so small a p would come up in the whole rule if nothing had changed, in days.

    At most twenty years, and at least a week.
    """
    expected_a_year = np.maximum(np.asarray(p, float), 1e-300) * seen * WEEKS_A_YEAR
    return np.asarray(np.clip(DAYS_A_YEAR / expected_a_year, 7.0, LONGEST_RECURRENCE_DAYS))


def smallest_p(tests: Sequence[Floats]) -> tuple[Floats, NDArray[np.intp]]:
    """(the smallest of several tests' p corrected for their number, which test it was).

    Sidak's 1 - (1 - p)^k: exact for independent tests, too cautious for tests that hang together.
    """
    stack = np.stack([np.asarray(p, float) for p in tests])
    which = stack.argmin(axis=0)
    smallest = np.minimum(np.take_along_axis(stack, which[None], axis=0)[0], 1 - 1e-16)
    return -np.expm1(len(stack) * np.log1p(-smallest)), which.astype(np.intp)
