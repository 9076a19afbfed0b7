"""How long a backtest takes: 50,000 events, weekly steps over eight years, all shipped rules.

    python benchmarks/backtest.py [EVENTS]      one; of 50,000 events with the bounds
    python benchmarks/backtest.py --linear      whether cost follows events and steps
    python benchmarks/backtest.py --told        as the first; bounds are told, not judged

The events are made up: clustered in and round Mali, a third of them violent events involving a
group that the shipped rules watch. Prints processor seconds (reading the file apart), time elapsed
and peak memory. Leaves with 1 when a bound is missed.
"""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from warden.app import App
from warden.settings import Settings
from warden.trying import Trying

CENTRES = ((14.5, -4.2), (15.9, 0.5), (13.0, -3.0), (12.6, -8.0), (12.0, -1.5), (14.2, 1.5))
ACTORS = (
    "JNIM: Group for Support of Islam and Muslims",
    "Islamic State Sahel Province (ISSP)",
    "Military Forces of Mali (2021-)",
    "Unidentified Armed Group (Mali)",
    "Dozo Communal Militia (Mali)",
    "Protesters (Mali)",
)
TYPES = (
    ("Battles", "Armed clash"),
    ("Violence against civilians", "Attack"),
    ("Explosions/Remote violence", "Remote explosive/landmine/IED"),
    ("Protests", "Peaceful protest"),
)
YEARS = 8
EVENTS = 50_000
MOST_SECONDS, MOST_MB = 10, 500
SLACK = 1.3
START = date(2015, 1, 1)


def write(path: Path, events: int) -> None:
    chance = random.Random(1)
    with path.open("w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream)
        out.writerow(
            [
                "event_id_cnty",
                "event_date",
                "event_type",
                "sub_event_type",
                "actor1",
                "actor2",
                "civilian_targeting",
                "iso",
                "country",
                "admin1",
                "admin2",
                "location",
                "latitude",
                "longitude",
                "geo_precision",
                "source",
                "notes",
                "fatalities",
                "timestamp",
            ]
        )
        for number in range(events):
            day = START + timedelta(days=chance.randrange(365 * YEARS))
            lat, lon = chance.choice(CENTRES)
            kind, sub = chance.choices(TYPES, (4, 3, 2, 3))[0]
            civil = "Civilian targeting" if kind.startswith("Violence") else ""
            out.writerow(
                (
                    f"MLI{number}", day.isoformat(), kind, sub, chance.choice(ACTORS),
                    "Civilians (Mali)" if civil else "Military Forces of Mali (2021-)", civil,
                    466, "Mali", f"Region {int(lat)}", f"District {int(lon)}", f"Place {number}",
                    lat + chance.gauss(0, 0.8), lon + chance.gauss(0, 0.8), chance.randint(1, 3),
                    "Made up", f"Made-up event {number} of this benchmark.",
                    int(chance.paretovariate(1.2)) - 1,
                    int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + 864_000,
                )
            )  # fmt: skip


def of_children() -> float:
    """Processor seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def held_mb() -> float:
    """Memory of this process and those it copied itself into, what they share counted once."""
    pids = [os.getpid(), *(child.pid for child in multiprocessing.active_children())]
    lines = [Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() for pid in pids]
    return sum(int(line.split()[1]) for one in lines for line in one if line[:4] == "Pss:") / 1024


def measure(events: int, step_days: int) -> dict[str, float]:
    """Processor seconds and peak memory of one backtest."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.csv"
        write(path, events)
        app = App(Settings(rules=Path(__file__).parents[1] / "rules", database=Path(folder) / "db"))
        app.geography.border("MLI", "CIV")  # extracted once an installation, not once a backtest
        before = of_children()
        started, began = time.process_time(), time.perf_counter()
        prepared = Trying(app).backtest(
            files=[path],
            rules=(),
            first=START,
            last=START + timedelta(days=365 * YEARS),
            step=f"{step_days}d",
            known=None,
        )
        read = time.process_time()
        notices, peak = 0, 0.0
        for notices, _ in enumerate(prepared.run(), start=1):
            peak = max(peak, held_mb()) if notices % 500 == 0 else peak  # a look costs 20 ms
        ended, done, children = time.process_time(), time.perf_counter(), of_children()
    return {
        "events": events,
        "steps": len(prepared.plan.instants),
        "rules": len(prepared.ruleset.rules),
        "notices": notices,
        "reading_s": read - started,
        "evaluating_s": ended - read + children - before,
        "elapsed_s": done - began,
        "peak_mb": max(peak, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def apart(events: int, step_days: int) -> dict[str, float]:
    """The same in a process of its own, so that nothing is remembered from the one before."""
    command = [sys.executable, __file__, "--one", str(events), str(step_days)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(found.stdout))


def tell(one: dict[str, float]) -> None:
    print(
        f"{one['events']:>7,} events  {one['steps']:>4,} steps  {one['notices']:>6,} notices  "
        f"reading {one['reading_s']:5.1f} s  evaluating {one['evaluating_s']:5.1f} s  "
        f"elapsed {one['elapsed_s']:5.1f} s  peak {one['peak_mb']:4.0f} MB"
    )


def linear() -> Iterator[str]:
    """Whether cost grows no faster than events, and than steps; the faults found."""
    by_events = [apart(events, 7) for events in (12_500, 25_000, 50_000, 100_000)]
    by_steps = [apart(25_000, days) for days in (28, 14, 7)]
    for name, found in (("events", by_events), ("steps", by_steps)):
        for one in found:
            tell(one)
        first, last = found[0], found[-1]
        more = last[name] / first[name]
        longer = last["evaluating_s"] / first["evaluating_s"]
        print(f"{name} x {more:.1f}: time x {longer:.1f}")
        if longer > more * SLACK:
            yield f"time grows faster than {name}"


def bounds(one: dict[str, float]) -> Iterator[str]:
    """What of the issue's bounds is missed."""
    if one["elapsed_s"] > MOST_SECONDS:
        yield f"{one['elapsed_s']:.1f} s, not under {MOST_SECONDS} s"
    if one["peak_mb"] > MOST_MB:
        yield f"{one['peak_mb']:.0f} MB, not under {MOST_MB} MB"


def main() -> int:
    judged = "--told" not in sys.argv
    arguments = [one for one in sys.argv[1:] if one != "--told"]
    if arguments[:1] == ["--one"]:
        print(json.dumps(measure(int(arguments[1]), int(arguments[2]))))
        return 0
    if arguments == ["--linear"]:
        faults = list(linear())
    else:
        one = measure(int(arguments[0]) if arguments else EVENTS, 7)
        tell(one)
        faults = list(bounds(one)) if one["events"] == EVENTS else []
    for fault in faults:
        print(f"missed: {fault}", file=sys.stderr)
    return 1 if faults and judged else 0


if __name__ == "__main__":
    sys.exit(main())
