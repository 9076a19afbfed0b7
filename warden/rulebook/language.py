"""The rule language as tables: every key with its shape and its meaning.

Standing in the flow: the readers take their sets of keys from here, the JSON Schema and the
reference in docs/rules.md are made from here, so that the three cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from warden.model.event import ROLES
from warden.model.health import DIMENSION
from warden.model.rule import FLAG_FIELDS, LEVELS, NUMBER_FIELDS, TEXT_FIELDS
from warden.rulebook.vocabulary import VOCABULARIES

Shape = dict[str, Any]

TEXT: Final[Shape] = {"type": ["string", "number"]}
TEXTS: Final[Shape] = {"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}]}
DURATION: Final[Shape] = {"type": "string", "pattern": "^[0-9]+ *[dwy]$"}
KILOMETRES: Final[Shape] = {"type": "number", "exclusiveMinimum": 0}
DATE: Final[Shape] = {"type": "string", "format": "date"}
BOOLEAN: Final[Shape] = {"type": "boolean"}
ID: Final[Shape] = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$"}
LATITUDE: Final[Shape] = {"type": "number", "minimum": -90, "maximum": 90}
LONGITUDE: Final[Shape] = {"type": "number", "minimum": -180, "maximum": 180}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the language.

    Attributes:
        shape: JSON Schema of its value.
        meaning: a sentence for the reference and for editors.
        required: whether it must be there.
    """

    shape: Shape
    meaning: str
    required: bool = False


def choice(*values: str) -> Shape:
    """One of some texts."""
    return {"enum": list(values)}


def reference(name: str) -> Shape:
    """A reference to a definition of the schema."""
    return {"$ref": f"#/$defs/{name}"}


def object_of(keys: dict[str, Key]) -> Shape:
    """The JSON Schema of a mapping with these keys and no others."""
    return {
        "type": "object",
        "properties": {
            name: {**key.shape, "description": key.meaning} for name, key in keys.items()
        },
        "required": [name for name, key in keys.items() if key.required],
        "additionalProperties": False,
    }


def _translated(*names: str) -> Shape:
    """Texts by language code."""
    texts: Shape = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in names},
        "additionalProperties": False,
        "minProperties": 1,
    }
    return {
        "type": "object",
        "patternProperties": {"^[a-z]{2,3}(_[A-Z]{2})?$": texts},
        "additionalProperties": False,
    }


_TITLES: Final = Key(_translated("title"), "The title in other languages: `{fr: {title: …}}`.")

# --- definitions ------------------------------------------------------------------------------

GROUP_KEYS: Final[dict[str, Key]] = {
    "title": Key(TEXT, "What recipients read."),
    "match": Key(TEXTS, "Globs on whole names; a plain name stands for its regime periods too."),
    "except": Key(TEXTS, "Globs of names that do not belong to it after all."),
    "groups": Key(TEXTS, "Other groups that are part of it, with their exceptions."),
    "translations": _TITLES,
}
ALIAS_KEYS: Final[dict[str, Key]] = {
    "name": Key(TEXT, "The one name for keys and messages.", True),  # noqa: FBT003
    "was": Key(TEXTS, "Other spellings of the same actor, in full.", True),  # noqa: FBT003
    "since": Key(DATE, "The spellings mean this actor from this day on."),
    "until": Key(DATE, "… up to this day. An alias with dates adds nothing to groups."),
}
PLACE_KEYS: Final[dict[str, Key]] = {
    "title": Key(TEXT, "What recipients read."),
    "lat": Key(LATITUDE, "Degrees north.", True),  # noqa: FBT003
    "lon": Key(LONGITUDE, "Degrees east.", True),  # noqa: FBT003
    "translations": _TITLES,
}
LINE_KEYS: Final[dict[str, Key]] = {
    "title": Key(TEXT, "What recipients read."),
    "file": Key(TEXT, "A GeoJSON file beside this one (LineString, MultiLineString)."),
    "points": Key({"type": "array", "minItems": 2}, "Or its points: `[[lat, lon], …]`."),
    "translations": _TITLES,
}
AREA_KEYS: Final[dict[str, Key]] = {
    "title": Key(TEXT, "What recipients read."),
    "file": Key(TEXT, "A GeoJSON file beside this one (Polygon, MultiPolygon).", True),  # noqa: FBT003
    "translations": _TITLES,
}

# --- where ------------------------------------------------------------------------------------

SIDES: Final = ("any", "inside", "outside")

TEXT_TEST_KEYS: Final[dict[str, Key]] = {
    "is": Key(TEXTS, "The whole text, without regard to case and accents."),
    "matches": Key(TEXTS, "A glob on the whole text: `*` any characters, `?` any one."),
    "contains": Key(TEXTS, "A part of the text."),
    "regex": Key(
        TEXTS, "A regular expression found anywhere in the text; bounded in time (WR032)."
    ),
}
BOUND_KEYS: Final[dict[str, Key]] = {
    "gte": Key(TEXT, "At least."),
    "gt": Key(TEXT, "More than."),
    "lte": Key(TEXT, "At most."),
    "lt": Key(TEXT, "Less than."),
    "between": Key(
        {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2}, "Both bounds included."
    ),
}
ACTOR_KEYS: Final[dict[str, Key]] = {
    "group": Key(TEXTS, "A group of `actors:`, or a list of groups of which one suffices."),
    "groups": Key(TEXTS, "The same as `group`."),
    "name": Key(TEXTS, "A whole name; its aliases and regime periods count as the same."),
    "matches": TEXT_TEST_KEYS["matches"],
    "contains": TEXT_TEST_KEYS["contains"],
    "regex": TEXT_TEST_KEYS["regex"],
    "type": Key(TEXTS, "The source's class of actor, such as `State forces`."),
    "roles": Key(
        {"anyOf": [choice(*ROLES), {"type": "array", "items": choice(*ROLES), "minItems": 1}]},
        "The columns to look in; all four if not said.",
    ),
}
NEAR_KEYS: Final[dict[str, Key]] = {
    "place": Key(TEXTS, "A place of `places:`."),
    "places": Key(TEXTS, "Places or groups of `sites:`; `sites` means all of them."),
    "lat": Key(LATITUDE, "Degrees north, with `lon`, instead of a named place."),
    "lon": Key(LONGITUDE, "Degrees east."),
    "line": Key(TEXT, "A line of `lines:`, such as a road."),
    "within_km": Key(KILOMETRES, "The greatest distance, itself included (WGS84 geodesic).", True),  # noqa: FBT003
}
BORDER_KEYS: Final[dict[str, Key]] = {
    "of": Key(TEXT, "The country whose land border it is.", True),  # noqa: FBT003
    "with": Key(TEXTS, "Its neighbours: countries or groups of `countries:`.", True),  # noqa: FBT003
    "within_km": Key(KILOMETRES, "The greatest distance to the shared border line.", True),  # noqa: FBT003
    "side": Key(choice(*SIDES), "On which side: `inside` lies in `of`. `any` if not said."),
}
INSIDE_KEYS: Final[dict[str, Key]] = {
    "country": Key(TEXTS, "Countries or groups of `countries:`, by border data."),
    "area": Key(TEXTS, "Areas of `areas:`, one of which suffices."),
    "admin1": Key(TEXTS, "First-level divisions as the source names them."),
}


def _text_field(name: str) -> Shape:
    test = reference("text_test")
    if name in VOCABULARIES and name != "event_type":
        value: Shape = choice(*VOCABULARIES[name])
    else:
        value = TEXT
    either = {"anyOf": [value, test]}
    return {"anyOf": [value, test, {"type": "array", "items": either, "minItems": 1}]}


_FIELD_MEANINGS: Final[dict[str, str]] = {
    "source": "The name of the configured source.",
    "dataset": "The body of data, such as `acled`.",
    "country": "ISO codes, common names, or groups of `countries:`.",
    "admin1": "First-level division; sources rename them, so prefer an area.",
    "admin2": "Second-level division.",
    "admin3": "Third-level division.",
    "location": "The name of the place. As the top of `where`, `coded`, `certain` or `possible` "
    "say instead how the error disc of a location counts.",
    "event_type": "A type, or a set of `event_types:` such as `attack`.",
    "sub_event_type": "A sub-type.",
    "disorder_type": "A disorder type; compound values count under each part.",
    "category": "warden's own class of event.",
    "tags": "Any of the event's tags.",
    "notes": "The source's description.",
    "fatalities": "Deaths, best estimate.",
    "geo_precision": "1 near the place, 2 part of a region, 3 the region only.",
    "time_precision": "1 the day, 2 the week, 3 the month.",
    "event_date": "The day it happened.",
    "civilian_targeting": "Whether civilians were the target.",
}
_NUMBER: Final[Shape] = {
    "anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}, reference("bounds")]
}

WHERE_KEYS: Final[dict[str, Key]] = {
    "all": Key({"type": "array", "items": reference("where"), "minItems": 1}, "All must hold."),
    "any": Key({"type": "array", "items": reference("where"), "minItems": 1}, "Some must hold."),
    "not": Key(reference("where"), "Must not hold."),
    "use": Key(TEXTS, "Another rule's `where` must hold too."),
    "actor": Key(
        {
            "anyOf": [
                TEXT,
                reference("actor"),
                {"type": "array", "items": {"anyOf": [TEXT, reference("actor")]}, "minItems": 1},
            ]
        },
        "Some actor of the event: a name, or a mapping.",
    ),
    "actor_type": Key(_text_field("actor_type"), "Some actor's class, as the source names it."),
    "near": Key(reference("near"), "Within a distance of a place, a point or a line."),
    "border": Key(reference("border"), "Within a distance of a land border."),
    "inside": Key(reference("inside"), "Inside a country, an area or a division."),
    **{name: Key(_text_field(name), _FIELD_MEANINGS[name]) for name in TEXT_FIELDS},
    **{name: Key(_NUMBER, _FIELD_MEANINGS[name]) for name in NUMBER_FIELDS},
    **{name: Key(BOOLEAN, _FIELD_MEANINGS[name]) for name in FLAG_FIELDS},
}
WHERE_HINTS: Final[dict[str, str]] = {
    **{role: f"write actor: {{name: …, roles: [{role}]}}" for role in ROLES},
    "type": "write event_type or actor_type",
    "deaths": "write fatalities",
    "killed": "write fatalities",
    "date": "write event_date",
    "iso3": "write country",
    "lat": "write near: {lat: …, lon: …, within_km: …}",
    "lon": "write near: {lat: …, lon: …, within_km: …}",
    "within_km": "write near: {place: …, within_km: …}",
    "place": "write near: {place: …, within_km: …}",
    "area": "write inside: {area: …}",
    "group": "write actor: {group: …}",
    "actor_group": "write actor: {group: …}",
}

# --- rules ------------------------------------------------------------------------------------

STATUSES: Final = ("stable", "trial", "disabled")
DIMENSIONS: Final = (
    "actor_group",
    "actor",
    "admin1",
    "admin2",
    "country",
    "place",
    "border_neighbour",
)
CHANGES: Final = ("event_type", "sub_event_type", "civilian_targeting", "actor_group", "country")

STEP_KEYS: Final[dict[str, Key]] = {
    "level": Key(choice(*LEVELS), "The severity.", True),  # noqa: FBT003
    "when": Key({"type": "string"}, "An expression; without it the step always holds."),
}
UPDATE_KEYS: Final[dict[str, Key]] = {
    "fatalities": Key({"type": ["integer", "null"], "minimum": 1}, "Deaths moved by this many."),
    "moved_km": Key({"type": ["number", "null"], "minimum": 0}, "The point moved this far."),
    "severity_raised": Key(BOOLEAN, "The severity is higher than last told."),
    "changed": Key(
        {"anyOf": [choice(*CHANGES), {"type": "array", "items": choice(*CHANGES)}]},
        "Facts whose change is told.",
    ),
    "value_ratio": Key(
        {"type": ["number", "null"], "exclusiveMinimum": 1}, "The value grew this many times."
    ),
}
SEVERITY: Final[Shape] = {
    "anyOf": [
        choice(*LEVELS),
        {
            "type": "array",
            "minItems": 1,
            "items": {"anyOf": [choice(*LEVELS), reference("severity_step")]},
        },
    ]
}
BY: Final[Shape] = {
    "anyOf": [
        choice(*DIMENSIONS),
        {"type": "array", "items": choice(*DIMENSIONS), "minItems": 1},
    ]
}
LABELS: Final[Shape] = {"type": "object", "additionalProperties": TEXT}

# What `defaults:` may set for every rule.
POLICY_KEYS: Final[dict[str, Key]] = {
    "status": Key(
        choice(*STATUSES), "`stable`; `trial` is evaluated and shown, never sent; `disabled`."
    ),
    "severity": Key(
        SEVERITY, "A level, or steps of which the first that holds decides; the last has no `when`."
    ),
    "update_when": Key(
        reference("update_when"), "Which revisions are told; `null` switches one test off."
    ),
    "max_age": Key(DURATION, "Episodes whose newest event is older are historic. 90d."),
    "cooldown": Key(DURATION, "Quiet after an episode of the same key, in evidence days. 0d."),
    "keep_firing_for": Key(DURATION, "Passing days at most this far apart are one episode. 0d."),
    "resolve": Key(DURATION, "How long the condition must have failed before `resolved`. 0d."),
    "reminder": Key(DURATION, "Repeat while active and not acknowledged."),
    "flood_limit": Key(
        {"type": "integer", "minimum": 1}, "More notices of one action in a cycle: a summary. 20."
    ),
    "labels": Key(LABELS, "For routes and recipients; merged with the defaults."),
    "references": Key(TEXTS, "Addresses that explain the rule."),
}
RULE_KEYS: Final[dict[str, Key]] = {
    "id": Key(ID, "Stable: part of every alert's identity.", True),  # noqa: FBT003
    "title": Key({"type": "string"}, "What recipients read first.", True),  # noqa: FBT003
    "kind": Key({"type": "string"}, "How events become alerts; see Kinds.", True),  # noqa: FBT003
    "where": Key(reference("where"), "Which events.", True),  # noqa: FBT003
    "by": Key(BY, "Keys: one series each. An event counts once under each of its keys."),
    "groups": Key(TEXTS, "The groups that `by: actor_group` tells apart."),
    **POLICY_KEYS,
    "description": Key({"type": "string"}, "Shown to recipients: what it means."),
    "runbook": Key({"type": "string"}, "What to do when it arrives."),
    "translations": Key(
        _translated("title", "description", "runbook"),
        "These texts in other languages, for receivers who read them: `{fr: {title: …}}`.",
    ),
    "formerly": Key(TEXTS, "Earlier ids of this rule; its alerts keep their identity."),
    "alerts_per_year": Key(
        {"type": "number", "minimum": 0}, "From a backtest; told with every alert."
    ),
}
RULE_HINTS: Final[dict[str, str]] = {
    **dict.fromkeys(("location", "near", "border", "inside", "use"), "write it within where"),
    "name": "write title",
    "alert": "write id",
    "level": "write severity",
    "for": "write window, or keep_firing_for",
}
RESERVED_LABELS: Final = frozenset(
    {
        "rule",
        "severity",
        "action",
        "kind",
        "country",
        *DIMENSIONS,
        *filter(None, DIMENSION.values()),
    }
)
