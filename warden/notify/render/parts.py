"""Reading a notice's facts: what is there, as what it should be, and free of odd characters."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from warden.model.notice import Notice

MAX_TEXT = 2_000
_REGION_PRECISION = 3
_NUMBERS = (int, float)


def clean(text: object, limit: int = MAX_TEXT) -> str:
    """One line without control, bidi or other invisible characters."""
    given = str(text)[: limit * 2]
    if not given.isprintable():  # most is, and nothing of these kinds is
        given = "".join(
            " " if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") else char
            for char in given
        )
    line = " ".join(given.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def capital(text: str) -> str:
    """With a capital first letter, as a line of its own begins."""
    return text[:1].upper() + text[1:]


def paragraph(text: object) -> str:
    """A text of the operator's own, its line breaks kept."""
    return "\n".join(clean(line) for line in str(text).strip().splitlines())


def newest(notice: Notice) -> Mapping[str, Any]:
    """The newest event of a notice; {} without events."""
    events = notice.facts.get("events")
    first: Mapping[str, Any] = events[0] if events else {}
    return first


def number_of(value: object) -> float | None:
    """A finite number, else None."""
    if value is None or isinstance(value, bool):
        return None
    return value if isinstance(value, _NUMBERS) and math.isfinite(value) else None


def day_of(value: object) -> date | None:
    """An ISO day, else None."""
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def instant_of(value: object) -> datetime | None:
    """An ISO instant with its zone, else None."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def is_region(event: Mapping[str, Any]) -> bool:
    """The point only stands for a region (ACLED puts such events on its capital)."""
    return event.get("geo_precision") == _REGION_PRECISION
