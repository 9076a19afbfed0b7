"""Opening the database, and the one way to write to it.

Standing in the flow: `ingest`, `evaluate` and `deliver` write inside `Store.transaction()`;
everything else reads. One process owns the database for writing (`warden.store.lock`).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from warden.errors import StoreError
from warden.ownership import give_to_owner_of
from warden.store import schema
from warden.store.header import read_header
from warden.store.lock import DatabaseLock, bound_here

MEMORY = ":memory:"
_BUSY_TIMEOUT_S = 5.0
_CHECK_STEPS = 10_000  # of SQLite's machine, between two looks at the clock
_LOG_LIMIT_BYTES = 64 * 1024 * 1024
_SHARED_PIECE_BYTES = 32 * 1024  # by which the shared memory beside the database grows
_KEPT_READERS = 2
_FAILED_SYNCS = frozenset({sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC})
_DOUBTFUL = "the disk failed to keep what was written; check it, then start warden again"
_CACHE_KIB = 16 * 1024  # more makes nothing faster, not even with ten times as large a file
_READER_CACHE_KIB = 8 * 1024

Transaction = sqlite3.Connection  # what `Store.transaction()` hands out: open, and yours


class Store:
    """An open database. Made by `open_store`.

    Attributes:
        path: the file, or `:memory:`.
        read_only: True: `transaction()` is refused.
        doubtful: a sync failed, and what the disk holds is unknown; see `transaction`.
        connection: the one connection of this store. Threads may share it for reading, but a
            thread that reads beside a writer wants `reading()`, or it sees half a transaction.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path | str,
        *,
        read_only: bool,
        lock: DatabaseLock | None = None,
    ) -> None:
        self.connection = connection
        self.path = path
        self.read_only = read_only
        self._lock = lock
        self._writing = threading.RLock()
        self._readers: list[sqlite3.Connection] = []  # idle, with no transaction open
        self._closed = False
        self.doubtful = False

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Everything inside is committed together, or nothing is.

        Threads take turns. Transactions do not nest: they stand only in the steps of a cycle.

        After a sync that failed every further one is refused: the kernel may have dropped what it
        could not write, and would say the next time that all is well. Only a process that opens
        the database anew sees what is there.

        Raises:
            StoreError: the disk is full, the file damaged or busy; nothing was written.
        """
        if self.read_only:
            raise StoreError(f"{self.path} is open for reading only")
        with self._writing:
            if self.doubtful:  # asked in here: the sync may fail while this waits for its turn
                raise StoreError(f"{self.path}: {_DOUBTFUL}")
            if self.connection.in_transaction:
                raise RuntimeError("transactions do not nest")
            with translated_errors(self.path):
                self.connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self.connection
                    self.connection.execute("COMMIT")
                except BaseException as error:
                    if getattr(error, "sqlite_errorcode", 0) in _FAILED_SYNCS:
                        self.doubtful = True
                    self._roll_back()
                    raise

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other threads from writing, for a step that reads first and then commits."""
        with self._writing:
            yield

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of what is committed, on a connection of its own.

        For threads that read while another writes. A store in memory has no second connection:
        there, readers wait for the writer. A few connections are kept for the next ones: opening
        one costs more than most of what is read.
        """
        if self.path == MEMORY:
            with self._writing:
                yield self.connection
            return
        with translated_errors(self.path):
            connection = self._reader()
            whole = False
            try:
                connection.execute("BEGIN")
                yield connection
                connection.execute("ROLLBACK")
                whole = True
            finally:
                if whole and not self._closed and len(self._readers) < _KEPT_READERS:
                    self._readers.append(connection)
                else:
                    connection.close()

    def _reader(self) -> sqlite3.Connection:
        try:
            return self._readers.pop()
        except IndexError:
            connection = _connect(Path(self.path), read_only=True)
            connection.execute(f"PRAGMA cache_size = -{_READER_CACHE_KIB}")
            return connection

    def verify(self) -> None:
        """Check the whole file, page by page and key by key.

        Raises:
            StoreError: it is damaged; the message has SQLite's first findings.
        """
        with translated_errors(self.path):
            verify_connection(self.connection, self.path)

    def quick_check(self, within_s: float) -> bool:
        """Look whether the file's pages hang together; False when the time was too short for that.

        Raises:
            StoreError: it is damaged.
        """
        deadline = time.monotonic() + within_s
        with self.reading() as connection:
            connection.set_progress_handler(lambda: time.monotonic() > deadline, _CHECK_STEPS)
            try:
                findings = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                    return False
                raise
            finally:
                connection.set_progress_handler(None, 0)
        if findings != ["ok"]:
            told = " ".join("; ".join(findings).split())
            raise StoreError(f"{self.path} is damaged: {told}; restore a backup")
        return True

    def close(self) -> None:
        """Fold the log into the file and let go of the database. Can be called twice."""
        if self._closed:
            return
        self._closed = True
        while self._readers:
            self._readers.pop().close()
        with self._writing:
            self.connection.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _roll_back(self) -> None:
        # SQLite has already rolled back by itself after some failures (disk full, I/O error).
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")


def open_store(path: Path | str, *, read_only: bool = False, wait_s: float = 0.0) -> Store:
    """Open the database at `path`; make it when it is not there and `read_only` is False.

    A writer takes the lock of the database and keeps it until `close()`; `wait_s` is how long
    to wait for another process to let go of it. A link is followed, since SQLite's log stands
    beside the file that is meant. `:memory:` is a store that lives as long as
    the object, for `--events` files.

    Raises:
        DatabaseLocked: another process owns it.
        StoreError: missing (to a reader), foreign, newer than this program, cut or damaged.
    """
    if str(path) == MEMORY:
        return _open_memory()
    path = Path(os.path.realpath(path))
    if read_only:
        return _open_for_reading(path)
    lock = DatabaseLock(path)
    lock.acquire(wait_s)
    try:
        return _open_for_writing(path, lock)
    except BaseException:
        lock.release()
        raise


@contextmanager
def translated_errors(path: Path | str) -> Iterator[None]:
    """Turn what an operator can mend about the file or its disk into a `StoreError`.

    A broken constraint or wrong SQL is a fault of the program and passes as it is.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0)
        if code == sqlite3.SQLITE_IOERR_SHMSIZE and _is_full(path):
            code = sqlite3.SQLITE_FULL
        sentence = _SENTENCES.get(code & 0xFF)
        if sentence is None:
            raise
        raise StoreError(f"{path}: {sentence} ({error})") from error


def outer_fault(error: BaseException) -> str | None:
    """What an operator can mend of what SQLite says, as a sentence; None for anything else."""
    code = getattr(error, "sqlite_errorcode", None)
    sentence = None if code is None else _SENTENCES.get(code & 0xFF)
    return None if sentence is None else f"the database: {sentence} ({error})"


def _is_full(path: Path | str) -> bool:
    """Whether a disk has no room for a piece of the shared memory beside the database.

    SQLite tells of every other write that found no room as of a full disk, of this one as of a
    disk that failed.
    """
    try:
        return shutil.disk_usage(Path(path).parent).free < _SHARED_PIECE_BYTES
    except OSError:
        return False


def verify_connection(connection: sqlite3.Connection, path: Path | str) -> None:
    """Raise StoreError unless integrity and foreign keys hold."""
    findings = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(10)")]
    if findings != ["ok"]:
        raise StoreError(f"{path} is damaged: {'; '.join(findings)}; restore a backup")
    orphans = connection.execute("PRAGMA foreign_key_check").fetchmany(10)
    if orphans:
        tables = ", ".join(sorted({str(row[0]) for row in orphans}))
        raise StoreError(f"{path} is damaged: rows without their parents in {tables}")


_SENTENCES: dict[int, str] = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space, nothing was lost",
    sqlite3.SQLITE_IOERR: "the disk reported an error; check it and the system's log",
    sqlite3.SQLITE_CORRUPT: "the database is damaged; restore a backup",
    sqlite3.SQLITE_NOTADB: "this is not an SQLite database, or it has been overwritten",
    sqlite3.SQLITE_BUSY: "the database is busy; another program is writing to it",
    sqlite3.SQLITE_LOCKED: "the database is busy; another program is writing to it",
    sqlite3.SQLITE_READONLY: "the database cannot be written; check its owner and its folder's",
    sqlite3.SQLITE_CANTOPEN: "the database cannot be opened; check its folder and permissions",
    sqlite3.SQLITE_PERM: "the database cannot be opened; check its permissions",
    sqlite3.SQLITE_NOLFS: "the database has outgrown what this file system allows",
}


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={'ro' if read_only else 'rw'}",
        uri=True,
        isolation_level=None,  # BEGIN and COMMIT stand in our own code
        timeout=_BUSY_TIMEOUT_S,
        check_same_thread=False,  # SQLite is built serialized; writers take turns on a lock
        cached_statements=256,
    )
    try:
        _configure(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _configure(connection: sqlite3.Connection) -> None:
    for pragma in (
        "trusted_schema = OFF",
        "foreign_keys = ON",
        "cell_size_check = ON",
        f"cache_size = -{_CACHE_KIB}",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _make_durable(connection: sqlite3.Connection, path: Path) -> None:
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise StoreError(
            f"{path}: the file system cannot share memory (journal mode stays {mode!r}); "
            "put the database on a local disk"
        )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    connection.execute(f"PRAGMA journal_size_limit = {_LOG_LIMIT_BYTES}")


def _open_memory() -> Store:
    connection = sqlite3.connect(MEMORY, isolation_level=None, check_same_thread=False)
    _configure(connection)
    schema.migrate(connection)
    _name_installation(connection)
    return Store(connection, MEMORY, read_only=False)


def _open_for_reading(path: Path) -> Store:
    if not path.exists():
        raise StoreError(
            f"there is no database at {path}; `warden run` or `warden ingest` makes one"
        )
    if not bound_here(path):
        read_header(path)
    with translated_errors(path):
        connection = _connect(path, read_only=True)
        try:
            _refuse_older(_recognise(connection, path), path)
        except BaseException:
            connection.close()
            raise
    return Store(connection, path, read_only=True)


def _open_for_writing(path: Path, lock: DatabaseLock) -> Store:
    if not path.exists():
        _create(path)
    lock.bind()
    read_header(path)
    with translated_errors(path):
        connection = _connect(path, read_only=False)
        try:
            version = _recognise(connection, path)
            _make_durable(connection, path)
            if version < schema.newest_version():
                _migrate_with_backup(connection, path, version)
        except BaseException:
            connection.close()
            raise
    return Store(connection, path, read_only=False, lock=lock)


def _recognise(connection: sqlite3.Connection, path: Path) -> int:
    """The schema version of a database of ours; StoreError for any other."""
    version = schema.user_version(connection)
    if schema.application_id(connection) != schema.APPLICATION_ID or version == 0:
        raise StoreError(
            f"{path} is an SQLite database of another program; it stays as it is, name another file"
        )
    if version > schema.newest_version():
        raise StoreError(
            f"{path} has schema {version}, this warden knows only up to "
            f"{schema.newest_version()}; install the newer warden again"
        )
    return version


def _refuse_older(version: int, path: Path) -> None:
    if version < schema.newest_version():
        raise StoreError(
            f"{path} has schema {version}, this warden reads {schema.newest_version()}; "
            "start the new daemon once, it brings the database up to date"
        )


def _migrate_with_backup(connection: sqlite3.Connection, path: Path, version: int) -> None:
    from warden.store.backup import copy_database  # noqa: PLC0415  backup imports this module

    copy_database(connection, path.with_name(f"{path.name}.schema-{version}"))
    schema.migrate(connection)


def _create(path: Path) -> None:
    """Make the database under another name and rename it, so that it is never there half made.

    An empty file at `path` therefore always means damage, and is refused.
    """
    for leftover in (Path(f"{path}-wal"), Path(f"{path}-journal")):
        if leftover.exists():
            raise StoreError(
                f"{leftover} is there without its database; restore the database beside it, "
                "or move the log away"
            )
    fresh = path.with_name(f".{path.name}.creating")
    for stale in (fresh, Path(f"{fresh}-journal")):
        stale.unlink(missing_ok=True)
    with translated_errors(path):
        fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        give_to_owner_of(path.parent, fd)  # SQLite gives its log to whom the database belongs
        os.close(fd)
        connection = _connect(fresh, read_only=False)
        try:
            schema.migrate(connection)
            _name_installation(connection)
        finally:
            connection.close()
    fresh.rename(path)
    sync_folder(path.parent)


def _name_installation(connection: sqlite3.Connection) -> None:
    """A database has an identity of its own, which its backups share."""
    connection.execute(
        "INSERT INTO meta (key, value) VALUES ('installation', ?)", (str(uuid.uuid4()),)
    )


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
