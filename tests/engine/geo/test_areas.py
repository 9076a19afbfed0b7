"""Areas know their inside, also across the antimeridian and round the poles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warden.engine.geo import AreaIndex, distance_km


def frame(south, west, north, east):
    return [[(south, west), (south, east), (north, east), (north, west), (south, west)]]


SQUARE = AreaIndex([frame(0, 0, 10, 10)])
ACROSS = AreaIndex([frame(-10, 170, 10, -170)])
CUT_IN_TWO = AreaIndex([frame(-10, 170, 10, 180), frame(-10, -180, 10, -170)])
ARCTIC = AreaIndex([[[(80, 0), (80, 90), (80, 180), (80, -90)]]])
ANTARCTIC = AreaIndex([[[(-85, -180), (-80, 0), (-85, 180), (-90, 180), (-90, -180)]]])


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_a_square_contains_what_lies_between_its_sides(lat, lon):
    assert SQUARE.contains(lat, lon)[0] == (0 <= lat <= 10 and 0 <= lon <= 10)


@given(st.floats(-90, 90), st.floats(-180, 180))
@pytest.mark.parametrize("area", [ACROSS, CUT_IN_TWO])
def test_an_area_across_the_antimeridian_contains_both_its_halves(area, lat, lon):
    assert area.contains(lat, lon)[0] == (abs(lat) <= 10 and abs(lon) >= 170)


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_a_polar_cap_contains_its_pole_and_all_that_is_nearer_to_it(lat, lon):
    assert ARCTIC.contains(lat, lon)[0] == (lat >= 80)


def test_a_ring_drawn_along_the_frame_of_the_map_contains_the_south_pole():
    assert ANTARCTIC.contains([-90, -86, -84, -70], [0, 180, 0, 0]).tolist() == [
        True,
        True,
        True,
        False,
    ]
    assert all(part.shape[1] == 2 and (part[:, 0] > -86).all() for part in ANTARCTIC.edge.parts)


def test_the_edge_counts_as_inside():
    assert SQUARE.contains([0, 5, 10], [5, 0, 10]).all()


@pytest.mark.parametrize("area", [ACROSS, CUT_IN_TWO])
def test_the_antimeridian_is_no_edge(area):
    assert area.edge_distance_km([0, 0], [180, -180]) == pytest.approx([1105.85] * 2, abs=0.01)


def test_an_area_that_ends_at_the_antimeridian_has_an_edge_there():
    assert AreaIndex([frame(-10, 170, 10, 180)]).edge_distance_km(0, 180)[0] == pytest.approx(
        0, abs=1e-6
    )


def test_a_pole_is_no_edge():
    assert ARCTIC.edge_distance_km(90, 0)[0] == pytest.approx(1116.83, abs=0.01)


def test_the_whole_world_has_no_edge():
    world = AreaIndex([frame(-90, -180, 90, 180)])
    assert world.contains([90, 0, -90], [5, 180, 7]).all()
    assert world.edge is None
    assert world.edge_distance_km([0, math.nan], [0, 0]).tolist() == pytest.approx(
        [math.inf, math.nan], nan_ok=True
    )


def test_a_hole_is_outside_and_its_rim_is_an_edge():
    area = AreaIndex([[*frame(0, 0, 10, 10), *frame(4, 4, 6, 6)]])
    assert area.contains([5, 1, 4], [5, 1, 5]).tolist() == [False, True, True]
    assert area.edge_distance_km(5, 5)[0] == pytest.approx(110.58, abs=0.1)


def test_a_hole_may_cross_the_antimeridian_too():
    area = AreaIndex([[*frame(-10, 170, 10, -170), *frame(-2, 178, 2, -178)]])
    assert area.contains([0, 0, 0, 5], [179, -179, 175, 180]).tolist() == [False, False, True, True]


def test_overlapping_polygons_are_one_area():
    area = AreaIndex([frame(0, 0, 4, 4), frame(2, 2, 6, 6)])
    assert area.contains([3, 1, 5], [3, 1, 5]).all()
    assert area.edge_distance_km(3, 3)[0] > 100


def test_a_ring_that_crosses_itself_is_mended():
    assert AreaIndex([[[(0, 0), (10, 10), (10, 0), (0, 10)]]]).contains([2, 5], [5, 1]).any()


def test_longitudes_beyond_180_are_understood():
    area = AreaIndex([frame(-10, 170, 10, 190)])
    assert area.contains([0, 0, 0], [-175, 185, 160]).tolist() == [True, True, False]


def test_a_point_that_is_not_finite_is_in_no_area():
    assert SQUARE.contains([math.nan, 5], [5, math.inf]).tolist() == [False, False]
    assert SQUARE.contains([], []).size == 0


def test_an_area_without_an_inside_is_refused():
    with pytest.raises(ValueError, match="inside"):
        AreaIndex([[[(0, 0), (0, 0), (0, 0)]]])
    with pytest.raises(ValueError, match="inside"):
        AreaIndex([])


@settings(max_examples=50, deadline=None)
@given(st.floats(-20, 30), st.floats(-20, 30))
def test_the_distance_to_the_edge_is_that_to_the_nearest_side(lat, lon):
    side = np.linspace(0, 10, 2001)
    zero, ten = np.zeros(2001), np.full(2001, 10.0)
    rim_lats, rim_lons = np.r_[side, side, zero, ten], np.r_[zero, ten, side, side]
    expected = distance_km(lat, lon, rim_lats, rim_lons).min()
    assert SQUARE.edge_distance_km(lat, lon)[0] == pytest.approx(expected, abs=0.6)


def test_its_bounds_are_within_the_world():
    assert SQUARE.bounds == (0, 0, 10, 10)
    assert ACROSS.bounds == (-10, -180, 10, 180)
