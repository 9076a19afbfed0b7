"""A warden at work: the open database, the rulebook in force, and the steps of a cycle.

Standing in the flow: the daemon's jobs, `run --once` and operators' commands all come down to the
few methods here; each is one step (`ingest`, `evaluate`, `deliver`) with its parts in hand. Safe to
call from several threads: writes take turns on the store's lock, evaluations on their own.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from warden.acting import Acting
from warden.control import Request
from warden.deliver import Outlet
from warden.engine.health import merged
from warden.errors import ConfigError, Fault, WardenError
from warden.evaluate import Evaluation, Evaluator
from warden.ingest import IngestResult, ingest
from warden.model.alert import Alert
from warden.model.health import Condition
from warden.model.notice import Notice
from warden.model.rule import Rule, Ruleset
from warden.notify import plan
from warden.notify.routing import Routing
from warden.rows import decision_rows, notice_row, source_row
from warden.sources.common import SourceSettings
from warden.sources.protocol import Source
from warden.sources.watched import Watched
from warden.store import Store, Transaction, ahead, health, outbox, reports
from warden.store.figures import Figures, read_figures
from warden.store.sources import load_not_before, load_source, load_sources
from warden.upkeep import Upkeep
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
CHECK_WITHIN_S = 10.0

log = logging.getLogger(__name__)


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
        self.full_pass_days = 1
        self._stopping = threading.Event()
        self.upkeep = Upkeep(store, app.settings, app.clock, self.vitals, self._stopping)
        self._acting = Acting(self, app.clock, self._stopping)

    def prepare(self) -> None:
        """Make every part now, so that what is missing is told at the start.

        Raises:
            ConfigError: a secret or border data cannot be used.
        """
        self._app.geography.check()
        _ = self._sources, self.outlet

    def check_database(self) -> None:
        """Look whether the database hangs together, for as long as may be waited for.

        Raises:
            StoreError: it is damaged.
        """
        if not self.store.quick_check(CHECK_WITHIN_S):
            log.info("the database is too large to be checked within %g s", CHECK_WITHIN_S)

    @cached_property
    def _sources(self) -> dict[str, tuple[SourceSettings, Source]]:
        return {settings.name: (settings, source) for settings, source in self._app.sources()}

    @cached_property
    def outlet(self) -> Outlet:
        """The way out of this database, made when it is first needed."""
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
        self.outlet.start()

    def stop_sending(self, within_s: float) -> bool:
        """Wait for what is being sent; False when some of it had to be left, to be done again."""
        return self.outlet.stop(within_s) if "outlet" in self.__dict__ else True

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
            result = ingest(self.store, Watched(source, beat, self._stopping), self._clock)
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
        began_ahead = ahead.untold_conditions_ahead(connection, now)
        if began_ahead:
            with self.store.transaction() as tx:
                ahead.bring_conditions_back(tx, began_ahead, now)
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
        self.outlet.work(self.rulebook.routing)

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
        if "outlet" in self.__dict__:
            self.outlet.use_renderer(self._app.renderer())
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

    def act(self, request: Request, paths: Sequence[Path] = ()) -> Iterator[dict[str, Any]]:
        """Do a command of an operator and write down who asked for it.

        Files come as open descriptors from afar, as `paths` from this very process.
        """
        return self._acting.act(request, paths)

    # --- how it is ----------------------------------------------------------------------------

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
        return asdict(self.outlet.deliverer.totals) if "outlet" in self.__dict__ else {}

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


def _of_file(shown: str, sentence: str) -> str:
    """A file's sentence with its name before it, unless it begins with that."""
    name = Path(shown).name
    if sentence.startswith(f"{name} "):
        return shown + sentence[len(name) :]
    return f"{shown}: {sentence}"


def _told(error: ConfigError) -> str:
    """A refusal with its first fault."""
    return "; ".join([str(error), *(fault.one_line() for fault in error.faults[:1])])


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
