"""A JSON Schema of `receivers:` and `route:`, for editors; `warden check` knows more."""

from __future__ import annotations

from typing import Any

from warden.notify.channels import CHANNELS

_TEXT = {"type": "string", "minLength": 1}
_TEXTS = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}
_DURATION = {"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d)$"}


def routes_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a file of routes."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "warden routes",
        "type": "object",
        "properties": {
            "receivers": {"type": "array", "items": _receiver()},
            "route": {"$ref": "#/$defs/route", "required": ["receiver"]},
        },
        "$defs": {"route": _route()},
    }


def _receiver() -> dict[str, Any]:
    targets = {"anyOf": [{"type": "object"}, {"type": "array", "minItems": 1}]}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$"},
            "language": {**_TEXT, "description": "a folder of templates/: en, fr"},
            "time_zone": {**_TEXT, "description": "an IANA zone: Africa/Bamako"},
            **dict.fromkeys(CHANNELS, targets),
        },
    }


def _route() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "receiver": {**_TEXT, "description": "the name of a receiver"},
            "matchers": {
                "description": "labels that must all fit: a mapping, or a list of expressions",
                "anyOf": [{"type": "object", "additionalProperties": True}, _TEXTS],
            },
            "continue": {"type": "boolean", "description": "later routes are asked too"},
            "group_by": _TEXTS,
            "group_wait": _DURATION,
            "routes": {"type": "array", "items": {"$ref": "#/$defs/route"}},
        },
    }
