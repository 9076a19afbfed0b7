"""Where a notice's events lie, as CAP wants it: closed polygons and circles in WGS84.

A circle is an event's point with the radius of what is not known about it; the polygon is the hull
of those discs, since many consumers of CAP draw nothing but polygons.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from warden.notify.render.parts import number_of

MAX_CIRCLES = 20
MIN_RADIUS_KM = 1.0  # coordinates are told to two decimals
_CORNERS = 16
_KM_PER_DEGREE = 111.195  # of a great circle on a sphere of 6,371.0088 km
_WIDEST = 180.0  # degrees of longitude; a hull wider than this crosses the antimeridian
_POLAR = 89.0

Point = tuple[float, float]
"""Latitude and longitude in degrees."""
Disc = tuple[float, float, float]
"""Latitude, longitude in degrees, radius in km."""


def discs_of(events: Iterable[Mapping[str, Any]]) -> tuple[Disc, ...]:
    """Each place once, with the widest error given for it, in the order of the events."""
    found: dict[Point, float] = {}
    for event in events:
        lat, lon = number_of(event.get("lat")), number_of(event.get("lon"))
        if lat is None or lon is None or abs(lat) > 90 or abs(lon) > 180:  # noqa: PLR2004
            continue
        point = (round(lat, 2), round(lon, 2))
        radius = max(number_of(event.get("location_error_km")) or 0.0, MIN_RADIUS_KM)
        found[point] = max(found.get(point, 0.0), radius)
    return tuple((lat, lon, radius) for (lat, lon), radius in found.items())[:MAX_CIRCLES]


def circle(disc: Disc) -> str:
    """CAP's `circle`: "latitude,longitude radius_km"."""
    lat, lon, radius = disc
    return f"{lat:.2f},{lon:.2f} {radius:g}"


def polygon(discs: Sequence[Disc]) -> str:
    """CAP's `polygon` around all discs, closed; "" where there is none that would be right.

    None is drawn over a pole or across the antimeridian: the circles stand for themselves there.
    """
    if not discs or any(abs(lat) >= _POLAR for lat, _, _ in discs):
        return ""
    corners = [corner for disc in discs for corner in _around(disc)]
    longitudes = [lon for _, lon in corners]
    if max(longitudes) - min(longitudes) > _WIDEST or max(map(abs, longitudes)) > _WIDEST:
        return ""
    ring = _hull(corners)
    return " ".join(f"{lat:.4f},{lon:.4f}" for lat, lon in (*ring, ring[0]))


def _around(disc: Disc) -> list[Point]:
    """Corners of a polygon that holds the disc: its sides touch the circle."""
    lat, lon, radius = disc
    reach = radius / math.cos(math.pi / _CORNERS) / _KM_PER_DEGREE
    corners = []
    for number in range(_CORNERS):
        turn = 2 * math.pi * number / _CORNERS
        north = max(-90.0, min(90.0, lat + reach * math.cos(turn)))
        squeeze = math.cos(math.radians(min(max(abs(lat), abs(north)), _POLAR)))
        corners.append((north, lon + reach * math.sin(turn) / squeeze))
    return corners


def _hull(points: Sequence[Point]) -> list[Point]:
    """The convex hull, counter-clockwise (Andrew 1979, monotone chain)."""
    ordered = sorted({(lon, lat) for lat, lon in points})
    halves = _half(ordered)[:-1] + _half(ordered[::-1])[:-1]
    return [(lat, lon) for lon, lat in halves]


def _half(ordered: Sequence[Point]) -> list[Point]:
    chain: list[Point] = []
    for point in ordered:
        while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
            chain.pop()
        chain.append(point)
    return chain


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
