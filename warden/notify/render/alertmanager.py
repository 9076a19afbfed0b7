"""Notices in Alertmanager's two forms: its webhook's payload, and what its own API takes.

The webhook form is version 4 of the payload that Alertmanager sends to webhook receivers, so that
whatever was written for those can be pointed at warden. The API form is the list that
`POST /api/v2/alerts` accepts, for handing alerts over to an Alertmanager.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from warden.model.notice import Notice
from warden.model.rule import LEVELS
from warden.notify.collapse import is_over
from warden.notify.plan import labels_of, listed_labels
from warden.notify.render.parts import clean, day_of, paragraph

NEVER = "0001-01-01T00:00:00Z"  # Alertmanager's "has not ended" (Go's zero time)
# Without an end Alertmanager takes an alert for over after its own resolve_timeout, minutes.
HOLDS = timedelta(days=7)
_NOT_A_NAME = re.compile(r"[^a-zA-Z0-9_]")
_OFFSET, _PRIME, _SEPARATOR = 0xCBF29CE484222325, 0x100000001B3, b"\xff"


def webhook(
    receiver: str, notices: Sequence[Notice], lines: Sequence[str], *, url: str
) -> dict[str, Any]:
    """The payload of Alertmanager's webhook, version 4; `lines` are the notices' first lines.

    Receivers know an alert by its labels or their fingerprint, severity among them: when that
    changed, the alert under the old one is resolved in the same message.
    """
    alerts: list[dict[str, Any]] = []
    for notice, line in zip(notices, lines, strict=True):
        alerts.append(_alert(notice, line, url, over=is_over(notice)))
        before = _former(notice)
        if before is not None:
            alerts.append(_alert(before, line, url, over=True))
    group = _common([_identity(notice) for notice in notices])
    return {
        "version": "4",
        "groupKey": "{}:" + _braced(group or {"receiver": receiver}),
        "truncatedAlerts": 0,
        "status": "firing" if any(a["status"] == "firing" for a in alerts) else "resolved",
        "receiver": receiver,
        "groupLabels": group,
        "commonLabels": _common([alert["labels"] for alert in alerts]),
        "commonAnnotations": _common([alert["annotations"] for alert in alerts]),
        "externalURL": url,
        "alerts": alerts,
    }


def posted(
    notices: Sequence[Notice], lines: Sequence[str], now: datetime, *, url: str
) -> list[dict[str, Any]]:
    """The alerts as `POST /api/v2/alerts` takes them.

    Alertmanager knows an alert by its labels, severity among them: when that changed, the alert
    under the old one is ended with the same call.
    """
    made: list[dict[str, Any]] = []
    for notice, line in zip(notices, lines, strict=True):
        made.append(_posted(notice, line, now, url, over=is_over(notice)))
        before = _former(notice)
        if before is not None:
            made.append(_posted(before, line, now, url, over=True))
    return made


def fingerprint(labels: Mapping[str, str]) -> str:
    """Alertmanager's identity of an alert: FNV-1a, 64 bits, over its sorted labels."""
    value = _OFFSET
    for name in sorted(labels):
        for part in (name.encode(), _SEPARATOR, labels[name].encode(), _SEPARATOR):
            for byte in part:
                value = (value ^ byte) * _PRIME & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def alert_labels(notice: Notice) -> dict[str, str]:
    """An alert's labels by Alertmanager's rules for names; `alertname` is the rule.

    What changes from notice to notice of one alert is none of them, but for the severity.
    """
    listed = listed_labels(notice)
    own = {**_common(listed), "severity": notice.severity} if listed else labels_of(notice)
    labels = {**own, "alertname": notice.rule_id, "alert_id": notice.alert_id}
    del labels["action"]
    return {_name(name): clean(value) for name, value in sorted(labels.items()) if clean(value)}


def _identity(notice: Notice) -> dict[str, str]:
    return {"alertname": notice.rule_id, "alert_id": notice.alert_id}


def _alert(notice: Notice, line: str, url: str, *, over: bool) -> dict[str, Any]:
    labels = alert_labels(notice)
    return {
        "status": "resolved" if over else "firing",
        "labels": labels,
        "annotations": _annotations(notice, line),
        "startsAt": _start(notice),
        "endsAt": _stamp(notice.at) if over else NEVER,
        "generatorURL": url,
        "fingerprint": fingerprint(labels),
    }


def _posted(notice: Notice, line: str, now: datetime, url: str, *, over: bool) -> dict[str, Any]:
    data = {
        "labels": alert_labels(notice),
        "annotations": _annotations(notice, line),
        "startsAt": min(_start(notice), _stamp(now)),
        "endsAt": _stamp(now if over else now + HOLDS),
    }
    return {**data, "generatorURL": url} if url else data


def _former(notice: Notice) -> Notice | None:
    """The alert under the severity it was last told with, where that was another one."""
    told = [change.old for change in notice.changes if change.field == "severity"]
    told.append(notice.facts.get("told_severity"))
    for severity in told:
        if severity in LEVELS and severity != notice.severity:
            return replace(notice, severity=severity)
    return None


def _annotations(notice: Notice, line: str) -> dict[str, str]:
    facts = notice.facts
    ids = [clean(event.get("id") or "") for event in facts.get("events") or ()]
    told = {
        "summary": line,
        "title": clean(notice.title),
        "description": paragraph(facts.get("description") or ""),
        "runbook": paragraph(facts.get("runbook") or ""),
        "action": notice.action,
        "reason": notice.reason,
        "event_ids": ", ".join(one for one in ids if one),
    }
    return {name: value for name, value in told.items() if value}


def _start(notice: Notice) -> str:
    """When it began: the first day of its evidence, which its notices share."""
    day = day_of(notice.facts.get("first_day"))
    moment = notice.at if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)
    return _stamp(min(moment, notice.at))


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _common(many: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {
        name: value
        for name, value in many[0].items()
        if all(other.get(name) == value for other in many[1:])
    }


def _braced(labels: Mapping[str, str]) -> str:
    parts = ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
    return "{" + parts + "}"


def _name(text: str) -> str:
    name = _NOT_A_NAME.sub("_", text)
    return f"_{name}" if name[:1].isdigit() else name
