"""Drift: a cumulative sum that finds a sustained rise too small for any single week.

For every series the log likelihood ratio of a rate `times` the usual against the usual is summed,
never below zero (Page 1954; for counts Hoehle and Paul 2008, Comput Stat Data Anal 52:4357):

    S_t = max(0, S_{t-1} + log f(x_t; times * mu_t, phi) / f(x_t; mu_t, phi)),

negative-binomial with mean mu_t and variance phi mu_t, both estimated from the past alone. An alarm
where S_t reaches a threshold chosen so that an unchanged series raises one false alarm in a wanted
number of weeks. The threshold comes from the run length of the sum as a Markov chain (Brook and
Evans 1972), tabulated once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from warden.engine.detect.nb_glm import informative_share
from warden.engine.detect.results import as_matrix
from warden.engine.detect.tails import Bools, Floats

LOG_MEANS = np.linspace(np.log(0.01), np.log(60.0), 14)
PHIS = np.array([1.0001, 1.3, 1.7, 2.5, 4.0, 8.0])
THRESHOLDS = np.linspace(0.4, 12.0, 16)
STATES = 60  # of the sum below its threshold
HEADROOM = 1.25  # the sum is held below this multiple of the threshold, so that it can end
WEEKS_A_YEAR = 365.2425 / 7
FEW_SERIES = 30


@dataclass(frozen=True, slots=True)
class DriftSettings:
    """What rise is looked for, and at which cost.

    Attributes:
        times: the multiple of the usual rate.
        weeks_per_false_alarm: expected weeks between false alarms of one unchanged series.
        weeks: the longest baseline.
        left_out: newest weeks that stay out of it.
        least_weeks: nothing is summed before a series has so many baseline weeks.
        prior_phi, prior_freedom: what the dispersion is shrunken towards, and how strongly.
        caution: how many standard errors the estimated usual rate is raised by, since a rate
            estimated too low drifts by itself.

    """

    times: float = 2.0
    weeks_per_false_alarm: float = 5 * WEEKS_A_YEAR
    weeks: int = 260
    left_out: int = 8
    least_weeks: int = 52
    prior_phi: float = 1.2
    prior_freedom: float = 4.5
    caution: float = 1.0


@dataclass(frozen=True, slots=True)
class Drift:
    """The sums of every series and week.

    Attributes:
        statistic: the sum over its threshold: an alarm where it reaches 1; 0 where not summed.
        alarm: where it does.
        since: the column at which the present excursion from zero began (the likeliest start of
            the rise); the week itself where the sum is zero.
        expected: the usual rate of each week; NaN where not summed.
        phi: its dispersion.

    """

    statistic: Floats
    alarm: Bools
    since: NDArray[np.intp]
    expected: Floats
    phi: Floats


DEFAULT_DRIFT = DriftSettings()


def drift(
    counts: NDArray[np.integer] | Floats,
    settings: DriftSettings = DEFAULT_DRIFT,
    *,
    expected: Floats | None = None,
    phi: Floats | None = None,
    run_length: Floats | None = None,
) -> Drift:
    """Sum over all weeks of every series.

    Args:
        counts: series x weeks; NaN (a week not known) adds nothing.
        settings: see `DriftSettings`.
        expected, phi: the in-control law of each week where it is known better than by the mean
            and variance of the past weeks (such as from `nb_glm`, for series with seasons).
        run_length: one `weeks_per_false_alarm` a week, where a budget is shared by a number of
            series that grows.

    """
    matrix = as_matrix(counts)
    if expected is None or phi is None:
        expected, phi = trailing_law(matrix, settings)
    usable = np.isfinite(matrix) & np.isfinite(expected)
    mean = np.where(usable, expected, 1.0)
    spread = np.where(usable, phi, 1.0)
    steps = np.where(usable, _log_ratio(np.where(usable, matrix, 0.0), mean, spread, settings), 0.0)
    steps /= _limits(mean, spread, settings, run_length)
    statistic, since = _sum(steps)
    return Drift(statistic, statistic >= 1, since, np.where(usable, expected, np.nan), spread)


def trailing_law(matrix: Floats, settings: DriftSettings) -> tuple[Floats, Floats]:
    """(usual rate, dispersion) of each week from the weeks before; NaN with too short a past."""
    known = np.isfinite(matrix)
    values = np.where(known, matrix, 0.0)
    weeks = _trailing(known.astype(float), settings)
    total, squares = _trailing(values, settings), _trailing(values**2, settings)
    count = np.maximum(weeks, 1.0)
    mean = (total + 0.5) / (count + 1)
    raw = np.maximum(squares - total**2 / count, 0.0) / np.maximum(count - 1, 1) / mean
    phi = np.full_like(mean, settings.prior_phi)
    for _ in range(3):
        told = count * informative_share(mean, phi)
        strength = settings.prior_freedom
        phi = np.maximum((told * raw + strength * settings.prior_phi) / (told + strength), 1.0)
    careful = mean * np.exp(settings.caution * np.sqrt(phi / np.maximum(mean * count, 1.0)))
    return np.where(weeks >= settings.least_weeks, careful, np.nan), phi


def threshold(mean: Floats, phi: Floats, times: float, weeks_per_false_alarm: float) -> Floats:
    """The sum at which an unchanged series of this law alarms once in so many weeks."""
    table = _thresholds(times, round(float(np.log(weeks_per_false_alarm)), 6))
    row = (np.log(np.maximum(mean, 1e-9)) - LOG_MEANS[0]) / (LOG_MEANS[1] - LOG_MEANS[0])
    column = np.interp(np.log(phi), np.log(PHIS), np.arange(len(PHIS)))
    row = np.clip(row, 0, len(LOG_MEANS) - 1)
    i = np.minimum(row.astype(np.intp), len(LOG_MEANS) - 2)
    j = np.minimum(column.astype(np.intp), len(PHIS) - 2)
    f, g = row - i, column - j
    near = (1 - g) * table[i, j] + g * table[i, j + 1]
    far = (1 - g) * table[i + 1, j] + g * table[i + 1, j + 1]
    return np.asarray((1 - f) * near + f * far)


def _limits(
    mean: Floats, phi: Floats, settings: DriftSettings, run_length: Floats | None
) -> Floats:
    """The threshold of each series and week; run lengths are taken in steps of 5 %."""
    if run_length is None:
        return threshold(mean, phi, settings.times, settings.weeks_per_false_alarm)
    coarse = np.exp(np.round(np.log(run_length) * 20) / 20)
    limits = np.empty_like(mean)
    for length in np.unique(coarse):
        weeks = coarse == length
        limits[:, weeks] = threshold(mean[:, weeks], phi[:, weeks], settings.times, float(length))
    return limits


def _trailing(values: Floats, settings: DriftSettings) -> Floats:
    """Sums over up to `weeks` columns that end `left_out` + 1 columns before each."""
    length = values.shape[1]
    total = np.hstack([np.zeros((len(values), 1)), np.cumsum(values, axis=1)])
    end = np.maximum(np.arange(length) - settings.left_out, 0)
    return np.asarray(total[:, end] - total[:, np.maximum(end - settings.weeks, 0)])


def _log_ratio(x: Floats, mean: Floats, phi: Floats, settings: DriftSettings) -> Floats:
    """Log likelihood of the risen rate over the usual, both of dispersion phi."""
    over = np.maximum(phi - 1, 1e-6)
    size, risen = mean / over, settings.times * mean / over
    ratio = gammaln(x + risen) - gammaln(risen) - gammaln(x + size) + gammaln(size)
    return np.asarray(ratio - (risen - size) * np.log1p(over))


def _sum(steps: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """(sums never below zero, the column where each excursion began)."""
    if len(steps) <= FEW_SERIES:
        return _sum_few(steps)
    sums = np.zeros_like(steps)
    since = np.zeros(steps.shape, dtype=np.intp)
    current = np.zeros(len(steps))
    began = np.zeros(len(steps), dtype=np.intp)
    for week in range(steps.shape[1]):
        began = np.where(current > 0, began, week)
        current = np.clip(current + steps[:, week], 0.0, HEADROOM)
        sums[:, week], since[:, week] = current, np.where(current > 0, began, week)
    return sums, since


def _sum_few(steps: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """The same for few series, where a plain loop is faster than a step of NumPy a week."""
    sums = np.zeros_like(steps)
    since = np.zeros(steps.shape, dtype=np.intp)
    for row, values in enumerate(steps.tolist()):
        current, began = 0.0, 0
        line: list[float] = []
        starts: list[int] = []
        for week, step in enumerate(values):
            if current <= 0:
                began = week
            current = min(max(current + step, 0.0), HEADROOM)
            line.append(current)
            starts.append(began if current > 0 else week)
        sums[row], since[row] = line, starts
    return sums, since


# --- thresholds -------------------------------------------------------------------------------


@cache
def _thresholds(times: float, log_run: float) -> Floats:
    """Thresholds on the grid of means and dispersions for a run length."""
    runs = _log_run_lengths(times)
    table = np.empty(runs.shape[:2])
    for index in np.ndindex(table.shape):
        line = np.maximum.accumulate(runs[index])
        slope = (line[-1] - line[-4]) / (THRESHOLDS[-1] - THRESHOLDS[-4])
        beyond = THRESHOLDS[-1] + (log_run - line[-1]) / max(slope, 0.3)
        table[index] = np.interp(log_run, line, THRESHOLDS) if log_run <= line[-1] else beyond
    return table


@cache
def _log_run_lengths(times: float) -> Floats:
    """Log in-control run length for each mean, dispersion and threshold; once a process."""
    found = np.empty((len(LOG_MEANS), len(PHIS), len(THRESHOLDS)))
    for i, mean in enumerate(np.exp(LOG_MEANS)):
        for j, phi in enumerate(PHIS):
            x = np.arange(int(mean + 12 * np.sqrt(mean * phi) + 25 * phi) + 2, dtype=float)
            size = mean / (phi - 1)
            log_p = gammaln(x + size) - gammaln(size) - gammaln(x + 1)
            p = np.exp(log_p - size * np.log(phi) + x * np.log1p(-1 / phi))
            settings = DriftSettings(times=times)
            steps = _log_ratio(x, np.asarray(mean), np.asarray(phi), settings)
            found[i, j] = [np.log(_run_length(p / p.sum(), steps, h)) for h in THRESHOLDS]
    return found


def _run_length(p: Floats, steps: Floats, limit: float) -> float:
    """Expected weeks from zero until the sum reaches `limit` (Brook and Evans 1972)."""
    width = limit / STATES
    centres = np.concatenate([[0.0], (np.arange(STATES) + 0.5) * width])
    after = centres[:, None] + steps[None, :]
    target = np.where(after <= 0, 0, np.minimum(np.floor(after / width) + 1, STATES + 1))
    target = np.where(after >= limit, STATES + 1, target).astype(np.intp)
    flat = (np.arange(STATES + 1)[:, None] * (STATES + 2) + target).ravel()
    moves = np.bincount(flat, np.tile(p, STATES + 1), (STATES + 1) * (STATES + 2))
    stay = moves.reshape(STATES + 1, STATES + 2)[:, : STATES + 1]
    runs = np.linalg.solve(np.eye(STATES + 1) - stay, np.ones(STATES + 1))
    return float(np.clip(runs[0], 1.0, 1e12))
