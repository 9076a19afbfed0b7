"""What the engine asks of the world's borders, whoever provides them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from warden.engine.geo.areas import AreaIndex
    from warden.engine.geo.lines import PolylineIndex


class Geography(Protocol):
    """Countries by ISO 3166-1 alpha-3 code, their outlines and the land borders they share."""

    def border(self, of: str, neighbour: str) -> PolylineIndex | None:
        """Give the line two countries share, or None where they share none."""
        ...

    def neighbours(self, of: str) -> tuple[str, ...]:
        """Name the countries that share a border with this one, sorted."""
        ...

    def country(self, iso3: str) -> AreaIndex | None:
        """Give a country's area, or None where it is unknown."""
        ...

    def country_at(
        self, lats: ArrayLike, lons: ArrayLike, candidates: Iterable[str] | None = None
    ) -> NDArray[np.str_]:
        """Name the country of each point, "" for none; only among `candidates` where given."""
        ...

    def version(self, of: str, neighbours: Iterable[str] = ()) -> str:
        """Hash the lines a rule rests on: the borders with `neighbours`, or else the outline."""
        ...


class FixedGeography:
    """Borders and outlines given by hand: for tests, and for worlds other than this one."""

    def __init__(
        self,
        borders: Mapping[tuple[str, str], PolylineIndex] | None = None,
        countries: Mapping[str, AreaIndex] | None = None,
    ) -> None:
        """Take lines by pairs of codes, in either order, and areas by code."""
        self._borders = {frozenset(pair): line for pair, line in (borders or {}).items()}
        self._countries = dict(countries or {})

    def border(self, of: str, neighbour: str) -> PolylineIndex | None:
        """Give the line two countries share, or None."""
        return self._borders.get(frozenset((of, neighbour)))

    def neighbours(self, of: str) -> tuple[str, ...]:
        """Name the countries that share a border with this one, sorted."""
        return tuple(sorted(next(iter(pair - {of})) for pair in self._borders if of in pair))

    def country(self, iso3: str) -> AreaIndex | None:
        """Give a country's area, or None."""
        return self._countries.get(iso3)

    def country_at(
        self, lats: ArrayLike, lons: ArrayLike, candidates: Iterable[str] | None = None
    ) -> NDArray[np.str_]:
        """Name the country of each point, "" for none."""
        codes = sorted(self._countries if candidates is None else candidates)
        areas = [(code, area) for code in codes if (area := self.country(code)) is not None]
        return first_containing(areas, lats, lons)

    def version(self, of: str, neighbours: Iterable[str] = ()) -> str:
        """Hash the borders with `neighbours`, or else the outline."""
        lines = [self.border(of, other) for other in sorted(neighbours)]
        if not lines and (area := self.country(of)) is not None:
            lines = [area.edge]
        return hash_parts(part for line in lines if line is not None for part in line.parts)


def first_containing(
    areas: Sequence[tuple[str, AreaIndex]], lats: ArrayLike, lons: ArrayLike
) -> NDArray[np.str_]:
    """Name for each point the first of the areas that contains it, "" for none."""
    lats, lons = np.atleast_1d(lats), np.atleast_1d(lons)
    names = np.full(lats.shape, "", dtype="<U3")
    for code, area in areas:
        open_rows = np.flatnonzero(names == "")
        if open_rows.size == 0:
            break
        names[open_rows[area.contains(lats[open_rows], lons[open_rows])]] = code
    return names


def hash_parts(parts: Iterable[NDArray[np.float64]]) -> str:
    """Hash lines of (lat, lon) vertices to a centimetre, in the order given; 16 hex digits."""
    digest = hashlib.sha256()
    for part in parts:
        units = np.rint(np.asarray(part) * 1e7).astype("<i8")
        digest.update(len(units).to_bytes(8, "little"))
        digest.update(units.tobytes())
    return digest.hexdigest()[:16]
