"""Every stop of an alert on its way, read back for `warden explain`.

Rows have `stop`, `at`, `verdict` (what was done) and `reason`.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from warden.store import outbox

Rows = list[dict[str, Any]]
_NOT_SENT = frozenset({"waiting", "held", "withheld"})


def decisions(connection: sqlite3.Connection, alert_id: str) -> Rows:
    """What was decided about it, with what had changed."""
    rows = _select(
        connection,
        "SELECT 'decision' AS stop, at, name AS verdict, reason, state, severity, changes"
        " FROM decisions WHERE alert_id = ? ORDER BY id",
        alert_id,
    )
    for row in rows:
        row["changes"] = json.loads(row["changes"])
        if any(name == "reporting_change" and now for name, _, now in row["changes"]):
            row["note"] = "a change in reporting is likely: one severity less"
    return rows


def notices(connection: sqlite3.Connection, alert_id: str) -> Rows:
    """What was to be said of it, by itself or in a summary."""
    return _select(
        connection,
        "SELECT 'notice' AS stop, at, action AS verdict, reason, severity, id AS notice_id"
        " FROM notices WHERE alert_id = ?1 OR (action = 'summary' AND EXISTS (SELECT 1 FROM"
        "   json_each(items) i WHERE i.value ->> 'alert_id' = ?1)) ORDER BY at, rowid",
        alert_id,
    )


def dispatches(connection: sqlite3.Connection, alert_id: str) -> Rows:
    """Who was to hear of it, and why somebody did not, has not yet, or had to wait."""
    in_messages = _select(
        connection,
        "SELECT 'dispatch' AS stop, d.created_at AS at, 'in a message' AS verdict,"
        " 'route ' || coalesce(nullif(d.route, ''), 'root') AS reason,"
        " d.receiver, d.action, d.due_at, d.message_id, d.notice_id"
        " FROM dispatches d JOIN dispatch_alerts a ON a.dispatch_id = d.id"
        " WHERE a.alert_id = ? AND d.message_id IS NOT NULL ORDER BY d.id",
        alert_id,
    )
    rest = [one for one in outbox.stops_of(connection, alert_id) if one["state"] in _NOT_SENT]
    return [*in_messages, *map(_stopped, rest)]


def _stopped(found: dict[str, Any]) -> dict[str, Any]:
    until = f"until {found['until'][:16].replace('T', ' ')} UTC" if found["until"] else ""
    return {
        "stop": "dispatch",
        "at": found["since"],
        "verdict": found["state"],
        "reason": " ".join(filter(None, (found["reason"], found["detail"], until))),
        "receiver": found["receiver"],
        "action": found["action"],
        "due_at": found["until"],
        "message_id": None,
        "notice_id": found["notice"],
    }


def unrouted(connection: sqlite3.Connection, alert_id: str) -> Rows:
    """Notices that no receiver was named for: there were no routes then."""
    return _select(
        connection,
        "SELECT 'dispatch' AS stop, n.at, 'withheld' AS verdict, 'NO_ROUTE' AS reason,"
        " n.action, n.id AS notice_id FROM notices n WHERE n.alert_id = ? AND NOT EXISTS"
        " (SELECT 1 FROM dispatches d WHERE d.notice_id = n.id) ORDER BY n.at, n.rowid",
        alert_id,
    )


def releases(connection: sqlite3.Connection, alert_id: str) -> Rows:
    """Who let messages about it go that waited for a person's word."""
    return _select(
        connection,
        "SELECT 'release' AS stop, r.at, 'released' AS verdict, 'by ' || r.who AS reason, r.who,"
        " d.receiver, d.notice_id FROM releases r JOIN dispatches d ON d.id = r.dispatch_id"
        " JOIN dispatch_alerts a ON a.dispatch_id = d.id WHERE a.alert_id = ? ORDER BY r.at, d.id",
        alert_id,
    )


def acknowledgements(connection: sqlite3.Connection, alert_id: str) -> Rows:
    """Who took it on, and when."""
    return _select(
        connection,
        "SELECT 'acknowledgement' AS stop, at, 'acknowledged' AS verdict,"
        " 'by ' || who || iif(note = '', '', ': ' || note) AS reason, who, note, severity"
        " FROM acknowledgements WHERE alert_id = ? ORDER BY id",
        alert_id,
    )


def verdicts(connection: sqlite3.Connection, alert_id: str) -> Rows:
    """Who judged it, and how."""
    return _select(
        connection,
        "SELECT 'verdict' AS stop, at, verdict, 'by ' || who || iif(note = '', '', ': ' || note)"
        " AS reason, who, note FROM verdicts WHERE alert_id = ? ORDER BY id",
        alert_id,
    )


def deliveries(connection: sqlite3.Connection, alert_id: str) -> Rows:
    """What became of the messages that speak of it."""
    return _select(
        connection,
        "SELECT DISTINCT 'delivery' AS stop, coalesce(v.finished_at, v.created_at) AS at,"
        " v.state AS verdict, coalesce(nullif(v.last_error, ''),"
        "   v.attempts || iif(v.attempts = 1, ' try', ' tries')) AS reason, v.receiver, v.channel,"
        " v.target, v.attempts,"
        " v.message_id, v.id AS delivery_id"
        " FROM deliveries v JOIN dispatches d ON d.message_id = v.message_id"
        " JOIN dispatch_alerts a ON a.dispatch_id = d.id WHERE a.alert_id = ? ORDER BY v.id",
        alert_id,
    )


def _select(connection: sqlite3.Connection, sql: str, alert_id: str) -> Rows:
    cursor = connection.execute(sql, (alert_id,))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]
