"""Events as stored: the rows the engine's frame is built from, single events, their revisions.

Standing in the flow: `warden.ingest` writes through `warden.store.pages`, `evaluate` reads here.
Every function takes a connection: a transaction's, `Store.connection`, or one of `reading()`.

As known at an instant: a row of `events` is the newest version; going back through
`event_revisions`, each of which holds what stood before it, gives any earlier one. What is not
kept is the earlier stamp of a row that was stamped again without a change.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from warden.collector import collector_paused
from warden.engine.geo.distance import distance_km
from warden.model.event import Event
from warden.store.pages import PageCounts, Walk, apply_page, retract
from warden.store.raw import load_raw
from warden.store.rows import EVENT_COLUMNS, event_from, json_list
from warden.store.values import instant_text, parse_instant

__all__ = [
    "FRAME_COLUMNS",
    "PageCounts",
    "Revision",
    "Walk",
    "apply_page",
    "changed_since",
    "count_events",
    "events_as_of",
    "load_columns",
    "load_event",
    "load_events",
    "load_raw_row",
    "load_rows",
    "newest_event_day",
    "retract",
    "revisions",
]

_LEAST_KM_PER_DEGREE = 110.5  # never more than a degree of latitude measures

# The cells of a row of `load_rows`, in this order. Days are ISO texts `YYYY-MM-DD`, instants texts
# `YYYY-MM-DDTHH:MM:SS.ffffffZ`. `actors` is the JSON text `[[name, role, type], …]` and `tags`
# `[tag, …]`: equal lists are equal texts, so both can be interned without being parsed.
# `civilian_targeting` is 0 or 1. None can stand in fatalities_low, _high, _civilian and
# source_updated_at. A superset of `warden.engine.frame.FRAME_COLUMNS`.
FRAME_COLUMNS: tuple[str, ...] = (
    "uid",
    "dataset",
    "source_id",
    "source",
    "status",
    "revision",
    "event_date",
    "event_date_end",
    "time_precision",
    "category",
    "event_type",
    "sub_event_type",
    "disorder_type",
    "actors",
    "civilian_targeting",
    "fatalities",
    "fatalities_low",
    "fatalities_high",
    "fatalities_civilian",
    "lat",
    "lon",
    "geo_precision",
    "location_error_km",
    "iso3",
    "country",
    "admin1",
    "admin2",
    "admin3",
    "location",
    "notes",
    "reporters",
    "report",
    "tags",
    "url",
    "source_updated_at",
    "first_seen_at",
    "known_at",
    "revised_at",
)

Status = Literal["active", "retracted"]
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Revision:
    """A change of an event after it was first stored.

    Attributes:
        revision: the number the event took with it (2 for the first change).
        kind: what happened. source: who said so.
        changed: column → the value before, as stored (see `FRAME_COLUMNS`).
    """

    uid: str
    revision: int
    at: datetime
    kind: Literal["revised", "retracted", "reinstated"]
    source: str
    changed: dict[str, Any]


def load_rows(
    connection: sqlite3.Connection,
    *,
    uids: Collection[str] | None = None,
    as_of: datetime | None = None,
    status: Status | None = "active",
) -> list[Row]:
    """Rows whose cells are in the order of FRAME_COLUMNS, oldest acquaintance first.

    Args:
        connection: where to read.
        uids: only these events; None for all.
        as_of: as warden knew them at that instant; None for now.
        status: which events; None for both.
    """
    with collector_paused():
        if as_of is None:
            return _rows_now(connection, uids, status)
        return _rows_as_of(connection, uids, as_of, status, FRAME_COLUMNS)


def row_chunks(connection: sqlite3.Connection, size: int) -> Iterator[list[Row]]:
    """All active rows as `load_rows` has them, so many at a time: never all of them in memory."""
    cursor = connection.execute(*_select(FRAME_COLUMNS, None, "active"))
    while True:
        with collector_paused():
            rows = cursor.fetchmany(size)
        if not rows:
            return
        yield rows


def load_columns(
    connection: sqlite3.Connection,
    *,
    uids: Collection[str] | None = None,
    as_of: datetime | None = None,
    status: Status | None = "active",
) -> dict[str, list[Any]]:
    """`load_rows` turned round: column name → cells."""
    rows = load_rows(connection, uids=uids, as_of=as_of, status=status)
    if not rows:
        return {name: [] for name in FRAME_COLUMNS}
    return dict(zip(FRAME_COLUMNS, map(list, zip(*rows, strict=True)), strict=True))


def events_as_of(connection: sqlite3.Connection, instant: datetime) -> tuple[Event, ...]:
    """Every event warden knew at `instant`, as it stood then, retracted ones too."""
    rows = _rows_as_of(connection, None, instant, None, EVENT_COLUMNS)
    events = (event_from(dict(zip(EVENT_COLUMNS, row, strict=True))) for row in rows)
    return tuple(sorted(events, key=lambda event: (event.record.event_date, event.uid)))


def load_event(connection: sqlite3.Connection, uid: str) -> Event | None:
    """One event as it stands now, or None."""
    return next(iter(load_events(connection, (uid,))), None)


def load_events(connection: sqlite3.Connection, uids: Iterable[str]) -> tuple[Event, ...]:
    """These events as they stand now, by uid; unknown ones are left out."""
    cursor = connection.execute(
        f"SELECT {', '.join(EVENT_COLUMNS)} FROM events"  # noqa: S608  column names of our own
        " WHERE uid IN (SELECT value FROM json_each(?)) ORDER BY uid",
        (json_list(tuple(uids)),),
    )
    return tuple(event_from(dict(zip(EVENT_COLUMNS, row, strict=True))) for row in cursor)


def revisions(connection: sqlite3.Connection, uid: str) -> tuple[Revision, ...]:
    """An event's changes, oldest first."""
    cursor = connection.execute(
        "SELECT uid, revision, at, kind, source, changed FROM event_revisions"
        " WHERE uid = ? ORDER BY revision",
        (uid,),
    )
    return tuple(
        Revision(uid, number, parse_instant(at), kind, source, json.loads(changed))
        for uid, number, at, kind, source, changed in cursor
    )


def changed_since(connection: sqlite3.Connection, instant: datetime) -> tuple[str, ...]:
    """Uids of events first stored, revised, retracted or reinstated after `instant`."""
    cursor = connection.execute(
        "SELECT uid FROM events WHERE revised_at > ? ORDER BY uid", (instant_text(instant),)
    )
    return tuple(uid for (uid,) in cursor)


def count_events(connection: sqlite3.Connection) -> dict[tuple[str, str], int]:
    """How many events, by (dataset, status)."""
    cursor = connection.execute("SELECT dataset, status, count(*) FROM events GROUP BY 1, 2")
    return {(dataset, status): number for dataset, status, number in cursor}


def datasets(connection: sqlite3.Connection) -> list[str]:
    """The datasets that have events, skipping through the index from one to the next."""
    found: list[str] = []
    while True:
        following = connection.execute(
            "SELECT dataset FROM events WHERE dataset > ? ORDER BY dataset LIMIT 1",
            (found[-1] if found else "",),
        ).fetchone()
        if following is None:
            return found
        found.append(following[0])


def first_days(connection: sqlite3.Connection) -> dict[str, date]:
    """The oldest day stored of each dataset; a look at the index's edge, not at every event."""
    starts = {}
    for dataset in datasets(connection):
        first = connection.execute(
            "SELECT event_date FROM events WHERE dataset = ? AND status = 'active'"
            " ORDER BY event_date LIMIT 1",
            (dataset,),
        ).fetchone()
        if first is not None:
            starts[dataset] = date.fromisoformat(first[0])
    return starts


def near(
    connection: sqlite3.Connection, uid: str, *, days: int, km: float, limit: int
) -> list[str]:
    """Active events of an event's dataset within so many days and kilometres, nearest first.

    Shape: at most `limit` uids, without its own; none where the event is not known.
    """
    centre = connection.execute(
        "SELECT dataset, event_date, lat, lon FROM events WHERE uid = ?", (uid,)
    ).fetchone()
    if centre is None:
        return []
    dataset, happened, lat, lon = centre
    day, apart = date.fromisoformat(happened), timedelta(days=days)
    reach = km / _LEAST_KM_PER_DEGREE
    rows = connection.execute(
        "SELECT uid, lat, lon FROM events WHERE dataset = ? AND status = 'active'"
        " AND event_date BETWEEN ? AND ? AND lat BETWEEN ? AND ? AND uid <> ?",
        (dataset, (day - apart).isoformat(), (day + apart).isoformat(), lat - reach, lat + reach,
         uid),
    )  # fmt: skip
    by_distance = sorted(
        (far, other)
        for other, other_lat, other_lon in rows
        if (far := distance_km(lat, lon, other_lat, other_lon)) <= km
    )
    return [other for _, other in by_distance[:limit]]


def find_event(connection: sqlite3.Connection, name: str) -> str | None:
    """The uid of an event named by its uid, or by the source's id alone; None without one."""
    rows = connection.execute(
        "SELECT uid FROM events WHERE uid = ?1 OR source_id = ?1 ORDER BY uid <> ?1, uid LIMIT 1",
        (name,),
    ).fetchall()
    return str(rows[0][0]) if rows else None


def newest_event_day(connection: sqlite3.Connection) -> str | None:
    """The ISO day of the newest active event."""
    found = connection.execute("SELECT max(event_date) FROM events WHERE status = 'active'")
    day: str | None = found.fetchone()[0]
    return day


def load_raw_row(connection: sqlite3.Connection, uid: str) -> str | None:
    """The raw text of the event's newest version; None when not kept or pruned."""
    found = connection.execute(
        "SELECT raw_page, source_id FROM events WHERE uid = ?", (uid,)
    ).fetchone()
    return None if found is None else load_raw(connection, *found)


def _rows_now(
    connection: sqlite3.Connection, uids: Collection[str] | None, status: Status | None
) -> list[Row]:
    return connection.execute(*_select(FRAME_COLUMNS, uids, status)).fetchall()


def _select(
    columns: Sequence[str], uids: Collection[str] | None, status: Status | None
) -> tuple[str, dict[str, Any]]:
    conditions: list[str] = []
    values: dict[str, Any] = {}
    if uids is not None:
        conditions.append("uid IN (SELECT value FROM json_each(:uids))")
        values["uids"] = json_list(tuple(uids))
    if status is not None:
        conditions.append("status = :status")
        values["status"] = status
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {', '.join(columns)} FROM events{where}", values  # noqa: S608  our own names


def _rows_as_of(
    connection: sqlite3.Connection,
    uids: Collection[str] | None,
    instant: datetime,
    status: Status | None,
    columns: Sequence[str],
) -> list[Row]:
    """The newest rows, with later changes undone, without events not yet known."""
    at = instant_text(instant)
    sql, values = _select(EVENT_COLUMNS, uids, None)
    joint = "AND" if " WHERE " in sql else "WHERE"
    undo = _undo(connection, at)
    pick = [EVENT_COLUMNS.index(name) for name in columns]
    where = EVENT_COLUMNS.index("status")
    kept: list[Row] = []
    for row in connection.execute(f"{sql} {joint} first_seen_at <= :at", values | {"at": at}):
        then = _undone(row, undo[row[0]]) if row[0] in undo else row
        if status is None or then[where] == status:
            kept.append(tuple([then[i] for i in pick]))
    return kept


def _undo(connection: sqlite3.Connection, at: str) -> dict[str, dict[str, Any]]:
    """The cells that stood at `at`, by uid, for events changed since."""
    cursor = connection.execute(
        "SELECT uid, revision, changed, was_source, was_source_updated_at, was_revised_at,"
        " was_raw_page FROM event_revisions WHERE at > ? ORDER BY uid, revision DESC",
        (at,),
    )
    undo: dict[str, dict[str, Any]] = {}
    for uid, revision, changed, source, stamp, revised_at, raw_page in cursor:
        undo.setdefault(uid, {}).update(
            json.loads(changed),
            revision=revision - 1,
            source=source,
            source_updated_at=stamp,
            revised_at=revised_at,
            raw_page=raw_page,
        )
    return undo


def _undone(row: Row, old: dict[str, Any]) -> Row:
    return tuple([old.get(name, cell) for name, cell in zip(EVENT_COLUMNS, row, strict=True)])
