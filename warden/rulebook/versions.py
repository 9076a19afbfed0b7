"""Rule versions: a hash of all that decides, and of nothing that only reads well.

Standing in the flow: the last step of loading. A rule whose version changed is a rule that was
edited; one whose title, runbook or labels changed is not.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from typing import Any, Final, Protocol

from pydantic import BaseModel

from warden.model.rule import Alias, AllOf, AnyOf, NearBorder, Not, Predicate, Rule

TEXTS: Final = frozenset(
    {
        "id", "title", "labels", "description", "runbook", "references", "formerly", "version",
        "path", "line", "alerts_per_year",
    }
)  # fmt: skip


class Borders(Protocol):
    """What loading asks of border data."""

    def neighbours(self, of: str) -> tuple[str, ...]:
        """The land neighbours of a country."""
        ...

    def version(self, of: str, neighbours: tuple[str, ...]) -> str:
        """A hash of the border data between them."""
        ...


def version_of(rule: Rule, aliases: Iterable[Alias], borders: Borders | None) -> str:
    """The version of a resolved rule.

    Aliases count for rules that key or count by actor; in groups they are spelled out already.
    """
    content: dict[str, Any] = {"rule": rule.id, **_decisive(rule)}
    content["borders"] = [
        borders.version(border.of, border.neighbours) if borders is not None else ""
        for border in _borders(rule.where)
    ]
    if _asks_for_names(rule):
        content["aliases"] = [plain(alias) for alias in aliases]
    return digest(content)


def signature(rule: Rule) -> str:
    """Equal for rules that select, group and count alike, whatever they are called or send."""
    selection = ("kind", "where", "parameters", "by", "groups", "location")
    return digest({name: plain(getattr(rule, name)) for name in selection})


def digest(content: Any) -> str:
    """Sixteen hexadecimal digits of the hash of JSON data."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def plain(value: Any) -> Any:
    """A value as JSON data, the class of every part named, titles left out."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value):
        fields = {
            field.name: plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.name != "title"
        }
        return {"is": type(value).__name__, **fields}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _decisive(rule: Rule) -> dict[str, Any]:
    return {
        field.name: plain(getattr(rule, field.name))
        for field in dataclasses.fields(rule)
        if field.name not in TEXTS
    }


def _borders(predicate: Predicate) -> list[NearBorder]:
    if isinstance(predicate, AllOf | AnyOf):
        return [border for part in predicate.parts for border in _borders(part)]
    if isinstance(predicate, Not):
        return _borders(predicate.part)
    return [predicate] if isinstance(predicate, NearBorder) else []


def _asks_for_names(rule: Rule) -> bool:
    parameters = json.dumps(plain(rule.parameters))
    return "actor" in rule.by or '"actor"' in parameters or "distinct(actor)" in parameters
