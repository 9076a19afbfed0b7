"""Actors, aliases, places, sites, lines, areas, groups of countries and sets of event types.

Standing in the flow: the second step of loading; `where` and the rules look names up here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from warden.model.event import EVENT_TYPES
from warden.model.located import FaultList, Node, did_you_mean, shown
from warden.model.rule import ActorGroup, Alias, Place, Polyline, Region
from warden.model.text import fold, glob_matches
from warden.rulebook import geojson
from warden.rulebook.files import RuleFile, Section, Sections
from warden.rulebook.language import (
    ALIAS_KEYS,
    AREA_KEYS,
    GROUP_KEYS,
    LINE_KEYS,
    PLACE_KEYS,
)
from warden.rulebook.patterns import check_glob
from warden.rulebook.shapes import Reader
from warden.rulebook.translations import NAME_TEXTS, read_translations

CountriesResolve = Callable[[str], str | None]
ALL_SITES: Final = "sites"

T = TypeVar("T")


@dataclass(slots=True)
class _Group:
    """A group of actors as written, before nested groups and aliases are spelled out."""

    id: str
    title: str
    match: tuple[tuple[str, Node], ...]
    exclude: tuple[tuple[str, Node], ...]
    groups: tuple[tuple[str, Node], ...]
    node: Node


@dataclass(slots=True)
class Definitions:
    """Everything that rules refer to by name.

    Attributes:
        patterns: (group, glob, place) of every glob that names members, for the check against
            known names; exceptions are there for names that should not come.
        translated: titles in other languages, by title and language.
    """

    groups: dict[str, ActorGroup] = field(default_factory=dict)
    aliases: tuple[Alias, ...] = ()
    places: dict[str, Place] = field(default_factory=dict)
    sites: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lines: dict[str, Polyline] = field(default_factory=dict)
    regions: dict[str, Region] = field(default_factory=dict)
    translated: dict[str, dict[str, str]] = field(default_factory=dict)
    countries: dict[str, tuple[str, ...]] = field(default_factory=dict)
    event_types: dict[str, tuple[str, ...]] = field(default_factory=dict)
    patterns: list[tuple[str, str, Node]] = field(default_factory=list)


class Loader:
    """Builds `Definitions` out of the sections of all files."""

    def __init__(
        self,
        sections: Sections,
        faults: FaultList,
        countries_resolve: CountriesResolve,
        country_names: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._sections = sections
        self._faults = faults
        self._reader = Reader(faults)
        self._resolve = countries_resolve
        self._country_names = country_names
        self._circles: set[frozenset[str]] = set()
        self.found = Definitions()

    def load(self) -> Definitions:
        """Read every section."""
        found = self.found
        found.aliases = self._aliases()
        found.groups = self._groups()
        found.places = self._named("places", "place", self._place)
        found.sites = self._named("sites", "group of places", self._site)
        found.lines = self._named("lines", "line", self._line)
        found.regions = self._named("areas", "area", self._area)
        found.countries = self._named("countries", "group of countries", self._country_group)
        found.event_types = self._named("event_types", "set of event types", self._event_types)
        return found

    # --- looking up (used by `where` too) -----------------------------------------------------

    def unknown(
        self,
        node: Node,
        code: str,
        kind: str,
        name: str,
        choices: Mapping[str, object],
        *,
        also: Iterable[str] = (),
    ) -> None:
        """Say that a name is not defined, unless a file that could not be read defines it.

        `also` is what may be meant without being defined.
        """
        if self.stands_in_a_broken_file(name):
            return
        hint = did_you_mean(name, (*choices, *also))
        if not hint and choices:
            hint = f"; defined: {', '.join(list(choices)[:8])}{', …' if len(choices) > 8 else ''}"  # noqa: PLR2004
        self._faults.error(node, code, f"unknown {kind} {shown(name)}{hint}")

    def stands_in_a_broken_file(self, name: str) -> bool:
        """Whether a file that could not be read holds the text, and so may define the name."""
        return any(name in text for text in self._sections.broken)

    def country(self, node: Node, name: str) -> str | None:
        """The alpha-3 code of one country."""
        code = self._resolve(name)
        if code is None:
            names = self._country_names()
            self.unknown(node, "WR024", "country", name, self.found.countries, also=names)
        return code

    def countries(self, node: Node, what: str) -> tuple[str, ...]:
        """The alpha-3 codes of countries and groups of countries, one or a list."""
        codes: list[str] = []
        for name, item in self._reader.texts(node, what):
            if name in self.found.countries:
                codes.extend(self.found.countries[name])
            else:
                code = self.country(item, name)
                codes.extend([code] if code else [])
        return tuple(dict.fromkeys(codes))

    # --- shared -------------------------------------------------------------------------------

    def _named(
        self,
        key: str,
        kind: str,
        read: Callable[[str, Node, RuleFile], T | None],
    ) -> dict[str, T]:
        found: dict[str, T] = {}
        for name, node, file in self._entries(key, kind):
            value = read(name, node, file)
            if value is not None:
                found[name] = value
        return found

    def _entries(self, key: str, kind: str) -> Iterator[tuple[str, Node, RuleFile]]:
        first: dict[str, Node] = {}
        for section in self._sections.of(key):
            if section.node.kind != "mapping":
                self._reader.wrong(section.node, f"'{key}:'", "a mapping of ids")
                continue
            for name_node, value in section.node.entries:
                name = self._reader.identifier(name_node, f"the id of a {kind}")
                if name is None:
                    continue
                if name in first:
                    self._faults.error(
                        name_node,
                        "WR005",
                        f"the {kind} {shown(name)} is defined already at {first[name].place}",
                    )
                    continue
                first[name] = name_node
                yield name, value, section.file

    def _title(self, found: Mapping[str, Node], default: str) -> str:
        node = found.get("title")
        text = self._reader.text(node, "title", limit=200) if node is not None else None
        title = text or default
        others = read_translations(found.get("translations"), self._reader, NAME_TEXTS)
        for language, texts in others.items():
            if "title" in texts:
                self.found.translated.setdefault(title, {})[language] = texts["title"]
        return title

    # --- actors -------------------------------------------------------------------------------

    def _groups(self) -> dict[str, ActorGroup]:
        raw: dict[str, _Group] = {}
        for name, node, _ in self._entries("actors", "group of actors"):
            group = self._group(name, node)
            if group is not None:
                raw[name] = group
        return {name: self._resolved(group, raw) for name, group in raw.items()}

    def _group(self, name: str, node: Node) -> _Group | None:
        what = f"the group {shown(name)}"
        found = self._reader.mapping(node, what, GROUP_KEYS)
        if found is None:
            return None
        match = self._globs(found.get("match"), "match")
        self.found.patterns.extend((name, glob, item) for glob, item in match)
        exclude = self._globs(found.get("except"), "except")
        nested = found.get("groups")
        groups = self._reader.texts(nested, "groups") if nested is not None else ()
        if "match" not in found and "groups" not in found:
            self._faults.error(node, "WR014", f"{what} is empty: it needs 'match' or 'groups'")
        return _Group(name, self._title(found, name), match, exclude, groups, node)

    def _globs(self, node: Node | None, what: str) -> tuple[tuple[str, Node], ...]:
        if node is None:
            return ()
        globs: list[tuple[str, Node]] = []
        for text, item in self._reader.texts(node, what):
            glob = check_glob(item, text, self._faults)
            if glob is not None:
                globs.append((glob, item))
        return tuple(globs)

    def _resolved(self, group: _Group, raw: Mapping[str, _Group]) -> ActorGroup:
        match: list[str] = []
        exclude: list[str] = []
        self._collect(group, raw, (), match, exclude)
        return ActorGroup(group.id, group.title, self.spelled_out(match), self.spelled_out(exclude))

    def _collect(
        self,
        group: _Group,
        raw: Mapping[str, _Group],
        inside: tuple[str, ...],
        match: list[str],
        exclude: list[str],
    ) -> None:
        match.extend(glob for glob, _ in group.match)
        exclude.extend(glob for glob, _ in group.exclude)
        for name, node in group.groups:
            path = (*inside, group.id)
            if name in path:
                members = path[path.index(name) :]
                if frozenset(members) in self._circles:
                    continue
                self._circles.add(frozenset(members))
                circle = " -> ".join((*members, name))
                self._faults.error(node, "WR034", f"the groups contain themselves: {circle}")
            elif name in raw:
                self._collect(raw[name], raw, path, match, exclude)
            else:
                self.unknown(node, "WR022", "group of actors", name, raw)

    def spelled_out(self, globs: list[str]) -> tuple[str, ...]:
        """Globs with what they imply: other spellings of an alias, and regime-period suffixes.

        An alias with dates adds nothing: a group has no dates, so which spelling belongs to it
        is for the operator to say.
        """
        found: dict[str, None] = dict.fromkeys(globs)
        for alias in self.found.aliases:
            if alias.since is not None or alias.until is not None:
                continue
            spellings = [fold(name) for name in (alias.name, *alias.was)]
            if any(glob_matches(glob, name) for glob in globs for name in spellings):
                found.update(dict.fromkeys(spellings))
        for glob in [glob for glob in found if "*" not in glob and "?" not in glob]:
            found[f"{glob} (????-*)"] = None
        return tuple(found)

    def _aliases(self) -> tuple[Alias, ...]:
        aliases: list[Alias] = []
        first: dict[str, Node] = {}
        for section in self._sections.of("aliases"):
            for node in self._alias_nodes(section):
                alias = self._alias(node, first)
                if alias is not None:
                    aliases.append(alias)
        return tuple(aliases)

    def _alias_nodes(self, section: Section) -> tuple[Node, ...]:
        if section.node.kind != "list":
            self._reader.wrong(section.node, "'aliases:'", "a list of {name, was}")
            return ()
        return section.node.items

    def _alias(self, node: Node, first: dict[str, Node]) -> Alias | None:
        found = self._reader.mapping(node, "the alias", ALIAS_KEYS, required=("name", "was"))
        if found is None or not {"name", "was"} <= found.keys():
            return None
        name = self._reader.text(found["name"], "name")
        was = self._reader.texts(found["was"], "was")
        since = self._reader.date(found["since"], "since") if "since" in found else None
        until = self._reader.date(found["until"], "until") if "until" in found else None
        if since is not None and until is not None and until < since:
            self._faults.error(found["until"], "WR030", "'until' lies before 'since'")
        if name is None:
            return None
        dated = since is not None or until is not None
        for spelling, item in was:
            before = first.setdefault(fold(spelling), item)
            if before is not item and not dated:
                self._faults.error(
                    item,
                    "WR005",
                    f"{shown(spelling)} is an alias already at {before.place}",
                )
        return Alias(name, tuple(text for text, _ in was), since, until)

    # --- places -------------------------------------------------------------------------------

    def _place(self, name: str, node: Node, _file: RuleFile) -> Place | None:
        found = self._reader.mapping(
            node, f"the place {shown(name)}", PLACE_KEYS, required=("lat", "lon")
        )
        if found is None or not {"lat", "lon"} <= found.keys():
            return None
        lat = self._reader.number(found["lat"], "lat", -90, 90)
        lon = self._reader.number(found["lon"], "lon", -180, 180)
        if lat is None or lon is None:
            return None
        return Place(name, self._title(found, name), lat, lon)

    def _site(self, _name: str, node: Node, _file: RuleFile) -> tuple[str, ...] | None:
        places: list[str] = []
        for text, item in self._reader.texts(node, "a group of places"):
            if text in self.found.places:
                places.append(text)
            else:
                self.unknown(item, "WR021", "place", text, self.found.places)
        return tuple(dict.fromkeys(places)) or None

    def _line(self, name: str, node: Node, file: RuleFile) -> Polyline | None:
        what = f"the line {shown(name)}"
        found = self._reader.mapping(node, what, LINE_KEYS)
        if found is None or not self._one_of(node, found, what, "file", "points"):
            return None
        title = self._title(found, name)
        if "points" in found:
            part = self._points(found["points"])
            return Polyline(name, title, (part,)) if part else None
        parts = self._geometry(found["file"], file, geojson.parts)
        return Polyline(name, title, parts) if parts else None

    def _points(self, node: Node) -> geojson.Ring | None:
        before = self._faults.errors
        points: list[tuple[float, float]] = []
        for item in self._reader.items(node, "points"):
            if item.kind != "list" or len(item.items) != 2:  # noqa: PLR2004 -- a pair
                self._reader.wrong(item, "a point", "[lat, lon]")
                continue
            lat = self._reader.number(item.items[0], "lat", -90, 90)
            lon = self._reader.number(item.items[1], "lon", -180, 180)
            if lat is not None and lon is not None:
                points.append((lat, lon))
        if self._faults.errors > before:
            return None
        try:
            return geojson.line(tuple(points))
        except geojson.GeometryError as error:
            self._faults.error(node, "WR035", str(error))
            return None

    def _area(self, name: str, node: Node, file: RuleFile) -> Region | None:
        what = f"the area {shown(name)}"
        found = self._reader.mapping(node, what, AREA_KEYS, required=("file",))
        if found is None or "file" not in found:
            return None
        polygons = self._geometry(found["file"], file, geojson.polygons)
        return Region(name, self._title(found, name), polygons) if polygons else None

    def _geometry(
        self, node: Node, file: RuleFile, read: Callable[[list[dict[str, object]]], T]
    ) -> T | None:
        text = self._reader.text(node, "file", limit=1_000)
        if text is None:
            return None
        if "\0" in text:
            self._reader.wrong(node, "file", "a file name")
            return None
        try:
            return read(geojson.read_geojson(file.path.parent / text))
        except geojson.GeometryError as error:
            place = f":{error.line}:{error.column}" if error.line else ""
            self._faults.error(node, "WR035", f"{shown(text + place, 200)}: {error}")
            return None

    def _one_of(
        self, node: Node, found: Mapping[str, Node], what: str, first: str, second: str
    ) -> bool:
        if (first in found) == (second in found):
            code, word = ("WR015", "not both") if first in found else ("WR011", "one of them")
            self._faults.error(node, code, f"{what} needs '{first}' or '{second}', {word}")
            return False
        return True

    # --- countries and event types ------------------------------------------------------------

    def _country_group(self, _name: str, node: Node, _file: RuleFile) -> tuple[str, ...] | None:
        codes = (
            self.country(item, text)
            for text, item in self._reader.texts(node, "a group of countries")
        )
        return tuple(dict.fromkeys(code for code in codes if code)) or None

    def _event_types(self, _name: str, node: Node, _file: RuleFile) -> tuple[str, ...] | None:
        by_fold = {fold(value): value for value in EVENT_TYPES}
        types: list[str] = []
        for text, item in self._reader.texts(node, "a set of event types"):
            if fold(text) in by_fold:
                types.append(by_fold[fold(text)])
            else:
                self._reader.not_one_of(item, "event_type", text, EVENT_TYPES)
        return tuple(dict.fromkeys(types)) or None
