"""What a spike rule costs and what it finds, measured on series made like an operator's own.

Standing in the flow: `benchmarks/detection.py` measures detectors with it, array by array;
`warden calibrate` replays whole rules (`warden.trial.calibration`) on the laws of `in_control`.

Every series gets an unchanging negative-binomial law with the mean and dispersion of its history;
drawn again and again, whatever alarms then is false. Multiplying the mean from some week on shows
how often and how fast a rise of two, three and five is found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from warden.engine.detect.budget import (
    UNCALIBRATED,
    WEEKS_A_YEAR,
    Calibration,
    alpha_for_budget,
    drift_run_length,
)
from warden.engine.detect.drift import DriftSettings, drift
from warden.engine.detect.nb_glm import DEFAULT, informative_share
from warden.engine.detect.results import as_matrix
from warden.engine.detect.simulate import negative_binomial
from warden.engine.detect.spike import SpikeSettings, spike
from warden.engine.detect.tails import Bools, Floats

TESTED_WEEKS = 52  # a replicate is a year of tests after the longest baseline
QUIET_WEEKS = 4  # alarms of one series this close are one alert
LEVELS = tuple(float(level) for level in np.geomspace(1e-6, 0.05, 40))
RISES = (2.0, 3.0, 5.0)
WATCHED_WEEKS = 26  # a rise not found by then counts as missed
DRAWS = 3  # of every series and rise
RATE_GROUPS = (0.0, 0.25, 1.0, 4.0, np.inf)  # events a week: detection differs that much


@dataclass(frozen=True, slots=True)
class InControl:
    """The unchanging law of each series: mean a week and variance over mean."""

    mean: Floats
    phi: Floats


@dataclass(frozen=True, slots=True)
class Power:
    """How well a rise is found.

    Attributes:
        rise: the multiple.
        rates: from and to how many events a week the series of this group have.
        series: how many were tried (each series three times).
        found: the share found within 26 weeks.
        delay_weeks: the median weeks until found, of all tried; None if fewer than half were.

    """

    rise: float
    rates: tuple[float, float]
    series: int
    found: float
    delay_weeks: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """What a detector costs and finds.

    Attributes:
        budget: the wanted false alerts a year.
        years: simulated years.
        realised: false alerts a year at the nominal level.
        calibrated: the same with the calibration, on fresh draws.
        calibration: what moves the level to where the budget is spent.
        power: by rise and rate, with the calibration.

    """

    budget: float
    years: int
    realised: float
    calibrated: float
    calibration: Calibration
    power: tuple[Power, ...]


def in_control(counts: NDArray[np.integer] | Floats, *, block: int | None = None) -> InControl:
    """Fit an unchanging law to each series of series x weeks.

    `block`: dispersion is measured about the mean of each so many weeks, so that a slow rise in
    the past is not taken for noise; None = about the mean of all.
    """
    matrix = as_matrix(counts)
    known = np.isfinite(matrix)
    weeks = np.maximum(known.sum(axis=1), 2).astype(float)
    values = np.where(known, matrix, 0.0)
    mean = (values.sum(axis=1) + 0.5) / (weeks + 1)
    excess, free = _about_means(values, known, mean, matrix.shape[1] if block is None else block)
    raw = excess / np.maximum(weeks - free, 1) / mean
    told = weeks * informative_share(mean, np.maximum(raw, 1.0))
    strength = DEFAULT.prior_freedom
    phi = (told * raw + strength * DEFAULT.prior_phi) / (told + strength)
    return InControl(mean, np.maximum(phi, 1.0))


def _about_means(values: Floats, known: Bools, mean: Floats, block: int) -> tuple[Floats, int]:
    """(squared deviations from the means of blocks of weeks, how many means that took)."""
    starts = range(0, values.shape[1], block)
    if len(starts) <= 1:
        return np.where(known, (values - mean[:, None]) ** 2, 0.0).sum(axis=1), 1
    excess = np.zeros(len(values))
    for start in starts:
        part, here = values[:, start : start + block], known[:, start : start + block]
        local = part.sum(axis=1) / np.maximum(here.sum(axis=1), 1)
        excess += np.where(here, (part - local[:, None]) ** 2, 0.0).sum(axis=1)
    return excess, len(starts)


def draw(
    rng: np.random.Generator, law: InControl, weeks: int, *, rise: float = 1.0, since: int = 0
) -> Floats:
    """Series x weeks of the law, its mean multiplied by `rise` from week `since` on."""
    mean = np.repeat(law.mean[:, None], weeks, axis=1)
    mean[:, since:] *= rise
    return negative_binomial(rng, mean, law.phi[:, None])


def calibrate(
    measures: Mapping[str, NDArray[np.integer] | Floats],
    settings: SpikeSettings,
    *,
    false_alerts_per_year: float,
    rng: np.random.Generator,
    years: int = 20,
    rises: Sequence[float] = RISES,
) -> Report:
    """Measure a spike rule on series like those of its measures (series x weeks each, alike)."""
    laws = {name: in_control(counts) for name, counts in measures.items()}
    series = len(next(iter(laws.values())).mean)
    learned = [_year(rng, laws, settings) for _ in range(years)]
    calibration = _calibration(learned)
    fresh = [_year(rng, laws, settings) for _ in range(years)]
    seen = np.asarray([float(series)])
    nominal = float(alpha_for_budget(false_alerts_per_year, seen)[0])
    corrected = float(alpha_for_budget(false_alerts_per_year, seen, calibration)[0])
    per_year = WEEKS_A_YEAR / TESTED_WEEKS / years
    return Report(
        false_alerts_per_year,
        years,
        sum(alerts(p <= nominal) for p in learned) * per_year,
        sum(alerts(p <= corrected) for p in fresh) * per_year,
        calibration,
        tuple(
            group for rise in rises for group in _power(rng, laws, settings, corrected, float(rise))
        ),
    )


def _calibration(years: list[Floats]) -> Calibration:
    counts = [sum(alerts(p <= level) for p in years) for level in LEVELS]
    return Calibration.of(LEVELS, counts, sum(p.size for p in years))


def calibrate_drift(
    counts: NDArray[np.integer] | Floats,
    settings: DriftSettings,
    *,
    false_alerts_per_year: float,
    rng: np.random.Generator,
    years: int = 20,
    rises: Sequence[float] = RISES,
) -> Report:
    """The same for a drift rule over one measure; its thresholds need no correction.

    The thresholds are those of the budget shared by all series; `settings` says the rest.
    """
    law = in_control(counts)
    run = float(drift_run_length(false_alerts_per_year, np.asarray(float(len(law.mean)))))
    wanted = replace(settings, weeks_per_false_alarm=run)
    before = settings.weeks + settings.left_out
    quiet = draw(rng, law, before + years * TESTED_WEEKS)
    false = alerts(drift(quiet, wanted).alarm[:, before:]) * WEEKS_A_YEAR / TESTED_WEEKS / years
    power: list[Power] = []
    for rise in rises:
        delays = []
        for _ in range(DRAWS):
            risen = draw(rng, law, before + WATCHED_WEEKS, rise=rise, since=before)
            delays.append(_first(drift(risen, wanted).alarm[:, before:]))
        power += _by_rate(np.tile(law.mean, DRAWS), np.concatenate(delays), float(rise))
    return Report(false_alerts_per_year, years, false, false, UNCALIBRATED, tuple(power))


def alerts(alarm: Bools) -> int:
    """How many alerts alarms (series x weeks) make: those within four weeks are one."""
    count = 0
    quiet = np.full(len(alarm), QUIET_WEEKS)
    for week in range(alarm.shape[1]):
        now = alarm[:, week]
        count += int((now & (quiet >= QUIET_WEEKS)).sum())
        quiet = np.where(now, 0, quiet + 1)
    return count


def _year(
    rng: np.random.Generator, laws: Mapping[str, InControl], settings: SpikeSettings
) -> Floats:
    """The p-values of one simulated year of tests, series x 52."""
    before = _history(settings)
    drawn = {name: draw(rng, law, before + TESTED_WEEKS) for name, law in laws.items()}
    return spike(drawn, range(before, before + TESTED_WEEKS), settings).p


def _power(
    rng: np.random.Generator,
    laws: Mapping[str, InControl],
    settings: SpikeSettings,
    alpha: float,
    rise: float,
) -> list[Power]:
    """How often and fast a rise in every measure at once is found, by rate."""
    delay = np.concatenate([_delays(rng, laws, settings, alpha, rise) for _ in range(DRAWS)])
    return _by_rate(np.tile(next(iter(laws.values())).mean, DRAWS), delay, rise)


def _by_rate(rate: Floats, delay: Floats, rise: float) -> list[Power]:
    """Power and delay of the series of each group of rates."""
    found = []
    for low, high in pairwise(RATE_GROUPS):
        group = delay[(rate >= low) & (rate < high)]
        if len(group):
            median = float(np.median(group))
            found.append(
                Power(
                    rise,
                    (low, float(high)),
                    len(group),
                    float(np.isfinite(group).mean()),
                    median if np.isfinite(median) else None,
                )
            )
    return found


def _delays(
    rng: np.random.Generator,
    laws: Mapping[str, InControl],
    settings: SpikeSettings,
    alpha: float,
    rise: float,
) -> Floats:
    """Weeks until each series' rise is found; infinite where it is not."""
    before = _history(settings)
    drawn = {
        name: draw(rng, law, before + WATCHED_WEEKS, rise=rise, since=before)
        for name, law in laws.items()
    }
    alarm = spike(drawn, range(before, before + WATCHED_WEEKS), settings).p <= alpha
    return _first(alarm)


def _first(alarm: Bools) -> Floats:
    """Weeks until the first alarm of each series; infinite without one."""
    return np.where(alarm.any(axis=1), alarm.argmax(axis=1) + 1.0, np.inf)


def _history(settings: SpikeSettings) -> int:
    return settings.fit.weeks + settings.fit.left_out + max(settings.windows)
