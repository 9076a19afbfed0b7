"""The `warden` payload of webhooks and files: the minimum that another system needs.

A source's rows may not be passed on (ACLED's terms), so an event is named, placed and dated, not
copied: no notes unless the receiver may have them, no report names, coordinates to two decimals.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from importlib.resources import files
from typing import Any

from warden.model.citation import citation
from warden.model.notice import Notice
from warden.notify.render.gaps import Gap, gaps_of
from warden.notify.render.parts import clean, number_of
from warden.notify.routes import Receiver

VERSION = 1
_EVENT_TEXTS = (
    "id", "dataset", "date", "date_end", "event_type", "sub_event_type", "iso3", "country",
    "admin1", "location", "certainty", "place", "place_title", "border_neighbour", "side",
)  # fmt: skip
_EVENT_NUMBERS = (
    "time_precision", "geo_precision", "location_error_km", "fatalities", "fatalities_low",
    "fatalities_high", "distance_km", "bearing_deg", "border_km",
)  # fmt: skip
_FACT_NUMBERS = (
    "value", "window_days", "event_count", "reports", "fatalities", "nth_in_12_months",
    "previous_12_months", "reported_late_days", "observed", "expected", "low", "high", "ratio", "p",
    "recurrence_days", "held", "total", "completeness",
)  # fmt: skip
_HEALTH_TEXTS = ("subject", "name", "state", "began_at", "over_at", "then", "detail")
_FACT_DAYS = ("first_day", "last_day", "since", "until")


def schema() -> dict[str, Any]:
    """The JSON Schema of the payload, as shipped."""
    text = files("warden.notify.render").joinpath("webhook.schema.json").read_text("utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


def payload(
    receiver: Receiver,
    notices: Sequence[Notice],
    lines: Sequence[str],
    now: datetime,
    *,
    message_id: str,
    subject: str,
    with_notes: bool,
    gaps: Sequence[Gap] = (),
) -> dict[str, Any]:
    """The message as plain JSON data; `lines` are the notices' first lines in its language."""
    return {
        "type": "warden.message",
        "version": VERSION,
        "id": message_id,
        "created_at": _stamp(now),
        "receiver": receiver.name,
        "language": receiver.language,
        "subject": subject,
        "severity": notices[0].severity,
        "exercise": any(notice.exercise for notice in notices),
        "notices": [
            _notice(notice, line, gaps_of(notice, gaps), with_notes=with_notes)
            for notice, line in zip(notices, lines, strict=True)
        ],
    }


def _notice(notice: Notice, line: str, gaps: Sequence[Gap], *, with_notes: bool) -> dict[str, Any]:
    facts = notice.facts
    data: dict[str, Any] = {
        "id": notice.id,
        "alert_id": notice.alert_id,
        "action": notice.action,
        "reason": notice.reason,
        "at": _stamp(notice.at),
        "severity": notice.severity,
        "exercise": notice.exercise,
        "first_line": line,
        "rule": {"id": notice.rule_id, "version": notice.rule_version, "title": notice.title},
        "labels": {name: str(value) for name, value in notice.labels},
        "key": {name: str(value) for name, value in notice.key},
        "kind": str(facts.get("kind") or ""),
        "facts": _facts(facts),
        "changes": [
            {"field": change.field, "old": _plain(change.old), "new": _plain(change.new)}
            for change in notice.changes
        ],
        "events": [_event(e, with_notes=with_notes) for e in facts.get("events") or ()],
        "merged_into": [_event(e, with_notes=False) for e in facts.get("merged_into") or ()],
        "items": [_item(item) for item in notice.items],
        "citations": [
            citation(str(name), notice.at.astimezone(UTC).date().isoformat(), clean(notice.title))
            for name in facts.get("datasets") or ()
        ],
    }
    if gaps:
        data["no_data_since"] = {gap.source: gap.since.isoformat() for gap in gaps}
    change, renamed = facts.get("reporting_change"), facts.get("renamed_from")
    if change:
        names = ("late", "new_sources", "excess")
        data["reporting_change"] = {name: number_of(change.get(name)) or 0 for name in names}
    if renamed:
        data["possible_rename_of"] = clean(renamed.get("name") or "")
    if facts.get("kind") == "feed" and facts.get("subject"):
        data["health"] = _health(facts)
    if facts.get("now"):
        data["now"] = _event(facts["now"], with_notes=False)
    return data


def _facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {name: number_of(facts.get(name)) for name in _FACT_NUMBERS}
    data |= {name: _day(facts.get(name)) for name in _FACT_DAYS}
    return {name: value for name, value in data.items() if value is not None}


def _health(facts: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: clean(facts.get(name) or "") for name in _HEALTH_TEXTS}
    return {
        **texts,
        "count": number_of(facts.get("count")),
        "known_through": _day(facts.get("known_through")),
    }


def _event(event: Mapping[str, Any], *, with_notes: bool) -> dict[str, Any]:
    data: dict[str, Any] = {
        name: clean(event[name]) for name in _EVENT_TEXTS if event.get(name) not in (None, "")
    }
    for name in _EVENT_NUMBERS:
        value = number_of(event.get(name))
        if value is not None:
            data[name] = value
    for name in ("lat", "lon"):
        value = number_of(event.get(name))
        if value is not None:
            data[name] = round(value, 2)
    data["civilian_targeting"] = bool(event.get("civilian_targeting"))
    data["involved"] = [clean(name) for name in event.get("matched_actors") or ()]
    if with_notes and event.get("notes"):
        data["notes"] = clean(event["notes"], 10_000)
    return data


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    data = {
        "alert_id": str(item.get("alert_id") or ""),
        "severity": str(item.get("severity") or "info"),
        "key": {str(name): str(value) for name, value in (item.get("key") or {}).items()},
        "first_day": _day(item.get("first_day")),
        "last_day": _day(item.get("last_day")),
        "value": number_of(item.get("value")),
        "event_count": number_of(item.get("event_count")),
        "fatalities": number_of(item.get("fatalities")),
    }
    data = {name: value for name, value in data.items() if value is not None}
    if item.get("event"):
        data["event"] = _event(item["event"], with_notes=False)
    return data


def _day(value: object) -> str | None:
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        return None


def _plain(value: object) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    number = number_of(value)
    return str(value) if number is None else number


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
