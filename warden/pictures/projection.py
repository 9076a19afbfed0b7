"""The part of the world that a map shows, as points of the picture; north is up.

An azimuthal equidistant projection on the ellipsoid round the map's middle: distances from there
are true, so that a ring is a circle, and 180 degrees of longitude are a meridian as any other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from warden.geodata.land import Land, Lines, Shapes

_KM_A_DEGREE = 111.0
_LONGEST_EDGE_DEG = 0.5  # longer ones are bent by the projection
_MARGIN = 1.25
_EYE = 0.35  # units of the picture
_POLAR_DEG = 85.0
Points = NDArray[np.float64]

__all__ = ["Land", "Shapes", "Window"]


@dataclass(frozen=True)
class Window:
    """A map's window.

    Attributes:
        lat, lon: its middle. half_km: from there to its upper edge.
        width, height: of the picture, in its units.
    """

    lat: float
    lon: float
    half_km: float
    width: float
    height: float

    @property
    def scale(self) -> float:
        """Units of the picture a kilometre."""
        return self.height / 2 / self.half_km

    @cached_property
    def _projection(self) -> Any:
        from pyproj import Proj  # noqa: PLC0415  a tenth of a second, and only maps need it

        return Proj(
            proj="aeqd", lat_0=self.lat, lon_0=self.lon, ellps="WGS84", units="m",
            preserve_units=True,
        )  # fmt: skip

    def place(self, lats: ArrayLike, lons: ArrayLike) -> Points:
        """Points of the picture, (n, 2) of x and y."""
        east, north = self._projection(np.asarray(lons, float), np.asarray(lats, float))
        factor = self.scale / 1000
        return np.column_stack(
            (
                np.atleast_1d(self.width / 2 + east * factor),
                np.atleast_1d(self.height / 2 - north * factor),
            )
        )

    def point(self, lat: float, lon: float) -> tuple[float, float]:
        """One point of the picture."""
        ((x, y),) = self.place([lat], [lon]).tolist()
        return x, y

    def shows(self, x: float, y: float, margin: float = 0.0) -> bool:
        """Whether a point lies in the picture, by so much."""
        return margin <= x <= self.width - margin and margin <= y <= self.height - margin

    def areas(self, lines: Lines) -> Iterator[tuple[int, list[Points]]]:
        """For each closed line that meets the window: its number and its parts in the picture."""
        import shapely  # noqa: PLC0415  a third of a second, and only maps need it

        for number, degrees in self._near(lines):
            polygon = shapely.polygons(degrees)
            parts = shapely.get_parts(shapely.clip_by_rect(polygon, *self._degrees_box()))
            rings = [
                self._in_picture(
                    shapely.get_coordinates(shapely.segmentize(part.exterior, _LONGEST_EDGE_DEG))
                )
                for part in parts
                if part.geom_type == "Polygon"
            ]
            if rings:
                yield number, rings

    def courses(self, lines: Lines) -> Iterator[tuple[int, list[Points]]]:
        """The same for open lines."""
        import shapely  # noqa: PLC0415

        for number, degrees in self._near(lines):
            line = shapely.clip_by_rect(shapely.linestrings(degrees), *self._degrees_box())
            parts = [
                self._in_picture(
                    shapely.get_coordinates(shapely.segmentize(part, _LONGEST_EDGE_DEG))
                )
                for part in shapely.get_parts(line)
                if part.geom_type == "LineString"
            ]
            if parts:
                yield number, parts

    def _half_degrees(self) -> tuple[float, float]:
        half_lat = self.half_km * _MARGIN / _KM_A_DEGREE
        half_km = self.half_km * self.width / self.height * _MARGIN
        widest = min(abs(self.lat) + half_lat, _POLAR_DEG)
        return min(half_km / _KM_A_DEGREE / math.cos(math.radians(widest)), 179.0), half_lat

    def _degrees_box(self) -> tuple[float, float, float, float]:
        """West, south, east, north; longitudes are relative to the middle."""
        half_lon, half_lat = self._half_degrees()
        return -half_lon, max(self.lat - half_lat, -90.0), half_lon, min(self.lat + half_lat, 90.0)

    def _near(self, lines: Lines) -> Iterator[tuple[int, Points]]:
        """Lines that may meet the window, their longitudes relative to its middle."""
        half_lon, half_lat = self._half_degrees()
        for number in lines.near(self.lon, self.lat, half_lon, half_lat):
            degrees = lines.line(number)
            middle = (degrees[:, 0].min() + degrees[:, 0].max()) / 2
            turn = 360.0 * round((self.lon - middle) / 360.0)
            degrees[:, 0] += turn - self.lon
            yield number, degrees

    def _in_picture(self, degrees: Points) -> Points:
        return _thinned(self.place(degrees[:, 1], degrees[:, 0] + self.lon))


def _thinned(points: Points) -> Points:
    """Without points that no eye would miss: nearer than half a unit to the line."""
    import shapely  # noqa: PLC0415

    line = shapely.simplify(shapely.linestrings(points), _EYE, preserve_topology=False)
    return np.asarray(shapely.get_coordinates(line))
