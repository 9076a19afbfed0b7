"""The daemon's own machinery, without a process: boundaries, watch, clock jumps."""

import logging
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from warden import daemon as module
from warden.clock import ManualClock
from warden.daemon import Daemon, Progress
from warden.errors import StoreError

NOW = datetime(2024, 7, 1, tzinfo=UTC)


@pytest.fixture
def daemon():
    return Daemon(SimpleNamespace(clock=ManualClock(NOW), settings=None))


@pytest.mark.parametrize(
    "error", [SystemExit(1), MemoryError(), RecursionError(), ValueError("x"), KeyboardInterrupt()]
)
def test_whatever_a_job_raises_ends_at_its_boundary_and_is_counted(daemon, error):
    def work():
        raise error

    daemon._bounded("poll x", work)()
    (row,) = daemon.progress.report()
    assert (row["failures"], row["running"]) == (1, False)
    assert type(error).__name__ in row["error"]
    assert row["failed_at"] == NOW


def test_an_operators_trouble_is_logged_without_a_traceback(daemon, caplog):
    def work():
        raise StoreError("the disk is full")

    with caplog.at_level(logging.ERROR, "warden"):
        daemon._bounded("evaluate", work)()
    assert caplog.messages == ["evaluate: the disk is full"]
    assert caplog.records[0].exc_info is None


class Beats:
    """A dead man's switch that counts."""

    def __init__(self):
        self.count = 0

    def beat(self):
        self.count += 1


def test_the_dead_mans_switch_waits_for_what_could_not_be_stored(daemon):
    """On a full disk evaluations that find nothing new go on ending well."""
    daemon._heartbeat = Beats()
    ills = {"poll inbox": StoreError("the disk is full")}
    daemon._station = SimpleNamespace(
        due=lambda name: name == "inbox",
        poll=lambda *_: SimpleNamespace(changed=(), state="ok", sentence=""),
    )

    def poll():
        if "poll inbox" in ills:
            raise ills["poll inbox"]
        daemon._poll("inbox")

    def cycle():
        daemon._bounded("poll inbox", poll)()
        daemon._bounded("poll other", lambda: daemon._poll("other"))()
        daemon._bounded("evaluate", lambda: None)()
        daemon._bounded("heartbeat", daemon._call_heartbeat)()

    cycle()
    assert daemon._heartbeat.count == 0
    assert daemon._unwritten() == ["poll inbox cannot be stored: the disk is full"]
    ills.clear()
    cycle()
    assert daemon._heartbeat.count == 1
    assert daemon._unwritten() == []


def test_a_backup_that_fails_does_not_stop_the_dead_mans_switch(daemon):
    daemon._heartbeat = Beats()

    def fails():
        raise StoreError("no room in the backup folder")

    daemon._bounded("backup", fails)()  # that is a condition, told by mail
    daemon._call_heartbeat()
    assert daemon._heartbeat.count == 1


def test_no_job_begins_once_it_stops(daemon):
    daemon._stopping.set()
    done = []
    daemon._bounded("deliver", lambda: done.append(1))()
    assert done == []


def test_a_job_is_stuck_when_it_is_silent_not_when_it_is_long(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    progress = Progress()
    progress.begin("poll acled")
    for _ in range(10):
        now[0] += 400
        progress.beat("poll acled")
    assert progress.stuck() == []
    now[0] += 601
    assert progress.stuck() == ["poll acled"]
    progress.end("poll acled", None, NOW)
    assert progress.stuck() == []


def test_the_watchdog_is_not_fed_while_a_job_is_stuck(daemon, monkeypatch):
    sent = []
    monkeypatch.setattr(module.sdnotify, "notify", lambda *said: sent.append(said))
    monkeypatch.setattr(module.sdnotify, "watchdog_interval_s", lambda: 120.0)
    daemon._keep_watch()
    assert ("WATCHDOG=1",) in sent
    sent.clear()
    daemon._fed_at = 0.0
    daemon.progress.begin("evaluate")
    daemon.progress.jobs["evaluate"].beat = time.monotonic() - 3600
    daemon._keep_watch()
    assert ("WATCHDOG=1",) not in sent
    assert ("STATUS=stuck: evaluate",) in sent


def test_the_watchdog_is_not_fed_when_the_scheduler_itself_is_stuck(daemon, monkeypatch):
    sent = []
    monkeypatch.setattr(module.sdnotify, "notify", lambda *said: sent.append(said))
    monkeypatch.setattr(module.sdnotify, "watchdog_interval_s", lambda: 120.0)
    daemon._pulse = time.monotonic() - 60
    daemon._keep_watch()
    assert ("WATCHDOG=1",) not in sent


def test_a_clock_set_back_pulls_the_ticks_back_with_it(daemon, monkeypatch):
    daemon._scheduler.start(paused=True)
    try:
        daemon._every("deliver", 1.0, lambda: None)
        (job,) = daemon._scheduler.get_jobs()
        due = job.next_run_time
        real = module._wall_minus_monotonic
        monkeypatch.setattr(module, "_wall_minus_monotonic", lambda: real() - 3600)
        daemon._check_drift()
        (job,) = daemon._scheduler.get_jobs()
        assert abs(due - timedelta(hours=1) - job.next_run_time) < timedelta(seconds=1)
        daemon._check_drift()  # told once
        (again,) = daemon._scheduler.get_jobs()
        assert again.next_run_time == job.next_run_time
    finally:
        daemon._scheduler.shutdown(wait=False)


def test_a_clock_set_forward_moves_nothing(daemon, monkeypatch):
    daemon._scheduler.start(paused=True)
    try:
        daemon._every("deliver", 1.0, lambda: None)
        due = daemon._scheduler.get_jobs()[0].next_run_time
        real = module._wall_minus_monotonic
        monkeypatch.setattr(module, "_wall_minus_monotonic", lambda: real() + 3600)
        daemon._check_drift()
        assert daemon._scheduler.get_jobs()[0].next_run_time == due
    finally:
        daemon._scheduler.shutdown(wait=False)


def test_ticks_missed_in_ten_years_are_one_tick():
    ticks = module._Ticks(seconds=1, timezone=UTC)
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    after = now + timedelta(seconds=1)
    assert ticks.get_next_fire_time(now, now) == after
    assert ticks.get_next_fire_time(now - timedelta(days=3650), now) == after


def test_the_scheduler_runs_late_ticks_once_and_never_two_of_a_job(daemon):
    assert daemon._scheduler._job_defaults == {
        "misfire_grace_time": None,
        "coalesce": True,
        "max_instances": 1,
    }
    assert str(daemon._scheduler.timezone) == "UTC"
