"""What the stored history says of rules: those that can't speak, and those that never stop.

Standing in the flow: part of the warnings of `warden check`, where a database exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from warden.engine.actors import Names
from warden.engine.frame import Frame, IntArray
from warden.engine.geo.geography import Geography
from warden.engine.kinds.measure import rolling, series
from warden.engine.where import Matcher, Matches
from warden.model.located import FaultList, Node
from warden.model.rule import Alias, Rule
from warden.rulebook.known import KnownNames

MOST = 0.5  # an event rule that tells more of all events than this tells everything
ALWAYS = 0.95  # a bound that holds on this share of days is no bound
A_YEAR, TO_PROJECT = 365, 60


class StoredHistory:
    """The stored events, and which of them each rule is about."""

    def __init__(self, frame: Frame, geography: Geography, aliases: tuple[Alias, ...]) -> None:
        order = np.lexsort((frame.uid.astype(str), frame.day))
        self._frame = frame.take(order)
        self._geography = geography
        self._names = Names(aliases)
        self._rows: dict[str, IntArray] = {}

    def __len__(self) -> int:
        return len(self._frame)

    def rows(self, rule: Rule) -> IntArray:
        """The positions of the events that a rule is about."""
        if rule.id not in self._rows:
            self._rows[rule.id] = self._matcher(rule).rows(self._frame)
        return self._rows[rule.id]

    def matches(self, rule: Rule) -> Matches:
        """Those events with the keys that they count under."""
        return self._matcher(rule).describe(self._frame.take(self.rows(rule)))

    def days(self) -> IntArray:
        """Every day from the first to the last stored event."""
        return np.arange(int(self._frame.day.min()), int(self._frame.day.max()) + 1)

    def _matcher(self, rule: Rule) -> Matcher:
        return Matcher(rule, self._geography, self._names)


def add_history_warnings(rule: Rule, node: Node, history: StoredHistory, faults: FaultList) -> None:
    """Warn of a rule that matches nothing or everything, or whose bound always or never held."""
    where, count, stored = node.get("where") or node, len(history.rows(rule)), len(history)
    if not count:
        faults.warning(
            where, "WR054", f"the rule '{rule.id}' matches none of the {stored:,} stored events"
        )
    elif rule.kind == "event" and count > MOST * stored:
        faults.warning(
            where,
            "WR055",
            f"the rule '{rule.id}' matches {count:,} of the {stored:,} stored events, and each is "
            "an alert of its own",
        )
    elif rule.kind in {"count", "quiet"}:
        _bound(rule, node, history, faults)


def _bound(rule: Rule, node: Node, history: StoredHistory, faults: FaultList) -> None:
    held = max(_shares(rule, history), default=0.0)
    if held >= ALWAYS:
        faults.warning(
            node.get("condition") or node,
            "WR055",
            f"the rule '{rule.id}' held on {held:.0%} of the stored days: its bound tells "
            "nothing apart",
        )


def _shares(rule: Rule, history: StoredHistory) -> Iterator[float]:
    """For each key the share of days, once its first window is full, on which the bound held."""
    matches, parameters = history.matches(rule), rule.parameters
    days = history.days()[parameters.window :]
    for key in matches.keys if len(days) else ():
        values = rolling(series(matches, key, parameters.measure), days, parameters.window)
        yield float(np.mean([parameters.condition.holds(value) for value in values.tolist()]))


def add_length_warnings(rule: Rule, node: Node, known: KnownNames, faults: FaultList) -> None:
    """Warn of a rule that looks back over more days than are stored."""
    if known.history_start is None or known.today is None:
        return
    stored = (known.today - known.history_start).days
    for key, needed, why in _lengths(rule.parameters):
        if needed > stored:
            faults.warning(
                node.get(key) or node,
                "WR052",
                f"{key} {why} {needed:,} days but the stored history has {stored:,}: "
                "the rule tells nothing before it is long enough",
            )
            return


def _lengths(parameters: Any) -> Iterator[tuple[str, int, str]]:
    """(the key, how many days it looks back over, the verb) of a rule's parameters."""
    for key in ("memory", "window"):
        if isinstance(getattr(parameters, key, None), int):
            yield key, getattr(parameters, key), "is"
    for key in ("lookback", "windows"):
        if getattr(parameters, key, None):
            yield key, min(getattr(parameters, key)), "is at least"
    if getattr(parameters, "period", None) == "rolling-year":
        yield "period", 2 * A_YEAR, "compares"
    elif getattr(parameters, "period", None) == "year":
        yield "period", A_YEAR + TO_PROJECT, "needs"
