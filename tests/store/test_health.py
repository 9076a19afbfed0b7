"""What the database shows to be wrong: sources, dead letters, templates, unknown names."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "notify"))

from helpers_notify import NOW, clock_at, decide, good_routing, notice

from tests.support.build import record
from tests.support.feed import ListedFeed
from warden.deliver import flush
from warden.engine.health import merged
from warden.ingest import ingest
from warden.model.delivery import Attempt
from warden.model.health import Condition
from warden.notify.render import Renderer
from warden.store import Store, health, open_store, outbox

ROUTING = good_routing("""
receivers:
- {name: desk, email: [{to: [a@example.org]}]}
route: {receiver: desk}
""")
RENDERER = Renderer()
ACLED = health.Self(sources={"acled"})


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "warden.db") as opened:
        yield opened


def see(store: Store, now: datetime = NOW, me: health.Self = ACLED) -> tuple[Condition, ...]:
    """Look and write down, as the station does."""
    stored = health.load(store.connection, now)
    after = merged(stored, health.look(store.connection, stored, me, now), now)
    with store.transaction() as tx:
        health.save(tx, stored, after)
    assert health.load(store.connection, now) == after
    return after


def poll(store: Store, state: str, now: datetime = NOW, *records) -> None:
    feed = ListedFeed()
    feed.state = state
    feed.serve(*records)
    ingest(store, feed, clock_at(now))


def end(store: Store, outcome: str, now: datetime = NOW) -> None:
    """The newest delivery ends so."""
    (number,) = store.connection.execute("SELECT max(id) FROM deliveries").fetchone()
    attempt = Attempt(number, "refused", "550 no such user", now, now)
    with store.transaction() as tx:
        tried = "UPDATE deliveries SET attempts = attempts + 1, tries = tries + 1 WHERE id = ?"
        tx.execute(tried, (number,))
        outbox.settle(tx, [outbox.Settled(attempt, outcome)])


def send(store: Store, number: int, now: datetime = NOW, outcome: str = "dead", **facts) -> None:
    """A message about one alert, to its end."""
    base = notice(number, alert=f"a{number}", at=now)
    about = notice(number, alert=f"a{number}", at=now, facts={**base.facts, **facts})
    decide(store, ROUTING, [about], now)
    flush(store, ROUTING, RENDERER, clock_at(now))
    end(store, outcome, now)


# --- sources ----------------------------------------------------------------------------------


def test_a_source_is_written_down_once_for_as_long_as_it_is_ill(store):
    poll(store, "auth_failed")
    (first,) = see(store)
    assert (first.name, first.state, first.since, first.until) == (
        "acled",
        "auth_failed",
        NOW,
        None,
    )
    poll(store, "auth_failed", NOW + timedelta(hours=1))
    assert see(store, NOW + timedelta(hours=1)) == (first,)
    poll(store, "ok", NOW + timedelta(hours=2))
    (over,) = see(store, NOW + timedelta(hours=2))
    assert (over.until, over.then) == (NOW + timedelta(hours=2), "ok")
    assert over.known_through == (NOW - timedelta(days=1)).date()


def test_a_source_that_changes_from_ill_to_ill_ends_and_begins(store):
    poll(store, "unreachable")
    see(store)
    poll(store, "schema_drift", NOW + timedelta(hours=1))
    old, new = see(store, NOW + timedelta(hours=2))
    assert (old.until, old.then) == (NOW + timedelta(hours=1), "schema_drift")
    assert (new.state, new.until) == ("schema_drift", None)


def test_a_source_taken_out_of_the_settings_ends_as_that(store):
    poll(store, "unreachable")
    see(store)
    (over,) = see(store, NOW + timedelta(hours=1), health.Self(sources={"other"}))
    assert over.then == "removed"
    assert see(store, NOW + timedelta(hours=2), health.Self(sources={"other"})) == (over,)


def test_a_command_without_settings_ends_nothing(store):
    poll(store, "unreachable")
    ill = see(store)
    assert see(store, NOW + timedelta(hours=1), health.Self()) == ill


def test_what_has_ended_is_spoken_of_for_a_week_and_kept_until_pruned(store):
    poll(store, "unreachable")
    see(store)
    poll(store, "ok", NOW + timedelta(hours=1))
    see(store, NOW + timedelta(hours=1))
    assert health.load(store.connection, NOW + timedelta(days=8)) == ()
    with store.transaction() as tx:
        assert health.prune(tx, NOW) == 0
        assert health.prune(tx, NOW + timedelta(days=2)) == 1


# --- dead letters -----------------------------------------------------------------------------


def test_a_dead_letter_names_whom_it_did_not_reach_and_why(store):
    send(store, 1)
    (letter,) = see(store)
    assert (letter.subject, letter.name) == ("delivery", "email a@example.org")
    assert (letter.count, letter.detail) == (1, "550 no such user")
    send(store, 2, NOW + timedelta(hours=1))
    (more,) = see(store, NOW + timedelta(hours=1))
    assert (more.count, more.since) == (2, letter.since)


@pytest.mark.parametrize("subject", ["delivery", "template"])
def test_a_dead_letter_about_dead_letters_raises_nothing(store, subject):
    send(store, 1, kind="feed", subject=subject)
    assert see(store) == ()


def test_a_dead_letter_about_a_source_does(store):
    send(store, 1, kind="feed", subject="source")
    assert [one.state for one in see(store)] == ["dead_letter"]


def test_a_dead_exercise_is_nobodys_business(store):
    send(store, 1)
    store.connection.execute("UPDATE messages SET exercise = 1")
    assert see(store) == ()


def test_a_dead_letter_sent_again_is_over_only_when_it_was_accepted(store):
    send(store, 1)
    see(store)
    with store.transaction() as tx:
        outbox.retry(tx, NOW)
    assert [one.until for one in see(store)] == [None]
    end(store, "sent")
    (over,) = see(store, NOW + timedelta(minutes=5))
    assert over.then == "ok"


def test_a_dead_letter_that_nobody_sends_again_ages(store):
    send(store, 1)
    see(store)
    (over,) = see(store, NOW + timedelta(days=8))
    assert over.then == "aged"


def test_a_letter_that_waits_for_its_next_try_is_not_dead(store):
    send(store, 1, outcome="retry")
    with store.transaction() as tx:
        outbox.retry(tx, NOW, [1])
    assert see(store) == ()


def test_a_letter_given_up_for_its_receiver_was_removed_is_not_dead(store):
    send(store, 1, outcome="retry")
    with store.transaction() as tx:
        outbox.expire(tx, [1], "RECEIVER_REMOVED: no longer in the routes", NOW)
    assert see(store) == ()


# --- templates --------------------------------------------------------------------------------


def test_a_failed_template_is_over_when_a_later_message_is_fine(store):
    send(store, 1, outcome="sent")
    store.connection.execute("UPDATE messages SET fallback = 'SyntaxError: x'")
    (failed,) = see(store)
    assert (failed.subject, failed.name, failed.detail) == ("template", "desk", "SyntaxError: x")
    send(store, 2, NOW + timedelta(minutes=5), outcome="sent")
    assert see(store, NOW + timedelta(minutes=6))[0].until is None  # nobody may have looked yet
    assert see(store, NOW + timedelta(hours=2))[0].then == "ok"


# --- names ------------------------------------------------------------------------------------


def with_actor(number: int, name: str):
    from warden.model.event import Actor  # noqa: PLC0415

    return record(f"MLI{number}", NOW.date(), actors=(Actor(name, "actor1", ""),))


def named(store: Store, now: datetime, *known: str) -> list[str]:
    with store.transaction() as tx:
        health.note_actors(tx, now)
    me = health.Self({"acled"}, is_known=lambda name: name in known)
    return [one.detail for one in see(store, now, me) if one.until is None]


def test_names_of_a_first_load_are_known_and_later_ones_are_new(store):
    poll(store, "ok", NOW, with_actor(1, "Old Group"))
    assert named(store, NOW) == []
    later = NOW + timedelta(days=1)
    fresh = [with_actor(n, name) for n, name in enumerate(("New A", "New B", "Rioters (X)"), 2)]
    poll(store, "ok", later, *fresh)
    assert named(store, later, "New B") == ["New A"]
    assert named(store, later, "New A", "New B") == []


def test_new_names_age_after_a_week(store):
    poll(store, "ok", NOW, with_actor(1, "Old Group"))
    named(store, NOW)
    poll(store, "ok", NOW, with_actor(2, "New Group"))
    assert named(store, NOW) == ["New Group"]
    assert named(store, NOW + timedelta(days=8)) == []


def test_what_only_the_process_knows_is_kept_over_a_start_until_it_is_seen(store):
    failing = Condition("rule", "x", "rule_error", NOW, detail="ValueError")
    see(store, NOW, health.Self({"acled"}, own=(failing,)))
    unseen = health.Self({"acled"}, rules_seen=False)
    assert see(store, NOW, unseen)[0].until is None
    assert see(store, NOW, ACLED)[0].then == "ok"
