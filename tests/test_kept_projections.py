"""What a projection rule foresees is kept at each month's end and scored after the period."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.build import BAMAKO, attack_rule, event, record
from support.feed import ListedFeed

from warden.clock import ManualClock
from warden.engine.frame import Frame
from warden.engine.geo.geography import FixedGeography
from warden.engine.kinds.projection import ProjectionParameters
from warden.engine.series import points
from warden.engine.where import Matcher
from warden.evaluate import Evaluator
from warden.ingest import ingest
from warden.model.foresight import Foreseen
from warden.model.rule import Rule, Ruleset
from warden.store import Store, open_store
from warden.store.projections import coverage, load_projections

STARTED = datetime(2022, 4, 10, 6, tzinfo=UTC)


def foreseeing(**parameters: Any) -> Rule:
    return attack_rule(
        id="this-year", kind="projection", parameters=ProjectionParameters(**parameters)
    )


class Desk:
    """Five events a month from 2021 on, polled as the clock goes."""

    def __init__(self, path: Path, rule: Rule) -> None:
        self.store: Store = open_store(path)
        self.feed = ListedFeed()
        self.clock = ManualClock(STARTED)
        self.rule = rule
        self.use(rule)
        self._served = date(2021, 1, 1)

    def use(self, rule: Rule) -> None:
        ruleset = Ruleset((rule,), places={"bamako": BAMAKO}, version=rule.version)
        self.evaluator = Evaluator(self.store, ruleset, FixedGeography())

    def cycle(self, until: datetime, *, full: bool = False) -> None:
        self.clock.advance(until - self.clock.now())
        while self._served < until.date() - timedelta(days=1):
            self.feed.serve(record(f"E{self._served.toordinal()}", self._served))
            self._served += timedelta(days=6)
        changed = ingest(self.store, self.feed, self.clock).changed
        self.evaluator.cycle(self.clock.now(), None if full else changed)

    def kept(self) -> tuple[Foreseen, ...]:
        return load_projections(self.store.connection, "this-year")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "warden.db", foreseeing())
    made.cycle(STARTED)
    yield made
    made.store.close()


def test_it_is_kept_at_the_newest_months_end_though_no_alert_fires(desk: Desk) -> None:
    (one,) = desk.kept()
    assert (one.period, one.on_day) == ("2022", date(2022, 3, 31))
    assert one.so_far == 15
    assert one.projected == pytest.approx(15 * 365 / 90, abs=0.1)
    assert one.low < one.projected < one.high
    assert (one.observed, one.inside, one.error) == (None, None, None)
    assert not desk.store.connection.execute("SELECT 1 FROM alerts WHERE told").fetchall()


def test_it_is_kept_once_a_month_however_often_one_looks(desk: Desk) -> None:
    cycles = "SELECT count(*) FROM cycles"
    before = desk.store.connection.execute(cycles).fetchone()
    desk.cycle(STARTED, full=True)
    assert len(desk.kept()) == 1
    assert desk.store.connection.execute(cycles).fetchone() == before
    desk.cycle(datetime(2022, 5, 2, tzinfo=UTC))
    desk.cycle(datetime(2022, 5, 9, tzinfo=UTC))
    assert [one.on_day for one in desk.kept()] == [date(2022, 3, 31), date(2022, 4, 30)]


def test_it_is_scored_when_the_period_is_over_and_again_when_late_events_come(desk: Desk) -> None:
    desk.cycle(datetime(2022, 12, 31, 6, tzinfo=UTC))
    assert all(one.observed is None for one in desk.kept())
    desk.cycle(datetime(2023, 1, 1, 6, tzinfo=UTC))
    first = desk.kept()[0]
    assert first.observed == 61
    assert first.inside
    assert first.error == pytest.approx(first.projected - 61)
    desk.feed.serve(*(record(f"LATE{n}", "2022-11-01") for n in range(40)))
    desk.cycle(datetime(2023, 2, 20, tzinfo=UTC))
    by_year = {(one.period, one.observed) for one in desk.kept()}
    assert by_year == {("2022", 101)}
    assert coverage(desk.store.connection) == {"this-year": {"kept": 2, "scored": 2, "inside": 0}}


def test_an_edited_rule_keeps_its_own_and_leaves_the_old_unscored(desk: Desk) -> None:
    desk.use(attack_rule(id="this-year", kind="projection", version="2",
                         parameters=ProjectionParameters(method="seasonal")))  # fmt: skip
    desk.cycle(datetime(2023, 1, 10, tzinfo=UTC))
    assert {(one.rule_version, one.observed) for one in desk.kept()} >= {("1", None)}
    desk.cycle(datetime(2023, 4, 10, tzinfo=UTC))
    assert {one.method for one in desk.kept() if one.rule_version == "2"} == {"seasonal"}


def test_nothing_is_kept_of_a_rolling_year_or_of_too_little(tmp_path: Path) -> None:
    for number, parameters in enumerate(({"period": "rolling-year"}, {"at_least": 99})):
        desk = Desk(tmp_path / f"{number}.db", foreseeing(**parameters))
        desk.cycle(STARTED)
        assert desk.kept() == ()
        desk.store.close()


@pytest.mark.parametrize("method", ["linear", "seasonal"])
def test_series_projects_by_the_rules_own_method(method: str) -> None:
    """Two thirds of every year's events come in its first half."""
    events = [
        event(f"E{year}{n}", date(year, 1, 1) + timedelta(days=4 * n if n < 40 else 9 * n - 180))
        for year in range(2017, 2023)
        for n in range(60)
        if year < 2022 or n < 40
    ]
    rule = foreseeing(method=method)
    matches = Matcher(rule, FixedGeography()).match(Frame.from_events(events))
    today = date(2022, 6, 30)
    told = points(matches, by="year", measure="events", first=date(2017, 1, 1), today=today,
                  known_through=today, rule=rule)  # fmt: skip
    running = told[-1]
    assert running.method == method
    assert running.low is not None
    assert running.low < running.projected < running.high
    assert (running.projected < 72) is (method == "seasonal")
    assert all(point.method is None for point in told[:-1])
