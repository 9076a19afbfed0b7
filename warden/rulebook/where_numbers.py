"""Numbers and dates in `where`: values and bounds, those that can never hold refused.

Standing in the flow: a part of `where`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Final

from warden.model.located import Node
from warden.model.rule import Number, Predicate
from warden.rulebook.context import Context, any_of
from warden.rulebook.language import BOUND_KEYS

_EPOCH: Final = date(1970, 1, 1)

# What a number can be at all; a bound outside can never hold, or always does.
_RANGES: Final[dict[str, tuple[float, float]]] = {
    "fatalities": (0, math.inf),
    "geo_precision": (0, 3),
    "time_precision": (0, 3),
    "event_date": (-math.inf, math.inf),
}


class Numbers:
    """Reads number and date fields."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def field(self, name: str, node: Node) -> Predicate | None:
        """A value, a list of values, or bounds."""
        if node.kind == "list":
            parts = [self._number(name, item) for item in self._context.reader.items(node, name)]
            return any_of([part for part in parts if part is not None]) if parts else None
        return self._number(name, node)

    def _number(self, name: str, node: Node) -> Predicate | None:
        if node.kind == "scalar":
            value = self._quantity(name, node)
            return None if value is None else Number(name, gte=value, lte=value)
        found = self._context.reader.mapping(node, name, BOUND_KEYS)
        if found is None:
            return None
        bounds = self._bounds(name, found)
        if not bounds:
            if not node.entries:
                self._context.faults.error(node, "WR014", f"{name} has no bound; write {{gte: 3}}")
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
            self._context.faults.error(
                node, "WR015", f"{name}: 'between' and another bound; keep one"
            )
            return {}
        if node.kind != "list" or len(node.items) != 2:  # noqa: PLR2004 -- a pair
            self._context.reader.wrong(node, f"{name} between", "a list of two, both included")
            return {}
        low, high = (self._quantity(f"{name} between", item, name) for item in node.items)
        return {} if low is None or high is None else {"gte": low, "lte": high}

    def _quantity(self, what: str, node: Node, name: str | None = None) -> float | None:
        name = name or what
        if name == "event_date":
            day = self._context.reader.date(node, what)
            return None if day is None else float((day - _EPOCH).days)
        low, high = _RANGES[name]
        return self._context.reader.number(node, what, low, high)

    def _check_holds(self, name: str, number: Number, node: Node) -> None:
        low, high = _whole_bounds(number)
        least, most = _RANGES[name]
        if low > high or high < least or low > most:
            self._context.faults.error(node, "WR030", f"no {name} lies within these bounds")


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
