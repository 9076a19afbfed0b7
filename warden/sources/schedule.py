"""When a source is asked next: a pure function of its setting, the time and the last poll.

Standing in the flow: the daemon asks; a restart asks again and gets the same answer, since only
the stored time of the last poll counts.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer

RELEASES: Final = "releases"
RELEASE_WEEKDAYS = frozenset({0, 1})  # Mondays and Tuesdays
RELEASE_HOURS = (13, 16, 19, 22)  # rows come between 13 and 23 h UTC
DAILY_HOUR = 13
FIRST_RETRY = timedelta(minutes=5)
SHORTEST = timedelta(seconds=1)
LONGEST = timedelta(days=31)
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION = re.compile(r"(\d{1,6})\s*([smhd])", re.ASCII)


def parse_every(value: object) -> timedelta | None:
    """`"releases"` as None, `"1m"`, `"3h"` as a duration; raises `ValueError`."""
    if value is None or (isinstance(value, str) and value.strip() == RELEASES):
        return None
    if isinstance(value, timedelta):
        every = value
    else:
        match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise ValueError("write `releases`, or a number with s, m, h or d, such as 1m or 3h")
        every = timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    if not SHORTEST <= every <= LONGEST:
        raise ValueError("must lie between 1s and 31d")
    return every


def write_every(every: timedelta | None) -> str:
    """The setting as it is written."""
    return RELEASES if every is None else f"{round(every.total_seconds())}s"


Every = Annotated[
    timedelta | None,
    BeforeValidator(parse_every),
    PlainSerializer(write_every, return_type=str),
]


def next_poll(
    every: timedelta | None,
    now: datetime,
    last: datetime | None,
    *,
    failures: int = 0,
    not_before: datetime | None = None,
) -> datetime:
    """The next instant at which to poll; `now` if that has passed.

    Arguments:
        every: None follows ACLED's releases: every three hours on Mondays and Tuesdays from
            13 to 22 h UTC, and daily at 13 h otherwise.
        last: when the last poll began; None if there was none.
        failures: how many polls in a row found the source out of reach. These are retried after
            5, 10, 20 … minutes, never later than the regular poll.
        not_before: what the source asked for (Retry-After, already bounded).
    """
    if last is None or last > now:  # never, or the clock went back
        due = now
    else:
        due = _next_release_slot(last) if every is None else last + every
        if failures > 0:
            due = min(due, last + FIRST_RETRY * 2 ** min(failures - 1, 12))
    if not_before is not None:
        due = max(due, not_before)
    return max(due, now)


def _next_release_slot(after: datetime) -> datetime:
    start = after.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    for ahead in range(9):
        day = start + timedelta(days=ahead)
        hours = RELEASE_HOURS if day.weekday() in RELEASE_WEEKDAYS else (DAILY_HOUR,)
        for hour in hours:
            slot = day.replace(hour=hour)
            if slot > after:
                return slot
    return start + timedelta(days=1)  # every day has a slot: not reached
