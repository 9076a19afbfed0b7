"""Backtest is live: a replay of stored cycles yields the very notices that live cycles said."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.build import BAMAKO, START, attack_rule, cluster_rule, days_before, record
from support.feed import ListedFeed

from warden.clock import ManualClock
from warden.engine.geo.geography import FixedGeography
from warden.engine.kinds.drift import DriftParameters
from warden.engine.kinds.new import NewParameters
from warden.engine.kinds.projection import ProjectionParameters
from warden.engine.kinds.quiet import Below, QuietParameters
from warden.engine.kinds.record import RecordParameters
from warden.engine.kinds.spike import SpikeParameters
from warden.errors import UsageError
from warden.evaluate import Evaluator
from warden.ingest import ingest
from warden.model.event import Actor
from warden.model.notice import Notice
from warden.model.rule import Rule, Ruleset, SeverityStep
from warden.store import MEMORY, Store, open_store
from warden.trial import backtest
from warden.trial.replay import replay


class Life:
    """A store that lives through cycles and writes down what was said."""

    def __init__(self, path: Path | str, *rules: Rule) -> None:
        self.store: Store = open_store(path)
        self.feed = ListedFeed()
        self.clock = ManualClock(START)
        self.ruleset = Ruleset(rules, places={"bamako": BAMAKO}, version="1")
        self.evaluator = Evaluator(self.store, self.ruleset, FixedGeography())
        self.said: list[Notice] = []

    def cycle(self, days: int = 1, *, full: bool = False) -> tuple[Notice, ...]:
        result = ingest(self.store, self.feed, self.clock)
        self.clock.advance(timedelta(seconds=5))
        changed = None if full else result.changed
        notices = self.evaluator.cycle(self.clock.now(), changed).notices
        self.said += notices
        self.clock.advance(timedelta(days=days, seconds=1))  # nothing comes at a cycle's instant
        return notices

    def replayed(self) -> list[Notice]:
        plan = replay(self.store.connection)
        return [said.notice for said in backtest.run(plan, self.ruleset, FixedGeography())]


def graded(**changes: Any) -> Rule:
    steps = (SeverityStep("critical", "fatalities >= 10 or nth_in_12_months >= 3"),)
    return attack_rule(severity=(*steps, SeverityStep("warning")), max_age_days=60, **changes)


def windowed(rule_id: str, kind: str, parameters: Any, **changes: Any) -> Rule:
    return attack_rule(
        id=rule_id,
        kind=kind,
        parameters=parameters,
        update_when=cluster_rule().update_when,
        **changes,
    )


RULES = (
    graded(),
    attack_rule(id="plain", max_age_days=30, reminder_days=7),
    attack_rule(id="on-trial", status="trial"),
    cluster_rule(window=10, least=2, cooldown_days=20),
    cluster_rule(id="by-place", window=20, least=2, by=("admin1", "actor"), resolve_days=5),
    windowed(
        "record",
        "record",
        RecordParameters.model_construct(measure="fatalities", window=7, lookback=(30,), floor=3),
        severity=(SeverityStep("critical", "value >= 20"), SeverityStep("warning")),
    ),
    windowed(
        "first-in-district",
        "new",
        NewParameters.model_construct(field="admin2", memory=40),
    ),
    windowed(
        "silence",
        "quiet",
        QuietParameters.model_construct(measure="events", window=9, condition=Below(lt=1)),
    ),
    windowed(
        "spike",
        "spike",
        SpikeParameters(windows=("1w", "4w"), alpha=0.05),
        by=("admin2",),
        resolve_days=7,
        reminder_days=7,
    ),
    windowed("drift", "drift", DriftParameters(ratio=3, false_alerts_per_year=5), cooldown_days=30),
    windowed("year", "projection", ProjectionParameters(probability=0.6)),
    windowed(
        "year-of-deaths",
        "projection",
        ProjectionParameters(measure="fatalities", method="seasonal", probability=0.6),
        by=("admin2",),
    ),
    windowed(
        "twelve-months", "projection", ProjectionParameters(period="rolling-year", probability=0.6)
    ),
)
STATISTICAL = {"spike", "drift", "year", "year-of-deaths", "twelve-months"}


def plain(notices: list[Notice]) -> list[Any]:
    """Everything a notice says, as it would be stored."""
    return [json.loads(json.dumps(dataclasses.asdict(one), default=str)) for one in notices]


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    made = Life(tmp_path / "warden.db", *RULES)
    yield made
    made.store.close()


def test_a_life_with_everything_in_it_is_replayed_notice_by_notice(life: Life) -> None:
    old = [record(f"OLD{n}", days_before(START, 20 * n + 10)) for n in range(30)]
    life.feed.serve(*old)
    life.cycle()
    life.feed.serve(record("A1", days_before(START, 1)), record("A2", days_before(START, 2)))
    life.cycle(3)
    life.feed.serve(record("A3", days_before(START, 41)))  # late, and a burst of deaths
    life.feed.serve(record("A4", START.date(), fatalities=40, admin2="Kolokani"))
    life.cycle(7)
    life.feed.serve(record("A1", days_before(START, 1), fatalities=12))
    life.feed.serve(record("A2", days_before(START, 2), lat=17.0))  # moves away
    life.cycle(7)
    renamed = (Actor("JNIM: Group for Support (renamed)", "actor1"),)
    life.feed.serve(record("A4", START.date(), fatalities=40, actors=renamed), gone=["A1"])
    life.cycle(2)
    life.feed.serve(record("A1", days_before(START, 1), fatalities=12))  # and returns
    life.feed.serve(record("A5", days_before(START, 200)))  # too old to tell
    life.cycle(2, full=True)
    life.feed.state = "embargoed"
    life.cycle(9)
    life.feed.state = "ok"
    life.feed.serve(*(record(f"E{n}", days_before(START, -n)) for n in range(4)))
    life.cycle(30)
    life.feed.serve(*(record(f"F{n}", days_before(START, -50)) for n in range(25)))  # a flood
    life.cycle(10)
    life.cycle(40)
    life.cycle(1)
    assert {"alert", "update", "reminder", "resolved", "cancel", "summary"} <= {
        notice.action for notice in life.said
    }
    assert {"HISTORIC", "FIRST_LOAD", "FLOOD"} <= {notice.reason for notice in life.said}
    assert plain(life.replayed()) == plain(life.said)


def test_statistics_are_replayed_as_they_were_known_late_revised_and_deleted(life: Life) -> None:
    life.feed.serve(*(record(f"OLD{n}", days_before(START, 17 * n + 10)) for n in range(70)))
    life.cycle(7)
    for week in range(16):
        today = START.date() + timedelta(days=7 * week)
        dead = 3 * (week % 3)
        life.feed.serve(
            *(
                record(f"W{week}N{n}", days_before(START, -7 * week + n), fatalities=dead)
                for n in range(2 + 4 * (week in {4, 5, 6, 7}))
            )
        )
        if week == 6:  # late, in a week that was looked at already
            life.feed.serve(record("LATE", days_before(START, -14), fatalities=9, admin2="Kita"))
        if week == 9:  # a week's evidence goes, another's is revised
            life.feed.serve(
                record("W5N1", days_before(START, -34), lat=17.0),
                record("W4N0", days_before(START, -28), fatalities=30),
                gone=[f"W6N{n}" for n in range(5)],
            )
        assert today <= life.clock.now().date()
        life.cycle(7, full=week == 11)
    life.cycle(60)
    life.cycle(1)
    told = {notice.rule_id for notice in life.said}
    assert told >= STATISTICAL
    assert {"alert", "update", "reminder", "resolved"} <= {
        notice.action for notice in life.said if notice.rule_id in STATISTICAL
    }
    assert plain(life.replayed()) == plain(life.said)


def test_what_may_have_taken_an_event_s_place_is_sought_near_its_last_version(life: Life) -> None:
    life.feed.serve(record("A1", "2022-07-05"))
    life.cycle()
    life.feed.serve(record("A2", "2022-07-05"))
    life.feed.serve(record("A2", "2022-07-12"))  # in the same page
    life.cycle()
    life.feed.serve(gone=["A2"])
    life.cycle()
    assert "cancel" in {notice.action for notice in life.said}
    assert plain(life.replayed()) == plain(life.said)


@pytest.mark.parametrize("processes", [2, 3])
def test_several_processes_say_what_one_says(life: Life, processes: int) -> None:
    life.feed.serve(*(record(f"OLD{n}", days_before(START, 20 * n + 10)) for n in range(30)))
    life.cycle(3)
    for week in range(8):
        life.feed.serve(
            record(f"N{week}", days_before(START, -7 * week)),
            record(f"O{week}", days_before(START, 100 + week)),  # told in weekly summaries
            gone=["N3"] if week == 5 else [],
        )
        life.cycle(5)
    assert "HISTORIC" in {notice.reason for notice in life.said}
    plan = replay(life.store.connection)
    asked = (plan, life.ruleset, FixedGeography())
    shown = [one.notice for one in backtest.run(*asked, processes=processes)]
    assert plain(shown) == plain(life.said)


def test_a_rule_that_fails_in_another_process_is_told(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    life.feed.serve(record("A1", days_before(START, 1)))
    life.cycle(3)
    plan = replay(life.store.connection)

    def fail(*_: object) -> None:
        raise ZeroDivisionError("a fault of a kind")

    monkeypatch.setattr("warden.trial.trial.signals", fail)
    with pytest.raises(ZeroDivisionError, match="a fault of a kind"):
        list(backtest.run(plan, life.ruleset, FixedGeography(), processes=2))


moves = st.lists(
    st.tuples(
        st.integers(0, 7),
        st.sampled_from(["2022-07-05", "2022-07-12", "2022-07-20", "2022-05-01", "2021-01-01"]),
        st.sampled_from([0, 3, 12, None]),
        st.sampled_from([12.7446, 12.7446, 12.9, 17.0]),
        st.sampled_from(["Kati", "Kita"]),
        st.integers(0, 20),
        st.booleans(),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(moves)
def test_any_life_is_replayed_notice_by_notice(
    steps: list[tuple[int, str, int | None, float, str, int, bool]],
) -> None:
    life = Life(MEMORY, *RULES)
    for number, when, deaths, lat, district, days, same_poll in steps:
        if deaths is None:
            life.feed.serve(gone=[f"MLI{number}"])
        else:
            life.feed.serve(
                record(f"MLI{number}", when, fatalities=deaths, lat=lat, admin2=district)
            )
        if not same_poll:
            life.cycle(days)
    life.cycle(15)
    life.cycle(60)
    assert plain(life.replayed()) == plain(life.said)
    life.store.close()


def test_days_bound_what_is_shown_and_not_what_is_known(life: Life) -> None:
    life.feed.serve(record("OLD", days_before(START, 10)))
    life.cycle(7)
    life.feed.serve(record("A1", days_before(START, 1)))
    life.cycle(7)
    life.feed.serve(record("A2", days_before(START, -6)))
    life.cycle(7)
    first = START.date() + timedelta(days=10)
    plan = replay(life.store.connection, first=first)
    shown = [one.notice for one in backtest.run(plan, life.ruleset, FixedGeography())]
    assert plain(shown) == plain([one for one in life.said if one.at.date() >= first])
    assert shown


def test_chosen_rules_say_what_they_said_among_all(life: Life) -> None:
    for number in range(6):
        life.feed.serve(record(f"A{number}", days_before(START, -5 * number)))
        life.cycle(5)
    only = backtest.choose(life.ruleset, ["bamako-cluster"])
    plan = replay(life.store.connection)
    shown = [one.notice for one in backtest.run(plan, only, FixedGeography())]
    assert plain(shown) == plain([n for n in life.said if n.rule_id == "bamako-cluster"])
    with pytest.raises(UsageError, match="did you mean 'bamako-cluster'"):
        backtest.choose(life.ruleset, ["bamako-clutser"])


def test_a_database_without_cycles_says_what_to_do_instead() -> None:
    with open_store(MEMORY) as store, pytest.raises(UsageError, match="--events FILE"):
        replay(store.connection)
