"""Which active events a full walk claims to cover, and which of them it did not serve."""

from __future__ import annotations

import sqlite3
from typing import Any

from warden.sources.protocol import Coverage
from warden.store.rows import json_list

_WHERE = """
FROM events WHERE dataset = :dataset AND status = 'active'
  AND (:first IS NULL OR event_date >= :first)
  AND (:last IS NULL OR event_date <= :last)
  AND (:countries IS NULL OR iso3 IN (SELECT value FROM json_each(:countries)))
"""


def missing_from(connection: sqlite3.Connection, coverage: Coverage) -> tuple[str, ...]:
    """Source ids of the covered active events that the walk did not serve, sorted."""
    cursor = connection.execute(f"SELECT source_id {_WHERE}", _values(coverage))
    return tuple(sorted(source_id for (source_id,) in cursor if source_id not in coverage.seen))


def active_in(connection: sqlite3.Connection, coverage: Coverage) -> int:
    """How many active events it covers."""
    found = connection.execute(f"SELECT count(*) {_WHERE}", _values(coverage))
    return int(found.fetchone()[0])


def _values(coverage: Coverage) -> dict[str, Any]:
    first, last = coverage.first_day, coverage.last_day
    countries = None if coverage.countries is None else json_list(sorted(coverage.countries))
    return {
        "dataset": coverage.dataset,
        "first": None if first is None else first.isoformat(),
        "last": None if last is None else last.isoformat(),
        "countries": countries,
    }
