"""A look at a database file before SQLite touches it: foreign, empty and cut files are refused.

The layout is that of https://www.sqlite.org/fileformat.html, section 1.3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from warden.errors import StoreError

_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100
_RESTORE = "restore a backup, or move the file away to begin with an empty database"


@dataclass(frozen=True, slots=True)
class Header:
    """What the first hundred bytes say."""

    page_size: int
    pages: int
    user_version: int
    application_id: int


def read_header(path: Path) -> Header:
    """Read and check the header of an existing file.

    Raises:
        StoreError: not a file, empty, zeroed, foreign, or shorter than it says it is.
    """
    if not path.is_file():
        raise StoreError(f"{path} is not a file; name a database file")
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
        size = path.stat().st_size
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    if not head:
        raise StoreError(f"{path} is empty, so it has been truncated; {_RESTORE}")
    if not head.strip(b"\x00"):
        raise StoreError(f"{path} begins with zeros, so it has been overwritten; {_RESTORE}")
    if len(head) < _HEADER_BYTES or not head.startswith(_MAGIC):
        raise StoreError(f"{path} is not an SQLite database; name another file")
    header = _parse(head)
    _check_size(path, header, size)
    return header


def _parse(head: bytes) -> Header:
    (page_size,) = struct.unpack_from(">H", head, 16)
    (pages,) = struct.unpack_from(">I", head, 28)
    (version,) = struct.unpack_from(">I", head, 60)
    (application,) = struct.unpack_from(">I", head, 68)
    return Header(65536 if page_size == 1 else page_size, pages, version, application)


def _check_size(path: Path, header: Header, size: int) -> None:
    """A file shorter than its own page count has been cut, unless its log still holds the rest."""
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size > 0:
        return
    whole = header.pages * header.page_size
    if size < whole:
        raise StoreError(f"{path} is cut short: {size:,} bytes of {whole:,}; {_RESTORE}")
