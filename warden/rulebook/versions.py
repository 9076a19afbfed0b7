"""Rule versions: a hash of all that decides, and of nothing that only reads well.

Standing in the flow: the last step of loading. A rule whose version changed is a rule that was
edited; one whose title, runbook or labels changed is not.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from functools import cache
from typing import Any, Final, Protocol

from pydantic import BaseModel

from warden.model.rule import (
    ActorGroup,
    Alias,
    AllOf,
    AnyOf,
    NearBorder,
    Not,
    Place,
    Polyline,
    Predicate,
    Region,
    Rule,
)

TEXTS: Final = frozenset(
    {
        "id", "title", "labels", "description", "runbook", "translations", "references",
        "formerly", "version", "path", "line", "alerts_per_year",
    }
)  # fmt: skip

SELECTION: Final = ("kind", "where", "parameters", "by", "groups", "location")


class Borders(Protocol):
    """What loading asks of border data."""

    def neighbours(self, of: str) -> tuple[str, ...]:
        """The land neighbours of a country."""
        ...

    def version(self, of: str, neighbours: tuple[str, ...]) -> str:
        """A hash of the border data between them."""
        ...


class Versions:
    """Computes versions; what many rules share (groups, areas) is put into plain data once."""

    def __init__(self, aliases: Iterable[Alias] = (), borders: Borders | None = None) -> None:
        self._aliases = tuple(aliases)
        self._borders = borders
        self._shared: dict[int, tuple[Any, str]] = {}
        self._decisive: dict[str, tuple[Rule, dict[str, Any]]] = {}

    def version(self, rule: Rule) -> str:
        """The version of a resolved rule.

        Aliases count for rules that key or count by actor; in groups they are spelled out
        already.
        """
        decisive = self._content(rule)
        content: dict[str, Any] = {"rule": rule.id, **decisive}
        content["borders"] = [
            self._borders.version(border.of, border.neighbours) if self._borders else ""
            for border in _borders(rule.where)
        ]
        if _asks_for_names(rule, decisive["parameters"]):
            content["aliases"] = [self.plain(alias) for alias in self._aliases]
        return digest(content)

    def signature(self, rule: Rule) -> str:
        """Equal for rules that select, group and count alike, whatever they are called or send."""
        content = self._content(rule)
        return digest({name: content[name] for name in SELECTION})

    def plain(self, value: Any) -> Any:
        """A value as JSON data, the class of every part named, titles left out."""
        if value is None or isinstance(value, str | int | float | bool):
            return value
        if isinstance(value, tuple | list):
            return [self.plain(item) for item in value]
        if isinstance(value, ActorGroup | Region | Polyline | Place):
            return self._once(value)
        if isinstance(value, BaseModel):
            return value.model_dump(mode="json")
        if dataclasses.is_dataclass(value):
            return self._fields(value)
        return str(value)

    def _once(self, value: Any) -> str:
        known = self._shared.get(id(value))
        if known is None:
            known = self._shared[id(value)] = (value, digest(self._fields(value)))
        return known[1]

    def _fields(self, value: Any) -> dict[str, Any]:
        kind: Any = type(value)
        fields = {name: self.plain(getattr(value, name)) for name in _names(kind)}
        return {"is": kind.__name__, **fields}

    def _content(self, rule: Rule) -> dict[str, Any]:
        known = self._decisive.get(rule.id)
        if known is None or known[0] is not rule:
            content = {
                name: self.plain(getattr(rule, name)) for name in _names(Rule) if name not in TEXTS
            }
            known = self._decisive[rule.id] = (rule, content)
        return known[1]


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """The fields of a dataclass that decide anything: all but titles."""
    return tuple(field.name for field in dataclasses.fields(kind) if field.name != "title")


def digest(content: Any) -> str:
    """Sixteen hexadecimal digits of the hash of JSON data."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _borders(predicate: Predicate) -> list[NearBorder]:
    if isinstance(predicate, AllOf | AnyOf):
        return [border for part in predicate.parts for border in _borders(part)]
    if isinstance(predicate, Not):
        return _borders(predicate.part)
    return [predicate] if isinstance(predicate, NearBorder) else []


def _asks_for_names(rule: Rule, parameters: Any) -> bool:
    text = json.dumps(parameters)
    return "actor" in rule.by or '"actor"' in text or "distinct(actor)" in text
