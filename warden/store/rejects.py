"""Rows that could not be read, with their reason; the same row is kept once and counted."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from warden.sources.protocol import Reject
from warden.store.rows import clean_text
from warden.store.values import instant_text, parse_instant

RAW_LIMIT = 4096
_REASON_LIMIT = 500
_ID_LIMIT = 200

_UPSERT = """
INSERT INTO rejects
  (source, dataset, source_id, reason, raw, line, fingerprint, first_at, last_at, times)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 1)
ON CONFLICT (fingerprint) DO UPDATE SET
  last_at = max(last_at, excluded.last_at), line = excluded.line, times = times + 1
"""


@dataclass(frozen=True, slots=True)
class StoredReject:
    """A rejected row as kept: `times` it was served so far, first and last when."""

    source: str
    dataset: str
    source_id: str
    reason: str
    raw: str
    line: int | None
    first_at: datetime
    last_at: datetime
    times: int


def add_rejects(
    tx: sqlite3.Connection, rejects: Sequence[Reject], source: str, dataset: str, now: datetime
) -> None:
    """Keep them; a row already kept for the same reason only counts up."""
    at = instant_text(now)
    tx.executemany(_UPSERT, [_row(reject, source, dataset, at) for reject in rejects])


def load_rejects(
    connection: sqlite3.Connection, *, source: str | None = None, limit: int = 100
) -> tuple[StoredReject, ...]:
    """The newest rejects first."""
    rows = connection.execute(
        "SELECT source, dataset, source_id, reason, raw, line, first_at, last_at, times"
        " FROM rejects WHERE ?1 IS NULL OR source = ?1 ORDER BY last_at DESC, id DESC LIMIT ?2",
        (source, limit),
    )
    return tuple(_stored(row) for row in rows)


def count_rejects(connection: sqlite3.Connection) -> dict[str, int]:
    """How many distinct rejected rows are kept, per source."""
    rows = connection.execute("SELECT source, count(*) FROM rejects GROUP BY source")
    return dict(rows.fetchall())


def prune_rejects(tx: sqlite3.Connection, before: datetime, most: int = 1_000) -> int:
    """Forget at most so many rejects not served since `before`; return how many."""
    return tx.execute(
        "DELETE FROM rejects WHERE id IN (SELECT id FROM rejects WHERE last_at < ? LIMIT ?)",
        (instant_text(before), most),
    ).rowcount


def _stored(row: tuple[Any, ...]) -> StoredReject:
    source, dataset, source_id, reason, raw, line, first, last, times = row
    return StoredReject(
        source,
        dataset,
        source_id,
        reason,
        raw,
        line,
        parse_instant(first),
        parse_instant(last),
        times,
    )


def _row(reject: Reject, source: str, dataset: str, at: str) -> tuple[object, ...]:
    source_id = clean_text(reject.source_id, _ID_LIMIT)
    reason = clean_text(reject.reason, _REASON_LIMIT)
    raw = clean_text(reject.raw, RAW_LIMIT)
    whole = f"{source}\x00{dataset}\x00{source_id}\x00{reason}\x00{reject.raw}"
    fingerprint = blake2b(whole.encode(errors="surrogatepass"), digest_size=16).digest()
    return (source, dataset, source_id, reason, raw, reject.line, fingerprint, at)
