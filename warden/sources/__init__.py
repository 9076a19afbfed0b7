"""Feeds of events, one file each behind one protocol (`protocol.Source`).

`KINDS` maps a kind's name in the settings to its settings model and to the function that makes
the source: `make(settings, read_secret)`. It is loaded when first asked for, since rooms that
only know the protocol must not pay for HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from warden.sources.registry import KINDS, make_source

__all__ = ["KINDS", "make_source"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from warden.sources import registry  # noqa: PLC0415 - see above

        return getattr(registry, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
