"""What people say back about alerts: silences, acknowledgements and verdicts.

Standing in the flow: operators' commands write them, `deliver` asks the silences before it sends,
`explain` and `status` read them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from warden.model.rule import Level

VerdictWord = Literal["true", "false", "unverified"]
VERDICTS: tuple[VerdictWord, ...] = ("true", "false", "unverified")
ENOUGH_VERDICTS = 5  # below, a share would say more than is known


@dataclass(frozen=True, slots=True)
class Silence:
    """While it lasts, what its matchers describe is held back.

    Attributes:
        matchers: as written, in the words of routes; all of them have to hold.
        starts_at, ends_at: what was asked for.
        comment, who, created_at: why, by whom and when.
        ended_at: when somebody ended it before its time.
    """

    id: int
    matchers: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    comment: str
    who: str
    created_at: datetime
    ended_at: datetime | None = None
    ended_by: str = ""

    @property
    def over_at(self) -> datetime:
        """When it ends, or ended."""
        return self.ends_at if self.ended_at is None else min(self.ended_at, self.ends_at)

    def active(self, at: datetime) -> bool:
        """Whether it holds at that instant."""
        return self.starts_at <= at < self.over_at

    def state(self, at: datetime) -> Literal["pending", "active", "expired"]:
        """In Alertmanager's words: not begun, holding, over."""
        if self.active(at):
            return "active"
        return "pending" if at < min(self.starts_at, self.over_at) else "expired"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Someone has taken an alert on; its severity at that time."""

    alert_id: str
    at: datetime
    who: str
    note: str
    severity: Level


@dataclass(frozen=True, slots=True)
class Verdict:
    """Someone's judgement of an alert."""

    alert_id: str
    verdict: VerdictWord
    note: str
    at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class Precision:
    """How the alerts of a rule were judged, each by its newest verdict."""

    true: int = 0
    false: int = 0
    unverified: int = 0

    @property
    def judged(self) -> int:
        """How many were found true or false."""
        return self.true + self.false

    @property
    def told(self) -> bool:
        """Whether there are enough verdicts to speak of a share."""
        return self.judged >= ENOUGH_VERDICTS

    def counts(self) -> dict[str, int]:
        """The two figures of a share, as plain data."""
        return {"true": self.true, "judged": self.judged}

    def __str__(self) -> str:
        rest = f", {self.unverified} unverified" if self.unverified else ""
        return f"{self.true} of {self.judged} judged true{rest}"
