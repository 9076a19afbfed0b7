"""Rules as merged: defaults under them, overrides over them, every value keeping its place.

Standing in the flow: before a rule is read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from warden.model.located import Node, shown
from warden.rulebook.files import Section, Sections
from warden.rulebook.language import POLICY_KEYS
from warden.rulebook.shapes import Reader

Entries = dict[str, tuple[Node, Node]]


class MergeReader:
    """Reads `defaults:` and `overrides:`."""

    def __init__(self, sections: Sections, reader: Reader) -> None:
        self._sections = sections
        self._reader = reader
        self._faults = reader.faults

    def defaults(self) -> Entries:
        """Keys for every rule; those of `local/` win over those shipped."""
        found: Entries = {}
        owner: dict[str, Section] = {}
        for section in self._sections.of("defaults"):
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
                    self._faults.error(
                        key, "WR005", f"the default {shown(key.text)} is said already at {place}"
                    )
                    continue
                owner[key.text] = section
                found[key.text] = (key, value)
        return found

    def overrides(self) -> Entries:
        """Changes by rule id."""
        found: Entries = {}
        for section in self._sections.of("overrides"):
            if section.node.kind != "mapping":
                self._reader.wrong(section.node, "'overrides:'", "a mapping of rule ids")
                continue
            for key, value in section.node.entries:
                if key.text in found:
                    place = found[key.text][0].place
                    self._faults.error(
                        key, "WR005", f"{shown(key.text)} is overridden already at {place}"
                    )
                elif value.kind != "mapping":
                    self._reader.wrong(value, f"the override of {shown(key.text)}", "a mapping")
                elif value.get("id") is not None:
                    self._faults.error(
                        value.key("id") or value, "WR015", "an override cannot change the id"
                    )
                else:
                    found[key.text] = (key, value)
        return found


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
