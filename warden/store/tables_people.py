"""What people say back: silences, acknowledgements, verdicts, releases (schema version 2)."""

from __future__ import annotations

import sqlite_utils

_TABLES = (
    # `ends_at` is what was asked for, `expired_at` when somebody ended it before.
    """
    CREATE TABLE silences (
      id INTEGER PRIMARY KEY,
      matchers TEXT NOT NULL,
      starts_at TEXT NOT NULL,
      ends_at TEXT NOT NULL,
      comment TEXT NOT NULL CHECK (comment <> ''),
      who TEXT NOT NULL,
      created_at TEXT NOT NULL,
      expired_at TEXT,
      expired_by TEXT,
      CHECK (ends_at > starts_at),
      CHECK ((expired_at IS NULL) = (expired_by IS NULL))
    ) STRICT
    """,
    "CREATE INDEX silences_end ON silences (ends_at)",
    # Append-only. Whether one still holds stands in `alerts.acknowledged_at`.
    """
    CREATE TABLE acknowledgements (
      id INTEGER PRIMARY KEY,
      alert_id TEXT NOT NULL REFERENCES alerts(id) ON DELETE CASCADE,
      at TEXT NOT NULL,
      who TEXT NOT NULL,
      note TEXT NOT NULL,
      severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical'))
    ) STRICT
    """,
    "CREATE INDEX acknowledgements_alert ON acknowledgements (alert_id, id)",
    # Append-only: the newest of an alert counts.
    """
    CREATE TABLE verdicts (
      id INTEGER PRIMARY KEY,
      alert_id TEXT NOT NULL REFERENCES alerts(id) ON DELETE CASCADE,
      verdict TEXT NOT NULL CHECK (verdict IN ('true', 'false', 'unverified')),
      note TEXT NOT NULL,
      at TEXT NOT NULL,
      who TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX verdicts_alert ON verdicts (alert_id, id)",
    # What waited for a person's word (`review: true`) and got it.
    """
    CREATE TABLE releases (
      dispatch_id INTEGER PRIMARY KEY REFERENCES dispatches(id) ON DELETE CASCADE,
      at TEXT NOT NULL,
      who TEXT NOT NULL
    ) STRICT
    """,
)


def create_people_tables(db: sqlite_utils.Database) -> None:
    """Create the tables of what operators and recipients say about alerts."""
    for statement in _TABLES:
        db.execute(statement)
