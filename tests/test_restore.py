"""A backup restored: nothing lost, and nothing sent twice under a new key."""

import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "notify"))

from helpers_notify import Hook, answer, clock_at, decide, later, notice, routing_of, secrets

from warden.deliver import flush, send_due
from warden.notify.channels.webhook import WebhookChannel
from warden.notify.render import Renderer
from warden.store import open_store
from warden.store.backup import back_up

ROUTES = """\
receivers:
- {{name: desk, webhook: [{{url: "{url}", secret: {{secret: hook}}, allow_private: true}}]}}
route: {{receiver: desk, group_by: [cycle]}}
"""


def send(store, routing, clock):
    flush(store, routing, Renderer(), clock)
    send_due(store, routing, {"webhook": WebhookChannel(secrets)}, clock)


def keys(requests):
    """The key of each alert's message; different alerts may arrive in any order."""
    told = {}
    for _, headers, body in requests:
        alert = json.loads(body)["notices"][0]["alert_id"]
        assert alert not in told
        told[alert] = headers["webhook-id"]
    return told


def test_what_was_sent_before_stays_sent_and_what_waited_goes_under_the_same_key(tmp_path):
    with Hook(answer(204)) as hook, open_store(tmp_path / "w.db") as store:
        routing, _ = routing_of(ROUTES.format(url=hook.url))  # only a machine: enough here
        decide(store, routing, [notice(1, alert="a1")], clock_at().now())
        send(store, routing, clock_at())
        decide(store, routing, [notice(2, alert="a2")], later(60))
        decide(store, routing, [notice(3, alert="a3")], later(120))
        back_up(store, tmp_path / "copy.db")
        send(store, routing, clock_at(later(120)))
        told = keys(hook.requests)
        assert set(told) == {"a1", "a2", "a3"}
        store.close()
        for suffix in ("", "-wal", "-shm"):
            (tmp_path / f"w.db{suffix}").unlink(missing_ok=True)
        shutil.copy(tmp_path / "copy.db", tmp_path / "w.db")
        hook.requests.clear()
        with open_store(tmp_path / "w.db") as restored:
            send(restored, routing, clock_at(later(7200)))
            send(restored, routing, clock_at(later(7300)))
        assert keys(hook.requests) == {name: told[name] for name in ("a2", "a3")}
