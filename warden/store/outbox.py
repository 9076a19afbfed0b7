"""Reading and writing the outbox. Every function works inside the caller's transaction.

Standing in the flow: `evaluate` adds dispatches, `deliver` turns them into messages and
deliveries, claims what is due and records how each try ended.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from warden.model.delivery import (
    Attempt,
    Delivery,
    Dispatch,
    Message,
    Outgoing,
    WithheldReason,
)
from warden.store.values import (
    instant_text,
    parse_instant,
    parse_instant_or_none,
)
from warden.store.waiting import (
    acknowledged,
    active_alerts,
    anything_to_flush,
    end_holds,
    ends,
    groups_sent,
    heard,
    held_counts,
    in_review,
    mark_groups,
    mark_silence_ended,
    postpone,
    release,
    set_holds,
    silences_ended,
    stops_of,
    told_of,
    waiting,
    withhold_each,
)

# What waits, and why, has a module of its own; to callers it is one outbox.
__all__ = [
    "Settled", "acknowledged", "active_alerts", "add_deliveries", "add_dispatches",
    "add_message", "add_messages", "anything_to_flush", "claim", "counts", "drop_unattempted",
    "due_deliveries", "ends", "expire", "give_back", "groups_sent", "heard", "held_counts",
    "in_review", "list_deliveries", "mark_groups", "mark_silence_ended", "next_due", "postpone",
    "recover", "release", "retry", "set_holds", "settle", "silences_ended", "stops_of", "told",
    "told_of", "unfinished", "wait_again", "waiting", "was_tried_between", "withhold",
    "withhold_each",
]  # fmt: skip

_CHUNK = 500
_UNFINISHED = "('pending', 'sending', 'retry')"
_MAX_DETAIL = 500


# --- dispatches -------------------------------------------------------------------------------


def add_dispatches(tx: sqlite3.Connection, dispatches: Iterable[Dispatch]) -> int:
    """Store planned dispatches; one that is there already (same notice, receiver) stays."""
    planned = {(one.notice_id, one.receiver): one for one in dispatches}
    if not planned:
        return 0
    stored = tx.execute(
        "INSERT INTO dispatches (notice_id, alert_id, action, severity, receiver, route,"  # noqa: S608  only positions
        " group_key, created_at, due_at, withheld_reason, withheld_at, labels, closes, digest)"
        f" SELECT {_cells(14)} FROM json_each(?) WHERE true"
        " ON CONFLICT (notice_id, receiver) DO NOTHING RETURNING id, notice_id, receiver",
        (_rows(_dispatch_cells(one) for one in planned.values()),),
    ).fetchall()
    tx.executemany(
        "INSERT OR IGNORE INTO dispatch_alerts (alert_id, dispatch_id) VALUES (?, ?)",
        [
            (alert_id, number)
            for number, notice_id, receiver in stored
            for one in (planned[notice_id, receiver],)
            for alert_id in one.alert_ids or (one.alert_id,)
        ],
    )
    return len(stored)


def wait_again(tx: sqlite3.Connection, dispatches: Iterable[Dispatch]) -> None:
    """Let dispatches that were withheld for their receiver was removed wait as planned now."""
    tx.executemany(
        "UPDATE dispatches SET withheld_reason = NULL, withheld_at = NULL, due_at = ?, route = ?,"
        " group_key = ?, digest = ? WHERE notice_id = ? AND receiver = ?"
        " AND withheld_reason = 'RECEIVER_REMOVED'",
        [
            (instant_text(one.due_at), one.route, one.group_key, int(one.digest), one.notice_id,
             one.receiver)
            for one in dispatches
            if one.withheld is None
        ],
    )  # fmt: skip


def _dispatch_cells(dispatch: Dispatch) -> tuple[Any, ...]:
    planned_at = instant_text(dispatch.planned_at or dispatch.due_at)
    return (
        dispatch.notice_id, dispatch.alert_id, dispatch.action, dispatch.severity,
        dispatch.receiver, dispatch.route, dispatch.group_key, planned_at,
        instant_text(dispatch.due_at), dispatch.withheld,
        None if dispatch.withheld is None else planned_at,
        json.dumps(dict(dispatch.labels), ensure_ascii=False), int(dispatch.closes),
        int(dispatch.digest),
    )  # fmt: skip


def told(tx: sqlite3.Connection, alert_ids: Iterable[str]) -> dict[str, frozenset[str]]:
    """For each alert, the receivers who were told of it or are about to be."""
    found: dict[str, set[str]] = {}
    for some in _chunks(list(dict.fromkeys(alert_ids))):
        rows = tx.execute(
            "SELECT a.alert_id, d.receiver FROM dispatch_alerts a"  # noqa: S608  only marks
            f" JOIN dispatches d ON d.id = a.dispatch_id WHERE a.alert_id IN ({_marks(some)})"
            " AND d.withheld_reason IS NULL",
            some,
        )
        for alert_id, receiver in rows:
            found.setdefault(alert_id, set()).add(receiver)
    return {alert_id: frozenset(receivers) for alert_id, receivers in found.items()}


def withhold(
    tx: sqlite3.Connection, dispatch_ids: Iterable[int], reason: WithheldReason, now: datetime
) -> None:
    """Record why these dispatches will not be sent."""
    withhold_each(tx, dict.fromkeys(dispatch_ids, reason), {}, now)


def drop_unattempted(tx: sqlite3.Connection, cancel: Dispatch, now: datetime) -> bool:
    """Take back what nobody has been offered yet of the alert that `cancel` withdraws.

    Dispatches still waiting are withheld; a message none of whose deliveries was ever tried is
    dissolved, and what else it carried waits again. Returns whether the receiver may have heard
    of the alert all the same, so that the cancel has to follow.
    """
    same = (cancel.alert_id, cancel.receiver, cancel.id)
    messages = [
        row[0]
        for row in tx.execute(
            "SELECT DISTINCT d.message_id FROM dispatches d WHERE d.alert_id = ? AND d.receiver = ?"
            " AND d.id < ? AND d.message_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM deliveries x"
            "   WHERE x.message_id = d.message_id AND (x.attempts > 0 OR x.state <> 'pending'))",
            same,
        )
    ]
    for message_id in messages:
        _dissolve(tx, message_id)
    waiting = tx.execute(
        "SELECT id FROM dispatches WHERE alert_id = ? AND receiver = ? AND id < ?"
        " AND message_id IS NULL AND withheld_reason IS NULL",
        same,
    ).fetchall()
    withhold(tx, [row[0] for row in waiting], "SUPERSEDED", now)
    left = tx.execute(
        "SELECT 1 FROM dispatch_alerts a JOIN dispatches d ON d.id = a.dispatch_id"
        " WHERE a.alert_id = ? AND d.receiver = ? AND d.id < ? AND d.withheld_reason IS NULL"
        " LIMIT 1",
        same,
    ).fetchone()
    return left is not None


def _dissolve(tx: sqlite3.Connection, message_id: str) -> None:
    tx.execute(  # what remains need not wait for an interval after a message that never was
        "DELETE FROM route_groups WHERE (receiver, group_key) IN"
        " (SELECT receiver, group_key FROM dispatches WHERE message_id = ?)",
        (message_id,),
    )
    tx.execute(
        "UPDATE dispatches SET message_id = NULL, position = NULL WHERE message_id = ?",
        (message_id,),
    )
    tx.execute("DELETE FROM deliveries WHERE message_id = ?", (message_id,))
    tx.execute("DELETE FROM messages WHERE id = ?", (message_id,))


# --- messages ---------------------------------------------------------------------------------


def add_message(tx: sqlite3.Connection, message: Message, deliveries: Iterable[Delivery]) -> bool:
    """Store one message; see `add_messages`."""
    return bool(add_messages(tx, [(message, tuple(deliveries))]))


def add_messages(
    tx: sqlite3.Connection, made: Sequence[tuple[Message, Sequence[Delivery]]]
) -> frozenset[str]:
    """Store rendered messages with a delivery for each recipient; both before any is sent.

    A message is left out when one of its dispatches no longer waits: another flush took it, or it
    was withdrawn, while the message was rendered. Returns the ids of those that were stored. A
    statement takes all rows at once: other threads work on while SQLite does.
    """
    kept = _still_waiting(tx, made)
    messages = [message for message, _ in kept]
    tx.execute(
        "INSERT INTO messages (id, receiver, subject, severity, fallback, exercise, digest,"  # noqa: S608  only positions
        f" created_at) SELECT {_cells(8)} FROM json_each(?)",
        (_rows(_message_cells(message) for message in messages),),
    )
    tx.executemany(  # not as JSON: bodies are large
        "INSERT INTO message_bodies (message_id, format, body) VALUES (?, ?, ?)",
        [(message.id, name, body) for message in messages for name, body in message.bodies.items()],
    )
    tx.execute(
        "UPDATE dispatches SET message_id = j.value ->> 0, position = j.value ->> 1"
        " FROM json_each(?) AS j WHERE dispatches.id = j.value ->> 2",
        (
            _rows(
                (message.id, place, number)
                for message in messages
                for place, number in enumerate(message.dispatch_ids)
            ),
        ),
    )
    for moment in {message.created_at for message in messages}:
        own = [one.dispatch_ids for one in messages if one.created_at == moment]
        end_holds(tx, [number for numbers in own for number in numbers], moment)
    _insert_deliveries(
        tx, (_delivery_cells(one, message.created_at) for message, own in kept for one in own)
    )
    return frozenset(message.id for message in messages)


def add_deliveries(tx: sqlite3.Connection, deliveries: Iterable[Delivery], now: datetime) -> None:
    """More deliveries of messages that are stored; due at once."""
    _insert_deliveries(tx, (_delivery_cells(one, now) for one in deliveries))


def _insert_deliveries(tx: sqlite3.Connection, cells: Iterable[tuple[Any, ...]]) -> None:
    tx.execute(
        "INSERT INTO deliveries (key, message_id, receiver, channel, target, format, headers,"  # noqa: S608
        f" due_at, created_at) SELECT {_cells(9)} FROM json_each(?)",
        (_rows(cells),),
    )


def _still_waiting(
    tx: sqlite3.Connection, made: Sequence[tuple[Message, Sequence[Delivery]]]
) -> list[tuple[Message, Sequence[Delivery]]]:
    """Those of which every dispatch waits; none for two of them."""
    asked = [number for message, _ in made for number in message.dispatch_ids]
    rows = tx.execute(
        "SELECT id FROM dispatches WHERE id IN (SELECT value FROM json_each(?))"
        " AND message_id IS NULL AND withheld_reason IS NULL",
        (json.dumps(asked),),
    )
    free = {row[0] for row in rows}
    kept = []
    for message, deliveries in made:
        if free.issuperset(message.dispatch_ids):
            free.difference_update(message.dispatch_ids)
            kept.append((message, deliveries))
    return kept


def _message_cells(message: Message) -> tuple[Any, ...]:
    return (
        message.id, message.receiver, message.subject, message.severity, message.fallback,
        int(message.exercise), int(message.digest), instant_text(message.created_at),
    )  # fmt: skip


def _delivery_cells(delivery: Delivery, created_at: datetime) -> tuple[Any, ...]:
    stamp = instant_text(created_at)
    headers = json.dumps(dict(delivery.headers), ensure_ascii=False)
    return (
        delivery.key, delivery.message_id, delivery.receiver, delivery.channel, delivery.target,
        delivery.format, headers, stamp, stamp,
    )  # fmt: skip


# --- deliveries -------------------------------------------------------------------------------
# What is made due goes back to an earlier hour or stays: a clock that is ahead puts nothing off.

_COLUMNS = (
    "x.id, x.key, x.message_id, x.receiver, x.channel, x.target, x.format, x.headers, x.state,"
    " x.attempts, x.tries, x.due_at, x.created_at, x.finished_at, x.last_error"
)

# An earlier unfinished delivery to the same recipient about one of the same alerts goes first.
_NONE_BEFORE = (
    "NOT EXISTS (SELECT 1 FROM dispatches mine"  # noqa: S608  constants
    " JOIN dispatch_alerts a ON a.dispatch_id = mine.id"
    " JOIN dispatch_alerts b ON b.alert_id = a.alert_id"
    " JOIN dispatches theirs ON theirs.id = b.dispatch_id"
    " JOIN deliveries e ON e.message_id = theirs.message_id"
    " WHERE mine.message_id = x.message_id AND e.id < x.id AND e.channel = x.channel"
    f" AND e.target = x.target AND e.state IN {_UNFINISHED})"
)


def recover(tx: sqlite3.Connection, now: datetime) -> int:
    """Make due again what a process that is gone had under way; returns how many."""
    return tx.execute(
        "UPDATE deliveries SET state = 'retry', lease_until = NULL, due_at = min(due_at, ?)"
        " WHERE state = 'sending'",
        (instant_text(now),),
    ).rowcount


def due_deliveries(
    tx: sqlite3.Connection,
    channel: str,
    now: datetime,
    limit: int,
    *,
    per_target: int = 50,
    but: Iterable[str] = (),
) -> list[Delivery]:
    """What may be tried now through the channel, in the order it was made.

    At most `per_target` to one target, so that a recipient who is away for days hides nobody else;
    nothing to the targets in `but`. What is under way under a lease that has run out is due again.
    """
    stamp = instant_text(now)
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM (SELECT y.*,"  # noqa: S608  constants
        " row_number() OVER (PARTITION BY y.target ORDER BY y.id) AS place"
        " FROM deliveries y WHERE y.channel = ?"
        "   AND y.target NOT IN (SELECT value FROM json_each(?))"
        "   AND ((y.state IN ('pending', 'retry') AND y.due_at <= ?)"
        "     OR (y.state = 'sending' AND y.lease_until <= ?))) x"
        f" WHERE x.place <= ? AND {_NONE_BEFORE} ORDER BY x.id LIMIT ?",
        (channel, json.dumps(sorted(but)), stamp, stamp, per_target, limit),
    ).fetchall()
    return [_delivery(row) for row in rows]


def claim(
    tx: sqlite3.Connection, deliveries: Sequence[Delivery], now: datetime, lease_s: float
) -> list[Outgoing]:
    """Put the deliveries under a lease, count the try, and return what is to be sent.

    What is not due any more, or not yet in turn, is left out: they may have been read a while ago.
    """
    stamp, until = instant_text(now), instant_text(now + timedelta(seconds=lease_s))
    rows = tx.execute(
        "SELECT x.id FROM deliveries x"  # noqa: S608  constants
        " WHERE x.id IN (SELECT value FROM json_each(?))"
        " AND ((x.state IN ('pending', 'retry') AND x.due_at <= ?)"
        "   OR (x.state = 'sending' AND x.lease_until <= ?))"
        f" AND {_NONE_BEFORE}",
        (json.dumps([one.id for one in deliveries]), stamp, stamp),
    )
    free = {row[0] for row in rows}
    claimed = [one for one in deliveries if one.id in free]
    tx.execute(
        "UPDATE deliveries SET state = 'sending', lease_until = ?, attempts = attempts + 1,"
        " tries = tries + 1 WHERE id IN (SELECT value FROM json_each(?))",
        (until, json.dumps([one.id for one in claimed])),
    )
    return _outgoing(tx, claimed)


def give_back(tx: sqlite3.Connection, delivery_ids: Iterable[int], now: datetime) -> None:
    """Make due again what was claimed and not tried; the try is not counted."""
    tx.executemany(
        "UPDATE deliveries SET state = CASE WHEN attempts > 1 THEN 'retry' ELSE 'pending' END,"
        " lease_until = NULL, due_at = min(due_at, ?), attempts = attempts - 1,"
        " tries = max(tries - 1, 0)"
        " WHERE id = ? AND state = 'sending'",
        [(instant_text(now), number) for number in delivery_ids],
    )


def _outgoing(tx: sqlite3.Connection, deliveries: Sequence[Delivery]) -> list[Outgoing]:
    """All that is needed to send them, in their order."""
    found = {
        row[0]: row[1:]
        for row in tx.execute(
            "SELECT x.id, m.subject, m.severity, m.created_at, m.exercise, b.body"
            " FROM deliveries x JOIN messages m ON m.id = x.message_id"
            " JOIN message_bodies b ON b.message_id = m.id AND b.format = x.format"
            " WHERE x.id IN (SELECT value FROM json_each(?))",
            (json.dumps([one.id for one in deliveries]),),
        )
    }
    alerts: dict[str, dict[str, None]] = {}
    for message_id, alert_id in tx.execute(
        "SELECT message_id, alert_id FROM dispatches"
        " WHERE message_id IN (SELECT value FROM json_each(?)) ORDER BY message_id, position",
        (json.dumps([one.message_id for one in deliveries]),),
    ):
        alerts.setdefault(message_id, {})[alert_id] = None
    return [
        Outgoing(
            delivery=one,
            body=body,
            subject=subject,
            severity=severity,
            alert_ids=tuple(alerts.get(one.message_id, ())),
            created_at=parse_instant(created_at),
            exercise=bool(exercise),
        )
        for one in deliveries
        for subject, severity, created_at, exercise, body in [found[one.id]]
    ]


@dataclass(frozen=True, slots=True)
class Settled:
    """What a finished try means for its delivery: the new state, and when to try again."""

    attempt: Attempt
    state: str
    due_at: datetime | None = None


def settle(tx: sqlite3.Connection, results: Iterable[Settled]) -> None:
    """Record tries that have ended; no delivery has two of them under way."""
    cells = _rows(_settled_cells(result) for result in results)
    tx.execute(
        "UPDATE deliveries SET state = j.value ->> 1, lease_until = NULL,"
        " finished_at = CASE WHEN j.value ->> 1 = 'retry' THEN NULL ELSE j.value ->> 4 END,"
        " last_error = CASE WHEN j.value ->> 5 = 'sent' THEN '' ELSE j.value ->> 6 END,"
        " due_at = coalesce(j.value ->> 2, due_at) FROM json_each(?) AS j"
        " WHERE deliveries.id = j.value ->> 0"
        " AND deliveries.state NOT IN ('sent', 'dead', 'expired')",
        (cells,),
    )
    tx.execute(
        "INSERT INTO delivery_attempts (delivery_id, started_at, finished_at, outcome, detail)"
        " SELECT value ->> 0, value ->> 3, value ->> 4, value ->> 5, value ->> 6 FROM json_each(?)",
        (cells,),
    )


def _settled_cells(result: Settled) -> tuple[Any, ...]:
    attempt = result.attempt
    return (
        attempt.delivery_id,
        result.state,
        None if result.due_at is None else instant_text(result.due_at),
        instant_text(attempt.started_at),
        instant_text(attempt.finished_at),
        attempt.outcome,
        attempt.detail[:_MAX_DETAIL],
    )


def was_tried_between(
    tx: sqlite3.Connection, delivery_id: int, after: datetime, until: datetime
) -> bool:
    """Whether a try of the delivery ended in that time."""
    row = tx.execute(
        "SELECT EXISTS (SELECT 1 FROM delivery_attempts"
        " WHERE delivery_id = ? AND finished_at > ? AND finished_at <= ?)",
        (delivery_id, instant_text(after), instant_text(until)),
    ).fetchone()
    return bool(row[0])


def expire(tx: sqlite3.Connection, delivery_ids: Iterable[int], reason: str, now: datetime) -> None:
    """Give up deliveries that can no longer be made, saying why."""
    tx.executemany(
        "UPDATE deliveries SET state = 'expired', lease_until = NULL, finished_at = ?,"  # noqa: S608
        f" last_error = ? WHERE id = ? AND state IN {_UNFINISHED}",
        [(instant_text(now), reason[:_MAX_DETAIL], number) for number in delivery_ids],
    )


def unfinished(tx: sqlite3.Connection) -> list[Delivery]:
    """Everything not yet sent, dead or expired."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM deliveries x WHERE x.state IN {_UNFINISHED} ORDER BY x.id"  # noqa: S608
    ).fetchall()
    return [_delivery(row) for row in rows]


def next_due(tx: sqlite3.Connection) -> datetime | None:
    """When something waiting is due next; None when nothing waits."""
    row = tx.execute(
        "SELECT min(due_at) FROM (SELECT due_at FROM deliveries WHERE state IN ('pending', 'retry')"
        " UNION ALL SELECT lease_until FROM deliveries WHERE state = 'sending'"
        " UNION ALL SELECT due_at FROM dispatches"
        "   WHERE message_id IS NULL AND withheld_reason IS NULL)"
    ).fetchone()
    return parse_instant_or_none(row[0])


# --- for operators ----------------------------------------------------------------------------


def list_deliveries(
    tx: sqlite3.Connection,
    *,
    states: Sequence[str] = (),
    alert_id: str = "",
    limit: int = 100,
) -> list[dict[str, Any]]:
    """The newest deliveries first, as plain rows for `warden deliveries`."""
    conditions, values = ["1"], []
    if states:
        conditions.append(f"x.state IN ({_marks(states)})")
        values += list(states)
    if alert_id:
        conditions.append(
            "x.message_id IN (SELECT d.message_id FROM dispatches d"
            " JOIN dispatch_alerts a ON a.dispatch_id = d.id WHERE a.alert_id = ?)"
        )
        values.append(alert_id)
    rows = tx.execute(
        f"SELECT {_COLUMNS}, m.subject, m.severity, m.fallback, m.exercise FROM deliveries x"  # noqa: S608
        f" JOIN messages m ON m.id = x.message_id WHERE {' AND '.join(conditions)}"
        " ORDER BY x.id DESC LIMIT ?",
        (*values, limit),
    ).fetchall()
    return [_row(row) for row in rows]


def _row(row: Sequence[Any]) -> dict[str, Any]:
    return {
        "id": row[0],
        "key": row[1],
        "message_id": row[2],
        "receiver": row[3],
        "channel": row[4],
        "target": row[5],
        "state": row[8],
        "attempts": row[9],
        "due_at": row[11] if row[8] in ("pending", "retry") else None,
        "created_at": row[12],
        "finished_at": row[13],
        "last_error": row[14],
        "subject": row[15],
        "severity": row[16],
        "fallback": row[17],
        "exercise": bool(row[18]),
    }


def retry(tx: sqlite3.Connection, now: datetime, delivery_ids: Sequence[int] | None = None) -> int:
    """Send again what is dead, expired or waiting for its next try, under the same key.

    `delivery_ids` None: everything dead. Returns how many deliveries are due now.
    """
    states = "('dead', 'expired', 'retry')" if delivery_ids is not None else "('dead')"
    chosen: list[int] = (
        [row[0] for row in tx.execute("SELECT id FROM deliveries WHERE state = 'dead'")]
        if delivery_ids is None
        else list(delivery_ids)
    )
    changed = 0
    for number in chosen:
        changed += tx.execute(
            "UPDATE deliveries SET state = 'retry', tries = 0, due_at = min(due_at, ?),"  # noqa: S608
            f" finished_at = NULL, lease_until = NULL WHERE id = ? AND state IN {states}",
            (instant_text(now), number),
        ).rowcount
    return changed


def counts(tx: sqlite3.Connection) -> dict[str, int]:
    """How many deliveries stand in each state, how much waits, and how much fell back."""
    found = dict.fromkeys(("pending", "sending", "retry", "sent", "dead", "expired"), 0)
    found.update(tx.execute("SELECT state, count(*) FROM deliveries GROUP BY state").fetchall())
    found["dispatches_waiting"] = tx.execute(
        "SELECT count(*) FROM dispatches WHERE message_id IS NULL AND withheld_reason IS NULL"
    ).fetchone()[0]
    found["dispatches_withheld"] = tx.execute(
        "SELECT count(*) FROM dispatches WHERE withheld_reason IS NOT NULL"
    ).fetchone()[0]
    for reason, number in held_counts(tx).items():
        found[f"held_{reason.lower()}"] = number
    found["template_fallbacks"] = tx.execute(
        "SELECT count(*) FROM messages WHERE fallback <> ''"
    ).fetchone()[0]
    return found


# --- rows -------------------------------------------------------------------------------------


def _delivery(row: Sequence[Any]) -> Delivery:
    return Delivery(
        id=row[0],
        key=row[1],
        message_id=row[2],
        receiver=row[3],
        channel=row[4],
        target=row[5],
        format=row[6],
        headers=json.loads(row[7]),
        state=row[8],
        attempts=row[9],
        tries=row[10],
        due_at=parse_instant(row[11]),
        created_at=parse_instant(row[12]),
        finished_at=parse_instant_or_none(row[13]),
        last_error=row[14],
    )


def _rows(rows: Iterable[Sequence[Any]]) -> str:
    """Rows for `json_each`, which hands many to one statement."""
    return json.dumps(list(rows), ensure_ascii=False, separators=(",", ":"))


def _cells(count: int) -> str:
    """The cells of such a row."""
    return ", ".join(f"value ->> {place}" for place in range(count))


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def _chunks(values: list[str]) -> Iterable[list[str]]:
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))
