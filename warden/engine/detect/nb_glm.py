"""warden's own baseline: a negative-binomial log-linear fit of up to five years, by default.

For every series and tested week, over up to 260 weeks that end 8 weeks before:

* log mean = level + trend + one yearly harmonic; trend and harmonic are shrunken towards zero by
  normal priors, the level by half an event, so that a silent series keeps a small positive mean;
* weeks that look like past outbreaks count less, and what that takes from ordinary tails is put
  back (see `robust`);
* the dispersion (variance over mean) is Pearson's, shrunken towards 1.2, with as many degrees of
  freedom as the counts can tell: var((y - mu)^2 / mu) of a negative-binomial count is
  2 phi^2 + phi (6 phi^2 - 6 phi + 1) / mu, so that sparse series say little about it;
* the tail is that of a negative-binomial count, widened by the variance of the fitted mean and
  averaged over the uncertain dispersion; mid-p, so that it is not conservative on small counts.

The columns of the design depend only on how long ago a week was, so all series and weeks share one
design matrix and every step of the iteration is a few products of matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from warden.engine.detect.results import Predictive, Tails, Weeks, as_matrix, as_weeks
from warden.engine.detect.robust import anscombe, lost_to_weights, outbreak_weights
from warden.engine.detect.tails import Bools, Floats

WEEKS_A_YEAR = 365.2425 / 7
ROWS_AT_ONCE = 128  # so many fits share the processor's cache
ROUNDS = 2  # of weighting and fitting again, after the first fit
FIRST_STEPS, LATER_STEPS = 4, 2
LARGEST_STEP = 2.0
LOWEST_LOG_MEAN, HIGHEST_LOG_MEAN = -8.0, 20.0
LARGEST_VARIANCE = 4.0  # of a fitted log mean: more is not knowing
MEAN_PARAMETERS = 3.0  # that a shrunken fit uses up
MOST_OF_A_PIECE = 6.0  # squared deviations that one piece of the baseline adds to a window's phi
# How sure to be of a dispersion: set on the 28 scenarios, so that levels hold down to 4e-5.
CAUTIOUS_PHI = 2.5  # what sparse counts tell about it is judged at least at this value
SURENESS = 1.25  # times the degrees of freedom that Pearson's statistic alone would have


@dataclass(frozen=True, slots=True)
class NbGlmSettings:
    """How the baseline is fitted.

    Attributes:
        weeks: the longest baseline.
        left_out: whole weeks between the baseline and the tested window.
        window: a test is of the sum of so many weeks, the tested one the last.
        least_weeks: no fit with a shorter history (see `pooled`).
        trend_sd: prior standard deviation of the log trend a year.
        season_sd: that of each harmonic coefficient.
        period: weeks a year.
        prior_phi, prior_freedom: what the dispersion is shrunken towards, and how strongly.
        min_count, min_ratio: guards: smaller counts, or counts below this multiple of the plain
            mean of the baseline, are not tested at all.

    """

    weeks: int = 260
    left_out: int = 7
    window: int = 1
    least_weeks: int = 104
    trend_sd: float = 0.3
    season_sd: float = 0.4
    period: float = WEEKS_A_YEAR
    prior_phi: float = 1.2
    prior_freedom: float = 1.5
    min_count: float = 0.0
    min_ratio: float = 0.0


DEFAULT = NbGlmSettings()


def nb_glm(
    counts: NDArray[np.integer] | Floats,
    weeks: NDArray[np.integer] | range | list[int],
    settings: NbGlmSettings = DEFAULT,
) -> Tails:
    """Test weeks of every series; columns with less than `least_weeks` of history have p = 1.

    Args:
        counts: series x weeks; NaN is a week that is not known.
        weeks: the columns to test.
        settings: see `NbGlmSettings`.

    """
    matrix = as_matrix(counts)
    tested = as_weeks(weeks, matrix.shape[1])
    reference = _Reference.of(matrix, tested, settings)
    observed = window_sums(matrix, settings.window)[:, tested]
    wanted = np.isfinite(observed) & (reference.known >= settings.least_weeks)
    wanted &= passes_guards(observed, reference.mean * settings.window, settings)
    rows, columns = np.nonzero(wanted)
    shape = observed.shape
    law = [np.full(shape, np.nan), np.ones(shape), np.zeros(shape), np.ones(shape)]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        y, known = reference.window(rows[part], columns[part])
        for column, values in zip(law, _fit(y, known, settings), strict=True):
            column[rows[part], columns[part]] = values
    return _tested(observed, Predictive(*law), wanted, settings)


def passes_guards(observed: Floats, usual: Floats, settings: NbGlmSettings) -> Bools:
    """Whether counts are large enough, alone and against the usual, to be worth a test."""
    return np.asarray((observed >= settings.min_count) & (observed >= settings.min_ratio * usual))


def window_sums(matrix: Floats, window: int) -> Floats:
    """Sums of `window` weeks that end with each week; NaN in the first weeks."""
    sums = np.full_like(matrix, np.nan)
    if matrix.shape[1] >= window:
        sums[:, window - 1 :] = sliding_window_view(matrix, window, axis=1).sum(axis=2)
    return sums


def _tested(observed: Floats, law: Predictive, wanted: Bools, settings: NbGlmSettings) -> Tails:
    """The p of what was fitted and, against its own expectation, still passes the guard."""
    p = np.ones_like(observed)
    chosen = Predictive(law.mean[wanted], law.phi[wanted], law.vague[wanted], law.freedom[wanted])
    p[wanted] = chosen.tail(observed[wanted])
    with np.errstate(invalid="ignore"):
        p[~(observed >= settings.min_ratio * law.mean)] = 1.0
    return Tails(observed, law, p)


# --- the baseline's weeks ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reference:
    """The weeks that each test may learn from.

    Attributes:
        windows: a view, series x start x weeks, of the padded counts (NaN before the first week).
        starts: for each tested column, where its window starts.
        known: series x tests: how many of its weeks are known.
        mean: series x tests: the plain mean of those.

    """

    windows: Floats
    starts: Weeks
    known: Floats
    mean: Floats

    @classmethod
    def of(cls, matrix: Floats, tested: Weeks, settings: NbGlmSettings) -> _Reference:
        gap = settings.left_out + settings.window
        padding = np.full((len(matrix), settings.weeks + gap), np.nan)
        padded = np.hstack([padding, matrix])
        starts = tested  # column w + weeks + gap of the padded matrix is week w
        known = np.isfinite(padded)
        counted = _sums(known.astype(float), starts, settings.weeks)
        total = _sums(np.where(known, padded, 0.0), starts, settings.weeks)
        mean = total / np.maximum(counted, 1.0)
        windows = sliding_window_view(padded, settings.weeks, axis=1)
        return cls(windows, starts + 1, counted, mean)

    def window(self, rows: Weeks, columns: Weeks) -> tuple[Floats, Floats]:
        """(counts with 0 where unknown, 1 where known else 0), tests x weeks."""
        y = self.windows[rows, self.starts[columns]]
        known = np.isfinite(y)
        return np.where(known, y, 0.0), known.astype(float)


def _sums(values: Floats, starts: Weeks, weeks: int) -> Floats:
    """Sums of `weeks` columns from `starts + 1`."""
    total = np.cumsum(values, axis=1)
    return np.asarray(total[:, starts + weeks] - total[:, starts])


# --- the fit ----------------------------------------------------------------------------------


def _design(settings: NbGlmSettings) -> tuple[Floats, Floats]:
    """(baseline weeks x 4, window weeks x 4): level, trend in years, cosine and sine."""
    ago = np.arange(settings.weeks + settings.left_out + settings.window - 1, -1, -1.0)
    middle = ago[: settings.weeks].mean()
    angle = 2 * np.pi * ago / settings.period
    columns = np.column_stack(
        [np.ones_like(ago), (middle - ago) / settings.period, np.cos(angle), -np.sin(angle)]
    )
    return columns[: settings.weeks], columns[-settings.window :]


def _fit(
    y: Floats, known: Floats, settings: NbGlmSettings
) -> tuple[Floats, Floats, Floats, Floats]:
    """(mean, phi, vague, freedom) of the tested window for each row of baseline counts."""
    design, now = _design(settings)
    model = _Model(y, known, design, settings)
    model.step(FIRST_STEPS)
    model.disperse()
    for _ in range(ROUNDS):
        model.weigh()
        model.step(LATER_STEPS)
        model.disperse()
    return model.predict(now)


class _Model:
    """The state of the iteration for a batch of rows (one row is one series and tested week).

    What has a value a week is kept in single precision, which is twice as fast and exact to six
    digits; what has a value a row is in double precision.
    """

    def __init__(self, y: Floats, known: Floats, design: Floats, settings: NbGlmSettings) -> None:
        self.settings = settings
        self.y, self.known = y.astype(np.float32), known.astype(np.float32)
        self.design = np.asfortranarray(design.astype(np.float32))
        self.cube_root = np.cbrt(self.y)
        self.weights: Floats = self.known
        upper = np.triu_indices(design.shape[1])
        self.pairs = np.asfortranarray(self.design[:, upper[0]] * self.design[:, upper[1]])
        self.square = np.zeros((design.shape[1],) * 2, dtype=np.intp)
        self.square[upper] = self.square.T[upper] = np.arange(len(upper[0]))
        self.precision = np.array(
            [0.0, settings.trend_sd**-2, settings.season_sd**-2, settings.season_sd**-2]
        )
        self.weighed = False
        self.phi: Floats = np.full(len(y), settings.prior_phi)
        self.freedom: Floats = np.full(len(y), settings.prior_freedom)
        self.shift: Floats = np.zeros(len(y))
        self.total = y.sum(axis=1)
        self.beta = np.zeros((len(y), design.shape[1]))
        self.beta[:, 0] = np.log((self.total + 0.5) / known.sum(axis=1))
        self._evaluate()

    def _evaluate(self) -> None:
        """Means of the baseline weeks."""
        eta = _each(self.beta.astype(np.float32), self.design.T)
        np.clip(eta, LOWEST_LOG_MEAN, HIGHEST_LOG_MEAN, out=eta)
        self.mu = np.exp(eta, out=eta)

    def _information(self) -> Floats:
        """The negative Hessian of the penalised likelihood, one 4 x 4 matrix a row."""
        gram = _each(self.weights * self.mu, self.pairs).astype(float)[:, self.square]
        return np.asarray(gram / self.phi[:, None, None] + np.diag(self.precision))

    def step(self, times: int) -> None:
        """Newton steps of the penalised, weighted quasi-likelihood."""
        for _ in range(times):
            score = _each(self.weights * (self.y - self.mu), self.design).astype(float)
            score[:, 0] += 0.5
            score = score / self.phi[:, None] - self.beta * self.precision
            move = np.linalg.solve(self._information(), score[:, :, None])[:, :, 0]
            self.beta += np.clip(move, -LARGEST_STEP, LARGEST_STEP)
            self._evaluate()

    def weigh(self) -> None:
        """Let weeks that look like outbreaks count less."""
        phi = self.phi.astype(np.float32)[:, None]
        residual = anscombe(self.cube_root, self.mu, phi)
        self.weights = self.known * outbreak_weights(residual * self.known)
        self.weighed = True

    def disperse(self) -> None:
        """Dispersion, its degrees of freedom, and what the weights took from the mean."""
        total = self.weights.sum(axis=1, dtype=float)
        usual = (self.weights * self.mu).sum(axis=1, dtype=float) / total
        excess = self.y - self.mu
        excess *= excess
        excess *= self.weights
        excess /= self.mu
        raw = excess.sum(axis=1, dtype=float) / np.maximum(total - MEAN_PARAMETERS, 1.0)
        prior, strength = self.settings.prior_phi, self.settings.prior_freedom
        for _ in range(3 if self.weighed else 1):
            lost_mean, lost_phi = (
                lost_to_weights(usual, self.phi) if self.weighed else (0.0 * raw, 0.0 * raw)
            )
            told = total * informative_share(usual, self.phi)
            estimate = raw * np.exp(-lost_phi)
            self.phi = np.maximum((told * estimate + strength * prior) / (told + strength), 1.0)
        # No more is put back than the weights really took: nothing, in a series without outliers.
        fitted = (self.known * self.mu).sum(axis=1, dtype=float)
        taken = np.log((self.total + 0.5) / fitted)
        self.shift = np.minimum(-lost_mean, np.maximum(taken, 0.0))
        cautious = informative_share(usual, np.maximum(self.phi, CAUTIOUS_PHI))
        self.freedom = SURENESS * (total * cautious + strength)

    def predict(self, now: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """(mean, phi, vague, freedom) of the sum over the tested window."""
        eta = _each(self.beta, now.T) + self.shift[:, None]
        each = np.exp(np.clip(eta, LOWEST_LOG_MEAN, HIGHEST_LOG_MEAN))
        mean = each.sum(axis=1)
        gradient = _each(each, now) / mean[:, None]
        covariance = np.linalg.inv(self._information())
        variance = np.einsum("ri,rij,rj->r", gradient, covariance, gradient)
        phi, freedom = self._window_dispersion(now.shape[0])
        return mean, phi, mean * np.minimum(variance, LARGEST_VARIANCE), freedom

    def _window_dispersion(self, window: int) -> tuple[Floats, Floats]:
        """Dispersion of sums of `window` weeks: larger than of weeks where weeks hang together.

        Pearson's over the baseline cut into pieces of a window's length, shrunken towards that of
        single weeks. Weeks that look like outbreaks count fully here, since bursts are what makes
        weeks hang together, but no piece counts more than the square of 2.45 deviations.
        """
        if window == 1:
            return self.phi, self.freedom
        pieces = self.y.shape[1] // window
        part = (len(self.y), pieces, window)
        used = self.known[:, -pieces * window :]
        excess = (used * (self.y - self.mu)[:, -pieces * window :]).reshape(part).sum(axis=2)
        usual = (used * self.mu[:, -pieces * window :]).reshape(part).sum(axis=2)
        counted = usual > 0
        squares = np.where(counted, excess**2 / np.maximum(usual, 1e-9), 0.0)
        number = np.maximum(counted.sum(axis=1), 1)
        strength = 2 * self.settings.prior_freedom
        phi = self.phi
        for _ in range(3):
            raw = np.minimum(squares, MOST_OF_A_PIECE * phi[:, None]).sum(axis=1) / number
            told = number * informative_share(usual.sum(axis=1) / number, phi)
            phi = np.maximum((told * raw + strength * self.phi) / (told + strength), self.phi)
        return phi, np.minimum(self.freedom, told + strength)


def _each(rows: Floats, columns: Floats) -> Floats:
    """The product of two matrices, row by row.

    A product of all rows at once rounds each by how many there are. Row by row, a week's test is
    the same to the last digit whichever other weeks and series are tested with it, so that neither
    a restart nor a backtest moves what is told.
    """
    return np.asarray(np.matmul(rows[:, None, :], columns)[:, 0, :])


def informative_share(mean: Floats, phi: Floats) -> Floats:
    """How much of a degree of freedom one count tells about its dispersion, 0..1.

    2 phi^2 over var((y - mu)^2 / mu) = 2 phi^2 + phi (6 phi^2 - 6 phi + 1) / mu.
    """
    return np.asarray(1 / (1 + (6 * phi**2 - 6 * phi + 1) / (2 * phi * mean)))
