"""The lock beside the database: one process owns it, a second writer refuses to start.

SQLite's own locks let two writers take turns. warden wants one owner of the database and of its
checkpoints (see docs/decisions/0201-one-writer.md), so every writer holds `<database>.lock` for
as long as it has the database open. The kernel lets go of it however the process ends.

A name is not the file: it may have a second one (a hard link), and the lock file may be removed. So
the database itself is locked too, with a lock that is in nobody's way.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from warden.errors import StoreError
from warden.ownership import give_to_owner_of

_POLL_S = 0.05
_FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW  # root, too, writes into no file by a link here
# Of the database's own lock: one byte, where no database reaches, and far from those that SQLite
# locks. It belongs to its descriptor and not to the process, so SQLite's and this never meet.
_PLACE = 1 << 62
_OWN_LOCK = struct.pack("hhqqi0q", fcntl.F_WRLCK, os.SEEK_SET, _PLACE, 1, 0)

_bound: set[tuple[int, int]] = set()  # device and inode of the databases this process has locked


def bound_here(database: Path) -> bool:
    """Whether this process has the database locked, under whatever name.

    It must then not open the file beside SQLite: closing any descriptor of it drops all of SQLite's
    locks in this process, and the next program that closes the database takes its log away.
    """
    try:
        found = database.stat()
    except OSError:
        return False
    return (found.st_dev, found.st_ino) in _bound


class DatabaseLocked(StoreError):  # noqa: N818  a state other code asks for, named as such
    """Another process owns the database.

    Attributes:
        pid: its process id, if it could be read.
    """

    def __init__(self, message: str, pid: int | None) -> None:
        super().__init__(message)
        self.pid = pid


class DatabaseLock:
    """An exclusive `flock` on `<database>.lock`, and a lock on the database, held until released.

    Links are followed: two names of one database are one lock. The lock file stays behind when
    released: removing it would let two processes lock two files of the same name.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self.path = Path(f"{os.path.realpath(database)}.lock")
        self._fd: int | None = None
        self._own: int | None = None
        self._inode = (0, 0)

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._fd is not None

    def acquire(self, wait_s: float = 0.0) -> None:
        """Take the lock, trying for `wait_s` seconds.

        Raises:
            DatabaseLocked: another process (or another part of this one) holds it.
            StoreError: the lock file cannot be made.
        """
        if self.held:
            raise RuntimeError("this lock is already held")
        fd = self._open()
        deadline = time.monotonic() + wait_s
        while not _try_flock(fd):
            if time.monotonic() >= deadline:
                pid = _read_pid(fd)
                os.close(fd)
                raise DatabaseLocked(self._sentence(pid), pid)
            time.sleep(_POLL_S)
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd

    def bind(self) -> None:
        """Lock the database itself, which has to be there; to be called before SQLite opens it.

        Raises:
            DatabaseLocked: another process has it under another name, or its lock file is gone.
        """
        if bound_here(self._database):
            raise DatabaseLocked(self._other_name(), os.getpid())
        try:
            fd = os.open(self._database, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return  # what is wrong with it, those say who are to use it
        try:
            fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _OWN_LOCK)
        except OSError as error:
            os.close(fd)
            if error.errno in {errno.EAGAIN, errno.EACCES}:
                raise DatabaseLocked(self._other_name(), None) from None
            return  # a file system without such locks; the lock file is held
        found = os.fstat(fd)
        self._own, self._inode = fd, (found.st_dev, found.st_ino)
        _bound.add(self._inode)

    def release(self) -> None:
        """Let go, once SQLite has closed the database; without effect when not held."""
        if self._own is not None:
            _bound.discard(self._inode)
            os.close(self._own)
            self._own = None
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        if not self.held:
            self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def _open(self) -> int:
        try:
            with suppress(FileExistsError):
                fd = os.open(self.path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o640)
                give_to_owner_of(self.path.parent, fd)
                return fd
            return os.open(self.path, _FLAGS)
        except OSError as error:
            raise StoreError(
                f"cannot make the lock file {self.path}: {error.strerror}; "
                "check that the folder exists and that warden may write in it"
            ) from error

    def _sentence(self, pid: int | None) -> str:
        who = f"process {pid}" if pid is not None else "another process"
        return (
            f"{self._database} is in use by {who}; "
            "stop it first, or send the change to the running daemon"
        )

    def _other_name(self) -> str:
        return (
            f"{self._database} is in use by another process, under another name or without its "
            f"lock file {self.path.name}; stop it first"
        )


def _try_flock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return False
        os.close(fd)
        raise StoreError(f"this file system cannot lock files: {error.strerror}") from error
    return True


def _read_pid(fd: int) -> int | None:
    text = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
    return int(text) if text.isdigit() else None
