"""Random lives of a whole warden, compared after every step with what must be so.

Each step is one of: the feed changes (new, revised, recoded, withdrawn, resurrected, out of order),
a poll (whole, broken in the middle, ending oddly), an evaluation, a delivery to receivers who
accept, refuse, fail, or accept and lose the answer; the clock moves; rules are edited, well and
badly; people silence and acknowledge; the process is restarted, or its power is cut at the n-th SQL
statement of what it is doing. `make test-stateful` runs it for minutes, with other lives each time
unless STATEFUL_SEED names them.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from support.build import record
from support.model import BAMAKO, Model, Rules
from support.promises import broken_promises
from support.rig import Rig

from warden.engine.geo.geography import FixedGeography
from warden.errors import ConfigError
from warden.evaluate import Evaluator
from warden.model.event import Record
from warden.sources.protocol import Deletion
from warden.store.values import parse_instant, parse_instant_or_none

SLOTS = 5
NEAR_KM, MID_KM, FAR_KM = 50.0, 100.0, 400.0
EDITIONS = (
    Rules(),
    Rules(km=70),
    Rules(grave="info"),
    Rules(least=2, window=10),
    Rules(near=False),
    Rules(cluster=False, max_age=60),
)
BROKEN = "rules:\n- id: near\n  kind: nothing of the sort\n"

slots = st.integers(0, SLOTS - 1)
cuts = st.one_of(st.none(), st.none(), st.integers(1, 40))
ages = st.sampled_from([1, 2, 4, 8, 12, 25, 29, 45, 70])
dead = st.sampled_from([0, 2, 3, 6, 11, 30])
places = st.sampled_from([NEAR_KM, NEAR_KM, MID_KM, NEAR_KM + 3, FAR_KM])
stamps = st.sampled_from(["now", "now", "none", "old"])
moods = st.sampled_from(["ok", "ok", "failed", "refused", "unknown"])


def point(slot: int, km: float) -> tuple[float, float]:
    """A place of a slot's own, far from all others', so that no event looks like another's heir."""
    bearing = 2 * math.pi * slot / SLOTS
    lat = BAMAKO[0] + km * math.cos(bearing) / 110.57
    return lat, BAMAKO[1] + km * math.sin(bearing) / (111.32 * math.cos(math.radians(BAMAKO[0])))


@dataclass
class Quiet:
    """A silence, as the model knows it."""

    number: int
    rule: str
    ends_at: datetime


class Lives(RuleBasedStateMachine):
    """One installation, and the model beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(Rules())
        self.rig = Rig(self.model.rules.text())
        self.quiet: list[Quiet] = []
        self.notices = 0
        self.last: dict[str, Record] = {}

    @initialize()
    def first_load(self) -> None:
        """An old event, so that what comes is news and no first load."""
        lat, lon = point(0, NEAR_KM)
        self.rig.server.log.append(record("OLD", "2021-01-01", lat=lat, lon=lon, fatalities=2))
        self.poll(None, moves=True, cut=None)
        self.evaluate(None)

    def teardown(self) -> None:
        """Let everything come to its end, and hold the whole history to the promises."""
        try:
            self.come_to_rest()
        finally:
            self.rig.close()

    # --- the feed -----------------------------------------------------------------------------

    @rule(slot=slots, age=ages, fatalities=dead, km=places, stamp=stamps)
    def state(self, slot: int, age: int, fatalities: int, km: float, stamp: str) -> None:
        """The source states an event: a new one, or another version of it."""
        now = self.rig.clock.now()
        lat, lon = point(slot, km)
        stamped = {"now": now, "none": None, "old": now - timedelta(days=3)}[stamp]
        made = record(
            f"E{slot}", now.date() - timedelta(days=age), fatalities=fatalities, lat=lat, lon=lon,
            source_updated_at=stamped,
        )  # fmt: skip
        self.last[made.source_id] = made
        self.rig.server.log.append(made)

    @rule(slot=slots, text=st.sampled_from(["Simulated.", "Simulated, twice."]))
    def reword(self, slot: int, text: str) -> None:
        """A cosmetic revision: nobody is to hear of it."""
        made = self.last.get(f"E{slot}")
        if made is not None:
            made = replace(made, notes=text, source_updated_at=self.rig.clock.now())
            self.rig.server.log.append(made)

    @rule(slot=slots, stamped=st.booleans())
    def withdraw(self, slot: int, *, stamped: bool) -> None:
        """The source deletes an event, which may not be there."""
        at = self.rig.clock.now() if stamped else None
        self.rig.server.log.append(Deletion(f"E{slot}", at))

    # --- the steps of a cycle -----------------------------------------------------------------

    @rule(breaks=st.one_of(st.none(), st.integers(0, 2)), moves=st.booleans(), cut=cuts)
    def poll(self, breaks: int | None, *, moves: bool, cut: int | None) -> None:
        """A walk: whole, broken in the middle, ending oddly; or the power fails in it."""
        server, model = self.rig.server, self.model
        server.breaks_after, server.moves = breaks, moves
        futures = [model.copy()]
        pages = server.pages_from(model.memory)
        for rows in pages if breaks is None else pages[:breaks]:
            futures.append(futures[-1].copy())
            futures[-1].take(rows)
        whole = breaks is None or breaks >= len(pages)
        if whole and moves:
            futures.append(futures[-1].copy())
            futures[-1].memory = len(server.log)
            covered = self.rig.clock.now().date() - timedelta(days=server.covered_days)
            futures[-1].covered = covered
        self.reach(futures, lambda: self.rig.station.poll("acled"), self.see_events, cut)

    @rule(cut=cuts)
    def evaluate(self, cut: int | None) -> None:
        """Events become decisions; a power failure leaves all of them or none."""
        future = self.model.copy()
        expected = future.evaluate(self.rig.clock.now())
        before = self.model
        self.reach([before, future], self.rig.station.evaluate, self.see_near, cut)
        said = self.heard_of_near()
        assert said == (sorted(expected) if self.model is future else [])
        if self.model is future and cut is None:
            self.check_clusters()
            self.check_nothing_is_left_to_do()

    @rule(mood=moods, cut=cuts)
    def deliver(self, mood: str, cut: int | None) -> None:
        """Decisions become messages, and are sent to receivers in some mood."""
        self.rig.world.mood = mood
        if cut is not None:
            self.rig.cut_during(self.rig.station.deliver, cut)
            return
        before = self.newest("messages")
        self.rig.station.deliver()
        self.check_flushed(before)
        if mood == "ok":
            self.check_sent()

    @rule(mood=moods)
    def cycle(self, mood: str) -> None:
        """All three, as on most days."""
        self.poll(None, moves=True, cut=None)
        self.evaluate(None)
        self.deliver(mood, None)

    # --- time, people, processes --------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 6, 24, 24, 72, 8 * 24, 20 * 24]))
    def time_passes(self, hours: int) -> None:
        """The clock moves on."""
        self.rig.clock.advance(timedelta(hours=hours))

    @rule(edition=st.sampled_from(EDITIONS))
    def edit_rules(self, edition: Rules) -> None:
        """Somebody edits the rules and reloads."""
        self.rig.write_rules(edition.text())
        self.rig.station.reload()
        self.model.rules = edition

    @rule()
    def break_rules(self) -> None:
        """Somebody saves a rule file with a fault; the last good one stays in force."""
        self.rig.write_rules(BROKEN)
        with pytest.raises(ConfigError):
            self.rig.station.reload()
        self.rig.write_rules(self.model.rules.text())

    @rule(name=st.sampled_from(["near", "cluster"]), hours=st.sampled_from([2, 30, 24 * 9]))
    def silence(self, name: str, hours: int) -> None:
        """Somebody silences a rule."""
        if not getattr(self.model.rules, name):
            return  # a matcher that names nothing may be refused as a slip
        (row,) = self.rig.act(
            "silence-add", matchers=[f"rule={name}"], comment="exercise", **{"for": f"{hours}h"}
        )
        self.quiet.append(Quiet(row["id"], name, parse_instant(row["ends_at"])))

    @rule(mood=moods)
    def end_silence(self, mood: str) -> None:
        """The newest silence is ended early, and what waited goes at once."""
        now = self.rig.clock.now()
        running = [one for one in self.quiet if one.ends_at > now]
        if running:
            self.rig.world.mood = mood
            before = self.newest("messages")
            running[-1].ends_at = now
            self.rig.act("silence-expire", ids=[running[-1].number])
            self.check_flushed(before)

    @rule(slot=slots, cut=cuts)
    def acknowledge(self, slot: int, cut: int | None) -> None:
        """Somebody takes the alert of an event on."""
        alert = self.model.near.get(f"E{slot}")
        if alert is None:
            return
        future = self.model.copy()
        future.near[f"E{slot}"].acked = True
        number = next(self.rig.column(_ALERT_OF, f"acled:E{slot}"))
        work = lambda: self.rig.act("ack", alerts=[number])  # noqa: E731
        self.reach([self.model, future], work, self.see_near, cut)

    @rule()
    def restart(self) -> None:
        """The process is stopped and started; nothing may change by that."""
        self.rig.restart()

    # --- the future that came about -----------------------------------------------------------

    def reach(
        self,
        futures: list[Model],
        work: Callable[[], Any],
        see: Callable[[], Any],
        cut: int | None,
    ) -> None:
        """Do it: without a cut the last future must have come about, with one any of them."""
        if cut is None:
            work()
            allowed = futures[-1:]
        else:
            self.rig.cut_during(work, cut)
            allowed = list(reversed(futures))
        seen = see()
        expected = [_view(see, one) for one in allowed]
        assert seen in expected, f"\nseen     {seen}\nexpected {expected}"
        self.model = allowed[expected.index(seen)]

    def see_events(self) -> Any:
        """The events, and the feed's memory, as the database has them."""
        rows = self.rig.rows(
            "SELECT source_id, status, event_date, fatalities, lat, lon, notes FROM events"
            " ORDER BY source_id"
        )
        (memory, covered) = self.rig.rows("SELECT memory, complete_through FROM source_state")[0]
        return rows, json.loads(memory).get("at", 0), covered

    def see_near(self) -> Any:
        """The alerts of the rule `near`, by event."""
        rows = self.rig.rows(
            "SELECT e.uid, a.state, a.told, a.told_at, a.told_severity,"
            " a.acknowledged_at IS NOT NULL FROM alerts a JOIN alert_evidence e"
            " ON e.alert_id = a.id AND e.held = 1 WHERE a.rule_id = 'near' ORDER BY e.uid"
        )
        return [
            (uid.partition(":")[2], state, bool(told), told and parse_instant_or_none(at),
             level if told else None, bool(acked))
            for uid, state, told, at, level, acked in rows
        ]  # fmt: skip

    def heard_of_near(self) -> list[tuple[str, str, str]]:
        """What was decided to be said of `near` since this was last asked."""
        rows = self.rig.rows(
            "SELECT n.action, n.reason, e.uid FROM notices n JOIN alert_evidence e"
            " ON e.alert_id = n.alert_id AND e.held = 1"
            " WHERE n.rule_id = 'near' AND n.action <> 'summary' AND n.rowid > ?",
            self.notices,
        )
        self.notices = self.newest("notices")
        return sorted((action, reason, uid.partition(":")[2]) for action, reason, uid in rows)

    def newest(self, table: str) -> int:
        """The last row's number."""
        return int(next(self.rig.column(f"SELECT coalesce(max(rowid), 0) FROM {table}")))

    # --- what must hold -----------------------------------------------------------------------

    def check_clusters(self) -> None:
        """Live alerts of `cluster` are its episodes: the same events, the same state, told."""
        rows = self.rig.rows(
            "SELECT a.state, a.told, a.silence_reason,"
            " (SELECT group_concat(e.uid) FROM alert_evidence e"
            "  WHERE e.alert_id = a.id AND e.held = 1)"
            " FROM alerts a WHERE a.rule_id = 'cluster' AND a.state IN ('active', 'ended')"
        )
        alerts = {
            frozenset(uid.partition(":")[2] for uid in uids.split(",")): (state, told, why)
            for state, told, why, uids in rows
        }
        episodes = {one.uids: one for one in self.model.episodes()}
        assert alerts.keys() == episodes.keys()
        assert len(alerts) == len(rows)
        today = self.rig.clock.now().date()
        for uids, (state, told, why) in alerts.items():
            one = episodes[uids]
            assert (state == "ended") == one.ended, (one, state, why)
            if not one.ended and (today - one.last_day).days <= self.model.rules.max_age:
                assert told or why == "SPLIT", (one, state, why)

    def check_nothing_is_left_to_do(self) -> None:
        """A second look, with everything read anew, plans no write."""
        station = self.rig.station
        fresh = Evaluator(station.store, station.rulebook.ruleset, FixedGeography())
        again = fresh.cycle(self.rig.clock.now(), None, dry_run=True)
        assert [(d.name, d.reason, d.previous, d.alert) for d in again.decisions if d.writes] == []
        assert again.notices == ()

    def check_flushed(self, before: int) -> None:
        """What is silenced waits, unless it says that something heard of is over; nothing else."""
        now = self.rig.clock.now()
        quiet = {one.rule for one in self.quiet if one.ends_at > now}
        waiting = self.rig.rows(
            "SELECT json_extract(labels, '$.rule'), id FROM dispatches"
            " WHERE message_id IS NULL AND withheld_reason IS NULL"
        )
        assert [one for one in waiting if one[0] not in quiet] == []
        broken = self.rig.rows(
            "SELECT d.id, d.action, json_extract(d.labels, '$.rule') FROM dispatches d"
            " JOIN messages m ON m.id = d.message_id WHERE m.rowid > ? AND NOT d.closes",
            before,
        )
        assert [one for one in broken if one[2] in quiet] == []

    def check_sent(self) -> None:
        """Receivers who accept have everything that was due."""
        now = self.rig.clock.now()
        late = [
            (state, due)
            for state, due in self.rig.rows(
                "SELECT state, due_at FROM deliveries"
                " WHERE state IN ('pending', 'sending', 'retry') ORDER BY id"
            )
            if state == "sending" or parse_instant(due) <= now
        ]
        first = self.rig.rows("SELECT 1 FROM deliveries WHERE state = 'retry' AND due_at > ?",
                              _text(now))  # fmt: skip
        assert not late or first, late

    @invariant()
    def promises_hold(self) -> None:
        """What must hold of the outbox and of what has arrived, whenever one looks."""
        accepted = self.rig.world.accepted
        keys = dict(self.rig.rows("SELECT key, state FROM deliveries"))
        assert [k for k, state in keys.items() if state == "sent" and k not in accepted] == []
        assert accepted.keys() <= keys.keys(), "nothing arrives that is not in the ledger"
        assert broken_promises(self.rig.folder / "warden.db", settled=False) == []

    @invariant()
    def the_database_is_as_the_model_says(self) -> None:
        """Also after a step that has nothing to do with it: what is not meant changes nothing."""
        for see in (self.see_events, self.see_near):
            assert see() == _view(see, self.model)
        silences = self.rig.rows(
            "SELECT id, coalesce(expired_at, ends_at) FROM silences ORDER BY id"
        )
        assert silences == [(one.number, _text(one.ends_at)) for one in self.quiet]

    def come_to_rest(self) -> None:
        """Every dispatch ends in a message or withheld, every delivery sent, dead or expired."""
        self.rig.clock.advance(timedelta(days=10))  # silences are over
        self.rig.world.mood = "ok"
        for _ in range(12):
            self.poll(None, moves=True, cut=None)
            self.evaluate(None)
            self.rig.station.deliver()
            self.rig.clock.advance(timedelta(days=2))
        self.promises_hold()
        assert broken_promises(self.rig.folder / "warden.db") == []


_ALERT_OF = (
    "SELECT a.id FROM alerts a JOIN alert_evidence e ON e.alert_id = a.id AND e.held = 1"
    " WHERE a.rule_id = 'near' AND e.uid = ?"
)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _view(see: Callable[[], Any], model: Model) -> Any:
    """What `see` should see in a world that is as the model says."""
    if see.__name__ == "see_events":
        rows = [
            (uid, "active" if one.active else "retracted", one.record.event_date.isoformat(),
             one.record.fatalities, one.record.lat, one.record.lon, one.record.notes)
            for uid, one in sorted(model.events.items())
        ]  # fmt: skip
        return rows, model.memory, model.covered and model.covered.isoformat()
    return [
        (uid, one.state, one.told, one.told and one.told_at, one.heard_level if one.told else None,
         one.acked)
        for uid, one in sorted(model.near.items())
    ]  # fmt: skip


QUICK = settings(
    max_examples=6, stateful_step_count=25, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck), print_blob=True,
)  # fmt: skip


def test_a_few_lives_go_as_the_model_says() -> None:
    run_state_machine_as_test(Lives, settings=QUICK)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_many_lives_go_as_the_model_says() -> None:
    count = int(os.environ.get("STATEFUL_EXAMPLES", "250"))
    wanted = os.environ.get("STATEFUL_SEED")
    run_state_machine_as_test(
        seed(int(wanted))(Lives) if wanted else Lives,
        settings=settings(QUICK, max_examples=count, stateful_step_count=50, derandomize=False),
    )
