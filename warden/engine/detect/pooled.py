"""The baseline of short histories: a Gamma-Poisson law whose prior comes from the peer series.

Below two years a series says too little for a regression. Its rate is then taken to be drawn from a
gamma law fitted, by moments, to the rates of all series of the rule up to the same week, and its
dispersion from all of them together: a series without a past is expected to behave like its peers,
and one with a year of its own mostly like itself (Riebler 2004, with a pooled prior).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from warden.engine.detect.nb_glm import (
    DEFAULT,
    NbGlmSettings,
    informative_share,
    nb_glm,
    passes_guards,
    window_sums,
)
from warden.engine.detect.results import Predictive, Tails, as_matrix, as_weeks
from warden.engine.detect.tails import Bools, Floats

LEAST_WEEKS = 8  # below this nothing is tested
LEAST_SHAPE, LARGEST_SHAPE = 0.1, 100.0  # of the gamma prior: from wild peers to equal ones
HALF = 0.5  # an event in the whole past is expected where no series has had any
POOLED_FREEDOM = 20.0  # at most so sure of a dispersion that is another series' as well


def pooled_gamma_poisson(
    counts: NDArray[np.integer] | Floats,
    weeks: NDArray[np.integer] | range | list[int],
    settings: NbGlmSettings = DEFAULT,
) -> Tails:
    """Test weeks of every series against its own and its peers' past; see `nb_glm` for arguments.

    Columns with fewer than eight known weeks before the gap have p = 1.
    """
    matrix = as_matrix(counts)
    tested = as_weeks(weeks, matrix.shape[1])
    observed = window_sums(matrix, settings.window)[:, tested]
    shape = observed.shape
    law = [np.full(shape, np.nan), np.ones(shape), np.zeros(shape), np.ones(shape)]
    usual = np.zeros(shape)
    for column, week in enumerate(tested):
        end = int(week) - settings.left_out - settings.window + 1
        past = matrix[:, max(end - settings.weeks, 0) : max(end, 0)]
        if past.shape[1] >= LEAST_WEEKS:
            for values, found in zip(law, _learn(past, settings), strict=True):
                values[:, column] = found
            usual[:, column] = np.nan_to_num(np.nanmean(past, axis=1)) * settings.window
    wanted = np.isfinite(law[0]) & np.isfinite(observed)
    wanted &= passes_guards(observed, usual, settings)
    predictive = Predictive(np.where(wanted, law[0], np.nan), *law[1:])
    p = predictive.tail(np.nan_to_num(observed))
    with np.errstate(invalid="ignore"):
        p[~(observed >= settings.min_ratio * predictive.mean)] = 1.0
    return Tails(observed, predictive, p)


def default_baseline(
    counts: NDArray[np.integer] | Floats,
    weeks: NDArray[np.integer] | range | list[int],
    settings: NbGlmSettings = DEFAULT,
) -> Tails:
    """`nb_glm` where a test has two years of history, the pooled law where it has not."""
    matrix = as_matrix(counts)
    tested = as_weeks(weeks, matrix.shape[1])
    own = nb_glm(matrix, tested, settings)
    known = np.isfinite(matrix).cumsum(axis=1)
    ends = np.maximum(tested - settings.left_out - settings.window, 0)
    short = known[:, ends] < settings.least_weeks
    early = np.flatnonzero(short.any(axis=0))
    if not len(early):
        return own
    peers = pooled_gamma_poisson(matrix, tested[early], settings)
    use = np.zeros_like(short)
    use[:, early] = short[:, early]
    taken = use[:, early]
    return Tails(
        own.observed,
        Predictive(
            *(
                _replaced(getattr(own.law, name), getattr(peers.law, name), use, taken)
                for name in ("mean", "phi", "vague", "freedom")
            )
        ),
        _replaced(own.p, peers.p, use, taken),
    )


def _replaced(values: Floats, others: Floats, use: Bools, taken: Bools) -> Floats:
    result = values.copy()
    result[use] = others[taken]
    return result


def _learn(past: Floats, settings: NbGlmSettings) -> tuple[Floats, Floats, Floats, Floats]:
    """(mean, phi, vague, freedom) of the next window, from series x weeks of counts."""
    known = np.isfinite(past)
    weeks = known.sum(axis=1).astype(float)
    total = np.where(known, past, 0.0).sum(axis=1)
    phi, freedom = _pooled_dispersion(past, total, weeks, settings)
    seen = total > 0  # series that will appear later must not speak yet
    shape, exposure = (
        _prior(total[seen], weeks[seen], phi) if seen.any() else (HALF, float(weeks.max()))
    )
    # A count of dispersion phi tells as much about its rate as a Poisson count phi times smaller.
    rate = (shape + total / phi) / (exposure + weeks / phi)
    mean = rate * settings.window
    vague = settings.window / (exposure + weeks / phi)
    every = np.ones_like(mean)
    return mean, phi * every, vague, freedom * every


def _pooled_dispersion(
    past: Floats, total: Floats, weeks: Floats, settings: NbGlmSettings
) -> tuple[float, float]:
    """(phi, freedom): Pearson's over all series with events, shrunken towards the prior."""
    active = total > 0
    prior, strength = settings.prior_phi, settings.prior_freedom
    if not active.any():
        return prior, strength
    mean = total[active] / weeks[active]
    squares = np.nansum((past[active] - mean[:, None]) ** 2, axis=1) / mean
    told = (weeks[active] - 1) * informative_share(mean, np.full_like(mean, prior))
    raw = float((told * squares / np.maximum(weeks[active] - 1, 1)).sum() / max(told.sum(), 1e-9))
    freedom = float(told.sum())
    phi = (freedom * raw + strength * prior) / (freedom + strength)
    return max(phi, 1.0), min(freedom + strength, POOLED_FREEDOM)


def _prior(total: Floats, weeks: Floats, phi: float) -> tuple[float, float]:
    """(shape, weeks) of the gamma law of rates: the moments of the peers' rates."""
    exposure = max(float(weeks.mean()), 1.0)
    rates = total / np.maximum(weeks, 1.0)
    mean = float(rates.mean())
    chance = phi * mean / exposure
    between = max(float(rates.var(ddof=1)) - chance, 0.0) if len(rates) > 1 else mean**2 / 0.5
    shape = float(np.clip(mean**2 / max(between, 1e-12), LEAST_SHAPE, LARGEST_SHAPE))
    return shape, shape / mean
