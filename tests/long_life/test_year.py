"""A year of daily polls costs what its events cost, and nothing else grows.

    make test-long-life                the year, printed as a table
    make test-long-life LONG_DAYS=60   the first two months

One life, lived once (see `year.py` and `other_side.py`); each test asks something else of it.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from other_side import KEEP, YEAR, Heard, OtherSide, Pace
from support.promises import broken_promises, undecided
from year import WEEK, FolderClock, morning

from warden.app import App
from warden.clock import ManualClock
from warden.settings import load as load_settings
from warden.store import open_store
from warden.store.values import instant_text
from warden.trying import Trying

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

DAYS = int(os.environ.get("LONG_DAYS") or YEAR)
WITHIN_S = 900.0
MONTH = 30
MB = 1 << 20
CACHES = 32 * MB  # of SQLite: 16 MB of the writer, 8 MB of each of two readers
LOG_LIMIT = 64 * MB
REMEMBERED = 32 * MB  # bounded caches of functions, holes between what is used
MEMORY_LIMIT = 300 * MB
WORKERS = 4  # of each channel
THREADS = 2 + 2 * WORKERS  # the life itself, who hands out deliveries, those who mail and call
OF_ALERTS = (
    "alerts", "alert_evidence", "decisions", "notices", "dispatches", "dispatch_alerts", "holds",
    "messages", "deliveries", "delivery_attempts",
)  # fmt: skip


@dataclass(frozen=True)
class Lived:
    """The folder after the year, and what was written down in it and outside."""

    folder: Path
    diary: list[dict[str, Any]]
    heard: Heard
    seconds: float

    @property
    def database(self) -> Path:
        return self.folder / "warden.db"

    def app(self) -> App:
        """The same installation, on its last evening."""
        clock = ManualClock(FolderClock(self.folder).now())
        return App(load_settings(self.folder / "warden.yaml"), clock)

    def month(self, number: int, name: str) -> list[Any]:
        """A figure on each day of a month; -1 is the last one."""
        end = number * MONTH if number > 0 else len(self.diary)
        return [line[name] for line in self.diary[end - MONTH : end]]

    def grew(self, name: str) -> float:
        """From the second month to the last, by what is usual in each."""
        return float(
            statistics.median(self.month(-1, name)) - statistics.median(self.month(2, name))
        )

    def added(self, table: str) -> int:
        """Rows from the second month to the end."""
        return int(self.diary[-1]["rows"][table] - self.diary[2 * MONTH - 1]["rows"][table])

    def spent(self, number: int, step: str) -> float:
        """The processor's seconds of a step on a usual day of a month."""
        spent = (one[step] for one in self.month(number, "spent") if step in one)
        return float(statistics.median(spent))

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def lived() -> Iterator[Lived]:
    memory = Path("/dev/shm")  # a disk would take most of the time
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    try:
        began = time.monotonic()
        with OtherSide(folder, Pace(), DAYS) as side:
            side.live(WITHIN_S)
        diary = [json.loads(line) for line in side.diary.read_text().splitlines()]
        made = Lived(folder, diary, side.heard, time.monotonic() - began)
        tell(made)
        yield made
    finally:
        shutil.rmtree(folder)


def tell(lived: Lived) -> None:
    """The year as a table, for docs/operating.md."""
    lines = [f"\n{len(lived.diary)} days in {lived.seconds:.0f} s"]
    lines.append(
        "day events  rss  anon descriptors threads   log database  poll evaluate deliver  idle"
    )
    for line in lived.diary[MONTH - 1 :: MONTH]:
        spent = [1000 * line["spent"][name] for name in ("poll", "evaluate", "deliver", "idle")]
        lines.append(
            f"{line['day'] + 1:3} {line['rows']['events']:6}"
            f" {line['rss'] / MB:3.0f}M {line['anonymous'] / MB:4.0f}M"
            f" {line['descriptors']:11} {line['threads']:7} {line['log'] / MB:4.1f}M"
            f" {line['database'] / MB:7.1f}M"
            f" {spent[0]:3.0f}ms {spent[1]:6.0f}ms {spent[2]:5.0f}ms {spent[3]:3.0f}ms"
        )
    lines += [f"{name}: {rows:,} rows, {size:,.0f} bytes each" for name, rows, size in sizes(lived)]
    lines += [f"{size:,.0f} bytes {what}" for what, size in shares(lived)]
    lines += [bare(one) for one in lived.diary if "bare" in one]
    sys.stdout.write("\n".join(lines) + "\n")


def bare(line: dict[str, Any]) -> str:
    """What a day's memory was made of."""
    parts = {**line["bare"]["parts"], "the rest": line["bare"]["left"]}
    told = ", ".join(f"{size / MB:.1f}M {name}" for name, size in parts.items())
    return f"in use on day {line['day'] + 1}: {told} ({line['bare']['blocks']:,} blocks)"


def sizes(lived: Lived) -> list[tuple[str, int, float]]:
    """(table, rows, bytes of a row with its indexes), the largest table first."""
    found = lived.ask(
        "SELECT s.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_schema s ON s.name = d.name"
        " WHERE d.aggregate = 1 GROUP BY s.tbl_name ORDER BY 2 DESC"
    )
    counts = {name: lived.ask(f"SELECT count(*) FROM {name}")[0][0] for name, _ in found}
    return [(name, counts[name], size / max(counts[name], 1)) for name, size in found]


def shares(lived: Lived) -> Iterator[tuple[str, float]]:
    """What an event, a row, an alert and a text take, with all that belongs to them."""
    all_of = {name: rows * size for name, rows, size in sizes(lived)}
    for what, tables, of in (
        (
            "an event, with its revisions",
            ("events", "event_revisions"),
            "SELECT count(*) FROM events",
        ),
        ("a row as served", ("raw_pages",), "SELECT sum(rows) FROM raw_pages"),
        ("an alert, with all that was decided and sent", OF_ALERTS, "SELECT count(*) FROM alerts"),
        ("a message's text", ("message_bodies",), "SELECT count(*) FROM message_bodies"),
    ):
        yield what, sum(all_of.get(table, 0.0) for table in tables) / lived.ask(of)[0][0]


def test_nothing_was_lost_or_said_falsely_in_a_year(lived: Lived) -> None:
    # A digest may wait for its Monday.
    assert broken_promises(
        lived.database, hooks=lived.heard.hooks, mails=lived.heard.mails, settled=False
    ) == []  # fmt: skip
    assert lived.ask("SELECT count(*) FROM deliveries WHERE state <> 'sent'") == [(0,)]
    assert max(lived.heard.hooks.values()) == 1
    assert max(lived.heard.mails.values()) == 1


def test_after_a_year_evaluating_again_decides_nothing(lived: Lived) -> None:
    with lived.app().open() as station:
        assert undecided(station.dry_run()) == []


def test_descriptors_and_threads_stay_as_many(lived: Lived) -> None:
    # A worker that sends comes when all others are busy, and keeps a connection.
    assert max(lived.month(-1, "descriptors")) <= max(lived.month(2, "descriptors")) + WORKERS
    assert max(line["threads"] for line in lived.diary) <= THREADS
    of_libraries = {line["tasks"] - line["threads"] for line in lived.diary}
    assert len(of_libraries) == 1


def test_nothing_is_left_in_memory_beside_what_is_kept_to_save_time(lived: Lived) -> None:
    found = [line["bare"] for line in lived.diary if "bare" in line]
    before, after = found[0], found[-1]
    assert after["blocks"] - before["blocks"] <= 10_000  # of half a million
    assert after["left"] - before["left"] <= 8 * MB


def test_memory_grows_by_pages_of_the_database_and_by_bounded_caches(lived: Lived) -> None:
    pages = min(lived.grew("database"), CACHES)  # SQLite keeps what it has read, up to a limit
    assert lived.grew("anonymous") <= pages + REMEMBERED
    assert max(line["rss"] for line in lived.diary) <= MEMORY_LIMIT


def test_the_log_beside_the_database_stays_small(lived: Lived) -> None:
    assert max(line["log"] for line in lived.diary) <= LOG_LIMIT
    assert max(lived.month(-1, "log")) <= 1.5 * max(lived.month(2, "log"))


def test_the_database_grows_by_what_happened(lived: Lived) -> None:
    bytes_of = {name: size for name, _, size in sizes(lived)}
    assert bytes_of["events"] <= 2_000
    assert bytes_of["event_revisions"] <= 1_500
    assert bytes_of["raw_pages"] <= 100_000
    assert bytes_of["notices"] <= 20_000
    assert bytes_of["alerts"] <= 8_000
    assert bytes_of["message_bodies"] <= 60_000
    known = sum(rows * size for _, rows, size in sizes(lived))
    assert known >= 0.97 * lived.database.stat().st_size  # nothing else has room in it


def test_what_is_forgotten_does_not_pile_up(lived: Lived) -> None:
    rows = lived.diary[-1]["rows"]
    assert rows["poll_runs"] <= 2 * (90 + 1)
    if DAYS > KEEP + MONTH:
        assert rows["raw_pages"] <= 2 * (KEEP + 1)
        ((oldest,),) = lived.ask(
            "SELECT min(m.created_at) FROM message_bodies b JOIN messages m ON m.id = b.message_id"
        )
        assert oldest[:10] >= f"{morning(DAYS - KEEP - 1):%Y-%m-%d}"
    assert max(line["backups"] for line in lived.diary) == 3


def test_a_day_costs_no_more_than_what_there_is_to_look_at(lived: Lived) -> None:
    grown = lived.diary[-1]["rows"]["events"] / lived.diary[2 * MONTH - 1]["rows"]["events"]
    for step in ("poll", "evaluate", "idle"):
        assert lived.spent(-1, step) <= 1.5 * grown * lived.spent(2, step) + 0.02, step
    assert lived.spent(-1, "tidy") <= 0.05


def test_a_start_looks_at_the_file_no_longer_than_it_may(lived: Lived) -> None:
    with open_store(lived.database) as store:
        began = time.process_time()
        assert not store.quick_check(0.01)
        assert time.process_time() - began < 1.0
        assert store.quick_check(60.0)


def test_the_last_backup_is_the_database_of_its_night(lived: Lived) -> None:
    *_, last = sorted((lived.folder / "backups").iterdir())
    day = (DAYS - 1) // WEEK * WEEK
    with open_store(last, read_only=True) as copy:
        copy.verify()
        ((events,),) = copy.connection.execute("SELECT count(*) FROM events").fetchall()
    assert events == lived.diary[day]["rows"]["events"]


def test_the_year_is_replayed_as_it_was_told(lived: Lived) -> None:
    backtest = Trying(lived.app()).backtest(
        files=(), rules=(), first=None, last=None, step=None, known=None
    )
    rules = {rule.id for rule in backtest.ruleset.rules}
    told = lived.ask(
        "SELECT at, alert_id, rule_id, action, reason, severity FROM notices"
        " WHERE reason <> 'SILENCE_ENDED'"  # a replay knows of no silences
    )
    again = [
        (instant_text(one.at), one.alert_id, one.rule_id, one.action, one.reason, one.severity)
        for one in (said.notice for said in backtest.run())
    ]
    live = [tuple(row) for row in told if row[2] in rules]
    assert sorted(set(map(_but_for_audiences, again))) == sorted(set(map(_but_for_audiences, live)))


def _but_for_audiences(row: tuple[str, ...]) -> tuple[str, ...]:
    """A replay knows of no routes: it tells in one summary what they part for their receivers."""
    at, _, rule, action, reason, _ = row
    return (at, "", rule, action, reason, "") if action == "summary" else row
