"""Raw rows as the sources served them, compressed a page at a time.

Only rows that brought something new are kept: an unchanged row is not written again.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Mapping
from datetime import datetime
from itertools import accumulate

from warden.store.values import instant_text

_LEVEL = 1  # raw rows are written once and hardly ever read


def add_raw_page(
    tx: sqlite3.Connection, rows: Mapping[str, str], source: str, dataset: str, at: str
) -> int:
    """Keep raw texts by source id; return the page's number."""
    body = zlib.compress(_pack(rows), _LEVEL)
    cursor = tx.execute(
        "INSERT INTO raw_pages (source, dataset, at, rows, body) VALUES (?, ?, ?, ?, ?)",
        (source, dataset, at, len(rows), body),
    )
    return int(cursor.lastrowid or 0)


def load_raw(connection: sqlite3.Connection, page: int | None, source_id: str) -> str | None:
    """The raw text of a row of that page; None when it was not kept, or pruned since."""
    found = connection.execute("SELECT body FROM raw_pages WHERE id = ?", (page,)).fetchone()
    if found is None:
        return None
    return _unpack(zlib.decompress(found[0])).get(source_id)


def prune_raw(tx: sqlite3.Connection, before: datetime, most: int = 1_000) -> int:
    """Drop at most so many pages older than `before`; events stay. Return how many pages."""
    return tx.execute(
        "DELETE FROM raw_pages WHERE id IN (SELECT id FROM raw_pages WHERE at < ? LIMIT ?)",
        (instant_text(before), most),
    ).rowcount


def _pack(rows: Mapping[str, str]) -> bytes:
    """A line of JSON with ids and lengths in bytes, then the texts; JSON of the whole is slow."""
    texts = [text.encode(errors="surrogatepass") for text in rows.values()]
    index = json.dumps([list(rows), [len(text) for text in texts]])
    return b"".join((index.encode(), b"\n", *texts))


def _unpack(body: bytes) -> dict[str, str]:
    head, _, texts = body.partition(b"\n")
    ids, lengths = json.loads(head)
    ends = list(accumulate(lengths, initial=0))
    return {
        source_id: texts[start:end].decode(errors="surrogatepass")
        for source_id, start, end in zip(ids, ends, ends[1:], strict=False)
    }
