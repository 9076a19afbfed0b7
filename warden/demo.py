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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from warden.app import App
from warden.clock import ManualClock
from warden.control import Request
from warden.errors import WardenError
from warden.model.notice import Notice
from warden.settings import PREFIX, shipped
from warden.settings import load as load_settings
from warden.simulator.album import Page, Said, Told, write_mails
from warden.simulator.faults import html
from warden.simulator.figures import Figures, figures
from warden.simulator.history import simulated_history
from warden.simulator.hook import Received, failing
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
# What people do about it.
TAKEN_ON = datetime(2022, 6, 8, 6, tzinfo=UTC)
JUDGED = datetime(2022, 8, 3, 6, tzinfo=UTC)
SILENCED = datetime(2024, 4, 3, 6, tzinfo=UTC)
WHO, READERS = "demo", ("desk", "bureau")
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
        pages: every mail, written out. samples: a webhook body of each format.
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
    pages: tuple[Page, ...]
    samples: tuple[tuple[str, Received], ...]
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
            pages = write_mails(stage.paths.root, stage.mail.received, _told(station))
        return Outcome(
            paths=Paths(directory),
            notices=found.notices,
            pages=tuple(pages),
            samples=tuple(_samples(stage.hook.received)),
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
        _people_act(station, clock.now())
        station.poll(SOURCE)
        notices += len(station.evaluate().notices)
        station.deliver()
        messages = len(stage.mail.received) + len(stage.hook.received)
        tell(Progress(clock.now(), step + 1, steps, _events(station), notices, messages))
    for receiver in READERS if steps > 1 else ():
        list(station.act(Request("test-receiver", {"name": receiver}, WHO)))
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


def _people_act(station: Station, now: datetime) -> None:
    """What operators do on the days set for it: take on, judge, silence."""
    if now in (TAKEN_ON, JUDGED):
        rule = "bamako-cluster" if now == TAKEN_ON else "attack-near-bamako"
        alerts = _alerts_of(station, rule)
        note = "simulated: the desk follows it"
        asked: dict[str, Any] = {"alerts": alerts, "note": note}
        if now == JUDGED:
            asked["verdict"] = "true"
        if alerts:
            command = "ack" if now == TAKEN_ON else "verdict"
            list(station.act(Request(command, asked, WHO)))
    if now == SILENCED:
        comment = "simulated: the border team meets daily until then"
        asked = {"matchers": ['theme="borders"'], "for": "13d", "comment": comment}
        list(station.act(Request("silence-add", asked, WHO)))


def _alerts_of(station: Station, rule: str) -> list[str]:
    """The newest alerts of a rule that were told."""
    with station.store.reading() as connection:
        found = connection.execute(
            "SELECT DISTINCT alert_id FROM notices WHERE rule_id = ? AND action = 'alert'"
            " ORDER BY at DESC LIMIT 6",
            (rule,),
        ).fetchall()
    return [alert_id for (alert_id,) in found]


def _told(station: Station) -> dict[str, Told]:
    """What each mail is about, by its id."""
    told: dict[str, Told] = {}
    with station.store.reading() as connection:
        rows = connection.execute(
            "SELECT d.key, m.digest, m.exercise, n.action, n.facts ->> '$.kind', n.rule_id,"
            " n.reason"
            " FROM deliveries d JOIN messages m ON m.id = d.message_id"
            " LEFT JOIN dispatches p ON p.message_id = m.id"
            " LEFT JOIN notices n ON n.id = p.notice_id"
            " ORDER BY d.id, p.position"
        )
        for key, digest, exercise, *notice in rows:
            before = told.get(key, Told((), bool(digest), bool(exercise)))
            said = Said(*(text or "" for text in notice))
            told[key] = replace(before, notices=(*before.notices, said))
    return told


def _samples(received: Sequence[Received]) -> Iterator[tuple[str, Received]]:
    """The newest body of each format."""
    found: dict[str, Received] = {}
    for one in received:
        if isinstance(one.payload, str):
            found["cap"] = one
        else:
            found["alertmanager" if "alerts" in one.payload else "warden"] = one
    yield from sorted(found.items(), reverse=True)


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
