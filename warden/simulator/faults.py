"""Everything a feed does wrong, as switches for the simulated ACLED server.

Standing in the flow: `AcledServer.fail(fault)` arms one; it strikes requests to one endpoint,
after letting `skip` of them pass, `times` times (None: for ever). Each function below makes one.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from warden.simulator import wire
from warden.simulator.wire import Manner, Reply, Request

if TYPE_CHECKING:
    from warden.simulator.acled_server import AcledServer

Endpoint = Literal["token", "read", "deleted"]
Envelope = dict[str, Any]


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        name: for a reader of a failing test.
        on: the endpoint it strikes. skip: how many requests pass first. times: how many it
            strikes, None for every one.
        reply: answers in place of the server.
        envelope: changes a good answer before it is written as JSON.
        text: changes a good answer's JSON text.
        manner: how the bytes go out.
    """

    name: str
    on: Endpoint = "read"
    skip: int = 0
    times: int | None = 1
    reply: Callable[[AcledServer, Request], Reply] | None = None
    envelope: Callable[[Envelope, Request], Envelope] | None = None
    text: Callable[[str], str] | None = None
    manner: Manner | None = None

    def strikes(self) -> bool:
        """Whether it strikes the request at hand; counts down."""
        if self.skip:
            self.skip -= 1
            return False
        if self.times is None:
            return True
        if not self.times:
            return False
        self.times -= 1
        return True


# --- in place of an answer --------------------------------------------------------------------


def status(
    code: int,
    body: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/json",
    name: str = "",
) -> Fault:
    """Answer with this status and body."""
    reply = Reply(code, body.encode(), dict(headers or {}), content_type)
    return Fault(name or f"status {code}", reply=lambda _server, _request: reply)


def unauthorised() -> Fault:
    """401 though the token is good, as has been seen on a second request."""
    return status(401, _refusal(401, "The resource owner or server denied the request."))


def expired_token() -> Fault:
    """Every token given out so far is worthless from this request on; it gets a 401."""

    def reply(server: AcledServer, request: Request) -> Reply:  # noqa: ARG001 - the hook's shape
        server.expire_tokens()
        return Reply(401, _refusal(401, "The access token expired.").encode())

    return Fault("expired token", reply=reply)


def too_many_requests(retry_after: str | None = "1") -> Fault:
    """429, with this Retry-After (seconds, a date, or nonsense; None = without)."""
    return status(429, _refusal(429, "Too Many Requests"), headers=_retry(retry_after))


def unavailable(retry_after: str | None = None) -> Fault:
    """503, with this Retry-After."""
    return status(
        503, "upstream connect error", headers=_retry(retry_after), content_type="text/plain"
    )


def html(code: int = 200) -> Fault:
    """A page for browsers where JSON was asked for: a wall in front of the server."""
    page = "<!doctype html><html><head><title>Just a moment...</title></head><body></body></html>"
    return status(code, page, content_type="text/html; charset=utf-8", name="html")


def unsuccessful(message: str = "Internal error") -> Fault:
    """`success: false` with status 200."""
    return status(200, _refusal(500, message), name="success: false")


def consent_required() -> Fault:
    """The account's owner must accept new terms on the site."""
    return status(403, _refusal(403, "Consent acceptance required"))


def profile_incomplete() -> Fault:
    """The account's owner must fill in the profile on the site."""
    return status(403, _refusal(403, "Fill required fields"))


def access_denied() -> Fault:
    """The account may log in but not read."""
    return status(403, _refusal(403, "Access denied"))


def gzip_bomb(megabytes: int = 200) -> Fault:
    """A small body that unpacks to `megabytes` of blanks inside a JSON text."""
    packed = gzip.compress(b'{"status": 200, "data": "' + b" " * (megabytes << 20) + b'"}', 9)
    reply = Reply(200, packed, {"Content-Encoding": "gzip"})
    return Fault("gzip bomb", reply=lambda _server, _request: reply)


def not_json() -> Fault:
    """Status 200, JSON by its type, and no JSON."""
    return status(200, "Warning: mysqli_connect(): (HY000/2002)", name="not json")


def silent(seconds: float = 3600.0) -> Fault:
    """Take the request and say nothing for so long."""
    return Fault("silent", manner=wire.late(seconds))


# --- a good answer, badly sent ----------------------------------------------------------------


def truncated(*, declared: bool = True) -> Fault:
    """Half of the body; `declared`: its Content-Length promised the whole."""
    return Fault("truncated", manner=wire.cut_short(declared=declared))


def drip(interval_s: float = 0.5) -> Fault:
    """One byte every `interval_s`."""
    return Fault("drip", manner=wire.drip(interval_s))


def reset() -> Fault:
    """The connection breaks in the body."""
    return Fault("reset", manner=wire.reset_in_body())


# --- a wrong answer, well sent ----------------------------------------------------------------


def full_page_without_cursor() -> Fault:
    """The walk ends although the page is full."""
    return Fault("full page without cursor", envelope=_with(next_cursor=None))


def stuck_cursor() -> Fault:
    """`next_cursor` is the cursor that was asked for."""

    def change(envelope: Envelope, request: Request) -> Envelope:
        return {**envelope, "next_cursor": _number(request.query.get("cursor", "0"))}

    return Fault("stuck cursor", times=None, envelope=change)


def repeated_page() -> Fault:
    """Every page holds what the first held, with a cursor that moves."""
    first: list[Any] = []

    def change(envelope: Envelope, request: Request) -> Envelope:
        if not first:
            first.extend(envelope["data"])
        cursor = _number(request.query.get("cursor", "0")) + 1
        return {**envelope, "data": list(first), "count": len(first), "next_cursor": cursor}

    return Fault("repeated page", times=None, envelope=change)


def endless() -> Fault:
    """Always another full page, of rows never seen before."""
    pages = iter(range(1, 1 << 30))

    def change(envelope: Envelope, request: Request) -> Envelope:
        page = next(pages)
        limit = int(request.query.get("limit", "5000") or 5000)
        rows = [
            {**row, "event_id_cnty": f"{row['event_id_cnty']}{page:06d}"}
            for row in envelope["data"] or [{"event_id_cnty": "MLI9", "timestamp": 0}]
        ]
        rows = (rows * (limit // len(rows) + 1))[:limit]
        rows = [
            {**row, "event_id_cnty": f"{row['event_id_cnty']}{index:05d}"}
            for index, row in enumerate(rows)
        ]
        return {**envelope, "data": rows, "count": len(rows), "next_cursor": 1_000_000 + page}

    return Fault("endless pages", times=None, envelope=change)


def extra_rows(rows: Iterable[Mapping[str, Any]]) -> Fault:
    """Rows that nobody asked for (foreign, malformed, hostile) at the end of a page."""
    added = [dict(row) for row in rows]

    def change(envelope: Envelope, request: Request) -> Envelope:  # noqa: ARG001 - hook's shape
        data = [*envelope["data"], *added]
        return {**envelope, "data": data, "count": len(data)}

    return Fault("extra rows", envelope=change)


def replaced_rows(rows: Iterable[Any]) -> Fault:
    """A page of exactly these rows, as the last page."""
    data = list(rows)
    return Fault("replaced rows", envelope=_with(data=data, count=len(data), next_cursor=None))


def empty_with_restriction(quantity: int = 12, unit: str = "months", date: str = "") -> Fault:
    """A successful empty answer with a recency restriction: the embargo, for one request."""
    restriction = {"date_recency": {"quantity": quantity, "unit": unit, "date": date}}
    return Fault(
        "embargo",
        envelope=_with(data=[], count=0, next_cursor=None, data_query_restrictions=restriction),
    )


def missing_column(column: str) -> Fault:
    """Every row has lost a column."""

    def change(envelope: Envelope, request: Request) -> Envelope:  # noqa: ARG001 - hook's shape
        rows = [{k: v for k, v in row.items() if k != column} for row in envelope["data"]]
        return {**envelope, "data": rows}

    return Fault(f"without {column}", envelope=change)


def not_a_number() -> Fault:
    """`NaN` in the JSON text, which is no JSON."""
    return Fault(
        "NaN", text=lambda text: text.replace('"last_update":', '"nan":NaN,"last_update":')
    )


def duplicate_key() -> Fault:
    """The key `data` twice in one object."""
    return Fault("duplicate key", text=lambda text: text[:-1] + ',"data":[]}')


# --- helpers ----------------------------------------------------------------------------------


def _refusal(code: int, message: str) -> str:
    return json.dumps(
        {
            "status": code,
            "success": False,
            "data": [],
            "count": 0,
            "messages": [message],
            "error": {"status": code, "message": message},
        }
    )


def _retry(retry_after: str | None) -> dict[str, str]:
    return {} if retry_after is None else {"Retry-After": retry_after}


def _with(**values: Any) -> Callable[[Envelope, Request], Envelope]:
    return lambda envelope, _request: {**envelope, **values}


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
