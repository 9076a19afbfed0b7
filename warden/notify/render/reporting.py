"""What the reporting lets one say: a likely change in it, how much is known yet, measures together.

Standing in the flow: `body` puts these under what was counted, after the statistics.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from warden.notify.render.measures import measure_words
from warden.notify.render.parts import clean, day_of, number_of
from warden.notify.render.statistics import estimate
from warden.notify.render.voice import Voice

_AS_GOOD_AS_ALL = 0.95
_STEP = 5  # percent: the estimate is no better
MAX_MEASURES = 8


def reporting_words(facts: Mapping[str, Any], voice: Voice) -> Iterable[str]:
    """The sentences that are true of this notice."""
    yield from _side_by_side(facts, voice)
    yield from _change(facts.get("reporting_change"), voice)
    share = number_of(facts.get("completeness"))
    if share is not None and share < _AS_GOOD_AS_ALL:
        percent = max(_STEP * round(100 * share / _STEP), _STEP)
        yield voice.say("reporting.completeness", percent=voice.number(percent))
    yield from _rename(facts.get("renamed_from"), voice)


def _change(change: object, voice: Voice) -> Iterable[str]:
    if not isinstance(change, Mapping):
        return
    late, new = number_of(change.get("late")) or 0, number_of(change.get("new_sources")) or 0
    excess = number_of(change.get("excess")) or 0
    names = voice.join([clean(name, 80) for name in change.get("names") or ()])
    form = "both" if late and new else "late" if late else "new"
    said = voice.say(
        f"reporting.change_{form}",
        change=voice.say("reporting.change", excess=estimate(excess, voice)),
        late=voice.number(late),
        fresh=voice.number(new),
        names=names,
    )
    yield f"{said} {voice.say('reporting.lowered')}"


def _side_by_side(facts: Mapping[str, Any], voice: Voice) -> Iterable[str]:
    told = [one for one in facts.get("measures") or () if isinstance(one, Mapping)][:MAX_MEASURES]
    if len(told) < 2:  # noqa: PLR2004  one measure is told already
        return
    parts = voice.say("between").join(_measure(one, voice) for one in told)
    yield voice.say("reporting.side_by_side", parts=parts)


def _measure(one: Mapping[str, Any], voice: Voice) -> str:
    observed = number_of(one.get("observed")) or 0
    words = measure_words(str(one.get("measure") or "events"), voice, observed)
    value = voice.number(observed)
    share, expected = number_of(one.get("largest_share")), number_of(one.get("expected"))
    if expected is None:
        percent = "" if share is None else voice.number(round(share * 100))
        return voice.say("reporting.measure_sum", value=value, measure=words, percent=percent)
    return voice.say(
        "reporting.measure",
        value=value,
        measure=words,
        expected=estimate(expected, voice),
    )


def _rename(rename: object, voice: Voice) -> Iterable[str]:
    if not isinstance(rename, Mapping):
        return
    day = day_of(rename.get("last_seen"))
    yield voice.say(
        "reporting.renamed",
        name=clean(rename.get("name") or ""),
        day="" if day is None else voice.numeric_day(day),
    )
