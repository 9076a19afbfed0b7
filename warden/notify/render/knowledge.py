"""When a reader may say that something was known, and from whom, in a sentence.

Standing in the flow: an event has two instants, when warden first saw it and when it counts as
known. They differ where a source's rows are older than warden's reading of it: then the source's
own stamp is the earlier, and warden must not tell that it knew.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from warden.notify.render.parts import day_of, instant_of
from warden.notify.render.voice import Voice

_EARLIEST_ZONE = timedelta(hours=14)  # ahead of UTC: where a day begins first


def reported_words(facts: Mapping[str, Any], event: Mapping[str, Any], voice: Voice) -> str:
    """Since when an event is known and how many of the reader's days after it; "" if untold."""
    happened = day_of(event.get("date"))
    known, by_source = _known(facts, event, happened)
    if known is None:
        return ""
    day = voice.local_day(known)
    late = 0 if happened is None else (day - happened).days
    phrase = "source_reported" if by_source else "reported"
    if late > 0:
        return voice.say(f"{phrase}_on", late, day=voice.numeric_day(day))
    return voice.say(phrase, day=voice.numeric_day(day))


def latest_known_words(facts: Mapping[str, Any], voice: Voice) -> str:
    """How many of the reader's days after the last event the newest was known; "" if at once."""
    known, last = instant_of(facts.get("known_at")), day_of(facts.get("last_day"))
    late = 0 if known is None or last is None else (voice.local_day(known) - last).days
    return voice.say("latest_known", late) if late > 0 else ""


def _known(
    facts: Mapping[str, Any], event: Mapping[str, Any], happened: date | None
) -> tuple[datetime | None, bool]:
    """Since when it is known, and whether that is its source's word and not warden's.

    `facts` speak of the alert, which another record may have begun: theirs go first.
    """
    own = instant_of(event.get("known_at"))
    known = instant_of(facts.get("known_at")) or own
    seen = instant_of(facts.get("first_seen_at"))
    if seen is None and known == own:
        seen = instant_of(event.get("first_seen_at"))
    if known is None or seen is None or known >= seen:
        return known or seen, False
    if happened is not None and (known + _EARLIEST_ZONE).date() < happened:
        return seen, False  # a stamp from before the event tells nothing of it
    return known, True
