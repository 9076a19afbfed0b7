"""Weekly counts made up by a known law, on which detectors are measured.

Standing in the flow: `benchmarks/detection.py` compares detectors on the scenarios of Noufaily et
al. 2013 (Stat Med 32:1206, section 3); `calibrate` draws series fitted to an operator's history.
The random generator is an argument: the same seed makes the same counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from warden.engine.detect.tails import Floats

SIMULATED_WEEKS = 624
PAST_OUTBREAK_WEEKS = (312, 575)  # half-open, counted from 0
TESTED_WEEKS = (575, 624)
PAST_OUTBREAK_SIZES = (2, 3, 5, 10)  # multiples of the standard deviation, each once a series
LOGNORMAL_SPREAD = 0.5  # of the weeks between an outbreak's start and its cases
LONGEST_OUTBREAK = 12  # weeks; 99.9999 % of the cases fall earlier


@dataclass(frozen=True, slots=True)
class Scenario:
    """The law of an ordinary week: log mean = theta + beta t + harmonic, variance = phi mean."""

    theta: float
    beta: float
    gamma1: float
    gamma2: float
    phi: float

    def mean(self, weeks: NDArray[np.integer]) -> Floats:
        """The mean of the given weeks, counted from 1."""
        angle = 2 * np.pi * weeks / 52
        season = self.gamma1 * np.cos(angle) + self.gamma2 * np.sin(angle)
        return np.asarray(np.exp(self.theta + self.beta * weeks + season))


_LAWS = (
    Scenario(0.1, 0.0025, 0.6, 0.6, 1.5),
    Scenario(-2.0, 0.005, 0.1, 0.3, 2.0),
    Scenario(1.5, 0.003, 0.2, -0.4, 1.0),
    Scenario(0.5, 0.002, 0.5, 0.5, 5.0),
    Scenario(2.5, 0.001, 1.0, 0.1, 3.0),
    Scenario(3.75, 0.001, 0.1, -0.1, 1.1),
    Scenario(5.0, 0.0001, 0.05, 0.01, 1.2),
)
# Each law without and with trend, without and with season: Noufaily's 28 scenarios.
SCENARIOS: tuple[Scenario, ...] = tuple(
    Scenario(
        law.theta,
        law.beta if trend else 0.0,
        law.gamma1 if season else 0.0,
        law.gamma2 if season else 0.0,
        law.phi,
    )
    for law, trend, season in product(_LAWS, (False, True), (False, True))
)


@dataclass(frozen=True, slots=True)
class Simulation:
    """Series with outbreaks, and the truth about them; all series x weeks but `scenario`.

    Attributes:
        counts: what a detector sees.
        outbreak: how many of them belong to an outbreak.
        mean, phi: the law of an ordinary week.
        scenario: the index of each series' scenario.

    """

    counts: Floats
    outbreak: Floats
    mean: Floats
    phi: Floats
    scenario: NDArray[np.intp]


def negative_binomial(rng: np.random.Generator, mean: Floats, phi: Floats | float) -> Floats:
    """Counts of the given means and variances phi * mean: Poisson of a gamma-distributed rate."""
    mu, over = np.broadcast_arrays(mean, np.asarray(phi, float) - 1)
    safe = np.where(over > 0, over, 1.0)
    rate = np.where(over > 0, rng.gamma(np.maximum(mu, 1e-300) / safe) * safe, mu)
    return rng.poisson(rate).astype(float)


def simulate(
    rng: np.random.Generator,
    replicates: int,
    *,
    scenarios: tuple[Scenario, ...] = SCENARIOS,
    past_outbreaks: bool = True,
    current_sizes: tuple[int, ...] = tuple(range(1, 11)),
) -> Simulation:
    """`replicates` series a scenario of 624 weeks.

    Four outbreaks lie in weeks 313 to 575, and one, of a size drawn from `current_sizes` (none if
    empty), starts in the tested weeks 576 to 624. An outbreak has Poisson(size * standard deviation
    of its first week) cases, spread in time by a lognormal law.
    """
    weeks = np.arange(1, SIMULATED_WEEKS + 1)
    mean = np.repeat([s.mean(weeks) for s in scenarios], replicates, axis=0)
    phi = np.repeat([s.phi for s in scenarios], replicates)[:, None]
    scenario = np.repeat(np.arange(len(scenarios)), replicates)
    counts = negative_binomial(rng, mean, phi)
    deviation = np.sqrt(mean * phi)
    outbreak = np.zeros_like(mean)
    if past_outbreaks:
        for size in PAST_OUTBREAK_SIZES:
            outbreak += _outbreak(rng, deviation, PAST_OUTBREAK_WEEKS, (size,))
    if current_sizes:
        outbreak += _outbreak(rng, deviation, TESTED_WEEKS, current_sizes)
    return Simulation(counts + outbreak, outbreak, mean, phi, scenario)


def _outbreak(
    rng: np.random.Generator, deviation: Floats, span: tuple[int, int], sizes: tuple[int, ...]
) -> Floats:
    """One outbreak a series that starts within `span`, of a size drawn from `sizes`."""
    series, weeks = deviation.shape
    start = np.asarray(rng.integers(*span, size=series))
    multiple = rng.choice(np.asarray(sizes, float), size=series)
    cases = rng.poisson(multiple * deviation[np.arange(series), start])
    owner = np.repeat(np.arange(series), cases)
    delay = np.floor(rng.lognormal(0.0, LOGNORMAL_SPREAD, size=len(owner))).astype(np.intp)
    week = start[owner] + np.minimum(delay, LONGEST_OUTBREAK)
    inside = week < weeks
    found = np.zeros_like(deviation)
    np.add.at(found, (owner[inside], week[inside]), 1.0)
    return found
