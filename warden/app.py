"""The composition root: the one place that puts concrete parts together.

Standing in the flow: the command line and the daemon ask an `App` for what they need. It reads
the rulebook, makes sources, channels and borders from the settings, and opens the `Station` that
may change things. What only asks is beside it: `looking` at what is, `trying` what would be.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime, time
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal, cast

from warden.acting import LOOKED_AT_FIRST
from warden.clock import Clock, SystemClock
from warden.control import Request, call, user_name
from warden.deliver import Outlet
from warden.engine.frame import Frame
from warden.engine.kinds import KINDS as RULE_KINDS
from warden.errors import ConfigError, Fault, StoreError, UsageError
from warden.geodata import TimezoneGeography, countries
from warden.geodata.land import Land
from warden.model.located import FaultList, did_you_mean
from warden.model.rule import Ruleset
from warden.notify.channels import Channel
from warden.notify.channels.email.channel import EmailChannel
from warden.notify.channels.file import FileChannel
from warden.notify.channels.webhook.channel import WebhookChannel
from warden.notify.languages import check_languages
from warden.notify.render import Renderer, template_folders
from warden.notify.render.cap import Issuer
from warden.notify.render.template_faults import template_faults
from warden.notify.routes_schema import routes_schema
from warden.notify.routing import Routing, check_reach, parse_routes
from warden.regular import open_regular
from warden.rulebook import KnownNames, Loaded
from warden.rulebook import load as load_rulebook
from warden.rulebook import schema as rules_schema
from warden.settings import Settings, secret_faults, source_settings
from warden.settings import load as load_settings
from warden.sources import KINDS as SOURCE_KINDS
from warden.sources import make_source
from warden.sources.common import SourceSettings
from warden.sources.file import FileSettings, read_files, require_files
from warden.sources.protocol import Source
from warden.station import Rulebook, Station
from warden.store import (
    DatabaseLocked,
    Store,
    open_store,
    reports,
)
from warden.store.backup import back_up
from warden.store.events import FRAME_COLUMNS, load_rows
from warden.store.sources import load_sources
from warden.trial.testfiles import read_tests

NAMED_FIELDS = ("admin1", "admin2", "admin3", "location")  # whose values patterns are held to
MOST_TO_CHECK = 200_000  # events that `check` holds rules to: more would take it long
FILES_SOURCE = "files"  # what files given by hand are known as
LOCK_WAIT_S = 5.0


class App:
    """One installation, as its settings describe it. Making one reads and opens nothing."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock if clock is not None else SystemClock()

    # --- parts --------------------------------------------------------------------------------

    @cached_property
    def geography(self) -> TimezoneGeography:
        """Countries and borders."""
        return TimezoneGeography(self.settings.cache, self.settings.borders)

    @cached_property
    def land(self) -> Land:
        """The shapes that maps are drawn from; read when the first map is drawn."""
        return Land(self.settings.cache)

    @cached_property
    def source_settings(self) -> tuple[SourceSettings, ...]:
        """The settings of every source, checked."""
        return tuple(cast("list[SourceSettings]", source_settings(self.settings, SOURCE_KINDS)))

    def sources(self) -> tuple[tuple[SourceSettings, Source], ...]:
        """Every configured source, ready to be polled."""
        return tuple((one, self.make_source(one)) for one in self.source_settings)

    def make_source(self, one: SourceSettings) -> Source:
        """A source from its settings, with its secret read."""
        return make_source(one, self.settings.secrets.require)

    def file_source(self, path: Path, *, source: str | None, snapshot: bool) -> Source:
        """A source that reads one file, as the configured file source of that name would.

        Raises:
            UsageError: no such source, or one that reads no files.
        """
        if source is None:
            return read_files([path], source_name=FILES_SOURCE, snapshot=snapshot)
        by_name = {one.name: one for one in self.source_settings}
        if source not in by_name:
            raise UsageError(f"no source '{source}'{did_you_mean(source, by_name)}")
        chosen = by_name[source]
        if not isinstance(chosen, FileSettings):
            raise UsageError(
                f"source '{source}' reads no files; leave --source out: exports of ACLED belong "
                "to the same dataset in any case"
            )
        return read_files(
            [path],
            source_name=source,
            field_map=chosen.field_map,
            snapshot=snapshot,
            dataset=chosen.dataset,
            countries=chosen.countries,
            keep_raw=chosen.keep_raw,
            max_retract=chosen.max_retract,
        )

    def load(self, known: KnownNames | None = None, *, tests: bool = False) -> Loaded:
        """Read the rule files; faults are in the result."""
        return load_rulebook(
            self.settings.rules_dir,
            kinds=RULE_KINDS,
            countries_resolve=countries.resolve,
            country_names=countries.names,
            known=known,
            borders=self.geography,
            include_tests=tests,
        )

    def ruleset(self) -> Ruleset:
        """The rules, whatever the routes are like.

        Raises:
            ConfigError: with every fault of the rule files.
        """
        loaded = self.load()
        if loaded.ruleset is None:
            raise refused(self.settings.rules_dir, loaded.faults)
        return loaded.ruleset

    def outlet(self, store: Store) -> Outlet:
        """What renders and sends, through channels with their secrets read.

        Relative folders of file targets lie beside the database.
        """
        settings = self.settings
        secrets = settings.secrets
        smtp = settings.smtp
        password = None if smtp.password is None else secrets.require(smtp.password.secret)
        channels: dict[str, Channel] = {
            "email": EmailChannel(smtp, password),
            "webhook": WebhookChannel(secrets.require),
            "file": FileChannel(settings.database.absolute().parent),
        }
        return Outlet(store, self.renderer(), channels, self.clock, mail_domain=smtp.domain)

    def renderer(self) -> Renderer:
        """What puts notices into words: the operator's templates over the shipped ones."""
        smtp, web = self.settings.smtp, self.settings.public_url
        issuer = Issuer(sender=f"warden@{smtp.domain}", name="warden", web=web)
        return Renderer(
            template_folders(self.settings.templates_dir), issuer=issuer, land=self.land
        )

    def rulebook(self) -> Rulebook:
        """The rules and routes that the daemon works by.

        Raises:
            ConfigError: with every fault of rules and routes.
        """
        loaded, routing, faults = self.rules_and_routes()
        if loaded.ruleset is None or any(fault.severity == "error" for fault in faults):
            raise refused(self.settings.rules_dir, faults)
        return Rulebook(loaded.ruleset, routing, faults, self.clock.now())

    def no_routes(self) -> ConfigError:
        """The refusal of a rulebook without routes where there were some."""
        place = self.settings.rules_dir
        return refused(place, (unrouted(place, "error"),))

    def faults(self, *, secrets: bool = True) -> tuple[Fault, ...]:
        """Everything that `warden check` finds in rules, routes, rule tests and templates.

        `secrets`: the receivers' too; not where it is unknown in which folder they are.
        """
        known = self._known_names()
        read_secret = self.settings.secrets.require if secrets else None
        return self.rules_and_routes(known, tests=True, read_secret=read_secret)[2]

    def rules_and_routes(
        self,
        known: KnownNames | None = None,
        *,
        tests: bool = False,
        read_secret: Callable[[str], object] | None = None,
    ) -> tuple[Loaded, Routing, tuple[Fault, ...]]:
        """Rules and routes as they are written, and every fault of them.

        `tests`: those of templates, rule tests and languages too.
        """
        loaded = self.load(known, tests=tests)
        found = FaultList()
        renderer = self.renderer()
        for fault in template_faults(renderer) if tests else ():
            found.add(fault)
        routing = parse_routes(
            loaded.route_nodes,
            found,
            languages=renderer.languages,
            time_zone=self.settings.time_zone,
            read_secret=read_secret,
            now=self.clock.now(),
        )
        if routing.root is None and tests and not loaded.route_nodes.get("route"):
            found.add(unrouted(self.settings.rules_dir, "warning"))
        if loaded.ruleset is not None and tests:
            read_tests(loaded.tests, loaded.ruleset, found)
        rules = None if loaded.ruleset is None else loaded.ruleset.rules
        check_reach(routing, rules, loaded.route_nodes, found)
        if rules is not None and tests:
            check_languages(rules, routing.receivers.values(), renderer.languages, found)
        return loaded, routing, tuple(sorted({*loaded.faults, *found.sorted()}))

    def _known_names(self) -> KnownNames | None:
        """The names that the settings and the stored history know; None where neither does."""
        sources = frozenset(str(one.get("name", "")) for one in self.settings.sources)
        only_sources = KnownNames(sources=sources) if sources else None
        if not self.settings.database.exists():
            return only_sources
        try:
            with self.read() as store:
                actors = frozenset(row["name"] for row in reports.actor_rows(store.connection))
                first = reports.event_counts(store.connection)["first_day"]
                feeds = load_sources(store.connection)
                frame = self._few_enough(store)
        except StoreError:
            return only_sources
        start = date.fromisoformat(first) if first else None
        today = self.clock.now().date()
        hidden = [
            (today - feed.no_data_since).days
            for feed in feeds
            if feed.state == "embargoed" and feed.no_data_since is not None
        ]
        embargo_days = min(hidden) if hidden and len(hidden) == len(feeds) else 0
        return KnownNames(
            actors=actors,
            fields=_named(frame),
            history_start=start,
            today=today,
            embargo_days=embargo_days,
            frame=frame,
            geography=self.geography,
            sources=sources,
        )

    def _few_enough(self, store: Store) -> Frame | None:
        """The stored events; None where reading them all would take long."""
        if reports.event_counts(store.connection)["events"] > MOST_TO_CHECK:
            return None
        return Frame.from_rows(FRAME_COLUMNS, load_rows(store.connection))

    # --- doing --------------------------------------------------------------------------------

    def open(self, *, wait_s: float = 0.0) -> Station:
        """Take the database's lock and open it for work.

        Raises:
            DatabaseLocked: another process owns it.
            WardenError: rules, settings or the database cannot be used.
        """
        rulebook = self.rulebook()
        return Station(self, open_store(self.settings.database, wait_s=wait_s), rulebook)

    def one_cycle(self) -> dict[str, Any]:
        """Poll every source, evaluate, deliver what is due; tell what happened.

        Raises:
            StoreError: a daemon does that already.
        """
        try:
            station = self.open()
        except DatabaseLocked as error:
            raise StoreError(
                f"{self.settings.database} belongs to process {error.pid or '?'}: a running daemon "
                "polls, evaluates and sends by itself; `warden evaluate`, `warden ingest FILE` and "
                "`warden retry` ask it to do so now"
            ) from None
        with station:
            station.check_database()
            return station.one_cycle()

    def act(
        self, command: str, arguments: Mapping[str, Any], files: Sequence[Path] = ()
    ) -> Iterator[dict[str, Any]]:
        """Do an operator's command: by the running daemon, else here under the lock."""
        paths = tuple(expand(files))
        require_files(paths)
        asked = {**arguments, "names": [str(path) for path in paths]} if files else arguments
        with ExitStack() as stack:
            opened = [stack.enter_context(open_regular(path)) for path in paths]
            rows = call(self.settings.control_socket, command, asked, opened)
            if rows is not None:
                yield from rows
                return
        with self._open_alone() as station:
            if command in LOOKED_AT_FIRST:
                station.check_database()
            who = user_name(os.getuid())
            yield from station.act(Request(command, asked, who), paths)

    def _open_alone(self) -> Station:
        try:
            return self.open(wait_s=LOCK_WAIT_S)
        except DatabaseLocked as error:
            raise StoreError(
                f"{error}; it does not answer at {self.settings.control_socket}"
            ) from None

    def backup(self, target: Path, *, compact: bool = False) -> dict[str, Any]:
        """Copy the database, beside a running daemon or without one; checked and synced.

        `compact`: without the room that removed rows left.

        Raises:
            StoreError: there is no database, or the copy cannot be written or is damaged.
        """
        with self.read() as store:
            made = back_up(store, target, compact=compact)
        return {"path": str(made), "bytes": made.stat().st_size}

    def dry_run(self, now: datetime | None) -> list[dict[str, Any]]:
        """What an evaluation would decide, as of `now`; writes nothing."""
        rulebook = self.rulebook()
        with self.read() as store:
            return Station(self, store, rulebook).dry_run(now)

    # --- looking ------------------------------------------------------------------------------

    def read(self) -> Store:
        """Open the database for reading only."""
        return open_store(self.settings.database, read_only=True)


def _named(frame: Frame | None) -> dict[str, frozenset[str]]:
    """Every value ever seen of the fields that patterns are held to."""
    if frame is None:
        return {}
    return {name: frozenset(frame.coded[name].values) - {""} for name in NAMED_FIELDS}


def check(
    config: Path | None, *, rules: Path | None = None, database: Path | None = None
) -> tuple[Fault, ...]:
    """Find every fault of settings, sources, rules, routes and templates."""
    faults: list[Fault] = []
    readable = True
    try:
        settings = load_settings(config, rules=rules, database=database)
    except ConfigError as error:
        if not error.faults:
            raise
        faults += error.faults
        readable = False
        settings = Settings.model_construct(rules=rules, database=database or Path("warden.db"))
    app = App(settings)
    faults += secret_faults(settings)
    try:
        configured = app.source_settings
    except ConfigError as error:
        configured = ()
        faults += error.faults
    told = {fault.message for fault in faults}
    for one in configured:
        try:
            app.make_source(one)
        except ConfigError as error:
            if str(error) not in told:
                place = str(settings.path or "settings")
                faults += error.faults or (Fault(place, 0, 0, "WR061", str(error)),)
    return tuple(sorted({*faults, *app.faults(secrets=readable)}))


def parse_now(text: str | None) -> datetime | None:
    """Read `--now`: a day (its end, UTC) or an instant."""
    if text is None:
        return None
    try:
        if len(text) == len("2022-06-30"):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"'{text}' is no time; write 2022-06-30 or 2022-06-30T12:00Z") from None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def json_schema(what: str) -> dict[str, Any]:
    """The JSON Schema of rule files, of routes or of a webhook's body."""
    if what == "webhook":
        package = resources.files("warden.notify.render")
        found: dict[str, Any] = json.loads(
            package.joinpath("webhook.schema.json").read_text(encoding="utf-8")
        )
        return found
    return rules_schema(RULE_KINDS) if what == "rules" else routes_schema()


def parse_day(text: str | None, name: str) -> date | None:
    """Read a day given on the command line.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{name} '{text}' is no day; write 2022-06-30") from None


def refused(place: Path, faults: Sequence[Fault]) -> ConfigError:
    """The error that says how many faults keep the rules from being used."""
    errors = sum(fault.severity == "error" for fault in faults)
    count = "1 error" if errors == 1 else f"{errors} errors"
    return ConfigError(f"{count} in the rules ({place})", tuple(faults))


def unrouted(place: Path, severity: Literal["error", "warning"]) -> Fault:
    """What is said where no route leads to anybody."""
    said = "no routes: nobody hears of an alert; write routes.yaml, or put it back"
    return Fault(str(place), 0, 0, "WR092", said, severity)


def expand(files: Sequence[Path]) -> Iterator[Path]:
    """Files as they are, folders as the files in them."""
    for path in files:
        if path.is_dir():
            yield from sorted(one for one in path.iterdir() if one.is_file())
        else:
            yield path
