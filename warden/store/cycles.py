"""Cycles in SQL, and the marks that evaluations leave for the next ones.

Standing in the flow: `evaluate` writes a cycle with what it decided, in one transaction; a replay
reads at which instants, and knowing how much, the rules had been evaluated.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from warden.engine.seeding import SEEDED
from warden.store.values import instant_text, parse_instant

HISTORIC_SUMMARY_AT = "historic_summary_at"


@dataclass(frozen=True, slots=True)
class Cycle:
    """One evaluation of the past.

    Attributes:
        complete_through: by dataset, the last day that was fully known.
    """

    at: datetime
    complete_through: Mapping[str, date]


@dataclass(frozen=True, slots=True)
class CycleState:
    """By what a cycle may differ from the one before though nothing was decided."""

    ruleset_version: str
    complete_through: str

    @classmethod
    def of(cls, ruleset_version: str, known: Mapping[str, date]) -> CycleState:
        """The state as it is stored; `known` as in `Cycle.complete_through`."""
        days = {name: day.isoformat() for name, day in sorted(known.items())}
        return cls(ruleset_version, json.dumps(days))


def add_cycle(
    tx: sqlite3.Connection, at: datetime, state: CycleState, kind: str, reasons: Iterable[str]
) -> int:
    """Write a cycle, with how many decisions each reason had; its number."""
    cursor = tx.execute(
        "INSERT INTO cycles (at, ruleset_version, complete_through, kind, counts)"
        " VALUES (?, ?, ?, ?, ?)",
        (
            instant_text(at.astimezone(UTC)),
            state.ruleset_version,
            state.complete_through,
            kind,
            json.dumps(Counter(reasons), sort_keys=True),
        ),
    )
    return int(cursor.lastrowid or 0)


def last_state(connection: sqlite3.Connection) -> CycleState | None:
    """The state of the newest cycle."""
    found = connection.execute(
        "SELECT ruleset_version, complete_through FROM cycles ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return None if found is None else CycleState(*found)


def load_cycles(connection: sqlite3.Connection) -> Iterator[Cycle]:
    """All cycles, oldest first."""
    rows = connection.execute("SELECT at, complete_through FROM cycles ORDER BY id")
    for at, through in rows:
        days = {name: date.fromisoformat(day) for name, day in json.loads(through).items()}
        yield Cycle(parse_instant(at).astimezone(UTC), days)


def mark(connection: sqlite3.Connection, key: str) -> str | None:
    """The mark of that name."""
    found = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if found is None else str(found[0])


def seeded_marks(connection: sqlite3.Connection) -> dict[str, str]:
    """Every dataset's mark of its first load, under its whole name."""
    rows = connection.execute("SELECT key, value FROM meta WHERE key LIKE ?", (f"{SEEDED}%",))
    return dict(rows.fetchall())


def set_mark(tx: sqlite3.Connection, key: str, value: str) -> None:
    """Leave a mark, in the place of the one before."""
    tx.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )
