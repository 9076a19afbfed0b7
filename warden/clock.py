"""The only clock. The shell asks it; the engine is told the time as an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

SLACK: Final = timedelta(seconds=2)  # threads that ask the clock in turn, and its small corrections


class Clock(Protocol):
    """Something that knows the time."""

    def now(self) -> datetime:
        """Return the present instant, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant, in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that moves only when told, for backtests, tests and the demo's calendar."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant last set."""
        return self._now

    def set(self, instant: datetime) -> None:
        """Move to `instant`, forwards or backwards."""
        self._now = instant.astimezone(UTC)

    def advance(self, step: timedelta) -> None:
        """Move by `step`."""
        self._now += step


def is_ahead(written: datetime, now: datetime) -> bool:
    """Whether an instant that was written down as a present one lies in the future.

    Then the clock was ahead when it was written, and nothing may wait for that instant.
    """
    return written > now + SLACK
