"""Plain rows for `warden alerts`, `deliveries`, `sources`, `actors` and `status`; read only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from warden.store.values import instant_text


def alert_rows(
    connection: sqlite3.Connection,
    *,
    rule: str | None,
    state: str | None,
    told: bool,
    limit: int,
) -> list[dict[str, Any]]:
    """Alerts, those last changed first; `told`: only those that were to be told.

    `title`: their rule's as it was last told; the rule's id where nothing ever was.
    """
    titles = _titles(connection)
    rows = _select(
        connection,
        "SELECT id, rule_id AS rule, key, state, state_reason, severity, first_day, last_day,"
        " since, until, value, told, silence_reason, raised_at, told_at, ended_at,"
        " acknowledged_at, iif(acknowledged_at IS NULL, NULL, (SELECT who FROM acknowledgements k"
        "   WHERE k.alert_id = alerts.id ORDER BY k.id DESC LIMIT 1)) AS acknowledged_by,"
        " (SELECT verdict FROM verdicts v WHERE v.alert_id = alerts.id"
        "   ORDER BY v.id DESC LIMIT 1) AS verdict, facts,"
        " (SELECT json_group_array(uid) FROM (SELECT uid FROM alert_evidence e"
        "   WHERE e.alert_id = alerts.id AND held ORDER BY position)) AS evidence"
        " FROM alerts WHERE (?1 IS NULL OR rule_id = ?1) AND (?2 IS NULL OR state = ?2)"
        " AND (told OR NOT ?3) ORDER BY changed_at DESC, last_day DESC, id LIMIT ?4",
        (rule, state, int(told), limit),
    )
    for row in rows:
        facts = json.loads(row.pop("facts"))
        row["key"] = dict(json.loads(row["key"]))
        row["told"] = bool(row["told"])
        row["evidence"] = json.loads(row["evidence"])
        row["event_ids"] = [uid.partition(":")[2] for uid in row["evidence"]]
        row["title"] = titles.get(row["rule"]) or row["rule"]
        row["headline"] = headline(facts)
    return rows


def _titles(connection: sqlite3.Connection) -> dict[str, str]:
    """The title of every rule of which something was told, by its id: the newest."""
    cursor = connection.execute(  # of each group SQLite takes the row that holds the maximum
        "SELECT rule_id, title, max(at) FROM notices WHERE NOT exercise GROUP BY rule_id"
    )
    return {rule: title for rule, title, _ in cursor}


def headline(facts: dict[str, Any]) -> str:
    """One line that tells alerts of one rule apart: where, when, how many dead."""
    events = facts.get("events") or [{}]
    where = events[0].get("location", "")
    if len(events) > 1 or facts.get("event_count", 1) > 1:
        where = f"{facts.get('event_count', len(events))} events, newest at {where}"
    dead = facts.get("fatalities")
    parts = [where, f"{dead} dead" if dead else ""]
    return ", ".join(part for part in parts if part)


def delivery_rows(
    connection: sqlite3.Connection,
    *,
    state: str | None = None,
    ids: Sequence[int] | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Deliveries with their messages' subjects, newest first."""
    return _select(
        connection,
        "SELECT d.id, d.key, d.state, d.receiver, d.channel, d.target, d.format, d.attempts,"
        " d.due_at, d.created_at, d.finished_at, d.last_error, d.message_id, m.subject, m.severity,"
        " m.fallback, m.exercise FROM deliveries d JOIN messages m ON m.id = d.message_id"
        " WHERE (?1 IS NULL OR d.state = ?1)"
        " AND (?2 IS NULL OR d.id IN (SELECT value FROM json_each(?2)))"
        " ORDER BY d.id DESC LIMIT ?3",
        (state, None if ids is None else json.dumps(list(ids)), limit),
    )


def delivery_counts(
    connection: sqlite3.Connection, since: datetime | None = None
) -> dict[str, int]:
    """How many are sent (since then), pending (all that are not finished) and dead."""
    moment = None if since is None else instant_text(since)
    row = connection.execute(
        "SELECT coalesce(sum(state = 'sent' AND (?1 IS NULL OR finished_at >= ?1)), 0),"
        " coalesce(sum(state IN ('pending', 'sending', 'retry')), 0),"
        " coalesce(sum(state = 'dead' AND (?1 IS NULL OR finished_at >= ?1)), 0) FROM deliveries",
        (moment,),
    ).fetchone()
    return dict(zip(("sent", "pending", "dead"), map(int, row), strict=True))


def failed_since(connection: sqlite3.Connection, since: datetime) -> int:
    """How many attempts to deliver failed since then."""
    row = connection.execute(
        "SELECT count(*) FROM delivery_attempts WHERE finished_at >= ? AND outcome <> 'sent'",
        (instant_text(since),),
    ).fetchone()
    return int(row[0])


def alert_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How many alerts are active, how many of them were told, and how many taken on."""
    row = connection.execute(
        "SELECT count(*), coalesce(sum(state = 'active'), 0),"
        " coalesce(sum(state = 'active' AND told), 0),"
        " coalesce(sum(state = 'active' AND acknowledged_at IS NOT NULL), 0) FROM alerts"
    ).fetchone()
    names = ("all", "active", "active_and_told", "acknowledged")
    return dict(zip(names, map(int, row), strict=True))


def source_rows(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """What is known of every source that was ever polled, with what its last poll brought."""
    return _select(
        connection,
        "SELECT s.source AS name, s.kind, s.state, s.sentence, s.since, s.complete_through,"
        " s.no_data_since, s.last_poll_at, s.last_ok_at, s.last_change_at, s.failures,"
        " (SELECT count(*) FROM events e WHERE e.source = s.source AND e.status = 'active')"
        "   AS events,"
        " (SELECT coalesce(sum(times), 0) FROM rejects r WHERE r.source = s.source) AS rejects"
        " FROM source_state s ORDER BY s.source",
        (),
    )


def actor_rows(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every actor name of the active events: how many events, first and last day, countries."""
    return _select(
        connection,
        "SELECT j.value ->> 0 AS name, count(DISTINCT e.uid) AS events,"
        " min(e.event_date) AS first_day, max(e.event_date) AS last_day,"
        " group_concat(DISTINCT e.iso3) AS countries"
        " FROM events e, json_each(e.actors) j WHERE e.status = 'active'"
        " GROUP BY 1 ORDER BY events DESC, name",
        (),
    )


def event_counts(connection: sqlite3.Connection) -> dict[str, Any]:
    """How many events, and over which days."""
    return _select(
        connection,
        "SELECT count(*) AS events, min(event_date) AS first_day, max(event_date) AS last_day"
        " FROM events WHERE status = 'active'",
        (),
    )[0]


def _select(
    connection: sqlite3.Connection, sql: str, values: Sequence[Any]
) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]
