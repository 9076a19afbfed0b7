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
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np

from warden.engine.actors import Names, in_group, is_civilian
from warden.engine.frame import BoolArray, Coded, FloatArray, Frame, IntArray, ObjectArray
from warden.engine.geo.distance import distance_km
from warden.engine.geo.geography import Geography
from warden.engine.geo.lines import PolylineIndex
from warden.engine.predicates import (
    SMALL,
    ActorNode,
    BorderNode,
    compile_predicate,
    leaves,
    points_of,
    positive_leaves,
)
from warden.model.event import ROLES, Actor
from warden.model.rule import ActorIs, Inside, Near, NearBorder, Place, Rule
from warden.model.signal import Key

MISSING = "_missing"
_FEW = 64  # so few new rows are put in their places one by one
_T = TypeVar("_T")


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
        names: the one name of each matched actor (else of all but civilians), renames resolved.
        key_row, key_code: an event counts once under each of its keys: k pairs of a row and an
            index into `keys`.
        facts: what `warden.engine.facts` has once made of a row, None before.

    Rows are in order of (event_date, uid) when the frame they were matched in is.
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
    names: tuple[tuple[str, ...], ...]
    key_row: IntArray
    key_code: IntArray
    keys: tuple[Key, ...]
    facts: ObjectArray
    _by_key: dict[Key, IntArray] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def __len__(self) -> int:
        return len(self.frame)

    def without(self, uids: AbstractSet[str]) -> Matches:
        """All rows but those of these events."""
        gone = np.fromiter((uid in uids for uid in self.frame.uid), np.bool_, len(self))
        return self.take(np.flatnonzero(~gone)) if gone.any() else self

    def take(self, rows: IntArray) -> Matches:
        """Some of the rows."""
        position = np.full(len(self), -1, dtype=np.int64)
        position[rows] = np.arange(len(rows))
        kept = np.flatnonzero(position[self.key_row] >= 0)
        kept = kept[np.argsort(position[self.key_row[kept]], kind="stable")]
        used, codes = np.unique(self.key_code[kept], return_inverse=True)
        same = _unmoved(rows)
        return Matches(
            frame=self.frame.take(rows),
            distance_km=self.distance_km[rows],
            place=_picked(self.place, rows, same=same),
            border_km=self.border_km[rows],
            border_neighbour=_picked(self.border_neighbour, rows, same=same),
            border_of=self.border_of,
            side=_picked(self.side, rows, same=same),
            certain=self.certain[rows],
            actors=_picked(self.actors, rows, same=same),
            groups=_picked(self.groups, rows, same=same),
            names=_picked(self.names, rows, same=same),
            key_row=position[self.key_row[kept]],
            key_code=codes.astype(np.int64),
            keys=tuple(self.keys[code] for code in used),
            facts=self.facts[rows],
        )

    def joined(self, other: Matches) -> Matches:
        """The rows of both, in order of (event_date, uid)."""
        return self.replaced(frozenset(), other)

    def replaced(self, uids: AbstractSet[str], other: Matches) -> Matches:
        """These rows without those events, and the other's rows, in order of (event_date, uid)."""
        kept = np.arange(len(self), dtype=np.int64)
        if uids:
            gone = np.fromiter(
                (uid in uids for uid in self.frame.uid.tolist()), np.bool_, len(self)
            )
            kept = kept[~gone]
        if not len(other):
            return self if len(kept) == len(self) else self.take(kept)
        rows = np.concatenate((kept, np.arange(len(self), len(self) + len(other))))
        both = self._beside(other)
        days, uids_of = both.frame.day[rows], both.frame.uid[rows]
        if len(kept) and len(other) <= _FEW:
            return both.take(rows[_inserted(days, uids_of, len(kept))])
        order = np.argsort(days, kind="stable")
        return both.take(rows[_ties_by_uid(order, days[order], uids_of)])

    def _beside(self, other: Matches) -> Matches:
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
            names=self.names + other.names,
            key_row=np.concatenate((self.key_row, other.key_row + len(self))),
            key_code=np.concatenate((self.key_code, theirs)),
            keys=tuple(index),
            facts=np.concatenate((self.facts, other.facts)),
        )

    def rows_of(self, key: Key) -> IntArray:
        """The rows that count under a key, in order of (event_date, uid); grouped once for all."""
        if not self._by_key and self.keys:
            order = self._in_order()
            few = len(self.keys) <= np.iinfo(np.uint16).max  # sorted by radix, far faster
            codes = self.key_code[order].astype(np.uint16 if few else np.int64)
            grouped = order[np.argsort(codes, kind="stable")]
            ends = np.cumsum(np.bincount(self.key_code, minlength=len(self.keys)))
            groups = np.split(self.key_row[grouped], ends[:-1])
            self._by_key.update(zip(self.keys, groups, strict=True))
        found = self._by_key.get(key)
        return np.zeros(0, dtype=np.int64) if found is None else found

    def group(self, rows: Mapping[Key, IntArray]) -> None:
        """Spare `rows_of` its work where the rows of each key are known already."""
        self._by_key.update(rows)

    def _in_order(self) -> IntArray:
        """The permutation that brings the pairs of a row and a key in order of their events."""
        pairs = np.arange(len(self.key_row), dtype=np.int64)
        if self.frame.in_order():  # as it mostly is: sorting texts is slow
            sorted_ = bool((np.diff(self.key_row) >= 0).all())
            return pairs if sorted_ else np.argsort(self.key_row, kind="stable")
        days, uids = self.frame.day, self.frame.uid
        rank = np.empty(len(self), dtype=np.int64)
        rank[np.lexsort((uids.astype(str), days))] = np.arange(len(self))
        return np.argsort(rank[self.key_row], kind="stable")

    def keys_of(self, row: int) -> tuple[Key, ...]:
        """The keys that one row counts under."""
        return tuple(self.keys[code] for code in self.key_code[self.key_row == row])


def _inserted(days: IntArray, uids: ObjectArray, count: int) -> IntArray:
    """The order by (day, uid) of rows of which the first `count` are in order already."""
    late = sorted(range(count, len(days)), key=lambda row: (days[row], uids[row]))
    places = []
    for row in late:
        place = int(np.searchsorted(days[:count], days[row], side="left"))
        while place < count and days[place] == days[row] and uids[place] < uids[row]:
            place += 1
        places.append(place)
    return np.insert(np.arange(count, dtype=np.int64), places, late)


def _ties_by_uid(order: IntArray, days: IntArray, uids: ObjectArray) -> IntArray:
    """An order by day in which the rows of one day stand by uid."""
    breaks = np.flatnonzero(np.diff(days)) + 1
    starts, ends = [0, *breaks.tolist()], [*breaks.tolist(), len(days)]
    settled = order.copy()
    for start, end in zip(starts, ends, strict=True):
        if end - start > 1:
            same_day = order[start:end].tolist()
            settled[start:end] = sorted(same_day, key=lambda row: uids[row])
    return settled


def _picked(values: tuple[_T, ...], rows: IntArray, *, same: int = 0) -> tuple[_T, ...]:
    """The values of some rows, of which the first `same` are where they were."""
    # Plain integers: indexing by NumPy's costs four times as much.
    return values[:same] + tuple([values[row] for row in rows[same:].tolist()])


def _unmoved(rows: IntArray) -> int:
    """How many rows from the first on keep their places: most, where new events come in."""
    moved = np.flatnonzero(rows != np.arange(len(rows)))
    return int(moved[0]) if len(moved) else len(rows)


def _spread(column: Coded, decided: Mapping[int, _T]) -> tuple[_T, ...]:
    """What was decided of each row's value."""
    if len(column.codes) <= SMALL:
        return tuple([decided[code] for code in column.codes.tolist()])
    table = np.empty(len(column.values), dtype=object)
    for code, value in decided.items():
        table[code] = value
    return tuple(table[column.codes].tolist())


_Dimension = tuple[IntArray, Callable[[int], tuple[str, ...]]]


def _combined(dimensions: Sequence[IntArray]) -> tuple[IntArray, list[int]]:
    """Number the combinations of codes that occur, in order of appearance.

    Gives each row's number and the first row of each.
    """
    which = dimensions[0]
    for codes in dimensions[1:]:
        which = np.unique(which, return_inverse=True)[1] * (codes.max(initial=0) + 1) + codes
    if len(dimensions) > 1:
        which = np.unique(which, return_inverse=True)[1]
    first = np.full(int(which.max(initial=-1)) + 1, len(which), dtype=np.int64)
    first[which[::-1]] = np.arange(len(which) - 1, -1, -1)  # the last to write is the first row
    used = np.argsort(first, kind="stable")
    firsts = [row for row in first[used].tolist() if row < len(which)]
    number = np.empty(len(first), dtype=np.int64)
    number[used] = np.arange(len(first))
    return number[which], firsts


class Matcher:
    """A rule's `where`, compiled. Pure but for remembered text decisions."""

    def __init__(self, rule: Rule, geography: Geography, names: Names | None = None) -> None:
        self.rule = rule
        self._geography = geography
        self._names = names or Names()
        self._root = compile_predicate(rule.where, geography)
        self._predicates = tuple(positive_leaves(rule.where))
        self._nears = [p for p in self._predicates if isinstance(p, Near)]
        self._points = points_of(self._nears)
        self._lines = [PolylineIndex(n.line.parts) for n in self._nears if n.line is not None]
        self._borders = [
            BorderNode(p, geography) for p in self._predicates if isinstance(p, NearBorder)
        ]
        self._actor_tests = [ActorNode(p) for p in self._predicates if isinstance(p, ActorIs)]
        self._spatial = any(isinstance(p, Near | NearBorder | Inside) for p in leaves(rule.where))

    def rows(self, frame: Frame, among: IntArray | None = None) -> IntArray:
        """The positions of the matching rows; no others than `among` are looked at."""
        asked = np.arange(len(frame), dtype=np.int64) if among is None else among
        return asked[self._root.mask(frame, asked, self.rule.location)]

    def match(self, frame: Frame, among: IntArray | None = None) -> Matches:
        """The matching rows (of those `among`) with their spatial facts and keys."""
        rows = self.rows(frame, among)
        if not len(rows):
            return self._no_matches
        return self.describe(frame if len(rows) == len(frame) else frame.take(rows))

    @cached_property
    def _no_matches(self) -> Matches:
        """The same for all frames: most events are none of a rule's business."""
        return self.describe(Frame.empty())

    def describe(self, matched: Frame) -> Matches:
        """The spatial facts and keys of all rows of a frame, whether they match or not."""
        distance, place = self._nearest_place(matched)
        border_km, neighbour, side = self._nearest_border(matched)
        parties = matched.coded["actors"]
        casts = {code: matched.parties(code) for code in parties.present()}
        actors = {code: self._matched_actors(cast) for code, cast in casts.items()}
        groups = {code: self._groups_of(cast) for code, cast in casts.items()}
        dated = self._dated(parties, matched.day)
        many = max(len(parties.values), 1)
        names = {
            code: self._actors_of(casts[code % many], code // many) for code in dated.present()
        }
        key_row, key_code, keys = self._keys(matched, groups, (dated.codes, names), neighbour)
        return Matches(
            frame=matched,
            distance_km=distance,
            place=place,
            border_km=border_km,
            border_neighbour=neighbour,
            border_of=self._borders[0].predicate.of if self._borders else "",
            side=side,
            certain=self._certain(matched),
            actors=_spread(parties, actors),
            groups=_spread(parties, groups),
            names=_spread(dated, names),
            key_row=key_row,
            key_code=key_code,
            keys=keys,
            facts=np.full(len(matched), None, dtype=object),
        )

    def _dated(self, parties: Coded, days: IntArray) -> Coded:
        """The column of actors with a code for each era of the names that a value lies in."""
        eras = self._names.eras
        if eras == 1:
            return parties
        codes = parties.codes + self._names.era(days) * len(parties.values)
        return Coded(codes, parties.values * eras)

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

    def _matched_actors(self, parties: Sequence[Actor]) -> tuple[str, ...]:
        names = [a.name for test in self._actor_tests for a in parties if test.actor_passes(a)]
        return tuple(dict.fromkeys(names))

    def _keys(
        self,
        matched: Frame,
        groups: Mapping[int, tuple[str, ...]],
        names: tuple[IntArray, Mapping[int, tuple[str, ...]]],
        neighbour: Sequence[str],
    ) -> tuple[IntArray, IntArray, tuple[Key, ...]]:
        rows = np.arange(len(matched), dtype=np.int64)
        if not self.rule.by:
            return rows, np.zeros(len(matched), dtype=np.int64), ((),)
        dimensions = [self._dimension(by, matched, groups, names, neighbour) for by in self.rule.by]
        which, firsts = _combined([codes for codes, _ in dimensions])
        index: dict[Key, int] = {}
        # What a combination of values counts under is the same for all of its rows.
        coded = [
            [
                index.setdefault(tuple(sorted(zip(self.rule.by, values, strict=True))), len(index))
                for values in itertools.product(
                    *(values_of(int(codes[first])) for codes, values_of in dimensions)
                )
            ]
            for first in firsts
        ]
        counts = np.array([len(codes) for codes in coded], dtype=np.int64)
        table = np.array([code for codes in coded for code in codes], dtype=np.int64)
        starts, repeats = np.cumsum(counts) - counts, counts[which]
        ends = np.cumsum(repeats)
        offsets = np.repeat(starts[which] - (ends - repeats), repeats)
        positions = np.arange(len(offsets), dtype=np.int64) + offsets
        return np.repeat(rows, repeats), table[positions], tuple(index)

    def _dimension(
        self,
        by: str,
        matched: Frame,
        groups: Mapping[int, tuple[str, ...]],
        names: tuple[IntArray, Mapping[int, tuple[str, ...]]],
        neighbour: Sequence[str],
    ) -> _Dimension:
        """A code for each row, and the values that a code stands for."""
        if by == "actor_group":
            return matched.coded["actors"].codes, lambda code: groups[code] or (MISSING,)
        if by == "actor":
            codes, names_of = names
            return codes, lambda code: names_of[code] or (MISSING,)
        if by == "place":
            within = self._places_within(matched)
            index = {places: code for code, places in enumerate(dict.fromkeys(within))}
            codes = np.array([index[places] for places in within], dtype=np.int64)
            distinct = tuple(index)
            return codes, lambda code: distinct[code] or (MISSING,)
        if by == "border_neighbour":
            column = Coded.of(neighbour)
        else:
            column = matched.coded["iso3" if by == "country" else by]
        return column.codes, lambda code: (column.values[code] or MISSING,)

    def _groups_of(self, parties: Sequence[Actor]) -> tuple[str, ...]:
        roles = {role for test in self._actor_tests for role in test.predicate.roles}
        groups = self.rule.groups or tuple(
            group for test in self._actor_tests for group in test.predicate.groups
        )
        present = [a.name for a in parties if a.role in (roles or ROLES)]
        return tuple(
            dict.fromkeys(g.id for g in groups if any(in_group(g, name) for name in present))
        )

    def _actors_of(self, parties: Sequence[Actor], era: int) -> tuple[str, ...]:
        names = (
            self._matched_actors(parties)
            if self._actor_tests
            else tuple(actor.name for actor in parties if not is_civilian(actor))
        )
        return tuple(dict.fromkeys(self._names.canonical(name, era) for name in names))

    def _places_within(self, matched: Frame) -> list[tuple[str, ...]]:
        lats, lons = matched.number["lat"], matched.number["lon"]
        found: list[list[str]] = [[] for _ in range(len(matched))]
        for near in self._nears:
            for place in near.places:
                km = distance_km(lats, lons, place.lat, place.lon)
                for row in np.flatnonzero(km <= near.within_km):
                    found[row].append(place.id)
        return [tuple(dict.fromkeys(ids)) for ids in found]
