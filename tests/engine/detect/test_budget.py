"""Budgets keep to their number, whatever the number of series, and look only backwards."""

import numpy as np
import pytest

from warden.engine.detect.budget import (
    Calibration,
    alpha_for_budget,
    alpha_for_recurrence,
    drift_run_length,
    recurrence_days,
    series_seen,
    smallest_p,
)
from warden.engine.detect.calibrate import alerts, calibrate, calibrate_drift, in_control
from warden.engine.detect.drift import DriftSettings
from warden.engine.detect.simulate import negative_binomial
from warden.engine.detect.spike import SpikeSettings, spike


def test_six_a_year_over_three_hundred_series_is_a_level_of_four_in_ten_thousand():
    assert alpha_for_budget(6, np.array([300.0]))[0] == pytest.approx(6 / (300 * 52.18), rel=1e-3)


def test_the_level_of_a_week_does_not_change_when_series_appear_later():
    counts = np.zeros((5, 10))
    counts[0, 1] = counts[1, 4] = counts[2, 8] = 1
    early = series_seen(counts[:, :6], [0, 5])
    assert early.tolist() == [1, 2]
    assert series_seen(counts, [0, 5, 9]).tolist() == [1, 2, 3]


def test_recurrence_is_at_most_twenty_years():
    days = recurrence_days(np.array([1e-12, 6 / (300 * 52.1775)]), np.array([300.0, 300.0]))
    assert days[0] == pytest.approx(20 * 365.2425)
    assert days[1] == pytest.approx(365.2425 / 6, rel=1e-3)
    assert alpha_for_recurrence(365.0) == pytest.approx(7 / 365)


def test_the_drift_share_of_a_budget_gives_each_series_a_longer_run():
    assert drift_run_length(2, np.array([100.0]))[0] == pytest.approx(100 * 52.1775 / 2)


def test_the_smallest_p_is_corrected_and_says_which_test_it_was():
    p, which = smallest_p([np.array([[0.5, 1e-6]]), np.array([[0.01, 0.2]])])
    assert which.tolist() == [[1, 0]]
    assert p[0] == pytest.approx([1 - 0.99**2, 2e-6], rel=1e-4)


def test_a_calibration_moves_the_level_to_what_really_costs_the_wanted():
    twice = Calibration((1e-4, 1e-3, 1e-2), (2e-4, 2e-3, 2e-2))
    assert twice.nominal_for(np.array([1e-3, 1e-7])) == pytest.approx([5e-4, 5e-8])
    assert Calibration().nominal_for(np.array([0.01])).tolist() == [0.01]
    learned = Calibration.of([1e-4, 1e-3, 1e-2], [5, 20, 100], 10_000)
    assert learned == Calibration((1e-3, 1e-2), (2e-3, 1e-2))


def test_neighbouring_alarms_are_one_alert():
    alarm = np.zeros((2, 20), bool)
    alarm[0, [3, 4, 7, 15]] = True
    alarm[1, 4] = True
    assert alerts(alarm) == 3


def test_a_spike_names_its_measure_and_window():
    rng = np.random.default_rng(1)
    events = negative_binomial(rng, np.full((3, 300), 2.0), 1.2)
    deaths = rng.binomial(events.astype(int), 0.3).astype(float)
    events[1, 299] = 40
    deaths[2, 296:300] += 6
    found = spike({"events": events, "fatal_events": deaths}, [299])
    assert found.p[1, 0] < 1e-8
    assert found.measures[found.measure[1, 0]] == "events"
    assert found.window[1, 0] == 1
    assert found.measures[found.measure[2, 0]] == "fatal_events"
    assert found.window[2, 0] == 4
    assert found.observed[2, 0] >= 24
    assert found.tests == 6
    assert found.uncorrected(0.06) == pytest.approx(0.0103, rel=0.01)


def test_a_spike_of_young_series_uses_the_pooled_law():
    counts = negative_binomial(np.random.default_rng(2), np.full((20, 60), 2.0), 1.2)
    counts[4, 59] = 30
    for baseline in ("nb_glm", "gamma_poisson"):
        p = spike({"events": counts}, [59], SpikeSettings(windows=(1,), baseline=baseline)).p
        assert p[4, 0] < 1e-6


def test_calibration_brings_a_rule_to_its_budget_on_a_history_like_its_own():
    rng = np.random.default_rng(3)
    rate = np.exp(rng.normal(-1.0, 1.0, 60))
    history = negative_binomial(rng, np.repeat(rate[:, None], 300, axis=1), 1.6)
    report = calibrate(
        {"events": history},
        SpikeSettings(windows=(1, 4)),
        false_alerts_per_year=12,
        rng=np.random.default_rng(4),
        years=8,
    )
    assert report.calibrated == pytest.approx(12, rel=0.45)  # 96 alerts: +-2 standard errors
    power = {(p.rise, p.rates[0]): p.found for p in report.power}
    assert power[5.0, 1.0] > power[2.0, 1.0]
    assert power[5.0, 1.0] > 0.8


def test_a_drift_rule_keeps_to_its_budget_and_finds_rises():
    rng = np.random.default_rng(6)
    rate = np.exp(rng.normal(0.0, 1.0, 40))
    history = negative_binomial(rng, np.repeat(rate[:, None], 300, axis=1), 1.4)
    report = calibrate_drift(
        history, DriftSettings(), false_alerts_per_year=3, rng=np.random.default_rng(7), years=15
    )
    assert report.realised == pytest.approx(3, rel=0.5)  # 45 alerts
    power = {(p.rise, p.rates[0]): p for p in report.power}
    assert power[3.0, 1.0].found > 0.9
    assert power[5.0, 1.0].delay_weeks < power[3.0, 1.0].delay_weeks < 12


def test_in_control_laws_are_those_of_the_history():
    rng = np.random.default_rng(5)
    law = in_control(negative_binomial(rng, np.full((200, 300), 2.0), 1.8))
    assert np.median(law.mean) == pytest.approx(2.0, rel=0.05)
    assert np.median(law.phi) == pytest.approx(1.8, rel=0.05)
