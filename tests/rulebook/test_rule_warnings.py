"""Warnings: what is worth saying about rules that can be used."""

from __future__ import annotations

import dataclasses
from datetime import date

from pydantic import BaseModel

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
            "base.yaml:3:20: WR050 'Military Forces of Mali*' matches no actor ever seen "
            "in the stored events"
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
    assert "WR050 warning: 'Military" in render_faults(loaded.faults)


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
