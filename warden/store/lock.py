"""The lock beside the database: one process owns it, a second writer refuses to start.

SQLite's own locks let two writers take turns. warden wants one owner of the database and of its
checkpoints (see docs/decisions/0201-one-writer.md), so every writer holds `<database>.lock` for
as long as it has the database open. The kernel lets go of it however the process ends.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from warden.errors import StoreError

_POLL_S = 0.05


class DatabaseLocked(StoreError):  # noqa: N818  a state other code asks for, named as such
    """Another process owns the database.

    Attributes:
        pid: its process id, if it could be read.
    """

    def __init__(self, message: str, pid: int | None) -> None:
        super().__init__(message)
        self.pid = pid


class DatabaseLock:
    """An exclusive `flock` on `<database>.lock`, held until released.

    The file stays behind when released: removing it would let two processes lock two files of
    the same name.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self.path = Path(f"{database}.lock")
        self._fd: int | None = None

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

    def release(self) -> None:
        """Let go; without effect when not held."""
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
            return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
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
