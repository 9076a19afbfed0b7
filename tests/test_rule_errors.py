"""One rule's fault silences no other: it is left out, named, tried again, and told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.build import BAMAKO, START, attack_rule, cluster_rule, record
from support.feed import ListedFeed
from support.health import feed_rule

from warden.clock import ManualClock
from warden.engine.geo.geography import FixedGeography
from warden.evaluate import Evaluation, Evaluator
from warden.ingest import ingest
from warden.model.rule import Rule, Ruleset
from warden.store import Store, open_store
from warden.vitals import Vitals


def broken(rule: Rule) -> Rule:
    """A rule whose kind meets parameters that no loader would let through."""
    return replace(rule, parameters=None)


class Desk:
    """A store, a feed and what the process knows of itself."""

    def __init__(self, path: Path) -> None:
        self.store: Store = open_store(path)
        self.feed = ListedFeed()
        self.clock = ManualClock(START)
        self.vitals = Vitals(START)
        self.tells = feed_rule({"states": "rule_error"})
        self.evaluator = Evaluator(self.store, self.rules(broken(cluster_rule())), FixedGeography())

    def rules(self, cluster: Rule) -> Ruleset:
        return Ruleset((attack_rule(), cluster, self.tells), places={"bamako": BAMAKO}, version="1")

    def cycle(self, *records: object, full: bool = False) -> Evaluation:
        self.clock.advance(timedelta(minutes=1))
        self.feed.serve(*records)  # type: ignore[arg-type]
        changed = ingest(self.store, self.feed, self.clock).changed
        now = self.clock.now()
        health = self.vitals.conditions()
        done = self.evaluator.cycle(now, None if full else changed, health=health)
        self.vitals.evaluated(done.errors, now, full=full)
        return done


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "warden.db")
    yield made
    made.store.close()


def test_the_other_rules_speak_and_the_broken_one_is_named_and_told(desk: Desk) -> None:
    first = desk.cycle(record("MLI0", "2021-01-01"), full=True)
    assert set(first.errors) == {"bamako-cluster"}
    assert "AttributeError" in first.errors["bamako-cluster"]
    second = desk.cycle(record("MLI1"))
    said = {(one.rule_id, one.action) for one in second.notices}
    assert said == {("attack-near-bamako", "alert"), ("feed-unreadable", "alert")}
    (told,) = [one for one in second.notices if one.rule_id == "feed-unreadable"]
    assert told.key == (("failing_rule", "bamako-cluster"),)
    assert desk.vitals.conditions()[0].since == START + timedelta(minutes=1)


def test_it_is_tried_again_whole_at_every_cycle_and_catches_up(desk: Desk) -> None:
    desk.cycle(record("MLI0", "2021-01-01"), full=True)
    desk.cycle(record("MLI1"), record("MLI2"), record("MLI3"))
    assert "bamako-cluster" in desk.cycle().errors  # nothing changed, and yet
    state = desk.evaluator._states["bamako-cluster"]  # type: ignore[index]
    state.rule = cluster_rule()  # what was wrong is over
    mended = desk.cycle()
    assert mended.errors == {}
    assert [one.rule_id for one in mended.notices if one.action == "alert"] == ["bamako-cluster"]


def test_a_fault_of_the_database_still_ends_the_cycle(desk: Desk) -> None:
    desk.cycle(record("MLI0", "2021-01-01"), full=True)
    desk.store.connection.execute("DROP TABLE alert_evidence")
    with pytest.raises(Exception, match="alert_evidence"):
        desk.cycle(record("MLI1"))
