"""Countries, their names, outlines and borders, as data the engine is given.

Standing in the flow: the composition root makes one `TimezoneGeography` and hands it to whoever
evaluates rules. Importing this package is cheap; what is heavy comes in with its first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from warden.geodata.borders import TimezoneGeography
    from warden.geodata.zones import check_zones

__all__ = ["TimezoneGeography", "check_zones"]


def __getattr__(name: str) -> Any:
    """Import what is asked for (PEP 562): the geometry libraries take a third of a second."""
    if name == "TimezoneGeography":
        from warden.geodata.borders import TimezoneGeography  # noqa: PLC0415 (see the docstring)

        return TimezoneGeography
    if name == "check_zones":
        from warden.geodata.zones import check_zones  # noqa: PLC0415 (see the docstring)

        return check_zones
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
