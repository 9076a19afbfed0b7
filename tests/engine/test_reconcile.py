"""What is said, and what is not, as events come, change and go."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from support.build import (
    BAMAKO,
    START,
    at,
    attack_rule,
    cluster_rule,
    day,
    days_before,
    event,
    record,
    stored,
)
from support.ledger import MemoryLedger

from warden.model.event import Actor, Event
from warden.model.rule import Near, Rule, SeverityStep


def test_a_new_event_is_one_alert() -> None:
    ledger = MemoryLedger(attack_rule())
    ledger.poll(START, new=[event("MLI1")])
    assert ledger.actions() == ["alert"]
    assert ledger.reasons() == ["FIRST"]


def test_a_second_poll_plans_no_write() -> None:
    ledger = MemoryLedger(attack_rule())
    ledger.poll(START, new=[event("MLI1")])
    assert not any(decision.writes for decision in ledger.plan(START))


def test_a_renamed_actor_alerts_nobody() -> None:
    ledger = MemoryLedger(attack_rule())
    ledger.poll(START, new=[event("MLI1")])
    renamed = (
        Actor("JNIM: Group for Support of Islam and Muslims", "actor1", "Rebel group"),
        Actor("Military Forces of Mali (2021-2025)", "actor2", "State forces"),
    )
    decisions = ledger.poll(START, new=[event("MLI1", actors=renamed)])
    assert [d.reason for d in decisions] == ["COSMETIC"]
    assert ledger.actions() == ["alert"]


def test_more_dead_is_an_update_with_old_and_new() -> None:
    ledger = MemoryLedger(attack_rule())
    ledger.poll(START, new=[event("MLI1", fatalities=2)])
    (decision,) = ledger.poll(START, new=[event("MLI1", fatalities=9)])
    assert decision.notice == "update"
    assert [(c.field, c.old, c.new) for c in decision.changes] == [("fatalities", 2, 9)]


def test_few_more_dead_are_kept_in_silence_and_add_up_against_what_was_told() -> None:
    ledger = MemoryLedger(attack_rule())
    ledger.poll(START, new=[event("MLI1", fatalities=2)])
    ledger.poll(START, new=[event("MLI1", fatalities=5)])
    assert ledger.actions() == ["alert"]
    ledger.poll(START, new=[event("MLI1", fatalities=7)])
    assert ledger.actions() == ["alert", "update"]


def test_a_higher_severity_is_an_update_even_for_one_more_dead() -> None:
    severity = (SeverityStep("critical", "fatalities >= 3"), SeverityStep("warning"))
    ledger = MemoryLedger(attack_rule(severity=severity))
    ledger.poll(START, new=[event("MLI1", fatalities=2)])
    ledger.poll(START, new=[event("MLI1", fatalities=3)])
    assert ledger.reasons() == ["FIRST", "SEVERITY_RAISED"]


def test_a_deleted_event_is_withdrawn() -> None:
    ledger = MemoryLedger(attack_rule())
    ledger.poll(START, new=[event("MLI1")])
    (decision,) = ledger.poll(START, gone=["acled:MLI1"])
    assert (decision.notice, decision.reason) == ("cancel", "WITHDRAWN_BY_SOURCE")
    assert decision.alert.state == "cancelled"


def test_a_cancel_names_an_event_it_may_have_been_merged_into() -> None:
    ledger = MemoryLedger(attack_rule())
    ledger.poll(START, new=[event("MLI1"), event("MLI2", "2022-07-23")])
    decisions = ledger.poll(START, gone=["acled:MLI1"])
    (cancel,) = [d for d in decisions if d.notice]
    assert cancel.notice == "cancel"
    assert [heir["id"] for heir in cancel.extra["merged_into"]] == ["MLI2"]


def test_an_alert_follows_the_new_event_its_own_was_merged_into() -> None:
    ledger = MemoryLedger(attack_rule())
    ledger.poll(START, new=[event("MLI1")])
    (decision,) = ledger.poll(START, gone=["acled:MLI1"], new=[event("MLI2", "2022-07-23")])
    assert (decision.notice, decision.reason) == ("update", "WITHDRAWN_BY_SOURCE")
    assert decision.alert.evidence == ("acled:MLI2",)
    assert len(ledger.standing()) == 1


def test_an_event_that_moves_out_of_the_ring_closes_with_an_update() -> None:
    ledger = MemoryLedger(attack_rule())
    ledger.poll(START, new=[event("MLI1")])
    (decision,) = ledger.poll(START, new=[event("MLI1", lat=16.27, lon=-0.04)])
    assert (decision.notice, decision.reason) == ("update", "NO_LONGER_MATCHES")
    assert decision.alert.state == "closed"
    assert decision.extra["now"]["distance_km"] > 150


def test_an_event_that_returns_after_a_cancel_is_reinstated_under_its_id() -> None:
    ledger = MemoryLedger(attack_rule())
    (first,) = ledger.poll(START, new=[event("MLI1")])
    ledger.poll(START, gone=["acled:MLI1"])
    (again,) = ledger.poll(START, new=[event("MLI1")])
    assert (again.notice, again.reason) == ("alert", "REINSTATED")
    assert again.alert.id == first.alert.id
    assert again.extra["new_evidence"] == []


def test_what_returns_when_it_is_too_old_to_tell_comes_back_ended_and_moves_no_more() -> None:
    ledger = MemoryLedger(attack_rule(max_age_days=30))
    ledger.poll(START, new=[event("MLI1", "2022-07-09")])
    ledger.poll(START, gone=["acled:MLI1"])
    late = START + timedelta(days=40)
    (again,) = ledger.poll(late, new=[event("MLI1", "2022-07-09")])
    assert (again.notice, again.reason, again.alert.state) == (None, "REINSTATED", "ended")
    assert not any(decision.writes for decision in ledger.plan(late))


def test_a_late_event_alerts_once_with_its_lateness() -> None:
    ledger = MemoryLedger(attack_rule())
    ledger.poll(START, new=[event("MLI1", days_before(START, 41))])
    ledger.poll(START + timedelta(days=1))
    assert ledger.actions() == ["alert"]


def test_an_event_older_than_max_age_is_historic_and_silent() -> None:
    ledger = MemoryLedger(attack_rule(max_age_days=90))
    (decision,) = ledger.poll(START, new=[event("MLI1", days_before(START, 91))])
    assert (decision.reason, decision.notice) == ("HISTORIC", None)
    assert not decision.alert.told


def test_an_event_alert_expires_in_silence() -> None:
    ledger = MemoryLedger(attack_rule(max_age_days=90))
    ledger.poll(START, new=[event("MLI1")])
    (decision,) = ledger.poll(START + timedelta(days=100))
    assert (decision.reason, decision.notice, decision.alert.state) == ("EXPIRED", None, "ended")
    assert not any(d.writes for d in ledger.plan(START + timedelta(days=100)))


def test_a_first_load_seeds_in_silence_with_one_summary() -> None:
    ledger = MemoryLedger(attack_rule())
    events = [event(f"MLI{n}", days_before(START, n)) for n in range(1, 200, 5)]
    decisions = ledger.poll(START, new=events, seeding=True)
    assert {d.reason for d in decisions} == {"SEEDED"}
    assert ledger.actions() == []
    young = [d for d in decisions if d.summary == "FIRST_LOAD"]
    assert len(young) == 18


def test_a_seeded_event_is_not_told_again_but_its_change_is() -> None:
    ledger = MemoryLedger(attack_rule())
    ledger.poll(START, new=[event("MLI1", fatalities=0)], seeding=True)
    ledger.poll(START, new=[event("MLI1", fatalities=20)])
    assert ledger.actions() == ["update"]


def test_a_flood_becomes_one_summary() -> None:
    ledger = MemoryLedger(attack_rule(flood_limit=20))
    decisions = ledger.poll(START, new=[event(f"MLI{n}") for n in range(21)])
    assert {d.summary for d in decisions} == {"FLOOD"}
    assert all(d.alert.told for d in decisions)
    assert not any(d.writes for d in ledger.plan(START))


def test_twenty_alerts_in_a_cycle_are_not_yet_a_flood() -> None:
    ledger = MemoryLedger(attack_rule(flood_limit=20))
    ledger.poll(START, new=[event(f"MLI{n}") for n in range(20)])
    assert ledger.actions() == ["alert"] * 20


def test_a_reminder_repeats_until_acknowledged() -> None:
    ledger = MemoryLedger(attack_rule(reminder_days=7))
    (first,) = ledger.poll(START, new=[event("MLI1")])
    ledger.poll(START + timedelta(days=6))
    assert ledger.actions() == ["alert"]
    ledger.poll(START + timedelta(days=7))
    ledger.poll(START + timedelta(days=14))
    assert ledger.actions() == ["alert", "reminder", "reminder"]
    held = ledger.alerts[first.alert.id]
    ledger.alerts[held.id] = replace(held, acknowledged_at=START)
    ledger.poll(START + timedelta(days=21))
    assert ledger.actions() == ["alert", "reminder", "reminder"]


def test_a_reminder_comes_in_time_of_what_a_clock_that_was_ahead_told() -> None:
    ledger = MemoryLedger(attack_rule(reminder_days=7))
    ledger.poll(START + timedelta(days=20), new=[event("MLI1")])
    ledger.poll(START)
    assert not any(decision.writes for decision in ledger.plan(START))
    ledger.poll(START + timedelta(days=6))
    assert ledger.actions() == ["alert"]
    ledger.poll(START + timedelta(days=7))
    assert ledger.actions() == ["alert", "reminder"]


def test_an_acknowledged_alert_that_becomes_graver_has_to_be_taken_on_again() -> None:
    levels = (SeverityStep("critical", "fatalities >= 10"), SeverityStep("warning"))
    ledger = MemoryLedger(attack_rule(reminder_days=7, severity=levels))
    (first,) = ledger.poll(START, new=[event("MLI1", fatalities=1)])
    ledger.alerts[first.alert.id] = replace(first.alert, acknowledged_at=START)
    ledger.poll(START + timedelta(days=1), new=[event("MLI1", fatalities=7)])
    assert ledger.alerts[first.alert.id].acknowledged_at == START
    ledger.poll(START + timedelta(days=2), new=[event("MLI1", fatalities=12)])
    assert ledger.alerts[first.alert.id].acknowledged_at is None
    ledger.poll(START + timedelta(days=9))
    assert ledger.actions() == ["alert", "update", "update", "reminder"]


def test_an_edited_rule_closes_in_silence_what_no_longer_holds() -> None:
    ledger = MemoryLedger(attack_rule())
    ledger.poll(START, new=[event("MLI1")])
    ledger.rule = within(5.0, version="2")
    (decision,) = ledger.poll(START)
    assert (decision.reason, decision.notice) == ("RULE_EDITED", None)
    assert decision.alert.state == "closed"


def test_an_edited_rule_tells_what_newly_holds() -> None:
    ledger = MemoryLedger(within(5.0))
    ledger.poll(START, new=[event("MLI1")])
    assert ledger.actions() == []
    ledger.rule = attack_rule(version="2")
    ledger.poll(START)
    assert ledger.reasons() == ["FIRST"]


def test_an_edit_that_looks_further_back_takes_up_old_alerts_at_once_in_silence() -> None:
    old = event("MLI1", days_before(START, 45))
    ledger = MemoryLedger(attack_rule(max_age_days=30))
    (first,) = ledger.poll(START, new=[old])
    assert first.alert.state == "ended"
    ledger.rule = attack_rule(max_age_days=60, version="2")
    (decision,) = ledger.poll(START)
    assert (decision.alert.state, decision.reason, decision.notice) == (
        "active", "RULE_EDITED", None,
    )  # fmt: skip
    assert not any(decision.writes for decision in ledger.plan(START))


def test_a_rule_on_trial_is_shown_and_never_sent() -> None:
    ledger = MemoryLedger(attack_rule(status="trial"))
    decisions = ledger.poll(START, new=[event("MLI1")])
    assert [d.reason for d in decisions] == ["TRIAL"]
    ledger.poll(START, gone=["acled:MLI1"])
    assert ledger.actions() == []


def within(km: float, **changes: Any) -> Rule:
    return attack_rule(where=Near(km, places=(BAMAKO,)), **changes)


# --- windows ----------------------------------------------------------------------------------


def three_events() -> list[Event]:
    return [event(f"MLI{n}", f"2022-07-0{n}") for n in (1, 5, 9)]


def test_three_events_in_sixty_days_are_one_alert() -> None:
    ledger = MemoryLedger(cluster_rule())
    ledger.poll(START, new=three_events())
    assert ledger.actions() == ["alert"]
    (alert,) = ledger.standing()
    assert alert.evidence == ("acled:MLI1", "acled:MLI5", "acled:MLI9")
    assert (alert.first_day, alert.last_day) == (day("2022-07-01"), day("2022-07-09"))


def test_two_events_are_none() -> None:
    ledger = MemoryLedger(cluster_rule())
    ledger.poll(START, new=three_events()[:2])
    assert ledger.actions() == []


def test_a_window_resolves_only_on_complete_days() -> None:
    ledger = MemoryLedger(cluster_rule())
    ledger.poll(START, new=three_events())
    later = at("2022-10-15")
    ledger.poll(later, complete_through=day("2022-08-20"))
    assert ledger.actions() == ["alert"]
    ledger.poll(later, complete_through=day("2022-09-10"))
    assert ledger.actions() == ["alert", "resolved"]


def test_a_window_that_grows_again_reopens() -> None:
    ledger = MemoryLedger(cluster_rule(keep_firing_for_days=30))
    ledger.poll(START, new=three_events())
    later = at("2022-10-15")
    ledger.poll(later, complete_through=day("2022-10-10"))
    assert ledger.actions() == ["alert", "resolved"]
    late = [event(f"MLI{n}", when) for n, when in ((20, "2022-08-29"), (21, "2022-09-05"))]
    ledger.poll(
        later, new=[*late, event("MLI22", "2022-10-01")], complete_through=day("2022-10-10")
    )
    assert ledger.reasons()[-1] == "REOPENED"


def test_an_episode_found_already_ended_is_one_alert_and_no_resolved() -> None:
    ledger = MemoryLedger(cluster_rule(max_age_days=365))
    ledger.poll(at("2022-12-01"), new=three_events())
    ledger.poll(at("2022-12-08"))
    assert ledger.actions() == ["alert"]


def test_no_alert_is_cancelled_whose_evidence_still_stands() -> None:
    ledger = MemoryLedger(cluster_rule())
    ledger.poll(START, new=three_events())
    (decision,) = ledger.poll(START, gone=["acled:MLI5"])
    assert (decision.notice, decision.reason) == ("update", "NO_LONGER_MATCHES")


def test_two_episodes_that_grow_together_are_merged_in_silence() -> None:
    rule = cluster_rule(window=10, least=2)
    ledger = MemoryLedger(rule)
    ledger.poll(START, new=[event("MLI1", "2022-07-01"), event("MLI2", "2022-07-02")])
    ledger.poll(START, new=[event("MLI5", "2022-07-18"), event("MLI6", "2022-07-19")])
    assert ledger.actions() == ["alert", "alert"]
    decisions = ledger.poll(START, new=[event("MLI4", "2022-07-10")])
    assert sorted(d.reason for d in decisions) == ["COSMETIC", "MERGED"]
    assert len(ledger.standing()) == 1


def test_an_episode_that_splits_is_silent_where_all_was_told() -> None:
    rule = cluster_rule(window=10, least=2)
    ledger = MemoryLedger(rule)
    events = [event(f"MLI{n}", f"2022-07-{n:02d}") for n in (1, 2, 10, 18, 19)]
    ledger.poll(START, new=events)
    ledger.poll(START, gone=["acled:MLI10"])
    assert ledger.actions() == ["alert"]
    assert sorted(a.silence_reason for a in ledger.standing()) == ["", "SPLIT"]


def test_cooldown_holds_a_second_episode_and_the_next_message_counts_it() -> None:
    rule = cluster_rule(window=5, least=2, cooldown_days=30)
    ledger = MemoryLedger(rule)
    ledger.poll(START, new=[event("MLI1", "2022-07-01"), event("MLI2", "2022-07-02")])
    ledger.poll(START, new=[event("MLI3", "2022-07-15"), event("MLI4", "2022-07-16")])
    assert ledger.actions() == ["alert"]
    later = at("2022-09-20")
    decisions = ledger.poll(later, new=[event("MLI5", "2022-09-10"), event("MLI6", "2022-09-11")])
    (told,) = [d for d in decisions if d.notice == "alert"]
    assert told.extra["held"] == 1


def test_a_higher_severity_breaks_through_the_cooldown() -> None:
    severity = (SeverityStep("critical", "fatalities >= 20"), SeverityStep("warning"))
    rule = cluster_rule(window=5, least=2, cooldown_days=30, severity=severity)
    ledger = MemoryLedger(rule)
    ledger.poll(START, new=[event("MLI1", "2022-07-01"), event("MLI2", "2022-07-02")])
    deadly = [event("MLI3", "2022-07-15", fatalities=30), event("MLI4", "2022-07-16")]
    ledger.poll(START, new=deadly)
    assert ledger.actions() == ["alert", "alert"]


def test_an_episode_still_active_when_the_cooldown_ends_is_told() -> None:
    ledger = MemoryLedger(cluster_rule(window=10, least=2, cooldown_days=30))
    first = [event("MLI1", "2022-06-01"), event("MLI2", "2022-06-02")]
    ledger.poll(at("2022-06-05"), new=first)
    ledger.poll(at("2022-06-25"), new=[event("MLI3", "2022-06-20"), event("MLI4", "2022-06-21")])
    assert ledger.reasons() == ["FIRST", "CONDITION_ENDED"]
    ledger.poll(at("2022-07-05"), new=[event("MLI7", "2022-06-28"), event("MLI8", "2022-07-03")])
    assert ledger.reasons() == ["FIRST", "CONDITION_ENDED", "COOLDOWN_ENDED"]


def test_a_moved_record_keeps_its_alert() -> None:
    ledger = MemoryLedger(attack_rule())
    ledger.poll(START, new=[stored(record("MLI1"))])
    (decision,) = ledger.poll(START, new=[stored(record("MLI1", lat=13.2, lon=-8.4))])
    assert decision.notice == "update"
    assert "moved_km" in [change.field for change in decision.changes]


def test_an_episode_that_returns_graver_and_already_over_is_told_once() -> None:
    severity = (SeverityStep("critical", "fatalities >= 10"), SeverityStep("warning"))
    ledger = MemoryLedger(cluster_rule(window=10, least=2, severity=severity, max_age_days=365))
    two = [event("MLI1", "2022-06-01", fatalities=0), event("MLI2", "2022-06-02", fatalities=0)]
    ledger.poll(START, new=two)
    ledger.poll(START, gone=["acled:MLI2"])
    ledger.poll(START, new=[event("MLI2", "2022-06-02", fatalities=12)])
    assert ledger.reasons() == ["FIRST", "NO_LONGER_MATCHES", "REINSTATED"]
    assert not any(decision.writes for decision in ledger.plan(START))
