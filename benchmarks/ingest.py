"""How fast `warden ingest` of an ACLED export is, cold and a second time.

    python benchmarks/ingest.py [rows]

Writes an export of simulated rows into a temporary folder, reads it into a new database with
parsing, raw rows kept and every page synced to disk, then reads it again. The second pass must
change nothing, and is faster, since rows that the database holds just so are left unread. Needed:
8,000 rows a second on two cores; aimed at: 15,000. On a busy machine the rate by processor time
(user and system) is the one to compare; the rate by the clock is what an operator waits for.
"""

from __future__ import annotations

import csv
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from warden.clock import SystemClock
from warden.engine.frame import Frame
from warden.ingest import IngestResult, ingest
from warden.sources.file import read_files
from warden.store import Store, open_store
from warden.store.events import FRAME_COLUMNS, load_rows

HEADER = (
    "event_id_cnty", "event_date", "year", "time_precision", "disorder_type", "event_type",
    "sub_event_type", "actor1", "assoc_actor_1", "inter1", "actor2", "assoc_actor_2", "inter2",
    "interaction", "civilian_targeting", "iso", "region", "country", "admin1", "admin2", "admin3",
    "location", "latitude", "longitude", "geo_precision", "source", "source_scale", "notes",
    "fatalities", "tags", "timestamp",
)  # fmt: skip
COUNTRIES = (("Mali", "MLI", 466), ("Burkina Faso", "BFO", 854), ("Niger", "NIR", 562))
KINDS = (
    ("Political violence", "Battles", "Armed clash"),
    ("Political violence", "Violence against civilians", "Attack"),
    ("Political violence", "Explosions/Remote violence", "Remote explosive/landmine/IED"),
    ("Demonstrations", "Protests", "Peaceful protest"),
    ("Strategic developments", "Strategic developments", "Looting/property destruction"),
)
NOTE = (
    "On {day}, simulated fighters of group {group} and simulated forces met near village {place} "
    "({district}). The row is simulated for a measurement of speed and says nothing about any "
    "real event; its length is that of a usual note, some two hundred and fifty characters."
)


def simulated_rows(count: int) -> Iterator[list[object]]:
    """`count` rows in the columns of HEADER, the same ones every time."""
    rng = random.Random(20)
    first = date(2012, 1, 1)
    for number in range(count):
        country, prefix, iso = COUNTRIES[number % len(COUNTRIES)]
        day = first + timedelta(days=number * 4700 // count)
        disorder, kind, sub_kind = rng.choice(KINDS)
        group, place, district = rng.randrange(60), rng.randrange(4000), f"District {number % 53}"
        note = NOTE.format(day=day, group=group, place=place, district=district)
        stamp = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + 864_000
        yield [
            f"{prefix}{number}", day.isoformat(), day.year, 1, disorder, kind, sub_kind,
            f"Simulated Group {group}", "Simulated Militia" if number % 5 == 0 else "",
            "Rebel group", "Simulated Forces (2021-)", "", "State forces", "", "", iso,
            "Western Africa", country, f"Region {number % 9}", district, f"Commune {place}",
            f"Village {place}", round(rng.uniform(10, 20), 4), round(rng.uniform(-11, 12), 4),
            rng.choice((1, 1, 2)), "Simulated Radio; Simulated Post", "National", note,
            rng.choice((0, 0, 1, 3, 10)), "", stamp,
        ]  # fmt: skip


def write_export(path: Path, count: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(simulated_rows(count))


def timed_ingest(store: Store, path: Path, label: str) -> IngestResult:
    wall, cpu = time.perf_counter(), time.process_time()
    result = ingest(store, read_files([path], source_name="benchmark"), SystemClock())
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    served = result.counts.served
    print(
        f"{label:>7}: {served / wall:>8,.0f} rows/s by the clock ({wall:.2f} s),"
        f" {served / cpu:>8,.0f} rows/s by processor time ({cpu:.2f} s)"
    )
    return result


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory(prefix="warden-bench-") as folder:
        export, database = Path(folder, "export.csv"), Path(folder, "warden.db")
        write_export(export, count)
        with open_store(database) as store:
            cold = timed_ingest(store, export, "cold")
            second = timed_ingest(store, export, "second")
            start = time.process_time()
            rows = load_rows(store.connection)
            loaded = time.process_time()
            Frame.from_rows(FRAME_COLUMNS, rows)
            framed = time.process_time() - loaded
            print(f"   load: {loaded - start:.2f} s to tuples, {framed:.2f} s to columns")
        print(f"   size: {database.stat().st_size / 1e6:,.0f} MB")
    fine = cold.counts.new == count == second.counts.unchanged and not second.changed
    print("counts add up" if fine else f"WRONG: {cold.counts} then {second.counts}")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
