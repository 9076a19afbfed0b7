"""Many shapes at once: the index answers as each shape alone does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st
from support.build import BAMAKO, attack_rule, event

from warden.engine import shared
from warden.engine.frame import Frame
from warden.engine.geo import AreaIndex, FixedGeography, PolylineIndex, distance_km
from warden.engine.geo.rule_index import Buffer, Circle, Inner, RuleIndex, Shape
from warden.engine.shared import SharedMatcher, match_all
from warden.engine.where import Matcher
from warden.model.rule import (
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
)


def alone(shape: Shape, lats: np.ndarray, lons: np.ndarray) -> np.ndarray:
    if isinstance(shape, Circle):
        held = distance_km(lats, lons, shape.lat, shape.lon) <= shape.km
    elif isinstance(shape, Buffer):
        held, _ = shape.line.within(lats, lons, shape.km)
    else:
        held = shape.area.contains(lats, lons)
    return np.flatnonzero(held)


def assert_as_alone(shapes: list[Shape], lats: np.ndarray, lons: np.ndarray) -> None:
    index = RuleIndex(shapes)
    found = index.hits(lats, lons).by_shape(len(shapes))
    possible = index.candidates(lats, lons).by_shape(len(shapes))
    for position, shape in enumerate(shapes):
        expected = alone(shape, lats, lons)
        assert found[position].tolist() == expected.tolist()
        assert not np.setdiff1d(expected, possible[position]).size


def square(lat: float, lon: float, side: float) -> list[list[tuple[float, float]]]:
    far_lat, far_lon = lat + side, lon + side
    return [[(lat, lon), (far_lat, lon), (far_lat, far_lon), (lat, far_lon), (lat, lon)]]


def wandering(rng: np.random.Generator, lat: float, lon: float) -> list[tuple[float, float]]:
    steps = rng.normal(0.0, 0.3, (30, 2)).cumsum(axis=0)
    return [(float(lat + north), float(lon + east)) for north, east in steps]


def points_near(rng: np.random.Generator, lat: float, lon: float, count: int) -> np.ndarray:
    spread = rng.choice([0.05, 0.5, 3.0], (count, 1))
    return np.array([lat, lon]) + rng.normal(0.0, 1.0, (count, 2)) * spread


@pytest.mark.parametrize(
    ("lat", "lon"), [(12.6, -8.0), (0.0, 0.0), (-17.0, 179.9), (52.0, -180.0), (84.0, 30.0)]
)
def test_shapes_of_every_sort_are_decided_as_each_alone(lat: float, lon: float) -> None:
    rng = np.random.default_rng(abs(int(lat * 10)))
    shapes: list[Shape] = []
    for _ in range(12):
        here, there = lat + rng.normal(0, 1), lon + rng.normal(0, 1)
        shapes.append(Circle(here, there, float(rng.choice([0.5, 5.0, 50.0, 150.0, 1200.0]))))
    for _ in range(2):
        line = PolylineIndex([wandering(rng, lat, lon)])
        shapes += [Buffer(line, km) for km in (3.0, 50.0, 0.1)]
    shapes += [Inner(AreaIndex([square(lat - 1, lon - 1, side)])) for side in (0.3, 2.0, 4.0)]
    where = points_near(rng, lat, lon, 3000)
    assert_as_alone(shapes, where[:, 0].clip(-90, 90), where[:, 1])


def test_a_circle_round_a_pole_and_one_round_the_world_hold_what_they_should() -> None:
    rng = np.random.default_rng(3)
    lats, lons = rng.uniform(-90, 90, 4000), rng.uniform(-180, 180, 4000)
    lats[:4], lons[:4] = (90, -90, 89.999, 0), (0, 17, -180, 180)
    cap = [[(70.0, -180.0), (70.0, -60.0), (70.0, 60.0), (70.0, 180.0), (90.0, 180.0)]]
    cap[0] += [(90.0, -180.0)]
    world: list[Shape] = [
        Circle(90.0, 0.0, 500.0),
        Circle(-89.5, 10.0, 900.0),
        Circle(10.0, 10.0, 9000.0),
        Circle(10.0, 10.0, 19000.0),
        Circle(10.0, 10.0, 30000.0),
        Inner(AreaIndex([cap])),
    ]
    assert_as_alone(world, lats, lons)


@given(
    st.floats(-85, 85),
    st.floats(-180, 180),
    st.floats(0.01, 990),
    st.floats(0, 360),
    st.sampled_from([-1e-3, -1e-5, 1e-5, 1e-3]),
)
@settings(max_examples=60, deadline=None)
def test_a_circle_ends_at_its_radius_to_a_centimetre(
    lat: float, lon: float, km: float, azimuth: float, past_m: float
) -> None:
    # The point is placed by another implementation of the geodesic than the circle is decided by.
    end = Geodesic.WGS84.Direct(lat, lon, azimuth, km * 1000.0 + past_m * 10.0)
    hits = RuleIndex([Circle(lat, lon, km)]).hits([end["lat2"]], [end["lon2"]])
    assert len(hits) == (past_m < 0)


def test_a_million_times_nothing_is_nothing() -> None:
    assert len(RuleIndex([]).hits([1.0], [1.0])) == 0
    assert len(RuleIndex([Circle(0, 0, 10)]).hits([], [])) == 0
    assert RuleIndex([Circle(0, 0, 10)]).hits([], []).by_shape(1)[0].tolist() == []
    lats, lons = [math.nan, math.inf, 91.0, 0.0], [0.0, 0.0, 0.0, math.nan]
    assert len(RuleIndex([Circle(89.99, 0, 300), Circle(0, 0, 10)]).hits(lats, lons)) == 0


def test_a_point_at_the_centre_lies_in_a_circle_without_a_radius() -> None:
    assert len(RuleIndex([Circle(12.0, 3.0, 0.0)]).hits([12.0, 12.0], [3.0, 3.00001])) == 1
    assert len(RuleIndex([Circle(12.0, 3.0, -1.0)]).hits([12.0], [3.0])) == 0


def test_a_line_s_bounds_hold_its_distance() -> None:
    rng = np.random.default_rng(5)
    line = PolylineIndex([wandering(rng, 14.0, -4.0)])
    where = points_near(rng, 14.0, -4.0, 2000)
    exact = line.distance_km(where[:, 0], where[:, 1])
    low, high = line.bounds_km(where[:, 0], where[:, 1], 100.0)
    assert (low <= exact + 1e-3).all() or np.isinf(low[low > exact]).all()
    near = np.isfinite(low)
    assert near[exact <= 100.0].all()
    assert (low[near] <= exact[near]).all()
    assert (high[near] >= exact[near]).all()
    assert (high[near] - low[near] < 3.0).all()


# --- rules ------------------------------------------------------------------------------------

WORLD = FixedGeography(
    borders={
        ("AAA", "BBB"): PolylineIndex([((11.0, -6.0), (14.0, -6.5))]),
        ("AAA", "CCC"): PolylineIndex([((11.0, -10.0), (11.3, -7.0))]),
    },
    countries={"AAA": AreaIndex([square(11.0, -10.0, 3.5)])},
)
FRAME = Frame.from_events(
    [
        event(
            f"MLI{number}",
            lat=float(lat),
            lon=float(lon),
            fatalities=number % 7,
            civilian_targeting=number % 3 == 0,
            location_error_km=float(number % 40),
        )
        for number, (lat, lon) in enumerate(
            points_near(np.random.default_rng(11), BAMAKO.lat, BAMAKO.lon, 400)
        )
    ]
)

places = st.builds(
    lambda lat, lon: Place("p", "P", lat, lon), st.floats(11.0, 14.0), st.floats(-10.0, -6.0)
)
spatial = st.one_of(
    st.builds(
        lambda km, some: Near(km, places=tuple(some)),
        st.floats(1, 200),
        st.lists(places, min_size=1, max_size=3),
    ),
    st.builds(
        lambda km, place: Near(
            km, line=Polyline("l", "L", (((place.lat, place.lon), (12.5, -7.5)),))
        ),
        st.floats(1, 100),
        places,
    ),
    st.builds(
        lambda km, side: NearBorder("AAA", ("BBB", "CCC", "DDD"), km, side),
        st.floats(1, 150),
        st.sampled_from(["any", "inside", "outside"]),
    ),
    st.just(Inside(countries=("AAA",))),
    st.just(Inside(countries=("ZZZ",))),
    st.builds(
        lambda place, side: Inside(
            region=Region("r", "R", (tuple(map(tuple, square(place.lat, place.lon, side))),))
        ),
        places,
        st.floats(0.1, 3.0),
    ),
)
plain = st.sampled_from([Flag("civilian_targeting", value=True), Number("fatalities", gte=3)])
trees: st.SearchStrategy[Predicate] = st.recursive(
    st.one_of(spatial, spatial, plain),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: AllOf(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=6,
)


@given(
    st.lists(st.tuples(trees, st.sampled_from(["coded", "certain", "possible"])), max_size=6),
    st.integers(0, len(FRAME)),
)
@settings(max_examples=80, deadline=None)
def test_rules_match_through_the_index_what_they_match_alone(
    wheres: list[tuple[Predicate, str]], size: int
) -> None:
    frame = FRAME.take(np.arange(size))
    rules = [attack_rule(where=where, location=location) for where, location in wheres]
    matchers = [Matcher(rule, WORLD) for rule in rules]
    index = SharedMatcher(rules, WORLD)
    index._draw()
    found = match_all(matchers, index, frame)
    assert len(found) == len(rules)
    for matcher, rows in zip(matchers, found, strict=True):
        assert rows.tolist() == matcher.rows(frame).tolist()


def test_the_index_is_drawn_when_it_pays_and_names_only_rows_near_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    near = attack_rule(where=Near(5.0, places=(BAMAKO,)))
    anywhere = attack_rule(where=Not(Near(5.0, places=(BAMAKO,))))
    asked = SharedMatcher([near, anywhere], WORLD)
    assert asked.candidates(FRAME) == (None, None)
    monkeypatch.setattr(shared, "WORTH_BUILDING", 100)
    rows, everything = asked.candidates(FRAME)
    assert everything is None
    assert rows is not None
    assert 0 < len(rows) < len(FRAME) / 4
