"""What the bodies for other systems say: CAP's words in each language, Alertmanager's data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from warden.model.notice import Notice
from warden.notify.formats import ALERTMANAGER_API
from warden.notify.render import alertmanager, cap
from warden.notify.render.body import notice_view
from warden.notify.render.first_line import first_line, region_of, where_line
from warden.notify.render.gaps import Gap
from warden.notify.render.parts import clean, paragraph
from warden.notify.render.plain import bare_line, bare_text
from warden.notify.render.voice import Voice

_PLACES = 5


def alertmanager_body(
    body: str,
    receiver: str,
    notices: Sequence[Notice],
    lines: Sequence[str],
    *,
    now: datetime,
    url: str,
) -> Any:
    """Plain JSON data in one of Alertmanager's two forms."""
    if body == ALERTMANAGER_API:
        return alertmanager.posted(notices, lines, now, url=url)
    return alertmanager.webhook(receiver, notices, lines, url=url)


def cap_words(notice: Notice, voice: Voice, gaps: Sequence[Gap]) -> cap.Words:
    """What a CAP `info` says in one language."""
    view = notice_view(notice, voice, gaps)
    parts = ["\n".join(view["notes"])]
    parts += [f"{c['label']}: {c['old'] or '-'} → {c['new']}" for c in view["changes"]]
    runbook = paragraph(notice.facts.get("runbook") or "")
    for section in (*view["first_sections"], *view["sections"]):
        lines = [line for line in section["lines"] if line != runbook]
        if lines:
            parts.append("\n".join([f"{section['label']}:", *lines]))
    parts.append("\n".join(view["citations"]))
    return cap.Words(
        language=voice.language,
        event=clean(notice.title) or clean(notice.rule_id),
        headline=first_line(notice, voice),
        description="\n\n".join(part for part in parts if part),
        instruction=runbook,
        area=_area(notice, voice),
    )


def bare_words(notice: Notice, reason: str) -> cap.Words:
    """The least, in English, for when no language's words can be used."""
    runbook = paragraph(notice.facts.get("runbook") or "")
    title = clean(notice.title) or clean(notice.rule_id)
    return cap.Words("en", title, bare_line(notice), bare_text([notice], reason), runbook, title)


def _area(notice: Notice, voice: Voice) -> str:
    """The places of the events, newest first, each once."""
    named = []
    for event in notice.facts.get("events") or ():
        where = where_line(event, voice)
        name = clean(event.get("location") or "") if event.get("geo_precision") != 3 else ""  # noqa: PLR2004
        outer = region_of(event, voice)
        named.append(", ".join(dict.fromkeys(part for part in (name, where or outer) if part)))
    shown = list(dict.fromkeys(name for name in named if name))[:_PLACES]
    return "; ".join(shown)
