"""Distances to lines are exact against brute force, for one point and for many."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warden.engine.geo import PolylineIndex, distance_km

lats = st.floats(-90, 90)
lons = st.floats(-180, 180)
# Lines of a few degrees anywhere, so that near and far, poles and the antimeridian all occur.
corners = st.lists(st.tuples(st.floats(-2, 2), st.floats(-3, 3)), min_size=2, max_size=5)


def line_at(lat, lon, offsets):
    vertices = [(max(min(lat + dy, 90), -90), (lon + dx + 180) % 360 - 180) for dy, dx in offsets]
    return np.array(vertices)


lines = st.builds(line_at, lats, lons, corners)
point_lists = st.lists(st.tuples(lats, lons), min_size=1, max_size=6)


def brute_force_km(line, lat, lon):
    """The least geodesic to 2,000 points of every edge, edges straight in lon/lat.

    An edge takes the shorter way round. A thousandth of an edge's length bounds its error.
    """
    best = math.inf
    share = np.linspace(0, 1, 2001)
    for (lat1, lon1), (lat2, lon2) in itertools.pairwise(line):
        turn = (lon2 - lon1 + 180) % 360 - 180
        there = distance_km(lat, lon, lat1 + share * (lat2 - lat1), lon1 + share * turn)
        best = min(best, float(there.min()))
    return best


@settings(max_examples=25, deadline=None)
@given(lats, lons, corners, lats, lons)
def test_far_points_are_measured_as_by_brute_force(lat, lon, offsets, point_lat, point_lon):
    line = line_at(lat, lon, offsets)
    expected = brute_force_km(line, point_lat, point_lon)
    measured = PolylineIndex([line]).distance_km(point_lat, point_lon)[0]
    assert expected - 0.25 <= measured <= expected + 0.001  # brute force stops at every 200 m


@settings(max_examples=40, deadline=None)
@given(lats, lons, corners, st.floats(-4, 4), st.floats(-6, 6))
def test_near_points_are_measured_as_by_brute_force(lat, lon, offsets, dy, dx):
    line = line_at(lat, lon, offsets)
    (point,) = line_at(lat, lon, [(dy, dx)])
    expected = brute_force_km(line, *point)
    measured = PolylineIndex([line]).distance_km(*point)[0]
    assert expected - 0.25 <= measured <= expected + 0.001  # brute force stops at every 200 m


@settings(max_examples=25, deadline=None)
@given(lats, lons, corners, st.lists(st.tuples(lats, lons), min_size=2, max_size=8))
def test_one_point_is_measured_as_it_is_among_many(lat, lon, offsets, points):
    line = line_at(lat, lon, offsets)
    points = np.vstack((points, line + 0.001)).clip([-90, -180], [90, 180])
    many = PolylineIndex([line]).distance_km(*points.T)
    alone = PolylineIndex([line])
    assert [alone.distance_km(*point)[0] for point in points] == pytest.approx(many, abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(lats, lons, corners, st.lists(st.tuples(lats, lons), min_size=1, max_size=4))
def test_a_line_read_backwards_is_the_same_line(lat, lon, offsets, points):
    line, points = line_at(lat, lon, offsets), np.array(points)
    forwards, backwards = PolylineIndex([line]), PolylineIndex([line[::-1]])
    assert forwards.distance_km(*points.T) == pytest.approx(
        backwards.distance_km(*points.T), abs=1e-3
    )


@settings(max_examples=25, deadline=None)
@given(lines, st.tuples(lats, lons), st.floats(0, 20_000), st.floats(0, 5_000))
def test_a_wider_radius_never_loses_a_point(line, point, narrow, more):
    index = PolylineIndex([line])
    if index.within(*point, narrow)[0][0]:
        assert index.within(*point, narrow + more)[0][0]


@settings(max_examples=25, deadline=None)
@given(lines, point_lists, st.floats(0, 9e3))
def test_within_decides_as_the_distance_does(line, points, km):
    points = np.array(points)
    near, found = PolylineIndex([line]).within(*points.T, km)
    distances = PolylineIndex([line]).distance_km(*points.T)
    assert near.tolist() == (distances <= km).tolist()
    assert found[near] == pytest.approx(distances[near], abs=1e-6)
    assert (found[~near] > km).all()


def test_an_edge_is_straight_in_longitude_and_latitude():
    """A parallel of 10 degrees at 25 north: a geodesic between its ends runs 10 km to the north."""
    index = PolylineIndex([[(25, -12), (25, -2)]])
    assert index.distance_km(25, -7)[0] == pytest.approx(0, abs=1e-3)
    assert index.distance_km(25.0945, -7)[0] > 10
    assert index.length_km == pytest.approx(10 * 100.95, abs=0.2)


def test_the_nearest_point_may_lie_between_vertices():
    index = PolylineIndex([[(10, 0), (10, 2)]])
    assert index.distance_km(10.5, 1)[0] == pytest.approx(55.31, abs=0.01)
    assert distance_km(10.5, 1.0, 10.0, 0.0) > 120


def test_a_point_beyond_the_end_is_measured_to_the_end():
    index = PolylineIndex([[(10, 0), (10, 2)]])
    assert index.distance_km(10, 3)[0] == pytest.approx(distance_km(10.0, 3.0, 10.0, 2.0))


def test_a_line_may_cross_the_antimeridian():
    index = PolylineIndex([[(0, 179), (0, -179)]])
    assert index.length_km == pytest.approx(222.64, abs=0.01)
    assert index.distance_km([1, 1, 0], [180, -180, 0])[:2] == pytest.approx(
        [110.57, 110.57], abs=0.01
    )


def test_a_line_may_pass_a_pole():
    index = PolylineIndex([[(89.9, 0), (89.9, 179)]])
    assert index.distance_km(90, 77)[0] == pytest.approx(11.17, abs=0.01)
    assert index.distance_km([89.9, 90], [90, 0]) == pytest.approx([0, 11.17], abs=0.01)


def test_parts_are_not_joined():
    index = PolylineIndex([[(0, 0), (0, 1)], [(0, 9), (0, 10)]])
    assert index.distance_km(0, 5)[0] == pytest.approx(4 * 111.32, abs=0.1)


def test_a_single_vertex_is_a_line_of_no_length():
    index = PolylineIndex([[(12, -8)]])
    assert index.length_km == 0
    assert index.distance_km([13, 13], [-8, -8]) == pytest.approx([110.63] * 2, abs=0.01)
    assert index.distance_km(13, -8)[0] == pytest.approx(110.63, abs=0.01)


def test_repeated_vertices_do_no_harm():
    plain, stammering = [(0, 0), (1, 1)], [(0, 0), (0, 0), (1, 1), (1, 1)]
    points = [0.2, 2, -40], [0.9, 2, 100]
    assert PolylineIndex([stammering]).distance_km(*points) == pytest.approx(
        PolylineIndex([plain]).distance_km(*points)
    )


def test_a_line_without_vertices_is_refused():
    with pytest.raises(ValueError, match="at least one vertex"):
        PolylineIndex([[]])


def test_a_point_that_is_not_finite_is_within_nothing():
    index = PolylineIndex([[(0, 0), (1, 1)]])
    near, km = index.within([math.nan, 0.5], [0, 0.5], 50)
    assert near.tolist() == [False, True]
    assert np.isnan(km).tolist() == [True, False]
    assert math.isnan(index.distance_km(0, math.inf)[0])
    assert index.within([], [], 50)[0].size == 0


def test_what_was_asked_before_is_remembered_rightly():
    index = PolylineIndex([[(0, 0), (1, 1)]])
    assert not index.within(3, 3, 50)[0][0]
    assert index.within(3, 3, 500)[0][0]
    assert not index.within(3, 3, 50)[0][0]
    assert index.distance_km(3, 3)[0] == pytest.approx(distance_km(3.0, 3.0, 1.0, 1.0))


def crooked_line(vertices):
    steps = np.random.default_rng(5).normal(0, 0.003, (vertices, 2)) + np.array([0.0005, 0.001])
    return np.cumsum(steps, axis=0) + np.array([10.5, -8.5])


def test_a_line_of_many_vertices_is_measured_alike_alone_and_in_bulk():
    line = crooked_line(20_000)
    points = np.random.default_rng(6).uniform([5, -15], [30, 20], (20, 2))
    many = PolylineIndex([line]).distance_km(*points.T)
    alone = PolylineIndex([line])
    assert [alone.distance_km(*point)[0] for point in points] == pytest.approx(many, abs=1e-3)
    nodes = alone._nodes
    for (lat, lon), km in zip(points, many, strict=True):
        assert distance_km(lat, lon, nodes[:, 0], nodes[:, 1]).min() == pytest.approx(km, abs=0.1)


def processor_seconds(work):
    """The least of three runs, by the processor's own count: other processes do not matter."""
    spent = []
    for _ in range(3):
        started = time.process_time()
        work()
        spent.append(time.process_time() - started)
    return min(spent)


def test_a_hundred_thousand_points_are_decided_in_well_under_two_seconds():
    index = PolylineIndex([crooked_line(8_000)])
    points = np.random.default_rng(7).uniform([9, -13], [26, 5], (100_000, 2)).T
    assert 0 < index.within(*points, 50)[0].mean() < 0.5
    assert processor_seconds(lambda: index.within(*points, 50)) < 2


def test_a_single_point_is_decided_in_microseconds():
    """40 µs on an idle machine; a millisecond here, as the tests' own tracing slows it."""
    line = crooked_line(8_000)
    points = PolylineIndex([line])._nodes[::100] + np.array([0.2, -0.1])

    def decide_each():
        index = PolylineIndex([line])
        for lat, lon in points:
            index.within(lat, lon, 50)

    assert processor_seconds(decide_each) / len(points) < 0.001
