"""Alerts: what recipients have been told, or deliberately not told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from warden.model.rule import Level
from warden.model.signal import Key

AlertState = Literal["active", "ended", "cancelled", "closed"]


@dataclass(frozen=True, slots=True)
class Alert:
    """One entry of the ledger: an episode of a rule for one key, under a stable id.

    Attributes:
        id: fixed when raised (see docs/rules.md, Identity).
        state: active; ended (condition no longer holds, or expired); cancelled (withdrawn by the
            source or no longer matching); closed (merged, or its rule was edited or removed).
            Only active and ended alerts stand for an episode.
        told: some recipient was meant to hear of it. False: recorded in silence
            (historic, seeded, in cooldown, split, trial).
        silence_reason: why it was silent ("" when told).
        state_reason: the named reason of the last change of state ("" while first active).
        evidence: uids of the episode now, in order of (event_date, uid).
        told_evidence: every uid ever told under this alert.
        facts: the episode's facts now. told_facts: the facts when something was last told.
        severity, told_severity: likewise.
        told_value: the value last told.
        told_at: when something was last told.
        acknowledged_at: set while someone has taken it on; stops reminders.
    """

    id: str
    rule_id: str
    rule_version: str
    key: Key
    state: AlertState
    severity: Level
    first_day: date
    last_day: date
    since: date
    until: date
    value: float | None
    evidence: tuple[str, ...]
    facts: dict[str, Any]
    raised_at: datetime
    changed_at: datetime
    told: bool = False
    silence_reason: str = ""
    state_reason: str = ""
    told_at: datetime | None = None
    told_severity: Level | None = None
    told_value: float | None = None
    told_facts: dict[str, Any] = field(default_factory=dict)
    told_evidence: tuple[str, ...] = ()
    ended_at: datetime | None = None
    acknowledged_at: datetime | None = None
