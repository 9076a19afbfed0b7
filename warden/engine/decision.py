"""The values that reconciling reads and makes: fates, the moment, and decisions with their reasons.

Standing in the flow: `reconcile` and `remove` (reconcile.py) return decisions; the store writes
them, `notices.py` puts them into notices, `warden explain` prints their reasons.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from warden.engine.assign import LIVE
from warden.engine.horizon import Horizon
from warden.model.alert import Alert
from warden.model.notice import Action, Change

Reason = Literal[
    "FIRST", "MATERIAL_CHANGE", "SEVERITY_RAISED", "REMINDER_DUE", "CONDITION_ENDED", "REOPENED",
    "WITHDRAWN_BY_SOURCE", "NO_LONGER_MATCHES", "REINSTATED", "UNCHANGED", "COSMETIC", "COOLDOWN",
    "COOLDOWN_ENDED", "HISTORIC", "SEEDED", "FLOOD", "MERGED", "SPLIT", "RULE_EDITED",
    "RULE_REMOVED", "TRIAL", "EXPIRED", "BASELINE_MOVED",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of an event that no episode of the rule holds any more.

    Attributes:
        active: the source still states it.
        matches: it still satisfies the rule.
        now: its facts as they are now (distance, fatalities …); {} once it is gone.
        successors: facts of active events within two days and 25 km, nearest first, into which
            it may have been merged.
    """

    active: bool
    matches: bool = False
    now: Mapping[str, Any] = field(default_factory=dict)
    successors: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything besides signals and ledger that a decision rests on.

    Attributes:
        horizon: now, and what is fully known.
        seeding: datasets that are being seen for the first time, or again after an embargo.
        fates: of the evidence that no signal of the rule holds.
        taken: alert ids in use anywhere.
        others: alerts of the rule whose episodes are known to stand as they stood. Nothing is
            decided about them; what they told, their cooldown and their ids count.
    """

    horizon: Horizon
    seeding: frozenset[str] = frozenset()
    fates: Mapping[str, Fate] = field(default_factory=dict)
    taken: Container[str] = frozenset()
    others: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about one alert.

    Attributes:
        reason: its name. notice: what is to be said, None for silence.
        alert: the ledger entry from now on. previous: the entry before, None for a new one.
        changes: what moved since it was last told.
        extra: facts that only this notice needs (successors, the state now, what was held).
        summary: the summary that lists it instead of a notice of its own.
    """

    rule_id: str
    reason: Reason
    alert: Alert
    previous: Alert | None = None
    notice: Action | None = None
    changes: tuple[Change, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    summary: Literal["", "FIRST_LOAD", "FLOOD"] = ""

    @property
    def writes(self) -> bool:
        """Whether the ledger changes."""
        return self.previous is None or self.alert is not self.previous

    @property
    def name(self) -> str:
        """What is done, in the ledger's words: open, tell, save, close or keep."""
        if self.previous is None:
            return "open"
        if self.previous.state in LIVE and self.alert.state not in LIVE:
            return "close"
        if self.notice:
            return "tell"
        return "save" if self.writes else "keep"
