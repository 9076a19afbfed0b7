"""A spike: several measures over several windows, each tested, the smallest p corrected.

Standing in the flow: the `spike` kind calls `spike` with the matrices of its measures and compares
p with the level of its budget. Sums of deaths alone find little, since one massacre is a year's
sum; counts of events, of deadly events, and deaths capped an event are tested side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from warden.engine.detect.budget import smallest_p
from warden.engine.detect.nb_glm import DEFAULT, NbGlmSettings, nb_glm
from warden.engine.detect.pooled import default_baseline, pooled_gamma_poisson
from warden.engine.detect.results import Predictive, Tails, as_matrix
from warden.engine.detect.tails import Floats

Baseline = Literal["nb_glm", "gamma_poisson"]


@dataclass(frozen=True, slots=True)
class SpikeSettings:
    """What is tested, and when a count is too small to be worth it.

    Attributes:
        windows: weeks a window, each tested.
        baseline: `nb_glm` (with the pooled law below two years), or the pooled law throughout.
        min_count, min_ratio: guards, applied before fitting; for deaths they apply alike.
        fit: the other settings of the baseline.

    """

    windows: tuple[int, ...] = (1, 4, 13)
    baseline: Baseline = "nb_glm"
    min_count: float = 3.0
    min_ratio: float = 1.5
    fit: NbGlmSettings = DEFAULT


@dataclass(frozen=True, slots=True)
class Spike:
    """One row a series, one column a tested week.

    Attributes:
        p: the smallest p of all tests, corrected for their number.
        measure: which measure it was (index into `measures`).
        window: how many weeks its window has.
        observed: that test's count.
        law: what was to be expected of it (`law.mean`; `law.high`, `law.low` give bounds).
        measures: the names of the measures, in the order of the index.
        tests: how many tests p is corrected for.

    """

    p: Floats
    measure: NDArray[np.intp]
    window: NDArray[np.intp]
    observed: Floats
    law: Predictive
    measures: tuple[str, ...]
    tests: int

    def uncorrected(self, alpha: Floats | float) -> Floats:
        """The level of a single test that belongs to `alpha` of the corrected p, for bounds."""
        return np.asarray(-np.expm1(np.log1p(-np.asarray(alpha, float)) / self.tests))


def spike(
    measures: Mapping[str, NDArray[np.integer] | Floats],
    weeks: NDArray[np.integer] | range | list[int],
    settings: SpikeSettings | None = None,
) -> Spike:
    """Test weeks of every series in every measure (series x weeks each, alike) and window."""
    settings = SpikeSettings() if settings is None else settings
    names = tuple(measures)
    by_window = {window: _tests(measures, weeks, window, settings) for window in settings.windows}
    pairs = list(product(range(len(names)), settings.windows))
    tests = [by_window[window][m] for m, window in pairs]
    p, which = smallest_p([test.p for test in tests])
    return Spike(
        p,
        np.array([m for m, _ in pairs], dtype=np.intp)[which],
        np.array([window for _, window in pairs], dtype=np.intp)[which],
        _chosen([test.observed for test in tests], which),
        Predictive(
            *(
                _chosen([getattr(test.law, name) for test in tests], which)
                for name in ("mean", "phi", "vague", "freedom")
            )
        ),
        names,
        len(pairs),
    )


def _tests(
    measures: Mapping[str, NDArray[np.integer] | Floats],
    weeks: NDArray[np.integer] | range | list[int],
    window: int,
    settings: SpikeSettings,
) -> list[Tails]:
    """The tests of one window, a measure each; fits are made for all measures at once."""
    fit = replace(
        settings.fit, window=window, min_count=settings.min_count, min_ratio=settings.min_ratio
    )
    if settings.baseline == "gamma_poisson":
        return [pooled_gamma_poisson(counts, weeks, fit) for counts in measures.values()]
    stacked = np.vstack([as_matrix(counts) for counts in measures.values()])
    history = np.asarray(weeks).min() - fit.left_out - window if np.size(weeks) else 0
    if history < fit.least_weeks or np.isnan(stacked).any():
        return [default_baseline(counts, weeks, fit) for counts in measures.values()]
    together = nb_glm(stacked, weeks, fit)
    rows = len(stacked) // len(measures)
    return [_rows(together, slice(m * rows, (m + 1) * rows)) for m in range(len(measures))]


def _rows(tails: Tails, rows: slice) -> Tails:
    law = tails.law
    return Tails(
        tails.observed[rows],
        Predictive(law.mean[rows], law.phi[rows], law.vague[rows], law.freedom[rows]),
        tails.p[rows],
    )


def _chosen(columns: list[Floats], which: NDArray[np.intp]) -> Floats:
    return np.asarray(np.take_along_axis(np.stack(columns), which[None], axis=0)[0])
