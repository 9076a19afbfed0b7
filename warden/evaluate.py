"""The second step of a cycle: what the events say now, against what has been said.

Standing in the flow: `ingest` has committed events; here every rule that they touch is matched,
its episodes are reconciled with the ledger, and decisions, notices and dispatches are committed in
one transaction. Nothing is sent here.

Incremental is full. An `Evaluator` keeps each rule's matching events as columns; a cycle loads
the changed events only, and looks again at the rules that an old or new version of them touches
and at those with active alerts. A full pass builds everything anew from the database.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from warden.clock import is_ahead
from warden.engine.actors import Names
from warden.engine.decision import Decision, Fate, Moment
from warden.engine.facts import NEIGHBOUR_NAMES, Severity, event_facts
from warden.engine.frame import Frame
from warden.engine.geo.geography import Geography
from warden.engine.horizon import Horizon
from warden.engine.kinds import KINDS, signals
from warden.engine.notices import (
    Atlas,
    Audience,
    Naming,
    by_audience,
    notices,
    summary_notice,
)
from warden.engine.reconcile import reconcile, remove
from warden.engine.seeding import SourceView, seeding
from warden.engine.shared import SharedMatcher
from warden.engine.where import Matcher, Matches
from warden.model.alert import Alert
from warden.model.foresight import Foreseen
from warden.model.health import Condition
from warden.model.notice import Notice
from warden.model.rule import Rule, Ruleset
from warden.model.signal import Signal
from warden.store import Store, cycles, events, ledger, people
from warden.store.cycles import CycleState
from warden.store.events import FRAME_COLUMNS, load_rows, row_chunks
from warden.store.projections import keep_projections, load_projections
from warden.store.sources import complete_through, load_sources
from warden.store.values import instant_text, parse_instant

SUCCESSOR_DAYS = 2
SUCCESSOR_KM = 25.0
MAX_SUCCESSORS = 5
CHUNK_ROWS = 5_000  # a row takes kilobytes until it is part of columns
CHANGED_ROWS = 20_000
HISTORIC_SUMMARY_DAYS = 7
# What a fault in one rule's kind can raise; the database's own errors end the cycle.
RULE_FAILED = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, AssertionError)

Planner = Callable[[sqlite3.Connection, Sequence[Notice], datetime], None]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one cycle decided.

    Attributes:
        cycle_id: its row in `cycles`; None when nothing had to be written.
        decisions: all of them, those that keep silent too.
        notices: what is to be said.
        matched: how many events each rule is about now.
        errors: the rules that could not be evaluated, and why; they are tried again every cycle.
    """

    cycle_id: int | None
    at: datetime
    decisions: tuple[Decision, ...]
    notices: tuple[Notice, ...]
    matched: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _RuleState:
    """A rule as the evaluator holds it: compiled, with the events it is about."""

    rule: Rule
    matcher: Matcher
    matches: Matches
    whole: bool  # one event's change may move the severity of another's alert
    known: int | None = None  # the newest fully known day when it was last looked at

    def is_due_by_time(self, horizon: Horizon) -> bool:
        """Whether a signal may have begun though no event of the rule changed."""
        clocked = KINDS[self.rule.kind].clocked
        known = horizon.known_through(self.matches.frame.datasets()) if clocked else None
        if clocked != "known" or known is None or self.known is None:
            self.known = known
            return clocked != ""
        days = self.matches.frame.day
        due = bool(((days > self.known) & (days <= known)).any()) or known < self.known
        self.known = known
        return due


class Evaluator:
    """Evaluates a rule set over a store, cycle after cycle.

    `plan(tx, notices, now)` stores who is to hear of the notices, in the same transaction.
    `audience(rule, alert)` tells who would: a summary is for those whom its alerts would reach.
    """

    def __init__(
        self,
        store: Store,
        ruleset: Ruleset,
        geography: Geography,
        *,
        plan: Planner | None = None,
        audience: Audience | None = None,
    ) -> None:
        self._store = store
        self._geography = geography
        self._plan = plan or (lambda _tx, _notices, _now: None)
        self._audience = audience
        self._ruleset = ruleset
        self._states: dict[str, _RuleState] | None = None
        self._shared = SharedMatcher((), geography)
        self._data_start: Mapping[str, date] = {}
        self._errors: dict[str, str] = {}

    @property
    def ruleset(self) -> Ruleset:
        """The rules in force."""
        return self._ruleset

    def use(self, ruleset: Ruleset) -> None:
        """Put other rules in force; the next cycle is a full one."""
        self._ruleset = ruleset
        self._states = None

    def forget(self) -> None:
        """Drop what is held in memory; the next cycle is a full one."""
        self._states = None

    def cycle(
        self,
        now: datetime,
        changed: AbstractSet[str] | None = None,
        *,
        dry_run: bool = False,
        health: Sequence[Condition] = (),
    ) -> Evaluation:
        """Evaluate and, unless `dry_run`, commit.

        `changed` names the events whose newest version the last cycle has not seen; None asks for
        a full pass. A cycle that fails leaves the database as it was and the next one is full.
        `health` is what is not as it should be with warden itself.
        """
        full = changed is None or self._states is None
        try:
            anew = full or self._is_most(changed or frozenset())
            touched = self._load() if anew else self._update(changed or frozenset())
            evaluation = self._evaluate(
                now, touched, None if full else changed, health, dry_run=dry_run
            )
        except BaseException:
            self._states = None
            raise
        return evaluation

    # --- events to matches ----------------------------------------------------------------

    def _is_most(self, changed: AbstractSet[str]) -> bool:
        """Whether so much has changed, as at a first start, that all is sooner matched anew."""
        if len(changed) <= CHUNK_ROWS:
            return False
        stored = sum(events.count_events(self._store.connection).values())
        return len(changed) * 2 > stored

    def _compile(self) -> dict[str, _RuleState]:
        names = Names(self._ruleset.aliases)
        empty = Frame.empty()
        states = {}
        for rule in self._ruleset.rules:
            if rule.status == "disabled" or rule.kind not in KINDS:
                continue
            matcher = Matcher(rule, self._geography, names)
            whole = bool(Severity(rule).names & NEIGHBOUR_NAMES)
            states[rule.id] = _RuleState(rule, matcher, matcher.match(empty), whole)
        return states

    def _load(self) -> frozenset[str]:
        """Match all stored events, a chunk at a time; every rule is touched."""
        states = self._compile()
        shared = SharedMatcher([state.rule for state in states.values()], self._geography)
        parts = [[state.matches] for state in states.values()]
        for rows in row_chunks(self._store.connection, CHUNK_ROWS):
            frame = Frame.from_rows(FRAME_COLUMNS, rows)
            candidates = shared.candidates(frame)
            for state, found, among in zip(states.values(), parts, candidates, strict=True):
                if among is None or len(among):
                    found.append(state.matcher.match(frame, among))
        for state, found in zip(states.values(), parts, strict=True):
            state.matches = _all_joined(found)
        self._states, self._shared = states, shared
        return frozenset(states)

    def _update(self, changed: AbstractSet[str]) -> frozenset[str]:
        """Match the changed events only; tell which rules their old or new versions touch."""
        uids = list(changed)
        batches = (uids[at : at + CHANGED_ROWS] for at in range(0, len(uids), CHANGED_ROWS))
        return frozenset[str]().union(*(self._update_some(frozenset(batch)) for batch in batches))

    def _update_some(self, changed: frozenset[str]) -> set[str]:
        rows = load_rows(self._store.connection, uids=changed)
        frame = Frame.from_rows(FRAME_COLUMNS, rows)
        states = self._states or {}
        touched = set()
        candidates = self._shared.candidates(frame)
        for (rule_id, state), among in zip(states.items(), candidates, strict=True):
            found = state.matcher.match(frame, among) if among is None or len(among) else None
            before = changed & set(state.matches.frame.uid.tolist())
            if before or found:
                touched.add(rule_id)
                held = state.matches
                state.matches = held.replaced(before, found) if found else held.without(before)
        return touched

    # --- matches to decisions ---------------------------------------------------------------

    def _evaluate(
        self,
        now: datetime,
        touched: AbstractSet[str],
        changed: AbstractSet[str] | None,
        health: Sequence[Condition],
        *,
        dry_run: bool,
    ) -> Evaluation:
        connection = self._store.connection
        states = self._states or {}
        known = complete_through(connection)
        horizon = Horizon(now, known, events.first_days(connection), health=tuple(health))
        seeding, marks = _seeding(connection)
        taken = ledger.AlertIds(connection)
        atlas = Atlas(tuple(self._ruleset.places.values()), self._geography)
        with_active = ledger.rules_with_active(connection)
        # Data that reach further back tell what was too early to tell, in any rule.
        deeper = horizon.data_start != self._data_start
        self._data_start = horizon.data_start
        decisions: list[Decision] = []
        said: list[tuple[Notice, tuple[Decision, ...]]] = []
        failed, self._errors = self._errors, {}
        for rule_id, state in states.items():
            timed = state.is_due_by_time(horizon)
            due = timed or rule_id in touched or rule_id in with_active or rule_id in failed
            if not due and not deeper and changed is not None:
                continue
            moment = Moment(horizon=horizon, seeding=seeding, taken=taken)
            try:
                decided = self._decide(state, moment, None if rule_id in failed else changed)
                told = notices(
                    state.rule,
                    decided,
                    state.matches,
                    now,
                    atlas,
                    horizon=horizon,
                    audience=self._audience,
                )
            except RULE_FAILED as error:  # told as a condition; the other rules go on
                self._errors[rule_id] = f"{type(error).__name__}: {error}"
                continue
            decisions += decided
            said += told
        decisions += self._of_removed_rules(states, now)
        listed = self._historic(decisions, now, atlas)
        said += [(notice, ()) for notice, _ in listed]
        naming = Naming(lambda notice_id: ledger.is_notice(connection, notice_id))
        said = [(naming.named(notice), about) for notice, about in said]
        said = _with_precision(connection, said)
        evaluation = Evaluation(
            cycle_id=None,
            at=now,
            decisions=tuple(decisions),
            notices=tuple(notice for notice, _ in said),
            matched={rule_id: len(state.matches) for rule_id, state in states.items()},
            errors=dict(self._errors),
        )
        if dry_run:
            return evaluation
        kind = "full" if changed is None else "incremental"
        foreseen = tuple(self._foreseen(states.values(), horizon))
        return self._commit(_Cycle(evaluation, said, listed, known, marks, kind, foreseen))

    def _foreseen(self, states: Iterable[_RuleState], horizon: Horizon) -> Iterator[Foreseen]:
        """Projections to keep: new ones, and those kept whose score has moved."""
        for state in states:
            rule, kind = state.rule, KINDS[state.rule.kind]
            if kind.foresee is None or kind.came_to is None or rule.id in self._errors:
                continue
            kept = load_projections(self._store.connection, rule.id, rule.version)
            known = {(one.key, one.period, one.on_day) for one in kept}
            for one in kind.foresee(rule, state.matches, horizon):
                if (one.key, one.period, one.on_day) not in known:
                    yield one
            for one in kept:
                observed = kind.came_to(state.matches, horizon, one)
                if observed is not None and observed != one.observed:
                    yield replace(one, observed=observed)

    def _decide(
        self, state: _RuleState, moment: Moment, changed: AbstractSet[str] | None
    ) -> tuple[Decision, ...]:
        connection, rule = self._store.connection, state.rule
        only: AbstractSet[str] | None = None
        if changed is not None and not KINDS[rule.kind].windowed and not state.whole:
            only = changed | ledger.active_event_uids(connection, rule.id)
        alerts = self._alerts_of(rule, only)
        while only is not None and (held := {e for one in alerts for e in one.evidence} - only):
            only |= held  # such as what an alert went on with, of which another event comes back
            alerts = self._alerts_of(rule, only)
        found = signals(rule, state.matches, moment.horizon, only)
        fates = self._fates(state, alerts, found)
        return reconcile(rule, found, alerts, replace(moment, fates=fates))

    def _alerts_of(self, rule: Rule, only: AbstractSet[str] | None) -> tuple[Alert, ...]:
        ids = (rule.id, *rule.formerly)
        found = [
            alert
            for rule_id in ids
            for alert in ledger.load_alerts(self._store.connection, rule_id=rule_id, uids=only)
        ]
        return tuple(
            alert if alert.rule_id == rule.id else replace(alert, rule_id=rule.id)
            for alert in found
        )

    def _of_removed_rules(self, states: Mapping[str, _RuleState], now: datetime) -> list[Decision]:
        former = {old for state in states.values() for old in state.rule.formerly}
        decisions: list[Decision] = []
        for rule_id in ledger.rule_ids(self._store.connection):
            if rule_id in states or rule_id in former:
                continue
            live = ledger.load_alerts(
                self._store.connection, rule_id=rule_id, states=("active", "ended")
            )
            decisions += remove(live, now)
        return decisions

    def _fates(
        self, state: _RuleState, alerts: Iterable[Alert], found: Iterable[Signal]
    ) -> dict[str, Fate]:
        """What became of the evidence of live alerts that no signal holds."""
        held = {uid for signal in found for uid in signal.evidence}
        missing = sorted(
            {
                uid
                for alert in alerts
                if alert.state in {"active", "ended"}
                for uid in alert.evidence
            }
            - held
        )
        if not missing:
            return {}
        rows = load_rows(self._store.connection, uids=missing)
        standing = self._facts_of(state.matcher, rows)
        matching = set(missing).intersection(state.matches.frame.uid)
        return {
            uid: Fate(active=True, matches=uid in matching, now=standing[uid])
            if uid in standing
            else Fate(active=False, successors=self._successors(state.matcher, uid))
            for uid in missing
        }

    def _successors(self, matcher: Matcher, uid: str) -> tuple[Mapping[str, Any], ...]:
        """Active events of the dataset within two days and 25 km of a deleted one."""
        connection = self._store.connection
        found = events.near(
            connection, uid, days=SUCCESSOR_DAYS, km=SUCCESSOR_KM, limit=MAX_SUCCESSORS
        )
        facts = self._facts_of(matcher, load_rows(connection, uids=found))
        return tuple(facts[other] for other in found)

    def _facts_of(
        self, matcher: Matcher, rows: Sequence[Sequence[Any]]
    ) -> dict[str, dict[str, Any]]:
        described = matcher.describe(Frame.from_rows(FRAME_COLUMNS, rows))
        return {
            described.frame.uid[row]: event_facts(described, row)
            for row in np.arange(len(described)).tolist()
        }

    def _historic(
        self, decisions: Sequence[Decision], now: datetime, atlas: Atlas
    ) -> list[tuple[Notice, tuple[str, ...]]]:
        """Once a week, one summary a rule of the historic alerts nobody was told of."""
        connection = self._store.connection
        last = _last_summary_at(connection)
        if last is None or is_ahead(last, now):
            return []
        if now - last < timedelta(days=HISTORIC_SUMMARY_DAYS):
            return []
        fresh = [
            d.alert
            for d in decisions
            if d.alert.silence_reason == "HISTORIC" and d.previous is None
        ]
        by_rule: dict[str, list[Alert]] = {}
        for alert in (*ledger.unlisted_historic(connection), *fresh):
            by_rule.setdefault(alert.rule_id, []).append(alert)
        rules = [(rule, by_rule.get(rule.id)) for rule in self._ruleset.rules]
        return [
            (
                summary_notice(rule, alerts, now, reason="HISTORIC", atlas=atlas),
                tuple(alert.id for alert in alerts),
            )
            for rule, of_rule in rules
            if of_rule and rule.status == "stable"
            for alerts in by_audience(rule, of_rule, self._audience)
        ]

    # --- decisions to the database ----------------------------------------------------------

    def _commit(self, cycle: _Cycle) -> Evaluation:
        """Everything in one transaction, or nothing; no row at all when nothing changed."""
        evaluation, said = cycle.evaluation, cycle.said
        writes = [decision for decision in evaluation.decisions if decision.writes]
        connection = self._store.connection
        state = CycleState.of(self._ruleset.version, cycle.known)
        marks = {**cycle.marks, **_weekly_mark(connection, evaluation.at, cycle.listed)}
        anything = writes or said or marks or cycle.foreseen
        if not anything and cycles.last_state(connection) == state:
            return evaluation
        notice_of = {d.alert.id: notice.id for notice, about in said for d in about}
        with self._store.transaction() as tx:
            cycle_id = cycles.add_cycle(
                tx, evaluation.at, state, cycle.kind, (d.reason for d in evaluation.decisions)
            )
            for notice in evaluation.notices:
                ledger.add_notice(tx, notice, cycle_id)
            for decision in writes:
                ledger.save_alert(tx, decision.alert, decision.previous)
                notice_id = notice_of.get(decision.alert.id)
                ledger.append_decision(tx, cycle_id, evaluation.at, decision, notice_id)
            for _, alert_ids in cycle.listed:
                ledger.mark_listed(tx, alert_ids)
            for key, value in marks.items():
                cycles.set_mark(tx, key, value)
            keep_projections(tx, cycle.foreseen, evaluation.at)
            self._plan(tx, evaluation.notices, evaluation.at)
        return replace(evaluation, cycle_id=cycle_id)


@dataclass(frozen=True, slots=True)
class _Cycle:
    """What a cycle is about to commit."""

    evaluation: Evaluation
    said: Sequence[tuple[Notice, tuple[Decision, ...]]]
    listed: Sequence[tuple[Notice, tuple[str, ...]]]
    known: Mapping[str, date]
    marks: Mapping[str, str]
    kind: str
    foreseen: Sequence[Foreseen] = ()


def _all_joined(parts: list[Matches]) -> Matches:
    """All of them as one, joined in pairs: no row is copied more often than there are rounds."""
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        left = parts[-1:] if len(parts) % 2 else []
        parts = [one.joined(other) for one, other in pairs] + left
    return parts[0]


def _seeding(connection: sqlite3.Connection) -> tuple[frozenset[str], dict[str, str]]:
    sources = (
        SourceView(status.dataset, status.state, status.last_ok_at is not None)
        for status in load_sources(connection)
    )
    return seeding(events.datasets(connection), sources, cycles.seeded_marks(connection))


def _with_precision(
    connection: sqlite3.Connection, said: list[tuple[Notice, tuple[Decision, ...]]]
) -> list[tuple[Notice, tuple[Decision, ...]]]:
    """Let the notices of rules that people have judged often enough say how."""
    if not said:
        return said
    judged = {rule_id: one for rule_id, one in people.precision(connection).items() if one.told}
    return [
        (replace(notice, facts={**notice.facts, "precision": judged[notice.rule_id].counts()}), why)
        if notice.rule_id in judged
        else (notice, why)
        for notice, why in said
    ]


def _weekly_mark(
    connection: sqlite3.Connection, now: datetime, listed: Sequence[object]
) -> dict[str, str]:
    """When the weekly summaries count from; anew where a clock that was ahead left the mark."""
    last = _last_summary_at(connection)
    begins = last is None or is_ahead(last, now)
    return {cycles.HISTORIC_SUMMARY_AT: instant_text(now)} if listed or begins else {}


def _last_summary_at(connection: sqlite3.Connection) -> datetime | None:
    last = cycles.mark(connection, cycles.HISTORIC_SUMMARY_AT)
    return None if last is None else parse_instant(last)
