"""How values stand in SQL: instants and days as fixed-width text that sorts as time does."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

from warden.model.instants import instant_text

__all__ = [
    "day_or_none",
    "day_text",
    "instant_or_none",
    "instant_text",
    "parse_day_or_none",
    "parse_instant",
    "parse_instant_or_none",
]


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
