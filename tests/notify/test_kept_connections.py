"""Connections of hooks are kept, and nothing that was promised of one call is lost by that."""

import socket
import ssl
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warden.errors import ChannelError
from warden.notify.channels.webhook import post as posting
from warden.notify.channels.webhook.post import MAX_ANSWER_BYTES, Poster

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CLOSE = b""
SILENCE = None


class Server:
    """Answers each request with the next bytes; CLOSE hangs up, SILENCE says nothing."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []  # (number of its connection, what came)
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.socks = []
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/hook"

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.socks.append(sock)
            threading.Thread(target=self.serve, args=(sock, self.connections), daemon=True).start()

    def serve(self, sock, number):
        with sock:
            while (request := read_request(sock)) is not None:
                self.requests.append((number, request))
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if answer is SILENCE:
                    time.sleep(5)
                if answer in (CLOSE, SILENCE):
                    return
                sock.sendall(answer)

    def hang_up(self):
        for sock in self.socks:
            sock.shutdown(socket.SHUT_RDWR)
        time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.listener.close()
        for sock in self.socks:
            sock.close()


def read_request(sock):
    data = b""
    while b"\r\n\r\n" not in data or not data.endswith(b"payload"):
        try:
            more = sock.recv(4096)
        except OSError:
            return None
        if not more:
            return None
        data += more
    return data


@pytest.fixture
def poster():
    made = Poster(ssl.create_default_context())
    yield made
    made.close_idle(all_of_them=True)


def call(poster, url, *, key="k", timeout_s=2.0, allow_private=True):
    return poster.post(
        url, b"payload", {"webhook-id": key}, timeout_s=timeout_s, allow_private=allow_private
    )


def connections(server):
    return [number for number, _ in server.requests]


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok",
    ],
)
def test_a_connection_whose_answer_was_read_to_its_end_serves_the_next_call(poster, answer):
    with Server(answer) as server:
        first, second = call(poster, server.url), call(poster, server.url)
        assert connections(server) == [1, 1]
    assert first == second
    assert first.status in (200, 204, 500)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        OK + b"and more",
        b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % 10**6 + b"x" * 20_000,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nno chunk\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\ntrailer: x\r\n\r\n",
    ],
)
def test_a_connection_that_may_still_hold_something_serves_no_other_call(poster, answer):
    with Server(answer) as server:
        for _ in range(2):
            found = call(poster, server.url)
            assert found.status == 200
            assert len(found.body) <= MAX_ANSWER_BYTES
        assert connections(server) == [1, 2]


@pytest.mark.parametrize("idle_s", [0, 0.25])
def test_what_the_other_side_closed_meanwhile_is_opened_anew(poster, idle_s):
    with Server(OK) as server:
        call(poster, server.url)
        server.hang_up()
        time.sleep(idle_s)
        assert call(poster, server.url).status == 200
        assert connections(server) == [1, 2]


def test_a_kept_connection_that_ends_without_a_word_is_tried_once_more_under_the_same_key(poster):
    with Server(OK, CLOSE, OK) as server:
        call(poster, server.url, key="first")
        assert call(poster, server.url, key="second").status == 200
        assert connections(server) == [1, 1, 2]
        assert server.requests[1][1] == server.requests[2][1]
        assert b"webhook-id: second" in server.requests[2][1]


def test_a_fresh_connection_that_ends_without_a_word_is_a_failed_try(poster):
    with Server(CLOSE) as server:
        with pytest.raises(OSError, match="ended before an answer"):
            call(poster, server.url)
        assert connections(server) == [1]


def test_an_answer_that_breaks_off_on_a_kept_connection_is_a_failed_try(poster):
    with Server(OK, b"HTTP/1.1 200") as server:
        call(poster, server.url)
        threading.Timer(0.2, server.hang_up).start()
        with pytest.raises(OSError, match="ended before an answer"):
            call(poster, server.url)
        assert connections(server) == [1, 1]


def test_the_deadline_holds_on_a_kept_connection_and_is_not_doubled(poster):
    with Server(OK, SILENCE) as server:
        call(poster, server.url)
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            call(poster, server.url, timeout_s=0.4)
        assert time.monotonic() - began < 1
        assert connections(server) == [1, 1]


def test_a_connection_to_a_private_host_serves_no_call_that_may_not_go_there(poster):
    with Server(OK) as server:
        call(poster, server.url)
        with pytest.raises(ChannelError, match="loopback"):
            call(poster, server.url, allow_private=False)
        assert len(server.requests) == 1


def test_another_port_is_another_connection(poster):
    with Server(OK) as one, Server(OK) as other:
        for server in (one, other, one):
            call(poster, server.url)
        assert (connections(one), connections(other)) == ([1, 1], [1])


def test_what_has_been_idle_is_closed(poster, monkeypatch):
    with Server(OK) as server:
        call(poster, server.url)
        poster.close_idle()
        call(poster, server.url)
        assert connections(server) == [1, 1]
        monkeypatch.setattr(posting, "KEEP_IDLE_S", 0.0)
        call(poster, server.url)
        poster.close_idle()
        call(poster, server.url)
        assert connections(server) == [1, 1, 2, 3]


def test_many_threads_share_the_connections_without_mixing_answers(poster):
    def echoing(server):
        def serve(sock, number):
            with sock:
                while (request := read_request(sock)) is not None:
                    server.requests.append((number, request))
                    key = request.split(b"webhook-id: ")[1].split(b"\r\n")[0]
                    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(key)
                    sock.sendall(head + key)

        return serve

    wrong = []

    def work(name):
        for number in range(50):
            key = f"{name}-{number}"
            if call(poster, server.url, key=key).body.decode() != key:
                wrong.append(key)

    with Server(OK) as server:
        server.serve = echoing(server)
        threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert wrong == []
        assert len(server.requests) == 200
        assert server.connections <= 4


def test_a_header_cannot_be_smuggled_in(poster):
    with Server(OK) as server, pytest.raises(ValueError, match="control characters"):
        call(poster, server.url, key="k\r\nx-evil: 1")
    assert server.requests == []


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
COUNTED = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"
HEADS = st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200\r\n\r\n", CHUNKED, COUNTED])


@given(head=HEADS, rest=st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_whatever_bytes_come_it_is_an_answer_or_a_failed_try(head, rest):
    ours, theirs = socket.socketpair()
    theirs.sendall(head + rest)
    theirs.shutdown(socket.SHUT_WR)
    line = posting._Line(ours)
    try:
        answer, _ = line.call(b"POST", time.monotonic() + 2)
        assert 100 <= answer.status <= 999
        assert len(answer.body) <= MAX_ANSWER_BYTES
    except OSError:
        pass
    finally:
        line.close()
        theirs.close()
