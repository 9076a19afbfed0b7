"""Whatever is fed to warden, only its own errors come out, soon, and without eating the memory.

Every way in is fed damaged documents: changed bytes, changed structure, plain noise. An input is
named by its way in and a number, and can be made again: `make test-fuzz FUZZ_ONLY=rules:1234`.
`make test` feeds the same few to each; `make test-fuzz` others for FUZZ_SECONDS.
"""

from __future__ import annotations

import logging
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.fuzz_targets import WAYS_IN, close_desk, work_in

SOON_S = 5.0  # of the processor, for one input
HUNG_S = 60  # of the clock
MUCH_KB = 256 << 10  # more memory than an input of a megabyte may take
QUICK_INPUTS = 12
QUICK_TEMPLATES = 1  # each is rendered with every sample in every language
NEW_FROM = 1_000_000  # the numbers below are those of `make test`


class HungError(BaseException):
    """Not an Exception, so that nothing takes it for one of its own."""


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("WARDEN_")]:
        monkeypatch.delenv(name)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True, scope="module")
def _desk() -> Iterator[None]:
    yield
    close_desk()


@contextmanager
def _bounded() -> Iterator[None]:
    """Fail what takes long, and end what would take for ever."""

    def ring(_number: int, _frame: object) -> None:
        raise HungError

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(HUNG_S)
    cpu, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    took = time.process_time() - cpu
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    assert took < SOON_S, f"it took {took:.1f} s"
    assert grown < MUCH_KB, f"it took {grown >> 10} MB"


@dataclass(frozen=True)
class Wrong:
    """What came out that must not: where it was raised, and the whole story."""

    where: str
    story: str


def feed(name: str, number: int, place: Path) -> Wrong | None:
    """What came out that must not; None when all is well."""
    one = WAYS_IN[name]
    data = one.input(name, number)
    try:
        with _bounded():
            work_in(place / "in", one.feed, data)
    except (Exception, HungError) as error:  # noqa: BLE001  told with the input's name
        trace = "".join(traceback.format_exception(error)[-6:])
        last = traceback.extract_tb(error.__traceback__)[-1]
        story = f"{name}:{number} {type(error).__name__}: {error}\n{trace}\n{data[:2000]!r}"
        return Wrong(f"{name} {last.filename}:{last.lineno}", story)
    return None


@pytest.mark.parametrize("name", WAYS_IN)
def test_the_first_inputs_end_in_warden_s_own_words(name: str, tmp_path: Path) -> None:
    inputs = QUICK_TEMPLATES if name in {"phrases", "mail-template"} else QUICK_INPUTS
    found = [feed(name, number, tmp_path) for number in range(inputs)]
    assert [one.story for one in found if one] == []


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_new_inputs_end_in_warden_s_own_words(tmp_path: Path) -> None:
    wanted = os.environ.get("FUZZ_ONLY") or ""
    if ":" in wanted:
        name, _, number = wanted.partition(":")
        assert feed(name, int(number), tmp_path) is None
        return
    names = [name for name in WAYS_IN if wanted in {"", name}]
    assert names, f"FUZZ_ONLY={wanted}: no way in of that name; there are {', '.join(WAYS_IN)}"
    until = time.monotonic() + float(os.environ.get("FUZZ_SECONDS") or 30)
    start = int(os.environ.get("FUZZ_START") or random.SystemRandom().randrange(NEW_FROM, 1 << 40))
    fed, spent = dict.fromkeys(names, 0), dict.fromkeys(names, 0.0)
    found: dict[str, Wrong] = {}
    slowest = (0.0, "")
    while time.monotonic() < until:
        name = min(names, key=spent.__getitem__)
        began = time.monotonic()
        wrong = feed(name, start + fed[name], tmp_path)
        took = time.monotonic() - began
        slowest = max(slowest, (took, f"{name}:{start + fed[name]}"))
        fed[name] += 1
        spent[name] += took
        if wrong:
            found.setdefault(wrong.where, wrong)
    each = ", ".join(f"{name} {number:,}" for name, number in fed.items())
    took, which = slowest
    total = f"{sum(fed.values()):,} inputs from {start}, the slowest {took:.2f} s ({which})"
    sys.stdout.write(f"\n{total}: {each}\n")
    assert not found, "\n\n".join(one.story for one in found.values())
