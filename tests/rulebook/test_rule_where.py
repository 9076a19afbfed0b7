"""`where` becomes a predicate with every name replaced by what it stands for."""

from __future__ import annotations

from datetime import date

import pytest

from warden.engine.actors import in_group
from warden.model.rule import (
    ActorIs,
    AllOf,
    AnyOf,
    Flag,
    Inside,
    Near,
    NearBorder,
    Not,
    Number,
    Text,
    TextTest,
)

ATTACK = ("battles", "explosions/remote violence", "violence against civilians")


def days(text: str) -> float:
    return float((date.fromisoformat(text) - date(1970, 1, 1)).days)


def test_a_mapping_is_and(where) -> None:
    assert where("{admin1: Kayes, civilian_targeting: true}") == AllOf(
        (Text("admin1", (TextTest("is", "kayes"),)), Flag("civilian_targeting", value=True))
    )


def test_a_list_is_or(where) -> None:
    assert where("[{admin1: Kayes}, {admin2: Nara}]") == AnyOf(
        (Text("admin1", (TextTest("is", "kayes"),)), Text("admin2", (TextTest("is", "nara"),)))
    )


def test_all_any_and_not_nest(where) -> None:
    kayes = Text("admin1", (TextTest("is", "kayes"),))
    nara = Text("admin2", (TextTest("is", "nara"),))
    assert where("{not: {any: [{admin1: Kayes}, {all: [{admin1: Kayes}, {admin2: Nara}]}]}}") == (
        Not(AnyOf((kayes, AllOf((kayes, nara)))))
    )


@pytest.mark.parametrize(
    ("text", "tests"),
    [
        ("Ségou", [TextTest("is", "segou")]),
        ("[Ségou, 'SIKASSO']", [TextTest("is", "segou"), TextTest("is", "sikasso")]),
        ("{matches: 'Sé*'}", [TextTest("matches", "se*")]),
        ("{contains: [É, b]}", [TextTest("contains", "e"), TextTest("contains", "b")]),
        (r"{regex: '\bÉ\S+'}", [TextTest("regex", r"\be\S+")]),
        ("[a, {matches: 'b*'}]", [TextTest("is", "a"), TextTest("matches", "b*")]),
        ("0042", [TextTest("is", "0042")]),
        ("{is: Certain}", [TextTest("is", "certain")]),
    ],
)
def test_texts_are_folded_tests(where, text, tests) -> None:
    assert where(f"{{location: {text}}}") == Text("location", tuple(tests))


def test_a_named_set_stands_for_its_event_types(where) -> None:
    found = where("{event_type: [attack, Riots]}")
    assert [test.value for test in found.tests] == [*ATTACK, "riots"]


def test_a_closed_vocabulary_takes_any_case_and_tests(where) -> None:
    assert where("{event_type: battles}").tests == (TextTest("is", "battles"),)
    assert where("{sub_event_type: {contains: bomb}}").tests == (TextTest("contains", "bomb"),)


def test_a_disorder_type_counts_in_compounds(where) -> None:
    assert where("{disorder_type: Political violence}").tests == (
        TextTest("contains", "political violence"),
    )


def test_countries_become_codes_whatever_they_are_called(where) -> None:
    found = where("{country: [Mali, coastal, NO, Ivory Coast]}")
    assert [test.value for test in found.tests] == [
        "mli",
        "civ",
        "gin",
        "sen",
        "mrt",
        "nor",
        "civ",
    ][:6]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("{fatalities: 3}", Number("fatalities", gte=3, lte=3)),
        ("{fatalities: {gte: 3}}", Number("fatalities", gte=3)),
        ("{fatalities: {gt: 3, lte: 9}}", Number("fatalities", gt=3, lte=9)),
        ("{geo_precision: {between: [1, 2]}}", Number("geo_precision", gte=1, lte=2)),
        ("{event_date: 2022-07-22}", Number("event_date", gte=19195, lte=19195)),
        (
            "{event_date: {gte: 2020-01-01, lt: 2021-01-01}}",
            Number("event_date", gte=days("2020-01-01"), lt=days("2021-01-01")),
        ),
    ],
)
def test_numbers_and_dates_are_bounds(where, text, number) -> None:
    assert where(text) == number


def test_a_list_of_numbers_is_or(where) -> None:
    assert where("{geo_precision: [1, 2]}") == AnyOf(
        (Number("geo_precision", gte=1, lte=1), Number("geo_precision", gte=2, lte=2))
    )


def test_an_actor_is_in_a_group_in_some_roles(where) -> None:
    found = where("{actor: {group: [islamists, forces], roles: [assoc_actor_1, actor1]}}")
    assert isinstance(found, ActorIs)
    assert found.roles == ("actor1", "assoc_actor_1")
    assert [group.id for group in found.groups] == ["islamists", "forces"]


def test_an_actor_by_name_stands_for_its_regime_periods(where) -> None:
    found = where("{actor: Military Forces of Mali}")
    assert found.names == (
        TextTest("is", "military forces of mali"),
        TextTest("matches", "military forces of mali (????-*)"),
    )


def test_several_actors_are_or(where) -> None:
    found = where("{actor: [A, {matches: 'B*'}, {group: forces}, {type: State forces}]}")
    assert isinstance(found, AnyOf)
    assert [type(part) for part in found.parts] == [ActorIs] * 4
    assert found.parts[2].types == (TextTest("is", "state forces"),)


def test_an_actor_type_is_a_test_of_the_class(where) -> None:
    assert where("{actor_type: {contains: militia}}") == ActorIs(
        types=(TextTest("contains", "militia"),)
    )


def test_near_takes_places_points_and_lines(where) -> None:
    near = where("{near: {place: bamako, within_km: 150}}")
    assert (near.within_km, near.places[0].id) == (150, "bamako")
    for text in ("towns", "sites", "[kati, bamako]"):
        places = where(f"{{near: {{places: {text}, within_km: 5}}}}").places
        assert {place.id for place in places} == {"bamako", "kati"}
    point = where("{near: {lat: 1.5, lon: -2, within_km: 5}}").places[0]
    assert (point.lat, point.lon) == (1.5, -2)
    line = where("{near: {line: rn6, within_km: 5}}")
    assert isinstance(line, Near)
    assert line.line is not None
    assert line.line.parts == (((12.6, -8.0), (13.4, -6.2)),)


def test_a_border_names_its_countries(where) -> None:
    assert where("{border: {of: Mali, with: coastal, within_km: 50, side: inside}}") == NearBorder(
        "MLI", ("CIV", "GIN", "SEN", "MRT"), 50, "inside"
    )
    assert where("{border: {of: MLI, with: Senegal, within_km: 50}}").side == "any"


def test_a_border_with_a_country_that_is_no_neighbour_is_a_fault(faults) -> None:
    class Borders:
        def neighbours(self, of: str) -> tuple[str, ...]:
            return ("CIV", "GIN") if of == "MLI" else ()

        def version(self, of: str, neighbours: tuple[str, ...]) -> str:
            return "1"

    text = (
        "rules:\n- id: a\n  title: A\n  kind: event\n"
        "  where: {border: {of: MLI, with: [CIV, NGA], within_km: 50}}\n"
    )
    assert faults(text, borders=Borders()) == [
        "rules.yaml:5:35: WR037 MLI shares no land border with NGA; its neighbours are CIV, GIN"
    ]


def test_inside_is_a_country_an_area_or_a_division(read, where) -> None:
    assert where("{inside: {country: [MLI, coastal]}}") == Inside(
        countries=("MLI", "CIV", "GIN", "SEN", "MRT")
    )
    assert where("{inside: {admin1: Kayes}}") == Text("admin1", (TextTest("is", "kayes"),))
    square = (
        '{"type":"Feature","geometry":{"type":"Polygon","coordinates":'
        "[[[0,0],[0,1],[1,1],[1,0],[0,0]]]}}"
    )
    loaded = read(
        {
            "areas/s.geojson": square,
            "rules.yaml": "areas: {s: {title: S, file: areas/s.geojson}}\nrules:\n"
            "- {id: a, title: A, kind: event, where: {inside: {area: s}}}\n",
        }
    )
    assert loaded.faults == ()
    region = loaded.ruleset.rules[0].where.region
    assert region.polygons == ((((0, 0), (1, 0), (1, 1), (0, 1), (0, 0)),),)


def test_location_at_the_top_says_how_the_error_disc_counts(read) -> None:
    text = "rules:\n- {id: a, title: A, kind: event, where: {location: certain, country: MLI}}\n"
    rule = read(text).ruleset.rules[0]
    assert rule.location == "certain"
    assert rule.where == Text("country", (TextTest("is", "mli"),))


def test_use_takes_the_where_and_the_error_disc_of_another_rule(read) -> None:
    text = (
        "rules:\n"
        "- {id: a, title: A, kind: event, where: {use: [b], fatalities: {gte: 1}}}\n"
        "- {id: b, title: B, kind: event, where: {location: possible, country: MLI}}\n"
        "- {id: c, title: C, kind: event, where: {location: certain, use: b, admin1: Kayes}}\n"
    )
    first, second, third = read(text).ruleset.rules
    assert first.where == AllOf((second.where, Number("fatalities", gte=1)))
    assert (first.location, second.location, third.location) == ("possible", "possible", "certain")


def test_a_circle_of_uses_is_said_once(faults) -> None:
    text = (
        "rules:\n"
        "- {id: a, title: A, kind: event, where: {use: b}}\n"
        "- {id: b, title: B, kind: event, where: {use: c}}\n"
        "- {id: c, title: C, kind: event, where: {use: a}}\n"
    )
    assert faults(text) == ["rules.yaml:4:47: WR034 the rules use themselves: a -> b -> c -> a"]


def test_groups_hold_aliases_nested_groups_and_exceptions(read) -> None:
    text = """\
actors:
  both: {groups: [wagner, forces], except: [Military Forces of Mali (2012-2013)]}
  wagner: {match: [Wagner Group]}
aliases:
- {name: Africa Corps, was: [Wagner Group]}
- {name: Redut, was: [Wagner Group], since: 2024-01-01}
"""
    group = read(text).ruleset.groups["both"]
    assert in_group(group, "Wagner Group")
    assert in_group(group, "africa corps")
    assert in_group(group, "Military Forces of Mali (2021-) Gendarmerie")
    assert in_group(group, "Wagner Group (2021-)")
    assert not in_group(group, "Military Forces of Mali (2012-2013)")
    assert not in_group(group, "Redut")
    assert not in_group(group, "The Wagner Group")
