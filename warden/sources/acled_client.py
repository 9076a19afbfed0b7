"""Requests to ACLED: tokens, one request with its second and third try, the named states.

Standing in the flow: `acled_walk` asks for pages through `AcledClient.page`; every answer that is
not a page comes out as a `SourceError` whose state and sentence the operator will read.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from warden.errors import SourceError
from warden.secrecy import hide, veiled
from warden.sources import strict_json
from warden.sources.http_client import HttpClient, Pairs, Reply, retry_after_s

OK = 200
REDIRECTS = range(300, 400)
SERVER_ERRORS = range(500, 600)
UNAUTHORISED, FORBIDDEN, TOO_MANY, UNAVAILABLE = 401, 403, 429, 503
UNSUPPORTED_MEDIA = 415
TOKEN_MARGIN_S = 120.0
LEAST_PAUSE_S, USUAL_PAUSE_S, MOST_PAUSE_S = 30.0, 900.0, 6 * 3_600.0

SENTENCES = {
    "auth_failed": (
        "ACLED refused the user name or password; check `username` and the secret, and that you "
        "can log in on acleddata.com"
    ),
    "consent_required": (
        "ACLED asks the account's owner to accept its terms; log in on acleddata.com and accept "
        "them"
    ),
    "profile_incomplete": (
        "ACLED asks the account's owner to complete the profile; log in on acleddata.com and fill "
        "in the required fields"
    ),
    "access_denied": (
        "the account may log in but not read event data; ask ACLED (access@acleddata.com) for API "
        "access"
    ),
    "blocked": (
        "a web page came back instead of data: a firewall or a bot check stands before ACLED; open "
        "the address in a browser from this machine, and ask ACLED to let its address through"
    ),
}
_TOLD = ("status", "count", "last_update", "filename")
# What the service says, casefolded, and what state that is.
_PHRASES = (
    ("consent acceptance required", "consent_required"),
    ("fill required fields", "profile_incomplete"),
    ("access denied", "access_denied"),
)


class DelayedError(SourceError):
    """The source asks to be left alone until `until` (bounded)."""

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message, state="unreachable")
        self.until = until


@dataclass(frozen=True, slots=True)
class Restriction:
    """`date_recency`: only events up to `newest` are shown to this account."""

    newest: date | None
    text: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """A page as it came: rows unread, and what the server said around them.

    Attributes:
        count: how many rows there are by the server's word, on this page or on all.
    """

    rows: list[Any]
    next_cursor: str | None
    restriction: Restriction | None
    count: int | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks, and where."""

    base_url: str
    username: str
    password: SecretStr


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long one answer may take and how large it may be."""

    deadline_s: float
    max_bytes: int


@dataclass(frozen=True, slots=True)
class _Token:
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    good_until: float


class AcledClient:
    """Asks ACLED as one account; safe to use from several threads.

    Arguments:
        monotonic: a clock for the age of tokens; tests replace it.
    """

    def __init__(
        self,
        account: Account,
        http: HttpClient,
        bounds: Bounds,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._account = account
        self._http = http
        self._bounds = bounds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self.requests = 0

    @property
    def host(self) -> str:
        """Who is asked, for sentences."""
        return urlsplit(self._account.base_url).netloc

    def page(self, path: str, params: Pairs, now: datetime) -> Envelope:
        """One page of `path` ("acled", "deleted"); raises `SourceError` with its named state.

        On 401 the token is refreshed and the request made again; if that does not help, the
        password is sent and the request made a last time.
        """
        token = self._usable_token(now)
        reply = self._read(path, params, token)
        for renew in (self._refreshed, self._with_password):
            if reply.status != UNAUTHORISED or _phrase_state(_told(reply)) is not None:
                break
            token = self._renewed(token, renew, now)
            reply = self._read(path, params, token)
        return self._envelope(reply, now)

    def _read(self, path: str, params: Pairs, token: _Token) -> Reply:
        self.requests += 1
        return self._http.get(
            f"{self._account.base_url}/api/{path}/read",
            params=[("_format", "json"), *params],
            headers={"Authorization": f"Bearer {token.access}"},
            deadline_s=self._bounds.deadline_s,
            max_bytes=self._bounds.max_bytes,
        )

    # --- tokens ---

    def _usable_token(self, now: datetime) -> _Token:
        with self._lock:
            token = self._token
            if token is None:
                self._token = token = self._with_password(None, now)
            elif token.good_until <= self._monotonic():
                self._token = token = self._refreshed(token, now)
            return token

    def _renewed(
        self,
        failed: _Token,
        renew: Callable[[_Token | None, datetime], _Token],
        now: datetime,
    ) -> _Token:
        """A token other than `failed`; one thread asks for it, the others take what it got."""
        with self._lock:
            if self._token is not None and self._token is not failed:
                return self._token
            self._token = None
            self._token = token = renew(failed, now)
            return token

    def _refreshed(self, token: _Token | None, now: datetime) -> _Token:
        """By the refresh grant; by the password if there is no refresh token or it is refused."""
        if token is None or not token.refresh:
            return self._with_password(token, now)
        reply = self._post_token(
            [
                ("refresh_token", token.refresh),
                ("grant_type", "refresh_token"),
                ("client_id", "acled"),
            ]
        )
        if reply.status == OK and reply.media_type != "text/html":
            return self._granted(reply, now)
        return self._with_password(token, now)

    def _with_password(self, _token: _Token | None, now: datetime) -> _Token:
        account = self._account
        reply = self._post_token(
            [
                ("username", account.username),
                ("password", account.password.get_secret_value().rstrip("\r\n")),
                ("grant_type", "password"),
                ("client_id", "acled"),
                ("scope", "authenticated"),
            ]
        )
        return self._granted(reply, now)

    def _post_token(self, fields: Pairs) -> Reply:
        self.requests += 1
        bounds = self._bounds
        return self._http.post_form(
            f"{self._account.base_url}/oauth/token",
            fields=fields,
            deadline_s=bounds.deadline_s,
            max_bytes=min(bounds.max_bytes, 1 << 20),
        )

    def _granted(self, reply: Reply, now: datetime) -> _Token:
        if reply.status == UNSUPPORTED_MEDIA:
            raise SourceError(
                f"{SENTENCES['auth_failed']} (415: often a line break inside the secret)",
                state="auth_failed",
                retryable=False,
            )
        answer = self._json(reply, now, refused="auth_failed")
        access, refresh = answer.get("access_token"), answer.get("refresh_token")
        if not isinstance(access, str) or not access.isascii() or not access.isprintable():
            raise SourceError("ACLED's token answer holds no access token", state="auth_failed")
        hide(access, *([refresh] if isinstance(refresh, str) else []))
        seconds = answer.get("expires_in")
        lifetime = float(seconds) if isinstance(seconds, int | float) else 3_600.0
        return _Token(
            access,
            refresh if isinstance(refresh, str) else "",
            self._monotonic() + max(0.0, min(lifetime, 86_400.0) - TOKEN_MARGIN_S),
        )

    # --- answers ---

    def _json(self, reply: Reply, now: datetime, refused: str) -> dict[str, Any]:
        """The JSON object of a good answer; `refused` is the state of an unexplained 400 or 401."""
        self._require_ok(reply, now, refused)
        try:
            answer = strict_json.loads(reply.body)
        except strict_json.JsonError as error:
            raise SourceError(
                f"{self.host} sent text that is not JSON ({error}); nothing of it was used",
                state="truncated",
            ) from None
        if not isinstance(answer, dict):
            raise SourceError(f"{self.host} sent JSON of another shape", state="schema_drift")
        return answer

    def _require_ok(self, reply: Reply, now: datetime, refused: str) -> None:
        status, kind = reply.status, reply.media_type
        told = _told(reply)
        if status in {TOO_MANY, UNAVAILABLE}:
            raise self._delayed(reply, now)
        if _is_page(reply) or status in REDIRECTS:
            extra = f" (status {status})" if status != OK else ""
            raise SourceError(f"{SENTENCES['blocked']}{extra}", state="blocked")
        if status == OK:
            if kind and kind != "application/json" and not kind.endswith("+json"):
                raise SourceError(
                    f"{self.host} answered with {kind[:60]} instead of JSON", state="blocked"
                )
            return
        state = _phrase_state(told)
        if state is None and status in {400, UNAUTHORISED}:
            state = refused
        if state is None and status == FORBIDDEN:
            state = "access_denied"
        if state is not None:
            raise SourceError(_with_told(SENTENCES[state], told), state=state, retryable=False)
        raise SourceError(
            _with_told(f"{self.host} answered with status {status}", told),
            retryable=status in SERVER_ERRORS,
        )

    def _delayed(self, reply: Reply, now: datetime) -> DelayedError:
        asked = retry_after_s(reply.headers.get("retry-after"), now)
        pause_s = USUAL_PAUSE_S if asked is None else asked
        pause_s = min(max(pause_s, LEAST_PAUSE_S), MOST_PAUSE_S)
        words = "is asked too often" if reply.status == TOO_MANY else "is out of service"
        return DelayedError(
            f"{self.host} {words} (status {reply.status}); asked again in {pause_s:.0f} s",
            now + timedelta(seconds=pause_s),
        )

    def _envelope(self, reply: Reply, now: datetime) -> Envelope:
        answer = self._json(reply, now, refused="auth_failed")
        told = _messages(answer)
        status = answer.get("status")
        wrong = isinstance(status, int) and status not in {0, OK}
        if answer.get("success") is False or wrong:
            state = _phrase_state(told)
            if state is None and status == UNAUTHORISED:
                state = "auth_failed"
            raise SourceError(
                _with_told(SENTENCES[state] if state else f"{self.host} reports a failure", told),
                state=state or "unreachable",
                retryable=state is None,
            )
        rows = answer.get("data")
        if not isinstance(rows, list):
            raise SourceError(f"{self.host} sent an answer without `data`", state="schema_drift")
        count = answer.get("count")
        return Envelope(
            rows,
            _cursor(answer.get("next_cursor")),
            _restriction(answer),
            count if isinstance(count, int) else None,
            {key: _scalar(answer.get(key)) for key in _TOLD} | {"messages": told},
        )


def _scalar(value: object) -> str | int | float | None:
    """A value as it may be kept with the poll."""
    if value is None or isinstance(value, int | float):
        return value if value is None or abs(value) < sys.maxsize else None
    return strict_json.storable(str(value)[:200])


def _cursor(value: object) -> str | None:
    if value is None or value is False or value == "":
        return None
    return strict_json.storable(str(value)[:500])


def _restriction(answer: Mapping[str, Any]) -> Restriction | None:
    """`data_query_restrictions.date_recency`, if the account is under one."""
    restrictions = answer.get("data_query_restrictions")
    recency = restrictions.get("date_recency") if isinstance(restrictions, dict) else None
    if not isinstance(recency, dict):
        return None
    given = recency.get("date")
    try:
        newest = date.fromisoformat(given[:10]) if isinstance(given, str) else None
    except ValueError:
        newest = None  # the age is told all the same
    text = f"{recency.get('quantity', '?')} {recency.get('unit', '')}".strip()
    return Restriction(newest, text[:60].lower())


def _is_page(reply: Reply) -> bool:
    """Whether a browser's page came back, whatever the status says."""
    start = reply.body[:64].lstrip().lower()
    return reply.media_type in {"text/html", "application/xhtml+xml"} or start.startswith(b"<")


def _told(reply: Reply) -> str:
    """What the body of a refusal says, bounded; "" if it is no JSON."""
    if reply.status == OK or len(reply.body) > 1 << 20:
        return ""
    try:
        answer = strict_json.loads(reply.body)
    except strict_json.JsonError:
        said = "" if _is_page(reply) else reply.body[:10_000].decode("ascii", "replace")
        return veiled(said)[:200]
    return _messages(answer) if isinstance(answer, dict) else ""


def _messages(answer: Mapping[str, Any]) -> str:
    """Every message in an answer, in one line."""
    error = answer.get("error")
    found: list[object] = [
        answer.get("message"),
        answer.get("error_description"),
        error.get("message") if isinstance(error, dict) else error,
    ]
    messages = answer.get("messages")
    found += messages if isinstance(messages, list) else [messages]
    texts = [" ".join(text.split()) for text in found if isinstance(text, str)]
    texts += [str(item.get("message", "")) for item in found if isinstance(item, dict)]
    told = veiled("; ".join(dict.fromkeys(text for text in texts if text)))
    return strict_json.storable(told[:300])


def _phrase_state(told: str) -> str | None:
    folded = told.casefold()
    return next((state for phrase, state in _PHRASES if phrase in folded), None)


def _with_told(sentence: str, told: str) -> str:
    return f"{sentence} (it said: {told})" if told else sentence
