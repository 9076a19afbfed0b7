"""Copies of the database that can be trusted: SQLite's backup API, checked, synced, renamed."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

from warden.errors import StoreError
from warden.ownership import give_to_owner_of, make_folder
from warden.store.connection import Store, sync_folder, translated_errors, verify_connection

_NIGHTLY = re.compile(r"warden-\d{4}-\d{2}-\d{2}\.db\Z")
_UNFINISHED = re.compile(r"\.warden-\d{4}-\d{2}-\d{2}\.db\.partial(-journal|-wal|-shm)?\Z")


def back_up(store: Store, target: Path, *, compact: bool = False) -> Path:
    """Copy the committed state of `store` to `target`, while others go on writing.

    A copy that fails its check never takes the place of an older good one. `compact`: without the
    room that removed rows left.

    Raises:
        StoreError: the target is the database itself, cannot be written, or the copy is damaged.
    """
    target = Path(target).absolute()
    if store.path != ":memory:" and _belongs_to(Path(store.path), target):
        raise StoreError(f"{target} is the database itself; name another file for its backup")
    if compact:
        return copy_database(store.connection, target, _compact)
    with store.reading() as connection:
        return copy_database(connection, target)


def _page_by_page(connection: sqlite3.Connection, partial: Path) -> None:
    copy = sqlite3.connect(partial, isolation_level=None)
    try:
        connection.backup(copy)
    finally:
        copy.close()


def _compact(connection: sqlite3.Connection, partial: Path) -> None:
    connection.execute("VACUUM INTO ?", (str(partial),))


def copy_database(
    connection: sqlite3.Connection,
    target: Path,
    how: Callable[[sqlite3.Connection, Path], None] = _page_by_page,
) -> Path:
    """Copy what `connection` sees to `target`; see `back_up`."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        _remove(partial)
        _make(partial, connection)
        with translated_errors(target):
            how(connection, partial)
            _make_whole(partial)
        _sync_file(partial)
        partial.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise StoreError(f"cannot write the backup {target}: {error.strerror}") from error
    finally:
        with suppress(OSError):  # why there is no copy is the news; the next one takes it away
            _remove(partial)
    return target


def _remove(partial: Path) -> None:
    """Take away a copy that was begun, with what SQLite leaves beside it when its disk failed."""
    for end in ("", "-journal", "-wal", "-shm"):
        Path(f"{partial}{end}").unlink(missing_ok=True)


def _make(partial: Path, connection: sqlite3.Connection) -> None:
    """An empty file for the copy, the database's owner's where the folder is that owner's too.

    Root may put a copy where others are at home: that does not make it theirs.
    """
    fd = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
    try:
        database = connection.execute("PRAGMA database_list").fetchone()[2]
        if database and Path(database).stat().st_uid == partial.parent.stat().st_uid:
            give_to_owner_of(partial.parent, fd)
    finally:
        os.close(fd)


def nightly_backup(store: Store, folder: Path, now: datetime, *, keep: int = 7) -> Path:
    """Write `warden-YYYY-MM-DD.db` into `folder` and remove all but the newest `keep`.

    Those of days to come, which a clock made that was ahead, neither count nor go: they go in
    their turn, when their day has passed.
    """
    try:
        make_folder(folder)
    except OSError as error:
        raise StoreError(f"cannot make the folder of backups {folder}: {error.strerror}") from error
    target = back_up(store, folder / nightly_name(now.date()))
    old_ones = nightly_backups(folder, now.date())[: -max(keep, 1)]
    for old in (*old_ones, *_left_unfinished(folder)):
        old.unlink(missing_ok=True)
    return target


def nightly_name(day: date) -> str:
    """The file name of a day's backup."""
    return f"warden-{day.isoformat()}.db"


def nightly_backups(folder: Path, until: date) -> list[Path]:
    """The backups in the folder that bear that day or an earlier one, the oldest first."""
    if not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if _NIGHTLY.fullmatch(path.name))
    return sorted(path for path in found if path.name <= nightly_name(until))


def _left_unfinished(folder: Path) -> list[Path]:
    """What a process that died in the middle of a night's backup left behind."""
    return [path for path in folder.iterdir() if _UNFINISHED.fullmatch(path.name)]


def _make_whole(partial: Path) -> None:
    copy = sqlite3.connect(partial, isolation_level=None)
    try:
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, whole without a log beside it
        verify_connection(copy, partial)
    finally:
        copy.close()


def _sync_file(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _belongs_to(database: Path, target: Path) -> bool:
    """Whether the target is the database or one of the files that live beside it."""
    names = {f"{database.name}{end}" for end in ("", "-wal", "-shm", "-journal", ".lock", ".sock")}
    if target.exists() and database.exists() and database.samefile(target):
        return True
    return target.name in names and target.parent.resolve() == database.parent.resolve()
