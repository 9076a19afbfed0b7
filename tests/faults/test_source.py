"""A feed misbehaves in one way after another; one daemon lives through all of it.

After each fault the source's state is the one that says what is wrong; once the feed is well
again it is read without a restart, and at the end everything it ever published has arrived.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import trustme
from done import BACK, await_told, whole
from other_clock import OtherClock, needs_compiler
from support.installation import Daemon, Installation, eventually, recent
from support.sourcing import a_row

from warden.simulator import faults
from warden.simulator.acled_server import AcledServer
from warden.simulator.faults import Fault
from warden.simulator.world import World

SOURCE = """\
sources:
- {name: acled, kind: acled, base_url: '%s', username: desk@example.org,
   password: {secret: acled_password}, countries: [MLI], every: 1s, page_size: 5,
   most_pages: 40, deadline_s: 2%s}
"""


class Unsteady(AcledServer):
    """A feed whose connections can be cut, and that may speak TLS."""

    tls: ssl.SSLContext | None = None

    def get_request(self) -> tuple[socket.socket, Any]:
        """Take a connection; a failed handshake ends it, as socketserver expects."""
        connection, address = super().get_request()
        if self.tls is not None:
            connection.settimeout(5)
            connection = self.tls.wrap_socket(connection, server_side=True)
        self._open = [*getattr(self, "_open", []), connection]
        return connection, address

    def cut(self) -> None:
        """Stop listening and end what is connected: from now on, connections are refused."""
        self.stop()
        for connection in getattr(self, "_open", []):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)


def published(world: World, number: int, **columns: Any) -> None:
    """A battle in Kati that the feed knows since a moment ago."""
    now = datetime.now(UTC)
    columns = {"event_date": recent().isoformat(), "year": recent().year} | columns
    world.publish(a_row(number, **columns), now - timedelta(seconds=2))


def reads(installation: Installation, url: str, more: str = "") -> None:
    """Let the installation read this feed instead of its inbox."""
    secrets = installation.root / "secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / "acled_password").write_text("simulated\n", encoding="utf-8")
    path = installation.root / "warden.yaml"
    text = path.read_text(encoding="utf-8")
    begin, end = text.index("sources:"), text.index("smtp:")
    sources = SOURCE % (url, more)
    path.write_text(text[:begin] + sources + text[end:] + "secrets_dir: secrets\n", "utf-8")


@pytest.fixture
def world() -> World:
    """Twelve battles that the feed has known for long: three pages."""
    made = World()
    old = datetime.now(UTC) - timedelta(days=5)
    for number in range(1, 13):
        when = recent(60 + number)
        made.publish(a_row(number, event_date=when.isoformat(), year=when.year), old)
    return made


@contextmanager
def watched(installation: Installation, server: AcledServer) -> Iterator[Daemon]:
    """A daemon that has known this feed for long."""
    reads(installation, server.url)
    installation.warden("run", "--once")
    with installation.daemon() as daemon:
        yield daemon


def state(installation: Installation) -> tuple[str, str]:
    """How the source is, and the sentence that says so."""
    with closing(sqlite3.connect(f"file:{installation.root / 'w.db'}?mode=ro", uri=True)) as file:
        return file.execute("SELECT state, sentence FROM source_state").fetchone()


def memory(installation: Installation) -> str:
    """What the source remembers: it moves when a walk has ended well."""
    with closing(sqlite3.connect(f"file:{installation.root / 'w.db'}?mode=ro", uri=True)) as file:
        return str(file.execute("SELECT memory FROM source_state").fetchone()[0])


def until(installation: Installation, wanted: str, words: str = "") -> None:
    """Wait until the source is in this state."""

    def there() -> bool:
        now, sentence = state(installation)
        return now == wanted and words in sentence

    try:
        eventually(there, 20)
    except AssertionError:
        raise AssertionError(f"wanted {wanted} ({words}), got {state(installation)}") from None


def endless() -> Fault:
    """Always another full page, of rows that no rule is about."""
    pages = count(1)

    def change(envelope: Any, request: Any) -> Any:
        page = next(pages)
        far = {"latitude": 20.2, "longitude": 1.0, "event_date": recent().isoformat()}
        rows = [a_row(10 * page + index, timestamp=1, **far) for index in range(100, 105)]
        return {**envelope, "data": rows, "count": len(rows), "next_cursor": 1_000_000 + page}

    return Fault("endless pages", times=None, envelope=change)


FAULTS: dict[str, tuple[Callable[[], Fault], str, str]] = {
    "reset in the body": (faults.reset, "truncated", "broke off"),
    "one byte every half second": (faults.drip, "unreachable", "within 2 s"),
    "short body with Content-Length": (faults.truncated, "truncated", "broke off"),
    "short body without": (lambda: faults.truncated(declared=False), "truncated", "not JSON"),
    "gzip bomb": (faults.gzip_bomb, "truncated", ""),
    "HTML with status 200": (faults.html, "blocked", "firewall"),
    "success: false": (faults.unsuccessful, "unreachable", "Internal error"),
    "empty after non-empty": (lambda: faults.replaced_rows([]), "truncated", "nothing"),
    "repeated pages": (faults.repeated_page, "truncated", "repeats"),
    "a cursor that does not move": (faults.stuck_cursor, "truncated", "does not move"),
    "endless pages": (endless, "truncated", "more than 40 pages"),
    "silence": (faults.silent, "unreachable", "within 2 s"),
}


def test_a_feed_that_fails_in_every_way_is_named_and_then_read_without_a_restart(
    installation: Installation, world: World
) -> None:
    with Unsteady(world) as server, watched(installation, server) as daemon:
        until(installation, "ok")
        for number, (name, (fault, wanted, words)) in enumerate(FAULTS.items(), start=101):
            before = memory(installation)
            server.fail(fault(), on="read", times=None)
            published(world, number)
            until(installation, wanted, words)
            assert memory(installation) == before, name
            server.heal()
            until(installation, "ok")
        await_told(installation, len(FAULTS))
        daemon.await_notice(BACK)
        assert "Traceback" not in daemon.said()
    whole(installation)


def test_a_feed_that_refuses_connections_is_read_when_it_listens_again(
    installation: Installation, world: World
) -> None:
    with Unsteady(world) as server, watched(installation, server) as daemon:
        until(installation, "ok")
        server.cut()
        published(world, 101)
        until(installation, "unreachable")
        with Unsteady(world, port=server.server_address[1]):
            await_told(installation)
            until(installation, "ok")
            daemon.await_notice(BACK)
    whole(installation)


def test_a_token_that_expires_in_mid_walk_costs_nothing(
    installation: Installation, world: World
) -> None:
    with Unsteady(world) as server, watched(installation, server):
        until(installation, "ok")
        asked = len(server.asked("token"))
        server.fail(faults.expired_token(), on="read", skip=1)
        published(world, 101)
        await_told(installation)
        eventually(lambda: len(server.asked("token")) > asked)
        until(installation, "ok")
        states = [state for (state,) in _walks(installation)]
        assert set(states) == {"ok"}
    whole(installation)


def test_rows_of_an_ignored_filter_are_counted_and_tell_nobody(
    installation: Installation, world: World
) -> None:
    with Unsteady(world) as server, watched(installation, server):
        until(installation, "ok")
        server.ignored = frozenset({"iso", "country"})
        published(world, 101, iso=566, country="Nigeria", location="Kati in another country")
        published(world, 102)
        await_told(installation)
        until(installation, "ok")
        eventually(lambda: _foreign(installation) > 0)
        assert not any("another country" in subject for subject in installation.subjects())
    whole(installation)


def _walks(installation: Installation) -> list[tuple[str]]:
    with closing(sqlite3.connect(f"file:{installation.root / 'w.db'}?mode=ro", uri=True)) as file:
        return file.execute("SELECT state FROM poll_runs WHERE ended_at IS NOT NULL").fetchall()


def _foreign(installation: Installation) -> int:
    with closing(sqlite3.connect(f"file:{installation.root / 'w.db'}?mode=ro", uri=True)) as file:
        return int(file.execute("SELECT sum(foreign_rows) FROM poll_runs").fetchone()[0])


# --- TLS --------------------------------------------------------------------------------------


class Certificates:
    """Good and bad certificates of one authority that the installation trusts."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.file = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self.file))

    def context(self, host: str, days: int) -> ssl.SSLContext:
        """What a server shows; `days` below 0: expired since."""
        expires = datetime.now(UTC) + timedelta(days=days)
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(host, not_after=expires).configure_cert(made)
        return made


def test_a_certificate_that_expired_or_is_another_hosts_is_refused_until_it_is_replaced(
    installation: Installation, world: World
) -> None:
    certificates = Certificates(installation.root)
    good = certificates.context("127.0.0.1", 5)
    with Unsteady(world) as server:
        server.tls = good
        port = server.server_address[1]
        reads(installation, f"https://127.0.0.1:{port}", f", ca_file: {certificates.file}")
        installation.warden("run", "--once")
        with installation.daemon() as daemon:
            until(installation, "ok")
            bad = [certificates.context("127.0.0.1", -1), certificates.context("example.org", 5)]
            server.cut()
            for number, context in enumerate(bad, start=101):
                published(world, number)
                with _listening(world, port, context) as other:
                    until(installation, "unreachable", "certificate")
                    assert other.requests == []  # the password was told to nobody
            with _listening(world, port, good):
                await_told(installation)  # one mail, about both
                daemon.await_notice(BACK)
    whole(installation)


@contextmanager
def _listening(world: World, port: int, context: ssl.SSLContext) -> Iterator[Unsteady]:
    server = Unsteady(world, port=port)
    server.tls = context
    with server:
        yield server
        server.cut()


# --- stopped in the middle --------------------------------------------------------------------


def test_sigterm_in_the_middle_of_a_poll_ends_it_and_the_walk_is_redone(
    installation: Installation, world: World
) -> None:
    with Unsteady(world) as server:
        with watched(installation, server) as daemon:
            until(installation, "ok")
            published(world, 101)
            server.fail(faults.silent(), on="read", skip=1, times=None)
            asked = len(server.asked("read"))
            eventually(lambda: len(server.asked("read")) > asked + 2)
            daemon.signal(signal.SIGTERM)
            assert daemon.process.wait(10) == 0
        server.heal()
        with installation.daemon() as daemon:
            await_told(installation)
            daemon.await_notice(BACK)
    whole(installation)


@needs_compiler
@pytest.mark.parametrize("status", [429, 503])
def test_an_absurd_pause_is_kept_for_six_hours_whoever_asks_and_ends_by_itself(
    installation: Installation, world: World, tmp_path: Path, status: int
) -> None:
    header = {"Retry-After": "99999999999"}
    with Unsteady(world) as server:
        reads(installation, server.url)
        installation.warden("run", "--once")
        clock = OtherClock(tmp_path)
        with installation.daemon(*clock.under) as daemon:
            until(installation, "ok")
            server.fail(faults.status(status, "{}", headers=header), on="read", times=None)
            published(world, 101)
            until(installation, "unreachable", "asked again in 21600 s")
            server.heal()
            asked = len(server.asked("read"))
            time.sleep(3)
            assert len(server.asked("read")) == asked
            clock.set(6 * 3600 + 60)
            await_told(installation)
            until(installation, "ok")
            daemon.await_notice(BACK)
    whole(installation, was_ahead=True)


def test_sigterm_while_a_feed_is_being_waited_for_ends_it_at_once(
    installation: Installation, world: World
) -> None:
    with Unsteady(world) as server, watched(installation, server) as daemon:
        until(installation, "ok")
        server.fail(faults.too_many_requests("99999999999"), on="read", times=None)
        until(installation, "unreachable", "asked again in 21600 s")
        os.kill(daemon.pid, signal.SIGTERM)
        assert daemon.process.wait(10) == 0
        asked = len(server.asked("read"))
        done = installation.warden("run", "--once", expect=3)
        assert "not asked again before" in done.stdout
        assert len(server.asked("read")) == asked
