"""What warden should know, hold and say, in plain dicts: the oracle of the stateful test.

Written from docs/rules.md and docs/alerts.md, not from the code. It knows two rules: `near`, an
event rule over a circle, and `cluster`, a count over the same circle.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from warden.engine.geo.distance import distance_km
from warden.model.event import Record
from warden.sources.protocol import Deletion

BAMAKO = (12.6392, -8.0029)
GRAVE = 10  # dead, from which `near` is critical
MORE = 5  # dead, which `update_when` asks for
MOVED_KM = 25.0
LEVELS = ("info", "warning", "critical")


@dataclass(frozen=True)
class Rules:
    """What the rule file says: one edition of it.

    Attributes:
        km: of the circle. grave: the severity of ten dead. near, cluster: whether it is there.
    """

    km: int = 150
    grave: str = "critical"
    near: bool = True
    cluster: bool = True
    max_age: int = 30
    reminder: int = 7
    window: int = 20
    least: int = 3

    @property
    def of_near(self) -> tuple[object, ...]:
        """What makes `near` another rule: an edit of its neighbour is none of its own."""
        return self.km, self.grave, self.max_age, self.reminder

    def text(self) -> str:
        """As an operator writes it."""
        parts = [
            "places:\n  bamako: {title: Bamako, lat: 12.6392, lon: -8.0029}\nrules:\n",
            "- id: elsewhere\n  title: Never\n  kind: event\n  where: {country: [Iceland]}\n",
        ]
        where = f"  where: {{near: {{place: bamako, within_km: {self.km}}}}}\n"
        if self.near:
            parts.append(
                "- id: near\n  title: Violent event near Bamako\n  kind: event\n"
                f"{where}  max_age: {self.max_age}d\n  reminder: {self.reminder}d\n"
                f"  update_when: {{fatalities: {MORE}, moved_km: {MOVED_KM:.0f}, changed: []}}\n"
                f'  severity:\n  - {{level: {self.grave}, when: "fatalities >= {GRAVE}"}}\n'
                "  - warning\n"
            )
        if self.cluster:
            parts.append(
                "- id: cluster\n  title: Violent events near Bamako\n  kind: count\n"
                f"{where}  measure: events\n  window: {self.window}d\n"
                f"  condition: {{gte: {self.least}}}\n  max_age: {self.max_age}d\n"
            )
        return "".join(parts)


@dataclass
class Known:
    """One event as the source states it now."""

    record: Record
    stamp: datetime | None
    active: bool = True
    deleted_at: datetime | None = None


@dataclass
class Near:
    """The alert of one event under the rule `near`.

    Attributes:
        told: people were told of it. heard: the content they were last told.
    """

    state: str
    why: str
    told: bool
    version: tuple[object, ...]
    day: date
    told_at: datetime | None = None
    heard: Record | None = None
    heard_level: str = ""
    acked: bool = False


@dataclass(frozen=True)
class Episode:
    """A chain of days on which enough happened, as `cluster` should find it."""

    uids: frozenset[str]
    since: date
    until: date
    ended: bool
    last_day: date


Said = tuple[str, str, str]
"""(action, reason, uid): what has to be said of an event by `near`."""


@dataclass
class Model:
    """Everything that must be so."""

    rules: Rules
    events: dict[str, Known] = field(default_factory=dict)
    unmet: dict[str, datetime] = field(default_factory=dict)  # deletions of what nobody stated
    covered: date | None = None
    memory: int = 0
    near: dict[str, Near] = field(default_factory=dict)

    def copy(self) -> Model:
        """A future to compare with, should the power be cut."""
        return copy.deepcopy(self)

    # --- what the source says -----------------------------------------------------------------

    def take(self, rows: Sequence[Record | Deletion]) -> None:
        """One page: withdrawals first, then rows in their order."""
        for row in rows:
            if isinstance(row, Deletion):
                self._withdraw(row)
        for row in rows:
            if isinstance(row, Record):
                self._state(row)

    def _withdraw(self, row: Deletion) -> None:
        known, at = self.events.get(row.source_id), row.deleted_at
        if known is None and at:
            self.unmet[row.source_id] = max(at, self.unmet.get(row.source_id, at))
        if known is None or (at and known.stamp and known.stamp > at):
            return
        known.active = False
        known.deleted_at = max(filter(None, (known.deleted_at, at)), default=None)

    def _state(self, row: Record) -> None:
        known, stamp = self.events.get(row.source_id), row.source_updated_at
        if known is None:
            deleted = self.unmet.get(row.source_id)
            if deleted and stamp and stamp <= deleted:
                return
            self.unmet.pop(row.source_id, None)
            self.events[row.source_id] = Known(row, stamp)
            return
        if known.stamp and stamp and stamp < known.stamp:
            return
        deleted = known.deleted_at
        if not known.active and deleted and stamp and stamp <= deleted:
            return
        self.events[row.source_id] = Known(row, stamp or known.stamp)

    # --- what the rules find ------------------------------------------------------------------

    def inside(self) -> dict[str, Record]:
        """The events in the circle, by id."""
        return {
            uid: known.record
            for uid, known in sorted(self.events.items())
            if known.active
            and distance_km(*BAMAKO, known.record.lat, known.record.lon) <= self.rules.km
        }

    def episodes(self) -> list[Episode]:
        """Days with at least `least` events in the window, chained where windows share events."""
        days = sorted((record.event_date, uid) for uid, record in self.inside().items())
        if not days or not self.rules.cluster:
            return []
        last = max(days[-1][0], self.covered or days[-1][0])
        chains: list[list[tuple[date, frozenset[str]]]] = []
        day = days[0][0]
        while day <= last:
            first = day - timedelta(days=self.rules.window - 1)
            within = frozenset(uid for when, uid in days if first <= when <= day)
            if len(within) >= self.rules.least:
                if chains and chains[-1][-1][1] & within:
                    chains[-1].append((day, within))
                else:
                    chains.append([(day, within)])
            day += timedelta(days=1)
        dated = {uid: when for when, uid in days}
        return [
            Episode(
                uids := frozenset[str]().union(*(within for _, within in chain)),
                chain[0][0],
                chain[-1][0],
                self.covered is not None and chain[-1][0] < self.covered,
                max(dated[uid] for uid in uids),
            )
            for chain in chains
        ]

    # --- what has to be said ------------------------------------------------------------------

    def evaluate(self, now: datetime) -> list[Said]:
        """Bring `near` up to date; what has to be said of it now."""
        said: list[Said] = []
        if not self.rules.near:
            for alert in self.near.values():
                if alert.state in {"active", "ended"}:
                    alert.state, alert.why = "closed", "RULE_REMOVED"
            return said
        inside = self.inside()
        for uid, record in inside.items():
            alert = self.near.get(uid)
            if alert is None:
                self._open(uid, record, now, said)
            else:
                self._follow(uid, alert, record, now, said)
        for uid, alert in sorted(self.near.items()):
            if uid not in inside and alert.state in {"active", "ended"}:
                self._leave(uid, alert, now, said)
        return said

    def _old(self, day: date, now: datetime) -> bool:
        return (now.date() - day).days > self.rules.max_age

    def level(self, record: Record) -> str:
        """How grave `near` takes it."""
        return self.rules.grave if record.fatalities >= GRAVE else "warning"

    def _open(self, uid: str, record: Record, now: datetime, said: list[Said]) -> None:
        old = self._old(record.event_date, now)
        state = "ended" if old else "active"
        self.near[uid] = alert = Near(
            state, "HISTORIC", False, self.rules.of_near, record.event_date
        )
        if not old:
            self._say(alert, record, now)
            said.append(("alert", "FIRST", uid))

    def _say(self, alert: Near, record: Record, now: datetime) -> None:
        alert.told, alert.told_at, alert.why = True, now, ""
        self._heard(alert, record)

    def _heard(self, alert: Near, record: Record) -> None:
        alert.heard, alert.heard_level = record, self.level(record)

    def _follow(
        self, uid: str, alert: Near, record: Record, now: datetime, said: list[Said]
    ) -> None:
        old, why, was = self._old(record.event_date, now), alert.why, alert.state
        edited = alert.version != self.rules.of_near
        redated, alert.day = record.event_date > alert.day, record.event_date
        alert.version = self.rules.of_near
        alert.state = "ended" if old else "active"
        raised = alert.told and self._rank(self.level(record)) > self._rank(alert.heard_level)
        if was in {"closed", "cancelled"} and alert.told and why in {"RULE_EDITED", "RULE_REMOVED"}:
            if raised and not old:
                self._tell(uid, alert, record, now, said, "update", "SEVERITY_RAISED")
            else:
                self._heard(alert, record)
                self._remind(uid, alert, record, now, said)
        elif not alert.told:
            if redated and not old and not (edited and was in {"active", "ended"}):
                self._tell(uid, alert, record, now, said, "alert", "FIRST")
        elif was in {"closed", "cancelled"}:
            if not old:
                self._tell(uid, alert, record, now, said, "alert", "REINSTATED")
        elif edited:
            self._heard(alert, record)
            self._remind(uid, alert, record, now, said)
        elif not old:
            self._standing(uid, alert, record, now, said, raised=raised, back=was == "ended")

    def _standing(
        self,
        uid: str,
        alert: Near,
        record: Record,
        now: datetime,
        said: list[Said],
        *,
        raised: bool,
        back: bool,
    ) -> None:
        assert alert.heard is not None
        assert alert.told_at is not None
        moved = distance_km(alert.heard.lat, alert.heard.lon, record.lat, record.lon)
        dead = abs(record.fatalities - alert.heard.fatalities)
        material = raised or dead >= MORE or moved >= MOVED_KM
        if material:
            why = "REOPENED" if back else "SEVERITY_RAISED" if raised else "MATERIAL_CHANGE"
            self._tell(uid, alert, record, now, said, "update", why)
        else:
            self._remind(uid, alert, record, now, said)

    def _remind(
        self, uid: str, alert: Near, record: Record, now: datetime, said: list[Said]
    ) -> None:
        assert alert.told_at is not None
        late = now - alert.told_at >= timedelta(days=self.rules.reminder)
        if late and alert.state == "active" and not alert.acked:
            self._tell(uid, alert, record, now, said, "reminder", "REMINDER_DUE")

    def _tell(
        self,
        uid: str,
        alert: Near,
        record: Record,
        now: datetime,
        said: list[Said],
        action: str,
        why: str,
    ) -> None:
        self._say(alert, record, now)
        if why in {"REOPENED", "REINSTATED", "SEVERITY_RAISED"}:
            alert.acked = False
        said.append((action, why, uid))

    def _leave(self, uid: str, alert: Near, now: datetime, said: list[Said]) -> None:
        gone = not self.events[uid].active
        was = alert.state
        silent = not alert.told or (self._old(alert.day, now) and was != "active")
        if alert.version != self.rules.of_near and not gone:
            alert.state, alert.why = "closed", "RULE_EDITED"
            return
        alert.state = "cancelled" if gone else "closed"
        alert.why = "WITHDRAWN_BY_SOURCE" if gone else "NO_LONGER_MATCHES"
        if not silent:
            alert.told_at = now
            said.append(("cancel" if gone else "update", alert.why, uid))

    @staticmethod
    def _rank(level: str) -> int:
        return LEVELS.index(level)
