"""When a feed is asked next, and what ACLED's weeks say about the days that are known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from warden.sources.acled_calendar import Pause, complete_through, silence
from warden.sources.acled_settings import AcledSettings
from warden.sources.schedule import next_poll, parse_every, write_every


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_first_poll_is_now():
    assert next_poll(None, at("2024-06-05 08:00"), None) == at("2024-06-05 08:00")


@pytest.mark.parametrize(
    ("last", "following"),
    [
        ("2024-06-03 09:00", "2024-06-03 13:00"),  # a Monday
        ("2024-06-03 13:00", "2024-06-03 16:00"),
        ("2024-06-03 22:10", "2024-06-04 13:00"),
        ("2024-06-04 22:00", "2024-06-05 13:00"),
        ("2024-06-05 13:00", "2024-06-06 13:00"),
        ("2024-06-09 13:00", "2024-06-10 13:00"),
        ("2024-12-31 22:00", "2025-01-01 13:00"),
    ],
)
def test_releases_are_followed_every_three_hours_on_their_days_and_daily_otherwise(last, following):
    assert next_poll(None, at(last), at(last)) == at(following)


def test_a_slot_that_has_passed_is_due_now():
    now = at("2024-06-08 10:00")
    assert next_poll(None, now, at("2024-06-05 13:00")) == now


def test_a_clock_that_went_back_does_not_stop_polling():
    now = at("2024-06-08 10:00")
    assert next_poll(None, now, at("2034-06-05 13:00")) == now


def test_a_duration_counts_from_the_last_poll():
    now = at("2024-06-05 13:00")
    assert next_poll(timedelta(minutes=1), now, now) == now + timedelta(minutes=1)


def test_failures_are_retried_sooner_and_ever_later():
    now = at("2024-06-05 13:00")
    minutes = [
        (next_poll(None, now, now, failures=n) - now) / timedelta(minutes=1) for n in range(1, 12)
    ]
    assert minutes[:4] == [5, 10, 20, 40]
    assert minutes[-1] == 24 * 60
    assert next_poll(timedelta(seconds=5), now, now, failures=1) == now + timedelta(seconds=5)


def test_a_source_that_asks_for_patience_gets_it():
    now = at("2024-06-05 13:00")
    later = now + timedelta(hours=2)
    assert next_poll(timedelta(minutes=1), now, now, failures=1, not_before=later) == later


@pytest.mark.parametrize("text", ["", "1", "1.5h", "-1h", "0s", "40d", "1w", "h", "1 day", 5, True])
def test_rhythms_that_make_no_sense_are_refused(text):
    with pytest.raises(ValueError, match=r"write|must"):
        parse_every(text)


@pytest.mark.parametrize("text", ["releases", "60s", "3600s"])
def test_a_rhythm_is_written_as_it_is_read(text):
    assert write_every(parse_every(text)) == text


INSTANTS = st.integers(1_577_836_800, 1_893_456_000).map(
    lambda stamp: datetime.fromtimestamp(stamp, UTC)
)


@given(INSTANTS, INSTANTS, st.integers(0, 50))
def test_the_next_poll_is_never_in_the_past_nor_more_than_a_day_away(now, last, failures):
    following = next_poll(None, now, last, failures=failures)
    assert now <= following <= now + timedelta(days=1)


# --- ACLED's weeks ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stamp", "now", "expected"),
    [
        ("2024-06-03 18:00", "2024-06-05 12:00", "2024-05-31"),  # out on Monday, whole by Wednesday
        ("2024-06-03 18:00", "2024-06-04 23:00", "2024-05-24"),  # not whole on Tuesday
        ("2024-06-02 18:00", "2024-06-05 12:00", "2024-05-24"),  # a Sunday's stamp is no release
        ("2024-06-04 18:00", "2024-06-20 12:00", "2024-05-31"),  # nothing came out since
    ],
)
def test_a_week_is_known_when_it_came_out_and_wednesday_has_come(stamp, now, expected):
    assert complete_through(at(stamp), at(now)) == date.fromisoformat(expected)


def test_an_embargo_bounds_what_is_known():
    embargo = date(2023, 6, 5)
    assert complete_through(at("2024-06-03 18:00"), at("2024-06-05 12:00"), embargo) == embargo
    assert complete_through(None, at("2024-06-05 12:00")) is None


@given(INSTANTS, st.integers(0, 400))
def test_what_is_known_is_always_a_friday_of_the_past(stamp, days):
    now = stamp + timedelta(days=days)
    known = complete_through(stamp, now)
    assert known.weekday() == 4
    assert known + timedelta(days=5) <= now.date()
    assert (min(stamp, now - timedelta(days=2)).date() - known).days <= 9


def test_days_of_a_pause_do_not_count_towards_staleness():
    pause = Pause.model_validate({"from": "2024-08-19", "to": "2024-09-15"})
    newest = at("2024-08-12 18:00")
    assert silence(newest, at("2024-08-27 12:00"), [pause]) == "paused"
    assert silence(newest, at("2024-09-20 12:00"), [pause]) == "paused"
    assert silence(newest, at("2024-09-25 12:00"), [pause]) == "stale"
    assert silence(newest, at("2024-08-27 12:00"), []) == "ok"
    assert silence(newest, at("2024-08-28 12:00"), []) == "stale"
    assert silence(None, at("2024-08-28 12:00"), []) == "ok"


# --- settings ---------------------------------------------------------------------------------

GOOD = {"name": "acled", "kind": "acled", "username": "a@example.org", "password": {"secret": "p"}}


def test_countries_may_be_named_in_any_common_way():
    settings = AcledSettings.model_validate(GOOD | {"countries": ["Mali", "CIV", "burkina faso"]})
    assert settings.countries == ("BFA", "CIV", "MLI")
    assert settings.deadline_s >= 120
    assert settings.every is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"countries": ["Atlantis"]},
        {"countries": "MLI"},
        {"base_url": "http://acleddata.com"},
        {"base_url": "ftp://acleddata.com"},
        {"base_url": "https://me:secret@acleddata.com"},
        {"password": "in the clear"},
        {"password": {"secret": "../etc/passwd"}},
        {"pages": 3},
        {"page_size": 0},
        {"pauses": [{"from": "2024-02-01", "to": "2024-01-01"}]},
        {"name": "Has Blanks"},
        {"since": "soon"},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValidationError):
        AcledSettings.model_validate(GOOD | wrong)
