"""Tails and bounds, against SciPy's distributions and by their own definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from warden.engine.detect.results import Predictive
from warden.engine.detect.tails import (
    at_least,
    mid_p,
    predictive_at_least,
    probability,
    smallest_below,
)

COUNTS = np.array([0, 1, 2, 5, 20, 150, 12_000])


@pytest.mark.parametrize("mean", [1e-3, 0.2, 5.0, 300.0, 1e4])
@pytest.mark.parametrize("phi", [1.0, 1 + 1e-9, 1 + 1e-5, 1.01, 1.2, 3.0, 20.0])
def test_tails_are_those_of_the_negative_binomial(mean, phi):
    poisson = phi - 1 < 1e-6
    law = stats.poisson(mean) if poisson else stats.nbinom(mean / (phi - 1), 1 / phi)
    np.testing.assert_allclose(at_least(COUNTS, mean, phi), law.sf(COUNTS - 1), rtol=1e-6)
    np.testing.assert_allclose(
        probability(COUNTS, mean, phi), law.pmf(COUNTS), rtol=1e-4, atol=1e-12
    )


def test_the_mid_p_tail_averages_to_a_half_over_the_law():
    x = np.arange(400.0)
    for mean, phi in ((0.1, 1.0), (0.5, 3.0), (40.0, 1.5)):
        chance = probability(x, mean, phi)
        assert chance @ mid_p(x, mean, phi) == pytest.approx(0.5, abs=1e-6)


def test_extreme_parameters_give_probabilities_and_no_warnings():
    with np.errstate(all="raise", under="ignore"):
        found = at_least(np.array([0, 1, 10**6]), np.array([1e-300, 1e9, 1e-5]), 1e4)
    assert np.all((found >= 0) & (found <= 1))


@given(st.floats(0.01, 500), st.floats(1.0, 8.0), st.floats(1e-9, 0.4))
def test_a_bound_is_the_smallest_count_whose_tail_is_below_the_level(mean, phi, alpha):
    def above(q):
        return at_least(q + 1, np.array([mean]), phi)

    bound = smallest_below(above, alpha, np.array([mean]))
    assert above(bound) <= alpha * (1 + 1e-9)
    assert bound == 0 or above(bound - 1) > alpha


def test_the_gamma_poisson_tail_is_the_quantile_function_of_the_negative_binomial():
    shape, weeks = np.array([0.5, 3.5, 40.5]), 6
    bound = smallest_below(lambda q: predictive_at_least(q + 1, shape, weeks), 0.05, shape)
    np.testing.assert_array_equal(bound, stats.nbinom.ppf(0.95, shape, weeks / (weeks + 1)))


def test_an_uncertain_dispersion_has_a_fatter_tail_and_the_bounds_enclose_the_mean():
    mean, one = np.full((1, 1), 3.0), np.ones((1, 1))
    sure = Predictive(mean, 1.5 * one, 0 * one, 1e9 * one)
    unsure = Predictive(mean, 1.5 * one, 0.2 * one, 8 * one)
    assert unsure.tail(np.full((1, 1), 15.0)) > sure.tail(np.full((1, 1), 15.0))
    assert unsure.low(0.05) <= 3 <= unsure.high(0.05)
    assert unsure.high(1e-4) > unsure.high(0.05)


def test_what_is_not_known_has_no_bound_and_a_tail_of_one():
    unknown = Predictive(np.full((1, 1), np.nan), *(np.ones((3, 1, 1))))
    assert unknown.tail(np.full((1, 1), 9.0)) == 1
    assert np.isnan(unknown.high(0.01)).all()
    assert np.isnan(unknown.low(0.01)).all()
