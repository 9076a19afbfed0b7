"""What warden remembers of its own health (schema version 4)."""

from __future__ import annotations

import sqlite_utils

_TABLES = (
    # One row for each time that something was not as it should be; `until` NULL while it lasts.
    """
    CREATE TABLE health (
      id INTEGER PRIMARY KEY,
      subject TEXT NOT NULL CHECK (subject IN
        ('source', 'delivery', 'template', 'rules', 'rule', 'actors')),
      name TEXT NOT NULL,
      state TEXT NOT NULL,
      since TEXT NOT NULL,
      until TEXT,
      ending TEXT NOT NULL DEFAULT '',
      detail TEXT NOT NULL DEFAULT '',
      known_through TEXT,
      number INTEGER,
      UNIQUE (subject, name, state, since),
      CHECK ((until IS NULL) = (ending = ''))
    ) STRICT
    """,
    "CREATE UNIQUE INDEX health_open ON health (subject, name) WHERE until IS NULL",
    # Every actor name that events ever had; `seen_at` is empty for those of a first load.
    """
    CREATE TABLE health_actors (
      name TEXT PRIMARY KEY NOT NULL,
      seen_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX health_actors_seen ON health_actors (seen_at)",
)


def create_health_tables(db: sqlite_utils.Database) -> None:
    """Create the tables of warden's own conditions."""
    for statement in _TABLES:
        db.execute(statement)


_WITH_BACKUPS = (
    # SQLite cannot change a CHECK: the table is made anew, with the rows that there are.
    "ALTER TABLE health RENAME TO health_before",
    "DROP INDEX health_open",
    _TABLES[0].replace("'rules', 'rule'", "'rules', 'backup', 'rule'"),
    "INSERT INTO health SELECT * FROM health_before",
    "DROP TABLE health_before",
    _TABLES[1],
)


def admit_backups(db: sqlite_utils.Database) -> None:
    """Let a backup that failed be a condition (schema version 6)."""
    for statement in _WITH_BACKUPS:
        db.execute(statement)
