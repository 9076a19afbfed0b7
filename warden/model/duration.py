"""Durations as operators write them: whole days, because events have dates and no hours."""

from __future__ import annotations

import re
from typing import Final

DAYS_IN: Final[dict[str, int]] = {"d": 1, "w": 7, "y": 365}
MAX_DAYS: Final = 36_500

_DURATION: Final = re.compile(r"([0-9]{1,6})\s*([a-zA-Z]*)\Z")
_SHORTER: Final = frozenset(
    {"h", "hour", "hours", "m", "min", "minute", "minutes", "s", "sec", "second", "seconds", "ms"}
)


def parse_days(text: str) -> int:
    """`30d`, `4w` or `1y` (365 days) as a number of days.

    Raises:
        ValueError: with a sentence for the operator that begins with the text.
    """
    shown = f"'{text.strip()[:60]}'"
    match = _DURATION.match(text.strip())
    if match is None:
        raise ValueError(
            f"{shown} is not a duration; write whole days, weeks or years: 30d, 4w, 1y"
        )
    amount, unit = int(match[1]), match[2]
    if unit.casefold() in _SHORTER:
        raise ValueError(
            f"{shown} is shorter than a day; events have dates, not hours: write whole days, as 2d"
        )
    if unit not in DAYS_IN:
        raise ValueError(
            f"{shown} has no unit that is known; write whole days, weeks or years: 30d, 4w, 1y"
        )
    days = amount * DAYS_IN[unit]
    if days > MAX_DAYS:
        raise ValueError(f"{shown} is longer than a hundred years")
    return days


def format_days(days: int) -> str:
    """The shortest way to write it that `parse_days` reads back: 365 -> "1y", 28 -> "4w"."""
    for unit in ("y", "w"):
        if days and days % DAYS_IN[unit] == 0:
            return f"{days // DAYS_IN[unit]}{unit}"
    return f"{days}d"
