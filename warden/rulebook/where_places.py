"""Places in `where`: near a point or a line, near a border, inside an area.

Standing in the flow: a part of `where`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, cast

from warden.model.located import Node, shown
from warden.model.rule import Inside, Near, NearBorder, Place, Predicate
from warden.rulebook.context import Context, all_of, any_of
from warden.rulebook.definitions import ALL_SITES
from warden.rulebook.language import BORDER_KEYS, INSIDE_KEYS, NEAR_KEYS, SIDES
from warden.rulebook.where_texts import Texts

EARTH_KM: Final = 20_040.0  # half the way round: nothing is farther


class Places:
    """Reads `near`, `border` and `inside`."""

    def __init__(self, context: Context, texts: Texts) -> None:
        self._context = context
        self._texts = texts

    def near(self, node: Node) -> Predicate | None:
        """`near:` within a distance of places or a line."""
        found = self._context.reader.mapping(node, "near", NEAR_KEYS, required=("within_km",))
        if found is None:
            return None
        km = self._km(found, "near")
        targets: list[str] = [key for key in ("place", "places", "line", "lat") if key in found]
        if "lon" in found and "lat" not in found:
            targets.append("lon")
        if len(targets) != 1:
            code = "WR015" if targets else "WR011"
            self._context.faults.error(
                node, code, "near needs one of 'place', 'places', 'line', or 'lat' with 'lon'"
            )
            return None
        return self._near_target(node, found, km or 1.0)

    def _near_target(self, node: Node, found: Mapping[str, Node], km: float) -> Near | None:
        if "line" in found:
            name = self._context.reader.text(found["line"], "line")
            line = self._context.definitions.lines.get(name or "")
            if line is None and name is not None:
                self._context.names.unknown(
                    found["line"], "WR023", "line", name, self._context.definitions.lines
                )
            return None if line is None else Near(km, line=line)
        if "lat" in found or "lon" in found:
            place = self._point(node, found)
            return None if place is None else Near(km, places=(place,))
        key = "place" if "place" in found else "places"
        places = self._places(found[key], key)
        return Near(km, places=places) if places else None

    def _point(self, node: Node, found: Mapping[str, Node]) -> Place | None:
        if not {"lat", "lon"} <= found.keys():
            self._context.faults.error(node, "WR011", "near needs both 'lat' and 'lon'")
            return None
        lat = self._context.reader.number(found["lat"], "lat", -90, 90)
        lon = self._context.reader.number(found["lon"], "lon", -180, 180)
        if lat is None or lon is None:
            return None
        return Place(f"{lat:g},{lon:g}", f"{lat:g}, {lon:g}", lat, lon)

    def _places(self, node: Node, key: str) -> tuple[Place, ...]:
        """Places by id; under `places:` also groups of places, and `sites` for all groups."""
        ids: list[str] = []
        sites = self._context.definitions.sites if key == "places" else {}
        for name, item in self._context.reader.texts(node, key):
            if name in self._context.definitions.places:
                ids.append(name)
            elif name in sites:
                ids.extend(sites[name])
            elif key == "places" and name == ALL_SITES and sites:
                ids.extend(place for group in sites.values() for place in group)
            else:
                self._unknown_place(item, name, key)
        return tuple(self._context.definitions.places[name] for name in dict.fromkeys(ids))

    def _unknown_place(self, node: Node, name: str, key: str) -> None:
        if key == "place" and name in self._context.definitions.sites:
            self._context.faults.error(
                node, "WR021", f"{shown(name)} is a group of places; write places: {name}"
            )
            return
        choices: dict[str, object] = {**self._context.definitions.places}
        if key == "places":
            choices |= self._context.definitions.sites
        self._context.names.unknown(node, "WR021", "place", name, choices)

    def _km(self, found: Mapping[str, Node], what: str) -> float | None:
        node = found.get("within_km")
        if node is None:
            return None
        km = self._context.reader.number(node, f"{what} within_km", 0, EARTH_KM)
        if km == 0:
            self._context.faults.error(node, "WR016", f"{what} within_km is 0; it must be more")
            return None
        return km

    def border(self, node: Node) -> Predicate | None:
        """`border:` within a distance of a land border."""
        found = self._context.reader.mapping(
            node, "border", BORDER_KEYS, required=("of", "with", "within_km")
        )
        if found is None:
            return None
        km = self._km(found, "border")
        side = (
            self._context.reader.choice(found["side"], "side", SIDES) if "side" in found else "any"
        )
        of = self._country_of(found.get("of"))
        neighbours = self._context.names.countries(found["with"], "with") if "with" in found else ()
        if of is None or not neighbours or km is None or side is None:
            return None
        self._check_neighbours(of, neighbours, found["with"])
        return NearBorder(of, neighbours, km, cast("Literal['any', 'inside', 'outside']", side))

    def _country_of(self, node: Node | None) -> str | None:
        text = self._context.reader.text(node, "of") if node is not None else None
        return None if node is None or text is None else self._context.names.country(node, text)

    def _check_neighbours(self, of: str, neighbours: tuple[str, ...], node: Node) -> None:
        if of in neighbours:
            self._context.faults.error(node, "WR037", f"{of} has no border with itself")
        if self._context.neighbours is None:
            return
        real = self._context.neighbours(of)
        strangers = [code for code in neighbours if code not in real and code != of]
        if strangers:
            self._context.faults.error(
                node,
                "WR037",
                f"{of} shares no land border with {', '.join(strangers)}; "
                f"its neighbours are {', '.join(sorted(real)) or 'none'}",
            )

    def inside(self, node: Node) -> Predicate | None:
        """`inside:` in a country, an area or a division."""
        found = self._context.reader.mapping(node, "inside", INSIDE_KEYS)
        if found is None:
            return None
        if not node.entries:
            self._context.faults.error(node, "WR011", "inside needs 'country', 'area' or 'admin1'")
        parts: list[Predicate] = []
        if "country" in found:
            codes = self._context.names.countries(found["country"], "country")
            parts.extend([Inside(countries=codes)] if codes else [])
        if "area" in found:
            parts.extend(self._areas(found["area"]))
        if "admin1" in found:
            part = self._texts.text_field("admin1", found["admin1"])
            parts.extend([part] if part is not None else [])
        return all_of(parts) if parts else None

    def _areas(self, node: Node) -> list[Predicate]:
        areas: list[Predicate] = []
        for name, item in self._context.reader.texts(node, "area"):
            region = self._context.definitions.regions.get(name)
            if region is None:
                self._context.names.unknown(
                    item, "WR023", "area", name, self._context.definitions.regions
                )
            else:
                areas.append(Inside(region=region))
        return [any_of(areas)] if areas else []
