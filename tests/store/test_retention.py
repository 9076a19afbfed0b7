"""What is removed by itself, and what never is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from support.build import START, event
from support.model import Rules
from support.rig import Rig

from warden.errors import StoreError
from warden.sources.protocol import Page, Reject
from warden.store import Store, open_store
from warden.store import retention as keeping
from warden.store.backup import back_up
from warden.store.events import Walk, apply_page
from warden.store.retention import Keep, forget

DAY = timedelta(days=1)
FOREVER = Keep(None, None, None)
BRIEFLY = Keep(DAY, DAY, DAY)


@pytest.fixture
def rig() -> Iterator[Rig]:
    """One told of an event, by a mail that was sent and a file that was not."""
    made = Rig(Rules().text())
    made.server.log.append(event("OLD", "2021-01-01").record)
    made.station.poll("acled")
    made.station.evaluate()
    made.server.log.append(event("MLI1", "2022-07-28").record)
    made.station.poll("acled")
    made.station.evaluate()
    made.station.deliver()
    yield made
    made.close()


def add_raw(store: Store, number: int, **more: Any) -> None:
    record = event(f"R{number}").record
    page = Page("acled", (record,), raw=(f"raw {number}",), **more)
    with store.transaction() as tx:
        apply_page(tx, page, Walk("acled", backfill=False), START + number * DAY)


def counted(store: Store) -> dict[str, int]:
    return {
        table: store.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("events", "raw_pages", "rejects", "notices", "messages", "message_bodies")
    }


def test_raw_rows_go_after_their_time_and_events_stay(tmp_path):
    with open_store(tmp_path / "w.db") as store:
        for number in range(10):
            add_raw(store, number)
        assert forget(store, FOREVER, START + 99 * DAY) == {}
        assert forget(store, Keep(5 * DAY, None, None), START + 9 * DAY) == {"raw pages": 4}
        left = counted(store)
    assert (left["events"], left["raw_pages"]) == (10, 6)


def test_rejects_go_when_they_were_not_served_for_their_time(tmp_path):
    with open_store(tmp_path / "w.db") as store:
        add_raw(store, 0, rejects=(Reject("no date", "old"), Reject("no date", "again")))
        add_raw(store, 5, rejects=(Reject("no date", "again"),))
        assert forget(store, Keep(None, 3 * DAY, None), START + 6 * DAY) == {"rejects": 1}
        assert store.connection.execute("SELECT raw FROM rejects").fetchall() == [("again",)]


def test_much_is_removed_piece_by_piece_and_can_be_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "PIECE", 3)
    with open_store(tmp_path / "w.db") as store:
        for number in range(10):
            add_raw(store, number)
        pieces: list[str] = []
        store.connection.set_trace_callback(
            lambda sql: pieces.append(sql) if sql.startswith("BEGIN") else None
        )
        assert forget(store, BRIEFLY, START + 99 * DAY) == {"raw pages": 10}
        assert len(pieces) == 4 + 2  # the last piece of each kind tells that there is no more
        for number in range(10):
            add_raw(store, number + 100)
        asked = iter([False, True, True, True])
        gone = forget(store, BRIEFLY, START + 999 * DAY, lambda: next(asked))
        assert gone == {"raw pages": 3}


def test_words_go_once_everybody_has_them_and_what_was_said_stays(rig):
    before = counted(rig.station.store)
    assert before["message_bodies"] > 0
    assert forget(rig.station.store, BRIEFLY, rig.clock.now() + DAY / 2) == {}
    assert forget(rig.station.store, BRIEFLY, rig.clock.now() + 2 * DAY)["texts"] > 0
    assert counted(rig.station.store) == {**before, "message_bodies": 0, "raw_pages": 0}


@pytest.mark.parametrize("state", ["dead", "expired"])
def test_words_that_may_be_sent_again_are_kept_and_sent(rig, state):
    store = rig.station.store
    with store.transaction() as tx:
        tx.execute(f"UPDATE deliveries SET state = '{state}' WHERE channel = 'email'")
    assert "texts" in forget(store, BRIEFLY, rig.clock.now() + 2 * DAY)  # the archive's
    numbers = list(rig.column("SELECT id FROM deliveries WHERE channel = 'email'"))
    heard = rig.world.accepted.copy()
    assert [row["state"] for row in rig.act("retry", ids=numbers)] == ["sent"] * len(numbers)
    assert (rig.world.accepted - heard).total() == len(numbers)


def test_a_station_tidies_by_its_settings_once_a_day(rig):
    def aged(days: int) -> dict[str, int]:
        at_work(rig, days)
        return dict(rig.station.upkeep.tidy())

    assert aged(0) == {}
    assert aged(300) == {}
    assert "texts" in aged(80)
    assert aged(0) == {}


def at_work(rig: Rig, days: int) -> None:
    """So many days later, the last of them with a poll at its beginning."""
    rig.clock.advance(max(days - 1, 0) * DAY)
    rig.station.poll("acled")
    rig.clock.advance(min(days, 1) * DAY)


@pytest.mark.parametrize("ahead", [400 * DAY, 3650 * DAY])
def test_nothing_is_forgotten_by_a_clock_that_was_ahead_for_less_than_a_day(rig, ahead):
    before, walks = counted(rig.station.store), rig.rows("SELECT id FROM poll_runs")
    rig.clock.advance(ahead)
    for hours in (0, 12, 11):  # over a midnight: tidied twice
        rig.clock.advance(timedelta(hours=hours))
        rig.station.poll("acled")
        assert rig.station.upkeep.tidy() == {}
    assert counted(rig.station.store) == before
    assert set(walks) < set(rig.rows("SELECT id FROM poll_runs"))


def test_a_daemon_that_was_off_for_weeks_forgets_a_day_later(rig):
    rig.clock.advance(400 * DAY)
    assert rig.station.upkeep.tidy() == {}
    rig.station.poll("acled")
    rig.clock.advance(DAY)
    assert "texts" in rig.station.upkeep.tidy()


def test_a_compact_copy_is_smaller_and_the_same_installation(tmp_path):
    with open_store(tmp_path / "w.db") as store:
        for number in range(20):
            add_raw(store, number)
        with store.transaction() as tx:
            tx.execute("UPDATE raw_pages SET body = randomblob(100000)")
        forget(store, BRIEFLY, START + 99 * DAY)
        plain = back_up(store, tmp_path / "plain.db")
        small = back_up(store, tmp_path / "small.db", compact=True)
    assert small.stat().st_size < plain.stat().st_size / 2
    assert (small.stat().st_mode & 0o777) == 0o640
    with open_store(plain, read_only=True) as one, open_store(small, read_only=True) as other:
        tables = one.connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        for (name,) in tables.fetchall():
            asked = f"SELECT * FROM {name}"
            assert one.connection.execute(asked).fetchall() == (
                other.connection.execute(asked).fetchall()
            )
    with open_store(small) as opened:
        opened.verify()
        assert opened.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_compact_copy_of_a_damaged_database_replaces_nothing(tmp_path):
    with open_store(tmp_path / "w.db") as store:
        target = back_up(store, tmp_path / "copy.db", compact=True)
        good = target.read_bytes()
        store.connection.execute("PRAGMA foreign_keys = OFF")
        with store.transaction() as tx:
            tx.execute("INSERT INTO releases VALUES (77, '', '')")
        with pytest.raises(StoreError, match="releases"):
            back_up(store, target, compact=True)
    assert target.read_bytes() == good
