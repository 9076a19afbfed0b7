"""Actors in `where`: groups, names with their aliases, classes and roles.

Standing in the flow: a part of `where`.
"""

from __future__ import annotations

from warden.model.event import ROLES, Role
from warden.model.located import Node
from warden.model.rule import ActorGroup, ActorIs, Predicate, TextTest
from warden.rulebook.context import Context, Pattern, any_of
from warden.rulebook.language import ACTOR_KEYS
from warden.rulebook.where_texts import Texts


class Actors:
    """Reads `actor`, `actor_type` and lists of groups."""

    def __init__(self, context: Context, texts: Texts) -> None:
        self._context = context
        self._texts = texts

    def actor(self, node: Node) -> Predicate | None:
        """One mapping, or names and mappings of which some must hold."""
        names: list[TextTest] = []
        parts: list[Predicate] = []
        for item in self._texts.alternatives(node, "actor"):
            if item.kind == "mapping":
                part = self._actor_mapping(item)
                if part is not None:
                    parts.append(part)
                continue
            names.extend(self._actor_names("is", item))
        if names:
            parts.append(ActorIs(names=tuple(names)))
        return any_of(parts) if parts else None

    def _actor_mapping(self, node: Node) -> ActorIs | None:
        found = self._context.reader.mapping(node, "actor", ACTOR_KEYS)
        if found is None:
            return None
        roles = self._roles(found.pop("roles", None))
        if len(found) != 1:
            keys = [key for key in ACTOR_KEYS if key != "roles"]
            if node.entries and not found and node.get("roles") is None:
                return None  # only unknown keys, and those have been said
            code, word = ("WR015", "one") if found else ("WR011", "needs one")
            self._context.faults.error(
                node, code, f"actor: {word} of {', '.join(keys)} at a time; write a list for more"
            )
            return None
        key, value = next(iter(found.items()))
        if key in ("group", "groups"):
            groups = self.groups(value)
            return ActorIs(roles=roles, groups=groups) if groups else None
        if key == "type":
            tests = self._texts.tests("actor_type", value)
            return ActorIs(roles=roles, types=tuple(tests)) if tests else None
        names = self._actor_names("is" if key == "name" else key, value)
        return ActorIs(roles=roles, names=tuple(names)) if names else None

    def groups(self, node: Node) -> tuple[ActorGroup, ...]:
        """Groups of actors by their ids."""
        groups: list[ActorGroup] = []
        for name, item in self._context.reader.texts(node, "group"):
            group = self._context.definitions.groups.get(name)
            if group is None:
                self._context.names.unknown(
                    item, "WR022", "group of actors", name, self._context.definitions.groups
                )
            else:
                groups.append(group)
        return tuple(dict.fromkeys(groups))

    def _actor_names(self, op: str, node: Node) -> list[TextTest]:
        """Tests of names; a plain name stands for its aliases and regime periods too."""
        tests: list[TextTest] = []
        for text, item in self._context.reader.texts(node, "actor"):
            test = self._texts.test(op, text, item)
            if test is None:
                continue
            self._context.patterns.append(Pattern("actor", test, item))
            tests.append(test)
            if op == "is":
                others = self._context.names.spelled_out([test.value])
                tests.extend(_name_test(other) for other in others if other != test.value)
        return tests

    def actor_type(self, node: Node) -> Predicate | None:
        """`actor_type:` some actor is of that class."""
        tests = self._texts.tests("actor_type", node)
        return ActorIs(types=tuple(tests)) if tests else None

    def _roles(self, node: Node | None) -> tuple[Role, ...]:
        if node is None:
            return ROLES
        roles: list[str] = []
        for text, item in self._context.reader.texts(node, "roles"):
            if text in ROLES:
                roles.append(text)
            else:
                self._context.reader.not_one_of(item, "roles", text, ROLES)
        return tuple(role for role in ROLES if role in roles) or ROLES


def _name_test(text: str) -> TextTest:
    return TextTest("matches" if "*" in text or "?" in text else "is", text)
