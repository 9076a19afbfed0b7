"""The demo: the whole of warden on one machine, against a simulated world, in a minute.

Standing in the flow: beside the daemon, of the same parts. A `Stage` provides the other sides (a
simulated ACLED over HTTP, a mail server, a webhook receiver); a `Station` is stepped through a
calendar of Wednesdays from 2019 to 2024, each step polling, evaluating and delivering as the
daemon's jobs do; at the end the database tells what was found when.
"""

from __future__ import annotations

import gc
import os
import time as stopwatch
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from warden.app import App
from warden.clock import ManualClock
from warden.errors import WardenError
from warden.model.notice import Notice
from warden.settings import PREFIX, shipped
from warden.settings import load as load_settings
from warden.simulator.faults import html
from warden.simulator.figures import Figures, figures
from warden.simulator.history import simulated_history
from warden.simulator.hook import failing
from warden.simulator.stage import Paths, Stage, clear
from warden.simulator.world import World
from warden.station import Station
from warden.store import DatabaseLock, ledger, outbox

FIRST = datetime(2019, 1, 2, 6, tzinfo=UTC)  # a Wednesday: the week's releases are complete
LAST = datetime(2024, 12, 25, 6, tzinfo=UTC)
STEP = timedelta(days=7)
# The quiet years pass quicker: the feed is polled once in four weeks, then weekly.
CALM_UNTIL, CALM_STEP = datetime(2022, 1, 1, tzinfo=UTC), timedelta(days=28)
SOURCE = "acled"
FULL_PASS_DAYS = 366  # of the calendar; a running daemon makes one every day
# Two things go wrong on purpose: the feed answers with a web page, the partner's computer fails.
FEED_FAILS = datetime(2020, 3, 25, 6, tzinfo=UTC)
HOOK_FAILS = datetime(2022, 3, 2, 6, tzinfo=UTC)
PATIENCE = 3  # rounds of retries granted at the end, an hour of the calendar apart


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it has come: told after every step."""

    now: datetime
    step: int
    steps: int
    events: int
    notices: int
    messages: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the demo brought.

    Attributes:
        notices: everything that was decided to be told, oldest first.
        figures: the simulated world's own yearly figures, to compare.
        mails, payloads: how many arrived. deliveries: by state.
        refused: webhook requests whose signature did not hold.
        failed_polls: the day and the operator's sentence of each poll that failed.
        retried: deliveries that took more than one try.
        steps: polls made. seconds: of the machine's clock.
    """

    paths: Paths
    notices: tuple[Notice, ...]
    figures: Figures
    events: int
    mails: int
    payloads: int
    refused: int
    deliveries: dict[str, int]
    failed_polls: tuple[tuple[str, str], ...]
    retried: int
    steps: int
    seconds: float


def run(
    directory: Path,
    *,
    first: datetime = FIRST,
    last: datetime = LAST,
    scale: float = 1.0,
    tell: Callable[[Progress], None] = lambda _progress: None,
) -> Outcome:
    """Play the demo in `directory`, which is emptied if an earlier demo made it.

    Args:
        directory: a new, an empty or an earlier demo's folder.
        first, last: the calendar; the first poll loads the history before it in silence.
        scale: the share of the simulated background, for quick trials.
        tell: called after every step.

    Raises:
        UsageError: the folder holds something else.
        WardenError: something in the chain did not work.
    """
    began = stopwatch.monotonic()
    _refuse_beside_another(directory)
    clear(directory)
    clock = ManualClock(first)
    world = World(simulated_history(scale=scale))
    gc.freeze()  # the history stays: looking through it again and again costs a tenth of the time
    with (
        _own_settings(),
        _rare_collections(),
        Stage(directory.absolute(), world, clock, shipped("rules")) as stage,
    ):
        app = App(load_settings(stage.paths.settings), clock)
        with app.open() as station:
            station.full_pass_days = FULL_PASS_DAYS
            steps = _play(station, stage, clock, last, tell)
            found = _Found.read(station)
        return Outcome(
            paths=Paths(directory),
            notices=found.notices,
            figures=figures([served.row for served in world.rows(clock.now())]),
            events=found.events,
            mails=len(stage.mail.received),
            payloads=len(stage.hook.received),
            refused=len(stage.hook.refused),
            deliveries=found.deliveries,
            failed_polls=found.failed_polls,
            retried=found.retried,
            steps=steps,
            seconds=stopwatch.monotonic() - began,
        )


def _refuse_beside_another(directory: Path) -> None:
    """Leave a folder alone in which another demo, or a daemon, is at work."""
    database = Paths(directory).database
    if database.exists():
        lock = DatabaseLock(database)
        lock.acquire()
        lock.release()


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for garbage less often: there is hardly any, and looking costs seconds."""
    usual = gc.get_threshold()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@contextmanager
def _own_settings() -> Iterator[None]:
    """Hide the environment's settings: the demo's mails must not leave this machine."""
    hidden = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)


def _play(
    station: Station,
    stage: Stage,
    clock: ManualClock,
    last: datetime,
    tell: Callable[[Progress], None],
) -> int:
    """Go through the calendar; returns the number of polls."""
    calendar = _calendar(clock.now(), last)
    steps, notices = len(calendar), 0
    for step, now in enumerate(calendar):
        clock.set(now)
        _misbehave(stage, clock.now())
        station.poll(SOURCE)
        notices += len(station.evaluate().notices)
        station.deliver()
        messages = len(stage.mail.received) + len(stage.hook.received)
        tell(Progress(clock.now(), step + 1, steps, _events(station), notices, messages))
    for _ in range(PATIENCE):
        if not _waiting(station):
            break
        clock.advance(timedelta(hours=1))
        station.deliver()
    return steps


def _calendar(first: datetime, last: datetime) -> list[datetime]:
    """The days on which the feed is polled."""
    days = [first]
    while (following := days[-1] + (CALM_STEP if days[-1] < CALM_UNTIL else STEP)) <= last:
        days.append(following)
    return days


def _misbehave(stage: Stage, now: datetime) -> None:
    """Let the other sides fail on the days set for it."""
    stage.acled.heal()
    if now == FEED_FAILS:
        stage.acled.fail(html(), times=None)
    if now == HOOK_FAILS:
        stage.hook.answers.append(failing(1))


def _events(station: Station) -> int:
    with station.store.reading() as connection:
        return int(connection.execute("SELECT count(*) FROM events").fetchone()[0])


def _waiting(station: Station) -> bool:
    with station.store.reading() as connection:
        counts = outbox.counts(connection)
    return any(counts.get(state) for state in ("pending", "sending", "retry"))


@dataclass(frozen=True, slots=True)
class _Found:
    """What the database holds at the end."""

    notices: tuple[Notice, ...]
    events: int
    deliveries: dict[str, int]
    failed_polls: tuple[tuple[str, str], ...]
    retried: int

    @classmethod
    def read(cls, station: Station) -> _Found:
        with station.store.reading() as connection:
            notices = ledger.load_notices(connection)
            counts = outbox.counts(connection)
            failed = connection.execute(
                "SELECT substr(started_at, 1, 10), sentence FROM poll_runs"
                " WHERE state <> 'ok' ORDER BY started_at"
            ).fetchall()
            retried = connection.execute("SELECT count(*) FROM deliveries WHERE attempts > 1")
            if not notices:
                raise WardenError("the demo found nothing to tell: the feed could not be read")
            return cls(
                notices=notices,
                events=_events(station),
                deliveries={state: number for state, number in counts.items() if number},
                failed_polls=tuple((day, sentence) for day, sentence in failed),
                retried=int(retried.fetchone()[0]),
            )
