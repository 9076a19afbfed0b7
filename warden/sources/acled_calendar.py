"""What ACLED's weekly rhythm says about the days that are known.

Standing in the flow: `acled` asks after each walk. Coding weeks run from Saturday to Friday; a
week comes out the next Monday or Tuesday and is complete by Wednesday.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

STALE_DAYS = 16
RELEASED_AFTER = timedelta(days=3)  # Friday to Monday
COMPLETE_AFTER = timedelta(days=5)  # Friday to Wednesday
_FRIDAY = 4


class Pause(BaseModel):
    """A known pause in releases, both days included."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    reason: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _in_order(self) -> Pause:
        if self.last < self.first:
            raise ValueError("`to` lies before `from`")
        return self


def complete_through(
    newest_stamp: datetime | None, now: datetime, embargo: date | None = None
) -> date | None:
    """The newest event date that a finished release covers, or None if nothing was seen yet.

    The latest Friday whose week had come out when the newest stamp was set (the Monday after, or
    later) and that is complete by now (the Wednesday after); never later than an embargo's date.
    """
    if newest_stamp is None:
        return embargo
    stamped = newest_stamp.astimezone(UTC).date()
    bound = min(stamped - RELEASED_AFTER, now.astimezone(UTC).date() - COMPLETE_AFTER)
    friday = bound - timedelta(days=(bound.weekday() - _FRIDAY) % 7)
    return friday if embargo is None else min(friday, embargo)


def silence(
    newest_stamp: datetime | None, now: datetime, pauses: Sequence[Pause]
) -> Literal["ok", "stale", "paused"]:
    """Whether releases have stayed away for longer than they should.

    Days inside a named pause do not count towards the 16 days.
    """
    if newest_stamp is None:
        return "ok"
    stamped, today = newest_stamp.astimezone(UTC).date(), now.astimezone(UTC).date()
    days = (stamped + timedelta(days=n) for n in range(1, min((today - stamped).days, 3_660) + 1))
    silent = list(days)
    counted = sum(not any(p.first <= day <= p.last for p in pauses) for day in silent)
    if counted >= STALE_DAYS:
        return "stale"
    in_pause = any(pause.first <= today <= pause.last for pause in pauses)
    return "paused" if in_pause or len(silent) >= STALE_DAYS else "ok"
