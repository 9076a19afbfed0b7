"""Messages as they were made: what they tell of, to whom, in which forms, after which others.

Standing in the flow: `deliver` asks when it makes a message a link in a chain or a thread, and when
its recipient is gone. Messages are written by `outbox`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from warden.model.notice import Action
from warden.store.values import parse_instant


def first_headers(
    tx: sqlite3.Connection, channel: str, target: str, alert_ids: Sequence[str]
) -> tuple[Mapping[str, Any], ...]:
    """For each alert, the headers of the first message about it to that recipient, if any.

    A message that was refused for good does not count: nobody could find it.
    """
    found = []
    for alert_id in alert_ids:
        row = tx.execute(
            "SELECT x.headers FROM dispatch_alerts a JOIN dispatches d ON d.id = a.dispatch_id"
            " JOIN deliveries x ON x.message_id = d.message_id"
            " WHERE a.alert_id = ? AND x.channel = ? AND x.target = ?"
            " AND x.state NOT IN ('dead', 'expired') ORDER BY x.id LIMIT 1",
            (alert_id, channel, target),
        ).fetchone()
        if row is not None:
            found.append(json.loads(row[0]))
    return tuple(found)


def earlier_messages(
    tx: sqlite3.Connection, receiver: str, alert_id: str
) -> tuple[tuple[str, datetime, Action], ...]:
    """The messages of a receiver about one alert alone, oldest first: id, when made, action.

    One that was refused for good everywhere does not count: nobody could find it.
    """
    rows = tx.execute(
        "SELECT m.id, m.created_at, d.action FROM messages m"
        " JOIN dispatches d ON d.message_id = m.id"
        " WHERE d.alert_id = ? AND m.receiver = ? AND EXISTS (SELECT 1 FROM deliveries x"
        " WHERE x.message_id = m.id AND x.state NOT IN ('dead', 'expired'))"
        " ORDER BY m.rowid",
        (alert_id, receiver),
    )
    return tuple((row[0], parse_instant(row[1]), row[2]) for row in rows)


def alerts_of_dispatches(tx: sqlite3.Connection, dispatch_ids: Sequence[int]) -> list[str]:
    """The alerts that some dispatches speak of, in the order of the dispatches."""
    found: dict[str, None] = {}
    for number in dispatch_ids:
        rows = tx.execute("SELECT alert_id FROM dispatch_alerts WHERE dispatch_id = ?", (number,))
        found.update(dict.fromkeys(row[0] for row in rows))
    return list(found)


def alerts_of_message(tx: sqlite3.Connection, message_id: str) -> list[str]:
    """The alerts that a message speaks of, in the order in which it does."""
    rows = tx.execute(
        "SELECT id FROM dispatches WHERE message_id = ? ORDER BY position", (message_id,)
    )
    return alerts_of_dispatches(tx, [row[0] for row in rows])


def notices_of_message(tx: sqlite3.Connection, message_id: str) -> list[str]:
    """The notices whose dispatches became a message; none for an exercise."""
    rows = tx.execute(
        "SELECT notice_id FROM dispatches WHERE message_id = ? ORDER BY position", (message_id,)
    )
    return [row[0] for row in rows]


def recipients_of(tx: sqlite3.Connection, message_id: str) -> frozenset[tuple[str, str]]:
    """Channel and target of every delivery of a message."""
    rows = tx.execute("SELECT channel, target FROM deliveries WHERE message_id = ?", (message_id,))
    return frozenset((row[0], row[1]) for row in rows)


def formats_of(tx: sqlite3.Connection, message_id: str) -> frozenset[str]:
    """The formats in which a message was rendered."""
    rows = tx.execute("SELECT format FROM message_bodies WHERE message_id = ?", (message_id,))
    return frozenset(row[0] for row in rows)


def was_accepted(tx: sqlite3.Connection, message_id: str) -> bool:
    """Whether any recipient of a message has taken it."""
    row = tx.execute(
        "SELECT EXISTS (SELECT 1 FROM deliveries WHERE message_id = ? AND state = 'sent')",
        (message_id,),
    ).fetchone()
    return bool(row[0])
