"""A source that serves what a test puts into it."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from warden.model.event import Record
from warden.sources.protocol import Deletion, Page, PollOutcome, SourceState


class ListedFeed:
    """Serves `records` and `deletions` at the next poll, then forgets them."""

    name = "acled"
    kind = "listed"

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.deletions: list[Deletion] = []
        self.state: SourceState = "ok"
        self.complete_through: date | None = None

    def serve(self, *records: Record, gone: Iterable[str] = ()) -> None:
        self.records.extend(records)
        self.deletions.extend(Deletion(source_id) for source_id in gone)

    def poll(self, memory: Mapping[str, Any], now: datetime) -> Generator[Page, None, PollOutcome]:
        page = Page("acled", tuple(self.records), deletions=tuple(self.deletions))
        self.records, self.deletions = [], []
        yield page
        covered = self.complete_through or now.date() - timedelta(days=1)
        return PollOutcome(
            self.state,
            "as told",
            memory={"polls": int(memory.get("polls", 0)) + 1},
            complete_through=covered,
        )

    def look_up(self, ids: Sequence[str], now: datetime) -> Generator[Page, None, PollOutcome]:
        yield from ()
        return PollOutcome("ok", "nothing to look up")
