"""`where`: which events. The operator's sentence into a predicate tree, every name resolved.

Standing in the flow: called once a rule, with the definitions of all files at hand. What stands
between the lines of AND and OR is read by `where_texts`, `where_numbers`, `where_actors` and
`where_places`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, cast

from warden.model.located import Node, did_you_mean, shown
from warden.model.rule import (
    FLAG_FIELDS,
    NUMBER_FIELDS,
    TEXT_FIELDS,
    AllOf,
    Flag,
    Not,
    Predicate,
)
from warden.rulebook.context import Context, all_of, any_of
from warden.rulebook.language import WHERE_HINTS, WHERE_KEYS
from warden.rulebook.where_actors import Actors
from warden.rulebook.where_numbers import Numbers
from warden.rulebook.where_places import Places
from warden.rulebook.where_texts import Texts

Certainty = Literal["coded", "certain", "possible"]
CERTAINTIES: Final[tuple[Certainty, ...]] = ("coded", "certain", "possible")
_TOP: Final = 0


@dataclass(frozen=True, slots=True)
class Where:
    """A resolved `where`.

    Attributes:
        predicate: the tree.
        location: how the error disc counts, None where nothing was said.
    """

    predicate: Predicate
    location: Certainty | None = None


class WhereReader:
    """Reads the `where` of one rule.

    Attributes:
        incomplete: a `where` that was used could not be read.
    """

    def __init__(self, context: Context, use: Callable[[Node, str], Where | None]) -> None:
        """`use` gives another rule's `where`; None after a fault (unknown, or a circle)."""
        self._context = context
        self._use_rule = use
        self._location: Certainty | None = None
        self.incomplete = False
        self.texts = Texts(context)
        self.actors = Actors(context, self.texts)
        self._numbers = Numbers(context)
        places = Places(context, self.texts)
        self._nested: dict[str, Callable[[Node, int], Predicate | None]] = {
            "all": self._all_of,
            "any": self._any_of,
            "not": self._not,
            "use": self._use,
        }
        self._special: dict[str, Callable[[Node], Predicate | None]] = {
            "actor": self.actors.actor,
            "actor_type": self.actors.actor_type,
            "near": places.near,
            "border": places.border,
            "inside": places.inside,
        }

    def read(self, node: Node) -> Where:
        """The whole `where` of one rule."""
        self._location = None
        predicate = self._any_shape(node, _TOP)
        return Where(predicate, self._location)

    def _any_shape(self, node: Node, depth: int) -> Predicate:
        if node.kind == "list":
            parts = [self._any_shape(item, depth + 1) for item in node.items]
            if not parts:
                self._context.faults.error(
                    node, "WR014", "'where' is an empty list: no event can match"
                )
            return any_of(parts)
        if node.kind != "mapping":
            self._context.reader.wrong(
                node, "where", "a mapping (all must hold) or a list (some must)"
            )
            return AllOf(())
        if not node.entries and depth == _TOP:
            self._context.faults.error(node, "WR014", "'where' is empty: every event would match")
        parts = []
        for key, value in node.entries:
            if value.kind == "scalar" and value.value is None:
                self._context.faults.error(
                    value, "WR014", f"{key.text} is empty; remove it or say what"
                )
                continue
            part = self._entry(key, value, depth)
            if part is not None:
                parts.append(part)
        return all_of(parts)

    def _entry(self, key: Node, value: Node, depth: int) -> Predicate | None:
        name = key.text
        if name in self._nested:
            return self._nested[name](value, depth)
        if name in self._special:
            return self._special[name](value)
        if name == "location" and value.kind == "scalar" and value.text in CERTAINTIES:
            self._certainty(value, depth)
            return None
        if name == "location" and value.kind == "scalar" and self._misspelt_certainty(value):
            return None
        return self._field(key, value)

    def _misspelt_certainty(self, value: Node) -> bool:
        """Refuse what is nearly a word for the error disc: as a place's name it matches nothing."""
        near = difflib.get_close_matches(value.text.casefold()[:40], CERTAINTIES, 1, cutoff=0.7)
        if not near:
            return False
        self._context.faults.error(
            value,
            "WR013",
            f"{shown(value.text)} is not a value of location; did you mean '{near[0]}'? "
            f"For a place of that name write {{matches: {value.text}}}",
        )
        return True

    def _field(self, key: Node, value: Node) -> Predicate | None:
        name = key.text
        if name in TEXT_FIELDS:
            return self.texts.text_field(name, value)
        if name in NUMBER_FIELDS:
            return self._numbers.field(name, value)
        if name in FLAG_FIELDS:
            flag = self._context.reader.boolean(value, name)
            return None if flag is None else Flag(name, flag)
        hint = WHERE_HINTS.get(name)
        hint = f"; {hint}" if hint else did_you_mean(name, WHERE_KEYS)
        self._context.faults.error(key, "WR020", f"unknown field {shown(name)} in where{hint}")
        return None

    def _all_of(self, node: Node, depth: int) -> Predicate:
        return all_of(self._list(node, "all", depth))

    def _any_of(self, node: Node, depth: int) -> Predicate:
        return any_of(self._list(node, "any", depth))

    def _not(self, node: Node, depth: int) -> Predicate:
        return Not(self._any_shape(node, depth + 1))

    def _list(self, node: Node, what: str, depth: int) -> list[Predicate]:
        if node.kind != "list":
            self._context.reader.wrong(node, what, "a list")
            return []
        if not node.items:
            self._context.faults.error(node, "WR014", f"{what} is an empty list")
        return [self._any_shape(item, depth + 1) for item in node.items]

    def _certainty(self, value: Node, depth: int) -> None:
        if depth != _TOP:
            self._context.faults.error(
                value,
                "WR015",
                f"location: {value.text} holds for the whole rule; write it at the top of where",
            )
            return
        self._location = cast("Certainty", value.text)

    def _use(self, node: Node, depth: int) -> Predicate | None:
        parts: list[Predicate] = []
        location = self._location
        for name, item in self._context.reader.texts(node, "use"):
            used = self._use_rule(item, name)
            if used is None:
                self.incomplete = True
            else:
                parts.append(used.predicate)
                location = location or used.location
        if depth == _TOP:
            self._location = location
        return all_of(parts) if parts else None
