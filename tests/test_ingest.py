"""The ingest step: what is committed when a walk ends well, badly, or with its process."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from support.records import record
from support.sourcing import a_row, as_csv

from warden.clock import ManualClock
from warden.errors import SourceError, StoreError
from warden.ingest import ingest
from warden.sources.file import FileSettings, FileSource, read_files
from warden.sources.protocol import Coverage, Deletion, Page, PollOutcome, Reject
from warden.store import MEMORY, open_store
from warden.store import sources as walks
from warden.store.events import count_events, events_as_of, load_event

NOW = datetime(2024, 3, 5, 12, tzinfo=UTC)
REAL = Path(__file__).parents[1].parent / "shared" / "data" / "acled" / "world-2022h1.csv"


class Scripted:
    """A source that plays a list: pages are yielded, an error is raised, an outcome returned."""

    name = "feed"
    kind = "scripted"

    def __init__(self, *script, answers=None, has=()):
        self.script = script
        self.asked = []
        self.answers = answers
        self.has = has  # ids that a look-up still finds
        self.memory_seen = None

    def poll(self, memory, now):
        self.memory_seen = dict(memory)
        return (yield from self.play(self.script))

    def look_up(self, ids, now):
        self.asked += ids
        if self.answers is not None:
            return (yield from self.play(self.answers))
        yield Page(
            "acled",
            [record(name, fatalities=7) for name in ids if name in self.has],
            deletions=[Deletion(name) for name in ids if name not in self.has],
        )
        return PollOutcome("ok", "looked up")

    def play(self, script):
        for item in script:
            if isinstance(item, Exception):
                raise item
            if isinstance(item, PollOutcome):
                return item
            yield item
        return PollOutcome("ok", "all read", {"mark": 1})


@pytest.fixture
def store():
    with open_store(MEMORY) as store:
        yield store


@pytest.fixture
def clock():
    return ManualClock(NOW)


def page(*names, **more):
    return Page("acled", [record(name) for name in names], **more)


def covering(*names, look_up, **more):
    claim = {"countries": None, "first_day": None, "last_day": None} | more
    coverage = Coverage("acled", seen=frozenset(names), look_up=look_up, **claim)
    return PollOutcome("ok", "all read", {"mark": 2}, coverage=coverage)


def numbered(count):
    return [f"{number:04}" for number in range(count)]


def test_a_walk_that_ends_well_moves_the_memory(store, clock):
    source = Scripted(
        page("1", "2"),
        page("2", "3", foreign=2, rejects=[Reject("bad", "x")]),
        PollOutcome("ok", "two pages", {"mark": 9}, date(2024, 3, 1), envelope={"count": 4}),
    )
    result = ingest(store, source, clock)
    assert result.counts.as_dict() == {
        "served": 7, "new": 3, "revised": 0, "unchanged": 0, "older": 0, "duplicate": 1,
        "foreign": 2, "rejected": 1, "retracted": 0, "reinstated": 0,
    }  # fmt: skip
    assert (result.state, result.moved, result.first_load) == ("ok", True, True)
    assert result.changed == {"acled:1", "acled:2", "acled:3"}
    status = walks.load_source(store.connection, "feed")
    assert (status.memory, status.dataset, status.failures) == ({"mark": 9}, "acled", 0)
    assert status.last_ok_at == status.last_change_at == NOW
    assert walks.complete_through(store.connection) == {"acled": date(2024, 3, 1)}
    (run,) = walks.load_runs(store.connection)
    assert (run.id, run.pages, run.counts) == (result.run, 2, result.counts)
    assert (run.memory_before, run.memory_after) == ({}, {"mark": 9})
    assert (run.envelope, run.ended_at, run.state) == ({"count": 4}, NOW, "ok")


def test_the_next_walk_gets_the_memory_and_is_no_first_load(store, clock):
    ingest(store, Scripted(page("1")), clock)
    source = Scripted(page("1"))
    result = ingest(store, source, clock)
    assert source.memory_seen == {"mark": 1}
    assert not result.first_load
    assert result.changed == frozenset()
    assert result.counts.unchanged == 1


def test_a_source_that_remembers_nothing_is_loaded_for_the_first_time_once(store, clock):
    forgetful = Scripted(page("1"), PollOutcome("ok", "read"))
    assert [ingest(store, forgetful, clock).first_load for _ in range(2)] == [True, False]


def test_a_source_that_breaks_off_keeps_its_pages_and_not_its_memory(store, clock):
    ingest(store, Scripted(), clock)
    clock.advance(timedelta(hours=1))
    broken = Scripted(page("1"), SourceError("the server hung up", state="unreachable"), page("2"))
    result = ingest(store, broken, clock)
    assert (result.state, result.sentence, result.moved) == (
        "unreachable", "the server hung up", False,
    )  # fmt: skip
    assert count_events(store.connection) == {("acled", "active"): 1}
    status = walks.load_source(store.connection, "feed")
    assert status.memory == {"mark": 1}
    assert (status.state, status.since, status.failures) == ("unreachable", clock.now(), 1)
    assert status.last_ok_at == NOW
    run = walks.load_runs(store.connection)[0]
    assert (run.state, run.memory_after, run.counts.new) == ("unreachable", None, 1)


def test_a_state_keeps_the_instant_since_when_it_holds(store, clock):
    broken = SourceError("no", state="auth_failed")
    ingest(store, Scripted(broken), clock)
    clock.advance(timedelta(hours=1))
    ingest(store, Scripted(broken), clock)
    status = walks.load_source(store.connection, "feed")
    assert (status.state, status.since, status.failures) == ("auth_failed", NOW, 2)


def test_an_unnamed_state_of_an_error_counts_as_unreachable(store, clock):
    assert ingest(store, Scripted(SourceError("?", state="odd")), clock).state == "unreachable"


def test_a_fault_of_wardens_own_is_named_in_the_state_and_raised(store, clock):
    with pytest.raises(ZeroDivisionError):
        ingest(store, Scripted(page("1"), ZeroDivisionError("oops")), clock)
    status = walks.load_source(store.connection, "feed")
    assert status.state == "unreachable"
    assert "ZeroDivisionError: oops" in status.sentence
    assert count_events(store.connection) == {("acled", "active"): 1}


def test_a_database_that_cannot_be_written_is_raised(store, clock):
    def full():
        yield page("1")
        raise StoreError("the disk is full")

    source = Scripted()
    source.poll = lambda memory, now: full()
    with pytest.raises(StoreError, match="disk is full"):
        ingest(store, source, clock)
    assert walks.load_source(store.connection, "feed") is None


def test_while_embargoed_no_data_since_is_kept(store, clock):
    day = date(2023, 3, 5)
    ingest(store, Scripted(PollOutcome("embargoed", "old only", no_data_since=day)), clock)
    assert walks.load_source(store.connection, "feed").no_data_since == day
    ingest(store, Scripted(), clock)
    assert walks.load_source(store.connection, "feed").no_data_since is None


def test_complete_through_never_moves_back_nor_into_the_future(store, clock):
    for said, known in ((1, 1), (3, 3), (2, 3), (None, 3), (30, 5)):
        through = said and date(2024, 3, said)
        ingest(store, Scripted(page("1"), PollOutcome("ok", "", {}, through)), clock)
        assert walks.complete_through(store.connection) == {"acled": date(2024, 3, known)}


@pytest.mark.parametrize(("said", "known"), [(date(2024, 3, 4), 4), (None, 5)])
def test_what_a_clock_that_was_ahead_knew_is_known_no_longer_by_the_right_one(
    store, clock, said, known
):
    right = clock.now()
    clock.advance(timedelta(days=60))
    there = PollOutcome("ok", "", {}, date(2024, 5, 1))
    ingest(store, Scripted(page("1"), there), clock)
    clock.set(right)
    ingest(store, Scripted(page("1"), PollOutcome("ok", "", {}, said)), clock)
    assert walks.complete_through(store.connection) == {"acled": date(2024, 3, known)}


def test_a_state_that_a_clock_that_was_ahead_named_lasts_since_the_first_right_walk(store, clock):
    right = clock.now()
    clock.advance(timedelta(days=60))
    ingest(store, Scripted(PollOutcome("stale", "old")), clock)
    for hours in range(2):
        clock.set(right + timedelta(hours=hours))
        ingest(store, Scripted(PollOutcome("stale", "old")), clock)
    assert walks.load_source(store.connection, "feed").since == right


class TestSnapshots:
    def test_what_a_snapshot_lacks_is_withdrawn(self, store, clock):
        names = numbered(10)
        ingest(store, Scripted(page(*names)), clock)
        source = Scripted(page(*names[:8]), covering(*names[:8], look_up=False))
        result = ingest(store, source, clock)
        assert (result.counts.retracted, result.would_retract, result.moved) == (2, 0, True)
        assert result.counts.adds_up
        assert result.changed == {"acled:0008", "acled:0009"}
        event = load_event(store.connection, "acled:0009")
        assert (event.status, event.retracted_reason) == (
            "retracted", "no longer in the source's snapshot",
        )  # fmt: skip
        assert walks.load_runs(store.connection)[0].counts == result.counts

    def test_one_that_lacks_too_much_withdraws_nothing_and_says_so(self, store, clock):
        names = numbered(10)
        ingest(store, Scripted(page(*names)), clock)
        source = Scripted(page(*names[:7]), covering(*names[:7], look_up=False))
        result = ingest(store, source, clock)
        assert (result.counts.retracted, result.would_retract) == (0, 3)
        assert (result.state, result.moved) == ("truncated", True)
        assert "3 of the 10 events" in result.sentence
        assert "20%" in result.sentence
        assert walks.load_source(store.connection, "feed").state == "truncated"
        assert ingest(store, source, clock, max_retract=0.5).counts.retracted == 3

    def test_a_doubt_about_a_dropped_snapshot_is_told_until_a_file_is_read_well(
        self, store, clock, tmp_path
    ):
        def drop(rows):
            (tmp_path / "export.csv").write_text(as_csv(rows), encoding="utf-8")

        old = {"event_date": "2024-02-01", "timestamp": "1707000000"}
        rows = [a_row(number, **old) for number in range(10)]
        settings = {"name": "inbox", "path": tmp_path, "snapshot": True}
        inbox = FileSource(FileSettings.model_validate(settings))
        drop(rows)
        ingest(store, inbox, clock)
        ingest(store, inbox, clock)
        drop(rows[:3])
        told = [ingest(store, inbox, clock) for _ in range(3)]
        assert {one.state for one in told} == {"truncated"}
        assert all("7 of the 10 events" in one.sentence for one in told)
        drop(rows[:9])
        assert [ingest(store, inbox, clock).state for _ in range(2)] == ["ok", "ok"]

    def test_the_source_may_set_the_share(self, store, clock):
        names = numbered(10)
        ingest(store, Scripted(page(*names)), clock)
        source = Scripted(page(*names[:2]), covering(*names[:2], look_up=False))
        source.max_retract = 1.0
        assert ingest(store, source, clock).counts.retracted == 8

    def test_an_empty_snapshot_withdraws_nothing(self, store, clock):
        ingest(store, Scripted(page("1")), clock)
        result = ingest(store, Scripted(covering(look_up=False)), clock)
        assert (result.counts.retracted, result.state) == (0, "truncated")

    def test_events_outside_its_countries_and_days_are_not_its_business(self, store, clock):
        rows = [
            record("in", "2024-01-10"),
            record("early", "2024-01-01"),
            record("late", "2024-01-20"),
            record("abroad", "2024-01-10", iso3="NER"),
            record("kept", "2024-01-10"),
        ]
        ingest(store, Scripted(Page("acled", rows)), clock)
        claim = covering(
            "kept",
            look_up=False,
            countries=frozenset({"MLI"}),
            first_day=date(2024, 1, 5),
            last_day=date(2024, 1, 15),
        )
        result = ingest(store, Scripted(claim), clock, max_retract=1.0)
        assert result.changed == {"acled:in"}

    def test_ids_of_rejected_rows_are_not_missing(self, store, clock):
        ingest(store, Scripted(page("1", "2")), clock)
        source = Scripted(
            Page("acled", [record("1")], rejects=[Reject("bad", "x", "2")]),
            covering("1", "2", look_up=False),
        )
        assert ingest(store, source, clock).counts.retracted == 0


class TestLookUps:
    def test_missing_ids_are_asked_for_and_withdrawn_only_when_gone(self, store, clock):
        names = numbered(130)
        ingest(store, Scripted(page(*names)), clock)
        source = Scripted(
            page(*names[:60]), covering(*names[:60], look_up=True), has=set(names[60:129])
        )
        result = ingest(store, source, clock)
        assert source.asked == names[60:]
        assert (result.looked_up.revised, result.looked_up.retracted) == (69, 1)
        assert result.counts.served == 60
        assert result.state == "ok"
        assert load_event(store.connection, "acled:0129").status == "retracted"
        assert walks.load_memory(store.connection, "feed") == {"mark": 2}
        kinds = [run.kind for run in walks.load_runs(store.connection)]
        assert kinds == ["look_up", "look_up", "poll", "poll"]

    def test_far_too_many_missing_ids_are_not_even_asked_for(self, store, clock):
        names = numbered(150)
        ingest(store, Scripted(page(*names)), clock)
        source = Scripted(covering(*names[:10], look_up=True))
        result = ingest(store, source, clock)
        assert (source.asked, result.would_retract, result.state) == ([], 140, "truncated")

    def test_ids_without_an_answer_stay(self, store, clock):
        ingest(store, Scripted(page("1", "2")), clock)
        source = Scripted(
            page("1"), covering("1", look_up=True), answers=[PollOutcome("ok", "silence")]
        )
        assert ingest(store, source, clock).changed == frozenset()
        assert load_event(store.connection, "acled:2").status == "active"

    @pytest.mark.parametrize(
        "answer", [SourceError("hung up"), PollOutcome("blocked", "a page of HTML")]
    )
    def test_a_look_up_that_fails_leaves_the_memory_where_it_was(self, store, clock, answer):
        ingest(store, Scripted(page("1", "2")), clock)
        source = Scripted(page("1"), covering("1", look_up=True), answers=[answer])
        result = ingest(store, source, clock)
        assert not result.moved
        assert result.state in {"unreachable", "blocked"}
        assert walks.load_memory(store.connection, "feed") == {"mark": 1}


def test_a_source_can_be_named_disabled_and_forgotten(store, clock):
    ingest(store, Scripted(page("1")), clock)
    with store.transaction() as tx:
        walks.set_state(tx, "feed", "disabled", "switched off", kind="scripted", now=clock.now())
    status = walks.load_source(store.connection, "feed")
    assert (status.state, status.memory) == ("disabled", {"mark": 1})
    with store.transaction() as tx:
        assert walks.forget_source(tx, "feed")
        assert walks.prune_runs(tx, NOW + timedelta(days=1)) == 1
    assert walks.load_sources(store.connection) == ()


KILLED = """
import sys, time
from datetime import UTC, datetime
from support.records import record
from warden.clock import SystemClock
from warden.ingest import ingest
from warden.sources.protocol import Page
from warden.store import open_store

class Endless:
    name, kind = "feed", "endless"
    def poll(self, memory, now):
        number = 0
        while True:
            names = range(number, number + 20)
            yield Page("acled", [record(str(n)) for n in names], raw=["raw"] * 20)
            number += 20
            print(number, flush=True)

ingest(open_store(sys.argv[1]), Endless(), SystemClock())
"""


def test_a_process_killed_in_the_middle_of_a_walk_loses_nothing_it_had_committed(tmp_path):
    path = tmp_path / "warden.db"
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, path],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": paths},
        text=True,
    )
    try:
        told = [int(process.stdout.readline()) for _ in range(10)]
    finally:
        process.send_signal(signal.SIGKILL)
        told += [int(line) for line in process.stdout.read().split()]
        process.wait()
        process.stdout.close()
    with open_store(path) as store:
        store.verify()
        stored = count_events(store.connection)[("acled", "active")]
        assert stored % 20 == 0
        assert stored >= told[-1]
        (run,) = walks.load_runs(store.connection)
        assert run.ended_at is None
        assert (run.counts.new, run.counts.served, run.counts.adds_up) == (stored, stored, True)
        assert walks.load_memory(store.connection, "feed") == {}
        again = [record(str(number)) for number in range(stored)]
        result = ingest(store, Scripted(Page("acled", again)), ManualClock(datetime.now(UTC)))
        assert result.counts.unchanged == stored


@pytest.mark.skipif(not REAL.exists(), reason="the real export is not here")
def test_a_real_export_is_stored_or_rejected_to_the_last_row_and_a_second_pass_changes_nothing(
    tmp_path, clock
):
    with open_store(tmp_path / "warden.db") as store:
        first = ingest(store, read_files([REAL], source_name="real"), clock)
        assert first.counts.adds_up
        assert first.counts.new > 8_000
        wal = store.connection.execute("SELECT count(*) FROM event_revisions").fetchone()
        clock.advance(timedelta(hours=1))
        before = events_as_of(store.connection, clock.now())
        second = ingest(store, read_files([REAL], source_name="real"), clock)
        assert second.counts.served == first.counts.served
        assert second.changed == frozenset()
        assert second.counts.new == second.counts.revised == 0
        assert events_as_of(store.connection, clock.now()) == before
        assert store.connection.execute("SELECT count(*) FROM event_revisions").fetchone() == wal
        texts = store.connection.execute("SELECT envelope FROM poll_runs").fetchall()
        assert all(isinstance(json.loads(text), dict) for (text,) in texts)
