"""Alerts about warden itself: what is wrong, what is not known because of it, and what to do.

Standing in the flow: `first_line` and `body` hand notices of the kind `feed` over to this. The
facts are those of `warden.engine.kinds.feed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from warden.model.notice import Notice
from warden.notify.render.parts import clean, day_of, instant_of, number_of, paragraph
from warden.notify.render.voice import Voice

_SHORT = 60
# Sources in these states may tell something, only not what is recent.
_SHORTENED = frozenset({"embargoed", "stale"})


def is_health(facts: Mapping[str, Any]) -> bool:
    """Whether it is warden's own health, of one subject."""
    return facts.get("kind") == "feed" and bool(facts.get("subject"))


def health_lines(notice: Notice, voice: Voice) -> list[str]:
    """The first line, richest first."""
    facts = notice.facts
    begun = instant_of(facts.get("began_at"))
    since = "" if begun is None else voice.day(voice.local_day(begun))
    named = headline(facts, voice)
    if _is_over(facts):
        return [_after(facts, voice), _over(facts, voice)]
    tail = ", ".join(part for part in (_since(since, voice), _unknown_short(facts, voice)) if part)
    lines = [f"{named} {tail}", f"{named} {_since(since, voice)}".strip(), named]
    if facts.get("subject") == "actors":
        lines = [f"{named}: {clean(facts.get('detail') or '', 100)}", named]
    return lines


def headline(facts: Mapping[str, Any], voice: Voice) -> str:
    """What is wrong with whom, without when: also a line of a summary."""
    subject, name = str(facts.get("subject")), clean(facts.get("name") or "", _SHORT)
    count = int(number_of(facts.get("count")) or 1)
    if subject == "source":
        return voice.say("health.source", name=name, state=state_words(facts, voice))
    return voice.say(f"health.{subject}", count, name=name)


def state_words(facts: Mapping[str, Any], voice: Voice) -> str:
    """A source's state as people say it; its own name where no words are known."""
    state = clean(facts.get("state") or "")
    key = f"health.state.{state}"
    return voice.say(key) if voice.has(key) else state


def health_words(notice: Notice, voice: Voice) -> Iterable[str]:
    """What is wrong, since when, and what is not known because of it."""
    facts = notice.facts
    begun, over = instant_of(facts.get("began_at")), instant_of(facts.get("over_at"))
    if _is_over(facts):
        yield _over(facts, voice)
    else:
        yield headline(facts, voice) + "."
    if begun is not None and over is not None:
        yield voice.say("health.lasted", begun=voice.instant(begun), over=voice.instant(over))
    elif begun is not None:
        yield voice.say("health.began", begun=voice.instant(begun))
    if facts.get("detail"):
        yield voice.say("health.said", detail=clean(facts["detail"], 600))
    yield _unknown(facts, voice)


def health_advice(notice: Notice, voice: Voice) -> Iterable[str]:
    """The rule's own runbook, and what helps in this state; nothing once it is over."""
    facts = notice.facts
    if _is_over(facts):
        return
    yield paragraph(facts.get("runbook") or "")
    key = f"health.todo.{facts.get('state')}"
    if voice.has(key):
        yield voice.say(key, name=clean(facts.get("name") or ""))


def _is_over(facts: Mapping[str, Any]) -> bool:
    return bool(facts.get("over_at"))


def _since(day: str, voice: Voice) -> str:
    return voice.say("health.since", day=day) if day else ""


def _unknown_short(facts: Mapping[str, Any], voice: Voice) -> str:
    if facts.get("subject") == "rule":
        return voice.say("health.rule_silent")
    if facts.get("subject") != "source":
        return ""
    through = day_of(facts.get("known_through"))
    if through is None or facts.get("state") not in _SHORTENED:
        return voice.say("health.nothing_new")
    return voice.say("health.nothing_after", day=voice.day(through))


def _unknown(facts: Mapping[str, Any], voice: Voice) -> str:
    if facts.get("subject") != "source":
        return ""
    through = day_of(facts.get("known_through"))
    if through is not None:
        return voice.say("health.unknown_after", day=voice.numeric_day(through))
    begun = instant_of(facts.get("began_at"))
    if begun is None or _is_over(facts):
        return voice.say("health.unknown_at_all")
    return voice.say("health.unknown_since", day=voice.numeric_day(voice.local_day(begun)))


def _after(facts: Mapping[str, Any], voice: Voice) -> str:
    """That it is over, and after how many days."""
    begun, over = instant_of(facts.get("began_at")), instant_of(facts.get("over_at"))
    said = _over(facts, voice)
    days = 0 if begun is None or over is None else (over - begun).days
    return voice.say("health.over.after", days, said=said) if days > 0 else said


def _over(facts: Mapping[str, Any], voice: Voice) -> str:
    subject, then = str(facts.get("subject")), str(facts.get("then") or "ok")
    name = clean(facts.get("name") or "", _SHORT)
    if subject == "source" and then not in ("ok", "removed"):
        words = state_words({"state": then}, voice)
        return voice.say("health.over.changed", name=name, state=words)
    key = f"health.over.{subject}_{then}"
    return voice.say(key if voice.has(key) else f"health.over.{subject}", name=name)
