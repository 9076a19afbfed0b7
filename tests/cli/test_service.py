"""What the service manager and the journal are told."""

import io
import logging
import os
import socket
import sys

import pytest

from warden import logs, sdnotify


@pytest.fixture
def manager(tmp_path, monkeypatch):
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    channel.settimeout(5)
    channel.bind(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    yield channel
    channel.close()


def test_states_arrive_as_one_datagram(manager):
    assert sdnotify.notify("READY=1", "STATUS=fine")
    assert manager.recv(1000) == b"READY=1\nSTATUS=fine"


def test_a_reload_carries_its_monotonic_time(manager):
    sdnotify.reloading()
    first, second = manager.recv(1000).split(b"\n")
    assert first == b"RELOADING=1"
    assert second.startswith(b"MONOTONIC_USEC=")


def test_without_a_service_manager_nothing_is_sent(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not sdnotify.notify("READY=1")


def test_a_manager_that_went_away_is_no_error(monkeypatch, tmp_path):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    assert not sdnotify.notify("READY=1")


@pytest.mark.timeout(20)
def test_a_manager_that_reads_nothing_holds_nobody_up(manager, monkeypatch):
    monkeypatch.setattr(sdnotify, "_PATIENCE_S", 0.01)
    assert any(not sdnotify.notify("WATCHDOG=1") for _ in range(2_000))  # its queue is full


def test_the_watchdog_is_for_this_process_only(monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "120000000")
    assert sdnotify.watchdog_interval_s() == 120.0
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid() + 1))
    assert sdnotify.watchdog_interval_s() is None


def test_the_journal_gets_priorities_on_every_line():
    try:
        float("two\nlines")
    except ValueError:
        error = sys.exc_info()
    record = logging.LogRecord("warden.x", logging.ERROR, "f", 1, "two\nlines", None, error)
    text = logs.JournalFormatter("%(name)s: %(message)s").format(record)
    first, *rest = text.splitlines()
    assert first == "<3>warden.x: two\\nlines"
    assert len(rest) > 2
    assert all(line.startswith("<3>  ") for line in rest)


def test_a_stream_is_the_journal_only_by_its_inode(monkeypatch, tmp_path):
    with (tmp_path / "log").open("w", encoding="utf-8") as stream:
        found = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
        assert logs.on_journal(stream)
        monkeypatch.setenv("JOURNAL_STREAM", "1:2")
        assert not logs.on_journal(stream)
    assert not logs.on_journal(io.StringIO())


def test_lines_elsewhere_carry_the_time():
    stream = io.StringIO()
    before = logging.getLogger().handlers[:]
    try:
        logs.configure(stream=stream)
        logging.getLogger("warden.test").info("hello")
    finally:
        logging.getLogger().handlers[:] = before
    assert "INFO warden.test: hello" in stream.getvalue()
