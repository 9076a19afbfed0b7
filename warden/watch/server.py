"""A small HTTP server that answers questions and can be held up by nobody.

Standing in the flow: the daemon starts one on `console.listen`. Few connections at a time, each
with a time in which it must be done, only GET and HEAD, nothing read but the request's head.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from typing import Any, Final
from urllib.parse import urlsplit

from warden.errors import WardenError

log = logging.getLogger(__name__)

MOST_CONNECTIONS: Final = 8
WITHIN_S: Final = 10.0
TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to a request."""

    body: bytes
    status: int = 200
    content_type: str = TEXT


Routes = Mapping[str, Callable[[], Answer]]


class WatchServer:
    """Answers at some paths until it is closed.

    Arguments:
        host, port: where to listen; port 0 takes any free one.
        routes: path → what makes the answer; asked anew each time, in the connection's thread.
        within_s: how long one connection may last.
    """

    def __init__(self, host: str, port: int, routes: Routes, *, within_s: float = WITHIN_S) -> None:
        self._where = (host, port)
        self._routes = routes
        self._within_s = within_s
        self._server: _Server | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens.

        Raises:
            WardenError: it does not.
        """
        if self._server is None:
            raise WardenError("the watch server is not listening")
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    @property
    def listening(self) -> bool:
        """Whether it was started and not closed."""
        return self._server is not None

    def start(self) -> None:
        """Listen from now on, in a thread of its own.

        Raises:
            WardenError: the address is taken, or is not this machine's.
        """
        host, port = self._where
        try:
            self._server = _Server(self._where, self._routes, self._within_s)
        except OSError as error:
            why = error.strerror or error
            raise WardenError(f"console.listen: cannot listen on {host}:{port}: {why}") from None
        threading.Thread(target=self._server.serve_forever, name="watch", daemon=True).start()

    def close(self) -> None:
        """Stop listening; what is being answered may end."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()


class _Server(ThreadingMixIn, HTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 16

    def __init__(self, where: tuple[str, int], routes: Routes, within_s: float) -> None:
        self.routes = routes
        self.within_s = within_s
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        if ":" in where[0]:
            self.address_family = socket.AF_INET6
        super().__init__(where, _Handler)

    def server_bind(self) -> None:
        """Bind without looking up the host's name, which may take long."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "warden", int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, or not at all while too many are being answered."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One connection, cut off when its time is up."""
        alarm = threading.Timer(self.within_s, _cut, [request])
        alarm.daemon = True
        alarm.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            alarm.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say in one line what a connection came to; a client that hangs up is no news."""
        del request
        log.debug("a look from %s broke off", client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "warden"
    sys_version = ""
    protocol_version = "HTTP/1.0"  # one request a connection

    def do_GET(self) -> None:
        """Answer."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer without the body."""
        self._answer()

    def _refuse(self) -> None:
        self._say(Answer(b"only GET and HEAD\n", 405), {"Allow": "GET, HEAD"})

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _refuse  # noqa: N815 - the base class's

    def _answer(self) -> None:
        route = self.server.routes.get(urlsplit(self.path).path)
        if route is None:
            known = ", ".join(sorted(self.server.routes))
            self._say(Answer(f"nothing here; there is {known}\n".encode(), 404))
            return
        try:
            answer = route()
        except Exception:  # the boundary of this connection: it is told and logged
            log.exception("a look at %s failed", urlsplit(self.path).path)
            answer = Answer(b"warden failed to answer; see its log\n", 500)
        self._say(answer)

    def _say(self, answer: Answer, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Looks are no news."""
        log.debug(format, *args)


def _cut(request: Any) -> None:
    try:
        request.shutdown(socket.SHUT_RDWR)
    except OSError:
        log.debug("a look had ended by itself")
