"""Backups: whole, checked, taken beside a writer, and never worse than the one before."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from warden.errors import StoreError
from warden.store import open_store
from warden.store.backup import back_up, copy_database, nightly_backup


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "warden.db") as store, store.transaction() as tx:
        tx.execute("INSERT INTO meta VALUES ('a', '1')")
    with open_store(tmp_path / "warden.db") as store:
        yield store


def rows(path):
    with open_store(path, read_only=True) as copy:
        copy.verify()
        return copy.connection.execute("SELECT * FROM meta ORDER BY key").fetchall()


def test_a_backup_opens_as_the_same_installation(store, tmp_path):
    target = back_up(store, tmp_path / "copy.db")
    assert rows(target) == store.connection.execute("SELECT * FROM meta ORDER BY key").fetchall()


def test_a_backup_needs_no_log_beside_it(store, tmp_path):
    folder = tmp_path / "copies"
    folder.mkdir()
    back_up(store, folder / "copy.db")
    assert [path.name for path in folder.iterdir()] == ["copy.db"]


def test_a_backup_taken_in_the_middle_of_a_transaction_has_none_of_it(store, tmp_path):
    with store.transaction() as tx:
        tx.execute("INSERT INTO meta VALUES ('b', '2')")
        back_up(store, tmp_path / "copy.db")
    assert [key for key, _ in rows(tmp_path / "copy.db")] == ["a", "installation"]


def test_the_database_itself_is_no_place_for_its_backup(store):
    with pytest.raises(StoreError, match="the database itself"):
        back_up(store, store.path)


@pytest.mark.parametrize("end", ["-wal", "-shm", "-journal", ".lock", ".sock"])
def test_nor_is_what_lives_beside_it(store, end):
    beside = Path(f"{store.path}{end}")
    before = beside.read_bytes() if beside.is_file() else None
    with pytest.raises(StoreError, match="the database itself"):
        back_up(store, beside)
    assert (beside.read_bytes() if beside.is_file() else None) == before


def test_a_backup_that_cannot_be_written_keeps_the_older_one(store, tmp_path):
    with pytest.raises(StoreError, match="cannot write the backup"):
        back_up(store, tmp_path / "nowhere" / "copy.db")


def test_a_damaged_database_does_not_replace_a_good_backup(store, tmp_path):
    target = back_up(store, tmp_path / "copy.db")
    good = target.read_bytes()
    with store.transaction() as tx:
        tx.execute("PRAGMA defer_foreign_keys = ON")
    store.connection.execute("PRAGMA foreign_keys = OFF")
    with store.transaction() as tx:
        tx.execute(
            "INSERT INTO event_revisions VALUES ('x:1', 2, '', 'revised', '', '{}', '', '', '', 0)"
        )
    with pytest.raises(StoreError, match="event_revisions"):
        back_up(store, target)
    assert target.read_bytes() == good
    assert not list(tmp_path.glob(".*partial"))


def test_a_backup_that_fails_leaves_nothing_behind(store, tmp_path):
    def fail(_connection, partial):
        for end in ("-journal", "-wal", "-shm"):  # as they stay when a sync or a truncation fails
            Path(f"{partial}{end}").touch()
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    folder = tmp_path / "copies"
    folder.mkdir()
    with pytest.raises(StoreError, match="the disk reported an error"):
        copy_database(store.connection, folder / "copy.db", fail)
    assert list(folder.iterdir()) == []


def test_nightly_backups_keep_the_newest(store, tmp_path):
    folder = tmp_path / "backups"
    (tmp_path / "backups").mkdir()
    (folder / "mine.db").write_text("not warden's to remove")
    start = datetime(2024, 2, 27, 3, tzinfo=UTC)
    for night in range(4):
        nightly_backup(store, folder, start + timedelta(days=night), keep=2)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["mine.db", "warden-2024-02-29.db", "warden-2024-03-01.db"]


def test_backups_named_by_a_clock_that_was_ahead_do_not_crowd_out_those_of_the_right_one(
    store, tmp_path
):
    folder = tmp_path / "backups"
    start = datetime(2024, 2, 27, 3, tzinfo=UTC)
    nightly_backup(store, folder, start + timedelta(days=60), keep=1)
    for night in range(2):
        assert nightly_backup(store, folder, start + timedelta(days=night), keep=1).is_file()
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["warden-2024-02-28.db", "warden-2024-04-27.db"]
    nightly_backup(store, folder, start + timedelta(days=61), keep=1)
    assert [path.name for path in folder.iterdir()] == ["warden-2024-04-28.db"]


def test_a_clock_that_is_ahead_leaves_the_newest_backups(store, tmp_path):
    folder = tmp_path / "backups"
    start = datetime(2024, 2, 27, 3, tzinfo=UTC)
    for days in (0, 1, 2, 60):
        nightly_backup(store, folder, start + timedelta(days=days), keep=2)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["warden-2024-02-29.db", "warden-2024-04-27.db"]


def test_what_a_killed_backup_left_behind_goes_with_the_next_one(store, tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir()
    for end in ("", "-journal", "-wal", "-shm"):
        (folder / f".warden-2024-02-26.db.partial{end}").write_text("half of it")
    (folder / ".mine.db.partial").write_text("not warden's to remove")
    nightly_backup(store, folder, datetime(2024, 2, 27, 3, tzinfo=UTC))
    names = sorted(path.name for path in folder.iterdir())
    assert names == [".mine.db.partial", "warden-2024-02-27.db"]


def test_a_whole_database_passes_the_quick_check_and_a_damaged_one_does_not(tmp_path):
    path = tmp_path / "warden.db"
    with open_store(path) as store:
        assert store.quick_check(10)
        with store.transaction() as tx:
            tx.executemany(
                "INSERT INTO meta VALUES (?, ?)", [(f"k{n}", "x" * 900) for n in range(99)]
            )
    data = bytearray(path.read_bytes())
    data[-12_000:-4_096] = b"\x07" * 7_904
    path.write_bytes(data)
    with open_store(path) as store, pytest.raises(StoreError, match="damaged"):
        store.quick_check(10)


def test_the_quick_check_ends_when_its_time_is_up(store, monkeypatch):
    monkeypatch.setattr("warden.store.connection._CHECK_STEPS", 1)
    assert not store.quick_check(-1)
