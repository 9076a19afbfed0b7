"""Rules about warden's own health: what they find, and what is said of it over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest

from tests.support.health import START, condition, feed_rule, later
from warden.engine.decision import Decision, Moment
from warden.engine.frame import Frame
from warden.engine.geo.geography import FixedGeography
from warden.engine.health import Look, merged
from warden.engine.horizon import Horizon
from warden.engine.kinds import signals
from warden.engine.kinds.feed import FeedParameters
from warden.engine.reconcile import reconcile
from warden.engine.where import Matcher
from warden.model.alert import Alert
from warden.model.health import Condition, SourceTrouble
from warden.model.rule import Rule, SeverityStep
from warden.model.signal import Signal
from warden.sources.protocol import SourceState


def found(rule: Rule, health: Sequence[Condition], now: datetime) -> tuple[Signal, ...]:
    matches = Matcher(rule, FixedGeography()).match(Frame.empty())
    return signals(rule, matches, Horizon(now, health=tuple(health)))


class Life:
    """A rule's ledger through time."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.alerts: dict[str, Alert] = {}

    def at(self, now: datetime, *health: Condition) -> list[Decision]:
        moment = Moment(Horizon(now, health=health), taken=self.alerts)
        decided = reconcile(
            self.rule, found(self.rule, health, now), tuple(self.alerts.values()), moment
        )
        self.alerts |= {one.alert.id: one.alert for one in decided}
        return list(decided)

    def said(self, now: datetime, *health: Condition) -> list[tuple[Any, str]]:
        return [(one.notice, one.reason) for one in self.at(now, *health) if one.notice]


def test_every_state_of_a_source_but_ok_has_a_name_here():
    assert set(get_args(SourceTrouble)) == set(get_args(SourceState)) - {"ok"}


def test_nothing_is_said_before_it_has_lasted_as_long_as_the_rule_waits():
    rule = feed_rule()
    assert found(rule, [condition()], later(hours=5, minutes=59)) == ()
    (signal,) = found(rule, [condition()], later(hours=6))
    assert signal.key == (("source", "acled"),)
    assert not signal.ended


def test_bad_states_that_follow_each_other_are_one_alert():
    rule = feed_rule()
    first = condition(until=later(hours=4), then="unreachable")
    second = condition(state="unreachable", since=later(hours=4))
    (signal,) = found(rule, [first, second], later(hours=6))
    assert signal.evidence == (first.uid, second.uid)
    assert signal.facts["state"] == "unreachable"
    assert signal.facts["began_at"] == START.isoformat()


def test_what_was_told_by_a_clock_that_was_ahead_lasts_and_resolves_by_the_right_one():
    life = Life(feed_rule())
    there = condition(since=later(days=60))
    assert life.said(later(days=60, hours=6), there) == [("alert", "FIRST")]
    assert life.said(later(hours=1), there) == []
    over = replace(there, until=later(hours=2), then="ok")
    assert life.said(later(hours=2), over) == [("resolved", "CONDITION_ENDED")]
    assert life.said(later(hours=3), over) == []


def test_what_ended_by_a_clock_that_was_ahead_hides_nothing_that_begins_by_the_right_one():
    there = condition(since=later(days=60), until=later(days=61), then="ok")
    here = condition(since=later(hours=1))
    before, now = found(feed_rule(), [there, here], later(hours=8))
    assert (before.ended, before.evidence) == (False, (here.uid,))
    assert (now.ended, now.evidence) == (True, (there.uid,))


def test_an_outage_after_a_good_hour_begins_anew():
    rule = feed_rule()
    first = condition(until=later(hours=4), then="ok")
    assert found(rule, [first, condition(since=later(hours=5))], later(hours=7)) == ()


def test_a_source_of_another_name_is_none_of_the_rules_business():
    rule = feed_rule({"states": "auth_failed", "source": "ucdp"})
    assert found(rule, [condition()], later(days=1)) == ()
    assert found(rule, [condition(name="ucdp")], later(days=1))


def test_an_outage_is_told_once_and_its_end_is_told():
    life = Life(feed_rule())
    assert life.said(later(hours=1), condition()) == []
    assert life.said(later(hours=6), condition()) == [("alert", "FIRST")]
    assert life.said(later(hours=7), condition()) == []
    assert not any(one.writes for one in life.at(later(days=100), condition()))
    over = condition(until=later(days=101), then="ok")
    assert life.said(later(days=101), over) == [("resolved", "CONDITION_ENDED")]
    assert life.said(later(days=102), over) == []


def test_an_outage_that_began_before_max_age_is_still_told():
    life = Life(feed_rule())
    assert life.said(later(days=400), condition()) == [("alert", "FIRST")]


def test_a_reminder_is_due_while_it_lasts():
    life = Life(feed_rule(reminder_days=7))
    life.at(later(hours=6), condition())
    assert life.said(later(days=6), condition()) == []
    assert life.said(later(days=8), condition()) == [("reminder", "REMINDER_DUE")]


def test_an_outage_that_lasts_becomes_more_severe():
    steps = (SeverityStep("critical", "hours >= 72"), SeverityStep("warning"))
    life = Life(feed_rule(severity=steps))
    life.at(later(hours=6), condition())
    assert life.said(later(hours=71), condition()) == []
    assert life.said(later(hours=72), condition()) == [("update", "SEVERITY_RAISED")]


def test_when_the_record_of_it_is_forgotten_its_alert_closes_in_silence():
    life = Life(feed_rule())
    life.at(later(hours=6), condition())
    life.at(later(days=1), condition(until=later(days=1), then="ok"))
    (decision,) = life.at(later(days=9))
    assert (decision.name, decision.notice, decision.reason) == ("close", None, "EXPIRED")


def test_an_edited_rule_closes_without_a_word_what_it_no_longer_means():
    life = Life(feed_rule())
    life.at(later(hours=6), condition())
    life.rule = feed_rule({"states": ["stale"]}, version="2")
    (decision,) = life.at(later(hours=7), condition())
    assert (decision.notice, decision.reason) == (None, "RULE_EDITED")


def test_twenty_sources_failing_at_once_are_one_summary():
    life = Life(feed_rule(flood_limit=5))
    many = [condition(name=f"feed{number}") for number in range(20)]
    decided = life.at(later(hours=6), *many)
    assert {one.summary for one in decided} == {"FLOOD"}
    assert not any(one.notice for one in decided)


def test_more_dead_letters_are_told_when_they_have_doubled():
    rule = feed_rule({"states": "dead_letter"})
    life = Life(replace(rule, update_when=replace(rule.update_when, value_ratio=2.0)))
    letter = condition(subject="delivery", name="email a@b", state="dead_letter", count=2)
    assert life.said(START, letter) == [("alert", "FIRST")]
    assert life.said(later(hours=1), replace(letter, count=3)) == []
    assert life.said(later(hours=2), replace(letter, count=4)) == [("update", "MATERIAL_CHANGE")]


def test_unknown_names_that_have_aged_are_no_news():
    life = Life(feed_rule({"states": "unknown_actor"}))
    names = condition(subject="actors", name="", state="unknown_actor", count=2)
    assert life.said(START, names) == [("alert", "FIRST")]
    assert life.said(later(days=8), replace(names, until=later(days=8), then="ok")) == []


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"states": ["auth_failed"], "for": "6"}, "write a number with m, h, d or w"),
        ({"states": []}, "name at least one state"),
        ({"states": ["dead_letter"], "source": "acled"}, "dead_letter is not one"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(parameters: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        FeedParameters.model_validate(parameters)


# --- what is written down ---------------------------------------------------------------------


def test_what_goes_on_keeps_when_it_began_and_what_was_said_first():
    again = condition(since=later(hours=1), detail="refused again")
    assert merged([condition()], Look([again]), later(hours=2)) == (condition(),)


def test_what_is_counted_is_counted_anew():
    before = condition(count=1)
    (after,) = merged([before], Look([replace(before, count=3, detail="x")]), later(hours=2))
    assert (after.count, after.detail, after.since) == (3, "x", START)


def test_what_is_over_says_what_followed():
    now = later(hours=9)
    (over,) = merged([condition()], Look(), now)
    assert (over.until, over.then) == (now, "ok")
    removed = Look(then={("source", "acled"): "removed"})
    assert merged([condition()], removed, now)[0].then == "removed"
    moved = condition(state="unreachable", since=later(hours=8))
    old, new = merged([condition()], Look([moved]), now)
    assert (old.until, old.then, new) == (later(hours=8), "unreachable", moved)


def test_what_cannot_be_looked_at_stays_as_it_was():
    failing = condition(subject="rule", name="x", state="rule_error")
    unseen = Look(unseen=frozenset({"rule"}))
    assert merged([failing], unseen, later(hours=1)) == (failing,)


def test_merging_again_changes_nothing():
    look = Look([condition(name="b"), condition(state="stale")])
    now = later(hours=1)
    once = merged([condition()], look, now)
    assert merged(once, look, now + timedelta(hours=1)) == once
