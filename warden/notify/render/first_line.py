"""The first line of a notice: what, where, when, dead, severity, in at most 160 characters.

It is the mail's subject and all that short channels carry, so it is filled with what matters most
first: never by cutting off the end, where the date and the dead stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from warden.model.notice import Notice
from warden.notify.render.filling import Parts, cuts, filled, forms_of, shortened
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
    marks = _marks(notice, voice)
    room = limit - len(marks) - 1
    return f"{marks} {_squeezed(_line(notice, voice, room), room)}"


def _line(notice: Notice, voice: Voice, room: int) -> str:
    """The line without its marks; longer than the room only where nothing shorter can be said."""
    if notice.action == "summary":
        return _summary(notice, voice)
    if is_health(notice.facts):
        lines = list(health_lines(notice, voice))
        return next((line for line in lines if len(line) <= room), lines[-1])
    if _is_event(notice):
        return _event_line(notice, voice, room)
    return _window_line(notice, voice, room)


def short_actor(name: str) -> str:
    """A name short enough for a line: `JNIM: Group for …` is JNIM; years of a regime go."""
    short = _YEARS.sub("", clean(name))
    acronym = _ACRONYM.match(short)
    return acronym[1] if acronym else short


def when_line(event: Mapping[str, Any], voice: Voice, *, with_ago: bool = True) -> str:
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
    ago = voice.ago(last or first) if with_ago else ""
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


def _event_line(notice: Notice, voice: Voice, room: int) -> str:
    """What, where, when and the dead; then who, and the place's own name.

    Names that are very long come in few words first, so that they cost no other part its place.
    """
    event = newest(notice)
    day, dead = when_line(event, voice, with_ago=False), deaths(event, voice)
    wheres = list(_wheres(notice, event, voice))
    people, names = _people(_names(event), voice), _own_name(notice, event, voice)
    base = {"what": what_kind(event, voice), "who": "", "where": wheres[-1], "name": ""}
    base |= {"when": day, "dead": dead}
    steps = (
        ("when", [when_line(event, voice)]),
        ("who", [forms[-1] for forms in people]),
        ("name", names[-1:]),
        ("what", [_targeting(event, voice)]),
        ("where", wheres),
        ("who", [form for forms in people for form in forms]),
        ("name", names),
    )
    return filled(base, steps, lambda parts: _written_event(parts, voice), room)


def _written_event(parts: Parts, voice: Voice) -> str:
    what, who, where = parts["what"], parts["who"], parts["where"]
    if who:
        what = voice.say("involving", what=what, actors=who, vowel=starts_with_vowel(who))
    if parts["name"]:
        where = f"{where} ({parts['name']})"
    return ", ".join(part for part in (what, where, parts["when"], parts["dead"]) if part)


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


def _people(named: tuple[str, ...], voice: Voice) -> list[list[str]]:
    """Who was involved, by two names and by one: whole, then by the first words of each."""
    return [
        [_involved(named, count, letters, voice) for letters in cuts(named[:count])]
        for count in (2, 1)
        if count <= len(named)
    ]


def _involved(named: tuple[str, ...], count: int, letters: int | None, voice: Voice) -> str:
    shown = [shortened(name, letters) for name in named[:count]]
    others = len(named) - count
    return voice.say("and_others", others, names=", ".join(shown)) if others else voice.join(shown)


def _wheres(notice: Notice, event: Mapping[str, Any], voice: Voice) -> Iterator[str]:
    """Where it was: with all of the names, then with their first words."""
    parts = ("place_title", "location", "admin1", "country")
    names = {name: clean(str(event[name])) for name in parts if event.get(name)}
    for letters in cuts(names.values()):
        short = {name: shortened(text, letters) for name, text in names.items()}
        where = where_line({**event, **short}, voice, border=is_about_border(notice))
        outer = short.get("admin1") or short.get("country")
        yield where or ", ".join(part for part in (short.get("location"), outer) if part)


def _own_name(notice: Notice, event: Mapping[str, Any], voice: Voice) -> list[str]:
    """The forms of the place's own name; none where it is unknown or told already."""
    name = clean(str(event.get("location") or ""))
    if is_region(event) or not where_line(event, voice, border=is_about_border(notice)):
        return []
    return forms_of(name) if name and name != clean(str(event.get("place_title") or "")) else []


def _window_line(notice: Notice, voice: Voice, room: int) -> str:
    """The key, what was counted, the day and the dead; then as much of the title as fits."""
    facts, title = notice.facts, clean(notice.title)
    keys = forms_of(", ".join(key_words(name, value, voice, facts) for name, value in notice.key))
    counted = _counted(facts, voice)
    last, long_last = (_latest(facts, voice, ago=ago) for ago in (False, True))
    dead, briefly, spanning = _deaths_of_all(facts, voice)
    loose = bool(counted) and facts.get("kind") == "projection"
    base = {
        "title": "" if keys[-1] else _without_middle(title, _SHORT_TITLE),
        "key": keys[-1],
        "counted": counted,
        "last": "" if loose else last,
        "dead": "" if loose or spanning else briefly,
    }
    titles, days, some = ("title", _titles(title)), ("last", [last]), ("dead", [briefly])
    steps: tuple[tuple[str, Iterable[str]], ...] = (
        ("key", keys),
        *((titles, days, some) if loose else (some, titles)),  # of a whole period these matter less
        ("dead", [dead]),
        ("last", [long_last]),
        ("counted", [_with_expected(counted, facts, voice)]),
    )
    return filled(base, steps, _written_window, room)


def _written_window(parts: Parts) -> str:
    title, key = parts["title"], parts["key"]
    lead = f"{title} ({key})" if title and key else title or key
    tail = (parts["counted"], parts["last"], parts["dead"])
    return ", ".join(part for part in (lead, *tail) if part)


def _titles(title: str) -> Iterator[str]:
    """The title; then without ever more words of its middle."""
    yield title
    for room in range(_LONG_TITLE, _SHORT_TITLE - 1, -_STEP):
        yield _without_middle(title, room)


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
    first, last = head.rpartition(" ")[0].rstrip(" ,"), tail.partition(" ")[2]
    return f"{first or head[:-1]}… {last or tail[1:]}"


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


def _marks(notice: Notice, voice: Voice) -> str:
    """What stands before the line: an exercise, the severity, what kind of saying it is."""
    marks = [voice.say("exercise_mark")] if notice.exercise else []
    marks.append(voice.say(f"severity.{notice.severity}"))
    if voice.has(f"mark.{mark_of(notice)}"):
        marks.append(voice.say(f"mark.{mark_of(notice)}"))
    return " ".join(marks)


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
    tail = line[-(room // 2) :]
    tail = tail[max(tail.find(", "), 0) :]
    return shortened(line[: -len(tail)], room - len(tail)) + tail
