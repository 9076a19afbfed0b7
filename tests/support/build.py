"""Events and rules for tests, with every detail that does not matter filled in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from warden.engine.kinds.base import Bound
from warden.engine.kinds.count import CountParameters
from warden.engine.kinds.event import EventParameters
from warden.model.event import LOCATION_ERROR_KM, Actor, Event, Record
from warden.model.rule import (
    ActorGroup,
    ActorIs,
    AllOf,
    Near,
    Place,
    Rule,
    UpdateWhen,
)

BAMAKO = Place("bamako", "Bamako", 12.6392, -8.0029)
JIHADISTS = ActorGroup("militant-islamist", "Militant Islamist groups", ("jnim: *", "katiba *"))
EVENT_UPDATE = UpdateWhen(
    fatalities=5,
    moved_km=25,
    severity_raised=True,
    changed=("event_type", "civilian_targeting", "actor_group"),
)
WINDOW_UPDATE = UpdateWhen(severity_raised=True, value_ratio=2)
START = datetime(2022, 8, 1, 6, tzinfo=UTC)


def day(text: str) -> date:
    return date.fromisoformat(text)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def record(source_id: str, when: date | str = "2022-07-22", **changes: Any) -> Record:
    """A violent event in Kati, 15 km from Bamako, unless told otherwise."""
    happened = day(when) if isinstance(when, str) else when
    values: dict[str, Any] = {
        "dataset": "acled",
        "source_id": source_id,
        "event_date": happened,
        "event_date_end": happened,
        "time_precision": 1,
        "category": "political_violence",
        "event_type": "Explosions/Remote violence",
        "sub_event_type": "Suicide bomb",
        "disorder_type": "Political violence",
        "actors": (
            Actor("JNIM: Group for Support of Islam and Muslims", "actor1", "Rebel group"),
            Actor("Military Forces of Mali (2021-)", "actor2", "State forces"),
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
        **changes,
    }
    if "geo_precision" in changes and "location_error_km" not in changes:
        values["location_error_km"] = LOCATION_ERROR_KM[changes["geo_precision"]]
    return Record(**values)


def stored(made: Record, seen_at: datetime = START, *, revision: int = 1) -> Event:
    """The record as an active event first seen at an instant."""
    return Event(
        record=made,
        source="acled",
        status="active",
        revision=revision,
        first_seen_at=seen_at,
        known_at=seen_at,
        revised_at=seen_at,
    )


def event(source_id: str, when: date | str = "2022-07-22", **changes: Any) -> Event:
    """An active event."""
    return stored(record(source_id, when, **changes))


def attack_rule(**changes: Any) -> Rule:
    """Violent events involving jihadists within 150 km of Bamako."""
    base = Rule(
        id="attack-near-bamako",
        title="Violent event involving militant Islamists within 150 km of Bamako",
        kind="event",
        where=AllOf((ActorIs(groups=(JIHADISTS,)), Near(150.0, places=(BAMAKO,)))),
        parameters=EventParameters(),
        update_when=EVENT_UPDATE,
        version="1",
    )
    return replace(base, **changes)


def cluster_rule(
    *, window: int = 60, least: float = 3, measure: Any = "events", **changes: Any
) -> Rule:
    """Three such events in sixty days."""
    base = attack_rule(
        id="bamako-cluster",
        title="Three violent events within 150 km of Bamako in 60 days",
        kind="count",
        parameters=CountParameters.model_construct(
            measure=measure, window=window, condition=Bound(gte=least)
        ),
        update_when=WINDOW_UPDATE,
    )
    return replace(base, **changes)


def days_before(moment: datetime, days: int) -> date:
    return moment.date() - timedelta(days=days)
