"""Drift finds sustained rises, at the promised cost."""

import numpy as np
import pytest

from warden.engine.detect.drift import DriftSettings, drift, threshold
from warden.engine.detect.simulate import negative_binomial

FIVE_YEARS = DriftSettings()


@pytest.mark.parametrize(("mean", "weeks"), [(0.25, 14), (1.0, 6), (4.0, 3)])
@pytest.mark.parametrize("phi", [1.2, 1.5])
def test_a_sustained_rise_of_three_is_found_in_time_with_everything_estimated(mean, weeks, phi):
    rng = np.random.default_rng(1)
    rate = np.full((600, 400), mean)
    rate[:, 300:] *= 3
    alarm = drift(negative_binomial(rng, rate, phi), FIVE_YEARS).alarm
    after = alarm[~alarm[:, 299], 300:]
    delay = np.where(after.any(axis=1), after.argmax(axis=1) + 1, 999)
    assert np.median(delay) <= weeks


@pytest.mark.parametrize("mean", [0.1, 0.25, 1.0, 4.0])
def test_an_unchanged_series_raises_about_one_false_alarm_in_five_years(mean):
    rng = np.random.default_rng(2)
    alarm = drift(negative_binomial(rng, np.full((500, 620), mean), 1.5), FIVE_YEARS).alarm
    tested = alarm[:, 260:]
    starts = (tested[:, 1:] & ~tested[:, :-1]).sum()
    per_five_years = starts / len(alarm) / (tested.shape[1] / 52.18) * 5
    assert 0.6 < per_five_years < 1.4


def test_with_a_known_law_the_run_length_is_the_wanted_one():
    rng = np.random.default_rng(3)
    counts = negative_binomial(rng, np.full((1500, 1200), 1.0), 1.5)
    known = np.ones_like(counts)
    alarm = drift(counts, DriftSettings(), expected=known, phi=1.5 * known).alarm
    first = np.where(alarm.any(axis=1), alarm.argmax(axis=1) + 1, 1200)
    assert first.mean() == pytest.approx(261, rel=0.1)


def test_the_start_of_the_rise_is_told():
    counts = np.tile([1.0, 0.0, 1.0, 2.0], 75)[None, :].repeat(2, axis=0)
    counts[1, 250:] = 4
    result = drift(counts)
    assert not result.alarm[0].any()
    first = int(result.alarm[1].argmax())
    assert 250 <= first <= 254
    assert 247 <= result.since[1, first] <= 251


def test_an_alarm_ends_soon_after_the_rise_ends():
    counts = np.tile([1.0, 0.0, 1.0, 2.0], 100)[None, :].copy()
    counts[0, 250:300] = 5
    alarm = drift(counts).alarm[0]
    assert alarm[299]
    assert not alarm[312:].any()


def test_a_tighter_budget_has_a_higher_threshold_and_may_change_by_week():
    mean, phi = np.array([0.5, 2.0]), np.array([1.2, 3.0])
    assert (threshold(mean, phi, 2.0, 5200.0) > threshold(mean, phi, 2.0, 260.0)).all()
    counts = negative_binomial(np.random.default_rng(4), np.full((50, 400), 1.0), 1.2)
    loose = drift(counts, run_length=np.full(400, 52.0)).alarm.sum()
    tight = drift(counts, run_length=np.full(400, 5200.0)).alarm.sum()
    assert tight < loose


def test_unknown_weeks_add_nothing_and_a_short_past_is_not_summed():
    counts = np.full((1, 120), 1.0)
    counts[0, 100:110] = np.nan
    result = drift(counts)
    assert np.isnan(result.expected[0, :52]).all()
    assert (result.statistic[0, :52] == 0).all()
    assert (np.diff(result.statistic[0, 99:110]) == 0).all()


def test_few_series_are_summed_as_many_are():
    rng = np.random.default_rng(4)
    counts = negative_binomial(rng, np.full((40, 300), 0.8), 1.5)
    together = drift(counts, FIVE_YEARS)
    apart = [drift(counts[row : row + 10], FIVE_YEARS) for row in range(0, 40, 10)]
    assert np.array_equal(together.statistic, np.vstack([part.statistic for part in apart]))
    assert np.array_equal(together.since, np.vstack([part.since for part in apart]))
