"""Farrington's quasi-Poisson regression, as improved by Noufaily: the peer that ours must beat.

Farrington et al. 1996 (J R Stat Soc A 159:547) with the changes of Noufaily et al. 2013 (Stat Med
32:1206): a log-linear trend, a factor of seasonal blocks around the tested week of earlier years,
past outbreaks downweighted by their Anscombe residuals, and a negative-binomial plug-in bound, with
the same choices as R's `surveillance::farringtonFlexible(thresholdMethod = "nbPlugin")`. A
comparator in benchmarks and tests, not a rule option.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from warden.engine.detect.results import Weeks, as_matrix, as_weeks
from warden.engine.detect.tails import Bools, Floats, at_least, smallest_below

MAX_ITERATIONS = 25
DEVIANCE_TOLERANCE = 1e-8


@dataclass(frozen=True, slots=True)
class FarringtonSettings:
    """How the reference weeks are chosen and the model is fitted.

    Attributes:
        years: how many years back (b).
        half_window: weeks on either side of the same week of earlier years (w).
        blocks: seasonal blocks a year; 1 uses only the windows.
        left_out: the newest weeks that stay out of the fit.
        trend: whether a log-linear trend is fitted (kept unless it extrapolates above all counts).
        reweight: whether past outbreaks are downweighted.
        weights_threshold: Anscombe residuals above this are downweighted.
        min_cases, min_cases_weeks: no test where fewer cases were seen in the last weeks.
        period: weeks a year.
        alpha: the nominal level.

    """

    years: int = 5
    half_window: int = 3
    blocks: int = 10
    left_out: int = 26
    trend: bool = True
    reweight: bool = True
    weights_threshold: float = 2.58
    min_cases: int = 5
    min_cases_weeks: int = 4
    period: int = 52
    alpha: float = 0.01


@dataclass(frozen=True, slots=True)
class FarringtonResult:
    """One row a series, one column a tested week; NaN where the model could not be fitted.

    Attributes:
        expected: the fitted mean.
        phi: the dispersion, >= 1.
        p: P(X >= observed).
        high: the (1 - alpha) quantile; NaN also where too few cases were seen.
        alarm: the observed count is above `high`.

    """

    expected: Floats
    phi: Floats
    p: Floats
    high: Floats
    alarm: Bools


def farrington(
    counts: NDArray[np.integer] | Floats,
    weeks: NDArray[np.integer] | range | list[int],
    settings: FarringtonSettings = FarringtonSettings(),
    *,
    days: NDArray[np.integer] | None = None,
) -> FarringtonResult:
    """Test weeks of every series.

    Args:
        counts: series x weeks.
        weeks: the columns to test; each needs its reference weeks of `years` years.
        settings: see `FarringtonSettings`.
        days: the weeks' days since 1970-01-01; with them a year back is the same calendar day's
            week, without them it is `period` columns.

    """
    matrix = as_matrix(counts)
    tested = as_weeks(weeks, matrix.shape[1])
    shape = (matrix.shape[0], len(tested))
    expected, phi = np.full(shape, np.nan), np.full(shape, np.nan)
    for column, week in enumerate(tested):
        blocks = _blocks(int(week), settings, days)
        if blocks is not None:
            expected[:, column], phi[:, column] = _fit_week(matrix, int(week), blocks, settings)
    return _verdict(matrix, tested, expected, phi, settings)


def _verdict(
    matrix: Floats, tested: Weeks, expected: Floats, phi: Floats, settings: FarringtonSettings
) -> FarringtonResult:
    """Tails, bounds and alarms of the fitted distributions."""
    observed = matrix[:, tested]
    known = np.isfinite(expected)
    mean, spread = np.where(known, expected, 1.0), np.where(known, phi, 1.0)
    high = smallest_below(lambda q: at_least(q + 1, mean, spread), settings.alpha, mean)
    span = np.arange(settings.min_cases_weeks)
    recent = matrix[:, np.maximum(tested[:, None] - span, 0)].sum(axis=2)
    enough = known & (recent >= settings.min_cases)
    p = np.where(known, at_least(observed, mean, spread), np.nan)
    high = np.where(enough, high, np.nan)
    return FarringtonResult(expected, phi, p, high, np.greater(observed, high) & (observed > 0))


# --- reference weeks --------------------------------------------------------------------------


def _blocks(
    week: int, settings: FarringtonSettings, days: NDArray[np.integer] | None
) -> tuple[Weeks, Weeks] | None:
    """(reference columns, their block numbers); None where the history is too short.

    The windows around the same week of each earlier year are the last block, which the tested week
    belongs to; the weeks between two windows are divided into blocks of nearly equal length, the
    first ones a week longer.
    """
    same = _same_week(week, settings, days)
    w, last = settings.half_window, settings.blocks
    if same is None or same[-1] - w < 0:
        return None
    block = np.zeros(week + 1, dtype=np.intp)
    for newer, older in pairwise(same):
        block[older - w : older + w + 1] = last
        between = np.arange(older + w + 1, newer - w)
        if last > 1 and len(between):
            length, longer = divmod(len(between), last - 1)
            sizes = np.full(last - 1, length)
            sizes[:longer] += 1
            block[between] = np.repeat(np.arange(1, last), sizes)
    block[max(week - settings.left_out, 0) :] = 0
    block[week - w :] = 0 if settings.left_out >= w else block[week - w :]
    columns = np.flatnonzero(block)
    return columns, block[columns]


def _same_week(
    week: int, settings: FarringtonSettings, days: NDArray[np.integer] | None
) -> list[int] | None:
    """The tested week and the same week of each earlier year, newest first."""
    if days is None:
        return [week - year * settings.period for year in range(settings.years + 1)]
    today = np.datetime64(int(days[week]), "D")
    month = today.astype("datetime64[M]")
    day_of_month = int((today - month.astype("datetime64[D]")).astype(int))
    found = []
    for year in range(settings.years + 1):
        start = (month - np.timedelta64(12 * year, "M")).astype("datetime64[D]").astype(int)
        nearest = int(np.round((start + day_of_month - int(days[week])) / 7))
        if week + nearest < 0:
            return None
        found.append(week + nearest)
    return found


# --- the model --------------------------------------------------------------------------------


def _fit_week(
    matrix: Floats, week: int, blocks: tuple[Weeks, Weeks], settings: FarringtonSettings
) -> tuple[Floats, Floats]:
    """(expected, phi) of every series in one week."""
    columns, block = blocks
    y = matrix[:, columns]
    design, now = _design(columns, block, week, trend=settings.trend, last=settings.blocks)
    expected, phi = _fit(y, design, now, settings)
    if settings.trend:
        again = ~(expected <= y.max(axis=1)) if settings.years >= 3 else np.ones(len(y), bool)  # noqa: PLR2004 - a trend needs three years (Noufaily 2013, 3.2)
        if again.any():
            plain, now = _design(columns, block, week, trend=False, last=settings.blocks)
            expected[again], phi[again] = _fit(y[again], plain, now, settings)
    return expected, phi


def _design(
    columns: Weeks, block: Weeks, week: int, *, trend: bool, last: int
) -> tuple[Floats, Floats]:
    """The design matrix of the reference weeks, and its row for the tested week."""
    levels = np.unique(block)
    dummies = (block[:, None] == levels[None, :]).astype(float)
    now = (levels == last).astype(float)
    if trend:
        scale = max(float(np.ptp(columns)), 1.0)
        line = (columns - columns.mean()) / scale
        return np.column_stack([dummies, line]), np.append(now, (week - columns.mean()) / scale)
    return dummies, now


def _fit(
    y: Floats, design: Floats, now: Floats, settings: FarringtonSettings
) -> tuple[Floats, Floats]:
    """Fit, downweight past outbreaks, fit again."""
    ones = np.ones_like(y)
    beta, mu, leverage = _quasi_poisson(y, design, ones)
    phi = _dispersion(y, mu, ones, design.shape[1])
    if settings.reweight:
        weights = _outbreak_weights(y, mu, leverage, phi, settings.weights_threshold)
        beta, mu, _ = _quasi_poisson(y, design, weights)
        phi = _dispersion(y, mu, weights, design.shape[1])
    return np.exp(np.clip(beta @ now, -700, 700)), phi


def _quasi_poisson(y: Floats, design: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Iteratively reweighted least squares, all series at once: (beta, mu, leverage).

    A series has converged when its deviance changes by less than 1e-8 relatively, and is then left
    alone, since a block without cases drifts towards minus infinity for as long as it is iterated.
    """
    mu = y + 0.1
    beta = np.zeros((len(y), design.shape[1]))
    leverage = np.zeros_like(y)
    deviance = np.full(len(y), np.inf)
    open_ = np.ones(len(y), bool)
    pairs = np.einsum("ni,nj->nij", design, design).reshape(len(design), -1)
    for _ in range(MAX_ITERATIONS):
        work = weights[open_] * mu[open_]
        gram = (work @ pairs).reshape(-1, design.shape[1], design.shape[1])
        eta = np.log(mu[open_])
        target = (work * (eta + (y[open_] - mu[open_]) / mu[open_])) @ design
        inverse = _inverse(gram)
        beta[open_] = np.einsum("sij,sj->si", inverse, target)
        leverage[open_] = work * (inverse.reshape(len(work), -1) @ pairs.T)
        mu[open_] = np.exp(np.clip(beta[open_] @ design.T, -500, 500))
        newer = _deviance(y, mu, weights)
        done = np.abs(newer - deviance) < DEVIANCE_TOLERANCE * (np.abs(newer) + 0.1)
        deviance, open_ = newer, open_ & ~done
        if not open_.any():
            break
    return beta, mu, leverage


def _inverse(gram: Floats) -> Floats:
    """Inverses after scaling the diagonals to one: blocks without cases differ by many decades."""
    scale = 1 / np.sqrt(np.maximum(np.diagonal(gram, axis1=1, axis2=2), 1e-280))
    outer = scale[:, :, None] * scale[:, None, :]
    unit = gram * outer + 1e-14 * np.eye(gram.shape[1])
    return np.asarray(np.linalg.inv(unit) * outer)


def _deviance(y: Floats, mu: Floats, weights: Floats) -> Floats:
    """The Poisson deviance of each series."""
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio = np.where(y > 0, y * np.log(y / mu), 0.0)
    return np.asarray(2 * (weights * (log_ratio - (y - mu))).sum(axis=1))


def _dispersion(y: Floats, mu: Floats, weights: Floats, parameters: int) -> Floats:
    """Pearson's dispersion, at least 1."""
    chi2 = (weights * (y - mu) ** 2 / mu).sum(axis=1)
    return np.asarray(np.maximum(chi2 / max(y.shape[1] - parameters, 1), 1.0))


def _outbreak_weights(
    y: Floats, mu: Floats, leverage: Floats, phi: Floats, threshold: float
) -> Floats:
    """Weights falling with the squared Anscombe residual above `threshold`, of mean one."""
    raw = 1.5 * (y ** (2 / 3) * mu ** (-1 / 6) - mu**0.5)
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = raw / np.sqrt(phi[:, None] * (1 - leverage))
        plain = np.where(residual > threshold, residual**-2.0, 1.0)
    return np.asarray(plain * (y.shape[1] / plain.sum(axis=1, keepdims=True)))
