"""Why a message comes later than it was decided, in a sentence.

Standing in the flow: `deliver` notes what held a notice back (`facts["held_back"]`), and that an
alert ended before anybody was told (`facts["over"]`); `body` puts it before the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from warden.model.notice import Notice
from warden.notify.render.parts import clean, instant_of
from warden.notify.render.voice import Voice


def lateness(notice: Notice, voice: Voice) -> Iterable[str]:
    """Since when and by what it was held back; that it is over already."""
    held, over = notice.facts.get("held_back"), notice.facts.get("over")
    if isinstance(held, Mapping):
        yield _said(str(held.get("reason")), held.get("since"), held.get("detail"), voice)
    if isinstance(over, Mapping):
        yield _said("OVER", over.get("at"), "", voice)


def _said(reason: str, since: Any, detail: Any, voice: Voice) -> str:
    moment = instant_of(since)
    if moment is None or not voice.has(f"held_back.{reason}"):
        return ""
    words = clean(detail or "", 300)
    return voice.say(f"held_back.{reason}", since=voice.instant(moment), detail=words)
