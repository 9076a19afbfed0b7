"""Clocks are set, machines sleep, days are odd: polling goes on and the same things are told."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from done import BACK, await_log, await_told, whole
from other_clock import OtherClock, needs_compiler
from support.installation import Installation, eventually, recent, row
from support.promises import IN_TIME_S, waits_s
from support.records import record
from support.rig import Rig

HOUR, DECADE = 3600, 10 * 365 * 86_400


@needs_compiler
@pytest.mark.parametrize("jump", [HOUR, -HOUR, DECADE, -DECADE])
def test_a_clock_that_is_set_while_it_runs_stops_nothing_nor_when_it_is_set_right(
    seeded: Installation, tmp_path: Path, jump: int
) -> None:
    clock = OtherClock(tmp_path)
    with seeded.daemon(*clock.under) as daemon:
        await_log(daemon, "backed up to")
        seeded.drop("before.csv", [row(2, recent())])
        await_told(seeded, 1)
        clock.set(jump)
        await_log(daemon, "the wall clock jumped by")
        there = recent() + timedelta(seconds=jump)
        seeded.drop("there.csv", [row(3, there, timestamp=1_700_000_500 + jump)])
        await_told(seeded, 2)
        clock.set(0)
        eventually(lambda: daemon.said().count("the wall clock jumped by") == 2)
        seeded.drop("back.csv", [row(4, recent(2))])
        await_told(seeded, 3)
        daemon.await_notice(BACK)
        assert "Traceback" not in daemon.said()
    whole(seeded)


@needs_compiler
def test_a_daemon_that_was_stopped_for_hours_goes_on_where_it_was(
    seeded: Installation, tmp_path: Path
) -> None:
    """Five hours by the wall clock, five seconds by the machine's."""
    clock = OtherClock(tmp_path)
    with seeded.daemon(*clock.under) as daemon:
        await_log(daemon, "backed up to")
        os.kill(daemon.pid, signal.SIGSTOP)
        clock.set(5 * HOUR)
        seeded.drop("new.csv", [row(2, recent())])
        time.sleep(5)
        os.kill(daemon.pid, signal.SIGCONT)
        await_told(seeded)
        daemon.await_notice(BACK)
    whole(seeded, was_ahead=True)


# --- odd days: in this process, on a clock that the test sets ----------------------------------

RULES = """\
places:
  bamako: {title: Bamako, lat: 12.6392, lon: -8.0029}
rules:
- id: near
  title: Near Bamako
  kind: event
  where: {event_type: Battles, near: {place: bamako, within_km: 150}}
  severity: [warning]
- id: many
  title: Three battles in three days
  kind: count
  where: {event_type: Battles}
  measure: events
  window: 3d
  condition: {gte: 3}
  severity: [critical]
"""
ZONES = ("Europe/Paris", "America/New_York", "Australia/Lord_Howe")
# The clock goes forward and back on these days, in one of the zones or another.
SWITCHES = ("2022-03-13", "2022-03-27", "2022-04-03", "2022-10-02", "2022-10-30", "2022-11-06")


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Put the whole process into a time zone."""

    def put(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield put
    monkeypatch.undo()
    time.tzset()


LEDGER = """\
SELECT rule_id, state, julianday(since) - :day, julianday(until) - :day,
  round(julianday(raised_at) - :day, 4) FROM alerts
"""
SAID = "SELECT rule_id, action, reason, round(julianday(at) - :day, 4) FROM notices"
SENT = "SELECT channel, target, state, round(julianday(created_at) - :day, 4) FROM deliveries"


def life(begin: str, *, dated: int = 0) -> list[list[tuple[Any, ...]]]:
    """Three days from the eve of `begin`, an event a day; what was decided and sent, and when.

    Days and instants are told as days since `begin`. `dated`: so many days ahead is each event.
    """
    rig = Rig(RULES)
    rig.clock.set(datetime.fromisoformat(begin).replace(tzinfo=UTC) - timedelta(days=1))
    try:
        for step in range(72):
            if step % 24 == 5:
                day = rig.clock.now().date() + timedelta(days=dated)
                rig.server.log.append(record(f"MLI{step}", day.isoformat()))
            rig.station.poll("acled")
            rig.station.evaluate()
            rig.station.deliver()
            rig.clock.advance(timedelta(hours=1))
        connection = rig.station.store.connection
        (zero,) = connection.execute("SELECT julianday(?)", [begin]).fetchone()
        asked = (connection.execute(sql, {"day": zero}) for sql in (LEDGER, SAID, SENT))
        return [sorted(rows.fetchall()) for rows in asked]
    finally:
        rig.close()


@pytest.fixture(scope="module")
def ordinary() -> list[list[tuple[Any, ...]]]:
    """The same life on days on which nothing is odd."""
    return life("2022-06-15")


@pytest.mark.parametrize("zone", ZONES)
def test_daylight_saving_both_ways_changes_nothing_that_is_decided(
    local: Any, ordinary: list[list[tuple[Any, ...]]], zone: str
) -> None:
    local(zone)
    jumps = []
    for day in SWITCHES:
        noon = datetime.fromisoformat(day).replace(hour=12, tzinfo=ZoneInfo(zone))
        before = noon - timedelta(days=1)
        jumps.append(noon.utcoffset() != before.utcoffset())
        assert life(day) == ordinary
    assert sum(jumps) == 2


@pytest.mark.parametrize("day", ["2024-02-28", "2024-02-29", "2024-03-01", "2023-03-01"])
def test_a_leap_day_is_a_day_like_others(ordinary: list[list[tuple[Any, ...]]], day: str) -> None:
    assert life(day) == ordinary


@pytest.mark.parametrize("day", ["2022-12-31", "2023-01-01", "2024-12-31"])
def test_the_end_of_a_year_is_a_day_like_others(
    ordinary: list[list[tuple[Any, ...]]], day: str
) -> None:
    assert life(day) == ordinary


def test_events_dated_tomorrow_are_told_today(ordinary: list[list[tuple[Any, ...]]]) -> None:
    alerts, notices, sent = life("2022-06-15", dated=1)
    assert len(alerts) == len(ordinary[0]) == 4
    assert [one[-1] for one in alerts] == [one[-1] for one in ordinary[0]]
    assert notices == ordinary[1]
    assert sent == ordinary[2]


def test_without_a_fault_what_comes_is_with_its_recipients_within_five_seconds_of_being_seen(
    seeded: Installation,
) -> None:
    """And seen within a poll, a second here. The median, since this machine has other work, too."""
    with seeded.daemon():
        seeded.drop("0.csv", [row(2, recent())])  # templates and maps are read for the first time
        await_told(seeded)
        since, seen_s = datetime.now(UTC), []
        for number in range(1, 4):
            dropped = datetime.now(UTC)
            seeded.drop(f"{number}.csv", [row(number + 2, recent())])
            await_told(seeded, number + 1)
            seen_s.append((first_seen(seeded, f"MLI{number + 2}") - dropped).total_seconds())
    waited_s = waits_s(seeded.root / "w.db", since)
    assert len(waited_s) == 6  # a mail and a file each
    assert median(waited_s) <= IN_TIME_S
    assert median(seen_s) <= 1 + IN_TIME_S
    whole(seeded)


def first_seen(installation: Installation, identity: str) -> datetime:
    """When an event was first seen."""
    with closing(sqlite3.connect(installation.root / "w.db")) as database:
        asked = "SELECT first_seen_at FROM events WHERE source_id = ?"
        return datetime.fromisoformat(database.execute(asked, (identity,)).fetchone()[0])
