"""Signals: what a rule finds in the events as they are known now. Derived, never stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from warden.model.rule import Level

Key = tuple[tuple[str, str], ...]  # sorted (dimension, value) pairs; () for a rule without `by`


@dataclass(frozen=True, slots=True)
class Signal:
    """One episode: a chain of passing tests of one rule under one key.

    Attributes:
        evidence: uids in order of (event_date, uid).
        newest_day..first_day/last_day: event dates of the evidence.
        since, until: the first and last day on which the condition held.
        ended: the condition failed on a complete day after `until`, past keep_firing_for and
            resolve hysteresis. False also means "not known to have ended".
        severity: by the rule's severity steps over `facts`.
        value: the measure's peak over the episode; None for single events.
        facts: plain JSON data, self-contained, all a message may say (see docs/architecture.md).
        identity: overrides the first evidence uid in the alert's id (a projection's period).
    """

    rule_id: str
    key: Key
    evidence: tuple[str, ...]
    first_day: date
    last_day: date
    since: date
    until: date
    ended: bool
    severity: Level
    value: float | None
    facts: dict[str, Any] = field(default_factory=dict)
    identity: str | None = None
