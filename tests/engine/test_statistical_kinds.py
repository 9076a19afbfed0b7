"""Spikes, drifts and projections as rules: what they find, when, and what they do not take back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from support.build import at, attack_rule, event
from support.ledger import MemoryLedger

from warden.engine.frame import Frame, day_from_number, day_number
from warden.engine.geo.geography import FixedGeography
from warden.engine.horizon import Horizon
from warden.engine.kinds import signals
from warden.engine.kinds.drift import DriftParameters
from warden.engine.kinds.memo import forget, remembered
from warden.engine.kinds.projection import ProjectionParameters
from warden.engine.kinds.spike import SpikeParameters
from warden.engine.kinds.weekly import complete_weeks
from warden.engine.where import Matcher
from warden.model.event import Event
from warden.model.rule import Rule
from warden.model.signal import Signal

FIRST = date(2018, 1, 6)  # a Saturday: coding weeks begin on one


def rule(kind: str, parameters: Any, **changes: Any) -> Rule:
    return attack_rule(id=f"a-{kind}", kind=kind, parameters=parameters, **changes)


def found(one: Rule, events: list[Event], through: date, start: date = FIRST) -> tuple[Signal, ...]:
    matches = Matcher(one, FixedGeography()).match(Frame.from_events(events))
    return signals(one, matches, Horizon(at("2025-01-01"), {"acled": through}, {"acled": start}))


def weekly(counts: list[int], start: date = FIRST, **changes: Any) -> list[Event]:
    """So many events in each week, spread over its days."""
    return [
        event(f"W{week}N{n}", start + timedelta(days=7 * week + n % 7), **changes)
        for week, count in enumerate(counts)
        for n in range(count)
    ]


def end_of(weeks: int) -> date:
    return FIRST + timedelta(days=7 * weeks - 1)


STEADY = [1, 0, 2, 1, 1, 0, 1, 2, 0, 1] * 16  # 160 weeks at 0.9 a week


# --- spike ------------------------------------------------------------------------------------


def test_a_week_far_above_its_past_is_a_spike_with_its_figures() -> None:
    counts = [*STEADY, 12]
    events = weekly(counts, fatalities=0)
    (signal,) = found(rule("spike", SpikeParameters()), events, end_of(161))
    facts = signal.facts
    assert facts["observed"] == 12
    assert 0.5 < facts["expected"] < 1.6
    assert facts["p"] < 1e-4
    assert facts["recurrence_days"] > 365
    assert facts["high"] < 12
    assert signal.since == signal.until == end_of(161)
    assert all(uid.startswith("acled:W160") for uid in signal.evidence[-12:])


def test_an_ordinary_past_is_no_spike() -> None:
    assert found(rule("spike", SpikeParameters()), weekly(STEADY), end_of(160)) == ()


def test_a_week_is_tested_only_when_it_is_complete() -> None:
    counts = [*STEADY, 12]
    spiking = rule("spike", SpikeParameters())
    assert found(spiking, weekly(counts), end_of(161) - timedelta(days=1)) == ()


def test_a_count_under_the_guard_is_never_tested() -> None:
    quiet = [0] * 160
    assert found(rule("spike", SpikeParameters()), weekly([*quiet, 2]), end_of(161)) == ()


def test_one_massacre_is_not_a_trend_but_many_deadly_events_are() -> None:
    calm = weekly(STEADY, fatalities=1)
    one = event("M1", FIRST + timedelta(days=7 * 160), fatalities=400)
    parameters = SpikeParameters(measures=("fatal_events", "fatalities_capped"), windows=("1w",))
    spiking = rule("spike", parameters)
    deadly = [
        event(f"D{n}", FIRST + timedelta(days=7 * 160 + n % 7), fatalities=3) for n in range(11)
    ]
    assert len(found(spiking, [*calm, *deadly], end_of(161))) == 1
    alone = found(spiking, [*calm, one], end_of(161))
    assert all(signal.facts["measure"] == "fatalities_capped" for signal in alone)


def test_a_larger_budget_never_finds_less() -> None:
    rng = np.random.default_rng(3)
    events = weekly(rng.poisson(1.2, 240).tolist())
    tight = found(rule("spike", SpikeParameters(false_alerts_per_year=0.5)), events, end_of(240))
    wide = found(
        rule("spike", SpikeParameters(false_alerts_per_year=26), version="2"), events, end_of(240)
    )
    held = {uid for signal in wide for uid in signal.evidence}
    assert all(set(signal.evidence) <= held for signal in tight)


def test_the_plain_ratio_fires_where_twice_the_usual_came() -> None:
    parameters = SpikeParameters(
        measures=("events",), windows=("1w",), baseline={"method": "ratio", "ratio": 3}
    )
    (signal,) = found(rule("spike", parameters), weekly([2] * 20 + [6]), end_of(21))
    assert (signal.facts["observed"], signal.facts["expected"], signal.facts["p"]) == (6, 2, None)


def test_an_alert_stands_when_only_the_past_it_was_compared_with_moves() -> None:
    ledger = MemoryLedger(rule("spike", SpikeParameters(windows=("1w",)), max_age_days=3650))
    ledger.data_start = FIRST
    now = at("2021-03-01")
    ledger.poll(now, new=weekly([*STEADY, 7]), complete_through=end_of(161))
    assert ledger.actions() == ["alert"]
    late = [
        event(f"L{n}", FIRST + timedelta(days=7 * 150 - 7 * (n % 60) + n % 7)) for n in range(400)
    ]
    decisions = ledger.poll(now, new=late, complete_through=end_of(161))
    assert [d.reason for d in decisions if d.previous is not None] == ["BASELINE_MOVED"]
    assert ledger.actions()[0] == "alert"
    assert "cancel" not in ledger.actions()
    assert "update" not in ledger.actions()


def test_an_alert_is_closed_when_its_own_events_are_taken_back() -> None:
    ledger = MemoryLedger(rule("spike", SpikeParameters(windows=("1w",)), max_age_days=3650))
    ledger.data_start = FIRST
    now = at("2021-03-01")
    ledger.poll(now, new=weekly([*STEADY, 9]), complete_through=end_of(161))
    gone = [f"acled:W160N{n}" for n in range(7)]
    (decision,) = ledger.poll(now, gone=gone, complete_through=end_of(161))
    assert (decision.notice, decision.reason) == ("update", "NO_LONGER_MATCHES")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"windows": ["10d"]}, "whole weeks"),
        ({"alpha": 0.01, "false_alerts_per_year": 2}, "give one of"),
        ({"measures": []}, "at least 1"),
        ({"baseline": {"method": "magic"}}, "nb_glm"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SpikeParameters(**given)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 5), min_size=6, max_size=6), min_size=1, max_size=5),
    st.integers(0, 5),
)
def test_remembered_tests_are_those_made_anew(steps: list[list[int]], grow: int) -> None:
    forget()

    def tested(counts: Any) -> Any:
        running = np.cumsum(counts[0], axis=1)
        return lambda start: [running[:, start:], counts[0][:, start:]]

    for number, step in enumerate(steps):
        row = [*step, *([1] * (grow if number % 2 else 0))]
        counts = np.array([[row]], dtype=np.float64)
        columns = remembered("key", counts, ("running", "last"), tested(counts))
        assert columns["running"].tolist() == [np.cumsum(row).tolist()]
        assert columns["last"].tolist() == [row]


# --- drift ------------------------------------------------------------------------------------


def test_a_sustained_rise_is_found_though_no_week_stands_out() -> None:
    low, high = [0, 0, 0, 1] * 40, [1, 1, 0, 1] * 8  # a quarter, then three quarters a week
    drifting = rule("drift", DriftParameters(false_alerts_per_year=0.2))
    (signal,) = found(drifting, weekly([*low, *high]), end_of(192))
    assert signal.since > end_of(160)
    assert signal.since <= end_of(160 + 27)
    assert signal.facts["began"] >= end_of(156).isoformat()
    assert signal.facts["ratio"] > 1.5


def test_an_unchanged_rate_does_not_drift() -> None:
    drifting = rule("drift", DriftParameters(false_alerts_per_year=0.2))
    assert found(drifting, weekly([0, 0, 0, 1] * 60), end_of(240)) == ()


def test_a_drift_ends_when_the_rate_falls_back() -> None:
    counts = [0, 0, 0, 1] * 40 + [2] * 20 + [0] * 40
    (signal,) = found(
        rule("drift", DriftParameters(false_alerts_per_year=0.2)), weekly(counts), end_of(220)
    )
    assert signal.ended


# --- projection -------------------------------------------------------------------------------


def spread_over(year: int, count: int, until: date | None = None) -> list[Event]:
    first = date(year, 1, 1)
    days = ((until or date(year, 12, 31)) - first).days
    return [
        event(f"Y{year}N{n}", first + timedelta(days=int((n + 0.5) * days / count)))
        for n in range(count)
    ]


def projecting(**parameters: Any) -> Rule:
    return rule("projection", ProjectionParameters(**parameters), max_age_days=3650)


def test_half_a_year_above_the_whole_last_one_is_told_with_its_interval() -> None:
    events = [
        *spread_over(2022, 13),
        *spread_over(2023, 13),
        *spread_over(2024, 17, date(2024, 6, 30)),
    ]
    (signal,) = [
        s
        for s in found(projecting(), events, date(2024, 6, 30), date(2012, 1, 1))
        if s.identity == "2024"
    ]
    assert signal.facts["projected"] == pytest.approx(34.2, abs=0.2)
    assert signal.facts["low"] <= 26
    assert signal.facts["high"] >= 42
    assert signal.facts["probability"] > 0.95
    assert not signal.ended


def test_a_latched_projection_stays_and_is_told_beside_what_the_year_came_to() -> None:
    first_half = [event(f"H{n}", date(2024, 1, 1) + timedelta(days=7 * n)) for n in range(20)]
    events = [*spread_over(2023, 12), *first_half]
    (signal,) = found(projecting(), events, date(2025, 1, 31), date(2023, 1, 1))
    assert signal.identity == "2024"
    assert signal.ended
    assert signal.facts["actual"] == 20
    assert signal.facts["first_projected"] > 20
    assert signal.facts["first_probability"] >= 0.95
    assert signal.facts["first_on"] <= "2024-06-30"


@pytest.mark.parametrize("weekday", range(7))
def test_the_event_that_exceeds_last_year_is_told_as_soon_as_its_day_is_known(weekday: int) -> None:
    day = date(2024, 10, 7) + timedelta(days=weekday)
    early = [event(f"E{n}", date(2024, 9, 1) + timedelta(days=n)) for n in range(6)]
    events = [*spread_over(2023, 6), *early, event("SEVENTH", day)]
    (signal,) = found(projecting(), events, day, date(2023, 1, 1))
    assert (signal.identity, signal.since) == ("2024", day)
    assert signal.facts["first_probability"] == 1.0


def test_nothing_is_projected_from_sixty_days_or_five_events() -> None:
    events = [*spread_over(2023, 2), *spread_over(2024, 12, date(2024, 2, 20))]
    assert found(projecting(), events, date(2024, 2, 20), date(2012, 1, 1)) == ()
    few = [*spread_over(2023, 1), *spread_over(2024, 4, date(2024, 6, 30))]
    assert found(projecting(), few, date(2024, 6, 30), date(2012, 1, 1)) == ()


def test_the_rolling_year_is_told_against_the_year_before_it() -> None:
    events = [*spread_over(2022, 3), *spread_over(2023, 6), *spread_over(2024, 40)]
    (signal,) = found(
        projecting(period="rolling-year", ratio=2), events, date(2024, 12, 31), date(2012, 1, 1)
    )
    assert signal.facts["previous"] <= 10
    assert signal.facts["probability"] >= 0.95
    assert signal.since < date(2024, 12, 31)


def test_deaths_are_projected_with_the_weight_of_single_events() -> None:
    deadly = [
        event(f"D{n}", date(2024, 1, 3) + timedelta(days=6 * n), fatalities=20 if n % 9 == 0 else 2)
        for n in range(30)
    ]
    earlier = [
        event(f"E{n}", date(2023, 1, 3) + timedelta(days=12 * n), fatalities=3) for n in range(30)
    ]
    (signal,) = found(
        projecting(measure="fatalities"), [*earlier, *deadly], date(2024, 6, 30), date(2023, 1, 1)
    )
    facts = signal.facts
    assert facts["low"] < facts["projected"] < facts["high"]
    again = found(
        projecting(measure="fatalities"), [*earlier, *deadly], date(2024, 6, 30), date(2023, 1, 1)
    )
    assert again[0].facts == facts


def test_the_period_before_must_lie_in_the_data() -> None:
    events = [*spread_over(2023, 2), *spread_over(2024, 30)]
    assert found(projecting(), events, date(2024, 12, 31), date(2023, 6, 1)) == ()


# --- weeks ------------------------------------------------------------------------------------


def test_coding_weeks_run_from_saturday_to_friday_and_iso_weeks_from_monday() -> None:
    matches = Matcher(attack_rule(), FixedGeography()).match(Frame.from_events([event("A1")]))
    friday = date(2022, 7, 29)
    horizon = Horizon(at("2022-08-03"), {"acled": friday}, {"acled": date(2022, 7, 1)})
    coding, iso = (complete_weeks(matches, horizon, kind) for kind in ("auto", "iso"))
    assert coding is not None
    assert iso is not None
    assert day_from_number(coding.last_day(coding.count - 1)) == friday
    assert day_from_number(coding.first) == date(2022, 7, 2)
    assert day_from_number(iso.last_day(iso.count - 1)) == date(2022, 7, 24)
    assert day_from_number(iso.first).isoweekday() == 1
    assert day_number(friday) == coding.last_day(coding.count - 1)
