"""When a route keeps silent, and when its digest is due: tables, and clocks that jump."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from helpers_notify import routing_of
from hypothesis import given, settings
from hypothesis import strategies as st

from warden.notify.times import Digest, Hours, NamedIntervals, TimeInterval

BAMAKO, PARIS, NEW_YORK = "Africa/Bamako", "Europe/Paris", "America/New_York"


def at(text, zone="UTC"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def muted(*intervals):
    return Hours(mute=(NamedIntervals("some", intervals),))


ROUTES = """
receivers: [{name: desk, email: [{to: desk@example.org}]}]
route:
  receiver: desk
  routes: [{matchers: {severity: info}, mute_time_intervals: [some]}]
time_intervals:
- name: some
  time_intervals: [INTERVAL]
"""


def read(interval):
    """The interval as `routes.yaml` says it, and the faults that it has."""
    routing, faults = routing_of(ROUTES.replace("INTERVAL", interval))
    named = routing.root.routes[0].hours.mute if routing.root else ()
    return (named[0].intervals[0] if named and named[0].intervals else None), faults


NIGHT = (
    "{times: [{start_time: '22:00', end_time: '24:00'}, {start_time: '00:00', end_time: '6:00'}]}"
)
CASES = [
    # The interval as it is written, an instant in UTC, whether it lies in it.
    ("{times: [{start_time: '22:00', end_time: '24:00'}]}", "2024-01-10T21:59", False),
    ("{times: [{start_time: '22:00', end_time: '24:00'}]}", "2024-01-10T22:00", True),
    ("{times: [{start_time: '22:00', end_time: '24:00'}]}", "2024-01-10T23:59", True),
    ("{times: [{start_time: '22:00', end_time: '24:00'}]}", "2024-01-11T00:00", False),
    ("{weekdays: ['monday:friday']}", "2024-01-12T23:59", True),
    ("{weekdays: ['monday:friday']}", "2024-01-13T00:00", False),
    ("{weekdays: [saturday, Sunday]}", "2024-01-14T12:00", True),
    ("{weekdays: ['sunday:friday']}", "2024-01-14T12:00", True),
    ("{days_of_month: ['1:5']}", "2024-02-05T12:00", True),
    ("{days_of_month: ['1:5']}", "2024-02-06T12:00", False),
    ("{days_of_month: ['-1']}", "2024-02-29T12:00", True),
    ("{days_of_month: ['-1']}", "2023-02-28T12:00", True),
    ("{days_of_month: ['-1']}", "2024-02-28T12:00", False),
    ("{days_of_month: ['-3:-1']}", "2024-04-28T12:00", True),
    ("{days_of_month: ['-3:-1']}", "2024-04-27T12:00", False),
    ("{days_of_month: ['29:31']}", "2023-02-28T12:00", False),
    ("{days_of_month: ['25:-1']}", "2023-02-28T12:00", True),
    ("{days_of_month: ['31']}", "2024-04-30T12:00", False),
    ("{days_of_month: ['-30:-1']}", "2024-04-01T12:00", True),
    ("{months: ['november:12', 2]}", "2024-12-31T12:00", True),
    ("{months: ['november:12', 2]}", "2024-02-01T12:00", True),
    ("{months: ['november:12', 2]}", "2024-03-01T12:00", False),
    ("{years: ['2024:2025']}", "2026-01-01T00:00", False),
    ("{years: [2024], weekdays: [monday], months: [july]}", "2024-07-01T00:00", True),
    ("{years: [2024], weekdays: [monday], months: [july]}", "2024-07-02T00:00", False),
    # The wall clock of the zone decides, and its calendar.
    ("{weekdays: [friday], location: America/New_York}", "2024-01-13T04:59", True),
    ("{weekdays: [friday], location: America/New_York}", "2024-01-13T05:00", False),
]


@pytest.mark.parametrize(("written", "instant", "inside"), CASES)
def test_an_interval_holds_as_alertmanager_reads_it(written, instant, inside):
    interval, faults = read(written)
    assert faults == []
    assert interval.contains(at(instant)) is inside


FAULTS = [
    ("{}", "WR014 an empty interval is always"),
    ("{times: [{start_time: '22:00', end_time: '06:00'}]}", "WR084 end_time must be later"),
    ("{times: [{start_time: '22:00', end_time: '22:00'}]}", "22:00 to 24:00, and 00:00 to 22:00"),
    ("{times: [{start_time: '9:00', end_time: '10:00'}]}", "a time of day such as '06:30'"),
    ("{times: [{start_time: '24:01', end_time: '24:00'}]}", "a time of day such as '06:30'"),
    ("{times: [{start_time: '09:00'}]}", "WR011 times needs the key 'end_time'"),
    ("{weekdays: ['friday:monday']}", "WR084 weekdays run from sunday to saturday"),
    ("{weekdays: [mon]}", "'mon' is not a weekday"),
    ("{days_of_month: ['0']}", "'0' is not a day of the month"),
    ("{days_of_month: ['-1:5']}", "counted from the month's end"),
    ("{days_of_month: ['10:5']}", "day 5 comes before day 10"),
    ("{days_of_month: ['32']}", "is not a day of the month"),
    ("{months: ['may:april']}", "ends before it begins"),
    ("{months: [13]}", "'13' is not a month"),
    ("{years: ['2025:2024']}", "ends before it begins"),
    ("{location: Africa/Bamaco, years: [2024]}", "did you mean 'Africa/Bamako'?"),
    ("{months: [february], days_of_month: ['30:31']}", "WR085 this interval never holds"),
    ("{months: [february], days_of_month: ['29'], years: ['2021:2023']}", "WR085"),
    ("{weekday: [monday]}", "did you mean 'weekdays'?"),
    ("{times: [{start_time: '00:00', end_time: '24:00'}]}", "WR086 this route keeps silent"),
]


@pytest.mark.parametrize(("written", "said"), FAULTS)
def test_what_is_wrong_with_an_interval_is_told_at_its_place(written, said):
    _, faults = read(written)
    assert any(said in fault for fault in faults), faults
    assert all(fault.startswith("routes.yaml:") for fault in faults)


def test_a_leap_day_in_a_range_of_years_may_hold():
    assert read("{months: [february], days_of_month: ['29'], years: ['2021:2024']}")[1] == []


def night(zone):
    return TimeInterval(times=((22 * 60, 24 * 60), (0, 6 * 60)), location=zone)


@pytest.mark.parametrize(
    ("zone", "before", "ends"),
    [
        # Winter and summer; the nights on which the clock jumps forward and back, in both halves
        # of the world; a zone that never jumps.
        (PARIS, "2024-01-10T21:30", "2024-01-11T05:00"),
        (PARIS, "2024-07-10T20:30", "2024-07-11T04:00"),
        (PARIS, "2024-03-30T21:30", "2024-03-31T04:00"),
        (PARIS, "2024-10-26T20:30", "2024-10-27T05:00"),
        (NEW_YORK, "2024-03-10T03:30", "2024-03-10T10:00"),
        (NEW_YORK, "2024-11-03T02:30", "2024-11-03T11:00"),
        ("Australia/Lord_Howe", "2024-04-06T12:00", "2024-04-06T19:30"),
        (BAMAKO, "2024-03-30T22:30", "2024-03-31T06:00"),
    ],
)
def test_a_night_ends_by_the_wall_clock_whatever_the_clock_does(zone, before, ends):
    hours = muted(night(zone))
    assert hours.muted_by(at(before)) == "some"
    assert hours.speaks_at(at(before)) == at(ends)
    assert at(ends).astimezone(ZoneInfo(zone)).hour == 6


def test_an_hour_that_the_clock_skips_mutes_nothing_and_one_that_comes_twice_mutes_twice():
    hours = muted(TimeInterval(times=((2 * 60, 3 * 60),), location=PARIS))
    spring = [at("2024-03-31T00:00") + timedelta(minutes=15 * n) for n in range(16)]
    assert not any(hours.muted_by(moment) for moment in spring)
    autumn = [at("2024-10-26T22:00") + timedelta(minutes=15 * n) for n in range(24)]
    assert sum(bool(hours.muted_by(moment)) for moment in autumn) == 8
    assert hours.speaks_at(at("2024-10-27T00:30")) == at("2024-10-27T02:00")


def test_a_mute_whose_end_the_clock_skips_ends_when_the_clock_jumps():
    hours = muted(TimeInterval(times=((60, 150),), location=PARIS))
    assert hours.speaks_at(at("2026-03-29T00:20")) == at("2026-03-29T01:00")
    begins = muted(TimeInterval(times=((150, 240),), location=PARIS))
    assert begins.mutes_at(at("2026-03-29T00:20")) == at("2026-03-29T01:00")


JUMPS = [
    # Forward and back; by half an hour; at midnight; over a whole day; at an odd minute; never.
    (PARIS, "2026-03-29T01:00"), (PARIS, "2026-10-25T01:00"), (NEW_YORK, "2026-03-08T07:00"),
    (NEW_YORK, "2026-11-01T06:00"), ("Australia/Lord_Howe", "2026-04-04T15:00"),
    ("Australia/Lord_Howe", "2026-10-03T15:30"), ("America/Santiago", "2026-04-05T03:00"),
    ("America/Santiago", "2026-09-06T04:00"), ("Africa/Casablanca", "2026-02-15T02:00"),
    ("Pacific/Apia", "2011-12-30T10:00"), ("America/St_Johns", "2010-03-14T03:31"),
    ("UTC", "2026-03-29T01:00"),
]  # fmt: skip


@given(
    st.sampled_from(JUMPS), st.integers(-240, 120), st.integers(-8, 8), st.integers(1, 12),
    st.sampled_from([(), ((0, 0),), ((6, 6),), ((1, 5),)]),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_a_mute_begins_and_ends_at_the_minute_that_walking_the_clock_finds(
    jump, minutes, first, length, weekdays
):
    """Intervals that begin or end close to where the clock jumps, asked around it."""
    zone, jumps_at = jump[0], at(jump[1])
    wall = (jumps_at - timedelta(minutes=1)).astimezone(ZoneInfo(zone))
    start = (wall.hour * 60 + wall.minute + 1 + first * 15) % 1440
    span = (start, min(start + length * 15, 1440))
    hours = muted(TimeInterval(times=(span,), weekdays=weekdays, location=zone))
    moment = jumps_at + timedelta(minutes=minutes)
    walked = [moment + timedelta(minutes=n) for n in range(36 * 60)]
    for told, wanted in ((hours.speaks_at(moment), False), (hours.mutes_at(moment), True)):
        found = next((one for one in walked if bool(hours.muted_by(one)) is wanted), None)
        if found is not None:
            assert told == found
        else:
            assert told is None or told > walked[-1]


@given(
    st.datetimes(datetime(2023, 1, 1), datetime(2026, 1, 1)),  # noqa: DTZ001  made aware below
    st.sampled_from([PARIS, NEW_YORK, "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata"]),
    st.integers(0, 23), st.integers(1, 24),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_in_any_zone_it_is_the_same_as_in_utc_on_the_wall_clock(naive, zone, start, length):
    """What a zone's interval holds at an instant, UTC's holds at that wall clock."""
    moment = naive.replace(tzinfo=UTC)
    span = ((start * 60, min(start + length, 24) * 60),)
    wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
    here = TimeInterval(times=span, weekdays=((1, 5),), location=zone)
    assert here.contains(moment) is TimeInterval(times=span, weekdays=((1, 5),)).contains(wall)
    hours = muted(here)
    free = hours.speaks_at(moment)
    assert not hours.muted_by(free)
    if free > moment:
        assert hours.muted_by(free - timedelta(seconds=1))


def test_active_times_mute_what_lies_outside_and_a_mute_wins():
    office = NamedIntervals("office", (TimeInterval(times=((480, 1080),)),))
    lunch = NamedIntervals("lunch", (TimeInterval(times=((720, 780),)),))
    hours = Hours(mute=(lunch,), active=(office,))
    told = {hour: hours.muted_by(at(f"2024-01-10T{hour}:30")) for hour in ("07", "09", "12", "20")}
    assert told == {"07": "outside office", "09": "", "12": "lunch", "20": "outside office"}
    assert hours.speaks_at(at("2024-01-10T20:30")) == at("2024-01-11T08:00")


def test_a_route_that_never_speaks_has_no_next_time():
    always = muted(TimeInterval(times=((0, 1440),)))
    assert always.speaks_at(at("2024-01-10T12:00")) is None


@pytest.mark.parametrize(
    ("digest", "zone", "now", "due"),
    [
        (Digest(360), BAMAKO, "2024-01-10T05:59", "2024-01-10T06:00"),
        (Digest(360), BAMAKO, "2024-01-10T06:00", "2024-01-11T06:00"),
        (Digest(360, ((1, 5),)), BAMAKO, "2024-01-12T06:00", "2024-01-15T06:00"),
        (Digest(360, ((6, 6), (0, 0))), BAMAKO, "2024-01-12T06:00", "2024-01-13T06:00"),
        (Digest(360), PARIS, "2024-03-30T12:00", "2024-03-31T04:00"),
        (Digest(360), PARIS, "2024-03-29T12:00", "2024-03-30T05:00"),
        (Digest(360), PARIS, "2024-10-26T12:00", "2024-10-27T05:00"),
        # An hour that is skipped comes when the clock has jumped; of two the first counts.
        (Digest(150), PARIS, "2024-03-30T12:00", "2024-03-31T01:30"),
        (Digest(150), PARIS, "2024-10-26T12:00", "2024-10-27T00:30"),
        (Digest(150), PARIS, "2024-10-27T00:30", "2024-10-28T01:30"),
        (Digest(0), "Pacific/Kiritimati", "2024-01-10T12:00", "2024-01-11T10:00"),
        (Digest(0), "America/Los_Angeles", "2024-01-10T12:00", "2024-01-11T08:00"),
    ],
)
def test_a_digest_is_due_by_the_receivers_clock(digest, zone, now, due):
    assert digest.next_after(at(now), zone) == at(due)


def test_a_digests_days_run_over_sunday():
    text = ROUTES.replace("mute_time_intervals: [some]", "digest: {at: '06:00', days: [sat-mon]}")
    routing, faults = routing_of(text.replace("INTERVAL", "{years: [2024]}"))
    assert faults == []
    assert routing.root.routes[0].digest == Digest(360, ((6, 6), (0, 1)))
