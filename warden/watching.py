"""What the daemon shows to those who watch it: metrics, whether it lives, whether it is at work.

Standing in the flow: between the daemon and the room `watch`, which knows neither rules nor jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from warden import __version__
from warden.errors import StoreError
from warden.evaluate import Evaluation
from warden.ingest import IngestResult
from warden.station import Station
from warden.store.figures import Figures
from warden.watch import Answer, Meter, Picture, WatchServer
from warden.watch.metrics import CONTENT_TYPE


class Jobs(Protocol):
    """Who knows how the timed jobs fare."""

    def report(self) -> list[dict[str, Any]]:
        """One row a job."""
        ...


class Watching:
    """Answers at `/metrics`, `/-/healthy` and `/-/ready`.

    Arguments:
        troubles: why the daemon is not at work and would have to be started anew; nothing while
            it is. unwritten: what it could not store; it is alive, and not ready.
    """

    def __init__(
        self,
        where: tuple[str, int],
        station: Station,
        jobs: Jobs,
        troubles: Callable[[], Sequence[str]],
        unwritten: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._station = station
        self._jobs = jobs
        self._troubles = troubles
        self._unwritten = unwritten
        self._meter = Meter(self._picture)
        self._server = WatchServer(
            *where,
            {"/metrics": self._metrics, "/-/healthy": self._healthy, "/-/ready": self._ready},
        )

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self._server.address

    def listen(self) -> None:
        """Listen, unless it does already; a job of the daemon, so that it is tried again.

        Raises:
            WardenError: the address is taken.
        """
        if not self._server.listening:
            self._server.start()

    def close(self) -> None:
        """Answer no more."""
        self._server.close()

    # --- what the daemon tells --------------------------------------------------------------------

    def polled(self, result: IngestResult) -> None:
        """A source was polled."""
        self._meter.polled(result.source, result.state, result.counts.as_dict())

    def evaluated(self, evaluation: Evaluation, seconds: float, *, full: bool) -> None:
        """The rules were evaluated."""
        self._meter.evaluated(
            kind="full" if full else "incremental",
            seconds=seconds,
            reasons=[decision.reason for decision in evaluation.decisions],
            actions=[notice.action for notice in evaluation.notices],
            failed=evaluation.errors,
        )

    # --- what is answered -------------------------------------------------------------------------

    def _metrics(self) -> Answer:
        return Answer(self._meter.page(), content_type=CONTENT_TYPE)

    def _healthy(self) -> Answer:
        """Whether a restart would help, by the same signs that starve the watchdog."""
        troubles = self._troubles()
        if troubles:
            return Answer(f"not healthy: {'; '.join(troubles)}\n".encode(), 503)
        return Answer(b"warden is alive\n")

    def _ready(self) -> Answer:
        troubles = [*self._troubles(), *self._unwritten()]
        if self._figures() is None:
            troubles.append("the database cannot be read")
        if troubles:
            return Answer(f"not ready: {'; '.join(troubles)}\n".encode(), 503)
        rules = len(self._station.rulebook.ruleset.rules)
        return Answer(f"ready: {rules} rules in force\n".encode())

    def _figures(self) -> Figures | None:
        try:
            return self._station.figures()
        except StoreError:
            return None

    def _picture(self) -> Picture:
        station = self._station
        vitals = station.vitals
        return Picture(
            version=__version__,
            figures=self._figures(),
            jobs=self._jobs.report(),
            sent=station.attempts,
            rules=len(station.rulebook.ruleset.rules),
            reloaded_at=vitals.reloaded_at,
            refused=bool(vitals.refused),
            failing_rules=sorted(vitals.failing),
            evaluated_at=station.evaluated_at,
        )
