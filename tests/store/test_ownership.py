"""What root makes in the service's folder belongs to the service."""

import os
from datetime import UTC, datetime

import pytest

from warden.errors import StoreError
from warden.notify.channels.file import _write
from warden.ownership import make_folder
from warden.store import DatabaseLock, open_store
from warden.store.backup import back_up, nightly_backup

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")


@pytest.fixture
def place(tmp_path):
    """The service's folder."""
    folder = tmp_path / "service"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    return folder


def strangers(folder):
    """The names in a folder that are not its owner's and group's."""
    return [
        path.name
        for path in folder.rglob("*")
        if (path.lstat().st_uid, path.lstat().st_gid) != (NOBODY, NOBODY)
    ]


@needs_root
def test_a_database_that_root_makes_is_the_folders_owners_with_all_that_is_beside_it(place):
    with open_store(place / "w.db") as store:
        with store.transaction() as tx:
            tx.execute("INSERT INTO meta VALUES ('a', '1')")
        nightly_backup(store, place / "own" / "backups", datetime(2024, 1, 1, tzinfo=UTC))
        back_up(store, place / "copy.db", compact=True)
        assert {"w.db", "w.db-wal", "w.db-shm", "w.db.lock", "copy.db", "own"} <= {
            path.name for path in place.iterdir()
        }
        assert strangers(place) == []


@needs_root
def test_a_copy_that_root_puts_into_somebody_elses_folder_stays_roots(place, tmp_path):
    with open_store(tmp_path / "w.db") as store:
        back_up(store, place / "copy.db")
    assert strangers(place) == ["copy.db"]


@needs_root
def test_a_message_that_root_writes_is_the_folders_owners(place):
    (place / "out").mkdir()
    os.chown(place / "out", NOBODY, NOBODY)
    _write(place / "out", place / "out" / "1.json", b"{}")
    assert strangers(place) == []


@needs_root
def test_what_was_there_before_keeps_its_owner(place):
    (place / "w.db.lock").touch()
    open_store(place / "w.db").close()
    assert strangers(place) == ["w.db.lock"]


def test_a_lock_file_that_is_a_link_is_refused_and_not_written_through(tmp_path):
    (tmp_path / "precious").write_text("text")
    (tmp_path / "w.db.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(StoreError, match="cannot make the lock file"):
        DatabaseLock(tmp_path / "w.db").acquire()
    assert (tmp_path / "precious").read_text() == "text"


def test_folders_are_closed_to_others_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        make_folder(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b")] == [0o750, 0o750]
