"""What operators say about alerts: silences, acknowledgements, verdicts, releases.

Standing in the flow: beside it. `Station.act` opens a transaction, has one of these do the work in
it, and writes down who asked for it in the same commit. What comes over the control socket is
checked here, whoever sent it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from warden.errors import UsageError
from warden.model.alert import Alert
from warden.model.located import did_you_mean, shown
from warden.model.notice import Notice
from warden.model.people import VERDICTS, Silence
from warden.model.rule import Ruleset
from warden.notify import plan
from warden.notify.silences import (
    MAX_MATCHER,
    MAX_MATCHERS,
    actions_held,
    compiled,
    doubts,
    holds_nearly_everything,
)
from warden.store import ledger, outbox, people
from warden.store.values import instant_text

MAX_TEXT: Final = 1_000
MAX_SILENCE: Final = timedelta(days=90)
SHORTEST_PREFIX: Final = 4
_DURATION: Final = re.compile(r"([0-9]{1,5})\s*([mhdw])\Z")
_SECONDS: Final = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One command: its arguments as they came, who asked by the kernel's word, and when."""

    arguments: Mapping[str, Any]
    who: str
    now: datetime
    ruleset: Ruleset

    def text(self, name: str, what: str, *, needed: bool = False) -> str:
        """A text on one line.

        Raises:
            UsageError: it is none, too long, or empty though it is needed.
        """
        given = self.arguments.get(name)
        if given is not None and not isinstance(given, str):
            raise UsageError(f"{what} must be a text")
        text = " ".join("".join(c if c.isprintable() else " " for c in given or "").split())
        if needed and not text:
            raise UsageError(f"{what} is missing")
        if len(text) > MAX_TEXT:
            raise UsageError(f"{what} is longer than {MAX_TEXT} characters")
        return text


# --- silences ---------------------------------------------------------------------------------


def add_silence(tx: sqlite3.Connection, asked: Asked) -> Rows:
    """Store a silence, unless it is only to be tried; tell what it holds back now."""
    matchers = _matchers(asked)
    starts_at, ends_at = _span(asked)
    comment = asked.text("comment", "a silence's comment (--comment)", needed=True)
    if asked.arguments.get("dry_run"):
        made = Silence(0, matchers, starts_at, ends_at, comment, asked.who, asked.now)
    else:
        made = people.add_silence(
            tx,
            matchers=matchers,
            starts_at=starts_at,
            ends_at=ends_at,
            comment=comment,
            who=asked.who,
            now=asked.now,
        )
    row = silence_row(made, asked.now)
    row["holds"] = held_by(tx, made, asked.ruleset)
    row["doubts"] = list(doubts(matchers, asked.ruleset.rules))
    return [row]


def expire_silence(tx: sqlite3.Connection, asked: Asked) -> Rows:
    """End silences now."""
    rows = []
    for number in numbers(asked.arguments, "ids", "silence"):
        found = people.silence(tx, number)
        if found is None:
            raise UsageError(f"no silence {number}; `warden silence list --all` lists them")
        if not people.expire_silence(tx, number, asked.now, asked.who):
            over = found.over_at.strftime("%Y-%m-%d %H:%M")
            raise UsageError(f"silence {number} is over since {over} UTC")
        ended = people.silence(tx, number)
        rows += [silence_row(ended, asked.now)] if ended is not None else []
    return rows


def silence_row(silence: Silence, now: datetime) -> dict[str, Any]:
    """A silence as scripts read it; `id` null for one that is only tried."""
    return {
        "id": silence.id or None,
        "state": silence.state(now),
        "matchers": list(silence.matchers),
        "starts_at": instant_text(silence.starts_at),
        "ends_at": instant_text(silence.ends_at),
        "comment": silence.comment,
        "who": silence.who,
        "created_at": instant_text(silence.created_at),
        "ended_at": None if silence.ended_at is None else instant_text(silence.ended_at),
        "ended_by": silence.ended_by or None,
    }


def held_by(
    connection: sqlite3.Connection, silence: Silence, ruleset: Ruleset
) -> list[dict[str, Any]]:
    """The active alerts that people were told of and whose next notices it would hold back."""
    return [
        {"alert_id": alert.id, "rule": alert.rule_id, "severity": alert.severity}
        for alert in ledger.load_alerts(connection, states=("active",))
        if alert.told and silences_alert(silence, alert, ruleset)
    ]


def silences_alert(silence: Silence, alert: Alert, ruleset: Ruleset) -> bool:
    """Whether the silence holds any notice of the alert back, were it active."""
    labels = labels_of(alert, ruleset)
    return bool(actions_held(silence.matchers, labels))


def labels_of(alert: Alert, ruleset: Ruleset) -> dict[str, str]:
    """The labels of an alert's next notice; a removed rule has none of its own."""
    rule = ruleset.rule(alert.rule_id)
    notice = Notice(
        id="",
        alert_id=alert.id,
        rule_id=alert.rule_id,
        rule_version=alert.rule_version,
        key=alert.key,
        action="alert",
        reason="",
        at=alert.changed_at,
        severity=alert.severity,
        title="",
        labels=rule.labels if rule is not None else (),
        facts=alert.facts,
    )
    return plan.labels_of(notice)


def _matchers(asked: Asked) -> tuple[str, ...]:
    given = asked.arguments.get("matchers")
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise UsageError("a silence needs a matcher, such as --matcher rule=attack-near-bamako")
    if len(given) > MAX_MATCHERS:
        raise UsageError(f"a silence has at most {MAX_MATCHERS} matchers")
    for one in given:
        if not isinstance(one, str) or len(one) > MAX_MATCHER or not one.isprintable():
            raise UsageError(f"a matcher is one line of at most {MAX_MATCHER} characters")
    texts = tuple(one.strip() for one in given)
    compiled(texts)
    doubts(texts, asked.ruleset.rules)  # a slip of the pen is refused
    if holds_nearly_everything(texts) and not asked.arguments.get("everything"):
        raise UsageError(
            f"{' '.join(given)[:200]} names nothing and would hold nearly every alert; say what is "
            'meant, as severity=~"info|warning", or add --everything'
        )
    return texts


def _span(asked: Asked) -> tuple[datetime, datetime]:
    """From when until when."""
    starts_at = _instant(asked, "starts_at") or asked.now
    ends_at = _instant(asked, "ends_at")
    duration = asked.text("for", "--for")
    if (ends_at is None) == (not duration):
        raise UsageError("say either how long (--for 3d) or until when (--until 2024-05-06T18:00Z)")
    if ends_at is None:
        ends_at = starts_at + _duration(duration)
    if ends_at <= max(starts_at, asked.now):
        raise UsageError(f"a silence until {ends_at:%Y-%m-%d %H:%M} UTC would be over already")
    if ends_at - starts_at > MAX_SILENCE:
        raise UsageError(
            f"a silence lasts at most {MAX_SILENCE.days} days; what is never wanted belongs into "
            "the rule or the routes"
        )
    return starts_at, ends_at


def _duration(text: str) -> timedelta:
    found = _DURATION.match(text)
    if found is None or int(found[1]) == 0:
        raise UsageError(f"--for {shown(text)} is no duration; write 30m, 12h, 3d or 2w")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def _instant(asked: Asked, name: str) -> datetime | None:
    text = asked.text(name, name)
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{shown(text)} is no time; write 2024-05-06T18:00Z") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def numbers(arguments: Mapping[str, Any], name: str, what: str) -> list[int]:
    """The numbers that a command names, each once.

    Raises:
        UsageError: there are none, or something else stands there.
    """
    given = arguments.get(name)
    found = given if isinstance(given, list) else []
    if not found or not all(type(one) is int and 0 < one < 2**63 for one in found):
        raise UsageError(f"name the {what} by its number")
    return list(dict.fromkeys(found))


# --- acknowledgements and verdicts ------------------------------------------------------------


def acknowledge(tx: sqlite3.Connection, asked: Asked) -> Rows:
    """Someone has taken these alerts on."""
    note = asked.text("note", "the note")
    rows = []
    for alert in _alerts(tx, asked):
        people.acknowledge(tx, alert.id, asked.now, asked.who, note)
        over = "" if alert.state == "active" else f"the alert is {alert.state}: no reminder is due"
        rows.append(_acted(alert, asked, acknowledged_by=asked.who, note=note, remark=over))
    return rows


def judge(tx: sqlite3.Connection, asked: Asked) -> Rows:
    """Someone says whether an alert was true."""
    note = asked.text("note", "the note")
    word = asked.text("verdict", "the verdict", needed=True)
    verdict = next((one for one in VERDICTS if one == word), None)
    if verdict is None:
        hint = did_you_mean(word, VERDICTS)
        raise UsageError(f"no verdict {shown(word)}{hint}; there are {', '.join(VERDICTS)}")
    rows = []
    for alert in _alerts(tx, asked):
        people.add_verdict(tx, alert.id, verdict, note, asked.who, asked.now)
        counts = people.precision(tx)[alert.rule_id]
        rows.append(
            _acted(
                alert, asked, verdict=verdict, judged_by=asked.who, note=note,
                precision=counts.counts(),
            )
        )  # fmt: skip
    return rows


def find_alert(connection: sqlite3.Connection, name: str) -> Alert:
    """The alert of that id, or the one whose id begins so.

    Raises:
        UsageError: there is none, or more than one.
    """
    ids = ledger.ids_that_begin(connection, name, limit=3)
    exact = ids[:1] == [name]
    if not exact and len(ids) > 1:
        raise UsageError(f"more than one alert begins with {shown(name)}: {', '.join(ids)}")
    if not ids or (not exact and len(name) < SHORTEST_PREFIX):
        hint = did_you_mean(name, ledger.newest_ids(connection, limit=1_000))
        raise UsageError(f"no alert {shown(name)}{hint}; `warden alerts` lists them")
    return ledger.load_alerts(connection, alert_id=ids[0])[0]


def _alerts(tx: sqlite3.Connection, asked: Asked) -> list[Alert]:
    given = asked.arguments.get("alerts")
    names = given if isinstance(given, list) else []
    if not names or not all(isinstance(one, str) and one for one in names):
        raise UsageError("name the alert by its id; `warden alerts` lists them")
    found = {alert.id: alert for alert in (find_alert(tx, name) for name in names)}
    return list(found.values())


def _acted(alert: Alert, asked: Asked, **more: Any) -> dict[str, Any]:
    return {
        "alert_id": alert.id,
        "rule": alert.rule_id,
        "state": alert.state,
        "severity": alert.severity,
        "at": instant_text(asked.now),
        **more,
    }


# --- releases ---------------------------------------------------------------------------------


def release(tx: sqlite3.Connection, asked: Asked) -> Rows:
    """Let messages that wait for a person's word go: these, a receiver's, or all."""
    waiting = {row["id"]: row for row in outbox.in_review(tx)}
    chosen = _chosen(asked, waiting)
    outbox.release(tx, chosen, asked.now, asked.who)
    return [{**waiting[number], "released_by": asked.who} for number in chosen]


def _chosen(asked: Asked, waiting: Mapping[int, Mapping[str, Any]]) -> list[int]:
    receiver = asked.text("receiver", "the receiver")
    if asked.arguments.get("all"):
        return list(waiting)
    if receiver:
        names = {row["receiver"] for row in waiting.values()}
        if receiver not in names:
            hint = did_you_mean(receiver, names)
            raise UsageError(f"nothing waits for release to {shown(receiver)}{hint}")
        return [number for number, row in waiting.items() if row["receiver"] == receiver]
    named = numbers(asked.arguments, "ids", "message")
    unknown = [number for number in named if number not in waiting]
    if unknown:
        listed = ", ".join(map(str, unknown))
        raise UsageError(f"{listed} waits for no release; `warden release --list` tells what does")
    return named


SENDS: Final = frozenset({"release", "silence-expire"})  # what waited may go at once
COMMANDS: Final[Mapping[str, Callable[[sqlite3.Connection, Asked], Rows]]] = {
    "silence-add": add_silence,
    "silence-expire": expire_silence,
    "ack": acknowledge,
    "verdict": judge,
    "release": release,
}
