"""Which events a rule is about."""

from __future__ import annotations

from typing import Any

import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st
from support.build import BAMAKO, JIHADISTS, attack_rule, event

from warden.engine.frame import Frame, day_from_number, day_number
from warden.engine.geo.areas import AreaIndex
from warden.engine.geo.geography import FixedGeography
from warden.engine.geo.lines import PolylineIndex
from warden.engine.where import Matcher, Matches
from warden.model.event import Actor, Event
from warden.model.rule import (
    ActorGroup,
    ActorIs,
    AllOf,
    AnyOf,
    Flag,
    Inside,
    Near,
    NearBorder,
    Not,
    Number,
    Place,
    Polyline,
    Predicate,
    Region,
    Text,
    TextTest,
)

# A country of one square, ten degrees wide, whose eastern side it shares with its neighbour.
SQUARE = (((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0), (0.0, 0.0)),)
WORLD = FixedGeography(
    borders={("AAA", "BBB"): PolylineIndex([((0.0, 10.0), (10.0, 10.0))])},
    countries={"AAA": AreaIndex([SQUARE])},
)


def match(where: Predicate, *events: Event, **rule: Any) -> Matches:
    frame = Frame.from_events(events)
    return Matcher(attack_rule(where=where, **rule), WORLD).match(frame)


def ids(matches: Matches) -> list[str]:
    return sorted(matches.frame.plain["source_id"])


def holds(where: Predicate, one: Event, **rule: Any) -> bool:
    return len(match(where, one, **rule)) == 1


def text(field: str, op: Any, value: str) -> Text:
    return Text(field, (TextTest(op, value),))


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        (text("event_type", "is", "explosions/remote violence"), True),
        (text("event_type", "is", "battles"), False),
        (text("country", "is", "mli"), True),
        (text("admin1", "matches", "koul*"), True),
        (text("location", "contains", "at"), True),
        (text("location", "regex", "^ka.i$"), True),
        (text("notes", "contains", "simulated"), True),
        (text("tags", "is", "women"), True),
        (text("tags", "is", "children"), False),
        (Number("fatalities", gte=2), True),
        (Number("fatalities", gt=2), False),
        (Number("fatalities", lt=3, gte=1), True),
        (Number("event_date", lte=day_number(event("x").record.event_date)), True),
        (Number("event_date", lt=day_number(event("x").record.event_date)), False),
        (Flag("civilian_targeting", value=False), True),
        (AllOf(()), True),
        (AnyOf(()), False),
        (Not(text("admin1", "is", "gao")), True),
        (AnyOf((text("admin1", "is", "gao"), Number("fatalities", gte=1))), True),
    ],
)
def test_a_predicate_decides(predicate: Predicate, expected: bool) -> None:
    assert holds(predicate, event("MLI1", tags=("women", "youth"))) is expected


def test_an_actor_matches_in_any_role_unless_roles_are_named() -> None:
    wagner = ActorGroup("wagner", "Wagner", ("wagner group*",))
    parties = (
        Actor("Military Forces of Mali (2021-)", "actor1", "State forces"),
        Actor("Wagner Group", "assoc_actor_1", "External forces"),
        Actor("Civilians (Mali)", "actor2", "Civilians"),
    )
    one = event("MLI1", actors=parties)
    assert holds(ActorIs(groups=(wagner,)), one)
    assert not holds(ActorIs(roles=("actor1",), groups=(wagner,)), one)
    assert holds(ActorIs(types=(TextTest("is", "civilians"),)), one)


def test_an_exception_takes_a_name_out_of_its_group() -> None:
    group = ActorGroup("g", "G", ("ansar*",), ("ansar communal militia*",))
    rebel = event("MLI1", actors=(Actor("Ansar Dine", "actor1"),))
    militia = event("MLI2", actors=(Actor("Ansar Communal Militia (Mali)", "actor1"),))
    assert ids(match(ActorIs(groups=(group,)), rebel, militia)) == ["MLI1"]


def test_near_is_within_and_including_the_radius() -> None:
    # The points are placed by another implementation of the geodesic than the rule is decided by.
    def due_north(metres: float) -> float:
        direct = Geodesic.WGS84.Direct(BAMAKO.lat, BAMAKO.lon, 0, metres)
        return float(direct["lat2"])

    just_in = event("MLI1", lat=due_north(149_999), lon=BAMAKO.lon)
    just_out = event("MLI2", lat=due_north(150_001), lon=BAMAKO.lon)
    found = match(Near(150.0, places=(BAMAKO,)), just_in, just_out)
    assert ids(found) == ["MLI1"]
    assert found.distance_km[0] == pytest.approx(149.999, abs=1e-4)


def test_the_error_disc_decides_where_the_rule_says_so() -> None:
    vague = event("MLI1", lat=13.9, lon=-8.0029, geo_precision=2)
    near = Near(150.0, places=(BAMAKO,))
    assert holds(near, vague)
    assert not holds(near, vague, location="certain")
    outside = event("MLI2", lat=14.1, lon=-8.0029, geo_precision=2)
    assert not holds(near, outside)
    assert holds(near, outside, location="possible")


def test_under_a_not_certain_and_possible_change_places() -> None:
    away = Not(Near(150.0, places=(BAMAKO,)))
    vague = event("MLI1", lat=14.1, lon=-8.0029, geo_precision=2)
    assert holds(away, vague)
    assert not holds(away, vague, location="certain")
    assert holds(away, vague, location="possible")


def test_a_match_knows_whether_its_whole_disc_satisfies_the_rule() -> None:
    near = Near(150.0, places=(BAMAKO,))
    found = match(near, event("MLI1"), event("MLI2", lat=13.9, geo_precision=3))
    certain = dict(zip(found.frame.plain["source_id"], found.certain.tolist(), strict=True))
    assert certain == {"MLI1": True, "MLI2": False}


def test_near_a_line_and_near_several_places() -> None:
    road = Polyline("rn", "RN", (((10.0, -9.0), (14.0, -9.0)),))
    assert holds(Near(20.0, line=road), event("MLI1", lat=12.0, lon=-8.9))
    assert not holds(Near(20.0, line=road), event("MLI1", lat=12.0, lon=-8.5))
    segou = Place("segou", "Ségou", 13.4317, -6.2157)
    found = match(Near(100.0, places=(BAMAKO, segou)), event("MLI1", lat=13.4, lon=-6.3))
    assert found.place == (segou,)


def test_a_border_tells_distance_neighbour_and_side() -> None:
    border = NearBorder("AAA", ("BBB",), 50.0)
    found = match(border, event("MLI1", lat=5.0, lon=9.8), event("MLI2", lat=5.0, lon=10.2))
    assert ids(found) == ["MLI1", "MLI2"]
    assert set(found.border_neighbour) == {"BBB"}
    assert found.border_km == pytest.approx([22.18, 22.18], abs=0.1)
    assert dict(zip(found.frame.plain["source_id"], found.side, strict=True)) == {
        "MLI1": "inside",
        "MLI2": "outside",
    }


@pytest.mark.parametrize(("side", "expected"), [("inside", ["MLI1"]), ("outside", ["MLI2"])])
def test_a_border_rule_may_ask_for_one_side(side: Any, expected: list[str]) -> None:
    border = NearBorder("AAA", ("BBB",), 50.0, side)
    here, beyond = event("MLI1", lat=5.0, lon=9.8), event("MLI2", lat=5.0, lon=10.2)
    assert ids(match(border, here, beyond)) == expected


def test_inside_a_country_and_a_region_with_a_hole() -> None:
    hole = ((4.0, 4.0), (6.0, 4.0), (6.0, 6.0), (4.0, 6.0), (4.0, 4.0))
    region = Region("r", "R", (((*SQUARE[0],), hole),))
    assert holds(Inside(countries=("AAA",)), event("MLI1", lat=5.0, lon=5.0))
    assert not holds(Inside(region=region), event("MLI1", lat=5.0, lon=5.0))
    assert holds(Inside(region=region), event("MLI1", lat=2.0, lon=2.0))


def test_an_event_counts_once_under_each_of_its_keys() -> None:
    other = ActorGroup("state", "State", ("military forces*",))
    rule = {"by": ("actor_group",), "groups": (JIHADISTS, other)}
    found = match(ActorIs(groups=(JIHADISTS,)), event("MLI1"), **rule)
    assert found.keys_of(0) == (
        (("actor_group", "militant-islamist"),),
        (("actor_group", "state"),),
    )


def test_a_missing_value_is_a_key_of_its_own() -> None:
    found = match(AllOf(()), event("MLI1", admin2=""), by=("admin2",))
    assert found.keys == ((("admin2", "_missing"),),)


def test_actors_key_by_the_name_without_its_regime_and_never_by_civilians() -> None:
    parties = (
        Actor("Military Forces of Mali (2013-2020)", "actor1", "State forces"),
        Actor("Civilians (Mali)", "actor2", "Civilians"),
    )
    found = match(AllOf(()), event("MLI1", actors=parties), by=("actor",))
    assert found.keys == ((("actor", "Military Forces of Mali"),),)


def test_matches_can_lose_and_gain_rows() -> None:
    near = Near(150.0, places=(BAMAKO,))
    first = match(near, event("MLI1"), event("MLI2", admin1="Bamako"), by=("admin1",))
    second = match(near, event("MLI3", admin1="Segou"), by=("admin1",))
    both = first.without({"acled:MLI1"}).joined(second)
    assert ids(both) == ["MLI2", "MLI3"]
    assert [both.keys_of(row) for row in range(2)] == [
        ((("admin1", "Bamako"),),),
        ((("admin1", "Segou"),),),
    ]


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(st.integers(0, 9), st.integers(1, 28), max_size=12),
    st.dictionaries(st.integers(0, 12), st.integers(1, 28), max_size=6),
)
def test_rows_that_are_replaced_stand_in_order_of_day_and_uid(
    before: dict[int, int], changed: dict[int, int]
) -> None:
    nothing = match(AllOf(()))
    held = nothing.joined(match(AllOf(()), *made(before)))
    uids = {f"acled:MLI{number}" for number in changed}
    after = held.replaced(uids, match(AllOf(()), *made(changed)))
    wanted = {**before, **changed}
    mine = list(zip(after.frame.day.tolist(), after.frame.uid.tolist(), strict=True))
    assert mine == sorted(mine)
    assert {uid: day_from_number(day).day for day, uid in mine} == {
        f"acled:MLI{number}": day for number, day in wanted.items()
    }


def made(days: dict[int, int]) -> list[Event]:
    return [event(f"MLI{number}", f"2022-07-{day:02d}") for number, day in days.items()]
