"""The built-in form: what goes out when a template cannot be used. No template is involved.

`plain_text` arranges the usual words; `bare_text` is for when even the words cannot be used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from warden.model.citation import citation
from warden.model.notice import Notice
from warden.notify.render.parts import clean, newest, number_of

_LIMIT = 160


def plain_text(view: Mapping[str, Any]) -> str:
    """The message's words as plain text."""
    lines = [str(view["fallback"]), ""]
    for notice in view["notices"]:
        lines += [notice["first_line"], "", *notice["notes"]]
        for change in notice["changes"]:
            lines.append(change["line"])
        for section in (*notice["first_sections"], *notice["sections"]):
            lines += ["", section["label"].upper(), *section["lines"]]
        if notice["table"]:
            lines += ["", *("- " + " | ".join(row) for row in notice["table"]["rows"])]
            lines += [notice["table"]["more"]] if notice["table"]["more"] else []
        lines += ["", *notice["citations"], f"{view['words']['alert_word']} {notice['alert_id']}"]
        lines += ["", "-" * 60, ""]
    return "\n".join([*lines, str(view["footer"])]) + "\n"


def bare_line(notice: Notice) -> str:
    """Severity, action, title, place, day and deaths, in English."""
    event = newest(notice)
    km, place = number_of(event.get("distance_km")), clean(event.get("place_title") or "")
    parts = [
        clean(notice.title) or clean(notice.rule_id),
        f"{km:.0f} km from {place}" if km is not None and place else "",
        clean(event.get("location") or ""),
        clean(event.get("date") or notice.facts.get("last_day") or ""),
    ]
    deaths = number_of(event.get("fatalities"))
    if deaths is not None:
        parts.append(f"{deaths:g} dead")
    mark = "EXERCISE " if notice.exercise else ""
    line = f"{mark}{notice.severity.upper()} {notice.action}: {', '.join(p for p in parts if p)}"
    return line if len(line) <= _LIMIT else line[: _LIMIT - 1] + "…"


def bare_text(notices: Sequence[Notice], reason: str) -> str:
    """The least that has to be said."""
    lines = [f"The template for this message could not be used ({reason}).", ""]
    for notice in notices:
        lines += [bare_line(notice), f"Rule: {clean(notice.rule_id)}", f"Reason: {notice.reason}"]
        ids = [clean(event.get("id") or "") for event in notice.facts.get("events") or ()]
        if any(ids):
            lines.append(f"Event ids: {', '.join(name for name in ids if name)}")
        lines += [
            f"{clean(change.field)}: {clean(change.old)} -> {clean(change.new)}"
            for change in notice.changes
        ]
        runbook = clean(notice.facts.get("runbook") or "")
        if runbook:
            lines.append(f"What to do: {runbook}")
        accessed = notice.at.date().isoformat()
        lines += [citation(str(name), accessed) for name in notice.facts.get("datasets") or ()]
        lines += [f"Alert {notice.alert_id}", ""]
    return "\n".join(lines)
