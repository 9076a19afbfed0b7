"""The third step of a cycle: what was decided reaches people.

Standing in the flow: `evaluate` has committed dispatches. `flush` turns those that are due into
messages and deliveries and commits them; `Deliverer` then claims deliveries under a lease (commit),
hands them to the channels (no transaction is open), and records how each try ended (commit). A
crash between any two steps leaves work that is done again under the same key, so that every
message arrives at least once and an idempotent recipient sees it once.
"""

from __future__ import annotations

import hashlib
import logging
import queue
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from warden.clock import Clock
from warden.collector import collector_paused
from warden.errors import ChannelError
from warden.model.delivery import Attempt, Delivery, Dispatch, Message, Outgoing
from warden.model.notice import Action, Notice
from warden.model.people import Silence
from warden.notify.channels import CHANNELS, Channel, ChannelKind, Keeping
from warden.notify.collapse import collapsed, held_back
from warden.notify.flushing import End, GroupKey, Situation, Talk, plan_flush
from warden.notify.inhibition import Source
from warden.notify.plan import alert_labels, labels_of, to_receiver
from warden.notify.render import Renderer
from warden.notify.render.cap import Earlier, identifier_of
from warden.notify.render.gaps import Gap
from warden.notify.render.renderer import in_order
from warden.notify.render.samples import exercise
from warden.notify.routes import Receiver, Routing, Target
from warden.notify.silence_ends import silence_ended
from warden.notify.silences import matches, silencing
from warden.secrecy import veiled
from warden.store import ledger, outbox, people
from warden.store.connection import Store, Transaction
from warden.store.sources import load_sources

log = logging.getLogger(__name__)

# Pauses before the second, third … try; the first is at once. Three days in all.
SCHEDULE_S: tuple[float, ...] = (
    5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600,
)  # fmt: skip
JITTER = 0.1
MAX_RETRY_AFTER_S = 24 * 3600.0
EXPIRE_AFTER = timedelta(days=7)  # a message tried before, and still not accepted
IDLE_S = 1.0
_SILENT_STATES = frozenset({"embargoed", "stale"})
_BATCH = 1000
_MESSAGES_AT_ONCE = 100  # rendered, then committed together: the gravest need not wait for all
_MAX_ROUNDS = 100
EXERCISE_WITHIN_S = 60.0

_DEEPEST_LANE = 32  # deliveries that a recipient who answers at once is given in one go
_QUICK_S = 0.25
_TOLD_TOGETHER = 8  # tries of one lane that are recorded in one go, if they end within
_TELL_AFTER_S = 0.02

Notices = Mapping[str, Notice]
Recipient = tuple[str, str]
"""(channel, target)"""


# --- dispatches into messages -----------------------------------------------------------------


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

    A cancel first takes back what nobody has been offered yet. Then everything that waits is
    decided on (see `notify.flushing`) and that is committed. Messages are rendered outside any
    transaction; `mail_domain` is what their Message-IDs are made under. What had to follow another
    message to the same reader goes in a round of its own. `stored` is called whenever some messages
    have been committed.
    """
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
        situation = _situation(tx, routing, now, _after_cancels(tx, now))
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
    groups = {(one.receiver, one.group_key) for one in waiting if one.due_at <= now}
    return Situation(
        now=now,
        routing=routing,
        waiting=waiting,
        heard=outbox.heard(tx),
        ends={name: End(*end) for name, end in outbox.ends(tx).items()},
        silences=people.silences(tx, active_at=now),
        sources=_sources(tx) if routing.inhibit_rules else (),
        sent_at=outbox.groups_sent(tx, groups),
    )


def _with_labels(tx: Transaction, waiting: Sequence[Dispatch]) -> list[Dispatch]:
    """What an older warden planned carries no labels: its notices have them."""
    bare = {one.notice_id for one in waiting if not one.labels}
    if not bare:
        return list(waiting)
    found = {one.id: labels_of(one) for one in ledger.load_notices(tx, ids=bare)}
    return [one if one.labels else replace(one, labels=found[one.notice_id]) for one in waiting]


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
        if matches(silence.matchers, labels) and silencing(others, labels) is None:
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
                rows = outbox.earlier_messages(tx, receiver.name, alert_id)
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
            if waiting and _threads(receiver):
                store()
            waiting.append((message, _deliveries(tx, message, receiver, self._mail_domain)))
        store()
        return kept

    def _message(self, group: Sequence[Dispatch]) -> Message:
        receiver = self._receivers[group[0].receiver]
        told = {one.notice_id: self._told(one) for one in group}
        by_notice = {one.notice_id: one.id for one in group}
        ordered = in_order(list(told.values()))
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
        decided = sorted((*others, own), key=lambda notice: notice.at)
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
    message_id = _hash(receiver.name, *ids) if dispatch_ids else uuid.uuid4().hex
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


def _hash(*parts: str) -> str:
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()


def _threads(receiver: Receiver) -> bool:
    """Whether a message to it has a place among earlier ones."""
    return any(CHANNELS[target.channel].threads for target in receiver.targets)


def _deliveries(
    tx: Transaction, message: Message, receiver: Receiver, mail_domain: str
) -> list[Delivery]:
    alerts = outbox.alerts_of_dispatches(tx, message.dispatch_ids) if _threads(receiver) else ()
    made = []
    for target in receiver.targets:
        earlier = outbox.first_headers(tx, target.channel, target.name, alerts)
        made.append(_delivery(message, receiver, target, mail_domain, earlier))
    return made


def _delivery(
    message: Message,
    receiver: Receiver,
    target: Target,
    mail_domain: str,
    earlier: tuple[Mapping[str, object], ...] = (),
) -> Delivery:
    key = _hash(message.id, target.channel, target.name)
    return Delivery(
        key=key,
        message_id=message.id,
        receiver=receiver.name,
        channel=target.channel,
        target=target.name,
        format=target.format,
        headers=CHANNELS[target.channel].headers(key, mail_domain, earlier),
    )


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
    deliveries = [_delivery(message, receiver, target, mail_domain) for target in receiver.targets]
    with store.transaction() as tx:
        outbox.add_message(tx, message, deliveries)
    return [delivery.key for delivery in deliveries]


# --- deliveries -------------------------------------------------------------------------------


def pause_s(tries: int, retry_after_s: float | None, jitter: random.Random) -> float | None:
    """How long to wait after the given number of failed tries; None when the schedule is done.

    A pause that the other side asks for can only lengthen the schedule's, up to a day.
    """
    if tries > len(SCHEDULE_S):
        return None
    pause = SCHEDULE_S[tries - 1] * jitter.uniform(1 - JITTER, 1 + JITTER)
    asked = min(retry_after_s or 0.0, MAX_RETRY_AFTER_S)
    return max(pause, asked)


@dataclass(frozen=True, slots=True)
class Sent:
    """What one round of sending came to, by outcome."""

    sent: int = 0
    retried: int = 0
    dead: int = 0
    expired: int = 0

    def __add__(self, other: Sent) -> Sent:
        return Sent(
            self.sent + other.sent,
            self.retried + other.retried,
            self.dead + other.dead,
            self.expired + other.expired,
        )


@dataclass(frozen=True, slots=True)
class _Done:
    """A try that has ended, or one that was not made: the lane ended before its turn came."""

    outgoing: Outgoing
    attempt: Attempt | None = None


@dataclass(frozen=True, slots=True)
class _LaneEnded:
    """A worker is free again."""

    recipient: Recipient


Lane = Sequence[tuple[Outgoing, Target]]
"""What one worker sends to one recipient, one after the other."""


class Deliverer:
    """Sends what is due, each channel by its own few workers.

    One thread at a time claims and records (`step`); workers only send, so that no function both
    sends and commits. A worker is given a lane: some deliveries to one recipient. Lanes begin with
    one and grow while the recipient answers at once, so that a commit serves many; the first
    failure ends a lane, and what was left of it is given back. The target's settings are looked up
    at every try: a mended URL or password serves the next one.

    Attributes:
        channels: by name; a delivery of any other channel waits.
    """

    def __init__(
        self,
        store: Store,
        routing: Routing,
        channels: Mapping[str, Channel],
        clock: Clock,
        *,
        kinds: Mapping[str, ChannelKind] | None = None,
        jitter: random.Random | None = None,
    ) -> None:
        self.channels = dict(channels)
        self._store = store
        self._routing = routing
        self._clock = clock
        self._kinds = dict(CHANNELS if kinds is None else kinds)
        self._jitter = jitter or random.Random()
        self._done: queue.SimpleQueue[_Done | _LaneEnded] = queue.SimpleQueue()
        self._in_flight: dict[int, Recipient] = {}
        self._ready: dict[str, list[Delivery]] = {}
        self._lanes: Counter[Recipient] = Counter()
        self._depth: dict[Recipient, int] = {}
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._stepping = threading.Lock()
        self._news = True
        self._looked_at = 0.0
        self._hungry: set[str] = set()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.totals = Sent()

    # --- once ---------------------------------------------------------------------------------

    def recover(self) -> int:
        """Make due what an earlier process left under way. Call once, before anything is sent."""
        with self._store.transaction() as tx:
            return outbox.recover(tx, self._clock.now())

    def send_due(self, *, within_s: float = 600.0) -> Sent:
        """Send until nothing is due now and nothing is under way, or the time is up."""
        deadline = time.monotonic() + within_s
        total = Sent()
        while time.monotonic() < deadline:
            done = self.step()
            total += done
            if not self._in_flight and self._done.empty() and not self._anything_due():
                return total
            self._wait_for_result(min(1.0, max(deadline - time.monotonic(), 0.0)))
        return total

    def step(self) -> Sent:
        """Record what has ended and start what is due; never waits for a recipient."""
        with self._stepping:
            tried = self._ended()
            now = self._clock.now()
            if not tried and not self._finds_work(now):
                return Sent()
            lanes: list[Lane] = []
            with self._committing(tried) as tx:
                done = self._record(tx, tried, now)
                if not self._stopping.is_set():
                    self._look_for_work(tx, now)  # what had to wait for these is due
                    lanes = self._claim_lanes(tx, now)
            self._account(tried, done)
            for lane in lanes:
                self._start(lane)
            return done

    @contextmanager
    def _committing(self, tried: Sequence[_Done]) -> Iterator[Transaction]:
        """A transaction that records tries; where it fails, they are told again at the next."""
        try:
            with self._store.transaction() as tx:
                yield tx
        except BaseException:
            self._news = True
            for one in tried:
                self._done.put(one)
            raise

    def _wait_for_result(self, seconds: float) -> None:
        if self._in_flight and self._done.empty():
            self._wake.wait(seconds)
        self._wake.clear()

    def _anything_due(self) -> bool:
        now = self._clock.now()
        with self._store.reading() as tx:
            return any(outbox.due_deliveries(tx, name, now, 1) for name in self.channels)

    # --- continuously -------------------------------------------------------------------------

    def start(self) -> None:
        """Send in a thread of its own until `stop`; `wake` it when there is something new."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="deliver", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """There is something new to send."""
        self._news = True
        self._wake.set()

    def use(self, routing: Routing, channels: Mapping[str, Channel] | None = None) -> None:
        """Go on with other routes, and other channels where given."""
        with self._stepping:
            self._routing = routing
            if channels is not None:
                self.channels = dict(channels)
        self.wake()

    def stop(self, within_s: float = 8.0) -> bool:
        """Start nothing more, wait for what is under way; False when some of it had to be left.

        What is left keeps its lease and is tried again after the next start, under the same key.
        """
        self._stopping.set()
        self._wake.set()
        deadline = time.monotonic() + within_s
        while self._in_flight and time.monotonic() < deadline:
            with self._stepping:
                self._record_ended()
            self._wait_for_result(0.05)
        if self._thread is not None:
            self._thread.join(max(deadline - time.monotonic(), 0.1))
            self._thread = None
        with self._stepping:
            self._record_ended()
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        self._pools.clear()
        self._close_idle(all_of_them=True)
        return not self._in_flight

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.step()
            except Exception:  # the boundary of this job: the next round tries again
                log.exception("delivering failed, trying again")
                self._stopping.wait(IDLE_S)
            if not self._wake.wait(IDLE_S):
                self._close_idle()
            self._wake.clear()

    def _close_idle(self, *, all_of_them: bool = False) -> None:
        for channel in self.channels.values():
            if isinstance(channel, Keeping):
                channel.close_idle(all_of_them=all_of_them)

    # --- claiming -----------------------------------------------------------------------------

    def _finds_work(self, now: datetime) -> bool:
        """Whether something may be started, by a look before a write."""
        if self._stopping.is_set():
            return False
        if self._to_ask():
            with self._store.reading() as tx:
                self._look_for_work(tx, now)
        return self._may_start()

    def _look_for_work(self, tx: Transaction, now: datetime) -> None:
        """Fetch what is due through the channels that have room and nothing to choose from."""
        asked = self._to_ask()
        if self._has_news():
            self._looked_at = time.monotonic()
            self._news = False  # before the look: what comes during it is news again
        for name in asked:
            busy = self._busy(name)
            due = outbox.due_deliveries(tx, name, now, _BATCH, per_target=_BATCH // 4, but=busy)
            fresh = [one for one in due if one.id not in self._in_flight]
            if not fresh:
                self._hungry.discard(name)
            known = [one for one in self._ready.get(name, ()) if one.target in busy]
            self._ready[name] = sorted((*known, *fresh), key=lambda one: one.id)

    def _to_ask(self) -> list[str]:
        """The channels whose outbox is worth a look: with news, with time, or run out of work.

        One whose recipients are all busy has enough to choose from, once they are free.
        """
        news = self._has_news()
        return [
            name
            for name in self.channels
            if (news or (name in self._hungry and not self._ready.get(name)))
            and self._room(name)
            and not self._choosable(name)
        ]

    def _has_news(self) -> bool:
        return self._news or time.monotonic() - self._looked_at >= IDLE_S

    def _may_start(self) -> bool:
        return any(self._room(name) and self._choosable(name) for name in self.channels)

    def _room(self, channel: str) -> int:
        busy = sum(count for (name, _), count in self._lanes.items() if name == channel)
        return self._kinds[channel].workers - busy

    def _busy(self, channel: str) -> set[str]:
        """The targets that are given as much at once as they may be."""
        most = self._kinds[channel].per_target
        return {
            target
            for (name, target), count in self._lanes.items()
            if name == channel and count >= most
        }

    def _choosable(self, channel: str) -> bool:
        busy = self._busy(channel)
        return any(one.target not in busy for one in self._ready.get(channel, ()))

    def _claim_lanes(self, tx: Transaction, now: datetime) -> list[Lane]:
        found: list[Lane] = []
        for name in self.channels:
            chosen = self._choose(tx, name, now)
            targets = {one.id: target for lane in chosen for one, target in lane}
            if chosen:
                self._hungry.add(name)
            for lane in chosen:
                claimed = outbox.claim(tx, [one for one, _ in lane], now, self._kinds[name].lease_s)
                if claimed:
                    found.append([(one, targets[one.delivery.id]) for one in claimed])
        return found

    def _choose(
        self, tx: Transaction, channel: str, now: datetime
    ) -> list[list[tuple[Delivery, Target]]]:
        """Lanes of what waits, as many as there is room for, the oldest deliveries first."""
        room, most = self._room(channel), self._kinds[channel].per_target
        lanes: list[list[tuple[Delivery, Target]]] = []
        open_lane: dict[str, list[tuple[Delivery, Target]]] = {}
        begun: Counter[str] = Counter()
        left: list[Delivery] = []
        for one in self._ready.get(channel, ()):
            recipient = (channel, one.target)
            lane = open_lane.get(one.target)
            if lane is None or len(lane) >= self._depth.get(recipient, 1):
                if len(lanes) >= room or self._lanes[recipient] + begun[one.target] >= most:
                    left.append(one)
                    continue
                lane = open_lane[one.target] = []
            target = self._sendable(tx, one, now)
            if target is None:
                continue
            if not lane:
                lanes.append(lane)
                begun[one.target] += 1
            lane.append((one, target))
        self._ready[channel] = left
        return lanes

    def _sendable(self, tx: Transaction, delivery: Delivery, now: datetime) -> Target | None:
        """Where it goes; None when it goes nowhere any more, which is then recorded."""
        if self._given_up(tx, delivery, now):
            return None
        target = self._target(delivery)
        if target is None:
            outbox.expire(tx, [delivery.id], "RECEIVER_REMOVED: no longer in the routes", now)
        return target

    def _given_up(self, tx: Transaction, delivery: Delivery, now: datetime) -> bool:
        """Whether a delivery tried before has become too old; it is marked so."""
        created = delivery.created_at
        if delivery.tries == 0 or created is None or now - created <= EXPIRE_AFTER:
            return False
        outbox.expire(tx, [delivery.id], f"EXPIRED: {delivery.last_error}", now)
        return True

    def _target(self, delivery: Delivery) -> Target | None:
        receiver = self._routing.receivers.get(delivery.receiver)
        for target in receiver.targets if receiver is not None else ():
            if (target.channel, target.name) == (delivery.channel, delivery.target):
                return target
        return None

    # --- sending ------------------------------------------------------------------------------

    def _pool(self, channel: str) -> ThreadPoolExecutor:
        if channel not in self._pools:
            self._pools[channel] = ThreadPoolExecutor(
                self._kinds[channel].workers, thread_name_prefix=f"send-{channel}"
            )
        return self._pools[channel]

    def _start(self, lane: Lane) -> None:
        outgoing, target = lane[0]
        recipient = (target.channel, outgoing.delivery.target)
        self._lanes[recipient] += 1
        self._in_flight.update((one.delivery.id, recipient) for one, _ in lane)
        self._pool(target.channel).submit(self._send_lane, lane, recipient)

    def _send_lane(self, lane: Lane, recipient: Recipient) -> None:
        """Tries, in a worker, one after the other until one fails; each end is reported."""
        going = True
        told_at = time.monotonic()
        for place, (outgoing, target) in enumerate(lane, start=1):
            going = going and not (self._stopping.is_set() and outgoing is not lane[0][0])
            if not going:
                self._done.put(_Done(outgoing))
                continue
            attempt = self._try(outgoing, target)
            self._done.put(_Done(outgoing, attempt))
            if place % _TOLD_TOGETHER == 0 or time.monotonic() - told_at > _TELL_AFTER_S:
                told_at = time.monotonic()
                self._wake.set()
            going = attempt.outcome == "sent"
        self._done.put(_LaneEnded(recipient))
        self._wake.set()

    def _try(self, outgoing: Outgoing, target: Target) -> Attempt:
        started = self._clock.now()
        delivery_id = outgoing.delivery.id
        pause: float | None = None
        outcome: Literal["sent", "refused", "failed"]
        try:
            detail = self.channels[target.channel].send(outgoing, target, started)
            outcome = "sent"
        except ChannelError as error:
            detail, pause = str(error), error.retry_after_s
            outcome = "refused" if error.permanent else "failed"
        except Exception as error:  # a fault of a channel is a failed try, never a lost alert
            log.exception("channel %s failed", target.channel)
            detail, outcome = f"{type(error).__name__}: {error}", "failed"
        return Attempt(delivery_id, outcome, veiled(detail), started, self._clock.now(), pause)

    # --- recording ----------------------------------------------------------------------------

    def _ended(self) -> list[_Done]:
        """What has ended since the last look; workers that are free again are noted."""
        tried: list[_Done] = []
        while not self._done.empty():
            one = self._done.get()
            if isinstance(one, _Done):
                tried.append(one)
                continue
            self._lanes[one.recipient] -= 1
            self._lanes += Counter()  # forgets who has none
            self._hungry.add(one.recipient[0])
        return tried

    def _record(self, tx: Transaction, done: Sequence[_Done], now: datetime) -> Sent:
        """Write down how tries ended; what was claimed and not tried is due again."""
        settled = [self._settle(one.outgoing, one.attempt) for one in done if one.attempt]
        outbox.settle(tx, settled)
        outbox.give_back(tx, [one.outgoing.delivery.id for one in done if not one.attempt], now)
        states = Counter(result.state for result in settled)
        return Sent(states["sent"], states["retry"], states["dead"], states["expired"])

    def _account(self, tried: Iterable[_Done], done: Sent) -> None:
        """Once it is committed: what is no longer under way, and how deep lanes may be."""
        self.totals += done
        for one in tried:
            recipient = self._in_flight.pop(one.outgoing.delivery.id, None)
            if recipient is None:
                continue
            self._hungry.add(recipient[0])
            if one.attempt is not None:
                self._depth[recipient] = _deeper(self._depth.get(recipient, 1), one.attempt)
            else:
                self._wake.set()  # given back: somebody else's turn, or another try

    def _record_ended(self) -> None:
        tried = self._ended()
        if tried:
            now = self._clock.now()
            with self._committing(tried) as tx:
                done = self._record(tx, tried, now)
            self._account(tried, done)

    def _settle(self, outgoing: Outgoing, attempt: Attempt) -> outbox.Settled:
        delivery = outgoing.delivery
        if attempt.outcome == "sent":
            return outbox.Settled(attempt, "sent")
        where = f"{delivery.channel} {delivery.target}"
        if attempt.outcome == "refused":
            log.error("dead letter to %s: %s", where, attempt.detail)
            return outbox.Settled(attempt, "dead")
        pause = pause_s(delivery.tries + 1, attempt.retry_after_s, self._jitter)
        if pause is None:
            log.error("dead letter to %s after the last try: %s", where, attempt.detail)
            return outbox.Settled(attempt, "dead")
        log.warning("delivery to %s failed, again in %.0f s: %s", where, pause, attempt.detail)
        return outbox.Settled(attempt, "retry", attempt.finished_at + timedelta(seconds=pause))


def _deeper(depth: int, attempt: Attempt) -> int:
    """How many deliveries a recipient's next lane may have, by how the last try went."""
    if attempt.outcome != "sent":
        return 1
    took = attempt.finished_at - attempt.started_at
    return min(depth * 2, _DEEPEST_LANE) if took.total_seconds() < _QUICK_S else max(depth // 2, 1)


def send_due(
    store: Store,
    routing: Routing,
    channels: Mapping[str, Channel],
    clock: Clock,
    *,
    within_s: float = 600.0,
) -> Sent:
    """Send everything that is due now, and wait for it: `warden run --once`."""
    deliverer = Deliverer(store, routing, channels, clock)
    deliverer.recover()
    try:
        return deliverer.send_due(within_s=within_s)
    finally:
        deliverer.stop()


# --- both, as the shell uses them -------------------------------------------------------------


class Outlet:
    """Flushing and sending together, for a daemon or for a command that waits.

    Attributes:
        deliverer: what sends.
    """

    def __init__(
        self,
        store: Store,
        renderer: Renderer,
        channels: Mapping[str, Channel],
        clock: Clock,
        *,
        mail_domain: str = "warden",
    ) -> None:
        self._store = store
        self._renderer = renderer
        self._clock = clock
        self._mail_domain = mail_domain
        self._background = False
        self.deliverer = Deliverer(store, Routing({}), channels, clock)
        self.deliverer.recover()

    def start(self) -> None:
        """Send in a thread of its own from now on; `work` then returns without waiting."""
        self._background = True
        self.deliverer.start()

    def work(self, routing: Routing) -> Flushed:
        """Make messages of what is due and send them: now, or in the thread that was started."""
        self.deliverer.use(routing)  # before there is a message to a receiver new to it
        flushed = flush(
            self._store,
            routing,
            self._renderer,
            self._clock,
            mail_domain=self._mail_domain,
            stored=self.deliverer.wake,
        )
        if not self._background:
            self.deliverer.send_due()
        return flushed

    def use_renderer(self, renderer: Renderer) -> None:
        """Put what is rendered from now on into these words."""
        self._renderer = renderer

    def try_receiver(self, receiver: Receiver) -> Iterator[dict[str, Any]]:
        """Send an exercise to a receiver, wait for it, and yield its deliveries as rows."""
        keys = queue_exercise(
            self._store,
            receiver,
            exercise(self._clock.now()),
            self._renderer,
            self._clock,
            mail_domain=self._mail_domain,
        )
        if self._background:
            self.deliverer.wake()
            self._wait_for(keys, EXERCISE_WITHIN_S)
        else:
            routing = Routing({receiver.name: receiver})
            self.deliverer.use(routing)
            self.deliverer.send_due(within_s=EXERCISE_WITHIN_S)
        with self._store.reading() as tx:
            rows = outbox.list_deliveries(tx, limit=10_000)
        yield from (row for row in reversed(rows) if row["key"] in keys)

    def stop(self, within_s: float = 8.0) -> bool:
        """Stop sending; False when something under way had to be left."""
        return self.deliverer.stop(within_s)

    def _wait_for(self, keys: Sequence[str], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with self._store.reading() as tx:
                waiting = {
                    d.key for d in outbox.unfinished(tx) if d.state in ("pending", "sending")
                }
            if not waiting & set(keys):
                return
            time.sleep(0.05)
