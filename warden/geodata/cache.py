"""Outlines kept on disk between starts, one file a country.

A file's name holds the country, the data it was cut from and the format; a file of other data is
never read. Whatever is wrong with the folder or a file only costs the time to cut again.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from warden.geodata.outline import FORMAT, Outline, OutlineDamagedError


class OutlineCache:
    """A folder of outlines, or none at all.

    Attributes:
        folder: where they are kept; None keeps nothing.
        fault: why the last write failed, "" if it did not; for `warden status`.
    """

    def __init__(self, folder: Path | None, key: str) -> None:
        """Keep outlines of the data named by `key` in `folder`, made when first needed."""
        self.folder = folder
        self.fault = ""
        self._key = key

    def path(self, iso3: str) -> Path | None:
        """Where a country's outline of this data is kept."""
        if self.folder is None:
            return None
        name = hashlib.sha256(f"{FORMAT}:{self._key}".encode()).hexdigest()[:12]
        return self.folder / f"borders-{iso3}-{name}.npz"

    def read(self, iso3: str) -> Outline | None:
        """Give the outline kept, or None if there is none that is whole and of this data."""
        path = self.path(iso3)
        if path is None:
            return None
        try:
            outline = Outline.from_bytes(path.read_bytes())
        except (OSError, OutlineDamagedError):
            return None
        return outline if (outline.iso3, outline.key) == (iso3, self._key) else None

    def write(self, outline: Outline) -> None:
        """Keep an outline; a folder that cannot be written is noted in `fault`, no more."""
        path = self.path(outline.iso3)
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, outline.to_bytes())
        except OSError as error:
            self.fault = f"borders are not kept in {path.parent}: {error.strerror or error}"
            return
        self.fault = ""
        self._remove_older(path, outline.iso3)

    def _remove_older(self, path: Path, iso3: str) -> None:
        """Remove what was cut from other data, which nobody will read again."""
        for other in path.parent.glob(f"borders-{iso3}-*.npz"):
            if other != path:
                with suppress(OSError):  # a second process may have removed it
                    other.unlink()


def _replace(path: Path, data: bytes) -> None:
    """Write the whole file or leave the old one: readers never see half of it."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
