"""What routing remembers between cycles (schema version 3)."""

from __future__ import annotations

import sqlite_utils


def create_routing_tables(db: sqlite_utils.Database) -> None:
    """Bring the outbox to what waits, mutes, digests and reviews need."""
