"""The shipped rules load, and their groups hold the names they should and no others."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from warden.engine.actors import Names, in_group
from warden.engine.geo import AreaIndex
from warden.engine.kinds import KINDS
from warden.geodata.countries import resolve
from warden.model.rule import Near, NearBorder, Rule, Ruleset
from warden.rulebook import load
from warden.rulebook.context import leaves

ROOT = Path(__file__).parents[2]
WORLD = ROOT.parent / "shared" / "data" / "acled" / "world-2022h1.csv"


@pytest.fixture(scope="module")
def shipped() -> Ruleset:
    loaded = load(ROOT / "rules", kinds=KINDS, countries_resolve=resolve, include_tests=True)
    assert [fault.one_line() for fault in loaded.faults] == []
    assert loaded.ruleset is not None
    return loaded.ruleset


def rule(ruleset: Ruleset, name: str) -> Rule:
    found = ruleset.rule(name)
    assert found is not None
    return found


JIHADIST = [
    "JNIM: Group for Support of Islam and Muslims",
    "JNIM: Group for Support of Islam and Muslims and/or Islamic State (Sahel)",
    (
        "JNIM: Group for Support of Islam and Muslims and/or Islamic State (West Africa) - "
        "Greater Sahara Faction"
    ),
    "Islamic State and/or JNIM",
    "Islamic State (Sahel)",
    "Islamic State Sahel Province (ISSP)",
    "Islamic State (Greater Sahara)",
    "Islamic State (Greater Sahara) and/or Ansaroul Islam",
    "Islamic State (West Africa) - Greater Sahara Faction",
    "Katiba Macina",
    "Katiba Serma",
    "Katiba Gourma",
    "Ansar Dine",
    "Ansaroul Islam",
    "Al Mourabitoune Battalion",
    "AQIM: Al Qaeda in the Islamic Maghreb",
    "MUJAO: Movement for Unity and Jihad in West Africa",
]
NOT_JIHADIST = [
    "GMA: Mourabitounes Group of Azawad",
    "Ansar Ethnic Militia (Mali)",
    "Kel Ansar Communal Militia (Mali)",
    "Unidentified Armed Group (Mali)",
    "Islamic State (West Africa) - Lake Chad Faction",
    "Islamic Supreme Council",
    "Muslim Group (Mali)",
    "Former JNIM: Group for Support of Islam and Muslims",
    "Dan Na Ambassagou",
    "GATIA: Imghad Tuareg and Allies Self-Defense Group",
    "MSA: Movement for Azawad Salvation",
    "CSP: Permanent Strategic Framework",
    "Wagner Group",
    "Military Forces of Mali (2021-)",
    "Civilians (Mali)",
]


@pytest.mark.parametrize("name", JIHADIST)
def test_militant_islamist_groups_are_known_by_all_their_names(name, shipped) -> None:
    assert in_group(shipped.groups["militant-islamist"], name)


@pytest.mark.parametrize("name", NOT_JIHADIST)
def test_names_that_only_look_like_them_are_not(name, shipped) -> None:
    assert not in_group(shipped.groups["militant-islamist"], name)


@pytest.mark.parametrize(
    "name",
    [
        "Military Forces of Mali (2002-2012)",
        "Military Forces of Mali (2013-2020)",
        "Military Forces of Mali (2020-2021)",
        "Military Forces of Mali (2021-)",
        "Military Forces of Mali (2021-) Gendarmerie",
        "Military Forces of Mali (2021-) National Guard",
        "Police Forces of Mali (2013-2020)",
        "Police Forces of Mali (2021-) Customs",
        "Police Forces of Mali (2021-) Gendarmerie",
    ],
)
def test_malian_forces_are_known_under_every_government(name, shipped) -> None:
    assert in_group(shipped.groups["malian-forces"], name)
    assert in_group(shipped.groups["malian-and-russian-forces"], name)
    assert in_group(shipped.groups["state-forces"], name)


@pytest.mark.parametrize(
    "name",
    [
        "Mutiny of Military Forces of Mali (2002-2012)",
        "Former Military Forces of Mali (2002-2012)",
        "Military Forces of Malawi (2020-)",
        "Wagner Group",
    ],
)
def test_mutineers_and_neighbours_are_not_malian_forces(name, shipped) -> None:
    assert not in_group(shipped.groups["malian-forces"], name)


def test_russian_forces_are_wagner_and_the_africa_corps(shipped) -> None:
    for name in ("Wagner Group", "Africa Corps", "Military Forces of Russia (2000-) Africa Corps"):
        assert in_group(shipped.groups["wagner"], name)
        assert in_group(shipped.groups["malian-and-russian-forces"], name)
    assert not in_group(shipped.groups["wagner"], "Military Forces of Russia (2000-)")


def test_a_renamed_islamic_state_has_one_name(shipped) -> None:
    names = Names(shipped.aliases)
    spellings = [
        "Islamic State (Sahel)",
        "Islamic State (Greater Sahara)",
        "Islamic State (West Africa) - Greater Sahara Faction",
        "Islamic State Sahel Province (ISSP)",
    ]
    assert {names.canonical(name) for name in spellings} == {"Islamic State Sahel Province"}


def test_the_event_and_count_rules_are_there(shipped) -> None:
    assert {"attack-near-bamako", "bamako-cluster", "unclaimed-near-bamako"} <= {
        found.id for found in shipped.rules
    }
    cluster = rule(shipped, "bamako-cluster")
    assert (cluster.parameters.window, cluster.parameters.condition.gte) == (60, 3)
    assert cluster.keep_firing_for_days == 30
    border = rule(shipped, "coastal-border-50km")
    assert border.by == ("border_neighbour",)
    (line,) = [test for test in leaves(border.where) if isinstance(test, NearBorder)]
    assert (line.of, line.neighbours) == ("MLI", ("CIV", "GIN", "SEN", "MRT"))
    assert rule(shipped, "mass-casualty-civilians").max_age_days == 365
    assert rule(shipped, "unclaimed-near-bamako").severity[-1].level == "info"


def test_bamako_is_pinned(shipped) -> None:
    assert (shipped.places["bamako"].lat, shipped.places["bamako"].lon) == (12.6392, -8.0029)
    (near,) = [t for t in leaves(rule(shipped, "attack-near-bamako").where) if isinstance(t, Near)]
    assert near.within_km == 150


def test_every_rule_tells_people_what_it_means_and_what_to_do(shipped) -> None:
    for found in shipped.rules:
        assert found.title
        assert len(found.description) > 80
        assert len(found.runbook) > 40
        assert dict(found.labels)["theme"]


SOUTH = """bamako kayes koulikoro sikasso segou nioro kita dioila nara bougouni koutiala san kati
kangaba kolokani didieni banamba fana diema yelimane bafoulabe yanfolila kolondieba kadiolo yorosso
bla markala macina"""


def test_southern_mali_holds_the_south_and_not_the_rest(shipped) -> None:
    area = AreaIndex(shipped.regions["southern-mali"].polygons)
    inside = {
        name for name, place in shipped.places.items() if area.contains([place.lat], [place.lon])[0]
    }
    assert inside == set(SOUTH.split())


@pytest.mark.skipif(not WORLD.exists(), reason="no real export beside the project")
def test_every_malian_actor_of_a_real_export_is_placed_as_an_analyst_would(shipped) -> None:
    names = set()
    with WORLD.open(encoding="utf-8-sig") as stream:
        for row in csv.DictReader(stream):
            if row["country"] == "Mali" and math.isfinite(float(row["latitude"])):
                for column in ("actor1", "actor2", "assoc_actor_1", "assoc_actor_2"):
                    names |= {name for name in row[column].split("; ") if name}
    in_it = {name for name in names if in_group(shipped.groups["militant-islamist"], name)}
    assert in_it == {name for name in names if name.startswith(("JNIM", "Islamic State", "Katiba"))}
    forces = {name for name in names if in_group(shipped.groups["malian-forces"], name)}
    assert forces == {
        name for name in names if name.startswith(("Military Forces of Mali", "Police"))
    }
