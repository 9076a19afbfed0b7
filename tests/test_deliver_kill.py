"""A real process, really killed: nothing is lost, and the key stays the same."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "notify"))

from helpers_notify import NOW, Hook, answer, clock_at, decide, good_routing, notice, rows

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
