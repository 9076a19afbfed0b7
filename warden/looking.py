"""What is: alerts, silences, deliveries, sources, and whether all is well.

Standing in the flow: the command line asks; the database is opened for reading only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from warden.app import App
from warden.control import call
from warden.errors import ConfigError, UsageError
from warden.model.located import did_you_mean
from warden.people import held_by, silence_row
from warden.store import (
    ledger,
    outbox,
    people,
    reports,
)
from warden.store.backup import nightly_backups
from warden.store.calibrations import calibrations
from warden.store.projections import coverage

_CALIBRATED = ("rule", "calibrated_at", "budget", "false_alerts_per_year", "current")
_FINE = frozenset({"ok", "paused", "disabled", "never polled"})


class Looking:
    """Looks at one installation's ledger."""

    def __init__(self, app: App) -> None:
        self._app = app

    def alerts(
        self, *, rule: str | None, state: str | None, told: bool, limit: int
    ) -> list[dict[str, Any]]:
        """Alerts of the ledger, those last changed first."""
        with self._app.read() as store:
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
        loaded = self._app.load()
        known = [rule.id for rule in loaded.ruleset.rules] if loaded.ruleset is not None else []
        if rule_id not in {*known, *remembered}:
            hint = did_you_mean(rule_id, [*known, *remembered])
            raise UsageError(f"no rule '{rule_id}'{hint}")

    def silences(self, *, over: bool) -> list[dict[str, Any]]:
        """The silences that hold or will, those that are over too where asked."""
        now = self._app.clock.now()
        with self._app.read() as store:
            rows = [silence_row(one, now) for one in people.silences(store.connection)]
        return [row for row in rows if over or row["state"] != "expired"]

    def silence(self, number: int) -> dict[str, Any]:
        """A silence, and the active alerts that it describes.

        Raises:
            UsageError: there is none of that number.
        """
        ruleset = self._app.ruleset()
        with self._app.read() as store:
            found = people.silence(store.connection, number)
            if found is None:
                raise UsageError(f"no silence {number}; `warden silence list --all` lists them")
            held = held_by(store.connection, found, ruleset)
        return {**silence_row(found, self._app.clock.now()), "holds": held}

    def for_review(self) -> list[dict[str, Any]]:
        """What waits for `warden release`."""
        with self._app.read() as store:
            return outbox.in_review(store.connection)

    def deliveries(self, *, state: str | None, limit: int) -> list[dict[str, Any]]:
        """Deliveries, newest first."""
        with self._app.read() as store:
            states = () if state is None else (state,)
            return outbox.list_deliveries(store.connection, states=states, limit=limit)

    def sources_report(self) -> list[dict[str, Any]]:
        """Every source configured or ever polled, with its state."""
        configured = {one.name: str(getattr(one, "kind", "")) for one in self._app.source_settings}
        polled: dict[str, dict[str, Any]] = {}
        if self._app.settings.database.exists():
            with self._app.read() as store:
                polled = {row["name"]: row for row in reports.source_rows(store.connection)}
        never = {"state": "never polled", "sentence": "not polled yet", "events": 0, "failures": 0}
        rows = [
            polled.pop(name, {"name": name, "kind": kind, **never})
            for name, kind in configured.items()
        ]
        return [{**row, "configured": True} for row in rows] + [
            {**row, "configured": False} for row in polled.values()
        ]

    def calibrations(self, rule_id: str | None = None) -> list[dict[str, Any]]:
        """What the newest calibration of each rule found, and whether it still holds.

        `current`: the rule is as it was then.
        """
        if not self._app.settings.database.exists():
            return []
        with self._app.read() as store:
            rows = calibrations(store.connection, rule_id)
        versions = {rule.id: rule.version for rule in self._app.ruleset().rules} if rows else {}
        return [{**row, "current": versions.get(row["rule"]) == row["version"]} for row in rows]

    def _kept_calibrations(self) -> list[dict[str, Any]]:
        """`calibrations`, none where the rules cannot be read now: `status` is no check."""
        try:
            return self.calibrations()
        except ConfigError:
            return []

    def status(self) -> dict[str, Any]:
        """Whether all is well: the daemon's word, and what the database says."""
        daemon = self._daemon_report()
        report: dict[str, Any] = {
            "daemon": daemon,
            "database": None,
            "rules": str(self._app.settings.rules_dir),
            "sources": self.sources_report(),
            "alerts": None,
            "silences": None,
            "precision": {},
            "projections": {},
            "deliveries": None,
        }
        if self._app.settings.database.exists():
            with self._app.read() as store:
                events = reports.event_counts(store.connection)
                report["database"] = {"path": str(self._app.settings.database), **events}
                report["alerts"] = reports.alert_counts(store.connection)
                active = people.silences(store.connection, active_at=self._app.clock.now())
                report["silences"] = {"active": len(active)}
                judged = people.precision(store.connection).items()
                report["precision"] = {rule: one.counts() for rule, one in judged if one.told}
                report["projections"] = coverage(store.connection)
                report["deliveries"] = outbox.counts(store.connection)
        report["backup"] = self._newest_backup()
        report["calibrations"] = [
            {name: row[name] for name in _CALIBRATED} for row in self._kept_calibrations()
        ]
        report["troubles"] = list(_troubles(report))
        return report

    def _newest_backup(self) -> str | None:
        """The newest nightly one that no clock made which was ahead."""
        settings = self._app.settings
        today = self._app.clock.now().astimezone(ZoneInfo(settings.time_zone)).date()
        newest = nightly_backups(settings.backup_dir, today)[-1:]
        return str(newest[0]) if newest else None

    def _daemon_report(self) -> dict[str, Any] | None:
        rows = call(self._app.settings.control_socket, "status", {})
        return None if rows is None else next(rows, None)


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
    yield from _troubles_of_daemon(report["daemon"] or {})


def _troubles_of_daemon(daemon: Mapping[str, Any]) -> Iterator[str]:
    for job in daemon.get("jobs", ()):
        if job["failures"]:
            yield f"job {job['job']} failed {job['failures']} times, last: {job['error']}"
    for rule, error in (daemon.get("failing_rules") or {}).items():
        yield f"rule {rule} could not be evaluated: {error}"
    reload = daemon.get("reload") or {}
    if reload.get("routed") is False:
        yield "no routes are in force: nobody hears of an alert"
    if reload.get("refused"):
        yield f"the last reload was refused: {reload['refused']}"
