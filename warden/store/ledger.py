"""Alerts and notices in SQL.

Standing in the flow: `evaluate` reads the alerts of a rule, reconciles them with its signals, and
writes what was decided, in one transaction with the dispatches that follow from it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from warden.engine.decision import Decision
from warden.model.alert import Alert
from warden.model.notice import Change, Notice
from warden.store.values import (
    instant_or_none,
    instant_text,
    parse_instant,
    parse_instant_or_none,
)

_ALERT_COLUMNS = (
    "id", "rule_id", "rule_version", "key", "state", "state_reason", "severity", "first_day",
    "last_day", "since", "until", "value", "facts", "raised_at", "changed_at", "ended_at", "told",
    "silence_reason", "told_at", "told_severity", "told_value", "told_facts", "acknowledged_at",
)  # fmt: skip
_NOTICE_COLUMNS = (
    "id", "alert_id", "rule_id", "rule_version", "key", "action", "reason", "at", "severity",
    "title", "labels", "facts", "changes", "items", "exercise",
)  # fmt: skip


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def load_alerts(
    connection: sqlite3.Connection,
    *,
    rule_id: str | None = None,
    uids: Iterable[str] | None = None,
    states: Sequence[str] | None = None,
    alert_id: str | None = None,
) -> tuple[Alert, ...]:
    """Alerts in order of being raised; each filter given narrows them.

    `uids`: only alerts that rest on one of these events, or once did.
    """
    conditions: list[str] = []
    values: list[Any] = []
    if rule_id is not None:
        conditions.append("rule_id = ?")
        values.append(rule_id)
    if alert_id is not None:
        conditions.append("id = ?")
        values.append(alert_id)
    if uids is not None:
        conditions.append(
            "id IN (SELECT alert_id FROM alert_evidence"
            " WHERE uid IN (SELECT value FROM json_each(?)))"
        )
        values.append(json.dumps(sorted(uids)))
    if states is not None:
        conditions.append("state IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(list(states)))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = connection.execute(
        f"SELECT {', '.join(_ALERT_COLUMNS)} FROM alerts{where} ORDER BY raised_at, id",  # noqa: S608
        values,
    ).fetchall()
    evidence = _evidence(connection, [row[0] for row in rows])
    return tuple(_alert(row, *evidence.get(row[0], ((), ()))) for row in rows)


class AlertIds:
    """All alert ids in use, asked one by one."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __contains__(self, alert_id: object) -> bool:
        found = self._connection.execute("SELECT 1 FROM alerts WHERE id = ?", (alert_id,))
        return found.fetchone() is not None


def ids_that_begin(connection: sqlite3.Connection, name: str, *, limit: int) -> list[str]:
    """Alerts whose ids begin so, the one of that very id first."""
    rows = connection.execute(
        "SELECT id FROM alerts WHERE id = ?1 OR substr(id, 1, length(?1)) = ?1"
        " ORDER BY id <> ?1, id LIMIT ?2",
        (name, limit),
    )
    return [str(row[0]) for row in rows]


def newest_ids(connection: sqlite3.Connection, *, limit: int) -> list[str]:
    """The alerts that changed last."""
    rows = connection.execute("SELECT id FROM alerts ORDER BY changed_at DESC LIMIT ?", (limit,))
    return [str(row[0]) for row in rows]


def rule_ids(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The rules that have alerts."""
    rows = connection.execute("SELECT DISTINCT rule_id FROM alerts ORDER BY rule_id")
    return tuple(row[0] for row in rows)


def rules_with_active(connection: sqlite3.Connection) -> frozenset[str]:
    """The rules that have active alerts."""
    rows = connection.execute("SELECT DISTINCT rule_id FROM alerts WHERE state = 'active'")
    return frozenset(row[0] for row in rows)


def active_event_uids(connection: sqlite3.Connection, rule_id: str) -> frozenset[str]:
    """The events that a rule's active alerts rest on."""
    rows = connection.execute(
        "SELECT e.uid FROM alert_evidence e JOIN alerts a ON a.id = e.alert_id"
        " WHERE a.rule_id = ? AND a.state = 'active' AND e.held",
        (rule_id,),
    )
    return frozenset(row[0] for row in rows)


def rename_rule(connection: sqlite3.Connection, old: str, new: str) -> int:
    """Hand the alerts of a rule's former id to its present one."""
    return connection.execute(
        "UPDATE alerts SET rule_id = ? WHERE rule_id = ?", (new, old)
    ).rowcount


def save_alert(connection: sqlite3.Connection, alert: Alert, previous: Alert | None) -> None:
    """Insert the alert, or bring its row to what it is now."""
    values = _alert_values(alert)
    if previous is None:
        marks = ", ".join("?" * len(_ALERT_COLUMNS))
        connection.execute(
            f"INSERT INTO alerts ({', '.join(_ALERT_COLUMNS)}) VALUES ({marks})",  # noqa: S608
            values,
        )
    else:
        settings = ", ".join(f"{name} = ?" for name in _ALERT_COLUMNS[1:])
        connection.execute(
            f"UPDATE alerts SET {settings} WHERE id = ?",  # noqa: S608
            (*values[1:], alert.id),
        )
    if previous is None or _evidence_moved(alert, previous):
        _save_evidence(connection, alert)


def append_decision(
    connection: sqlite3.Connection,
    cycle_id: int,
    at: datetime,
    decision: Decision,
    notice_id: str | None,
) -> None:
    """Write one line of the ledger's history."""
    alert = decision.alert
    changes = [[change.field, change.old, change.new] for change in decision.changes]
    before = decision.previous.facts.get("reporting_change") if decision.previous else None
    label = alert.facts.get("reporting_change")
    if bool(before) != bool(label):
        changes.append(["reporting_change", before, label])
    connection.execute(
        "INSERT INTO decisions (cycle_id, at, alert_id, rule_id, name, reason, notice_id, state,"
        " severity, changes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            cycle_id, instant_text(at), alert.id, decision.rule_id, decision.name,
            decision.reason, notice_id, alert.state, alert.severity, _dump(changes),
        ),
    )  # fmt: skip


def is_notice(connection: sqlite3.Connection, notice_id: str) -> bool:
    """Whether there is a notice of that id."""
    found = connection.execute("SELECT 1 FROM notices WHERE id = ?", (notice_id,))
    return found.fetchone() is not None


def add_notice(connection: sqlite3.Connection, notice: Notice, cycle_id: int | None) -> None:
    """Commit a notice; it is never changed afterwards."""
    values = (
        notice.id, notice.alert_id, notice.rule_id, notice.rule_version, _dump(notice.key),
        notice.action, notice.reason, instant_text(notice.at), notice.severity, notice.title,
        _dump(notice.labels), _dump(notice.facts),
        _dump([[change.field, change.old, change.new] for change in notice.changes]),
        _dump(notice.items), int(notice.exercise),
    )  # fmt: skip
    marks = ", ".join("?" * (len(values) + 1))
    connection.execute(
        f"INSERT INTO notices ({', '.join(_NOTICE_COLUMNS)}, cycle_id) VALUES ({marks})",  # noqa: S608
        (*values, cycle_id),
    )


def load_notices(
    connection: sqlite3.Connection,
    *,
    ids: Iterable[str] | None = None,
    alert_id: str | None = None,
) -> tuple[Notice, ...]:
    """Notices in the order they were decided; each filter given narrows them.

    That of their rows: by their instants, what a clock that was ahead decided would be the newest.
    """
    conditions: list[str] = []
    values: list[Any] = []
    if ids is not None:
        conditions.append("id IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(list(ids)))
    if alert_id is not None:
        conditions.append("alert_id = ?")
        values.append(alert_id)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = connection.execute(
        f"SELECT {', '.join(_NOTICE_COLUMNS)} FROM notices{where} ORDER BY rowid",  # noqa: S608
        values,
    )
    return tuple(_notice(row) for row in rows)


def newest_of_rule(connection: sqlite3.Connection, rule_id: str) -> Notice | None:
    """The newest notice of a rule; what it says of the rule itself is the rule's."""
    row = connection.execute(
        "SELECT id FROM notices WHERE rule_id = ? ORDER BY rowid DESC LIMIT 1", (rule_id,)
    ).fetchone()
    return None if row is None else load_notices(connection, ids=[row[0]])[0]


def unlisted_historic(connection: sqlite3.Connection) -> tuple[Alert, ...]:
    """Historic alerts that no weekly summary has listed yet."""
    rows = connection.execute(
        "SELECT id FROM alerts WHERE silence_reason = 'HISTORIC' AND NOT told AND NOT listed"
        " ORDER BY raised_at, id"
    ).fetchall()
    return tuple(alert for (one,) in rows for alert in load_alerts(connection, alert_id=one))


def mark_listed(connection: sqlite3.Connection, alert_ids: Iterable[str]) -> None:
    """Remember that a weekly summary listed these."""
    connection.executemany(
        "UPDATE alerts SET listed = 1 WHERE id = ?", ((alert_id,) for alert_id in alert_ids)
    )


def _alert_values(alert: Alert) -> tuple[Any, ...]:
    return (
        alert.id, alert.rule_id, alert.rule_version, _dump(alert.key), alert.state,
        alert.state_reason, alert.severity, alert.first_day.isoformat(),
        alert.last_day.isoformat(), alert.since.isoformat(), alert.until.isoformat(), alert.value,
        _dump(alert.facts), instant_text(alert.raised_at), instant_text(alert.changed_at),
        instant_or_none(alert.ended_at), int(alert.told), alert.silence_reason,
        instant_or_none(alert.told_at), alert.told_severity, alert.told_value,
        _dump(alert.told_facts), instant_or_none(alert.acknowledged_at),
    )  # fmt: skip


def _alert(row: Sequence[Any], evidence: tuple[str, ...], told_evidence: tuple[str, ...]) -> Alert:
    cells = dict(zip(_ALERT_COLUMNS, row, strict=True))
    return Alert(
        id=cells["id"],
        rule_id=cells["rule_id"],
        rule_version=cells["rule_version"],
        key=_key(cells["key"]),
        state=cells["state"],
        state_reason=cells["state_reason"],
        severity=cells["severity"],
        first_day=date.fromisoformat(cells["first_day"]),
        last_day=date.fromisoformat(cells["last_day"]),
        since=date.fromisoformat(cells["since"]),
        until=date.fromisoformat(cells["until"]),
        value=cells["value"],
        evidence=evidence,
        facts=_facts(cells["facts"]),
        raised_at=parse_instant(cells["raised_at"]),
        changed_at=parse_instant(cells["changed_at"]),
        ended_at=parse_instant_or_none(cells["ended_at"]),
        told=bool(cells["told"]),
        silence_reason=cells["silence_reason"],
        told_at=parse_instant_or_none(cells["told_at"]),
        told_severity=cells["told_severity"],
        told_value=cells["told_value"],
        told_facts=_facts(cells["told_facts"]),
        told_evidence=told_evidence,
        acknowledged_at=parse_instant_or_none(cells["acknowledged_at"]),
    )


def _notice(row: Sequence[Any]) -> Notice:
    cells = dict(zip(_NOTICE_COLUMNS, row, strict=True))
    return Notice(
        id=cells["id"],
        alert_id=cells["alert_id"],
        rule_id=cells["rule_id"],
        rule_version=cells["rule_version"],
        key=_key(cells["key"]),
        action=cells["action"],
        reason=cells["reason"],
        at=parse_instant(cells["at"]),
        severity=cells["severity"],
        title=cells["title"],
        labels=_key(cells["labels"]),
        facts=json.loads(cells["facts"]),
        changes=tuple(Change(*change) for change in json.loads(cells["changes"])),
        items=tuple(json.loads(cells["items"])),
        exercise=bool(cells["exercise"]),
    )


def _evidence(
    connection: sqlite3.Connection, alert_ids: Sequence[str]
) -> Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    held: dict[str, list[str]] = {}
    told: dict[str, list[str]] = {}
    rows = connection.execute(
        "SELECT alert_id, uid, held, told FROM alert_evidence"
        " WHERE alert_id IN (SELECT value FROM json_each(?)) ORDER BY alert_id, position, uid",
        (json.dumps(list(alert_ids)),),
    )
    for alert_id, uid, is_held, is_told in rows:
        if is_held:
            held.setdefault(alert_id, []).append(uid)
        if is_told:
            told.setdefault(alert_id, []).append(uid)
    return {
        alert_id: (tuple(held.get(alert_id, ())), tuple(told.get(alert_id, ())))
        for alert_id in alert_ids
    }


def _evidence_moved(alert: Alert, previous: Alert) -> bool:
    return alert.evidence != previous.evidence or alert.told_evidence != previous.told_evidence


def _save_evidence(connection: sqlite3.Connection, alert: Alert) -> None:
    held, told = set(alert.evidence), set(alert.told_evidence)
    rows = [
        (alert.id, uid, position, int(uid in held), int(uid in told))
        for position, uid in enumerate(dict.fromkeys((*alert.evidence, *alert.told_evidence)))
    ]
    connection.execute("DELETE FROM alert_evidence WHERE alert_id = ?", (alert.id,))
    connection.executemany("INSERT INTO alert_evidence VALUES (?, ?, ?, ?, ?)", rows)


def with_json_facts(alert: Alert) -> Alert:
    """The alert as it will read back from the database (tuples become lists)."""
    return replace(
        alert, facts=json.loads(_dump(alert.facts)), told_facts=json.loads(_dump(alert.told_facts))
    )


@lru_cache(maxsize=512)
def _facts(text: str) -> dict[str, Any]:
    """Facts as read; the same object for the same text, so nobody may change them."""
    facts: dict[str, Any] = json.loads(text)
    return facts


def _key(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in json.loads(text))


def _dump(value: Any) -> str:
    return _ENCODER.encode(value)
