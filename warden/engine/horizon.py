"""What the engine is told about time: now, and the newest day that is fully known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from warden.engine.frame import day_number
from warden.model.health import Condition


@dataclass(frozen=True, slots=True)
class Horizon:
    """The moment of an evaluation.

    Attributes:
        now: the instant, UTC.
        complete_through: for each dataset the newest day its releases cover. Later days are
            unknown, not empty.
        data_start: for each dataset the oldest day that is stored.
        since: episodes that ended before this day need no answer (days since 1970-01-01, None =
            all do); kinds that look need not work them out, callers drop them in any case.
        health: what is, or lately was, not as it should be with warden itself.
    """

    now: datetime
    complete_through: Mapping[str, date] = field(default_factory=dict)
    data_start: Mapping[str, date] = field(default_factory=dict)
    since: int | None = None
    health: tuple[Condition, ...] = ()

    @property
    def today(self) -> int:
        """The day of `now` in UTC, as days since 1970-01-01."""
        return day_number(self.now.astimezone(UTC).date())

    def asks(self, until: int) -> bool:
        """Whether an episode that lasted until this day needs an answer."""
        return self.since is None or until >= self.since

    def starts(self, datasets: Iterable[str]) -> int | None:
        """The first day on which all these datasets have data; None when one has none."""
        days = [self.data_start.get(dataset) for dataset in datasets]
        known = [day_number(day) for day in days if day is not None]
        return max(known) if known and len(known) == len(days) else None

    def known_through(self, datasets: Iterable[str]) -> int | None:
        """The newest day fully known in all these datasets; None when one is not known at all."""
        days = [self.complete_through.get(dataset) for dataset in datasets]
        known = [day_number(day) for day in days if day is not None]
        if not known or len(known) < len(days):
            return None
        return min(*known, self.today)
