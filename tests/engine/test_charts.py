"""What pictures show: the measure over time and earlier events, in the notice and nowhere else."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from support.build import at, attack_rule, cluster_rule, event
from support.ledger import MemoryLedger

from warden.engine.frame import Frame
from warden.engine.geo.geography import FixedGeography
from warden.engine.horizon import Horizon
from warden.engine.kinds import signals
from warden.engine.kinds.charts import MAX_EARLIER, MAX_POINTS
from warden.engine.kinds.drift import DriftParameters
from warden.engine.kinds.new import NewParameters
from warden.engine.kinds.projection import ProjectionParameters
from warden.engine.kinds.quiet import Below, QuietParameters
from warden.engine.kinds.record import RecordParameters
from warden.engine.kinds.spike import SpikeParameters
from warden.engine.notices import Atlas, notices
from warden.engine.where import Matcher
from warden.model.event import Event
from warden.model.notice import Notice
from warden.model.rule import Rule

FIRST = date(2018, 1, 6)  # a Saturday
STEADY = [1, 0, 2, 1, 1, 0, 1, 2, 0, 1] * 16


def weekly(counts: list[int], start: date = FIRST) -> list[Event]:
    return [
        event(f"W{week}N{n}", start + timedelta(days=7 * week + n % 7))
        for week, count in enumerate(counts)
        for n in range(count)
    ]


def said(rule: Rule, events: list[Event], now: str, through: str | None = None) -> Notice:
    """The newest alert's notice, with its pictures."""
    ledger = MemoryLedger(rule)
    ledger.data_start = FIRST
    moment = at(now)
    covered = date.fromisoformat(through) if through else moment.date() - timedelta(days=1)
    decisions = ledger.poll(moment, new=events, complete_through=covered)
    told = [d for d in decisions if d.notice]
    newest = max(told, key=lambda d: d.alert.last_day)
    matches = Matcher(rule, FixedGeography()).match(Frame.from_events(ledger.events.values()))
    horizon = Horizon(moment, {"acled": covered}, {"acled": FIRST})
    ((notice, _),) = notices(rule, [newest], matches, moment, Atlas(), horizon=horizon)
    return notice


def of(kind: str, parameters: Any, **changes: Any) -> Rule:
    return attack_rule(id=f"a-{kind}", kind=kind, parameters=parameters, flood_limit=99, **changes)


def test_an_event_shows_the_events_of_each_of_its_last_24_months() -> None:
    events = [event(f"E{n}", date(2022, 7, 20) - timedelta(days=30 * n)) for n in range(40)]
    rule = attack_rule(max_age_days=60)
    series = said(rule, [*events[1:], event("NEW", "2022-07-22")], "2022-07-25").facts["series"]
    assert (series["unit"], len(series["points"])) == ("month", 24)
    assert series["points"][0][0] == "2020-08-01"
    assert series["points"][-1] == ["2022-07-01", 1]
    assert sum(value for _, value in series["points"]) == 24
    assert series["complete_through"] == "2022-07-24"


def test_the_map_shows_earlier_events_newest_first_without_the_alerts_own() -> None:
    events = [event(f"E{n}", date(2022, 7, 20) - timedelta(days=n)) for n in range(230)]
    notice = said(
        attack_rule(flood_limit=999),
        [*events, event("NEW", "2022-07-22", fatalities=9)],
        "2022-07-25",
    )
    points = notice.facts["map"]["points"]
    assert len(points) == MAX_EARLIER
    assert points[0] == [12.7446, -8.0725, "2022-07-20", 2]
    assert [day for _, _, day, _ in points] == sorted((p[2] for p in points), reverse=True)


def test_a_count_shows_the_sum_that_is_compared_with_its_bound() -> None:
    events = [event(f"E{n}", date(2022, 7, 2) + timedelta(days=5 * n)) for n in range(4)]
    rule = cluster_rule(window=30, least=3)
    series = said(rule, events, "2022-07-25", "2022-07-19").facts["series"]
    assert (series["window_days"], series["bound"]) == (30, 3)
    assert series["points"][-1] == ["2022-07-19", 4]
    assert len(series["points"]) <= MAX_POINTS
    assert series["complete_through"] == "2022-07-19"


@pytest.mark.parametrize("shifted", [0, 7])
def test_a_spike_shows_what_each_week_was_expected_to_bring(shifted: int) -> None:
    rule = of("spike", SpikeParameters(), max_age_days=99)
    through = FIRST + timedelta(days=7 * 161 - 1 + shifted)
    now = (through + timedelta(days=1)).isoformat()
    notice = said(rule, weekly([*STEADY, 12]), now, through.isoformat())
    series, facts = notice.facts["series"], notice.facts
    bands = {day: band for day, *band in series["expected"]}
    shown = dict(series["points"])
    assert shown[facts["tested_day"]] == facts["observed"]
    assert bands[facts["tested_day"]] == pytest.approx(
        [facts["low"], facts["expected"], facts["high"]], abs=1e-3
    )
    assert len(shown) == 105
    assert all(low <= mean <= high for low, mean, high in bands.values())


def test_a_plain_ratio_shows_its_bound_and_no_band() -> None:
    parameters = SpikeParameters(
        measures=("events",), windows=("1w",), baseline={"method": "ratio", "ratio": 3}
    )
    end = FIRST + timedelta(days=7 * 21)
    rule = of("spike", parameters, max_age_days=99)
    series = said(rule, weekly([2] * 20 + [6]), end.isoformat()).facts["series"]
    assert (series["bound"], series["expected"]) == (6, None)


def test_a_drift_shows_weeks_beside_their_usual_rate() -> None:
    end = FIRST + timedelta(days=7 * 172)
    rule = of("drift", DriftParameters(), max_age_days=99)
    series = said(rule, weekly([*STEADY, *[4] * 12]), end.isoformat()).facts["series"]
    assert [value for _, value in series["points"][-12:]] == [4] * 12
    _, low, usual, high = series["expected"][-12]
    assert (low, high) == (None, None)
    assert 0.8 < usual < 1.4


def test_a_projection_shows_its_periods_and_its_interval() -> None:
    counts = [1] * 156 + [3] * 26
    rule = of("projection", ProjectionParameters(), max_age_days=400)
    end = FIRST + timedelta(days=7 * len(counts))
    notice = said(rule, weekly(counts), end.isoformat())
    series, facts = notice.facts["series"], notice.facts
    assert [day for day, _ in series["points"]] == ["2019-01-01", "2020-01-01", "2021-01-01"]
    assert series["points"][-1][1] == facts["value"]
    assert series["expected"] == [["2021-01-01", facts["low"], facts["projected"], facts["high"]]]
    assert series["bound"] == facts["expected"]


def test_a_rolling_year_shows_the_year_before_it() -> None:
    rule = of("projection", ProjectionParameters(period="rolling-year"), max_age_days=99)
    counts = [1] * 104 + [3] * 60
    series = said(rule, weekly(counts), "2021-03-01").facts["series"]
    assert series["window_days"] == 365
    assert series["points"][-1][1] > series["expected"][-1][2]


def test_records_silence_and_firsts_have_their_charts() -> None:
    record = RecordParameters.model_construct(
        measure="fatalities", window=30, lookback=(60,), floor=10
    )
    burst = [*weekly([1] * 40), *(event(f"B{n}", "2018-10-20", fatalities=9) for n in range(4))]
    assert said(of("record", record), burst, "2018-10-25").facts["series"]["bound"] == 10
    quiet = QuietParameters.model_construct(measure="events", window=14, condition=Below(lt=1))
    series = said(of("quiet", quiet), weekly([1] * 40), "2018-11-15").facts["series"]
    assert series["points"][-1] == ["2018-11-14", 0]
    new = NewParameters.model_construct(field="admin2", memory=100)
    first = [*weekly([1] * 40), event("K", "2018-10-20", admin2="Kolokani")]
    facts = said(of("new", new), first, "2018-10-25").facts
    assert facts["series"]["points"][-1] == ["2018-10-01", 1]
    assert facts["map"]["points"] == []


def test_pictures_are_no_facts_of_the_alert_and_cost_nothing_unasked() -> None:
    rule = cluster_rule(window=30, least=3)
    ledger = MemoryLedger(rule)
    events = [event(f"E{n}", date(2022, 7, 2) + timedelta(days=5 * n)) for n in range(4)]
    (decision,) = ledger.poll(at("2022-07-25"), new=events)
    matches = Matcher(rule, FixedGeography()).match(Frame.from_events(events))
    horizon = Horizon(at("2022-07-25"), {"acled": date(2022, 7, 24)}, {"acled": FIRST})
    ((pictured, _),) = notices(rule, [decision], matches, horizon.now, Atlas(), horizon=horizon)
    ((plain, _),) = notices(rule, [decision], matches, horizon.now, Atlas())
    assert set(pictured.facts) - set(plain.facts) == {"series", "map"}
    assert not {"series", "map"} & set(decision.alert.facts)
    assert not {"series", "map"} & set(decision.alert.told_facts)
    (again,) = ledger.poll(at("2022-07-25"))
    assert not again.writes
    assert not any({"series", "map"} & set(s.facts) for s in signals(rule, matches, horizon))
