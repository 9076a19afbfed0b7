"""The folder of a file drop: which files are whole, and where they go when they were read.

Standing in the flow: `file` asks for waiting files and moves them afterwards. A file that some
process still has open for writing is left alone: the kernel knows, and tells by refusing a lease.

Whoever may put files here need not have warden's rights. So a link is never followed: neither one
that lies there as a file, nor one in the place of a subfolder or of a reason.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from warden.ownership import give_to_owner_of, make_folder

PROCESSED = "processed"
REJECTED = "rejected"
REASON = ".reason.txt"
_UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart", ".swp", "~", REASON)
_LONGEST_SUFFIX = 20  # characters
_LONGEST_NAME = 255  # bytes, of Linux's file systems
_F_SETSIG = 10  # Linux; not in Python's fcntl


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file as it was when it was found; the same signature later means: unchanged.

    Attributes:
        size: bytes. modified_ns: its time of writing, which whoever copies it may set.
        changed_ns: when it came to lie there so, which only the kernel sets.
    """

    path: Path
    size: int
    modified_ns: int
    changed_ns: int

    @property
    def signature(self) -> list[object]:
        """What is remembered of it."""
        return [self.path.name, self.size, self.modified_ns, self.changed_ns]


def waiting(folder: Path, settle_s: float) -> tuple[list[Waiting], int]:
    """The files in `folder` that are ready, oldest first, and how many are still being written.

    Raises `OSError` if the folder cannot be read.
    """
    ready: list[Waiting] = []
    busy = 0
    for entry in os.scandir(folder):
        if entry.name.startswith(".") or entry.name.endswith(_UNFINISHED):
            continue
        if entry.name in (PROCESSED, REJECTED) or not (entry.is_symlink() or entry.is_file()):
            continue
        found = look(Path(entry.path))
        if found is None:
            continue
        if being_written(found, settle_s):
            busy += 1
        else:
            ready.append(found)
    return sorted(ready, key=lambda one: (one.modified_ns, one.path.name)), busy


def look(path: Path) -> Waiting | None:
    """The file, or the link, as it is now; None if it has gone."""
    try:
        stat = path.lstat()
    except FileNotFoundError:
        return None
    return Waiting(path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def being_written(file: Waiting, settle_s: float) -> bool:
    """Whether some process has the file open for writing.

    Where the kernel does not tell (another owner's file, some file systems), a file is taken for
    finished once it has not changed for `settle_s`, by the machine's clock: file times are its.
    """
    writers = _has_writers(file.path)
    if writers is not None:
        return writers
    return 0.0 <= time.time() - file.modified_ns / 1e9 < settle_s


def _has_writers(path: Path) -> bool | None:
    """A read lease is refused while a file is open for writing; None where leases don't work."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        # Someone may open the file while the lease is held: the signal that then comes must be
        # one that is ignored by default, which SIGIO is not.
        fcntl.fcntl(descriptor, _F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    finally:
        os.close(descriptor)
    return False


@contextmanager
def steady(file: Waiting) -> Iterator[None]:
    """Raise `Changed` at the end if the file was touched in the meantime."""
    yield
    if look(file.path) != file:
        raise Changed(f"{file.path.name} changed while it was being read; it is read again")


class Changed(Exception):  # noqa: N818 - it says what happened
    """A file was written to while it was read."""


def keep(file: Waiting) -> Path:
    """Move a file that was read into `processed/`; raises `OSError`."""
    return _move(file.path, file.path.parent / PROCESSED)


def refuse(file: Waiting, reason: str) -> Path:
    """Move a file that cannot be read into `rejected/`, its reason beside it."""
    moved = _move(file.path, file.path.parent / REJECTED)
    with _folder(moved.parent) as place:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(moved.name + REASON, flags, 0o640, dir_fd=place)
        give_to_owner_of(moved.parent, descriptor)
    # A file's name, which the reason names, need not be UTF-8.
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(reason + "\n")
    return moved


def _move(path: Path, folder: Path) -> Path:
    make_folder(folder)
    with _folder(folder) as place:
        name, number = _fitting(path, ""), 1
        while _there(name, place) or _there(name + REASON, place):
            number += 1
            name = _fitting(path, f"-{number}")
        os.rename(path, name, dst_dir_fd=place)
    return folder / name


def any_rejected(folder: Path, names: Iterable[str]) -> bool:
    """Whether one of these still lies in the folder's `rejected/`."""
    return any(look(folder / REJECTED / name) is not None for name in names)


def _fitting(path: Path, more: str) -> str:
    """The file's name with `more` after its stem, shortened so that a reason has room beside it."""
    stem, suffix = path.stem, path.suffix
    if len(suffix) > _LONGEST_SUFFIX:  # no suffix, but a name with a point in it
        stem, suffix = path.name, ""
    while len(os.fsencode(f"{stem}{more}{suffix}{REASON}")) > _LONGEST_NAME:
        stem = stem[:-1]
    return f"{stem}{more}{suffix}"


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    """A descriptor of a folder that is one itself; raises `OSError` for a link to another."""
    place = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield place
    finally:
        os.close(place)


def _there(name: str, place: int) -> bool:
    try:
        os.lstat(name, dir_fd=place)
    except FileNotFoundError:
        return False
    return True
