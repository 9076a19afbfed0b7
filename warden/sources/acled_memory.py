"""What an ACLED feed remembers between polls.

Standing in the flow: `acled` reads it from the store's JSON and hands back the next one; the
store moves it only when the whole walk was committed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from warden.sources import values


@dataclass(frozen=True, slots=True)
class AcledMemory:
    """What is remembered, always for one filter (`asked`): with another everything is new.

    Attributes:
        watermark: the newest edit stamp seen, unix seconds.
        deleted: the newest deletion stamp seen.
        full_at, full_rows: when everything was last walked, and how many rows that served.
        overlap_rows: how many rows an increment must at least show again.
        embargo: the newest day shown to a restricted account, so that the days that become
            visible are asked for by their date.
    """

    watermark: int | None = None
    deleted: int | None = None
    full_at: datetime | None = None
    full_rows: int = 0
    overlap_rows: int = 0
    embargo: date | None = None

    @classmethod
    def read(cls, memory: Mapping[str, Any], asked: str) -> AcledMemory:
        """Read what was stored; anything unreadable, or stored for another filter, is nothing."""
        if memory.get("asked") != asked:
            return cls()
        try:
            full_at, embargo = memory.get("full_at"), memory.get("embargo")
            return cls(
                watermark=None if memory.get("watermark") is None else int(memory["watermark"]),
                deleted=None if memory.get("deleted") is None else int(memory["deleted"]),
                full_at=None if full_at is None else datetime.fromisoformat(full_at),
                full_rows=int(memory.get("full_rows", 0)),
                overlap_rows=int(memory.get("overlap_rows", 0)),
                embargo=None if embargo is None else date.fromisoformat(embargo),
            )
        except (TypeError, ValueError):
            return cls()

    def at(self, now: datetime) -> AcledMemory:
        """What of it can be so at `now`, after a clock that was ahead has been set right.

        Nothing was walked after now: then nobody knows when everything was. No row may bear a
        stamp beyond the allowed future: then the newest is not known, and everything is walked.
        Deletions were heard of until now at the latest.
        """
        latest = int((now + timedelta(days=values.FUTURE_DAYS)).timestamp())
        return replace(
            self,
            watermark=None if self.watermark is None or self.watermark > latest else self.watermark,
            deleted=None if self.deleted is None else min(self.deleted, int(now.timestamp())),
            full_at=None if self.full_at is None or self.full_at > now else self.full_at,
        )

    def written(self, asked: str) -> dict[str, Any]:
        """As JSON."""
        return {
            "asked": asked,
            "watermark": self.watermark,
            "deleted": self.deleted,
            "full_at": None if self.full_at is None else self.full_at.isoformat(),
            "full_rows": self.full_rows,
            "overlap_rows": self.overlap_rows,
            "embargo": None if self.embargo is None else self.embargo.isoformat(),
        }
