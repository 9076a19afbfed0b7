"""How warden is, in figures that a restart does not set back: for whoever watches it.

Standing in the flow: read at every look of a monitoring system, so every query is a look at an
index or at a small table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from warden.store.sources import SourceStatus, load_sources
from warden.store.values import instant_text, parse_instant


@dataclass(frozen=True, slots=True)
class Figures:
    """What the database says.

    Attributes:
        at: when it was read.
        newest_event: for each dataset the newest day of an active event.
        alerts: (severity, told) → active alerts.
        conditions: (subject, state) → how many are not as they should be.
        unfinished: (channel, state) → deliveries not yet sent, dead or expired.
        dead: channel → dead letters, as they are now.
        waiting: dispatches that are in no message yet.
        oldest_waiting: since when the oldest of all that waits has waited.
        decided: when a cycle last wrote something.
        size_bytes: of the database file, without its log.
    """

    at: datetime
    sources: tuple[SourceStatus, ...]
    newest_event: Mapping[str, date]
    alerts: Mapping[tuple[str, bool], int]
    conditions: Mapping[tuple[str, str], int]
    unfinished: Mapping[tuple[str, str], int]
    dead: Mapping[str, int]
    waiting: int
    oldest_waiting: datetime | None
    decided: datetime | None
    size_bytes: int
    schema: int


def read_figures(connection: sqlite3.Connection, now: datetime) -> Figures:
    """Read all of them in the caller's reading transaction."""
    size, page, schema = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "page_size", "user_version")
    )
    decided = connection.execute("SELECT max(at) FROM cycles").fetchone()[0]
    sources = load_sources(connection)
    return Figures(
        at=now,
        sources=sources,
        newest_event=_newest(connection, {one.dataset for one in sources if one.dataset}),
        alerts=_alerts(connection),
        conditions=_pairs(
            connection,
            "SELECT subject, state, count(*) FROM health WHERE until IS NULL GROUP BY 1, 2",
        ),
        unfinished=_pairs(
            connection,
            "SELECT channel, state, count(*) FROM deliveries"
            " WHERE state IN ('pending', 'sending', 'retry') GROUP BY 1, 2",
        ),
        dead=dict(
            connection.execute(
                "SELECT channel, count(*) FROM deliveries WHERE state = 'dead' GROUP BY 1"
            ).fetchall()
        ),
        waiting=connection.execute(
            "SELECT count(*) FROM dispatches WHERE message_id IS NULL AND withheld_reason IS NULL"
        ).fetchone()[0],
        oldest_waiting=_oldest(connection, now),
        decided=None if decided is None else parse_instant(decided),
        size_bytes=size * page,
        schema=schema,
    )


def _newest(connection: sqlite3.Connection, datasets: set[str]) -> dict[str, date]:
    found = {}
    for dataset in sorted(datasets):
        row = connection.execute(
            "SELECT event_date FROM events WHERE dataset = ? AND status = 'active'"
            " ORDER BY event_date DESC LIMIT 1",
            (dataset,),
        ).fetchone()
        if row is not None:
            found[dataset] = date.fromisoformat(row[0])
    return found


def _alerts(connection: sqlite3.Connection) -> dict[tuple[str, bool], int]:
    rows = connection.execute(
        "SELECT severity, told, count(*) FROM alerts WHERE state = 'active' GROUP BY 1, 2"
    )
    return {(severity, bool(told)): count for severity, told, count in rows}


def _pairs(connection: sqlite3.Connection, sql: str) -> dict[tuple[str, str], int]:
    return {(one, other): count for one, other, count in connection.execute(sql)}


def _oldest(connection: sqlite3.Connection, now: datetime) -> datetime | None:
    """Since when the oldest unfinished delivery exists, or the oldest due dispatch is due."""
    (oldest,) = connection.execute(
        "SELECT min(at) FROM (SELECT min(created_at) AS at FROM deliveries"
        " WHERE state IN ('pending', 'sending', 'retry') UNION ALL SELECT min(due_at)"
        " FROM dispatches WHERE message_id IS NULL AND withheld_reason IS NULL AND due_at <= ?)",
        (instant_text(now),),
    ).fetchone()
    return None if oldest is None else parse_instant(oldest)
