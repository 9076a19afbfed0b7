"""Calibrations and kept projections (schema version 5)."""

from __future__ import annotations

import sqlite_utils

_TABLES = (
    # What `warden calibrate` found, append-only; nothing that decides reads it.
    """
    CREATE TABLE calibrations (
      id INTEGER PRIMARY KEY,
      rule_id TEXT NOT NULL,
      rule_version TEXT NOT NULL,
      at TEXT NOT NULL,
      budget REAL,
      false_alerts_per_year REAL NOT NULL CHECK (false_alerts_per_year >= 0),
      result TEXT NOT NULL  -- JSON, as --json prints it
    ) STRICT
    """,
    "CREATE INDEX calibrations_rule ON calibrations (rule_id, id)",
)


def create_statistics_tables(db: sqlite_utils.Database) -> None:
    """Create the tables of what statistical rules keep between cycles."""
    for statement in _TABLES:
        db.execute(statement)
