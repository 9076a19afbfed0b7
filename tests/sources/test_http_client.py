"""The HTTP client: bounded in time and bytes, verified, not redirected, deaf to the environment."""

from __future__ import annotations

import gzip
import shutil
import socket
import ssl
import subprocess
import threading
import time
import zlib
from contextlib import contextmanager

import pytest

from warden.errors import ConfigError, SourceError
from warden.sources.http_client import HttpClient


@contextmanager
def answering(*replies, context=None):
    """A server that answers each connection with the next bytes, or lets a function do it."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)
    asked = []

    def serve():
        for reply in replies:
            try:
                connection, _ = listener.accept()
                with connection:
                    if context is not None:
                        connection = context.wrap_socket(connection, server_side=True)
                    connection.settimeout(5)
                    asked.append(connection.recv(65_536))
                    if callable(reply):
                        reply(connection)
                    else:
                        connection.sendall(reply)
                    connection.close()
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        listener.close()
        thread.join(10)


def http(body=b"{}", status=200, **headers):
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def get(host, scheme="http", ca_file=None, **bounds):
    client = HttpClient(ca_file=ca_file)
    try:
        return client.get(f"{scheme}://{host}/x", **({"deadline_s": 5} | bounds))
    finally:
        client.close()


def failure(host, **options):
    with pytest.raises(SourceError) as caught:
        get(host, **options)
    return caught.value


def drip(data, pause=0.05):
    def send(connection):
        for position in range(len(data)):
            connection.sendall(data[position : position + 1])
            time.sleep(pause)

    return send


def test_an_answer_comes_whole():
    with answering(http(b'{"a":1}', Content_Type="application/JSON; charset=utf-8")) as (
        host,
        asked,
    ):
        reply = get(host)
    assert (reply.status, reply.body, reply.media_type) == (200, b'{"a":1}', "application/json")
    assert b"User-Agent: warden/" in asked[0]


def test_a_drip_in_the_headers_ends_at_the_deadline():
    with answering(drip(http(b"{}" * 50))) as (host, _):
        began = time.monotonic()
        error = failure(host, deadline_s=0.5)
        assert time.monotonic() - began < 2
    assert "within 0.5 s" in str(error)
    assert error.state == "unreachable"


def test_a_drip_in_a_chunked_body_ends_at_the_deadline():
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    def send(connection):
        connection.sendall(head)
        drip(b"1\r\nx\r\n" * 100, 0.02)(connection)

    with answering(send) as (host, _):
        began = time.monotonic()
        assert "within 0.5 s" in str(failure(host, deadline_s=0.5))
        assert time.monotonic() - began < 2


def test_chunks_without_an_end_are_cut_short():
    body = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
    with answering(body) as (host, _):
        assert failure(host).state == "truncated"


def test_a_body_shorter_than_declared_is_cut_short():
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello") as (host, _):
        error = failure(host)
    assert error.state == "truncated"
    assert "broke off" in str(error)


def test_more_bytes_than_allowed_are_refused():
    with answering(http(b"x" * 5_000)) as (host, _):
        assert failure(host, max_bytes=4_000).state == "truncated"


def test_gzip_is_unpacked_and_bounded():
    packed = gzip.compress(b"x" * 100_000)
    with answering(*[http(packed, Content_Encoding="gzip")] * 2) as (host, _):
        assert len(get(host).body) == 100_000
        assert "99,999 bytes" in str(failure(host, max_bytes=99_999))


@pytest.mark.parametrize(
    "body",
    [gzip.compress(b"x" * 100_000)[:-20], b"no gzip at all", zlib.compress(b"x")],
)
def test_gzip_that_is_cut_or_false_is_refused(body):
    with answering(http(body, Content_Encoding="gzip")) as (host, _):
        assert failure(host).state == "truncated"


def test_an_encoding_that_was_not_asked_for_is_refused():
    with answering(http(b"x", Content_Encoding="br")) as (host, _):
        assert failure(host).state == "blocked"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_answers_and_are_not_followed(status):
    with answering(http(status=status, Location="http://127.0.0.1:9/")) as (host, asked):
        client = HttpClient()
        assert client.post_form(f"http://{host}/", fields=[("password", "x")]).status == status
        client.close()
    assert len(asked) == 1


def test_the_environment_does_not_choose_a_proxy(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with answering(http()) as (host, _):
        assert get(host).status == 200


def test_a_server_that_speaks_something_else_is_out_of_reach():
    with answering(b"220 mail.example.org ESMTP\r\n") as (host, _):
        assert failure(host).state in {"unreachable", "truncated"}


def test_a_name_that_does_not_resolve_is_told_plainly():
    error = failure("no-such-host.invalid")
    assert error.state == "unreachable"
    assert "object at 0x" not in str(error)


def test_a_connection_that_is_kept_is_watched_too():
    def two(connection):
        connection.sendall(http(b"1"))
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        time.sleep(1.5)

    with answering(two) as (host, _):
        client = HttpClient()
        assert client.get(f"http://{host}/", deadline_s=5).body == b"1"
        began = time.monotonic()
        with pytest.raises(SourceError, match=r"within 0\.4 s"):
            client.get(f"http://{host}/", deadline_s=0.4)
        assert time.monotonic() - began < 1.3
        client.close()


def test_a_body_that_stalls_is_too_slow_also_where_the_watch_comes_late(monkeypatch):
    def stalling(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        time.sleep(1.5)

    monkeypatch.setattr("warden.sources.http_client._Watch.strike", lambda _watch: None)
    with answering(stalling) as (host, _):
        client = HttpClient()
        with pytest.raises(SourceError, match=r"within 0\.2 s") as caught:
            client.get(f"http://{host}/", deadline_s=0.2)
        assert caught.value.state == "unreachable"
        client.close()


def test_a_certificate_file_that_is_missing_is_a_fault_of_the_settings(tmp_path):
    with pytest.raises(ConfigError, match="ca_file"):
        HttpClient(ca_file=tmp_path / "none.pem")


# --- TLS --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Make self-signed certificates with the system's openssl."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")

    def run(*words):
        subprocess.run([openssl, *words], capture_output=True, check=True, cwd=folder)

    def make(name, host, days):
        key, request, path, names = (f"{name}.{end}" for end in ("key", "csr", "pem", "ext"))
        (folder / names).write_text(f"subjectAltName={host}\n")
        run(
            *[
                "req",
                "-new",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-subj",
                "/CN=test",
            ],
            "-keyout",
            key,
            "-out",
            request,
        )
        run(
            "x509",
            "-req",
            "-in",
            request,
            "-signkey",
            key,
            "-days",
            str(days),
            "-extfile",
            names,
            "-out",
            path,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / path, folder / key)
        return folder / path, context

    return make


def test_a_certificate_that_the_settings_trust_is_good(certificates):
    path, context = certificates("good", "IP:127.0.0.1", 10)
    with answering(http(b"{}"), context=context) as (host, _):
        assert get(host, "https", ca_file=path).status == 200


def test_a_certificate_nobody_trusts_is_refused(certificates):
    _, context = certificates("unknown", "IP:127.0.0.1", 10)
    with answering(http(b"{}"), context=context) as (host, _):
        error = failure(host, scheme="https")
    assert error.state == "unreachable"
    assert "certificate" in str(error)


def test_a_certificate_for_another_host_is_refused(certificates):
    path, context = certificates("other", "DNS:other.example.org", 10)
    with answering(http(b"{}"), context=context) as (host, _):
        assert "certificate" in str(failure(host, scheme="https", ca_file=path))


def test_an_expired_certificate_is_refused(certificates):
    path, context = certificates("expired", "IP:127.0.0.1", 0)
    time.sleep(1.1)  # it was good for the second in which it was made
    with answering(http(b"{}"), context=context) as (host, _):
        assert "certificate" in str(failure(host, scheme="https", ca_file=path))
