"""Rule kinds: one file each, listed here."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from warden.engine.horizon import Horizon
from warden.engine.kinds import count, drift, event, feed, new, projection, quiet, record, spike
from warden.engine.kinds.base import Kind
from warden.engine.where import Matches
from warden.model.rule import Rule
from warden.model.signal import Signal

KINDS: dict[str, Kind] = {
    kind.KIND.name: kind.KIND
    for kind in (event, count, spike, drift, record, projection, new, quiet, feed)
}


def signals(
    rule: Rule, matches: Matches, horizon: Horizon, only: AbstractSet[str] | None = None
) -> tuple[Signal, ...]:
    """What a rule finds in its matching events as they are known at the horizon.

    `only`: for kinds that look at single events, the uids that need an answer (None = all).
    """
    return KINDS[rule.kind].signals(rule, matches, horizon, only)
