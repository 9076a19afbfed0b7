"""Which of many shapes each of many points lies in, at a cost that follows the hits.

Standing in the flow: a thousand rules each ask "within 25 km of this site", "within 50 km of that
border", "in that district". Asked one after the other, every event pays for every rule. Here the
shapes are drawn once on a grid of longitude and latitude; a point looks up its cell and pays for
the shapes that it lies in and for those whose edge passes through the cell.

The grid has three levels (1, 1/8 and 1/64 of a degree). A cell knows the shapes that it lies
wholly inside of; only cells that an edge may pass through are divided, and at the last level such
shapes must be checked. A check compares chords first: the curvature of WGS84 lies between two
radii, and so does a geodesic of a given chord (Schur 1921); only points within centimetres of a
circle's edge, or a few hundred metres of a line's bound, are measured exactly, by the very
functions that a single rule is decided by. No decision is approximate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from warden.engine.geo.areas import AreaIndex
from warden.engine.geo.distance import distance_km, point_to_ecef_km, to_ecef_km
from warden.engine.geo.lines import PolylineIndex, flat

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Numbers = NDArray[np.int64]
    Pairs = tuple[Numbers, Numbers]

_SPLIT_BITS = 3
SPLIT = 1 << _SPLIT_BITS  # a cell's side is divided by this much from level to level
LEVELS = 3
_CHILDREN = SPLIT * SPLIT
_FINEST_BITS = _SPLIT_BITS * (LEVELS - 1)
_FINEST = 1 << _FINEST_BITS  # finest cells in a degree
_WIDTH, _HEIGHT = 360, 180  # coarsest cells round the world and from pole to pole
_HALF_TURN_DEG, _POLE_DEG = 180.0, 90.0

_KM_PER_DEGREE = 111.7  # never less than a degree of latitude or of longitude measures
_LEAST_KM_PER_DEGREE = 110.5  # never more than a degree of latitude measures
# Radii between which every normal section of WGS84 is curved: b*b/a = 6335.4, a*a/b = 6399.6 km.
_MOST_CURVED_KM = 6335.0
_LEAST_CURVED_KM = 6401.0
_PLANE_KM = 1000.0  # up to here a geodesic's torsion takes less off its chord than a micrometre
_CIRCLE_MARGIN_KM = 1e-6  # rounding in chord arithmetic is far below a micrometre
_LINE_MARGIN_KM = 5e-3  # distances to lines are exact to better than a metre
_CHUNK = 65_536  # points at a time: what is made on the way stays in the processor's cache


@dataclass(frozen=True, slots=True)
class Circle:
    """All points within `km` (<=, geodesic) of a point."""

    lat: float
    lon: float
    km: float


@dataclass(frozen=True, slots=True)
class Buffer:
    """All points within `km` (<=, geodesic) of a line."""

    line: PolylineIndex
    km: float


@dataclass(frozen=True, slots=True)
class Inner:
    """All points in an area or on its edge."""

    area: AreaIndex


Shape = Circle | Buffer | Inner


@dataclass(frozen=True, slots=True)
class Hits:
    """Which point lies in which shape: one pair a hit, in no particular order.

    Attributes:
        rows: positions of points. shapes: positions of shapes, of the same length.
    """

    rows: NDArray[np.int32]
    shapes: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.rows)

    def by_shape(self, count: int) -> list[NDArray[np.int32]]:
        """The rows of each of `count` shapes, sorted."""
        small = count <= np.iinfo(np.uint16).max  # sorted by radix, four times as fast
        order = np.argsort(self.shapes.astype(np.uint16 if small else np.int32), kind="stable")
        ends = np.cumsum(np.bincount(self.shapes, minlength=count))
        groups = np.split(self.rows[order], ends[:-1])
        for group in groups:
            group.sort()
        return groups


class RuleIndex:
    """A fixed set of shapes, asked which of them points lie in."""

    def __init__(self, shapes: Sequence[Shape]) -> None:
        """Draw the shapes; they keep their positions as their names."""
        self.shapes = tuple(shapes)
        self._circles = _Circles(self.shapes)
        self._is_circle = np.array([isinstance(s, Circle) for s in self.shapes], dtype=np.bool_)
        self._km = np.array([getattr(s, "km", 0.0) for s in self.shapes], dtype=np.float64)
        self._figures = _figures(self.shapes)
        self._figure_of = np.full(len(self.shapes), -1, dtype=np.int64)
        for position, (_, members) in enumerate(self._figures):
            self._figure_of[members] = position
        self._levels, self._last, self._checks = _draw(self._painters())

    @property
    def cells(self) -> int:
        """How many cells the grid has at all levels."""
        return sum(level.inside.cells for level in self._levels) + self._last.cells

    def hits(self, lats: ArrayLike, lons: ArrayLike) -> Hits:
        """Every (point, shape) such that the point lies in the shape, exactly."""
        return self._ask(lats, lons, exact=True)

    def candidates(self, lats: ArrayLike, lons: ArrayLike) -> Hits:
        """Give at least all hits, and no more than the points in cells that an edge touches.

        For callers who decide exactly themselves, by whatever else they ask.
        """
        return self._ask(lats, lons, exact=False)

    def _ask(self, lats: ArrayLike, lons: ArrayLike, *, exact: bool) -> Hits:
        lats, lons = flat(lats, lons)
        rows: list[NDArray[np.int32]] = [np.empty(0, dtype=np.int32)]
        shapes = [np.empty(0, dtype=np.int32)]
        for start in range(0, lats.size, _CHUNK):
            points = _Points(lats[start : start + _CHUNK], lons[start : start + _CHUNK])
            for some_rows, some_shapes in self._ask_chunk(points, exact=exact):
                rows.append((some_rows + start).astype(np.int32))
                shapes.append(some_shapes.astype(np.int32))
        return Hits(np.concatenate(rows), np.concatenate(shapes))

    def _ask_chunk(self, points: _Points, *, exact: bool) -> Iterator[Pairs]:
        rows, x, y = points.rows, points.x, points.y
        cells = (y >> _FINEST_BITS) * _WIDTH + (x >> _FINEST_BITS)
        for depth, level in enumerate(self._levels):
            yield level.inside.pairs(rows, cells)
            blocks = level.children[cells]
            inner = np.flatnonzero(blocks >= 0)
            if not inner.size:
                return
            rows, x, y, blocks = rows[inner], x[inner], y[inner], blocks[inner]
            bits = _SPLIT_BITS * (LEVELS - 2 - depth)
            within = (((y >> bits) & (SPLIT - 1)) << _SPLIT_BITS) | ((x >> bits) & (SPLIT - 1))
            cells = blocks * _CHILDREN + within
        yield self._last.pairs(rows, cells)
        pairs = self._checks.pairs(rows, cells)
        yield from self._checked(points, *pairs) if exact else (pairs,)

    def _checked(self, points: _Points, rows: Numbers, shapes: Numbers) -> Iterator[Pairs]:
        """Those of the pairs that hold."""
        round_ones = self._is_circle[shapes]
        yield self._circles.checked(points, rows[round_ones], shapes[round_ones])
        rows, shapes = rows[~round_ones], shapes[~round_ones]
        figure = self._figure_of[shapes]
        for position in np.unique(figure):
            here = np.flatnonzero(figure == position)
            held = self._holds(points, self._figures[position][0], rows[here], shapes[here])
            yield rows[here[held]], shapes[here[held]]

    def _holds(
        self, points: _Points, figure: PolylineIndex | AreaIndex, rows: Numbers, shapes: Numbers
    ) -> Bools:
        """Whether each pair holds; all the shapes are made of the one figure."""
        unique, back = np.unique(rows, return_inverse=True)
        lats, lons = points.lats[unique], points.lons[unique]
        if isinstance(figure, AreaIndex):
            return figure.contains(lats, lons)[back]
        km = self._km[shapes]
        widest = float(km.max(initial=0.0))
        low, high = figure.bounds_km(lats, lons, widest + _LINE_MARGIN_KM)
        held: Bools = high[back] <= km - _LINE_MARGIN_KM
        open_ = np.flatnonzero(~held & (low[back] <= km + _LINE_MARGIN_KM))
        if open_.size:
            asked, again = np.unique(back[open_], return_inverse=True)
            _, exact = figure.within(lats[asked], lons[asked], widest)
            held[open_] = exact[again] <= km[open_]
        return held

    def _painters(self) -> list[_Painter]:
        circles = [
            _CirclePainter(self._circles, position, shape)
            for position, shape in enumerate(self.shapes)
            if isinstance(shape, Circle)
        ]
        figures = [
            _AreaPainter(figure, members)
            if isinstance(figure, AreaIndex)
            else _LinePainter(figure, members, self._km[members])
            for figure, members in self._figures
        ]
        return [*circles, *figures]


def _figures(shapes: Sequence[Shape]) -> list[tuple[PolylineIndex | AreaIndex, Numbers]]:
    """Each line and area once, with the positions of the shapes made of it."""
    by_identity: dict[int, tuple[PolylineIndex | AreaIndex, list[int]]] = {}
    for position, shape in enumerate(shapes):
        if isinstance(shape, Circle):
            continue
        figure = shape.line if isinstance(shape, Buffer) else shape.area
        by_identity.setdefault(id(figure), (figure, []))[1].append(position)
    return [(figure, np.array(members)) for figure, members in by_identity.values()]


# --- points -----------------------------------------------------------------------------------


class _Points:
    """Some points, and the finest cells that those of them that lie on the globe are in."""

    def __init__(self, lats: Floats, lons: Floats) -> None:
        self.lats, self.lons = lats, lons
        self.rows: Numbers = np.flatnonzero((np.abs(lats) <= _POLE_DEG) & np.isfinite(lons))
        if self.rows.size < lats.size:
            lats, lons = lats[self.rows], lons[self.rows]
        east = lons + _HALF_TURN_DEG
        if east.size and (east.min() < 0.0 or east.max() >= _WIDTH):
            east = np.mod(east, float(_WIDTH))
        self.x = np.minimum((east * _FINEST).astype(np.int64), _WIDTH * _FINEST - 1)
        north = (lats + _POLE_DEG) * _FINEST
        self.y = np.minimum(north.astype(np.int64), _HEIGHT * _FINEST - 1)


# --- the grid ---------------------------------------------------------------------------------


class _Listing:
    """Some shapes for each cell."""

    def __init__(self, pairs: Iterable[Pairs], cells: int) -> None:
        parts = list(pairs)
        where = np.concatenate([np.empty(0, dtype=np.int64), *(cell for cell, _ in parts)])
        shapes = np.concatenate([np.empty(0, dtype=np.int64), *(shape for _, shape in parts)])
        self._shapes = shapes[np.argsort(where, kind="stable")]
        self._counts = np.bincount(where, minlength=cells)
        self._starts = np.cumsum(self._counts) - self._counts
        self.cells = cells

    def pairs(self, rows: Numbers, cells: Numbers) -> Pairs:
        """Each row with each shape of its cell."""
        counts = self._counts[cells]
        some = np.flatnonzero(counts)
        if not some.size:
            return some, some
        counts, rows, starts = counts[some], rows[some], self._starts[cells[some]]
        ends = np.cumsum(counts)
        positions = np.arange(ends[-1]) + np.repeat(starts - (ends - counts), counts)
        return np.repeat(rows, counts), self._shapes[positions]


@dataclass(frozen=True, slots=True)
class _Level:
    """The cells of a level that may be divided: whom they lie in, and their blocks of children."""

    inside: _Listing
    children: Numbers  # -1 where a cell is not divided


@dataclass(frozen=True, slots=True)
class _Cells:
    """Some cells: their middles, and how far from there a point in them can lie."""

    numbers: Numbers
    lats: Floats
    lons: Floats
    reach_km: Floats

    @classmethod
    def of(cls, numbers: Numbers, corners: _Corners) -> _Cells:
        """Look up some cells of a level."""
        half = corners.side_deg / 2.0
        lats, lons = corners.south[numbers] + half, corners.west[numbers] + half
        widest = np.cos(np.radians(np.maximum(np.abs(lats) - half, 0.0)))
        reach = np.hypot(1.0, widest) * (half * _KM_PER_DEGREE)
        return cls(numbers, lats, lons, reach + _CIRCLE_MARGIN_KM)


@dataclass(frozen=True, slots=True)
class _Corners:
    """The south-west corners of all cells of a level, in degrees."""

    south: Floats
    west: Floats
    side_deg: float

    @classmethod
    def world(cls) -> _Corners:
        """The coarsest level."""
        south, west = np.divmod(np.arange(_WIDTH * _HEIGHT), _WIDTH)
        return cls(south - _POLE_DEG, west - _HALF_TURN_DEG, 1.0)

    def divided(self, cells: Numbers) -> _Corners:
        """The children of some cells, block after block."""
        side = self.side_deg / SPLIT
        north, east = np.divmod(np.arange(_CHILDREN), SPLIT)
        south = self.south[cells][:, None] + north * side
        west = self.west[cells][:, None] + east * side
        return _Corners(south.reshape(-1), west.reshape(-1), side)


def _draw(painters: Sequence[_Painter]) -> tuple[list[_Level], _Listing, _Listing]:
    """Draw shapes, level by level; the last has no children but pairs to check."""
    corners = _Corners.world()
    asked: list[Numbers] = [_band(*painter.latitudes()) for painter in painters]
    levels: list[_Level] = []
    for depth in range(LEVELS):
        drawn = _Drawn()
        divided = [
            painter.paint(_Cells.of(numbers, corners), drawn)
            for painter, numbers in zip(painters, asked, strict=True)
        ]
        count = len(corners.south)
        if depth == LEVELS - 1:
            break
        children = np.full(count, -1, dtype=np.int64)
        cells = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *divided]))
        children[cells] = np.arange(len(cells))
        levels.append(_Level(_Listing(drawn.inside, count), children))
        asked = [
            (children[some][:, None] * _CHILDREN + np.arange(_CHILDREN)).reshape(-1)
            for some in divided
        ]
        corners = corners.divided(cells)
    return levels, _Listing(drawn.inside, count), _Listing(drawn.open, count)


def _band(south: float, north: float) -> Numbers:
    """The coarsest cells between two latitudes."""
    first = int(np.clip(math.floor(south + _POLE_DEG), 0, _HEIGHT - 1))
    last = int(np.clip(math.floor(north + _POLE_DEG), 0, _HEIGHT - 1))
    return np.arange(first * _WIDTH, (last + 1) * _WIDTH)


class _Drawn:
    """What has been drawn on a level: pairs of a cell and a shape."""

    def __init__(self) -> None:
        self.inside: list[Pairs] = []
        self.open: list[Pairs] = []

    def tell(self, cells: _Cells, shape: int, held: Bools, touched: Bools) -> Numbers:
        """Note the cells of one shape; gives the numbers of those that its edge may touch."""
        for chosen, pairs in ((held, self.inside), (touched, self.open)):
            numbers = cells.numbers[chosen]
            pairs.append((numbers, np.full(len(numbers), shape, dtype=np.int64)))
        return cells.numbers[touched]


# --- the shapes -------------------------------------------------------------------------------


class _Painter(Protocol):
    """Draws the shapes made of one figure."""

    def latitudes(self) -> tuple[float, float]:
        """South and north of all that the shapes touch, in degrees."""
        ...

    def paint(self, cells: _Cells, drawn: _Drawn) -> Numbers:
        """Tell of the cells that lie in a shape, and of those that an edge may pass through.

        Gives the numbers of the latter; their children are asked next, in the same order.
        """
        ...


class _Circles:
    """All circles, as chords: below `sure` a point is inside, above `most` outside."""

    def __init__(self, shapes: Sequence[Shape]) -> None:
        self._places = np.full((len(shapes), 3), np.nan)  # lat, lon, km
        self.ecef = np.zeros((len(shapes), 3))
        self.sure = np.full(len(shapes), -1.0)
        self.most = np.full(len(shapes), -1.0)
        for row, shape in enumerate(shapes):
            if isinstance(shape, Circle):
                self._places[row] = shape.lat, shape.lon, shape.km
                self.ecef[row] = point_to_ecef_km(shape.lat, shape.lon)
                self.sure[row], self.most[row] = _chords(shape.km)
        self._sure_square = np.where(self.sure > 0.0, self.sure**2, -1.0)
        self._most_square = np.where(self.most > 0.0, self.most**2, -1.0)

    def checked(self, points: _Points, rows: Numbers, shapes: Numbers) -> Pairs:
        """Those of the pairs of a point and a circle that hold."""
        if not rows.size:
            return rows, shapes
        # Rows stand together: each point is placed in space once.
        first = np.r_[True, rows[1:] != rows[:-1]]
        unique, back = rows[first], np.cumsum(first) - 1
        offset = to_ecef_km(points.lats[unique], points.lons[unique])[back]
        offset -= self.ecef[shapes]
        square = np.einsum("ij,ij->i", offset, offset)
        held = square <= self._sure_square[shapes]
        open_ = np.flatnonzero(~held & (square <= self._most_square[shapes]))
        if open_.size:
            lats, lons, kms = self._places[shapes[open_]].T
            asked = rows[open_]
            held[open_] = distance_km(points.lats[asked], points.lons[asked], lats, lons) <= kms
        return rows[held], shapes[held]


def _chords(km: float) -> tuple[float, float]:
    """The chord that is surely no longer over the ground than `km`, and the longest there is."""
    if not km >= 0.0:
        return -1.0, -1.0
    angle = km / (2.0 * _MOST_CURVED_KM)
    sure = 2.0 * _MOST_CURVED_KM * math.sin(angle) if angle < math.pi / 2.0 else 0.0
    most = km
    if km <= _PLANE_KM:
        most = 2.0 * _LEAST_CURVED_KM * math.sin(km / (2.0 * _LEAST_CURVED_KM))
    return sure - _CIRCLE_MARGIN_KM, most + _CIRCLE_MARGIN_KM


class _CirclePainter:
    def __init__(self, circles: _Circles, position: int, circle: Circle) -> None:
        self._circles = circles
        self._position = position
        self._circle = circle

    def latitudes(self) -> tuple[float, float]:
        reach = self._circle.km / _LEAST_KM_PER_DEGREE
        return self._circle.lat - reach, self._circle.lat + reach

    def paint(self, cells: _Cells, drawn: _Drawn) -> Numbers:
        far, sure, most = self._middles(cells)
        held = far + cells.reach_km <= sure
        touched = ~held & (far - cells.reach_km <= most)
        return drawn.tell(cells, self._position, held, touched)

    def _middles(self, cells: _Cells) -> tuple[Floats, float, float]:
        """How far the cells' middles are, and what is surely in and at most in the circle."""
        circle = self._circle
        if circle.km > _PLANE_KM:  # chords leave too much open
            far = distance_km(cells.lats, cells.lons, circle.lat, circle.lon)
            return far, circle.km - _CIRCLE_MARGIN_KM, circle.km + _CIRCLE_MARGIN_KM
        offset = to_ecef_km(cells.lats, cells.lons) - self._circles.ecef[self._position]
        chords = np.sqrt(np.einsum("ij,ij->i", offset, offset))
        sure, most = self._circles.sure[self._position], self._circles.most[self._position]
        return chords, float(sure), float(most)


class _LinePainter:
    def __init__(self, line: PolylineIndex, members: Numbers, km: Floats) -> None:
        self._line = line
        self._members = members
        self._km = km
        # Which of the cells asked next each shape has not decided yet: wider ones decide sooner.
        self._undecided: list[Bools] = []

    def latitudes(self) -> tuple[float, float]:
        lats = np.concatenate([part[:, 0] for part in self._line.parts])
        reach = max(float(self._km.max()), 0.0) / _LEAST_KM_PER_DEGREE
        return float(lats.min()) - reach, float(lats.max()) + reach

    def paint(self, cells: _Cells, drawn: _Drawn) -> Numbers:
        widest = float(self._km.max() + cells.reach_km.max(initial=0.0))
        low, high = self._line.bounds_km(cells.lats, cells.lons, widest + 2.0 * _LINE_MARGIN_KM)
        everywhere = np.ones(len(cells.numbers), dtype=np.bool_)
        asked = self._undecided or [everywhere] * len(self._members)
        touched: list[Bools] = []
        for member, km, mine in zip(self._members.tolist(), self._km.tolist(), asked, strict=True):
            held = mine & (high + cells.reach_km <= km - _LINE_MARGIN_KM)
            touched.append(mine & ~held & (low - cells.reach_km <= km + _LINE_MARGIN_KM))
            drawn.tell(cells, member, held, touched[-1])
        divided = np.logical_or.reduce(touched)
        self._undecided = [np.repeat(some[divided], _CHILDREN) for some in touched]
        return cells.numbers[divided]


class _AreaPainter:
    def __init__(self, area: AreaIndex, members: Numbers) -> None:
        self._area = area
        self._members = members

    def latitudes(self) -> tuple[float, float]:
        south, _, north, _ = self._area.bounds
        return south, north

    def paint(self, cells: _Cells, drawn: _Drawn) -> Numbers:
        touched = np.zeros(len(cells.numbers), dtype=np.bool_)
        edge = self._area.edge
        if edge is not None:
            reach = cells.reach_km + _LINE_MARGIN_KM
            low, _ = edge.bounds_km(cells.lats, cells.lons, float(reach.max(initial=0.0)))
            touched = low <= reach
        held = ~touched
        held[held] = self._area.contains(cells.lats[held], cells.lons[held])
        for member in self._members.tolist():
            drawn.tell(cells, member, held, touched)
        return cells.numbers[touched]
