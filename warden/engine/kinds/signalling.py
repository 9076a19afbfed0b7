"""From an episode of a windowed kind to its signal: what all of them say in the same way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from warden.engine.facts import Severity, episode_facts
from warden.engine.frame import IntArray, day_from_number
from warden.engine.kinds.episodes import has_ended
from warden.engine.kinds.measure import Series
from warden.engine.kinds.reporting import Excess, change_in_reporting, lowered
from warden.engine.where import Matches
from warden.model.rule import Rule
from warden.model.signal import Signal


@dataclass(frozen=True, slots=True)
class Found:
    """An episode under one key.

    Attributes:
        one: the key's events. held: positions in it of those that the episode rests on, in order.
        since, until: the first and last day on which the condition held.
        ended: whether it is over.
        value: the measure's peak.
        facts: what the kind has to say of it.
        excess: what a statistical test found, None for kinds that compare with no past.
        identity: of a projection, its period.
        absence: the episode's days are those without events, not those of its events.
    """

    one: Series
    held: IntArray
    since: int
    until: int
    ended: bool
    value: float
    facts: dict[str, Any]
    excess: Excess | None = None
    identity: str | None = None
    absence: bool = False


def patience(rule: Rule) -> int:
    """How many complete days the condition must have failed before an episode is over."""
    return rule.keep_firing_for_days + rule.resolve_days


def is_over(rule: Rule, until: int, known_through: int | None) -> bool:
    """Whether an episode is known to have ended."""
    return has_ended(until, patience(rule), known_through)


def signal(rule: Rule, matches: Matches, found: Found, severity: Severity) -> Signal:
    """The signal of an episode, its severity one less where the reporting seems to have changed."""
    one, held = found.one, found.held
    since, until = day_from_number(found.since), day_from_number(found.until)
    facts = {
        **episode_facts(rule, matches, one.rows[held]),
        **found.facts,
        "since": since.isoformat(),
        "until": until.isoformat(),
    }
    change = change_in_reporting(matches, found.excess) if found.excess else None
    if change is not None:
        facts["reporting_change"] = change
    days = (found.since, found.until) if found.absence else one.days[held[[0, -1]]]
    return Signal(
        rule_id=rule.id,
        key=one.key,
        evidence=tuple(matches.frame.uid[one.rows[held]]),
        first_day=day_from_number(days[0]),
        last_day=day_from_number(days[1]),
        since=since,
        until=until,
        ended=found.ended,
        severity=lowered(severity.of(facts), change),
        value=found.value,
        facts=facts,
        identity=found.identity,
    )
