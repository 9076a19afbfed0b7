"""Why something was, or was not, said: every rule's verdict on an event, every stop of an alert.

Standing in the flow: beside it. Of an event each rule's predicates are asked one by one, with the
value that decided; of an alert the ledger's decisions, notices and the outbox are read back; of a
summary what it listed and where it went.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from warden.engine.actors import Names
from warden.engine.frame import FRAME_COLUMNS, Frame, day_from_number
from warden.engine.geo.geography import Geography
from warden.engine.predicates import compile_predicate
from warden.engine.where import Matcher
from warden.model.alert import Alert
from warden.model.event import LOCATION_ERROR_KM, ROLES
from warden.model.notice import Notice
from warden.model.people import Silence
from warden.model.rule import (
    ActorIs,
    AllOf,
    AnyOf,
    Flag,
    Inside,
    Near,
    NearBorder,
    Not,
    Number,
    Predicate,
    Rule,
    Ruleset,
    Text,
)
from warden.notify.plan import labels_of
from warden.notify.silences import matches
from warden.store import ledger, people, stops
from warden.store.events import FRAME_COLUMNS as STORED_COLUMNS
from warden.store.events import load_rows
from warden.store.values import instant_text

_ONE = np.array([0], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Finding:
    """One predicate asked of one event. `text` puts predicate and value into one phrase."""

    holds: bool
    predicate: str
    actual: str
    text: str


# --- an event ---------------------------------------------------------------------------------


def explain_event(
    connection: sqlite3.Connection,
    uid: str,
    ruleset: Ruleset,
    geography: Geography,
    *,
    evaluated: bool = True,
) -> Iterator[dict[str, Any]]:
    """One row a rule: its verdict, and the values on which it failed or by which it holds.

    Without `evaluated` there is no ledger to ask: the events are those of files.
    """
    rows = load_rows(connection, uids=[uid], status=None)
    status = rows[0][STORED_COLUMNS.index("status")]
    picks = [STORED_COLUMNS.index(name) for name in FRAME_COLUMNS]
    frame = Frame.from_rows(FRAME_COLUMNS, [[row[pick] for pick in picks] for row in rows])
    names = Names(ruleset.aliases)
    for rule in ruleset.rules:
        row = _verdict(rule, frame, geography, names)
        if row["verdict"] == "match":
            row["reason"] = (
                _what_came(connection, rule, uid, status) if evaluated else _what_would_come(rule)
            )
        yield row


def _verdict(rule: Rule, frame: Frame, geography: Geography, names: Names) -> dict[str, Any]:
    if rule.kind == "feed":
        return _no_business(rule)
    asker = _Asker(rule, frame, geography)
    failing = asker.failing(rule.where)
    holds = bool(len(Matcher(rule, geography, names).rows(frame)))
    first = failing[0] if failing and not holds else None
    return {
        "rule": rule.id,
        "verdict": "match" if holds else "no match",
        "predicate": first.predicate if first else None,
        "actual": first.actual if first else None,
        "reason": first.text if first else "",
        "failing": [one.text for one in failing] if not holds else [],
        "holding": [one.text for one in asker.holding(rule.where)] if holds else [],
        "status": rule.status,
    }


def _no_business(rule: Rule) -> dict[str, Any]:
    """A rule about warden's own health looks at no event."""
    return {
        "rule": rule.id,
        "verdict": "no match",
        "predicate": None,
        "actual": None,
        "reason": "about warden's own health, not about events",
        "failing": [],
        "holding": [],
        "status": rule.status,
    }


def _what_came(connection: sqlite3.Connection, rule: Rule, uid: str, status: str) -> str:
    """What the ledger says of a matching event."""
    if status == "retracted":
        return "the source has withdrawn the event; the rule would match it"
    if rule.status == "disabled":
        return "the rule is disabled"
    alerts = ledger.load_alerts(connection, rule_id=rule.id, uids=[uid])
    if not alerts:
        if rule.kind == "event":
            return "not evaluated yet; `warden evaluate` brings the ledger up to date"
        return f"counted by the rule ({rule.kind}), which raised no alert that rests on it"
    said = []
    for alert in alerts:
        how = "told" if alert.told else f"silent: {alert.silence_reason}"
        state = f"{alert.state} ({alert.state_reason})" if alert.state_reason else alert.state
        said.append(f"alert {alert.id}, {state}, {how}")
    return "; ".join(said)


def _what_would_come(rule: Rule) -> str:
    """What a rule makes of a matching event of a file; when, `warden backtest` tells."""
    if rule.status == "disabled":
        return "the rule is disabled"
    return "an episode of its own" if rule.kind == "event" else f"counted by the rule ({rule.kind})"


class _Asker:
    """Asks a rule's predicates of one event."""

    def __init__(self, rule: Rule, frame: Frame, geography: Geography) -> None:
        self._rule = rule
        self._frame = frame
        self._geography = geography

    def failing(self, predicate: Predicate) -> list[Finding]:
        """The findings that keep the predicate from holding; none when it holds."""
        match predicate:
            case AllOf(parts):
                return [finding for part in parts for finding in self.failing(part)]
            case AnyOf(parts):
                return self._none_of(parts)
            case Not(part):
                if not self._holds(part):
                    return []
                inner = self._describe(part) if not _is_group(part) else None
                text = inner.text if inner else "what must not hold does"
                name = inner.predicate if inner else "a group of conditions"
                actual = inner.actual if inner else "all hold"
                return [Finding(holds=False, predicate=f"not {name}", actual=actual, text=text)]
        finding = self._describe(predicate)
        return [] if finding.holds else [finding]

    def holding(self, predicate: Predicate) -> list[Finding]:
        """The findings by which a predicate that holds does so."""
        match predicate:
            case AllOf(parts):
                return [finding for part in parts for finding in self.holding(part)]
            case AnyOf(parts):
                return next((self.holding(part) for part in parts if self._holds(part)), [])
            case Not():
                return []
        return [self._describe(predicate)]

    def _none_of(self, parts: tuple[Predicate, ...]) -> list[Finding]:
        found: list[Finding] = []
        for part in parts:
            failing = self.failing(part)
            if not failing:
                return []
            found.append(failing[0])
        return [
            Finding(
                holds=False,
                predicate=" or ".join(one.predicate for one in found) or "any of nothing",
                actual=" / ".join(dict.fromkeys(one.actual for one in found)),
                text=" and ".join(one.text for one in found) or "any of nothing",
            )
        ]

    def _holds(self, predicate: Predicate) -> bool:
        node = compile_predicate(predicate, self._geography)
        return bool(node.mask(self._frame, _ONE, self._rule.location)[0])

    def _describe(self, predicate: Predicate) -> Finding:
        holds = self._holds(predicate)
        name, wanted, actual = self._words(predicate, holds=holds)
        return Finding(holds, f"{name} {wanted}".strip(), actual, f"{name}: {actual}")

    def _words(self, predicate: Predicate, *, holds: bool) -> tuple[str, str, str]:
        """The predicate's name, what it wants, and what the event has."""
        if isinstance(predicate, Near | NearBorder | Inside):
            return self._place(predicate, holds=holds)
        match predicate:
            case ActorIs():
                return self._actor(predicate)
            case Text(field, tests):
                wanted = " | ".join(f"{'' if t.op == 'is' else t.op + ' '}{t.value}" for t in tests)
                return field, f"is {wanted}", self._text(field)
            case Number():
                return predicate.field, _bounds(predicate), self._number(predicate.field)
            case Flag(field, value):
                actual = bool(getattr(self._frame, field)[0])
                return field, f"is {str(value).lower()}", str(actual).lower()
        return "a group of conditions", "", "holds" if holds else "does not hold"

    def _place(self, predicate: Near | NearBorder | Inside, *, holds: bool) -> tuple[str, str, str]:
        if isinstance(predicate, Near):
            return self._near(predicate, holds=holds)
        if isinstance(predicate, NearBorder):
            return self._border(predicate, holds=holds)
        region = predicate.region.title if predicate.region else ""
        where = ", ".join(predicate.countries) or region
        return f"inside {where}", "", "inside" if holds else "outside"

    def _near(self, predicate: Near, *, holds: bool) -> tuple[str, str, str]:
        titles = [place.id for place in predicate.places]
        if predicate.line is not None:
            titles.append(predicate.line.id)
        shown = ", ".join(titles[:3]) + (" …" if len(titles) > 3 else "")  # noqa: PLR2004
        alone = Rule("x", "", "event", predicate, None)
        km = float(Matcher(alone, self._geography).describe(self._frame).distance_km[0])
        return (
            f"near {shown}",
            f"within {predicate.within_km:g} km",
            f"{_km(km, predicate.within_km)} km {'<=' if holds else '>'} {predicate.within_km:g} km"
            + self._disc(),
        )

    def _border(self, predicate: NearBorder, *, holds: bool) -> tuple[str, str, str]:
        alone = Rule("x", "", "event", predicate, None)
        described = Matcher(alone, self._geography).describe(self._frame)
        km, bound = float(described.border_km[0]), predicate.within_km
        actual = f"{_km(km, bound)} km {'<=' if km <= bound else '>'} {bound:g} km"
        if not holds and km <= bound:
            actual += f", {described.side[0]} {predicate.of}"
        neighbours = ",".join(predicate.neighbours)
        side = "" if predicate.side == "any" else f", {predicate.side}"
        return (
            f"border {predicate.of}:{neighbours}",
            f"within {bound:g} km{side}",
            f"{actual} ({described.border_neighbour[0]})" + self._disc(),
        )

    def _disc(self) -> str:
        """The error of the place, where the rule asks for more than the coded point."""
        if self._rule.location == "coded":
            return ""
        precision = int(self._frame.number["geo_precision"][0] or 0)
        error = self._frame.number["location_error_km"][0]
        shown = LOCATION_ERROR_KM.get(precision, 0.0) if np.isnan(error) else float(error)
        return f", give or take {shown:g} km ({self._rule.location})"

    def _actor(self, predicate: ActorIs) -> tuple[str, str, str]:
        wanted = [group.id for group in predicate.groups]
        wanted += [f"{'' if t.op == 'is' else t.op + ' '}{t.value}" for t in predicate.names]
        wanted += [f"type {t.value}" for t in predicate.types]
        parties = self._frame.row_parties(0)
        present = [actor.name for actor in parties if actor.role in predicate.roles]
        roles = "" if predicate.roles == ROLES else f" as {', '.join(predicate.roles)}"
        return "actor", f"in {' | '.join(wanted)}{roles}", "; ".join(present) or "nobody"

    def _text(self, field: str) -> str:
        if field == "notes":
            return str(self._frame.plain["notes"][0] or "")[:200]
        column = self._frame.coded["iso3" if field == "country" else field]
        return column[0] or "nothing"

    def _number(self, field: str) -> str:
        if field == "event_date":
            return day_from_number(int(self._frame.day[0])).isoformat()
        return f"{float(self._frame.number[field][0]):g}"


def _is_group(predicate: Predicate) -> bool:
    return isinstance(predicate, AllOf | AnyOf | Not)


def _km(km: float, bound: float) -> str:
    """A distance with as many digits as it takes to see on which side of the bound it lies."""
    for digits in (1, 2, 3):
        if abs(round(km, digits) - bound) > 0:
            return f"{km:.{digits}f}"
    return f"{km:.6f}"


def _bounds(predicate: Number) -> str:
    dates = predicate.field == "event_date"
    parts = []
    for name, sign in (("gte", ">="), ("gt", ">"), ("lte", "<="), ("lt", "<")):
        value = getattr(predicate, name)
        if value is not None:
            shown = day_from_number(int(value)).isoformat() if dates else f"{value:g}"
            parts.append(f"{sign} {shown}")
    return " and ".join(parts)


# --- an alert ---------------------------------------------------------------------------------


_ORDER = {
    "decision": 0, "notice": 1, "listed": 2, "silence": 3, "dispatch": 4, "release": 5,
    "delivery": 6, "acknowledgement": 7, "verdict": 8,
}  # fmt: skip


def explain_alert(
    connection: sqlite3.Connection, alert_id: str, now: datetime
) -> list[dict[str, Any]]:
    """Every decision, notice and stop of an alert, in order of time; empty when unknown.

    Beside them what people said of it, and the silences that described it in its time.
    """
    alerts = ledger.load_alerts(connection, alert_id=alert_id)
    if not alerts:
        return []
    rule_id = alerts[0].rule_id
    rows = [
        *stops.decisions(connection, alert_id),
        *stops.notices(connection, alert_id),
        *stops.unrouted(connection, alert_id),
        *stops.dispatches(connection, alert_id),
        *stops.deliveries(connection, alert_id),
        *stops.releases(connection, alert_id),
        *stops.acknowledgements(connection, alert_id),
        *stops.verdicts(connection, alert_id),
        *_silences(connection, alerts[0], now),
    ]
    rows.sort(key=lambda row: (row["at"], _ORDER.get(row["stop"], len(_ORDER))))
    return [{"rule": rule_id, "predicate": None, "actual": None, **row} for row in rows]


def explain_summary(connection: sqlite3.Connection, name: str) -> list[dict[str, Any]]:
    """A summary by its own id: a row for each alert it lists, and where it went; [] if unknown."""
    found = [n for n in ledger.load_notices(connection, ids=[name]) if n.action == "summary"]
    if not found:
        return []
    summary = found[0]
    rows = [
        *stops.notices(connection, name),
        *(_listed(summary, item) for item in summary.items),
        *stops.unrouted(connection, name),
        *stops.dispatches(connection, name),
        *stops.deliveries(connection, name),
        *stops.releases(connection, name),
    ]
    rows.sort(key=lambda row: (row["at"], _ORDER.get(row["stop"], len(_ORDER))))
    about = {"rule": summary.rule_id, "predicate": None, "actual": None}
    return [about | row for row in rows]


def _listed(summary: Notice, item: Mapping[str, Any]) -> dict[str, Any]:
    """An alert as it stood when the summary was written; its own story is told under its id."""
    key = ", ".join(f"{name}={value}" for name, value in (item.get("key") or {}).items())
    first, last = str(item.get("first_day") or ""), str(item.get("last_day") or "")
    parts = (key, first if first == last else f"{first} to {last}", *(item.get("event_ids") or ()))
    return {
        "rule": str(item.get("rule_id") or summary.rule_id),
        "stop": "listed",
        "at": instant_text(summary.at),
        "verdict": str(item.get("severity") or summary.severity),
        "reason": ", ".join(part for part in (f"alert {item.get('alert_id')}", *parts) if part),
        "alert_id": item.get("alert_id"),
        "notice_id": summary.id,
    }


def _silences(
    connection: sqlite3.Connection, alert: Alert, now: datetime
) -> Iterator[dict[str, Any]]:
    """The silences that described some notice of the alert while it stood."""
    notices = ledger.load_notices(connection, alert_id=alert.id)
    labels = [labels_of(notice) for notice in notices]
    until = alert.ended_at or now
    for silence in people.silences(connection):
        if silence.over_at <= alert.raised_at or silence.starts_at > until:
            continue
        if any(matches(silence.matchers, one) for one in labels):
            yield _silence_row(silence, now)


def _silence_row(silence: Silence, now: datetime) -> dict[str, Any]:
    word = {"active": "holds", "pending": "will hold", "expired": "held"}[silence.state(now)]
    over = instant_text(silence.over_at)
    return {
        "stop": "silence",
        "at": instant_text(silence.starts_at),
        "verdict": word,
        "reason": f"silence {silence.id} by {silence.who} until {over[:16].replace('T', ' ')} UTC: "
        + silence.comment,
        "silence": silence.id,
        "who": silence.who,
        "until": over,
    }
