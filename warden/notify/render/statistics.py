"""What the statistical kinds found, in sentences: never a projection without its interval.

Standing in the flow: `body` puts these under what was counted. The facts are those of
`warden.engine.kinds`: a key that is not there says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from warden.notify.render.measures import measure_of, measure_words
from warden.notify.render.parts import clean, day_of, number_of
from warden.notify.render.voice import Voice

_LONGEST_RECURRENCE_YEARS = 20  # nobody can vouch for more
_NEAR = 10
_YEAR = re.compile(r"(?:19|20)\d\d")


def statistic_words(facts: Mapping[str, Any], voice: Voice) -> Iterable[str]:
    """The sentences that a signal's figures allow."""
    kind = facts.get("kind")
    if kind == "projection":
        yield from _projection(facts, voice)
    elif kind == "record":
        yield from _record(facts, voice)
    elif kind == "new":
        yield from _new(facts, voice)
    elif kind == "drift":
        yield from _drift(facts, voice)
    elif kind == "spike":
        yield from _spike(facts, voice)


def counted_in_period(facts: Mapping[str, Any], voice: Voice) -> str:
    """What a projection rests on: "31 events so far in 2024, 20 in all of 2023"; else ""."""
    period, previous = clean(facts.get("period") or ""), number_of(facts.get("previous"))
    value = number_of(facts.get("actual") if is_over(facts) else facts.get("value"))
    if facts.get("kind") != "projection" or not period or value is None or previous is None:
        return ""
    form = "came_to" if is_over(facts) else "so_far"
    return voice.say(
        "statistics.year_on_year" if period == "rolling-year" else f"statistics.{form}",
        value=voice.number(round(value, 1)),
        measure=measure_words(measure_of(facts), voice, value),
        period=period,
        previous=voice.number(round(previous, 1)),
        before=str(int(period) - 1) if _YEAR.fullmatch(period) else "",
    )


def estimate(value: float, voice: Voice) -> str:
    """An estimated count: a decimal below ten, whole above, where it is no better than that."""
    return voice.number(round(value, 1) if abs(value) < _NEAR else round(value))


def is_over(facts: Mapping[str, Any]) -> bool:
    """Whether a projected period has ended, so that what it came to is known."""
    return facts.get("kind") == "projection" and facts.get("actual") is not None


def _projection(facts: Mapping[str, Any], voice: Voice) -> Iterable[str]:
    figures = _figures(facts, voice, "first_projected", "first_low", "first_high", "projected",
                       "low", "high")  # fmt: skip
    yield from (f"{counted}." for counted in [counted_in_period(facts, voice)] if counted)
    if is_over(facts):
        yield voice.say("statistics.first_figures", **figures)
        return
    if facts.get("projected") is not None and facts.get("low") is not None:
        words, period = measure_words(measure_of(facts), voice), clean(facts.get("period") or "")
        yield voice.say("statistics.projected", period=period, measure=words, **figures)
    chance, bound = number_of(facts.get("probability")), number_of(facts.get("expected"))
    if chance is not None and bound is not None:
        percent = min(int(chance * 100), 99)
        yield voice.say(
            "statistics.probability", percent=voice.number(percent), bound=voice.number(bound)
        )
        yield _first_chance(facts, percent, voice)


def _first_chance(facts: Mapping[str, Any], percent: int, voice: Voice) -> str:
    """How probable it was when the alert latched, where that is more than it is by now."""
    chance, day = number_of(facts.get("first_probability")), day_of(facts.get("first_on"))
    if chance is None or day is None:
        return ""
    before = min(int(chance * 100), 99)
    if before <= percent:
        return ""
    return voice.say(
        "statistics.first_probability", percent=voice.number(before), day=voice.numeric_day(day)
    )


def _record(facts: Mapping[str, Any], voice: Voice) -> Iterable[str]:
    days = number_of(facts.get("record_days"))
    if days is not None:
        before = number_of(facts.get("previous"))
        known = "" if before is None else voice.number(before)
        yield voice.say("statistics.record", days=voice.number(days), previous=known)


def _new(facts: Mapping[str, Any], voice: Voice) -> Iterable[str]:
    last_seen = day_of(facts.get("last_seen"))
    if last_seen is not None:
        yield voice.say("statistics.last_seen", day=voice.numeric_day(last_seen))
        return
    days = number_of(facts.get("memory_days"))
    if days is not None:
        yield voice.say("statistics.never_seen", days=voice.number(days))


def _drift(facts: Mapping[str, Any], voice: Voice) -> Iterable[str]:
    began = day_of(facts.get("began"))
    if began is not None:
        figures = _figures(facts, voice, "observed", "expected")
        yield voice.say("statistics.began", day=voice.numeric_day(began), **figures)


def _spike(facts: Mapping[str, Any], voice: Voice) -> Iterable[str]:
    figures = _figures(facts, voice, "observed", "expected", "high")
    if facts.get("expected") is not None:
        yield voice.say("statistics.usual", **figures)
    days = number_of(facts.get("recurrence_days"))
    if days is None:
        return
    years = days / 365.25
    if years >= _LONGEST_RECURRENCE_YEARS:
        yield voice.say("statistics.very_rare")
    elif years >= 1:
        yield voice.say("statistics.rare_years", round(years))
    else:
        yield voice.say("statistics.rare_days", round(days))


def _figures(facts: Mapping[str, Any], voice: Voice, *names: str) -> dict[str, Any]:
    found = {name: number_of(facts.get(name)) for name in names}
    return {name: "" if value is None else estimate(value, voice) for name, value in found.items()}
