"""A JSON Schema of a file of routes, for editors; `warden check` knows more."""

from __future__ import annotations

from typing import Any

from warden.notify.channels import CHANNELS

_TEXT = {"type": "string", "minLength": 1}
_TEXTS = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}
_RANGE = {"type": ["string", "integer"], "description": "one, or first:last"}
_CLOCK = {"type": "string", "pattern": r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"}
_MATCHERS: dict[str, Any] = {
    "description": "labels that must all fit: a mapping, or a list of expressions",
    "anyOf": [{"type": "object", "additionalProperties": True}, _TEXTS],
}
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
            "inhibit_rules": {"type": "array", "items": _inhibit_rule()},
            "time_intervals": {"type": "array", "items": _named_interval()},
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
            "review": {"type": "boolean", "description": "waits for `warden release`"},
            **dict.fromkeys(CHANNELS, targets),
        },
    }


def _route() -> dict[str, Any]:
    names = {**_TEXTS, "description": "names under time_intervals"}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "receiver": {**_TEXT, "description": "the name of a receiver"},
            "matchers": _MATCHERS,
            "continue": {"type": "boolean", "description": "later routes are asked too"},
            "group_by": {**_TEXTS, "description": "labels; cycle: all of one; ...: each alert"},
            "group_wait": {**_DURATION, "description": "how long a group waits for others"},
            "group_interval": {
                **_DURATION,
                "description": "how long a group that has sent waits before it sends again",
            },
            "mute_time_intervals": names,
            "active_time_intervals": names,
            "digest": {
                "type": "object",
                "additionalProperties": False,
                "required": ["at"],
                "properties": {"at": _CLOCK, "days": _TEXTS},
                "description": "gathered for this hour, in the receiver's zone",
            },
            "review": {"type": "boolean", "description": "waits for `warden release`"},
            "routes": {"type": "array", "items": {"$ref": "#/$defs/route"}},
        },
    }


def _inhibit_rule() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["source_matchers", "target_matchers"],
        "properties": {
            "source_matchers": _MATCHERS,
            "target_matchers": _MATCHERS,
            "equal": {**_TEXTS, "description": "labels that source and target must agree in"},
        },
    }


def _named_interval() -> dict[str, Any]:
    span = {
        "type": "object",
        "additionalProperties": False,
        "required": ["start_time", "end_time"],
        "properties": {"start_time": _CLOCK, "end_time": _CLOCK},
    }
    ranges = {"anyOf": [_RANGE, {"type": "array", "items": _RANGE, "minItems": 1}]}
    interval = {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "properties": {
            "times": {"type": "array", "items": span, "minItems": 1},
            **dict.fromkeys(("weekdays", "days_of_month", "months", "years"), ranges),
            "location": {**_TEXT, "description": "an IANA zone; UTC where none is written"},
        },
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "time_intervals"],
        "properties": {
            "name": _TEXT,
            "time_intervals": {"type": "array", "items": interval, "minItems": 1},
        },
    }
