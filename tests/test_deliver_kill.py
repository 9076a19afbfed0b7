"""A real process, really killed: nothing is lost, and the key stays the same."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "notify"))

from helpers_notify import (
    NOW,
    Hook,
    answer,
    clock_at,
    decide,
    good_routing,
    later,
    notice,
    rows,
    withheld,
)

from warden.deliver import flush
from warden.notify.render import Renderer
from warden.store import open_store

SENDER = """
import sys
sys.path.insert(0, sys.argv[1])
from helpers_notify import clock_at, good_routing, secrets
from warden.deliver import send_due
from warden.notify.channels.webhook import WebhookChannel
from warden.store import open_store

with open_store(sys.argv[2], wait_s=5) as store:
    routing = good_routing(open(sys.argv[3]).read())
    send_due(store, routing, {"webhook": WebhookChannel(secrets)}, clock_at())
"""


def sender(tmp_path):
    helpers = str(Path(__file__).parent / "notify")
    arguments = [SENDER, helpers, str(tmp_path / "warden.db"), str(tmp_path / "routes.yaml")]
    return subprocess.Popen([sys.executable, "-c", *arguments])


def test_killed_in_the_middle_of_a_send_it_sends_again_under_the_same_key(tmp_path):
    processes = []

    def kill(handler):
        os.kill(processes[0].pid, signal.SIGKILL)
        time.sleep(0.1)

    with Hook(kill, answer(200)) as hook:
        text = f"""
receivers:
- {{name: desk, email: [{{to: a@example.org}}]}}
- {{name: hook, webhook: [{{url: "{hook.url}", secret: {{secret: hook}}, allow_private: true}}]}}
route: {{receiver: desk, routes: [{{receiver: hook, continue: true}}, {{receiver: desk}}]}}
"""
        (tmp_path / "routes.yaml").write_text(text)
        routing = good_routing(text)
        with open_store(tmp_path / "warden.db") as store:
            decide(store, routing, [notice()], NOW)
            flush(store, routing, Renderer(), clock_at())
        processes.append(sender(tmp_path))
        assert processes[0].wait(30) == -signal.SIGKILL
        processes.append(sender(tmp_path))
        assert processes[1].wait(30) == 0
    assert len({headers["webhook-id"] for _, headers, _ in hook.requests}) == 1
    assert len(hook.requests) == 2
    with open_store(tmp_path / "warden.db") as store:
        (row,) = [row for row in rows(store) if row["channel"] == "webhook"]
        assert (row["state"], row["attempts"]) == ("sent", 2)
        assert store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


FLUSHER = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from helpers_notify import clock_at, good_routing, later
from warden import deliver
from warden.notify.render import Renderer
from warden.store import open_store, outbox

class Dying(Renderer):
    def render(self, *args, **options):
        os.kill(os.getpid(), signal.SIGKILL)

with open_store(sys.argv[2], wait_s=5) as store:
    routing = good_routing(open(sys.argv[3]).read())
    deliver.flush(store, routing, Dying(), clock_at(later(float(sys.argv[4]))))
    os.kill(os.getpid(), signal.SIGKILL)
"""
WAITING = """
receivers: [{name: desk, email: [{to: a@example.org}]}]
route:
  receiver: desk
  routes:
  - {matchers: {theme: wait}, group_by: [rule], group_wait: 60s, group_interval: 10m}
  - {matchers: {theme: mute}, mute_time_intervals: [m]}
  - {matchers: {theme: digest}, digest: {at: '09:00'}}
  - {receiver: desk}
time_intervals: [{name: m, time_intervals: [{times: [{start_time: '08:00', end_time: '09:00'}]}]}]
"""


def flush_and_die(tmp_path, seconds):
    """A process that flushes at that time, and is killed while it renders or right after."""
    helpers = str(Path(__file__).parent / "notify")
    files = [str(tmp_path / "warden.db"), str(tmp_path / "routes.yaml")]
    process = subprocess.run(
        [sys.executable, "-c", FLUSHER, helpers, *files, str(seconds)], timeout=60, check=False
    )
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("theme", "due_s"),
    [
        ("wait", 60),
        ("mute", 3600),
        pytest.param("interval", 600, marks=pytest.mark.slow),
        pytest.param("digest", 3600, marks=pytest.mark.slow),
    ],
)
def test_killed_while_something_waits_it_tells_all_of_it_once_when_it_is_due(
    tmp_path, theme, due_s
):
    (tmp_path / "routes.yaml").write_text(WAITING)
    routing = good_routing(WAITING)
    labels = (("theme", "wait" if theme == "interval" else theme),)
    with open_store(tmp_path / "warden.db") as store:
        if theme == "interval":  # the group spoke just before
            decide(store, routing, [notice(9, alert="a9", labels=labels)], later(-60))
            assert flush(store, routing, Renderer(), clock_at(later(0))).messages == 1
        first = notice(1, labels=labels, severity="warning")
        decide(store, routing, [first], NOW)
        again = notice(2, labels=labels, severity="warning", action="update", at=later(1))
        decide(store, routing, [again], later(1))
    for seconds in (2, due_s + 1):  # the last one dies with all decided, none rendered
        flush_and_die(tmp_path, seconds)
    with open_store(tmp_path / "warden.db") as store:
        before = len(rows(store))
        assert flush(store, routing, Renderer(), clock_at(later(due_s + 2))).messages == 1
        assert len(rows(store)) == before + 1
        assert not rows(store)[-1]["subject"].startswith("Update:")
        assert withheld(store) == [("n1", "desk", "SUPERSEDED")]
        assert store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
