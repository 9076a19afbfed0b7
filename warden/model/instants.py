"""How instants are written: one form, in the database and in everything that scripts read."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=65_536)
def instant_text(instant: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SS.ffffffZ`, UTC, always 27 characters: sorts as time does.

    Raises:
        ValueError: the instant has no time zone; a naive time is a bug, never a guess.
    """
    if instant.tzinfo is not UTC:
        if instant.tzinfo is None:
            raise ValueError(f"an instant needs a time zone: {instant!r}")
        instant = instant.astimezone(UTC)
    return instant.isoformat(timespec="microseconds")[:26] + "Z"


def written(value: object) -> str:
    """What JSON has no form for, as text; an instant as everywhere else."""
    return instant_text(value) if isinstance(value, datetime) else str(value)
