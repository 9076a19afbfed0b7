"""How values stand in SQL: instants and days as fixed-width text that sorts as time does."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache


@lru_cache(maxsize=65_536)
def instant_text(instant: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SS.ffffffZ`, UTC, always 27 characters.

    Raises:
        ValueError: the instant has no time zone; a naive time is a bug, never a guess.
    """
    if instant.tzinfo is not UTC:
        if instant.tzinfo is None:
            raise ValueError(f"an instant needs a time zone: {instant!r}")
        instant = instant.astimezone(UTC)
    return instant.isoformat(timespec="microseconds")[:26] + "Z"


def instant_or_none(instant: datetime | None) -> str | None:
    """`instant_text`, passing None through."""
    return None if instant is None else instant_text(instant)


def parse_instant(text: str) -> datetime:
    """The reverse of `instant_text`."""
    return datetime.fromisoformat(text)


def parse_instant_or_none(text: str | None) -> datetime | None:
    """`parse_instant`, passing None through."""
    return None if text is None else datetime.fromisoformat(text)


@lru_cache(maxsize=65_536)
def day_text(day: date) -> str:
    """The ISO text of a day."""
    return day.isoformat()


def day_or_none(day: date | None) -> str | None:
    """The ISO text of a day, passing None through."""
    return None if day is None else day.isoformat()


def parse_day_or_none(text: str | None) -> date | None:
    """The reverse of `day_or_none`."""
    return None if text is None else date.fromisoformat(text)
