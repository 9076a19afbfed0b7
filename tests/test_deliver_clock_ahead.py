"""The clock was ahead and is set right: nothing waits longer than its own period, nor is lost."""

import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "notify"))

from helpers_notify import Hook, answer, clock_at, decide, notice, routing_of, secrets
from timetable import Timetable

from warden.deliver import flush, send_due
from warden.model.notice import Change
from warden.notify.channels.webhook import WebhookChannel
from warden.notify.render import Renderer
from warden.store import open_store, outbox
from warden.store.figures import read_figures

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AHEAD = pytest.mark.parametrize("ahead", [timedelta(seconds=30), HOUR, 60 * DAY, 3650 * DAY])


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "warden.db") as opened:
        yield opened


class Outbox:
    """One hook, and a clock that can be wrong for a while."""

    def __init__(self, store, hook):
        self.store = store
        self.clock = clock_at()
        self.routing, _ = routing_of(f"""
receivers:
- name: hook
  webhook: [{{url: "{hook.url}", secret: {{secret: hook}}, allow_private: true}}]
route: {{receiver: hook}}
""")
        self.channels = {"webhook": WebhookChannel(secrets)}

    def decide(self, *notices):
        decide(self.store, self.routing, notices, self.clock.now())

    def work(self):
        flush(self.store, self.routing, Renderer(), self.clock)
        return send_due(self.store, self.routing, self.channels, self.clock, within_s=20)

    @contextmanager
    def clock_ahead(self, by):
        self.clock.advance(by)
        yield
        self.clock.advance(-by)

    def pass_time(self, by):
        self.clock.advance(by)


# --- deliveries -------------------------------------------------------------------------------


@AHEAD
def test_a_try_that_failed_by_a_clock_that_was_ahead_is_made_again_when_it_is_right(store, ahead):
    with Hook(answer(500), answer(200)) as hook:
        box = Outbox(store, hook)
        with box.clock_ahead(ahead):
            box.decide(notice())
            assert box.work().retried == 1
        assert box.work().sent == 1


def test_so_it_is_by_the_next_process(store, tmp_path):
    with Hook(answer(500), answer(200)) as hook:
        box = Outbox(store, hook)
        with box.clock_ahead(60 * DAY):
            box.decide(notice())
            box.work()
        store.close()
        with open_store(tmp_path / "warden.db") as again:
            box.store = again
            assert box.work().sent == 1


def test_a_message_of_before_that_was_tried_by_a_clock_that_was_ahead_is_tried_again(store):
    with Hook(answer(500), answer(500), answer(200)) as hook:
        box = Outbox(store, hook)
        box.decide(notice())
        box.work()
        with box.clock_ahead(2 * DAY):
            assert box.work().retried == 1
        assert box.work().sent == 1


def test_once_the_clock_is_right_tries_keep_their_pauses(store):
    with Hook(answer(500)) as hook:
        box = Outbox(store, hook)
        with box.clock_ahead(60 * DAY):
            box.decide(notice())
            box.work()
        assert [box.work().retried for _ in range(3)] == [1, 0, 0]
        box.pass_time(timedelta(seconds=200))
        assert box.work().retried == 0
        box.pass_time(timedelta(seconds=200))
        assert box.work().retried == 1


def test_a_message_made_by_a_clock_that_was_ahead_is_sent_when_it_is_right(store):
    with Hook(answer(200)) as hook:
        box = Outbox(store, hook)
        with box.clock_ahead(60 * DAY):
            box.decide(notice())
            flush(store, box.routing, Renderer(), box.clock)
        assert box.work().sent == 1


def test_what_waits_since_the_clock_was_ahead_is_seen_to_wait(store):
    with Hook(answer(500)) as hook:
        box = Outbox(store, hook)
        with box.clock_ahead(60 * DAY):
            box.decide(notice())
            box.work()
        box.work()
        since = box.clock.now()
        box.pass_time(HOUR)
        assert read_figures(store.connection, box.clock.now()).oldest_waiting == since
        assert outbox.next_due(store.connection) < box.clock.now()


def test_what_a_process_took_up_by_a_clock_that_was_ahead_is_due_when_it_is_right(store):
    with Hook(answer(200)) as hook:
        box = Outbox(store, hook)
        box.decide(notice())
        flush(store, box.routing, Renderer(), box.clock)
        with store.transaction() as tx:
            due = outbox.due_deliveries(tx, "webhook", box.clock.now(), 10)
            outbox.claim(tx, due, box.clock.now(), 60)
        with box.clock_ahead(60 * DAY), store.transaction() as tx:
            outbox.recover(tx, box.clock.now())
        assert box.work().sent == 1


def test_what_was_asked_for_again_by_a_clock_that_was_ahead_is_due_when_it_is_right(store):
    with Hook(answer(410), answer(200)) as hook:
        box = Outbox(store, hook)
        box.decide(notice())
        assert box.work().dead == 1
        with box.clock_ahead(60 * DAY), store.transaction() as tx:
            outbox.retry(tx, box.clock.now())
        assert box.work().sent == 1


def test_what_was_not_reached_by_a_clock_that_was_ahead_is_due_when_it_is_right(store):
    with Hook(answer(200)) as hook:
        box = Outbox(store, hook)
        box.decide(notice())
        flush(store, box.routing, Renderer(), box.clock)
        with box.clock_ahead(60 * DAY), store.transaction() as tx:
            due = outbox.due_deliveries(tx, "webhook", box.clock.now(), 10)
            outbox.claim(tx, due, box.clock.now(), 60)
            outbox.give_back(tx, [one.id for one in due], box.clock.now())
        assert box.work().sent == 1


def test_a_message_that_was_too_old_only_by_a_clock_that_was_ahead_is_tried_on(store):
    with Hook(answer(503), answer(503), answer(503), answer(200)) as hook:
        box = Outbox(store, hook)
        box.decide(notice())
        box.work()
        with box.clock_ahead(10 * DAY):
            assert box.work().retried == 1
            box.pass_time(timedelta(minutes=6))
            assert box.work().retried == 1
        assert box.work().sent == 1


# --- groups, digests and what holds back: minute 0 is 08:00 UTC on a Wednesday ------------------

DESK = """
receivers:
- name: desk
  email: [{to: desk@example.org}]
  webhook: [{url: "https://desk.example.org/", secret: {secret: hook}}]
- {name: boss, email: [{to: boss@example.org}]}
"""
GROUPED = DESK + "route: {receiver: desk, group_by: [country], group_wait: 2m, group_interval: 10m}"
DIGEST = DESK + "route: {receiver: desk, digest: {at: '09:00'}, group_by: [country]}"
MUTED = (
    DESK
    + """
route:
  receiver: desk
  routes: [{matchers: {severity: warning}, receiver: desk, mute_time_intervals: [morning]}]
time_intervals:
- {name: morning, time_intervals: [{times: [{start_time: '08:00', end_time: '09:00'}]}]}
"""
)
BY_MINUTES = pytest.mark.parametrize("ahead", [1, 60, 60 * 24 * 60, 3650 * 24 * 60])


@BY_MINUTES
def test_a_group_begun_by_a_clock_that_was_ahead_waits_its_group_wait(store, ahead):
    day = Timetable(store, GROUPED)
    day.push(ahead, "a")
    assert day.told(ahead) == []
    assert day.told(0) == []
    assert day.told(1.9) == []
    assert day.told(2.1) == [("desk", "alert a")]


def test_one_begun_so_whose_route_is_gone_waits_no_longer(store):
    day = Timetable(store, GROUPED)
    day.push(60, "a")
    day.routing, _ = routing_of(DESK + "route: {receiver: boss}")
    assert day.told(0) == [("desk", "alert a")]


@BY_MINUTES
def test_a_group_that_spoke_by_a_clock_that_was_ahead_may_speak_again(store, ahead):
    day = Timetable(store, GROUPED)
    day.push(ahead, "a")
    assert day.told(ahead + 2.1) == [("desk", "alert a")]
    day.push(0, "b")
    assert day.told(2.1) == [("desk", "alert b")]
    day.push(3, "c")
    assert day.told(12) == []
    assert day.told(12.2) == [("desk", "alert c")]


def test_what_a_clock_that_was_ahead_put_off_for_the_interval_is_told(store):
    day = Timetable(store, GROUPED)
    day.push(60, "a")
    day.told(62.1)
    day.push(1, "b")
    assert day.told(63) == []
    assert day.told(3.1) == [("desk", "alert b")]


@BY_MINUTES
def test_what_a_clock_that_was_ahead_kept_for_a_digest_is_in_the_next_one(store, ahead):
    day = Timetable(store, DIGEST)
    day.push(ahead + 2, "a", severity="info")
    assert day.told(0) == []
    assert day.told(60) == [("desk", "alert a", "digest")]


def test_what_was_held_by_a_clock_that_was_ahead_and_ended_by_the_right_one_is_not_told(store):
    day = Timetable(store, MUTED)
    ahead = 60 * 24 * 60
    day.push(ahead, "a", severity="warning")
    assert day.told(ahead) == []
    day.end_silently(30, "a")
    assert day.told(61) == []
    assert day.stops("a") == [
        ("alert", "held", "MUTED"),
        ("alert", "withheld", "MUTED"),
    ]


def test_news_of_the_right_clock_is_newer_than_what_one_that_was_ahead_decided(store):
    day = Timetable(store, GROUPED)
    day.push(60 * 24 * 60, "a")
    newest = day.push(0, "a", "update", changes=(Change("fatalities", 2, 9),))
    assert day.told(2.1) == [("desk", "alert a")]
    assert f'"id":"{newest}"' in day.facts("a")
    (body,) = store.connection.execute("SELECT body FROM message_bodies LIMIT 1").fetchone()
    assert "SMP2" in body
