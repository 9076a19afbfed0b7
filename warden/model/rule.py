"""Rules as the engine uses them: resolved, frozen, versioned.

Standing in the flow: `rulebook` turns YAML into these; `engine` evaluates them. Nothing here knows
YAML; every name of a group, place or set has been replaced by what it stands for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from warden.model.event import ROLES, Role

Level = Literal["info", "warning", "critical"]
LEVELS: tuple[Level, ...] = ("info", "warning", "critical")


def level_rank(level: str) -> int:
    """Order severities: info 0 < warning 1 < critical 2."""
    return LEVELS.index(level)


# --- predicates -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TextTest:
    """One way a text may match; values are already casefolded and accent-folded.

    Attributes:
        op: "is" (equal), "matches" (glob on the whole text), "contains", "regex".
        value: the folded text, glob or regular expression.
    """

    op: Literal["is", "matches", "contains", "regex"]
    value: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text field passes when any of the tests holds. `tags` passes if any tag does."""

    field: str
    tests: tuple[TextTest, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A number or date field (dates as days since 1970-01-01) within bounds; None = no bound."""

    field: str
    gte: float | None = None
    gt: float | None = None
    lte: float | None = None
    lt: float | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean field has this value."""

    field: str
    value: bool


@dataclass(frozen=True, slots=True)
class ActorGroup:
    """A resolved group of actors: whole-name globs, minus exceptions; folded.

    Attributes:
        id: the operator's name of the group.
        match, exclude: folded whole-name globs (aliases and nested groups already spelled out).
    """

    id: str
    title: str
    match: tuple[str, ...]
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActorIs:
    """Some actor in one of `roles` is in one of the groups, or matches a name test or type."""

    roles: tuple[Role, ...] = ROLES
    groups: tuple[ActorGroup, ...] = ()
    names: tuple[TextTest, ...] = ()
    types: tuple[TextTest, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A named point. `id` is the operator's, `title` what recipients read."""

    id: str
    title: str
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Polyline:
    """A named line: one or more parts of (lat, lon) vertices, edges straight in lon/lat."""

    id: str
    title: str
    parts: tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True, slots=True)
class Region:
    """A named area: polygons of rings of (lat, lon), the first ring outer, the others holes."""

    id: str
    title: str
    polygons: tuple[tuple[tuple[tuple[float, float], ...], ...], ...]


@dataclass(frozen=True, slots=True)
class Near:
    """Within `within_km` (<=, WGS84 geodesic) of any of the places, or of the line."""

    within_km: float
    places: tuple[Place, ...] = ()
    line: Polyline | None = None


@dataclass(frozen=True, slots=True)
class NearBorder:
    """Within `within_km` of the shared land border of `of` with any of `neighbours` (alpha-3).

    `side`: "any", "inside" (the point lies in `of`), "outside" (it does not).
    """

    of: str
    neighbours: tuple[str, ...]
    within_km: float
    side: Literal["any", "inside", "outside"] = "any"


@dataclass(frozen=True, slots=True)
class Inside:
    """The point lies in one of the countries (by border data), or in the region."""

    countries: tuple[str, ...] = ()
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds; true when empty."""

    parts: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Some part holds; false when empty."""

    parts: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Predicate


Predicate = Text | Number | Flag | ActorIs | Near | NearBorder | Inside | AllOf | AnyOf | Not

# Fields a predicate may name.
TEXT_FIELDS: tuple[str, ...] = (
    "source",
    "dataset",
    "country",
    "admin1",
    "admin2",
    "admin3",
    "location",
    "event_type",
    "sub_event_type",
    "disorder_type",
    "category",
    "tags",
    "notes",
)  # `country` is compared by its alpha-3 code (folded), all others by their folded text
NUMBER_FIELDS: tuple[str, ...] = (
    "fatalities",
    "geo_precision",
    "time_precision",
    "event_date",
)
FLAG_FIELDS: tuple[str, ...] = ("civilian_targeting",)


# --- the rule ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SeverityStep:
    """`level` if `when` (an expression) holds; `when` None always holds. First that holds wins."""

    level: Level
    when: str | None = None


@dataclass(frozen=True, slots=True)
class UpdateWhen:
    """What makes a revision worth telling, against the facts last told; absolute changes.

    Attributes:
        fatalities: deaths moved by at least this many.
        moved_km: the point moved by at least this far.
        severity_raised: tell when the severity is higher than last told.
        changed: names among event_type, sub_event_type, civilian_targeting, actor_group, country.
        value_ratio: the value is at least this multiple of the value last told.
    """

    fatalities: int | None = None
    moved_km: float | None = None
    severity_raised: bool = True
    changed: tuple[str, ...] = ()
    value_ratio: float | None = None


By = Literal["actor_group", "actor", "admin1", "admin2", "country", "place", "border_neighbour"]


@dataclass(frozen=True, slots=True)
class Translation:
    """What recipients read of a rule, in one other language.

    Attributes:
        language: its code, as the folder of its templates is named.
        texts: of "title", "description" and "runbook" those that are translated.
        names: titles of groups, places, lines and areas that the rule asks for, and theirs.
    """

    language: str
    texts: tuple[tuple[str, str], ...] = ()
    names: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, resolved.

    Attributes:
        id: stable; part of every alert's identity. `formerly`: earlier ids of the same rule.
        kind: a name in `warden.engine.kinds.KINDS`.
        where: which events.
        parameters: the kind's own frozen parameters model.
        by: the key's dimensions; () gives one series with the empty key.
        groups: the groups that `by: actor_group` distinguishes.
        location: how the error disc counts (see docs/rules.md).
        *_days: whole days.
        title, description, runbook: what recipients read, in the language of the rule's author;
            `translations`: the same in others.
        resolve_days: how long the condition must have failed, on complete days, before
            `resolved` is said.
        version: hash of all that decides, without texts.
        path, line: where it was written.
    """

    id: str
    title: str
    kind: str
    where: Predicate
    parameters: Any
    status: Literal["stable", "trial", "disabled"] = "stable"
    by: tuple[By, ...] = ()
    groups: tuple[ActorGroup, ...] = ()
    severity: tuple[SeverityStep, ...] = (SeverityStep("warning"),)
    location: Literal["coded", "certain", "possible"] = "coded"
    update_when: UpdateWhen = UpdateWhen()
    max_age_days: int = 90
    cooldown_days: int = 0
    keep_firing_for_days: int = 0
    resolve_days: int = 0
    reminder_days: int | None = None
    flood_limit: int = 20
    labels: tuple[tuple[str, str], ...] = ()
    description: str = ""
    runbook: str = ""
    translations: tuple[Translation, ...] = ()
    references: tuple[str, ...] = ()
    formerly: tuple[str, ...] = ()
    version: str = ""
    path: str = ""
    line: int = 0
    alerts_per_year: float | None = None


@dataclass(frozen=True, slots=True)
class Alias:
    """`was` are earlier (or other) spellings of `name`, from/until these dates where given."""

    name: str
    was: tuple[str, ...]
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All that the rule files say, apart from routes.

    Attributes:
        rules: in file order, ids unique.
        groups, places, regions, lines: by the operator's id.
        place_groups: named lists of places ("sites").
        country_groups: named lists of alpha-3 codes ("coastal").
        aliases: actor renames.
        version: hash over the rules' versions.
    """

    rules: tuple[Rule, ...] = ()
    groups: dict[str, ActorGroup] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    regions: dict[str, Region] = field(default_factory=dict)
    lines: dict[str, Polyline] = field(default_factory=dict)
    place_groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    country_groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    aliases: tuple[Alias, ...] = ()
    version: str = ""

    def rule(self, rule_id: str) -> Rule | None:
        """The rule of that id, or None."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)
