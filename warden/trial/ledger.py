"""A ledger in memory: alerts as `warden.store.ledger` keeps them, in the same order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from warden.model.alert import Alert

Alerts = tuple[Alert, ...]


class MemoryLedger:
    """Alerts by rule and by event. `in` asks for an id."""

    def __init__(self) -> None:
        self._alerts: dict[str, Alert] = {}
        self._of_rule: dict[str, dict[str, Alert]] = defaultdict(dict)
        self._active: dict[str, dict[str, Alert]] = defaultdict(dict)
        self._of_event: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._unlisted: dict[str, None] = {}
        self._indexed: set[str] = set()

    def __contains__(self, alert_id: object) -> bool:
        return alert_id in self._alerts

    def __len__(self) -> int:
        return len(self._alerts)

    def index(self, rule_id: str) -> None:
        """Keep the alerts of this rule by event, so that `resting_on` can be asked."""
        self._indexed.add(rule_id)

    def all(self) -> Alerts:
        """Every alert, in the order of being raised."""
        return _in_order(self._alerts.values())

    def of_rule(self, rule_id: str) -> Alerts:
        """A rule's alerts."""
        return _in_order(self._of_rule[rule_id].values())

    def active(self, rule_id: str) -> Collection[Alert]:
        """A rule's active alerts, in no particular order."""
        return self._active[rule_id].values()

    def resting_on(self, rule_id: str, uids: Iterable[str]) -> Alerts:
        """A rule's alerts that rest on one of these events, or were once told of one."""
        ids = set().union(*(self._of_event.get((rule_id, uid), ()) for uid in uids))
        return _in_order(self._alerts[alert_id] for alert_id in ids)

    def unlisted_historic(self) -> Alerts:
        """Historic alerts that no weekly summary has listed yet."""
        return _in_order(self._alerts[alert_id] for alert_id in self._unlisted)

    def mark_listed(self, alert_ids: Iterable[str]) -> None:
        """Remember that a weekly summary listed these."""
        for alert_id in alert_ids:
            self._unlisted.pop(alert_id, None)

    def save(self, alert: Alert) -> None:
        """Insert an alert, or put it in the place of its former self."""
        previous = self._alerts.get(alert.id)
        if alert.rule_id in self._indexed:
            self._index(alert, previous)
        self._alerts[alert.id] = alert
        self._of_rule[alert.rule_id][alert.id] = alert
        if alert.state == "active":
            self._active[alert.rule_id][alert.id] = alert
        else:
            self._active[alert.rule_id].pop(alert.id, None)
        if previous is None and alert.silence_reason == "HISTORIC":
            self._unlisted[alert.id] = None
        elif alert.told or alert.silence_reason != "HISTORIC":
            self._unlisted.pop(alert.id, None)

    def _index(self, alert: Alert, previous: Alert | None) -> None:
        if previous is not None:
            for uid in {*previous.evidence, *previous.told_evidence}:
                self._of_event[alert.rule_id, uid].discard(alert.id)
        for uid in {*alert.evidence, *alert.told_evidence}:
            self._of_event[alert.rule_id, uid].add(alert.id)


def _in_order(alerts: Iterable[Alert]) -> Alerts:
    return tuple(sorted(alerts, key=lambda alert: (alert.raised_at, alert.id)))
