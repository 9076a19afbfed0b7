"""The ledger's tables: alerts, their evidence and history, notices (schema version 1)."""

from __future__ import annotations

import sqlite_utils

_TABLES = (
    # One row an episode that was told, or deliberately not told.
    """
    CREATE TABLE alerts (
      id TEXT PRIMARY KEY NOT NULL,
      rule_id TEXT NOT NULL,
      rule_version TEXT NOT NULL,
      key TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('active', 'ended', 'cancelled', 'closed')),
      state_reason TEXT NOT NULL,
      severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
      first_day TEXT NOT NULL,
      last_day TEXT NOT NULL,
      since TEXT NOT NULL,
      until TEXT NOT NULL,
      value REAL,
      facts TEXT NOT NULL,
      raised_at TEXT NOT NULL,
      changed_at TEXT NOT NULL,
      ended_at TEXT,
      told INTEGER NOT NULL CHECK (told IN (0, 1)),
      silence_reason TEXT NOT NULL,
      told_at TEXT,
      told_severity TEXT,
      told_value REAL,
      told_facts TEXT NOT NULL,
      acknowledged_at TEXT,
      listed INTEGER NOT NULL DEFAULT 0 CHECK (listed IN (0, 1))
    ) STRICT
    """,
    "CREATE INDEX alerts_rule ON alerts (rule_id, state)",
    # Which events an alert rests on now (`held`), and which were ever told under it (`told`).
    """
    CREATE TABLE alert_evidence (
      alert_id TEXT NOT NULL REFERENCES alerts(id) ON DELETE CASCADE,
      uid TEXT NOT NULL,
      position INTEGER NOT NULL,
      held INTEGER NOT NULL CHECK (held IN (0, 1)),
      told INTEGER NOT NULL CHECK (told IN (0, 1)),
      PRIMARY KEY (alert_id, uid)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX alert_evidence_uid ON alert_evidence (uid)",
    # Immutable: what was to be said.
    """
    CREATE TABLE notices (
      id TEXT PRIMARY KEY NOT NULL,
      cycle_id INTEGER REFERENCES cycles(id),
      alert_id TEXT NOT NULL,
      rule_id TEXT NOT NULL,
      rule_version TEXT NOT NULL,
      key TEXT NOT NULL,
      action TEXT NOT NULL CHECK (action IN
        ('alert', 'update', 'reminder', 'resolved', 'cancel', 'summary')),
      reason TEXT NOT NULL,
      at TEXT NOT NULL,
      severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
      title TEXT NOT NULL,
      labels TEXT NOT NULL,
      facts TEXT NOT NULL,
      changes TEXT NOT NULL,
      items TEXT NOT NULL,
      exercise INTEGER NOT NULL DEFAULT 0 CHECK (exercise IN (0, 1))
    ) STRICT
    """,
    "CREATE INDEX notices_alert ON notices (alert_id, at)",
    # Append-only: every decision that changed the ledger, with its named reason.
    """
    CREATE TABLE decisions (
      id INTEGER PRIMARY KEY,
      cycle_id INTEGER NOT NULL REFERENCES cycles(id),
      at TEXT NOT NULL,
      alert_id TEXT NOT NULL,
      rule_id TEXT NOT NULL,
      name TEXT NOT NULL,
      reason TEXT NOT NULL,
      notice_id TEXT REFERENCES notices(id),
      state TEXT NOT NULL,
      severity TEXT NOT NULL,
      changes TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX decisions_alert ON decisions (alert_id, id)",
)


def create_ledger_tables(db: sqlite_utils.Database) -> None:
    """Create the ledger's tables and indexes; `cycles` must exist in the same schema."""
    for statement in _TABLES:
        db.execute(statement)
