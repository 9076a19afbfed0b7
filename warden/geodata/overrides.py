"""Outlines and borders that an operator draws: a folder of GeoJSON files.

`MLI.geojson` holds polygons and replaces the outline of Mali; `MLI-CIV.geojson` holds lines and
replaces the border of the two, whichever is named first. Needed where the shapes by time zone
know no border: Sudan and South Sudan as claimed, Kosovo, Crimea, northern Vietnam.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from warden.engine.geo import AreaIndex, PolylineIndex
from warden.errors import ConfigError
from warden.geodata import countries
from warden.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_SUFFIX = ".geojson"
_MAX_BYTES = 64 * 1024 * 1024
_MAX_DEPTH = 4  # collection, feature, geometry collection, geometry
_MAX_LON_DEG = 180.0
_MAX_LAT_DEG = 90.0
_RING_POSITIONS = 4

Pair = frozenset[str]
_Index = TypeVar("_Index")
Part = list[tuple[float, float]]  # (lat, lon)


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the folder says: areas by alpha-3 code, lines by unordered pairs of codes."""

    areas: dict[str, AreaIndex] = field(default_factory=dict)
    lines: dict[Pair, PolylineIndex] = field(default_factory=dict)


def read_overrides(folder: Path | None) -> Overrides:
    """Read every GeoJSON file of the folder; ConfigError names the file and what to mend."""
    found = Overrides()
    if folder is None:
        return found
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == _SUFFIX)
    except OSError as error:
        raise ConfigError(f"{folder}: border overrides cannot be read: {error.strerror}") from error
    for path in paths:
        codes = _codes(path)
        geometries = list(_geometries(path, _read(path), 0))
        if len(codes) == 1:
            found.areas[codes[0]] = _build(path, AreaIndex, _polygons(path, geometries))
            continue
        pair = frozenset(codes)
        if pair in found.lines:
            raise ConfigError(f"{path}: this border is already given by the file of reversed name")
        found.lines[pair] = _build(path, PolylineIndex, _lines(path, geometries))
    return found


def _codes(path: Path) -> list[str]:
    """The one or two country codes a file's name consists of."""
    codes = path.stem.split("-")
    known = countries.codes()
    if len(codes) > 2 or len(set(codes)) < len(codes) or not set(codes) <= known:  # noqa: PLR2004
        raise ConfigError(
            f"{path}: name it by ISO alpha-3 codes: MLI.geojson for an outline, "
            "MLI-CIV.geojson for the border of two countries"
        )
    return codes


def _read(path: Path) -> Any:
    """The file as JSON."""
    try:
        with open_regular(path) as stream:
            content = stream.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise ConfigError(f"{path}: larger than {_MAX_BYTES // 1024 // 1024} MiB")
        return json.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not JSON that can be used") from error


def _geometries(path: Path, data: Any, depth: int) -> Iterator[dict[str, Any]]:
    """All plain geometries of a GeoJSON object, however they are wrapped."""
    kind = data.get("type") if isinstance(data, dict) else None
    if not isinstance(kind, str) or depth > _MAX_DEPTH:
        raise ConfigError(f"{path}: not GeoJSON")
    if kind in {"FeatureCollection", "GeometryCollection"}:
        members = data.get("features" if kind == "FeatureCollection" else "geometries")
        for member in members if isinstance(members, list) else []:
            yield from _geometries(path, member, depth + 1)
    elif kind == "Feature":
        yield from _geometries(path, data.get("geometry"), depth + 1)
    else:
        yield data


def _polygons(path: Path, geometries: list[dict[str, Any]]) -> list[list[Part]]:
    """The polygons, each a list of rings."""
    found = []
    for geometry in geometries:
        kind, coordinates = geometry.get("type"), geometry.get("coordinates")
        if kind not in {"Polygon", "MultiPolygon"}:
            raise ConfigError(f"{path}: an outline needs polygons, this holds a {kind}")
        for polygon in _list(path, coordinates if kind == "MultiPolygon" else [coordinates]):
            rings = [_positions(path, ring, _RING_POSITIONS) for ring in _list(path, polygon)]
            found.append(rings)
    return found


def _lines(path: Path, geometries: list[dict[str, Any]]) -> list[Part]:
    """The lines."""
    found: list[Part] = []
    for geometry in geometries:
        kind, coordinates = geometry.get("type"), geometry.get("coordinates")
        if kind not in {"LineString", "MultiLineString"}:
            raise ConfigError(f"{path}: a border needs lines, this holds a {kind}")
        lines = _list(path, coordinates if kind == "MultiLineString" else [coordinates])
        found.extend(_positions(path, line, 2) for line in lines)
    return found


def _positions(path: Path, data: Any, at_least: int) -> Part:
    """Positions as (lat, lon), each checked."""
    positions = [_position(path, position) for position in _list(path, data)]
    if len(positions) < at_least:
        raise ConfigError(f"{path}: a line or ring with fewer than {at_least} positions")
    return positions


def _position(path: Path, data: Any) -> tuple[float, float]:
    """One [longitude, latitude]."""
    match data:
        case [int() | float() as lon, int() | float() as lat, *_] if not (
            isinstance(lon, bool) or isinstance(lat, bool)
        ):
            if math.isfinite(lon) and abs(lon) <= _MAX_LON_DEG and abs(lat) <= _MAX_LAT_DEG:
                return float(lat), float(lon)
    raise ConfigError(
        f"{path}: {json.dumps(data)[:80]} is not a position; GeoJSON writes [longitude, latitude] "
        "within ±180 and ±90"
    )


def _list(path: Path, data: Any) -> list[Any]:
    """The same, if it is a list."""
    if not isinstance(data, list):
        raise ConfigError(f"{path}: coordinates that are not lists")
    return data


def _build(path: Path, build: Callable[[Any], _Index], parts: Any) -> _Index:
    """Make the index, or say that the geometry is empty."""
    try:
        return build(parts)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error
