"""The `health:` of a rule test: how sources, recipients and rules were, from when on.

Standing in the flow: a part of `testfiles`, which reads it, and of `ruletest`, which asks what
was wrong at an instant. Both go through `engine.health.merged`, as a running warden does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, get_args

from warden.engine.health import About, Look, merged
from warden.model.health import DIMENSION, Condition, OwnTrouble, SourceTrouble, Subject
from warden.model.located import Node
from warden.rulebook.shapes import Reader
from warden.store.health import RECENT

NAMED: Final[dict[str, Subject]] = {key: subject for subject, key in DIMENSION.items() if key}
NAMELESS: Final = tuple(subject for subject, key in DIMENSION.items() if not key)
_OVER: Final = ("ok", "removed", "aged")
_OWN: Final[dict[OwnTrouble, Subject]] = {
    "dead_letter": "delivery",
    "template_fallback": "template",
    "reload_refused": "rules",
    "backup_failed": "backup",
    "rule_error": "rule",
    "unknown_actor": "actors",
}
KEYS: Final = ("at", *NAMED, "of", "state", "detail", "count", "known_through")


@dataclass(frozen=True, slots=True)
class HealthInput:
    """How something is from an instant on; a state of `ok`, `removed` or `aged` ends it."""

    at: datetime
    subject: Subject
    name: str
    state: Any
    detail: str = ""
    count: int | None = None
    known_through: date | None = None


def read_health(
    node: Node, reader: Reader, instant: Callable[[Node, str], datetime | None]
) -> HealthInput | None:
    """One line of `health:`; None after a fault."""
    keys = reader.mapping(node, "a line of health", KEYS, required=("at", "state"))
    if keys is None or not {"at", "state"} <= set(keys):
        return None
    about = _about(node, keys, reader)
    if about is None:
        return None
    subject, name = about
    at = instant(keys["at"], "at")
    state = reader.choice(keys["state"], "state", _states(subject))
    if at is None or state is None:
        return None
    detail = reader.text(keys["detail"], "detail") if "detail" in keys else ""
    count = reader.integer(keys["count"], "count", 1, 1_000_000) if "count" in keys else None
    through = (
        reader.date(keys["known_through"], "known_through") if "known_through" in keys else None
    )
    return HealthInput(at, subject, name, state, detail or "", count, through)


def health_at(inputs: Sequence[HealthInput], now: datetime) -> tuple[Condition, ...]:
    """What a running warden would have written down by then."""
    stored: tuple[Condition, ...] = ()
    found: dict[About, Condition] = {}
    for one in sorted(inputs, key=lambda entry: entry.at):
        if one.at > now:
            break
        about = (one.subject, one.name)
        then = {about: one.state} if one.state in _OVER else {}
        if then:
            found.pop(about, None)
        else:
            found[about] = _condition(one)
        through = {about: one.known_through} if one.known_through is not None else {}
        stored = merged(stored, Look(tuple(found.values()), then, through), one.at)
    return tuple(one for one in stored if one.until is None or one.until > now - RECENT)


def _condition(one: HealthInput) -> Condition:
    return Condition(
        one.subject, one.name, one.state, one.at,
        detail=one.detail, count=one.count, known_through=one.known_through,
    )  # fmt: skip


def _states(subject: Subject) -> tuple[str, ...]:
    if subject == "source":
        return (*get_args(SourceTrouble), *_OVER)
    return (*(state for state, of in _OWN.items() if of == subject), *_OVER)


def _about(node: Node, keys: Mapping[str, Node], reader: Reader) -> About | None:
    named = [key for key in (*NAMED, "of") if key in keys]
    if len(named) != 1:
        choices = ", ".join(f"'{key}'" for key in (*NAMED, "of"))
        reader.faults.error(node, "WR011", f"a line of health has exactly one of {choices}")
        return None
    key = named[0]
    if key != "of":
        name = reader.text(keys[key], key, limit=300)
        return None if name is None else (NAMED[key], name)
    subject = reader.choice(keys[key], key, NAMELESS)
    return None if subject is None else (next(s for s in NAMELESS if s == subject), "")
