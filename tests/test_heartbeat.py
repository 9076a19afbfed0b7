"""The dead man's switch: called after work, in time, and loud when nobody answers."""

import logging
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from warden.clock import SystemClock
from warden.daemon import Daemon
from warden.errors import WardenError
from warden.heartbeat import Heartbeat
from warden.settings import Heartbeat as HeartbeatSettings


class Watch(ThreadingHTTPServer):
    """Somebody else's watch on a loopback port."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.calls = []
        self.status = 200
        self.pause_s = 0.0
        self.url = f"http://127.0.0.1:{self.server_port}/ping/secret-id"


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.calls.append(self.path)
        time.sleep(self.server.pause_s)
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def watch():
    with Watch() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def seconds():
    return [0.0]


@pytest.fixture
def heart(watch, seconds):
    return Heartbeat(watch.url, 300, deadline_s=0.5, monotonic=lambda: seconds[0])


def test_it_calls_only_after_work_and_at_most_so_often(watch, heart, seconds):
    assert not heart.beat()
    heart.worked()
    assert heart.beat()
    heart.worked()
    assert not heart.beat()
    seconds[0] = 300.0
    assert heart.beat()
    seconds[0] = 900.0
    assert not heart.beat()  # nothing was done since
    assert watch.calls == ["/ping/secret-id"] * 2


def test_a_refusal_is_told_without_the_address(watch, heart):
    watch.status = 500
    heart.worked()
    with pytest.raises(WardenError, match="status 500") as caught:
        heart.beat()
    assert "secret-id" not in str(caught.value)


def test_a_watch_that_does_not_answer_is_given_up(watch, heart):
    watch.pause_s = 1.5
    heart.worked()
    began = time.monotonic()
    with pytest.raises(WardenError) as caught:
        heart.beat()
    assert time.monotonic() - began < 1.4
    assert "secret-id" not in str(caught.value)


def test_the_daemon_logs_and_counts_a_failed_call(watch, heart, caplog):
    daemon = Daemon(SimpleNamespace(clock=SystemClock(), settings=None))
    daemon._heartbeat = heart
    watch.status = 404
    heart.worked()
    with caplog.at_level(logging.ERROR, "warden"):
        daemon._bounded("heartbeat", daemon._call_heartbeat)()
    (row,) = daemon.progress.report()
    assert row["failures"] == 1
    assert "status 404" in caplog.text


def test_a_daemon_in_which_a_job_hangs_falls_silent(watch, heart):
    daemon = Daemon(SimpleNamespace(clock=SystemClock(), settings=None))
    daemon._heartbeat = heart
    heart.worked()
    daemon.progress.begin("poll x")
    daemon.progress.jobs["poll x"].beat = time.monotonic() - 10_000
    daemon._call_heartbeat()
    assert watch.calls == []


@pytest.mark.parametrize(
    "wrong", [{"url": "ftp://x"}, {"url": "https://a:b@x"}, {"url": "https://x", "every": "often"}]
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValidationError):
        HeartbeatSettings.model_validate(wrong)
    good = HeartbeatSettings.model_validate({"url": "https://x.example/1", "every": "90s"})
    assert good.every == timedelta(seconds=90)
