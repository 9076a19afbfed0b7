"""Every version of every event, with the instants between which it stood.

Standing in the flow: a backtest over stored revisions reads them once instead of asking for the
events as of each of many instants.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from warden.collector import collector_paused
from warden.store.events import FRAME_COLUMNS

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """One state of an event.

    Attributes:
        row: its cells in the order of `warden.store.events.FRAME_COLUMNS`; `status` among them.
        since: the instant's text from which warden knew it so.
        until: when the next version took its place; None while it stands.
    """

    row: Row
    since: str
    until: str | None


def load_versions(connection: sqlite3.Connection) -> list[Version]:
    """All versions, an event's own oldest first; retracted states are versions too."""
    with collector_paused():
        changes = _changes(connection)
        newest = connection.execute(
            f"SELECT {', '.join(FRAME_COLUMNS)} FROM events ORDER BY uid"  # noqa: S608  our own names
        )
        return [version for row in newest for version in _versions(row, changes.get(row[0], ()))]


def _versions(row: Row, changes: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[Version]:
    """The versions of one event; `changes` are (when, the cells before), newest first."""
    found: list[Version] = []
    until: str | None = None
    for at, before in changes:
        found.append(Version(row, at, until))
        until = at
        row = tuple([before.get(name, cell) for name, cell in zip(FRAME_COLUMNS, row, strict=True)])
    found.append(Version(row, row[_FIRST_SEEN], until))
    return reversed(found)


def _changes(connection: sqlite3.Connection) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    cursor = connection.execute(
        "SELECT uid, at, revision, changed, was_source, was_source_updated_at, was_revised_at"
        " FROM event_revisions ORDER BY uid, revision DESC"
    )
    changes: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for uid, at, revision, changed, source, stamp, revised_at in cursor:
        before = json.loads(changed) | {
            "revision": revision - 1,
            "source": source,
            "source_updated_at": stamp,
            "revised_at": revised_at,
        }
        changes.setdefault(uid, []).append((at, before))
    return changes


_FIRST_SEEN = FRAME_COLUMNS.index("first_seen_at")
