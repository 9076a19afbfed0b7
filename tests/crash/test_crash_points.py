"""Killed anywhere, a life comes to the same end: nothing lost, nothing said falsely or twice anew.

make test-crash                     a seeded sample, in minutes
make test-crash CRASH=all           every call until a run survives; an hour
make test-crash CRASH=rename        every such call
make test-crash CRASH=sendto:17     one point
make test-crash KILLS=1000          so many kills at random moments
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue

import pytest
from cradle import CALLS, Cradle, Nursery, Tally, calls_of_a_life, differences
from syscalls import can_watch

pytestmark = pytest.mark.slow
ASKED = os.environ.get("CRASH", "")
KILLS = int(os.environ.get("KILLS") or 60)
SAMPLE = {"pwrite64": 24, "fdatasync": 14, "sendto": 18, "recvfrom": 14, "rename": 8}
SEED = 2026
AT_ONCE = os.cpu_count() or 1
# A webhook's message once more, as if it had been made and sent under another key.
AGAIN = """
CREATE TEMP TABLE one AS SELECT * FROM messages WHERE receiver = 'partner' LIMIT 1;
CREATE TEMP TABLE its AS SELECT * FROM deliveries WHERE message_id = (SELECT id FROM one);
UPDATE one SET id = 'again';
UPDATE its SET id = 1000000, message_id = 'again', key = 'again';
INSERT INTO messages SELECT * FROM one;
INSERT INTO deliveries SELECT * FROM its;
"""


@pytest.fixture(scope="module")
def nurseries() -> Iterator[SimpleQueue[Nursery]]:
    """One for each life that is lived at a time."""
    with ExitStack() as opening:
        free: SimpleQueue[Nursery] = SimpleQueue()
        for _ in range(AT_ONCE):
            free.put(opening.enter_context(Nursery()))
        yield free


@pytest.fixture
def nursery(nurseries: SimpleQueue[Nursery]) -> Iterator[Nursery]:
    """One of them, for a test that lives its lives one by one."""
    one = nurseries.get()
    yield one
    nurseries.put(one)


@pytest.fixture(scope="module")
def story(nurseries: SimpleQueue[Nursery]) -> list[tuple[object, ...]]:
    """What an undisturbed life decides, tells and keeps."""
    nursery = nurseries.get()
    with Cradle(nursery) as cradle:
        cradle.live()
        assert cradle.broken() == []
        assert cradle.copies == 0
        told = cradle.story()
    nurseries.put(nursery)
    actions = {line[1] for line in told}
    assert {"alert", "update", "summary"} <= actions
    return told


def each(
    nurseries: SimpleQueue[Nursery], numbers: list[int], live: Callable[[Nursery, int], Tally]
) -> Tally:
    """What came of all these lives, so many at a time as there are nurseries."""

    def one(number: int) -> Tally:
        nursery = nurseries.get()
        try:
            return live(nursery, number)
        finally:
            nurseries.put(nursery)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(one, numbers), Tally())


def tell(line: str) -> None:
    sys.stdout.write(f"\n{line}\n")


def points(call: str, most: int) -> list[int]:
    """Which of a life's calls it is killed at."""
    name, _, number = ASKED.partition(":")
    if number:
        return [int(number)] if name == call else []
    if ASKED in ("all", call):
        return list(range(1, most + 1))
    if ASKED:
        return []
    chance = random.Random(f"{SEED} {call}")
    return sorted(chance.sample(range(1, most + 1), min(SAMPLE[call], most)))


@pytest.mark.timeout(0)
@pytest.mark.skipif(not can_watch(), reason="the kernel tells nobody of a process's calls")
@pytest.mark.parametrize("call", CALLS)
def test_killed_at_a_system_call_a_life_comes_to_the_same_end(
    nurseries: SimpleQueue[Nursery],
    story: list[tuple[object, ...]],
    call: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def live(nursery: Nursery, number: int) -> Tally:
        tally = Tally()
        with Cradle(nursery) as cradle:
            if cradle.live_until_call(call, number):
                tally.kills[call] += 1
            cradle.live()
            tally.take(cradle, story, f"killed at {call} {number}")
        return tally

    if call not in ASKED and ASKED not in ("", "all"):
        pytest.skip(f"{ASKED} was asked for")
    nursery = nurseries.get()
    most = calls_of_a_life(nursery, call)
    nurseries.put(nursery)
    began = time.monotonic()
    tally = each(nurseries, points(call, most), live)
    beyond = most + 1 if ASKED in ("all", call) else 0
    while beyond and tally.kills.total() == tally.lives:  # until a life survives
        tally += each(nurseries, [beyond], live)
        beyond += 1
    with capsys.disabled():
        tell(f"{call} of {most} a thread: {tally}, {time.monotonic() - began:.0f} s")
    assert tally.broken == []


@pytest.mark.timeout(0)
def test_killed_at_any_moment_a_life_comes_to_the_same_end(
    nurseries: SimpleQueue[Nursery],
    story: list[tuple[object, ...]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    if ASKED:
        pytest.skip("points were asked for")
    began, share = time.monotonic(), -(-KILLS // AT_ONCE)

    def live(nursery: Nursery, number: int) -> Tally:
        """Lives killed again and again, until there were enough kills."""
        chance, tally = random.Random(SEED + number), Tally()
        while tally.kills.total() < share:
            with Cradle(nursery) as cradle:
                moments = []
                while cradle.live_for(moment := chance.expovariate(1.5)):
                    moments.append(round(moment, 4))
                    tally.kills["kill -9"] += 1
                tally.take(cradle, story, f"killed after {moments} s")
        return tally

    tally = each(nurseries, list(range(AT_ONCE)), live)
    with capsys.disabled():
        tell(f"at random: {tally}, {time.monotonic() - began:.0f} s")
    assert tally.kills.total() >= KILLS
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
            connection.execute("UPDATE poll_runs SET state = '' WHERE id = 2")
            connection.execute("UPDATE source_state SET state = 'unreachable'")
            (alert,) = connection.execute(
                "UPDATE alerts SET state = 'ended' WHERE id = (SELECT min(id) FROM alerts"
                " WHERE state = 'active') RETURNING id"
            ).fetchone()
            connection.execute("UPDATE decisions SET notice_id = NULL WHERE alert_id = ?", (alert,))
        connection.close()
        said = "\n".join(cradle.broken())
    assert f"webhook {key} arrived and is not in the ledger" in said
    assert "walk 1:" in said
    assert "walk 2 ended in no state" in said
    assert "source acled is unreachable, written down is ok" in said
    assert f"alert {alert} is ended (warning), decided was active (warning)" in said
    assert f"alert {alert} counts as told, and no notice told it" in said
    assert "evaluated again, it would " in said


def test_a_message_that_is_told_again_under_a_new_key_is_noticed(
    nursery: Nursery, story: list[tuple[object, ...]]
) -> None:
    """As often as it was told, in the ledger and at the receiver; and what was lost, as often."""
    with Cradle(nursery) as cradle:
        cradle.live()
        assert differences(cradle.story(), story) == []
        with sqlite3.connect(cradle.folder / "warden.db") as connection:
            connection.executescript(AGAIN)
        connection.close()
        said = Tally()
        said.take(cradle, story, "told twice")
    assert any("made up ('partner', 0, " in line for line in said.broken), said.broken
    assert "told twice: message again has no notices" in said.broken
    assert differences(story[:-1], story) == [f"lost {story[-1]}"]
    assert differences([*story, story[-1]], story) == [f"made up {story[-1]}"]
