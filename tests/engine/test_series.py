"""A rule's measure over periods: what an analyst checks against a published figure."""

from datetime import date, timedelta

import pytest
from support.build import BAMAKO, attack_rule, event

from warden.engine.frame import Frame
from warden.engine.geo import FixedGeography
from warden.engine.series import bounds, name_of, points
from warden.engine.where import Matcher
from warden.model.rule import Near, Place

SEGOU = Place("segou", "Ségou", 13.44, -6.26)


def matched(events, rule=None):
    frame = Frame.from_events(events)
    return Matcher(rule or attack_rule(), FixedGeography()).match(frame)


def series_of(events, *, by="year", measure="events", today="2022-12-31", rule=None, known=None):
    day = date.fromisoformat(today)
    return points(
        matched(events, rule),
        by=by,
        measure=measure,
        first=min(one.record.event_date for one in events),
        today=day,
        known_through=date.fromisoformat(known) if known else day,
    )


def test_periods_without_events_are_there():
    told = series_of([event("a", "2019-03-01"), event("b", "2022-01-01")])
    assert [(p.period, p.value) for p in told] == [
        ("2019", 1.0), ("2020", 0.0), ("2021", 0.0), ("2022", 1.0),
    ]  # fmt: skip


def test_the_last_day_of_a_year_completes_it():
    assert series_of([event("a")], today="2022-12-31")[-1].complete
    assert not series_of([event("a")], today="2022-12-30")[-1].complete


def test_days_that_the_source_has_not_covered_are_not_complete():
    assert not series_of([event("a")], today="2023-01-15", known="2022-12-20")[0].complete


@pytest.mark.parametrize(
    ("by", "day", "name", "first", "last"),
    [
        ("week", "2021-01-03", "2020-W53", "2020-12-28", "2021-01-03"),
        ("week", "2024-12-30", "2025-W01", "2024-12-30", "2025-01-05"),
        ("month", "2024-02-29", "2024-02", "2024-02-01", "2024-02-29"),
        ("month", "2023-12-31", "2023-12", "2023-12-01", "2023-12-31"),
        ("year", "2024-06-01", "2024", "2024-01-01", "2024-12-31"),
        ("day", "2024-06-01", "2024-06-01", "2024-06-01", "2024-06-01"),
    ],
)
def test_periods_are_calendar_periods_and_iso_weeks(by, day, name, first, last):
    moment = date.fromisoformat(day)
    assert name_of(by, moment) == name
    assert bounds(by, moment) == (date.fromisoformat(first), date.fromisoformat(last))


def test_a_keyed_rule_has_a_row_a_key_and_a_total_that_counts_each_event_once():
    where = Near(300.0, places=(BAMAKO, SEGOU))  # both reach the middle
    rule = attack_rule(where=where, by=("place",))
    told = series_of([event("a"), event("b", lat=13.44, lon=-6.26)], rule=rule)
    assert {p.key: p.value for p in told} == {
        (("place", "bamako"),): 2.0,
        (("place", "segou"),): 2.0,
        None: 2.0,
    }


def test_measures_are_the_rules_own():
    events = [event("a", fatalities=0), event("b", fatalities=30), event("c", fatalities=4)]
    assert [
        series_of(events, measure=measure)[0].value
        for measure in ("events", "fatalities", "fatal_events", "fatalities_capped")
    ] == [3.0, 34.0, 2.0, 14.0]


def half_year(count: int, **changes):
    days = [date(2022, 1, 1) + timedelta(days=180 * step // count) for step in range(count)]
    return [event(str(n), day, **changes) for n, day in enumerate(days)]


def test_seventeen_by_mid_year_project_to_thirty_four_with_an_interval():
    (point,) = series_of(half_year(17), today="2022-07-01")
    assert point.method == "linear"
    assert point.projected == pytest.approx(34, abs=0.3)
    assert point.low == pytest.approx(24, abs=2)
    assert point.high == pytest.approx(47, abs=3)


def test_deaths_get_a_wider_interval_than_their_events():
    events = half_year(17)
    (counts,) = series_of(events, today="2022-07-01")
    uneven = [
        event(str(n), one.record.event_date, fatalities=n % 7) for n, one in enumerate(events)
    ]
    (deaths,) = series_of(uneven, measure="fatalities", today="2022-07-01")
    spread = (deaths.high - deaths.low) / deaths.projected
    assert spread > (counts.high - counts.low) / counts.projected


def test_the_same_data_give_the_same_interval():
    events = half_year(12, fatalities=3)
    assert series_of(events, today="2022-07-01") == series_of(events, today="2022-07-01")


@pytest.mark.parametrize(("count", "today"), [(4, "2022-07-01"), (20, "2022-02-15")])
def test_nothing_is_projected_from_too_little(count, today):
    (point,) = series_of(half_year(count), today=today)
    assert (point.projected, point.low, point.high, point.method) == (None,) * 4


def test_distinct_measures_are_not_projected():
    (point,) = series_of(half_year(17), measure="distinct(actor)", today="2022-07-01")
    assert point.projected is None
