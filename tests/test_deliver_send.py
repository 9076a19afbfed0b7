import random
import sys
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "notify"))

from helpers_notify import (
    NOW,
    Hook,
    Mailbox,
    answer,
    clock_at,
    decide,
    free_port,
    good_routing,
    notice,
    rows,
    secrets,
    smtp_server,
    states,
)
from standardwebhooks import Webhook

from warden.deliver import SCHEDULE_S, Deliverer, Outlet, flush, pause_s, send_due
from warden.errors import ChannelError
from warden.notify.channels.email import EmailChannel, SmtpSettings
from warden.notify.channels.file import FileChannel
from warden.notify.channels.webhook import WebhookChannel
from warden.notify.render import Renderer
from warden.notify.routes import Routing
from warden.store import open_store, outbox

RENDERER = Renderer()
THREE = """
receivers:
- {name: desk, email: [{to: [a@example.org, b@example.org, c@example.org]}]}
route: {receiver: desk}
"""


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "warden.db") as opened:
        yield opened


@dataclass
class Rig:
    """A store, routes, channels and a clock, driven step by step."""

    store: object
    routing: object
    channels: dict
    clock: object

    def flush(self, *notices):
        decide(self.store, self.routing, notices, self.clock.now())
        return flush(self.store, self.routing, RENDERER, self.clock, mail_domain="example.org")

    def send(self):
        return send_due(self.store, self.routing, self.channels, self.clock, within_s=20)

    def pass_time(self, seconds):
        self.clock.advance(timedelta(seconds=seconds))


def mail_rig(store, port, text=THREE, **settings):
    channel = EmailChannel(SmtpSettings(host="127.0.0.1", port=port, timeout_s=3, **settings))
    return Rig(store, good_routing(text), {"email": channel}, clock_at())


def hook_rig(store, url, extra=""):
    text = f"""
receivers:
- name: desk
  email: [{{to: [desk@example.org]}}]
- name: hook
  webhook: [{{url: "{url}", secret: {{secret: hook}}, allow_private: true, {extra}}}]
route: {{receiver: desk, routes: [{{receiver: hook, continue: true}}, {{receiver: desk}}]}}
"""
    return Rig(store, good_routing(text), {"webhook": WebhookChannel(secrets)}, clock_at())


# --- mail -------------------------------------------------------------------------------------


def test_a_refused_recipient_leaves_the_others_sent(store):
    box = Mailbox(refuse=["b@example.org"])
    with smtp_server(box) as port:
        rig = mail_rig(store, port)
        rig.flush(notice())
        result = rig.send()
    assert (result.sent, result.dead) == (2, 1)
    assert states(store) == [
        ("a@example.org", "sent"),
        ("b@example.org", "dead"),
        ("c@example.org", "sent"),
    ]
    assert "550" in rows(store)[1]["last_error"]
    assert sorted(rcpt for _, rcpt, _ in box.raw) == [("a@example.org",), ("c@example.org",)]


def test_a_greylisted_recipient_is_tried_again_under_the_same_message_id(store):
    box = Mailbox(greylist=["a@example.org"])
    with smtp_server(box) as port:
        rig = mail_rig(store, port)
        rig.flush(notice())
        assert rig.send().retried == 1
        rig.pass_time(6)
        assert rig.send().sent == 1
    assert {state for _, state in states(store)} == {"sent"}
    (mail,) = box.to("a@example.org")
    key = next(r["key"] for r in rows(store) if r["target"] == "a@example.org")
    assert mail["Message-ID"] == f"<{key}@example.org>"


def test_a_connection_dropped_after_data_is_tried_again_as_the_same_mail(store):
    box = Mailbox(drop_after_data=1)
    with smtp_server(box) as port:
        rig = mail_rig(store, port, THREE.replace(", b@example.org, c@example.org", ""))
        rig.flush(notice())
        assert rig.send().retried == 1
        rig.pass_time(6)
        assert rig.send().sent == 1
    first, second = box.mails
    assert first["Message-ID"] == second["Message-ID"]


def test_a_server_that_is_not_there_is_tried_again(store):
    rig = mail_rig(store, free_port(), THREE.replace(", b@example.org, c@example.org", ""))
    rig.flush(notice())
    assert rig.send().retried == 1
    assert "refused" in rows(store)[0]["last_error"].casefold()


def test_the_thread_of_an_alert_holds_together_for_each_recipient(store):
    box = Mailbox()
    with smtp_server(box) as port:
        rig = mail_rig(store, port)
        rig.flush(notice(1))
        rig.send()
        rig.pass_time(60)
        rig.flush(notice(2, action="update"))
        rig.send()
    for address in ("a@example.org", "b@example.org"):
        first, update = box.to(address)
        assert first["In-Reply-To"] is None
        assert update["In-Reply-To"] == first["Message-ID"]
        assert update["References"] == first["Message-ID"]
        assert first["Message-ID"] != update["Message-ID"]


# --- hooks ------------------------------------------------------------------------------------


def test_a_hook_gets_a_signed_payload_once(store):
    with Hook(answer(204)) as hook:
        rig = hook_rig(store, hook.url)
        rig.flush(notice())
        assert rig.send().sent == 1
        assert rig.send().sent == 0
    ((_, headers, body),) = hook.requests
    Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert headers["webhook-id"] == next(r["key"] for r in rows(store) if r["channel"] == "webhook")
    assert b'"type":"warden.message"' in body


def test_a_hook_that_fails_is_tried_again_with_the_same_id(store):
    with Hook(answer(500, b"oops"), answer(200)) as hook:
        rig = hook_rig(store, hook.url)
        rig.flush(notice())
        assert rig.send().retried == 1
        rig.pass_time(6)
        assert rig.send().sent == 1
    first, second = (headers["webhook-id"] for _, headers, _ in hook.requests)
    assert first == second


def test_a_hook_that_is_gone_is_dead_at_once(store):
    with Hook(answer(410)) as hook:
        rig = hook_rig(store, hook.url)
        rig.flush(notice())
        assert rig.send().dead == 1


def test_a_pause_that_a_hook_asks_for_is_kept(store):
    with Hook(answer(503, retry_after="120"), answer(200)) as hook:
        rig = hook_rig(store, hook.url)
        rig.flush(notice())
        rig.send()
        rig.pass_time(100)
        assert rig.send().sent == 0
        rig.pass_time(21)
        assert rig.send().sent == 1


def test_a_pause_is_never_shorter_than_the_schedule_nor_longer_than_a_day():
    fixed = random.Random(1)
    assert pause_s(3, 1.0, fixed) > 1600
    assert pause_s(1, 1e12, fixed) == 24 * 3600
    assert pause_s(1, None, fixed) == pytest.approx(5, rel=0.11)


def test_a_hook_that_fails_for_three_days_ends_as_a_dead_letter(store):
    with Hook(answer(500)) as hook:
        rig = hook_rig(store, hook.url)
        rig.flush(notice())
        for pause in SCHEDULE_S:
            rig.send()
            rig.pass_time(pause * 1.11)
        assert rig.send().dead == 1
    assert len(hook.requests) == 10
    (row,) = [r for r in rows(store) if r["channel"] == "webhook"]
    assert (row["state"], row["attempts"]) == ("dead", 10)
    attempts = store.connection.execute("SELECT count(*) FROM delivery_attempts").fetchone()
    assert attempts == (10,)


def test_a_message_that_is_too_old_and_was_tried_for_a_day_since_expires(store):
    with Hook(answer(500)) as hook:
        rig = hook_rig(store, hook.url)
        rig.flush(notice())
        rig.send()
        rig.pass_time(8 * 86400)
        assert [rig.send().retried for _ in range(2)] == [1, 0]
        rig.pass_time(12 * 3600)
        assert rig.send().retried == 1
        rig.pass_time(13 * 3600)
        assert rig.send().retried == 0
    assert len(hook.requests) == 3
    (row,) = [r for r in rows(store) if r["channel"] == "webhook"]
    assert row["state"] == "expired"
    assert "HTTP 500" in row["last_error"]


def test_a_recipient_taken_out_of_the_routes_expires_what_was_meant_for_it(store):
    with Hook(answer(500)) as hook:
        rig = hook_rig(store, hook.url)
        rig.flush(notice())
        rig.routing = Routing({})
        rig.send()
        assert hook.requests == []
    (row,) = [r for r in rows(store) if r["channel"] == "webhook"]
    assert row["last_error"].startswith("RECEIVER_REMOVED")


# --- several channels -------------------------------------------------------------------------


class Stuck:
    """A channel that never answers until it is let go."""

    def __init__(self):
        self.entered = threading.Semaphore(0)
        self.let_go = threading.Event()

    def send(self, outgoing, target, now):
        self.entered.release()
        self.let_go.wait(20)
        raise ChannelError("no answer")


def test_one_dead_channel_does_not_delay_a_live_one(store, tmp_path):
    routing = good_routing("""
receivers:
- {name: desk, email: [{to: [a@example.org, b@example.org]}], file: [{path: out}]}
route: {receiver: desk}
""")
    stuck = Stuck()
    channels = {"email": stuck, "file": FileChannel(tmp_path)}
    rig = Rig(store, routing, channels, clock_at())
    deliverer = Deliverer(store, routing, channels, rig.clock)
    deliverer.start()
    try:
        for number in range(1, 7):
            rig.flush(notice(number, alert=f"a{number}"))
            rig.pass_time(1)
        deliverer.wake()
        assert stuck.entered.acquire(timeout=5)
        deadline = time.monotonic() + 10
        while len(list(tmp_path.glob("out/*.json"))) < 6 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(list(tmp_path.glob("out/*.json"))) == 6
        assert {r["state"] for r in rows(store) if r["channel"] == "email"} <= {
            "pending",
            "sending",
        }
    finally:
        stuck.let_go.set()
        assert deliverer.stop()


def test_one_slow_hook_does_not_take_all_the_workers(store):
    slow, quick = Stuck(), []

    class Both:
        def send(self, outgoing, target, now):
            if "slow" in target.name:
                return slow.send(outgoing, target, now)
            quick.append(outgoing.delivery.key)
            return "ok"

    routing = good_routing("""
receivers:
- name: desk
  email: [{to: [a@example.org]}]
  webhook:
  - {url: "https://slow.example.org/", secret: {secret: hook}}
  - {url: "https://quick.example.org/", secret: {secret: hook}}
route: {receiver: desk}
""")
    rig = Rig(store, routing, {"webhook": Both()}, clock_at())
    for number in range(1, 13):
        rig.flush(notice(number, alert=f"a{number}"))
        rig.pass_time(1)
    deliverer = Deliverer(store, routing, rig.channels, rig.clock)
    deliverer.start()
    try:
        deadline = time.monotonic() + 10
        while len(quick) < 12 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(quick) == 12
    finally:
        slow.let_go.set()
        deliverer.stop()


def test_a_recipient_who_is_away_hides_nobody_else(store):
    with store.transaction() as tx:
        tx.execute(
            "INSERT INTO messages (id, receiver, subject, severity, created_at)"
            " VALUES ('m', 'desk', 's', 'info', '2024-01-01T00:00:00.000000Z')"
        )
        for number in range(1500):
            target = "away@example.org" if number < 1499 else "here@example.org"
            tx.execute(
                "INSERT INTO messages (id, receiver, subject, severity, created_at)"
                " VALUES (?, 'desk', 's', 'info', '2024-01-01T00:00:00.000000Z')",
                (f"m{number}",),
            )
            tx.execute(
                "INSERT INTO deliveries (key, message_id, receiver, channel, target, format,"
                " due_at, created_at) VALUES (?, ?, 'desk', 'email', ?, 'mail', ?1, ?1)".replace(
                    "?1", "'2024-01-01T00:00:00.000000Z'"
                ),
                (f"k{number}", f"m{number}", target),
            )
        due = outbox.due_deliveries(tx, "email", NOW, 1000)
    assert "here@example.org" in {delivery.target for delivery in due}


def test_a_fault_inside_a_channel_is_a_failed_try_and_not_a_lost_alert(store):
    class Broken:
        def send(self, outgoing, target, now):
            raise RuntimeError("a bug")

    rig = mail_rig(store, 1, THREE.replace(", b@example.org, c@example.org", ""))
    rig.channels = {"email": Broken()}
    rig.flush(notice())
    assert rig.send().retried == 1
    assert rows(store)[0]["last_error"] == "RuntimeError: a bug"


def test_a_fault_of_the_disk_is_told_by_the_sending_thread_in_one_line(store, caplog):
    rig = mail_rig(store, 1)
    rig.flush(notice())
    store.doubtful = True
    deliverer = Deliverer(store, rig.routing, rig.channels, rig.clock)
    deliverer.start()
    until = time.monotonic() + 5
    while not caplog.records and time.monotonic() < until:
        time.sleep(0.01)
    deliverer.stop()
    record = caplog.records[0]
    assert record.getMessage().startswith("delivering failed, trying again: ")
    assert "the disk failed to keep what was written" in record.getMessage()
    assert record.exc_info is None


# --- crashes ----------------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone."""


def test_killed_between_commit_and_send_it_sends_again_under_the_same_key(store):
    keys = []

    class Dies:
        def send(self, outgoing, target, now):
            keys.append(outgoing.delivery.key)
            return "ok"

    rig = mail_rig(store, 1, THREE.replace(", b@example.org, c@example.org", ""))
    rig.channels = {"email": Dies()}
    rig.flush(notice())
    with store.transaction() as tx:  # claimed, and then nothing more was heard of the process
        outbox.claim(tx, outbox.due_deliveries(tx, "email", NOW, 10), NOW, 600)
    assert rows(store)[0]["state"] == "sending"
    assert rig.send().sent == 1
    assert keys == [rows(store)[0]["key"]]
    assert rows(store)[0]["attempts"] == 2


def test_killed_after_the_send_it_repeats_the_key_and_never_marks_too_early(store):
    with Hook(answer(200)) as hook:
        rig = hook_rig(store, hook.url)
        rig.flush(notice())
        deliverer = Deliverer(store, rig.routing, rig.channels, rig.clock)
        deliverer.step()
        deadline = time.monotonic() + 5
        while not hook.requests and time.monotonic() < deadline:
            time.sleep(0.01)
        # Nobody recorded the end of the try: it was sent, and is not marked so.
        (row,) = [r for r in rows(store) if r["channel"] == "webhook"]
        assert row["state"] == "sending"
        assert rig.send().sent == 1
    first, second = (headers["webhook-id"] for _, headers, _ in hook.requests)
    assert first == second


def test_stopping_leaves_what_is_under_way_to_the_next_start(store):
    stuck = Stuck()
    rig = mail_rig(store, 1, THREE.replace(", b@example.org, c@example.org", ""))
    rig.channels = {"email": stuck}
    rig.flush(notice())
    deliverer = Deliverer(store, rig.routing, rig.channels, rig.clock)
    deliverer.start()
    assert stuck.entered.acquire(timeout=5)
    began = time.monotonic()
    assert not deliverer.stop(within_s=0.3)
    assert time.monotonic() - began < 2
    stuck.let_go.set()
    assert rows(store)[0]["state"] == "sending"


# --- the outlet -------------------------------------------------------------------------------


def test_the_outlet_flushes_and_sends_and_tries_a_receiver(store, tmp_path):
    box = Mailbox()
    routing = good_routing(THREE)
    with smtp_server(box) as port:
        channel = EmailChannel(SmtpSettings(host="127.0.0.1", port=port))
        outlet = Outlet(store, RENDERER, {"email": channel}, clock_at(), mail_domain="example.org")
        decide(store, routing, [notice()], NOW)
        assert outlet.work(routing).deliveries == 3
        tried = list(outlet.try_receiver(routing.receivers["desk"]))
        assert outlet.stop()
    assert [row["state"] for row in tried] == ["sent"] * 3
    assert len(box.mails) == 6
    assert box.mails[-1]["Subject"].startswith("EXERCISE ")


def test_the_outlet_in_the_background_tries_a_receiver_too(store, tmp_path):
    routing = good_routing(
        "receivers:\n- {name: x, email: [{to: a@b.org}], file: [{path: out}]}\nroute: {receiver: x}"
    )

    class Fine:
        def send(self, outgoing, target, now):
            return "ok"

    channels = {"email": Fine(), "file": FileChannel(tmp_path)}
    outlet = Outlet(store, RENDERER, channels, clock_at())
    outlet.start()
    outlet.work(routing)
    tried = list(outlet.try_receiver(routing.receivers["x"]))
    assert outlet.stop()
    assert {row["state"] for row in tried} == {"sent"}
    assert len(list((tmp_path / "out").glob("*.json"))) == 1
