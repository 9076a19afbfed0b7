"""Killed anywhere, a life comes to the same end: nothing lost, nothing said falsely or twice anew.

make test-crash                     a seeded sample, in minutes
make test-crash CRASH=all           every call until a run survives; an hour or two
make test-crash CRASH=sendto:17     one point
make test-crash KILLS=1000          so many kills at random moments
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator

import pytest
from cradle import CALLS, Cradle, Nursery, Tally, calls_of_a_life

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed"),
]
ASKED = os.environ.get("CRASH", "")
KILLS = int(os.environ.get("KILLS") or 60)
SAMPLE = {"pwrite64": 24, "fdatasync": 14, "sendto": 18, "recvfrom": 14, "rename": 8}
SEED = 2026


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@pytest.fixture(scope="module")
def story(nursery: Nursery) -> list[tuple[object, ...]]:
    """What an undisturbed life decides, tells and keeps."""
    with Cradle(nursery) as cradle:
        cradle.live()
        assert cradle.broken() == []
        assert cradle.copies == 0
        told = cradle.story()
    actions = {line[1] for line in told}
    assert {"alert", "update", "summary"} <= actions
    return told


def tell(line: str) -> None:
    sys.stdout.write(f"\n{line}\n")


def points(call: str, most: int) -> list[int]:
    """Which of a life's calls it is killed at."""
    name, _, number = ASKED.partition(":")
    if number:
        return [int(number)] if name == call else []
    if ASKED == "all":
        return list(range(1, most + 1))
    chance = random.Random(f"{SEED} {call}")
    return sorted(chance.sample(range(1, most + 1), min(SAMPLE[call], most)))


@pytest.mark.timeout(0)
@pytest.mark.parametrize("call", CALLS)
def test_killed_at_a_system_call_a_life_comes_to_the_same_end(
    nursery: Nursery, story: list[tuple[object, ...]], call: str, capsys: pytest.CaptureFixture[str]
) -> None:
    most = calls_of_a_life(nursery, call)
    tally, began = Tally(), time.monotonic()
    for number in points(call, most):
        with Cradle(nursery) as cradle:
            if cradle.live_until_call(call, number):
                tally.kills[call] += 1
            cradle.live()
            tally.take(cradle, story, f"killed at {call} {number}")
    with capsys.disabled():
        tell(f"{call} of {most} a thread: {tally}, {time.monotonic() - began:.0f} s")
    assert tally.broken == []


@pytest.mark.timeout(0)
def test_killed_at_any_moment_a_life_comes_to_the_same_end(
    nursery: Nursery, story: list[tuple[object, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    if ASKED:
        pytest.skip("points were asked for")
    chance = random.Random(SEED)
    tally, began = Tally(), time.monotonic()
    while tally.kills.total() < KILLS:
        with Cradle(nursery) as cradle:
            moments = []
            while cradle.live_for(moment := chance.expovariate(1.5)):
                moments.append(round(moment, 4))
                tally.kills["kill -9"] += 1
            tally.take(cradle, story, f"killed after {moments} s")
    with capsys.disabled():
        tell(f"at random: {tally}, {time.monotonic() - began:.0f} s")
    assert tally.broken == []


def test_a_lost_promise_is_noticed(nursery: Nursery) -> None:
    """What the checks would say if warden forgot, lied, or made something up."""
    with Cradle(nursery) as cradle:
        cradle.live()
        key = cradle.hooks[0]
        with sqlite3.connect(cradle.folder / "warden.db") as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute("DELETE FROM deliveries WHERE key = ?", (key,))
            connection.execute("UPDATE poll_runs SET new = new + 1 WHERE id = 1")
        connection.close()
        said = "\n".join(cradle.broken())
    assert f"webhook {key} arrived and is not in the ledger" in said
    assert "walk 1:" in said
