"""What a clock that was ahead wrote down, brought back to the present once the clock is right.

Standing in the flow: `deliver.flush` asks before everything else, the station before it looks at
warden's health. A row that a clock wrote which was ahead says so itself: it was made, last tried,
or began in the future.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from warden.clock import SLACK
from warden.store.health import COLUMNS, condition
from warden.store.values import instant_text

# `due_at` is never before the instants that it was counted from. The states are named as in the
# index of what is unfinished, which SQLite uses only then.
_AHEAD = (
    "state IN ('pending', 'sending', 'retry') AND state <> 'sending' AND due_at > :now"
    " AND max(created_at, coalesce("
    " (SELECT a.finished_at FROM delivery_attempts a WHERE a.delivery_id = deliveries.id"
    "   ORDER BY a.id DESC LIMIT 1), '')) > :ahead"
)


def any_deliveries_ahead(connection: sqlite3.Connection, now: datetime) -> bool:
    """Whether some delivery waits for an hour that only a clock that was ahead could name."""
    row = connection.execute(
        f"SELECT EXISTS (SELECT 1 FROM deliveries WHERE {_AHEAD})",  # noqa: S608  constants
        _instants(now),
    ).fetchone()
    return bool(row[0])


def bring_deliveries_back(tx: sqlite3.Connection, now: datetime) -> int:
    """Make such deliveries due now, as if made now at the latest; return how many.

    When they would have been due by a right clock, nobody can say: one try too early costs little.
    """
    return tx.execute(
        "UPDATE deliveries SET due_at = :now, created_at = min(created_at, :now)"  # noqa: S608
        f" WHERE {_AHEAD}",
        _instants(now),
    ).rowcount


def untold_conditions_ahead(connection: sqlite3.Connection, now: datetime) -> tuple[int, ...]:
    """The rows of what is wrong with warden since an instant to come, and no alert rests on.

    What an alert rests on is known by when it began, and stays as it is.
    """
    rows = connection.execute(
        f"SELECT id, {COLUMNS} FROM health WHERE until IS NULL AND since > :ahead",  # noqa: S608
        _instants(now),
    ).fetchall()
    return tuple(
        row[0]
        for row in rows
        if connection.execute(
            "SELECT 1 FROM alert_evidence WHERE uid = ?", (condition(row[1:]).uid,)
        ).fetchone()
        is None
    )


def bring_conditions_back(tx: sqlite3.Connection, numbers: Iterable[int], now: datetime) -> None:
    """Let conditions have begun now."""
    tx.executemany(
        "UPDATE health SET since = ? WHERE id = ?",
        [(instant_text(now), number) for number in numbers],
    )


def _instants(now: datetime) -> dict[str, str]:
    return {"now": instant_text(now), "ahead": instant_text(now + SLACK)}
