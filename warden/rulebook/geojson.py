"""Lines and areas out of GeoJSON (RFC 7946): positions are [longitude, latitude].

Standing in the flow: `definitions` calls it for `lines:` and `areas:`; what comes out is
(lat, lon), as everywhere in warden.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from warden.regular import open_regular

MAX_BYTES: Final = 32 * 1024 * 1024
MAX_POINTS: Final = 500_000
_RING_POINTS: Final = 4

Ring = tuple[tuple[float, float], ...]


class GeometryError(Exception):
    """A file or geometry that cannot be used; the text is for the operator.

    Attributes:
        line, column: where in the file, 0 where that is not known.
    """

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def read_geojson(path: Path) -> list[dict[str, Any]]:
    """The geometries of a GeoJSON file, collections unfolded.

    Raises:
        GeometryError: with the line and column of a syntax error.
    """
    try:
        if not path.exists():
            raise GeometryError("no such file")
        with open_regular(path) as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise GeometryError(error.strerror or "cannot be read") from None
    if len(content) > MAX_BYTES:
        raise GeometryError(f"larger than {MAX_BYTES // 1024 // 1024} MiB")
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise GeometryError("not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise GeometryError(f"not JSON: {error.msg}", error.lineno, error.colno) from None
    except (RecursionError, ValueError):
        raise GeometryError("not JSON that can be used") from None
    return _geometries(data, 0)


def _geometries(data: Any, depth: int) -> list[dict[str, Any]]:
    if not isinstance(data, dict) or depth > 3:  # noqa: PLR2004 -- collection, feature, geometry
        raise GeometryError("not GeoJSON: an object with a 'type' is needed")
    kind = data.get("type")
    if kind in ("FeatureCollection", "GeometryCollection"):
        members = data.get("features" if kind == "FeatureCollection" else "geometries")
        if not isinstance(members, list):
            raise GeometryError(f"not GeoJSON: a {kind} without its list")
        return [geometry for member in members for geometry in _geometries(member, depth + 1)]
    if kind == "Feature":
        return _geometries(data.get("geometry"), depth + 1)
    return [data]


def polygons(geometries: list[dict[str, Any]]) -> tuple[tuple[Ring, ...], ...]:
    """All polygons, each a tuple of rings, the first outer and the others holes."""
    found: list[tuple[Ring, ...]] = []
    for geometry in geometries:
        coordinates = _coordinates(geometry, ("Polygon", "MultiPolygon"), "an area")
        members = [coordinates] if geometry["type"] == "Polygon" else coordinates
        found.extend(_polygon(member) for member in members)
    if not found:
        raise GeometryError("holds no polygon")
    return tuple(found)


def parts(geometries: list[dict[str, Any]]) -> tuple[Ring, ...]:
    """All parts of all lines."""
    found: list[Ring] = []
    for geometry in geometries:
        coordinates = _coordinates(geometry, ("LineString", "MultiLineString"), "a line")
        members = [coordinates] if geometry["type"] == "LineString" else coordinates
        found.extend(line(_positions(member)) for member in members)
    if not found:
        raise GeometryError("holds no line")
    return tuple(found)


def line(positions: Ring) -> Ring:
    """A part of a line, checked to be one."""
    if len(set(positions)) < 2:  # noqa: PLR2004 -- two ends make a line
        raise GeometryError("a line needs two different points")
    return positions


def _coordinates(geometry: dict[str, Any], kinds: tuple[str, str], what: str) -> list[Any]:
    if geometry.get("type") not in kinds:
        kind = str(geometry.get("type"))[:40]
        raise GeometryError(f"{what} must be a {kinds[0]} or {kinds[1]}, not a {kind}")
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, list):
        raise GeometryError(f"a {geometry['type']} without coordinates")
    return coordinates


def _polygon(rings: Any) -> tuple[Ring, ...]:
    if not isinstance(rings, list) or not rings:
        raise GeometryError("a polygon without rings")
    return tuple(_ring(ring) for ring in rings)


def _ring(ring: Any) -> Ring:
    positions = _positions(ring)
    if len(positions) < _RING_POINTS or len(set(positions)) < _RING_POINTS - 1:
        raise GeometryError("a ring needs at least three different corners")
    if positions[0] != positions[-1]:
        raise GeometryError("a ring is not closed: its last position must be its first")
    return positions


def _positions(values: Any) -> Ring:
    if not isinstance(values, list):
        raise GeometryError("positions must be a list of [longitude, latitude]")
    if len(values) > MAX_POINTS:
        raise GeometryError(f"more than {MAX_POINTS:,} positions")
    return tuple(_position(value) for value in values)


def _position(value: Any) -> tuple[float, float]:
    numbers = value[:2] if isinstance(value, list) else []
    if len(numbers) != 2 or any(  # noqa: PLR2004 -- longitude and latitude
        isinstance(n, bool) or not isinstance(n, int | float) for n in numbers
    ):
        raise GeometryError("a position must be [longitude, latitude]")
    lon, lat = numbers
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):  # noqa: PLR2004 -- degrees
        raise GeometryError(f"the position [{lon}, {lat}] is not [longitude, latitude] in degrees")
    return float(lat), float(lon)
