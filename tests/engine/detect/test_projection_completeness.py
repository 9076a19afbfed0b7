"""Projections and completeness, against worked examples and simulated truth."""

import numpy as np
import pytest

from warden.engine.detect.completeness import (
    completeness_by_age,
    reporting_change_is_likely,
    window_completeness,
)
from warden.engine.detect.projection import (
    may_project,
    probability_of_rise,
    project_count,
    project_deaths,
    seasonal_share,
)

SLOW = pytest.mark.slow


def test_seventeen_by_midyear_projects_to_thirty_four():
    found = project_count(17, 0.5, exceeds=20)
    assert found.projected == 34
    assert 22 <= found.low <= 26
    assert 45 <= found.high <= 50
    assert 0.95 < found.probability < 1


def test_a_bound_already_passed_is_certain_and_a_finished_period_has_no_width():
    assert project_count(17, 0.5, exceeds=10).probability == 1
    done = project_count(17, 1.0, exceeds=17)
    assert (done.low, done.high, done.probability) == (17, 17, pytest.approx(0, abs=1e-6))


@pytest.mark.parametrize("rate", [10.0, 40.0, 200.0])
def test_ninety_percent_intervals_hold_at_least_so_often(rate):
    rng = np.random.default_rng(1)
    truth = rng.gamma(rate / 0.4, 0.4, 400)  # counts of dispersion 1.4
    first, second = rng.poisson(truth * 0.4), rng.poisson(truth * 0.6)
    inside = 0
    for now, rest in zip(first, second, strict=True):
        found = project_count(float(now), 0.4)
        inside += found.low <= now + rest <= found.high
    assert 0.86 <= inside / 400 <= 0.99


def test_a_seasonal_share_lies_between_earlier_years_and_the_calendar():
    share, spread = seasonal_share(0.5, np.array([0.7, 0.74, 0.66]))
    assert 0.5 < share < 0.7
    assert 0 < spread < 0.05
    assert seasonal_share(0.5, np.array([])) == (0.5, 0.0)


def test_an_uncertain_season_widens_the_interval():
    sure, unsure = project_count(40, 0.5), project_count(40, 0.5, share_sd=0.1)
    assert unsure.high - unsure.low > sure.high - sure.low


def test_one_massacre_makes_deaths_less_certain_than_events():
    even = project_deaths(np.full(30, 3), np.full(60, 3), 0.5, exceeds=150)
    wild = project_deaths(np.array([1] * 29 + [61]), np.array([1] * 60), 0.5, exceeds=150)
    assert even.projected == wild.projected == 180
    assert wild.high - wild.low > even.high - even.low
    assert 0 < wild.probability < even.probability <= 1


def drawn_sums(deaths, earlier, share, rng, *, phi=1.5, draws=200_000):
    """The compound bootstrap that the law stands for: an oracle that draws."""
    shape = len(deaths) + 0.5
    mean = shape * (1 - share) / share
    spread = phi + mean * phi / shape
    future = rng.poisson(rng.gamma(mean / (spread - 1), spread - 1, draws))
    picked = rng.choice(np.concatenate([deaths, earlier]), int(future.sum()))
    ends, running = np.cumsum(future), np.concatenate([[0.0], np.cumsum(picked)])
    return np.sum(deaths) + running[ends] - running[ends - future]


# A corner and the middle at every run, all of them with the slow tests.
@pytest.mark.parametrize(
    ("wildest", "share"),
    [
        pytest.param(
            wildest, share, marks=() if (wildest, share) in {(60, 0.5), (800, 0.9)} else SLOW
        )
        for wildest in (3, 60, 800)
        for share in (0.2, 0.5, 0.9)
    ],
)
def test_the_law_of_deaths_is_what_a_bootstrap_draws(share, wildest):
    rng = np.random.default_rng(wildest)
    deaths = np.append(rng.poisson(2.0, 40), wildest).astype(float)
    earlier = rng.poisson(3.0, 90).astype(float)
    drawn = drawn_sums(deaths, earlier, share, rng)
    exceeds = float(np.quantile(drawn, 0.7))
    found = project_deaths(deaths, earlier, share, exceeds=exceeds)
    for quantile, share_below in ((found.low, 0.05), (found.high, 0.95)):
        assert (
            (drawn < quantile).mean() - 0.003 <= share_below <= (drawn <= quantile).mean() + 0.003
        )
    assert found.probability == pytest.approx((drawn > exceeds).mean(), abs=0.006)


def test_sums_of_millions_are_told_in_coarser_units():
    found = project_deaths(np.full(50, 90_000.0), np.full(50, 110_000.0), 0.5, exceeds=1e7)
    assert found.low < found.projected == 9_000_000 < found.high
    assert 0.05 < found.probability < 0.95


def test_no_sum_exceeds_an_endless_bound_and_every_one_a_bound_already_passed():
    deaths = np.array([4.0, 2.0, 1.0])
    assert project_deaths(deaths, deaths, 0.5, exceeds=np.inf).probability == 0
    assert project_deaths(deaths, deaths, 0.5, exceeds=6).probability == 1


def test_deaths_of_none_stay_none():
    found = project_deaths(np.zeros(10), np.zeros(20), 0.5, exceeds=0)
    assert (found.low, found.high, found.probability) == (0, 0, 0)


def test_nothing_is_projected_from_the_first_weeks_or_events():
    assert not may_project(59, 100)
    assert not may_project(100, 4)
    assert may_project(60, 5)


def test_a_rise_from_ten_to_thirty_is_near_certain_and_from_ten_to_eleven_is_not():
    assert probability_of_rise(30, 10) > 0.97
    assert 0.45 < probability_of_rise(11, 10) < 0.7
    assert probability_of_rise(30, 10, ratio=3) == pytest.approx(0.5, abs=0.1)


def test_completeness_is_recovered_though_only_known_events_are_seen():
    rng = np.random.default_rng(3)
    age = rng.integers(0, 400, 60_000)
    delay = rng.geometric(1 / 15, 60_000) - 1
    seen = delay <= age
    by_age = completeness_by_age(delay[seen], age[seen], longest_delay=200)
    days = np.array([0, 7, 14, 30, 60])
    np.testing.assert_allclose(by_age[days], 1 - (14 / 15) ** (days + 1), atol=0.02)
    assert by_age[-1] == 1
    assert (np.diff(by_age) >= 0).all()


def test_completeness_without_events_is_taken_to_be_full():
    assert (completeness_by_age([], []) == 1).all()


def test_a_window_is_as_complete_as_its_days():
    by_age = np.linspace(0, 1, 11)
    assert window_completeness(by_age, 3, 2) == pytest.approx(0.35)
    assert window_completeness(by_age, 100, 7) == 1


def test_an_excess_that_came_late_or_from_a_new_source_is_likely_reporting():
    assert reporting_change_is_likely(20, 10, late=4, from_new_sources=0)
    assert reporting_change_is_likely(20, 10, late=0, from_new_sources=4)
    assert not reporting_change_is_likely(20, 10, late=3, from_new_sources=3)
    assert not reporting_change_is_likely(5, 10, late=5, from_new_sources=5)
