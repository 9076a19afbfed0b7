"""Distance from points to lines on WGS84: borders, roads, the edges of areas.

An edge is what a map in degrees shows: longitude and latitude change linearly between its ends.
(Surveyors' borders along a parallel are such lines; over 500 km at 25 degrees north a geodesic
between the same ends runs 2 km further north.) Edges are cut into pieces of at most half a
kilometre, whose straight chords leave the true edge by less than a decimetre; a k-d tree over
the pieces' ends finds every piece that can hold the nearest point, and the distance published is
the length of the geodesic to the nearest point on the edge itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from warden.engine.geo.distance import distance_km, point_to_ecef_km, to_ecef_km

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray
    from scipy.spatial import cKDTree

    Floats = NDArray[np.float64]
    Positions = NDArray[np.intp]

PIECE_KM = 0.5
# Pieces also turn by at most this many degrees of longitude, for edges that pass near a pole.
_PIECE_LON_DEG = 1.0
_KM_PER_DEGREE = 111.7  # never less than a degree of latitude or of longitude measures
# Radii between which every normal section of WGS84 is curved: b*b/a = 6335.4, a*a/b = 6399.6 km.
_MOST_CURVED_KM = 6335.0
_LEAST_CURVED_KM = 6401.0
# Nearer than this, chords and geodesics rank two candidates alike to within 0.2 m.
_RANKS_ALIKE_KM = 200.0
# Farther than this, too many nodes lie in the shell that chords leave open.
_REMOTE_KM = 2000.0
_BLOCK_KM = 16.0
_CHUNK = 16384
_LISTED = 6  # nodes asked of the tree at once; more are fetched for the few points that need them
# Up to this many piece ends, one product with all of them beats the tree for a single point.
_SCAN_LIMIT = 16_000
_REMEMBERED = 8192
_HALF_TURN_DEG = 180.0
_MARGIN_KM = 1e-4


class PolylineIndex:
    """One or more polylines, asked how far points are from them.

    Distances are exact to better than a metre: the chords of pieces leave the edge by a
    centimetre, and the order of chords is that of geodesics to within 0.2 m up to 200 km; beyond,
    every node that could be nearest is measured by its geodesic.

    Attributes:
        parts: the vertices as given, one (n, 2) array of (lat, lon) a part.
        length_km: the length of all edges.
    """

    def __init__(self, parts: Sequence[ArrayLike]) -> None:
        """Take parts of (lat, lon) vertices; an edge takes the shorter way round in longitude."""
        self.parts = tuple(np.asarray(part, dtype=np.float64).reshape(-1, 2) for part in parts)
        self.parts = tuple(part for part in self.parts if len(part))
        if not self.parts:
            message = "a line needs at least one vertex"
            raise ValueError(message)
        pieces = [_cut_into_pieces(part) for part in self.parts]
        self._nodes = np.concatenate(pieces)
        self._ecef = to_ecef_km(self._nodes[:, 0], self._nodes[:, 1])
        # A piece is named by its first node; the last node of a part begins no piece.
        self._begins_piece = np.ones(len(self._nodes), dtype=bool)
        self._begins_piece[np.cumsum([len(piece) for piece in pieces]) - 1] = False
        steps = np.linalg.norm(np.diff(self._ecef, axis=0), axis=1)[self._begins_piece[:-1]]
        self._half_piece_km = float(steps.max()) / 2.0
        self._built_tree: cKDTree | None = None
        self._low = [float(value) for value in self._ecef.min(axis=0)]
        self._high = [float(value) for value in self._ecef.max(axis=0)]
        # |node - point|**2 = |node|**2 - 2 node.point + |point|**2, for the scan of all nodes.
        self._squares = (self._ecef**2).sum(axis=1)
        self._minus_twice = np.ascontiguousarray(-2.0 * self._ecef)
        self._blocks: _Blocks | None = None
        self._remembered: dict[tuple[float, float], float] = {}
        self._at_least: dict[tuple[float, float], float] = {}

    @property
    def _tree(self) -> cKDTree:
        """The nodes' tree, for many points at once; single points seldom need it."""
        if self._built_tree is None:
            from scipy.spatial import cKDTree  # noqa: PLC0415 (0.3 s that a short command saves)

            self._built_tree = cKDTree(self._ecef)
        return self._built_tree

    @property
    def length_km(self) -> float:
        """The sum of the lengths of all pieces."""
        rows = np.flatnonzero(self._begins_piece)
        first, last = self._nodes[rows], self._nodes[rows + 1]
        return float(distance_km(first[:, 0], first[:, 1], last[:, 0], last[:, 1]).sum())

    def distance_km(self, lats: ArrayLike, lons: ArrayLike) -> Floats:
        """Geodesic distance in km from each point to the nearest point of the line.

        nan where a coordinate is not finite.
        """
        return self._measure(*flat(lats, lons), math.inf)

    def within(
        self, lats: ArrayLike, lons: ArrayLike, km: float
    ) -> tuple[NDArray[np.bool_], Floats]:
        """Whether each point lies within `km` (<=) of the line, and its distance.

        The distance is inf where the point is provably farther than `km`, which is cheap to
        find out, and nan where a coordinate is not finite.
        """
        distances = self._measure(*flat(lats, lons), km)
        return distances <= km, distances

    def bounds_km(self, lats: ArrayLike, lons: ArrayLike, km: float) -> tuple[Floats, Floats]:
        """Bounds of the distance to the line, half a piece apart, at a tenth of its cost.

        The lower is inf where the point is provably farther than `km`, and both are inf where a
        coordinate is not finite.
        """
        lats, lons = flat(lats, lons)
        low = np.full(lats.shape, np.inf)
        high = np.full(lats.shape, np.inf)
        rows = np.flatnonzero(np.isfinite(lats) & np.isfinite(lons))
        ecef = to_ecef_km(lats[rows], lons[rows])
        near = self._box_distance(ecef) <= km + _MARGIN_KM
        rows, slack = rows[near], self._half_piece_km + 10.0 * _MARGIN_KM
        chords = self._tree.query(ecef[near], distance_upper_bound=km + slack)[0]
        # The line's nearest point lies within half a piece of a node, and no path over the
        # ground is shorter than its chord, nor curved more than the ellipsoid is anywhere.
        low[rows] = np.maximum(chords - slack, 0.0)
        found = np.isfinite(chords)
        half_angle = np.arcsin(np.minimum(chords[found] / (2.0 * _MOST_CURVED_KM), 1.0))
        high[rows[found]] = 2.0 * _MOST_CURVED_KM * half_angle
        return low, high

    def _measure(self, lats: Floats, lons: Floats, km: float) -> Floats:
        """Distances, or inf where farther than `km` and no exact figure was needed."""
        if lats.size == 1:
            return np.array([self._measure_one(float(lats[0]), float(lons[0]), km)])
        out = np.full(lats.shape, np.inf)
        finite = np.isfinite(lats) & np.isfinite(lons)
        out[~finite] = np.nan
        rows = np.flatnonzero(finite)
        for start in range(0, rows.size, _CHUNK):
            chunk = rows[start : start + _CHUNK]
            out[chunk] = self._measure_chunk(_Points.of(lats[chunk], lons[chunk]), km)
        return out

    def _measure_chunk(self, points: _Points, km: float) -> Floats:
        """Sort points by how much work they need, and have it done."""
        out = np.full(points.lats.shape, np.inf)
        rows = np.flatnonzero(self._box_distance(points.ecef) <= km + _MARGIN_KM)
        if rows.size == 0:
            return out
        bound = math.hypot(km, self._half_piece_km) + _MARGIN_KM
        count = min(_LISTED, len(self._nodes))
        chords, nodes = self._tree.query(
            points.ecef[rows], k=[*range(1, count + 1)], distance_upper_bound=bound
        )
        found = np.isfinite(chords[:, 0])
        rows, chords, nodes = rows[found], chords[found], nodes[found]
        reach = _reach(chords[:, 0], self._half_piece_km)
        listed = chords <= reach[:, None]
        remote = chords[:, 0] > _REMOTE_KM
        crowded = ~remote & listed[:, -1] & (count < len(self._nodes))
        plain = ~remote & ~crowded
        owners = np.repeat(rows[plain], listed[plain].sum(axis=1))
        self._settle(out, points, owners, nodes[plain][listed[plain]])
        self._settle(out, points, *self._around(points, rows[crowded], reach[crowded]))
        for row in rows[remote]:
            out[row] = self._measure_remote(float(points.lats[row]), float(points.lons[row]))
        return out

    def _around(
        self, points: _Points, rows: Positions, reach: Floats
    ) -> tuple[Positions, Positions]:
        """List (point, node) pairs of all nodes within reach, grouped by point."""
        found = self._tree.query_ball_point(points.ecef[rows], reach)
        owners = np.repeat(rows, [len(nodes) for nodes in found])
        nodes = [np.asarray(nodes, dtype=np.intp) for nodes in found]
        return owners, np.concatenate(nodes) if nodes else np.empty(0, dtype=np.intp)

    def _settle(self, out: Floats, points: _Points, owners: Positions, nodes: Positions) -> None:
        """Write to `out[owner]` its distance to the line, given all nodes in its reach.

        `owners` is grouped: all pairs of one point stand together.
        """
        if owners.size == 0:
            return
        feet = self._nodes[nodes]
        chords = np.linalg.norm(points.ecef[owners] - self._ecef[nodes], axis=1)
        near = chords <= _RANKS_ALIKE_KM
        far = np.flatnonzero(~near)
        if near.any():
            near_owners, near_feet = self._feet(points, owners[near], nodes[near])
            owners, feet = np.r_[owners[far], near_owners], np.r_[feet[far], near_feet]
        exact = distance_km(points.lats[owners], points.lons[owners], feet[:, 0], feet[:, 1])
        np.minimum.at(out, owners, exact)

    def _feet(
        self, points: _Points, owners: Positions, nodes: Positions
    ) -> tuple[Positions, Floats]:
        """Each point once, with the (lat, lon) nearest to it on the pieces that touch its nodes."""
        owners = np.repeat(owners, 2)
        pieces = np.column_stack((nodes - 1, nodes)).reshape(-1)
        real = (pieces >= 0) & self._begins_piece[pieces]
        owners, pieces = owners[real], pieces[real]
        start = self._ecef[pieces]
        step = self._ecef[pieces + 1] - start
        offset = points.ecef[owners] - start
        square = np.einsum("ij,ij->i", step, step)
        along = np.einsum("ij,ij->i", offset, step) / np.where(square > 0.0, square, 1.0)
        along = np.clip(along, 0.0, 1.0)[:, None]
        chords = np.linalg.norm(offset - along * step, axis=1)
        # The first pair of each point, once its pairs are in order of their chords.
        order = np.lexsort((chords, owners))
        first = order[np.flatnonzero(np.r_[True, np.diff(owners[order]) != 0])]
        begin, end = self._nodes[pieces[first]], self._nodes[pieces[first] + 1]
        return owners[first], begin + along[first] * (end - begin)

    def _box_distance(self, points: Floats) -> Floats:
        """Straight distance to the box round all nodes: never more than the true distance."""
        outside = np.maximum(np.maximum(self._low - points, points - self._high), 0.0)
        return np.asarray(np.linalg.norm(outside, axis=1))

    def _measure_one(self, lat: float, lon: float, km: float) -> float:
        """Measure a single point; what was measured is remembered, as rules share borders."""
        known = self._remembered.get((lat, lon))
        if known is not None:
            return known
        if not (math.isfinite(lat) and math.isfinite(lon)):
            return math.nan
        point = point_to_ecef_km(lat, lon)
        if self._box_distance_one(*point) > km + _MARGIN_KM:
            return math.inf
        if self._at_least.get((lat, lon), 0.0) > km:
            return math.inf
        nearest, nodes = self._candidates_of_one(point)
        if nearest > math.hypot(km, self._half_piece_km) + _MARGIN_KM:
            self._remember(self._at_least, lat, lon, nearest - self._half_piece_km - _MARGIN_KM)
            return math.inf
        if nearest > _REMOTE_KM:
            exact = self._measure_remote(lat, lon)
        elif nearest > _RANKS_ALIKE_KM or nodes.size > _LISTED:
            out = np.full(1, np.inf)
            owners = np.zeros(nodes.size, dtype=np.intp)
            self._settle(out, _Points.of(np.array([lat]), np.array([lon])), owners, nodes)
            exact = float(out[0])
        else:
            exact = self._nearest_of(nodes.tolist(), lat, lon, point)
        self._remember(self._remembered, lat, lon, exact)
        return exact

    @staticmethod
    def _remember(
        memory: dict[tuple[float, float], float], lat: float, lon: float, km: float
    ) -> None:
        """Keep what was found out of a point, within bounds."""
        if len(memory) >= _REMEMBERED:
            memory.clear()
        memory[lat, lon] = km

    def _box_distance_one(self, x: float, y: float, z: float) -> float:
        """Give `_box_distance` for one point, without arrays."""
        (x0, y0, z0), (x1, y1, z1) = self._low, self._high
        return math.hypot(
            max(x0 - x, x - x1, 0.0), max(y0 - y, y - y1, 0.0), max(z0 - z, z - z1, 0.0)
        )

    def _candidates_of_one(self, point: tuple[float, float, float]) -> tuple[float, Positions]:
        """Chord to the nearest node, and the nodes within reach, for one point."""
        if len(self._nodes) > _SCAN_LIMIT:
            nearest = float(self._tree.query(point)[0])
            reach = _reach_one(nearest, self._half_piece_km)
            return nearest, np.asarray(self._tree.query_ball_point(point, reach), dtype=np.intp)
        # Squared chords less the point's own square; cancellation leaves about 1e-8 km².
        scores = self._minus_twice @ np.array(point)
        scores += self._squares
        own = sum(value * value for value in point)
        nearest = math.sqrt(max(float(scores.min()) + own, 0.0))
        reach = _reach_one(nearest + _MARGIN_KM, self._half_piece_km)
        return nearest, np.flatnonzero(scores <= reach * reach - own + _MARGIN_KM * _MARGIN_KM)

    def _nearest_of(
        self, nodes: list[int], lat: float, lon: float, point: tuple[float, float, float]
    ) -> float:
        """Measure to the nearest of a handful of pieces, without arrays."""
        x, y, z = point
        best, best_piece, best_along = math.inf, 0, 0.0
        for piece in {number for node in nodes for number in (node - 1, node)}:
            if piece < 0 or not self._begins_piece[piece]:
                continue
            (ax, ay, az), (bx, by, bz) = self._ecef[piece : piece + 2].tolist()
            sx, sy, sz = bx - ax, by - ay, bz - az
            ox, oy, oz = x - ax, y - ay, z - az
            square = sx * sx + sy * sy + sz * sz
            along = (ox * sx + oy * sy + oz * sz) / square if square > 0.0 else 0.0
            along = min(max(along, 0.0), 1.0)
            chord = math.hypot(ox - along * sx, oy - along * sy, oz - along * sz)
            if chord < best:
                best, best_piece, best_along = chord, piece, along
        (lat1, lon1), (lat2, lon2) = self._nodes[best_piece : best_piece + 2].tolist()
        foot_lat, foot_lon = lat1 + best_along * (lat2 - lat1), lon1 + best_along * (lon2 - lon1)
        return float(distance_km(lat, lon, foot_lat, foot_lon))

    def _measure_remote(self, lat: float, lon: float) -> float:
        """Measure a point thousands of km away, where chords no longer rank well enough.

        Nodes stand in blocks round a centre; by the triangle inequality only blocks whose
        centre is at most two radii farther than the nearest centre can hold the nearest node.
        """
        if self._blocks is None:
            self._blocks = _Blocks.of(self._nodes, self._ecef)
        blocks = self._blocks
        centres = distance_km(lat, lon, blocks.centres[:, 0], blocks.centres[:, 1])
        chosen = np.flatnonzero(centres - blocks.radii_km <= centres.min())
        nodes = self._nodes[np.concatenate([blocks.members[block] for block in chosen])]
        return float(distance_km(lat, lon, nodes[:, 0], nodes[:, 1]).min())


@dataclass(frozen=True, slots=True)
class _Points:
    """Points in degrees and as chord coordinates."""

    lats: Floats
    lons: Floats
    ecef: Floats

    @classmethod
    def of(cls, lats: Floats, lons: Floats) -> _Points:
        """Place the points in space."""
        return cls(lats, lons, to_ecef_km(lats, lons))


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Nodes grouped by nearness: a centre (one of them), its reach and its members a block."""

    centres: Floats
    radii_km: Floats
    members: tuple[Positions, ...]

    @classmethod
    def of(cls, nodes: Floats, ecef: Floats) -> _Blocks:
        """Group nodes by the cubes of a grid."""
        cubes = np.floor(ecef / _BLOCK_KM).astype(np.int64)
        _, block_of = np.unique(cubes, axis=0, return_inverse=True)
        order = np.argsort(block_of.reshape(-1), kind="stable")
        cuts = np.flatnonzero(np.diff(block_of.reshape(-1)[order])) + 1
        members = tuple(np.split(order, cuts))
        centres = nodes[[group[len(group) // 2] for group in members]]
        radii = [
            float(distance_km(centre[0], centre[1], nodes[group, 0], nodes[group, 1]).max())
            for centre, group in zip(centres, members, strict=True)
        ]
        return cls(centres, np.array(radii), members)


def unwrap_lons(lons: Floats) -> Floats:
    """Make a sequence of longitudes continuous: every step takes the shorter way round."""
    steps = np.diff(lons)
    turns = np.round(steps / (2.0 * _HALF_TURN_DEG))
    turns[np.abs(steps) <= _HALF_TURN_DEG] = 0.0
    return np.asarray(lons - 2.0 * _HALF_TURN_DEG * np.r_[0.0, np.cumsum(turns)])


def _cut_into_pieces(part: Floats) -> Floats:
    """Insert points so that no piece is longer than PIECE_KM; longitudes become continuous."""
    lats, lons = part[:, 0], unwrap_lons(part[:, 1])
    if len(part) == 1:
        return np.array([[lats[0], lons[0]], [lats[0], lons[0]]])
    dlat, dlon = np.diff(lats), np.diff(lons)
    widest = np.where(
        lats[:-1] * lats[1:] < 0.0, 0.0, np.minimum(np.abs(lats[:-1]), np.abs(lats[1:]))
    )
    east = dlon * np.cos(np.radians(widest))
    length = np.hypot(dlat, east) * _KM_PER_DEGREE
    counts = np.maximum(np.ceil(length / PIECE_KM), np.ceil(np.abs(dlon) / _PIECE_LON_DEG))
    counts = np.maximum(counts, 1).astype(np.intp)
    edges = np.repeat(np.arange(len(counts)), counts)
    ends = np.cumsum(counts)
    share = (np.arange(ends[-1]) - (ends - counts)[edges]) / counts[edges]
    cut_lats = np.r_[lats[edges] + share * dlat[edges], lats[-1]]
    cut_lons = np.r_[lons[edges] + share * dlon[edges], lons[-1]]
    return np.column_stack((cut_lats, cut_lons))


def _reach(chords: Floats, half_piece_km: float) -> Floats:
    """How far, as chords, the ends of a piece holding the nearest point may lie.

    `chords` are the distances to the nearest ends. A foot within a piece lies square to it, so
    one end of its piece is within the hypotenuse of the distance and half a piece. Chords rank
    points as geodesics do only up to the difference of the ellipsoid's curvatures.
    """
    widened = np.hypot(chords, half_piece_km) + _MARGIN_KM
    longest = 2.0 * _MOST_CURVED_KM * np.arcsin(np.minimum(widened / (2.0 * _MOST_CURVED_KM), 1.0))
    angle = np.minimum(longest / (2.0 * _LEAST_CURVED_KM), math.pi / 2.0)
    return np.asarray(np.maximum(2.0 * _LEAST_CURVED_KM * np.sin(angle), widened))


def _reach_one(chord: float, half_piece_km: float) -> float:
    """Give `_reach` for one chord without arrays."""
    widened = math.hypot(chord, half_piece_km) + _MARGIN_KM
    longest = 2.0 * _MOST_CURVED_KM * math.asin(min(widened / (2.0 * _MOST_CURVED_KM), 1.0))
    angle = min(longest / (2.0 * _LEAST_CURVED_KM), math.pi / 2.0)
    return max(2.0 * _LEAST_CURVED_KM * math.sin(angle), widened)


def flat(lats: ArrayLike, lons: ArrayLike) -> tuple[Floats, Floats]:
    """Give both as one-dimensional arrays of floats of the same length."""
    first = np.atleast_1d(np.asarray(lats, dtype=np.float64))
    second = np.atleast_1d(np.asarray(lons, dtype=np.float64))
    if first.shape != second.shape:
        first, second = (np.ravel(array) for array in np.broadcast_arrays(first, second))
    return first.reshape(-1), second.reshape(-1)
