"""The table of what operators did (schema version 1)."""

from __future__ import annotations

import sqlite_utils


def create_action_tables(db: sqlite_utils.Database) -> None:
    """Create it: who asked for what, when, and how it ended."""
    columns: dict[str, type] = {
        "id": int,
        "at": str,
        "who": str,
        "command": str,
        "arguments": str,  # a JSON object, without contents of files
        "outcome": str,  # "ok", or the refusal's sentence
    }
    table = db.table("actions").create(columns, pk="id", not_null=set(columns), strict=True)
    table.create_index(["at"])
