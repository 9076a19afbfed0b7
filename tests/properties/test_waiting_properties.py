"""Whatever holds things back, in whatever order: nothing is lost, nothing active stays untold."""

import sys
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "notify"))

from timetable import Timetable

from warden.store import open_store

ROUTES = """
receivers:
- {name: desk, email: [{to: desk@example.org}]}
- {name: checked, review: true, email: [{to: checked@example.org}]}
route:
  receiver: desk
  routes:
  - {matchers: {severity: [warning, critical]}, receiver: checked, continue: true}
  - {matchers: {severity: info}, digest: {at: '12:00'}}
  - matchers: {severity: warning}
    group_by: [rule]
    group_wait: 3m
    group_interval: 20m
    mute_time_intervals: [lunch]
  - {receiver: desk}
inhibit_rules:
- {source_matchers: {severity: critical}, target_matchers: {severity: warning}}
- {source_matchers: {severity: info}, target_matchers: {severity: critical}}
time_intervals:
- name: lunch
  time_intervals: [{times: [{start_time: '09:00', end_time: '10:00'}]}]
"""
ALERTS = st.sampled_from("abc")
SEVERITIES = st.sampled_from(["info", "warning", "critical"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), ALERTS, SEVERITIES),
        st.tuples(st.just("end"), ALERTS, st.sampled_from(["resolved", "cancel", "closes"])),
        st.tuples(st.just("silence"), SEVERITIES, st.integers(1, 90)),
        st.tuples(st.just("release"), st.just(""), st.just("")),
        st.tuples(st.just("close"), ALERTS, st.just("")),
        st.tuples(st.just("wait"), st.just(""), st.integers(1, 120)),
        st.tuples(st.just("offer"), st.just(""), st.just("")),
    ),
    min_size=1,
    max_size=25,
)


class Story:
    """Acts out the steps as evaluate and operators would, and remembers what is active."""

    def __init__(self, store):
        self.day = Timetable(store, ROUTES)
        self.minute = 0.0
        self.severity = {}
        self.told_before = set()

    def act(self, step):
        name, what, how = step
        self.minute += 0.5
        getattr(self, name)(what, how)
        self.day.told(self.minute)

    def say(self, alert, severity):
        fresh = alert not in self.severity
        action = "alert" if fresh else "update"
        reason = "FIRST" if fresh else "MATERIAL_CHANGE"
        if fresh and alert in self.told_before:
            action, reason = "update", "REOPENED"
        self.severity[alert] = severity
        self.told_before.add(alert)
        self.day.push(self.minute, alert, action, severity=severity, reason=reason)

    def end(self, alert, how):
        if alert not in self.severity:
            return
        severity = self.severity.pop(alert)
        if how == "closes":
            changes = {"reason": "NO_LONGER_MATCHES", "ledger_state": "closed"}
            self.day.push(self.minute, alert, "update", severity=severity, **changes)
        else:
            self.day.push(self.minute, alert, how, severity=severity)

    def close(self, alert, _how):
        if self.severity.pop(alert, None):
            self.day.end_silently(self.minute, alert)

    def silence(self, severity, minutes):
        self.day.silence(self.minute, self.minute + minutes, f"severity={severity}")

    def release(self, *_):
        self.day.release(self.minute, receiver="checked")

    def wait(self, _what, minutes):
        self.minute += minutes

    def offer(self, *_):
        """Everything made so far has been tried: a cancel can take nothing of it back."""
        self.day.store.connection.execute(
            "UPDATE deliveries SET attempts = 1, state = 'sent', finished_at = created_at"
            " WHERE state = 'pending'"
        )

    def until_all_holds_are_over(self):
        """A day and a half later; a person releases what waits for it."""
        for _ in range(16):
            self.minute += 150
            self.day.told(self.minute)
            self.release()
            self.day.told(self.minute)


@given(STEPS)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_dispatch_ends_told_or_with_a_reason_and_what_is_active_has_been_told(steps):
    with open_store(":memory:") as store:
        story = Story(store)
        for step in steps:
            story.act(step)
        story.until_all_holds_are_over()
        inhibiting = {"critical", "info"} & set(story.severity.values())
        left = store.connection.execute(
            "SELECT d.alert_id, d.severity, h.reason FROM dispatches d LEFT JOIN holds h"
            " ON h.dispatch_id = d.id AND h.ended_at IS NULL"
            " WHERE d.message_id IS NULL AND d.withheld_reason IS NULL"
        ).fetchall()
        # What still waits is held back by an alert that is active and told, and by nothing else.
        assert all(reason == "INHIBITED" and inhibiting for _, _, reason in left), left
        waiting = {alert for alert, _, _ in left}
        for alert in story.severity:
            newest, reason = store.connection.execute(
                "SELECT message_id, withheld_reason FROM dispatches WHERE alert_id = ?"
                " AND receiver = 'desk' ORDER BY id DESC LIMIT 1",
                (alert,),
            ).fetchone()
            assert newest or alert in waiting, (alert, reason)
        open_holds = store.connection.execute(
            "SELECT count(*) FROM holds h JOIN dispatches d ON d.id = h.dispatch_id"
            " WHERE h.ended_at IS NULL"
            " AND (d.message_id IS NOT NULL OR d.withheld_reason IS NOT NULL)"
        ).fetchone()
        assert open_holds == (0,)
        out_of_order(store)


def out_of_order(store):
    """Messages about one alert reach a receiver in the order in which things were decided."""
    rows = store.connection.execute(
        "SELECT d.alert_id, d.receiver, m.rowid, d.id FROM dispatches d"
        " JOIN messages m ON m.id = d.message_id ORDER BY d.alert_id, d.receiver, m.rowid, d.id"
    ).fetchall()
    last = {}
    for alert, receiver, _, number in rows:
        assert number > last.get((alert, receiver), 0)
        last[alert, receiver] = number
