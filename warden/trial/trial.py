"""A trial: rules over a history, instant by instant, with a ledger in memory.

Standing in the flow: where `warden.evaluate` would stand. It calls the same functions,
`engine.kinds.signals`, `engine.reconcile.reconcile` and `engine.notices`, with the events as they
were known at each instant; nothing is stored and nobody is told.

Cost is kept to what changed. All versions of all events are matched once a rule. At an instant a
rule is looked at only if a matching event came, changed or went, if it has active alerts that time
may end, or if time alone may raise one; and of its episodes only those that can have moved (see
`Kind.reach`). The others stand as they stood, and reconcile is told of their alerts as `others`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from warden.engine.actors import Names
from warden.engine.decision import Decision, Fate, Moment
from warden.engine.facts import NEIGHBOUR_NAMES, Severity, event_facts, prepare_facts
from warden.engine.frame import BoolArray, IntArray, day_number
from warden.engine.geo.geography import Geography
from warden.engine.horizon import Horizon
from warden.engine.kinds import KINDS, signals
from warden.engine.notices import Atlas, Naming, notices, summary_notice
from warden.engine.reconcile import reconcile
from warden.engine.where import Matcher, Matches
from warden.evaluate import HISTORIC_SUMMARY_DAYS
from warden.model.alert import Alert
from warden.model.health import Condition
from warden.model.notice import Notice
from warden.model.rule import Rule, Ruleset
from warden.model.signal import Signal
from warden.trial.history import FOREVER, LONG_AGO, History, ticks
from warden.trial.lazy import some_of
from warden.trial.ledger import MemoryLedger

LIVE = frozenset({"active", "ended"})
FORESEEN = frozenset({"spike", "drift", "projection"})
RECURRENCE_DAYS = 2 * 365  # how far back the n-th in twelve months looks


@dataclass(frozen=True, slots=True)
class Instant:
    """When to evaluate, and what is known then besides the events.

    Attributes:
        complete_through: for each dataset the newest day that is fully known.
        seeding: datasets that are seen for the first time: what they hold is no news.
        health: what is not as it should be with warden itself.
    """

    now: datetime
    complete_through: Mapping[str, date]
    seeding: frozenset[str] = frozenset()
    health: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """A notice and the uids it rests on (none of a weekly summary of historic alerts)."""

    notice: Notice
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Matched:
    """A rule, compiled, with the rows of a history that it matches."""

    rule: Rule
    matcher: Matcher
    rows: IntArray


def match_rules(ruleset: Ruleset, geography: Geography, history: History) -> tuple[Matched, ...]:
    """Match every version of every event with all rules that can be tried, once for all."""
    rules = [one for one in ruleset.rules if one.status != "disabled" and one.kind in KINDS]
    names = Names(ruleset.aliases)
    matchers = [Matcher(rule, geography, names) for rule in rules]
    return tuple(
        Matched(rule, matcher, matcher.rows(history.frame))
        for rule, matcher in zip(rules, matchers, strict=True)
    )


@dataclass(slots=True)
class _RuleState:
    """A rule with every version of every event that it ever matches.

    Attributes:
        single: events are decided one by one, independently of each other.
        ordered: versions became known in the order in which they stand, and none ever went.
        holds: for each version of the history whether the rule matches it.
        known: the matches known at the last instant; None when something has moved since.
        rows_of: the versions of each event, for rules that decide events one by one.
        reach: see `Kind.reach`.
    """

    rule: Rule
    matcher: Matcher
    versions: Matches
    since: IntArray
    until: IntArray
    holds: BoolArray
    single: bool
    ordered: bool
    reach: int | None
    known: Matches | None = None
    rows_of: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def day(self) -> IntArray:
        return self.versions.frame.day


@dataclass(slots=True)
class _Scope:
    """What of a rule is to be decided at an instant.

    Attributes:
        only: for rules whose events stand alone, the events in question; None = see `cutoff`.
        cutoff: episodes that ended before this day stand as they stood; None = all are open.
    """

    only: frozenset[str] | None = None
    cutoff: int | None = None


@dataclass(slots=True)
class _Last:
    """The instant before."""

    at: int
    starts: Mapping[str, date]
    known: Mapping[str, date] = field(default_factory=dict)


class Trial:
    """Rules over a history. Ask with `step`, instants in order."""

    def __init__(
        self,
        ruleset: Ruleset,
        geography: Geography,
        history: History,
        *,
        located: bool = True,
        matched: Sequence[Matched] | None = None,
    ) -> None:
        """`located` False: notices lack nearest place and border, chart and map: faster.

        `matched`: what `match_rules` gave for the rules that it shall decide about, if not all.
        """
        self._ruleset = ruleset
        self._history = history
        places = tuple(ruleset.places.values())
        self._atlas = Atlas(places, geography) if located else Atlas()
        self._located = located
        self.ledger = MemoryLedger()
        self._last: _Last | None = None
        self._historic_at: datetime | None = None
        self._naming = Naming()
        every = match_rules(ruleset, geography, history) if matched is None else matched
        self._states = [self._compile(one) for one in every]

    def _compile(self, one: Matched) -> _RuleState:
        history, rule, matcher, rows = self._history, one.rule, one.matcher, one.rows
        kind = KINDS[rule.kind]
        # In the order that everything is told in, so that nothing has to be sorted again.
        days, uids = history.frame.day[rows].tolist(), history.frame.uid[rows].tolist()
        order = sorted(range(len(rows)), key=lambda row: (days[row], uids[row]))
        rows = rows[np.array(order, dtype=np.int64)]
        holds = np.zeros(len(history), dtype=np.bool_)
        holds[rows] = True
        whole = bool(Severity(rule).names & NEIGHBOUR_NAMES)
        state = _RuleState(
            rule=rule,
            matcher=matcher,
            versions=matcher.describe(history.frame.take(rows)),
            since=history.since[rows],
            until=history.until[rows],
            holds=holds,
            single=rule.kind == "event" and not whole,
            ordered=_in_order(history.since[rows], history.until[rows]),
            reach=None if kind.reach is None else kind.reach(rule),
        )
        if state.single:
            self.ledger.index(rule.id)
            found: dict[str, list[int]] = {}
            for row, uid in enumerate(state.versions.frame.uid.tolist()):
                found.setdefault(uid, []).append(row)
            state.rows_of = found
            prepare_facts(state.versions)  # each event is told, or at least looked at
        return state

    @property
    def matched(self) -> dict[str, int]:
        """How many events each rule ever matched."""
        return {
            state.rule.id: len(set(state.versions.frame.uid.tolist())) for state in self._states
        }

    def foresee(self, instant: Instant) -> None:
        """Let kinds that test week by week test them all in one go, as they are known at the end.

        It only saves time: what a step then finds known from here rests on the very same events.
        """
        at = ticks(instant.now)
        horizon = Horizon(instant.now, instant.complete_through, self._history.starts(at))
        for state in self._states:
            if state.rule.kind in FORESEEN:
                rows = ((state.since <= at) & (at < state.until)).nonzero()[0]
                signals(state.rule, some_of(state.versions, rows), horizon)

    def step(self, instant: Instant) -> tuple[Said, ...]:
        """Evaluate as `evaluate` would at that instant, and keep what was decided."""
        said, decisions = self.decide(instant)
        return self.conclude(said, decisions, instant)

    def decide(self, instant: Instant) -> tuple[list[Said], list[Decision]]:
        """What the rules say and decide at that instant; `keep` it before the next."""
        at = ticks(instant.now)
        horizon = Horizon(
            instant.now,
            instant.complete_through,
            self._history.starts(at),
            health=instant.health,
        )
        decisions: list[Decision] = []
        said: list[Said] = []
        for state in self._states:
            decided = self._of_rule(state, horizon, at, instant)
            if decided is None:
                continue
            decisions += decided
            if any(decision.notice or decision.summary for decision in decided):
                said += self._said(state, decided, instant, horizon)
        self._last = _Last(at, horizon.data_start, dict(instant.complete_through))
        return said, decisions

    def conclude(
        self, said: Sequence[Said], decisions: Sequence[Decision], instant: Instant
    ) -> tuple[Said, ...]:
        """Add the summaries of what was too old to tell, and keep what was decided."""
        summaries, listed = self._historic(decisions, instant)
        self.keep(decisions)
        self.ledger.mark_listed(listed)
        return tuple(
            replace(one, notice=self._naming.named(one.notice)) for one in (*said, *summaries)
        )

    def keep(self, decisions: Iterable[Decision]) -> None:
        """Write what was decided into the ledger."""
        for decision in decisions:
            if decision.writes:
                self.ledger.save(decision.alert)

    def _said(
        self, state: _RuleState, decided: Sequence[Decision], instant: Instant, horizon: Horizon
    ) -> list[Said]:
        found = notices(
            state.rule,
            decided,
            self._around(state, decided, ticks(instant.now)),
            instant.now,
            self._atlas,
            horizon=horizon if self._located else None,
        )
        return [
            Said(notice, tuple(uid for one in about for uid in one.alert.evidence))
            for notice, about in found
        ]

    # --- one rule -----------------------------------------------------------------------------

    def _of_rule(
        self, state: _RuleState, horizon: Horizon, at: int, instant: Instant
    ) -> tuple[Decision, ...] | None:
        moved = self._moved(state, at)
        kind = KINDS[state.rule.kind]
        active = self.ledger.active(state.rule.id)
        timed: object = active and (kind.ends or state.rule.reminder_days is not None)
        if state.single:
            timed = _due(state.rule, active, horizon.today)
        if moved.size:
            state.known = None
        elif not (timed or kind.clocked or self._ground_moved(horizon)):
            return None
        scope = self._scope(state, horizon, moved)
        asked = replace(horizon, since=scope.cutoff)
        alerts, others = self._alerts(state.rule, scope)
        found = [
            signal
            for signal in signals(state.rule, self._asked_of(state, scope, at), asked, scope.only)
            if asked.asks(day_number(signal.until))
        ]
        return reconcile(
            state.rule,
            found,
            alerts,
            Moment(
                horizon=horizon,
                seeding=instant.seeding,
                fates=self._fates(state, alerts, found, at),
                taken=self.ledger,
                others=others,
            ),
        )

    def _moved(self, state: _RuleState, at: int) -> IntArray:
        """The rows of the versions that came or went since the last instant."""
        since, until = state.since, state.until
        before = LONG_AGO if self._last is None else self._last.at
        if state.ordered:
            return np.arange(since.searchsorted(before, "right"), since.searchsorted(at, "right"))
        if self._last is None:
            return ((since <= at) & (at < until)).nonzero()[0]
        came = (since > before) & (since <= at)
        went = (until > before) & (until <= at) & (since <= before)
        return (came | went).nonzero()[0]

    def _ground_moved(self, horizon: Horizon) -> bool:
        """Whether data now reach further back: what was too early to tell may tell now."""
        return self._last is not None and self._last.starts != horizon.data_start

    def _known(self, state: _RuleState, at: int) -> Matches:
        if state.known is None:
            if state.ordered:
                rows = np.arange(state.since.searchsorted(at, "right"))
            else:
                rows = ((state.since <= at) & (at < state.until)).nonzero()[0]
            state.known = some_of(state.versions, rows)
        return state.known

    def _asked_of(self, state: _RuleState, scope: _Scope, at: int) -> Matches:
        """The matches that signals are asked of; of single events only those in question."""
        if scope.only is None:
            return self._known(state, at)
        rows = [row for uid in scope.only for row in state.rows_of.get(uid, ())]
        these = np.array(sorted(rows), dtype=np.int64)
        known = (state.since[these] <= at) & (at < state.until[these])
        return some_of(state.versions, these[known])

    def _around(self, state: _RuleState, decided: Sequence[Decision], at: int) -> Matches:
        """The matches that notices are made with: all, or as far back as single events need."""
        if not state.single:
            return self._known(state, at)
        told = [decision.alert.first_day for decision in decided if decision.notice]
        if not told:
            return some_of(state.versions, np.zeros(0, dtype=np.int64))
        first, last = day_number(min(told)) - RECURRENCE_DAYS, day_number(max(told))
        known = (state.since <= at) & (at < state.until)
        near = known & (state.day >= first) & (state.day <= last)
        return some_of(state.versions, np.flatnonzero(near))

    def _scope(self, state: _RuleState, horizon: Horizon, moved: IntArray) -> _Scope:
        active = self.ledger.active(state.rule.id)
        if state.single:
            due = _due(state.rule, active, horizon.today)
            uids = {str(uid) for uid in state.versions.frame.uid[moved]}
            return _Scope(only=self._with_all_they_rest_on(state.rule, uids, due))
        if self._last is None or state.reach is None or self._ground_moved(horizon):
            return _Scope()
        kind, rule = KINDS[state.rule.kind], state.rule
        days = [day_number(alert.until) for alert in active] if kind.ends else []
        if moved.size:
            days.append(int(state.day[moved].min()) - state.reach)
        if kind.clocked:
            days += [
                day_number(self._last.known.get(name, horizon.now.date())) - state.reach
                for name in horizon.complete_through
            ]
        patience = rule.keep_firing_for_days + rule.resolve_days + rule.cooldown_days
        return _Scope(cutoff=min(days, default=horizon.today) - patience - 1)

    def _with_all_they_rest_on(
        self, rule: Rule, uids: set[str], due: Iterable[Alert]
    ) -> frozenset[str]:
        """These events and those of these alerts, with all that else rests on any of them."""
        uids = uids.union(*(alert.evidence for alert in due))
        while (
            held := {
                uid for alert in self.ledger.resting_on(rule.id, uids) for uid in alert.evidence
            }
            - uids
        ):
            uids |= held
        return frozenset(uids)

    def _alerts(self, rule: Rule, scope: _Scope) -> tuple[tuple[Alert, ...], tuple[Alert, ...]]:
        """The alerts to decide about, and those that stand as they stood."""
        if scope.only is not None:
            return self.ledger.resting_on(rule.id, scope.only), ()
        every = self.ledger.of_rule(rule.id)
        if scope.cutoff is None:
            return every, ()
        cutoff = date.fromordinal(max(scope.cutoff + _EPOCH, 1))
        open_ = [alert.until >= cutoff or alert.state not in LIVE for alert in every]
        return (
            tuple(alert for alert, yes in zip(every, open_, strict=True) if yes),
            tuple(alert for alert, yes in zip(every, open_, strict=True) if not yes),
        )

    # --- what became of evidence --------------------------------------------------------------

    def _fates(
        self, state: _RuleState, alerts: Iterable[Alert], found: Sequence[Signal], at: int
    ) -> dict[str, Fate]:
        held = set[str]().union(*(signal.evidence for signal in found))
        rested_on = set[str]().union(*(one.evidence for one in alerts if one.state in LIVE))
        fates: dict[str, Fate] = {}
        for uid in sorted(rested_on - held):
            row = self._history.standing(uid, at)
            if row is not None:
                matches = bool(state.holds[row])
                facts = self._facts(state.matcher, [row])[0]
                fates[uid] = Fate(active=True, matches=matches, now=facts)
            else:
                heirs = self._history.successors(uid, at)
                fates[uid] = Fate(active=False, successors=tuple(self._facts(state.matcher, heirs)))
        return fates

    def _facts(self, matcher: Matcher, rows: Sequence[int]) -> list[dict[str, Any]]:
        if not rows:
            return []
        described = matcher.describe(self._history.frame.take(np.array(rows, dtype=np.int64)))
        return [event_facts(described, row) for row in range(len(rows))]

    # --- the weekly summary of what is too old to tell ----------------------------------------

    def _historic(
        self, decisions: Iterable[Decision], instant: Instant
    ) -> tuple[list[Said], list[str]]:
        """The summaries, and the alerts that they list."""
        last, now = self._historic_at, instant.now
        if last is None:
            self._historic_at = now
        if last is None or now - last < timedelta(days=HISTORIC_SUMMARY_DAYS):
            return [], []
        by_rule = _historic_by_rule(self.ledger.unlisted_historic(), decisions)
        said: list[Said] = []
        listed: list[str] = []
        for rule in self._ruleset.rules:
            alerts = by_rule.get(rule.id, [])
            if alerts and rule.status == "stable":
                said.append(Said(self._summary(rule, alerts, instant)))
                listed += [alert.id for alert in alerts]
        if said:
            self._historic_at = now
        return said, listed

    def _summary(self, rule: Rule, alerts: Sequence[Alert], instant: Instant) -> Notice:
        return summary_notice(
            rule,
            alerts,
            instant.now,
            reason="HISTORIC",
            atlas=self._atlas,
        )


def _in_order(since: IntArray, until: IntArray) -> bool:
    return bool((since[1:] >= since[:-1]).all() and (until == FOREVER).all())


def _due(rule: Rule, active: Iterable[Alert], today: int) -> list[Alert]:
    """The alerts of single events that time alone may end or repeat."""
    if rule.reminder_days is not None:
        return list(active)
    return [one for one in active if today - day_number(one.last_day) > rule.max_age_days]


def _historic_by_rule(
    unlisted: Iterable[Alert], decisions: Iterable[Decision]
) -> dict[str, list[Alert]]:
    fresh = (
        decision.alert
        for decision in decisions
        if decision.alert.silence_reason == "HISTORIC" and decision.previous is None
    )
    by_rule: dict[str, list[Alert]] = {}
    for alert in (*unlisted, *fresh):
        by_rule.setdefault(alert.rule_id, []).append(alert)
    return by_rule


_EPOCH = date(1970, 1, 1).toordinal()
