"""What only the running process knows of its own health, as conditions like all others.

Standing in the flow: the station keeps one; it is asked before each evaluation, and read by
whoever shows how warden is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from warden.engine.actors import in_group
from warden.model.health import Condition
from warden.model.rule import Ruleset
from warden.model.text import fold


@dataclass
class Vitals:
    """A refused reload and failing rules, since when.

    Attributes:
        backup_failed: why the last nightly backup could not be made; "" where it could.
        reloaded_at: when rules were last put in force. refused: why a later reload was refused.
        rules_seen: every rule was evaluated since the start.
        backup_seen: since the start a nightly backup was made, failed, or was found not due.
    """

    reloaded_at: datetime
    refused: str = ""
    refused_at: datetime | None = None
    rules_seen: bool = False
    backup_seen: bool = False
    backup_failed: str = ""
    backup_failed_at: datetime | None = None
    _failing: dict[str, tuple[datetime, str]] = field(default_factory=dict)

    def reload_refused(self, why: str, now: datetime) -> None:
        """Rules with faults were to be put in force; the last good ones stay."""
        self.refused, self.refused_at = why, self.refused_at or now

    def backed_up(self, failure: str, now: datetime) -> None:
        """The nightly backup was made or none is wanted ("" for `failure`), or could not be."""
        self.backup_seen = True
        self.backup_failed = failure
        self.backup_failed_at = (self.backup_failed_at or now) if failure else None

    def reloaded(self, now: datetime) -> None:
        """Rules were put in force."""
        self.refused, self.refused_at, self.reloaded_at = "", None, now
        self.rules_seen = False

    def evaluated(self, errors: Mapping[str, str], now: datetime, *, full: bool) -> None:
        """A cycle ended; `errors` are the rules that could not be evaluated."""
        self._failing = {
            rule: self._failing.get(rule, (now, error)) for rule, error in errors.items()
        }
        self.rules_seen = self.rules_seen or full

    @property
    def failing(self) -> Mapping[str, str]:
        """The rules that could not be evaluated last, and why."""
        return {rule: error for rule, (_, error) in self._failing.items()}

    def conditions(self) -> tuple[Condition, ...]:
        """All of it as conditions."""
        found = [
            Condition("rule", rule, "rule_error", since, detail=error)
            for rule, (since, error) in sorted(self._failing.items())
        ]
        if self.refused_at is not None:
            found.append(
                Condition("rules", "", "reload_refused", self.refused_at, detail=self.refused)
            )
        if self.backup_failed_at is not None:
            found.append(
                Condition(
                    "backup", "", "backup_failed", self.backup_failed_at, detail=self.backup_failed
                )
            )
        return tuple(found)


def known_names(ruleset: Ruleset) -> Callable[[str], bool]:
    """Whether an actor's name is in some group, or stands in an alias."""
    spelt = {fold(name) for alias in ruleset.aliases for name in (alias.name, *alias.was)}
    groups = tuple(ruleset.groups.values())
    return lambda name: fold(name) in spelt or any(in_group(group, name) for group in groups)


def asks_for_names(ruleset: Ruleset) -> bool:
    """Whether some rule tells of unknown actors."""
    return any(
        rule.kind == "feed" and "unknown_actor" in rule.parameters.states
        for rule in ruleset.rules
        if rule.status != "disabled"
    )
