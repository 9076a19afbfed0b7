"""What the simulated servers have in common: requests they remember, replies, and bad manners.

Standing in the flow: `acled_server` and `hook` answer through `send`; a `Manner` spoils the way
the bytes of a good reply go out, as broken networks do.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came in. `query` holds the last value of each parameter."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to be sent; Content-Length is added unless the manner of sending says otherwise."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


Manner = Callable[["Answering", Reply], None]


class Answering(BaseHTTPRequestHandler):
    """One connection; subclasses answer requests through `send`."""

    protocol_version = "HTTP/1.1"
    server_version = "Simulated/1"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Stay silent: requests are kept in the server's `requests`."""

    @property
    def stopping(self) -> threading.Event:
        """Set when the server is to end; bad manners wait on it rather than sleep."""
        assert isinstance(self.server, LoopbackServer)  # noqa: S101 - narrows a type, cannot fail
        return self.server.stopping

    def read_body(self) -> bytes:
        """The request's body, by its Content-Length."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def send(self, reply: Reply) -> None:
        """Send a reply as a healthy server does."""
        self.send_head(reply, length=len(reply.body))
        self.wfile.write(reply.body)
        self.wfile.flush()

    def send_head(self, reply: Reply, *, length: int | None) -> None:
        """Send status and headers; without a length the connection's end ends the body."""
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if length is None:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def hang_up(self) -> None:
        """Close after what has been written."""
        self.wfile.flush()
        self.close_connection = True

    def reset(self) -> None:
        """Break the connection off with RST."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


class LoopbackServer(ThreadingHTTPServer):
    """An HTTP server on 127.0.0.1 in a thread of its own; a context manager.

    Attributes:
        url: where it listens, without a trailing slash.
        requests: every request it got, oldest first.
        stopping: set when it is to end.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, handler: type[Answering], *, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> Self:
        """Begin to serve."""
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """End serving and free the port. Calling it twice does no harm."""
        self.stopping.set()
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
            self._thread = None
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the exercise."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()


# --- manners ----------------------------------------------------------------------------------


def cut_short(*, declared: bool) -> Manner:
    """Send half of the body and close; `declared`: with the whole body's Content-Length."""

    def send(handler: Answering, reply: Reply) -> None:
        handler.send_head(reply, length=len(reply.body) if declared else None)
        handler.wfile.write(reply.body[: len(reply.body) // 2])
        handler.hang_up()

    return send


def drip(interval_s: float) -> Manner:
    """Send the head, then one byte every `interval_s`."""

    def send(handler: Answering, reply: Reply) -> None:
        handler.send_head(reply, length=len(reply.body))
        for position in range(len(reply.body)):
            handler.wfile.write(reply.body[position : position + 1])
            handler.wfile.flush()
            if handler.stopping.wait(interval_s):
                return

    return send


def late(seconds: float) -> Manner:
    """Say nothing for `seconds`, then answer."""

    def send(handler: Answering, reply: Reply) -> None:
        if not handler.stopping.wait(seconds):
            handler.send(reply)

    return send


def reset_in_body() -> Manner:
    """Send half of the body, then break the connection off."""

    def send(handler: Answering, reply: Reply) -> None:
        handler.send_head(reply, length=len(reply.body))
        handler.wfile.write(reply.body[: len(reply.body) // 2])
        handler.reset()

    return send


def reset_before_answer() -> Manner:
    """Take the request and break the connection off without a word."""

    def send(handler: Answering, reply: Reply) -> None:  # noqa: ARG001 - nothing is sent
        handler.reset()

    return send
