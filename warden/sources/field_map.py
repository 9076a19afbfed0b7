"""Tables of other makers, read by a map from warden's fields to their columns.

Standing in the flow: `file` uses this where `field_map` is set. The map is a setting; the records
it makes belong to a dataset of their own and are checked as strictly as ACLED's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from warden.model.event import EVENT_TYPES, LOCATION_ERROR_KM, Actor, Record, Role
from warden.sources import country, extent, values
from warden.sources.acled_rows import FOREIGN, Foreign, RowFilter, report_of
from warden.sources.tables import column_name
from warden.sources.values import RowError

_NOT = frozenset({"", "0", "0.0", "false", "f", "no", "n"})
_EVENT_TYPES = {name.casefold(): name for name in EVENT_TYPES}
_CATEGORY_OF_TYPE = dict(
    zip(
        EVENT_TYPES,
        ["political_violence"] * 3 + ["demonstration", "demonstration", "strategic"],
        strict=True,
    )
)
_CATEGORIES = frozenset({"political_violence", "demonstration", "strategic", ""})


class Taken(BaseModel):
    """Where a field's value comes from.

    Attributes:
        column: the column, `outer.inner` for nested JSON; or none with a fixed `value`.
        value: the same for every row.
        values: what the column's values stand for; one not named stays as it is.
        default: for an empty cell.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: Annotated[str, BeforeValidator(lambda text: column_name(str(text)))] = ""
    value: str = ""
    values: dict[str, str] = Field(default_factory=dict)
    default: str = ""


def _taken(given: object) -> object:
    return {"column": given} if isinstance(given, str) else given


From = Annotated[Taken, BeforeValidator(_taken)]
NOWHERE = Taken()


class FieldMap(BaseModel):
    """Which column holds what: `{id: event_number, date: date_start, …}`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: From
    date: From
    event_type: From
    lat: From = Taken(column="latitude")
    lon: From = Taken(column="longitude")
    date_end: From = NOWHERE
    time_precision: From = NOWHERE
    category: From = NOWHERE
    sub_event_type: From = NOWHERE
    disorder_type: From = NOWHERE
    actor1: From = NOWHERE
    actor1_type: From = NOWHERE
    assoc_actor_1: From = NOWHERE
    actor2: From = NOWHERE
    actor2_type: From = NOWHERE
    assoc_actor_2: From = NOWHERE
    civilian_targeting: From = NOWHERE
    fatalities: From = NOWHERE
    fatalities_low: From = NOWHERE
    fatalities_high: From = NOWHERE
    fatalities_civilian: From = NOWHERE
    geo_precision: From = NOWHERE
    location_error_km: From = NOWHERE
    country: From = NOWHERE
    admin1: From = NOWHERE
    admin2: From = NOWHERE
    admin3: From = NOWHERE
    location: From = NOWHERE
    notes: From = NOWHERE
    reporters: From = NOWHERE
    tags: From = NOWHERE
    url: From = NOWHERE
    updated_at: From = NOWHERE

    @field_validator("id", "date", "lat", "lon")
    @classmethod
    def _from_a_column(cls, taken: Taken) -> Taken:
        if not taken.column:
            raise ValueError("differs from row to row: name its column")
        return taken


FIELDS: tuple[str, ...] = tuple(FieldMap.model_fields)


class MappedRows:
    """Parses the rows of a mapped table as known at `now`."""

    def __init__(
        self, field_map: FieldMap, dataset: str, now: datetime, row_filter: RowFilter | None = None
    ) -> None:
        self._dataset = dataset
        self._filter = row_filter or RowFilter()
        self._latest = values.latest_day(now)
        self._latest_stamp = now + timedelta(days=values.FUTURE_DAYS)
        self._taken: dict[str, Taken] = {name: getattr(field_map, name) for name in FIELDS}
        self.columns: tuple[str, ...] = tuple(
            sorted({taken.column for taken in self._taken.values() if taken.column})
        )
        self.id_column = field_map.id.column
        self._places = {name: index for index, name in enumerate(self.columns)}

    def parse(self, row: Sequence[str]) -> Record | Foreign:
        """The record of a row given in the order of `columns`; raises `RowError`."""
        given = {name: self._value(taken, row) for name, taken in self._taken.items()}
        code, country_name = _country(given["country"])
        if self._filter.countries is not None and code not in self._filter.countries:
            return FOREIGN
        day = values.day(given["date"], self._latest)
        if self._filter.since is not None and day < self._filter.since:
            return FOREIGN
        day_end = values.day(given["date_end"], self._latest) if given["date_end"] else day
        if day_end < day:
            raise RowError("date_end lies before date")
        event_type, category = _event_type(given["event_type"], given["category"])
        lat, lon = _point(given["lat"], given["lon"], code)
        geo_precision = _optional(given["geo_precision"], "geo_precision", 3) or 0
        notes = values.prose(given["notes"], "notes")
        return Record(
            dataset=self._dataset,
            source_id=values.identifier(given["id"]),
            event_date=day,
            event_date_end=day_end,
            time_precision=_optional(given["time_precision"], "time_precision", 3) or 0,
            category=category,
            event_type=event_type,
            sub_event_type=_line(given["sub_event_type"], "sub_event_type"),
            disorder_type=_line(given["disorder_type"], "disorder_type"),
            actors=_actors(given),
            civilian_targeting=given["civilian_targeting"].strip().casefold() not in _NOT
            or event_type == "Violence against civilians",
            fatalities=_optional(given["fatalities"], "fatalities") or 0,
            fatalities_low=_optional(given["fatalities_low"], "fatalities_low"),
            fatalities_high=_optional(given["fatalities_high"], "fatalities_high"),
            fatalities_civilian=_optional(given["fatalities_civilian"], "fatalities_civilian"),
            lat=lat,
            lon=lon,
            geo_precision=geo_precision,
            location_error_km=_error_km(given["location_error_km"], geo_precision),
            iso3=code,
            country=country_name,
            admin1=_line(given["admin1"], "admin1"),
            admin2=_line(given["admin2"], "admin2"),
            admin3=_line(given["admin3"], "admin3"),
            location=_line(given["location"], "location"),
            notes=notes,
            reporters=values.line(given["reporters"], "reporters", values.MAX_NAMES),
            report=report_of(day, notes),
            tags=tuple(sorted(set(_names(given["tags"], "tags")))),
            url=_url(given["url"]),
            source_updated_at=values.instant(given["updated_at"], self._latest_stamp),
        )

    def _value(self, taken: Taken, row: Sequence[str]) -> str:
        if not taken.column:
            return taken.value
        cell = row[self._places[taken.column]]
        if taken.values:
            cell = taken.values.get(cell.strip(), cell)
        return cell if cell.strip() else taken.default


def _event_type(event_type: str, category: str) -> tuple[str, str]:
    name = _line(event_type, "event_type")
    if not name:
        raise RowError("event_type is missing")
    name = _EVENT_TYPES.get(name.casefold(), name)
    category = category.strip() or _CATEGORY_OF_TYPE.get(name, "")
    if category not in _CATEGORIES:
        raise RowError(f"category {ascii(category)[:60]} is none of {sorted(_CATEGORIES)[1:]}")
    return name, category


def _point(lat_text: str, lon_text: str, code: str) -> tuple[float, float]:
    lat = values.coordinate(lat_text, "latitude", 90.0)
    lon = values.coordinate(lon_text, "longitude", 180.0)
    if lat == 0.0 and lon == 0.0:
        raise RowError("latitude and longitude are both 0: no place was coded")
    if code and extent.looks_swapped(lat, lon, code):
        raise RowError(f"latitude {lat:g} and longitude {lon:g} look swapped for {code}")
    return lat, lon


@lru_cache(maxsize=65_536)
def _line(text: str, what: str) -> str:
    return values.line(text, what)


@lru_cache(maxsize=4_096)
def _country(text: str) -> tuple[str, str]:
    """(alpha-3 or "", the maker's own name); an ISO number is a name too."""
    name = values.line(text, "country")
    found = (country.of_number(name) or country.resolve(name)) if name else None
    return found or "", name


def _names(text: str, what: str) -> list[str]:
    parts = values.line(text, what, values.MAX_NAMES).split(";")
    return [_line(part.strip(), what) for part in parts if part.strip()]


def _actors(given: dict[str, str]) -> tuple[Actor, ...]:
    sides: tuple[tuple[Role, str, Role], ...] = (
        ("actor1", "actor1_type", "assoc_actor_1"),
        ("actor2", "actor2_type", "assoc_actor_2"),
    )
    found: list[Actor] = []
    for main, kind, associated in sides:
        name = _line(given[main], main)
        if name:
            found.append(Actor(name, main, _line(given[kind], kind)))
        found += [Actor(other, associated) for other in _names(given[associated], associated)]
    return tuple(found)


def _optional(text: str, what: str, highest: int = values.MAX_FATALITIES) -> int | None:
    return values.whole(text, what, 0, highest) if text.strip() else None


def _error_km(text: str, geo_precision: int) -> float:
    if text.strip():
        return values.number(text, "location_error_km", 0.0, 20_000.0)
    return LOCATION_ERROR_KM.get(geo_precision, 0.0)


def _url(text: str) -> str:
    url = values.line(text, "url", values.MAX_URL)
    if url and not url.startswith(("http://", "https://")):
        raise RowError("url is no web address")
    return url
