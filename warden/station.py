"""A warden at work: the open database, the rulebook in force, and the steps of a cycle.

Standing in the flow: the daemon's jobs, `run --once` and operators' commands all come down to the
few methods here; each is one step (`ingest`, `evaluate`, `deliver`) with its parts in hand. Safe to
call from several threads: writes take turns on the store's lock, evaluations on their own.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as dt_time
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self
from zoneinfo import ZoneInfo

from warden import memory
from warden.control import Request
from warden.deliver import Outlet
from warden.engine.health import merged
from warden.errors import ConfigError, Fault, SourceError, UsageError, WardenError
from warden.evaluate import Evaluation, Evaluator
from warden.ingest import IngestResult, ingest
from warden.model.alert import Alert
from warden.model.health import Condition
from warden.model.located import did_you_mean
from warden.model.notice import Notice
from warden.model.rule import Rule, Ruleset
from warden.notify import plan
from warden.notify.routing import Routing
from warden.people import COMMANDS, SENDS, Asked, numbers
from warden.regular import NOT_REGULAR, is_regular
from warden.sources.common import SourceSettings
from warden.sources.protocol import Page, PollOutcome, Source
from warden.store import Store, Transaction, health, outbox, reports
from warden.store.actions import record_action
from warden.store.backup import nightly_backup, nightly_name
from warden.store.calibrations import keep_calibration
from warden.store.figures import Figures, read_figures
from warden.store.retention import Keep, forget
from warden.store.sources import load_not_before, load_source, load_sources, prune_runs
from warden.store.values import instant_text
from warden.vitals import Vitals, asks_for_names, known_names

if TYPE_CHECKING:
    from warden.app import App

# A source in one of these could not be read as it should be.
FAILED_STATES = frozenset(
    {
        "auth_failed",
        "consent_required",
        "profile_incomplete",
        "access_denied",
        "blocked",
        "truncated",
        "schema_drift",
        "unreachable",
    }
)
KEEP_RUNS = timedelta(days=90)
KEEP_HEALTH = timedelta(days=400)
BACKUP_AGAIN = timedelta(hours=1)
MOST_A_YEAR = 1e9  # false alerts; what claims more is no result of a calibration
RETRY_WITHIN_S = 60.0  # how long `warden retry` waits for what came of it


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Rules and routes as one: loaded together, put in force together.

    Attributes:
        faults: warnings only.
    """

    ruleset: Ruleset
    routing: Routing
    faults: tuple[Fault, ...]
    loaded_at: datetime


class Station:
    """Everything that may change the database, with the database open.

    Attributes:
        full_pass_days: how often everything is evaluated anew; an accelerated calendar, whose
            every step is a new day, wants it rarer.
    """

    def __init__(self, app: App, store: Store, rulebook: Rulebook) -> None:
        self._app = app
        self._clock = app.clock
        self.store = store
        self.rulebook = rulebook
        self.vitals = Vitals(rulebook.loaded_at)
        self._evaluator = Evaluator(
            store,
            rulebook.ruleset,
            app.geography,
            plan=self._plan_dispatches,
            audience=self._audience,
        )
        self._polling: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._changed: set[str] = set()
        self._changed_lock = threading.Lock()
        self._evaluated_at: datetime | None = None
        self._full_on: date | None = None
        self._tidied_on: date | None = None
        self._backup_failed_at: datetime | None = None
        self.full_pass_days = 1
        self._stopping = threading.Event()

    def prepare(self) -> None:
        """Make every part now, so that what is missing is told at the start.

        Raises:
            ConfigError: a secret or border data cannot be used.
        """
        self._app.geography.check()
        _ = self._sources, self._outlet

    @cached_property
    def _sources(self) -> dict[str, tuple[SourceSettings, Source]]:
        return {settings.name: (settings, source) for settings, source in self._app.sources()}

    @cached_property
    def _outlet(self) -> Outlet:
        outlet = self._app.outlet(self.store)
        outlet.deliverer.use(self.rulebook.routing)  # before it sends: a receiver it does not
        return outlet  # know, it would take for removed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.ask_to_stop()
        self.stop_sending(0.0)
        self.store.close()

    def ask_to_stop(self) -> None:
        """Have running walks end at their next page, with what is committed kept."""
        self._stopping.set()

    def start_sending(self) -> None:
        """Send in the background from now on; `deliver` then returns without waiting."""
        self._outlet.start()

    def stop_sending(self, within_s: float) -> bool:
        """Wait for what is being sent; False when some of it had to be left, to be done again."""
        return self._outlet.stop(within_s) if "_outlet" in self.__dict__ else True

    # --- ingest -------------------------------------------------------------------------------

    @property
    def source_names(self) -> tuple[str, ...]:
        """The configured sources."""
        return tuple(self._sources)

    def due(self, name: str) -> bool:
        """Whether the source is to be polled now, by what the database remembers."""
        settings, _ = self._sources[name]
        now = self._clock.now()
        with self.store.reading() as connection:
            status = load_source(connection, name)
            until = load_not_before(connection, name, now)
        if status is None:
            return True
        failing = status.failures if status.state in FAILED_STATES else 0
        due = settings.next_poll(now, status.last_poll_at, failures=failing, not_before=until)
        return due <= now

    def poll(self, name: str, beat: Callable[[], None] = lambda: None) -> IngestResult:
        """Walk a source once; `beat` is called at every page."""
        _, source = self._sources[name]
        with self._polling[name]:
            result = ingest(self.store, _Watched(source, beat, self._stopping), self._clock)
        self._note(result.changed)
        return result

    def _note(self, changed: frozenset[str]) -> None:
        with self._changed_lock:
            self._changed |= changed

    def ingest_files(
        self, files: Mapping[str, Path], *, source: str | None, snapshot: bool
    ) -> Iterator[dict[str, Any]]:
        """Read files as a configured source would, or as what they are; a row a file."""
        refused: list[str] = []
        for shown, path in files.items():
            reader = self._app.file_source(path, source=source, snapshot=snapshot)
            result = ingest(self.store, reader, self._clock)
            self._note(result.changed)
            if result.state != "ok":
                refused.append(_of_file(shown, result.sentence))
            yield {
                "file": shown,
                **result.counts.as_dict(),
                "state": result.state,
                "sentence": result.sentence,
            }
        if refused:
            raise WardenError("; ".join(refused))

    # --- evaluate -----------------------------------------------------------------------------

    def evaluation_due(self, every_s: float) -> bool:
        """Whether so long has passed since the last one, or a day has begun (a full pass)."""
        now = self._clock.now()
        if self._evaluated_at is None or now < self._evaluated_at:
            return True
        return now - self._evaluated_at >= timedelta(seconds=every_s) or not self._recently_full(
            now.astimezone(UTC).date()
        )

    def evaluate(self, *, full: bool = False) -> Evaluation:
        """Bring the ledger up to date; the first of a day and every one after a failure is full."""
        with self.store.exclusive():
            now = self._clock.now()
            today = now.astimezone(UTC).date()
            whole = full or not self._recently_full(today)
            with self._changed_lock:
                changed, self._changed = frozenset(self._changed), set()
            try:
                fresh = None if whole else changed
                conditions = self._look_at_health(now, fresh)
                evaluation = self._evaluator.cycle(now, fresh, health=conditions)
            except BaseException:
                self._note(changed)
                self._full_on = None
                raise
            self.vitals.evaluated(evaluation.errors, now, full=whole)
            self._evaluated_at = now
            if whole:
                self._full_on = today
            return evaluation

    def _recently_full(self, today: date) -> bool:
        last = self._full_on
        return last is not None and 0 <= (today - last).days < self.full_pass_days

    def dry_run(self, now: datetime | None = None) -> list[dict[str, Any]]:
        """What an evaluation would decide; writes nothing."""
        moment = now if now is not None else self._clock.now()
        connection = self.store.connection
        stored = health.load(connection, moment)
        looked = health.look(connection, stored, self._itself(), moment)
        found = merged(stored, looked, moment)
        return list(decision_rows(self._evaluator.cycle(moment, dry_run=True, health=found)))

    def _look_at_health(
        self, now: datetime, changed: AbstractSet[str] | None
    ) -> tuple[Condition, ...]:
        """Write down what is not as it should be with warden itself; return all of it."""
        if (changed is None or changed) and asks_for_names(self.rulebook.ruleset):
            with self.store.transaction() as tx:
                health.note_actors(tx, now)
        connection = self.store.connection
        stored = health.load(connection, now)
        found = merged(stored, health.look(connection, stored, self._itself(), now), now)
        if found != stored:
            with self.store.transaction() as tx:
                health.save(tx, stored, found)
        return found

    def _itself(self) -> health.Self:
        return health.Self(
            sources=frozenset(one.name for one in self._app.source_settings),
            is_known=known_names(self.rulebook.ruleset),
            own=self.vitals.conditions(),
            rules_seen=self.vitals.rules_seen,
            backup_seen=self.vitals.backup_seen,
        )

    def _audience(self, rule: Rule, alert: Alert) -> object:
        return plan.audience(self.rulebook.routing, rule, alert)

    def _plan_dispatches(self, tx: Transaction, notices: Sequence[Notice], now: datetime) -> None:
        told = outbox.told(tx, [notice.alert_id for notice in notices])
        planned = plan.dispatches(notices, self.rulebook.routing, now, told)
        outbox.add_dispatches(tx, planned)

    # --- deliver ------------------------------------------------------------------------------

    def deliver(self) -> None:
        """Put what is due into messages and send them."""
        self._outlet.work(self.rulebook.routing)

    # --- one cycle ----------------------------------------------------------------------------

    def one_cycle(self) -> dict[str, Any]:
        """Poll every source, evaluate, deliver what is due; tell what happened."""
        began = self._clock.now()
        results = [self.poll(name) for name in self._sources]
        evaluation = self.evaluate(full=True)
        self.deliver()
        with self.store.reading() as connection:
            deliveries = reports.delivery_counts(connection, began)
            failures = reports.failed_since(connection, began)
        states = {result.state for result in results}
        return {
            "sources": [source_row(result) for result in results],
            "alerts": [notice_row(notice) for notice in evaluation.notices],
            "deliveries": deliveries,
            "failed": bool(states & FAILED_STATES) or failures > 0,
        }

    # --- rules --------------------------------------------------------------------------------

    def reload(self) -> None:
        """Put rules and routes in force anew; when they have faults, keep the last good ones.

        Templates are read anew with them; one that fails is told in its messages' plain form.

        Raises:
            ConfigError: with every fault; nothing changed.
        """
        try:
            rulebook = self._app.rulebook()
            self._refuse_no_routes(rulebook)
        except ConfigError as error:
            self.vitals.reload_refused(_told(error), self._clock.now())
            raise
        with self.store.exclusive():
            self.rulebook = rulebook
            self._evaluator.use(rulebook.ruleset)
        if "_outlet" in self.__dict__:
            self._outlet.use_renderer(self._app.renderer())
        self.vitals.reloaded(self._clock.now())

    def _refuse_no_routes(self, rulebook: Rulebook) -> None:
        """Raise where the routes are gone: a file that was lost must not lose alerts."""
        if rulebook.routing.root is None and self.is_routed:
            raise self._app.no_routes()

    @property
    def is_routed(self) -> bool:
        """Whether there are routes: without any nobody hears of an alert."""
        return self.rulebook.routing.root is not None

    def reload_report(self) -> dict[str, Any]:
        """Which rules are in force since when, and whether a later reload was refused."""
        return {
            "rules": len(self.rulebook.ruleset.rules),
            "version": self.rulebook.ruleset.version,
            "loaded_at": self.rulebook.loaded_at,
            "refused": self.vitals.refused,
            "routed": self.is_routed,
        }

    # --- what operators ask for ---------------------------------------------------------------

    def act(self, request: Request, paths: Sequence[Path] = ()) -> Iterator[dict[str, Any]]:
        """Do a command and write down who asked for it.

        Files come as open descriptors from afar, as `paths` from this very process.
        """
        if request.command in COMMANDS:
            yield from self._say(request)
            return
        commands = {
            "ingest": lambda: self._ingest(request, paths),
            "evaluate": lambda: decision_rows(self.evaluate(full=True)),
            "retry": lambda: self._retry(request.arguments),
            "test-receiver": lambda: self._test_receiver(request.arguments),
            "keep-calibration": lambda: self._keep_calibration(request.arguments),
        }
        command = commands.get(request.command)
        if command is None:
            raise UsageError(f"no command '{request.command}'")
        try:
            yield from command()
        except BaseException as error:
            self._record(request, f"{type(error).__name__}: {error}")
            raise
        self._record(request, "ok")

    def _say(self, request: Request) -> list[dict[str, Any]]:
        """What an operator says about alerts: the words and who said them are one commit."""
        now = self._clock.now()
        asked = Asked(request.arguments, request.who, now, self.rulebook.ruleset)
        try:
            with self.store.transaction() as tx:
                rows = COMMANDS[request.command](tx, asked)
                self._write_down(tx, request, "ok")
        except BaseException as error:
            self._record(request, f"{type(error).__name__}: {error}")
            raise
        if request.command in SENDS:
            self.deliver()
        return rows

    def _record(self, request: Request, outcome: str) -> None:
        with self.store.transaction() as tx:
            self._write_down(tx, request, outcome)

    def _write_down(self, tx: Transaction, request: Request, outcome: str) -> None:
        record_action(
            tx,
            at=self._clock.now(),
            who=request.who,
            command=request.command,
            arguments=request.arguments,
            outcome=outcome,
        )

    def _ingest(self, request: Request, paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
        asked = request.arguments
        names, source = asked.get("names"), asked.get("source")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise UsageError("name the files to read")
        if source is not None and not isinstance(source, str):
            raise UsageError("the source is a name")
        with tempfile.TemporaryDirectory(prefix="warden-") as folder:
            found = list(paths) or _received(request.files, names, Path(folder))
            try:
                yield from self.ingest_files(
                    dict(zip(names, found, strict=True)),
                    source=source,
                    snapshot=bool(asked.get("snapshot")),
                )
            finally:
                if asked.get("evaluate", True):
                    self.evaluate()

    def _keep_calibration(self, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        rule, rate = asked.get("rule"), asked.get("false_alerts_per_year")
        version, budget = asked.get("version", ""), asked.get("budget")
        whole = isinstance(rule, str) and isinstance(version, str) and _is_rate(rate)
        if not whole or not (budget is None or _is_rate(budget)):
            raise UsageError("this is no result of `warden calibrate`")
        with self.store.transaction() as tx:
            keep_calibration(tx, asked, self._clock.now())
        yield {"rule": rule, "kept": True}

    def _retry(self, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        ids = None if asked.get("all") else numbers(asked, "ids", "delivery")
        with self.store.transaction() as tx:
            if ids is None:
                dead = outbox.list_deliveries(tx, states=("dead",), limit=1_000_000)
                ids = [row["id"] for row in dead]
            known = {row["id"] for row in reports.delivery_rows(tx, ids=ids, limit=1_000_000)}
            unknown = sorted(set(ids) - known)
            if unknown:
                raise UsageError(f"no delivery {', '.join(map(str, unknown))}")
            asked_at = self._clock.now()
            outbox.retry(tx, asked_at, ids)
        self.deliver()
        yield from self._tried_again(ids, instant_text(asked_at))

    def _tried_again(self, ids: Sequence[int], asked_at: str) -> Iterator[dict[str, Any]]:
        """Wait until each was tried, at most `RETRY_WITHIN_S`; tell which were refused again."""
        deadline = time.monotonic() + RETRY_WITHIN_S
        while True:
            with self.store.reading() as connection:
                rows = reports.delivery_rows(connection, ids=ids, limit=1_000_000)
            waiting = [one for one in rows if _untried(one, asked_at)]
            if not waiting or time.monotonic() > deadline or self._stopping.is_set():
                break
            time.sleep(0.1)
        for one in rows:
            refused = one["state"] in {"retry", "dead", "expired"} and not _untried(one, asked_at)
            yield {**one, "refused": refused}

    def _test_receiver(self, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        name = str(asked.get("name", ""))
        receivers = self.rulebook.routing.receivers
        if name not in receivers:
            raise UsageError(f"no receiver '{name}'{did_you_mean(name, receivers)}")
        yield from self._outlet.try_receiver(receivers[name])

    # --- how it is ---

    def figures(self) -> Figures:
        """How warden is, as the database says it."""
        with self.store.reading() as connection:
            return read_figures(connection, self._clock.now())

    @property
    def evaluated_at(self) -> datetime | None:
        """When the rules were last evaluated, since the start."""
        return self._evaluated_at

    @property
    def attempts(self) -> dict[str, int]:
        """How tries to deliver ended since the start, by outcome."""
        return asdict(self._outlet.deliverer.totals) if "_outlet" in self.__dict__ else {}

    # --- looking after ------------------------------------------------------------------------

    def tidy(self) -> dict[str, int]:
        """Once a day, forget what was kept long enough; how much of what, besides old polls.

        The process forgets, too: what it has freed goes back to the system.
        """
        now = self._clock.now()
        if self._tidied_on == now.date():
            return {}
        with self.store.transaction() as tx:
            prune_runs(tx, now - KEEP_RUNS)
            health.prune(tx, now - KEEP_HEALTH)
        kept = self._app.settings.retention
        keep = Keep(kept.raw, kept.rejects, kept.texts)
        gone = forget(self.store, keep, now, self._stopping.is_set)
        memory.give_back()
        self._tidied_on = now.date()
        return gone

    def back_up_nightly(self) -> Path | None:
        """Make today's backup when its hour has come and it is not there; None otherwise.

        One that fails is tried again after an hour.

        Raises:
            StoreError: the folder cannot be written, or the copy is damaged.
        """
        settings = self._app.settings
        now = self._clock.now().astimezone(ZoneInfo(settings.time_zone))
        wanted = settings.backup
        failed = self._backup_failed_at
        if wanted.keep == 0 or nightly_name(now.date()) in _names(settings.backup_dir):
            self.vitals.backed_up("", now)
            return None
        if now.time() < dt_time.fromisoformat(wanted.at):
            return None
        if failed is not None and timedelta() <= now - failed < BACKUP_AGAIN:
            return None
        self._backup_failed_at = now
        try:
            made = nightly_backup(self.store, settings.backup_dir, now, keep=wanted.keep)
        except WardenError as error:
            self.vitals.backed_up(str(error), now)
            raise
        self._backup_failed_at = None
        self.vitals.backed_up("", now)
        return made

    def sentence(self) -> str:
        """How it is, in one line for the service manager."""
        with self.store.reading() as connection:
            states = [(one.source, one.state) for one in load_sources(connection)]
            alerts = reports.alert_counts(connection)
            waiting = reports.delivery_counts(connection)
            held = outbox.held_counts(connection)
        bad = [f"{name} {state}" for name, state in states if state != "ok"]
        feeds = ", ".join(bad) if bad else _counted(len(states), "source") + " ok"
        parts = [
            feeds,
            _counted(alerts["active_and_told"], "active alert"),
            f"{waiting['pending']} to deliver",
        ]
        if waiting["dead"]:
            parts.append(f"{waiting['dead']} dead")
        if held["REVIEW"]:
            parts.append(f"{held['REVIEW']} to release")
        if self.vitals.refused:
            parts.append("last reload refused")
        return "; ".join(parts)


class _Watched:
    """A source whose pages are signs of life, and whose walk ends when warden is to stop."""

    def __init__(self, source: Source, beat: Callable[[], None], stopping: threading.Event) -> None:
        self._source = source
        self._beat = beat
        self._stopping = stopping
        self.name = source.name
        self.kind = source.kind

    def poll(self, memory: Mapping[str, Any], now: datetime) -> Generator[Page, None, PollOutcome]:
        """Walk, watched."""
        return self._watch(self._source.poll(memory, now))

    def look_up(self, ids: Sequence[str], now: datetime) -> Generator[Page, None, PollOutcome]:
        """Look up, watched."""
        return self._watch(self._source.look_up(ids, now))

    def _watch(
        self, pages: Generator[Page, None, PollOutcome]
    ) -> Generator[Page, None, PollOutcome]:
        while True:
            self._beat()
            if self._stopping.is_set():
                pages.close()
                raise SourceError("warden was stopped in the middle of a walk; it will be redone")
            try:
                page = next(pages)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]  # the generator's own type
            yield page

    def __getattr__(self, name: str) -> Any:
        """What else the source has, such as its own `max_retract`."""
        return getattr(self._source, name)


def decision_rows(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """The decisions of a cycle, those to stay silent too."""
    for decision in evaluation.decisions:
        yield {
            "rule": decision.rule_id,
            "key": dict(decision.alert.key),
            "decision": decision.notice or decision.name,
            "reason": decision.reason,
            "alert_id": decision.alert.id,
            "severity": decision.alert.severity,
            "state": decision.alert.state,
            "first_day": decision.alert.first_day,
            "last_day": decision.alert.last_day,
        }


def notice_row(notice: Notice) -> dict[str, Any]:
    """A notice as scripts read it; null where a field does not apply."""
    facts = notice.facts
    return {
        "at": notice.at,
        "action": notice.action,
        "rule": notice.rule_id,
        "alert_id": notice.alert_id,
        "key": dict(notice.key),
        "severity": notice.severity,
        "title": notice.title,
        **{
            name: facts.get(name)
            for name in (
                "first_day",
                "last_day",
                "reported_late_days",
                "observed",
                "expected",
                "ratio",
                "p",
            )
        },
        "event_ids": [event.get("id") for event in facts.get("events", ())],
        "reason": notice.reason,
        "items": len(notice.items),
    }


def source_row(result: IngestResult) -> dict[str, Any]:
    """A walk in the summary; what look-ups found gone is retracted like any other event."""
    looked_up = result.looked_up.as_dict()
    counts = result.counts.as_dict()
    return {
        "name": result.source,
        "kind": result.kind,
        "state": result.state,
        "sentence": result.sentence,
        **counts,
        "retracted": counts["retracted"] + looked_up["retracted"],
        "looked_up": looked_up,
        "complete_through": result.complete_through,
    }


def _is_rate(given: object) -> bool:
    if not isinstance(given, int | float) or isinstance(given, bool):
        return False
    return 0 <= given <= MOST_A_YEAR


def _names(folder: Path) -> frozenset[str]:
    return frozenset(one.name for one in folder.iterdir()) if folder.is_dir() else frozenset()


def _untried(delivery: Mapping[str, Any], asked_at: str) -> bool:
    """Whether a delivery that was made due at `asked_at` still waits for that try, or is in it."""
    if delivery["state"] == "sending":
        return True
    return bool(delivery["state"] == "retry" and delivery["due_at"] <= asked_at)


def _received(descriptors: Sequence[int], names: Sequence[str], folder: Path) -> list[Path]:
    """Copy what came as open descriptors to files of the same names, one folder each."""
    if len(descriptors) != len(names):
        raise UsageError("some files did not arrive; try again, with fewer at a time")
    found = []
    for number, (descriptor, name) in enumerate(zip(descriptors, names, strict=True)):
        if not is_regular(descriptor):
            raise UsageError(f"{NOT_REGULAR}: {name}")
        path = folder / str(number) / Path(name).name
        path.parent.mkdir()
        with open(descriptor, "rb", closefd=False) as source, path.open("wb") as target:
            _copy(source, target)
        found.append(path)
    return found


def _of_file(shown: str, sentence: str) -> str:
    """A file's sentence with its name before it, unless it begins with that."""
    name = Path(shown).name
    if sentence.startswith(f"{name} "):
        return shown + sentence[len(name) :]
    return f"{shown}: {sentence}"


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    shutil.copyfileobj(source, target, 1 << 20)


def _told(error: ConfigError) -> str:
    """A refusal with its first fault."""
    return "; ".join([str(error), *(fault.one_line() for fault in error.faults[:1])])


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
