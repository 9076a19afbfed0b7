"""Silences, acknowledgements, verdicts and releases in SQL.

Standing in the flow: `Station.act` writes what an operator said, `deliver` reads the silences and
releases before it sends. Every function works inside the caller's transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from warden.model.people import Acknowledgement, Precision, Silence, Verdict, VerdictWord
from warden.store.values import instant_or_none, instant_text, parse_instant, parse_instant_or_none

_SILENCE = "id, matchers, starts_at, ends_at, comment, who, created_at, expired_at, expired_by"


# --- silences ---------------------------------------------------------------------------------


def add_silence(
    tx: sqlite3.Connection,
    *,
    matchers: Sequence[str],
    starts_at: datetime,
    ends_at: datetime,
    comment: str,
    who: str,
    now: datetime,
) -> Silence:
    """Store a silence; its matchers have been read and understood before."""
    cursor = tx.execute(
        "INSERT INTO silences (matchers, starts_at, ends_at, comment, who, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            json.dumps(list(matchers), ensure_ascii=False),
            instant_text(starts_at),
            instant_text(ends_at),
            comment,
            who,
            instant_text(now),
        ),
    )
    number = int(cursor.lastrowid or 0)
    return Silence(number, tuple(matchers), starts_at, ends_at, comment, who, now)


def silences(tx: sqlite3.Connection, *, active_at: datetime | None = None) -> tuple[Silence, ...]:
    """All silences ever made, or those that hold at an instant; the oldest first."""
    moment = instant_or_none(active_at)
    rows = tx.execute(
        f"SELECT {_SILENCE} FROM silences"  # noqa: S608  constants
        " WHERE ?1 IS NULL OR (starts_at <= ?1 AND ends_at > ?1"
        "   AND (expired_at IS NULL OR expired_at > ?1)) ORDER BY id",
        (moment,),
    )
    return tuple(_silence(row) for row in rows)


def silence(tx: sqlite3.Connection, number: int) -> Silence | None:
    """One silence; None where there is none of that number."""
    row = tx.execute(
        f"SELECT {_SILENCE} FROM silences WHERE id = ?",  # noqa: S608  constants
        (number,),
    ).fetchone()
    return None if row is None else _silence(row)


def expire_silence(tx: sqlite3.Connection, number: int, now: datetime, who: str) -> bool:
    """End a silence now; False where it is over already, or not there."""
    stamp = instant_text(now)
    cursor = tx.execute(
        "UPDATE silences SET expired_at = ?1, expired_by = ?2"
        " WHERE id = ?3 AND expired_at IS NULL AND ends_at > ?1",
        (stamp, who, number),
    )
    return cursor.rowcount == 1


def _silence(row: Sequence[Any]) -> Silence:
    return Silence(
        id=row[0],
        matchers=tuple(json.loads(row[1])),
        starts_at=parse_instant(row[2]),
        ends_at=parse_instant(row[3]),
        comment=row[4],
        who=row[5],
        created_at=parse_instant(row[6]),
        ended_at=parse_instant_or_none(row[7]),
        ended_by=row[8] or "",
    )


# --- acknowledgements -------------------------------------------------------------------------


def acknowledge(
    tx: sqlite3.Connection, alert_id: str, now: datetime, who: str, note: str = ""
) -> bool:
    """Someone has taken the alert on: no more reminders. False where there is no such alert."""
    cursor = tx.execute(
        "UPDATE alerts SET acknowledged_at = ? WHERE id = ?", (instant_text(now), alert_id)
    )
    if cursor.rowcount == 0:
        return False
    tx.execute(
        "INSERT INTO acknowledgements (alert_id, at, who, note, severity)"
        " SELECT id, ?, ?, ?, severity FROM alerts WHERE id = ?",
        (instant_text(now), who, note, alert_id),
    )
    return True


def acknowledgements(tx: sqlite3.Connection, alert_id: str) -> tuple[Acknowledgement, ...]:
    """Who has taken the alert on, the oldest first."""
    rows = tx.execute(
        "SELECT alert_id, at, who, note, severity FROM acknowledgements WHERE alert_id = ?"
        " ORDER BY id",
        (alert_id,),
    )
    return tuple(
        Acknowledgement(row[0], parse_instant(row[1]), row[2], row[3], row[4]) for row in rows
    )


# --- verdicts ---------------------------------------------------------------------------------


def add_verdict(  # noqa: PLR0917  who judged what, how, why and when
    tx: sqlite3.Connection,
    alert_id: str,
    verdict: VerdictWord,
    note: str,
    who: str,
    now: datetime,
) -> None:
    """Write a judgement down; the alert's newest one counts."""
    tx.execute(
        "INSERT INTO verdicts (alert_id, verdict, note, at, who) VALUES (?, ?, ?, ?, ?)",
        (alert_id, verdict, note, instant_text(now), who),
    )


def verdicts(tx: sqlite3.Connection, alert_id: str) -> tuple[Verdict, ...]:
    """Every judgement of the alert, the oldest first."""
    rows = tx.execute(
        "SELECT alert_id, verdict, note, at, who FROM verdicts WHERE alert_id = ? ORDER BY id",
        (alert_id,),
    )
    return tuple(Verdict(row[0], row[1], row[2], parse_instant(row[3]), row[4]) for row in rows)


def precision(tx: sqlite3.Connection) -> Mapping[str, Precision]:
    """How each rule's alerts were judged, by the newest verdict of each."""
    counts: dict[str, dict[str, int]] = {}
    rows = tx.execute(
        "SELECT a.rule_id, v.verdict, count(*) FROM verdicts v JOIN alerts a ON a.id = v.alert_id"
        " WHERE v.id = (SELECT max(n.id) FROM verdicts n WHERE n.alert_id = v.alert_id)"
        " GROUP BY 1, 2 ORDER BY 1"
    )
    for rule_id, word, number in rows:
        counts.setdefault(rule_id, {})[word] = number
    return {rule_id: Precision(**found) for rule_id, found in counts.items()}


# --- releases ---------------------------------------------------------------------------------


def release(
    tx: sqlite3.Connection, dispatch_ids: Iterable[int], now: datetime, who: str
) -> tuple[int, ...]:
    """Let dispatches that wait for a person's word go; those not released before."""
    stamp = instant_text(now)
    return tuple(
        number
        for number in dispatch_ids
        if tx.execute(
            "INSERT OR IGNORE INTO releases (dispatch_id, at, who)"
            " SELECT id, ?, ? FROM dispatches WHERE id = ?",
            (stamp, who, number),
        ).rowcount
        == 1
    )


def released(tx: sqlite3.Connection, dispatch_ids: Iterable[int]) -> frozenset[int]:
    """Which of these dispatches somebody has released."""
    rows = tx.execute(
        "SELECT dispatch_id FROM releases WHERE dispatch_id IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(dispatch_ids)),),
    )
    return frozenset(row[0] for row in rows)
