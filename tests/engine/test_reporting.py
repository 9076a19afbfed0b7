"""A change in reporting is told from a change in violence, and late weeks are known as such."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from support.build import at, attack_rule, cluster_rule, record, stored
from support.ledger import MemoryLedger

from warden.engine.frame import Frame, day_number
from warden.engine.geo.geography import FixedGeography
from warden.engine.horizon import Horizon
from warden.engine.kinds import signals
from warden.engine.kinds.drift import DriftParameters
from warden.engine.kinds.reporting import completeness
from warden.engine.kinds.spike import SpikeParameters
from warden.engine.notices import Atlas, notices
from warden.engine.where import Matcher, Matches
from warden.model.event import Event
from warden.model.rule import SeverityStep
from warden.model.signal import Signal

FIRST = date(2018, 1, 6)  # a Saturday
STEADY = [1, 0, 2, 1, 1, 0, 1, 2, 0, 1] * 16
LAST_WEEK = FIRST + timedelta(days=7 * 160)
CRITICAL = (SeverityStep("critical"),)


def seen(when: date, number: str, *, delay: int = 5, **changes: Any) -> Event:
    known = datetime(when.year, when.month, when.day, tzinfo=UTC) + timedelta(days=delay)
    return stored(record(number, when, **changes), known)


def past() -> list[Event]:
    return [
        seen(FIRST + timedelta(days=7 * week + n), f"W{week}N{n}", reporters="Radio One; Agency")
        for week, count in enumerate(STEADY)
        for n in range(count)
    ]


def burst(count: int, **changes: Any) -> list[Event]:
    return [seen(LAST_WEEK + timedelta(days=n % 7), f"B{n}", **changes) for n in range(count)]


def matched(events: list[Event]) -> Matches:
    return Matcher(attack_rule(), FixedGeography()).match(Frame.from_events(events))


def newest(kind: str, parameters: Any, events: list[Event], weeks: int = 161) -> Signal:
    rule = attack_rule(id="a", kind=kind, parameters=parameters, severity=CRITICAL)
    horizon = Horizon(
        at("2026-01-01"), {"acled": FIRST + timedelta(days=7 * weeks - 1)}, {"acled": FIRST}
    )
    return max(signals(rule, matched(events), horizon), key=lambda signal: signal.last_day)


@pytest.mark.parametrize(
    ("fresh", "expected"),
    [
        ([], None),
        (burst(3, reporters="New Network"), None),  # less than a third of the excess
        (burst(6, reporters="New Network; Another"), 6),
        (burst(6, reporters="New Network; agency "), None),  # one of them is known
    ],
)
def test_reporters_never_heard_of_make_a_change_in_reporting_likely(
    fresh: list[Event], expected: int | None
) -> None:
    others = [
        seen(LAST_WEEK + timedelta(days=n % 7), f"O{n}", reporters="Agency")
        for n in range(14 - len(fresh))
    ]
    signal = newest("spike", SpikeParameters(measures=("events",)), [*past(), *others, *fresh])
    change = signal.facts.get("reporting_change")
    if expected is None:
        assert (change, signal.severity) == (None, "critical")
    else:
        assert change is not None
        assert change["new_sources"] == expected
        assert change["names"] == ["Another", "New Network"]
        assert signal.severity == "warning"


@pytest.mark.parametrize(("delay", "label"), [(28, False), (29, True), (300, True)])
def test_what_was_reported_over_28_days_late_makes_it_likely(delay: int, label: bool) -> None:
    late = burst(6, delay=delay, reporters="Agency")
    timely = [seen(LAST_WEEK + timedelta(days=n), f"T{n}", reporters="Agency") for n in range(6)]
    signal = newest("spike", SpikeParameters(), [*past(), *late, *timely])
    assert ("reporting_change" in signal.facts) is label
    assert signal.severity == ("warning" if label else "critical")


def test_a_drift_that_rests_on_a_new_network_says_so() -> None:
    rise = [
        seen(LAST_WEEK + timedelta(days=7 * week + n), f"R{week}N{n}", reporters="New Network")
        for week in range(8)
        for n in range(5)
    ]
    signal = newest("drift", DriftParameters(), [*past(), *rise], weeks=168)
    assert signal.facts["reporting_change"]["names"] == ["New Network"]
    assert signal.severity == "warning"


def test_a_first_load_is_not_late_reporting() -> None:
    loaded = datetime(2021, 6, 1, tzinfo=UTC)
    events = [stored(event.record, loaded) for event in [*past(), *burst(12, reporters="Agency")]]
    assert "reporting_change" not in newest("spike", SpikeParameters(), events).facts


def test_nothing_is_said_of_new_reporters_where_hardly_any_was_named_before() -> None:
    silent = [stored(one.record, one.first_seen_at) for one in past()]
    nameless = [seen(one.record.event_date, one.record.source_id, reporters="") for one in silent]
    signal = newest("spike", SpikeParameters(), [*nameless, *burst(12, reporters="Agency")])
    assert "reporting_change" not in signal.facts


def watched(today: date, *, share_early: float, events: int = 400) -> Matches:
    """Events of the 400 days before today: some known after two days, the rest after twenty."""
    made = []
    for n in range(events):
        happened = today - timedelta(days=400) + timedelta(days=n % 400)
        delay = 2 if (n * 7 % 10) < share_early * 10 else 20
        if happened + timedelta(days=delay) <= today:
            made.append(seen(happened, f"E{n}", delay=delay))
    return matched(made)


def test_completeness_is_estimated_from_when_events_became_known() -> None:
    today = date(2022, 7, 1)
    matches = watched(today, share_early=0.6)
    now = day_number(today)
    young = completeness(matches, now, now - 3, 7)
    assert young == pytest.approx(0.6, abs=0.08)
    assert completeness(matches, now, now - 60, 7) == pytest.approx(1.0, abs=0.01)


def test_completeness_is_not_spoken_of_before_enough_was_watched() -> None:
    today = date(2022, 7, 1)
    now = day_number(today)
    assert completeness(watched(today, share_early=0.6, events=40), now, now - 3, 7) is None
    loaded = [stored(event.record, at("2022-06-01")) for event in past()]
    assert completeness(matched(loaded), now, now - 3, 7) is None
    assert completeness(matched([]), now, now - 3, 7) is None


def test_the_measures_of_a_spike_stand_side_by_side_as_they_were_tested() -> None:
    deadly = [
        seen(LAST_WEEK + timedelta(days=n % 7), f"B{n}", fatalities=30 if n == 3 else n % 3)
        for n in range(12)
    ]
    calm = [
        seen(e.record.event_date, e.record.source_id, fatalities=i % 2)
        for i, e in enumerate(past())
    ]
    rule = attack_rule(id="a", kind="spike", parameters=SpikeParameters())
    matches = matched([*calm, *deadly])
    horizon = Horizon(at("2021-02-10"), {"acled": LAST_WEEK + timedelta(days=6)}, {"acled": FIRST})
    signal = max(signals(rule, matches, horizon), key=lambda one: one.last_day)
    ledger = MemoryLedger(rule)
    ledger.data_start = FIRST
    decision = ledger.poll(at("2021-02-10"), new=[*calm, *deadly],
                           complete_through=LAST_WEEK + timedelta(days=6))[-1]  # fmt: skip
    ((notice, _),) = notices(rule, [decision], matches, horizon.now, Atlas(), horizon=horizon)
    told = {one["measure"]: one for one in notice.facts["measures"]}
    assert list(told) == ["events", "fatal_events", "fatalities_capped", "fatalities"]
    strongest = told[signal.facts["measure"]]
    for name in ("observed", "expected", "low", "high"):
        assert strongest[name] == pytest.approx(signal.facts[name], abs=1e-6)
    assert told["events"]["observed"] >= 12
    assert told["fatalities"]["observed"] >= 41
    assert told["fatalities"]["largest_share"] == pytest.approx(
        30 / told["fatalities"]["observed"], abs=1e-5
    )


def test_a_notice_says_how_much_is_usually_known_and_the_alert_does_not() -> None:
    today = date(2022, 7, 1)
    made = []
    for n in range(400):
        happened = today - timedelta(days=400) + timedelta(days=n)
        delay = 2 if n % 10 < 6 else 20
        if happened + timedelta(days=delay) <= today:
            made.append(seen(happened, f"E{n}", delay=delay))
    rule = cluster_rule(window=10, least=2, max_age_days=500)
    ledger = MemoryLedger(rule)
    decision = ledger.poll(at("2022-07-01"), new=made)[-1]
    horizon = Horizon(at("2022-07-01"), {"acled": date(2022, 6, 30)}, {"acled": FIRST})
    ((notice, _),) = notices(rule, [decision], matched(made), horizon.now, Atlas(), horizon=horizon)
    assert 0.5 < notice.facts["completeness"] < 0.9
    assert "completeness" not in decision.alert.facts
