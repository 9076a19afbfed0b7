"""Deletions of events that are not known: what a source withdrew before warden met it.

Standing in the flow: `pages` keeps here what is told of an unknown id, and asks before it takes a
row of such an id for new. An export made before the deletion still holds the event.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from warden.store.rows import json_list
from warden.store.values import instant_text

_KEEP = """
INSERT INTO deletions (uid, deleted_at, source, told_at) VALUES (?, ?, ?, ?)
ON CONFLICT (uid) DO UPDATE SET
  deleted_at = excluded.deleted_at, source = excluded.source, told_at = excluded.told_at
  WHERE excluded.deleted_at > deleted_at
"""


@dataclass(frozen=True, slots=True)
class Unmet:
    """The latest deletion told of an id that no event has.

    Attributes:
        deleted_at: the source's own stamp of it. source: who told it.
    """

    deleted_at: str
    source: str

    def forbids(self, stamp: str | None, source: str) -> bool:
        """Whether a row with this stamp, served by `source`, may be from before the deletion.

        One without a stamp cannot be told to be older, unless the source that deleted it serves it.
        """
        return source != self.source if stamp is None else stamp <= self.deleted_at


def keep_deletions(
    tx: sqlite3.Connection, stamps: Iterable[tuple[str, str]], source: str, now: datetime
) -> None:
    """Keep (uid, stamp) of deletions of unknown events; of two of one uid the later counts."""
    at = instant_text(now)
    tx.executemany(_KEEP, [(uid, stamp, source, at) for uid, stamp in stamps])


def deletions_of(tx: sqlite3.Connection, uids: Sequence[str]) -> dict[str, Unmet]:
    """What was told of these uids, by uid."""
    rows = tx.execute(
        "SELECT uid, deleted_at, source FROM deletions"
        " WHERE uid IN (SELECT value FROM json_each(?))",
        (json_list(uids),),
    )
    return {uid: Unmet(deleted_at, source) for uid, deleted_at, source in rows}


def drop_deletions(tx: sqlite3.Connection, uids: Sequence[str]) -> None:
    """Forget what was told of uids that are events now: their own rows remember it."""
    tx.execute(
        "DELETE FROM deletions WHERE uid IN (SELECT value FROM json_each(?))", (json_list(uids),)
    )


def prune_deletions(tx: sqlite3.Connection, before: datetime) -> int:
    """Forget deletions that were last told before `before`; return how many."""
    return tx.execute("DELETE FROM deletions WHERE told_at < ?", (instant_text(before),)).rowcount
