"""A day at the outbox, told as a timetable: what was decided when, and who was told when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from helpers_notify import NOW, good_routing, notice

from warden.clock import ManualClock
from warden.deliver import flush
from warden.model.alert import Alert
from warden.notify import plan
from warden.notify.render import Renderer
from warden.store import ledger, outbox, people

RENDERER = Renderer()
DAY = date(2024, 1, 9)


class Timetable:
    """Notices pushed into an outbox and flushed as the clock moves; minutes since `NOW`."""

    def __init__(self, store, routes):
        self.store = store
        self.routing = good_routing(routes)
        self.clock = ManualClock(NOW)
        self._number = 0
        self._alerts = {}
        self._reported = 0

    def moment(self, minute):
        return NOW + timedelta(minutes=minute)

    def push(self, minute, alert, action="alert", *, ledger_state=None, **changes):
        """Commit a notice with its dispatches, and the ledger's entry of the alert."""
        self._number += 1
        at = self.moment(minute)
        one = notice(self._number, alert=alert, at=at, action=action, **changes)
        ends = {"resolved": "ended", "cancel": "cancelled"}
        state = ledger_state or ends.get(action, "active")
        with self.store.transaction() as tx:
            ledger.add_notice(tx, one, None)
            if action != "summary":
                self._enter(tx, one, state, at)
            told = outbox.told(tx, [alert])
            outbox.add_dispatches(tx, plan.dispatches([one], self.routing, at, told))
        return one.id

    def _enter(self, tx, one, state, at):
        before = self._alerts.get(one.alert_id)
        entry = Alert(
            id=one.alert_id, rule_id=one.rule_id, rule_version="0", key=one.key, state=state,
            severity=one.severity, first_day=DAY, last_day=DAY, since=DAY, until=DAY, value=1.0,
            evidence=(), facts=one.facts, raised_at=before.raised_at if before else at,
            changed_at=at, told=True, ended_at=None if state == "active" else at,
        )  # fmt: skip
        ledger.save_alert(tx, entry, before)
        self._alerts[one.alert_id] = entry

    def end_silently(self, minute, alert, state="closed"):
        """The ledger closes the alert, and nobody is to be told."""
        at = self.moment(minute)
        entry = self._alerts[alert]
        ended = replace(entry, state=state, state_reason="MERGED", ended_at=at, changed_at=at)
        with self.store.transaction() as tx:
            ledger.save_alert(tx, ended, entry)
        self._alerts[alert] = ended

    def acknowledge(self, minute, alert):
        entry = replace(self._alerts[alert], acknowledged_at=self.moment(minute))
        with self.store.transaction() as tx:
            ledger.save_alert(tx, entry, self._alerts[alert])
        self._alerts[alert] = entry

    def silence(self, minute, until, *matchers):
        with self.store.transaction() as tx:
            return people.add_silence(
                tx, matchers=matchers, starts_at=self.moment(minute), ends_at=self.moment(until),
                comment="market day", who="jo", now=self.moment(minute),
            )  # fmt: skip

    def release(self, minute, **which):
        ids = which.pop("ids", None)
        with self.store.transaction() as tx:
            return outbox.release(tx, ids, self.moment(minute), "jo", **which)

    def told(self, minute):
        """Flush at this minute: the messages made, each as its receiver and what it tells."""
        self.clock.set(self.moment(minute))
        flush(self.store, self.routing, RENDERER, self.clock, mail_domain="example.org")
        rows = self.store.connection.execute(
            "SELECT m.rowid, m.receiver, m.digest, b.body ->> '$.notices' FROM messages m"
            " LEFT JOIN message_bodies b ON b.message_id = m.id AND b.format = 'warden'"
            " WHERE m.rowid > ? ORDER BY m.rowid",
            (self._reported,),
        ).fetchall()
        made = []
        for number, receiver, digest, notices in rows:
            self._reported = max(self._reported, number)
            made.append((receiver, *self._said(notices), *(["digest"] if digest else [])))
        return made

    @staticmethod
    def _said(notices):
        import json  # noqa: PLC0415  one use

        return [f"{one['action']} {one['alert_id']}" for one in json.loads(notices or "[]")]

    def stops(self, alert, receiver=None):
        with self.store.reading() as tx:
            rows = outbox.stops_of(tx, alert)
        return [
            (row["action"], row["state"], row["reason"])
            for row in rows
            if receiver in {None, row["receiver"]}
        ]

    def facts(self, alert):
        """The facts of the newest message about an alert, as its words were made of them."""
        (body,) = self.store.connection.execute(
            "SELECT b.body FROM message_bodies b JOIN dispatches d ON d.message_id = b.message_id"
            " WHERE d.alert_id = ? AND b.format = 'warden' ORDER BY d.id DESC LIMIT 1",
            (alert,),
        ).fetchone()
        return body
