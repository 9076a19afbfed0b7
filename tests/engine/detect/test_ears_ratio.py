"""The simple methods, on counts small enough to work out by hand."""

import numpy as np
import pytest
from scipy.stats import norm

from warden.engine.detect.ears import ears
from warden.engine.detect.gamma_poisson import gamma_poisson
from warden.engine.detect.ratio import acled_surge, acled_threat, ratio

SEVEN = [1, 3, 2, 2, 4, 0, 2]  # mean 2, sum of squares about it 10


def test_c1_is_the_mean_of_seven_weeks_and_z_standard_deviations():
    result = ears([[*SEVEN, 9]], [7], method="C1", alpha=0.001)
    assert result.expected[0, 0] == pytest.approx(2)
    assert result.high[0, 0] == pytest.approx(2 + norm.isf(0.001) * np.sqrt(10 / 6))
    assert result.alarm[0, 0]


def test_c2_leaves_the_two_newest_weeks_out():
    result = ears([[*SEVEN, 50, 50, 9]], [9], method="C2")
    assert result.expected[0, 0] == pytest.approx(2)
    assert result.alarm[0, 0]


def test_c3_needs_the_two_weeks_before_to_be_high():
    quiet = ears([[*SEVEN, 2, 2, 2, 2, 30]], [11], method="C3", min_sigma=0.5)
    risen = ears([[*SEVEN, 2, 2, 9, 9, 30]], [11], method="C3", min_sigma=0.5)
    assert not quiet.alarm[0, 0]
    assert risen.alarm[0, 0]


def test_the_smallest_spread_keeps_one_event_after_silence_from_alarming():
    silent = [[0] * 7 + [1]]
    assert ears(silent, [7], min_sigma=0.0).alarm[0, 0]
    assert not ears(silent, [7], min_sigma=0.5).alarm[0, 0]


def test_weeks_without_enough_history_are_not_tested():
    result = ears([[*SEVEN, 99]], [3, 7], method="C1")
    assert np.isnan(result.high[0, 0])
    assert result.alarm.tolist() == [[False, True]]


def test_a_ratio_after_silence_does_what_the_rule_says():
    counts = [[0] * 8 + [5]]
    assert not ratio(counts, [8], on_zero="never").alarm[0, 0]
    assert ratio(counts, [8], on_zero="fire").alarm[0, 0]


def test_a_ratio_compares_windows_of_several_weeks():
    counts = [[1, 1, 1, 1, 1, 1, 3, 3]]  # windows of two weeks: 2, 2, 2, then 6
    result = ratio(counts, [7], times=3, window=2, windows=3)
    assert result.expected[0, 0] == 2
    assert result.alarm[0, 0]
    assert not ratio(counts, [7], times=3.1, window=2, windows=3).alarm[0, 0]


def test_the_surge_tracker_needs_one_event_a_week_in_the_month_before():
    assert acled_surge([[1, 1, 1, 1, 2]], [4]).alarm[0, 0]
    assert not acled_surge([[1, 1, 1, 0, 9]], [4]).alarm[0, 0]


def test_the_threat_tracker_compares_a_month_with_the_year_before():
    assert acled_threat([[1] * 52 + [2] * 4], [55]).alarm[0, 0]
    assert not acled_threat([[2] * 52 + [2, 2, 3, 3]], [55]).alarm[0, 0]


def test_the_jeffreys_bound_of_a_silent_past_lets_one_event_pass():
    result = gamma_poisson([[0] * 6 + [1, 2]], [6], recent=6, alpha=0.05)
    assert result.high[0, 0] == 1
    assert not result.alarm[0, 0]


def test_counts_that_are_no_matrix_and_weeks_outside_are_refused():
    with pytest.raises(ValueError, match="series x weeks"):
        ears(np.zeros((2, 2, 2)), [1])
    with pytest.raises(ValueError, match=r"0\.\.7"):
        ears([[*SEVEN, 1]], [8])
