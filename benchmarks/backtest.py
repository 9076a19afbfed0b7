"""How long a backtest takes: 50,000 events, weekly steps over eight years, all shipped rules.

    python benchmarks/backtest.py [EVENTS]

The events are made up: clustered in and round Mali, a third of them violent events involving a
group that the shipped rules watch. Prints processor seconds (reading the file apart), peak memory.
"""

from __future__ import annotations

import csv
import random
import resource
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from warden.app import App
from warden.settings import Settings

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


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.csv"
        write(path, events)
        app = App(Settings(rules=Path(__file__).parents[1] / "rules", database=Path(folder) / "db"))
        app.geography.border("MLI", "CIV")  # extracted once an installation, not once a backtest
        started = time.process_time()
        prepared = app.backtest(
            files=[path],
            rules=(),
            first=START,
            last=START + timedelta(days=365 * YEARS),
            step="7d",
            known=None,
        )
        read = time.process_time()
        notices = sum(1 for _ in prepared.run())
        ended = time.process_time()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{events:,} events, {len(prepared.plan.instants)} weekly steps, "
        f"{len(prepared.ruleset.rules)} rules: {notices:,} notices"
    )
    print(
        f"reading {read - started:.1f} s, evaluating {ended - read:.1f} s, "
        f"together {ended - started:.1f} s; peak {peak_mb:.0f} MB"
    )


if __name__ == "__main__":
    main()
