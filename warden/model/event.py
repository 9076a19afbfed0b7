"""Events: one coded incident as a source states it now.

Standing in the flow: a source parses bytes into `Record`s at its edge; the store keeps the newest
`Record` of each uid together with its lifecycle as an `Event`, and every older one as a revision.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Role = Literal["actor1", "actor2", "assoc_actor_1", "assoc_actor_2"]
ROLES: tuple[Role, ...] = ("actor1", "actor2", "assoc_actor_1", "assoc_actor_2")

EVENT_TYPES: tuple[str, ...] = (
    "Battles",
    "Explosions/Remote violence",
    "Violence against civilians",
    "Protests",
    "Riots",
    "Strategic developments",
)

# What a coded precision means on the ground, in km; ACLED's codebook gives words, these are the
# radii the house uses for the error disc. 0 where the source says nothing.
LOCATION_ERROR_KM: dict[int, float] = {1: 5.0, 2: 25.0, 3: 75.0}


@dataclass(frozen=True, slots=True)
class Actor:
    """One named party to an event, as the source names it.

    Attributes:
        name: the source's own spelling.
        role: the column it stands in; it does not say who attacked.
        type: the source's class of actor ("State forces", "Rebel group", …), "" if unknown.
    """

    name: str
    role: Role
    type: str = ""


@dataclass(slots=True)
class Record:
    """What a source says of one event, normalised; no lifecycle yet.

    Built once, at the source's edge, and not changed afterwards (not declared frozen because
    frozen construction costs four times as much and every ingested row pays it).

    Attributes:
        dataset: the body of data the id belongs to ("acled"); an export and the API share one.
        source_id: the dataset's own id of the event. `uid` is `dataset:source_id`.
        event_date, event_date_end: local calendar dates; equal unless the source gives a span.
        time_precision: 1 exact day, 2 within the week, 3 within the month; 0 unknown.
        category: "political_violence" | "demonstration" | "strategic" | "" (derived from
            disorder_type and event_type, closed vocabulary).
        fatalities: best estimate, never negative; `_low`/`_high`/`_civilian` None where not given.
        lat, lon: degrees WGS84.
        geo_precision: 1, 2, 3 as in ACLED, 0 unknown.
        location_error_km: radius of the error disc around the point.
        iso3: ISO 3166-1 alpha-3 of the country where it happened, "" if unknown.
        report: what identifies the report text the row was coded from ("" if none).
        tags: sorted, no duplicates.
        source_updated_at: the source's stamp of its last edit, UTC.
    """

    dataset: str
    source_id: str
    event_date: date
    event_date_end: date
    time_precision: int
    category: str
    event_type: str
    sub_event_type: str
    disorder_type: str
    actors: tuple[Actor, ...]
    civilian_targeting: bool
    fatalities: int
    fatalities_low: int | None
    fatalities_high: int | None
    fatalities_civilian: int | None
    lat: float
    lon: float
    geo_precision: int
    location_error_km: float
    iso3: str
    country: str
    admin1: str
    admin2: str
    admin3: str
    location: str
    notes: str
    reporters: str
    report: str
    tags: tuple[str, ...]
    url: str
    source_updated_at: datetime | None

    @property
    def uid(self) -> str:
        """The identity of the event in warden: `dataset:source_id`."""
        return f"{self.dataset}:{self.source_id}"


@dataclass(frozen=True, slots=True)
class Event:
    """A stored event: its newest record and its lifecycle.

    Attributes:
        record: the newest content.
        source: the name of the configured source that last said so.
        status: "active", or "retracted" once the source deleted it.
        revision: 1 for the first version, counting up.
        first_seen_at: when warden first stored it.
        known_at: the earlier of first seen and the source's stamp for backfilled rows, else
            first seen; this is what lateness is measured by.
        revised_at: when the newest revision was stored.
        retracted_at, retracted_reason: set while retracted.
    """

    record: Record
    source: str
    status: Literal["active", "retracted"]
    revision: int
    first_seen_at: datetime
    known_at: datetime
    revised_at: datetime
    retracted_at: datetime | None = None
    retracted_reason: str = ""

    @property
    def uid(self) -> str:
        """The identity of the event in warden."""
        return self.record.uid
