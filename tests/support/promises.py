"""What must hold of a database after any fault, and what receivers have to do with it.

Each promise is a question to the database; what answers it badly is a plain sentence. See
docs/reliability.md.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path

UNFINISHED = ("pending", "sending", "retry")


def broken_promises(
    database: Path,
    *,
    hooks: Collection[str] | None = None,
    mails: Collection[str] | None = None,
    settled: bool = True,
) -> list[str]:
    """Plain sentences of what does not hold; empty is good.

    `hooks`: the webhook-ids that the receiver accepted; `mails`: the Message-IDs that a server
    took; None = not asked. `settled`: everything is expected to have ended.
    """
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return [
            *_whole(connection),
            *_ingested(connection),
            *_dispatched(connection, settled=settled),
            *_delivered(connection, hooks, mails, settled=settled),
        ]


def _whole(connection: sqlite3.Connection) -> Iterator[str]:
    said = connection.execute("PRAGMA integrity_check").fetchall()
    if said != [("ok",)]:
        yield f"integrity_check: {said[:3]}"
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchall()[:3]:
        yield f"{table} {row} points at no row of {parent}"


def _ingested(connection: sqlite3.Connection) -> Iterator[str]:
    """Every record served is counted once: as an event, or in `rejects`."""
    for row in connection.execute(
        "SELECT id, served, new + revised + unchanged + older + duplicate + foreign_rows + rejected"
        " FROM poll_runs WHERE ended_at IS NOT NULL"
    ):
        if row[1] != row[2]:
            yield f"walk {row[0]}: {row[1]} served, {row[2]} accounted for"
    broken = connection.execute(
        "SELECT uid, revision FROM events e WHERE revision <> 1 +"
        " (SELECT count(*) FROM event_revisions r WHERE r.uid = e.uid)"
    ).fetchall()
    yield from (
        f"event {uid} is at revision {number}, others are missing" for uid, number in broken
    )


def _dispatched(connection: sqlite3.Connection, *, settled: bool) -> Iterator[str]:
    """Every notice was planned for somebody; every dispatch ends withheld or in a message."""
    unplanned = connection.execute(
        "SELECT id FROM notices n WHERE exercise = 0 AND NOT EXISTS"
        " (SELECT 1 FROM dispatches d WHERE d.notice_id = n.id)"
    ).fetchall()
    yield from (f"notice {name} was planned for nobody" for (name,) in unplanned)
    if settled:
        waiting = connection.execute(
            "SELECT id, receiver, action FROM dispatches"
            " WHERE message_id IS NULL AND withheld_reason IS NULL"
        ).fetchall()
        yield from (f"dispatch {row} is neither withheld nor in a message" for row in waiting)
    empty = connection.execute(
        "SELECT id FROM messages m WHERE NOT EXISTS"
        " (SELECT 1 FROM deliveries x WHERE x.message_id = m.id)"
    ).fetchall()
    yield from (f"message {name} goes to nobody" for (name,) in empty)
    mute = connection.execute(
        "SELECT id FROM messages m WHERE exercise = 0 AND NOT EXISTS"
        " (SELECT 1 FROM dispatches d WHERE d.message_id = m.id)"
    ).fetchall()
    yield from (f"message {name} has no notices" for (name,) in mute)


def _delivered(
    connection: sqlite3.Connection,
    hooks: Collection[str] | None,
    mails: Collection[str] | None,
    *,
    settled: bool,
) -> Iterator[str]:
    """Deliveries end; what is marked sent was accepted; what was accepted is in the ledger."""
    names: dict[str, dict[str, str]] = {"webhook": {}, "email": {}}
    for key, channel, state, headers in connection.execute(
        "SELECT key, channel, state, headers FROM deliveries"
    ):
        name = json.loads(headers).get("message_id", key) if channel == "email" else key
        names.setdefault(channel, {})[name] = state
        if settled and state in UNFINISHED:
            yield f"delivery {key} ({channel}) is {state}"
    for channel, accepted in (("webhook", hooks), ("email", mails)):
        if accepted is None:
            continue
        for name, state in names[channel].items():
            if state == "sent" and name not in accepted:
                yield f"{channel} {name} is marked sent, and its receiver never took it"
            if settled and state != "sent" and name in accepted:
                yield f"{channel} {name} was taken and ended {state}"
        for name in set(accepted) - set(names[channel]):
            yield f"{channel} {name} arrived and is not in the ledger"
