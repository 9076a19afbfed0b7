"""warden's own baseline on counts whose law is known."""

from dataclasses import replace

import numpy as np
import pytest

from warden.engine.detect.nb_glm import NbGlmSettings, informative_share, nb_glm
from warden.engine.detect.pooled import default_baseline, pooled_gamma_poisson
from warden.engine.detect.robust import lost_to_weights
from warden.engine.detect.simulate import (
    SCENARIOS,
    TESTED_WEEKS,
    negative_binomial,
    simulate,
)
from warden.engine.detect.tails import at_least

SCENARIO_YEAR = NbGlmSettings(period=52.0)
WEEKS = np.arange(*TESTED_WEEKS)


@pytest.fixture(scope="module")
def in_control():
    sim = simulate(np.random.default_rng(11), 8, past_outbreaks=False, current_sizes=())
    weeks = WEEKS[::6]
    return sim, weeks, nb_glm(sim.counts, weeks, SCENARIO_YEAR)


@pytest.mark.parametrize(("level", "overall"), [(0.01, 1.25), (0.005, 1.3), (4e-5, 1.9)])
def test_the_nominal_level_holds_over_the_scenarios(in_control, level, overall):
    sim, weeks, result = in_control
    chance = at_least(result.law.high(level) + 1, sim.mean[:, weeks], sim.phi)
    assert level / overall < chance.mean() < level * overall  # wide: only 8 replicates


def test_the_expected_count_is_near_the_true_mean(in_control):
    sim, weeks, result = in_control
    ratio = result.expected / sim.mean[:, weeks]
    assert np.median(ratio) == pytest.approx(1, abs=0.03)
    large = sim.mean[:, weeks].min(axis=1) > 5
    assert np.abs(ratio[large] - 1).max() < 0.35


def test_outbreaks_are_found_better_than_by_chance_and_p_orders_with_size():
    counts = np.tile(negative_binomial(np.random.default_rng(2), np.full(300, 2.0), 1.3), (4, 1))
    counts[:, 299] = [2, 6, 10, 20]
    p = nb_glm(counts, [299]).p[:, 0]
    assert np.all(np.diff(p) < 0)
    assert p[0] > 0.2
    assert p[3] < 1e-6


def test_past_outbreaks_hide_the_next_one_hardly():
    rng = np.random.default_rng(3)
    clean = negative_binomial(rng, np.full((40, 300), 3.0), 1.2)
    dirty = clean.copy()
    dirty[:, 100:103] += [25, 20, 8]
    dirty[:, 200:202] += [30, 12]
    before, after = nb_glm(clean, [299]), nb_glm(dirty, [299])
    assert np.median(after.law.high(1e-3) - before.law.high(1e-3)) <= 1
    assert np.median(after.expected / before.expected) == pytest.approx(1, abs=0.05)


def test_a_season_is_expected_and_a_trend_is_followed():
    weeks = np.arange(400)
    season = np.exp(1.0 + 0.8 * np.cos(2 * np.pi * weeks / 52.1775))
    trend = np.exp(1.0 + 0.3 * (weeks - 400) / 52.1775)
    rng = np.random.default_rng(4)
    counts = negative_binomial(rng, np.repeat([season, trend], 30, axis=0), 1.0)
    peak, trough = 365, 391  # the seventh peak and half a year later
    result = nb_glm(counts, [peak, trough])
    assert np.median(result.expected[:30, 0]) == pytest.approx(season[peak], rel=0.15)
    assert np.median(result.expected[:30, 1]) == pytest.approx(season[trough], rel=0.15)
    assert np.median(result.expected[30:, 1]) == pytest.approx(trend[trough], rel=0.15)


def test_the_eight_newest_weeks_are_not_learned_from():
    counts = negative_binomial(np.random.default_rng(5), np.full((3, 300), 2.0), 1.2)
    changed = counts.copy()
    changed[:, 292:299] += 40
    np.testing.assert_array_equal(nb_glm(counts, [299]).expected, nb_glm(changed, [299]).expected)


def test_a_fit_needs_two_years_and_unknown_weeks_count_as_no_history():
    counts = np.ones((2, 300))
    assert nb_glm(counts, [100]).p.tolist() == [[1.0], [1.0]]
    counts[1, :200] = np.nan
    result = nb_glm(counts, [299])
    assert np.isfinite(result.expected[0, 0])
    assert np.isnan(result.expected[1, 0])


def test_a_series_that_never_had_an_event_keeps_a_small_mean():
    counts = np.zeros((1, 300))
    counts[0, 299] = 3
    result = nb_glm(counts, [299])
    assert 0 < result.expected[0, 0] < 0.02
    assert 0 < result.p[0, 0] < 1e-3


def test_guarded_tests_are_not_fitted():
    counts = negative_binomial(np.random.default_rng(6), np.full((50, 300), 4.0), 1.2)
    result = nb_glm(counts, [299], NbGlmSettings(min_count=3, min_ratio=1.5))
    small = counts[:, 299] < 1.5 * 3.2
    assert small.any()
    assert np.isnan(result.expected[small, 0]).all()
    assert (result.p[small, 0] == 1).all()


def test_tests_do_not_depend_on_what_else_is_tested():
    counts = negative_binomial(np.random.default_rng(7), np.full((300, 290), 1.0), 1.5)
    together = nb_glm(counts, range(280, 290))
    alone = nb_glm(counts[17:18], [285])
    assert alone.p[0, 0] == pytest.approx(together.p[17, 5], rel=1e-4)


def test_a_window_of_weeks_is_tested_as_a_sum():
    counts = np.ones((1, 320))
    four = nb_glm(counts, [319], NbGlmSettings(window=4))
    assert four.observed[0, 0] == 4
    assert four.expected[0, 0] == pytest.approx(4, rel=0.05)


def test_windows_of_series_whose_weeks_hang_together_are_more_dispersed():
    rng = np.random.default_rng(8)
    bursts = np.repeat(rng.gamma(0.5, 4.0, (60, 80)), 4, axis=1)  # a level for every four weeks
    counts = rng.poisson(bursts).astype(float)
    settings = NbGlmSettings(window=13)
    shuffled = rng.permuted(counts, axis=1)
    hangs, falls_apart = (nb_glm(c, [319], settings).law.phi for c in (counts, shuffled))
    assert np.median(hangs) > 1.3 * np.median(falls_apart)


def test_what_weights_take_from_ordinary_tails_vanishes_for_calm_large_counts():
    mean, phi = lost_to_weights(np.array([500.0, 0.5]), np.array([1.05, 3.0]))
    assert abs(mean[0]) < 0.01
    assert phi[1] < phi[0] < 0


def test_sparse_counts_say_little_about_their_dispersion():
    assert informative_share(np.array(0.1), np.array(2.0)) < 0.05
    assert informative_share(np.array(500.0), np.array(2.0)) > 0.99


def test_the_scenarios_are_the_28_of_the_paper():
    assert len(set(SCENARIOS)) == 28
    assert SCENARIOS[0].mean(np.array([1, 600])).tolist() == pytest.approx([np.exp(0.1)] * 2)


# --- short histories --------------------------------------------------------------------------


def test_a_young_series_is_expected_to_behave_like_its_peers():
    rng = np.random.default_rng(9)
    rate = rng.gamma(2.0, 1.0, 60)
    counts = negative_binomial(rng, np.repeat(rate[:, None], 40, axis=1), 1.2)
    counts[0, :] = 0
    counts[0, 39] = 6
    among_busy = pooled_gamma_poisson(counts, [39]).p[0, 0]
    calm = counts / 1.0
    calm[1:, :39] = rng.poisson(0.02, (59, 39))
    among_calm = pooled_gamma_poisson(calm, [39]).p[0, 0]
    assert among_calm < among_busy


def test_the_pooled_law_holds_its_level_on_young_series():
    rng = np.random.default_rng(10)
    rate = rng.gamma(1.0, 1.0, 400)
    counts = negative_binomial(rng, np.repeat(rate[:, None], 60, axis=1), 1.5)
    law = pooled_gamma_poisson(counts, [55]).law
    for level in (0.01, 1e-3):
        chance = at_least(law.high(level) + 1, rate[:, None], 1.5).mean()
        assert level / 4 < chance < 2 * level  # sharing a dispersion is not trusted much


def test_the_default_takes_the_regression_after_two_years():
    counts = negative_binomial(np.random.default_rng(12), np.full((5, 130), 2.0), 1.2)
    both = default_baseline(counts, [60, 129])
    np.testing.assert_array_equal(both.p[:, 0], pooled_gamma_poisson(counts, [60]).p[:, 0])
    np.testing.assert_array_equal(both.p[:, 1], nb_glm(counts, [129]).p[:, 0])


def test_the_default_tests_nothing_without_eight_weeks():
    result = default_baseline(np.ones((2, 12)), [5, 11], replace(SCENARIO_YEAR, left_out=7))
    assert (result.p == 1).all()


def test_series_that_appear_later_do_not_change_what_was_tested_before():
    counts = negative_binomial(np.random.default_rng(13), np.full((10, 60), 1.0), 1.2)
    counts[5:, :50] = 0
    alone = pooled_gamma_poisson(counts[:5], [45])
    np.testing.assert_allclose(pooled_gamma_poisson(counts, [45]).p[:5], alone.p, rtol=1e-12)


def test_where_no_series_has_a_past_a_burst_is_still_tested():
    counts = np.zeros((3, 40))
    counts[1, 39] = 8
    p = pooled_gamma_poisson(counts, [39]).p[:, 0]
    assert p[1] < 1e-4
    assert p[0] > 0.4


@pytest.mark.parametrize("window", [1, 4, 13])
def test_a_week_s_test_does_not_depend_on_what_is_tested_with_it(window):
    counts = negative_binomial(np.random.default_rng(14), np.full((3, 200), 1.5), 1.6)
    settings = NbGlmSettings(window=window)
    together = nb_glm(counts, range(140, 200), settings)
    for week in range(140, 200, 7):
        alone = nb_glm(counts[1:2], [week], settings)
        assert together.p[1, week - 140] == alone.p[0, 0]
        assert together.law.mean[1, week - 140] == alone.law.mean[0, 0]
