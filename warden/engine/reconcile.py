"""Compare what the events say now with what has been said, and plan the difference.

`reconcile(rule, signals, alerts, moment)` is pure. Every decision names its reason, also every
decision to stay silent. Run again on its own result it plans no write. The definitions are those
of docs/rules.md, "From events to signals to alerts".
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Literal

from warden.clock import is_ahead
from warden.engine.assign import LIVE, assign
from warden.engine.changes import changes_between, is_material, newest, same_facts
from warden.engine.cooldown import Cooldown
from warden.engine.decision import Decision, Moment, Reason
from warden.engine.frame import day_number
from warden.model.alert import Alert, AlertState
from warden.model.notice import Action, Change
from warden.model.rule import Rule, level_rank
from warden.model.signal import Signal

_TELLS_CHANGES = frozenset({"update", "reminder", "resolved"})
# Whoever took an alert on took on less than this.
_TO_BE_TAKEN_ON_AGAIN = frozenset({"SEVERITY_RAISED", "REOPENED", "REINSTATED"})
# Kinds whose tests compare with a past that late reports can change.
_STATISTICAL = frozenset({"spike", "drift", "record", "projection"})
# Alerts that nobody was told of may speak up later, when something new is found.
_MAY_SPEAK_LATER = frozenset({"HISTORIC", "SEEDED", "SPLIT", "TRIAL", "RULE_EDITED"})
# What was closed without a word comes back without one.
_CLOSED_IN_SILENCE: Mapping[str, Reason] = {
    "MERGED": "SPLIT",
    "RULE_EDITED": "RULE_EDITED",
    "RULE_REMOVED": "RULE_EDITED",
    "BASELINE_MOVED": "BASELINE_MOVED",
}


def reconcile(
    rule: Rule, signals: Sequence[Signal], alerts: Sequence[Alert], moment: Moment
) -> tuple[Decision, ...]:
    """Plan the difference between the episodes found now and the alerts of the ledger."""
    plan = _Plan(rule, alerts, moment)
    assignment = assign(alerts, signals, plan.successors)
    for alert, signal in assignment.pairs:
        plan.follow(alert, signal)
    for alert in assignment.orphans:
        plan.orphan(alert, merged=alert.id in assignment.overlapping)
    for signal in sorted(assignment.new, key=lambda s: (s.first_day, s.key, s.evidence)):
        plan.open(signal)
    return _gather_floods(plan.decisions, rule.flood_limit)


def remove(alerts: Iterable[Alert], now: datetime) -> tuple[Decision, ...]:
    """Close the alerts of a rule that is no longer there, in silence."""
    return tuple(
        Decision(
            alert.rule_id, "RULE_REMOVED", _closed(alert, "closed", "RULE_REMOVED", now), alert
        )
        for alert in alerts
        if alert.state in LIVE
    )


def alert_id(rule_id: str, signal: Signal, taken: Container[str] = frozenset()) -> str:
    """The id of a new alert: of (rule, uid), (rule, key, period) or (rule, key, first uid).

    Where an alert that moved on still bears that id, a counter makes it another.
    """
    anchor = signal.identity or signal.evidence[0]
    by_key = "event" if signal.facts.get("kind") == "event" else repr(signal.key)
    for again in range(1_000):
        text = "\x1f".join((rule_id, by_key, anchor, str(again) if again else ""))
        made = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        if made not in taken:
            return made
    raise AssertionError("a thousand alerts share one identity")


# What an alert takes over from its episode, beside the facts.
_CONTENT = attrgetter(
    "key", "severity", "first_day", "last_day", "since", "until", "value", "evidence"
)


class _Plan:
    """The decisions about one rule, as they are made."""

    def __init__(self, rule: Rule, alerts: Sequence[Alert], moment: Moment) -> None:
        self._rule = rule
        self._moment = moment
        self._now = moment.horizon.now
        self._today = moment.horizon.today
        every = (*alerts, *moment.others)
        self._told_evidence = set[str]().union(*(alert.told_evidence for alert in every))
        self._known = {alert.id: alert for alert in every}
        self._cooldown = Cooldown(rule, self._known, moment.horizon)
        self.decisions: list[Decision] = []

    # --- an alert whose episode stands ----------------------------------------------------

    def follow(self, alert: Alert, signal: Signal) -> None:
        """Decide about an alert and the episode it follows."""
        rule = self._rule
        moved = self._moved(alert, signal)
        if alert.state not in LIVE:
            self._revive(alert, replace(moved, rule_version=rule.version), signal)
        elif alert.rule_version != rule.version:
            self._rebase(alert, moved, signal)
        elif not alert.told:
            self._maybe_speak(alert, moved, signal)
        elif set(alert.evidence).isdisjoint(signal.evidence):
            self._succeed(alert, moved, signal)
        else:
            self._follow_told(alert, moved, signal)

    def _follow_told(self, alert: Alert, moved: Alert, signal: Signal) -> None:
        changes = changes_between(alert.told_facts, signal.facts)
        grown = not set(alert.told_evidence).issuperset(signal.evidence)
        raised = level_rank(moved.severity) > level_rank(alert.told_severity or alert.severity)
        material = is_material(self._rule.update_when, alert, moved, raised=raised)
        if alert.state == "active" and signal.ended:
            ended = self._state(moved, "ended", "CONDITION_ENDED")
            self._tell(alert, ended, "resolved", "CONDITION_ENDED", changes=changes)
        elif alert.state == "ended" and self._expired(moved):
            self._save(alert, moved)
        elif alert.state == "ended" and not signal.ended and (grown or self._is_event):
            self._reopen(alert, moved, changes, tell=grown or material)
        elif self._is_event and self._expired(moved):
            self._save(alert, self._state(moved, "ended", "EXPIRED"), "EXPIRED")
        elif material and not self._is_old(moved):
            reason: Reason = "SEVERITY_RAISED" if raised else "MATERIAL_CHANGE"
            self._tell(alert, moved, "update", reason, changes=changes)
        else:
            self._remind_or_save(alert, moved, changes=changes)

    def _remind_or_save(
        self,
        alert: Alert,
        moved: Alert,
        reason: Reason | None = None,
        changes: tuple[Change, ...] = (),
    ) -> None:
        """Nothing is new: keep silent, unless people are to be reminded by now."""
        if alert.told_at is not None and is_ahead(alert.told_at, self._now):
            moved = replace(moved, told_at=self._now)  # reminders count from here, not from then
        if self._reminder_due(alert, moved):
            self._tell(alert, moved, "reminder", "REMINDER_DUE", changes=changes)
        else:
            self._save(alert, moved, reason)

    def _reopen(
        self, alert: Alert, moved: Alert, changes: tuple[Change, ...], *, tell: bool
    ) -> None:
        active = replace(self._state(moved, "active", "REOPENED"), ended_at=None)
        if tell and not self._is_old(moved):
            self._tell(alert, active, "update", "REOPENED", changes=changes)
        else:
            self._remind_or_save(alert, active, "REOPENED")

    def _rebase(self, alert: Alert, moved: Alert, signal: Signal) -> None:
        """The rule was edited: the alert stands on new ground, and nobody is told."""
        based = self._settled(replace(moved, rule_version=self._rule.version), signal)
        if alert.told:
            self._remind_or_save(alert, _as_told(based), "RULE_EDITED")
        else:
            self._save(alert, based, "RULE_EDITED")

    def _revive(self, alert: Alert, moved: Alert, signal: Signal) -> None:
        state: AlertState = "ended" if signal.ended else "active"
        revived = replace(self._state(moved, state, "REINSTATED"), ended_at=None)
        if not alert.told:
            self._maybe_speak(alert, revived, signal)
        elif alert.state_reason in _CLOSED_IN_SILENCE:
            self._revive_in_silence(alert, revived, signal)
        elif self._is_old(moved):
            self._save(alert, self._settled(revived, signal), "REINSTATED")
        else:
            self._tell(alert, revived, "alert", "REINSTATED")

    def _revive_in_silence(self, alert: Alert, revived: Alert, signal: Signal) -> None:
        """Nobody heard that it was closed: only a higher severity is news."""
        raised = level_rank(revived.severity) > level_rank(alert.told_severity or alert.severity)
        if raised and not signal.ended and not self._is_old(revived):
            changes = changes_between(alert.told_facts, signal.facts)
            self._tell(alert, revived, "update", "SEVERITY_RAISED", changes=changes)
        else:
            settled = self._settled(_as_told(revived), signal)
            self._remind_or_save(alert, settled, _CLOSED_IN_SILENCE[alert.state_reason])

    def _succeed(self, alert: Alert, moved: Alert, signal: Signal) -> None:
        """All its events were deleted; it goes on with the one they seem merged into."""
        heirs = self._heirs(alert)
        extra = {"merged_into": heirs, "withdrawn": self._ids(alert)}
        changes = changes_between(alert.told_facts, moved.facts)
        if self._is_old(moved):
            self._save(alert, self._settled(moved, signal), "WITHDRAWN_BY_SOURCE")
        else:
            self._tell(alert, moved, "update", "WITHDRAWN_BY_SOURCE", changes=changes, extra=extra)

    def _maybe_speak(self, alert: Alert, moved: Alert, signal: Signal) -> None:
        """A silent alert: tell it now if what kept it silent is over and something is new."""
        spoken = None if self._rule.status == "trial" or self._is_old(moved) else alert
        fresh = set(signal.evidence) - set(alert.evidence) - self._told_evidence
        if spoken is None:
            self._save(alert, self._settled(moved, signal))
        elif alert.silence_reason == "COOLDOWN":
            self._maybe_end_cooldown(alert, moved, signal)
        elif signal.ended:
            self._save(alert, self._settled(moved, signal))
        elif self._was_taken_for_old(alert, moved) or (
            alert.silence_reason in _MAY_SPEAK_LATER and fresh
        ):
            self._speak_up(alert, self._settled(moved, signal), signal)
        else:
            self._save(alert, self._settled(moved, signal))

    def _speak_up(self, alert: Alert, moved: Alert, signal: Signal) -> None:
        """Tell of what was silent; where old data are being loaded, in their one summary."""
        if self._is_seeding(signal):
            told = replace(self._told(moved), silence_reason="SEEDED")
            self._add("SEEDED", told, alert, None, summary="FIRST_LOAD")
        else:
            self._tell(alert, moved, "alert", "FIRST")

    def _is_seeding(self, signal: Signal) -> bool:
        return bool(self._moment.seeding & set(signal.facts.get("datasets", ())))

    def _was_taken_for_old(self, alert: Alert, moved: Alert) -> bool:
        """Whether it was silent for its age alone, by a wrong date or by a clock that was ahead."""
        if alert.silence_reason not in {"HISTORIC", "SEEDED"}:
            return False
        return moved.last_day > alert.last_day or alert.raised_at > self._now

    def _maybe_end_cooldown(self, alert: Alert, moved: Alert, signal: Signal) -> None:
        moved = self._settled(moved, signal)
        blocking = self._cooldown.blocking(signal, alert.id)
        if not any(
            level_rank(b.told_severity or b.severity) >= level_rank(signal.severity)
            for b in blocking
        ):
            held = {"held": self._cooldown.held(signal, alert.id)}
            if blocking:
                self._tell(alert, moved, "alert", "SEVERITY_RAISED", extra=held)
            elif not signal.ended:
                self._tell(alert, moved, "alert", "COOLDOWN_ENDED", extra=held)
            else:
                self._save(alert, moved)
        elif not signal.ended and self._cooldown.is_over(blocking):
            held = {"held": self._cooldown.held(signal, alert.id)}
            self._tell(alert, moved, "alert", "COOLDOWN_ENDED", extra=held)
        else:
            self._save(alert, moved)

    # --- an alert whose episode is gone ---------------------------------------------------

    def orphan(self, alert: Alert, *, merged: bool) -> None:
        """Decide about a live alert that no episode stands for any more."""
        rule = self._rule
        fates = [self._moment.fates.get(uid) for uid in alert.evidence]
        gone = all(fate is not None and not fate.active for fate in fates)
        if rule.kind == "feed":  # what it rests on is no event; its end was told before it went
            edited = alert.rule_version != rule.version
            self._close(alert, "closed", "RULE_EDITED" if edited else "EXPIRED")
            return
        if alert.rule_version != rule.version and not gone:
            self._close(alert, "closed", "RULE_EDITED")
        elif merged:
            self._close(alert, "closed", "MERGED")
        elif gone:
            extra = {"merged_into": self._heirs(alert), "withdrawn": self._ids(alert)}
            self._close(alert, "cancelled", "WITHDRAWN_BY_SOURCE", "cancel", extra=extra)
        elif rule.kind in _STATISTICAL and all(fate is not None and fate.matches for fate in fates):
            # Withdrawn only when its own evidence changed: here the past it was compared with did.
            self._close(alert, "closed", "BASELINE_MOVED")
        elif rule.kind == "quiet":  # it rests on absence: late events take it away
            self._close(alert, "cancelled", "NO_LONGER_MATCHES", "cancel")
        else:
            now = [dict(fate.now) for fate in fates if fate is not None and fate.active]
            extra = {"now": now[0] if len(now) == 1 else {}, "closes": True}
            self._close(alert, "closed", "NO_LONGER_MATCHES", "update", extra=extra)

    def _close(
        self,
        alert: Alert,
        state: AlertState,
        reason: Reason,
        notice: Action | None = None,
        *,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        closed = _closed(alert, state, reason, self._now)
        silent = not alert.told or (self._is_old(alert) and alert.state != "active")
        if notice is None or silent or self._rule.status == "trial":
            self.decisions.append(Decision(self._rule.id, reason, closed, alert))
            return
        changes: tuple[Change, ...] = ()
        if extra and extra.get("now"):
            changes = changes_between(alert.told_facts, {"events": [extra["now"]]})
        told = replace(closed, told_at=self._now)
        self._add(reason, told, alert, notice, changes=changes, extra=extra)

    # --- a new episode --------------------------------------------------------------------

    def open(self, signal: Signal) -> None:
        """Decide about an episode that no alert stands for."""
        alert = self._fresh(signal)
        silence = self._silence(signal, alert)
        if silence is None:
            self._tell(None, alert, "alert", "FIRST", extra={"held": self._cooldown.held(signal)})
        elif silence == "SEEDED" and not self._is_old(alert) and self._rule.status != "trial":
            told = replace(self._told(alert), silence_reason="SEEDED")
            self._add("SEEDED", told, None, None, summary="FIRST_LOAD")
        else:
            self._add(silence, replace(alert, silence_reason=silence), None, None)

    def _silence(self, signal: Signal, alert: Alert) -> Reason | None:
        if self._is_seeding(signal):
            return "SEEDED"
        if self._rule.status == "trial":
            return "TRIAL"
        if self._is_old(alert):
            return "HISTORIC"
        if set(signal.evidence) <= self._told_evidence:
            return "SPLIT"
        rank = level_rank(signal.severity)
        blocking = self._cooldown.blocking(signal, alert.id)
        if any(level_rank(b.told_severity or b.severity) >= rank for b in blocking):
            return "COOLDOWN"
        return None

    def _fresh(self, signal: Signal) -> Alert:
        taken = _Either(self._known, self._moment.taken)
        age = self._today - day_number(signal.last_day)
        ended = signal.ended or (self._is_event and age > self._rule.max_age_days)
        return Alert(
            id=alert_id(self._rule.id, signal, taken),
            rule_id=self._rule.id,
            rule_version=self._rule.version,
            key=signal.key,
            state="ended" if ended else "active",
            severity=signal.severity,
            first_day=signal.first_day,
            last_day=signal.last_day,
            since=signal.since,
            until=signal.until,
            value=signal.value,
            evidence=signal.evidence,
            facts=signal.facts,
            raised_at=self._now,
            changed_at=self._now,
            ended_at=self._now if ended else None,
        )

    # --- what decisions rest on -----------------------------------------------------------

    @property
    def _is_event(self) -> bool:
        return self._rule.kind == "event"

    def _is_old(self, alert: Alert) -> bool:
        if self._rule.kind == "feed" and alert.state == "active":
            return False  # it holds now, however long ago it began
        # What is new was new on its first day, however long the run that it began.
        newest = alert.first_day if self._rule.kind == "new" else alert.last_day
        return self._today - day_number(newest) > self._rule.max_age_days

    def _expired(self, alert: Alert) -> bool:
        return self._is_event and self._is_old(alert)

    def _reminder_due(self, alert: Alert, moved: Alert) -> bool:
        every = self._rule.reminder_days
        if every is None or alert.acknowledged_at is not None or moved.state != "active":
            return False
        return alert.told_at is not None and self._now - alert.told_at >= timedelta(days=every)

    def successors(self, alert: Alert) -> list[str]:
        """Events that may have taken the place of all of an alert's evidence."""
        fates = [self._moment.fates.get(uid) for uid in alert.evidence]
        if any(fate is None or fate.active for fate in fates):
            return []
        return [str(facts["uid"]) for fate in fates if fate for facts in fate.successors]

    def _heirs(self, alert: Alert) -> list[dict[str, Any]]:
        fates = [self._moment.fates.get(uid) for uid in alert.evidence]
        found = {f["uid"]: dict(f) for fate in fates if fate for f in fate.successors}
        return list(found.values())

    @staticmethod
    def _ids(alert: Alert) -> list[str]:
        return [uid.partition(":")[2] for uid in alert.evidence]

    # --- making entries and decisions -----------------------------------------------------

    def _moved(self, alert: Alert, signal: Signal) -> Alert:
        """The alert with the episode's content, or itself where that is the same."""
        facts = self._known_since(alert, signal)
        facts = alert.facts if same_facts(alert.facts, facts) else facts
        if facts is alert.facts and _CONTENT(alert) == _CONTENT(signal):
            return alert
        return replace(
            alert,
            key=signal.key,
            severity=signal.severity,
            first_day=signal.first_day,
            last_day=signal.last_day,
            since=signal.since,
            until=signal.until,
            value=signal.value,
            evidence=signal.evidence,
            facts=facts,
            changed_at=self._now,
        )

    def _known_since(self, alert: Alert, signal: Signal) -> dict[str, Any]:
        """The episode's facts; an alert that a later record takes over was known before it."""
        before, now = alert.facts.get("known_at"), signal.facts.get("known_at")
        if not self._is_event or not before or not now or before >= now:
            return signal.facts
        return {**signal.facts, "known_at": before, **_first_sight(alert.facts)}

    def _state(self, alert: Alert, state: AlertState, reason: Reason) -> Alert:
        if alert.state == state:
            return alert
        ended_at = self._now if state == "ended" else None
        return replace(
            alert, state=state, state_reason=reason, ended_at=ended_at, changed_at=self._now
        )

    def _settled(self, moved: Alert, signal: Signal) -> Alert:
        """A silent alert in the state that its episode is in."""
        if moved.state == "active" and (signal.ended or self._expired(moved)):
            return self._state(moved, "ended", "EXPIRED" if self._is_event else "CONDITION_ENDED")
        if moved.state == "ended" and not signal.ended and not self._expired(moved):
            return self._state(moved, "active", "REOPENED")
        return moved

    def _told(self, alert: Alert) -> Alert:
        return replace(
            alert,
            told=True,
            silence_reason="",
            told_at=self._now,
            told_severity=alert.severity,
            told_value=alert.value,
            told_facts=alert.facts,
            told_evidence=_union(alert.told_evidence, alert.evidence),
        )

    def _tell(
        self,
        previous: Alert | None,
        alert: Alert,
        notice: Action,
        reason: Reason,
        *,
        changes: tuple[Change, ...] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        if self._rule.status == "trial":
            self._save(previous, alert, "TRIAL")
            return
        new = [uid for uid in alert.evidence if uid not in self._told_evidence]
        told = self._told(alert)
        if reason in _TO_BE_TAKEN_ON_AGAIN:
            told = replace(told, acknowledged_at=None)
        said = {"new_evidence": new, **(extra or {})}
        self._add(reason, told, previous, notice, changes=changes, extra=said)

    def _save(self, previous: Alert | None, alert: Alert, reason: Reason | None = None) -> None:
        if alert is previous or alert == previous:
            self._add("UNCHANGED", previous or alert, previous, None)
            return
        self._add(reason or "COSMETIC", replace(alert, changed_at=self._now), previous, None)

    def _add(
        self,
        reason: Reason,
        alert: Alert,
        previous: Alert | None,
        notice: Action | None,
        *,
        changes: tuple[Change, ...] = (),
        extra: Mapping[str, Any] | None = None,
        summary: Literal["", "FIRST_LOAD", "FLOOD"] = "",
    ) -> None:
        self._known[alert.id] = alert
        self._told_evidence.update(alert.told_evidence)
        before = _told_severity(previous)
        if notice is not None and before not in ("", alert.severity):
            extra = {**(extra or {}), "told_severity": before}
            if notice in _TELLS_CHANGES:
                changes = (Change("severity", before, alert.severity), *changes)
        self.decisions.append(
            Decision(
                rule_id=self._rule.id,
                reason=reason,
                alert=alert,
                previous=previous,
                notice=notice,
                changes=changes,
                extra=extra or {},
                summary=summary,
            )
        )


def _told_severity(alert: Alert | None) -> str:
    """The severity that people were last told; "" while they were told nothing."""
    return (alert.told_severity or alert.severity) if alert is not None and alert.told else ""


@dataclass(frozen=True, slots=True)
class _Either:
    """Membership in either of two containers."""

    first: Container[str]
    second: Container[str]

    def __contains__(self, item: object) -> bool:
        return item in self.first or item in self.second


def _first_sight(facts: Mapping[str, Any]) -> dict[str, Any]:
    """When warden first saw what it counts as known since `known_at`; {} where that is lost.

    Else a reader could not tell the source's stamp from warden's own knowledge once another
    record stands in the place of the one that was known first.
    """
    event = newest(facts)
    if "first_seen_at" in facts:
        return {"first_seen_at": facts["first_seen_at"]}
    if event.get("known_at") != facts.get("known_at"):
        return {}
    return {"first_seen_at": event.get("first_seen_at")}


def _closed(alert: Alert, state: AlertState, reason: Reason, now: datetime) -> Alert:
    return replace(alert, state=state, state_reason=reason, changed_at=now, ended_at=now)


def _as_told(alert: Alert) -> Alert:
    """The alert as if what it is now were what was last told."""
    return replace(
        alert,
        told_severity=alert.severity,
        told_value=alert.value,
        told_facts=alert.facts,
        told_evidence=_union(alert.told_evidence, alert.evidence),
    )


def _union(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*old, *new)))


def _gather_floods(decisions: Sequence[Decision], limit: int) -> tuple[Decision, ...]:
    """More notices of one action than the limit become lines of one summary."""
    counts = Counter(decision.notice for decision in decisions if decision.notice)
    return tuple(
        replace(decision, notice=None, reason="FLOOD", summary="FLOOD")
        if decision.notice and counts[decision.notice] > limit
        else decision
        for decision in decisions
    )
