"""Which time zones make up which country, and whether the installed shapes can be trusted.

The outlines come from timezonefinder's shapes, which are drawn by time zone. tzdata's `zone.tab`
gives every zone exactly one country; `zone1970.tab` would not do, for it merges Bamako into
Abidjan, as timezonefinder's own data did in 8.0 and 8.1: then Mali has no border at all.
"""

from __future__ import annotations

from functools import cache
from importlib import metadata, resources
from typing import TYPE_CHECKING, Any

from warden.errors import ConfigError
from warden.geodata import countries

if TYPE_CHECKING:
    from collections.abc import Iterable

# One city a zone that merged data would give to another country.
_WITNESSES: tuple[tuple[str, float, float], ...] = (
    ("Africa/Bamako", 12.65, -8.0),
    ("Africa/Abidjan", 5.33, -4.02),
    ("Africa/Conakry", 9.54, -13.67),
    ("Africa/Dakar", 14.70, -17.44),
    ("Africa/Nouakchott", 18.09, -15.97),
    ("Africa/Ouagadougou", 12.37, -1.53),
    ("Africa/Niamey", 13.51, 2.11),
    ("Africa/Accra", 5.60, -0.19),
)
_ADVICE = "install timezonefinder>=9,<10 with its timezonefinder-data, and tzdata"


@cache
def zones_of_countries() -> dict[str, tuple[str, ...]]:
    """Alpha-3 code -> the names of its zones, by tzdata's `zone.tab`."""
    try:
        table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text("utf-8")
    except (ModuleNotFoundError, OSError) as error:
        raise ConfigError(f"tzdata's zone.tab cannot be read ({error}); {_ADVICE}") from error
    found: dict[str, list[str]] = {}
    for line in table.splitlines():
        if not line or line.startswith("#"):
            continue
        alpha2, _, zone, *_ = line.split("\t")
        if (iso3 := countries.alpha_3(alpha2)) is not None:
            found.setdefault(iso3, []).append(zone)
    return {iso3: tuple(sorted(zones)) for iso3, zones in sorted(found.items())}


@cache
def country_of_zones() -> dict[str, str]:
    """Zone name -> alpha-3 code."""
    return {zone: iso3 for iso3, zones in zones_of_countries().items() for zone in zones}


@cache
def data_key() -> str:
    """Name the installed data, so that what was made from other data is not used.

    Cheap: versions of the installed packages, nothing is read.
    """
    try:
        shapes = metadata.version("timezonefinder-data")
        zones = metadata.version("tzdata")
    except metadata.PackageNotFoundError as error:
        raise ConfigError(f"no border data is installed ({error}); {_ADVICE}") from error
    return f"{shapes}-{zones}"


def check_zones(finder: Any = None) -> None:
    """Refuse data that cannot tell countries apart: raise ConfigError with what to install.

    Each witness city must lie in its own zone, so that Bamako's shape is not Abidjan's; and the
    zone table must give those zones to different countries.
    """
    finder = new_finder() if finder is None else finder
    known = set(finder.timezone_names)
    owners = country_of_zones()
    _refuse_missing([zone for zone, _, _ in _WITNESSES if zone not in known], "the border data")
    _refuse_missing([zone for zone, _, _ in _WITNESSES if zone not in owners], "tzdata's zone.tab")
    for zone, lat, lon in _WITNESSES:
        found = finder.timezone_at(lng=lon, lat=lat)
        if found != zone:
            raise ConfigError(
                f"the border data puts the city of {zone} into {found}: it merges zones and "
                f"cannot tell countries apart; {_ADVICE}"
            )
    if len({owners[zone] for zone, _, _ in _WITNESSES}) < len(_WITNESSES):
        raise ConfigError(f"tzdata's zone.tab gives one country two capitals; {_ADVICE}")


def new_finder() -> Any:
    """Open timezonefinder's shapes: 0.4 s and 40 MB, so only when they are needed."""
    try:
        from timezonefinder import TimezoneFinder  # noqa: PLC0415 (imports stay cheap)

        return TimezoneFinder()
    except (ImportError, OSError, ValueError) as error:
        raise ConfigError(f"the border data cannot be read ({error}); {_ADVICE}") from error


def _refuse_missing(zones: Iterable[str], where: str) -> None:
    """Raise ConfigError if there are any."""
    if names := ", ".join(zones):
        raise ConfigError(f"{where} lacks {names}; {_ADVICE}")
