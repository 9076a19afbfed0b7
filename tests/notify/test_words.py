import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from helpers_notify import NOW, notice

from warden.model.notice import Change
from warden.notify.render import Renderer
from warden.notify.render.binding import NO_BREAK, bound
from warden.notify.render.body import ordinal
from warden.notify.render.first_line import LIMIT, short_actor
from warden.notify.render.gaps import Gap
from warden.notify.render.payload import schema
from warden.notify.render.plain import plain_text
from warden.notify.render.renderer import message_view
from warden.notify.render.samples import sample_event, sample_notice, sample_notices
from warden.notify.render.template_faults import template_faults
from warden.notify.render.voice import Voice, read_phrases
from warden.notify.routes import Receiver

RENDERER = Renderer()
TEMPLATES = Path(__file__).parents[2] / "templates"
LANGUAGES = ("en", "fr")


def render(*notices, language="en", zone="Africa/Bamako", now=None):
    rendered = RENDERER.render(
        Receiver("desk", language, zone), notices, now or notices[0].at, ("mail",)
    )
    assert rendered.fallback == ""
    return rendered


def line(one, **options):
    return render(one, **options).subject


def body(one, part="text", **options):
    return json.loads(render(one, **options).bodies["mail"])[part].replace(NO_BREAK, " ")


def event_notice(at=NOW, event=None, **facts):
    base = sample_notice(at=at)
    events = [sample_event(at, **(event or {}))]
    return replace(base, facts={**base.facts, "events": events, **facts})


@pytest.mark.parametrize(
    ("language", "one", "several"),
    [
        ("en", "has withdrawn this event.", "has withdrawn these events."),
        ("fr", "a retiré cet événement.", "a retiré ces événements."),
    ],
)
def test_a_cancel_says_how_many_events_were_withdrawn(language, one, several):
    cancel = replace(event_notice(), action="cancel", reason="WITHDRAWN_BY_SOURCE")
    window = replace(cancel, facts={**cancel.facts, "kind": "count", "event_count": 4})
    told = replace(cancel, facts={**cancel.facts, "withdrawn": ["A1", "A2"]})
    assert one in body(cancel, language=language)
    assert several in body(window, language=language)
    assert several in body(told, language=language)


# --- both languages ---------------------------------------------------------------------------


def test_every_language_defines_the_same_phrases_with_the_same_values():
    found = {language: read_phrases(language, [TEMPLATES]) for language in LANGUAGES}
    english, french = found["en"], found["fr"]
    assert set(english) == set(french)
    names = re.compile(r"{{ *(\w+)")
    for key, text in english.items():
        mine, theirs = (set(names.findall(one)) - {"n"} for one in (text, french[key]))
        assert theirs <= mine | {"ordinal"}, key
        assert mine <= theirs, key


def test_the_shipped_templates_have_no_faults():
    assert RENDERER.languages == LANGUAGES
    assert template_faults(RENDERER) == ()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", range(len(sample_notices())))
def test_every_message_cites_its_source_names_its_rule_and_blames_nobody(language, number):
    one = sample_notices()[number]
    one = replace(one, facts={**one.facts, "datasets": ["acled"]})
    for part in ("text", "html"):
        text = body(one, part, language=language)
        assert "ACLED (Armed Conflict Location" in text
        assert "10 Jan 2024" in text or "10 janv. 2024" in text
        assert one.rule_id in text
        assert one.alert_id in text
        for wrong in (" by ANA", " par ANA", "safe", "all clear", "None", "{{", "undefined"):
            assert wrong not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_line_is_never_longer_than_160_characters(language):
    long = "Katiba " * 30
    for one in sample_notices():
        for event in (
            {"location": "A" * 200},
            {"matched_actors": [long, long + "2", "third"]},
            {"place_title": "Very Long Place Name " * 8},
            {"admin1": "B" * 300, "geo_precision": 3},
        ):
            facts = {**one.facts, "events": [sample_event(**event)]}
            for title in ("t", "word " * 80):
                text = line(replace(one, facts=facts, title=title), language=language)
                assert len(text) <= LIMIT
                assert "\n" not in text


# --- the first line ---------------------------------------------------------------------------


def test_the_first_line_says_severity_what_where_when_and_the_dead():
    at = datetime(2022, 7, 25, 9, tzinfo=UTC)
    event = {
        "matched_actors": ["JNIM: Group for Support of Islam and Muslims"],
        "distance_km": 42.731,
        "bearing_deg": 310.0,
    }
    assert line(event_notice(at, event)) == (
        "CRITICAL Violent event involving JNIM, 43 km NW of Bamako (Kati), 22 Jul, 3 days ago,"
        " 2 dead"
    )
    assert line(event_notice(at, event), language="fr") == (
        "CRITIQUE Événement violent impliquant JNIM, à 43 km au NO de Bamako (Kati), 22 juil.,"
        " il y a 3 jours, 2 morts"
    )


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"geo_precision": 3}, "place unknown within Koulikoro"),
        ({"fatalities": 0}, "no deaths reported"),
        ({"fatalities": 5, "fatalities_low": 3, "fatalities_high": 12}, "5 dead (3\N{EN DASH}12)"),
        ({"distance_km": 0.4, "location": "Bamako"}, "at Bamako, 7 Jan"),
        ({"distance_km": 4.26}, "4.3 km NW of Bamako"),
        ({"date": "2024-01-10", "date_end": "2024-01-10"}, "10 Jan, today"),
        ({"date": "2024-01-09", "date_end": "2024-01-09"}, "9 Jan, yesterday"),
        ({"time_precision": 2}, "week of 7 Jan, 3 days ago"),
        ({"time_precision": 3}, "in January 2024, day unknown"),
        ({"date": "2024-01-05"}, "5 Jan to 7 Jan, 3 days ago"),
        ({"date": "2022-07-22", "date_end": "2022-07-22"}, "22 Jul 2022, 18 months ago"),
        ({"event_type": "Protests"}, "Protest involving ANA"),
        ({"matched_actors": ["A", "B"]}, "involving A and B,"),
        ({"matched_actors": ["A", "B", "C"]}, "involving A, B and 1 other,"),
        ({"matched_actors": [], "actors": []}, "Violent event, 14 km NW"),
        ({"place_title": None, "distance_km": None}, "Kati, Koulikoro, 7 Jan"),
        ({"date": "2024-01-11", "date_end": "2024-01-11"}, "11 Jan, 2 dead"),
    ],
)
def test_the_first_line_says_what_is_known_and_no_more(event, said):
    assert said in line(event_notice(event=event))


def test_names_are_shortened_without_their_long_forms_and_years():
    assert short_actor("JNIM: Group for Support of Islam and Muslims") == "JNIM"
    assert short_actor("Military Forces of Mali (2021-)") == "Military Forces of Mali"
    assert short_actor("Dan Na Ambassagou") == "Dan Na Ambassagou"


def test_a_rule_about_a_border_tells_the_distance_to_it():
    one = event_notice(condition={"border_within_km": 50, "border_with": ["CIV"]})
    one.facts["events"][0].update(border_km=12.4, border_neighbour="CIV")
    ivory = "Côte d\N{RIGHT SINGLE QUOTATION MARK}Ivoire"
    assert f"12 km from the Mali\N{EN DASH}{ivory} border (Kati)" in line(one)
    assert f"à 12 km de la frontière Mali\N{EN DASH}{ivory} (Kati)" in line(one, language="fr")
    one.facts["events"][0].pop("border_of")
    assert f"12 km from the border with {ivory} (Kati)" in line(one)


def test_french_elides_before_a_vowel():
    assert "au NO d\N{RIGHT SINGLE QUOTATION MARK}Abidjan" in line(
        event_notice(event={"place_title": "Abidjan"}), language="fr"
    )


def test_the_reader_counts_days_in_their_own_time_zone():
    late = datetime(2024, 1, 10, 23, 30, tzinfo=UTC)
    one = event_notice(event={"date": "2024-01-10", "date_end": "2024-01-10"})
    assert "today" in line(one, now=late, zone="Africa/Bamako")
    assert "yesterday" in line(one, now=late, zone="Africa/Nairobi")


# --- the body ---------------------------------------------------------------------------------


def test_an_event_message_holds_all_that_a_reader_must_know():
    text = body(event_notice(event={"dataset": "acled", "fatalities": 10}, held=2))
    for said in (
        "Recorded as involved: ANA: An Armed Group; Military Forces of Mali (2021-)",
        "it does not say who attacked whom",
        "Kati, Koulikoro, Mali",
        "14 km NW of Bamako",
        "Place certain.",
        "118 km from the nearest land border (Guinea).",
        "Sunday 7 January 2024, 3 days ago",
        "Known to warden on 10 Jan 2024, 3 days after it happened.",
        'ACLED often writes 10 for "many, number unknown".',
        "5th such event in 12 months (2 in the 12 before).",
        "Condition: involving Armed groups; within 150 km of Bamako.",
        "This rule raises about 13 alerts a year.",
        "1 event, 1 report",
        "Event ids: SMP1",
        "If the source deletes this event",
        "Call the field office. Then the partners.",
        "2 earlier episodes were not told",
    ):
        assert said in " ".join(text.split())


def test_a_region_is_never_told_as_a_point():
    text = body(event_notice(event={"geo_precision": 3, "location": "Koulikoro"}))
    assert "Place unknown within Koulikoro; the source puts it on Koulikoro" in text
    assert "14 km" not in text


def test_a_late_report_says_how_late_it_is_known():
    then = "2023-11-30"
    late = event_notice(event={"date": then, "date_end": then})
    assert "10 Jan 2024, 41 days after it happened." in body(late)
    window = replace(sample_notices()[8], action="alert")
    known = {"last_day": then, "known_at": "2024-01-10T08:00:00.000000Z"}
    window = replace(window, facts=window.facts | known)
    assert "The latest was known 41 days after it happened." in body(window)
    assert "Le dernier a été connu 41 jours après les faits." in body(window, language="fr")


def test_what_a_source_knew_before_warden_read_it_is_told_as_the_sources_word():
    read = {"first_seen_at": "2024-03-01T08:00:00Z", "known_at": "2024-01-10T08:00:00Z"}
    told = event_notice(event=read)
    assert "The source's record is dated 10 Jan 2024, 3 days after it happened." in body(told)
    said = "La fiche de la source est datée du 10 janv. 2024, 3 jours après les faits."
    assert said in " ".join(body(told, language="fr").split())
    same_day = event_notice(event=read | {"known_at": "2024-01-07T08:00:00Z"})
    assert "The source's record is dated 7 Jan 2024." in body(same_day)
    assert "Known to warden" not in body(told) + body(same_day)


def test_a_stamp_from_before_the_event_tells_nothing_of_it():
    read = {"first_seen_at": "2024-03-01T08:00:00Z", "known_at": "2023-11-14T08:00:00Z"}
    text = body(event_notice(event=read))
    assert "Known to warden on 1 Mar 2024, 54 days after it happened." in text
    assert "2023" not in text
    # Where the day begins first, an event of the 7th is stamped while it is the 6th in Greenwich.
    read["known_at"] = "2024-01-06T11:00:00Z"
    assert "The source's record is dated 7 Jan 2024." in body(
        event_notice(event=read), zone="Pacific/Kiritimati"
    )


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Pacific/Kiritimati", "11 Jan 2024, 4 days after it happened."),
        ("Africa/Bamako", "10 Jan 2024, 3 days after it happened."),
        ("America/Los_Angeles", "9 Jan 2024, 2 days after it happened."),
    ],
)
def test_how_late_it_was_known_is_counted_in_the_readers_days(zone, said):
    early = "2024-01-10T03:00:00Z" if "America" in zone else "2024-01-10T12:00:00Z"
    told = event_notice(event={"first_seen_at": early, "known_at": early})
    assert f"Known to warden on {said}" in body(told, zone=zone)
    known = {"last_day": "2024-01-07", "known_at": early}
    window = replace(sample_notices()[8], action="alert")
    window = replace(window, facts=window.facts | known)
    assert said.partition(", ")[2] in body(window, zone=zone)


def test_a_number_and_its_unit_stand_on_one_line():
    html = json.loads(render(event_notice()).bodies["mail"])["html"]
    assert f"14{NO_BREAK}km NW of Bamako" in html
    assert f"7{NO_BREAK}Jan, 3{NO_BREAK}days ago" in html
    assert bound("À 14 km, « ici » : 90 % ; warden ack 3f2", "fr") == (
        "À 14_km, «_ici_»_: 90_%_; warden ack 3f2".replace("_", NO_BREAK)
    )
    assert NO_BREAK not in body(event_notice(), language="fr")


def test_the_first_of_a_month_is_said_as_the_language_says_it():
    first = event_notice(event={"date": "2024-01-01", "date_end": "2024-01-01"})
    assert ", 1er janv., il y a 9 jours" in line(first, language="fr")
    assert "Lundi 1er janvier 2024" in body(first, language="fr")
    assert ", 1 Jan, 9 days ago" in line(first)
    assert "21 janv." in line(
        event_notice(event={"date": "2023-12-21", "date_end": "2024-01-21"}), language="fr"
    )


def test_violence_against_civilians_is_said_in_the_first_line_as_its_source_marks_it():
    one = event_notice(event={"civilian_targeting": True})
    assert "Violent event targeting civilians involving ANA, 14 km" in line(one)
    assert "Événement violent visant des civils impliquant ANA" in line(one, language="fr")


def test_a_first_line_too_long_keeps_its_key_and_both_ends_of_its_title():
    facts = sample_notice().facts | {"kind": "count", "value": 16, "window_days": 623}
    title = f"Sustained rise of {'many ' * 12}violent events within 200 km of Bamako"
    one = replace(sample_notice(), title=title, facts=facts, key=(("country", "MLI"),))
    said = line(replace(one, action="update", reason="MATERIAL_CHANGE"))
    assert said.startswith("CRITICAL Update: Sustained rise of many ")
    assert "many\N{HORIZONTAL ELLIPSIS} " in said
    assert said.endswith("200 km of Bamako (Mali), 16 events in 623 days, latest 7 Jan, 2 dead")


def test_an_unusual_count_says_what_was_expected_in_the_first_line():
    facts = sample_notice().facts | {"kind": "spike", "value": 3, "window_days": 7}
    one = replace(sample_notice(), facts=facts | {"expected": 0.19})
    assert "3 events in 7 days (0.2 expected), latest" in line(one)
    assert "3 événements en 7 jours (0,2 attendus)" in line(one, language="fr")


def test_a_number_of_deaths_that_was_counted_is_not_told_twice():
    facts = sample_notice().facts | {"kind": "record", "measure": "fatalities", "value": 155}
    one = replace(sample_notice(), facts=facts | {"window_days": 30, "fatalities": 164})
    assert line(one).endswith("155 deaths in 30 days, latest 7 Jan, 3 days ago")
    assert "164 dead in 1 event" in body(one)


def test_a_projection_says_what_there_is_so_far_and_was_before():
    facts = sample_notice().facts | {"kind": "projection", "value": 74, "previous": 70}
    facts |= {"measure": "fatalities", "period": "2024", "event_count": 3, "largest_share": 0.2}
    one = replace(sample_notice(), facts=facts | {"observed": 74, "expected": 70})
    assert "74 deaths so far in 2024, 70 in all of 2023" in line(one)
    assert "74 morts à ce jour en 2024, 70 pour tout 2023" in line(one, language="fr")
    text = body(one)
    assert "20 % of the deaths are from one event." in text
    assert "Observed 74" not in text


@pytest.mark.parametrize(
    ("value", "language", "said"),
    [
        (1, "en", "1 event in 7 days"),
        (0, "en", "0 events in 7 days"),
        (0, "fr", "0 événement en 7 jours"),
        (1, "fr", "1 événement en 7 jours"),
        (2, "fr", "2 événements en 7 jours"),
    ],
)
def test_what_is_counted_stands_in_its_number(value, language, said):
    facts = sample_notice().facts | {"kind": "count", "value": value, "window_days": 7}
    one = replace(sample_notice(), facts=facts)
    assert said in line(one, language=language)
    assert said in body(one, language=language)


def test_a_silence_of_the_records_is_not_told_as_peace_nor_with_the_dead_before_it():
    facts = sample_notice().facts | {"kind": "quiet", "value": 0, "window_days": 42}
    one = replace(sample_notice(), title="No event near Bamako", facts=facts)
    assert line(one).endswith(", 0 events in 42 days, last before on 7 Jan, 3 days ago")
    text = " ".join(body(one).split())
    assert "that does not mean that little or nothing happened" in text
    assert "If events of these days become known" in text
    assert "DEATHS" not in text
    assert "veut pas dire" in body(one, language="fr")


@pytest.mark.parametrize("number", [5, 7])
def test_what_no_longer_stands_asks_to_be_passed_on_and_not_for_the_runbook(number):
    text = body(sample_notices()[number])
    assert "If you passed the alert on, tell the same people" in text
    for void in ("Call the field office", "Place certain.", "warden ack"):
        assert void not in text


def test_an_update_says_old_and_new():
    one = notice(
        action="update",
        reason="MATERIAL_CHANGE",
        changes=(
            Change("fatalities", 2, 9),
            Change("severity", "warning", "critical"),
            Change("distance_km", 14.1, 162.2),
        ),
    )
    text = body(one)
    assert "Deaths: 2 → 9" in text
    assert "Severity: WARNING → CRITICAL" in text
    assert "Distance: 14 km → 162 km" in text
    assert line(one).startswith("CRITICAL Update: ")
    french = body(one, language="fr")
    assert "CE QUI A CHANGÉ\nMorts : 2 → 9\nGravité : VIGILANCE → CRITIQUE" in french
    html = json.loads(render(one).bodies["mail"])["html"]
    assert ">Deaths: 2 → 9. Severity: WARNING → CRITICAL." in html  # what a mailbox's list shows


def test_an_update_after_a_withdrawal_says_that_the_alert_stands():
    one = replace(sample_notices()[7], action="update")
    text = body(one)
    assert "on which this alert rested." in " ".join(text.split())
    assert "This event" not in text
    assert "alerte tient" in body(one, language="fr")


def test_a_count_that_is_the_number_of_events_is_told_once():
    changes = (Change("value", 7, 16), Change("event_count", 7, 16), Change("fatalities", 15, 37))
    one = notice(action="update", reason="MATERIAL_CHANGE", changes=changes)
    assert "WHAT CHANGED\nEvents: 7 → 16\nDeaths: 15 → 37\n" in body(one)
    apart = replace(one, changes=(Change("value", 3, 5), changes[1]))
    assert "Count: 3 → 5" in body(apart)


def test_an_end_is_not_an_all_clear():
    one = sample_notices()[9]
    assert "The rule's condition no longer holds. This is not an all-clear." in body(one)
    assert line(one).startswith("CRITICAL Ended: ")


def test_a_withdrawal_names_what_it_may_have_been_merged_into():
    text = body(sample_notices()[7])
    assert "The source has withdrawn this event." in text
    assert "It may have been merged into: SMP2, 7 Jan, 3 days ago, Kati, 2 dead." in text


def test_an_event_that_no_longer_matches_is_still_recorded():
    one = sample_notices()[5]
    assert "Still recorded, now 162 km NW of Bamako" in body(one)
    assert "No longer matches:" in line(one)


def test_a_count_says_value_window_and_its_events():
    text = body(sample_notices()[8])
    assert "4 events in 60 days" in text
    assert "4 events, 3 reports" in text
    assert "60 % of the deaths are from one event." in text
    assert "Condition: at least 3 events in 60 days." in text
    assert "- 7 Jan 2024 | Kati, 14 km NW of Bamako |" in text


def test_a_summary_lists_its_alerts_and_counts_the_rest():
    one = sample_notices()[10]
    assert line(one).startswith("CRITICAL Summary: Violent event near Bamako, 70 alerts, 7 Jan")
    text = body(one)
    assert "Listed below: 1 of 70, the most severe and newest first." in text
    assert "- WARNING | 2 Jan 2024 to 7 Jan 2024 | Kati, 14 km NW of Bamako" in text


def test_several_notices_are_one_message_that_counts_them():
    rendered = render(notice(1), notice(2, alert="a2"))
    assert rendered.subject.endswith("(+1 more)")
    text = json.loads(rendered.bodies["mail"])["text"]
    assert text.startswith("2 notices in this message, the most severe first.")


def test_an_exercise_says_so_first():
    one = replace(sample_notice(), exercise=True)
    assert line(one).startswith("EXERCISE CRITICAL ")
    assert "This is an exercise, to see whether messages arrive. Nothing has" in body(one)
    french = " ".join(body(one, language="fr").split())
    assert "Il ne s\N{RIGHT SINGLE QUOTATION MARK}est rien passé" in french


@pytest.mark.parametrize(
    ("number", "said"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (112, "112th"), (23, "23rd")],
)
def test_english_ordinals(number, said):
    class English:
        language = "en"
        number = staticmethod(str)

    assert ordinal(number, English) == said


# --- hostile facts ----------------------------------------------------------------------------


HOSTILE = '<script>alert(1)</script>\r\nBcc: x@y.org\u202e\x00 {{ 7*7 }} & "q"'


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_from_a_source_cannot_inject_markup_lines_or_templates(language):
    event = {
        "location": HOSTILE,
        "admin1": HOSTILE,
        "matched_actors": [HOSTILE],
        "actors": [{"name": HOSTILE, "role": "actor1", "type": HOSTILE}],
        "reporters": HOSTILE,
        "id": HOSTILE,
        "place_title": HOSTILE,
    }
    one = replace(
        event_notice(event=event, runbook=HOSTILE, description=HOSTILE),
        title=HOSTILE,
        changes=(Change(HOSTILE, HOSTILE, HOSTILE),),
    )
    html = body(one, "html", language=language)
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "{{ 7*7 }}" in html
    assert "49" not in line(one, language=language)
    text = body(one, language=language)
    for odd in ("\u202e", "\x00", "\r"):
        assert odd not in text
        assert odd not in line(one, language=language)
    assert "\n" not in line(one, language=language)


def test_facts_of_odd_shapes_still_make_a_message():
    for facts in ({}, {"events": []}, {"kind": "count"}, {"events": [{}]}, {"events": None}):
        for action in ("alert", "update", "resolved", "cancel", "summary"):
            one = replace(sample_notice(), action=action, facts=facts)
            for language in LANGUAGES:
                assert render(one, language=language).subject


def test_every_action_and_age_reads_in_both_languages():
    for days in (0, 1, 2, 40, 119, 121, 400, 1000, 4000):
        day = (NOW - timedelta(days=days)).date().isoformat()
        one = event_notice(event={"date": day, "date_end": day})
        for language in LANGUAGES:
            assert render(one, language=language).subject


def test_an_event_that_no_longer_matches_is_not_numbered_among_those_that_do():
    one = next(n for n in sample_notices() if n.reason == "NO_LONGER_MATCHES")
    one = replace(one, facts={**one.facts, "nth_in_12_months": 1, "previous_12_months": 0})
    assert "in 12 months" not in body(one)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_says_since_when_a_feed_of_its_data_is_silent(language):
    one = event_notice()
    one = replace(one, facts={**one.facts, "datasets": ["acled"]})
    gaps = (Gap("main feed", "acled", date(2023, 1, 9)), Gap("other", "ucdp", date(2022, 1, 9)))
    rendered = RENDERER.render(
        Receiver("desk", language), [one], one.at, ("mail", "warden"), message_id="m1", gaps=gaps
    )
    said = {"en": "No data since 9 Jan 2023", "fr": "Aucune donnée depuis le 9 janv. 2023"}
    for part in ("text", "html"):
        text = json.loads(rendered.bodies["mail"])[part].replace(NO_BREAK, " ")
        assert said[language] in text
        assert "9 Jan 2022" not in text
        assert "9 janv. 2022" not in text
    data = json.loads(rendered.bodies["warden"])
    jsonschema.validate(data, schema())
    assert data["notices"][0]["no_data_since"] == {"main feed": "2023-01-09"}


def test_an_event_that_has_not_moved_is_not_said_to_be_elsewhere():
    one = next(n for n in sample_notices() if n.reason == "NO_LONGER_MATCHES")
    one = replace(one, facts={**one.facts, "now": one.facts["events"][0]})
    assert "Still recorded, but after a revision it no longer meets" in body(one)


def episode(**facts):
    """Of a count of events: six in the fullest window of sixty days."""
    window = next(n for n in sample_notices() if n.facts.get("kind") == "count")
    condition = {"measure": "events", "window_days": 60}
    found = {"value": 6, "window_days": 60, "event_count": 10, "fatalities": 85}
    facts = {"condition": condition, "first_day": "2022-11-22", **found, **facts}
    return replace(window, key=(), facts={**window.facts, **facts})


@pytest.mark.parametrize(
    ("count", "language", "said"),
    [
        (6, "en", "days ago, 85 dead"),
        (10, "en", "85 dead in 10 events since 22 Nov 2022"),
        (6, "fr", "3 jours, 85 morts"),
        (10, "fr", "85 morts dans 10 événements depuis le 22 nov. 2022"),
    ],
)
def test_the_dead_of_an_episode_are_not_taken_for_those_of_its_fullest_window(
    count, language, said
):
    assert line(episode(event_count=count), language=language).endswith(said)


def test_the_dead_of_more_than_a_window_are_told_as_such_whatever_was_counted():
    districts = {"measure": "distinct_admin2"}
    assert line(episode(**districts)).endswith("85 dead in 10 events since 22 Nov 2022")
    assert line(episode(**districts, first_day="2024-01-02")).endswith("days ago, 85 dead")


def test_a_first_line_too_long_says_the_span_of_its_dead_in_fewer_words_or_leaves_them_out():
    cluster = "Cluster of violent events involving militant Islamists within 150 km of Bamako"
    said = line(replace(episode(), title=cluster, action="update", reason="MATERIAL_CHANGE"))
    assert said.endswith(f"{cluster}, 6 events in 60 days, latest 7 Jan, 85 dead since 22 Nov 2022")
    key = (("admin1", "A region with quite a long name of its own, " * 2 + "and its end"),)
    said = line(replace(episode(), title="T" * 50, key=key))
    assert len(said) <= LIMIT
    assert said.endswith("its end, 6 events in 60 days, latest 7 Jan, 3 days ago")


@pytest.mark.parametrize(
    ("language", "said"), [("en", "and 22 more, earlier"), ("fr", "et 22 autres, antérieurs")]
)
@pytest.mark.parametrize("part", ["text", "html"])
def test_a_list_of_events_that_is_not_whole_says_how_many_more_there_are(part, language, said):
    listed = [sample_event(id=f"SMP{number}") for number in range(20)]
    assert said in body(episode(events=listed, event_count=42), part, language=language)
    assert said.split(" ", maxsplit=1)[0] + " 0" not in body(
        episode(events=listed, event_count=20), part, language=language
    )


def test_the_plain_form_says_so_too():
    voice = Voice(RENDERER.phrases("en"), "UTC", NOW)
    view = message_view(Receiver("desk"), [episode()], ["A line"], voice, "A line")
    assert "and 9 more, earlier" in plain_text(view)


def test_a_summary_says_how_many_of_its_alerts_are_listed():
    one = next(n for n in sample_notices() if n.action == "summary")
    facts = {**one.facts, "total": 70, "shown": 70}
    text = body(replace(one, facts=facts, items=one.items * 70))
    assert "Listed below: 50 of 70" in text
    assert text.count("\n- ") == 50
