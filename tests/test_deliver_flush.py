import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "notify"))

from helpers_notify import (
    NOW,
    clock_at,
    decide,
    good_routing,
    later,
    notice,
    rows,
    withheld,
)

from warden.deliver import Flushed, flush, make_message, queue_exercise
from warden.model.delivery import Attempt
from warden.notify import plan
from warden.notify.render import Renderer, template_folders
from warden.notify.render.samples import exercise
from warden.notify.routes import Routing
from warden.store import open_store, outbox, sources

ROUTING = good_routing("""
receivers:
- {name: desk, email: [{to: [a@example.org, b@example.org]}], file: [{path: out}]}
- {name: late, email: [{to: [late@example.org]}]}
route:
  receiver: desk
  routes:
  - {matchers: {theme: slow}, receiver: late, group_by: [rule], group_wait: 60s}
  - {receiver: desk}
""")
RENDERER = Renderer()


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "warden.db") as opened:
        yield opened


def flushed(store, seconds=0, routing=ROUTING):
    return flush(store, routing, RENDERER, clock_at(later(seconds)), mail_domain="example.org")


def try_once(store, seconds=0, outcome="failed"):
    """Claim everything that is due, and let each try end in the same way."""
    moment = later(seconds)
    state = {"failed": "retry", "refused": "dead", "sent": "sent"}[outcome]
    with store.transaction() as tx:
        for channel in ("email", "file"):
            due = outbox.due_deliveries(tx, channel, moment, 100)
            outbox.claim(tx, due, moment, 60)
            outbox.settle(
                tx,
                [
                    outbox.Settled(Attempt(d.id, outcome, "x", moment, moment), state, moment)
                    for d in due
                ],
            )


def test_a_message_has_a_delivery_for_each_recipient_before_anything_is_sent(store):
    decide(store, ROUTING, [notice()], NOW)
    assert flushed(store) == Flushed(messages=1, deliveries=3)
    assert [(r["channel"], r["target"], r["state"]) for r in rows(store)] == [
        ("email", "a@example.org", "pending"),
        ("email", "b@example.org", "pending"),
        ("file", "out", "pending"),
    ]
    assert flushed(store) == Flushed()


def test_one_message_a_receiver_and_cycle_with_the_most_severe_first(store):
    calm = notice(1, severity="info")
    grave = notice(2, alert="a2", severity="critical")
    decide(store, ROUTING, [calm, grave], NOW)
    assert flushed(store).messages == 1
    row = rows(store)[0]
    assert row["severity"] == "critical"
    assert row["subject"].startswith("CRITICAL ")
    assert row["subject"].endswith("(+1 more)")
    order = store.connection.execute("SELECT notice_id FROM dispatches ORDER BY position")
    assert [r[0] for r in order] == ["n2", "n1"]


def test_two_cycles_are_two_messages(store):
    decide(store, ROUTING, [notice(1)], NOW)
    decide(store, ROUTING, [notice(2, alert="a2")], later(1))
    assert flushed(store, 1).messages == 2


def test_a_group_waits_and_then_goes_out_as_one_message_with_what_joined_it(store):
    decide(store, ROUTING, [notice(1, labels=(("theme", "slow"),))], NOW)
    assert flushed(store, 30) == Flushed()
    decide(store, ROUTING, [notice(2, alert="a2", labels=(("theme", "slow"),))], later(40))
    assert flushed(store, 61) == Flushed(messages=1, deliveries=1)


def test_a_notice_planned_twice_is_sent_once(store):
    decide(store, ROUTING, [notice()], NOW)
    with store.transaction() as tx:
        again = plan.dispatches([notice()], ROUTING, NOW, {})
        assert outbox.add_dispatches(tx, again) == 0
    assert flushed(store).messages == 1


def test_a_cancel_before_anything_was_offered_drops_the_alert_and_itself(store):
    decide(store, ROUTING, [notice(1)], NOW)
    flushed(store)
    decide(store, ROUTING, [notice(2, action="cancel")], later(5))
    assert flushed(store, 5) == Flushed()
    assert rows(store) == []
    assert withheld(store) == [("n1", "desk", "SUPERSEDED"), ("n2", "desk", "NEVER_TOLD")]


def test_a_cancel_takes_an_unattempted_message_apart_and_the_rest_is_sent(store):
    decide(store, ROUTING, [notice(1), notice(3, alert="a3")], NOW)
    flushed(store)
    decide(store, ROUTING, [notice(2, action="cancel")], later(5))
    assert flushed(store, 5) == Flushed(messages=1, deliveries=3)
    left = store.connection.execute(
        "SELECT notice_id FROM dispatches WHERE message_id IS NOT NULL"
    ).fetchall()
    assert left == [("n3",)]


def test_a_cancel_follows_an_alert_that_was_attempted(store):
    decide(store, ROUTING, [notice(1)], NOW)
    flushed(store)
    try_once(store)
    decide(store, ROUTING, [notice(2, action="cancel")], later(5))
    assert flushed(store, 5).messages == 1
    assert withheld(store) == []


def test_a_cancel_drops_an_update_that_nobody_saw_and_follows_the_alert(store):
    decide(store, ROUTING, [notice(1)], NOW)
    flushed(store)
    try_once(store, outcome="sent")
    decide(store, ROUTING, [notice(2, action="update")], later(5))
    decide(store, ROUTING, [notice(3, action="cancel")], later(9))
    assert flushed(store, 9).messages == 1
    assert withheld(store) == [("n2", "desk", "SUPERSEDED")]


def test_a_cancel_of_an_alert_that_a_summary_listed_goes_to_its_readers(store):
    summary = notice(1, alert="s", action="summary", items=({"alert_id": "a1"},))
    decide(store, ROUTING, [summary], NOW)
    flushed(store)
    decide(store, ROUTING, [notice(2, action="cancel")], later(5))
    assert flushed(store, 5).messages == 1


def test_messages_about_one_alert_keep_their_order_for_each_recipient(store):
    decide(store, ROUTING, [notice(1)], NOW)
    flushed(store)
    try_once(store)
    decide(store, ROUTING, [notice(2, action="update"), notice(9, alert="a9")], later(5))
    decide(store, ROUTING, [notice(8, alert="a8")], later(6))
    flushed(store, 6)
    with store.transaction() as tx:
        tx.execute("UPDATE deliveries SET due_at = '2024-01-11T00:00:00.000000Z' WHERE id = 1")
        due = outbox.due_deliveries(tx, "email", later(10), 100)
    # a@'s first mail is being retried: what also speaks of a1 waits, what does not may pass.
    assert [(d.target, d.id) for d in due] == [
        ("b@example.org", 2),
        ("a@example.org", 7),
        ("b@example.org", 8),
    ]


def test_mails_about_one_alert_refer_to_its_first_mail_to_that_recipient(store):
    decide(store, ROUTING, [notice(1)], NOW)
    flushed(store)
    try_once(store, outcome="sent")
    decide(store, ROUTING, [notice(2, action="update")], later(5))
    flushed(store, 5)
    with store.transaction() as tx:
        update = outbox.due_deliveries(tx, "email", later(5), 10)
        first = store.connection.execute(
            "SELECT target, json_extract(headers, '$.message_id') FROM deliveries WHERE id < 3"
        ).fetchall()
    assert {d.target: d.headers["references"] for d in update} == {
        target: [message_id] for target, message_id in first
    }
    assert update[0].headers["message_id"].endswith("@example.org>")


def test_a_dispatch_to_a_receiver_who_is_gone_is_recorded_and_not_lost(store):
    decide(store, ROUTING, [notice(1)], NOW)
    assert flushed(store, routing=Routing({})).withheld == 1
    assert withheld(store) == [("n1", "desk", "RECEIVER_REMOVED")]


def test_a_template_that_fails_falls_back_and_is_counted(store, tmp_path):
    (tmp_path / "layout").mkdir()
    (tmp_path / "layout" / "mail.html.jinja").write_text("{{ no_such_name }}")
    broken = Renderer(template_folders(tmp_path))
    decide(store, ROUTING, [notice(1)], NOW)
    assert flush(store, ROUTING, broken, clock_at()).fallbacks == 1
    assert outbox.counts(store.connection)["template_fallbacks"] == 1
    assert "no_such_name" in rows(store)[0]["fallback"]


def test_an_expired_lease_is_claimed_again_and_recover_makes_it_due_at_once(store):
    decide(store, ROUTING, [notice(1)], NOW)
    flushed(store)
    with store.transaction() as tx:
        due = outbox.due_deliveries(tx, "file", NOW, 10)
        outbox.claim(tx, due, NOW, 60)
        assert outbox.due_deliveries(tx, "file", later(30), 10) == []
        assert [d.key for d in outbox.due_deliveries(tx, "file", later(61), 10)] == [due[0].key]
        assert outbox.recover(tx, later(1)) == 1
        assert outbox.due_deliveries(tx, "file", later(1), 10)[0].attempts == 1


def test_retry_sends_dead_letters_again_under_the_same_key(store):
    decide(store, ROUTING, [notice(1)], NOW)
    flushed(store)
    keys = {row["key"] for row in rows(store)}
    try_once(store, outcome="refused")
    assert {row["state"] for row in rows(store)} == {"dead"}
    with store.transaction() as tx:
        assert outbox.retry(tx, later(100)) == 3
        due = outbox.due_deliveries(tx, "email", later(100), 10)
    assert {d.key for d in due} <= keys
    assert {d.tries for d in due} == {0}


def test_the_next_due_moment_counts_what_waits_in_a_group(store):
    assert outbox.next_due(store.connection) is None
    decide(store, ROUTING, [notice(1, labels=(("theme", "slow"),))], NOW)
    assert outbox.next_due(store.connection) == later(60)


def test_an_exercise_is_a_message_without_a_dispatch(store):
    keys = queue_exercise(store, ROUTING.receivers["desk"], exercise(NOW), RENDERER, clock_at())
    assert len(keys) == 3
    assert all(row["exercise"] for row in rows(store))
    assert rows(store)[0]["subject"].startswith("EXERCISE ")


def test_a_message_whose_dispatch_was_taken_meanwhile_is_not_stored_twice(store):
    decide(store, ROUTING, [notice(1)], NOW)
    flushed(store)
    message = make_message(ROUTING.receivers["desk"], [notice(1)], RENDERER, NOW, dispatch_ids=(1,))
    with store.transaction() as tx:
        assert not outbox.add_message(tx, replace(message), [])


@pytest.mark.parametrize(("state", "said"), [("stale", True), ("embargoed", True), ("ok", False)])
def test_messages_say_since_when_a_silent_feed_tells_nothing(store, state, said):
    with store.transaction() as tx:
        run = sources.begin_walk(tx, "feed", "poll", {}, NOW)
        end = sources.WalkEnd(state, "", no_data_since=date(2023, 1, 9), dataset="acled")
        sources.end_walk(tx, run, "acled", end, NOW)
    decide(store, ROUTING, [notice(facts={**notice().facts, "datasets": ["acled"]})], NOW)
    flushed(store)
    bodies = store.connection.execute("SELECT group_concat(body) FROM message_bodies").fetchone()[0]
    assert ("No data since 9 Jan 2023" in bodies) is said
