"""The kinds of feeds there are: adding one is its own file and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import SecretStr

from warden.sources import acled, file
from warden.sources.common import SourceSettings
from warden.sources.protocol import Source

ReadSecret = Callable[[str], SecretStr]
Make = Callable[[Any, ReadSecret], Source]


def _make_acled(settings: acled.AcledSettings, read_secret: ReadSecret) -> Source:
    return acled.make(settings, read_secret(settings.password.secret))


def _make_file(
    settings: file.FileSettings,
    read_secret: ReadSecret,  # noqa: ARG001 - every kind is made alike
) -> Source:
    return file.FileSource(settings)


KINDS: Mapping[str, tuple[type[SourceSettings], Make]] = {
    "acled": (acled.AcledSettings, _make_acled),
    "file": (file.FileSettings, _make_file),
}


def make_source(settings: SourceSettings, read_secret: ReadSecret) -> Source:
    """The source that checked settings describe; `read_secret` is asked by name."""
    kind: str = settings.kind  # type: ignore[attr-defined]  # every kind's model has it
    return KINDS[kind][1](settings, read_secret)
