"""Why a message comes later than it was decided, in a sentence.

Standing in the flow: `deliver` notes what held a notice back (`facts["held_back"]`), and that an
alert ended before anybody was told (`facts["over"]`); `body` puts it before the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from warden.model.notice import Notice
from warden.notify.render.parts import clean, instant_of
from warden.notify.render.voice import Voice

_SILENCE = re.compile(r"silence (\d+) by (.+?): (.+)\Z")  # as `flushing` writes it


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
    told = _told(reason, clean(detail or "", 300))
    return voice.say(f"held_back.{reason}", since=voice.instant(moment), **told)


def _told(reason: str, detail: str) -> dict[str, Any]:
    """What a hold's detail says, in parts that any language can put into a sentence."""
    if reason == "SILENCED":
        found = _SILENCE.match(detail)
        number, who, comment = found.groups() if found else ("", "", detail)
        return {"silence": number, "who": who, "comment": comment}
    if reason == "INHIBITED":
        return {"alert": detail.removeprefix("alert ")}
    return {"interval": detail} if reason == "MUTED" else {}
