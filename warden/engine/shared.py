"""Many rules over the same events: what they ask of places is asked once.

Standing in the flow: beside `where`. Each rule's `Matcher` decides; before that, one spatial index
over all rules names the rows that each can match at all. A rule without a place that must hold, or
one that takes the error disc into account as `possible`, looks at every row as it always did.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from warden.engine.frame import Frame, IntArray
from warden.engine.geo.areas import AreaIndex
from warden.engine.geo.geography import Geography
from warden.engine.geo.lines import PolylineIndex
from warden.engine.geo.rule_index import Buffer, Circle, Inner, RuleIndex, Shape
from warden.engine.where import Matcher
from warden.model.rule import (
    AllOf,
    AnyOf,
    Inside,
    Near,
    NearBorder,
    Polyline,
    Predicate,
    Region,
    Rule,
)

# The index only has to let through whatever a rule may match; a metre more costs nothing, and
# spares the thought whether two ways to one distance round alike.
_SLACK_KM = 1e-3
WORTH_BUILDING = 100_000  # pairs of a rule and an event, from which drawing the index pays
WORTH_ASKING = 64  # the same, once it is drawn


class SharedMatcher:
    """The spatial index of some rules, drawn when it first pays."""

    def __init__(self, rules: Sequence[Rule], geography: Geography) -> None:
        self._rules = tuple(rules)
        self._geography = geography
        self._index: RuleIndex | None = None
        self._rule_of = np.zeros(0, dtype=np.int64)  # of each shape in the index
        self._bound: tuple[bool, ...] = ()  # whether the rule is in the index

    def candidates(self, frame: Frame) -> tuple[IntArray | None, ...]:
        """For each rule the sorted rows that it may match; None where that is not known."""
        index = self._worthwhile(len(frame))
        if index is None:
            return (None,) * len(self._rules)
        hits = index.candidates(frame.number["lat"], frame.number["lon"])
        # A rule's shapes may overlap: each row once, in order.
        pairs = np.unique(self._rule_of[hits.shapes] * len(frame) + hits.rows)
        rules, rows = np.divmod(pairs, max(len(frame), 1))
        ends = np.searchsorted(rules, np.arange(1, len(self._rules)))
        return tuple(
            some if bound else None
            for some, bound in zip(np.split(rows, ends), self._bound, strict=True)
        )

    def _worthwhile(self, events: int) -> RuleIndex | None:
        pairs = events * len(self._rules)
        if self._index is None and pairs >= WORTH_BUILDING:
            self._draw()
        return self._index if pairs >= WORTH_ASKING else None

    def _draw(self) -> None:
        figures = _Figures(self._geography)
        needed = [necessary(rule, figures) for rule in self._rules]
        self._bound = tuple(shapes is not None for shapes in needed)
        self._rule_of = np.repeat(
            np.arange(len(needed)), [len(shapes or ()) for shapes in needed]
        ).astype(np.int64)
        self._index = RuleIndex([shape for shapes in needed for shape in shapes or ()])


def match_all(matchers: Sequence[Matcher], shared: SharedMatcher, frame: Frame) -> list[IntArray]:
    """The rows that each rule matches, as `Matcher.rows` gives them one by one."""
    return [
        matcher.rows(frame, among)
        for matcher, among in zip(matchers, shared.candidates(frame), strict=True)
    ]


class _Figures:
    """Each line and area once, however many rules name it."""

    def __init__(self, geography: Geography) -> None:
        self.geography = geography
        self._lines: dict[Polyline, PolylineIndex] = {}
        self._areas: dict[Region, AreaIndex] = {}

    def line(self, line: Polyline) -> PolylineIndex:
        if line not in self._lines:
            self._lines[line] = PolylineIndex(line.parts)
        return self._lines[line]

    def area(self, region: Region) -> AreaIndex:
        if region not in self._areas:
            self._areas[region] = AreaIndex(region.polygons)
        return self._areas[region]


def necessary(rule: Rule, figures: _Figures) -> tuple[Shape, ...] | None:
    """Shapes of which every match of the rule lies in at least one; None where there are none."""
    return None if rule.location == "possible" else _shapes(rule.where, figures)


def _shapes(predicate: Predicate, figures: _Figures) -> tuple[Shape, ...] | None:
    if isinstance(predicate, Near | NearBorder | Inside):
        return _spatial(predicate, figures)
    if isinstance(predicate, AllOf):
        known = [s for part in predicate.parts if (s := _shapes(part, figures)) is not None]
        return min(known, key=_extent, default=None)
    if isinstance(predicate, AnyOf):
        each = [_shapes(part, figures) for part in predicate.parts]
        unbound = any(shapes is None for shapes in each)
        return None if unbound else tuple(shape for shapes in each for shape in shapes or ())
    return None


def _spatial(predicate: Near | NearBorder | Inside, figures: _Figures) -> tuple[Shape, ...]:
    if isinstance(predicate, Near):
        return _near(predicate, figures)
    if isinstance(predicate, NearBorder):
        return _border(predicate, figures)
    return _inside(predicate, figures)


def _near(near: Near, figures: _Figures) -> tuple[Shape, ...]:
    km = near.within_km + _SLACK_KM
    circles = tuple(Circle(place.lat, place.lon, km) for place in near.places)
    return circles if near.line is None else (*circles, Buffer(figures.line(near.line), km))


def _border(border: NearBorder, figures: _Figures) -> tuple[Shape, ...]:
    lines = (figures.geography.border(border.of, other) for other in border.neighbours)
    km = border.within_km + _SLACK_KM
    return tuple(Buffer(line, km) for line in lines if line is not None)


def _inside(inside: Inside, figures: _Figures) -> tuple[Shape, ...]:
    areas = [figures.geography.country(iso3) for iso3 in inside.countries]
    if inside.region is not None:
        areas.append(figures.area(inside.region))
    return tuple(Inner(area) for area in areas if area is not None)


def _extent(shapes: tuple[Shape, ...]) -> float:
    """Roughly how much ground some shapes cover, in square km: to choose the smallest."""
    return sum(_ground(shape) for shape in shapes)


def _ground(shape: Shape) -> float:
    if isinstance(shape, Circle):
        return float(np.pi) * shape.km**2
    if isinstance(shape, Buffer):
        return 2.0 * shape.km * (shape.line.length_km + shape.km)
    south, west, north, east = shape.area.bounds
    return (north - south) * (east - west) * 110.0**2
