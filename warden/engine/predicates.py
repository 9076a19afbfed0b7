"""Predicates, compiled: each decides some rows of a frame.

Standing in the flow: `where` compiles a rule's tree once; everything here is asked often.

Cheap predicates run first and each runs only on the rows that are left. Text predicates are
decided once per distinct value and remembered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import numpy as np

from warden.engine.actors import in_group, text_passes
from warden.engine.frame import BoolArray, Coded, FloatArray, Frame, IntArray
from warden.engine.geo.areas import AreaIndex
from warden.engine.geo.distance import PointIndex
from warden.engine.geo.geography import Geography
from warden.engine.geo.lines import PolylineIndex
from warden.model.event import Actor
from warden.model.rule import (
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
)
from warden.model.text import fold

Mode = Literal["coded", "certain", "possible"]
SMALL = 8  # below this many rows a plain loop is faster than NumPy's set-up
_FLIPPED: dict[Mode, Mode] = {"coded": "coded", "certain": "possible", "possible": "certain"}


class Node(Protocol):
    """A compiled predicate. `cost` orders the parts of an AND."""

    cost: int

    def mask(self, frame: Frame, rows: IntArray, mode: Mode) -> BoolArray:
        """Decide the given rows; the answer is as long as `rows`."""
        ...


def compile_predicate(predicate: Predicate, geography: Geography) -> Node:
    """Turn a predicate tree into nodes that decide rows of a frame."""
    match predicate:
        case AllOf(parts):
            return _AllNode([compile_predicate(part, geography) for part in parts])
        case AnyOf(parts):
            return _AnyNode([compile_predicate(part, geography) for part in parts])
        case Not(part):
            return _NotNode(compile_predicate(part, geography))
        case NearBorder() | Inside() | Near():
            return _spatial_node(predicate, geography)
        case _:
            return _plain_node(predicate)


def _spatial_node(predicate: Near | NearBorder | Inside, geography: Geography) -> Node:
    if isinstance(predicate, Near):
        return _NearNode(predicate)
    if isinstance(predicate, NearBorder):
        return BorderNode(predicate, geography)
    return _InsideNode(predicate, geography)


def _plain_node(predicate: Text | ActorIs | Number | Flag) -> Node:
    match predicate:
        case Text(field="notes"):
            return _PlainTextNode(predicate)
        case Text():
            return _TextNode(predicate)
        case ActorIs():
            return ActorNode(predicate)
        case Number():
            return _NumberNode(predicate)
    return _FlagNode(predicate)


def leaves(predicate: Predicate) -> list[Predicate]:
    """All leaves of the tree."""
    if isinstance(predicate, AllOf | AnyOf):
        return [leaf for part in predicate.parts for leaf in leaves(part)]
    return leaves(predicate.part) if isinstance(predicate, Not) else [predicate]


def positive_leaves(predicate: Predicate) -> list[Predicate]:
    """The leaves that do not stand under a `not`: those a match can be described by."""
    if isinstance(predicate, AllOf | AnyOf):
        return [leaf for part in predicate.parts for leaf in positive_leaves(part)]
    return [] if isinstance(predicate, Not) else [predicate]


def points_of(nears: Sequence[Near]) -> tuple[PointIndex, tuple[Place, ...]] | None:
    """Index the places of some predicates; None when they name none."""
    places = tuple(dict.fromkeys(place for near in nears for place in near.places))
    if not places:
        return None
    return PointIndex([(place.lat, place.lon) for place in places]), places


class _AllNode:
    def __init__(self, parts: list[Node]) -> None:
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
    def __init__(self, parts: list[Node]) -> None:
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
    def __init__(self, part: Node) -> None:
        self._part = part
        self.cost = part.cost

    def mask(self, frame: Frame, rows: IntArray, mode: Mode) -> BoolArray:
        return ~self._part.mask(frame, rows, _FLIPPED[mode])


def _decide_codes(column: Coded, rows: IntArray, decide: Callable[[int], bool]) -> BoolArray:
    """Decide a coded column, asking once per distinct code among the rows."""
    codes = column.codes[rows]
    if len(rows) <= SMALL:
        return np.array([decide(int(code)) for code in codes], dtype=np.bool_)
    table = np.zeros(len(column.values), dtype=np.bool_)
    for code in Coded(codes, column.values).present():
        table[code] = decide(code)
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


class ActorNode:
    """Some actor of the event is one of those asked for; decided once per distinct name."""

    cost = 3

    def __init__(self, predicate: ActorIs) -> None:
        self.predicate = predicate
        self._roles = frozenset(predicate.roles)
        self._known_names: dict[tuple[str, str], bool] = {}
        self._known_parties: dict[str, bool] = {}

    def mask(self, frame: Frame, rows: IntArray, mode: Mode) -> BoolArray:  # noqa: ARG002
        """Decide the given rows; the answer is as long as `rows`."""
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
        values = column[rows].astype(np.float64)
        result: BoolArray = ~np.isnan(values)
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
        return np.equal(frame.civilian_targeting[rows], self._value)


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
        points = points_of([predicate])
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


class BorderNode:
    """The event lies near the land border of a country with some of its neighbours."""

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
        """Decide the given rows; the answer is as long as `rows`."""
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
        return np.asarray(inside, dtype=np.bool_)
    edge = area.edge_distance_km(lats, lons)
    return inside & (edge >= disc) if mode == "certain" else inside | (edge <= disc)
