"""Records, firsts and silences."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.build import START, attack_rule, day, event
from support.ledger import MemoryLedger

from warden.engine.frame import Frame
from warden.engine.geo.geography import FixedGeography
from warden.engine.horizon import Horizon
from warden.engine.kinds import signals
from warden.engine.kinds.new import NewParameters
from warden.engine.kinds.quiet import Below, QuietParameters
from warden.engine.kinds.record import RecordParameters, record_days
from warden.engine.where import Matcher
from warden.model.event import Event
from warden.model.rule import Rule, SeverityStep
from warden.model.signal import Signal

FIRST = date(2018, 1, 1)


def rule(kind: str, parameters: Any, **changes: Any) -> Rule:
    return attack_rule(id=f"a-{kind}", kind=kind, parameters=parameters, **changes)


def found(one: Rule, events: list[Event], through: date, start: date = FIRST) -> tuple[Signal, ...]:
    matches = Matcher(one, FixedGeography()).match(Frame.from_events(events))
    horizon = Horizon(START, {"acled": through}, {"acled": start})
    return signals(one, matches, horizon)


def record_parameters(lookback: tuple[int, ...], floor: float, window: int = 30) -> Any:
    return RecordParameters.model_construct(
        measure="fatalities", window=window, lookback=lookback, floor=floor
    )


# --- record -----------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=80),
    st.sampled_from([(5,), (5, 12), (1,), (80,)]),
    st.integers(0, 6),
)
def test_a_record_is_what_a_plain_reading_says(
    sums: list[int], lookback: tuple[int, ...], first_whole: int
) -> None:
    values = np.array(sums, dtype=np.float64)
    mine = record_days(values, record_parameters(lookback, floor=3), first_whole)
    for position, value in enumerate(sums):
        holding = [
            length
            for length in lookback
            if position >= first_whole + length - 1
            and value >= max(sums[position - length + 1 : position + 1])
            and value >= 3
        ]
        assert mine[position] == max(holding, default=0)


def test_the_rule_of_hdx_signals_is_a_record_of_one_or_three_years() -> None:
    severity = (SeverityStep("critical", "record_days >= 1096"), SeverityStep("warning"))
    one = rule("record", record_parameters((366, 1096), 100), severity=severity, cooldown_days=180)
    steady = [event(f"A{n}", FIRST + timedelta(days=30 * n), fatalities=60) for n in range(60)]
    worst = event("B1", FIRST + timedelta(days=1500), fatalities=200)
    (signal,) = found(one, [*steady, worst], FIRST + timedelta(days=1600))
    assert signal.severity == "critical"
    assert signal.facts["record_days"] == 1096
    assert signal.since == FIRST + timedelta(days=1500)
    # 30 * 50 = 1500: the window of the worst day holds one of the steady events as well.
    assert signal.value == 260


def test_nothing_is_a_record_before_the_data_reach_back_far_enough() -> None:
    one = rule("record", record_parameters((366,), 100))
    early = event("B1", FIRST + timedelta(days=300), fatalities=200)
    assert found(one, [early], FIRST + timedelta(days=330)) == ()
    late = event("B1", FIRST + timedelta(days=30 + 366), fatalities=200)
    assert len(found(one, [late], FIRST + timedelta(days=450))) == 1


def test_a_sum_below_the_floor_is_no_record() -> None:
    one = rule("record", record_parameters((366,), 100))
    late = event("B1", FIRST + timedelta(days=500), fatalities=99)
    assert found(one, [late], FIRST + timedelta(days=550)) == ()


# --- new --------------------------------------------------------------------------------------


def new_parameters(field: str = "event", memory: int = 365) -> Any:
    return NewParameters.model_construct(field=field, memory=memory)


def test_a_first_after_years_is_new_and_tells_when_it_was_last_seen() -> None:
    one = rule("new", new_parameters(memory=5 * 365))
    events = [event("A1", "2018-01-05"), event("A2", "2024-09-17"), event("A3", "2024-09-18")]
    (signal,) = found(one, events, day("2024-10-01"))
    assert signal.evidence == ("acled:A2", "acled:A3")
    assert signal.facts["last_seen"] == "2018-01-05"


def test_a_longer_memory_remembers() -> None:
    one = rule("new", new_parameters(memory=9 * 365))
    events = [event("A1", "2018-01-05"), event("A2", "2024-09-17")]
    assert found(one, events, day("2024-10-01")) == ()


def test_nothing_is_new_before_the_data_reach_back_a_whole_memory() -> None:
    one = rule("new", new_parameters(memory=365))
    assert found(one, [event("A1", "2018-12-31")], day("2024-10-01")) == ()
    assert len(found(one, [event("A1", "2019-01-01")], day("2024-10-01"))) == 1


def test_each_district_is_new_by_itself() -> None:
    one = rule("new", new_parameters("admin2"))
    events = [
        event("A1", "2020-01-01", admin2="Kati"),
        event("A2", "2020-02-01", admin2="Dioila"),
        event("A3", "2020-03-01", admin2="Kati"),
    ]
    assert [dict(s.key) for s in found(one, events, day("2020-06-01"))] == [
        {"admin2": "Dioila"},
        {"admin2": "Kati"},
    ]


def test_a_run_that_began_long_ago_is_not_told_as_new_when_it_goes_on() -> None:
    ledger = MemoryLedger(rule("new", new_parameters(memory=365), max_age_days=90))
    ledger.data_start = day("2015-01-01")
    ledger.poll(START, new=[event("A1", "2022-01-01")])
    ledger.poll(START, new=[event("A2", "2022-07-28")])
    assert ledger.actions() == []


def test_a_new_alert_never_resolves() -> None:
    ledger = MemoryLedger(rule("new", new_parameters(memory=365)))
    ledger.data_start = day("2015-01-01")
    ledger.poll(START, new=[event("A1")])
    ledger.poll(START + timedelta(days=900))
    assert ledger.actions() == ["alert"]


# --- quiet ------------------------------------------------------------------------------------


def quiet_parameters(window: int = 28) -> Any:
    return QuietParameters.model_construct(measure="events", window=window, condition=Below(lt=1))


def test_silence_is_told_only_over_days_that_are_known() -> None:
    ledger = MemoryLedger(rule("quiet", quiet_parameters()))
    spoken = [event(f"A{n}", date(2022, 5, 1) + timedelta(days=7 * n)) for n in range(4)]
    ledger.poll(START, new=spoken, complete_through=day("2022-06-10"))
    assert ledger.actions() == []
    ledger.poll(START, complete_through=day("2022-06-25"))
    assert ledger.actions() == ["alert"]


def test_events_that_arrive_late_take_the_silence_back() -> None:
    ledger = MemoryLedger(rule("quiet", quiet_parameters()))
    spoken = [event(f"A{n}", date(2022, 5, 1) + timedelta(days=7 * n)) for n in range(4)]
    ledger.poll(START, new=spoken, complete_through=day("2022-06-25"))
    ledger.poll(START, new=[event("B1", "2022-06-05")], complete_through=day("2022-06-25"))
    assert ledger.actions() == ["alert", "cancel"]


def test_a_silence_that_is_broken_is_resolved() -> None:
    ledger = MemoryLedger(rule("quiet", quiet_parameters()))
    spoken = [event(f"A{n}", date(2022, 5, 1) + timedelta(days=7 * n)) for n in range(4)]
    ledger.poll(START, new=spoken, complete_through=day("2022-06-25"))
    ledger.poll(START, new=[event("B1", "2022-07-20")], complete_through=day("2022-07-25"))
    assert ledger.actions() == ["alert", "resolved"]


@pytest.mark.parametrize("bad", [{"lt": 0}, {"lt": 1, "lte": 1}, {}])
def test_a_bound_that_cannot_hold_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"bound|exactly one"):
        Below(**bad)
