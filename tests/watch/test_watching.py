"""What the daemon answers about its own health: alive, at work, or in need of a restart."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from warden.daemon import Progress
from warden.errors import StoreError
from warden.watching import Watching


class Desk:
    """As much of a station as is asked for how it is."""

    rulebook = SimpleNamespace(ruleset=SimpleNamespace(rules=(1, 2, 3)))
    readable = True

    def figures(self) -> object:
        if not self.readable:
            raise StoreError("the disk reported an error")
        return object()


class Watched:
    """A `Watching` that listens, with troubles that a test can make."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.troubles: list[str] = []
        self.unwritten: list[str] = []
        self.watching = Watching(
            ("127.0.0.1", 0),
            self.desk,
            Progress(),
            lambda: self.troubles,
            lambda: self.unwritten,
        )

    def ask(self, path: str) -> tuple[int, str]:
        host, port = self.watching.address
        try:
            with urlopen(f"http://{host}:{port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    made.watching.listen()
    yield made
    made.watching.close()


def test_one_at_work_is_healthy_and_ready(watched: Watched) -> None:
    assert watched.ask("/-/healthy") == (200, "warden is alive\n")
    assert watched.ask("/-/ready") == (200, "ready: 3 rules in force\n")


def test_what_only_a_restart_mends_is_neither_healthy_nor_ready(watched: Watched) -> None:
    watched.troubles = ["the job evaluate is stuck"]
    assert watched.ask("/-/healthy") == (503, "not healthy: the job evaluate is stuck\n")
    assert watched.ask("/-/ready") == (503, "not ready: the job evaluate is stuck\n")
    watched.troubles = []
    assert watched.ask("/-/healthy")[0] == 200


def test_a_database_that_cannot_be_read_is_not_mended_by_a_restart(watched: Watched) -> None:
    watched.desk.readable = False
    assert watched.ask("/-/ready") == (503, "not ready: the database cannot be read\n")
    assert watched.ask("/-/healthy")[0] == 200


def test_what_cannot_be_stored_is_not_mended_by_a_restart(watched: Watched) -> None:
    watched.unwritten = ["poll inbox cannot be stored: the disk is full"]
    assert watched.ask("/-/ready")[0] == 503
    assert "the disk is full" in watched.ask("/-/ready")[1]
    assert watched.ask("/-/healthy")[0] == 200
