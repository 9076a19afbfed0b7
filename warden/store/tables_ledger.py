"""The ledger's tables: alerts, their history, notices (schema version 1)."""

from __future__ import annotations

import sqlite_utils


def create_ledger_tables(db: sqlite_utils.Database) -> None:
    """Create the ledger's tables and indexes."""
