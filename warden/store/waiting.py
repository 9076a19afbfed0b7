"""What waits in the outbox, and why: holds, groups, digests, releases.

Standing in the flow: `deliver.flush` reads from here what waits, and writes what it decided, all
inside its transactions; operators read every stop of an alert. `outbox` passes these functions on.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from warden.model.delivery import Dispatch, Hold, WithheldReason
from warden.store import people
from warden.store.values import instant_or_none, instant_text, parse_instant, parse_instant_or_none

_FORGET_GROUPS_AFTER = timedelta(days=2)  # longer than any group_interval
_WAITS = "d.message_id IS NULL AND d.withheld_reason IS NULL"


def anything_to_flush(tx: sqlite3.Connection, now: datetime) -> bool:
    """Whether a flush may find something to do: a look before a write."""
    row = tx.execute(f"SELECT EXISTS (SELECT 1 FROM dispatches d WHERE {_WAITS})").fetchone()  # noqa: S608
    return bool(row[0]) or bool(silences_ended(tx, now))


def waiting(tx: sqlite3.Connection) -> list[Dispatch]:
    """Every dispatch that waits, oldest first."""
    rows = tx.execute(
        "SELECT d.id, d.notice_id, d.alert_id, d.action, d.severity, d.receiver, d.route,"  # noqa: S608
        " d.group_key, d.due_at, d.created_at, d.labels, d.closes, d.digest, r.at,"
        " h.reason, h.detail, h.since, h.until"
        " FROM dispatches d LEFT JOIN releases r ON r.dispatch_id = d.id"
        " LEFT JOIN holds h ON h.dispatch_id = d.id AND h.ended_at IS NULL"
        f" WHERE {_WAITS} ORDER BY d.id"
    ).fetchall()
    spoken_of = _alerts_spoken_of(tx) if rows else {}
    replaced = _replaced(tx) if rows else {}
    return [_dispatch(row, spoken_of, replaced) for row in rows]


def _alerts_spoken_of(tx: sqlite3.Connection) -> dict[int, tuple[str, ...]]:
    found: dict[int, list[str]] = {}
    rows = tx.execute(
        "SELECT a.dispatch_id, a.alert_id FROM dispatches d"  # noqa: S608  constants
        f" JOIN dispatch_alerts a ON a.dispatch_id = d.id WHERE {_WAITS} ORDER BY 1, 2"
    )
    for number, alert_id in rows:
        found.setdefault(number, []).append(alert_id)
    return {number: tuple(names) for number, names in found.items()}


def _replaced(tx: sqlite3.Connection) -> dict[int, tuple[str, ...]]:
    """The notices for which a waiting dispatch stands besides its own."""
    found: dict[int, list[str]] = {}
    rows = tx.execute(
        "SELECT o.superseded_by, o.notice_id FROM dispatches d"  # noqa: S608  constants
        f" JOIN dispatches o ON o.superseded_by = d.id WHERE {_WAITS} ORDER BY o.id"
    )
    for number, notice_id in rows:
        found.setdefault(number, []).append(notice_id)
    return {number: tuple(names) for number, names in found.items()}


def _dispatch(
    row: Sequence[Any],
    spoken_of: Mapping[int, tuple[str, ...]],
    replaced: Mapping[int, tuple[str, ...]],
) -> Dispatch:
    hold = None
    if row[14] is not None:
        hold = Hold(row[14], row[15], parse_instant(row[16]), parse_instant_or_none(row[17]))
    return Dispatch(
        id=row[0],
        notice_id=row[1],
        alert_id=row[2],
        action=row[3],
        severity=row[4],
        receiver=row[5],
        route=row[6],
        group_key=row[7],
        due_at=parse_instant(row[8]),
        planned_at=parse_instant(row[9]),
        labels=json.loads(row[10]),
        closes=bool(row[11]) or row[3] in ("resolved", "cancel"),
        digest=bool(row[12]),
        released_at=parse_instant_or_none(row[13]),
        hold=hold,
        alert_ids=spoken_of.get(row[0], (row[2],)),
        replaces=replaced.get(row[0], ()),
    )


def heard(tx: sqlite3.Connection) -> frozenset[tuple[str, str]]:
    """Of the alerts that something waits about: (alert, receiver) who has a message about it."""
    rows = tx.execute(
        "SELECT DISTINCT a.alert_id, o.receiver FROM dispatch_alerts a"  # noqa: S608  constants
        " JOIN dispatches o ON o.id = a.dispatch_id"
        " WHERE o.message_id IS NOT NULL"
        f" AND a.alert_id IN (SELECT d.alert_id FROM dispatches d WHERE {_WAITS})"
    )
    return frozenset((row[0], row[1]) for row in rows)


def ends(tx: sqlite3.Connection) -> dict[str, tuple[datetime, str]]:
    """Of the alerts that something waits about, those that are over: since when, and how."""
    rows = tx.execute(
        "SELECT id, coalesce(ended_at, changed_at), state FROM alerts"  # noqa: S608  constants
        " WHERE state <> 'active'"
        f" AND id IN (SELECT d.alert_id FROM dispatches d WHERE {_WAITS})"
    )
    return {row[0]: (parse_instant(row[1]), row[2]) for row in rows}


def acknowledged(tx: sqlite3.Connection) -> frozenset[str]:
    """Of the alerts that something waits about, those that somebody has taken on."""
    rows = tx.execute(
        "SELECT id FROM alerts WHERE acknowledged_at IS NOT NULL"  # noqa: S608  constants
        f" AND id IN (SELECT d.alert_id FROM dispatches d WHERE {_WAITS})"
    )
    return frozenset(row[0] for row in rows)


def active_alerts(tx: sqlite3.Connection) -> list[dict[str, Any]]:
    """Active alerts that were to be told, with the labels of their rules and whether they were."""
    cursor = tx.execute(
        "SELECT a.id, a.rule_id, a.key, a.severity, a.facts, a.acknowledged_at,"
        " (SELECT n.labels FROM notices n WHERE n.rule_id = a.rule_id"
        "   ORDER BY n.rowid DESC LIMIT 1) AS labels,"
        " EXISTS (SELECT 1 FROM dispatch_alerts x JOIN dispatches d ON d.id = x.dispatch_id"
        "   WHERE x.alert_id = a.id AND d.message_id IS NOT NULL) AS in_message"
        " FROM alerts a WHERE a.state = 'active' AND a.told ORDER BY a.raised_at, a.id"
    )
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor]
    for row in rows:
        row["key"] = tuple((name, value) for name, value in json.loads(row["key"]))
        row["facts"] = json.loads(row["facts"])
        row["labels"] = dict(json.loads(row["labels"] or "[]"))
    return rows


# --- what a flush writes ----------------------------------------------------------------------


def withhold_each(
    tx: sqlite3.Connection,
    reasons: Mapping[int, WithheldReason],
    superseded: Mapping[int, int],
    now: datetime,
) -> None:
    """Record why dispatches will not be sent, and by which others some are stood for."""
    tx.executemany(
        "UPDATE dispatches SET withheld_reason = ?, withheld_at = ?, superseded_by = ?"
        " WHERE id = ? AND message_id IS NULL AND withheld_reason IS NULL",
        [
            (reason, instant_text(now), superseded.get(number), number)
            for number, reason in reasons.items()
        ],
    )
    # What one of these stood for is stood for by its successor.
    tx.executemany(
        "UPDATE dispatches SET superseded_by = ? WHERE superseded_by = ?",
        [(by, number) for number, by in superseded.items()],
    )
    end_holds(tx, reasons, now)


def set_holds(tx: sqlite3.Connection, holds: Mapping[int, Hold | None], now: datetime) -> None:
    """Begin, change or end what dispatches wait for."""
    end_holds(tx, holds, now)
    tx.executemany(
        "INSERT INTO holds (dispatch_id, reason, detail, since, until) VALUES (?, ?, ?, ?, ?)",
        [
            (number, hold.reason, hold.detail, instant_text(now), instant_or_none(hold.until))
            for number, hold in holds.items()
            if hold is not None
        ],
    )


def end_holds(tx: sqlite3.Connection, dispatch_ids: Iterable[int], now: datetime) -> None:
    """Note that dispatches wait no longer for what they waited for."""
    tx.execute(
        "UPDATE holds SET ended_at = ? WHERE ended_at IS NULL"
        " AND dispatch_id IN (SELECT value FROM json_each(?))",
        (instant_text(now), json.dumps(list(dispatch_ids))),
    )


def postpone(tx: sqlite3.Connection, due_at: Mapping[int, datetime]) -> None:
    """Let dispatches wait until a later hour."""
    tx.executemany(
        "UPDATE dispatches SET due_at = ? WHERE id = ?",
        [(instant_text(moment), number) for number, moment in due_at.items()],
    )


def groups_sent(
    tx: sqlite3.Connection, groups: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], datetime]:
    """When these groups last became a message, for those that did."""
    rows = tx.execute(
        "SELECT g.receiver, g.group_key, g.sent_at FROM json_each(?) j JOIN route_groups g"
        " ON g.receiver = j.value ->> 0 AND g.group_key = j.value ->> 1",
        (json.dumps(list(groups)),),
    )
    return {(row[0], row[1]): parse_instant(row[2]) for row in rows}


def mark_groups(tx: sqlite3.Connection, groups: Iterable[tuple[str, str]], now: datetime) -> None:
    """Remember that groups became messages now."""
    groups = list(groups)
    if not groups:
        return
    tx.executemany(
        "INSERT INTO route_groups (receiver, group_key, sent_at) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET sent_at = excluded.sent_at",
        [(receiver, key, instant_text(now)) for receiver, key in groups],
    )
    tx.execute(
        "DELETE FROM route_groups WHERE sent_at < ?", (instant_text(now - _FORGET_GROUPS_AFTER),)
    )


# --- silences that end ------------------------------------------------------------------------


def silences_ended(tx: sqlite3.Connection, now: datetime) -> list[int]:
    """Silences that are over, and of whose end nobody has been told yet."""
    stamp = instant_text(now)
    rows = tx.execute(
        "SELECT s.id FROM silences s LEFT JOIN silence_ends e ON e.silence_id = s.id"
        " WHERE e.silence_id IS NULL AND (s.ends_at <= ?1 OR s.expired_at <= ?1) ORDER BY s.id",
        (stamp,),
    )
    return [row[0] for row in rows]


def mark_silence_ended(tx: sqlite3.Connection, silence_id: int, now: datetime) -> None:
    """Remember that the end of a silence has been looked after."""
    tx.execute(
        "INSERT OR IGNORE INTO silence_ends (silence_id, at) VALUES (?, ?)",
        (silence_id, instant_text(now)),
    )


def told_of(tx: sqlite3.Connection, alert_ids: Iterable[str]) -> dict[str, frozenset[str]]:
    """The receivers who have a message about each alert, and nothing newer that waits."""
    found: dict[str, set[str]] = {}
    for alert_id in alert_ids:
        rows = tx.execute(
            "SELECT DISTINCT d.receiver FROM dispatch_alerts a"
            " JOIN dispatches d ON d.id = a.dispatch_id"
            " WHERE a.alert_id = ?1 AND d.message_id IS NOT NULL AND NOT EXISTS ("
            "   SELECT 1 FROM dispatches w WHERE w.alert_id = ?1 AND w.receiver = d.receiver"
            "   AND w.message_id IS NULL AND w.withheld_reason IS NULL)",
            (alert_id,),
        )
        found[alert_id] = {row[0] for row in rows}
    return {alert_id: frozenset(names) for alert_id, names in found.items()}


# --- for operators ----------------------------------------------------------------------------


def held_counts(tx: sqlite3.Connection) -> dict[str, int]:
    """How many dispatches wait for each reason now."""
    found = dict.fromkeys(("INHIBITED", "MUTED", "SILENCED", "REVIEW"), 0)
    rows = tx.execute("SELECT reason, count(*) FROM holds WHERE ended_at IS NULL GROUP BY reason")
    found.update(rows.fetchall())
    return found


def in_review(tx: sqlite3.Connection, receiver: str | None = None) -> list[dict[str, Any]]:
    """What waits for a person's release, oldest first: one row an alert and receiver."""
    cursor = tx.execute(
        "SELECT max(d.id) AS id, d.receiver, d.alert_id, n.rule_id AS rule, d.severity, n.title,"
        " d.action, min(h.since) AS since, coalesce(a.state, '') AS state, count(*) AS notices"
        " FROM holds h JOIN dispatches d ON d.id = h.dispatch_id"
        " JOIN notices n ON n.id = d.notice_id LEFT JOIN alerts a ON a.id = d.alert_id"
        " WHERE h.reason = 'REVIEW' AND h.ended_at IS NULL AND d.message_id IS NULL"
        " AND d.withheld_reason IS NULL AND (?1 IS NULL OR d.receiver = ?1)"
        " GROUP BY d.receiver, d.alert_id ORDER BY 1",
        (receiver,),
    )
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def release(
    tx: sqlite3.Connection,
    dispatch_ids: Iterable[int] | None,
    now: datetime,
    who: str,
    *,
    receiver: str | None = None,
) -> tuple[int, ...]:
    """Let what waits for review go, with all that waits about the same alert.

    `dispatch_ids` None: all of the receiver's, or of everybody's. Returns the dispatches that
    were not released before.
    """
    rows = tx.execute(
        "SELECT d.id FROM dispatches d JOIN dispatches chosen"
        " ON chosen.alert_id = d.alert_id AND chosen.receiver = d.receiver"
        " JOIN holds h ON h.dispatch_id = chosen.id AND h.ended_at IS NULL"
        "   AND h.reason = 'REVIEW'"
        " WHERE d.message_id IS NULL AND d.withheld_reason IS NULL"
        " AND (?1 IS NULL OR chosen.id IN (SELECT value FROM json_each(?1)))"
        " AND (?2 IS NULL OR chosen.receiver = ?2) GROUP BY d.id ORDER BY d.id",
        (None if dispatch_ids is None else json.dumps(list(dispatch_ids)), receiver),
    ).fetchall()
    return people.release(tx, [row[0] for row in rows], now, who)


def stops_of(tx: sqlite3.Connection, alert_id: str) -> list[dict[str, Any]]:
    """Every stop of an alert's notices on their way, oldest first, for `warden explain`.

    Rows have notice, action, receiver, state (waiting, withheld, or in a message: the least
    finished state of its deliveries), reason, detail, since and until. A hold that is over is a
    row of its own with the state `held`.
    """
    rows = tx.execute(
        "SELECT d.id, d.notice_id, d.action, d.receiver, d.message_id, d.withheld_reason,"
        " d.withheld_at, d.created_at, d.due_at, d.digest, d.superseded_by, n.reason"
        " FROM dispatches d JOIN dispatch_alerts a ON a.dispatch_id = d.id"
        " JOIN notices n ON n.id = d.notice_id WHERE a.alert_id = ? ORDER BY d.id",
        (alert_id,),
    ).fetchall()
    found: list[dict[str, Any]] = []
    for row in rows:
        said = {"dispatch": row[0], "notice": row[1], "action": row[2], "receiver": row[3]}
        holds = _holds_of(tx, row[0])
        found += [{**said, "state": "held", **hold} for hold in holds if hold["ended"]]
        now = [hold for hold in holds if not hold["ended"]]
        found.append({**said, **_state_of(tx, row, now[0] if now else None)})
    for stop in found:
        stop.pop("ended", None)
    return found


def _holds_of(tx: sqlite3.Connection, dispatch_id: int) -> list[dict[str, Any]]:
    rows = tx.execute(
        "SELECT reason, detail, since, coalesce(ended_at, until), ended_at IS NOT NULL FROM holds"
        " WHERE dispatch_id = ? ORDER BY id",
        (dispatch_id,),
    )
    names = ("reason", "detail", "since", "until", "ended")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _state_of(
    tx: sqlite3.Connection, row: Sequence[Any], hold: Mapping[str, Any] | None
) -> dict[str, Any]:
    message_id, reason, withheld_at, created_at, due_at, digest, by = row[4:11]
    if reason is not None:
        detail = f"by dispatch {by}" if by is not None else ""
        return _stop("withheld", reason, detail, withheld_at)
    if message_id is not None:
        state, since = _message_state(tx, message_id)
        return _stop(state, row[11], f"message {message_id}", since)
    if hold is not None:
        return {"state": "waiting", **hold}
    return _stop("waiting", "DIGEST" if digest else "GROUP", "", created_at, due_at)


def _stop(
    state: str, reason: str, detail: str, since: str | None, until: str | None = None
) -> dict[str, Any]:
    return {"state": state, "reason": reason, "detail": detail, "since": since, "until": until}


def _message_state(tx: sqlite3.Connection, message_id: str) -> tuple[str, str]:
    """How far a message has come: its deliveries' least finished state."""
    rows = tx.execute(
        "SELECT state, coalesce(finished_at, created_at) FROM deliveries WHERE message_id = ?",
        (message_id,),
    ).fetchall()
    order = ("sending", "retry", "pending", "dead", "expired", "sent")
    worst = min(rows, key=lambda row: order.index(row[0]), default=("no recipient", ""))
    return str(worst[0]), str(worst[1])
