"""The one HTTP client of the feeds: bounded in time and bytes, never redirected, always verified.

Standing in the flow: sources ask through it; nothing else imports `requests`. Every failure of
the network comes out as a `SourceError` with a sentence; an HTTP status is an answer, not a
failure, and is judged by the source.

A read timeout alone does not bound a request: a server that sends a byte every half second never
times out, in the headers or in the body. So a timer shuts the socket down at the deadline.
Bodies are decompressed here in bounded steps, since one compressed block may unpack to a thousand
times its size.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from socket import SHUT_RDWR, socket
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from warden import __version__
from warden.errors import ConfigError, SourceError

DEADLINE_S = 180.0
MAX_BYTES = 64 << 20
CONNECT_TIMEOUT_S = 30.0
USER_AGENT = f"warden/{__version__}"
_CHUNK = 64 << 10

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, read to its end.

    Attributes:
        headers: with lower-case names.
        body: decompressed.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def media_type(self) -> str:
        """The content type without its parameters, lower case; "" if none was sent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class HttpClient:
    """Sends requests for sources; one session a thread.

    Arguments:
        ca_file: certificates to trust instead of the shipped ones.
    """

    def __init__(self, *, ca_file: Path | None = None) -> None:
        if ca_file is not None and not ca_file.is_file():
            raise ConfigError(f"the certificate file {ca_file} does not exist; correct `ca_file`")
        self._verify: bool | str = True if ca_file is None else str(ca_file)
        self._local = threading.local()

    def get(
        self,
        url: str,
        *,
        params: Pairs = (),
        headers: Mapping[str, str] | None = None,
        deadline_s: float = DEADLINE_S,
        max_bytes: int = MAX_BYTES,
    ) -> Reply:
        """GET `url`; raises `SourceError` when no whole answer came within the bounds."""
        request = requests.Request("GET", url, params=list(params), headers=dict(headers or {}))
        return self._send(request, deadline_s, max_bytes)

    def post_form(
        self,
        url: str,
        *,
        fields: Pairs,
        deadline_s: float = DEADLINE_S,
        max_bytes: int = MAX_BYTES,
    ) -> Reply:
        """POST `fields` as a form; raises `SourceError` as `get` does."""
        request = requests.Request("POST", url, data=list(fields))
        return self._send(request, deadline_s, max_bytes)

    def close(self) -> None:
        """Close this thread's connections."""
        session = getattr(self._local, "session", None)
        if session is not None:
            session.close()
            del self._local.session

    def _send(self, request: requests.Request, deadline_s: float, max_bytes: int) -> Reply:
        host = urlsplit(request.url).netloc
        session = self._session()
        with _deadline(deadline_s) as watch:
            try:
                prepared = session.prepare_request(request)
                with session.send(
                    prepared,
                    stream=True,
                    allow_redirects=False,
                    verify=self._verify,
                    timeout=(min(CONNECT_TIMEOUT_S, deadline_s), deadline_s),
                ) as response:
                    body = _read(response, max_bytes, host)
            except SourceError:
                if watch.struck:
                    raise _too_slow(host, deadline_s) from None
                raise
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                if watch.struck or isinstance(error, _TIMED_OUT):
                    raise _too_slow(host, deadline_s) from None
                raise _network_error(host, error) from None
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status_code, headers, body)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            session.headers.update(
                {
                    "User-Agent": USER_AGENT,
                    "Accept": "application/json",
                    "Accept-Encoding": "gzip",
                }
            )
            for scheme in ("http://", "https://"):
                session.mount(scheme, _WatchedAdapter(max_retries=0))
            self._local.session = session
        return session


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """How long a `Retry-After` header asks to wait, in seconds; None if it says nothing usable.

    Seconds or an HTTP date; never negative. The caller bounds it.
    """
    text = (header or "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        instant = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return max(0.0, (instant - now).total_seconds())


# --- the deadline -----------------------------------------------------------------------------

# A read that waits as long as the deadline may end a moment before the watch strikes: of headers
# the first is raised, of the body the second.
_TIMED_OUT = (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError)


class _Watch:
    """Shuts down the socket in use when the time is up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket | None = None
        self.struck = False

    def use(self, sock: socket | None) -> None:
        with self._lock:
            self._socket = sock
            if self.struck:
                self._shut()

    def strike(self) -> None:
        with self._lock:
            self.struck = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                socket.shutdown(self._socket, SHUT_RDWR)  # not SSLSocket's own: it forgets TLS


_current = threading.local()


@contextmanager
def _deadline(seconds: float) -> Iterator[_Watch]:
    """Watch this thread's HTTP connection; strike after `seconds`."""
    watch = _Watch()
    timer = threading.Timer(seconds, watch.strike)
    timer.daemon = True
    _current.watch = watch
    timer.start()
    try:
        yield watch
    finally:
        timer.cancel()
        _current.watch = None


def _watch(connection: HTTPConnection) -> None:
    watch: _Watch | None = getattr(_current, "watch", None)
    if watch is not None:
        watch.use(connection.sock)


class _WatchedHTTP(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _watch(self)

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        _watch(self)  # a connection kept alive does not connect again
        super().putrequest(*args, **kwargs)


class _WatchedHTTPS(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _watch(self)

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        _watch(self)
        super().putrequest(*args, **kwargs)


class _WatchedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _WatchedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


class _WatchedAdapter(HTTPAdapter):
    """Makes connections that this thread's watch can shut down."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _WatchedHTTPPool,
            "https": _WatchedHTTPSPool,
        }


# --- the body ---------------------------------------------------------------------------------


def _read(response: requests.Response, max_bytes: int, host: str) -> bytes:
    """The decompressed body, or `SourceError` if it is cut short or larger than `max_bytes`."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    chunks = response.raw.stream(_CHUNK, decode_content=False)
    if encoding == "gzip":
        chunks = _gunzip(chunks, max_bytes, host)
    elif encoding not in {"", "identity"}:
        raise SourceError(
            f"{host} sent a body in the encoding {encoding[:40]!r}, which was not asked for",
            state="blocked",
        )
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(host, max_bytes)
        parts.append(chunk)
    return b"".join(parts)


def _gunzip(chunks: Iterator[bytes], max_bytes: int, host: str) -> Iterator[bytes]:
    """Unpack in steps no larger than what may still come."""
    unpacker = zlib.decompressobj(wbits=31)
    size = 0
    for chunk in chunks:
        pending = chunk
        while pending and not unpacker.eof:
            try:
                unpacked = unpacker.decompress(pending, max_bytes - size + 1)
            except zlib.error:
                raise SourceError(
                    f"{host} sent a body that is not the gzip it claims to be", state="truncated"
                ) from None
            size += len(unpacked)
            if size > max_bytes:
                raise _too_large(host, max_bytes)
            yield unpacked
            pending = unpacker.unconsumed_tail
    if not unpacker.eof:
        raise _cut_short(host)


# --- sentences --------------------------------------------------------------------------------


def _too_slow(host: str, deadline_s: float) -> SourceError:
    return SourceError(f"{host} did not finish its answer within {deadline_s:g} s")


def _too_large(host: str, max_bytes: int) -> SourceError:
    return SourceError(
        f"{host} sent more than {max_bytes:,} bytes in one answer; nothing of it was used. "
        "Lower `page_size` or raise `max_bytes`",
        state="truncated",
    )


def _cut_short(host: str) -> SourceError:
    return SourceError(f"{host} broke off in the middle of its answer", state="truncated")


def _network_error(host: str, error: Exception) -> SourceError:
    if isinstance(error, requests.exceptions.SSLError):
        return SourceError(
            f"{host} has no certificate that could be verified ({_cause(error)}); check the "
            "clock, the address and `ca_file`"
        )
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return SourceError(f"{host} did not accept a connection in time")
    if isinstance(error, requests.exceptions.ConnectionError):
        return SourceError(f"{host} could not be reached ({_cause(error)})")
    if isinstance(
        error,
        requests.exceptions.ChunkedEncodingError | urllib3.exceptions.HTTPError | OSError,
    ) and not isinstance(error, requests.exceptions.RequestException):
        return _cut_short(host)
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return _cut_short(host)
    return SourceError(f"{host} could not be asked ({_cause(error)})")


def _cause(error: BaseException) -> str:
    """The innermost reason, in one short line, without addresses of objects."""
    inner: BaseException = error
    for _ in range(6):
        deeper = getattr(inner, "reason", None) or (inner.args[0] if inner.args else None)
        if not isinstance(deeper, BaseException):
            break
        inner = deeper
    text = " ".join(str(inner).split())
    if "(host=" in text or "object at 0x" in text:
        text = text.rpartition(": ")[2]
    return (text or type(inner).__name__)[:160]
