"""The watch server over real HTTP: it answers little, and nobody can hold it up."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from warden.errors import WardenError
from warden.watch import Answer, WatchServer
from warden.watch.server import MOST_CONNECTIONS


def fails() -> Answer:
    raise RuntimeError("a bug")


@pytest.fixture
def server() -> Iterator[WatchServer]:
    routes = {"/-/healthy": lambda: Answer(b"alive\n"), "/bug": fails}
    made = WatchServer("127.0.0.1", 0, routes, within_s=0.5)
    made.start()
    yield made
    made.close()


def ask(server: WatchServer, path: str, method: str = "GET") -> tuple[int, bytes, dict[str, str]]:
    connection = HTTPConnection(*server.address, timeout=5)
    connection.request(method, path)
    answer = connection.getresponse()
    found = answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}
    connection.close()
    return found


def raw(server: WatchServer, sent: bytes) -> bytes:
    with socket.create_connection(server.address, timeout=5) as connection:
        connection.sendall(sent)
        parts = []
        while part := connection.recv(4096):
            parts.append(part)
        return b"".join(parts)


def drip(connection: socket.socket) -> None:
    for _ in range(100):
        connection.sendall(b"X-Slow: x\r\n")
        time.sleep(0.05)


def held_for(connection: socket.socket) -> float:
    """Seconds until the other side hangs up."""
    began = time.monotonic()
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return time.monotonic() - began


def test_it_answers_what_it_knows(server):
    status, body, headers = ask(server, "/-/healthy?from=somewhere")
    assert (status, body) == (200, b"alive\n")
    assert headers["cache-control"] == "no-store"
    assert "python" not in headers["server"].lower()


def test_a_head_has_no_body(server):
    status, body, headers = ask(server, "/-/healthy", "HEAD")
    assert (status, body, headers["content-length"]) == (200, b"", "6")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_it_only_shows(server, method):
    status, _, headers = ask(server, "/-/healthy", method)
    assert (status, headers["allow"]) == (405, "GET, HEAD")


def test_an_unknown_method_and_nonsense_are_refused(server):
    assert b" 501 " in raw(server, b"BREW / HTTP/1.0\r\n\r\n")
    assert b"400" in raw(server, b"\x00\x01 nonsense at all\r\n\r\n")
    assert b" 414 " in raw(server, b"GET /" + b"a" * 70_000 + b" HTTP/1.0\r\n\r\n")


def test_what_is_not_there_is_told_with_what_is(server):
    status, body, _ = ask(server, "/etc/passwd")
    assert status == 404
    assert b"/-/healthy" in body


def test_a_bug_behind_a_path_is_an_answer_and_nothing_more(server):
    assert ask(server, "/bug")[0] == 500
    assert ask(server, "/-/healthy")[0] == 200


def test_a_client_that_says_nothing_is_cut_off(server):
    with socket.create_connection(server.address, timeout=5) as silent:
        assert held_for(silent) < 3


def test_a_client_that_drips_is_cut_off_all_the_same(server):
    with socket.create_connection(server.address, timeout=5) as slow:
        began = time.monotonic()
        with pytest.raises(OSError, match=r"."):
            drip(slow)
        assert time.monotonic() - began < 4


def test_many_silent_clients_do_not_pile_up_and_leave_it_answering(server):
    crowd = [socket.create_connection(server.address, timeout=5) for _ in range(40)]
    time.sleep(0.1)
    refused = 0
    for one in crowd[MOST_CONNECTIONS:]:
        one.settimeout(0.05)
        try:
            refused += one.recv(1) == b""
        except (TimeoutError, ConnectionResetError):
            refused += 1
    assert refused == 40 - MOST_CONNECTIONS
    time.sleep(0.7)  # the first ones' time is up
    assert ask(server, "/-/healthy")[0] == 200
    for one in crowd:
        one.close()


def test_an_address_that_is_taken_is_told_in_a_sentence(server):
    other = WatchServer(*server.address, {})
    with pytest.raises(WardenError, match=r"console\.listen: cannot listen on 127\.0\.0\.1:"):
        other.start()
    assert not other.listening


def test_after_close_nobody_answers(server):
    where = server.address
    server.close()
    with pytest.raises(OSError, match=r"."):
        socket.create_connection(where, timeout=1)
