"""ACLED's interface over real HTTP on loopback, serving a simulated world at a simulated time.

Standing in the flow: the other side of `warden.sources.acled`, in the demo and in tests. It keeps
to what is known of the real one: unknown parameters are silently ignored, there is no total, a
walk goes by `cursor` or by `page`, embargoes are told only inside successful answers.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from warden.clock import Clock, SystemClock
from warden.simulator.faults import Endpoint, Fault
from warden.simulator.wire import Answering, LoopbackServer, Reply, Request
from warden.simulator.world import Served, World

ACCESS_LIFETIME = timedelta(seconds=86_400)
REFRESH_LIFETIME = timedelta(days=14)
PAGE_LIMIT = 5000
ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("POST", "/oauth/token"): "token",
    ("GET", "/api/acled/read"): "read",
    ("GET", "/api/deleted/read"): "deleted",
}
INTER_NAMES = {
    0: "",
    1: "State forces",
    2: "Rebel group",
    3: "Political militia",
    4: "Identity militia",
    5: "Rioters",
    6: "Protesters",
    7: "Civilians",
    8: "External/Other forces",
}
STAMPS = frozenset({"timestamp", "deleted_timestamp"})
# Columns whose filter means "contains" unless a `_where` says otherwise; others mean "is".
CONTAINS_BY_DEFAULT = frozenset(
    {
        "event_id_cnty",
        "disorder_type",
        "event_type",
        "sub_event_type",
        "actor1",
        "assoc_actor_1",
        "actor2",
        "assoc_actor_2",
        "civilian_targeting",
        "admin1",
        "admin2",
        "admin3",
        "location",
        "source",
        "source_scale",
        "notes",
        "tags",
    }
)
FILTERS = CONTAINS_BY_DEFAULT | {
    "event_date",
    "year",
    "time_precision",
    "inter1",
    "inter2",
    "interaction",
    "iso",
    "region",
    "country",
    "latitude",
    "longitude",
    "geo_precision",
    "fatalities",
    "timestamp",
}


class AcledServer(LoopbackServer):
    """The simulated server.

    Attributes:
        world: what it serves. clock: what time it believes it is.
        username, password: the one account.
        values: whether numeric columns arrive as "numbers", as "strings", or "mixed" (as the
            real one sends coordinates as strings and the rest as numbers).
        embargo_months: a free account: events younger than so many months are not shown.
        serves_refresh: whether refresh tokens are accepted.
        ignored: filters to ignore silently, as if the server had never heard of them.
        faults: what is armed; see `fail`.
    """

    def __init__(
        self,
        world: World | None = None,
        *,
        clock: Clock | None = None,
        username: str = "desk@example.org",
        password: str = "simulated",  # noqa: S107 - the simulated account's
        port: int = 0,
    ) -> None:
        super().__init__(_Handler, port=port)
        self.world = world or World()
        self.clock = clock or SystemClock()
        self.username = username
        self.password = password
        self.values: Literal["mixed", "numbers", "strings"] = "mixed"
        self.embargo_months: int | None = None
        self.serves_refresh = True
        self.ignored: frozenset[str] = frozenset()
        self.faults: list[Fault] = []
        self._access: dict[str, datetime] = {}
        self._refresh: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def fail(
        self,
        fault: Fault,
        *,
        on: Endpoint | None = None,
        skip: int | None = None,
        times: int | Literal["as made"] | None = "as made",
    ) -> None:
        """Arm a fault, with another endpoint, delay or number than it was made with."""
        changes: dict[str, Any] = {"on": on, "skip": skip}
        changes = {name: value for name, value in changes.items() if value is not None}
        if times != "as made":
            changes["times"] = times
        self.faults.append(replace(fault, **changes))

    def heal(self) -> None:
        """Disarm every fault."""
        self.faults.clear()

    def expire_tokens(self, *, refresh: bool = False) -> None:
        """Make all access tokens given out so far worthless, and the refresh tokens too."""
        with self._lock:
            self._access.clear()
            if refresh:
                self._refresh.clear()

    def asked(self, endpoint: Endpoint) -> list[Request]:
        """The requests that endpoint got, oldest first."""
        return [r for r in self.requests if ENDPOINTS.get((r.method, r.path)) == endpoint]

    # --- answering ---

    def answer(self, request: Request) -> tuple[Reply, Fault | None]:
        """The reply to a request, and the fault that strikes it, if any."""
        endpoint = ENDPOINTS.get((request.method, request.path))
        if endpoint is None:
            return Reply(404, b"<html>Page not found</html>", content_type="text/html"), None
        fault = self._striking(endpoint)
        if fault is not None and fault.reply is not None:
            return fault.reply(self, request), fault
        if endpoint == "token":
            return self._token(request), fault
        if not self._authorised(request):
            refusal = {"message": "The resource owner or authorization server denied the request."}
            return Reply(401, json.dumps(refusal).encode()), fault
        return self._page(endpoint, request, fault), fault

    def _striking(self, endpoint: Endpoint) -> Fault | None:
        with self._lock:
            armed = [fault for fault in self.faults if fault.on == endpoint]
            return next((fault for fault in armed if fault.strikes()), None)

    def _token(self, request: Request) -> Reply:
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        grant = form.get("grant_type")
        if form.get("client_id") != "acled":
            return _oauth_error(401, "invalid_client", "Client authentication failed")
        if grant == "refresh_token":
            return self._refreshed(form.get("refresh_token", ""))
        if grant != "password":
            return _oauth_error(400, "unsupported_grant_type", "The grant type is not supported")
        if form.get("scope") != "authenticated" or form.get("password", "").endswith("\n"):
            return _oauth_error(415, "unsupported_media_type", "Unsupported Media Type")
        if (form.get("username"), form.get("password")) != (self.username, self.password):
            return _oauth_error(400, "invalid_grant", "The user credentials were incorrect.")
        return self._grant()

    def _refreshed(self, token: str) -> Reply:
        with self._lock:
            good_until = self._refresh.pop(token, None)
        if not self.serves_refresh or good_until is None or good_until < self.clock.now():
            return _oauth_error(401, "invalid_request", "The refresh token is invalid.")
        return self._grant()

    def _grant(self) -> Reply:
        access, refresh, now = secrets.token_hex(16), secrets.token_hex(16), self.clock.now()
        with self._lock:
            self._access[access] = now + ACCESS_LIFETIME
            self._refresh[refresh] = now + REFRESH_LIFETIME
        granted = {
            "token_type": "Bearer",
            "expires_in": int(ACCESS_LIFETIME.total_seconds()),
            "access_token": access,
            "refresh_token": refresh,
        }
        return Reply(200, json.dumps(granted).encode())

    def _authorised(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        with self._lock:
            good_until = self._access.get(token)
        return scheme == "Bearer" and good_until is not None and good_until >= self.clock.now()

    def _page(self, endpoint: Endpoint, request: Request, fault: Fault | None) -> Reply:
        envelope = self._envelope(endpoint, request)
        if fault is not None and fault.envelope is not None:
            envelope = fault.envelope(envelope, request)
        text = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
        if fault is not None and fault.text is not None:
            text = fault.text(text)
        return Reply(200, text.encode("utf-8", "surrogatepass"))

    def _envelope(self, endpoint: Endpoint, request: Request) -> dict[str, Any]:
        now, query = self.clock.now(), dict(request.query)
        selected = self._deleted(query, now) if endpoint == "deleted" else self._read(query, now)
        page, next_cursor = _slice(selected, query)
        rows = [served.row for served in page]
        if endpoint == "read":
            rows = _columns(rows, query, self.values)
        return {
            "status": 200,
            "success": True,
            "last_update": 11,
            "count": len(rows),
            "messages": [],
            "data": rows,
            "filename": f"{now:%Y-%m-%d}-acled",
            "data_query_restrictions": self._restrictions(now),
            "next_cursor": next_cursor,
        }

    def _read(self, query: dict[str, str], now: datetime) -> list[Served]:
        known = FILTERS - self.ignored
        since = _stamped_since(query) if "timestamp" in known else None
        tests = list(_tests(query, known - {"timestamp"} if since is not None else known))
        newest = self._newest_day(now)
        if newest is not None:
            shown = newest.isoformat()
            tests.append(lambda row: bool(row["event_date"] <= shown))
        return _passing(self.world.rows(now, stamped_since=since), tests)

    def _deleted(self, query: dict[str, str], now: datetime) -> list[Served]:
        known = frozenset({"event_id_cnty", "deleted_timestamp"}) - self.ignored
        return _passing(self.world.deletions(now), list(_tests(query, known)))

    def _newest_day(self, now: datetime) -> date | None:
        if self.embargo_months is None:
            return None
        return (now - timedelta(days=round(self.embargo_months * 30.4375))).date()

    def _restrictions(self, now: datetime) -> dict[str, Any]:
        newest = self._newest_day(now)
        if newest is None:
            return {}
        return {
            "date_recency": {
                "quantity": self.embargo_months,
                "unit": "months",
                "date": newest.isoformat(),
            }
        }


class _Handler(Answering):
    """Reads a request, lets the server answer it, sends the reply well or badly."""

    server: AcledServer

    def do_GET(self) -> None:  # noqa: N802 - the base class's name
        self._handle()

    def do_POST(self) -> None:  # noqa: N802 - the base class's name
        self._handle()

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers=dict(self.headers.items()),
            body=self.read_body(),
        )
        self.server.requests.append(request)
        reply, fault = self.server.answer(request)
        if fault is not None and fault.manner is not None:
            fault.manner(self, reply)
        else:
            self.send(reply)


# --- filters ----------------------------------------------------------------------------------

Test = Callable[[Mapping[str, Any]], bool]


def _passing(rows: list[Served], tests: list[Test]) -> list[Served]:
    return [served for served in rows if all(test(served.row) for test in tests)]


def _tests(query: Mapping[str, str], known: Iterable[str]) -> Iterable[Test]:
    """The filters among a query's parameters; whatever else it says is ignored in silence."""
    for column in known:
        wanted = query.get(column, "")
        if wanted:
            where = query.get(f"{column}_where", "").upper() or _default_where(column)
            yield _test(column, where, wanted.split("|"))


def _stamped_since(query: Mapping[str, str]) -> int | None:
    """The watermark of the usual question; None for any other question about stamps."""
    wanted, where = query.get("timestamp", ""), query.get("timestamp_where") or ">="
    return int(wanted) if wanted.isdigit() and where == ">=" else None


def _default_where(column: str) -> str:
    if column in STAMPS:
        return ">="
    return "LIKE" if column in CONTAINS_BY_DEFAULT else "="


def _test(column: str, where: str, wanted: list[str]) -> Test:
    if where == "BETWEEN" and len(wanted) > 1:
        low, high = _comparable(wanted[0]), _comparable(wanted[1])
        return lambda row: low <= _comparable(row[column]) <= high
    if where in {">", ">=", "<", "<="}:
        bound = _comparable(wanted[0])
        return lambda row: _ordered(_comparable(row[column]), where, bound)
    if where == "LIKE":
        parts = [text.casefold().strip("%") for text in wanted]
        return lambda row: any(part in str(row[column]).casefold() for part in parts)
    values = {_comparable(text) for text in wanted}
    return lambda row: _comparable(row[column]) in values


def _ordered(value: tuple[int, float, str], where: str, bound: tuple[int, float, str]) -> bool:
    if value == bound:
        return where.endswith("=")
    return (value > bound) == where.startswith(">")


def _comparable(value: Any) -> tuple[int, float, str]:
    """Numbers before texts, numbers by size: 2, "2" and 2.0 are one value."""
    try:
        return 0, float(value), ""
    except ValueError:
        return 1, 0.0, str(value).casefold()


def _slice(rows: list[Served], query: Mapping[str, str]) -> tuple[list[Served], int | None]:
    """The page that is asked for, and the next cursor of a cursor walk.

    A cursor is the serial of the last row served, so that a walk neither skips nor repeats when
    the world moves on between two pages.
    """
    limit = _whole(query.get("limit"), PAGE_LIMIT) or len(rows) or 1
    if "cursor" not in query:
        start = (max(_whole(query.get("page"), 1), 1) - 1) * limit
        return rows[start : start + limit], None
    after = _whole(query.get("cursor"), 0)
    rest = sorted(
        (served for served in rows if served.serial > after), key=lambda served: served.serial
    )
    page = rest[:limit]
    return page, page[-1].serial if len(rest) > limit else None


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() else default


# --- columns ----------------------------------------------------------------------------------


def _columns(rows: list[dict[str, Any]], query: Mapping[str, str], values: str) -> list[Any]:
    """Rows with the columns asked for, in the spelling asked for."""
    fields = [name for name in query.get("fields", "").split("|") if name]
    numeric_inter = query.get("inter_num") == "1"
    return [_spelt(row, fields, values, numeric_inter=numeric_inter) for row in rows]


def _spelt(
    row: dict[str, Any], fields: list[str], values: str, *, numeric_inter: bool
) -> dict[str, Any]:
    spelt = dict(row)
    if not numeric_inter:
        for column in ("inter1", "inter2"):
            spelt[column] = INTER_NAMES.get(spelt.get(column, 0), "")
    if values != "numbers":
        for column in ("latitude", "longitude"):
            spelt[column] = str(spelt[column])
    if values == "strings":
        spelt = {column: str(value) for column, value in spelt.items()}
    return {name: spelt[name] for name in fields if name in spelt} if fields else spelt


def _oauth_error(code: int, error: str, description: str) -> Reply:
    body = {"error": error, "error_description": description, "message": description}
    return Reply(code, json.dumps(body).encode())
