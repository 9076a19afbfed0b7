"""A rule's mapping into a frozen `Rule`: defaults and overrides merged, every key checked.

Standing in the flow: the third step of loading, after the definitions.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from pydantic import ValidationError

from warden.engine.expression import ExpressionError, compile_expression
from warden.engine.facts import EVENT_NAMES, EXPRESSION_NAMES
from warden.engine.kinds.base import Kind
from warden.model.located import FaultList, Node, did_you_mean, shown
from warden.model.rule import (
    LEVELS,
    ActorGroup,
    ActorIs,
    By,
    Level,
    Near,
    NearBorder,
    Predicate,
    Rule,
    SeverityStep,
    UpdateWhen,
)
from warden.rulebook.context import Context, leaves
from warden.rulebook.definitions import Definitions
from warden.rulebook.definitions import Loader as DefinitionsLoader
from warden.rulebook.files import Section, Sections
from warden.rulebook.language import (
    CHANGES,
    DIMENSIONS,
    POLICY_KEYS,
    RESERVED_LABELS,
    RULE_KEYS,
    STATUSES,
    STEP_KEYS,
    UPDATE_KEYS,
)
from warden.rulebook.shapes import Reader
from warden.rulebook.where import Where, WhereReader

MAX_RULES: Final = 20_000
EVENT_UPDATE: Final = UpdateWhen(
    fatalities=5,
    moved_km=25.0,
    changed=("event_type", "civilian_targeting", "actor_group"),
)
WINDOW_UPDATE: Final = UpdateWhen(value_ratio=2.0)
# Keys that say something about windows; an event is an episode of its own.
WINDOW_KEYS: Final = ("cooldown", "keep_firing_for", "resolve")

_LABEL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}\Z")
_ADDRESS: Final = re.compile(r"https?://[^\s/]+\S*\Z")


@dataclass(slots=True)
class RawRule:
    """A rule as written, with defaults and overrides merged in.

    Attributes:
        id: its id. node: its mapping. own: the keys that it or an override says itself.
    """

    id: str
    node: Node
    own: frozenset[str]


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
    _wheres: dict[str, Where | None] = field(init=False, default_factory=dict)
    _reading: list[str] = field(init=False, default_factory=list)
    _every_kind: frozenset[str] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        self._reader = Reader(self.faults)
        self.context = Context(
            self.faults, self._reader, self.definitions, self.names, self.neighbours
        )
        self._every_kind = frozenset(
            key for kind in self.kinds.values() for key in kind.Parameters.model_fields
        )

    def read(self) -> tuple[Rule, ...]:
        """Every rule, in reading order; those with faults are left out."""
        defaults = self._defaults()
        overrides = self._overrides()
        for node in self._rule_nodes():
            self._register(node, defaults, overrides)
        for name, (key, _) in overrides.items():
            if name not in self._raw:
                self.names.unknown(key, "WR025", "rule", name, self._raw)
        rules = [self._rule(raw) for raw in self._raw.values()]
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
        id_node = node.get("id")
        if id_node is None:
            self.faults.error(node, "WR011", "the rule needs the key 'id'")
            return
        name = self._reader.identifier(id_node, "id")
        if name is None:
            return
        if name in self._raw:
            first = self._raw[name].node.get("id") or self._raw[name].node
            self.faults.error(
                id_node, "WR005", f"the rule {shown(name)} is defined already at {first.place}"
            )
            return
        merged = merge(node, overrides[name][1]) if name in overrides else node
        own = frozenset(key.text for key, _ in merged.entries)
        self._raw[name] = RawRule(name, with_defaults(merged, defaults), own)

    def _defaults(self) -> dict[str, tuple[Node, Node]]:
        """Keys for every rule; those of `local/` win over those shipped."""
        found: dict[str, tuple[Node, Node]] = {}
        owner: dict[str, Section] = {}
        for section in self.sections.of("defaults"):
            if section.node.kind != "mapping":
                self._reader.wrong(section.node, "'defaults:'", "a mapping of keys for every rule")
                continue
            self._reader.mapping(section.node, "defaults", POLICY_KEYS)
            for key, value in section.node.entries:
                if key.text not in POLICY_KEYS:
                    continue
                before = owner.get(key.text)
                if before is not None and before.file.local == section.file.local:
                    place = found[key.text][0].place
                    self.faults.error(
                        key, "WR005", f"the default {shown(key.text)} is said already at {place}"
                    )
                    continue
                owner[key.text] = section
                found[key.text] = (key, value)
        return found

    def _overrides(self) -> dict[str, tuple[Node, Node]]:
        found: dict[str, tuple[Node, Node]] = {}
        for section in self.sections.of("overrides"):
            if section.node.kind != "mapping":
                self._reader.wrong(section.node, "'overrides:'", "a mapping of rule ids")
                continue
            for key, value in section.node.entries:
                if key.text in found:
                    place = found[key.text][0].place
                    self.faults.error(
                        key, "WR005", f"{shown(key.text)} is overridden already at {place}"
                    )
                elif value.kind != "mapping":
                    self._reader.wrong(value, f"the override of {shown(key.text)}", "a mapping")
                elif value.get("id") is not None:
                    self.faults.error(
                        value.key("id") or value, "WR015", "an override cannot change the id"
                    )
                else:
                    found[key.text] = (key, value)
        return found

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

    def _rule(self, raw: RawRule) -> Rule | None:
        before = self.faults.errors
        node = raw.node
        kind = self._kind(node)
        own_keys = set(kind.Parameters.model_fields) if kind is not None else set()
        found = self._keys(node, kind, own_keys)
        where = self._where_of(raw.id)
        parameters = self._parameters(node, kind, own_keys)
        if kind is None:
            return None
        keys = self._by(found, None if where is None else where.predicate)
        policy = self._policy(found, raw, kind)
        texts: dict[str, Any] = {
            "title": self._text(found, "title", limit=300),
            "description": self._text(found, "description"),
            "runbook": self._text(found, "runbook"),
        }
        if where is None or self.faults.errors > before:
            return None
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
                hints = {}
                if kind is not None and key.text in every_kind:
                    owners = [
                        k.name for k in self.kinds.values() if key.text in k.Parameters.model_fields
                    ]
                    hints[key.text] = f"it belongs to the kind {' and '.join(owners)}"
                self._reader.unknown_key(key, "the rule", {*RULE_KEYS, *own_keys}, hints)
        for name, key_spec in RULE_KEYS.items():
            if key_spec.required and name not in found:
                self.faults.error(node, "WR011", f"the rule needs the key '{name}'")
        return found

    def _parameters(self, node: Node, kind: Kind | None, own_keys: set[str]) -> Any:
        if kind is None:
            return None
        entries = {key.text: value.data() for key, value in node.entries if key.text in own_keys}
        try:
            return kind.Parameters.model_validate(entries)
        except ValidationError as error:
            for problem in error.errors(include_url=False, include_context=False):
                self._parameter_fault(node, kind, dict(problem))
            return None

    def _parameter_fault(self, node: Node, kind: Kind, problem: dict[str, Any]) -> None:
        path = tuple(problem["loc"])
        what = ".".join(str(step) for step in path)
        message = str(problem["msg"]).removeprefix("Value error, ")
        where = node.at(path)
        bare = where.kind == "scalar" and isinstance(where.value, int | float)
        if problem["type"] == "missing":
            self.faults.error(
                where, "WR011", f"a rule of the kind '{kind.name}' needs the key '{what}'"
            )
        elif problem["type"] == "extra_forbidden":
            holder = node.at(path[:-1])
            key = holder.key(str(path[-1])) or holder
            allowed = _allowed(kind.Parameters, path[:-1])
            self._reader.unknown_key(key, str(path[-2]) if path[1:] else "the rule", allowed, {})
        elif problem["type"] in ("literal_error", "enum"):
            self.faults.error(where, "WR013", _literal_message(where, what, message))
        elif "duration" in message or "whole days" in message:
            if bare:
                message = f"{where.text} has no unit; write {where.text}d for days"
            self.faults.error(where, "WR017", f"{what}: {_one_line(message)}")
        elif problem["type"].startswith(("greater_than", "less_than")):
            self.faults.error(where, "WR016", f"{what}: {_one_line(message)}")
        else:
            prefix = f"{what}: " if what else ""
            self.faults.error(where, "WR036", f"{prefix}{_one_line(message)}")

    def _text(self, found: Mapping[str, Node], key: str, *, limit: int = 10_000) -> str:
        if key not in found:
            return ""
        text = self._reader.text(found[key], key, limit=limit)
        return " ".join(text.split()) if text and key == "title" else (text or "").strip()

    # --- policy -------------------------------------------------------------------------------

    def _policy(self, found: Mapping[str, Node], raw: RawRule, kind: Kind) -> dict[str, Any]:
        policy: dict[str, Any] = {
            "severity": self._severity(found.get("severity"), kind),
            "update_when": self._update_when(found.get("update_when"), kind),
            "labels": self._labels(found.get("labels")),
            "references": self._references(found.get("references")),
            "formerly": self._formerly(found.get("formerly")),
        }
        if "status" in found:
            policy["status"] = self._reader.choice(found["status"], "status", STATUSES)
        policy |= self._durations(found, raw, kind)
        if "flood_limit" in found:
            limit = self._reader.integer(found["flood_limit"], "flood_limit", 1, 1_000_000)
            policy["flood_limit"] = limit
        if "alerts_per_year" in found:
            rate = self._reader.number(found["alerts_per_year"], "alerts_per_year", 0, 1e6)
            policy["alerts_per_year"] = rate
        return policy

    def _durations(self, found: Mapping[str, Node], raw: RawRule, kind: Kind) -> dict[str, Any]:
        durations: dict[str, Any] = {}
        for key, minimum in (("max_age", 1), ("reminder", 1), *((k, 0) for k in WINDOW_KEYS)):
            if key not in found:
                continue
            if key in WINDOW_KEYS and not kind.windowed:
                if key in raw.own:
                    self.faults.error(
                        raw.node.key(key) or raw.node,
                        "WR015",
                        f"'{key}' does nothing for the kind '{kind.name}', "
                        "where each event is an alert of its own",
                    )
                continue
            durations[f"{key}_days"] = self._reader.days(found[key], key, minimum=minimum)
        return durations

    def _severity(self, node: Node | None, kind: Kind) -> tuple[SeverityStep, ...]:
        if node is None:
            return (SeverityStep("warning"),)
        names = EXPRESSION_NAMES if kind.windowed else EVENT_NAMES
        nodes = self._reader.items(node, "severity")
        steps = [step for item in nodes if (step := self._step(item, names)) is not None]
        for item, step in zip(nodes, steps, strict=False):
            if step.when is None and item is not nodes[-1] and len(steps) == len(nodes):
                self.faults.error(
                    item, "WR030", "the severity steps after this one are never reached"
                )
        if len(steps) == len(nodes) and steps and steps[-1].when is not None:
            self.faults.error(
                nodes[-1], "WR030", "the last severity step must have no 'when'; add '- warning'"
            )
        return tuple(steps)

    def _step(self, node: Node, names: Iterable[str]) -> SeverityStep | None:
        if node.kind != "mapping":
            level = self._reader.choice(node, "severity", LEVELS)
            return None if level is None else SeverityStep(cast("Level", level))
        found = self._reader.mapping(node, "severity", STEP_KEYS, required=("level",))
        if found is None:
            return None
        level = self._reader.choice(found["level"], "level", LEVELS) if "level" in found else None
        when = self._expression(found["when"], names) if "when" in found else None
        if level is None or ("when" in found and when is None):
            return None
        return SeverityStep(cast("Level", level), when)

    def _expression(self, node: Node, names: Iterable[str]) -> str | None:
        text = self._reader.text(node, "when", limit=2_000)
        if text is None:
            return None
        choices = frozenset(names)
        try:
            compile_expression(text, choices)
        except ExpressionError as error:
            indent = len(text) - len(text.lstrip())
            message = str(error)
            if message.startswith("unknown name '"):
                message += did_you_mean(message.split("'")[1], choices)
            inline = (
                "\n" not in text and node.file.line(node.line)[node.column - 1 :][:1] not in "|>"
            )
            offset = error.offset + indent if inline else 0
            self.faults.error(node, "WR033", f"when: {_one_line(message)}", offset=offset)
            return None
        return text

    def _update_when(self, node: Node | None, kind: Kind) -> UpdateWhen:
        update = WINDOW_UPDATE if kind.windowed else EVENT_UPDATE
        found = self._reader.mapping(node, "update_when", UPDATE_KEYS) if node is not None else None
        if not found:
            return update
        changes: dict[str, Any] = {}
        for key, value in found.items():
            if value.kind == "scalar" and value.value is None:
                changes[key] = {"severity_raised": False, "changed": ()}.get(key)
            else:
                changes[key] = self._update_value(key, value)
        return dataclasses.replace(update, **changes)

    def _update_value(self, key: str, node: Node) -> Any:
        if key == "severity_raised":
            return self._reader.boolean(node, key)
        if key == "fatalities":
            return self._reader.integer(node, key, 1, 1_000_000)
        if key == "moved_km":
            return self._reader.number(node, key, 0.001, 20_040)
        if key == "value_ratio":
            return self._reader.number(node, key, 1.001, 1e6)
        facts = []
        for item in self._reader.items(node, key, empty=True):
            fact = self._reader.choice(item, key, CHANGES)
            facts.extend([fact] if fact else [])
        return tuple(dict.fromkeys(facts))

    def _labels(self, node: Node | None) -> tuple[tuple[str, str], ...]:
        if node is None:
            return ()
        if node.kind != "mapping":
            self._reader.wrong(node, "labels", "a mapping of names to texts")
            return ()
        labels: dict[str, str] = {}
        for key, value in node.entries:
            text = self._reader.text(value, f"the label {shown(key.text)}", limit=500)
            if not _LABEL.match(key.text):
                self.faults.error(
                    key, "WR019", f"{shown(key.text)} is not a label name: use letters and '_'"
                )
            elif key.text in RESERVED_LABELS:
                self.faults.error(
                    key, "WR015", f"the label '{key.text}' is set by warden; use another name"
                )
            elif text is not None:
                labels[key.text] = text
        return tuple(sorted(labels.items()))

    def _references(self, node: Node | None) -> tuple[str, ...]:
        if node is None:
            return ()
        addresses: list[str] = []
        for text, item in self._reader.texts(node, "references"):
            if _ADDRESS.match(text) and len(text) <= 2_000:  # noqa: PLR2004 -- of any address
                addresses.append(text)
            else:
                self.faults.error(item, "WR019", f"{shown(text)} is not an http(s) address")
        return tuple(dict.fromkeys(addresses))

    def _formerly(self, node: Node | None) -> tuple[str, ...]:
        if node is None:
            return ()
        ids = (
            self._reader.identifier(item, "formerly")
            for item in self._reader.items(node, "formerly")
        )
        return tuple(dict.fromkeys(name for name in ids if name))

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


def merge(base: Node, patch: Node) -> Node:
    """`patch` over `base`: mappings key by key, everything else replaced, null removes."""
    if base.kind != "mapping" or patch.kind != "mapping":
        return patch
    entries = {key.text: (key, value) for key, value in base.entries}
    for key, value in patch.entries:
        if value.kind == "scalar" and value.value is None:
            entries.pop(key.text, None)
        elif key.text in entries:
            entries[key.text] = (key, merge(entries[key.text][1], value))
        else:
            entries[key.text] = (key, value)
    return dataclasses.replace(base, entries=tuple(entries.values()))


def with_defaults(node: Node, defaults: Mapping[str, tuple[Node, Node]]) -> Node:
    """Add the defaults that the rule does not say; labels and update_when merge key by key."""
    missing = []
    entries = dict(zip((key.text for key, _ in node.entries), node.entries, strict=True))
    for name, (key, value) in defaults.items():
        if name not in entries:
            missing.append((key, value))
        elif name in ("labels", "update_when"):
            own_key, own = entries[name]
            entries[name] = (own_key, _under(value, own))
    return dataclasses.replace(node, entries=(*entries.values(), *missing))


def _under(default: Node, own: Node) -> Node:
    """A rule's own mapping with the keys that only the default has."""
    if default.kind != "mapping" or own.kind != "mapping":
        return own
    have = {key.text for key, _ in own.entries}
    added = tuple(entry for entry in default.entries if entry[0].text not in have)
    return dataclasses.replace(own, entries=(*own.entries, *added))


def _allowed(model: Any, path: tuple[str | int, ...]) -> tuple[str, ...]:
    """The keys of the model that stands at a path within the parameters."""
    for step in path:
        annotation = model.model_fields[step].annotation if step in model.model_fields else None
        nested = [annotation, *getattr(annotation, "__args__", ())]
        model = next((n for n in nested if hasattr(n, "model_fields")), None)
        if model is None:
            return ()
    return tuple(model.model_fields)


def _literal_message(node: Node, what: str, message: str) -> str:
    choices = re.findall(r"'([^']*)'", message)
    text = node.text if node.kind == "scalar" else node.describe()
    hint = did_you_mean(text, choices) or f"; use one of {', '.join(choices)}"
    return f"{shown(text)} is not a value of {what}{hint}"


def _one_line(message: str) -> str:
    return " ".join(message.split())[:300]
