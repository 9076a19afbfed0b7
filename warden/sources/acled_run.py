"""What one poll of ACLED has met so far, and the times in it.

Standing in the flow: `acled` counts here while it walks, and reads the outcome off it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from warden.sources.acled_client import Envelope, Restriction
from warden.sources.acled_rows import AcledRows
from warden.sources.protocol import Page


@dataclass(slots=True)
class Run:
    """What one poll has met so far.

    Attributes:
        stamps: id → newest edit stamp, unix seconds; of rows served twice once.
    """

    now: datetime
    parser: AcledRows
    pages: int = 0
    served: int = 0
    records: int = 0
    rejected: int = 0
    foreign: int = 0
    deletions: int = 0
    newest_deletion: int | None = None
    stamps: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    restriction: Restriction | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    def meet_deletions(self, page: Page) -> None:
        """Count a page of deletions."""
        self.pages += 1
        self.deletions += len(page.deletions)
        self.rejected += len(page.rejects)
        stamps = [int(d.deleted_at.timestamp()) for d in page.deletions if d.deleted_at]
        self.newest_deletion = max([*stamps, self.newest_deletion or 0]) or None

    def meet_rows(self, page: Page, served: int) -> None:
        """Count a page of rows; keep their ids and stamps."""
        self.served += served
        self.records += len(page.records)
        self.rejected += len(page.rejects)
        self.foreign += page.foreign
        self.seen.update(record.source_id for record in page.records)
        self.seen.update(reject.source_id for reject in page.rejects if reject.source_id)
        for record in page.records:
            if record.source_updated_at is not None:
                stamp = int(record.source_updated_at.timestamp())
                self.stamps[record.source_id] = max(stamp, self.stamps.get(record.source_id, 0))

    def meet(self, envelope: Envelope) -> None:
        """Count a page and keep what the server said around it."""
        self.pages += 1
        self.about = envelope.about
        self.restriction = envelope.restriction or self.restriction


def instant_of(stamp: int | None) -> datetime | None:
    """A unix stamp as an instant."""
    return None if stamp is None else datetime.fromtimestamp(stamp, UTC)


def newest_shown(restriction: Restriction, now: datetime) -> date | None:
    """The newest day a restricted account sees; by the age given if no date is."""
    if restriction.newest is not None:
        return restriction.newest
    number, _, unit = restriction.text.partition(" ")
    days = {"day": 1, "week": 7, "month": 31, "year": 366}.get(unit.rstrip("s"))
    if days is None or not re.fullmatch(r"\d{1,3}", number, re.ASCII):
        return None
    return now.astimezone(UTC).date() - timedelta(days=days * int(number))
