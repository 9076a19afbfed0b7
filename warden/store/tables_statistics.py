"""Calibrations and kept projections (schema version 5)."""

from __future__ import annotations

import sqlite_utils


def create_statistics_tables(db: sqlite_utils.Database) -> None:
    """Create the tables of what statistical rules keep between cycles."""
