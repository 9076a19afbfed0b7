"""Alerts that were silent for a reason that turned out wrong, or for one that is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from support.build import START, attack_rule, cluster_rule, days_before, event
from support.ledger import MemoryLedger


def test_an_event_whose_wrong_old_date_is_corrected_to_last_week_is_told() -> None:
    ledger = MemoryLedger(attack_rule())
    ledger.poll(START, new=[event("MLI1", days_before(START, 366))])
    assert ledger.actions() == []
    ledger.poll(START, new=[event("MLI1", days_before(START, 2))])
    assert ledger.actions() == ["alert"]
    assert [alert.state for alert in ledger.standing()] == ["active"]
    assert [d.reason for d in ledger.plan(START) if d.writes] == []


def test_a_date_that_stays_old_is_not_told() -> None:
    ledger = MemoryLedger(attack_rule())
    ledger.poll(START, new=[event("MLI1", days_before(START, 366))])
    ledger.poll(START, new=[event("MLI1", days_before(START, 200))])
    assert ledger.actions() == []


def test_what_a_clock_that_was_years_ahead_took_for_old_is_told_once_it_is_set_right() -> None:
    ledger = MemoryLedger(attack_rule())
    ledger.poll(START + timedelta(days=3653), new=[event("MLI1", days_before(START, 2))])
    assert ledger.actions() == []
    ledger.poll(START)
    assert ledger.actions() == ["alert"]


def test_an_old_cluster_that_had_ended_and_grows_is_told_as_active() -> None:
    ledger = MemoryLedger(cluster_rule(window=200, least=2, max_age_days=90))
    old = [event(f"MLI{n}", days_before(START, 350 + n)) for n in range(2)]
    ledger.poll(START, new=old)
    assert [alert.state for alert in ledger.standing()] == ["ended"]
    ledger.poll(START, new=[event("MLI9", days_before(START, n)) for n in (160,)])
    ledger.poll(START, new=[event("MLI8", days_before(START, 3))])
    assert ledger.actions() == ["alert"]
    assert [alert.state for alert in ledger.standing()] == ["active"]


def test_an_old_cluster_that_grows_with_what_an_embargo_kept_back_is_told_in_the_summary() -> None:
    ledger = MemoryLedger(cluster_rule(window=300, least=2, max_age_days=90))
    seen = [event(f"MLI{n}", days_before(START, 366 + n)) for n in range(2)]
    ledger.poll(START, new=seen, complete_through=days_before(START, 366), seeding=True)
    assert not ledger.said
    kept_back = [event(f"MLI{n}", days_before(START, 25 * n)) for n in range(2, 14)]
    decisions = ledger.poll(START, new=kept_back, seeding=True)
    assert [(d.reason, d.notice, d.summary) for d in decisions] == [("SEEDED", None, "FIRST_LOAD")]
    ledger.poll(START + timedelta(days=1), new=[event("MLI99", days_before(START, 0))])
    assert ledger.actions() == []  # it is told already, and has not doubled since
    assert not any(d.writes for d in ledger.plan(START + timedelta(days=1)))


def test_a_reminder_that_is_due_when_a_rule_is_edited_comes_with_that_cycle() -> None:
    ledger = MemoryLedger(attack_rule(reminder_days=7))
    ledger.poll(START, new=[event("MLI1", days_before(START, 1))])
    ledger.rule = replace(ledger.rule, version="2")
    later = START + timedelta(days=8)
    ledger.poll(later)
    assert ledger.actions() == ["alert", "reminder"]
    assert [d.reason for d in ledger.plan(later) if d.writes] == []
