"""A JSON Schema of rule files, for editors; made from the tables that the readers use.

Standing in the flow: `warden schema rules` prints it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from warden.engine.kinds.base import Kind
from warden.rulebook import language as lang
from warden.rulebook.files import ROUTE_KEYS
from warden.rulebook.rules import SELECTING
from warden.rulebook.vocabulary import VOCABULARIES

Schema = dict[str, Any]
_KIND_TEMPLATE: Final = "#/$defs/kind_{model}"


def schema(kinds: Mapping[str, Kind]) -> Schema:
    """The JSON Schema (draft 2020-12) of a rule file."""
    definitions = _definitions()
    rule = _rule(kinds, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "warden rule file",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "actors": _mapping_of({**lang.object_of(lang.GROUP_KEYS), "minProperties": 1}),
            "aliases": {"type": "array", "items": lang.object_of(lang.ALIAS_KEYS)},
            "places": _mapping_of(lang.object_of(lang.PLACE_KEYS)),
            "sites": _mapping_of(lang.TEXTS),
            "lines": _mapping_of(lang.object_of(lang.LINE_KEYS)),
            "areas": _mapping_of(lang.object_of(lang.AREA_KEYS)),
            "countries": _mapping_of(lang.TEXTS),
            "event_types": _mapping_of(_list_of(lang.choice(*VOCABULARIES["event_type"]))),
            "defaults": _without_required(lang.object_of(lang.POLICY_KEYS)),
            "rules": {"type": "array", "items": rule},
            "overrides": {
                "type": "object",
                "additionalProperties": _override(rule),
            },
            **{key: {} for key in ROUTE_KEYS},
        },
        "$defs": definitions,
    }


def _definitions() -> dict[str, Schema]:
    where: Schema = {
        "anyOf": [
            {**lang.object_of(lang.WHERE_KEYS), "minProperties": 1},
            {"type": "array", "items": lang.reference("where"), "minItems": 1},
        ]
    }
    return {
        "where": where,
        "text_test": {**lang.object_of(lang.TEXT_TEST_KEYS), "minProperties": 1},
        "bounds": {**lang.object_of(lang.BOUND_KEYS), "minProperties": 1},
        "actor": {**lang.object_of(lang.ACTOR_KEYS), "minProperties": 1},
        "near": lang.object_of(lang.NEAR_KEYS),
        "border": lang.object_of(lang.BORDER_KEYS),
        "inside": {**lang.object_of(lang.INSIDE_KEYS), "minProperties": 1},
        "severity_step": lang.object_of(lang.STEP_KEYS),
        "update_when": lang.object_of(lang.UPDATE_KEYS),
    }


def _rule(kinds: Mapping[str, Kind], definitions: dict[str, Schema]) -> Schema:
    """A rule: the common keys, and for each kind its own parameters."""
    rule = lang.object_of(lang.RULE_KEYS)
    rule["properties"]["kind"] = {
        **lang.choice(*kinds),
        "description": lang.RULE_KEYS["kind"].meaning,
    }
    rule["required"].remove("where")  # each kind says whether it needs one
    rule["allOf"] = []
    for kind in kinds.values():
        model = kind.Parameters.model_json_schema(ref_template=_KIND_TEMPLATE)
        for name, definition in model.get("$defs", {}).items():
            definitions[f"kind_{name}"] = definition
        parameters = model.get("properties", {})
        for name in parameters:
            rule["properties"].setdefault(name, {})
        rule["allOf"].append(
            {
                "if": {"properties": {"kind": {"const": kind.name}}, "required": ["kind"]},
                "then": {
                    "properties": {
                        **parameters,
                        **dict.fromkeys(_of_others(kind, kinds), False),
                        **dict.fromkeys(() if kind.about_events else SELECTING, False),
                    },
                    "required": [
                        *model.get("required", []),
                        *(["where"] if kind.about_events else []),
                    ],
                },
            }
        )
    return rule


def _of_others(kind: Kind, kinds: Mapping[str, Kind]) -> list[str]:
    """Parameters that only other kinds have."""
    own = kind.keys | set(lang.RULE_KEYS)
    others = {name for other in kinds.values() for name in other.keys}
    return sorted(others - own)


def _override(rule: Schema) -> Schema:
    """Any keys of a rule but its id; null removes a key."""
    properties = {
        name: {"anyOf": [{}, {"type": "null"}]} for name in rule["properties"] if name != "id"
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _mapping_of(shape: Schema) -> Schema:
    return {"type": "object", "propertyNames": lang.ID, "additionalProperties": shape}


def _list_of(shape: Schema) -> Schema:
    return {"anyOf": [shape, {"type": "array", "items": shape, "minItems": 1}]}


def _without_required(shape: Schema) -> Schema:
    return {**shape, "required": []}
