"""Notices: what is to be said about an alert, self-contained, so that it can be rendered later.

Standing in the flow: `evaluate` commits notices with their dispatches; `deliver` renders them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from warden.model.rule import Level
from warden.model.signal import Key

Action = Literal["alert", "update", "reminder", "resolved", "cancel", "summary"]
ACTIONS: tuple[Action, ...] = ("alert", "update", "reminder", "resolved", "cancel", "summary")


@dataclass(frozen=True, slots=True)
class Change:
    """One fact that moved since it was last told.

    `field` names a fact ("fatalities", "severity", "location", "distance_km", "event_type",
    "value", "evidence", …).
    """

    field: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to be said.

    Attributes:
        id: unique. alert_id: shared by all notices of an alert (a summary's is its own).
        action: what kind of saying. reason: the named reason of the decision behind it.
        at: when it was decided, UTC.
        severity: of the alert now.
        title, labels: the rule's, at that time.
        facts: the alert's facts (see `warden.engine.facts`), plain JSON data.
        changes: what an update changed, old to new.
        items: for a summary: one plain-JSON dict an alert it lists (alert_id, rule_id, key,
            severity, first_day, last_day, facts-like "headline" fields).
        exercise: a test message, marked so wherever it is read.
    """

    id: str
    alert_id: str
    rule_id: str
    rule_version: str
    key: Key
    action: Action
    reason: str
    at: datetime
    severity: Level
    title: str
    labels: tuple[tuple[str, str], ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    items: tuple[dict[str, Any], ...] = ()
    exercise: bool = False
