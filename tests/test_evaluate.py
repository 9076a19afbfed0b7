"""A cycle over a real database: what is committed, and that a restart changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.build import BAMAKO, START, attack_rule, cluster_rule, days_before, record
from support.feed import ListedFeed

from warden.clock import ManualClock
from warden.engine.geo.geography import FixedGeography
from warden.engine.seeding import SourceView, seeding
from warden.evaluate import Evaluation, Evaluator
from warden.ingest import ingest
from warden.model.alert import Alert
from warden.model.notice import Notice
from warden.model.rule import Rule, Ruleset, SeverityStep
from warden.notify.render import Renderer
from warden.notify.routes import Receiver
from warden.store import MEMORY, Store, ledger, open_store, reports
from warden.store.backup import back_up


class Desk:
    """A store, a feed and an evaluator, polled together."""

    def __init__(self, path: Path | str, *rules: Rule) -> None:
        self.store: Store = open_store(path)
        self.feed = ListedFeed()
        self.clock = ManualClock(START)
        self.ruleset = Ruleset(rules, places={"bamako": BAMAKO}, version="1")
        self.evaluator = Evaluator(self.store, self.ruleset, FixedGeography())

    def cycle(self, *, full: bool = False) -> Evaluation:
        result = ingest(self.store, self.feed, self.clock)
        return self.evaluator.cycle(self.clock.now(), None if full else result.changed)

    def alerts(self) -> tuple[Alert, ...]:
        return ledger.load_alerts(self.store.connection)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "warden.db", attack_rule(), cluster_rule())
    made.feed.serve(record("MLI0", "2021-01-01"))
    made.cycle()
    yield made
    made.store.close()


def test_the_first_load_seeds_and_the_next_event_alerts(desk: Desk) -> None:
    assert [alert.silence_reason for alert in desk.alerts()] == ["SEEDED"]
    desk.feed.serve(record("MLI1"))
    evaluation = desk.cycle()
    assert [notice.action for notice in evaluation.notices] == ["alert"]


def test_a_first_load_with_recent_events_is_one_summary_a_rule(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "warden.db", attack_rule())
    desk.feed.serve(*(record(f"MLI{n}", days_before(START, n)) for n in range(1, 60)))
    evaluation = desk.cycle()
    (summary,) = evaluation.notices
    assert (summary.action, summary.reason) == ("summary", "FIRST_LOAD")
    assert summary.facts["total"] == 59
    desk.store.close()


def test_what_appears_while_embargoed_is_seeded_when_the_embargo_ends(desk: Desk) -> None:
    desk.feed.state = "embargoed"
    desk.cycle()
    desk.feed.state = "ok"
    desk.feed.serve(record("MLI1"), record("MLI2"))
    evaluation = desk.cycle()
    assert [(n.action, n.reason) for n in evaluation.notices] == [("summary", "FIRST_LOAD")]
    desk.feed.serve(record("MLI3"))
    assert {n.action for n in desk.cycle().notices} == {"alert"}


def test_a_second_cycle_writes_nothing(desk: Desk) -> None:
    desk.feed.serve(record("MLI1"))
    desk.cycle()
    again = desk.evaluator.cycle(desk.clock.now())
    assert again.cycle_id is None
    assert not any(decision.writes for decision in again.decisions)


def test_a_restart_changes_nothing(desk: Desk) -> None:
    desk.feed.serve(record("MLI1"), record("MLI2", "2022-07-23"), record("MLI3", "2022-07-24"))
    desk.cycle()
    before = desk.alerts()
    restarted = Evaluator(desk.store, desk.ruleset, FixedGeography())
    evaluation = restarted.cycle(desk.clock.now())
    assert evaluation.notices == ()
    assert desk.alerts() == before


def test_a_dry_run_tells_what_it_would_do_and_does_nothing(desk: Desk) -> None:
    desk.feed.serve(record("MLI1"))
    ingest(desk.store, desk.feed, desk.clock)
    evaluation = desk.evaluator.cycle(desk.clock.now(), dry_run=True)
    assert [notice.action for notice in evaluation.notices] == ["alert"]
    assert len(desk.alerts()) == 1


def test_a_deletion_names_the_event_beside_it_and_keeps_its_own_id(desk: Desk) -> None:
    desk.feed.serve(record("MLI1"), record("MLI2", "2022-07-23", lat=12.8))
    desk.cycle()
    desk.feed.serve(gone=["MLI1"])
    (cancel,) = desk.cycle().notices
    assert cancel.action == "cancel"
    assert cancel.facts["withdrawn"] == ["MLI1"]
    assert [event["id"] for event in cancel.facts["merged_into"]] == ["MLI2"]


def test_an_alert_that_goes_on_with_another_record_was_known_when_it_was_first_told(
    desk: Desk,
) -> None:
    desk.feed.serve(record("MLI1"))
    desk.cycle()
    desk.clock.advance(timedelta(days=25))
    desk.feed.serve(record("MLI2", "2022-07-23"), gone=["MLI1"])
    (told,) = desk.cycle().notices
    assert told.facts["events"][0]["id"] == "MLI2"
    assert told.facts["reported_late_days"] == (START.date() - date(2022, 7, 23)).days
    assert "Known to warden on 1 Aug 2022, 9 days after it happened." in mail_of(told, desk)
    assert not any(decision.writes for decision in desk.cycle(full=True).decisions)


def titles(desk: Desk) -> set[str]:
    rows = reports.alert_rows(
        desk.store.connection, rule="attack-near-bamako", state=None, told=False, limit=10
    )
    return {row["title"] for row in rows}


def test_alerts_are_listed_under_the_title_that_their_rule_was_last_told_by(desk: Desk) -> None:
    assert titles(desk) == {"attack-near-bamako"}  # seeded: nothing was ever told
    for number, title in enumerate(("Violence near Bamako", "Attack near Bamako"), 1):
        desk.evaluator.use(Ruleset((attack_rule(title=title),), {"bamako": BAMAKO}, version=title))
        desk.clock.advance(timedelta(hours=1))
        desk.feed.serve(record(f"MLI{number}", lat=12.7 + number / 100))
        desk.cycle()
        assert titles(desk) == {title}


def mail_of(notice: Notice, desk: Desk) -> str:
    rendered = Renderer().render(Receiver("desk"), [notice], desk.clock.now(), ["mail"])
    return " ".join(json.loads(rendered.bodies["mail"])["text"].split())


def test_an_alert_that_goes_on_with_another_record_keeps_whose_word_its_day_was(
    desk: Desk,
) -> None:
    desk.evaluator.use(Ruleset((attack_rule(max_age_days=90),), {"bamako": BAMAKO}, version="2"))
    stamp = START - timedelta(days=33)
    desk.feed.serve(record("MLI1", "2022-06-26", source_updated_at=stamp))
    (first,) = desk.cycle().notices
    assert "The source's record is dated 29 Jun 2022, 3 days after" in mail_of(first, desk)
    desk.clock.advance(timedelta(days=2))
    desk.feed.serve(record("MLI2", "2022-06-27", fatalities=40), gone=["MLI1"])
    (told,) = desk.cycle().notices
    assert told.alert_id == first.alert_id
    assert told.facts["events"][0]["id"] == "MLI2"
    assert "The source's record is dated 29 Jun 2022, 2 days after" in mail_of(told, desk)
    assert not any(decision.writes for decision in desk.cycle(full=True).decisions)


def test_a_removed_rule_closes_its_alerts_in_silence(desk: Desk) -> None:
    desk.feed.serve(record("MLI1"))
    desk.cycle()
    desk.evaluator.use(Ruleset((cluster_rule(),), version="2"))
    evaluation = desk.evaluator.cycle(desk.clock.now())
    assert evaluation.notices == ()
    assert {a.state_reason for a in desk.alerts()} == {"RULE_REMOVED"}


def test_a_rule_under_a_new_id_keeps_its_alerts(desk: Desk) -> None:
    desk.feed.serve(record("MLI1"))
    desk.cycle()
    renamed = attack_rule(id="attacks-round-bamako", formerly=("attack-near-bamako",))
    desk.evaluator.use(Ruleset((renamed, cluster_rule()), version="2"))
    evaluation = desk.evaluator.cycle(desk.clock.now())
    assert evaluation.notices == ()
    desk.feed.serve(record("MLI1", fatalities=30))
    (update,) = desk.cycle().notices
    assert (update.action, update.rule_id) == ("update", "attacks-round-bamako")


def test_a_notice_reads_back_as_it_was_written(desk: Desk) -> None:
    desk.feed.serve(record("MLI1"))
    (notice,) = desk.cycle().notices
    assert ledger.load_notices(desk.store.connection, ids=[notice.id]) == (notice,)


def test_a_notice_says_how_late_how_often_and_in_which_direction(desk: Desk) -> None:
    desk.feed.serve(record("MLI1", days_before(START, 41)))
    desk.cycle()
    desk.feed.serve(record("MLI2", days_before(START, 3)))
    (notice,) = desk.cycle().notices
    event = notice.facts["events"][0]
    assert notice.facts["reported_late_days"] == 3
    assert (notice.facts["nth_in_12_months"], notice.facts["previous_12_months"]) == (2, 1)
    assert event["distance_km"] == pytest.approx(13.88, abs=0.05)
    assert event["bearing_deg"] == pytest.approx(327, abs=1)


def test_historic_events_are_listed_once_a_week(desk: Desk) -> None:
    desk.feed.serve(record("MLI1", days_before(START, 200)))
    assert desk.cycle().notices == ()
    desk.clock.advance(timedelta(days=7))
    (summary,) = desk.cycle().notices
    assert (summary.action, summary.reason) == ("summary", "HISTORIC")
    desk.clock.advance(timedelta(days=7))
    assert desk.cycle().notices == ()


def test_a_clock_that_was_ahead_for_years_puts_the_weekly_list_off_by_a_week(desk: Desk) -> None:
    desk.cycle()
    desk.feed.serve(record("MLI1", days_before(START, 200)))
    desk.cycle()
    desk.clock.advance(timedelta(days=3650))
    assert [notice.reason for notice in desk.cycle().notices] == ["HISTORIC"]
    desk.clock.advance(timedelta(days=-3650))
    desk.feed.serve(record("MLI2", days_before(START, 200)))
    assert desk.cycle().notices == ()
    desk.clock.advance(timedelta(days=7))
    assert [notice.reason for notice in desk.cycle().notices] == ["HISTORIC"]


def test_an_incomplete_first_walk_still_seeds_what_comes_next(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "warden.db", attack_rule())
    desk.feed.state = "truncated"
    desk.feed.serve(record("MLI1"))
    desk.cycle()
    desk.feed.state = "ok"
    desk.feed.serve(record("MLI2"))
    assert {notice.action for notice in desk.cycle().notices} == {"summary"}
    desk.feed.serve(record("MLI3"))
    assert [notice.action for notice in desk.cycle().notices] == ["alert"]
    desk.store.close()


steps = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.sampled_from(["2022-07-05", "2022-07-12", "2022-07-20", "2022-05-01"]),
        st.sampled_from([0, 3, 12, None]),
        st.sampled_from([12.7446, 12.7446, 17.0]),
        st.integers(0, 20),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


_SAME = (0, "2022-07-05", 0, 12.7446, 0, False)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
@example([
    *[_SAME] * 5, (0, "2022-07-05", 0, 12.7446, 4, False),
    # It is gone, and its ended alert goes on with another; then it comes back.
    (0, "2022-07-05", None, 12.7446, 0, True), (1, "2022-07-05", 0, 12.7446, 0, False), _SAME,
])  # fmt: skip
def test_incremental_cycles_end_as_full_ones_do(
    moves: list[tuple[int, str, int | None, float, int, bool]],
) -> None:
    graded = (SeverityStep("critical", "fatalities >= 10 or nth_in_12_months >= 3"),)
    rules = (
        attack_rule(severity=(*graded, SeverityStep("warning")), max_age_days=60),
        attack_rule(id="plain", max_age_days=30, reminder_days=7),
        cluster_rule(window=10, least=2, cooldown_days=20),
    )
    one, other = Desk(MEMORY, *rules), Desk(MEMORY, *rules)
    for number, when, deaths, lat, days, same_poll in moves:
        for desk in (one, other):
            desk.clock.advance(timedelta(days=days))
            if deaths is None:
                desk.feed.serve(gone=[f"MLI{number}"])
            else:
                desk.feed.serve(record(f"MLI{number}", when, fatalities=deaths, lat=lat))
        if same_poll:
            continue
        said = one.cycle().notices
        assert said == other.cycle(full=True).notices
    assert one.cycle().notices == other.cycle(full=True).notices
    assert [replace(a) for a in one.alerts()] == [replace(a) for a in other.alerts()]
    for desk in (one, other):
        desk.store.close()


@pytest.mark.parametrize("state", ["stale", "paused"])
def test_the_first_release_after_a_first_load_between_releases_is_news(state):
    found, marks = seeding(["acled"], [SourceView("acled", state, was_ok=False)], {})
    assert found == {"acled"}
    assert seeding(["acled"], [SourceView("acled", "ok", was_ok=True)], marks)[0] == set()


def test_a_first_load_that_broke_off_goes_on_being_one():
    _, marks = seeding(["acled"], [SourceView("acled", "truncated", was_ok=False)], {})
    assert seeding(["acled"], [SourceView("acled", "ok", was_ok=True)], marks)[0] == {"acled"}


def test_what_is_decided_again_after_a_restore_is_said_under_the_same_ids(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "warden.db", attack_rule())
    desk.feed.serve(record("MLI0", "2021-01-01"))
    desk.cycle()
    back_up(desk.store, tmp_path / "copy.db")

    def life(one: Desk, late: timedelta) -> list[str]:
        said = []
        for number, dead in enumerate((1, 9, 1, 9)):
            one.clock.set(START + late + timedelta(hours=number))
            one.feed.serve(record("MLI1", fatalities=dead))
            said += [notice.id for notice in one.cycle().notices]
        return said

    first = life(desk, timedelta(0))
    desk.store.close()
    again = Desk(tmp_path / "copy.db", attack_rule())
    assert life(again, timedelta(hours=30)) == first
    assert len(set(first)) == len(first) == 4
    again.store.close()
