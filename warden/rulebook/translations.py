"""What recipients read of rules and names, in other languages than the operator's own.

Standing in the flow: a part of `rules` and `definitions`. A rule's own `title`, `description` and
`runbook` are in whatever language its author writes; `translations` gives the same in others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from warden.engine.predicates import leaves
from warden.model.located import Node, shown
from warden.model.rule import (
    ActorGroup,
    ActorIs,
    Inside,
    Near,
    Place,
    Polyline,
    Predicate,
    Region,
    Translation,
)
from warden.rulebook.shapes import Reader

RULE_TEXTS: Final = ("title", "description", "runbook")
NAME_TEXTS: Final = ("title",)
MOST: Final = {"title": 300, "description": 10_000, "runbook": 10_000}
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?\Z")

Texts = dict[str, dict[str, str]]  # language -> what -> text
Names = Mapping[str, Mapping[str, str]]  # title -> language -> title


def read_translations(node: Node | None, reader: Reader, allowed: tuple[str, ...]) -> Texts:
    """The texts by language; what is no language, or no text of these, is a fault."""
    if node is None:
        return {}
    if node.kind != "mapping":
        reader.wrong(node, "translations", "a mapping of languages, such as {fr: {title: …}}")
        return {}
    found: Texts = {}
    for key, value in node.entries:
        if not _LANGUAGE.match(key.text):
            message = f"{shown(key.text)} is no language; write its code, such as fr or pt_BR"
            reader.faults.error(key, "WR013", message)
            continue
        given = reader.mapping(value, f"the translation into {key.text}", allowed)
        texts = {
            name: " ".join(text.split()) if name == "title" else text.strip()
            for name, one in (given or {}).items()
            if (text := reader.text(one, name, limit=MOST[name])) is not None
        }
        if given is not None and not given and not value.entries:
            reader.faults.error(value, "WR014", f"the translation into {key.text} is empty")
        found[key.text] = texts
    return found


def translations_of(texts: Texts, where: Predicate, groups: Iterable[ActorGroup], names: Names
) -> tuple[Translation, ...]:  # fmt: skip
    """A rule's texts by language, with the names of what it asks for."""
    titles = dict.fromkeys((*_titles(where), *(group.title for group in groups)))
    languages = dict.fromkeys(
        (*texts, *(code for title in titles for code in names.get(title, ())))
    )
    return tuple(
        Translation(
            language=language,
            texts=tuple(texts.get(language, {}).items()),
            names=tuple(
                (title, names[title][language])
                for title in titles
                if language in names.get(title, ())
            ),
        )
        for language in sorted(languages)
    )


def _titles(where: Predicate) -> Iterable[str]:
    """The titles of the groups, places, lines and areas that a rule asks for."""
    named: list[ActorGroup | Place | Polyline | Region | None] = []
    for leaf in leaves(where):
        match leaf:
            case ActorIs():
                named += leaf.groups
            case Near():
                named += [*leaf.places, leaf.line]
            case Inside():
                named.append(leaf.region)
            case _:
                pass
    return [one.title for one in named if one is not None]
