"""A rule's mapping into a frozen `Rule`: defaults and overrides merged, every key checked.

Standing in the flow: the third step of loading, after the definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from warden.engine.kinds.base import Kind
from warden.model.located import FaultList, Node, did_you_mean, shown
from warden.model.rule import (
    ActorGroup,
    ActorIs,
    AnyOf,
    By,
    Near,
    NearBorder,
    Predicate,
    Rule,
)
from warden.rulebook.context import Context, leaves
from warden.rulebook.definitions import Definitions
from warden.rulebook.definitions import Loader as DefinitionsLoader
from warden.rulebook.files import Sections
from warden.rulebook.language import (
    DIMENSIONS,
    RULE_HINTS,
    RULE_KEYS,
)
from warden.rulebook.merging import MergeReader, merge, with_defaults
from warden.rulebook.parameters import ParametersReader
from warden.rulebook.policy import Policy
from warden.rulebook.shapes import Reader
from warden.rulebook.translations import RULE_TEXTS, read_translations, translations_of
from warden.rulebook.where import Where, WhereReader

MAX_RULES: Final = 20_000
SELECTING: Final = ("where", "by", "groups")  # keys that say which events, and under which keys


@dataclass(slots=True)
class RawRule:
    """A rule as written, with defaults and overrides merged in.

    Attributes:
        id: its id. node: its mapping. own: the keys that it or an override says itself.
        stale: texts that an override says anew and translates no further: what the rule's own
            translations say of them is no longer true.
    """

    id: str
    node: Node
    own: frozenset[str]
    stale: frozenset[str] = frozenset()


@dataclass(slots=True)
class RulesReader:
    """Reads `rules:`, `defaults:` and `overrides:`."""

    sections: Sections
    faults: FaultList
    definitions: Definitions
    names: DefinitionsLoader
    kinds: Mapping[str, Kind]
    neighbours: Callable[[str], tuple[str, ...]] | None = None
    context: Context = field(init=False)
    _reader: Reader = field(init=False)
    _raw: dict[str, RawRule] = field(init=False, default_factory=dict)
    _spoilt: list[RawRule] = field(init=False, default_factory=list)
    _wheres: dict[str, Where | None] = field(init=False, default_factory=dict)
    _reading: list[str] = field(init=False, default_factory=list)
    _every_kind: frozenset[str] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        self._reader = Reader(self.faults)
        self.context = Context(
            self.faults, self._reader, self.definitions, self.names, self.neighbours
        )
        self._every_kind = frozenset(key for kind in self.kinds.values() for key in kind.keys)

    def read(self) -> tuple[Rule, ...]:
        """Every rule, in reading order; those with faults are left out."""
        merging = MergeReader(self.sections, self._reader)
        defaults = merging.defaults()
        overrides = merging.overrides()
        for node in self._rule_nodes():
            self._register(node, defaults, overrides)
        for name, (key, _) in overrides.items():
            if name not in self._raw:
                self.names.unknown(key, "WR025", "rule", name, self._raw)
        rules = [self._rule(raw, self._where_of(raw.id)) for raw in self._raw.values()]
        for raw in self._spoilt:  # no rule comes of these; their other faults are told all the same
            self._rule(raw, self._read_where(raw.node.get("where")))
        self._check_formerly(raw.node for raw in self._raw.values())
        return tuple(rule for rule in rules if rule is not None)

    def node_of(self, rule_id: str) -> Node:
        """Where a rule was written."""
        return self._raw[rule_id].node

    # --- merging ------------------------------------------------------------------------------

    def _rule_nodes(self) -> list[Node]:
        nodes: list[Node] = []
        for section in self.sections.of("rules"):
            if section.node.kind != "list":
                self._reader.wrong(section.node, "'rules:'", "a list, each rule after a '- '")
                continue
            nodes.extend(section.node.items)
        if len(nodes) > MAX_RULES:
            self.faults.error(nodes[MAX_RULES], "WR016", f"more than {MAX_RULES:,} rules")
        return nodes[:MAX_RULES]

    def _register(
        self,
        node: Node,
        defaults: Mapping[str, tuple[Node, Node]],
        overrides: Mapping[str, tuple[Node, Node]],
    ) -> None:
        if node.kind != "mapping":
            self._reader.wrong(node, "a rule", "a mapping")
            return
        name = self._new_name(node)
        if name is None:
            own = frozenset(key.text for key, _ in node.entries)
            self._spoilt.append(RawRule("", with_defaults(node, defaults), own))
            return
        merged = merge(node, overrides[name][1]) if name in overrides else node
        own = frozenset(key.text for key, _ in merged.entries)
        said = {key.text for key, _ in overrides[name][1].entries} if name in overrides else set()
        stale = said.intersection(RULE_TEXTS) if "translations" not in said else set[str]()
        self._raw[name] = RawRule(name, with_defaults(merged, defaults), own, frozenset(stale))

    def _new_name(self, node: Node) -> str | None:
        """The id of a rule; None where it has none that can be used."""
        id_node = node.get("id")
        if id_node is None:
            self.faults.error(node, "WR011", "the rule needs the key 'id'")
            return None
        name = self._reader.identifier(id_node, "id")
        if name is not None and name in self._raw:
            first = self._raw[name].node.get("id") or self._raw[name].node
            self.faults.error(
                id_node, "WR005", f"the rule {shown(name)} is defined already at {first.place}"
            )
            return None
        return name

    # --- use ----------------------------------------------------------------------------------

    def _where_of(self, name: str) -> Where | None:
        """The `where` of a rule, read once; None if there is none that can be used."""
        if name not in self._wheres:
            self._reading.append(name)
            self._wheres[name] = self._read_where(self._raw[name].node.get("where"))
            self._reading.pop()
        return self._wheres[name]

    def _read_where(self, node: Node | None) -> Where | None:
        if node is None:
            return None
        before = self.faults.errors
        reader = self._where_reader()
        where = reader.read(node)
        return None if reader.incomplete or self.faults.errors > before else where

    def _where_reader(self) -> WhereReader:
        return WhereReader(self.context, self._use)

    def _use(self, node: Node, name: str) -> Where | None:
        if name in self._reading:
            circle = " -> ".join((*self._reading[self._reading.index(name) :], name))
            self.faults.error(node, "WR034", f"the rules use themselves: {circle}")
            return None
        if len(self._reading) > 20:  # noqa: PLR2004 -- deeper than any sense, and than the stack
            self.faults.error(node, "WR034", "'use' goes through more than 20 rules")
            return None
        if name not in self._raw:
            self.names.unknown(node, "WR025", "rule", name, self._raw)
            return None
        return self._where_of(name)

    # --- one rule -----------------------------------------------------------------------------

    def _rule(self, raw: RawRule, where: Where | None) -> Rule | None:
        before = self.faults.errors
        node = raw.node
        kind = self._kind(node)
        own_keys = set(kind.keys) if kind is not None else set()
        found = self._keys(node, kind, own_keys)
        parameters = None if kind is None else ParametersReader(self._reader).read(node, kind)
        if kind is None:
            return None
        if not kind.about_events:
            where = Where(AnyOf(()))
        keys = self._by(found, None if where is None else where.predicate)
        policy = Policy(self._reader).read(found, raw.own, node, kind)
        texts: dict[str, Any] = {
            "title": self._text(found, "title", limit=300),
            "description": self._text(found, "description"),
            "runbook": self._text(found, "runbook"),
        }
        others = read_translations(found.get("translations"), self._reader, RULE_TEXTS)
        if where is None or self.faults.errors > before:
            return None
        current = {
            language: {name: text for name, text in given.items() if name not in raw.stale}
            for language, given in others.items()
        }
        names = self.definitions.translated
        texts["translations"] = translations_of(
            current, where.predicate, keys.get("groups", ()), names
        )
        return Rule(
            id=raw.id,
            kind=kind.name,
            where=where.predicate,
            parameters=parameters,
            location=where.location or "coded",
            path=node.file.path,
            line=node.line,
            **texts,
            **keys,
            **policy,
        )

    def _kind(self, node: Node) -> Kind | None:
        kind_node = node.get("kind")
        if kind_node is None:
            return None
        name = self._reader.text(kind_node, "kind")
        if name is None or name in self.kinds:
            return None if name is None else self.kinds[name]
        hint = did_you_mean(name, self.kinds) or f"; kinds are {', '.join(self.kinds)}"
        self.faults.error(kind_node, "WR026", f"unknown kind {shown(name)}{hint}")
        return None

    def _keys(self, node: Node, kind: Kind | None, own_keys: set[str]) -> dict[str, Node]:
        """The rule's common keys; unknown ones are faults, but for those of an unknown kind."""
        every_kind = self._every_kind
        found: dict[str, Node] = {}
        for key, value in node.entries:
            if key.text in RULE_KEYS:
                found[key.text] = value
            elif kind is None and key.text in every_kind:
                continue
            elif key.text not in own_keys:
                hints = dict(RULE_HINTS)
                if kind is not None and key.text in every_kind:
                    owners = [k.name for k in self.kinds.values() if key.text in k.keys]
                    hints.setdefault(key.text, f"it belongs to the kind {' and '.join(owners)}")
                self._reader.unknown_key(key, "the rule", {*RULE_KEYS, *own_keys}, hints)
        for name, key_spec in RULE_KEYS.items():
            if name in SELECTING and kind is not None and not kind.about_events:
                self._refuse_selection(found.pop(name, None), name, kind)
            elif key_spec.required and name not in found:
                self.faults.error(node, "WR011", f"the rule needs the key '{name}'")
        return found

    def _refuse_selection(self, node: Node | None, name: str, kind: Kind) -> None:
        if node is not None:
            self.faults.error(
                node,
                "WR015",
                f"'{name}' does nothing for the kind '{kind.name}', which looks at no events",
            )

    def _text(self, found: Mapping[str, Node], key: str, *, limit: int = 10_000) -> str:
        if key not in found:
            return ""
        text = self._reader.text(found[key], key, limit=limit)
        return " ".join(text.split()) if text and key == "title" else (text or "").strip()

    def _check_formerly(self, nodes: Iterable[Node]) -> None:
        claimed: dict[str, Node] = {}
        for rule in nodes:
            node = rule.get("formerly")
            items = () if node is None else (node.items if node.kind == "list" else (node,))
            for item in items:
                if item.text in self._raw:
                    self.faults.error(
                        item, "WR015", f"{shown(item.text)} is still the id of a rule"
                    )
                first = claimed.setdefault(item.text, item)
                if first is not item:
                    self.faults.error(
                        item, "WR005", f"{shown(item.text)} is claimed already at {first.place}"
                    )

    # --- keys ---------------------------------------------------------------------------------

    def _by(self, found: Mapping[str, Node], where: Predicate | None) -> dict[str, Any]:
        by: list[By] = []
        if "by" in found:
            for text, item in self._reader.texts(found["by"], "by"):
                if text not in DIMENSIONS:
                    self._reader.not_one_of(item, "by", text, DIMENSIONS)
                    continue
                by.append(cast("By", text))
                if where is not None:
                    self._check_dimension(text, item, found, where)
        groups: tuple[ActorGroup, ...] = ()
        if "groups" in found:
            groups = self._where_reader().actors.groups(found["groups"])
            if "actor_group" not in by:
                self.faults.error(
                    found["groups"], "WR015", "'groups' does nothing without 'by: actor_group'"
                )
        return {"by": tuple(dict.fromkeys(by)), "groups": groups}

    def _check_dimension(
        self, name: str, node: Node, found: Mapping[str, Node], where: Predicate
    ) -> None:
        tests = tuple(leaves(where))
        if name == "actor_group" and "groups" not in found:
            if not any(isinstance(test, ActorIs) and test.groups for test in tests):
                self.faults.error(node, "WR011", "'by: actor_group' needs 'groups: [...]'")
        elif name == "place":
            if not any(isinstance(test, Near) and test.places for test in tests):
                self.faults.error(node, "WR015", "'by: place' needs a 'near' with places in where")
        elif name == "border_neighbour" and not any(isinstance(t, NearBorder) for t in tests):
            self.faults.error(node, "WR015", "'by: border_neighbour' needs a 'border' in where")
