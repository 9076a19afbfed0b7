"""Several notices of one alert into the one that is told.

Standing in the flow: what was held back, or gathered for a digest, is told once, as it is now.
Notices themselves never change; this makes the words' input when a message is rendered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from warden.model.delivery import Hold
from warden.model.notice import Change, Notice
from warden.model.rule import level_rank

_ENDS = ("resolved", "cancel")


def closes(notice: Notice) -> bool:
    """Whether a notice says that its alert is over."""
    return notice.action in _ENDS or notice.reason == "NO_LONGER_MATCHES"


def is_over(notice: Notice) -> bool:
    """Whether its alert is over: it says so, or that ended before anybody was told."""
    return closes(notice) or bool(notice.facts.get("over"))


def collapsed(notices: Sequence[Notice], *, heard: bool) -> Notice:
    """The one notice that stands for these of one alert, in the order they were decided.

    `heard`: the reader was told of the alert before. Who was not reads an alert with the newest
    facts, also of one that ended unheard and is active again; when it has ended since,
    `facts["over"]` says how and when.
    """
    newest = notices[-1]
    if not heard and (len(notices) > 1 or _is_news_of_the_told(newest)):
        return _first_told(notices)
    if len(notices) == 1:
        return newest
    if closes(newest):
        return replace(newest, changes=merged_changes(notices))
    again = [notice for notice in notices if notice.action == "alert"]
    if again:  # it had been withdrawn, and is back
        return replace(newest, action="alert", reason=again[-1].reason, changes=())
    updates = [notice for notice in notices if notice.action == "update" and not closes(notice)]
    if not updates:
        return newest
    facts = {**newest.facts, **_new_evidence(notices)}
    reason = updates[-1].reason
    changes = merged_changes(notices)
    return replace(newest, action="update", reason=reason, changes=changes, facts=facts)


def _is_news_of_the_told(notice: Notice) -> bool:
    """Whether it says what is new of something that its reader must have heard of."""
    return notice.action in ("update", "reminder") and not closes(notice)


def _first_told(notices: Sequence[Notice]) -> Notice:
    """What a reader who never heard of the alert is told: that it is there, as it is now."""
    tellings = [notice for notice in notices if not closes(notice)] or list(notices)
    newest, first = tellings[-1], tellings[0]
    again = newest.reason == "REOPENED"
    reason = first.reason if first.action == "alert" else newest.reason if again else "FIRST"
    facts: dict[str, Any] = {**newest.facts, **_new_evidence(tellings)}
    last = notices[-1]
    if closes(last):
        facts["over"] = _end(last)
    return replace(newest, action="alert", reason=reason, changes=(), facts=facts)


def without(summary: Notice, over: AbstractSet[str]) -> Notice:
    """A summary that no longer speaks of these alerts: they were over before it was told."""
    items = tuple(item for item in summary.items if item.get("alert_id") not in over)
    total = summary.facts.get("total")
    if len(items) == len(summary.items) or not isinstance(total, int):
        return summary
    left = total - len(over)
    facts = {**summary.facts, "total": left, "shown": len(items)}
    severity = summary.severity
    if left == len(items):  # all that is left is listed
        severity = max((item["severity"] for item in items), key=level_rank)
    return replace(summary, items=items, facts=facts, severity=severity)


def with_ends(notices: Sequence[Notice]) -> list[Notice]:
    """Notices of one message; what is told together with its own end says so from the start."""
    ends = {notice.alert_id: _end(notice) for notice in notices if closes(notice)}
    return [
        replace(notice, facts={**notice.facts, "over": ends[notice.alert_id]})
        if notice.action == "alert" and notice.alert_id in ends
        else notice
        for notice in notices
    ]


def _end(notice: Notice) -> dict[str, str]:
    return {"action": notice.action, "reason": notice.reason, "at": notice.at.isoformat()}


def _new_evidence(notices: Iterable[Notice]) -> dict[str, Any]:
    """The events that any of these told first."""
    found = [uid for notice in notices for uid in notice.facts.get("new_evidence") or ()]
    return {"new_evidence": list(dict.fromkeys(found))} if found else {}


def merged_changes(notices: Iterable[Notice]) -> tuple[Change, ...]:
    """What changed from before the first of these to after the last of them."""
    first: dict[str, Any] = {}
    last: dict[str, Any] = {}
    for change in (change for notice in notices for change in notice.changes):
        first.setdefault(change.field, change.old)
        last[change.field] = change.new
    return tuple(Change(name, first[name], new) for name, new in last.items() if first[name] != new)


def held_back(notice: Notice, hold: Hold | None) -> Notice:
    """The notice, with why and since when it waited, for its reader to know."""
    if hold is None or hold.since is None:
        return notice
    said = {"reason": hold.reason, "since": hold.since.isoformat(), "detail": hold.detail}
    return replace(notice, facts={**notice.facts, "held_back": said})
