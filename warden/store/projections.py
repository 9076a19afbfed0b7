"""Kept projections: written in the transaction of the evaluation that made them.

Standing in the flow: `evaluate` keeps what a rule projects at each month's end, and scores it when
the period is over; `warden series RULE --kept` and `warden status` read it. Nothing that decides
does.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from warden.model.foresight import Foreseen
from warden.model.signal import Key
from warden.store.values import instant_text

_COLUMNS = (
    "rule_id", "rule_version", "key", "period", "first_day", "last_day", "on_day", "measure",
    "method", "so_far", "projected", "low", "high", "observed",
)  # fmt: skip


def keep_projections(tx: sqlite3.Connection, foreseen: Iterable[Foreseen], now: datetime) -> None:
    """Keep new projections; of those kept already only the score moves."""
    marks = ", ".join("?" * (len(_COLUMNS) + 2))
    at = instant_text(now)
    tx.executemany(
        f"INSERT INTO projections ({', '.join(_COLUMNS)}, made_at, scored_at)"  # noqa: S608 - ours
        f" VALUES ({marks}) ON CONFLICT (rule_id, rule_version, key, period, on_day) DO UPDATE"
        " SET observed = excluded.observed, scored_at = excluded.scored_at",
        [(*_row(one), at, None if one.observed is None else at) for one in foreseen],
    )


def load_projections(
    connection: sqlite3.Connection, rule_id: str, rule_version: str | None = None
) -> tuple[Foreseen, ...]:
    """What was kept for a rule (or one version of it), by period, key and day."""
    rows = connection.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM projections"  # noqa: S608 - our own columns
        " WHERE rule_id = ?1 AND (?2 IS NULL OR rule_version = ?2)"
        " ORDER BY first_day, key, on_day, id",
        (rule_id, rule_version),
    )
    return tuple(_foreseen(dict(zip(_COLUMNS, row, strict=True))) for row in rows)


def coverage(connection: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """For each rule how many projections are kept, scored, and came to lie in their interval."""
    rows = connection.execute(
        "SELECT rule_id, count(*), count(observed),"
        " count(*) FILTER (WHERE observed BETWEEN low AND high)"
        " FROM projections GROUP BY rule_id ORDER BY rule_id"
    )
    return {
        rule_id: {"kept": kept, "scored": scored, "inside": inside}
        for rule_id, kept, scored, inside in rows
    }


def _row(one: Foreseen) -> tuple[Any, ...]:
    return (
        one.rule_id, one.rule_version, _key_text(one.key), one.period, one.first_day.isoformat(),
        one.last_day.isoformat(), one.on_day.isoformat(), one.measure, one.method, one.so_far,
        one.projected, one.low, one.high, one.observed,
    )  # fmt: skip


def _key_text(key: Key) -> str:
    return json.dumps(key, ensure_ascii=False, separators=(",", ":"))


def _foreseen(row: dict[str, Any]) -> Foreseen:
    days = {name: date.fromisoformat(row[name]) for name in ("first_day", "last_day", "on_day")}
    key: Key = tuple((name, value) for name, value in json.loads(row["key"]))
    return Foreseen(**{**row, **days, "key": key})
