"""Fingerprints of rows: the same one again means that reading would give the same record.

Standing in the flow: `file_reading` takes them, the store keeps them beside the events, and a row
that is served again just so need not be read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from importlib import metadata
from pathlib import Path

_SIZE = 16
_ROOMS = ("sources", "geodata", "model")
_LIBRARIES = ("babel", "pycountry", "tzdata")  # the names of countries, and where these lie


class Fingerprints:
    """Fingerprints of rows that are read under one set of settings.

    Arguments:
        settings: all that has a say in what a row becomes, beside its cells and the code. Not
            among it is the time: a row dated in the past or the near future stays so.
    """

    def __init__(self, *settings: object) -> None:
        own = repr((_code(), settings)).encode()
        self._own = blake2b(own, digest_size=_SIZE).hexdigest()

    def of(self, cells: Sequence[str]) -> bytes:
        """The fingerprint of cells that hold neither NULs nor surrogates."""
        text = "\0".join((self._own, *cells))
        return blake2b(text.encode(), digest_size=_SIZE).digest()


@cache
def _code() -> str:
    """Which code reads rows: any change to it, however small, makes every row be read anew."""
    digest = blake2b(digest_size=_SIZE)
    root = Path(__file__).parent.parent
    for path in sorted(path for room in _ROOMS for path in (root / room).glob("*.py")):
        digest.update(path.read_bytes())
    for name in ("warden", *_LIBRARIES):
        digest.update(_version(name).encode())
    return digest.hexdigest()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
