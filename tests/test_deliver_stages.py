"""Inhibition, mutes, silences, review and digests at the outbox: each test is a timetable.

Minute 0 is 08:00 UTC on Wednesday, 10 January 2024.
"""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "notify"))

from timetable import Timetable

from warden.model.notice import Change
from warden.store import open_store, outbox, people

HOOK = 'webhook: [{url: "https://NAME.example.org/", secret: {secret: hook}}]'
DESK = f"""
receivers:
- {{name: desk, email: [{{to: desk@example.org}}], {HOOK.replace("NAME", "desk")}}}
- {{name: boss, email: [{{to: boss@example.org}}], {HOOK.replace("NAME", "boss")}}}
- {{name: checked, review: true, {HOOK.replace("NAME", "checked")}}}
"""
MUTED = (
    DESK
    + """
route:
  receiver: desk
  routes:
  - {matchers: {severity: warning}, receiver: desk, mute_time_intervals: [morning]}
time_intervals:
- name: morning
  time_intervals: [{times: [{start_time: '08:00', end_time: '09:00'}]}]
"""
)
PLAIN = DESK + "route: {receiver: desk}\n"


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "warden.db") as opened:
        yield opened


# --- groups -----------------------------------------------------------------------------------

GROUPED = (
    DESK
    + """
route:
  receiver: desk
  group_by: [country]
  group_wait: 2m
  group_interval: 10m
"""
)


def test_a_group_waits_for_others_and_then_its_interval(store):
    day = Timetable(store, GROUPED)
    day.push(0, "a")
    day.push(1, "b")
    assert day.told(1.9) == []
    assert day.told(2.1) == [("desk", "alert a", "alert b")]
    day.push(3, "c")
    assert day.told(6) == []
    assert day.told(12) == []
    assert day.told(12.2) == [("desk", "alert c")]


def test_another_group_does_not_wait_for_the_first_ones_interval(store):
    day = Timetable(store, GROUPED.replace("[country]", "['...']"))
    day.push(0, "a")
    assert day.told(3) == [("desk", "alert a")]
    day.push(3, "b")
    assert day.told(5.1) == [("desk", "alert b")]


def test_what_is_held_back_does_not_end_the_wait_of_its_group(store):
    day = Timetable(store, GROUPED)
    day.silence(0, 3 * 24 * 60, "severity=info")
    day.push(0, "a", severity="info")
    assert day.told(10) == []
    day.push(20, "b", severity="warning")
    assert day.told(20.5) == []
    day.push(21, "c", severity="warning")
    assert day.told(22.1) == [("desk", "alert b", "alert c")]


def test_a_group_that_was_quiet_for_its_interval_waits_its_group_wait_only(store):
    day = Timetable(store, GROUPED)
    day.push(0, "a")
    day.told(3)
    day.push(60, "b")
    assert day.told(61.9) == []
    assert day.told(62.1) == [("desk", "alert b")]


def test_a_new_process_knows_when_a_group_last_spoke(store, tmp_path):
    day = Timetable(store, GROUPED)
    day.push(0, "a")
    day.told(3)
    store.close()
    with open_store(tmp_path / "warden.db") as again:
        later = Timetable(again, GROUPED)
        later._number = 10
        later.push(4, "b")
        assert ("desk", "alert b") not in later.told(12)
        assert later.told(13.1) == [("desk", "alert b")]


def test_news_of_an_alert_that_is_still_in_its_group_wait_is_told_once(store):
    day = Timetable(store, GROUPED)
    day.push(0, "a")
    second = day.push(1, "a", "update", changes=(Change("fatalities", 2, 9),))
    assert day.told(2.1) == [("desk", "alert a")]
    assert day.stops("a") == [
        ("alert", "withheld", "SUPERSEDED"),
        ("update", "pending", "FIRST"),
    ]
    assert f'"id":"{second}"' in day.facts("a")


def test_an_alert_that_ends_in_its_group_wait_is_told_with_its_end(store):
    day = Timetable(store, GROUPED)
    day.push(0, "a")
    day.push(1, "a", "resolved")
    assert day.told(2.1) == [("desk", "alert a", "resolved a")]
    (subject,) = store.connection.execute("SELECT subject FROM messages").fetchone()
    assert "Ended:" in subject  # not as if it still stood


# --- mute times -------------------------------------------------------------------------------


def test_what_is_muted_waits_and_is_told_when_the_mute_ends(store):
    day = Timetable(store, MUTED)
    day.push(0, "a", severity="warning")
    day.push(0, "b", severity="critical")
    assert day.told(0) == [("desk", "alert b")]
    assert day.stops("a") == [("alert", "waiting", "MUTED")]
    assert day.told(59) == []
    assert day.told(60) == [("desk", "alert a")]
    assert day.stops("a") == [("alert", "held", "MUTED"), ("alert", "pending", "FIRST")]


def test_the_message_says_since_when_it_was_held_back_and_why(store):
    day = Timetable(store, MUTED)
    day.push(0, "a", severity="warning")
    day.told(0)
    day.told(60)
    (text,) = store.connection.execute(
        "SELECT body ->> '$.text' FROM message_bodies WHERE format = 'mail'"
    ).fetchone()
    assert "Held back since" in text
    assert "morning" in text


def test_news_while_muted_collapses_into_the_newest_state_told_once_as_an_alert(store):
    day = Timetable(store, MUTED)
    day.push(0, "a", severity="warning")
    day.told(0)
    day.push(10, "a", "update", severity="warning", changes=(Change("fatalities", 2, 5),))
    day.told(10)
    day.push(20, "a", "update", severity="warning", changes=(Change("fatalities", 5, 9),))
    day.told(20)
    assert day.told(60) == [("desk", "alert a")]
    assert [stop[1:] for stop in day.stops("a") if stop[1] == "withheld"] == [
        ("withheld", "SUPERSEDED"),
        ("withheld", "SUPERSEDED"),
    ]


def test_what_ends_while_it_is_muted_is_withheld_and_needs_no_end(store):
    day = Timetable(store, MUTED)
    day.push(0, "a", severity="warning")
    day.told(0)
    day.push(30, "a", "resolved", severity="warning")
    day.told(30)
    assert day.told(60) == []
    assert day.stops("a") == [
        ("alert", "held", "MUTED"),
        ("alert", "withheld", "MUTED"),
        ("resolved", "withheld", "NEVER_TOLD"),
    ]


def test_what_the_ledger_closes_in_silence_while_it_is_muted_is_withheld(store):
    day = Timetable(store, MUTED)
    day.push(0, "a", severity="warning")
    day.told(0)
    day.end_silently(30, "a")
    assert day.told(60) == []
    assert day.stops("a")[-1] == ("alert", "withheld", "MUTED")


def test_an_alert_found_already_ended_is_told_all_the_same(store):
    day = Timetable(store, MUTED)
    day.push(0, "a", severity="warning", ledger_state="ended")
    day.told(0)
    assert day.told(60) == [("desk", "alert a")]


def test_news_that_is_graver_breaks_out_of_the_mute_and_tells_the_whole(store):
    day = Timetable(store, MUTED)
    day.push(0, "a", severity="warning")
    day.told(0)
    day.push(10, "a", "update", severity="critical")
    assert day.told(10) == [("desk", "alert a")]
    assert day.told(60) == []


def test_the_end_of_what_was_told_passes_the_mute(store):
    day = Timetable(store, MUTED)
    day.push(-10, "a", severity="warning")
    assert day.told(-10) == [("desk", "alert a")]
    day.push(5, "a", "update", severity="warning")
    assert day.told(5) == []
    day.push(10, "a", "resolved", severity="warning")
    assert day.told(10) == [("desk", "resolved a")]
    assert day.told(60) == []
    assert ("update", "withheld", "SUPERSEDED") in day.stops("a")


def test_an_update_held_back_tells_what_changed_since_the_reader_was_told(store):
    day = Timetable(store, MUTED)
    day.push(-10, "a", severity="warning")
    day.told(-10)
    day.push(5, "a", "update", severity="warning", changes=(Change("fatalities", 2, 5),))
    day.push(6, "a", "reminder", severity="warning")
    day.push(7, "a", "update", severity="warning", changes=(Change("fatalities", 5, 9),))
    assert day.told(60) == [("desk", "update a")]
    assert '"changes":[{"field":"fatalities","old":2,"new":9}]' in day.facts("a")


def test_an_alert_that_is_withdrawn_while_muted_is_never_heard_of(store):
    day = Timetable(store, MUTED)
    day.push(0, "a", severity="warning")
    day.told(0)
    day.push(10, "a", "cancel", severity="warning")
    assert day.told(60) == []
    assert [stop[1:] for stop in day.stops("a")][-2:] == [
        ("withheld", "SUPERSEDED"),
        ("withheld", "NEVER_TOLD"),
    ]


def test_what_comes_back_while_muted_is_told_as_it_is(store):
    day = Timetable(store, MUTED)
    day.push(0, "a", severity="warning")
    day.push(10, "a", "resolved", severity="warning")
    day.push(20, "a", "update", severity="warning", reason="REOPENED")
    assert day.told(30) == []
    assert day.told(60) == [("desk", "alert a")]


def test_what_ended_unheard_and_is_active_again_is_told_as_an_alert(store):
    day = Timetable(store, MUTED)
    day.push(0, "a", severity="warning")
    day.told(0)
    day.push(10, "a", "resolved", severity="warning")
    assert day.told(60) == []
    day.push(70, "a", "update", severity="warning", reason="REOPENED")
    assert day.told(70) == [("desk", "alert a")]


def test_active_times_hold_back_until_they_begin(store):
    routes = MUTED.replace("mute_time_intervals", "active_time_intervals")
    day = Timetable(
        store, routes.replace("'08:00', end_time: '09:00'", "'09:00', end_time: '17:00'")
    )
    day.push(0, "a", severity="warning")
    assert day.told(59) == []
    assert day.told(60) == [("desk", "alert a")]


def test_a_mute_taken_out_of_the_routes_ends_at_once(store):
    day = Timetable(store, MUTED)
    day.push(0, "a", severity="warning")
    assert day.told(0) == []
    day.routing = Timetable(store, PLAIN).routing
    assert day.told(1) == [("desk", "alert a")]


# --- silences ---------------------------------------------------------------------------------


def test_a_silence_holds_back_and_what_is_active_at_its_end_is_told(store):
    day = Timetable(store, PLAIN)
    day.silence(0, 30, "theme=sample")
    day.push(1, "a")
    day.push(2, "b")
    assert day.told(2) == []
    day.push(10, "b", "resolved")
    assert day.told(29) == []
    assert day.told(30) == [("desk", "alert a")]
    assert day.stops("b")[1:] == [
        ("alert", "withheld", "SILENCED"),
        ("resolved", "withheld", "NEVER_TOLD"),
    ]


def test_a_silence_ended_by_hand_lets_go_at_once(store):
    day = Timetable(store, PLAIN)
    silence = day.silence(0, 600, "theme=sample")
    day.push(1, "a")
    assert day.told(2) == []
    with store.transaction() as tx:
        people.expire_silence(tx, silence.id, day.moment(3), "jo")
    assert day.told(3) == [("desk", "alert a")]


@pytest.mark.parametrize("action", ["resolved", "cancel"])
def test_ends_and_withdrawals_pass_a_silence_for_those_who_were_told(store, action):
    day = Timetable(store, PLAIN)
    day.push(0, "a")
    day.told(0)
    store.connection.execute("UPDATE deliveries SET attempts = 1")
    day.silence(1, 30, "theme=sample")
    day.push(2, "a", action)
    assert day.told(2) == [("desk", f"{action} a")]


def test_a_closing_revision_passes_a_silence_for_those_who_were_told(store):
    day = Timetable(store, PLAIN)
    day.push(0, "a")
    day.told(0)
    day.silence(1, 30, "theme=sample")
    day.push(2, "a", "update", reason="NO_LONGER_MATCHES", ledger_state="closed")
    assert day.told(2) == [("desk", "update a")]


WINDOWED = {"facts": {"kind": "count", "title": "Three in sixty days", "events": []}}


def test_when_a_silence_ends_those_told_before_hear_what_is_still_active(store):
    day = Timetable(store, PLAIN)
    day.push(0, "a", **WINDOWED)
    day.push(0, "b", **WINDOWED)
    day.push(0, "event")
    day.told(0)
    day.silence(1, 30, "theme=sample")
    day.push(5, "b", "resolved", **WINDOWED)
    assert day.told(5) == [("desk", "resolved b")]
    (message,) = day.told(30)
    assert message[0] == "desk"
    assert message[1].startswith("summary ")
    body = store.connection.execute(
        "SELECT b.body FROM messages m JOIN message_bodies b ON b.message_id = m.id"
        " WHERE b.format = 'warden' ORDER BY m.rowid DESC LIMIT 1"
    ).fetchone()[0]
    assert '"reason":"SILENCE_ENDED"' in body
    assert '"alert_id":"a"' in body
    assert '"alert_id":"b"' not in body
    assert '"alert_id":"event"' not in body
    assert day.told(31) == []


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Silence 1 of jo that covered these has ended (market day), and they are"),
        ("fr", "La mise en silence 1 de jo qui les couvrait a pris fin (market day), et elles"),
    ],
)
def test_who_is_reminded_reads_which_silence_has_ended_whose_it_was_and_why(store, language, said):
    day = Timetable(store, PLAIN.replace("name: desk,", f"name: desk, language: {language},"))
    day.push(0, "a", **WINDOWED)
    day.told(0)
    day.silence(1, 30, "theme=sample")
    assert len(day.told(30)) == 1
    (text,) = store.connection.execute(
        "SELECT b.body ->> '$.text' FROM messages m JOIN message_bodies b"
        " ON b.message_id = m.id WHERE b.format = 'mail' ORDER BY m.rowid DESC LIMIT 1"
    ).fetchone()
    assert said in " ".join(text.split())


@pytest.mark.parametrize("matcher", ['action=~"update|resolved"', "action=reminder"])
def test_the_end_of_a_silence_of_some_actions_is_told_too(store, matcher):
    day = Timetable(store, PLAIN)
    day.push(0, "a", **WINDOWED)
    day.told(0)
    day.silence(1, 30, matcher)
    assert len(day.told(30)) == 1


def test_a_silence_of_fewer_actions_does_not_continue_one_of_all(store):
    day = Timetable(store, PLAIN)
    day.push(0, "a", **WINDOWED)
    day.told(0)
    day.silence(1, 30, "theme=sample")
    day.silence(1, 60, "action=update")
    assert len(day.told(30)) == 1


def test_a_silence_that_another_one_continues_reminds_nobody_yet(store):
    day = Timetable(store, PLAIN)
    day.push(0, "a", **WINDOWED)
    day.told(0)
    day.silence(1, 30, "theme=sample")
    day.silence(1, 40, "kind=count")
    assert day.told(30) == []
    assert len(day.told(40)) == 1


# --- inhibition -------------------------------------------------------------------------------

INHIBITED = (
    PLAIN
    + """
inhibit_rules:
- source_matchers: {severity: critical}
  target_matchers: {severity: [critical, warning]}
  equal: [place]
"""
)
KATI, MOPTI = {"key": (("place", "kati"),)}, {"key": (("place", "mopti"),)}


def test_a_told_alert_holds_back_what_it_makes_superfluous_and_only_that(store):
    day = Timetable(store, INHIBITED)
    day.push(0, "grave", severity="critical", **KATI)
    assert day.told(0) == [("desk", "alert grave")]
    day.push(1, "less", severity="warning", **KATI)
    day.push(1, "away", severity="warning", **MOPTI)
    assert day.told(1) == [("desk", "alert away")]
    assert day.stops("less") == [("alert", "waiting", "INHIBITED")]
    day.push(9, "grave", "resolved", severity="critical", **KATI)
    assert day.told(9) == [("desk", "resolved grave"), ("desk", "alert less")]


def test_an_alert_is_not_held_back_by_its_own_kind(store):
    day = Timetable(store, INHIBITED)
    day.push(0, "one", severity="critical", **KATI)
    day.push(0, "two", severity="critical", **KATI)
    assert day.told(0) == [("desk", "alert one", "alert two")]


def test_of_two_decided_together_the_source_is_told(store):
    day = Timetable(store, INHIBITED)
    day.push(0, "less", severity="warning", **KATI)
    day.push(0, "grave", severity="critical", **KATI)
    assert day.told(0) == [("desk", "alert grave")]


def test_a_source_that_is_itself_silenced_holds_nothing_back(store):
    day = Timetable(store, INHIBITED)
    day.silence(0, 60, "severity=critical")
    day.push(1, "grave", severity="critical", **KATI)
    day.push(1, "less", severity="warning", **KATI)
    assert day.told(1) == [("desk", "alert less")]


def test_two_that_hold_back_each_other_do_not_both_fall_silent(store):
    mutual = (
        PLAIN
        + """
inhibit_rules:
- {source_matchers: {theme: north}, target_matchers: {theme: south}}
- {source_matchers: {theme: south}, target_matchers: {theme: north}}
"""
    )
    day = Timetable(store, mutual)
    day.push(0, "n", severity="warning", labels=(("theme", "north"),), rule_id="north")
    day.push(0, "s", severity="critical", labels=(("theme", "south"),), rule_id="south")
    assert day.told(0) == [("desk", "alert s")]


def test_what_ends_while_it_is_inhibited_is_withheld(store):
    day = Timetable(store, INHIBITED)
    day.push(0, "grave", severity="critical", **KATI)
    day.push(0, "less", severity="warning", **KATI)
    day.told(0)
    day.push(5, "less", "resolved", severity="warning", **KATI)
    assert day.told(5) == []
    assert day.stops("less")[-2:] == [
        ("alert", "withheld", "INHIBITED"),
        ("resolved", "withheld", "NEVER_TOLD"),
    ]


# --- digests ----------------------------------------------------------------------------------

DIGEST = (
    DESK
    + """
route:
  receiver: desk
  routes:
  - {matchers: {theme: sample}, receiver: desk, digest: {at: '09:00', days: [mon-fri]}}
"""
)


def test_a_digest_gathers_what_can_wait_into_one_message_at_its_hour(store):
    day = Timetable(store, DIGEST)
    day.push(0, "a", severity="info")
    day.push(10, "b", severity="warning")
    assert day.told(10) == []
    assert day.stops("a") == [("alert", "waiting", "DIGEST")]
    assert day.told(59.9) == []
    assert day.told(60.1) == [("desk", "alert b", "alert a", "digest")]


def test_what_is_critical_does_not_wait_for_a_digest_that_does_not_name_it(store):
    day = Timetable(store, DIGEST)
    day.push(0, "a", severity="critical")
    assert day.told(0) == [("desk", "alert a")]


def test_news_that_is_critical_takes_the_waiting_alert_along(store):
    day = Timetable(store, DIGEST)
    day.push(0, "a", severity="info")
    day.push(5, "a", "update", severity="critical")
    assert day.told(5) == [("desk", "alert a")]
    assert day.told(61) == []


def test_what_is_raised_and_over_before_the_digest_is_listed_as_such(store):
    day = Timetable(store, DIGEST)
    day.push(0, "a", severity="info")
    day.push(5, "a", "update", severity="info")
    day.push(20, "a", "resolved", severity="info", reason="CONDITION_ENDED")
    assert day.told(61) == [("desk", "alert a", "digest")]
    assert (
        "Raised and over"
        in store.connection.execute(
            "SELECT body ->> '$.text' FROM message_bodies WHERE format = 'mail'"
        ).fetchone()[0]
    )


def test_what_was_withdrawn_or_merged_before_the_digest_is_not_in_it(store):
    day = Timetable(store, DIGEST)
    day.push(0, "a", severity="info")
    day.push(0, "b", severity="info")
    day.push(20, "a", "cancel", severity="info")
    day.end_silently(20, "b")
    assert day.told(61) == []
    assert day.stops("b") == [("alert", "withheld", "CLOSED")]


def test_a_digest_that_was_missed_is_sent_by_the_next_process(store):
    day = Timetable(store, DIGEST)
    day.push(0, "a", severity="info")
    day.push(24 * 60 - 5, "b", severity="info")
    assert day.told(26 * 60) == [("desk", "alert a", "alert b", "digest")]


def test_a_digest_in_muted_hours_is_sent_when_they_end(store):
    routes = (
        DIGEST.replace("digest:", "mute_time_intervals: [m], digest:")
        + """
time_intervals: [{name: m, time_intervals: [{times: [{start_time: '08:30', end_time: '10:00'}]}]}]
"""
    )
    day = Timetable(store, routes)
    day.push(0, "a", severity="info")
    assert day.told(61) == []
    assert day.told(120) == [("desk", "alert a", "digest")]


def test_what_a_silence_kept_out_of_a_digest_waits_for_the_next_one(store):
    day = Timetable(store, DIGEST)
    day.push(0, "a", severity="info")
    day.silence(0, 90, "theme=sample")
    assert day.told(61) == []
    assert day.told(91) == []
    assert day.told(24 * 60 + 61) == [("desk", "alert a", "digest")]


def test_a_digest_does_not_say_over_what_is_back_and_silenced(store):
    day = Timetable(store, DIGEST)
    day.push(0, "a", severity="warning")
    assert day.told(61) == [("desk", "alert a", "digest")]
    day.silence(100, 24 * 60 + 200, "theme=sample")
    day.push(120, "a", "resolved", severity="warning", reason="CONDITION_ENDED")
    day.push(180, "a", severity="warning", reason="REINSTATED")
    assert day.told(24 * 60 + 61) == []
    assert ("resolved", "withheld", "SUPERSEDED") in day.stops("a")
    assert day.stops("a")[-1] == ("alert", "waiting", "SILENCED")


FLOOD = {
    "severity": "info",
    "items": tuple({"alert_id": name, "severity": "info"} for name in "ab"),
    "facts": {"kind": "event", "title": "Two", "events": [], "total": 2, "shown": 2},
}


def test_a_summary_in_a_digest_leaves_out_what_was_withdrawn_before_its_hour(store):
    day = Timetable(store, DIGEST)
    day.push(0, "s", "summary", **FLOOD)
    day.push(10, "a", "cancel", severity="info")
    assert day.told(61) == [("desk", "summary s", "digest")]
    items = store.connection.execute(
        "SELECT body ->> '$.notices[0].items' FROM message_bodies WHERE format = 'warden'"
    ).fetchone()[0]
    assert [item["alert_id"] for item in json.loads(items)] == ["b"]
    assert day.stops("a", "desk")[-1] == ("cancel", "withheld", "SUPERSEDED")


def test_a_summary_of_which_nothing_is_left_is_not_sent(store):
    day = Timetable(store, DIGEST)
    day.push(0, "s", "summary", **FLOOD)
    day.push(10, "a", "cancel", severity="info")
    day.push(20, "b", "resolved", severity="info", reason="CONDITION_ENDED")
    assert day.told(61) == []
    assert day.told(24 * 60 + 61) == []
    assert day.stops("s") == [("summary", "withheld", "CLOSED")]


def test_the_end_of_a_silence_is_told_in_the_digest_to_whom_digests_go(store):
    day = Timetable(store, DIGEST)
    day.push(0, "a", severity="info", **WINDOWED)
    assert day.told(61) == [("desk", "alert a", "digest")]
    day.silence(70, 100, "theme=sample")
    assert day.told(101) == []
    ((*_, last),) = day.told(24 * 60 + 61)
    assert last == "digest"


def test_a_reminder_that_waits_is_not_sent_once_somebody_has_taken_the_alert_on(store):
    day = Timetable(store, MUTED)
    day.push(-10, "a", severity="warning")
    assert day.told(-5) == [("desk", "alert a")]
    day.push(0, "a", "reminder", severity="warning")
    assert day.told(0) == []
    day.acknowledge(30, "a")
    assert day.told(61) == []
    assert day.stops("a")[-1] == ("reminder", "withheld", "ACKNOWLEDGED")


# --- review -----------------------------------------------------------------------------------

REVIEWED = (
    DESK
    + """
route:
  receiver: desk
  routes:
  - {matchers: {severity: critical}, receiver: checked, continue: true}
  - {receiver: desk}
"""
)


def test_what_is_to_be_reviewed_waits_for_its_release(store):
    day = Timetable(store, REVIEWED)
    day.push(0, "a", severity="critical")
    assert day.told(0) == [("desk", "alert a")]
    with store.reading() as tx:
        (row,) = outbox.in_review(tx)
    assert (row["receiver"], row["alert_id"], row["action"]) == ("checked", "a", "alert")
    assert day.told(1000) == []
    assert outbox.counts(store.connection)["held_review"] == 1
    assert day.release(1001, ids=[row["id"]]) == (row["id"],)
    assert day.told(1001) == [("checked", "alert a")]


def test_what_is_released_is_told_as_it_is_by_then(store):
    day = Timetable(store, REVIEWED)
    day.push(0, "a", severity="critical")
    day.told(0)
    day.push(10, "a", "update", severity="critical", changes=(Change("fatalities", 2, 9),))
    assert day.told(10) == [("desk", "update a")]
    with store.reading() as tx:
        (row,) = outbox.in_review(tx)
    assert row["notices"] == 2
    day.release(20, receiver="checked")
    assert day.told(20) == [("checked", "alert a")]
    day.push(30, "a", "update", severity="critical", changes=(Change("fatalities", 9, 12),))
    assert day.told(30) == [("desk", "update a")]  # released was the news by then, not the next


def test_the_end_of_what_was_released_needs_no_release(store):
    day = Timetable(store, REVIEWED)
    day.push(0, "a", severity="critical")
    day.told(0)
    day.release(1, receiver="checked")
    day.told(1)
    day.push(5, "a", "resolved", severity="critical")
    assert {message[0] for message in day.told(5)} == {"desk", "checked"}


def test_what_ends_before_its_release_is_withheld_with_that_reason(store):
    day = Timetable(store, REVIEWED)
    day.push(0, "a", severity="critical")
    day.told(0)
    day.push(5, "a", "resolved", severity="critical")
    assert day.told(5) == [("desk", "resolved a")]
    assert ("alert", "withheld", "REVIEW") in day.stops("a")
    assert day.release(6, receiver="checked") == ()


# --- several routes to one receiver -----------------------------------------------------------


def beside(first, second=""):
    """Two routes to the desk: this one for all, then one for warnings."""
    return (
        DESK
        + f"""
route:
  receiver: boss
  routes:
  - {{matchers: ['action=~".+"'], receiver: desk, continue: true, {first}}}
  - {{matchers: {{severity: warning}}, receiver: desk{second}}}
time_intervals:
- name: morning
  time_intervals: [{{times: [{{start_time: '08:00', end_time: '09:00'}}]}}]
"""
    )


@pytest.mark.parametrize("first", ["digest: {at: '09:30'}", "review: true"])
def test_what_one_route_tells_at_once_another_of_the_same_receiver_does_not_hold_back(store, first):
    day = Timetable(store, beside(first))
    day.push(0, "a", severity="warning")
    day.push(0, "b", severity="info")
    assert day.told(0) == [("desk", "alert a")]


def test_a_digest_beside_a_route_does_not_end_that_ones_quiet_hours(store):
    day = Timetable(store, beside("digest: {at: '09:30'}", ", mute_time_intervals: [morning]"))
    day.push(0, "a", severity="warning")
    assert day.told(59) == []
    assert day.stops("a") == [("alert", "waiting", "MUTED")]
    assert day.told(60) == [("desk", "alert a")]


def test_the_interval_is_that_of_the_route_that_speaks_at_once(store):
    day = Timetable(store, beside("review: true", ", group_interval: 10m, group_by: [country]"))
    day.push(0, "a", severity="warning")
    assert day.told(0) == [("desk", "alert a")]
    day.push(1, "b", severity="warning")
    assert day.told(5) == []
    assert day.told(10.1) == [("desk", "alert b")]


# --- order ------------------------------------------------------------------------------------


def test_the_gravest_message_is_made_first(store):
    day = Timetable(store, PLAIN.replace("receiver: desk}", "receiver: desk, group_by: ['...']}"))
    for name, severity in [("a", "info"), ("b", "critical"), ("c", "warning")]:
        day.push(0, name, severity=severity)
    assert [message[1] for message in day.told(0)] == ["alert b", "alert c", "alert a"]


def test_a_summary_that_was_held_back_leaves_out_what_is_over_by_then(store):
    day = Timetable(store, MUTED)
    items = tuple({"alert_id": name, "severity": "warning"} for name in "ab")
    day.push(0, "s", "summary", **{**FLOOD, "severity": "warning", "items": items})
    assert day.told(0) == []
    day.push(5, "a", "cancel", severity="critical")
    assert day.told(5) == []
    told = day.told(60)
    assert [message[1] for message in told] == ["summary s"]
    assert day.stops("a", "desk")[-1] == ("cancel", "withheld", "SUPERSEDED")


def test_stages_are_asked_in_their_order(store):
    routes = (
        MUTED.replace("receiver: desk, mute_time", "receiver: checked, continue: true, mute_time")
        + """
inhibit_rules:
- {source_matchers: {severity: critical}, target_matchers: {severity: warning}}
"""
    ).replace("time_intervals:\n", "  - {receiver: desk}\ntime_intervals:\n", 1)
    day = Timetable(store, routes)
    day.silence(0, 120, "severity=warning")
    day.push(0, "grave", severity="critical")
    day.push(0, "a", severity="warning")
    day.told(0)
    day.push(10, "grave", "resolved", severity="critical")
    day.told(10)
    day.told(60)
    day.told(120)
    day.release(130, receiver="checked")
    assert day.told(130) == [("checked", "alert a")]
    held = [stop[2] for stop in day.stops("a", "checked") if stop[1] == "held"]
    assert held == ["INHIBITED", "MUTED", "SILENCED", "REVIEW"]
