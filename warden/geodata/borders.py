"""The borders warden works with: cut from timezonefinder's shapes, or drawn by the operator.

Standing in the flow: the composition root makes one `TimezoneGeography`; rules ask it while they
are compiled. A country is cut out once, in a child process, and kept in a cache folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import warden
from warden.engine.geo import AreaIndex, PolylineIndex
from warden.engine.geo.geography import first_containing, hash_parts
from warden.engine.geo.lines import flat
from warden.errors import ConfigError
from warden.geodata.cache import OutlineCache
from warden.geodata.outline import Outline, OutlineDamagedError
from warden.geodata.overrides import Overrides, read_overrides
from warden.geodata.zones import (
    check_zones,
    country_of_zones,
    data_key,
    new_finder,
    zones_of_countries,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

_CHILD_DEADLINE_S = 300.0
_MAX_LON_DEG = 180.0
_MAX_LAT_DEG = 90.0


class TimezoneGeography:
    """The world's countries, with the operator's overrides; safe to use from several threads.

    Nothing is read until a country is asked for. Countries by ISO 3166-1 alpha-3 code, Kosovo
    as XKX; codes in capitals.
    """

    def __init__(self, cache_dir: Path | None, overrides_dir: Path | None = None) -> None:
        """Keep outlines in `cache_dir` (None: in memory only); read the overrides at once.

        Raises ConfigError for overrides that cannot be used and where no data are installed.
        """
        self._cache = OutlineCache(cache_dir, data_key())
        self._overrides: Overrides = read_overrides(overrides_dir)
        self._lock = threading.RLock()
        self._outlines: dict[str, Outline | None] = {}
        self._borders: dict[tuple[str, str], PolylineIndex | None] = {}
        self._areas: dict[str, AreaIndex | None] = {}
        self._finder: Any = None

    @property
    def cache_fault(self) -> str:
        """Why outlines could not be kept, "" if they could; they are then cut at every start."""
        return self._cache.fault

    def check(self) -> None:
        """Refuse data that cannot tell countries apart (see `check_zones`).

        Cheap once any outline is cached: outlines are cut only from data that passed.
        """
        if not any(self._cache.read(iso3) for iso3 in ("MLI", "CIV")):
            check_zones()

    def prepare(self, iso3s: Iterable[str]) -> None:
        """Have these countries cut out now, so that no later question takes seconds."""
        for iso3 in iso3s:
            self._outline(iso3)

    def border(self, of: str, neighbour: str) -> PolylineIndex | None:
        """Give the line two countries share, or None where they share none."""
        override = self._overrides.lines.get(frozenset((of, neighbour)))
        if override is not None:
            return override
        with self._lock:
            if (of, neighbour) not in self._borders:
                outline = self._outline(of)
                line = None if outline is None else outline.border(neighbour)
                self._borders[of, neighbour] = line
            return self._borders[of, neighbour]

    def neighbours(self, of: str) -> tuple[str, ...]:
        """Name the countries that share a border with this one, sorted."""
        outline = self._outline(of)
        names = set() if outline is None else set(outline.neighbours)
        names.update(*(pair - {of} for pair in self._overrides.lines if of in pair))
        return tuple(sorted(names))

    def country(self, iso3: str) -> AreaIndex | None:
        """Give a country's area, its territorial waters included, or None where unknown."""
        override = self._overrides.areas.get(iso3)
        if override is not None:
            return override
        with self._lock:
            if iso3 not in self._areas:
                outline = self._outline(iso3)
                self._areas[iso3] = None if outline is None else outline.area()
            return self._areas[iso3]

    def country_at(
        self, lats: ArrayLike, lons: ArrayLike, candidates: Iterable[str] | None = None
    ) -> NDArray[np.str_]:
        """Name the country of each point, "" for none; only among `candidates` where given.

        An override decides before the shapes do. Without candidates the whole world's shapes
        are opened once (40 MB); with them, only these countries' outlines are.
        """
        lats, lons = flat(lats, lons)
        if candidates is not None:
            codes = list(dict.fromkeys(candidates))
            codes.sort(key=lambda code: (code not in self._overrides.areas, code))
            areas = [(code, area) for code in codes if (area := self.country(code)) is not None]
            return first_containing(areas, lats, lons)
        names = first_containing(sorted(self._overrides.areas.items()), lats, lons)
        open_rows = np.flatnonzero(names == "")
        found = self._by_zone(lats[open_rows], lons[open_rows])
        # Outside its override a country is not, whatever the shapes say.
        found[np.isin(found, list(self._overrides.areas))] = ""
        names[open_rows] = found
        return names

    def version(self, of: str, neighbours: Iterable[str] = ()) -> str:
        """Hash the lines a rule rests on: the borders with `neighbours`, or else the outline.

        It changes when a vertex of these lines does, not with every release of the data.
        """
        names = sorted(set(neighbours))
        if names:
            lines = [self.border(of, name) for name in names]
            return hash_parts(part for line in lines if line is not None for part in line.parts)
        override = self._overrides.areas.get(of)
        if override is not None and override.edge is not None:
            return hash_parts(override.edge.parts)
        outline = self._outline(of)
        return hash_parts(()) if outline is None else outline.outline_hash()

    def _outline(self, iso3: str) -> Outline | None:
        """A country's outline: from memory, the cache, or cut out now."""
        with self._lock:
            if iso3 not in self._outlines:
                self._outlines[iso3] = self._cache.read(iso3) or self._cut_out(iso3)
            return self._outlines[iso3]

    def _cut_out(self, iso3: str) -> Outline | None:
        """Have a child process cut the country out, and keep what it gives."""
        if iso3 not in zones_of_countries():
            return None
        outline = _run_child(iso3)
        self._cache.write(outline)
        return outline

    def _by_zone(self, lats: NDArray[np.float64], lons: NDArray[np.float64]) -> NDArray[np.str_]:
        """The country of the zone each point lies in, "" at sea and for what is no point."""
        names = np.full(lats.shape, "", dtype="<U3")
        valid = np.flatnonzero((np.abs(lats) <= _MAX_LAT_DEG) & (np.abs(lons) <= _MAX_LON_DEG))
        if valid.size == 0:
            return names
        with self._lock:  # timezonefinder asks for one finder a thread
            if self._finder is None:
                self._finder = new_finder()
            numbers = self._finder.timezone_ids_at(lngs=lons[valid], lats=lats[valid])
            owners = country_of_zones()
            zones = [owners.get(zone, "") for zone in self._finder.timezone_names]
        names[valid] = np.array([*zones, ""], dtype="<U3")[numbers]  # -1, no zone, is the last
        return names


def _run_child(iso3: str) -> Outline:
    """Run `warden.geodata.extract`; ConfigError with its own last line if it fails."""
    package_root = str(Path(warden.__file__).parent.parent)
    paths = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
    try:
        child = subprocess.run(  # noqa: S603 (our own interpreter, a checked country code)
            [sys.executable, "-m", "warden.geodata.extract", iso3],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            timeout=_CHILD_DEADLINE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"the borders of {iso3} could not be cut out: {error}") from error
    if child.returncode != 0:
        said = child.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[-1] if said else f"status {child.returncode}"
        raise ConfigError(f"the borders of {iso3} could not be cut out: {reason}")
    try:
        return Outline.from_bytes(child.stdout)
    except OutlineDamagedError as error:
        raise ConfigError(f"the borders of {iso3} came out damaged: {error}") from error
