"""How much of a late week is known yet, from when earlier events became known.

Information for messages and charts, never a correction of a count: a count so far is tested against
the full expectation, since an early week can then only be called too late, never too early.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from warden.engine.detect.tails import Floats

LATE_DAYS = 28
SHARE_OF_EXCESS = 0.3


def completeness_by_age(
    delay_days: NDArray[np.integer] | Floats,
    age_days: NDArray[np.integer] | Floats,
    *,
    longest_delay: int = 365,
) -> Floats:
    """The share of a day's events that is known when the day is 0, 1, ... `longest_delay` days old.

    Only events that are known are in the data, so short delays are over-represented among young
    ones. The reverse-time product estimator (Lagakos, Barraj and De Gruttola 1988, Biometrika
    75:515) takes that out: known by age a = product over d > a of (1 - n_d / N_d), with n_d the
    events of delay d and N_d those of delay <= d whose day is at least d days old.

    Args:
        delay_days: for each known event, days from its day until it was first seen.
        age_days: for each, days from its day until now.
        longest_delay: everything is taken to be known by this age.

    Returns:
        `longest_delay + 1` shares, never falling, the last one 1; all 1 without events.

    """
    delay = np.clip(np.asarray(delay_days, dtype=np.intp), 0, None)
    age = np.maximum(np.asarray(age_days, dtype=np.intp), delay)
    usable = delay <= longest_delay
    delay, age = delay[usable], np.minimum(age[usable], longest_delay)
    size = longest_delay + 2
    events = np.bincount(delay, minlength=size)[:size]
    # At risk at d: delay <= d <= age.
    at_risk = np.cumsum(
        events - np.concatenate([[0], np.bincount(age, minlength=size)[: size - 1]])
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        stays = np.where(at_risk > 0, 1 - events / at_risk, 1.0)
    after = np.cumprod(stays[: longest_delay + 1][::-1])[::-1]
    return np.append(after[1:], 1.0)


def window_completeness(by_age: Floats, newest_age_days: int, days: int) -> float:
    """The share known of a window of `days` days whose newest day is `newest_age_days` old."""
    ages = np.minimum(newest_age_days + np.arange(days), len(by_age) - 1)
    return float(by_age[ages].mean())


def reporting_change_is_likely(
    observed: float, expected: float, late: float, from_new_sources: float
) -> bool:
    """Whether more than 30 % of an excess was reported over 28 days late or by a new source.

    Args:
        observed: the count.
        expected: what was to be expected.
        late: how much of `observed` became known more than 28 days after it happened.
        from_new_sources: how much of it comes from sources unseen in the reference weeks.

    """
    excess = observed - expected
    return excess > 0 and max(late, from_new_sources) > SHARE_OF_EXCESS * excess
