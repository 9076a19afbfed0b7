"""How a rule speaks: severity, updates, ages and pauses, labels and references.

Standing in the flow: a part of `rules`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from warden.engine.expression import ExpressionError, compile_expression
from warden.engine.facts import EVENT_NAMES, EXPRESSION_NAMES
from warden.engine.kinds.base import Kind
from warden.model.located import Node, did_you_mean, shown
from warden.model.rule import LEVELS, Level, SeverityStep, UpdateWhen
from warden.rulebook.language import (
    CHANGES,
    RESERVED_LABELS,
    STATUSES,
    STEP_KEYS,
    UPDATE_KEYS,
)
from warden.rulebook.shapes import Reader, one_line

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


class Policy:
    """Reads the keys of a rule that say when and how it is told."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._faults = reader.faults

    def read(
        self, found: Mapping[str, Node], own: frozenset[str], node: Node, kind: Kind
    ) -> dict[str, Any]:
        """The fields of `Rule`; `own` are the keys that no default has said."""
        policy: dict[str, Any] = {
            "severity": self._severity(found.get("severity"), kind),
            "update_when": self._update_when(found.get("update_when"), kind),
            "labels": self._labels(found.get("labels")),
            "references": self._references(found.get("references")),
            "formerly": self._formerly(found.get("formerly")),
        }
        if "status" in found:
            policy["status"] = self._reader.choice(found["status"], "status", STATUSES)
        policy |= self._durations(found, own, node, kind)
        if "flood_limit" in found:
            limit = self._reader.integer(found["flood_limit"], "flood_limit", 1, 1_000_000)
            policy["flood_limit"] = limit
        if "alerts_per_year" in found:
            rate = self._reader.number(found["alerts_per_year"], "alerts_per_year", 0, 1e6)
            policy["alerts_per_year"] = rate
        return policy

    def _durations(
        self, found: Mapping[str, Node], own: frozenset[str], node: Node, kind: Kind
    ) -> dict[str, Any]:
        durations: dict[str, Any] = {}
        for key, minimum in (("max_age", 1), ("reminder", 1), *((k, 0) for k in WINDOW_KEYS)):
            if key not in found:
                continue
            if key in WINDOW_KEYS and not kind.windowed:
                if key in own:
                    self._faults.error(
                        node.key(key) or node,
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
        names = kind.names or (EXPRESSION_NAMES if kind.windowed else EVENT_NAMES)
        nodes = self._reader.items(node, "severity")
        steps = [step for item in nodes if (step := self._step(item, names)) is not None]
        for item, step in zip(nodes, steps, strict=False):
            if step.when is None and item is not nodes[-1] and len(steps) == len(nodes):
                self._faults.error(
                    item, "WR030", "the severity steps after this one are never reached"
                )
        if len(steps) == len(nodes) and steps and steps[-1].when is not None:
            self._faults.error(
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
            self._faults.error(node, "WR033", f"when: {one_line(message)}", offset=offset)
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
                self._faults.error(
                    key, "WR019", f"{shown(key.text)} is not a label name: use letters and '_'"
                )
            elif key.text in RESERVED_LABELS:
                self._faults.error(
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
                self._faults.error(item, "WR019", f"{shown(text)} is not an http(s) address")
        return tuple(dict.fromkeys(addresses))

    def _formerly(self, node: Node | None) -> tuple[str, ...]:
        if node is None:
            return ()
        ids = (
            self._reader.identifier(item, "formerly")
            for item in self._reader.items(node, "formerly")
        )
        return tuple(dict.fromkeys(name for name in ids if name))
