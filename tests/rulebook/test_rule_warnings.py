"""Warnings: what is worth saying about rules that can be used."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from support.build import event

from warden.engine.frame import Frame
from warden.engine.geo import FixedGeography
from warden.engine.kinds import KINDS
from warden.rulebook import KnownNames, render_faults

KNOWN = KnownNames(
    actors=frozenset({"JNIM: Group for Support of Islam and Muslims", "Katiba Macina"}),
    fields={"admin1": frozenset({"Ségou"})},
    history_start=date(2020, 1, 1),
    today=date(2022, 1, 1),
    embargo_days=365,
)
RULE = "rules:\n- id: a\n  title: A\n  kind: event\n  max_age: 2y\n  where: {country: MLI}\n"


def test_patterns_that_match_no_name_ever_seen_are_warned_of(faults) -> None:
    text = RULE.replace("country: MLI", "admin1: [segou, Segu], actor: [Katiba Macina, Massina]")
    assert faults(text, known=KNOWN) == [
        (
            "base.yaml:3:20: WR050 no actor ever seen belongs to the group 'forces': "
            "'Military Forces of Mali*'"
        ),
        "rules.yaml:6:27: WR050 'Segu' matches no admin1 ever seen in the stored events",
        "rules.yaml:6:57: WR050 'Massina' matches no actor ever seen in the stored events",
    ]


def test_nothing_is_warned_of_without_names(faults) -> None:
    assert faults(RULE, known=KnownNames()) == []
    assert faults(RULE) == []


def test_a_warning_does_not_stop_the_rules_from_being_used(read) -> None:
    loaded = read(RULE, known=KNOWN)
    assert loaded.ruleset is not None
    assert [fault.severity for fault in loaded.faults] == ["warning"]
    assert "WR050 warning: no actor ever seen belongs" in render_faults(loaded.faults)


def test_rules_that_overlap_completely_are_warned_of(faults) -> None:
    second = RULE.replace("rules:\n", "").replace("id: a", "id: b").replace("title: A", "title: B")
    found = faults(RULE + second)
    assert len(found) == 1
    assert "rules.yaml:7:3: WR051 the rule 'b' finds exactly what 'a' finds (" in found[0]
    assert faults(RULE + second + "  status: disabled\n") == []
    assert faults(RULE + second.replace("MLI", "CIV")) == []


class MemoryParameters(BaseModel):
    memory: int


def test_a_memory_longer_than_the_stored_history_is_warned_of(faults) -> None:
    kind = dataclasses.replace(KINDS["count"], name="new", Parameters=MemoryParameters)
    text = RULE.replace("kind: event", "kind: new\n  memory: 900")
    known = dataclasses.replace(KNOWN, actors=frozenset())
    assert faults(text, known=known, kinds={**KINDS, "new": kind}) == [
        (
            "rules.yaml:5:11: WR052 memory is 900 days but the stored history has 731: "
            "the rule tells nothing before it is long enough"
        )
    ]
    assert faults(text.replace("900", "700"), known=known, kinds={**KINDS, "new": kind}) == []


def test_an_age_that_an_embargoed_feed_can_never_meet_is_warned_of(faults) -> None:
    known = dataclasses.replace(KNOWN, actors=frozenset())
    assert faults(RULE.replace("2y", "1y"), known=known) == [
        (
            "rules.yaml:5:12: WR053 max_age is 365 days but the feed is embargoed for 365: "
            "every alert would be historic"
        )
    ]


def test_a_group_is_one_line_with_a_number_and_a_few_examples(faults) -> None:
    groups = (
        "actors:\n  many:\n    match: [Katiba Macina, A1, 'B2*', C3, D4]\n    except: [Nobody]\n"
    )
    found = faults({"rules.yaml": RULE, "groups.yaml": groups}, known=KNOWN)
    assert [line for line in found if line.startswith("groups.yaml")] == [
        (
            "groups.yaml:3:28: WR050 4 of 5 patterns of the group 'many' match no actor ever "
            "seen: 'A1', 'B2*', 'C3' and 1 more"
        )
    ]


# --- what the stored events say -----------------------------------------------------------------

START = date(2020, 1, 1)


def stored(count: int, *, every: int = 1) -> KnownNames:
    """So many events in Kati, one every so many days, and nothing known of names."""
    events = [event(f"MLI{n}", START + timedelta(days=n * every)) for n in range(count)]
    return KnownNames(
        history_start=START,
        today=START + timedelta(days=count * every),
        frame=Frame.from_events(events),
        geography=FixedGeography(),
    )


@pytest.fixture
def said(faults: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """The faults of one rule's lines held to some stored events, with every kind known."""

    def run(lines: str, known: KnownNames, **more: Any) -> list[str]:
        text = "rules:\n- id: a\n  title: A\n" + lines
        return faults(text, known=known, kinds=KINDS, **more)

    return run


NOWHERE = "  kind: event\n  where: {near: {lat: 3, lon: 3, within_km: 1}}\n"
EVERYWHERE = "  kind: event\n  where: {event_type: attack}\n"
COUNTED = "  kind: count\n  where: {event_type: attack}\n  window: 30d\n  condition: {gte: %s}\n"


def test_a_rule_that_matches_no_stored_event_is_warned_of(said) -> None:
    assert said(NOWHERE, stored(600)) == [
        "rules.yaml:5:10: WR054 the rule 'a' matches none of the 600 stored events"
    ]


def test_few_stored_events_say_nothing_about_a_rule(said) -> None:
    assert said(NOWHERE, stored(499)) == []
    assert said(NOWHERE + "  status: disabled\n", stored(600)) == []


def test_a_rule_that_tells_everything_is_warned_of(said) -> None:
    assert said(EVERYWHERE, stored(600)) == [
        (
            "rules.yaml:5:10: WR055 the rule 'a' matches 600 of the 600 stored events, and each is "
            "an alert of its own"
        )
    ]


def test_a_bound_that_held_on_nearly_all_days_is_warned_of(said) -> None:
    known = stored(600, every=2)  # fifteen in any thirty days
    assert said(COUNTED % 15, known) == [
        (
            "rules.yaml:7:14: WR055 the rule 'a' held on 100% of the stored days: its bound tells "
            "nothing apart"
        )
    ]
    assert said(COUNTED % 16, known) == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            COUNTED.replace("30d", "601d") % 700,
            "6:11: WR052 window is 601 days",
        ),
        (
            "  kind: new\n  where: {event_type: attack}\n  memory: 2y\n",
            "6:11: WR052 memory is 730 days",
        ),
        (
            (
                "  kind: record\n  where: {event_type: attack}\n  measure: events\n  window: 30d\n"
                "  floor: 3\n  lookback: [1096d, 700d]\n"
            ),
            "9:13: WR052 lookback is at least 700 days",
        ),
        (
            "  kind: projection\n  where: {event_type: attack}\n  period: rolling-year\n",
            "6:11: WR052 period compares 730 days",
        ),
    ],
)
def test_looking_back_over_more_days_than_are_stored_is_warned_of(said, lines, expected) -> None:
    assert said(lines, stored(600)) == [
        (
            f"rules.yaml:{expected} but the stored history has 600: "
            "the rule tells nothing before it is long enough"
        )
    ]
    assert said(lines, stored(1200)) == []


def test_rules_that_found_the_same_events_by_other_words_are_warned_of(said) -> None:
    lines = (
        "  kind: event\n  where: {near: {place: kati, within_km: 5}}\n"
        "- id: b\n  title: B\n  kind: event\n  where: {near: {place: kati, within_km: 6}}\n"
    )
    found = said(lines, stored(600))
    assert [line.split(" ")[1] for line in found] == ["WR055", "WR051", "WR055"]
    assert found[1].startswith(
        "rules.yaml:9:10: WR051 the rule 'b' matches the same 600 stored events as 'a' ("
    )
