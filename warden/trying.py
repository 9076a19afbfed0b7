"""What would be: rules tried on what is stored or on files, routes rehearsed, messages shown.

Standing in the flow: the command line asks; nothing here changes what is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, get_args

import numpy as np

from warden.app import FILES_SOURCE, App, expand, refused
from warden.engine.actors import Names, in_group
from warden.engine.frame import Frame, day_from_number, day_number
from warden.engine.gazetteer import Gazetteer
from warden.engine.horizon import Horizon
from warden.engine.kinds import KINDS as RULE_KINDS
from warden.engine.kinds.base import Measure
from warden.engine.renames import Seen, possible_renames
from warden.engine.series import PERIODS, Period, Point, points
from warden.engine.where import Matcher
from warden.errors import UsageError, WardenError
from warden.geodata import countries
from warden.ingest import ingest
from warden.model.located import FaultList, did_you_mean
from warden.model.notice import Notice
from warden.model.rule import Rule
from warden.notify.preview import preview, reader
from warden.notify.preview import sample as sample_of
from warden.notify.rehearsal import rehearse, route_row
from warden.notify.render import template_folders
from warden.notify.silences import doubts
from warden.people import find_alert
from warden.pictures import Easel, calibration
from warden.pictures import png as draw_png
from warden.pictures.backtest import WIDTH as BACKTEST_WIDTH
from warden.pictures.backtest import backtest_svg
from warden.pictures.calibration import calibration_svg
from warden.sources.file import read_files
from warden.store import (
    MEMORY,
    Store,
    ledger,
    open_store,
    reports,
    stops,
)
from warden.store.events import FRAME_COLUMNS, find_event, load_rows
from warden.store.projections import load_projections
from warden.store.sources import complete_through
from warden.trial.backtest import (
    Backtest,
    choose,
    model,
    of_events,
    parse_known,
    parse_step,
)
from warden.trial.calibration import Task, prepare
from warden.trial.explain import explain_alert, explain_event, explain_summary
from warden.trial.files import read_all
from warden.trial.replay import replay
from warden.trial.ruletest import Outcome, run_tests
from warden.trial.testfiles import read_tests


class Trying:
    """Tries one installation's rules, routes and words.

    Attributes:
        rejected: rows of files named by hand that could not be read.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self.rejected = 0

    def rule_tests(self) -> Iterator[Outcome]:
        """Run the rules' own tests, one by one.

        Raises:
            ConfigError: with every fault of rules, routes and tests.
        """
        loaded, routing, faults = self._app.rules_and_routes(tests=True)
        if loaded.ruleset is None or any(fault.severity == "error" for fault in faults):
            raise refused(self._app.settings.rules_dir, faults)
        tests = read_tests(loaded.tests, loaded.ruleset, FaultList())
        yield from run_tests(tests, loaded.ruleset, routing, self._app.geography)

    def route_rows(self) -> list[dict[str, Any]]:
        """The route tree, one row a route, parents first."""
        routing = self._app.rulebook().routing
        return [route_row(routing, one) for one in routing.root.walk()] if routing.root else []

    def route_test(
        self, labels: Mapping[str, str], at: datetime | None, active: Sequence[Mapping[str, str]]
    ) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
        """Who would get an alert with these labels; and what no alert of these rules carries.

        Raises:
            UsageError: a label or value that looks like a slip of a known one.
        """
        rulebook = self._app.rulebook()
        asked = [f'{name}="{value}"' for one in (labels, *active) for name, value in one.items()]
        doubtful = doubts(asked, rulebook.ruleset.rules, otherwise="no alert has it")
        parts = rehearse(rulebook.routing, labels, at or self._app.clock.now(), active)
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
        now = self._app.clock.now()
        routing = self._app.rules_and_routes()[1]
        if receiver is not None and receiver not in routing.receivers:
            hint = did_you_mean(receiver, routing.receivers)
            raise UsageError(f"no receiver '{receiver}'{hint}")
        renderer = self._app.renderer()
        eyes = reader(
            routing.receivers.get(receiver or ""),
            language=language,
            languages=renderer.languages,
            time_zone=self._app.settings.time_zone,
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
        with self._app.read() as store:
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
        ruleset, left_out = of_events(self._app.ruleset(), rules)
        if files:
            read = read_all(list(expand(files)), self._app.clock.now())
            plan = model(
                read.records,
                parse_known(known or "event_date+10d"),
                first=first,
                last=last,
                step_days=parse_step(step or "7d"),
            )
            return Backtest(plan, ruleset, self._app.geography, read.rejected, left_out)
        if step is not None or known is not None:
            raise UsageError(
                "--step and --known are for --events: what is stored is replayed as it was known, "
                "at the cycles as they were"
            )
        with self._app.read() as store:
            plan = replay(store.connection, first=first, last=last)
        return Backtest(plan, ruleset, self._app.geography, left_out=left_out)

    def backtest_picture(
        self, summary: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], *, png: bool
    ) -> bytes:
        """What a backtest told, drawn: a PNG of twice the size it is shown at, or an SVG."""
        svg = backtest_svg(summary, rows, Easel(template_folders(self._app.settings.templates_dir)))
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
        ruleset = choose(self._app.ruleset(), [rule_id])
        rule = ruleset.rules[0]
        with self._events(files) as store:
            frame = Frame.from_rows(FRAME_COLUMNS, load_rows(store.connection))
            known = {} if files else complete_through(store.connection)
        moment = now or (_day_after(frame) if files else self._app.clock.now())
        frame = frame.take(np.flatnonzero(frame.day <= day_number(moment.date())))
        matches = Matcher(rule, self._app.geography, Names(ruleset.aliases)).match(frame)
        horizon = _stand(frame, known, moment)
        return prepare(rule, matches, horizon, replicates=replicates, seed=seed)

    def calibration_picture(self, row: Mapping[str, Any], *, png: bool) -> bytes:
        """What a calibration found, drawn: a PNG of twice the size it is shown at, or an SVG."""
        svg = calibration_svg(row, Easel(template_folders(self._app.settings.templates_dir)))
        return draw_png(svg, width_px=2 * calibration.WIDTH) if png else svg.encode()

    def explain(self, name: str, files: Sequence[Path] = ()) -> tuple[str, list[dict[str, Any]]]:
        """Explain an event (by uid or the source's id), an alert or a summary; say which it is.

        Raises:
            UsageError: there is no event, no alert and no summary of that name.
        """
        with self._events(files) as store:
            rows = explain_alert(store.connection, name, self._app.clock.now())
            if rows:
                return "alert", rows
            rows = explain_summary(store.connection, name)
            if rows:
                return "summary", rows
            uid = find_event(store.connection, name)
            if uid is None:
                raise UsageError(
                    f"no event and no alert '{name}'; `warden alerts --all` lists alerts, an event "
                    "is named as acled:MLI1234 or by its source's id alone"
                )
            ruleset, evaluated = self._app.ruleset(), not files
            found = explain_event(
                store.connection, uid, ruleset, self._app.geography, evaluated=evaluated
            )
            return "event", list(found)

    def places(self) -> Gazetteer:
        """What measures from points, by the rules' places and borders."""
        return Gazetteer(self._app.ruleset(), self._app.geography, countries.resolve)

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
        ruleset = self._app.ruleset()
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
        today = now.date() if now is not None else newest if files else self._app.clock.now().date()
        if now is not None:
            frame = frame.take((frame.day <= (today - date(1970, 1, 1)).days).nonzero()[0])
        if not len(frame):
            return ()
        matches = Matcher(rule, self._app.geography, Names(ruleset.aliases)).match(frame)
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
        if self._app.ruleset().rule(rule_id) is None:
            hint = did_you_mean(rule_id, [one.id for one in self._app.ruleset().rules])
            raise UsageError(f"no rule '{rule_id}'{hint}")
        with self._app.read() as store:
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
        ruleset = self._app.ruleset()
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
            return self._app.read()
        store = open_store(MEMORY)
        for path in expand(files):
            result = ingest(store, read_files([path], source_name=FILES_SOURCE), self._app.clock)
            if result.state != "ok" and not result.counts.served:
                store.close()
                raise WardenError(result.sentence)
            self.rejected += result.counts.rejected
        return store


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
