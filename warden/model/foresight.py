"""Projections that warden keeps, to be scored when their period is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from warden.model.signal import Key


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What was projected for a period, from what was known of it by a day.

    Attributes:
        period: "2024" or "2024-Q3". first_day, last_day: of the period.
        on_day: the newest day it rests on.
        so_far: the measure from first_day to on_day, as known then.
        projected, low, high: its value at the period's end, with the 90 % interval.
        observed: what it came to, as known now; None before the period is over.
    """

    rule_id: str
    rule_version: str
    key: Key
    period: str
    first_day: date
    last_day: date
    on_day: date
    measure: str
    method: str
    so_far: float
    projected: float
    low: float
    high: float
    observed: float | None = None

    @property
    def inside(self) -> bool | None:
        """Whether it came to a value inside the interval; None before the period is over."""
        return None if self.observed is None else self.low <= self.observed <= self.high

    @property
    def error(self) -> float | None:
        """Projected less observed; None before the period is over."""
        return None if self.observed is None else self.projected - self.observed
