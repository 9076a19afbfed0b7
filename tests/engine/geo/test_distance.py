"""Distances and bearings agree with another implementation of geodesics, everywhere."""

from __future__ import annotations

import math

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from warden.engine.geo import PointIndex, bearing_deg, compass, distance_km
from warden.engine.geo.distance import point_to_ecef_km, to_ecef_km

BAMAKO = (12.6392, -8.0029)
lats = st.floats(-90, 90)
lons = st.floats(-180, 180)


@given(lats, lons, lats, lons)
def test_distance_and_bearing_agree_with_geographiclib(lat1, lon1, lat2, lon2):
    expected = Geodesic.WGS84.Inverse(lat1, lon1, lat2, lon2)
    assert distance_km(lat1, lon1, lat2, lon2) == pytest.approx(expected["s12"] / 1e3, abs=1e-6)
    if 1.0 < expected["s12"] < 19_000_000 and abs(lat1) < 89.99 and abs(lat2) < 89.99:
        turn = bearing_deg(lat1, lon1, lat2, lon2) - expected["azi1"]
        assert (turn + 180) % 360 - 180 == pytest.approx(0, abs=1e-3)


@given(lats, lons, lats, lons)
def test_distance_is_symmetric_and_never_negative(lat1, lon1, lat2, lon2):
    there, back = distance_km(lat1, lon1, lat2, lon2), distance_km(lat2, lon2, lat1, lon1)
    assert there == pytest.approx(back, abs=1e-6)
    assert there >= 0


@given(lats, lons, lats, lons)
def test_a_bearing_is_at_least_0_and_less_than_360(lat1, lon1, lat2, lon2):
    assert 0 <= bearing_deg(lat1, lon1, lat2, lon2) < 360


@given(lats, lons, lats, lons)
def test_the_chord_is_never_longer_than_the_geodesic(lat1, lon1, lat2, lon2):
    chord = math.dist(point_to_ecef_km(lat1, lon1), point_to_ecef_km(lat2, lon2))
    assert chord <= distance_km(lat1, lon1, lat2, lon2) + 1e-6


@given(lats, lons)
def test_one_point_is_placed_as_arrays_of_points_are(lat, lon):
    assert to_ecef_km(lat, lon) == pytest.approx(point_to_ecef_km(lat, lon), abs=1e-8)


def test_a_point_is_0_km_from_itself_and_bears_north():
    assert distance_km(*BAMAKO, *BAMAKO) == 0
    assert bearing_deg(*BAMAKO, *BAMAKO) == 0


def test_the_antimeridian_is_no_barrier():
    assert distance_km(0.0, 179.5, 0.0, -179.5) == pytest.approx(111.32, abs=0.01)
    assert bearing_deg(0.0, 179.5, 0.0, -179.5) == 90


def test_all_longitudes_meet_at_a_pole():
    assert distance_km(90.0, 0.0, 90.0, 137.0) == 0
    assert distance_km(90.0, 12.0, 89.0, 99.0) == pytest.approx(111.69, abs=0.01)


def test_arrays_broadcast_and_plain_numbers_give_a_float():
    assert isinstance(distance_km(1.0, 2.0, 3.0, 4.0), float)
    assert isinstance(bearing_deg(1.0, 2.0, 3.0, 4.0), float)
    many = distance_km([12.0, 13.0, 14.0], -8.0, *BAMAKO)
    assert many.shape == (3,)
    assert many[0] == distance_km(12.0, -8.0, *BAMAKO)


def test_a_coordinate_that_is_not_finite_gives_nan():
    assert math.isnan(distance_km(math.nan, 0.0, 1.0, 1.0))
    assert np.isnan(distance_km([1.0, math.nan], 0.0, 1.0, 1.0)).tolist() == [False, True]


@pytest.mark.parametrize(
    ("bearing", "name"),
    [(0, "N"), (22, "N"), (23, "NE"), (90, "E"), (181, "S"), (270, "W"), (315, "NW"), (359.9, "N")],
)
def test_a_bearing_has_a_name(bearing, name):
    assert compass(bearing) == name


def test_no_bearing_has_no_name():
    assert compass(math.nan) == ""


def test_haversine_would_not_do():
    lat, lon = 14.08, -8.0029
    half = math.sin(math.radians(lat - BAMAKO[0]) / 2) ** 2
    haversine = 2 * 6371.0088 * math.asin(math.sqrt(half))
    assert abs(haversine - distance_km(*BAMAKO, lat, lon)) > 0.5


# --- the index of places ----------------------------------------------------------------------

places = st.lists(st.tuples(lats, lons), min_size=1, max_size=5)


@given(places, st.lists(st.tuples(lats, lons), min_size=2, max_size=6), st.floats(0, 20_000))
def test_the_nearest_place_is_found_and_the_radius_decides_exactly(centres, points, km):
    index = PointIndex(centres)
    near, distances, which = index.within(*np.array(points).T, km)
    for row, (lat, lon) in enumerate(points):
        expected = [distance_km(lat, lon, *centre) for centre in centres]
        assert near[row] == (min(expected) <= km)
        if near[row]:
            assert distances[row] == min(expected)
            assert expected[which[row]] == min(expected)


@given(places, lats, lons, st.floats(0, 20_000))
def test_one_point_is_judged_as_it_is_among_many(centres, lat, lon, km):
    index = PointIndex(centres)
    alone = index.within(lat, lon, km)
    among = index.within([lat, 0.0], [lon, 0.0], km)
    assert alone[0][0] == among[0][0]
    if alone[0][0]:
        assert (alone[1][0], alone[2][0]) == (among[1][0], among[2][0])


@given(places, lats, lons, st.floats(0, 10_000), st.floats(0, 10_000))
def test_a_wider_radius_never_loses_a_point(centres, lat, lon, narrow, more):
    index = PointIndex(centres)
    if index.within(lat, lon, narrow)[0][0]:
        assert index.within(lat, lon, narrow + more)[0][0]


def test_a_point_exactly_at_the_radius_is_within():
    km = distance_km(*BAMAKO, 13.5, -7.0)
    index = PointIndex([BAMAKO])
    assert index.within(13.5, -7.0, km)[0].all()
    assert not index.within(13.5, -7.0, np.nextafter(km, 0))[0].any()


def test_the_first_of_equally_near_places_wins():
    assert PointIndex([(0, 1), (0, -1)]).nearest([0.0], [0.0])[1].tolist() == [0]
    assert PointIndex([(0, 1), (0, -1)]).nearest([0.0, 0.0], [0.0, 0.0])[1].tolist() == [0, 0]


def test_points_that_are_not_finite_are_near_nothing():
    index = PointIndex([BAMAKO])
    near, _, which = index.within([math.nan, 12.6], [1.0, -8.0], 150)
    assert (near.tolist(), which.tolist()) == ([False, True], [-1, 0])
    assert not index.within(math.nan, 1.0, math.inf)[0].any()
    assert index.within([], [], 5)[0].size == 0


def test_an_index_of_no_places_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        PointIndex([])
