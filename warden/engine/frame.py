"""Events as columns: what the engine sees.

Standing in the flow: the store (or a list of `Event`s) becomes one `Frame`; predicates, measures
and detectors work on its columns. Texts are dictionary-encoded, so a predicate on a text is
decided once per distinct value.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warden.model.event import Actor, Event

EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
ObjectArray = NDArray[np.object_]

CODED_FIELDS: tuple[str, ...] = (
    "dataset",
    "source",
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
    "tags",
    "actors",
)
PLAIN_FIELDS: tuple[str, ...] = (
    "uid",
    "source_id",
    "notes",
    "reporters",
    "report",
    "url",
    "source_updated_at",
    "first_seen_at",
    "known_at",
)
# Of the plain ones those that rows share: the polls and sources they came from.
_SHARED_FIELDS = frozenset({
    "reporters", "report", "url", "source_updated_at", "first_seen_at", "known_at",
})  # fmt: skip
NUMBER_FIELDS: tuple[str, ...] = (
    "time_precision",
    "fatalities",
    "lat",
    "lon",
    "geo_precision",
    "location_error_km",
    "fatalities_low",
    "fatalities_high",
    "fatalities_civilian",
)
FRAME_COLUMNS: tuple[str, ...] = (
    *PLAIN_FIELDS,
    *CODED_FIELDS,
    *NUMBER_FIELDS,
    "civilian_targeting",
    "event_date",
    "event_date_end",
)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - EPOCH_ORDINAL


def day_from_number(number: int) -> date:
    """The calendar day that many days after 1970-01-01."""
    return date.fromordinal(int(number) + EPOCH_ORDINAL)


@dataclass(frozen=True, slots=True)
class Coded:
    """A text column: `values[codes[i]]` is row i's text."""

    codes: IntArray
    values: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Coded:
        """Encode texts in order of first appearance."""
        index: defaultdict[str, int] = defaultdict(count().__next__)  # a new text, the next code
        codes = np.fromiter(map(index.__getitem__, texts), dtype=np.int64)
        return cls(codes, tuple(index))

    def __getitem__(self, row: int) -> str:
        text: str = self.values[int(self.codes[row])]
        return text

    def present(self) -> list[int]:
        """The codes that occur, in order."""
        if len(self.values) == 1:  # as with the dataset, mostly
            return [0] if len(self.codes) else []
        if len(self.codes) * 4 < len(self.values):
            return sorted(set(self.codes.tolist()))
        used: list[int] = np.flatnonzero(np.bincount(self.codes)).tolist()
        return used

    def take(self, rows: IntArray) -> Coded:
        """Some of the rows, with no more of the dictionary than they use."""
        codes = self.codes[rows]
        if len(codes) * 4 > len(self.values):
            return Coded(codes, self.values)
        used, renumbered = np.unique(codes, return_inverse=True)
        return Coded(renumbered.astype(np.int64), tuple(self.values[code] for code in used))

    def joined(self, other: Coded) -> Coded:
        """The rows of both under one dictionary."""
        index = {text: code for code, text in enumerate(self.values)}
        renumbered = np.array(
            [index.setdefault(text, len(index)) for text in other.values], dtype=np.int64
        )
        theirs = renumbered[other.codes] if len(other.codes) else other.codes
        return Coded(np.concatenate((self.codes, theirs)), tuple(index))


@dataclass(frozen=True, slots=True)
class Frame:
    """n events as columns of length n, in no particular order; only active events stand in it.

    Attributes:
        plain: texts that hardly repeat (uid, notes, instants as ISO text), object arrays.
        coded: dictionary-encoded texts; `actors` and `tags` hold JSON, see `parties`.
        number: float64 columns, NaN where the source gives none.
        civilian_targeting: bool.
        day, day_end: days since 1970-01-01.
    """

    plain: Mapping[str, ObjectArray]
    coded: Mapping[str, Coded]
    number: Mapping[str, FloatArray]
    civilian_targeting: BoolArray
    day: IntArray
    day_end: IntArray
    _parsed_actors: dict[str, tuple[Actor, ...]] = field(default_factory=dict, compare=False)
    _ordered: list[bool] = field(default_factory=list, compare=False)

    def __len__(self) -> int:
        return int(self.day.shape[0])

    @property
    def uid(self) -> ObjectArray:
        """The events' uids."""
        return self.plain["uid"]

    def in_order(self) -> bool:
        """Whether the rows are in order of (day, uid); looked at once."""
        if not self._ordered:
            steps = np.diff(self.day)
            rising = bool((steps >= 0).all())
            ties = steps == 0
            self._ordered.append(rising and bool((self.uid[:-1][ties] <= self.uid[1:][ties]).all()))
        return self._ordered[0]

    @classmethod
    def from_rows(cls, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Frame:
        """Build from rows whose cells are in the order of `columns` (a superset of FRAME_COLUMNS).

        Dates and instants are ISO texts, actors and tags JSON texts, as the store keeps them.
        """
        cells = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
        return cls.from_columns(dict(zip(columns, cells, strict=True)))

    @classmethod
    def from_columns(cls, by_name: Mapping[str, Sequence[Any]]) -> Frame:
        """Build from the cells of each of FRAME_COLUMNS, all of one length; see `from_rows`."""
        return cls(
            plain={
                name: _objects(
                    _each_once(by_name[name]) if name in _SHARED_FIELDS else by_name[name]
                )
                for name in PLAIN_FIELDS
            },
            coded={name: Coded.of(by_name[name]) for name in CODED_FIELDS},
            number={name: np.array(by_name[name], dtype=np.float64) for name in NUMBER_FIELDS},
            civilian_targeting=np.array(by_name["civilian_targeting"], dtype=np.bool_),
            day=_days(by_name["event_date"]),
            day_end=_days(by_name["event_date_end"]),
        )

    @classmethod
    def from_events(cls, events: Iterable[Event]) -> Frame:
        """Build from values; retracted events are left out."""
        rows = [_row(event) for event in events if event.status == "active"]
        return cls.from_rows(FRAME_COLUMNS, rows)

    @classmethod
    def empty(cls) -> Frame:
        """A frame of no events."""
        return cls.from_rows(FRAME_COLUMNS, [])

    def take(self, rows: IntArray) -> Frame:
        """Some of the rows, in the order given."""
        return Frame(
            plain={name: column[rows] for name, column in self.plain.items()},
            coded={name: column.take(rows) for name, column in self.coded.items()},
            number={name: column[rows] for name, column in self.number.items()},
            civilian_targeting=self.civilian_targeting[rows],
            day=self.day[rows],
            day_end=self.day_end[rows],
            _parsed_actors=self._parsed_actors,
        )

    def datasets(self) -> tuple[str, ...]:
        """The datasets that occur in the rows."""
        column = self.coded["dataset"]
        return tuple(column.values[code] for code in column.present())

    def joined(self, other: Frame) -> Frame:
        """The rows of both, these first."""
        return Frame(
            plain={
                name: np.concatenate((column, other.plain[name]))
                for name, column in self.plain.items()
            },
            coded={name: column.joined(other.coded[name]) for name, column in self.coded.items()},
            number={
                name: np.concatenate((column, other.number[name]))
                for name, column in self.number.items()
            },
            civilian_targeting=np.concatenate((self.civilian_targeting, other.civilian_targeting)),
            day=np.concatenate((self.day, other.day)),
            day_end=np.concatenate((self.day_end, other.day_end)),
            _parsed_actors=self._parsed_actors,
        )

    def parties(self, code: int) -> tuple[Actor, ...]:
        """The actors of a value of the `actors` column, parsed once per distinct value."""
        text = self.coded["actors"].values[code]
        parsed = self._parsed_actors.get(text)
        if parsed is None:
            parsed = actors_from_json(text)
            self._parsed_actors[text] = parsed
        return parsed

    def row_parties(self, row: int) -> tuple[Actor, ...]:
        """The actors of one row."""
        return self.parties(int(self.coded["actors"].codes[row]))


def _each_once(texts: Sequence[Any]) -> list[Any]:
    """The same texts, each distinct one in memory once."""
    known: dict[Any, Any] = {}
    return [known.setdefault(text, text) for text in texts]


def actors_to_json(actors: Iterable[Actor]) -> str:
    """How actors are kept in one text cell: `[[name, role, type], …]`."""
    return json.dumps(
        [[actor.name, actor.role, actor.type] for actor in actors],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def actors_from_json(text: str) -> tuple[Actor, ...]:
    """The reverse of `actors_to_json`."""
    return tuple(Actor(name, role, kind) for name, role, kind in json.loads(text or "[]"))


def instant_text(instant: datetime) -> str:
    """The fixed-width text of an instant, `YYYY-MM-DDTHH:MM:SS.ffffffZ`: sorts as time does."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _row(event: Event) -> tuple[Any, ...]:
    record = event.record
    special: dict[str, Any] = {
        "uid": event.uid,
        "source": event.source,
        "actors": actors_to_json(record.actors),
        "tags": json.dumps(list(record.tags), ensure_ascii=False),
        "event_date": record.event_date.isoformat(),
        "event_date_end": record.event_date_end.isoformat(),
        "source_updated_at": (
            instant_text(record.source_updated_at) if record.source_updated_at else None
        ),
        "first_seen_at": instant_text(event.first_seen_at),
        "known_at": instant_text(event.known_at),
    }
    return tuple(
        special[name] if name in special else getattr(record, name) for name in FRAME_COLUMNS
    )


def _objects(cells: Sequence[Any]) -> ObjectArray:
    column = np.empty(len(cells), dtype=object)
    column[:] = cells
    return column


def _days(cells: Sequence[str]) -> IntArray:
    days = Coded.of(cells)  # few distinct ones
    return np.array(days.values, dtype="datetime64[D]").astype(np.int64)[days.codes]
