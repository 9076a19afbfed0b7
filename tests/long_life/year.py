"""A year of a warden, day by day, in a process of its own.

    python year.py FOLDER DAYS

The real programme on a calendar of its own: every morning it polls its feed, evaluates, mails and
calls webhooks through threads as the daemon does, evaluates again with nothing new, tidies and
backs up; now and then somebody acknowledges, judges, silences and reloads. Every evening a line in
`diary.jsonl` says what the process and its files have come to. `now` in the folder is the hour.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from warden import memory
from warden.app import App
from warden.clock import ManualClock
from warden.control import Request
from warden.engine.kinds import memo
from warden.settings import load as load_settings
from warden.station import Station
from warden.store.values import instant_text

START = datetime(2023, 1, 1, 6, tzinfo=UTC)
NOW = "now"
DIARY = "diary.jsonl"
PATIENCE = 48  # steps a day, for what is due to be sent
WEEK, MONTH = 7, 30
STEP = timedelta(minutes=30)
SENT_WITHIN_S = 30.0


def morning(day: int) -> datetime:
    """When a day of the life begins, counted from 0."""
    return START + timedelta(days=day)


class FolderClock:
    """The hour in a folder, for the servers on the other side."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NOW

    def now(self) -> datetime:
        """What time it is there."""
        return datetime.fromisoformat(self._path.read_text())


class Life:
    """One installation, lived day by day."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._clock = ManualClock(START)
        self._set(START)
        self._database = folder / "warden.db"
        self._station: Station = App(load_settings(folder / "warden.yaml"), self._clock).open()
        self._spent: dict[str, float] = {}
        self._largest_log = 0

    def live(self, days: int) -> None:
        """So many days, with a line in the diary for each."""
        station = self._station
        station.prepare()
        station.full_pass_days = MONTH
        station.start_sending()
        with station, (self._folder / DIARY).open("w", encoding="utf-8") as diary:
            for day in range(days):
                self._spent = {}
                self._one_day(day)
                line = self._line(day)
                if day in {2 * MONTH - 1, 7 * MONTH - 1, days - 1}:
                    line["bare"] = self._bare()
                diary.write(json.dumps(line) + "\n")
                diary.flush()

    def _one_day(self, day: int) -> None:
        station = self._station
        self._set(morning(day))
        self._timed("poll", lambda: station.poll("acled"))
        self._timed("evaluate", station.evaluate)
        self._timed("deliver", self._settle)
        self._timed("idle", self._a_quiet_minute)
        self._timed("people", lambda: self._people(day))
        if day % WEEK == 0:  # to save time: a copy costs as much as the rest of a day
            self._timed("backup", station.upkeep.back_up_nightly)
        self._timed("tidy", station.upkeep.tidy)

    def _a_quiet_minute(self) -> None:
        """What the daemon's jobs do while nothing happens."""
        self._station.evaluate()
        self._station.deliver()
        self._station.figures()

    def _timed(self, name: str, work: Callable[[], object]) -> None:
        """Count the processor's time, all threads together: a clock would count neighbours."""
        began = time.process_time()
        work()
        self._spent[name] = time.process_time() - began
        self._largest_log = max(self._largest_log, _size(Path(f"{self._database}-wal")))

    def _set(self, now: datetime) -> None:
        self._clock.set(now)
        new = self._folder / f"{NOW}.new"
        new.write_text(now.isoformat())
        new.replace(self._folder / NOW)

    # --- sending --------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Send what is due, step by step, until nothing waits for less than a day."""
        for _ in range(PATIENCE):
            self._station.deliver()
            self._wait_for_senders()
            if not self._count(_WAITS, self._clock.now() + timedelta(hours=20)):
                return
            self._set(self._clock.now() + STEP)
        raise RuntimeError("something waits for ever")

    def _wait_for_senders(self) -> None:
        limit = time.monotonic() + SENT_WITHIN_S
        while self._count(_DUE, self._clock.now()):
            if time.monotonic() > limit:
                raise RuntimeError("what is due is not sent")
            time.sleep(0.005)

    def _count(self, sql: str, until: datetime = START) -> int:
        with self._station.store.reading() as connection:
            return int(connection.execute(sql, {"until": instant_text(until)}).fetchone()[0])

    # --- people ---------------------------------------------------------------------------------

    def _people(self, day: int) -> None:
        """What somebody does now and then."""
        with self._station.store.reading() as connection:
            newest = [
                row[0]
                for row in connection.execute(
                    "SELECT id FROM alerts WHERE told = 1 ORDER BY raised_at DESC, id LIMIT 2"
                )
            ]
        if not newest:
            return
        if day % 3 == 0:
            self._act("ack", alerts=newest, note="SIMULATED")
        if day % 5 == 0:
            self._act("verdict", alerts=newest[:1], verdict="true", note="SIMULATED")
        if day % 10 == 0:
            self._act("silence-add", matchers=["theme=bamako"], comment="x", **{"for": "12h"})
        if day % MONTH == 0:
            self._station.reload()

    def _act(self, command: str, **arguments: Any) -> None:
        list(self._station.act(Request(command, arguments, "desk")))

    # --- the diary ------------------------------------------------------------------------------

    def _line(self, day: int) -> dict[str, Any]:
        log, self._largest_log = self._largest_log, 0
        return {
            "day": day,
            "rss": _resident_bytes(),
            "anonymous": _resident_bytes("RssAnon"),
            "descriptors": len(list(Path("/proc/self/fd").iterdir())),
            "threads": threading.active_count(),
            "blocks": sys.getallocatedblocks(),
            "tasks": len(list(Path("/proc/self/task").iterdir())),
            "log": log,
            "database": _size(self._database),
            "backups": len(list((self._folder / "backups").glob("*"))),
            "spent": {name: round(seconds, 4) for name, seconds in self._spent.items()},
            "rows": {table: self._count(f"SELECT count(*) FROM {table}") for table in _COUNTED},
        }

    def _bare(self) -> dict[str, Any]:
        """What is only kept to save time, dropped piece by piece, in bytes; and what is left."""
        before = _used_bytes()
        parts = {}
        for name, drop in (
            ("pages of SQLite", self._drop_pages),
            ("answers of functions", _drop_answers),
            ("events held by rules", self._drop_events),
        ):
            drop()
            gc.collect()
            after = _used_bytes()
            parts[name], before = before - after, after
        return {"parts": parts, "left": before, "blocks": sys.getallocatedblocks()}

    def _drop_pages(self) -> None:
        store = self._station.store
        for connection in (store.connection, *store._readers):
            connection.execute("PRAGMA shrink_memory")

    def _drop_events(self) -> None:
        memo.forget()
        self._station._evaluator.forget()


def _drop_answers() -> None:
    for found in gc.get_objects():
        if isinstance(found, _LruCache):
            found.cache_clear()


_LruCache = type(lru_cache(len))
_DUE = "SELECT count(*) FROM deliveries WHERE finished_at IS NULL AND due_at <= :until"
_WAITS = (
    "SELECT (SELECT count(*) FROM deliveries WHERE finished_at IS NULL) + (SELECT count(*) FROM"
    " dispatches WHERE message_id IS NULL AND withheld_reason IS NULL AND due_at <= :until)"
)
_COUNTED = (
    "events", "event_revisions", "raw_pages", "rejects", "poll_runs", "cycles", "alerts",
    "decisions", "notices", "messages", "deliveries", "delivery_attempts", "actions", "health",
)  # fmt: skip


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _resident_bytes(name: str = "VmRSS") -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))


class _Mallinfo(ctypes.Structure):
    """What glibc tells of its heap."""

    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
        "fordblks", "keepcost",
    )]  # fmt: skip


def _used_bytes() -> int:
    """What is in use of glibc's heap and of Python's own; without what either keeps in reserve."""
    tell = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if tell is None:
        return 0
    tell.restype = _Mallinfo
    found = tell()
    return int(found.uordblks + found.hblkhd) + _python_bytes()


def _python_bytes() -> int:
    """What is in use of Python's own heap, as it tells on the stream of errors."""
    with tempfile.TemporaryFile() as told:
        kept = os.dup(2)
        os.dup2(told.fileno(), 2)
        sys._debugmallocstats()
        os.dup2(kept, 2)
        os.close(kept)
        told.seek(0)
        found = re.search(rb"# bytes in allocated blocks *= *([0-9,]+)", told.read())
    return int(found[1].replace(b",", b"")) if found else 0


if __name__ == "__main__":
    memory.keep_little()
    Life(Path(sys.argv[1])).live(int(sys.argv[2]))
