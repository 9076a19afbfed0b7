"""The daemon: timed jobs, signals, reload, and signs of life for the service manager.

Standing in the flow: `warden run`. The main thread only waits for signals and keeps watch; one
thread starts everything, the scheduler's threads do the jobs, each job's failures end at its
boundary here, counted and visible in `warden status`.

Jobs tick often and ask the database whether they are due, so a restart, a wrong clock and a missed
tick change nothing; and no job ever calls the scheduler. Only this file knows APScheduler.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from warden import memory, sdnotify
from warden.app import App
from warden.control import ControlServer, Request
from warden.errors import ConfigError, StoreError, WardenError
from warden.evaluate import Evaluation
from warden.heartbeat import Heartbeat
from warden.station import Station

if TYPE_CHECKING:
    from warden.watching import Watching

log = logging.getLogger(__name__)

SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
INTERRUPTED = 130  # as a shell tells a command that Ctrl-C ended
TICK_S = 0.5  # how often the main thread looks up from waiting for signals
STOP_WITHIN_S = 8.0  # then the process ends, whatever still runs; open transactions roll back
POLL = "poll "  # what the names of these jobs begin with
BACKUP = "backup"
POLL_TICK_S = 1.0
DELIVER_TICK_S = 1.0
EVALUATE_TICK_S = 60.0
PULSE_TICK_S = 5.0
HEARTBEAT_TICK_S = 1.0
BACKUP_TICK_S = 60.0
TIDY_TICK_S = 60.0
CONSOLE_TICK_S = 5.0
PULSE_LATE_S = 30.0  # the scheduler itself is stuck
HANG_AFTER_S = 600.0  # no page, no transaction: longer than any deadline of a source
DRIFT_S = 2.0
THREADS = 8


@dataclass
class JobState:
    """What is known of one job.

    Attributes:
        beat: monotonic seconds at which it last got something done, while it runs.
        failures: since the start of the daemon; `error` and `failed_at` tell of the newest.
    """

    runs: int = 0
    failures: int = 0
    error: str = ""
    failed_at: datetime | None = None
    beat: float | None = None


@dataclass
class Progress:
    """Which jobs run, since when they are silent, and how often each failed."""

    jobs: dict[str, JobState] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, name: str) -> None:
        """A job begins."""
        with self._lock:
            job = self.jobs.setdefault(name, JobState())
            job.runs += 1
            job.beat = time.monotonic()

    def beat(self, name: str) -> None:
        """A running job got something done."""
        with self._lock:
            job = self.jobs.get(name)
            if job is not None and job.beat is not None:
                job.beat = time.monotonic()

    def end(self, name: str, error: BaseException | None, now: datetime) -> None:
        """A job ended, well or badly."""
        with self._lock:
            job = self.jobs.setdefault(name, JobState())
            job.beat = None
            if error is not None:
                job.failures += 1
                job.error = f"{type(error).__name__}: {error}"[:500]
                job.failed_at = now

    def running(self) -> list[str]:
        """The jobs at work now."""
        with self._lock:
            return sorted(name for name, job in self.jobs.items() if job.beat is not None)

    def stuck(self, after_s: float = HANG_AFTER_S) -> list[str]:
        """The jobs that run and have got nothing done for so long."""
        limit = time.monotonic() - after_s
        with self._lock:
            return sorted(
                name for name, job in self.jobs.items() if job.beat is not None and job.beat < limit
            )

    def report(self) -> list[dict[str, Any]]:
        """One row a job, for `warden status`."""
        with self._lock:
            return [
                {
                    "job": name,
                    "runs": job.runs,
                    "failures": job.failures,
                    "error": job.error,
                    "failed_at": job.failed_at,
                    "running": job.beat is not None,
                }
                for name, job in sorted(self.jobs.items())
            ]


def block_signals() -> None:
    """Keep the daemon's signals pending, to be awaited in the main thread.

    Called before any thread starts, since threads inherit the mask. A thread that some library
    started even earlier could still receive one: the handlers then pass it on to the main thread.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


class _Ticks(IntervalTrigger):  # type: ignore[misc]  # APScheduler has no types
    """An interval that counts on from now when it is late.

    The scheduler lists every tick that was missed before it runs one of them: after a clock that
    was set ten years forward, hundreds of millions.
    """

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """The tick after the last one, or one interval from now where that has passed."""
        due: datetime | None = super().get_next_fire_time(previous_fire_time, now)
        return now + self.interval if due is not None and due <= now else due


class Daemon:
    """Runs one installation until it is told to stop."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._clock = app.clock
        self._station: Station | None = None
        self._heartbeat: Heartbeat | None = None
        self._control: ControlServer | None = None
        self._watching: Watching | None = None
        self._scheduler = _scheduler()
        self.progress = Progress()
        self._started = threading.Event()
        self._start_error: BaseException | None = None
        self._stopping = threading.Event()
        self._evaluate_now = threading.Event()
        self._full_pass = threading.Event()
        self._strays: list[int] = []
        self._source_states: dict[str, str] = {}
        self._source_told: dict[str, str] = {}
        self._failing_rules: Mapping[str, str] = {}
        self._pulse = time.monotonic()
        self._started_at = self._clock.now()
        self._wall_minus_monotonic = _wall_minus_monotonic()
        self._fed_at = 0.0
        self._unstored: dict[str, str] = {}  # by job, why its work could not be written down
        self._said = ""
        self._fine = "started"

    # --- the main thread ----------------------------------------------------------------------

    def run(self) -> int:
        """Start, wait for signals, stop; return the exit status.

        Raises:
            WardenError: what prevented the start.
        """
        block_signals()
        memory.keep_little()
        for number in SIGNALS:
            signal.signal(number, lambda got, _frame: self._strays.append(got))
        threading.Thread(target=self._start, name="start", daemon=True).start()
        status = 0
        try:
            status = self._watch()
        finally:
            clean = self._stop()
        if self._start_error is not None:
            raise self._start_error
        if not clean:
            _leave_at_once()
        return status

    def _watch(self) -> int:
        """Reload and announce until it is to stop; the exit status."""
        announced = reload_asked = False
        while True:
            number = self._await_signal()
            reload_asked = reload_asked or number == signal.SIGHUP
            if number in (signal.SIGTERM, signal.SIGINT):
                log.info("stopping (%s)", signal.Signals(number).name)
                return INTERRUPTED if number == signal.SIGINT else 0
            if self._start_error is not None:
                return 0  # raised once all has stopped
            if self._station is not None and self._station.store.doubtful:
                _leave_doubtful()
            if self._started.is_set() and not announced:
                announced = True
                sdnotify.notify("READY=1")
                log.info("ready")
            if reload_asked and announced:
                reload_asked = False
                self._reload()
            if announced:
                self._keep_watch()

    def _await_signal(self) -> int | None:
        if self._strays:
            return self._strays.pop(0)
        found = signal.sigtimedwait(SIGNALS, TICK_S)
        return found.si_signo if found is not None else None

    def _keep_watch(self) -> None:
        self._check_drift()
        late = time.monotonic() - self._pulse > PULSE_LATE_S
        stuck = self.progress.stuck()
        interval_s = sdnotify.watchdog_interval_s()
        healthy = not late and not stuck
        now = time.monotonic()
        if interval_s is not None and healthy and now - self._fed_at >= interval_s / 4:
            self._fed_at = now
            sdnotify.notify("WATCHDOG=1")
        self._say(self._sentence(stuck=stuck, late=late))

    def _sentence(self, *, stuck: list[str], late: bool) -> str:
        if stuck:
            return f"stuck: {', '.join(stuck)}"
        if late:
            return "the scheduler is stuck"
        return self._fine

    def _say(self, sentence: str) -> None:
        if sentence != self._said:
            self._said = sentence
            sdnotify.notify(f"STATUS={sentence}")

    def _check_drift(self) -> None:
        """Notice a wall clock that was set back, and pull the jobs' next runs back with it."""
        offset = _wall_minus_monotonic()
        jump = offset - self._wall_minus_monotonic
        if abs(jump) < DRIFT_S:
            return
        self._wall_minus_monotonic = offset
        log.warning("the wall clock jumped by %+.0f s", jump)
        if jump < 0:
            for job in self._scheduler.get_jobs():
                if job.next_run_time is not None:
                    job.modify(next_run_time=job.next_run_time + timedelta(seconds=jump))
        self._scheduler.wakeup()

    def _reload(self) -> None:
        """Load the rules and routes anew; keep the last good ones when they have faults."""
        station = self._station
        if station is None:
            return
        sdnotify.reloading()
        try:
            station.reload()
        except ConfigError as error:
            _tell_refusal(error)
            self._evaluate_now.set()  # a refused reload is itself told
        except Exception:
            log.exception("reload failed, still working by the last good rules")
        else:
            log.info("reloaded: %d rules in force", len(station.rulebook.ruleset.rules))
            self._full_pass.set()
            self._evaluate_now.set()
        sdnotify.notify("READY=1")

    # --- start and stop -----------------------------------------------------------------------

    def _start(self) -> None:
        try:
            station = self._app.open()
            if self._stopping.is_set():
                station.close()
                return
            self._station = station
            if not station.is_routed:
                log.warning("no routes are in force: nobody hears of an alert; write routes.yaml")
            station.check_database()
            station.prepare()
            station.start_sending()
            self._begin_watching(station)
            self._add_jobs(station)
            self._control = ControlServer(self._app.settings.control_socket, self._handle)
            self._control.start()
            self._scheduler.start()
        except BaseException as error:  # noqa: BLE001  handed to the main thread, which raises it
            self._start_error = error
        finally:
            self._started.set()

    def _stop(self) -> bool:
        """Stop everything within STOP_WITHIN_S; False when some job had to be left running."""
        self._stopping.set()
        sdnotify.notify("STOPPING=1", "STATUS=stopping")
        deadline = time.monotonic() + STOP_WITHIN_S
        if self._control is not None:
            self._control.close()
        if self._watching is not None:
            self._watching.close()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        station = self._station
        if station is not None:
            station.ask_to_stop()
        while time.monotonic() < deadline and (
            self.progress.running() or not self._started.is_set()
        ):
            time.sleep(0.05)
        sent = station is None or station.stop_sending(max(deadline - time.monotonic(), 0.1))
        left = self.progress.running() + ([] if sent else ["sending"])
        if left or not self._started.is_set():
            log.warning("left in the middle, to be done again: %s", ", ".join(left) or "the start")
            return False
        if station is not None:
            station.close()
        log.info("stopped")
        return True

    # --- jobs ---------------------------------------------------------------------------------

    def _add_jobs(self, station: Station) -> None:
        for name in station.source_names:
            self._every(f"{POLL}{name}", POLL_TICK_S, partial(self._poll, name))
        self._full_pass.set()
        self._evaluate_now.set()
        self._every("evaluate", POLL_TICK_S, self._evaluate)
        self._every("deliver", DELIVER_TICK_S, station.deliver)
        self._every(BACKUP, BACKUP_TICK_S, self._back_up)
        self._every("tidy", TIDY_TICK_S, self._tidy)
        self._every("pulse", PULSE_TICK_S, self._beat)
        wanted = self._app.settings.heartbeat
        if wanted is not None:
            url = wanted.address(self._app.settings.secrets)
            self._heartbeat = Heartbeat(url, wanted.every.total_seconds())
            self._every("heartbeat", HEARTBEAT_TICK_S, self._call_heartbeat)

    def _begin_watching(self, station: Station) -> None:
        """Answer over HTTP, where that was asked for; an address that is taken is tried again."""
        console = self._app.settings.console
        if console is not None:
            from warden.watching import Watching  # noqa: PLC0415  only when asked for

            self._watching = Watching(
                console.address, station, self.progress, self._troubles, self._unwritten
            )
            self._every("console", CONSOLE_TICK_S, self._watching.listen)

    def _troubles(self) -> list[str]:
        """Why the daemon is not at work as it should be; nothing while it is."""
        late = not self._scheduler.running or time.monotonic() - self._pulse > PULSE_LATE_S
        found = ["the scheduler does not run"] if late else []
        return found + [f"the job {name} is stuck" for name in self.progress.stuck()]

    def _every(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        self._scheduler.add_job(
            self._bounded(name, work),
            trigger=_Ticks(seconds=seconds, timezone=UTC),
            id=name,
            name=name,
            next_run_time=datetime.now(UTC),
        )

    def _bounded(self, name: str, work: Callable[[], object]) -> Callable[[], None]:
        """A job's boundary: the one place where whatever it raises ends, counted."""

        def job() -> None:
            if self._stopping.is_set():
                return
            self.progress.begin(name)
            failure: BaseException | None = None
            try:
                work()
            except WardenError as error:
                failure = error
                if isinstance(error, StoreError) and name != BACKUP:
                    self._unstored[name] = str(error)
                log.error("%s: %s", name, error)  # noqa: TRY400 - a sentence, not a bug
            except BaseException as error:
                failure = error
                log.exception("%s failed", name)
            else:
                if not name.startswith(POLL):  # a poll that is not due has shown nothing
                    self._unstored.pop(name, None)
            finally:
                self.progress.end(name, failure, self._clock.now())

        return job

    def _unwritten(self) -> list[str]:
        """What the database did not take at last, and why; a restart would not help.

        Evaluations that find nothing to write end well also on a full disk: they prove nothing.
        """
        return [f"{name} cannot be stored: {why}" for name, why in dict(self._unstored).items()]

    def _beat(self) -> None:
        """Show that the scheduler lives, and look how everything is."""
        self._pulse = time.monotonic()
        station = self._station
        if station is not None:
            self._fine = station.sentence()

    def _tidy(self) -> None:
        """Forget what was kept long enough."""
        station = self._station
        gone = station.upkeep.tidy() if station is not None else {}
        for what, number in gone.items():
            log.info("kept long enough: %d %s are removed", number, what)

    def _back_up(self) -> None:
        """Make the nightly backup when it is due."""
        station = self._station
        made = station.upkeep.back_up_nightly() if station is not None else None
        if made is not None:
            log.info("backed up to %s", made)

    def _call_heartbeat(self) -> None:
        """Call the dead man's switch, unless some job is stuck or cannot store what it did."""
        if self._heartbeat is not None and not self.progress.stuck() and not self._unwritten():
            self._heartbeat.beat()

    def _poll(self, name: str) -> None:
        station = self._station
        if station is None or not station.due(name):
            return
        result = station.poll(name, partial(self.progress.beat, f"{POLL}{name}"))
        self._unstored.pop(f"{POLL}{name}", None)
        if self._watching is not None:
            self._watching.polled(result)
        if result.changed:
            log.info("%s: %d events changed (%s)", name, len(result.changed), result.sentence)
            self._evaluate_now.set()
        elif result.state != "ok" and self._source_told.get(name) != result.sentence:
            log.warning("%s is %s: %s", name, result.state, result.sentence)
        self._source_told[name] = result.sentence  # a lasting trouble is one line, not one a poll
        if self._source_states.get(name, "ok") != result.state:
            self._evaluate_now.set()  # how a source is, is itself told
        self._source_states[name] = result.state

    def _evaluate(self) -> None:
        """Evaluate when something changed, or a minute has passed (time itself ends things)."""
        station = self._station
        if station is None:
            return
        if not self._evaluate_now.is_set() and not station.evaluation_due(EVALUATE_TICK_S):
            return
        self._evaluate_now.clear()
        full = self._full_pass.is_set()
        self._full_pass.clear()
        began = time.monotonic()
        try:
            evaluation = station.evaluate(full=full)
        except BaseException:
            self._evaluate_now.set()  # at the next tick, not when a minute has passed
            if full:
                self._full_pass.set()
            raise
        if full:
            memory.give_back()  # it has read every event
        self._tell(evaluation, time.monotonic() - began, full=full)

    def _tell(self, evaluation: Evaluation, seconds: float, *, full: bool) -> None:
        """Let those who watch know that the rules were evaluated, and what came of it."""
        if self._heartbeat is not None:
            self._heartbeat.worked()
        if self._watching is not None:
            self._watching.evaluated(evaluation, seconds, full=full)
        for rule, error in evaluation.errors.items():
            if self._failing_rules.get(rule) != error:
                log.error("the rule %s could not be evaluated: %s", rule, error)
        self._failing_rules = evaluation.errors
        for notice in evaluation.notices:
            log.info("%s %s: %s (%s)", notice.action, notice.alert_id, notice.title, notice.reason)

    # --- commands -----------------------------------------------------------------------------

    def _handle(self, request: Request) -> Iterator[Mapping[str, Any]]:
        """Do what an operator asks; runs in the caller's own thread."""
        station = self._station
        if station is None:
            raise WardenError("the daemon is still starting")
        if request.command == "status":
            yield self._report(station)
            return
        if request.command == "reload":
            os.kill(os.getpid(), signal.SIGHUP)
            yield {"reload": "asked for"}
            return
        log.info("%s asks: %s", request.who, request.command)
        name = f"command {request.command}"
        self.progress.begin(name)
        failure: BaseException | None = None
        try:
            yield from station.act(request)
        except BaseException as error:
            failure = None if isinstance(error, WardenError) else error
            raise
        finally:
            self.progress.end(name, failure, self._clock.now())

    def _report(self, station: Station) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "started_at": self._started_at,
            "sentence": station.sentence(),
            "jobs": self.progress.report(),
            "reload": station.reload_report(),
            "failing_rules": dict(station.vitals.failing),
        }


def _tell_refusal(error: ConfigError) -> None:
    """Say loudly that a reload was refused, with every fault."""
    for fault in error.faults:
        log.error("%s", fault.one_line())
    log.error("reload refused, still working by the last good rules: %s", error)


def _scheduler() -> BackgroundScheduler:
    return BackgroundScheduler(
        jobstores={"default": MemoryJobStore()},
        executors={"default": ThreadPoolExecutor(THREADS)},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        timezone=UTC,
    )


def _wall_minus_monotonic() -> float:
    return time.time() - time.monotonic()


def _leave_doubtful() -> None:
    """End without touching the database again: what the disk holds, only a new process can see."""
    log.critical("the disk failed to keep what was written; ending, to be started again")
    sdnotify.notify("STOPPING=1", "STATUS=the disk failed")
    _leave_at_once(StoreError.exit_status)


def _leave_at_once(status: int = 0) -> None:
    """End without waiting for threads; SQLite rolls back what they had not committed."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
