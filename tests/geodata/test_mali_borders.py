"""Distances to Mali's borders against an independent oracle.

The oracle shares no code with warden. Its lines are what shapely finds common to the boundaries
of two countries' shapes, where warden compares edges; its distances are geographiclib's, where
warden's are PROJ's, and Vincenty's formula (1975) is its sieve; it looks for the nearest point
by trying ever closer ones, where warden projects on chords.

**How the oracle treats an edge**: as a straight line in longitude and latitude between its two
vertices, as on a map in degrees; not as a geodesic. The longest edge of these borders is 30 km,
where the two differ by 12 m.
"""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from shapely.geometry import MultiPolygon, Polygon
from timezonefinder import TimezoneFinder

NEIGHBOURS = {
    "CIV": ("Africa/Abidjan", 622.6),
    "GIN": ("Africa/Conakry", 1121.0),
    "SEN": ("Africa/Dakar", 507.7),
    "MRT": ("Africa/Nouakchott", 2238.2),
}
SAMPLE_KM = 0.5

pytestmark = pytest.mark.xdist_group("mali")


class Oracle:
    """A border as (lon, lat) edges, and as samples at most half a kilometre apart."""

    def __init__(self, shapes, other):
        common = shapes["Africa/Bamako"].boundary.intersection(shapes[other].boundary)
        lines = [part for part in shapely.get_parts(common) if part.geom_type == "LineString"]
        self.edges = np.concatenate(
            [np.hstack((np.array(line.coords)[:-1], np.array(line.coords)[1:])) for line in lines]
        )
        starts, steps = self.edges[:, :2], self.edges[:, 2:] - self.edges[:, :2]
        counts = np.ceil(np.hypot(*steps.T) * 111.7 / SAMPLE_KM).astype(int)
        owner = np.repeat(np.arange(len(counts)), counts)
        share = np.concatenate([np.arange(count) / count for count in counts])
        self.pieces = np.hstack(
            (
                starts[owner] + share[:, None] * steps[owner],
                starts[owner] + (share + 1 / counts[owner])[:, None] * steps[owner],
            )
        )

    def length_km(self):
        return sum(geodesic_km(*edge) for edge in self.edges)

    def distance_km(self, lat, lon):
        """The least over all pieces that a sphere does not rule out."""
        rough = haversine_km(lat, lon, self.pieces[:, 1], self.pieces[:, 0])
        # A sphere is wrong by at most 0.56 %, and the foot lies within a piece of its start.
        near = self.pieces[rough * 0.994 - SAMPLE_KM <= rough.min() * 1.006]
        to_start = vincenty_km(lat, lon, near[:, 1], near[:, 0])
        near = near[to_start - SAMPLE_KM <= to_start.min()]
        # Try every 10 m of each piece, then every 0.2 m on both sides of the best.
        share = np.linspace(0, 1, 51)
        tries = near[:, None, :2] + share[:, None] * (near[:, 2:] - near[:, :2])[:, None]
        found = vincenty_km(lat, lon, tries[..., 1], tries[..., 0])
        row, column = np.unravel_index(found.argmin(), found.shape)
        low, high = share[max(column - 1, 0)], share[min(column + 1, 50)]
        start, step = near[row, :2], near[row, 2:] - near[row, :2]
        tries = start + np.linspace(low, high, 101)[:, None] * step
        foot = tries[vincenty_km(lat, lon, tries[:, 1], tries[:, 0]).argmin()]
        return geodesic_km(lon, lat, *foot)


def geodesic_km(lon1, lat1, lon2, lat2):
    return Geodesic.WGS84.Inverse(lat1, lon1, lat2, lon2, Geodesic.DISTANCE)["s12"] / 1000


def haversine_km(lat1, lon1, lat2, lon2):
    lat1, lon1, lat2, lon2 = np.radians(lat1), np.radians(lon1), np.radians(lat2), np.radians(lon2)
    half = np.sin((lat2 - lat1) / 2) ** 2
    half += np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371.0088 * np.arcsin(np.sqrt(half))


def vincenty_km(lat1, lon1, lats2, lons2):
    """Vincenty (1975), inverse formula, on WGS84; half a millimetre, not for antipodes."""
    a, f = 6378.137, 1 / 298.257223563
    b = (1 - f) * a
    u1, u2 = (
        np.arctan((1 - f) * np.tan(np.radians(lat1))),
        np.arctan((1 - f) * np.tan(np.radians(lats2))),
    )
    sin1, cos1, sin2, cos2 = np.sin(u1), np.cos(u1), np.sin(u2), np.cos(u2)
    between = lam = np.radians(lons2 - lon1)
    for _ in range(6):
        sin_s = np.hypot(cos2 * np.sin(lam), cos1 * sin2 - sin1 * cos2 * np.cos(lam))
        cos_s = sin1 * sin2 + cos1 * cos2 * np.cos(lam)
        s = np.arctan2(sin_s, cos_s)
        sin_a = cos1 * cos2 * np.sin(lam) / np.where(sin_s == 0, 1, sin_s)
        cos2_a = 1 - sin_a**2
        cos_2m = cos_s - 2 * sin1 * sin2 / cos2_a
        c = f / 16 * cos2_a * (4 + f * (4 - 3 * cos2_a))
        inner = cos_2m + c * cos_s * (2 * cos_2m**2 - 1)
        lam = between + (1 - c) * f * sin_a * (s + c * sin_s * inner)
    u_square = cos2_a * (a**2 - b**2) / b**2
    big_a = 1 + u_square / 16384 * (4096 + u_square * (u_square * (320 - 175 * u_square) - 768))
    big_b = u_square / 1024 * (256 + u_square * (u_square * (74 - 47 * u_square) - 128))
    third = big_b / 6 * cos_2m * (4 * sin_s**2 - 3) * (4 * cos_2m**2 - 3)
    inner = cos_2m + big_b / 4 * (cos_s * (2 * cos_2m**2 - 1) - third)
    return b * big_a * (s - big_b * sin_s * inner)


def opposite(edges, distances_km):
    """Points square to the middle of edges, on both sides, at the distances given."""
    points = []
    for edge in edges:
        lon, lat = (edge[:2] + edge[2:]) / 2
        bearing = Geodesic.WGS84.Inverse(edge[1], edge[0], edge[3], edge[2])["azi1"]
        for km in distances_km:
            for side in (90, -90):
                there = Geodesic.WGS84.Direct(lat, lon, bearing + side, km * 1000)
                points.append((there["lat2"], there["lon2"]))
    return np.array(points)


@pytest.fixture(scope="module")
def oracles():
    finder = TimezoneFinder()
    shapes = {
        zone: MultiPolygon(
            [
                Polygon(polygon[0], polygon[1:])
                for polygon in finder.get_geometry(tz_name=zone, coords_as_pairs=True)
            ]
        )
        for zone in ("Africa/Bamako", *(zone for zone, _ in NEIGHBOURS.values()))
    }
    return {name: Oracle(shapes, zone) for name, (zone, _) in NEIGHBOURS.items()}


def test_the_oracle_s_sieve_agrees_with_its_judge():
    lats, lons = np.random.default_rng(4).uniform([8, -14], [27, 6], (50, 2)).T
    judged = [geodesic_km(-8, 12, lon, lat) for lat, lon in zip(lats, lons, strict=True)]
    assert vincenty_km(12, -8, lats, lons) == pytest.approx(judged, abs=1e-6)


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_the_borders_are_as_long_as_the_map_says(neighbour, geography, oracles):
    border = geography.border("MLI", neighbour)
    assert round(border.length_km, 1) == NEIGHBOURS[neighbour][1]
    assert border.length_km == pytest.approx(oracles[neighbour].length_km(), abs=0.01)


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_random_points_round_mali_are_within_50_m_of_the_oracle(neighbour, geography, oracles):
    """A quarter of the thousand points for each border; also the decision at 50 km."""
    border, oracle = geography.border("MLI", neighbour), oracles[neighbour]
    seed = sorted(NEIGHBOURS).index(neighbour)
    lats, lons = np.random.default_rng(seed).uniform([8, -14], [27, 6], (250, 2)).T
    expected = np.array([oracle.distance_km(*point) for point in zip(lats, lons, strict=True)])
    measured = border.distance_km(lats, lons)
    assert np.abs(measured - expected).max() < 0.002  # the brief asks for 0.05
    assert border.within(lats, lons, 50)[0].tolist() == (expected <= 50).tolist()


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_points_opposite_the_longest_edges_are_within_50_m_of_the_oracle(
    neighbour, geography, oracles
):
    border, oracle = geography.border("MLI", neighbour), oracles[neighbour]
    lengths = [geodesic_km(*edge) for edge in oracle.edges]
    longest = oracle.edges[np.argsort(lengths)[-5:]]
    points = opposite(longest, (0.5, 8, 50))
    expected = np.array([oracle.distance_km(*point) for point in points])
    assert np.abs(border.distance_km(*points.T) - expected).max() < 0.002
    alone = np.array([border.distance_km(*point)[0] for point in points])
    assert np.abs(alone - expected).max() < 0.002


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_no_decision_at_50_km_is_wrong_however_close_the_call(neighbour, geography, oracles):
    """Points some metres to either side of 50 km; within half a metre no decision is claimed."""
    border, oracle = geography.border("MLI", neighbour), oracles[neighbour]
    edges = oracle.edges[:: len(oracle.edges) // 12]
    points = opposite(edges, (49.95, 49.995, 50.005, 50.05))
    expected = np.array([oracle.distance_km(*point) for point in points])
    clear = np.abs(expected - 50) > 0.0005
    assert clear.sum() > 40
    near, _ = border.within(*points[clear].T, 50)
    assert near.tolist() == (expected[clear] <= 50).tolist()
    alone = [border.within(*point, 50)[0][0] for point in points[clear]]
    assert alone == near.tolist()
