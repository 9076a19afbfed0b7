"""A walk over the pages of an ACLED endpoint, refused when it goes in an odd way.

Standing in the flow: `acled` walks deletions and rows with this. A walk that ends early without
saying so would make missing rows look deleted and unread rows look read; so every sign that the
pages are not a walk raises `SourceError` in the state "truncated" before the page is used.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from warden.errors import SourceError
from warden.sources.acled_client import AcledClient, Envelope
from warden.sources.http_client import Pairs


class FullPageError(SourceError):
    """A full page names no next page: cut short, or by chance the exact end of the walk.

    The two look alike, so the walk is refused; made again with pages of another size, an honest
    walk ends with a page that is not full.
    """


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


def walk(
    client: AcledClient, path: str, query: Pairs, pagination: Pagination, now: datetime
) -> Iterator[Envelope]:
    """Every page of `path` that answers `query`, the empty last one included."""
    steps = _by_cursor if pagination.by == "cursor" else _by_page
    seen: set[int] = set()
    pages = steps(client, path, query, pagination, now)
    for number, envelope in enumerate(pages, start=1):
        fingerprint = hash(tuple(_identity(row) for row in envelope.rows))
        if envelope.rows and fingerprint in seen:
            raise _odd(client, f"page {number} repeats an earlier page")
        if number > pagination.most_pages:
            raise _odd(client, f"there are more than {pagination.most_pages} pages")
        seen.add(fingerprint)
        yield envelope


def _by_cursor(
    client: AcledClient, path: str, query: Pairs, pagination: Pagination, now: datetime
) -> Generator[Envelope, None, None]:
    cursor: str | None = "0"
    used: set[str] = set()
    while cursor is not None:
        used.add(cursor)
        envelope = client.page(
            path, [*query, ("cursor", cursor), ("limit", str(pagination.size))], now
        )
        following = envelope.next_cursor
        if following is None and len(envelope.rows) >= pagination.size:
            what = f"a full page of {len(envelope.rows)} rows names no next page"
            raise FullPageError(str(_odd(client, what)), state="truncated")
        if following is not None and following in used:
            raise _odd(client, f"the cursor {following[:40]!r} does not move")
        if following is not None and not envelope.rows:
            raise _odd(client, "an empty page names a next page")
        yield envelope
        cursor = following


def _by_page(
    client: AcledClient, path: str, query: Pairs, pagination: Pagination, now: datetime
) -> Generator[Envelope, None, None]:
    number, rows = 1, pagination.size
    while rows >= pagination.size:
        envelope = client.page(
            path, [*query, ("page", str(number)), ("limit", str(pagination.size))], now
        )
        rows = len(envelope.rows)
        yield envelope
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
