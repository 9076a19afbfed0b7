"""HTTP POSTs with a total deadline, a capped answer and a checked peer; no redirects.

A socket of our own under HTTP/1.1 of the least kind, because the peer has to be judged between
connecting and sending, because the deadline has to hold over every read together, and because a
flood of alerts must not pay for a connection and a general parser each time: a connection whose
answer was read to its end is kept for a few seconds. It leads to the very address that was
checked, and serves only calls that ask for the same host, port, scheme and kind of peer.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from warden.errors import ChannelError
from warden.notify.channels.webhook.peer import why_refused

MAX_ANSWER_BYTES: Final = 16 * 1024
KEEP_IDLE_S: Final = 4.0  # many servers let go of a silent connection after five
KEEP_AGE_S: Final = 60.0  # then the name is looked up, the peer and its certificate checked anew
_MAX_HEAD_BYTES = 64 * 1024
_MAX_INTERIM = 10  # answers of the kind "100 Continue" before the real one
_MAX_KEPT = 32
_ASK_AFTER_S = 0.2  # a connection idle for longer may have been closed: look before it is used
_SLACK_S = 0.1
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_STATUS = re.compile(rb"HTTP/(1\.[01]) +(\d{3})(?: |$)")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
_MAX_SIZE_LINE = 1024  # of a chunk, with its extensions
_ENDLESS = 2**62  # of a body that ends with its connection
_NO_BODY = frozenset({204, 304})


class BadAnswerError(OSError):
    """What came is no answer in HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the hook said: status, headers in lower case, the beginning of its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Peer:
    """Whom a connection leads to, as far as calls may share it."""

    scheme: str
    host: str
    port: int
    allow_private: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """A URL's parts as a request needs them."""

    scheme: str
    host: str
    port: int
    target: str
    host_header: str


@lru_cache(maxsize=256)
def _place(url: str) -> _Place:
    parts = urlsplit(url)
    host = parts.hostname or ""
    standard = 443 if parts.scheme == "https" else 80
    port = parts.port or standard
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    shown = f"[{host}]" if ":" in host else host
    return _Place(
        parts.scheme, host, port, target, shown if port == standard else f"{shown}:{port}"
    )


class Poster:
    """Posts, and keeps connections for a while; several threads may call at once."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._kept: dict[_Peer, list[_Line]] = {}
        self._lock = threading.Lock()

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        timeout_s: float,
        allow_private: bool,
    ) -> Answer:
        """POST the body; raises OSError, or ChannelError for the peer.

        A kept connection that ends before a byte of an answer is replaced by a fresh one, within
        the same deadline: the other side closed it meanwhile, or sees the same id again.
        """
        deadline = time.monotonic() + timeout_s
        place = _place(url)
        peer = _Peer(place.scheme, place.host, place.port, allow_private)
        request = _request(place, headers, body)
        line = self._take(peer)
        if line is not None:
            try:
                return self._call(line, peer, request, deadline)
            except TimeoutError:
                raise
            except OSError:
                if line.heard:
                    raise
        return self._call(_connect(peer, self._context, deadline), peer, request, deadline)

    def _call(self, line: _Line, peer: _Peer, request: bytes, deadline: float) -> Answer:
        """Send and read; the connection is kept only when all of the answer has been read."""
        done = False
        try:
            answer, done = line.call(request, deadline)
        finally:
            if not done:
                line.close()
        if done:
            self._keep(peer, line)
        return answer

    # --- kept connections ---------------------------------------------------------------------

    def _take(self, peer: _Peer) -> _Line | None:
        """A kept connection that still seems to stand; those that do not are closed."""
        while True:
            with self._lock:
                lines = self._kept.get(peer)
                line = lines.pop() if lines else None
            if line is None or line.usable(time.monotonic()):
                return line
            line.close()

    def _keep(self, peer: _Peer, line: _Line) -> None:
        line.used_at = time.monotonic()
        with self._lock:
            if sum(map(len, self._kept.values())) < _MAX_KEPT:
                self._kept.setdefault(peer, []).append(line)
                return
        line.close()

    def close_idle(self, *, all_of_them: bool = False) -> None:
        """Close the connections that have been idle for too long."""
        now = time.monotonic()
        with self._lock:
            over = [
                line
                for lines in self._kept.values()
                for line in lines
                if all_of_them or now - line.used_at > KEEP_IDLE_S
            ]
            self._kept = {
                peer: left
                for peer, lines in self._kept.items()
                if (left := [line for line in lines if line not in over])
            }
        for line in over:
            line.close()


def _request(place: _Place, headers: Mapping[str, str], body: bytes) -> bytes:
    """Head and body in one piece, so that they go out together."""
    lines = [f"POST {place.target} HTTP/1.1", f"host: {place.host_header}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines.append(f"content-length: {len(body)}")
    for line in lines:
        if not line.isprintable():
            raise ValueError("a header may not hold control characters")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


# --- connecting -------------------------------------------------------------------------------


def _connect(peer: _Peer, context: ssl.SSLContext, deadline: float) -> _Line:
    """A fresh connection to an address of the host that may be reached."""
    sock = _connected(peer, deadline)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if peer.scheme == "https":
            sock.settimeout(_left(deadline))
            sock = context.wrap_socket(sock, server_hostname=peer.host)
    except BaseException:
        sock.close()
        raise
    return _Line(sock)


def _connected(peer: _Peer, deadline: float) -> socket.socket:
    failure: Exception = OSError(f"{peer.host} has no address")
    addresses = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
    for family, kind, proto, _, address in addresses:
        sock = socket.socket(family, kind, proto)
        try:
            _check_peer(str(address[0]), allow_private=peer.allow_private)
            sock.settimeout(_left(deadline))
            sock.connect(address)
            _check_peer(str(sock.getpeername()[0]), allow_private=peer.allow_private)
        except (OSError, ChannelError) as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure


def _check_peer(address: str, *, allow_private: bool) -> None:
    reason = "" if allow_private else why_refused(address)
    if reason:
        raise ChannelError(
            f"the host's address {address} is {reason}; set allow_private: true for a host of yours"
        )


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("no answer within the deadline")
    return left


# --- one connection ---------------------------------------------------------------------------


class _Line:
    """A connection to a checked peer, used by one thread at a time.

    Attributes:
        heard: whether anything came back for the request last sent.
        used_at: when an answer was last read to its end, by the monotonic clock.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.heard = False
        self.used_at = time.monotonic()
        self._since = self.used_at
        self._sock = sock
        self._buffer = b""

    def close(self) -> None:
        """Close it."""
        self._sock.close()

    def usable(self, now: float) -> bool:
        """Whether it may be used again: young, lately used, and the other side still silent."""
        idle = now - self.used_at
        if idle > KEEP_IDLE_S or now - self._since > KEEP_AGE_S:
            return False
        return idle < _ASK_AFTER_S or not self._speaks()

    def _speaks(self) -> bool:
        """Whether there is something to read: unasked for, so most likely its end."""
        asked = select.poll()
        asked.register(self._sock, select.POLLIN)
        return bool(asked.poll(0))

    def call(self, request: bytes, deadline: float) -> tuple[Answer, bool]:
        """One request and its answer; and whether the connection can serve another."""
        self.heard = False
        self._bound(deadline)
        self._sock.sendall(request)
        version, status, headers = self._head(deadline)
        body, whole = self._body(status, headers, deadline)
        lasts = version == b"1.1" and "close" not in headers.get("connection", "").lower()
        return Answer(status, headers, body), whole and lasts and not self._buffer

    def _bound(self, deadline: float) -> None:
        """Let the next call of the socket take no longer than is left, give or take a little.

        Each change of a timeout is a call of the system, which most answers are too quick for.
        """
        left = _left(deadline)
        timeout = self._sock.gettimeout()
        if timeout is None or abs(timeout - left) > min(_SLACK_S, left / 10):
            self._sock.settimeout(left)

    # --- reading ------------------------------------------------------------------------------

    def _more(self, deadline: float) -> bool:
        """Read what has come; False at the end of the connection."""
        self._bound(deadline)
        data = self._sock.recv(65536)
        self._buffer += data
        self.heard = self.heard or bool(data)
        return bool(data)

    def _head(self, deadline: float) -> tuple[bytes, int, dict[str, str]]:
        for _ in range(_MAX_INTERIM):
            version, status, headers = self._one_head(deadline)
            if status // 100 != 1 or status == 101:  # noqa: PLR2004  1xx: the answer follows
                return version, status, headers
        raise BadAnswerError("no answer after many interim ones")

    def _one_head(self, deadline: float) -> tuple[bytes, int, dict[str, str]]:
        while (end := _HEAD_END.search(self._buffer)) is None:
            if len(self._buffer) > _MAX_HEAD_BYTES:
                raise BadAnswerError("the answer's head is too long")
            if not self._more(deadline):
                raise BadAnswerError("the connection ended before an answer")
        first, *lines = _LINE_END.split(self._buffer[: end.start()])
        self._buffer = self._buffer[end.end() :]
        found = _STATUS.match(first)
        if found is None:
            raise BadAnswerError("the answer is not HTTP")
        headers = {}
        for line in lines:
            name, _, value = line.partition(b":")
            headers[name.decode("latin-1").strip().lower()] = value.decode("latin-1").strip()
        return found[1], int(found[2]), headers

    def _body(self, status: int, headers: Mapping[str, str], deadline: float) -> tuple[bytes, bool]:
        """The body's beginning, and whether that is all; what breaks off does not undo a status."""
        if status in _NO_BODY:
            return b"", True
        try:
            if "transfer-encoding" in headers:
                return self._chunks(deadline)
            length = headers.get("content-length", "")
            known = length.isascii() and length.isdigit()
            body, whole = self._exactly(int(length[:12]) if known else _ENDLESS, deadline)
            return body[:MAX_ANSWER_BYTES], whole and known
        except OSError:
            return b"", False

    def _exactly(self, length: int, deadline: float) -> tuple[bytes, bool]:
        wanted = min(length, MAX_ANSWER_BYTES + 1)
        while len(self._buffer) < wanted:
            if not self._more(deadline):
                return self._buffer, False
        body, self._buffer = self._buffer[:wanted], self._buffer[wanted:]
        return body, wanted == length

    def _chunks(self, deadline: float) -> tuple[bytes, bool]:
        """What comes in chunks; one that is none, or trailers, end the connection with it."""
        body = b""
        while len(body) <= MAX_ANSWER_BYTES:
            length = self._chunk_size(deadline)
            if length is None:
                return body, False
            if length == 0:
                return body, self._ends_plainly(deadline)
            wanted = min(length, MAX_ANSWER_BYTES + 1)
            part, whole = self._exactly(wanted, deadline)
            body += part
            if not whole or not self._ends_plainly(deadline):
                break
        return body[:MAX_ANSWER_BYTES], False

    def _chunk_size(self, deadline: float) -> int | None:
        while (size := _CHUNK_SIZE.match(self._buffer)) is None:
            broken = b"\n" in self._buffer or len(self._buffer) > _MAX_SIZE_LINE
            if broken or not self._more(deadline):
                return None
        self._buffer = self._buffer[size.end() :]
        return int(size[1], 16)

    def _ends_plainly(self, deadline: float) -> bool:
        """Whether the line's end follows, which is then read."""
        end, whole = self._exactly(2, deadline)
        return whole and end == b"\r\n"
