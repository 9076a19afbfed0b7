"""What warden remembers of its own health (schema version 4)."""

from __future__ import annotations

import sqlite_utils


def create_health_tables(db: sqlite_utils.Database) -> None:
    """Create the tables of warden's own conditions."""
