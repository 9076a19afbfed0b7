"""Renames are called possible where name, time and place speak for it, and not otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from support.build import at, attack_rule, cluster_rule, event
from support.ledger import MemoryLedger

from warden.engine.actors import Names
from warden.engine.frame import Frame, day_number
from warden.engine.geo.geography import FixedGeography
from warden.engine.horizon import Horizon
from warden.engine.kinds.new import NewParameters
from warden.engine.notices import Atlas, notices
from warden.engine.renames import Seen, alike, possible_rename, possible_renames
from warden.engine.where import Matcher
from warden.model.event import Actor, Event
from warden.model.notice import Notice
from warden.model.rule import Alias, AllOf, Near, Rule

OLD = Seen("Islamic State (Greater Sahara)", 18_000, 19_000, 40, frozenset({"Gao"}))
NEW = Seen("Islamic State (Sahel)", 19_010, 19_100, 5, frozenset({"Gao", "Menaka"}))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Islamic State (Greater Sahara)", "Islamic State (Sahel)"),
        ("Islamic State (West Africa) - Greater Sahara Faction", "Islamic State (Greater Sahara)"),
        ("Islamic State Sahel", "Islamic State Sahel Province (ISSP)"),
        ("Ansaroul Islam", "Ansarul Islam"),
        ("CMA: Coordination of Azawad Movements", "CMA: Coordination of Movements of Azawad"),
        ("Macina Liberation Front", "Massina Liberation Front"),
    ],
)
def test_names_of_one_actor_are_alike(old: str, new: str) -> None:
    assert alike(old, new)
    assert alike(new, old)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Dozo Communal Militia (Mali)", "Fulani Communal Militia (Mali)"),
        ("Katiba Macina", "Katiba Serma"),
        ("Wagner Group", "Wagner Group / Africa Corps"),  # one telling word is too little
        ("Fulani Militia (Niger)", "Fulani Militia (Nigeria)"),
        ("Military Forces of Mali (2021-)", "Military Forces of Niger (2023-)"),
        ("Unidentified Armed Group (Mali)", "Unidentified Armed Group (Niger)"),
        ("JNIM: Group for Support of Islam", "GSIM: Group for Support of Islam"),
        ("Protesters (Mali)", "Rioters (Niger)"),
        ("Police Forces of Mali (2021-) Gendarmerie", "Military Forces of Niger"),
        ("", "Ansarul Islam"),
    ],
)
def test_names_of_different_actors_are_not(one: str, other: str) -> None:
    assert not alike(one, other)
    assert not alike(other, one)


@pytest.mark.parametrize(
    ("changes", "possible"),
    [
        ({}, True),
        ({"last": 19_023}, True),  # both used while a release changes over
        ({"last": 19_024}, False),  # still there: another actor
        ({"last": 18_644}, False),  # gone for over a year
        ({"events": 2}, False),
        ({"places": frozenset({"Kayes"})}, False),
        ({"first": 19_011}, False),
        ({"name": NEW.name}, False),
    ],
)
def test_a_rename_needs_an_actor_that_has_just_vanished(
    changes: dict[str, Any], possible: bool
) -> None:
    assert (possible_rename(NEW, [replace(OLD, **changes)]) is not None) is possible


def test_of_several_the_one_seen_last_is_named_and_a_list_is_looked_through_at_once() -> None:
    older = replace(OLD, name="Islamic State in the Greater Sahara", last=18_900)
    other = Seen("Dan Na Ambassagou", 18_000, 18_990, 20, frozenset({"Gao"}))
    assert possible_rename(NEW, [older, OLD, other]) == OLD
    assert possible_renames([NEW, older, OLD, other]) == {NEW.name: OLD}


# --- in notices -------------------------------------------------------------------------------


def raid(number: int, day: date, name: str, **changes: Any) -> Event:
    return event(f"R{number}", day, actors=(Actor(name, "actor1", "Rebel group"),), **changes)


def anybody(**changes: Any) -> Rule:
    near = Near(150.0, places=tuple(p for p in attack_rule().where.parts[1].places))
    return attack_rule(where=AllOf((near,)), **changes)


def told(rule: Rule, events: list[Event], names: Names | None = None) -> list[Notice]:
    ledger = MemoryLedger(rule)
    now = at("2022-08-01")
    decisions = [d for d in ledger.poll(now, new=events) if d.notice]
    matches = Matcher(rule, FixedGeography(), names).match(Frame.from_events(events))
    horizon = Horizon(now, {"acled": date(2022, 7, 31)}, {"acled": date(2012, 1, 1)})
    return [n for n, _ in notices(rule, decisions, matches, now, Atlas(), horizon=horizon)]


def history(until: date) -> list[Event]:
    return [raid(n, until - timedelta(days=10 * n), OLD.name) for n in range(20)]


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (date(2022, 7, 10), {"name": OLD.name, "last_seen": "2022-07-10"}),
        (date(2022, 7, 31), None),  # goes on beside the new one
    ],
)
def test_a_new_name_that_may_be_an_old_one_says_so(
    last: date, expected: dict[str, str] | None
) -> None:
    rule = anybody(id="n", kind="new", parameters=NewParameters(field="actor", memory="1y"))
    events = [*history(last), raid(100, date(2022, 7, 14), NEW.name)]
    (notice,) = [n for n in told(rule, events) if dict(n.key).get("actor") == NEW.name]
    assert notice.facts.get("renamed_from") == expected


def test_a_burst_under_a_new_name_says_so_too() -> None:
    rule = cluster_rule(window=20, least=3, by=("actor",), where=anybody().where)
    burst = [raid(100 + n, date(2022, 7, 12) + timedelta(days=n), NEW.name) for n in range(4)]
    (notice,) = [
        n
        for n in told(rule, [*history(date(2022, 7, 10)), *burst])
        if dict(n.key)["actor"] == NEW.name
    ]
    assert notice.facts["renamed_from"]["name"] == OLD.name


# --- dated aliases ----------------------------------------------------------------------------


def test_an_alias_holds_only_between_its_dates() -> None:
    names = Names(
        [
            Alias("Province", ("Faction",), since=date(2019, 3, 1), until=date(2022, 3, 20)),
            Alias("Junta", ("Army",)),
        ]
    )
    days = [date(2019, 2, 28), date(2019, 3, 1), date(2022, 3, 20), date(2022, 3, 21)]
    eras = names.era(np.array([day_number(day) for day in days]))
    assert [names.canonical("Faction", era) for era in eras.tolist()] == [
        "Faction", "Province", "Province", "Faction",
    ]  # fmt: skip
    assert {names.canonical("Army (2012-2020)", era) for era in eras.tolist()} == {"Junta"}
    assert (names.eras, Names().eras) == (3, 1)


def test_keys_follow_the_dates_of_an_alias() -> None:
    names = Names([Alias("Islamic State Sahel Province", (OLD.name,), until=date(2022, 3, 20))])
    rule = anybody(by=("actor",))
    events = [raid(1, date(2022, 3, 20), OLD.name), raid(2, date(2022, 3, 21), OLD.name)]
    matches = Matcher(rule, FixedGeography(), names).match(Frame.from_events(events))
    assert [matches.keys_of(row)[0][0][1] for row in range(2)] == [
        "Islamic State Sahel Province", OLD.name,
    ]  # fmt: skip
    assert [name for (name,) in matches.names] == ["Islamic State Sahel Province", OLD.name]
