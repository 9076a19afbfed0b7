"""One HTTP POST with a total deadline, a capped answer and a checked peer; no redirects.

`http.client` over a socket of our own, because the peer has to be judged between connecting and
sending, and because the deadline has to hold over every read together.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from warden.errors import ChannelError
from warden.notify.channels.webhook.peer import why_refused

MAX_ANSWER_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What the hook said: status, headers in lower case, the beginning of its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout_s: float,
    allow_private: bool,
    context: ssl.SSLContext,
) -> Answer:
    """POST the body; raises OSError, http.client.HTTPException, or ChannelError for the peer."""
    deadline = time.monotonic() + timeout_s
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    sock = _connect(host, port, deadline, allow_private=allow_private)
    try:
        if parts.scheme == "https":
            sock.settimeout(_left(deadline))
            sock = context.wrap_socket(sock, server_hostname=host)
        connection = http.client.HTTPConnection(host, port)
        connection.sock = _Timed(sock, deadline)  # as much of a socket as is used
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body=body, headers=dict(headers))
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, _beginning(response))
    finally:
        sock.close()


def _beginning(response: http.client.HTTPResponse) -> bytes:
    """The first bytes of the answer's body; a body that breaks off does not undo its status."""
    try:
        return response.read(MAX_ANSWER_BYTES)
    except (OSError, http.client.HTTPException):
        return b""


def _connect(host: str, port: int, deadline: float, *, allow_private: bool) -> socket.socket:
    failure: Exception = OSError(f"{host} has no address")
    for family, kind, proto, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, proto)
        try:
            _check_peer(str(address[0]), allow_private=allow_private)
            sock.settimeout(_left(deadline))
            sock.connect(address)
            _check_peer(str(sock.getpeername()[0]), allow_private=allow_private)
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


class _Timed:
    """As much of a socket as `http.client` uses, each call under what is left of the deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        """Send it all."""
        self._sock.settimeout(_left(self._deadline))
        self._sock.sendall(data)

    def makefile(self, mode: str = "rb", buffering: int = -1) -> io.BufferedReader:  # noqa: ARG002
        """A buffered reader."""
        return io.BufferedReader(_TimedReader(self._sock, self._deadline))

    def close(self) -> None:
        """Nothing: `post` closes the socket once the answer's body has been read."""


class _TimedReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._deadline))
        return self._sock.recv_into(memoryview(buffer))
