"""Which events a rule is about, and where they lie.

Standing in the flow: a rule's predicate tree is compiled once into a `Matcher`; `match(frame)`
gives the matching rows with their spatial facts and the keys they count under.

Cheap predicates run first and each runs only on the rows that are left. Text predicates are
decided once per distinct value and remembered by the matcher.

The error disc of a location (`rule.location`): *coded* asks of the point, *certain* of the whole
disc, *possible* of some of it. Under a `not` the last two change places, since "certainly not
near" is "not possibly near".
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from warden.engine.actors import Names, in_group, is_civilian, text_passes
from warden.engine.frame import BoolArray, Coded, FloatArray, Frame, IntArray
from warden.engine.geo.areas import AreaIndex
from warden.engine.geo.distance import PointIndex, distance_km
from warden.engine.geo.geography import Geography
from warden.engine.geo.lines import PolylineIndex
from warden.model.event import Actor
from warden.model.rule import (
    ROLES,
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
    Rule,
    Text,
)
from warden.model.signal import Key
from warden.model.text import fold

Mode = Literal["coded", "certain", "possible"]
MISSING = "_missing"
SMALL = 8  # below this many rows a plain loop is faster than NumPy's set-up
_FLIPPED: dict[Mode, Mode] = {"coded": "coded", "certain": "possible", "possible": "certain"}


class _Node(Protocol):
    """A compiled predicate. `cost` orders the parts of an AND."""

    cost: int

    def mask(self, frame: Frame, rows: IntArray, mode: Mode) -> BoolArray:
        """Decide the given rows; the answer is as long as `rows`."""
        ...


@dataclass(frozen=True, slots=True)
class Matches:
    """The rows of a frame that a rule is about.

    Attributes:
        frame: only the matching rows, m of them; every array below has length m.
        distance_km: to the nearest of the rule's places or its line; NaN without one.
        place: that place (None for a line or without one).
        border_km, border_neighbour, border_of, side: NaN / "" without a border predicate.
        certain: the whole error disc satisfies the rule's spatial predicates.
        actors: the names that matched the rule's own actor predicate.
        groups: the ids of the rule's actor groups that take part.
        key_row, key_code: an event counts once under each of its keys: k pairs of a row and an
            index into `keys`.
    """

    frame: Frame
    distance_km: FloatArray
    place: tuple[Place | None, ...]
    border_km: FloatArray
    border_neighbour: tuple[str, ...]
    border_of: str
    side: tuple[str, ...]
    certain: BoolArray
    actors: tuple[tuple[str, ...], ...]
    groups: tuple[tuple[str, ...], ...]
    key_row: IntArray
    key_code: IntArray
    keys: tuple[Key, ...]

    def __len__(self) -> int:
        return len(self.frame)

    def without(self, uids: Set[str]) -> Matches:
        """All rows but those of these events."""
        gone = np.fromiter((uid in uids for uid in self.frame.uid), np.bool_, len(self))
        return self.take(np.flatnonzero(~gone)) if gone.any() else self

    def take(self, rows: IntArray) -> Matches:
        """Some of the rows."""
        position = np.full(len(self), -1, dtype=np.int64)
        position[rows] = np.arange(len(rows))
        kept = position[self.key_row] >= 0
        used, codes = np.unique(self.key_code[kept], return_inverse=True)
        return Matches(
            frame=self.frame.take(rows),
            distance_km=self.distance_km[rows],
            place=tuple(self.place[row] for row in rows),
            border_km=self.border_km[rows],
            border_neighbour=tuple(self.border_neighbour[row] for row in rows),
            border_of=self.border_of,
            side=tuple(self.side[row] for row in rows),
            certain=self.certain[rows],
            actors=tuple(self.actors[row] for row in rows),
            groups=tuple(self.groups[row] for row in rows),
            key_row=position[self.key_row[kept]],
            key_code=codes.astype(np.int64),
            keys=tuple(self.keys[code] for code in used),
        )

    def joined(self, other: Matches) -> Matches:
        """The rows of both, these first."""
        index = {key: code for code, key in enumerate(self.keys)}
        recoded = np.array(
            [index.setdefault(key, len(index)) for key in other.keys], dtype=np.int64
        )
        theirs = recoded[other.key_code] if len(other.key_code) else other.key_code
        return Matches(
            frame=self.frame.joined(other.frame),
            distance_km=np.concatenate((self.distance_km, other.distance_km)),
            place=self.place + other.place,
            border_km=np.concatenate((self.border_km, other.border_km)),
            border_neighbour=self.border_neighbour + other.border_neighbour,
            border_of=self.border_of,
            side=self.side + other.side,
            certain=np.concatenate((self.certain, other.certain)),
            actors=self.actors + other.actors,
            groups=self.groups + other.groups,
            key_row=np.concatenate((self.key_row, other.key_row + len(self))),
            key_code=np.concatenate((self.key_code, theirs)),
            keys=tuple(index),
        )

    def keys_of(self, row: int) -> tuple[Key, ...]:
        """The keys that one row counts under."""
        return tuple(self.keys[code] for code in self.key_code[self.key_row == row])


class Matcher:
    """A rule's `where`, compiled. Pure but for remembered text decisions."""

    def __init__(self, rule: Rule, geography: Geography, names: Names | None = None) -> None:
        self.rule = rule
        self._geography = geography
        self._names = names or Names()
        self._root = _compile(rule.where, geography)
        self._predicates = tuple(_positive(rule.where))
        self._nears = [p for p in self._predicates if isinstance(p, Near)]
        self._points = _points(self._nears)
        self._lines = [PolylineIndex(n.line.parts) for n in self._nears if n.line is not None]
        self._borders = [
            _BorderNode(p, geography) for p in self._predicates if isinstance(p, NearBorder)
        ]
        self._actor_tests = [_ActorNode(p) for p in self._predicates if isinstance(p, ActorIs)]
        self._spatial = any(
            isinstance(p, Near | NearBorder | Inside) for p in _every(rule.where)
        )

    def rows(self, frame: Frame) -> IntArray:
        """The positions of the matching rows."""
        everything = np.arange(len(frame), dtype=np.int64)
        return everything[self._root.mask(frame, everything, self.rule.location)]

    def match(self, frame: Frame) -> Matches:
        """The matching rows with their spatial facts and keys."""
        return self.describe(frame.take(self.rows(frame)))

    def describe(self, matched: Frame) -> Matches:
        """The spatial facts and keys of all rows of a frame, whether they match or not."""
        distance, place = self._nearest_place(matched)
        border_km, neighbour, side = self._nearest_border(matched)
        actors = tuple(self._matched_actors(matched, row) for row in range(len(matched)))
        groups = tuple(self._groups_of(matched.row_parties(row)) for row in range(len(matched)))
        key_row, key_code, keys = self._keys(matched, actors, groups, neighbour)
        return Matches(
            frame=matched,
            distance_km=distance,
            place=place,
            border_km=border_km,
            border_neighbour=neighbour,
            border_of=self._borders[0].predicate.of if self._borders else "",
            side=side,
            certain=self._certain(matched),
            actors=actors,
            groups=groups,
            key_row=key_row,
            key_code=key_code,
            keys=keys,
        )

    def _certain(self, matched: Frame) -> BoolArray:
        everything = np.arange(len(matched), dtype=np.int64)
        if not self._spatial or not len(matched):
            return np.ones(len(matched), dtype=np.bool_)
        return self._root.mask(matched, everything, "certain")

    def _nearest_place(self, matched: Frame) -> tuple[FloatArray, tuple[Place | None, ...]]:
        lats, lons = matched.number["lat"], matched.number["lon"]
        best = np.full(len(matched), np.nan)
        place: list[Place | None] = [None] * len(matched)
        if not len(matched):
            return best, ()
        if self._points is not None:
            index, places = self._points
            best, which = index.nearest(lats, lons)
            place = [places[int(position)] for position in which]
        for line in self._lines:
            km = line.distance_km(lats, lons)
            closer = np.isnan(best) | (km < best)
            best = np.where(closer, km, best)
            place = [None if near else old for near, old in zip(closer, place, strict=True)]
        return best, tuple(place)

    def _nearest_border(
        self, matched: Frame
    ) -> tuple[FloatArray, tuple[str, ...], tuple[str, ...]]:
        nothing = ("",) * len(matched)
        if not self._borders or not len(matched):
            return np.full(len(matched), np.nan), nothing, nothing
        lats, lons = matched.number["lat"], matched.number["lon"]
        border = self._borders[0]
        km, neighbour = border.nearest(lats, lons)
        inside = border.inside(lats, lons)
        return km, neighbour, tuple("inside" if yes else "outside" for yes in inside)

    def _matched_actors(self, matched: Frame, row: int) -> tuple[str, ...]:
        parties = matched.row_parties(row)
        names = [a.name for test in self._actor_tests for a in parties if test.actor_passes(a)]
        return tuple(dict.fromkeys(names))

    def _keys(
        self,
        matched: Frame,
        actors: Sequence[tuple[str, ...]],
        groups: Sequence[tuple[str, ...]],
        neighbour: Sequence[str],
    ) -> tuple[IntArray, IntArray, tuple[Key, ...]]:
        if not self.rule.by:
            rows = np.arange(len(matched), dtype=np.int64)
            return rows, np.zeros(len(matched), dtype=np.int64), ((),)
        index: dict[Key, int] = {}
        key_rows: list[int] = []
        key_codes: list[int] = []
        dimensions = [
            self._dimension(by, matched, actors, groups, neighbour) for by in self.rule.by
        ]
        for row in range(len(matched)):
            for combination in itertools.product(*(values(row) for values in dimensions)):
                key = tuple(sorted(zip(self.rule.by, combination, strict=True)))
                key_rows.append(row)
                key_codes.append(index.setdefault(key, len(index)))
        return (
            np.array(key_rows, dtype=np.int64),
            np.array(key_codes, dtype=np.int64),
            tuple(index),
        )

    def _dimension(
        self,
        by: str,
        matched: Frame,
        actors: Sequence[tuple[str, ...]],
        groups: Sequence[tuple[str, ...]],
        neighbour: Sequence[str],
    ) -> Callable[[int], tuple[str, ...]]:
        if by == "actor_group":
            return lambda row: groups[row] or (MISSING,)
        if by == "actor":
            return lambda row: self._actors_of(matched, row, actors[row]) or (MISSING,)
        if by == "border_neighbour":
            return lambda row: (neighbour[row] or MISSING,)
        if by == "place":
            within = self._places_within(matched)
            return lambda row: within[row] or (MISSING,)
        column = matched.coded["iso3" if by == "country" else by]
        return lambda row: (column[row] or MISSING,)

    def _groups_of(self, parties: Sequence[Actor]) -> tuple[str, ...]:
        roles = {role for test in self._actor_tests for role in test.predicate.roles}
        groups = self.rule.groups or tuple(
            group for test in self._actor_tests for group in test.predicate.groups
        )
        present = [a.name for a in parties if a.role in (roles or ROLES)]
        return tuple(
            dict.fromkeys(g.id for g in groups if any(in_group(g, name) for name in present))
        )

    def _actors_of(self, matched: Frame, row: int, matching: tuple[str, ...]) -> tuple[str, ...]:
        names = matching if self._actor_tests else tuple(
            actor.name for actor in matched.row_parties(row) if not is_civilian(actor)
        )
        return tuple(dict.fromkeys(self._names.canonical(name) for name in names))

    def _places_within(self, matched: Frame) -> list[tuple[str, ...]]:
        lats, lons = matched.number["lat"], matched.number["lon"]
        found: list[list[str]] = [[] for _ in range(len(matched))]
        for near in self._nears:
            for place in near.places:
                km = distance_km(lats, lons, place.lat, place.lon)
                for row in np.flatnonzero(km <= near.within_km):
                    found[row].append(place.id)
        return [tuple(dict.fromkeys(ids)) for ids in found]


# --- compiling --------------------------------------------------------------------------------


def _compile(predicate: Predicate, geography: Geography) -> _Node:
    if isinstance(predicate, AllOf):
        return _AllNode([_compile(part, geography) for part in predicate.parts])
    if isinstance(predicate, AnyOf):
        return _AnyNode([_compile(part, geography) for part in predicate.parts])
    if isinstance(predicate, Not):
        return _NotNode(_compile(predicate.part, geography))
    if isinstance(predicate, Text):
        return _PlainTextNode(predicate) if predicate.field == "notes" else _TextNode(predicate)
    if isinstance(predicate, ActorIs):
        return _ActorNode(predicate)
    if isinstance(predicate, Number):
        return _NumberNode(predicate)
    if isinstance(predicate, Flag):
        return _FlagNode(predicate)
    if isinstance(predicate, Near):
        return _NearNode(predicate)
    if isinstance(predicate, NearBorder):
        return _BorderNode(predicate, geography)
    return _InsideNode(predicate, geography)


def _every(predicate: Predicate) -> list[Predicate]:
    """All leaves of the tree."""
    if isinstance(predicate, AllOf | AnyOf):
        return [leaf for part in predicate.parts for leaf in _every(part)]
    return _every(predicate.part) if isinstance(predicate, Not) else [predicate]


def _positive(predicate: Predicate) -> list[Predicate]:
    """The leaves that do not stand under a `not`: those a match can be described by."""
    if isinstance(predicate, AllOf | AnyOf):
        return [leaf for part in predicate.parts for leaf in _positive(part)]
    return [] if isinstance(predicate, Not) else [predicate]


def _points(nears: Sequence[Near]) -> tuple[PointIndex, tuple[Place, ...]] | None:
    places = tuple(dict.fromkeys(place for near in nears for place in near.places))
    if not places:
        return None
    return PointIndex([(place.lat, place.lon) for place in places]), places


class _AllNode:
    def __init__(self, parts: list[_Node]) -> None:
        self._parts = sorted(parts, key=lambda part: part.cost)
        self.cost = sum(part.cost for part in parts)

    def mask(self, frame: Frame, rows: IntArray, mode: Mode) -> BoolArray:
        left = np.arange(len(rows), dtype=np.int64)
        for part in self._parts:
            if not left.size:
                break
            left = left[part.mask(frame, rows[left], mode)]
        result = np.zeros(len(rows), dtype=np.bool_)
        result[left] = True
        return result


class _AnyNode:
    def __init__(self, parts: list[_Node]) -> None:
        self._parts = sorted(parts, key=lambda part: part.cost)
        self.cost = sum(part.cost for part in parts)

    def mask(self, frame: Frame, rows: IntArray, mode: Mode) -> BoolArray:
        result = np.zeros(len(rows), dtype=np.bool_)
        for part in self._parts:
            undecided = np.flatnonzero(~result)
            if not undecided.size:
                break
            result[undecided] = part.mask(frame, rows[undecided], mode)
        return result


class _NotNode:
    def __init__(self, part: _Node) -> None:
        self._part = part
        self.cost = part.cost

    def mask(self, frame: Frame, rows: IntArray, mode: Mode) -> BoolArray:
        return ~self._part.mask(frame, rows, _FLIPPED[mode])


def _decide_codes(
    column: Coded, rows: IntArray, decide: Callable[[int], bool]
) -> BoolArray:
    """Decide a coded column, asking once per distinct code among the rows."""
    codes = column.codes[rows]
    if len(rows) <= SMALL:
        return np.array([decide(int(code)) for code in codes], dtype=np.bool_)
    table = np.zeros(len(column.values), dtype=np.bool_)
    for code in np.unique(codes):
        table[code] = decide(int(code))
    return table[codes]


class _TextNode:
    cost = 1

    def __init__(self, predicate: Text) -> None:
        self._tests = predicate.tests
        self._column = "iso3" if predicate.field == "country" else predicate.field
        self._is_list = predicate.field == "tags"
        self._known: dict[str, bool] = {}

    def mask(self, frame: Frame, rows: IntArray, mode: Mode) -> BoolArray:  # noqa: ARG002
        column = frame.coded[self._column]
        return _decide_codes(column, rows, lambda code: self._decide(column.values[code]))

    def _decide(self, text: str) -> bool:
        known = self._known.get(text)
        if known is None:
            candidates = json.loads(text or "[]") if self._is_list else [text]
            known = any(
                text_passes(test, fold(candidate))
                for candidate in candidates
                for test in self._tests
            )
            self._known[text] = known
        return known


class _PlainTextNode:
    """A text that hardly repeats: decided row by row, nothing remembered."""

    cost = 50

    def __init__(self, predicate: Text) -> None:
        self._predicate = predicate

    def mask(self, frame: Frame, rows: IntArray, mode: Mode) -> BoolArray:  # noqa: ARG002
        texts = frame.plain[self._predicate.field][rows]
        tests = self._predicate.tests
        return np.array(
            [any(text_passes(test, fold(text or "")) for test in tests) for text in texts],
            dtype=np.bool_,
        )


class _ActorNode:
    cost = 3

    def __init__(self, predicate: ActorIs) -> None:
        self.predicate = predicate
        self._roles = frozenset(predicate.roles)
        self._known_names: dict[tuple[str, str], bool] = {}
        self._known_parties: dict[str, bool] = {}

    def mask(self, frame: Frame, rows: IntArray, mode: Mode) -> BoolArray:  # noqa: ARG002
        values = frame.coded["actors"].values

        def decide(code: int) -> bool:
            text = values[code]
            known = self._known_parties.get(text)
            if known is None:
                known = any(self.actor_passes(actor) for actor in frame.parties(code))
                self._known_parties[text] = known
            return known

        return _decide_codes(frame.coded["actors"], rows, decide)

    def actor_passes(self, actor: Actor) -> bool:
        """Whether this one actor satisfies the predicate."""
        if actor.role not in self._roles:
            return False
        cached = self._known_names.get((actor.name, actor.type))
        if cached is None:
            cached = self._name_passes(actor)
            self._known_names[actor.name, actor.type] = cached
        return cached

    def _name_passes(self, actor: Actor) -> bool:
        predicate = self.predicate
        if any(in_group(group, actor.name) for group in predicate.groups):
            return True
        if any(text_passes(test, fold(actor.name)) for test in predicate.names):
            return True
        return any(text_passes(test, fold(actor.type)) for test in predicate.types)


class _NumberNode:
    cost = 1

    def __init__(self, predicate: Number) -> None:
        self._predicate = predicate

    def mask(self, frame: Frame, rows: IntArray, mode: Mode) -> BoolArray:  # noqa: ARG002
        p = self._predicate
        column = frame.day if p.field == "event_date" else frame.number[p.field]
        values = column[rows]
        result = ~np.isnan(values.astype(np.float64))
        if p.gte is not None:
            result &= values >= p.gte
        if p.gt is not None:
            result &= values > p.gt
        if p.lte is not None:
            result &= values <= p.lte
        if p.lt is not None:
            result &= values < p.lt
        return result


class _FlagNode:
    cost = 1

    def __init__(self, predicate: Flag) -> None:
        self._value = predicate.value

    def mask(self, frame: Frame, rows: IntArray, mode: Mode) -> BoolArray:  # noqa: ARG002
        return frame.civilian_targeting[rows] == self._value


def _bounds(frame: Frame, rows: IntArray, within_km: float, mode: Mode) -> FloatArray:
    """The bound a row's coded point must keep, given its error disc."""
    if mode == "coded":
        return np.full(len(rows), within_km)
    error = frame.number["location_error_km"][rows]
    return within_km - error if mode == "certain" else within_km + error


class _NearNode:
    cost = 10

    def __init__(self, predicate: Near) -> None:
        self._within_km = predicate.within_km
        points = _points([predicate])
        self._points = points[0] if points else None
        self._line = PolylineIndex(predicate.line.parts) if predicate.line else None

    def mask(self, frame: Frame, rows: IntArray, mode: Mode) -> BoolArray:
        lats, lons = frame.number["lat"][rows], frame.number["lon"][rows]
        bounds = _bounds(frame, rows, self._within_km, mode)
        widest = float(bounds.max(initial=0.0))
        result = np.zeros(len(rows), dtype=np.bool_)
        if self._points is not None:
            near, km, _ = self._points.within(lats, lons, widest)
            result |= near & (km <= bounds)
        if self._line is not None:
            near, km = self._line.within(lats, lons, widest)
            result |= near & (km <= bounds)
        return result


class _BorderNode:
    cost = 30

    def __init__(self, predicate: NearBorder, geography: Geography) -> None:
        self.predicate = predicate
        self._lines = [
            (neighbour, line)
            for neighbour in predicate.neighbours
            if (line := geography.border(predicate.of, neighbour)) is not None
        ]
        self._country = geography.country(predicate.of)

    def mask(self, frame: Frame, rows: IntArray, mode: Mode) -> BoolArray:
        lats, lons = frame.number["lat"][rows], frame.number["lon"][rows]
        bounds = _bounds(frame, rows, self.predicate.within_km, mode)
        widest = float(bounds.max(initial=0.0))
        result = np.zeros(len(rows), dtype=np.bool_)
        for _, line in self._lines:
            near, km = line.within(lats, lons, widest)
            result |= near & (km <= bounds)
        if self.predicate.side == "any" or not result.any():
            return result
        left = np.flatnonzero(result)
        disc = frame.number["location_error_km"][rows[left]]
        wanted: Mode = mode if self.predicate.side == "inside" else _FLIPPED[mode]
        inside = _disc_inside(self._country, lats[left], lons[left], disc, wanted)
        result[left] = inside if self.predicate.side == "inside" else ~inside
        return result

    def nearest(self, lats: FloatArray, lons: FloatArray) -> tuple[FloatArray, tuple[str, ...]]:
        """Distance to the nearest of the border's lines and the neighbour beyond it."""
        if not self._lines:
            return np.full(len(lats), np.nan), ("",) * len(lats)
        all_km = np.stack([line.distance_km(lats, lons) for _, line in self._lines])
        which = all_km.argmin(axis=0)
        names = [neighbour for neighbour, _ in self._lines]
        return all_km.min(axis=0), tuple(names[position] for position in which)

    def inside(self, lats: FloatArray, lons: FloatArray) -> BoolArray:
        """Whether the points lie in the border's own country."""
        if self._country is None:
            return np.zeros(len(lats), dtype=np.bool_)
        return self._country.contains(lats, lons)


class _InsideNode:
    cost = 20

    def __init__(self, predicate: Inside, geography: Geography) -> None:
        countries = [geography.country(iso3) for iso3 in predicate.countries]
        self._areas: list[AreaIndex] = [area for area in countries if area is not None]
        if predicate.region is not None:
            self._areas.append(AreaIndex(predicate.region.polygons))

    def mask(self, frame: Frame, rows: IntArray, mode: Mode) -> BoolArray:
        lats, lons = frame.number["lat"][rows], frame.number["lon"][rows]
        disc = frame.number["location_error_km"][rows]
        result = np.zeros(len(rows), dtype=np.bool_)
        for area in self._areas:
            result |= _disc_inside(area, lats, lons, disc, mode)
        return result


def _disc_inside(
    area: AreaIndex | None, lats: FloatArray, lons: FloatArray, disc: FloatArray, mode: Mode
) -> BoolArray:
    if area is None:
        return np.zeros(len(lats), dtype=np.bool_)
    inside = area.contains(lats, lons)
    if mode == "coded":
        return inside
    edge = area.edge_distance_km(lats, lons)
    return inside & (edge >= disc) if mode == "certain" else inside | (edge <= disc)
