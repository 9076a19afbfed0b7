"""Warden's own troubles reach people: a refused sign-in, a dead letter, refused rules."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from support.installation import RULES, Installation, eventually, recent, row
from support.sourcing import a_row

from warden.simulator import faults
from warden.simulator.acled_server import AcledServer
from warden.simulator.hook import HookServer, gone
from warden.simulator.world import World

FEEDS = """\
rules:
- id: feed-refused
  title: A source does not let warden in
  kind: feed
  states: [auth_failed]
  severity: [warning]
- id: dead-letter
  title: A message did not reach its recipient
  kind: feed
  states: dead_letter
  severity: [warning]
- id: rules-refused
  title: Rules cannot be used as they are written
  kind: feed
  states: [reload_refused]
  severity: [warning]
"""
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SOURCE = """\
- {{name: acled, kind: acled, base_url: '{url}', username: desk@example.org,
   password: {{secret: acled_password}}, countries: [MLI], every: 1s}}
"""


def with_feed_rules(installation: Installation) -> None:
    (installation.root / "rules" / "feeds.yaml").write_text(FEEDS, encoding="utf-8")


def with_acled(installation: Installation, url: str) -> None:
    path = installation.root / "warden.yaml"
    text = path.read_text(encoding="utf-8")
    where = text.index("smtp:")
    path.write_text(text[:where] + SOURCE.format(url=url) + text[where:], encoding="utf-8")


def with_secret(installation: Installation, name: str, value: str) -> None:
    folder = installation.root / "secrets"
    folder.mkdir()
    (folder / name).write_text(value + "\n", encoding="utf-8")
    with (installation.root / "warden.yaml").open("a", encoding="utf-8") as settings:
        settings.write("secrets_dir: secrets\n")


def mailed(installation: Installation, words: str) -> list[str]:
    return [subject.strip() for subject in installation.subjects() if words in subject]


def test_a_refused_sign_in_is_mailed_and_so_is_its_end(installation):
    with_feed_rules(installation)
    with_secret(installation, "acled_password", "simulated")
    world = World()
    world.publish(a_row(1), datetime.now(UTC))  # a feed without a row would be told as stale
    with AcledServer(world) as server:
        server.fail(faults.status(401, "{}"), on="token", times=None)
        with_acled(installation, server.url)
        with installation.daemon():
            eventually(lambda: mailed(installation, "sign-in refused"), 60)
            server.heal()
            eventually(lambda: mailed(installation, "Feed acled is read again"), 60)
    told, over = mailed(installation, "acled")
    assert told.startswith("WARNING Feed acled: sign-in refused since")
    assert told.endswith("nothing new is known")
    assert over == "WARNING Ended: Feed acled is read again"
    (alert,) = installation.rows("alerts", "--all", "--rule", "feed-refused")
    assert alert["state"] == "ended"
    explained = installation.rows("explain", alert["id"])
    assert {one["reason"] for one in explained} >= {"FIRST", "CONDITION_ENDED"}


def test_a_hook_that_is_gone_for_good_is_told_by_mail_and_raises_nothing_more(installation):
    with_feed_rules(installation)
    with_secret(installation, "hook", SECRET)
    with HookServer(SECRET) as hook:
        hook.answers.append(gone())
        routes = installation.root / "rules" / "routes.yaml"
        text = routes.read_text(encoding="utf-8")
        target = f"{{url: '{hook.url}', secret: {{secret: hook}}, allow_private: true}}"
        both = f"  webhook: [{target}]\nroute:"
        routes.write_text(text.replace("route:", both, 1), encoding="utf-8")
        installation.drop("old.csv", [row(1, recent(60))])
        installation.warden("run", "--once", expect=3)  # a summary, refused by the hook
        installation.warden("run", "--once", expect=3)
        (told,) = mailed(installation, "not accepted")
        assert told.startswith(f"WARNING A message to webhook {hook.url}")
        asked = len(hook.requests)
        for _ in range(3):  # the alert itself was refused there too: nobody hears of that
            installation.warden("run", "--once")
        assert len(mailed(installation, "not accepted")) == 1
        assert len(hook.requests) == asked
        assert len(installation.rows("alerts", "--rule", "dead-letter")) == 1
        hook.answers.clear()
        installation.warden("retry", "--all")
        installation.warden("run", "--once")
        assert mailed(installation, "Ended: Nothing that webhook")


def test_refused_rules_are_told_by_the_last_good_ones(installation):
    with_feed_rules(installation)
    rules = installation.root / "rules" / "rules.yaml"
    with installation.daemon() as daemon:
        rules.write_text(RULES.replace("within_km", "withinkm"), encoding="utf-8")
        daemon.signal(signal.SIGHUP)
        eventually(lambda: mailed(installation, "Changed rules have faults"), 60)
        rules.write_text(RULES, encoding="utf-8")
        daemon.signal(signal.SIGHUP)
        eventually(lambda: mailed(installation, "Rules without faults are in force again"), 60)


def looked_at(port: int, path: str) -> tuple[int, str]:
    """What the daemon answers; 0 while it does not listen."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return int(answer.status), answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()
    except URLError:
        return 0, ""


ALWAYS_SAID = (
    'warden_polls_total{source="inbox",state="ok"} ',
    'warden_source_last_poll_timestamp_seconds{source="inbox"} ',
    'warden_dataset_newest_event_timestamp_seconds{dataset="acled"} ',
    'warden_decisions_total{reason="',
    'warden_delivery_attempts_total{outcome="sent"} ',
    'warden_delivery_attempts_total{outcome="dead"} ',
    "warden_delivery_queue_age_seconds ",
    "# TYPE warden_rule_errors_total counter",
    "warden_rules_last_reload_success_timestamp_seconds ",
    "warden_last_evaluation_timestamp_seconds ",
    "process_resident_memory_bytes ",
)


def assert_promtool_has_nothing_to_say(page: str) -> None:
    promtool = shutil.which("promtool")
    if promtool is not None:
        done = subprocess.run(
            [promtool, "check", "metrics"], input=page.encode(), capture_output=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_daemon_shows_how_it_is_and_a_taken_port_does_not_stop_it(installation):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (installation.root / "warden.yaml").open("a", encoding="utf-8") as settings:
            settings.write(f"console: {{listen: '127.0.0.1:{port}'}}\n")
        installation.drop("old.csv", [row(1, recent(60))])
        with installation.daemon() as daemon:
            eventually(lambda: "console.listen: cannot listen" in daemon.said(), 60)
            taken.close()
            eventually(lambda: looked_at(port, "/-/ready")[0] == 200, 60)
            assert looked_at(port, "/-/healthy") == (200, "warden is alive\n")
            eventually(
                lambda: 'warden_evaluations_total{kind="full"}' in looked_at(port, "/metrics")[1],
                60,
            )
            page = looked_at(port, "/metrics")[1]
    assert 'warden_rows_total{outcome="new",source="inbox"} 1.0' in page
    assert 'warden_source_ok{source="inbox"} 1.0' in page
    assert "warden_rules_last_reload_successful 1.0" in page
    for said in ALWAYS_SAID:
        assert f"\n{said}" in page, said
    assert_promtool_has_nothing_to_say(page)
    assert looked_at(port, "/metrics") == (0, "")


class Switch(BaseHTTPRequestHandler):
    """Somebody else's dead man's switch."""

    calls: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.calls.append(self.path)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def test_a_daemon_at_work_calls_the_switch_and_does_not_tell_its_address(installation):
    with ThreadingHTTPServer(("127.0.0.1", 0), Switch) as watch:
        threading.Thread(target=watch.serve_forever, args=(0.05,), daemon=True).start()
        with (installation.root / "warden.yaml").open("a", encoding="utf-8") as settings:
            settings.write(
                f"heartbeat: {{url: 'http://127.0.0.1:{watch.server_port}/ping', every: 1s}}\n"
            )
        installation.drop("old.csv", [row(1, recent(60))])
        with installation.daemon() as daemon:
            eventually(lambda: Switch.calls == ["/ping"], 60)
        watch.shutdown()
    assert all("/ping" not in line for line in daemon.said().splitlines())


def test_every_command_takes_rules_that_look_at_no_events(installation):
    with_feed_rules(installation)
    installation.export("history.csv", [row(number, recent(60 + number)) for number in range(9)])
    installation.drop("old.csv", [row(1, recent(60))])
    installation.warden("run", "--once")
    refused = installation.warden(
        "backtest", "--events", "history.csv", "--rule", "dead-letter", expect=2
    )
    assert "no history to go back over" in refused.stderr
    assert installation.rows("evaluate", "--dry-run") is not None
    refused = installation.warden("series", "dead-letter", expect=2)
    assert "counts no events" in refused.stderr
    rows = {one["rule"]: one for one in installation.rows("explain", "MLI1")}
    assert rows["dead-letter"]["verdict"] == "no match"
    assert "not about events" in rows["dead-letter"]["reason"]
    assert installation.rows("check") == []
