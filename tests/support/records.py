"""Records for tests of the store, which know nothing of rules."""

from __future__ import annotations

from datetime import date
from typing import Any

from warden.model.event import Actor, Record


def record(source_id: str, when: str = "2022-07-22", **changes: Any) -> Record:
    """A simulated event with every detail that does not matter filled in."""
    day = date.fromisoformat(when)
    values: dict[str, Any] = {
        "dataset": "acled",
        "source_id": source_id,
        "event_date": day,
        "event_date_end": day,
        "time_precision": 1,
        "category": "political_violence",
        "event_type": "Battles",
        "sub_event_type": "Armed clash",
        "disorder_type": "Political violence",
        "actors": (
            Actor("Simulated Group", "actor1", "Rebel group"),
            Actor("Simulated Forces (2021-)", "actor2", "State forces"),
        ),
        "civilian_targeting": False,
        "fatalities": 2,
        "fatalities_low": None,
        "fatalities_high": None,
        "fatalities_civilian": None,
        "lat": 12.7446,
        "lon": -8.0725,
        "geo_precision": 1,
        "location_error_km": 5.0,
        "iso3": "MLI",
        "country": "Mali",
        "admin1": "Koulikoro",
        "admin2": "Kati",
        "admin3": "Kati",
        "location": "Kati",
        "notes": "Simulated.",
        "reporters": "Simulated source",
        "report": f"report of {source_id}",
        "tags": (),
        "url": "",
        "source_updated_at": None,
    }
    return Record(**values | changes)
