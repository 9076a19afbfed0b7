"""What the database forgets by itself, so that it grows by what is worth keeping.

Standing in the flow: `Station.tidy`, once a day. Events, their revisions and the ledger are never
removed: rules and backtests rest on them. What goes is what only serves looking back at how
something was served or said. A lot is removed piece by piece: others want to write meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from warden.store.connection import Store
from warden.store.raw import prune_raw
from warden.store.rejects import prune_rejects
from warden.store.values import instant_text

PIECE: Final = 100  # rows of a transaction; a row may be a page of thousands of raw texts


@dataclass(frozen=True, slots=True)
class Keep:
    """How long something is kept; None: for ever.

    Attributes:
        raw: rows as the sources served them. rejects: rows that could not be read, since they
            were last served. texts: the bodies of messages that all recipients have taken.
    """

    raw: timedelta | None
    rejects: timedelta | None
    texts: timedelta | None


def forget(
    store: Store, keep: Keep, now: datetime, stop: Callable[[], bool] = lambda: False
) -> dict[str, int]:
    """Remove what has been kept long enough; tell how much of what, leaving out nothing at all.

    `stop` ends it between two pieces.
    """
    found: dict[str, int] = {}
    for name, kept, prune in (
        ("raw pages", keep.raw, prune_raw),
        ("rejects", keep.rejects, prune_rejects),
        ("texts", keep.texts, prune_texts),
    ):
        gone = PIECE
        while kept is not None and gone >= PIECE and not stop():
            with store.transaction() as tx:
                gone = prune(tx, now - kept, PIECE)
            if gone:
                found[name] = found.get(name, 0) + gone
    return found


def prune_texts(tx: sqlite3.Connection, before: datetime, most: int = PIECE) -> int:
    """Drop the bodies of messages made before `before` that everybody has taken.

    What is dead or expired keeps its words: `warden retry` may send it yet. Return how many.
    """
    return tx.execute(
        "DELETE FROM message_bodies WHERE message_id IN (SELECT m.id FROM messages m"
        " WHERE m.created_at < ? AND EXISTS (SELECT 1 FROM message_bodies b"
        " WHERE b.message_id = m.id) AND NOT EXISTS (SELECT 1 FROM deliveries x"
        " WHERE x.message_id = m.id AND x.state <> 'sent') LIMIT ?)",
        (instant_text(before), most),
    ).rowcount
