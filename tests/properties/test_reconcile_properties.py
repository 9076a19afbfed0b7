"""What must hold of every history, whatever its order."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from support.build import START, attack_rule, cluster_rule, event
from support.ledger import MemoryLedger

from warden.model.event import Event
from warden.model.rule import Rule, SeverityStep

KATI = (12.7446, -8.0725)
GAO = (16.2717, -0.0447)
GRADED = (SeverityStep("critical", "fatalities >= 10"), SeverityStep("warning"))

rules = st.sampled_from(
    [
        attack_rule(severity=GRADED),
        attack_rule(max_age_days=30, by=("admin1",)),
        cluster_rule(window=10, least=2, severity=GRADED, max_age_days=365),
        cluster_rule(window=20, least=3, keep_firing_for_days=10, by=("admin1",)),
        cluster_rule(window=15, least=12, measure="fatalities"),
        cluster_rule(window=10, least=2, cooldown_days=30),
        cluster_rule(window=15, least=2, measure="distinct(report)", resolve_days=7),
    ]
)


@st.composite
def versions(draw: st.DrawFn, source_id: str) -> tuple[Event | None, ...]:
    """The successive versions of one event; None where the source deletes it."""
    history: list[Event | None] = []
    day = START.date() - timedelta(days=draw(st.integers(1, 90)))
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.integers(0, 4)) == 0:
            history.append(None)
            continue
        lat, lon = draw(st.sampled_from([KATI, KATI, KATI, GAO]))
        happened = day + timedelta(days=draw(st.integers(-3, 0)))
        history.append(
            event(
                source_id,
                happened,
                lat=lat,
                lon=lon,
                fatalities=draw(st.sampled_from([0, 1, 4, 12])),
                admin1=draw(st.sampled_from(["Koulikoro", "Koulikoro", "Segou"])),
            )
        )
    return tuple(history)


@st.composite
def histories(draw: st.DrawFn) -> dict[str, tuple[Event | None, ...]]:
    count = draw(st.integers(1, 7))
    return {f"acled:MLI{n}": draw(versions(f"MLI{n}")) for n in range(count)}


@st.composite
def deliveries(
    draw: st.DrawFn, history: dict[str, tuple[Event | None, ...]]
) -> list[dict[str, Event | None]]:
    """The versions in some order that keeps each event's own, cut into polls."""
    left = {uid: list(steps) for uid, steps in history.items()}
    polls: list[dict[str, Event | None]] = [{}]
    while any(left.values()):
        uid = draw(st.sampled_from(sorted(uid for uid, steps in left.items() if steps)))
        if draw(st.booleans()) or uid in polls[-1]:
            polls.append({})
        polls[-1][uid] = left[uid].pop(0)
    return polls


def run(rule: Rule, polls: list[dict[str, Event | None]]) -> MemoryLedger:
    ledger = MemoryLedger(rule)
    for number, poll in enumerate(polls):
        now = START + timedelta(days=min(number, 12))
        new = [one for one in poll.values() if one is not None]
        gone = [uid for uid, one in poll.items() if one is None]
        ledger.poll(now, new=new, gone=gone)
    ledger.poll(START + timedelta(days=14))
    return ledger


def standing(ledger: MemoryLedger) -> list[object]:
    return sorted(
        (a.rule_id, a.key, tuple(sorted(a.evidence)), a.first_day, a.last_day, a.since, a.until)
        for a in ledger.standing()
    )


@settings(max_examples=80, deadline=None)
@given(rules, histories(), st.data())
def test_any_order_and_batching_ends_in_the_same_alerts(
    rule: Rule, history: dict[str, tuple[Event | None, ...]], data: st.DataObject
) -> None:
    one = run(rule, data.draw(deliveries(history)))
    other = run(rule, data.draw(deliveries(history)))
    assert standing(one) == standing(other)


@settings(max_examples=100, deadline=None)
@given(rules, histories(), st.data())
def test_reconcile_again_plans_no_write(
    rule: Rule, history: dict[str, tuple[Event | None, ...]], data: st.DataObject
) -> None:
    ledger = MemoryLedger(rule)
    for number, poll in enumerate(data.draw(deliveries(history))):
        now = START + timedelta(days=number)
        ledger.poll(
            now,
            new=[one for one in poll.values() if one is not None],
            gone=[uid for uid, one in poll.items() if one is None],
            seeding=number == 0 and data.draw(st.booleans()),
        )
        assert [d.reason for d in ledger.plan(now) if d.writes] == []


@settings(max_examples=100, deadline=None)
@given(rules, histories(), st.data())
def test_no_alert_is_cancelled_whose_evidence_still_stands(
    rule: Rule, history: dict[str, tuple[Event | None, ...]], data: st.DataObject
) -> None:
    ledger = MemoryLedger(rule)
    for number, poll in enumerate(data.draw(deliveries(history))):
        decisions = ledger.poll(
            START + timedelta(days=number),
            new=[one for one in poll.values() if one is not None],
            gone=[uid for uid, one in poll.items() if one is None],
        )
        for decision in decisions:
            if decision.alert.state == "cancelled" and decision.writes:
                assert not set(decision.alert.evidence) & set(ledger.events)


@settings(max_examples=100, deadline=None)
@given(rules, histories(), st.data())
def test_no_evidence_is_told_twice_as_new(
    rule: Rule, history: dict[str, tuple[Event | None, ...]], data: st.DataObject
) -> None:
    ledger = run(rule, data.draw(deliveries(history)))
    told: Counter[str] = Counter()
    for decision in ledger.said:
        told.update(decision.extra.get("new_evidence", ()))
        if decision.notice == "alert" and decision.reason != "REINSTATED":
            assert decision.extra["new_evidence"], "an alert says something new"
    assert [uid for uid, times in told.items() if times > 1] == []


@settings(max_examples=100, deadline=None)
@given(rules, histories(), st.data())
def test_every_episode_has_one_standing_alert(
    rule: Rule, history: dict[str, tuple[Event | None, ...]], data: st.DataObject
) -> None:
    ledger = run(rule, data.draw(deliveries(history)))
    ids = [alert.id for alert in ledger.standing()]
    assert len(ids) == len(set(ids))
    fresh = MemoryLedger(rule)
    fresh.poll(
        START + timedelta(days=14),
        new=list(ledger.events.values()),
        seeding=True,
    )
    assert standing(ledger) == standing(fresh)


@settings(max_examples=60, deadline=None)
@given(histories(), st.data())
def test_an_edited_rule_says_nothing_of_what_it_already_told(
    history: dict[str, tuple[Event | None, ...]], data: st.DataObject
) -> None:
    ledger = run(attack_rule(severity=GRADED), data.draw(deliveries(history)))
    ledger.rule = replace(ledger.rule, version="2", severity=(SeverityStep("info"),))
    decisions = ledger.poll(START + timedelta(days=14))
    assert [d.notice for d in decisions if d.notice] == []
