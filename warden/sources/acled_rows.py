"""ACLED rows, from an export or from the API, as records.

Standing in the flow: `acled` and `file` hand rows as tuples of texts in the order of `COLUMNS`;
out comes a `Record`, `FOREIGN` for a row outside the filter, or `RowError`. The same event gives
the same record whichever way it came: numbers or strings, any date form, either dialect.

Work is done once per distinct value and remembered, since actors, places, types and days repeat:
this is what makes 40,000 rows a second possible.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Literal, TypeVar

from warden.model.event import EVENT_TYPES, LOCATION_ERROR_KM, Actor, Record, Role
from warden.sources import country, extent, values
from warden.sources.values import RowError

DATASET = "acled"

COLUMNS: tuple[str, ...] = (
    "event_id_cnty",
    "event_date",
    "time_precision",
    "disorder_type",
    "event_type",
    "sub_event_type",
    "actor1",
    "assoc_actor_1",
    "inter1",
    "actor2",
    "assoc_actor_2",
    "inter2",
    "civilian_targeting",
    "iso",
    "iso3",
    "country",
    "admin1",
    "admin2",
    "admin3",
    "location",
    "latitude",
    "longitude",
    "geo_precision",
    "source",
    "notes",
    "fatalities",
    "tags",
    "timestamp",
)
REQUIRED: tuple[str, ...] = (
    "event_id_cnty",
    "event_date",
    "event_type",
    "actor1",
    "country",
    "latitude",
    "longitude",
    "fatalities",
)

# The classes of actors: numbers in older exports and with `inter_num=1`, words in newer ones.
ACTOR_TYPES: tuple[str, ...] = (
    "",
    "State forces",
    "Rebel group",
    "Political militia",
    "Identity militia",
    "Rioters",
    "Protesters",
    "Civilians",
    "External/Other forces",
)
POLITICAL, DEMONSTRATIONS, STRATEGIC = (
    "Political violence",
    "Demonstrations",
    "Strategic developments",
)
_DISORDERS = {
    "political violence": POLITICAL,
    "demonstrations": DEMONSTRATIONS,
    "demostrations": DEMONSTRATIONS,  # so spelt in rows of 2022
    "strategic developments": STRATEGIC,
}
_CATEGORIES = {POLITICAL: "political_violence", DEMONSTRATIONS: "demonstration"}
_CATEGORIES[STRATEGIC] = "strategic"
_EVENT_TYPES = {name.casefold(): name for name in EVENT_TYPES}
_BATTLES, _REMOTE, _CIVILIANS, _PROTESTS, _RIOTS, _STRATEGIC = EVENT_TYPES
# What ACLED's codebook files each event type under, where the column is missing.
_DISORDER_OF_TYPE = {
    _BATTLES: POLITICAL,
    _REMOTE: POLITICAL,
    _CIVILIANS: POLITICAL,
    _PROTESTS: DEMONSTRATIONS,
    _RIOTS: DEMONSTRATIONS,
    _STRATEGIC: STRATEGIC,
}
_DISORDER_OF_SUB_TYPE = {
    "mob violence": POLITICAL,
    "excessive force against protesters": f"{POLITICAL}; {DEMONSTRATIONS}",
}

FOREIGN: Final = "foreign"
Foreign = Literal["foreign"]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class RowFilter:
    """What a source wants: these countries (alpha-3; None = all) from this day on."""

    countries: frozenset[str] | None = None
    since: date | None = None


class _Memo(dict[Any, Any]):
    """Answers by question, made when first asked for; forgets everything when it grows large."""

    def __init__(self, make: Callable[[Any], Any], limit: int = 200_000) -> None:
        super().__init__()
        self._make = make
        self._limit = limit

    def __missing__(self, key: Hashable) -> Any:
        if len(self) >= self._limit:
            self.clear()
        answer = self[key] = self._make(key)
        return answer


class AcledRows:
    """Parses rows as known at `now`.

    Arguments:
        row_filter: rows outside it come back as `FOREIGN`.
    """

    def __init__(self, now: datetime, row_filter: RowFilter | None = None) -> None:
        self._filter = row_filter or RowFilter()
        self._latest = values.latest_day(now)
        self._latest_stamp = now + timedelta(days=values.FUTURE_DAYS)
        self._days = _Memo(lambda text: values.day(text, self._latest))
        self._types = _Memo(_types)
        self._first = _Memo(lambda side: _side(side, "actor1", "assoc_actor_1"))
        self._second = _Memo(lambda side: _side(side, "actor2", "assoc_actor_2"))
        self._actors = _Memo(lambda both: self._first[both[:3]] + self._second[both[3:]])
        self._places = _Memo(_place)
        self._precisions = _Memo(lambda text: _precision(text, "geo_precision"))
        self._day_precisions = _Memo(lambda text: _precision(text, "time_precision"))
        self._fatalities = _Memo(
            lambda text: values.whole(text, "fatalities", 0, values.MAX_FATALITIES)
        )
        self._reporters = _Memo(lambda text: values.line(text, "source", values.MAX_NAMES))
        self._tags = _Memo(_tags)
        self._stamps = _Memo(lambda text: values.instant(text, self._latest_stamp))

    def parse(self, row: Sequence[str]) -> Record | Foreign:
        """The record of a row given in the order of `COLUMNS`; raises `RowError`."""
        cells = tuple(row)
        wanted = self._filter
        if wanted.countries is not None and _country(cells[13:16])[0] not in wanted.countries:
            return FOREIGN
        event_date = self._days[cells[1]]
        if wanted.since is not None and event_date < wanted.since:
            return FOREIGN
        source_id = values.identifier(cells[0])
        disorder, category, event_type, sub_type, on_civilians = self._types[cells[3:6]]
        code, country_name, admin1, admin2, admin3, location, lat, lon = self._places[cells[13:22]]
        targeting, geo_precision, reporters, notes = cells[12], *cells[22:25]
        fatalities, tags, stamp = cells[25:28]
        precision = self._precisions[geo_precision]
        notes = values.prose(notes, "notes")
        return Record(
            DATASET,
            source_id,
            event_date,
            event_date,
            self._day_precisions[cells[2]],
            category,
            event_type,
            sub_type,
            disorder,
            self._actors[cells[6:12]],
            on_civilians or _says_something(targeting),
            self._fatalities[fatalities],
            None,
            None,
            None,
            lat,
            lon,
            precision,
            LOCATION_ERROR_KM.get(precision, 0.0),
            code,
            country_name,
            admin1,
            admin2,
            admin3,
            location,
            notes,
            self._reporters[reporters],
            report_of(event_date, notes),
            self._tags[tags],
            "",
            self._stamps[stamp],
        )


def report_of(day: date, notes: str) -> str:
    """What identifies the report that rows of one day were coded from; "" without notes.

    Case, white space and ACLED's trailing `[size=…]` do not count.
    """
    end = notes.rfind("[size=")
    text = (notes if end < 0 else notes[:end]).casefold().strip()
    if "  " in text or not text.isprintable():
        text = " ".join(text.split())
    if not text:
        return ""
    return hashlib.blake2b(f"{day.toordinal()} {text}".encode(), digest_size=12).hexdigest()


def text_of(value: Any) -> str:
    """A JSON value as the text that an export would hold; raises `RowError` for lists and so on."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RowError(f"a {type(value).__name__} stands where a text or a number belongs")
    try:
        return repr(value)
    except ValueError:
        raise RowError("a number has thousands of digits") from None


# --- one value at a time ----------------------------------------------------------------------


def _says_something(phrase: str) -> bool:
    """`civilian_targeting` is a phrase ("Civilian targeting") or empty.

    Older exports leave the column empty everywhere, so that violence against civilians counts by
    its type (see `_types`) whatever the column says.
    """
    return bool(phrase) and not phrase.isspace()


def _types(given: tuple[str, ...]) -> tuple[str, str, str, str, bool]:
    """(disorder type, category, event type, sub-event type, aimed at civilians by its type)."""
    event_type = values.line(given[1], "event_type")
    if not event_type:
        raise RowError("event_type is missing")
    event_type = _EVENT_TYPES.get(event_type.casefold(), event_type)
    sub_type = values.line(given[2], "sub_event_type")
    parts = _disorders(given[0]) or _disorders(
        _DISORDER_OF_SUB_TYPE.get(sub_type.casefold(), _DISORDER_OF_TYPE.get(event_type, ""))
    )
    category = next((name for part, name in _CATEGORIES.items() if part in parts), "")
    return "; ".join(parts), category, event_type, sub_type, event_type == _CIVILIANS


def _disorders(text: str) -> tuple[str, ...]:
    parts = (part.strip() for part in values.line(text, "disorder_type").split(";"))
    return tuple(_DISORDERS.get(part.casefold(), part) for part in parts if part)


def _side(given: tuple[str, ...], main: Role, associated: Role) -> tuple[Actor, ...]:
    """The actors of one side: the named one with its class, then the associated ones."""
    name = values.line(given[0], main)
    others = values.line(given[1], associated, values.MAX_NAMES)
    first = (Actor(name, main, _actor_type(given[2])),) if name else ()
    named = (values.line(other, associated) for other in others.split(";"))
    return first + tuple(Actor(other, associated) for other in named if other)


@lru_cache(maxsize=1024)
def _actor_type(given: str) -> str:
    """The class of an actor in words; an unknown number gives ""."""
    text = values.line(given, "inter")
    number = text.removesuffix(".0")
    if number.isascii() and number.isdigit():
        return (
            ACTOR_TYPES[int(number)] if len(number) == 1 and int(number) < len(ACTOR_TYPES) else ""
        )
    return _ACTOR_TYPES.get(_stem(text), text)


def _stem(text: str) -> str:
    """Make "Rebel Groups" and "Rebel group" alike."""
    return " ".join(word.rstrip("s").casefold() for word in text.split()).replace(
        "militie", "militia"
    )


_ACTOR_TYPES = {_stem(name): name for name in ACTOR_TYPES if name}
_ACTOR_TYPES |= {"external force": ACTOR_TYPES[8], "other force": ACTOR_TYPES[8]}


@lru_cache(maxsize=4_096)
def _country(given: tuple[str, ...]) -> tuple[str, str]:
    """(alpha-3 or "", the source's own name), by number, else by code, else by name."""
    number, code, text = given
    name = values.line(text, "country")
    found = country.of_number(number) if number else None
    if found is None and code.strip():
        found = country.resolve(code.strip())
    if found is None and name:
        found = country.resolve(name)
    return found or "", name


@lru_cache(maxsize=65_536)
def _place_name(text: str) -> str:
    return values.line(text, "a place name")


def _place(given: tuple[str, ...]) -> tuple[str, str, str, str, str, str, float, float]:
    """(country, its name, admin1-3, location, lat, lon) of iso, iso3, country … longitude."""
    code, name = _country(given[:3])
    admin1, admin2, admin3, location = map(_place_name, given[3:7])
    lat, lon = _point(given[7], given[8], code)
    return code, name, admin1, admin2, admin3, location, lat, lon


def _point(lat_text: str, lon_text: str, code: str) -> tuple[float, float]:
    """(lat, lon), refused when missing, out of range, 0/0, or swapped for that country."""
    lat = values.coordinate(lat_text, "latitude", 90.0)
    lon = values.coordinate(lon_text, "longitude", 180.0)
    if lat == 0.0 and lon == 0.0:
        raise RowError("latitude and longitude are both 0: no place was coded")
    if code and extent.looks_swapped(lat, lon, code):
        raise RowError(
            f"latitude {lat:g} and longitude {lon:g} look swapped: the point lies far from "
            f"{code}, the swapped one does not"
        )
    return lat, lon


def _precision(given: str, what: str) -> int:
    """1, 2 or 3; 0 where nothing is said."""
    return values.whole(given, what, 0, 3) if given.strip() else 0


def _tags(given: str) -> tuple[str, ...]:
    parts = values.line(given, "tags", values.MAX_NAMES).split(";")
    return tuple(sorted({part.strip() for part in parts if part.strip()}))
