"""Cooldown: what has been told of a key keeps what follows closely in silence.

Standing in the flow: a part of reconciling. The definitions are those of docs/rules.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from warden.engine.assign import LIVE
from warden.engine.frame import day_number
from warden.engine.horizon import Horizon
from warden.model.alert import Alert
from warden.model.rule import Rule
from warden.model.signal import Signal

# Kinds whose cooldown runs from the day on which the told episode began to hold, not from its
# last evidence. Of a record the first day is the news; the rule of HDX Signals counts so.
COOLDOWN_FROM_START = frozenset({"record"})


class Cooldown:
    """The cooldown of one rule.

    Attributes:
        known: the rule's alerts by id, as they stand now; read at every question, for they change
            while decisions are made.
    """

    def __init__(self, rule: Rule, known: Mapping[str, Alert], horizon: Horizon) -> None:
        self._rule = rule
        self._known = known
        self._horizon = horizon

    def blocking(self, signal: Signal, own_id: str) -> list[Alert]:
        """Told alerts of the key within whose cooldown the episode lies, on either side."""
        days = self._rule.cooldown_days
        if self._rule.kind == "event" or days <= 0:
            return []
        return [
            other
            for other in self._known.values()
            if other.told
            and other.id != own_id
            and other.state in LIVE
            and other.key == signal.key
            and self._apart_days(signal, other) < days
        ]

    def _apart_days(self, signal: Signal, other: Alert) -> int:
        """Days from the told episode to this one; of a record to the last day on which it holds."""
        if self._rule.kind in COOLDOWN_FROM_START:
            began = day_number(other.since)
            return max(day_number(signal.until) - began, began - day_number(signal.since))
        return _gap_days(signal, other)

    def is_over(self, blocking: Sequence[Alert]) -> bool:
        """Whether the cooldown of all these has passed, in days that are fully known."""
        if self._rule.kind in COOLDOWN_FROM_START:
            return False  # it has passed for those that block no longer
        datasets = {name for b in blocking for name in b.facts.get("datasets", ())}
        known = self._horizon.known_through(datasets)
        if self._rule.kind == "feed":
            known = self._horizon.today
        if known is None:
            return False
        return all(known - day_number(b.last_day) >= self._rule.cooldown_days for b in blocking)

    def held(self, signal: Signal, own_id: str = "") -> int:
        """How many episodes of the key were held back and never counted in a message."""
        told = [a for a in self._known.values() if a.told and a.key == signal.key]
        since = max((a.told_at for a in told if a.told_at is not None), default=None)
        return sum(
            a.silence_reason == "COOLDOWN"
            and a.key == signal.key
            and a.id != own_id
            and (since is None or a.raised_at >= since)
            for a in self._known.values()
        )


def _gap_days(signal: Signal, other: Alert) -> int:
    after = day_number(signal.first_day) - day_number(other.last_day)
    before = day_number(other.first_day) - day_number(signal.last_day)
    return max(after, before, 0)
