"""What the database forgets by itself, so that it grows by what is worth keeping.

Standing in the flow: `Upkeep.tidy`, once a day. Events, their revisions and the ledger are never
removed: rules and backtests rest on them. What goes is what only serves looking back at how
something was served or said. A lot is removed piece by piece: others want to write meanwhile.
Nothing can be taken back, so that nothing goes by a clock that has not been right for a day.
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
BELIEVED_AFTER: Final = timedelta(days=1)
# Twice as long as it is from one asking to the next: what was done is seen by one of them.
_SEEN_FOR: Final = timedelta(days=2)


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


def is_believed(connection: sqlite3.Connection, now: datetime) -> bool:
    """Whether a walk or cycle of one to three days ago is known, so that the clock is believed.

    A clock that was just set years forward has none. Nor has a warden that was off for weeks: it
    forgets a day later.
    """
    newest = now - BELIEVED_AFTER
    span = {"after": instant_text(newest - _SEEN_FOR), "until": instant_text(newest)}
    row = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM poll_runs WHERE started_at > :after AND started_at <= :until)"
        " OR EXISTS (SELECT 1 FROM cycles WHERE at > :after AND at <= :until)",
        span,
    ).fetchone()
    return bool(row[0])


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
