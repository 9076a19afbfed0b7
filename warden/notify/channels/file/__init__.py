"""Files: one payload a message, JSON or CAP's XML, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from pathlib import Path

from warden.errors import ChannelError
from warden.model.delivery import Outgoing
from warden.model.located import Node
from warden.notify.channels.protocol import ChannelKind, no_headers
from warden.notify.formats import FORMATS, SUFFIXES, body_format
from warden.notify.reading import Reader
from warden.notify.routes import Target
from warden.ownership import give_to_owner_of, make_folder


def read_targets(node: Node, reader: Reader) -> tuple[Target, ...]:
    """`file: [{path: out}]`: a folder that gets one `<key>.json` (or `.xml`) a message."""
    found = reader.mapping(node, "file", ("path", "format", "include_notes"), required=("path",))
    if not found or "path" not in found:
        return ()
    path = reader.text(found["path"], "path")
    notes = reader.flag(found.get("include_notes"), "include_notes", default=False)
    given = found.get("format")
    name = None if given is None else reader.choice(given, "format", FORMATS)
    if path is None:
        return ()
    body = body_format(name or "warden", "", with_notes=notes)
    return (Target("file", path, body, Path(path)),)


class FileChannel:
    """Writes payloads into folders.

    Attributes:
        base: what relative paths are relative to.
    """

    def __init__(self, base: Path) -> None:
        self._base = base

    def send(self, outgoing: Outgoing, target: Target, now: datetime) -> str:  # noqa: ARG002
        """Write the payload and fsync it; a second try overwrites it with the same."""
        folder = self._base / target.name
        suffix = SUFFIXES.get(outgoing.delivery.format, ".json")
        final = folder / f"{outgoing.delivery.key}{suffix}"
        try:
            make_folder(folder)
            _write(folder, final, outgoing.body.encode() + b"\n")
        except OSError as error:
            raise ChannelError(f"{target.name}: {error.strerror or error}") from error
        return final.name


def _write(folder: Path, final: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
            give_to_owner_of(folder, stream.fileno())
        Path(name).chmod(0o640)
        Path(name).replace(final)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


KIND = ChannelKind("file", read_targets, no_headers, workers=1, per_target=1, lease_s=120.0)

__all__ = ["KIND", "FileChannel"]
