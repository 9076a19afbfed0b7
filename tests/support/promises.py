"""What must hold of a database after any fault, and what receivers have to do with it.

Each promise is a question to the database; what answers it badly is a plain sentence. Two need more
than a database at rest: whether evaluating again would decide anything is for the engine to say
(`undecided` reads its answer), and being in time is asked of a life without faults (`waits_s`). See
docs/reliability.md.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

UNFINISHED = ("pending", "sending", "retry")
IN_TIME_S = 5.0


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
            *_decided(connection),
            *_named(connection, settled=settled),
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


def _decided(connection: sqlite3.Connection) -> Iterator[str]:
    """Every alert is as its newest decision left it; what was told has the notice that told it."""
    for name, state, severity, decided, graded in connection.execute(
        "SELECT a.id, a.state, a.severity, d.state, d.severity FROM alerts a LEFT JOIN decisions d"
        " ON d.id = (SELECT max(id) FROM decisions WHERE alert_id = a.id)"
    ):
        if (state, severity) != (decided, graded):
            yield f"alert {name} is {state} ({severity}), decided was {decided} ({graded})"
    for (name,) in connection.execute(
        "SELECT id FROM alerts a WHERE told = 1 AND NOT EXISTS"
        " (SELECT 1 FROM decisions d WHERE d.alert_id = a.id AND d.notice_id IS NOT NULL)"
    ):
        yield f"alert {name} counts as told, and no notice told it"


def undecided(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """What a dry run would still decide, of a database in which all is decided: nothing."""
    return [f"evaluated again, it would {row}" for row in rows if row["decision"] != "keep"]


def _named(connection: sqlite3.Connection, *, settled: bool) -> Iterator[str]:
    """Every source and walk has a state, one that is not `ok` a sentence and a row in `health`.

    What is written down is what feed rules tell; for sources that are still in the settings.
    """
    for source, state, sentence in connection.execute(
        "SELECT source, state, sentence FROM source_state"
    ):
        if not state or (state != "ok" and not sentence):
            yield f"source {source} is in the state {state!r}: {sentence!r}"
    for (walk,) in connection.execute(
        "SELECT id FROM poll_runs WHERE ended_at IS NOT NULL AND coalesce(state, '') = ''"
    ):
        yield f"walk {walk} ended in no state"
    if settled:
        for source, state, written in connection.execute(
            "SELECT s.source, s.state, coalesce(h.state, 'ok') FROM source_state s LEFT JOIN health"
            " h ON h.subject = 'source' AND h.name = s.source AND h.until IS NULL"
        ):
            if state != written:
                yield f"source {source} is {state}, written down is {written}"


def waits_s(database: Path, since: datetime) -> list[float]:
    """How long each recipient of each alert about an event waited, by the instants that are kept.

    From the moment the event was first seen to the moment the recipient had accepted the message,
    less the route's `group_wait`. Of what was seen since then.
    """
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "SELECT (SELECT max(e.first_seen_at) FROM alert_evidence v JOIN events e"
            " ON e.uid = v.uid WHERE v.alert_id = n.alert_id AND e.first_seen_at <= n.at) AS seen,"
            " (SELECT min(a.finished_at) FROM delivery_attempts a WHERE a.delivery_id = x.id"
            " AND a.outcome = 'sent'), d.created_at, d.due_at FROM notices n"
            " JOIN dispatches d ON d.notice_id = n.id JOIN deliveries x USING (message_id)"
            " WHERE n.action = 'alert' AND n.facts ->> 'kind' = 'event' AND seen >= ?",
            (since.isoformat(timespec="microseconds").replace("+00:00", "Z"),),
        ).fetchall()
    return [_seconds(seen, sent) - _seconds(planned, due) for seen, sent, planned, due in rows]


def _seconds(begin: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


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
