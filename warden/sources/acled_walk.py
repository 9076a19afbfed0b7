"""A walk over the pages of an ACLED endpoint, refused when it goes in an odd way.

Standing in the flow: `acled` walks deletions and rows with this. A walk that ends early without
saying so would make missing rows look deleted and unread rows look read; so every sign that the
pages are not a walk raises `SourceError` in the state "truncated" before the page is used.

Two signs are doubtful by themselves. A full page that names no next page is cut short, or by
chance the exact end: it is asked for again with one row less, and an honest walk then goes on with
a next page. A `count` larger than its page is a page cut short, or the number of rows on all pages:
only then do all pages name the same number, and together have as many rows.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from warden.errors import SourceError
from warden.sources.acled_client import AcledClient, Envelope
from warden.sources.http_client import Pairs


@dataclass(frozen=True, slots=True)
class Pagination:
    """How to walk.

    Attributes:
        by: "cursor" follows `next_cursor`; "page" counts pages, as before November 2026.
        size: rows a page. most_pages: more than that is no walk but a loop.
    """

    by: Literal["cursor", "page"] = "cursor"
    size: int = 5000
    most_pages: int = 1000


@dataclass(slots=True)
class _Announced:
    """What the pages of a walk said of the number of rows, and how many rows they had."""

    counts: set[int | None] = field(default_factory=set)
    rows: int = 0
    short: str = ""

    def meet(self, client: AcledClient, envelope: Envelope, *, last: bool) -> None:
        """Take a page in; refuse the walk as soon as no reading of `count` is left."""
        rows, count = len(envelope.rows), envelope.count
        self.counts.add(count)
        self.rows += rows
        if count is not None and count > rows and not self.short:
            self.short = f"it announced {count} rows and sent {rows}"
        if not self.short:
            return
        differing = len(self.counts) > 1
        total = next(iter(self.counts)) or 0
        if differing or self.rows > total or (last and self.rows != total):
            raise _odd(client, self.short)


def walk(
    client: AcledClient, path: str, query: Pairs, pagination: Pagination, now: datetime
) -> Iterator[Envelope]:
    """Every page of `path` that answers `query`, the empty last one included."""
    steps = _by_cursor if pagination.by == "cursor" else _by_page
    seen: set[int] = set()
    announced = _Announced()
    pages = steps(client, path, query, pagination, now)
    for number, (envelope, last) in enumerate(pages, start=1):
        fingerprint = hash(tuple(_identity(row) for row in envelope.rows))
        if envelope.rows and fingerprint in seen:
            raise _odd(client, f"page {number} repeats an earlier page")
        if number > pagination.most_pages:
            raise _odd(client, f"there are more than {pagination.most_pages} pages")
        announced.meet(client, envelope, last=last)
        seen.add(fingerprint)
        yield envelope


def require_whole(client: AcledClient, envelope: Envelope) -> None:
    """Refuse a single page that has fewer rows than it announces."""
    _Announced().meet(client, envelope, last=True)


def _by_cursor(
    client: AcledClient, path: str, query: Pairs, pagination: Pagination, now: datetime
) -> Generator[tuple[Envelope, bool], None, None]:
    """Each page, and whether it is the last."""
    cursor: str | None = "0"
    used: set[str] = set()
    size = pagination.size
    while cursor is not None:
        used.add(cursor)
        place = [*query, ("cursor", cursor)]
        envelope = client.page(path, [*place, ("limit", str(size))], now)
        if _ends_full(envelope, size) and size == pagination.size > 1:
            size -= 1
            envelope = client.page(path, [*place, ("limit", str(size))], now)
        following = envelope.next_cursor
        if _ends_full(envelope, size):
            raise _odd(client, f"a full page of {len(envelope.rows)} rows names no next page")
        if following is not None and following in used:
            raise _odd(client, f"the cursor {following[:40]!r} does not move")
        if following is not None and not envelope.rows:
            raise _odd(client, "an empty page names a next page")
        yield envelope, following is None
        cursor = following


def _ends_full(envelope: Envelope, size: int) -> bool:
    return envelope.next_cursor is None and len(envelope.rows) >= size


def _by_page(
    client: AcledClient, path: str, query: Pairs, pagination: Pagination, now: datetime
) -> Generator[tuple[Envelope, bool], None, None]:
    number, rows = 1, pagination.size
    while rows >= pagination.size:
        envelope = client.page(
            path, [*query, ("page", str(number)), ("limit", str(pagination.size))], now
        )
        rows = len(envelope.rows)
        yield envelope, rows < pagination.size
        number += 1


def _identity(row: object) -> object:
    if isinstance(row, dict):
        return str(row.get("event_id_cnty")), str(row.get("timestamp"))
    return str(row)


def _odd(client: AcledClient, what: str) -> SourceError:
    return SourceError(
        f"{client.host} broke off its walk: {what}; the watermark was not moved, the walk is made "
        "again at the next poll",
        state="truncated",
    )
