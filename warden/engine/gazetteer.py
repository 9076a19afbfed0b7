"""What a point is near and inside of, in the words of the rules.

Standing in the flow: beside it. `warden where` and `warden distance` ask here and see the very
places, lines and borders, measured by the very code, that rules are decided by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from warden.engine.geo import (
    AreaIndex,
    Geography,
    PolylineIndex,
    bearing_deg,
    compass,
    distance_km,
)
from warden.errors import UsageError
from warden.model.located import did_you_mean
from warden.model.rule import Place, Ruleset

KM_DIGITS = 3


class Gazetteer:
    """Measures from points.

    Attributes:
        ruleset: whose places, lines, areas and groups of countries are meant.
        resolve: the alpha-3 code of any name of a country, None if unknown.
    """

    def __init__(
        self, ruleset: Ruleset, geography: Geography, resolve: Callable[[str], str | None]
    ) -> None:
        self.ruleset = ruleset
        self.resolve = resolve
        self._geography = geography

    def where(self, lat: float, lon: float) -> dict[str, Any]:
        """The country, nearest border, nearest place and areas of a point.

        `km` and `bearing` belong to the nearest place; `border_km`, `side` and `neighbour` to the
        nearest land border of the country that the point lies in.
        """
        country = str(self._geography.country_at([lat], [lon])[0])
        border = self._border(lat, lon, country, self._geography.neighbours(country), country)
        return {
            "lat": lat,
            "lon": lon,
            **self._nearest_place(lat, lon),
            "country": country or None,
            "border_km": border["km"],
            "neighbour": border["neighbour"],
            "side": border["side"],
            "areas": self._areas(lat, lon),
        }

    def distance(self, lat: float, lon: float, to: str) -> dict[str, Any]:
        """The distance to a place or line by its id, or to a border `MLI:CIV,GIN`.

        Raises:
            UsageError: nothing of that name, or countries without a common land border.
        """
        near = {key: self._nearest_place(lat, lon)[key] for key in ("nearest_place",)}
        place = self.ruleset.places.get(to)
        if place is not None:
            return {"to": to, **_to_place(lat, lon, place), "side": None, "neighbour": None, **near}
        line = self.ruleset.lines.get(to)
        if line is not None:
            km = _first(PolylineIndex(line.parts).distance_km([lat], [lon]))
            return {"to": to, "km": km, "bearing": None, "side": None, "neighbour": None, **near}
        return {"to": to, **self._named_border(lat, lon, to), **near}

    def _named_border(self, lat: float, lon: float, to: str) -> dict[str, Any]:
        of_name, _, with_names = to.partition(":")
        of = self.resolve(of_name)
        if of is None:
            known = [*self.ruleset.places, *self.ruleset.lines]
            raise UsageError(
                f"no place, line or country '{to}'{did_you_mean(to, known)}; "
                "a border is COUNTRY:NEIGHBOURS, such as MLI:CIV,GIN"
            )
        neighbours = self._countries(with_names) if with_names else self._geography.neighbours(of)
        apart = [code for code in neighbours if self._geography.border(of, code) is None]
        if apart or not neighbours:
            named = ", ".join(apart) or "any country"
            raise UsageError(f"{of} shares no land border with {named}")
        inside = str(self._geography.country_at([lat], [lon], [of])[0])
        return self._border(lat, lon, of, neighbours, inside)

    def _countries(self, names: str) -> tuple[str, ...]:
        """Countries and groups of countries, separated by commas, as codes."""
        codes: list[str] = []
        for name in names.split(","):
            group = self.ruleset.country_groups.get(name.strip())
            code = self.resolve(name.strip()) if group is None else None
            if group is None and code is None:
                hint = did_you_mean(name, self.ruleset.country_groups)
                raise UsageError(f"no country or group of countries '{name.strip()}'{hint}")
            codes.extend(group or ([code] if code else []))
        return tuple(dict.fromkeys(codes))

    def _border(
        self, lat: float, lon: float, of: str, neighbours: Iterable[str], inside: str
    ) -> dict[str, Any]:
        lines = [(code, self._geography.border(of, code)) for code in neighbours] if of else []
        measured = [
            (_first(line.distance_km([lat], [lon])), code)
            for code, line in lines
            if line is not None
        ]
        if not measured:
            return {"km": None, "bearing": None, "side": None, "neighbour": None}
        km, neighbour = min(measured)
        return {
            "km": km,
            "bearing": None,
            "side": "inside" if inside == of else "outside",
            "neighbour": neighbour,
        }

    def _nearest_place(self, lat: float, lon: float) -> dict[str, Any]:
        places = list(self.ruleset.places.values())
        if not places:
            return {"nearest_place": None, "km": None, "bearing": None, "compass": None}
        nearest = min(places, key=lambda place: distance_km(place.lat, place.lon, lat, lon))
        return {"nearest_place": nearest.id, **_to_place(lat, lon, nearest)}

    def _areas(self, lat: float, lon: float) -> list[str]:
        return [
            area.id
            for area in self.ruleset.regions.values()
            if bool(AreaIndex(area.polygons).contains([lat], [lon])[0])
        ]


def _to_place(lat: float, lon: float, place: Place) -> dict[str, Any]:
    """Distance, and the bearing as seen from the place: "43 km NW of Bamako"."""
    bearing = bearing_deg(place.lat, place.lon, lat, lon)
    return {
        "km": round(distance_km(place.lat, place.lon, lat, lon), KM_DIGITS),
        "bearing": round(bearing, 1),
        "compass": compass(bearing),
    }


def _first(values: Any) -> float:
    return round(float(values[0]), KM_DIGITS)
