"""The composition root: the one place that puts concrete parts together.

Standing in the flow: the command line and the daemon ask an `App` for what they need. It reads
the rulebook, makes sources, channels and borders from the settings, answers questions about
places, series, actors and the ledger, and opens the `Station` that may change things.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, time
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from warden.clock import Clock, SystemClock
from warden.control import Request, call, user_name
from warden.deliver import Outlet
from warden.engine.actors import Names, in_group
from warden.engine.frame import Frame, day_from_number, day_number
from warden.engine.gazetteer import Gazetteer
from warden.engine.horizon import Horizon
from warden.engine.kinds import KINDS as RULE_KINDS
from warden.engine.kinds.base import Measure
from warden.engine.renames import Seen, possible_renames
from warden.engine.series import PERIODS, Period, Point, points
from warden.engine.where import Matcher
from warden.errors import ConfigError, Fault, StoreError, UsageError, WardenError
from warden.geodata import TimezoneGeography, countries
from warden.geodata.land import Land
from warden.ingest import ingest
from warden.model.located import FaultList, did_you_mean
from warden.model.notice import Notice
from warden.model.rule import Rule, Ruleset
from warden.notify.channels import Channel
from warden.notify.channels.email.channel import EmailChannel
from warden.notify.channels.file import FileChannel
from warden.notify.channels.webhook.channel import WebhookChannel
from warden.notify.languages import check_languages
from warden.notify.preview import preview, reader
from warden.notify.preview import sample as sample_of
from warden.notify.rehearsal import rehearse, route_row
from warden.notify.render import Renderer, template_folders
from warden.notify.render.cap import Issuer
from warden.notify.render.template_faults import template_faults
from warden.notify.routes_schema import routes_schema
from warden.notify.routing import Routing, check_reach, parse_routes
from warden.notify.silences import doubts
from warden.people import find_alert, held_by, silence_row
from warden.pictures import Easel, calibration
from warden.pictures import png as draw_png
from warden.pictures.backtest import WIDTH as BACKTEST_WIDTH
from warden.pictures.backtest import backtest_svg
from warden.pictures.calibration import calibration_svg
from warden.rulebook import KnownNames, Loaded
from warden.rulebook import load as load_rulebook
from warden.rulebook import schema as rules_schema
from warden.settings import Settings, secret_faults, source_settings
from warden.settings import load as load_settings
from warden.sources import KINDS as SOURCE_KINDS
from warden.sources import make_source
from warden.sources.common import SourceSettings
from warden.sources.file import FileSettings, read_files
from warden.sources.protocol import Source
from warden.station import Rulebook, Station
from warden.store import (
    MEMORY,
    DatabaseLocked,
    Store,
    ledger,
    open_store,
    outbox,
    people,
    reports,
    stops,
)
from warden.store.backup import back_up, nightly_backups
from warden.store.calibrations import calibrations
from warden.store.events import FRAME_COLUMNS, load_rows
from warden.store.projections import coverage, load_projections
from warden.store.sources import complete_through, load_sources
from warden.trial.backtest import (
    Backtest,
    choose,
    model,
    of_events,
    parse_known,
    parse_step,
)
from warden.trial.calibration import Task, prepare
from warden.trial.explain import explain_alert, explain_event, find_event
from warden.trial.files import read_all
from warden.trial.replay import replay
from warden.trial.ruletest import Outcome, run_tests
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
        self.rejected = 0  # rows of files named by hand that could not be read

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
            raise _refused(self.settings.rules_dir, loaded.faults)
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
        loaded, routing, faults = self._rules_and_routes()
        if loaded.ruleset is None or any(fault.severity == "error" for fault in faults):
            raise _refused(self.settings.rules_dir, faults)
        return Rulebook(loaded.ruleset, routing, faults, self.clock.now())

    def faults(self, *, secrets: bool = True) -> tuple[Fault, ...]:
        """Everything that `warden check` finds in rules, routes, rule tests and templates.

        `secrets`: the receivers' too; not where it is unknown in which folder they are.
        """
        known = self._known_names()
        read_secret = self.settings.secrets.require if secrets else None
        return self._rules_and_routes(known, tests=True, read_secret=read_secret)[2]

    def _rules_and_routes(
        self,
        known: KnownNames | None = None,
        *,
        tests: bool = False,
        read_secret: Callable[[str], object] | None = None,
    ) -> tuple[Loaded, Routing, tuple[Fault, ...]]:
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
        if loaded.ruleset is not None and tests:
            read_tests(loaded.tests, loaded.ruleset, found)
        rules = None if loaded.ruleset is None else loaded.ruleset.rules
        check_reach(routing, rules, loaded.route_nodes, found)
        if rules is not None and tests:
            check_languages(rules, routing.receivers.values(), renderer.languages, found)
        return loaded, routing, tuple(sorted({*loaded.faults, *found.sorted()}))

    def rule_tests(self) -> Iterator[Outcome]:
        """Run the rules' own tests, one by one.

        Raises:
            ConfigError: with every fault of rules, routes and tests.
        """
        loaded, routing, faults = self._rules_and_routes(tests=True)
        if loaded.ruleset is None or any(fault.severity == "error" for fault in faults):
            raise _refused(self.settings.rules_dir, faults)
        tests = read_tests(loaded.tests, loaded.ruleset, FaultList())
        yield from run_tests(tests, loaded.ruleset, routing, self.geography)

    def route_rows(self) -> list[dict[str, Any]]:
        """The route tree, one row a route, parents first."""
        routing = self.rulebook().routing
        return [route_row(routing, one) for one in routing.root.walk()] if routing.root else []

    def route_test(
        self, labels: Mapping[str, str], at: datetime | None, active: Sequence[Mapping[str, str]]
    ) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
        """Who would get an alert with these labels; and what no alert of these rules carries.

        Raises:
            UsageError: a label or value that looks like a slip of a known one.
        """
        rulebook = self.rulebook()
        asked = [f'{name}="{value}"' for one in (labels, *active) for name, value in one.items()]
        doubtful = doubts(asked, rulebook.ruleset.rules, otherwise="no alert has it")
        parts = rehearse(rulebook.routing, labels, at or self.clock.now(), active)
        return [part.as_dict() for part in parts], doubtful

    def preview(
        self,
        name: str | None,
        sample: str | None,
        language: str | None,
        receiver: str | None,
        folder: Path | None,
    ) -> dict[str, Any]:
        """Write a message about an alert, a notice or a sample as its readers would see it.

        Raises:
            UsageError: no such alert, sample, language or receiver, or nothing was ever said of it.
        """
        now = self.clock.now()
        routing = self._rules_and_routes()[1]
        if receiver is not None and receiver not in routing.receivers:
            hint = did_you_mean(receiver, routing.receivers)
            raise UsageError(f"no receiver '{receiver}'{hint}")
        renderer = self.renderer()
        eyes = reader(
            routing.receivers.get(receiver or ""),
            language=language,
            languages=renderer.languages,
            time_zone=self.settings.time_zone,
        )
        notice = sample_of(sample, now) if sample is not None else self._last_notice(name or "")
        seen_at = notice.at if sample is not None else now
        rendered, files = preview(notice, eyes, renderer, seen_at)
        target = folder or Path(f"preview-{sample or notice.alert_id}")
        target.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (target / file).write_bytes(content)
        return {
            "subject": rendered.subject,
            "notice": notice.id,
            "action": notice.action,
            "language": eyes.language,
            "fallback": rendered.fallback or None,
            "files": [str(target / file) for file in files],
        }

    def _last_notice(self, name: str) -> Notice:
        """The notice of that id, or the newest one of the alert, alone or in a summary."""
        with self.read() as store:
            found = ledger.load_notices(store.connection, ids=[name])
            if found:
                return found[0]
            alert = find_alert(store.connection, name)
            ids = [row["notice_id"] for row in stops.notices(store.connection, alert.id)]
            notices = ledger.load_notices(store.connection, ids=ids)
        if not notices:
            raise UsageError(
                f"nothing was ever said of alert {alert.id} ({alert.silence_reason or 'silent'}); "
                f"`warden explain {alert.id}` tells why"
            )
        return notices[-1]

    def backtest(
        self,
        *,
        files: Sequence[Path],
        rules: Sequence[str],
        first: date | None,
        last: date | None,
        step: str | None,
        known: str | None,
    ) -> Backtest:
        """Prepare a backtest: over files by a model, else over the stored cycles.

        Raises:
            UsageError: arguments that make no sense together, or nothing to go back over.
        """
        ruleset, left_out = of_events(self.ruleset(), rules)
        if files:
            read = read_all(list(_expand(files)), self.clock.now())
            plan = model(
                read.records,
                parse_known(known or "event_date+10d"),
                first=first,
                last=last,
                step_days=parse_step(step or "7d"),
            )
            return Backtest(plan, ruleset, self.geography, read.rejected, left_out)
        if step is not None or known is not None:
            raise UsageError(
                "--step and --known are for --events: what is stored is replayed as it was known, "
                "at the cycles as they were"
            )
        with self.read() as store:
            plan = replay(store.connection, first=first, last=last)
        return Backtest(plan, ruleset, self.geography, left_out=left_out)

    def backtest_picture(
        self, summary: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], *, png: bool
    ) -> bytes:
        """What a backtest told, drawn: a PNG of twice the size it is shown at, or an SVG."""
        svg = backtest_svg(summary, rows, Easel(template_folders(self.settings.templates_dir)))
        return draw_png(svg, width_px=2 * BACKTEST_WIDTH) if png else svg.encode()

    def calibration(
        self,
        rule_id: str,
        *,
        files: Sequence[Path],
        now: datetime | None,
        replicates: int | None,
        seed: int,
    ) -> Task:
        """Make a rule's calibration ready, on the stored history or that of files.

        Raises:
            UsageError: no such rule, one without chance, or too little history.
        """
        ruleset = choose(self.ruleset(), [rule_id])
        rule = ruleset.rules[0]
        with self._events(files) as store:
            frame = Frame.from_rows(FRAME_COLUMNS, load_rows(store.connection))
            known = {} if files else complete_through(store.connection)
        moment = now or (_day_after(frame) if files else self.clock.now())
        frame = frame.take(np.flatnonzero(frame.day <= day_number(moment.date())))
        matches = Matcher(rule, self.geography, Names(ruleset.aliases)).match(frame)
        horizon = _stand(frame, known, moment)
        return prepare(rule, matches, horizon, replicates=replicates, seed=seed)

    def calibrations(self, rule_id: str | None = None) -> list[dict[str, Any]]:
        """What the newest calibration of each rule found, and whether it still holds.

        `current`: the rule is as it was then.
        """
        if not self.settings.database.exists():
            return []
        with self.read() as store:
            rows = calibrations(store.connection, rule_id)
        versions = {rule.id: rule.version for rule in self.ruleset().rules} if rows else {}
        return [{**row, "current": versions.get(row["rule"]) == row["version"]} for row in rows]

    def _kept_calibrations(self) -> list[dict[str, Any]]:
        """`calibrations`, none where the rules cannot be read now: `status` is no check."""
        try:
            return self.calibrations()
        except ConfigError:
            return []

    def calibration_picture(self, row: Mapping[str, Any], *, png: bool) -> bytes:
        """What a calibration found, drawn: a PNG of twice the size it is shown at, or an SVG."""
        svg = calibration_svg(row, Easel(template_folders(self.settings.templates_dir)))
        return draw_png(svg, width_px=2 * calibration.WIDTH) if png else svg.encode()

    def explain(self, name: str, files: Sequence[Path] = ()) -> tuple[str, list[dict[str, Any]]]:
        """Explain an event (by uid or the source's id) or an alert; say which of the two it is.

        Raises:
            UsageError: there is neither an event nor an alert of that name.
        """
        with self._events(files) as store:
            rows = explain_alert(store.connection, name, self.clock.now())
            if rows:
                return "alert", rows
            uid = find_event(store.connection, name)
            if uid is None:
                raise UsageError(
                    f"no event and no alert '{name}'; `warden alerts --all` lists alerts, an event "
                    "is named as acled:MLI1234 or by its source's id alone"
                )
            ruleset, evaluated = self.ruleset(), not files
            found = explain_event(
                store.connection, uid, ruleset, self.geography, evaluated=evaluated
            )
            return "event", list(found)

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
            return station.one_cycle()

    def act(
        self, command: str, arguments: Mapping[str, Any], files: Sequence[Path] = ()
    ) -> Iterator[dict[str, Any]]:
        """Do an operator's command: by the running daemon, else here under the lock."""
        paths = tuple(_expand(files))
        asked = {**arguments, "names": [str(path) for path in paths]} if files else arguments
        with ExitStack() as stack:
            opened = [stack.enter_context(path.open("rb")) for path in paths]
            rows = call(self.settings.control_socket, command, asked, opened)
            if rows is not None:
                yield from rows
                return
        with self._open_alone() as station:
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

    def places(self) -> Gazetteer:
        """What measures from points, by the rules' places and borders."""
        return Gazetteer(self.ruleset(), self.geography, countries.resolve)

    def series(
        self,
        rule_id: str,
        *,
        by: str,
        measure: str | None,
        now: datetime | None,
        files: Sequence[Path],
    ) -> tuple[Point, ...]:
        """A rule's measure over time, from the database or from files."""
        ruleset = self.ruleset()
        rule = ruleset.rule(rule_id)
        if rule is None:
            hint = did_you_mean(rule_id, [one.id for one in ruleset.rules])
            raise UsageError(f"no rule '{rule_id}'{hint}")
        if not RULE_KINDS[rule.kind].about_events:
            raise UsageError(
                f"rule '{rule_id}' is of the kind {rule.kind}, which counts no events; "
                "`warden sources` and `warden status` show what it looks at"
            )
        frame, through = self._frame(files)
        if not len(frame):
            return ()
        newest = day_from_number(int(frame.day.max()))
        today = now.date() if now is not None else newest if files else self.clock.now().date()
        if now is not None:
            frame = frame.take((frame.day <= (today - date(1970, 1, 1)).days).nonzero()[0])
        if not len(frame):
            return ()
        matches = Matcher(rule, self.geography, Names(ruleset.aliases)).match(frame)
        return points(
            matches,
            by=_period(by),
            measure=measure or _measure(rule),
            first=day_from_number(int(frame.day.min())),
            today=today,
            known_through=min(through or (today if files else newest), today),
            rule=_measuring(rule, measure),
        )

    def kept_projections(self, rule_id: str) -> list[dict[str, Any]]:
        """What a rule projected at each month's end, and what its periods came to."""
        if self.ruleset().rule(rule_id) is None:
            hint = did_you_mean(rule_id, [one.id for one in self.ruleset().rules])
            raise UsageError(f"no rule '{rule_id}'{hint}")
        with self.read() as store:
            return [
                {
                    **asdict(one),
                    **{n: getattr(one, n).isoformat() for n in ("first_day", "last_day", "on_day")},
                    "key": dict(one.key),
                    "inside": one.inside,
                    "error": one.error,
                }
                for one in load_projections(store.connection, rule_id)
            ]

    def actors(self, files: Sequence[Path] = ()) -> list[dict[str, Any]]:
        """The actors seen, their groups, how often and when, and whom they may be renamed from."""
        ruleset = self.ruleset()
        groups = ruleset.groups
        with self._events(files) as store:
            rows = reports.actor_rows(store.connection)
        for row in rows:
            row["groups"] = [one.id for one in groups.values() if in_group(one, row["name"])]
        _tell_renames(rows, Names(ruleset.aliases))
        return rows

    def _frame(self, files: Sequence[Path]) -> tuple[Frame, date | None]:
        """Events as columns, and the newest day that is fully known, if known."""
        with self._events(files) as store:
            rows = load_rows(store.connection)
            known = complete_through(store.connection)
        frame = Frame.from_rows(FRAME_COLUMNS, rows)
        return frame, None if files else min(known.values(), default=None)

    def _events(self, files: Sequence[Path]) -> Store:
        """The database, or a temporary one with the events of these files."""
        if not files:
            return self.read()
        store = open_store(MEMORY)
        for path in _expand(files):
            result = ingest(store, read_files([path], source_name=FILES_SOURCE), self.clock)
            if result.state != "ok" and not result.counts.served:
                store.close()
                raise WardenError(result.sentence)
            self.rejected += result.counts.rejected
        return store

    def alerts(
        self, *, rule: str | None, state: str | None, told: bool, limit: int
    ) -> list[dict[str, Any]]:
        """Alerts of the ledger, those last changed first."""
        with self.read() as store:
            rows = reports.alert_rows(
                store.connection, rule=rule, state=state, told=told, limit=limit
            )
            judged = people.precision(store.connection)
            for row in rows:
                found = judged.get(row["rule"])
                row["precision"] = found.counts() if found is not None and found.told else None
            if rule is not None and not rows:
                self._refuse_unknown(rule, ledger.rule_ids(store.connection))
        return rows

    def _refuse_unknown(self, rule_id: str, remembered: Sequence[str]) -> None:
        """Raise UsageError for a rule that neither the rulebook nor the ledger knows."""
        loaded = self.load()
        known = [rule.id for rule in loaded.ruleset.rules] if loaded.ruleset is not None else []
        if rule_id not in {*known, *remembered}:
            hint = did_you_mean(rule_id, [*known, *remembered])
            raise UsageError(f"no rule '{rule_id}'{hint}")

    def silences(self, *, over: bool) -> list[dict[str, Any]]:
        """The silences that hold or will, those that are over too where asked."""
        now = self.clock.now()
        with self.read() as store:
            rows = [silence_row(one, now) for one in people.silences(store.connection)]
        return [row for row in rows if over or row["state"] != "expired"]

    def silence(self, number: int) -> dict[str, Any]:
        """A silence, and the active alerts that it describes.

        Raises:
            UsageError: there is none of that number.
        """
        ruleset = self.ruleset()
        with self.read() as store:
            found = people.silence(store.connection, number)
            if found is None:
                raise UsageError(f"no silence {number}; `warden silence list --all` lists them")
            held = held_by(store.connection, found, ruleset)
        return {**silence_row(found, self.clock.now()), "holds": held}

    def for_review(self) -> list[dict[str, Any]]:
        """What waits for `warden release`."""
        with self.read() as store:
            return outbox.in_review(store.connection)

    def deliveries(self, *, state: str | None, limit: int) -> list[dict[str, Any]]:
        """Deliveries, newest first."""
        with self.read() as store:
            states = () if state is None else (state,)
            return outbox.list_deliveries(store.connection, states=states, limit=limit)

    def sources_report(self) -> list[dict[str, Any]]:
        """Every source configured or ever polled, with its state."""
        configured = {one.name: str(getattr(one, "kind", "")) for one in self.source_settings}
        polled: dict[str, dict[str, Any]] = {}
        if self.settings.database.exists():
            with self.read() as store:
                polled = {row["name"]: row for row in reports.source_rows(store.connection)}
        never = {"state": "never polled", "sentence": "not polled yet", "events": 0, "failures": 0}
        rows = [
            polled.pop(name, {"name": name, "kind": kind, **never})
            for name, kind in configured.items()
        ]
        return [{**row, "configured": True} for row in rows] + [
            {**row, "configured": False} for row in polled.values()
        ]

    def status(self) -> dict[str, Any]:
        """Whether all is well: the daemon's word, and what the database says."""
        daemon = self._daemon_report()
        report: dict[str, Any] = {
            "daemon": daemon,
            "database": None,
            "rules": str(self.settings.rules_dir),
            "sources": self.sources_report(),
            "alerts": None,
            "silences": None,
            "precision": {},
            "projections": {},
            "deliveries": None,
        }
        if self.settings.database.exists():
            with self.read() as store:
                events = reports.event_counts(store.connection)
                report["database"] = {"path": str(self.settings.database), **events}
                report["alerts"] = reports.alert_counts(store.connection)
                active = people.silences(store.connection, active_at=self.clock.now())
                report["silences"] = {"active": len(active)}
                judged = people.precision(store.connection).items()
                report["precision"] = {rule: one.counts() for rule, one in judged if one.told}
                report["projections"] = coverage(store.connection)
                report["deliveries"] = outbox.counts(store.connection)
        newest = nightly_backups(self.settings.backup_dir)[-1:]
        report["backup"] = str(newest[0]) if newest else None
        report["calibrations"] = [
            {name: row[name] for name in _CALIBRATED} for row in self._kept_calibrations()
        ]
        report["troubles"] = list(_troubles(report))
        return report

    def _daemon_report(self) -> dict[str, Any] | None:
        rows = call(self.settings.control_socket, "status", {})
        return None if rows is None else next(rows, None)


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


def _day_after(frame: Frame) -> datetime:
    """Midnight after the newest event."""
    newest = int(frame.day.max()) if len(frame) else 0
    return datetime.combine(day_from_number(newest + 1), time.min, UTC)


def _stand(frame: Frame, known: Mapping[str, date], now: datetime) -> Horizon:
    """What is known of events as of now; through the newest one where no source says more."""
    if not len(frame):
        return Horizon(now)
    newest, oldest = int(frame.day.max()), int(frame.day.min())
    through = {
        name: min(known.get(name, day_from_number(newest)), now.date()) for name in frame.datasets()
    }
    return Horizon(now, through, dict.fromkeys(through, day_from_number(oldest)))


def _refused(place: Path, faults: Sequence[Fault]) -> ConfigError:
    errors = sum(fault.severity == "error" for fault in faults)
    count = "1 error" if errors == 1 else f"{errors} errors"
    return ConfigError(f"{count} in the rules ({place})", tuple(faults))


def _expand(files: Sequence[Path]) -> Iterator[Path]:
    """Files as they are, folders as the files in them."""
    for path in files:
        if path.is_dir():
            yield from sorted(one for one in path.iterdir() if one.is_file())
        else:
            yield path


def _period(text: str) -> Period:
    return next(period for period in PERIODS if period == text)


def _measure(rule: Rule) -> str:
    """What the rule itself counts; events where it counts nothing."""
    measure = getattr(rule.parameters, "measure", "events")
    return measure if measure in get_args(Measure) else "events"


def _tell_renames(rows: Sequence[dict[str, Any]], names: Names) -> None:
    """Put `possible_rename_of` into the rows of actors: a name, or None."""
    spans = {
        row["name"]: Seen(
            names.canonical(row["name"]),
            day_number(date.fromisoformat(row["first_day"])),
            day_number(date.fromisoformat(row["last_day"])),
            row["events"],
            frozenset((row.pop("countries") or "").split(",")) - {""},
        )
        for row in rows
    }
    found = possible_renames(list(spans.values()))
    for row in rows:
        old = found.get(spans[row["name"]].name)
        row["possible_rename_of"] = None if old is None else old.name


def _measuring(rule: Rule, measure: str | None) -> Rule:
    """The rule with another measure, where one is asked for."""
    if rule.kind != "projection" or measure is None:
        return rule
    return replace(rule, parameters=rule.parameters.model_copy(update={"measure": measure}))


_CALIBRATED = ("rule", "calibrated_at", "budget", "false_alerts_per_year", "current")
_FINE = frozenset({"ok", "paused", "disabled", "never polled"})


def _troubles(report: Mapping[str, Any]) -> Iterator[str]:
    """What an operator should look at, in sentences."""
    for source in report["sources"]:
        if source["configured"] and source["state"] not in _FINE:
            yield f"source {source['name']} is {source['state']}: {source['sentence']}"
    deliveries = report["deliveries"] or {}
    if deliveries.get("dead"):
        yield f"{deliveries['dead']} deliveries are dead; `warden deliveries --state dead`"
    if deliveries.get("held_review"):
        yield f"{deliveries['held_review']} notices wait for a person; `warden release --list`"
    if deliveries.get("template_fallbacks"):
        yield f"{deliveries['template_fallbacks']} messages used the plain template"
    daemon = report["daemon"] or {}
    for job in daemon.get("jobs", ()):
        if job["failures"]:
            yield f"job {job['job']} failed {job['failures']} times, last: {job['error']}"
    for rule, error in (daemon.get("failing_rules") or {}).items():
        yield f"rule {rule} could not be evaluated: {error}"
    reload = daemon.get("reload") or {}
    if reload.get("refused"):
        yield f"the last reload was refused: {reload['refused']}"
