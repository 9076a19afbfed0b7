"""A ledger in memory that reconciles as `evaluate` does, for tests of the engine alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import numpy as np

from warden.engine.decision import Decision, Fate, Moment
from warden.engine.facts import event_facts
from warden.engine.frame import Frame
from warden.engine.geo.geography import FixedGeography
from warden.engine.horizon import Horizon
from warden.engine.kinds import signals
from warden.engine.reconcile import reconcile
from warden.engine.where import Matcher
from warden.model.alert import Alert
from warden.model.event import Event
from warden.model.rule import Rule
from warden.model.signal import Signal


class MemoryLedger:
    """One rule, the events as known now, and the alerts that came of them."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.alerts: dict[str, Alert] = {}
        self.said: list[Decision] = []
        self.events: dict[str, Event] = {}
        self.data_start = date(2012, 1, 1)

    def poll(
        self,
        now: datetime,
        *,
        new: Iterable[Event] = (),
        gone: Iterable[str] = (),
        complete_through: date | None = None,
        seeding: bool = False,
    ) -> tuple[Decision, ...]:
        """Take in events and deletions, reconcile, and keep what was decided."""
        for one in new:
            self.events[one.uid] = one
        for uid in gone:
            self.events.pop(uid, None)
        decisions = self.plan(now, complete_through=complete_through, seeding=seeding)
        for decision in decisions:
            if decision.writes:
                self.alerts[decision.alert.id] = decision.alert
        self.said.extend(d for d in decisions if d.notice or d.summary)
        return decisions

    def plan(
        self,
        now: datetime,
        *,
        complete_through: date | None = None,
        seeding: bool = False,
    ) -> tuple[Decision, ...]:
        """What reconcile would do, without doing it."""
        covered = complete_through or now.date() - timedelta(days=1)
        horizon = Horizon(now, {"acled": covered}, {"acled": self.data_start})
        found = self.signals(horizon)
        held = {uid for signal in found for uid in signal.evidence}
        moment = Moment(
            horizon=horizon,
            seeding=frozenset({"acled"}) if seeding else frozenset(),
            fates=self._fates(held),
        )
        return reconcile(self.rule, found, tuple(self.alerts.values()), moment)

    def signals(self, horizon: Horizon) -> tuple[Signal, ...]:
        frame = Frame.from_events(self.events.values())
        matches = Matcher(self.rule, FixedGeography()).match(frame)
        return signals(self.rule, matches, horizon)

    def actions(self) -> list[str]:
        return [str(decision.notice) for decision in self.said if decision.notice]

    def reasons(self) -> list[str]:
        return [decision.reason for decision in self.said if decision.notice]

    def standing(self) -> list[Alert]:
        return [alert for alert in self.alerts.values() if alert.state in {"active", "ended"}]

    def _fates(self, held: set[str]) -> dict[str, Fate]:
        missing = {uid for alert in self.alerts.values() for uid in alert.evidence} - held
        return {uid: self._fate(uid) for uid in missing}

    def _fate(self, uid: str) -> Fate:
        event = self.events.get(uid)
        if event is not None:
            matching = Matcher(self.rule, FixedGeography()).rows(Frame.from_events([event]))
            return Fate(active=True, matches=len(matching) > 0, now=self._facts([event])[0])
        last_known = next(
            facts
            for alert in self.alerts.values()
            if uid in alert.evidence
            for facts in alert.facts["events"]
            if facts["uid"] == uid
        )
        near = [
            other
            for other in self.events.values()
            if abs((other.record.event_date - date.fromisoformat(last_known["date"])).days) <= 2
            and abs(other.record.lat - last_known["lat"]) < 0.2
        ]
        return Fate(active=False, successors=tuple(self._facts(near)))

    def _facts(self, events: Sequence[Event]) -> list[dict[str, object]]:
        frame = Frame.from_events(events)
        described = Matcher(self.rule, FixedGeography()).describe(frame)
        return [event_facts(described, int(row)) for row in np.arange(len(events))]
