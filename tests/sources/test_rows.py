"""Values of ACLED rows: one event gives one record, whichever way it came."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sourcing import ROW, a_row

from warden.model.event import Actor, Record
from warden.sources import values
from warden.sources.acled_pages import parse_rows
from warden.sources.acled_rows import COLUMNS, AcledRows, report_of
from warden.sources.values import RowError

NOW = datetime(2024, 6, 5, 12, tzinfo=UTC)


def record(**columns) -> Record:
    page = parse_rows([a_row(1, **columns)], AcledRows(NOW), keep_raw=False)
    assert not page.rejects, page.rejects[0].reason
    return page.records[0]


def reason(**columns) -> str:
    page = parse_rows([a_row(1, **columns)], AcledRows(NOW), keep_raw=False)
    assert page.rejects, page.records
    return page.rejects[0].reason


def test_a_row_becomes_a_record():
    found = record()
    assert found.uid == "acled:MLI90001"
    assert found.event_date == found.event_date_end == date(2024, 5, 1)
    assert found.category == "political_violence"
    assert found.location_error_km == 25.0
    assert (found.iso3, found.country) == ("MLI", "Mali")
    assert found.source_updated_at == datetime.fromtimestamp(1714990000, UTC)
    assert found.reporters == "Invented Daily"
    assert found.url == ""
    assert found.fatalities_low is None
    assert found.actors == (
        Actor("JNIM: Group for Support of Islam and Muslims", "actor1", "Rebel group"),
        Actor("Katiba Macina", "assoc_actor_1"),
        Actor("Katiba Serma", "assoc_actor_1"),
        Actor("Military Forces of Mali (2021-)", "actor2", "State forces"),
    )


@pytest.mark.parametrize(
    "columns",
    [
        {"event_date": "01 May 2024"},
        {"event_date": "1-May-24"},
        {"event_date": "1 may 2024"},
        {"event_date": "2024-05-01T00:00:00"},
        {"fatalities": "3", "latitude": "12.7441", "longitude": "-8.0726", "iso": "466"},
        {"fatalities": 3.0, "iso": "466.0", "inter1": "2"},
        {"inter1": "Rebel group", "inter2": "State forces"},
        {"inter1": "Rebel Groups", "inter2": "State Forces"},
        {"iso": "", "country": "Mali"},
        {"iso": None, "iso3": "MLI"},
        {"disorder_type": None},
        {"disorder_type": "political violence "},
        {"timestamp": "1714990000"},
        {"actor1": "  JNIM: Group for Support of Islam  and Muslims "},
        {"assoc_actor_1": "Katiba Macina;Katiba Serma; "},
        {"civilian_targeting": None, "tags": None, "admin3": "Kati "},
        {"year": "0016", "region": "elsewhere", "source_scale": "National-International"},
    ],
)
def test_spellings_of_one_event_give_one_record(columns):
    assert record(**columns) == record()


@pytest.mark.parametrize(
    ("disorder", "event_type", "sub_type", "expected", "category"),
    [
        ("Demostrations", "Protests", "Peaceful protest", "Demonstrations", "demonstration"),
        ("", "Protests", "Peaceful protest", "Demonstrations", "demonstration"),
        ("", "Riots", "Mob violence", "Political violence", "political_violence"),
        ("", "Riots", "Violent demonstration", "Demonstrations", "demonstration"),
        (
            "Political violence; Demostrations",
            "Protests",
            "Excessive force against protesters",
            "Political violence; Demonstrations",
            "political_violence",
        ),
        (
            "",
            "Protests",
            "Excessive force against protesters",
            "Political violence; Demonstrations",
            "political_violence",
        ),
        ("", "Strategic developments", "Other", "Strategic developments", "strategic"),
        ("", "Something new", "", "", ""),
        ("Something new", "Something new", "", "Something new", ""),
    ],
)
def test_disorder_types_are_spelt_right_and_filed(
    disorder, event_type, sub_type, expected, category
):
    found = record(disorder_type=disorder, event_type=event_type, sub_event_type=sub_type)
    assert (found.disorder_type, found.category) == (expected, category)


def test_event_types_are_spelt_in_one_way():
    assert record(event_type="BATTLES").event_type == "Battles"


@pytest.mark.parametrize(
    ("phrase", "event_type", "expected"),
    [
        ("Civilian targeting", "Battles", True),
        ("", "Battles", False),
        (" ", "Battles", False),
        ("", "Violence against civilians", True),  # older exports leave the column empty
    ],
)
def test_civilian_targeting_is_a_phrase_or_the_type(phrase, event_type, expected):
    assert record(civilian_targeting=phrase, event_type=event_type).civilian_targeting is expected


def test_kosovo_has_the_number_zero():
    assert record(iso=0, country="Kosovo", latitude=42.6, longitude=21.1).iso3 == "XKX"


def test_the_source_keeps_its_own_name_of_a_country():
    found = record(iso=384, country="Ivory Coast", latitude=9.5, longitude=-5.6)
    assert (found.iso3, found.country) == ("CIV", "Ivory Coast")


def test_a_country_nobody_knows_is_kept_without_a_code():
    assert record(iso="", country="Atlantis").iso3 == ""


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"event_id_cnty": ""}, "id is missing"),
        ({"event_id_cnty": "a b"}, "no id"),
        ({"event_id_cnty": "x" * 65}, "no id"),
        ({"event_date": ""}, "no date"),
        ({"event_date": "0016-01-01"}, "before 1900"),
        ({"event_date": "2024-02-30"}, "no date"),
        ({"event_date": "31/10/2020"}, "no date"),
        ({"event_date": "2024-06-08"}, "future"),
        ({"fatalities": "2.5"}, "no whole number"),
        ({"fatalities": 1.5}, "no whole number"),
        ({"fatalities": -1}, "outside"),
        ({"fatalities": ""}, "missing"),
        ({"fatalities": 2**63}, "outside"),
        ({"fatalities": "9" * 400}, "no whole number"),
        ({"fatalities": "٣"}, "no whole number"),
        ({"latitude": ""}, "missing"),
        ({"latitude": "12.7N"}, "no number"),
        ({"latitude": "nan"}, "no number"),
        ({"latitude": "1_2"}, "no number"),
        ({"latitude": 91}, "swapped"),
        ({"longitude": 181}, "outside"),
        ({"latitude": 0, "longitude": 0.0}, "both 0"),
        ({"latitude": -8.0726, "longitude": 12.7441}, "swapped"),
        ({"geo_precision": 4}, "outside"),
        ({"time_precision": "week"}, "no whole number"),
        ({"timestamp": 2**63}, "outside"),
        ({"timestamp": "yesterday"}, "no time"),
        ({"event_type": " "}, "event_type is missing"),
        ({"actor1": "x" * 301}, "more than 300"),
        ({"location": "x" * 301}, "more than 300"),
        ({"notes": "x" * 40_000}, "more than 32,768"),
        ({"notes": "\ud800"}, "surrogate"),
        ({"notes": "\0"}, "NUL"),
        ({"actor1": ["a"]}, "list"),
        ({"tags": {"a": 1}}, "dict"),
        ({"fatalities": False}, "bool"),
    ],
)
def test_values_that_cannot_be_are_refused_with_a_reason(columns, words):
    assert words in reason(**columns)


@pytest.mark.parametrize("lost", ["event_id_cnty", "event_date", "latitude", "fatalities"])
def test_a_row_without_a_needed_column_says_which(lost):
    row = {key: value for key, value in a_row().items() if key != lost}
    page = parse_rows([row], AcledRows(NOW), keep_raw=False)
    assert page.rejects[0].reason == f"the row has no {lost}"


def test_events_of_tomorrow_are_taken_and_of_next_week_are_not():
    assert record(event_date="2024-06-07").event_date == date(2024, 6, 7)
    assert "future" in reason(event_date="2024-06-12")


def test_two_digits_of_a_year_are_of_the_last_or_this_century():
    assert record(event_date="30-Jun-23").event_date.year == 2023
    assert record(event_date="30-Jun-97").event_date.year == 1997


def test_control_and_direction_marks_never_reach_a_name():
    found = record(actor2="Evil\u202egnp\nName\x07", location="A\tB")
    assert found.actors[-1].name == "Evil gnp Name"
    assert found.location == "A B"


def test_tags_are_sorted_without_doubles():
    assert record(tags="b; a;b; ").tags == ("a", "b")


def test_rows_of_one_day_with_one_text_are_one_report():
    day = date(2024, 5, 1)
    one = report_of(day, "Clashes  at Kati. [size=no report]")
    assert one == report_of(day, "clashes at KATI. [size=around 80]")
    assert one == report_of(day, "\nClashes at\u00a0Kati.\n")
    assert one != report_of(date(2024, 5, 2), "Clashes at Kati.")
    assert one != report_of(day, "Clashes at Kita.")
    assert report_of(day, " [size=no report]") == ""


@given(
    st.dictionaries(
        st.sampled_from(COLUMNS),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=30)
        | st.lists(st.integers(), max_size=2),
        max_size=6,
    )
)
def test_any_values_give_a_record_or_a_reason(columns):
    page = parse_rows([{**ROW, **columns}], AcledRows(NOW), keep_raw=True)
    assert len(page.records) + len(page.rejects) == 1
    for one in page.records:
        assert one.fatalities >= 0
        assert -90 <= one.lat <= 90
        assert -180 <= one.lon <= 180
        repr(one).encode()
        replace(one)
    for reject in page.rejects:
        reject.raw.encode()
        reject.reason.encode()


@given(st.dates(date(1997, 1, 1), date(2024, 6, 5)))
def test_every_form_of_a_day_is_read_back(day):
    for form in ("%Y-%m-%d", "%d %B %Y", "%d %b %Y", "%d-%b-%y", "%d-%b-%Y"):
        assert values.day(day.strftime(form), NOW.date()) == day


@given(st.text(max_size=30))
def test_no_text_brings_the_value_readers_down(text):
    for read in (
        lambda: values.day(text, NOW.date()),
        lambda: values.whole(text, "n", 0, 9),
        lambda: values.coordinate(text, "latitude", 90.0),
        lambda: values.instant(text, NOW),
        lambda: values.identifier(text),
        lambda: values.line(text, "x"),
    ):
        with suppress(RowError):
            assert read() is not ...
