"""Opening the database: what is refused, what is guaranteed, and that one process owns it."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from warden.errors import StoreError
from warden.store import DatabaseLock, DatabaseLocked, open_store, schema
from warden.store.connection import MEMORY, _connect


@pytest.fixture
def path(tmp_path):
    return tmp_path / "warden.db"


def made(path):
    open_store(path).close()
    return path


def test_a_new_database_has_the_promised_settings(path):
    with open_store(path) as store:
        asked = {
            name: store.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "trusted_schema")
        }
        assert asked == {
            "journal_mode": "wal",
            "synchronous": 2,
            "foreign_keys": 1,
            "trusted_schema": 0,
        }
        assert schema.application_id(store.connection) == schema.APPLICATION_ID
        assert schema.user_version(store.connection) == schema.newest_version()
        assert store.connection.execute("PRAGMA busy_timeout").fetchone()[0] > 0


def test_every_table_is_strict(path):
    with open_store(path) as store:
        loose = store.connection.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
            " AND strict = 0 AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
    assert loose == []


def test_opening_again_finds_what_was_written(path):
    with open_store(path) as store, store.transaction() as tx:
        tx.execute("INSERT INTO meta VALUES ('colour', 'green')")
    with open_store(path, read_only=True) as store:
        found = store.connection.execute("SELECT value FROM meta WHERE key = 'colour'")
        assert found.fetchone() == ("green",)


def test_a_path_with_odd_characters_is_a_file_of_that_name(tmp_path):
    path = tmp_path / "a b?c#d%20é.db"
    made(path)
    assert path.is_file()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "truncated"),
        (b"\x00" * 8192, "zeros"),
        (b"not a database at all, but a longer text than a header is" * 4, "not an SQLite"),
        (b"SQLite format 3\x00", "not an SQLite"),
    ],
)
@pytest.mark.parametrize("read_only", [True, False])
def test_a_damaged_or_foreign_file_is_refused_and_left_as_it_is(path, content, says, read_only):
    path.write_bytes(content)
    with pytest.raises(StoreError, match=says):
        open_store(path, read_only=read_only)
    assert path.read_bytes() == content


def test_a_file_cut_short_is_refused(path):
    made(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match="cut short"):
        open_store(path)


def test_a_database_of_another_program_is_refused_and_left_as_it_is(path):
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        open_store(path)
    assert path.read_bytes() == before


def test_a_newer_schema_is_refused_and_left_as_it_is(path):
    made(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute(f"PRAGMA user_version = {schema.newest_version() + 1}")
    connection.close()
    before = path.read_bytes()
    for read_only in (True, False):
        with pytest.raises(StoreError, match="newer warden"):
            open_store(path, read_only=read_only)
    assert path.read_bytes() == before


def test_a_log_without_its_database_is_not_replayed_into_a_new_one(path):
    Path(f"{path}-wal").write_bytes(b"something")
    with pytest.raises(StoreError, match="without its database"):
        open_store(path)
    assert not path.exists()


def test_a_folder_and_a_missing_folder_are_refused_in_words(tmp_path):
    with pytest.raises(StoreError, match="is not a file"):
        open_store(tmp_path)
    with pytest.raises(StoreError, match="folder exists"):
        open_store(tmp_path / "nowhere" / "warden.db")


def test_a_reader_of_a_missing_database_makes_nothing(path):
    with pytest.raises(StoreError, match="there is no database"):
        open_store(path, read_only=True)
    assert list(path.parent.iterdir()) == []


def test_a_half_made_database_of_a_killed_process_is_made_anew(path):
    path.with_name(".warden.db.creating").write_bytes(b"half")
    made(path)
    assert not path.with_name(".warden.db.creating").exists()


def test_a_second_writer_is_refused_and_told_who_has_it(path):
    with open_store(path):
        with pytest.raises(DatabaseLocked, match=str(os.getpid())) as caught:
            open_store(path)
        assert caught.value.pid == os.getpid()
    made(path)


def test_a_reader_works_beside_the_writer_and_cannot_write(path):
    with open_store(path) as writer, open_store(path, read_only=True) as reader:
        with writer.transaction() as tx:
            tx.execute("INSERT INTO meta VALUES ('a', '1')")
        assert reader.connection.execute("SELECT count(*) FROM meta").fetchone() == (2,)
        with pytest.raises(StoreError, match="reading only"), reader.transaction():
            pass
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.connection.execute("DELETE FROM meta")


def test_a_writer_waits_for_the_lock_as_long_as_told(path):
    lock = DatabaseLock(path)
    lock.acquire()
    timer = threading.Timer(0.2, lock.release)
    timer.start()
    open_store(path, wait_s=5).close()
    timer.join()


HOLD = """
import sys, time
from pathlib import Path
from warden.store import DatabaseLock
DatabaseLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""


def test_the_lock_ends_with_its_process(path):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLD,
            path,
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DatabaseLocked, match=str(holder.pid)):
            open_store(path)
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        holder.stdout.close()
    made(path)


OPEN = """
import sys
from warden.store import DatabaseLocked, open_store
try:
    open_store(sys.argv[1]).close()
    print("opened")
except DatabaseLocked as error:
    print(error)
"""


def opened_beside(name):
    """What another process says that opens the database by a name."""
    return subprocess.run(
        [sys.executable, "-c", OPEN, name], capture_output=True, text=True, check=True
    ).stdout


def test_a_second_writer_is_refused_under_another_name_and_without_the_lock_file(path, tmp_path):
    (tmp_path / "link.db").symlink_to(path)
    (tmp_path / "elsewhere").mkdir()
    with open_store(path) as store:
        (tmp_path / "elsewhere" / "w.db").hardlink_to(path)
        assert f"in use by process {os.getpid()}" in opened_beside(tmp_path / "link.db")
        assert "under another name" in opened_beside(tmp_path / "elsewhere" / "w.db")
        Path(f"{path}.lock").unlink()
        assert "without its lock file warden.db.lock" in opened_beside(path)
        with pytest.raises(DatabaseLocked, match="under another name"):
            open_store(tmp_path / "elsewhere" / "w.db")
        with store.transaction() as tx:
            tx.execute("INSERT INTO meta VALUES ('a', '1')")
    (tmp_path / "elsewhere" / "w.db").unlink()
    assert opened_beside(path) == "opened\n"


def test_a_link_to_no_database_yet_makes_it_where_the_link_leads(path, tmp_path):
    (tmp_path / "link.db").symlink_to(path)
    made(tmp_path / "link.db")
    assert path.is_file()
    assert (tmp_path / "link.db").is_symlink()


def test_another_program_that_closes_it_leaves_the_log_though_this_one_read_it_anew(path):
    """A descriptor that is closed takes SQLite's locks with it: see `bound_here`."""
    script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('VACUUM'); c.close()"
    with open_store(path) as store:
        with store.transaction() as tx:
            tx.execute("INSERT INTO meta VALUES ('a', '1')")
        open_store(path, read_only=True).close()
        subprocess.run([sys.executable, "-c", script, path], check=True)
        assert Path(f"{path}-wal").exists()
        with store.transaction() as tx:
            tx.execute("INSERT INTO meta VALUES ('b', '1')")
        found = subprocess.run(
            [sys.executable, "-c", COUNT, path], capture_output=True, text=True, check=True
        )
        assert found.stdout == "3\n"


COUNT = """
import sys
from warden.store import open_store
with open_store(sys.argv[1], read_only=True) as store:
    print(store.connection.execute("SELECT count(*) FROM meta").fetchone()[0])
"""


def test_a_failed_transaction_leaves_nothing(path):
    with open_store(path) as store:
        with pytest.raises(sqlite3.IntegrityError), store.transaction() as tx:
            tx.executemany("INSERT INTO meta VALUES (?, '')", [("a",), ("b",), ("a",)])
        assert not store.connection.in_transaction
        assert store.connection.execute("SELECT count(*) FROM meta").fetchone() == (1,)


def test_transactions_do_not_nest(path):
    with open_store(path) as store:
        with pytest.raises(RuntimeError, match="nest"), store.transaction(), store.transaction():
            pass
        assert not store.connection.in_transaction


def test_threads_take_turns_to_write_and_readers_see_only_what_is_committed(path):
    with open_store(path) as store:
        seen = []

        def write(number):
            with store.transaction() as tx:
                tx.execute("INSERT INTO meta VALUES (?, '')", (f"{number}a",))
                time.sleep(0.01)
                tx.execute("INSERT INTO meta VALUES (?, '')", (f"{number}b",))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(5)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            with store.reading() as connection:
                seen.append(connection.execute("SELECT count(*) FROM meta").fetchone()[0])
        assert store.connection.execute("SELECT count(*) FROM meta").fetchone() == (11,)
        assert all(count % 2 == 1 for count in seen)


def test_after_a_failed_sync_not_even_a_writer_that_was_waiting_commits(path):
    failed = sqlite3.OperationalError("disk I/O error")
    failed.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    said = []

    def write(store):
        try:
            with store.transaction() as tx:
                tx.execute("INSERT INTO meta VALUES ('late', '')")
        except StoreError as error:
            said.append(str(error))

    def fail(store, waiting):
        with store.transaction():
            waiting.start()
            time.sleep(0.2)  # it stands before the lock
            raise failed

    with open_store(path) as store:
        waiting = threading.Thread(target=write, args=(store,))
        with pytest.raises(StoreError, match="disk reported"):
            fail(store, waiting)
        waiting.join()
        assert store.doubtful
        assert said == [
            f"{path}: the disk failed to keep what was written; check it, then start warden again"
        ]
        assert store.connection.execute("SELECT count(*) FROM meta").fetchone() == (1,)


def test_a_full_disk_is_told_and_what_was_committed_stays(path):
    with open_store(path) as store:
        pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
        store.connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StoreError, match="disk is full"), store.transaction() as tx:
            tx.execute("INSERT INTO meta VALUES ('big', ?)", ("x" * 100_000,))
        store.connection.execute("PRAGMA max_page_count = 100000")
        store.verify()
        with store.transaction() as tx:
            tx.execute("INSERT INTO meta VALUES ('small', '')")


def test_damage_inside_the_file_is_found_by_verify(path):
    with open_store(path) as store, store.transaction() as tx:
        tx.executemany("INSERT INTO meta VALUES (?, ?)", [(str(i), "x" * 500) for i in range(2000)])
    data = bytearray(path.read_bytes())
    data[-40_960:-8192] = b"\xff" * 32_768
    path.write_bytes(data)
    with open_store(path, read_only=True) as store, pytest.raises(StoreError, match="damaged"):
        store.verify()


def test_a_store_in_memory_needs_no_file():
    with open_store(MEMORY) as store:
        with store.transaction() as tx:
            tx.execute("INSERT INTO meta VALUES ('a', '1')")
        with store.reading() as connection:
            assert connection.execute("SELECT count(*) FROM meta").fetchone() == (2,)


def test_closing_twice_does_no_harm(path):
    store = open_store(path)
    store.close()
    store.close()


class TestMigrations:
    def add(self, db):
        db.table("added").create({"id": int}, pk="id", strict=True)

    def test_an_older_database_is_brought_up_to_date_after_a_copy_was_kept(self, path, monkeypatch):
        made(path)
        newest = schema.newest_version()
        step = schema.Migration(newest + 1, "one more", self.add)
        monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
        monkeypatch.setattr(schema, "newest_version", lambda: newest + 1)
        monkeypatch.setattr(schema.migrate, "__defaults__", (schema.MIGRATIONS,))
        with pytest.raises(StoreError, match=f"schema {newest}"):
            open_store(path, read_only=True)
        with open_store(path) as store:
            assert schema.user_version(store.connection) == newest + 1
            assert store.connection.execute("SELECT count(*) FROM added").fetchone() == (0,)
        copy = sqlite3.connect(path.with_name(f"warden.db.schema-{newest}"))
        assert schema.user_version(copy) == newest
        copy.close()

    def test_a_step_that_fails_leaves_the_old_shape(self, path):
        made(path)
        newest = schema.newest_version()

        def break_off(db):
            self.add(db)
            raise ZeroDivisionError

        connection = _connect(path, read_only=False)
        with pytest.raises(ZeroDivisionError):
            schema.migrate(connection, (schema.Migration(newest + 1, "bad", break_off),))
        assert schema.user_version(connection) == newest
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            connection.execute("SELECT * FROM added")
        connection.close()


def test_connections_for_reading_are_kept_and_never_show_an_old_state(path):
    with open_store(path) as store:
        seen = []
        for number in range(3):
            with store.transaction() as tx:
                tx.execute("INSERT INTO meta (key, value) VALUES (?, '')", (f"k{number}",))
            with store.reading() as view:
                seen.append(id(view))
                found = view.execute("SELECT count(*) FROM meta WHERE key LIKE 'k%'").fetchone()
                assert found == (number + 1,)
                with store.transaction() as tx:  # after the view was opened: not in it
                    tx.execute("INSERT INTO meta (key, value) VALUES (?, '')", (f"other{number}",))
                query = "SELECT count(*) FROM meta WHERE key = ?"
                assert view.execute(query, (f"other{number}",)).fetchone() == (0,)
        assert len(set(seen)) == 1


def test_a_reading_that_fails_leaves_no_open_view_behind(path):
    with open_store(path) as store:
        with pytest.raises(sqlite3.OperationalError), store.reading() as view:
            view.execute("SELECT * FROM meta, nothing")
        with store.transaction() as tx:
            tx.execute("INSERT INTO meta (key, value) VALUES ('k', '')")
        assert store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        with store.reading() as view:
            assert view.execute("SELECT count(*) FROM meta WHERE key = 'k'").fetchone() == (1,)
    assert not Path(f"{path}-wal").exists()
