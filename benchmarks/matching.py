"""How long matching takes: one event against all shipped rules, many against two of them.

    python benchmarks/matching.py [EVENTS]

Events are simulated: clustered round towns of Mali, a third of them by the rule's own actors.
Times are CPU seconds of this process; the machine's other load does not count.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from warden.engine.frame import FRAME_COLUMNS, Frame, actors_to_json
from warden.engine.horizon import Horizon
from warden.engine.kinds import KINDS, signals
from warden.engine.where import Matcher
from warden.geodata import TimezoneGeography, countries
from warden.model.event import Actor
from warden.rulebook import load

ROOT = Path(__file__).resolve().parents[1]
TOWNS = [(12.65, -8.0), (14.5, -4.2), (16.27, -0.04), (11.32, -5.67), (14.45, -11.43), (10.4, -5.9)]
ACTORS = (
    Actor("JNIM: Group for Support of Islam and Muslims", "actor1", "Rebel group"),
    Actor("Military Forces of Mali (2021-)", "actor1", "State forces"),
    Actor("Unidentified Armed Group (Mali)", "actor1", "Political militia"),
)


def simulated_frame(count: int, seed: int = 7) -> Frame:
    """A frame of invented events."""
    rng = np.random.default_rng(seed)
    town = rng.integers(0, len(TOWNS), count)
    lats = np.array([TOWNS[t][0] for t in town]) + rng.normal(0, 0.8, count)
    lons = np.array([TOWNS[t][1] for t in town]) + rng.normal(0, 0.8, count)
    civilians = Actor("Civilians (Mali)", "actor2", "Civilians")
    texts = [actors_to_json((actor, civilians)) for actor in ACTORS]
    first = date(2012, 1, 1)
    rows = []
    for n in range(count):
        day = (first + timedelta(days=int(rng.integers(0, 4_700)))).isoformat()
        cells = {
            "uid": f"acled:SIM{n}",
            "source_id": f"SIM{n}",
            "dataset": "acled",
            "source": "acled",
            "event_type": "Battles",
            "sub_event_type": "Armed clash",
            "category": "political_violence",
            "disorder_type": "Political violence",
            "iso3": "MLI",
            "country": "Mali",
            "admin1": "Koulikoro",
            "admin2": f"District {n % 40}",
            "location": f"Place {n % 900}",
            "tags": "[]",
            "actors": texts[n % 3],
            "event_date": day,
            "event_date_end": day,
            "lat": float(lats[n]),
            "lon": float(lons[n]),
            "geo_precision": 1 + n % 2,
            "location_error_km": 5.0,
            "time_precision": 1,
            "fatalities": int(rng.integers(0, 12)),
            "civilian_targeting": n % 2,
            "known_at": f"{day}T00:00:00.000000Z",
            "first_seen_at": f"{day}T00:00:00.000000Z",
        }
        rows.append(
            [cells.get(name, "" if name not in NUMBERS else None) for name in FRAME_COLUMNS]
        )
    return Frame.from_rows(FRAME_COLUMNS, rows)


NUMBERS = {"fatalities_low", "fatalities_high", "fatalities_civilian"}


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    loaded = load(ROOT / "rules", kinds=KINDS, countries_resolve=countries.resolve)
    if loaded.ruleset is None:
        sys.exit("\n".join(fault.one_line() for fault in loaded.faults))
    geography = TimezoneGeography(Path.home() / ".cache" / "warden")
    rules = [rule for rule in loaded.ruleset.rules if rule.kind in KINDS]
    matchers = [Matcher(rule, geography) for rule in rules]
    frame = simulated_frame(count)
    one = frame.take(np.array([0]))
    for matcher in matchers:
        matcher.match(one)
    began = time.process_time()
    for n in range(200):
        alone = frame.take(np.array([n]))
        for matcher in matchers:
            matcher.match(alone)
    each = (time.process_time() - began) / 200
    print(f"one event against {len(matchers)} shipped rules: {1000 * each:.2f} ms")
    horizon = Horizon(datetime(2025, 1, 1, tzinfo=UTC), {"acled": date(2024, 12, 31)})
    total = 0.0
    for matcher in matchers:
        if matcher.rule.id not in {"attack-near-bamako", "coastal-border-50km"}:
            continue
        began = time.process_time()
        matches = matcher.match(frame)
        matched = time.process_time()
        found = signals(matcher.rule, matches, horizon)
        ended = time.process_time()
        total += ended - began
        print(
            f"{matcher.rule.id}: {len(matches):,} of {count:,} events in "
            f"{matched - began:.2f} s, {len(found):,} signals in {ended - matched:.2f} s"
        )
    print(f"both rules together: {total:.2f} s")


if __name__ == "__main__":
    main()
