"""Dispatches that are due become messages and their deliveries, in one transaction.

Standing in the flow: `evaluate` has committed dispatches; `sending` takes the deliveries.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from warden.clock import Clock
from warden.collector import collector_paused
from warden.deliver.addressing import alone, delivery_to, is_threaded, key_of
from warden.deliver.rerouting import lead_elsewhere
from warden.model.delivery import Delivery, Dispatch, Message
from warden.model.notice import Action, Notice
from warden.model.people import Silence
from warden.notify.collapse import closes, collapsed, held_back, with_ends, without
from warden.notify.flushing import End, GroupKey, Situation, Talk, plan_flush
from warden.notify.inhibition import Source
from warden.notify.plan import alert_labels, labels_of, listed_labels, to_receiver
from warden.notify.render import Renderer
from warden.notify.render.cap import Earlier, identifier_of
from warden.notify.render.gaps import Gap
from warden.notify.render.renderer import in_order
from warden.notify.routes import Receiver, Routing
from warden.notify.silence_ends import silence_ended
from warden.notify.silences import actions_held
from warden.store import ahead, ledger, outbox, people
from warden.store.connection import Store, Transaction
from warden.store.messages import alerts_of_dispatches, earlier_messages
from warden.store.sources import load_sources

log = logging.getLogger(__name__)

_SILENT_STATES = frozenset({"embargoed", "stale"})
_BATCH = 1000
_MESSAGES_AT_ONCE = 100  # rendered, then committed together: the gravest need not wait for all
_MAX_ROUNDS = 100

Notices = Mapping[str, Notice]
"""By their ids, in the order they were decided."""


@dataclass(frozen=True, slots=True)
class Flushed:
    """What one flush did."""

    messages: int = 0
    deliveries: int = 0
    withheld: int = 0
    fallbacks: int = 0

    def __add__(self, other: Flushed) -> Flushed:
        return Flushed(
            self.messages + other.messages,
            self.deliveries + other.deliveries,
            self.withheld + other.withheld,
            self.fallbacks + other.fallbacks,
        )


def flush(
    store: Store,
    routing: Routing,
    renderer: Renderer,
    clock: Clock,
    *,
    mail_domain: str = "warden",
    stored: Callable[[], None] = lambda: None,
) -> Flushed:
    """Turn what is due into messages with their deliveries, and commit both.

    Before that, what a clock that was ahead put off is brought back.
    A cancel first takes back what nobody has been offered yet. Then everything that waits is
    decided on (see `notify.flushing`) and that is committed. Messages are rendered outside any
    transaction; `mail_domain` is what their Message-IDs are made under. What had to follow another
    message to the same reader goes in a round of its own. `stored` is called whenever some messages
    have been committed.
    """
    _bring_back(store, clock)
    total = Flushed()
    for _ in range(_MAX_ROUNDS):
        with store.reading() as tx:
            if not outbox.anything_to_flush(tx, clock.now()):
                return total
        done = _round(store, routing, renderer, clock.now(), mail_domain, stored)
        total += done
        if not done.messages:
            return total
    return total


def _bring_back(store: Store, clock: Clock) -> None:
    """Let no delivery wait for an hour that a clock named which was ahead.

    The time is asked inside the transactions: one asked before a wait for them is itself late.
    """
    with store.reading() as view:
        found = ahead.any_deliveries_ahead(view, clock.now())
    if not found:
        return
    with store.transaction() as tx:
        number = ahead.bring_deliveries_back(tx, clock.now())
    log.warning("the clock was ahead; deliveries that it put off and are due now: %d", number)


def _round(  # noqa: PLR0917  the arguments of flush
    store: Store,
    routing: Routing,
    renderer: Renderer,
    now: datetime,
    mail_domain: str,
    stored: Callable[[], None],
) -> Flushed:
    with store.transaction() as tx:
        _tell_ended_silences(tx, routing, now)
        waiting = _after_cancels(tx, now)
        if lead_elsewhere(tx, waiting, routing, now):
            waiting = outbox.waiting(tx)
        situation = _situation(tx, routing, now, waiting)
        plan = plan_flush(situation)
        outbox.withhold_each(tx, plan.withheld, plan.superseded, now)
        outbox.set_holds(tx, plan.holds, now)
        outbox.postpone(tx, plan.due_at)
    with store.reading() as view, collector_paused():  # notices never change: no writer waits
        notices = _notices(view, plan.ready)
        gaps = _gaps(view)
    done = Flushed(withheld=len(plan.withheld))
    maker = _Maker(store, routing, renderer, now, mail_domain, notices, gaps, situation.heard)
    for start in range(0, len(plan.ready), _MESSAGES_AT_ONCE):
        done += maker.make(plan.ready[start : start + _MESSAGES_AT_ONCE], plan.timed)
        stored()
    return done


def _situation(
    tx: Transaction, routing: Routing, now: datetime, waiting: Sequence[Dispatch]
) -> Situation:
    """What the outbox, the silences and the ledger say now."""
    waiting = _with_labels(tx, waiting)
    groups = {(one.receiver, one.group_key) for one in waiting if not one.digest}
    return Situation(
        now=now,
        routing=routing,
        waiting=waiting,
        heard=outbox.heard(tx),
        ends={name: End(*end) for name, end in outbox.ends(tx).items()},
        acknowledged=outbox.acknowledged(tx),
        silences=people.silences(tx, active_at=now),
        sources=_sources(tx) if routing.inhibit_rules else (),
        sent_at=outbox.groups_sent(tx, groups),
    )


def _with_labels(tx: Transaction, waiting: Sequence[Dispatch]) -> list[Dispatch]:
    """Those of what a summary lists; and all where an older warden planned it without any."""
    asked = {one.notice_id for one in waiting if one.action == "summary" or not one.labels}
    if not asked:
        return list(waiting)
    found = {one.id: one for one in ledger.load_notices(tx, ids=asked)}
    return [
        one
        if (notice := found.get(one.notice_id)) is None
        else replace(one, labels=one.labels or labels_of(notice), listed=listed_labels(notice))
        for one in waiting
    ]


def _sources(tx: Transaction) -> tuple[Source, ...]:
    return tuple(
        Source(row["id"], alert_labels(row), row["severity"], told=bool(row["in_message"]))
        for row in outbox.active_alerts(tx)
    )


def _notices(tx: Transaction, ready: Iterable[Iterable[Dispatch]]) -> Notices:
    wanted = {name for group in ready for one in group for name in (one.notice_id, *one.replaces)}
    return {one.id: one for one in ledger.load_notices(tx, ids=wanted)} if wanted else {}


def _gaps(tx: Transaction) -> tuple[Gap, ...]:
    """The feeds that tell nothing of recent days: every message about their data says so."""
    return tuple(
        Gap(source.source, source.dataset, source.no_data_since)
        for source in load_sources(tx)
        if source.no_data_since is not None and source.state in _SILENT_STATES
    )


def _tell_ended_silences(tx: Transaction, routing: Routing, now: datetime) -> None:
    """Remind those who were told of what a silence covered and is still active, once."""
    for number in outbox.silences_ended(tx, now):
        silence = people.silence(tx, number)
        if silence is not None and silence.over_at > silence.starts_at:
            _remind_after(tx, silence, routing, now)
        outbox.mark_silence_ended(tx, number, now)


def _remind_after(tx: Transaction, silence: Silence, routing: Routing, now: datetime) -> None:
    others = people.silences(tx, active_at=now)
    covered: dict[str, str] = {}
    for row in outbox.active_alerts(tx):
        labels = alert_labels(row)
        if labels.get("kind") == "event" or row["acknowledged_at"] is not None:
            continue
        still = [actions_held(one.matchers, labels) for one in others]
        if actions_held(silence.matchers, labels).difference(*still):
            covered[row["id"]] = row["rule_id"]
    listed: dict[tuple[str, str], list[str]] = {}
    for alert_id, receivers in outbox.told_of(tx, covered).items():
        for receiver in receivers & routing.receivers.keys():
            listed.setdefault((covered[alert_id], receiver), []).append(alert_id)
    for (rule_id, receiver), alert_ids in sorted(listed.items()):
        about = ledger.newest_of_rule(tx, rule_id)
        alerts = [one for name in alert_ids for one in ledger.load_alerts(tx, alert_id=name)]
        if about is not None:
            notice = silence_ended(silence, about, alerts, receiver, now)
            ledger.add_notice(tx, notice, None)
            outbox.add_dispatches(tx, [to_receiver(notice, receiver, routing, now)])


def _after_cancels(tx: Transaction, now: datetime) -> list[Dispatch]:
    """What waits, once withdrawals have taken back what nobody has been offered yet."""
    waiting = outbox.waiting(tx)
    cancels = [one for one in waiting if one.action == "cancel"]
    for one in cancels:
        if not outbox.drop_unattempted(tx, one, now):
            outbox.withhold(tx, [one.id], "NEVER_TOLD", now)
    return outbox.waiting(tx) if cancels else waiting


class _Chains:
    """What a message replaces, for the formats in which it says so."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: dict[tuple[str, str], Earlier | None] = {}

    def before(self, receiver: Receiver, alert_id: str) -> Earlier | None:
        """The message about an alert that stands for a receiver, those of this flush too."""
        key = (receiver.name, alert_id)
        if key not in self._last:
            self._last[key] = None
            with self._store.reading() as tx:
                rows = earlier_messages(tx, receiver.name, alert_id)
            for name, at, action in rows:
                self.add(receiver, alert_id, Earlier(identifier_of(name), at), action)
        return self._last[key]

    def add(self, receiver: Receiver, alert_id: str, made: Earlier, action: Action) -> None:
        """Remember a message; what was cancelled stands no longer."""
        self._last[receiver.name, alert_id] = None if action == "cancel" else made


class _Maker:
    """Renders groups of dispatches into messages and commits them, some at a time."""

    def __init__(  # noqa: PLR0917  all of it goes into the words
        self,
        store: Store,
        routing: Routing,
        renderer: Renderer,
        now: datetime,
        mail_domain: str,
        notices: Notices,
        gaps: Sequence[Gap],
        heard: AbstractSet[Talk],
    ) -> None:
        self._store = store
        self._receivers = routing.receivers
        self._renderer = renderer
        self._now = now
        self._mail_domain = mail_domain
        self._notices = notices
        self._decided = {name: place for place, name in enumerate(notices)}
        self._gaps = gaps
        self._heard = heard
        self._chains = _Chains(store)

    def make(self, groups: Sequence[Sequence[Dispatch]], timed: AbstractSet[GroupKey]) -> Flushed:
        """One message a group; all of them committed at once, before any is sent."""
        with collector_paused():
            messages = [self._message(group) for group in groups]
        with self._store.transaction() as tx:
            kept = self._store_all(tx, messages)
            told = [one for one in zip(messages, groups, strict=True) if one[0].id in kept]
            keys = {(one.receiver, one.group_key) for _, group in told for one in group}
            outbox.mark_groups(tx, keys & timed, self._now)
        deliveries = sum(kept.values())
        fallbacks = sum(bool(message.fallback) for message in messages)
        return Flushed(len(messages), deliveries, fallbacks=fallbacks)

    def _store_all(self, tx: Transaction, messages: Sequence[Message]) -> dict[str, int]:
        """Store them in their order; those that were, with how many deliveries each has.

        A mail's place in its thread is found among earlier messages, so that what was made before
        it is stored first.
        """
        kept: dict[str, int] = {}
        waiting: list[tuple[Message, list[Delivery]]] = []

        def store() -> None:
            stored = outbox.add_messages(tx, waiting)
            kept.update((one.id, len(made)) for one, made in waiting if one.id in stored)
            waiting.clear()

        for message in messages:
            receiver = self._receivers[message.receiver]
            if waiting and is_threaded(receiver):
                store()
            waiting.append((message, _deliveries(tx, message, receiver, self._mail_domain)))
        store()
        return kept

    def _message(self, group: Sequence[Dispatch]) -> Message:
        receiver = self._receivers[group[0].receiver]
        told = {one.notice_id: self._told(one) for one in group}
        by_notice = {one.notice_id: one.id for one in group}
        ordered = in_order(with_ends(list(told.values())))
        first = ordered[0]
        before = self._chains.before(receiver, first.alert_id) if receiver.single else None
        message = make_message(
            receiver,
            ordered,
            self._renderer,
            self._now,
            dispatch_ids=tuple(by_notice[notice.id] for notice in ordered),
            gaps=self._gaps,
            replaces=before,
            digest=group[0].digest,
        )
        if receiver.single:
            made = Earlier(identifier_of(message.id), self._now)
            self._chains.add(receiver, first.alert_id, made, first.action)
        return message

    def _told(self, one: Dispatch) -> Notice:
        """The notice as it is told: with all that it stands for, and why it comes late.

        It keeps the id of its dispatch's own notice.
        """
        own = self._notices[one.notice_id]
        others = [self._notices[name] for name in one.replaces]
        if own.action == "summary":
            own = without(own, {one.alert_id for one in others if closes(one)})
            others = [one for one in others if not closes(one)]
        decided = sorted((*others, own), key=lambda notice: self._decided[notice.id])
        heard = (one.alert_id, one.receiver) in self._heard
        return replace(held_back(collapsed(decided, heard=heard), one.hold), id=own.id)


def make_message(
    receiver: Receiver,
    notices: Sequence[Notice],
    renderer: Renderer,
    now: datetime,
    *,
    dispatch_ids: tuple[int, ...] = (),
    gaps: Sequence[Gap] = (),
    replaces: Earlier | None = None,
    digest: bool = False,
) -> Message:
    """Render notices, in this order, into a message.

    Its id is that of its notices and receiver, so that it is the same again after a backup is
    restored; an exercise, which nothing waits for, has a fresh one.
    """
    ids = [notice.id for notice in notices]
    message_id = key_of(receiver.name, *ids) if dispatch_ids else uuid.uuid4().hex
    formats = {target.format for target in receiver.targets}
    rendered = renderer.render(
        receiver,
        notices,
        now,
        formats,
        message_id=message_id,
        gaps=gaps,
        replaces=replaces,
        digest=digest,
    )
    if rendered.fallback:
        log.error(
            "template for %s failed, sent the plain form: %s", receiver.name, rendered.fallback
        )
    return Message(
        id=message_id,
        receiver=receiver.name,
        subject=rendered.subject,
        severity=notices[0].severity,
        created_at=now,
        bodies=rendered.bodies,
        dispatch_ids=dispatch_ids,
        fallback=rendered.fallback,
        exercise=any(notice.exercise for notice in notices),
        digest=digest,
    )


def _deliveries(
    tx: Transaction, message: Message, receiver: Receiver, mail_domain: str
) -> list[Delivery]:
    alerts: Sequence[str] = ()
    if is_threaded(receiver):
        alerts = alerts_of_dispatches(tx, message.dispatch_ids)
    return [
        delivery_to(tx, message.id, receiver, target, mail_domain, alerts)
        for target in receiver.targets
    ]


def queue_exercise(
    store: Store,
    receiver: Receiver,
    notice: Notice,
    renderer: Renderer,
    clock: Clock,
    *,
    mail_domain: str = "warden",
) -> list[str]:
    """Put a test message for one receiver into the outbox; returns its deliveries' keys."""
    message = make_message(receiver, [notice], renderer, clock.now())
    deliveries = [alone(message.id, receiver, target, mail_domain) for target in receiver.targets]
    with store.transaction() as tx:
        outbox.add_message(tx, message, deliveries)
    return [delivery.key for delivery in deliveries]
