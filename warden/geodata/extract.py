"""Cut one country out of timezonefinder's shapes; run as a process of its own.

`python -m warden.geodata.extract MLI` writes to standard output what `outline.Outline` reads.
The shapes of a few zones take 200 MB while they are Python numbers, which a daemon should not
keep; a child process gives them back to the system when it ends.

Two countries' border is the edges that both outlines have, vertex for vertex: the shapes were cut
from one map, so neighbours' vertices are identical to the last digit.
"""

from __future__ import annotations

import itertools
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon

from warden.errors import ConfigError, WardenError
from warden.geodata.outline import DEGREE_UNITS, NOBODY, Outline
from warden.geodata.zones import (
    check_zones,
    country_of_zones,
    data_key,
    new_finder,
    zones_of_countries,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Ring = NDArray[np.int64]  # (n, 2) of lon, lat in units of 1e-7 degree; closed

# How far outside an edge its neighbour is looked for: 20 cm, twice the data's own step.
_OUTSIDE_DEG = 2e-6
_MAX_LON_DEG = 180.0
_MAX_LAT_DEG = 90.0
_POLYGON_VERTICES = 4


def extract(iso3: str) -> Outline:
    """Cut out the country of that code; ConfigError if the data do not have it."""
    finder = new_finder()
    check_zones(finder)
    zones = [zone for zone in zones_of_countries().get(iso3, ()) if zone in finder.timezone_names]
    if not zones:
        raise ConfigError(
            f"no border data for country {iso3}; put {iso3}.geojson into the overrides folder"
        )
    polygons = _dissolved([polygon for zone in zones for polygon in _rings(finder, zone)])
    rings = [ring for polygon in polygons for ring in polygon]
    owner = country_of_zones()
    beside = _zones_beside(finder, polygons) - set(zones)
    foreign: dict[str, list[Ring]] = {}
    for zone in sorted(zone for zone in beside if owner.get(zone, iso3) != iso3):
        foreign.setdefault(owner[zone], []).extend(
            ring for polygon in _rings(finder, zone) for ring in polygon
        )
    neighbours = tuple(sorted(foreign))
    labels = _labels(rings, [foreign[neighbour] for neighbour in neighbours])
    shared = tuple(name for number, name in enumerate(neighbours) if (labels == number).any())
    renumbered = np.array(
        [shared.index(n) if n in shared else NOBODY for n in neighbours] + [NOBODY]
    )
    return Outline(
        iso3=iso3,
        key=data_key(),
        neighbours=shared,
        vertices=np.concatenate(rings).astype(np.int32),
        ring_sizes=np.array([len(ring) for ring in rings], dtype=np.int32),
        polygon_sizes=np.array([len(polygon) for polygon in polygons], dtype=np.int32),
        labels=renumbered[labels].astype(np.int16),
    )


def _rings(finder: Any, zone: str) -> list[list[Ring]]:
    """All polygons of a zone, each a list of closed rings, the outer one first."""
    return [
        [_closed(np.rint(np.array(ring).T * DEGREE_UNITS).astype(np.int64)) for ring in polygon]
        for polygon in finder.get_geometry(tz_name=zone)
    ]


def _closed(ring: Ring) -> Ring:
    """The ring with its first vertex repeated at the end, without immediate repetitions."""
    ring = np.vstack((ring, ring[:1]))
    moved = np.r_[True, (np.diff(ring, axis=0) != 0).any(axis=1)]
    return ring[moved]


def _dissolved(polygons: list[list[Ring]]) -> list[list[Ring]]:
    """Remove the edges between a country's own zones, and overlaps where zones are disputed."""
    polygons = [
        [ring for ring in polygon if len(ring) >= _POLYGON_VERTICES] for polygon in polygons
    ]
    if len(polygons) == 1:
        return polygons
    shapes = [Polygon(polygon[0], polygon[1:]) for polygon in polygons if polygon]
    valid = [shape if shape.is_valid else shapely.make_valid(shape) for shape in shapes]
    union = shapely.unary_union(valid, grid_size=1.0)
    parts = union.geoms if isinstance(union, MultiPolygon) else [union]
    return [
        [
            np.rint(np.asarray(ring.coords)[:, :2]).astype(np.int64)
            for ring in (part.exterior, *part.interiors)
        ]
        for part in parts
        if isinstance(part, Polygon)
    ]


def _zones_beside(finder: Any, polygons: Iterable[list[Ring]]) -> set[str]:
    """Names of the zones met just outside the middle of every edge."""
    found: set[str] = set()
    for polygon in polygons:
        for number, ring in enumerate(polygon):
            degrees = ring / DEGREE_UNITS
            step = np.diff(degrees, axis=0)
            right = np.column_stack((step[:, 1], -step[:, 0]))
            right *= _OUTSIDE_DEG / np.linalg.norm(step, axis=1, keepdims=True)
            # Outside lies to the right of an outer ring that turns left, and within a hole.
            turns_left = shapely.is_ccw(shapely.linearrings(degrees))
            outside = right if turns_left == (number == 0) else -right
            points = degrees[:-1] + step / 2.0 + outside
            numbers = finder.timezone_ids_at(
                lngs=np.clip(points[:, 0], -_MAX_LON_DEG, _MAX_LON_DEG),
                lats=np.clip(points[:, 1], -_MAX_LAT_DEG, _MAX_LAT_DEG),
            )
            met = np.unique(numbers[numbers >= 0])
            found.update(finder.timezone_names[number] for number in met)
    return found


def _labels(rings: list[Ring], foreign: list[list[Ring]]) -> NDArray[np.intp]:
    """For every vertex of the rings: whose border the edge that begins there is, or NOBODY.

    The last vertex of a ring begins no edge. Where disputed shapes overlap, an edge may belong
    to several neighbours; the last one has it.
    """
    everybody = [rings, *foreign]
    corners = [
        (ring[:, 0] + 2**31) * 2**32 + (ring[:, 1] + 2**31) for rings in everybody for ring in rings
    ]
    # Small numbers for the corners, so that a pair of them fits one comparable integer.
    _, numbers = np.unique(np.concatenate(corners), return_inverse=True)
    count = int(numbers.max()) + 1
    low, high = np.minimum(numbers[:-1], numbers[1:]), np.maximum(numbers[:-1], numbers[1:])
    keys = np.r_[low * count + high, -1]
    ends = np.cumsum([len(part) for part in corners]) - 1
    keys[ends] = -1  # from the last vertex of a ring to the first of the next is no edge
    owners = np.cumsum([sum(len(ring) for ring in rings) for rings in everybody])
    own = keys[: owners[0]]
    labels = np.full(len(own), NOBODY, dtype=np.intp)
    for number, (start, end) in enumerate(itertools.pairwise(owners)):
        labels[np.isin(own, keys[start:end])] = number
    labels[own < 0] = NOBODY
    return labels


def main(arguments: list[str]) -> int:
    """Write the outline of the country named; 2 and one line on standard error if that fails."""
    try:
        (iso3,) = arguments
        data = extract(iso3).to_bytes()
    except WardenError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
