"""The installed data must tell countries apart, and say so when they do not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from warden.errors import ConfigError
from warden.geodata import check_zones
from warden.geodata.zones import _WITNESSES, country_of_zones, zones_of_countries


class Shapes:
    """A stand-in for timezonefinder that merges zones as its 8.x data did."""

    def __init__(self, merged=None, missing=()):
        self._merged = merged or {}
        self._zones = {(lat, lon): zone for zone, lat, lon in _WITNESSES}
        self.timezone_names = [zone for zone in self._zones.values() if zone not in missing]

    def timezone_at(self, *, lng, lat):
        zone = self._zones[lat, lng]
        return self._merged.get(zone, zone)


def test_the_installed_data_pass():
    check_zones()


def test_shapes_that_merge_bamako_into_abidjan_are_refused():
    merged = Shapes({"Africa/Bamako": "Africa/Abidjan"})
    with pytest.raises(ConfigError, match=r"Africa/Bamako into Africa/Abidjan.*install"):
        check_zones(merged)


def test_shapes_that_lack_a_zone_are_refused():
    with pytest.raises(ConfigError, match="lacks Africa/Bamako"):
        check_zones(Shapes(missing={"Africa/Bamako"}))


def test_shapes_that_are_whole_pass():
    check_zones(Shapes())


def test_every_zone_has_one_country_and_a_country_has_all_its_zones():
    assert country_of_zones()["Africa/Bamako"] == "MLI"
    assert zones_of_countries()["COD"] == ("Africa/Kinshasa", "Africa/Lubumbashi")
    assert len(zones_of_countries()) > 240


def test_importing_the_package_brings_in_nothing_heavy():
    program = (
        "import sys, warden.geodata, warden.geodata.countries\n"
        "print([n for n in ('numpy', 'pyproj', 'shapely', 'scipy', 'pycountry', 'babel',"
        " 'timezonefinder') if n in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        cwd=Path(__file__).parents[2],
        check=True,
        text=True,
    )
    assert shown.stdout.strip() == "[]"
