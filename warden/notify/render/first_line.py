"""The first line of a notice: what, where, when, dead, severity, in at most 160 characters.

It is the mail's subject and all that short channels carry, so it is built from rich to plain until
it fits: never by cutting off the end, where the date and the dead stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from warden.model.notice import Notice
from warden.notify.render.health import health_lines, is_health
from warden.notify.render.measures import measure_of, measure_words
from warden.notify.render.parts import clean, day_of, is_region, newest, number_of
from warden.notify.render.statistics import counted_in_period, estimate
from warden.notify.render.voice import Voice, starts_with_vowel

LIMIT = 160
_LONG_TITLE, _SHORT_TITLE, _STEP = 100, 40, 4  # letters of a title that has to give way
_ACRONYM = re.compile(r"([A-Z][A-Za-z0-9-]{1,14}): ")
_YEARS = re.compile(r" \((?:19|20)\d\d-(?:(?:19|20)\d\d)?\)$")
_MONTH_PRECISION = 3
_WEEK_PRECISION = 2


def first_line(notice: Notice, voice: Voice, limit: int = LIMIT) -> str:
    """The line, for any notice; `limit` leaves room for what else stands in a subject."""
    if notice.action == "summary":
        return _fitted(notice, voice, [_summary(notice, voice)], limit)
    if is_health(notice.facts):
        return _fitted(notice, voice, health_lines(notice, voice), limit)
    if _is_event(notice):
        return _fitted(notice, voice, _event_lines(notice, voice), limit)
    return _fitted(notice, voice, _window_lines(notice, voice), limit)


def short_actor(name: str) -> str:
    """A name short enough for a line: `JNIM: Group for …` is JNIM; years of a regime go."""
    short = _YEARS.sub("", clean(name))
    acronym = _ACRONYM.match(short)
    return acronym[1] if acronym else short


def when_line(event: Mapping[str, Any], voice: Voice) -> str:
    """The day with its precision, and how long ago: "22 Jul, 3 days ago"."""
    first, last = day_of(event.get("date")), day_of(event.get("date_end"))
    if first is None:
        return ""
    precision = event.get("time_precision")
    if precision == _MONTH_PRECISION:
        words = voice.say("in_month", month=voice.month(first))
    elif precision == _WEEK_PRECISION:
        words = voice.say("week_of", day=voice.day(first))
    elif last is not None and last > first:
        words = voice.say("span", first=voice.day(first), last=voice.day(last))
    else:
        words = voice.day(first)
    ago = voice.ago(last or first)
    return f"{words}, {ago}" if ago else words


def deaths(event: Mapping[str, Any], voice: Voice) -> str:
    """Say "2 dead", with the range where the source gives one."""
    best = number_of(event.get("fatalities"))
    if best is None:
        return ""
    low, high = number_of(event.get("fatalities_low")), number_of(event.get("fatalities_high"))
    words = voice.say("dead", best) if best else voice.say("no_deaths")
    if low is not None and high is not None and low != high:
        words += f" ({voice.number(low)}\N{EN DASH}{voice.number(high)})"
    return words


def where_line(event: Mapping[str, Any], voice: Voice, *, border: bool = False) -> str:
    """The place with distance and bearing, or that it is not known; without its own name."""
    if is_region(event):
        return voice.say("place_unknown_within", region=region_of(event, voice))
    km, place = number_of(event.get("distance_km")), clean(event.get("place_title") or "")
    border_km = number_of(event.get("border_km"))
    if border and border_km is not None:
        return voice.say(
            "from_border",
            km=voice.km(border_km),
            own=voice.country(str(event.get("border_of") or "")),
            country=voice.country(str(event.get("border_neighbour") or "")),
        )
    if km is None or not place:
        return ""
    return distance_words(km, number_of(event.get("bearing_deg")), place, voice)


def distance_words(km: float, bearing: float | None, place: str, voice: Voice) -> str:
    """Say "43 km NW of Bamako", or "at Bamako" below one kilometre."""
    values: dict[str, Any] = {"place": place, "vowel": starts_with_vowel(place)}
    if km < 1:
        return voice.say("at_place", **values)
    if bearing is None:
        return voice.say("from_place", km=voice.km(km), **values)
    return voice.say("off_place", km=voice.km(km), direction=voice.compass(bearing), **values)


def region_of(event: Mapping[str, Any], voice: Voice) -> str:
    """The region that a point merely stands for."""
    for name in ("admin1", "country"):
        if event.get(name):
            return clean(str(event[name]))
    return voice.country(str(event.get("iso3") or "")) or voice.say("region")


def what_kind(event: Mapping[str, Any], voice: Voice) -> str:
    """Say "Violent event", "Protest", …: the plain name of what happened."""
    kinds = {"Protests": "protest", "Riots": "riot", "Strategic developments": "strategic"}
    return voice.say(f"what.{kinds.get(str(event.get('event_type')), 'violent')}")


def is_about_border(notice: Notice) -> bool:
    """The rule asks about a border and about no place."""
    condition = notice.facts.get("condition") or {}
    return bool(condition.get("border_within_km")) and not condition.get("within_km")


def _is_event(notice: Notice) -> bool:
    return notice.facts.get("kind", "event") == "event" and bool(notice.facts.get("events"))


def _event_lines(notice: Notice, voice: Voice) -> Iterator[str]:
    """From rich to plain, each made only when the one before was too long."""
    event = newest(notice)
    named = _names(event)
    tail = ", ".join(part for part in (when_line(event, voice), deaths(event, voice)) if part)
    kinds = dict.fromkeys((_targeting(event, voice), what_kind(event, voice)))
    for names, with_name in (
        (named, True),
        (named, False),
        (named[:1], True),
        (named[:1], False),
        ((), False),
    ):
        where = _place(notice, event, voice, with_name=with_name)
        more = len(named) - len(names)
        for kind in kinds:
            what = _what(kind, names, more, voice)
            yield ", ".join(part for part in (what, where, tail) if part)


def _targeting(event: Mapping[str, Any], voice: Voice) -> str:
    """What kind of event, and that its source marks civilians as the target."""
    kind = what_kind(event, voice)
    return voice.say("what.civilians", what=kind) if event.get("civilian_targeting") else kind


def _names(event: Mapping[str, Any]) -> tuple[str, ...]:
    """The actors that made the rule match, else all but civilians; each once."""
    matched = [str(name) for name in event.get("matched_actors") or ()]
    if not matched:
        matched = [
            str(actor.get("name") or "")
            for actor in event.get("actors") or ()
            if "civilian" not in str(actor.get("type") or actor.get("name") or "").casefold()
        ]
    return tuple(dict.fromkeys(short_actor(name) for name in matched if name))


def _what(kind: str, names: tuple[str, ...], more: int, voice: Voice) -> str:
    if not names:
        return kind
    shown = names[:2]
    others = len(names) - len(shown) + more
    people = voice.join(list(shown))
    if others > 0:
        people = voice.say("and_others", others, names=", ".join(shown))
    return voice.say("involving", what=kind, actors=people, vowel=starts_with_vowel(people))


def _place(
    notice: Notice, event: Mapping[str, Any], voice: Voice, *, with_name: bool = True
) -> str:
    where = where_line(event, voice, border=is_about_border(notice))
    name = clean(str(event.get("location") or ""))
    if is_region(event):
        return where
    if not where:
        outer = clean(str(event.get("admin1") or "")) or clean(str(event.get("country") or ""))
        return ", ".join(part for part in (name, outer) if part)
    if not with_name or not name or name == clean(str(event.get("place_title") or "")):
        return where
    return f"{where} ({name})"


def _window_lines(notice: Notice, voice: Voice) -> Iterator[str]:
    """From rich to plain; the key stays in all, and a title too long loses words in its middle."""
    facts = notice.facts
    title = clean(notice.title)
    keyed = ", ".join(key_words(name, value, voice, facts) for name, value in notice.key)
    counted = _counted(facts, voice)
    about = _with_expected(counted, facts, voice)
    last, long_last = (_latest(facts, voice, ago=ago) for ago in (False, True))
    dead, briefly, spanning = _deaths_of_all(facts, voice)
    tails = [(about, long_last, dead), (counted, long_last, dead), (counted, last, dead)]
    tails += [(counted, last, briefly)]
    if counted and facts.get("kind") == "projection":  # of a whole period: these matter least
        tails += [(counted, last, ""), (counted, "", "")]
    for parts in tails:
        tail = [part for part in parts if part]
        yield ", ".join([f"{title} ({keyed})" if keyed else title, *tail])
    for room in range(_LONG_TITLE, _SHORT_TITLE - 1, -_STEP):
        short = _without_middle(title, room)
        yield ", ".join([f"{short} ({keyed})" if keyed else short, *tail])
    yield ", ".join([keyed or short, *tail])
    if spanning:
        yield ", ".join([keyed or short, *(part for part in (counted, last) if part)])


def _counted(facts: Mapping[str, Any], voice: Voice) -> str:
    """What was counted, in how many days; a projection says so far, and before."""
    in_period = counted_in_period(facts, voice)
    value, days = number_of(facts.get("value")), number_of(facts.get("window_days"))
    if in_period or value is None or days is None:
        return in_period
    measure = measure_words(measure_of(facts), voice, value)
    return voice.say("value_in_days", days, value=voice.number(value), measure=measure)


def _with_expected(counted: str, facts: Mapping[str, Any], voice: Voice) -> str:
    expected = number_of(facts.get("expected"))
    if not counted or expected is None or facts.get("kind") not in ("spike", "drift"):
        return counted
    return voice.say("expected_about", counted=counted, expected=estimate(expected, voice))


def _latest(facts: Mapping[str, Any], voice: Voice, *, ago: bool) -> str:
    last = day_of(facts.get("last_day"))
    if last is None:
        return ""
    form = "last_before" if facts.get("kind") == "quiet" else "latest"
    return voice.say(form, day=voice.day(last), ago=voice.ago(last) if ago else "")


def _without_middle(title: str, room: int) -> str:
    """A title of at most `room` letters: its first words and its last, where the place stands."""
    if len(title) <= room:
        return title
    head, tail = title[: room // 2 + 1], title[-(room - room // 2 - 1) :]
    return f"{head.rpartition(' ')[0].rstrip(' ,')}… {tail.partition(' ')[2]}"


def _deaths_of_all(facts: Mapping[str, Any], voice: Voice) -> tuple[str, str, bool]:
    """The dead of the whole episode in words and in few, and whether it is more than one window.

    Of how many events and since when, where one window does not hold them: beside "6 events in
    60 days" they would be taken for theirs. Nothing where deaths are what was counted: two numbers
    of dead would have to be read twice.
    """
    count, value = number_of(facts.get("event_count")), number_of(facts.get("value"))
    measure = measure_of(facts)
    if facts.get("kind") == "quiet":  # its events are those before
        return "", "", False
    if not count or (measure.startswith("fatalities") and value is not None):
        return "", "", False
    dead, first = deaths(facts, voice), day_of(facts.get("first_day"))
    if not dead or value is None or not _spans_windows(facts, measure, count, value):
        return dead, dead, False
    events = voice.say("events", count)
    if first is None:
        return voice.say("dead_in", dead=dead, events=events), "", True
    day = voice.day(first)
    full, brief = (voice.say("dead_since", dead=dead, events=e, day=day) for e in (events, ""))
    return full, brief, True


def _spans_windows(facts: Mapping[str, Any], measure: str, count: float, value: float) -> bool:
    """Whether the episode's events are more than those that were counted in one window."""
    if measure == "events":
        return count > value
    first, last = day_of(facts.get("first_day")), day_of(facts.get("last_day"))
    days = number_of(facts.get("window_days"))
    if first is None or last is None or days is None:
        return False
    return (last - first).days >= days


def key_words(name: str, value: str, voice: Voice, facts: Mapping[str, Any]) -> str:
    """The value of one key dimension as people say it; `facts` are the notice's."""
    if value == "_missing":
        return voice.say("not_given")
    if name in ("country", "border_neighbour"):
        return voice.country(value)
    if name in ("actor_group", "place"):
        return clean((facts.get("names") or {}).get(value) or value)
    return clean(value)


def event_type_words(name: object, voice: Voice) -> str:
    """A kind of event in the reader's language; as coded where no words are known."""
    plain = re.sub(r"[^a-z0-9]+", "_", str(name).casefold()).strip("_")
    key = f"event_type.{plain}"
    return voice.say(key) if voice.has(key) else clean(name, 80)


def _summary(notice: Notice, voice: Voice) -> str:
    facts = notice.facts
    total = int(number_of(facts.get("total")) or len(notice.items))
    first, last = day_of(facts.get("first_day")), day_of(facts.get("last_day"))
    line = voice.say("summary_line", total, title=clean(notice.title))
    if first is None or last is None:
        return line
    return f"{line}, {_days(first, last, voice)}"


def _days(first: date, last: date, voice: Voice) -> str:
    if first == last:
        return voice.numeric_day(first)
    return voice.say("span", first=voice.numeric_day(first), last=voice.numeric_day(last))


def _fitted(notice: Notice, voice: Voice, lines: Iterable[str], limit: int) -> str:
    """The richest line that fits under its marks; the plainest is shortened in its middle."""
    marks = [voice.say("exercise_mark")] if notice.exercise else []
    marks.append(voice.say(f"severity.{notice.severity}"))
    if voice.has(f"mark.{mark_of(notice)}"):
        marks.append(voice.say(f"mark.{mark_of(notice)}"))
    start = " ".join(marks)
    plainest = ""
    for line in lines:
        plainest = line
        if len(start) + 1 + len(line) <= limit:
            return f"{start} {line}"
    return f"{start} {_squeezed(plainest, limit - len(start) - 1)}"


def mark_of(notice: Notice) -> str:
    """Which mark stands before the line; a few reasons change what the action says.

    What ended before anybody was told is marked as its end would have been.
    """
    over = notice.facts.get("over") or {}
    if "NO_LONGER_MATCHES" in (notice.reason, over.get("reason")):
        return "no_longer"
    return str(over.get("action") or notice.action)


def _squeezed(line: str, room: int) -> str:
    """Shortened before its end, at a word: date and dead stand at the end and stay."""
    if len(line) <= room:
        return line
    head, tail = line[: -room // 2], line[-(room // 2) :]
    cut = tail.find(", ")
    tail = tail[cut:] if cut >= 0 else tail
    kept = head[: room - len(tail) - 1]
    return (kept.rpartition(" ")[0] or kept).rstrip(" ,") + "…" + tail
