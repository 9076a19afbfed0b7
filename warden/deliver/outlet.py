"""Composing and sending together, as the daemon and the commands use them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from warden.clock import Clock
from warden.deliver.composing import Flushed, flush, queue_exercise
from warden.deliver.sending import Deliverer
from warden.notify.channels import Channel
from warden.notify.render import Renderer
from warden.notify.render.samples import exercise
from warden.notify.routes import Receiver, Routing
from warden.store import outbox
from warden.store.connection import Store

EXERCISE_WITHIN_S = 60.0


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
        self.deliverer = Deliverer(store, Routing({}), channels, clock, mail_domain=mail_domain)
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
            known = self.deliverer.routing
            self.deliverer.use(
                replace(known, receivers={**known.receivers, receiver.name: receiver})
            )
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
