"""Roughly where a country lies, to notice rows whose latitude and longitude were swapped.

Standing in the flow: row parsers ask once per distinct point. tzdata's zone table names a
principal town or more of every country; a point that is far from all of its country's towns,
while the swapped point is near one and much nearer, is swapped. All must hold, so that no
country's remote corner is refused (Hakkari lies 15 degrees east of Istanbul).
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources

from warden.sources import country

FAR_DEGREES = 15.0
NEAR_DEGREES = 10.0
TIMES_NEARER = 2.0
_ENTRY = re.compile(r"([A-Z]{2})\t([+-]\d{4,6})([+-]\d{5,7})\t")


def looks_swapped(lat: float, lon: float, iso3: str) -> bool:
    """Whether (`lon`, `lat`) would lie in that country and (`lat`, `lon`) does not."""
    towns = _towns(iso3)
    if not towns or _near(lat, lon, towns):
        return False
    here = _degrees_to(lat, lon, towns)
    there = _degrees_to(lon, lat, towns)
    return there <= NEAR_DEGREES and there * TIMES_NEARER <= here


def _near(lat: float, lon: float, towns: tuple[tuple[float, float], ...]) -> bool:
    """Whether some town is not far; nearly always so, and asked for every point."""
    for town_lat, town_lon in towns:
        if (
            abs(lat - town_lat) <= FAR_DEGREES
            and abs((lon - town_lon + 180.0) % 360.0 - 180.0) <= FAR_DEGREES
        ):
            return True
    return False


def _degrees_to(lat: float, lon: float, towns: tuple[tuple[float, float], ...]) -> float:
    """To the nearest town, the larger of the differences in latitude and longitude."""
    return min(
        max(abs(lat - town_lat), abs((lon - town_lon + 180.0) % 360.0 - 180.0))
        for town_lat, town_lon in towns
    )


@lru_cache(maxsize=512)
def _towns(iso3: str) -> tuple[tuple[float, float], ...]:
    return _zone_table().get(country.alpha_2(iso3) or "", ())


@lru_cache(maxsize=1)
def _zone_table() -> dict[str, tuple[tuple[float, float], ...]]:
    """Coordinates of every zone's town by alpha-2 code, from tzdata's zone.tab."""
    text = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    towns: dict[str, list[tuple[float, float]]] = {}
    for code, lat, lon in _ENTRY.findall(text):
        towns.setdefault(code, []).append((_degrees(lat, 2), _degrees(lon, 3)))
    return {code: tuple(points) for code, points in towns.items()}


def _degrees(text: str, digits: int) -> float:
    """`+1239` (ddmm) or `-0080010` (dddmmss) as degrees."""
    body = text[1:]
    degrees = int(body[:digits]) + int(body[digits : digits + 2]) / 60.0
    return -degrees if text[0] == "-" else degrees
