"""Deliveries are claimed, handed to their channels, and what became of them is recorded.

Standing in the flow: `composing` has committed deliveries. They are claimed under a lease (commit),
sent (no transaction is open), and how each try ended is recorded (commit).
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from warden.clock import Clock
from warden.deliver.rerouting import lead_delivery_elsewhere
from warden.errors import ChannelError, StoreError
from warden.model.delivery import Attempt, Delivery, Outgoing
from warden.notify.channels import CHANNELS, Channel, ChannelKind, Keeping
from warden.notify.routes import Routing, Target
from warden.secrecy import veiled
from warden.store import outbox
from warden.store.connection import Store, Transaction

log = logging.getLogger(__name__)

# Pauses before the second, third … try; the first is at once. Three days in all.
SCHEDULE_S: tuple[float, ...] = (
    5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600,
)  # fmt: skip
JITTER = 0.1
MAX_RETRY_AFTER_S = 24 * 3600.0
EXPIRE_AFTER = timedelta(days=7)  # a message tried before, and still not accepted
# So long it is tried yet when it is that old: the clock may be ahead for a moment.
EXPIRE_TRIED_FOR = timedelta(days=1)
IDLE_S = 1.0

_BATCH = 1000
_DEEPEST_LANE = 32  # deliveries that a recipient who answers at once is given in one go
_QUICK_S = 0.25
_TOLD_TOGETHER = 8  # tries of one lane that are recorded in one go, if they end within
_TELL_AFTER_S = 0.02

Recipient = tuple[str, str]
"""(channel, target)"""


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
        mail_domain: str = "warden",
        kinds: Mapping[str, ChannelKind] | None = None,
        jitter: random.Random | None = None,
    ) -> None:
        self.channels = dict(channels)
        self._store = store
        self._routing = routing
        self._clock = clock
        self._mail_domain = mail_domain
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
        """Go on with other routes, and other channels where given.

        What waits for somebody whom other routes do not know any more goes where they lead.
        """
        with self._stepping:
            if routing is not self._routing:
                self._follow_to(routing)
            if channels is not None:
                self.channels = dict(channels)
        self.wake()

    @property
    def routing(self) -> Routing:
        """The routes it goes by."""
        return self._routing

    def _follow_to(self, routing: Routing) -> None:
        """What waits for a recipient that these routes do not know goes where they lead, now."""
        self._routing, before = routing, self._routing
        try:
            with self._store.reading() as tx:
                unfinished = outbox.unfinished(tx)
            lost = [
                one
                for one in unfinished
                if one.id not in self._in_flight and self._target(one) is None
            ]
            if lost:
                now = self._clock.now()
                with self._store.transaction() as tx:
                    for one in lost:
                        lead_delivery_elsewhere(tx, one, routing, now, self._mail_domain)
        except BaseException:
            self._routing = before  # it is asked again
            raise

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
            except StoreError as error:
                log.error("delivering failed, trying again: %s", error)  # noqa: TRY400 - no bug
                self._stopping.wait(IDLE_S)
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
            lead_delivery_elsewhere(tx, delivery, self._routing, now, self._mail_domain)
            self.wake()
        return target

    def _given_up(self, tx: Transaction, delivery: Delivery, now: datetime) -> bool:
        """Whether a delivery has become too old, and was tried for a day since; it is marked so."""
        created = delivery.created_at
        if delivery.tries == 0 or created is None or now - created <= EXPIRE_AFTER:
            return False
        too_old_at = created + EXPIRE_AFTER
        if not outbox.was_tried_between(tx, delivery.id, too_old_at, now - EXPIRE_TRIED_FOR):
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
