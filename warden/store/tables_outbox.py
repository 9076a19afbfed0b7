"""The outbox's tables: dispatches, messages, deliveries and their attempts (schema version 1)."""

from __future__ import annotations

import sqlite_utils

_TABLES = (
    # Rendered once, never changed. A message that nobody has been offered may be dissolved.
    """
    CREATE TABLE messages (
      id TEXT PRIMARY KEY NOT NULL,
      receiver TEXT NOT NULL,
      subject TEXT NOT NULL,
      severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
      fallback TEXT NOT NULL DEFAULT '',
      exercise INTEGER NOT NULL DEFAULT 0 CHECK (exercise IN (0, 1)),
      created_at TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE message_bodies (
      message_id TEXT NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
      format TEXT NOT NULL,
      body TEXT NOT NULL,
      PRIMARY KEY (message_id, format)
    ) STRICT, WITHOUT ROWID
    """,
    # Ends withheld with a reason, or in a message.
    """
    CREATE TABLE dispatches (
      id INTEGER PRIMARY KEY,
      notice_id TEXT NOT NULL REFERENCES notices(id),
      alert_id TEXT NOT NULL,
      action TEXT NOT NULL CHECK (action IN
        ('alert', 'update', 'reminder', 'resolved', 'cancel', 'summary')),
      severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
      receiver TEXT NOT NULL,
      route TEXT NOT NULL DEFAULT '',
      group_key TEXT NOT NULL,
      created_at TEXT NOT NULL,
      due_at TEXT NOT NULL,
      message_id TEXT REFERENCES messages(id),
      position INTEGER,
      withheld_reason TEXT,
      withheld_at TEXT,
      UNIQUE (notice_id, receiver),
      CHECK (message_id IS NULL OR withheld_reason IS NULL)
    ) STRICT
    """,
    """
    CREATE INDEX dispatches_waiting ON dispatches (due_at)
      WHERE message_id IS NULL AND withheld_reason IS NULL
    """,
    "CREATE INDEX dispatches_message ON dispatches (message_id) WHERE message_id IS NOT NULL",
    # Which alerts a dispatch speaks of: its own and, for a summary, those it lists.
    """
    CREATE TABLE dispatch_alerts (
      alert_id TEXT NOT NULL,
      dispatch_id INTEGER NOT NULL REFERENCES dispatches(id) ON DELETE CASCADE,
      PRIMARY KEY (alert_id, dispatch_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX dispatch_alerts_dispatch ON dispatch_alerts (dispatch_id)",
    # Ends sent, dead or expired.
    """
    CREATE TABLE deliveries (
      id INTEGER PRIMARY KEY,
      key TEXT NOT NULL UNIQUE,
      message_id TEXT NOT NULL REFERENCES messages(id),
      receiver TEXT NOT NULL,
      channel TEXT NOT NULL,
      target TEXT NOT NULL,
      format TEXT NOT NULL,
      headers TEXT NOT NULL DEFAULT '{}',
      state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN
        ('pending', 'sending', 'retry', 'sent', 'dead', 'expired')),
      attempts INTEGER NOT NULL DEFAULT 0,
      tries INTEGER NOT NULL DEFAULT 0,
      due_at TEXT NOT NULL,
      lease_until TEXT,
      created_at TEXT NOT NULL,
      finished_at TEXT,
      last_error TEXT NOT NULL DEFAULT '',
      UNIQUE (message_id, channel, target),
      CHECK ((state = 'sending') = (lease_until IS NOT NULL)),
      CHECK ((state IN ('sent', 'dead', 'expired')) = (finished_at IS NOT NULL))
    ) STRICT
    """,
    """
    CREATE INDEX deliveries_unfinished ON deliveries (channel, due_at)
      WHERE state IN ('pending', 'sending', 'retry')
    """,
    "CREATE INDEX deliveries_recipient ON deliveries (channel, target)",
    """
    CREATE TABLE delivery_attempts (
      id INTEGER PRIMARY KEY,
      delivery_id INTEGER NOT NULL REFERENCES deliveries(id) ON DELETE CASCADE,
      started_at TEXT NOT NULL,
      finished_at TEXT NOT NULL,
      outcome TEXT NOT NULL CHECK (outcome IN ('sent', 'refused', 'failed')),
      detail TEXT NOT NULL DEFAULT ''
    ) STRICT
    """,
    "CREATE INDEX delivery_attempts_delivery ON delivery_attempts (delivery_id)",
)


def create_outbox_tables(db: sqlite_utils.Database) -> None:
    """Create the outbox's tables and indexes; `notices` must exist in the same schema."""
    for statement in _TABLES:
        db.execute(statement)
