"""The body of a notice as plain data: labelled paragraphs, a table of changes, a table of events.

Everything that alerts.md says a message must always hold is put together here, in the reader's
language; layouts only arrange it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from warden.model.citation import citation
from warden.model.notice import Change, Notice
from warden.notify.render.condition import condition_words
from warden.notify.render.first_line import (
    deaths,
    distance_words,
    event_type_words,
    first_line,
    is_about_border,
    key_words,
    mark_of,
    short_actor,
    what_kind,
    when_line,
    where_line,
)
from warden.notify.render.gaps import Gap, gaps_of
from warden.notify.render.health import headline, health_advice, health_words, is_health
from warden.notify.render.knowledge import latest_known_words, reported_words
from warden.notify.render.lateness import lateness
from warden.notify.render.measures import measure_of, measure_words
from warden.notify.render.parts import (
    capital,
    clean,
    day_of,
    is_region,
    newest,
    number_of,
    paragraph,
)
from warden.notify.render.reporting import reporting_words
from warden.notify.render.statistics import is_over, statistic_words
from warden.notify.render.voice import Voice, starts_with_vowel

MAX_ROWS = 50
MAX_IDS = 20
_HALF = 0.5
_WITHIN_WORDS = 2  # geo_precision: near the named town
_SAME = frozenset({"moved_km"})
# These say under what was counted what was expected; a projection's bound is no expectation.
_TELL_EXPECTED = frozenset({"spike", "drift", "projection"})
View = dict[str, Any]


def notice_view(notice: Notice, voice: Voice, gaps: Sequence[Gap] = (), *, line: str = "") -> View:
    """All that a layout needs of one notice; plain strings, lists and dictionaries.

    `gaps` are the feeds that tell nothing of recent days; a reader must not take that for peace.
    `line` is its first line, where that has been said already.
    """
    return {
        "alert_id": notice.alert_id,
        "action": notice.action,
        "severity": notice.severity,
        "severity_word": voice.say(f"severity.{notice.severity}"),
        "first_line": line or first_line(notice, voice),
        "notes": [note for note in _before_all(notice, voice, gaps) if note],
        "changes": [_change(change, voice) for change in _worth_telling(notice.changes)],
        "first_sections": [s for s in _first_sections(notice, voice) if s["lines"]],
        "sections": [s for s in _sections(notice, voice) if s["lines"]],
        "table": _table(notice, voice),
        "citations": _citations(notice, voice),
    }


def _events_meant(facts: Mapping[str, Any]) -> int:
    """How many events the notice is about: those withdrawn, where some were."""
    withdrawn = facts.get("withdrawn")
    if isinstance(withdrawn, list | tuple) and withdrawn:
        return len(withdrawn)
    return max(1, int(number_of(facts.get("event_count")) or 1))


# --- what this message is ---------------------------------------------------------------------


def _before_all(notice: Notice, voice: Voice, gaps: Sequence[Gap]) -> Iterable[str]:
    """Sentences that come before everything else."""
    yield from _notes(notice, voice)
    yield from lateness(notice, voice)
    yield from _gaps(notice, voice, gaps)


def _notes(notice: Notice, voice: Voice) -> Iterable[str]:
    """What this message is, and why it comes."""
    facts = notice.facts
    if notice.exercise:
        yield voice.say("note.exercise")
    yield _of_action(notice, voice)
    over = notice.action == "resolved" or _is_void(notice)
    if facts.get("kind") == "quiet" and not over:
        yield voice.say("note.quiet")
    if notice.action == "update" and notice.reason == "WITHDRAWN_BY_SOURCE":
        yield voice.say("note.stands")
    if notice.reason == "NO_LONGER_MATCHES":
        yield _no_longer(notice, voice)
    elif voice.has(f"reason.{notice.reason}"):
        yield voice.say(f"reason.{notice.reason}", **_silence(facts))
    if facts.get("merged_into"):
        yield _merged(notice, voice)
    held = int(number_of(facts.get("held")) or 0)
    if held:
        yield voice.say("held", held)
    total, shown = number_of(facts.get("total")), number_of(facts.get("shown"))
    if total is not None and shown is not None and total > min(shown, MAX_ROWS):
        rows = voice.number(min(shown, MAX_ROWS))
        yield voice.say("listed_of", shown=rows, total=voice.number(total))


def _silence(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Which silence has ended, whose it was and why; empty words where none has."""
    ended = facts.get("silence") or {}
    return {
        "silence": clean(ended.get("id") or ""),
        "who": clean(ended.get("who") or "", 100),
        "comment": clean(ended.get("comment") or "", 300).rstrip("."),
    }


def _of_action(notice: Notice, voice: Voice) -> str:
    """What this saying is, in a sentence; nothing where the first line says it all."""
    facts = notice.facts
    if notice.action == "resolved" and is_health(facts):
        return voice.say("health.note_resolved")
    if notice.action == "resolved" and is_over(facts):
        return voice.say("note.resolved_over")
    if voice.has(f"note.{notice.action}"):
        return voice.say(f"note.{notice.action}", _events_meant(facts))
    return ""


def _gaps(notice: Notice, voice: Voice, gaps: Sequence[Gap]) -> Iterable[str]:
    for gap in gaps_of(notice, gaps):
        yield voice.say("no_data_since", source=clean(gap.source), day=voice.numeric_day(gap.since))


def _no_longer(notice: Notice, voice: Voice) -> str:
    now = notice.facts.get("now") or {}
    km, place = number_of(now.get("distance_km")), clean(now.get("place_title") or "")
    before = number_of(newest(notice).get("distance_km"))
    if km is not None and place and km != before:  # else it is not the place that decided
        bearing = number_of(now.get("bearing_deg"))
        where = distance_words(km, bearing, place, voice)
        return voice.say("reason.NO_LONGER_MATCHES_WHERE", where=where)
    return voice.say("reason.NO_LONGER_MATCHES")


def _merged(notice: Notice, voice: Voice) -> str:
    names = [_short_event(event, voice) for event in notice.facts["merged_into"][:5]]
    return voice.say("merged_into", events="; ".join(names))


def _short_event(event: Mapping[str, Any], voice: Voice) -> str:
    parts = (
        clean(event.get("id") or event.get("uid") or ""),
        when_line(event, voice),
        clean(event.get("location") or ""),
        deaths(event, voice),
    )
    return ", ".join(part for part in parts if part)


def _change(change: Change, voice: Voice) -> dict[str, str]:
    key = f"field.{change.field}"
    label = voice.say(key) if voice.has(key) else clean(change.field.replace("_", " "))
    old = "" if change.field in _SAME else _value(change.field, change.old, voice)
    new = _value(change.field, change.new, voice)
    line = voice.say("labelled", label=label, value=f"{old} → {new}" if old else new)
    return {"label": label, "old": old, "new": new, "line": line}


def _worth_telling(changes: Sequence[Change]) -> Iterable[Change]:
    """All of them; a count that is the number of events or of the dead is told once."""
    told = {(c.old, c.new) for c in changes if c.field in ("event_count", "fatalities")}
    return [c for c in changes if c.field != "value" or (c.old, c.new) not in told]


def _value(field: str, value: Any, voice: Voice) -> str:  # noqa: PLR0911  a table of kinds
    """One fact as the reader reads it."""
    if value is None or value == "":
        return voice.say("not_given")
    if field in ("event_type", "sub_event_type"):
        return event_type_words(value, voice)
    if isinstance(value, bool):
        return voice.say("yes" if value else "no")
    if field == "severity":
        return voice.say(f"severity.{value}")
    if field == "geo_precision":
        return voice.say(f"precision.{value}") if voice.has(f"precision.{value}") else str(value)
    if field == "border_neighbour":
        return voice.country(str(value))
    if field in ("first_day", "last_day", "date", "date_end"):
        day = day_of(value)
        return clean(value) if day is None else voice.numeric_day(day)
    if isinstance(value, int | float):
        return voice.km(value) if field.endswith("_km") else voice.number(value)
    if isinstance(value, list | tuple):
        return voice.join([clean(item, 80) for item in value[:MAX_IDS]])
    return clean(value, 300)


# --- the sections -----------------------------------------------------------------------------


def _section(label: str, lines: Iterable[str], voice: Voice) -> View:
    return {"label": voice.say(f"label.{label}"), "lines": [line for line in lines if line]}


def _first_sections(notice: Notice, voice: Voice) -> list[View]:
    """What a duty officer needs first: what, where, when, the dead, and what to do."""
    facts = notice.facts
    sections = []
    if is_health(facts):
        return [
            _section("what", health_words(notice, voice), voice),
            _section("runbook", health_advice(notice, voice), voice),
        ]
    if facts.get("events") and facts.get("kind", "event") == "event":
        event = newest(notice)
        sections += [
            _section("what", _what(event, voice), voice),
            _section("where", _where(event, voice, certain=not _is_void(notice)), voice),
            _section("when", _when(notice, event, voice), voice),
            _section("deaths", _deaths(event, voice), voice),
        ]
    elif notice.action != "summary":
        sections += [
            _section("measured", _measured(notice, voice), voice),
            _section("when", _when_of_all(facts, voice), voice),
            _section("deaths", _deaths_of_all(facts, voice), voice),
        ]
    return [*sections, _section("runbook", [_to_do(notice, voice)], voice)]


def _is_void(notice: Notice) -> bool:
    """Whether what was told does not stand any more."""
    return notice.action == "cancel" or notice.reason == "NO_LONGER_MATCHES"


def _to_do(notice: Notice, voice: Voice) -> str:
    """The rule's runbook; what it says to do about an alert does not help where that is void."""
    if _is_void(notice):
        return voice.say("note.passed_on")
    return paragraph(notice.facts.get("runbook") or "")


def _sections(notice: Notice, voice: Voice) -> list[View]:
    """What an analyst checks: why it was sent, what it rests on, what would withdraw it."""
    facts = notice.facts
    sections = []
    brief = notice.action in ("resolved", "cancel") or is_health(facts)
    if brief or notice.reason == "NO_LONGER_MATCHES":
        sections.append(_section("why", _why(notice, voice), voice))
    else:
        sections += [
            _section("history", _history(facts, voice), voice),
            _section("why", _why(notice, voice), voice),
            _section("basis", _basis(notice, voice), voice),
            _section("withdraw", _withdraw(notice, voice), voice),
        ]
    sections += [
        _section("references", [clean(link) for link in facts.get("references") or ()], voice),
        _section("commands", _commands(notice, voice), voice),
    ]
    return sections


def _what(event: Mapping[str, Any], voice: Voice) -> Iterable[str]:
    kind = ", ".join(
        event_type_words(event[name], voice)
        for name in ("event_type", "sub_event_type")
        if event.get(name)
    )
    plain = what_kind(event, voice)
    yield voice.say("labelled", label=plain, value=kind) if kind else plain
    names = [clean(actor.get("name")) for actor in event.get("actors") or () if actor.get("name")]
    if names:
        yield voice.say("involved", actors="; ".join(dict.fromkeys(names)))
        yield voice.say("not_who_attacked")
    if event.get("civilian_targeting"):
        yield voice.say("civilians_targeted")


def _where(event: Mapping[str, Any], voice: Voice, *, certain: bool) -> Iterable[str]:
    names = [event.get(name) for name in ("location", "admin3", "admin2", "admin1")]
    country = event.get("country") or voice.country(str(event.get("iso3") or ""))
    chain = [clean(name) for name in (*names, country) if name]
    if not is_region(event):
        yield ", ".join(dict.fromkeys(chain))
        yield capital(where_line(event, voice))
    if certain or is_region(event):
        yield _certainty(event, voice)
    border_km = number_of(event.get("border_km"))
    if border_km is not None and event.get("border_neighbour"):
        country = voice.country(str(event["border_neighbour"]))
        yield voice.say("nearest_border", km=voice.km(border_km), country=country)


def _certainty(event: Mapping[str, Any], voice: Voice) -> str:
    if is_region(event):
        return voice.say(
            "region_only",
            region=clean(event.get("admin1") or event.get("country") or ""),
            point=clean(event.get("location") or ""),
        )
    error = number_of(event.get("location_error_km"))
    if event.get("geo_precision") == _WITHIN_WORDS:
        return voice.say("place_near", km=voice.km(error or 25.0))
    if event.get("certainty") == "certain" or event.get("geo_precision") == 1:
        return voice.say("place_certain")
    return voice.say("place_near", km=voice.km(error)) if error else ""


def _when(notice: Notice, event: Mapping[str, Any], voice: Voice) -> Iterable[str]:
    day = day_of(event.get("date"))
    if day is not None:
        exact = event.get("time_precision") in (None, 0, 1)
        ago = voice.ago(day)
        if exact:
            yield capital(voice.say("happened", day=voice.long_day(day), ago=ago))
        else:
            yield capital(when_line(event, voice))
            yield voice.say("day_not_exact")
    yield reported_words(notice.facts, event, voice)


def _deaths(event: Mapping[str, Any], voice: Voice) -> Iterable[str]:
    yield deaths(event, voice)
    if event.get("dataset") == "acled":
        if event.get("fatalities") == 10:  # noqa: PLR2004  ACLED's codebook
            yield voice.say("ten_means_many")
        elif event.get("fatalities") == 3:  # noqa: PLR2004
            yield voice.say("three_means_several")


def _measured(notice: Notice, voice: Voice) -> Iterable[str]:
    facts = notice.facts
    for name, given in notice.key:
        label = voice.say(f"key.{name}") if voice.has(f"key.{name}") else clean(name)
        yield voice.say("labelled", label=label, value=key_words(name, given, voice, facts))
    value, days = number_of(facts.get("value")), number_of(facts.get("window_days"))
    measure = measure_of(facts)
    if value is not None and days is not None:
        words = measure_words(measure, voice, value)
        yield voice.say("value_in_days", days, value=voice.number(value), measure=words)
    yield from statistic_words(facts, voice)
    yield from reporting_words(facts, voice)


def _when_of_all(facts: Mapping[str, Any], voice: Voice) -> Iterable[str]:
    """The days of all events told of, how late the latest was known, how long it has held."""
    first, last = day_of(facts.get("first_day")), day_of(facts.get("last_day"))
    quiet = facts.get("kind") == "quiet"
    if quiet and last is not None:
        yield capital(voice.say("last_before", day=voice.numeric_day(last), ago=voice.ago(last)))
    elif first is not None and last is not None:
        days, ago = _span(first, last, voice), voice.ago(last)
        form = "happened" if first == last else "latest_ago"
        yield capital(voice.say(form, day=days, days=days, ago=ago))
    if not quiet:
        yield latest_known_words(facts, voice)
    since, until = day_of(facts.get("since")), day_of(facts.get("until"))
    if since is not None and until is not None and since < until:
        yield voice.say(
            "held_between", since=voice.numeric_day(since), until=voice.numeric_day(until)
        )


def _deaths_of_all(facts: Mapping[str, Any], voice: Voice) -> Iterable[str]:
    """The dead of the whole episode, and the largest event's share where it matters.

    With a projection it always does: one event can be most of what is extrapolated.
    """
    count, dead = int(number_of(facts.get("event_count")) or 0), deaths(facts, voice)
    if not count or not dead or facts.get("kind") == "quiet":
        return
    yield capital(voice.say("dead_in", dead=dead, events=voice.say("events", count)))
    if len(facts.get("measures") or ()) > 1:
        return  # the sums side by side say the share
    share = number_of(facts.get("largest_share"))
    least = 0.0 if facts.get("kind") == "projection" else _HALF
    if share is not None and count > 1 and share > 0 and share >= least:
        yield voice.say("largest_share", percent=voice.number(max(round(share * 100), 1)))


def _history(facts: Mapping[str, Any], voice: Voice) -> Iterable[str]:
    nth, before = (
        number_of(facts.get("nth_in_12_months")),
        number_of(facts.get("previous_12_months")),
    )
    if nth is not None:
        yield voice.say(
            "nth",
            ordinal=ordinal(int(nth), voice),
            first=int(nth) == 1,
            before=voice.number(before or 0),
            none=not before,
        )


def ordinal(number: int, voice: Voice) -> str:
    """Say "5th": English by its last digits, other languages by their phrase."""
    if voice.language != "en":
        return voice.say("ordinal.first" if number == 1 else "ordinal.other", n=number)
    teen = number % 100 in (11, 12, 13)
    suffix = "th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{voice.number(number)}{suffix}"


def _why(notice: Notice, voice: Voice) -> Iterable[str]:
    facts = notice.facts
    yield voice.say("rule", title=clean(notice.title), rule=clean(notice.rule_id))
    asked = condition_words(facts.get("condition") or {}, voice)
    if asked:
        yield voice.say("condition", text=asked)
    yield paragraph(facts.get("description") or "")
    observed, expected = number_of(facts.get("observed")), number_of(facts.get("expected"))
    told = facts.get("kind") in _TELL_EXPECTED
    if observed is not None and expected is not None and not told:
        yield voice.say(
            "observed_expected", observed=voice.number(observed), expected=voice.number(expected)
        )
    yearly = number_of(facts.get("alerts_per_year"))
    if yearly is not None:
        rounded = round(yearly) if yearly >= 2 else round(yearly, 1)  # noqa: PLR2004
        yield voice.say("alerts_per_year", rounded)
    judged = facts.get("precision") or {}
    if number_of(judged.get("judged")):
        yield voice.say("judged_true", judged=judged["judged"], right=judged.get("true", 0))


def _basis(notice: Notice, voice: Voice) -> Iterable[str]:
    facts = notice.facts
    count, reports = number_of(facts.get("event_count")), number_of(facts.get("reports"))
    if count is not None:
        rests = voice.say("events", count)
        if reports is not None:
            rests += ", " + voice.say("reports", reports)
        yield rests
    ids = [clean(event.get("id") or "", 60) for event in facts.get("events") or ()]
    ids = [name for name in ids if name][:MAX_IDS]
    if ids:
        more = int(count or len(ids)) - len(ids)
        text = ", ".join(ids)
        yield (
            voice.say("event_ids", ids=text)
            if more <= 0
            else voice.say("event_ids_more", more, ids=text)
        )
    reporters = [clean(event.get("reporters") or "", 300) for event in facts.get("events") or ()]
    named = [name for name in dict.fromkeys(reporters) if name]
    if named:
        yield voice.say("reporters", names="; ".join(named[:5]))


def _withdraw(notice: Notice, voice: Voice) -> Iterable[str]:
    if notice.action == "summary":
        return
    kind = str(notice.facts.get("kind"))
    yield voice.say(f"withdraw.{kind if kind in ('event', 'quiet') else 'window'}")


def _commands(notice: Notice, voice: Voice) -> Iterable[str]:
    if notice.exercise:
        return
    alert, rule = clean(notice.alert_id), clean(notice.rule_id)
    closed = notice.action == "resolved" or _is_void(notice)
    if not closed and notice.action != "summary":
        yield voice.say("command.ack", alert=alert)
    if notice.action != "summary" and not is_health(notice.facts):
        yield voice.say("command.verdict", alert=alert)
    if notice.action != "summary":
        yield voice.say("command.silence", rule=rule)
    yield voice.say("command.look", alert=alert)


def _citations(notice: Notice, voice: Voice) -> list[str]:
    """The sources' citations, with the day they were last read for this notice."""
    accessed = voice.numeric_day(voice.local_day(notice.at))
    filters = condition_words(notice.facts.get("condition") or {}, voice) or clean(notice.title)
    words = voice.say("citation")
    datasets = [str(name) for name in notice.facts.get("datasets") or ()]
    return [citation(name, accessed, filters, words=words) for name in datasets]


# --- tables -----------------------------------------------------------------------------------


def _table(notice: Notice, voice: Voice) -> View | None:
    if notice.action == "summary":
        return _summary_table(notice, voice)
    events = notice.facts.get("events") or ()
    if notice.facts.get("kind", "event") == "event" or not events:
        return None
    columns = ("when", "where", "what", "deaths")
    rows = [_event_row(notice, event, voice) for event in events[:MAX_ROWS]]
    more = int(number_of(notice.facts.get("event_count")) or 0) - len(rows)
    return {
        "caption": voice.say("events_caption"),
        "columns": [voice.say(f"column.{name}") for name in columns],
        "rows": rows,
        "more": voice.say("events_more", more) if more > 0 else "",
    }


def digest_table(notices: Sequence[Notice], voice: Voice) -> View:
    """One row a notice: what a reader looks through before reading on."""
    columns = ("severity", "when", "where", "what", "deaths")
    cells = [_digest_row(notice, voice) for notice in notices]
    return {
        "columns": [voice.say(f"column.{name}") for name in columns],
        "rows": [
            {"number": number, "cells": row, "line": " | ".join(cell for cell in row if cell)}
            for number, row in enumerate(cells, start=1)
        ],
    }


def _digest_row(notice: Notice, voice: Voice) -> list[str]:
    facts, event = notice.facts, newest(notice)
    row = _event_row(notice, event, voice) if event else ["", "", "", ""]
    first, last = day_of(facts.get("first_day")), day_of(facts.get("last_day"))
    marked = f"mark.{mark_of(notice)}"
    mark = voice.say(marked) if voice.has(marked) else ""
    single = facts.get("kind", "event") == "event" and notice.action != "summary"
    keyed = ", ".join(key_words(name, value, voice, facts) for name, value in notice.key)
    title = row[2] if single else ", ".join(part for part in (clean(notice.title), keyed) if part)
    return [
        voice.say(f"severity.{notice.severity}"),
        _span(first, last, voice),
        row[1] if single else "",
        " ".join(part for part in (mark, title) if part),
        row[3] if single else deaths(facts, voice),
    ]


def _span(first: date | None, last: date | None, voice: Voice) -> str:
    if first is None:
        return ""
    if last is None or last == first:
        return voice.numeric_day(first)
    return voice.say("span", first=voice.numeric_day(first), last=voice.numeric_day(last))


def _event_row(notice: Notice, event: Mapping[str, Any], voice: Voice) -> list[str]:
    day = day_of(event.get("date"))
    place = where_line(event, voice, border=is_about_border(notice))
    name = "" if is_region(event) else clean(event.get("location") or "", 80)
    matched = [short_actor(str(actor))[:80] for actor in event.get("matched_actors") or ()]
    kind = event_type_words(event.get("sub_event_type") or event.get("event_type") or "", voice)
    return [
        "" if day is None else voice.numeric_day(day),
        capital(", ".join(part for part in (name, place) if part)),
        capital(_with_actors(kind, voice.join(list(dict.fromkeys(matched))[:3]), voice)),
        deaths(event, voice),
    ]


def _with_actors(kind: str, actors: str, voice: Voice) -> str:
    if not kind or not actors:
        return kind or actors
    return voice.say("involving", what=kind, actors=actors, vowel=starts_with_vowel(actors))


def _summary_table(notice: Notice, voice: Voice) -> View:
    columns = ("severity", "when", "where", "what", "deaths")
    return {
        "caption": "",
        "columns": [voice.say(f"column.{name}") for name in columns],
        "rows": [_item_row(notice, item, voice) for item in notice.items[:MAX_ROWS]],
        "more": "",  # said before the table
    }


def _item_row(notice: Notice, item: Mapping[str, Any], voice: Voice) -> list[str]:
    event = item.get("event") or {}
    first, last = day_of(item.get("first_day")), day_of(item.get("last_day"))
    days = _span(first, last, voice)
    key = item.get("key") or {}
    keyed = ", ".join(
        key_words(name, str(value), voice, notice.facts) for name, value in key.items()
    )
    row = _event_row(notice, event, voice)
    count = number_of(item.get("event_count"))
    many = voice.say("events", count) if count is not None and count > 1 else ""
    if item.get("health"):
        keyed = headline(item["health"], voice)
    return [
        voice.say(f"severity.{item.get('severity', 'info')}"),
        days,
        row[1],
        capital(", ".join(part for part in (keyed, row[2], many) if part)),
        deaths(item, voice),
    ]
