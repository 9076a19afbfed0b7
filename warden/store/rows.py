"""A record as the cells of a row, and back.

`events` keeps a record's content in `CONTENT_COLUMNS`; their joined text is what the content hash
is taken of. The source's stamp is no content: a row stamped again without a change is unchanged.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from hashlib import blake2b
from json.encoder import encode_basestring
from math import isfinite
from operator import attrgetter
from typing import Any

from warden.model.event import Actor, Event, Record
from warden.secrecy import veiled
from warden.store.values import day_text, parse_instant, parse_instant_or_none

_PLAIN_TEXTS: tuple[str, ...] = (
    "category",
    "event_type",
    "sub_event_type",
    "disorder_type",
    "iso3",
    "country",
    "admin1",
    "admin2",
    "admin3",
    "location",
    "notes",
    "reporters",
    "report",
    "url",
)
_BUILT_TEXTS: tuple[str, ...] = ("event_date", "event_date_end", "actors", "tags")
_COUNTS: tuple[str, ...] = (
    "time_precision",
    "fatalities",
    "fatalities_low",
    "fatalities_high",
    "fatalities_civilian",
    "geo_precision",
)
_MEASURES: tuple[str, ...] = ("civilian_targeting", "lat", "lon", "location_error_km")

TEXT_COLUMNS: tuple[str, ...] = _PLAIN_TEXTS + _BUILT_TEXTS
CONTENT_COLUMNS: tuple[str, ...] = TEXT_COLUMNS + _COUNTS + _MEASURES

EVENT_COLUMNS: tuple[str, ...] = (
    "uid",
    "dataset",
    "source_id",
    *CONTENT_COLUMNS,
    "source",
    "status",
    "revision",
    "source_updated_at",
    "first_seen_at",
    "known_at",
    "backfilled",
    "revised_at",
    "retracted_at",
    "retracted_reason",
    "deleted_at",
    "content_hash",
    "fingerprint",
    "raw_page",
)

_SEPARATORS = len(TEXT_COLUMNS) - 1
_MARSHAL_VERSION = 2  # the same bytes in every Python; later versions mark shared objects
_LARGEST = 2**63 - 1
_plain_texts = attrgetter(*_PLAIN_TEXTS)
_counts = attrgetter(*_COUNTS)
_quote = encode_basestring  # JSON's quoting of one text; an encoder a row costs ten times more

Content = tuple[Any, ...]


class Unstorable(ValueError):  # noqa: N818  a finding about one record, turned into a reject
    """A record that SQLite cannot keep as it is; the message says why."""


class ActorTexts(dict[int, str]):
    """The `actors` cells of records that are all alive: made once per tuple of actors.

    Keyed by identity, since comparing actors costs as much as writing them; sources that see the
    same actors again hand out the same tuple.
    """

    def of(self, actors: tuple[Actor, ...]) -> str:
        """The cell of these actors."""
        text = self.get(id(actors))
        if text is None:
            text = self[id(actors)] = actors_text(actors)
        return text


def content_of(record: Record, actors: ActorTexts) -> tuple[Content, bytes]:
    """The cells of CONTENT_COLUMNS and their hash.

    Raises:
        Unstorable: a NUL or a lone surrogate in a text, an integer beyond 64 bits, a measure that
            is no finite number. Sources reject such rows; this is the last guard.
    """
    texts: tuple[str, ...] = (
        *_plain_texts(record),
        day_text(record.event_date),
        day_text(record.event_date_end),
        actors.of(record.actors),
        json_list(record.tags),
    )
    counts: tuple[int | None, ...] = _counts(record)
    measures = (
        int(record.civilian_targeting),
        float(record.lat),
        float(record.lon),
        float(record.location_error_km),
    )
    joined = "\x00".join(texts)
    if joined.count("\x00") != _SEPARATORS:
        raise Unstorable("a text holds a NUL character")
    try:
        hashed = blake2b(joined.encode(), digest_size=16)
    except UnicodeEncodeError:
        raise Unstorable("a text holds half of a surrogate pair") from None
    for count in counts:
        if count is not None and not -_LARGEST <= count <= _LARGEST:
            raise Unstorable("a number does not fit 64 bits")
    if not isfinite(measures[1] + measures[2] + measures[3]):
        raise Unstorable("a coordinate is not a finite number")
    numbers = counts + measures
    hashed.update(marshal.dumps(numbers, _MARSHAL_VERSION))  # a fifth of the time of repr
    return texts + numbers, hashed.digest()


def check_identity(dataset: str, source_id: str) -> None:
    """Refuse an id that cannot be kept.

    Raises:
        Unstorable: it is empty, or holds a NUL or a lone surrogate.
    """
    if not source_id or not dataset:
        raise Unstorable("the row has no id")
    if "\x00" in source_id or not (source_id.isascii() or _encodable(source_id)):
        raise Unstorable("the id holds characters that cannot be kept")


def clean_text(text: str, limit: int) -> str:
    """`text` made storable and at most `limit` characters long; for rejects and sentences.

    A secret that a server repeated is taken out.
    """
    text = veiled(text)
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if "\x00" in text:
        text = text.replace("\x00", "\\x00")
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def record_from(row: Mapping[str, Any]) -> Record:
    """The record of a row of `events` (a mapping of its columns)."""
    return Record(
        dataset=row["dataset"],
        source_id=row["source_id"],
        event_date=date.fromisoformat(row["event_date"]),
        event_date_end=date.fromisoformat(row["event_date_end"]),
        actors=actors_from(row["actors"]),
        tags=tuple(json.loads(row["tags"])),
        civilian_targeting=bool(row["civilian_targeting"]),
        source_updated_at=parse_instant_or_none(row["source_updated_at"]),
        lat=row["lat"],
        lon=row["lon"],
        location_error_km=row["location_error_km"],
        **{name: row[name] for name in _PLAIN_TEXTS + _COUNTS},
    )


def event_from(row: Mapping[str, Any]) -> Event:
    """The event of a row of `events`."""
    return Event(
        record=record_from(row),
        source=row["source"],
        status=row["status"],
        revision=row["revision"],
        first_seen_at=parse_instant(row["first_seen_at"]),
        known_at=parse_instant(row["known_at"]),
        revised_at=parse_instant(row["revised_at"]),
        retracted_at=parse_instant_or_none(row["retracted_at"]),
        retracted_reason=row["retracted_reason"],
    )


def actors_from(text: str) -> tuple[Actor, ...]:
    """The actors of an `actors` cell."""
    return tuple(Actor(name, role, kind) for name, role, kind in json.loads(text))


def actors_text(actors: Iterable[Actor]) -> str:
    """The `actors` cell: `[[name, role, type], …]`."""
    items = [
        f"[{_quote(actor.name)},{_quote(actor.role)},{_quote(actor.type)}]" for actor in actors
    ]
    return f"[{','.join(items)}]"


def json_list(values: Sequence[str]) -> str:
    """A list of texts as JSON: a `tags` cell, or the argument of SQL's `json_each`."""
    return f"[{','.join(map(_quote, values))}]" if values else "[]"


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
