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
    # What projection rules foresaw at each month's end, and what the period came to.
    """
    CREATE TABLE projections (
      id INTEGER PRIMARY KEY,
      rule_id TEXT NOT NULL,
      rule_version TEXT NOT NULL,
      key TEXT NOT NULL,       -- JSON, as in alerts
      period TEXT NOT NULL,
      first_day TEXT NOT NULL,
      last_day TEXT NOT NULL,
      on_day TEXT NOT NULL,
      measure TEXT NOT NULL,
      method TEXT NOT NULL,
      so_far REAL NOT NULL,
      projected REAL NOT NULL,
      low REAL NOT NULL,
      high REAL NOT NULL,
      made_at TEXT NOT NULL,
      observed REAL,           -- NULL until the period is over
      scored_at TEXT,
      UNIQUE (rule_id, rule_version, key, period, on_day)
    ) STRICT
    """,
)


def create_statistics_tables(db: sqlite_utils.Database) -> None:
    """Create the tables of what statistical rules keep between cycles."""
    for statement in _TABLES:
        db.execute(statement)
