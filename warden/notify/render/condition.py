"""What a rule asks, as one phrase: "events within 150 km of Bamako involving …"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from warden.model.event import EVENT_TYPES
from warden.notify.render.first_line import event_type_words
from warden.notify.render.measures import measure_words
from warden.notify.render.parts import clean, number_of
from warden.notify.render.voice import Voice, starts_with_vowel

_BOUNDS = {"gte": "at_least", "gt": "more_than", "lte": "at_most", "lt": "less_than"}
_MAX_NAMES = 6
_TYPES = {name.casefold(): name for name in EVENT_TYPES}  # predicates hold folded text


def condition_words(condition: Mapping[str, Any], voice: Voice) -> str:
    """The rule's condition in the reader's language; a ready `text` is taken as it is."""
    if condition.get("text"):
        return clean(condition["text"])
    parts = [part for part in (*_events(condition, voice), *_window(condition, voice)) if part]
    return voice.say("between").join(parts)


def _events(condition: Mapping[str, Any], voice: Voice) -> Iterable[str]:
    coded = [_TYPES.get(str(name), clean(name)) for name in condition.get("event_types") or ()]
    types = [event_type_words(name, voice) for name in coded]
    if types:
        yield voice.say("asks.event_types", types=voice.join(_short(types, voice)))
    groups = [clean(name) for name in condition.get("actor_groups") or ()]
    if groups:
        yield voice.say("asks.actor_groups", groups=voice.join(_short(groups, voice)))
    if condition.get("civilian_targeting") is True:
        yield voice.say("asks.civilians")
    yield from _deaths(condition, voice)
    yield _near(condition, voice)
    yield _border(condition, voice)
    countries = [voice.country(str(code)) for code in condition.get("countries") or ()]
    if condition.get("region"):
        countries.append(clean(condition["region"]))
    if countries:
        yield voice.say("asks.inside", places=voice.join(_short(countries, voice)))
    location = condition.get("location")
    if location in ("certain", "possible"):
        yield voice.say(f"asks.location_{location}")


def _deaths(condition: Mapping[str, Any], voice: Voice) -> Iterable[str]:
    bounds = condition.get("fatalities")
    for name, words in _BOUNDS.items():
        value = number_of(bounds.get(name)) if isinstance(bounds, Mapping) else None
        if value is not None:
            yield voice.say(f"asks.{words}", value=voice.say("dead", value))


def _near(condition: Mapping[str, Any], voice: Voice) -> str:
    km = number_of(condition.get("within_km"))
    if km is None:
        return ""
    names = [clean(name) for name in condition.get("places") or ()]
    if not names and condition.get("place_title"):
        names = [clean(condition["place_title"])]
    if condition.get("line"):
        names.append(clean(condition["line"]))
    near = voice.join(_short(names, voice))
    return voice.say("asks.near", km=voice.km(km), places=near, vowel=starts_with_vowel(near))


def _border(condition: Mapping[str, Any], voice: Voice) -> str:
    km = number_of(condition.get("border_within_km"))
    if km is None:
        return ""
    neighbours = [voice.country(str(code)) for code in condition.get("border_with") or ()]
    own = voice.country(str(condition.get("border_of") or ""))
    return voice.say(
        "asks.border",
        km=voice.km(km),
        country=own,
        neighbours=voice.join(_short(neighbours, voice)),
    )


def _window(condition: Mapping[str, Any], voice: Voice) -> Iterable[str]:
    bounds = condition.get("condition") or condition.get("bound") or {}
    days = number_of(condition.get("window"))
    for name, words in _BOUNDS.items():
        value = number_of(bounds.get(name)) if isinstance(bounds, Mapping) else None
        if value is not None:
            counted = measure_words(str(condition.get("measure") or "events"), voice, value)
            asked = voice.say(f"asks.{words}", value=f"{voice.number(value)} {counted}")
            yield asked if days is None else f"{asked} {voice.say('asks.window', days)}"
            return
    if days is not None:
        counted = measure_words(str(condition.get("measure") or "events"), voice)
        yield f"{counted} {voice.say('asks.window', days)}"


def bound_words(bounds: Mapping[str, Any], voice: Voice) -> str:
    """Say "at least 3": a bound by itself; "" where there is none."""
    for name, words in _BOUNDS.items():
        value = number_of(bounds.get(name))
        if value is not None:
            return voice.say(f"asks.{words}", value=voice.number(value))
    return ""


def _short(names: list[str], voice: Voice) -> list[str]:
    """At most a few names, and how many more there are."""
    if len(names) <= _MAX_NAMES:
        return names
    return [*names[: _MAX_NAMES - 1], voice.say("others", len(names) - _MAX_NAMES + 1)]
