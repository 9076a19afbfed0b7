"""The comparators on counts made here, so that they are checked without the reference outputs."""

from dataclasses import replace

import numpy as np
import pytest

from warden.engine.detect.cusum import cusum, likelihood_cusum, standardise
from warden.engine.detect.farrington import FarringtonSettings, farrington
from warden.engine.detect.simulate import (
    PAST_OUTBREAK_WEEKS,
    SCENARIOS,
    TESTED_WEEKS,
    negative_binomial,
    simulate,
)

PLAIN = FarringtonSettings(min_cases=0)


@pytest.fixture(scope="module")
def series():
    return negative_binomial(np.random.default_rng(1), np.full((40, 330), 5.0), 1.5)


def test_farrington_learns_mean_and_dispersion_and_sees_an_outbreak(series):
    risen = series.copy()
    risen[:, 320] = 25
    result = farrington(risen, [320], PLAIN)
    assert np.median(result.expected) == pytest.approx(5, rel=0.1)
    assert np.median(result.phi) == pytest.approx(1.5, rel=0.15)
    assert result.alarm.all()


def test_farrington_downweights_a_past_outbreak(series):
    dirty = series.copy()
    dirty[:, 150:153] += 40
    weighted = farrington(dirty, [320], PLAIN)
    plain = farrington(dirty, [320], replace(PLAIN, reweight=False))
    assert (weighted.high < plain.high).all()


def test_farrington_is_silent_after_weeks_with_hardly_a_case(series):
    quiet = series.copy()
    quiet[:, 317:320] = 0
    quiet[:, 320] = 4
    result = farrington(quiet, [320])
    assert np.isnan(result.high).all()
    assert not result.alarm.any()


def test_farrington_needs_its_years_of_history(series):
    assert np.isnan(farrington(series, [200], PLAIN).expected).all()
    days = 18_000 + 7 * np.arange(330)
    assert np.isnan(farrington(series, [200], PLAIN, days=days).expected).all()
    assert np.isfinite(farrington(series, [320], PLAIN, days=days).expected).all()


def test_farrington_drops_a_trend_that_runs_above_every_count():
    weeks = np.arange(330)
    steep = np.round(np.exp(0.02 * weeks))[None, :]
    late = farrington(steep, [329], replace(PLAIN, years=4))
    assert late.expected[0, 0] <= steep[0, :303].max()


def test_a_cusum_adds_what_exceeds_k_and_alarms_at_h():
    sums, alarm = cusum(np.array([[2.0, 2.0, 0.0, 5.0]]), k=1.0, h=2.0)
    assert sums.tolist() == [[1.0, 2.0, 1.0, 5.0]]
    assert alarm.tolist() == [[False, True, False, True]]


@pytest.mark.parametrize("transform", ["standard", "rossi", "anscombe", "pearson_nb"])
def test_every_standardisation_is_near_zero_at_the_mean_and_rises(transform):
    z = standardise(np.array([9.0, 10.0, 20.0]), np.array(10.0), transform)
    assert abs(z[1]) < 0.1
    assert np.all(np.diff(z) > 0)


@pytest.mark.parametrize("overdispersion", [0.0, 0.2])
@pytest.mark.parametrize("shift", [None, np.log(2)])
def test_a_likelihood_cusum_alarms_soon_after_a_rise_and_starts_afresh(overdispersion, shift):
    counts = np.array([2, 1, 3, 2, 2, 1, 2, 7, 8, 6, 9, 7, 8])
    mean = np.full(len(counts), 2.0)
    statistic, alarm = likelihood_cusum(
        counts, mean, overdispersion=overdispersion, log_shift=shift
    )
    first = int(alarm.argmax())
    assert alarm.any()
    assert 7 <= first <= 10
    assert statistic[first + 1] < statistic[first]


def test_simulated_outbreaks_lie_where_they_should():
    sim = simulate(np.random.default_rng(2), 4)
    assert sim.counts.shape == (4 * len(SCENARIOS), 624)
    assert sim.outbreak[:, : PAST_OUTBREAK_WEEKS[0]].sum() == 0
    assert sim.outbreak[:, slice(*PAST_OUTBREAK_WEEKS)].sum() > 0
    assert sim.outbreak[:, slice(*TESTED_WEEKS)].any(axis=1).mean() > 0.8
    assert ((sim.counts - sim.outbreak) >= 0).all()


def test_simulated_counts_have_the_wanted_mean_and_dispersion():
    drawn = negative_binomial(np.random.default_rng(3), np.full(200_000, 3.0), 2.0)
    assert drawn.mean() == pytest.approx(3, rel=0.01)
    assert drawn.var() / drawn.mean() == pytest.approx(2, rel=0.02)
