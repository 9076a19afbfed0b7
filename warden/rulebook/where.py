"""`where`: which events. The operator's sentence into a predicate tree, every name resolved.

Standing in the flow: called once a rule, with the definitions of all files at hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, cast

from warden.model.event import ROLES, Role
from warden.model.located import FaultList, Node, did_you_mean, shown
from warden.model.rule import (
    FLAG_FIELDS,
    NUMBER_FIELDS,
    TEXT_FIELDS,
    ActorGroup,
    ActorIs,
    AllOf,
    AnyOf,
    Flag,
    Inside,
    Near,
    NearBorder,
    Not,
    Number,
    Place,
    Predicate,
    Text,
    TextTest,
)
from warden.model.text import fold, glob_matches
from warden.rulebook.definitions import ALL_SITES, Definitions
from warden.rulebook.definitions import Loader as DefinitionsLoader
from warden.rulebook.language import (
    ACTOR_KEYS,
    BORDER_KEYS,
    BOUND_KEYS,
    INSIDE_KEYS,
    NEAR_KEYS,
    SIDES,
    TEXT_TEST_KEYS,
    WHERE_HINTS,
    WHERE_KEYS,
)
from warden.rulebook.patterns import check_glob, check_regex
from warden.rulebook.shapes import Reader
from warden.rulebook.vocabulary import VOCABULARIES

Certainty = Literal["coded", "certain", "possible"]
CERTAINTIES: Final[tuple[Certainty, ...]] = ("coded", "certain", "possible")
EARTH_KM: Final = 20_040.0  # half the way round: nothing is farther
_EPOCH: Final = date(1970, 1, 1)
_TOP: Final = 0

# What a number can be at all; a bound outside can never hold, or always does.
_RANGES: Final[dict[str, tuple[float, float]]] = {
    "fatalities": (0, math.inf),
    "geo_precision": (0, 3),
    "time_precision": (0, 3),
    "event_date": (-math.inf, math.inf),
}


@dataclass(frozen=True, slots=True)
class Where:
    """A resolved `where`.

    Attributes:
        predicate: the tree.
        location: how the error disc counts, None where nothing was said.
    """

    predicate: Predicate
    location: Certainty | None = None


@dataclass(slots=True)
class Pattern:
    """A text an operator wrote to match names, kept for the check against known names.

    Attributes:
        field: "actor" or a text field. test: the folded test. node: where it was written.
    """

    field: str
    test: TextTest
    node: Node


@dataclass(slots=True)
class WhereReader:
    """Reads the `where` of rules.

    Attributes:
        use: gives another rule's `where`; None after a fault (unknown, or a circle).
        neighbours: the land neighbours of a country, None where border data are not at hand.
        patterns: gathered for the check against known names.
        incomplete: a `where` that was used could not be read.
    """

    faults: FaultList
    definitions: Definitions
    names: DefinitionsLoader
    use: Callable[[Node, str], Where | None]
    neighbours: Callable[[str], tuple[str, ...]] | None = None
    patterns: list[Pattern] = field(default_factory=list)
    _reader: Reader = field(init=False)
    _location: Certainty | None = field(init=False, default=None)
    incomplete: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._reader = Reader(self.faults)

    def read(self, node: Node) -> Where:
        """The whole `where` of one rule."""
        self._location = None
        predicate = self._any_shape(node, _TOP)
        return Where(predicate, self._location)

    def _any_shape(self, node: Node, depth: int) -> Predicate:
        if node.kind == "list":
            parts = [self._any_shape(item, depth + 1) for item in node.items]
            if not parts:
                self.faults.error(node, "WR014", "'where' is an empty list: no event can match")
            return _any(parts)
        if node.kind != "mapping":
            self._reader.wrong(node, "where", "a mapping (all must hold) or a list (some must)")
            return AllOf(())
        if not node.entries and depth == _TOP:
            self.faults.error(node, "WR014", "'where' is empty: every event would match")
        parts = []
        for key, value in node.entries:
            if value.kind == "scalar" and value.value is None:
                self.faults.error(value, "WR014", f"{key.text} is empty; remove it or say what")
                continue
            part = self._entry(key, value, depth)
            if part is not None:
                parts.append(part)
        return _all(parts)

    def _entry(self, key: Node, value: Node, depth: int) -> Predicate | None:
        name = key.text
        special = _SPECIAL.get(name)
        if special is not None:
            return special(self, value, depth)
        if name == "location" and value.kind == "scalar" and value.text in CERTAINTIES:
            self._certainty(value, depth)
            return None
        if name in TEXT_FIELDS:
            return self.text_field(name, value)
        if name in NUMBER_FIELDS:
            return self._number_field(name, value)
        if name in FLAG_FIELDS:
            flag = self._reader.boolean(value, name)
            return None if flag is None else Flag(name, flag)
        hint = WHERE_HINTS.get(name)
        hint = f"; {hint}" if hint else did_you_mean(name, WHERE_KEYS)
        self.faults.error(key, "WR020", f"unknown field {shown(name)} in where{hint}")
        return None

    def all_of(self, node: Node, depth: int) -> Predicate:
        """`all:` every part must hold."""
        return _all(self._list(node, "all", depth))

    def any_of(self, node: Node, depth: int) -> Predicate:
        """`any:` some part must hold."""
        return _any(self._list(node, "any", depth))

    def not_(self, node: Node, depth: int) -> Predicate:
        """`not:` the part must not hold."""
        return Not(self._any_shape(node, depth + 1))

    def _list(self, node: Node, what: str, depth: int) -> list[Predicate]:
        if node.kind != "list":
            self._reader.wrong(node, what, "a list")
            return []
        if not node.items:
            self.faults.error(node, "WR014", f"{what} is an empty list")
        return [self._any_shape(item, depth + 1) for item in node.items]

    def _certainty(self, value: Node, depth: int) -> None:
        if depth != _TOP:
            self.faults.error(
                value,
                "WR015",
                f"location: {value.text} holds for the whole rule; write it at the top of where",
            )
            return
        self._location = cast("Certainty", value.text)

    def use_(self, node: Node, depth: int) -> Predicate | None:
        """`use:` the `where` of other rules must hold too."""
        parts: list[Predicate] = []
        location = self._location
        for name, item in self._reader.texts(node, "use"):
            used = self.use(item, name)
            if used is None:
                self.incomplete = True
            else:
                parts.append(used.predicate)
                location = location or used.location
        if depth == _TOP:
            self._location = location
        return _all(parts) if parts else None

    # --- texts --------------------------------------------------------------------------------

    def text_field(self, name: str, node: Node) -> Predicate | None:
        """A text field: a value, a list of values, or tests of other kinds."""
        if name == "country":
            codes = self.names.countries(node, "country")
            return _text("country", [TextTest("is", fold(code)) for code in codes])
        vocabulary = VOCABULARIES.get(name)
        if vocabulary is not None:
            return self._closed(name, node, vocabulary)
        return _text(name, self._tests(name, node))

    def _tests(self, name: str, node: Node) -> list[TextTest]:
        """Tests of one text; gathered as patterns to be checked against known names."""
        tests: list[TextTest] = []
        for item in self._alternatives(node, name):
            made = self._mapped_tests(name, item) if item.kind == "mapping" else []
            if item.kind != "mapping":
                text = self._reader.text(item, name)
                made = [(TextTest("is", fold(text)), item)] if text is not None else []
            for test, place in made:
                tests.append(test)
                self.patterns.append(Pattern(name, test, place))
        return tests

    def _alternatives(self, node: Node, what: str) -> tuple[Node, ...]:
        return (node,) if node.kind == "mapping" else self._reader.items(node, what)

    def _mapped_tests(self, name: str, node: Node) -> list[tuple[TextTest, Node]]:
        found = self._reader.mapping(node, name, TEXT_TEST_KEYS)
        if not found:
            if found is not None and not node.entries:
                self.faults.error(node, "WR014", f"{name} has an empty test")
            return []
        if len(found) > 1:
            self.faults.error(
                node, "WR015", f"{name}: one of {', '.join(found)} at a time; write a list of them"
            )
            return []
        op, value = next(iter(found.items()))
        tests = []
        for text, item in self._reader.texts(value, f"{name} {op}"):
            test = self.test(op, text, item)
            if test is not None:
                tests.append((test, item))
        return tests

    def test(self, op: str, text: str, node: Node) -> TextTest | None:
        """One checked and folded test."""
        if op == "matches":
            glob = check_glob(node, text, self.faults)
            return None if glob is None else TextTest("matches", glob)
        if op == "regex":
            pattern = check_regex(node, text, self.faults)
            return None if pattern is None else TextTest("regex", pattern)
        folded = fold(text)
        if not folded:
            self.faults.error(node, "WR014", f"{shown(text)} is an empty text")
            return None
        return TextTest("contains" if op == "contains" else "is", folded)

    def _closed(self, name: str, node: Node, vocabulary: tuple[str, ...]) -> Predicate | None:
        """A field whose values are a closed list: unknown ones are errors."""
        by_fold = {fold(value): value for value in vocabulary}
        tests: list[TextTest] = []
        for item in self._alternatives(node, name):
            if item.kind == "mapping":
                for test, place in self._mapped_tests(name, item):
                    self._check_closed(name, test, place, tuple(by_fold))
                    tests.append(test)
                continue
            text = self._reader.text(item, name)
            if text is None:
                continue
            if name == "event_type" and text in self.definitions.event_types:
                types = self.definitions.event_types[text]
                tests.extend(TextTest("is", fold(value)) for value in types)
            elif fold(text) in by_fold:
                tests.extend(_closed_tests(name, fold(text)))
            else:
                sets = self.definitions.event_types if name == "event_type" else {}
                self._unknown_value(item, name, text, (*vocabulary, *sets))
        return _text(name, list(dict.fromkeys(tests)))

    def _unknown_value(self, node: Node, name: str, text: str, choices: tuple[str, ...]) -> None:
        if name == "event_type" and self.names.stands_in_a_broken_file(text):
            return
        self._reader.not_one_of(node, name, text, choices)

    def _check_closed(self, name: str, test: TextTest, node: Node, values: tuple[str, ...]) -> None:
        if test.op == "matches" and not any(glob_matches(test.value, v) for v in values):
            self.faults.error(node, "WR013", f"{shown(test.value)} matches no {name} there is")
        if test.op == "contains" and not any(test.value in v for v in values):
            self.faults.error(node, "WR013", f"no {name} contains {shown(test.value)}")

    # --- numbers and dates --------------------------------------------------------------------

    def _number_field(self, name: str, node: Node) -> Predicate | None:
        if node.kind == "list":
            parts = [self._number(name, item) for item in self._reader.items(node, name)]
            return _any([part for part in parts if part is not None]) if parts else None
        return self._number(name, node)

    def _number(self, name: str, node: Node) -> Predicate | None:
        if node.kind == "scalar":
            value = self._quantity(name, node)
            return None if value is None else Number(name, gte=value, lte=value)
        found = self._reader.mapping(node, name, BOUND_KEYS)
        if found is None:
            return None
        bounds = self._bounds(name, found)
        if not bounds:
            if not node.entries:
                self.faults.error(node, "WR014", f"{name} has no bound; write {{gte: 3}}")
            return None
        number = Number(name, **bounds)
        self._check_holds(name, number, node)
        return number

    def _bounds(self, name: str, found: Mapping[str, Node]) -> dict[str, float]:
        bounds: dict[str, float] = {}
        for op, node in found.items():
            if op == "between":
                bounds |= self._between(name, node, found)
                continue
            value = self._quantity(f"{name} {op}", node, name)
            if value is not None:
                bounds[op] = value
        return bounds

    def _between(self, name: str, node: Node, found: Mapping[str, Node]) -> dict[str, float]:
        if len(found) > 1:
            self.faults.error(node, "WR015", f"{name}: 'between' and another bound; keep one")
            return {}
        if node.kind != "list" or len(node.items) != 2:  # noqa: PLR2004 -- a pair
            self._reader.wrong(node, f"{name} between", "a list of two, both included")
            return {}
        low, high = (self._quantity(f"{name} between", item, name) for item in node.items)
        return {} if low is None or high is None else {"gte": low, "lte": high}

    def _quantity(self, what: str, node: Node, name: str | None = None) -> float | None:
        name = name or what
        if name == "event_date":
            day = self._reader.date(node, what)
            return None if day is None else float((day - _EPOCH).days)
        low, high = _RANGES[name]
        return self._reader.number(node, what, low, high)

    def _check_holds(self, name: str, number: Number, node: Node) -> None:
        low, high = _whole_bounds(number)
        least, most = _RANGES[name]
        if low > high or high < least or low > most:
            self.faults.error(node, "WR030", f"no {name} lies within these bounds")

    # --- actors -------------------------------------------------------------------------------

    def actor(self, node: Node, _depth: int) -> Predicate | None:
        """One mapping, or names and mappings of which some must hold."""
        names: list[TextTest] = []
        parts: list[Predicate] = []
        for item in self._alternatives(node, "actor"):
            if item.kind == "mapping":
                part = self._actor_mapping(item)
                if part is not None:
                    parts.append(part)
                continue
            names.extend(self._actor_names("is", item))
        if names:
            parts.append(ActorIs(names=tuple(names)))
        return _any(parts) if parts else None

    def _actor_mapping(self, node: Node) -> ActorIs | None:
        found = self._reader.mapping(node, "actor", ACTOR_KEYS)
        if found is None:
            return None
        roles = self._roles(found.pop("roles", None))
        if len(found) != 1:
            keys = [key for key in ACTOR_KEYS if key != "roles"]
            if node.entries and not found and node.get("roles") is None:
                return None  # only unknown keys, and those have been said
            code, word = ("WR015", "one") if found else ("WR011", "needs one")
            self.faults.error(
                node, code, f"actor: {word} of {', '.join(keys)} at a time; write a list for more"
            )
            return None
        key, value = next(iter(found.items()))
        if key in ("group", "groups"):
            groups = self.groups(value)
            return ActorIs(roles=roles, groups=groups) if groups else None
        if key == "type":
            tests = self._tests("actor_type", value)
            return ActorIs(roles=roles, types=tuple(tests)) if tests else None
        names = self._actor_names("is" if key == "name" else key, value)
        return ActorIs(roles=roles, names=tuple(names)) if names else None

    def groups(self, node: Node) -> tuple[ActorGroup, ...]:
        """Groups of actors by their ids."""
        groups: list[ActorGroup] = []
        for name, item in self._reader.texts(node, "group"):
            group = self.definitions.groups.get(name)
            if group is None:
                self.names.unknown(item, "WR022", "group of actors", name, self.definitions.groups)
            else:
                groups.append(group)
        return tuple(dict.fromkeys(groups))

    def _actor_names(self, op: str, node: Node) -> list[TextTest]:
        """Tests of names; a plain name stands for its aliases and regime periods too."""
        tests: list[TextTest] = []
        for text, item in self._reader.texts(node, "actor"):
            test = self.test(op, text, item)
            if test is None:
                continue
            self.patterns.append(Pattern("actor", test, item))
            tests.append(test)
            if op == "is":
                others = self.names.spelled_out([test.value])
                tests.extend(_name_test(other) for other in others if other != test.value)
        return tests

    def actor_type(self, node: Node, _depth: int) -> Predicate | None:
        """`actor_type:` some actor is of that class."""
        tests = self._tests("actor_type", node)
        return ActorIs(types=tuple(tests)) if tests else None

    def _roles(self, node: Node | None) -> tuple[Role, ...]:
        if node is None:
            return ROLES
        roles: list[str] = []
        for text, item in self._reader.texts(node, "roles"):
            if text in ROLES:
                roles.append(text)
            else:
                self._reader.not_one_of(item, "roles", text, ROLES)
        return tuple(role for role in ROLES if role in roles) or ROLES

    # --- places -------------------------------------------------------------------------------

    def near(self, node: Node, _depth: int) -> Predicate | None:
        """`near:` within a distance of places or a line."""
        found = self._reader.mapping(node, "near", NEAR_KEYS, required=("within_km",))
        if found is None:
            return None
        km = self._km(found, "near")
        targets: list[str] = [key for key in ("place", "places", "line", "lat") if key in found]
        if "lon" in found and "lat" not in found:
            targets.append("lon")
        if len(targets) != 1:
            code = "WR015" if targets else "WR011"
            self.faults.error(
                node, code, "near needs one of 'place', 'places', 'line', or 'lat' with 'lon'"
            )
            return None
        return self._near_target(node, found, km or 1.0)

    def _near_target(self, node: Node, found: Mapping[str, Node], km: float) -> Near | None:
        if "line" in found:
            name = self._reader.text(found["line"], "line")
            line = self.definitions.lines.get(name or "")
            if line is None and name is not None:
                self.names.unknown(found["line"], "WR023", "line", name, self.definitions.lines)
            return None if line is None else Near(km, line=line)
        if "lat" in found or "lon" in found:
            place = self._point(node, found)
            return None if place is None else Near(km, places=(place,))
        key = "place" if "place" in found else "places"
        places = self._places(found[key], key)
        return Near(km, places=places) if places else None

    def _point(self, node: Node, found: Mapping[str, Node]) -> Place | None:
        if not {"lat", "lon"} <= found.keys():
            self.faults.error(node, "WR011", "near needs both 'lat' and 'lon'")
            return None
        lat = self._reader.number(found["lat"], "lat", -90, 90)
        lon = self._reader.number(found["lon"], "lon", -180, 180)
        if lat is None or lon is None:
            return None
        return Place(f"{lat:g},{lon:g}", f"{lat:g}, {lon:g}", lat, lon)

    def _places(self, node: Node, key: str) -> tuple[Place, ...]:
        """Places by id; under `places:` also groups of places, and `sites` for all groups."""
        ids: list[str] = []
        sites = self.definitions.sites if key == "places" else {}
        for name, item in self._reader.texts(node, key):
            if name in self.definitions.places:
                ids.append(name)
            elif name in sites:
                ids.extend(sites[name])
            elif key == "places" and name == ALL_SITES and sites:
                ids.extend(place for group in sites.values() for place in group)
            else:
                self._unknown_place(item, name, key)
        return tuple(self.definitions.places[name] for name in dict.fromkeys(ids))

    def _unknown_place(self, node: Node, name: str, key: str) -> None:
        if key == "place" and name in self.definitions.sites:
            self.faults.error(
                node, "WR021", f"{shown(name)} is a group of places; write places: {name}"
            )
            return
        choices: dict[str, object] = {**self.definitions.places}
        if key == "places":
            choices |= self.definitions.sites
        self.names.unknown(node, "WR021", "place", name, choices)

    def _km(self, found: Mapping[str, Node], what: str) -> float | None:
        node = found.get("within_km")
        if node is None:
            return None
        km = self._reader.number(node, f"{what} within_km", 0, EARTH_KM)
        if km == 0:
            self.faults.error(node, "WR016", f"{what} within_km is 0; it must be more")
            return None
        return km

    def border(self, node: Node, _depth: int) -> Predicate | None:
        """`border:` within a distance of a land border."""
        found = self._reader.mapping(
            node, "border", BORDER_KEYS, required=("of", "with", "within_km")
        )
        if found is None:
            return None
        km = self._km(found, "border")
        side = self._reader.choice(found["side"], "side", SIDES) if "side" in found else "any"
        of = self._country_of(found.get("of"))
        neighbours = self.names.countries(found["with"], "with") if "with" in found else ()
        if of is None or not neighbours or km is None or side is None:
            return None
        self._check_neighbours(of, neighbours, found["with"])
        return NearBorder(of, neighbours, km, cast("Literal['any', 'inside', 'outside']", side))

    def _country_of(self, node: Node | None) -> str | None:
        text = self._reader.text(node, "of") if node is not None else None
        return None if node is None or text is None else self.names.country(node, text)

    def _check_neighbours(self, of: str, neighbours: tuple[str, ...], node: Node) -> None:
        if of in neighbours:
            self.faults.error(node, "WR037", f"{of} has no border with itself")
        if self.neighbours is None:
            return
        real = self.neighbours(of)
        strangers = [code for code in neighbours if code not in real and code != of]
        if strangers:
            self.faults.error(
                node,
                "WR037",
                f"{of} shares no land border with {', '.join(strangers)}; "
                f"its neighbours are {', '.join(sorted(real)) or 'none'}",
            )

    def inside(self, node: Node, _depth: int) -> Predicate | None:
        """`inside:` in a country, an area or a division."""
        found = self._reader.mapping(node, "inside", INSIDE_KEYS)
        if found is None:
            return None
        if not node.entries:
            self.faults.error(node, "WR011", "inside needs 'country', 'area' or 'admin1'")
        parts: list[Predicate] = []
        if "country" in found:
            codes = self.names.countries(found["country"], "country")
            parts.extend([Inside(countries=codes)] if codes else [])
        if "area" in found:
            parts.extend(self._areas(found["area"]))
        if "admin1" in found:
            part = self.text_field("admin1", found["admin1"])
            parts.extend([part] if part is not None else [])
        return _all(parts) if parts else None

    def _areas(self, node: Node) -> list[Predicate]:
        areas: list[Predicate] = []
        for name, item in self._reader.texts(node, "area"):
            region = self.definitions.regions.get(name)
            if region is None:
                self.names.unknown(item, "WR023", "area", name, self.definitions.regions)
            else:
                areas.append(Inside(region=region))
        return [_any(areas)] if areas else []


def _closed_tests(name: str, folded: str) -> list[TextTest]:
    """`disorder_type` may name two at once ("Political violence; Demonstrations")."""
    op: Literal["is", "contains"] = "contains" if name == "disorder_type" else "is"
    return [TextTest(op, folded)]


def _name_test(text: str) -> TextTest:
    return TextTest("matches" if "*" in text or "?" in text else "is", text)


def _text(name: str, tests: list[TextTest]) -> Text | None:
    return Text(name, tuple(tests)) if tests else None


def _all(parts: list[Predicate]) -> Predicate:
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _any(parts: list[Predicate]) -> Predicate:
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def _whole_bounds(number: Number) -> tuple[float, float]:
    """The least and greatest whole number within the bounds: all these fields are whole."""
    low, high = -math.inf, math.inf
    if number.gte is not None:
        low = max(low, math.ceil(number.gte))
    if number.gt is not None:
        low = max(low, math.floor(number.gt) + 1)
    if number.lte is not None:
        high = min(high, math.floor(number.lte))
    if number.lt is not None:
        high = min(high, math.ceil(number.lt) - 1)
    return low, high


_SPECIAL: Final[dict[str, Callable[[WhereReader, Node, int], Predicate | None]]] = {
    "all": WhereReader.all_of,
    "any": WhereReader.any_of,
    "not": WhereReader.not_,
    "use": WhereReader.use_,
    "actor": WhereReader.actor,
    "actor_type": WhereReader.actor_type,
    "near": WhereReader.near,
    "border": WhereReader.border,
    "inside": WhereReader.inside,
}


def leaves(predicate: Predicate) -> Iterator[Predicate]:
    """The tests of a tree that do not stand under a `not`: those a match can be described by."""
    if isinstance(predicate, AllOf | AnyOf):
        for part in predicate.parts:
            yield from leaves(part)
    elif not isinstance(predicate, Not):
        yield predicate
