"""Alertmanager's words: its webhook payload, and its own API, with the program itself."""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from helpers_notify import clock_at, decide, good_routing, later, notice, routing_of, rows, secrets

from warden.deliver import Deliverer, flush
from warden.model.notice import Change
from warden.notify.channels.file import FileChannel
from warden.notify.channels.webhook import WebhookChannel
from warden.notify.formats import ALERTMANAGER_API, body_format
from warden.notify.render import Renderer
from warden.notify.render.alertmanager import NEVER, alert_labels, fingerprint
from warden.notify.render.cap import Issuer
from warden.notify.render.samples import sample_notice, sample_notices
from warden.notify.routes import Receiver
from warden.store import open_store

NOW = datetime(2024, 1, 10, 8, 0, tzinfo=UTC)
DESK = Receiver("desk")
AN_ALERT = {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"}
A_GROUP = {
    "version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels",
    "commonAnnotations", "externalURL", "alerts",
}  # fmt: skip


def body(notices, name="alertmanager", url="https://warden.example.org"):
    renderer = Renderer(issuer=Issuer(web=url))
    return json.loads(renderer.render(DESK, notices, NOW, [name], message_id="m").bodies[name])


@pytest.mark.parametrize("number", range(len(sample_notices())))
def test_a_webhook_payload_has_every_field_of_version_4(number):
    data = body([sample_notices()[number]])
    assert set(data) == A_GROUP
    assert data["version"] == "4"
    alert, *former = data["alerts"]
    assert set(alert) == AN_ALERT
    assert alert["status"] == data["status"]
    assert [one["status"] for one in former] in ([], ["resolved"])
    for texts in (alert["labels"], alert["annotations"]):
        assert all(isinstance(value, str) and value for value in texts.values())
    assert alert["labels"]["alertname"] == "sample-rule"
    assert alert["annotations"]["summary"]


@pytest.mark.parametrize(
    ("action", "status"),
    [("alert", "firing"), ("update", "firing"), ("resolved", "resolved"), ("cancel", "resolved")],
)
def test_ends_and_withdrawals_are_resolved_with_the_time_they_ended(action, status):
    (alert,) = body([replace(sample_notice(), action=action)])["alerts"]
    assert alert["status"] == status
    assert alert["endsAt"] == (NEVER if status == "firing" else "2024-01-10T08:00:00Z")


def test_all_notices_of_an_alert_share_group_key_and_fingerprint():
    said = [body([replace(sample_notice(), action=a)]) for a in ("alert", "update", "resolved")]
    assert len({data["groupKey"] for data in said}) == 1
    assert len({data["alerts"][0]["fingerprint"] for data in said}) == 1


def test_labels_keep_to_the_names_that_alertmanager_knows():
    labels = alert_labels(replace(sample_notice(), labels=(("team-name", "x"), ("1st", "y"))))
    assert labels["team_name"] == "x"
    assert labels["_1st"] == "y"


def test_a_changed_severity_ends_the_alert_under_the_old_one():
    change = (Change("severity", "warning", "critical"),)
    now, before = body(
        [replace(sample_notice(), action="update", changes=change)], ALERTMANAGER_API
    )
    assert (now["labels"]["severity"], before["labels"]["severity"]) == ("critical", "warning")
    assert before["endsAt"] == "2024-01-10T08:00:00Z"
    assert now["endsAt"] > "2024-01-16"


def test_a_changed_severity_resolves_the_old_one_for_webhook_receivers_too():
    before = {**sample_notice().facts, "told_severity": "warning"}
    data = body([replace(sample_notice(), action="update", facts=before)])
    said = [(one["labels"]["severity"], one["status"]) for one in data["alerts"]]
    assert said == [("critical", "firing"), ("warning", "resolved")]
    assert data["status"] == "firing"
    first = body([replace(sample_notice(), severity="warning")])["alerts"][0]
    assert data["alerts"][1]["fingerprint"] == first["fingerprint"]
    over = body([replace(sample_notice(), action="resolved", facts=before)])
    assert [one["status"] for one in over["alerts"]] == ["resolved", "resolved"]


def test_the_api_of_an_alertmanager_is_known_by_its_path():
    api = "http://127.0.0.1:9093/api/v2/alerts"
    assert body_format("alertmanager", api, with_notes=False) == ALERTMANAGER_API
    assert body_format("alertmanager", "https://x.org/hook", with_notes=False) == "alertmanager"


@pytest.mark.parametrize(("written", "faults"), [("alertmanager", 0), ("warden", 1), ("cap", 1)])
def test_only_what_speaks_alertmanagers_words_may_go_unsigned(written, faults):
    _, found = routing_of(f"""
receivers: [{{name: desk, email: [{{to: [a@example.org]}}]}},
  {{name: am, webhook: [{{url: "https://am.example.org/hook", format: {written}}}]}}]
route: {{receiver: desk, routes: [{{receiver: am, continue: true}}, {{receiver: desk}}]}}
""")
    assert len([one for one in found if "webhook needs the key 'secret'" in one]) == faults


def test_every_notice_is_a_message_of_its_own_and_a_cap_message_names_what_it_replaces(tmp_path):
    routing = good_routing("""
receivers: [{name: desk, email: [{to: [a@example.org]}]},
  {name: out, file: [{path: out, format: cap}]}]
route: {receiver: desk, routes: [{receiver: out, continue: true}, {receiver: desk}]}
""")
    with open_store(tmp_path / "warden.db") as store:
        decide(store, routing, [notice(1), notice(2, alert="a2")], NOW)
        deliverer = Deliverer(store, routing, {"file": FileChannel(tmp_path)}, clock_at(later(0)))
        flush(store, routing, Renderer(), clock_at(later(0)), mail_domain="example.org")
        deliverer.send_due(within_s=10)
        assert len(list((tmp_path / "out").glob("*.xml"))) == 2
        update = notice(3, at=later(60), action="update")
        decide(store, routing, [update], later(60))
        flush(store, routing, Renderer(), clock_at(later(60)), mail_domain="example.org")
        bodies = [
            row[0]
            for row in store.connection.execute(
                "SELECT b.body FROM message_bodies b JOIN messages m"
                " ON m.id = b.message_id WHERE b.format = 'cap' ORDER BY m.rowid"
            )
        ]
        first = bodies[0].split("<identifier>")[1].split("<")[0]
        assert f",{first},2024-01-10T08:00:00-00:00</references>" in bodies[2]
        assert "<msgType>Update</msgType>" in bodies[2]


# --- the program itself -----------------------------------------------------------------------

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def fetched(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.loads(answer.read())


@pytest.fixture
def alertmanager(tmp_path):
    config = tmp_path / "am.yml"
    config.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    port = free_port()
    process = subprocess.Popen(
        [PROGRAM, f"--config.file={config}", f"--storage.path={tmp_path}",
         f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{url}/-/ready", timeout=1).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.skipif(PROGRAM is None, reason="no Alertmanager on this machine")
def test_a_real_alertmanager_takes_our_alerts_and_sees_them_end(tmp_path, alertmanager):
    routing = good_routing(f"""
receivers: [{{name: desk, email: [{{to: [a@example.org]}}]}},
  {{name: am, webhook: [{{url: "{alertmanager}/api/v2/alerts", format: alertmanager,
    allow_private: true}}]}}]
route: {{receiver: desk, routes: [{{receiver: am, continue: true}}, {{receiver: desk}}]}}
""")
    now = datetime.now(UTC)
    with open_store(tmp_path / "warden.db") as store:
        channels = {"webhook": WebhookChannel(secrets)}

        def tell(one):
            decide(store, routing, [one], one.at)
            flush(store, routing, Renderer(), clock_at(one.at), mail_domain="example.org")
            sent = Deliverer(store, routing, channels, clock_at(one.at)).send_due(within_s=10)
            assert (sent.sent, sent.dead, sent.retried) == (1, 0, 0), rows(store)

        first = notice(1, at=now - timedelta(seconds=2))
        tell(first)
        (seen,) = fetched(f"{alertmanager}/api/v2/alerts")
        assert seen["labels"] == alert_labels(first)
        assert seen["fingerprint"] == fingerprint(alert_labels(first)), "its own identity"
        assert seen["status"]["state"] in ("active", "unprocessed")
        tell(notice(2, at=now - timedelta(seconds=1), action="resolved"))
        assert fetched(f"{alertmanager}/api/v2/alerts") == []
