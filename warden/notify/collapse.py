"""Several notices of one alert into the one that is told.

Standing in the flow: what was held back, or gathered for a digest, is told once, as it is now.
Notices themselves never change; this makes the words' input when a message is rendered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from warden.model.delivery import Hold
from warden.model.notice import Change, Notice

_ENDS = ("resolved", "cancel")


def closes(notice: Notice) -> bool:
    """Whether a notice says that its alert is over."""
    return notice.action in _ENDS or notice.reason == "NO_LONGER_MATCHES"


def collapsed(notices: Sequence[Notice], *, heard: bool) -> Notice:
    """The one notice that stands for these of one alert, in the order they were decided.

    `heard`: the reader was told of the alert before. Who was not reads an alert with the newest
    facts, also of one that ended unheard and is active again; when it has ended since,
    `facts["over"]` says how and when.
    """
    newest = notices[-1]
    if len(notices) == 1 and (heard or newest.reason != "REOPENED"):
        return newest
    if not heard:
        return _first_told(notices)
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


def _first_told(notices: Sequence[Notice]) -> Notice:
    """What a reader who never heard of the alert is told: that it is there, as it is now."""
    tellings = [notice for notice in notices if not closes(notice)] or list(notices)
    newest, first = tellings[-1], tellings[0]
    reason = first.reason if first.action == "alert" else newest.reason
    facts: dict[str, Any] = {**newest.facts, **_new_evidence(tellings)}
    last = notices[-1]
    if closes(last):
        facts["over"] = {"reason": last.reason, "at": last.at.isoformat()}
    return replace(newest, action="alert", reason=reason, changes=(), facts=facts)


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
