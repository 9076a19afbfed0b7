"""What every part that reads rules works with, and small things they share.

Standing in the flow: made once a load; `where` and its parts, and the rules, hold it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from warden.model.located import FaultList, Node
from warden.model.rule import AllOf, AnyOf, Not, Predicate, TextTest
from warden.rulebook.definitions import Definitions
from warden.rulebook.definitions import Loader as DefinitionsLoader
from warden.rulebook.shapes import Reader


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text an operator wrote to match names, kept for the check against known names.

    Attributes:
        field: "actor" or a text field. test: the folded test. node: where it was written.
    """

    field: str
    test: TextTest
    node: Node


@dataclass(frozen=True, slots=True)
class Context:
    """What reading a rule needs.

    Attributes:
        names: looks names up and says which are unknown.
        neighbours: the land neighbours of a country, None where border data are not at hand.
        patterns: gathered for the check against known names.
    """

    faults: FaultList
    reader: Reader
    definitions: Definitions
    names: DefinitionsLoader
    neighbours: Callable[[str], tuple[str, ...]] | None = None
    patterns: list[Pattern] = field(default_factory=list)


def all_of(parts: list[Predicate]) -> Predicate:
    """Every part holds; a single part stands for itself."""
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def any_of(parts: list[Predicate]) -> Predicate:
    """Some part holds; a single part stands for itself."""
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def leaves(predicate: Predicate) -> Iterator[Predicate]:
    """The tests of a tree that do not stand under a `not`: those a match can be described by."""
    if isinstance(predicate, AllOf | AnyOf):
        for part in predicate.parts:
            yield from leaves(part)
    elif not isinstance(predicate, Not):
        yield predicate
