"""What routing remembers between cycles (schema version 3)."""

from __future__ import annotations

import sqlite_utils

_STATEMENTS = (
    # What matchers see of a dispatch; '{}' in those of schema 1: then the notice is asked.
    "ALTER TABLE dispatches ADD COLUMN labels TEXT NOT NULL DEFAULT '{}'",
    # It says that the alert is over, which only those hear who were told of it.
    "ALTER TABLE dispatches ADD COLUMN closes INTEGER NOT NULL DEFAULT 0 CHECK (closes IN (0, 1))",
    # It waits for the hour of a digest.
    "ALTER TABLE dispatches ADD COLUMN digest INTEGER NOT NULL DEFAULT 0 CHECK (digest IN (0, 1))",
    # The dispatch that stands for this one; this one is withheld then.
    "ALTER TABLE dispatches ADD COLUMN superseded_by INTEGER",
    """
    CREATE INDEX dispatches_superseded ON dispatches (superseded_by)
      WHERE superseded_by IS NOT NULL
    """,
    "ALTER TABLE messages ADD COLUMN digest INTEGER NOT NULL DEFAULT 0 CHECK (digest IN (0, 1))",
    # Why something waited though it was due; the one that is still open has no `ended_at`.
    """
    CREATE TABLE holds (
      id INTEGER PRIMARY KEY,
      dispatch_id INTEGER NOT NULL REFERENCES dispatches(id) ON DELETE CASCADE,
      reason TEXT NOT NULL CHECK (reason IN ('INHIBITED', 'MUTED', 'SILENCED', 'REVIEW')),
      detail TEXT NOT NULL,
      since TEXT NOT NULL,
      until TEXT,
      ended_at TEXT
    ) STRICT
    """,
    "CREATE INDEX holds_dispatch ON holds (dispatch_id)",
    "CREATE UNIQUE INDEX holds_open ON holds (dispatch_id) WHERE ended_at IS NULL",
    # When a group last became a message: the next one waits its `group_interval`.
    """
    CREATE TABLE route_groups (
      receiver TEXT NOT NULL,
      group_key TEXT NOT NULL,
      sent_at TEXT NOT NULL,
      PRIMARY KEY (receiver, group_key)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX route_groups_sent ON route_groups (sent_at)",
    # Silences whose end has been told of.
    """
    CREATE TABLE silence_ends (
      silence_id INTEGER PRIMARY KEY REFERENCES silences(id) ON DELETE CASCADE,
      at TEXT NOT NULL
    ) STRICT
    """,
)


def create_routing_tables(db: sqlite_utils.Database) -> None:
    """Bring the outbox to what waits, mutes, digests and reviews need."""
    for statement in _STATEMENTS:
        db.execute(statement)
