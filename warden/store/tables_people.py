"""What people say back: silences, verdicts, releases (schema version 2)."""

from __future__ import annotations

import sqlite_utils


def create_people_tables(db: sqlite_utils.Database) -> None:
    """Create the tables of what operators and recipients say about alerts."""
