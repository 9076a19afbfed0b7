"""Areas on the globe: which points lie inside, and how far the edge is.

Areas are polygons in degrees, edges straight in longitude and latitude as in `lines`. Rings may
cross the antimeridian (a step of more than 180 degrees in longitude goes the shorter way) or go
round a pole; both are brought into one world of -180..180 before anything is asked of them.
A point on the edge is inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import affinity
from shapely.geometry import LineString, MultiPolygon, Polygon, box

from warden.engine.geo.lines import PolylineIndex, flat, unwrap_lons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Ring = NDArray[np.float64]

_HALF_TURN_DEG = 180.0
_FULL_TURN_DEG = 360.0
_POLE_DEG = 90.0
_AFTER_POLE_DEG = 91.0


class AreaIndex:
    """One or more polygons, asked which points lie in them.

    Attributes:
        edge: the line round the area; None for an area without one (the whole world).
    """

    def __init__(
        self, polygons: Sequence[Sequence[ArrayLike]], *, edges: Sequence[ArrayLike] | None = None
    ) -> None:
        """Take polygons of rings of (lat, lon): the first ring outer, the others holes.

        `edges` gives the outline's lines where they are known already; the polygons are then
        taken as they are. Otherwise polygons may overlap, and the area is their union.
        """
        self._shape = _whole_world([_polygon(rings) for rings in polygons])
        if edges is None:
            self._shape = MultiPolygon(_polygons_of(shapely.unary_union(self._shape)))
        if self._shape.is_empty:
            message = "an area needs at least one polygon with an inside"
            raise ValueError(message)
        shapely.prepare(self._shape)
        self._north = _touches_latitude(self._shape, _POLE_DEG)
        self._south = _touches_latitude(self._shape, -_POLE_DEG)
        self._edges = edges
        self._edge: PolylineIndex | None = None
        self._edge_built = False

    @property
    def edge(self) -> PolylineIndex | None:
        """The line round the area, built when first asked for."""
        if not self._edge_built:
            parts = _outline(self._shape) if self._edges is None else list(self._edges)
            self._edge = PolylineIndex(parts) if parts else None
            self._edge_built = True
        return self._edge

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """South, west, north, east in degrees, within -180..180."""
        west, south, east, north = self._shape.bounds
        return south, west, north, east

    def contains(self, lats: ArrayLike, lons: ArrayLike) -> NDArray[np.bool_]:
        """Whether each point lies inside or on the edge; False where not finite."""
        lats, lons = flat(lats, lons)
        if lats.size == 0:
            return np.zeros(0, dtype=np.bool_)
        beyond = np.isfinite(lons) & (np.abs(lons) >= _HALF_TURN_DEG)
        if beyond.any():
            lons = lons.copy()
            lons[beyond] = (lons[beyond] + _HALF_TURN_DEG) % _FULL_TURN_DEG - _HALF_TURN_DEG
        inside = np.asarray(shapely.intersects_xy(self._shape, lons, lats), dtype=np.bool_)
        seam = lons == -_HALF_TURN_DEG
        if seam.any():
            inside[seam] |= shapely.intersects_xy(self._shape, _HALF_TURN_DEG, lats[seam])
        inside[lats == _POLE_DEG] = self._north
        inside[lats == -_POLE_DEG] = self._south
        return inside

    def edge_distance_km(self, lats: ArrayLike, lons: ArrayLike) -> NDArray[np.float64]:
        """Geodesic distance to the nearest point of the edge, from either side.

        inf where the area has no edge, nan where a coordinate is not finite.
        """
        if self.edge is not None:
            return self.edge.distance_km(lats, lons)
        lats, lons = flat(lats, lons)
        return np.where(np.isfinite(lats) & np.isfinite(lons), np.inf, np.nan)


def _polygon(rings: Sequence[ArrayLike]) -> Polygon | MultiPolygon:
    """One polygon in continuous longitudes, made valid."""
    outer, *holes = [_ring(ring) for ring in rings]
    middle = outer[:, 0].mean()
    # A hole continues the longitudes of its own start; bring it beside the outer ring.
    shifted = []
    for hole in holes:
        turns = np.round((middle - hole[:, 0].mean()) / _FULL_TURN_DEG)
        shifted.append(np.column_stack((hole[:, 0] + turns * _FULL_TURN_DEG, hole[:, 1])))
    shape = Polygon(outer, shifted)
    if shape.is_valid:
        return shape
    shape = Polygon(outer)
    shape = shape if shape.is_valid else shapely.make_valid(shape)
    for hole in shifted:
        cut = Polygon(hole)
        shape = shape.difference(cut if cut.is_valid else shapely.make_valid(cut))
    return shape


def _ring(vertices: ArrayLike) -> Ring:
    """A ring as (lon, lat), closed, longitudes continuous, led over the pole it goes round."""
    ring = np.asarray(vertices, dtype=np.float64).reshape(-1, 2)[:, ::-1]
    if not (ring[0] == ring[-1]).all():
        ring = np.vstack((ring, ring[:1]))
    steps = np.abs(np.diff(ring[:, 0]))
    if not ((steps > _HALF_TURN_DEG) & (steps < _FULL_TURN_DEG)).any():
        return ring  # nothing crosses; steps of 360 run along a pole or the map's own frame
    lons = unwrap_lons(ring[:, 0])
    ring = np.column_stack((lons, ring[:, 1]))
    if abs(lons[-1] - lons[0]) < _HALF_TURN_DEG:
        return ring
    pole = _POLE_DEG if ring[:, 1].mean() > 0.0 else -_POLE_DEG
    return np.vstack((ring, [[lons[-1], pole], [lons[0], pole]], ring[:1]))


def _whole_world(shapes: list[Polygon | MultiPolygon]) -> MultiPolygon:
    """All polygons moved into -180..180 and put together, without dissolving shared edges."""
    pieces: list[Polygon] = []
    for shape in shapes:
        west, _, east, _ = shape.bounds if not shape.is_empty else (0.0, 0.0, 0.0, 0.0)
        if west >= -_HALF_TURN_DEG and east <= _HALF_TURN_DEG:
            pieces += _polygons_of(shape)
            continue
        first = int(np.floor((west + _HALF_TURN_DEG) / _FULL_TURN_DEG))
        last = int(np.floor((east + _HALF_TURN_DEG) / _FULL_TURN_DEG))
        for turn in range(first, last + 1):
            offset = turn * _FULL_TURN_DEG
            frame = box(
                offset - _HALF_TURN_DEG, -_AFTER_POLE_DEG, offset + _HALF_TURN_DEG, _AFTER_POLE_DEG
            )
            pieces += _polygons_of(affinity.translate(shape.intersection(frame), -offset))
    return MultiPolygon(pieces)


def _polygons_of(shape: shapely.Geometry) -> list[Polygon]:
    """The polygons in any geometry; lines and points that validity left over are dropped."""
    return [
        part
        for part in shapely.get_parts(shape, return_index=False)
        if isinstance(part, Polygon) and not part.is_empty
    ]


def _touches_latitude(shape: MultiPolygon, latitude: float) -> bool:
    """Whether the area reaches that latitude anywhere; at a pole all longitudes are one point."""
    parallel = LineString([(-_HALF_TURN_DEG, latitude), (_HALF_TURN_DEG, latitude)])
    return bool(shape.intersects(parallel))


def _outline(shape: MultiPolygon) -> list[Ring]:
    """The edges of a dissolved area as (lat, lon) parts, without the seams of the flat map.

    What lies along +180 and -180 alike is where the map was cut, and what lies along a pole is
    a point.
    """
    border = shape.boundary
    seam_east = LineString([(_HALF_TURN_DEG, -_POLE_DEG), (_HALF_TURN_DEG, _POLE_DEG)])
    seam_west = affinity.translate(seam_east, -_FULL_TURN_DEG)
    on_east = border.intersection(seam_east)
    on_west = affinity.translate(border.intersection(seam_west), _FULL_TURN_DEG)
    one_sided = _lines_of(on_east.symmetric_difference(on_west))
    poles = [
        LineString([(-_HALF_TURN_DEG, lat), (_HALF_TURN_DEG, lat)])
        for lat in (-_POLE_DEG, _POLE_DEG)
    ]
    frame = shapely.unary_union([seam_east, seam_west, *poles])
    if border.intersection(frame).length > 0.0:
        lines = [*_lines_of(border.difference(frame)), *one_sided]
    else:
        lines = _lines_of(border)
    return [np.asarray(line.coords, dtype=np.float64)[:, 1::-1] for line in lines]


def _lines_of(shape: shapely.Geometry) -> list[LineString]:
    """The lines in any geometry that have a length."""
    return [
        part
        for part in shapely.get_parts(shape)
        if part.geom_type in {"LineString", "LinearRing"} and part.length > 0.0
    ]
