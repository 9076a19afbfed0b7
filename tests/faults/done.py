"""What the tests of faults ask afterwards: what arrived, and whether every promise holds."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from support.installation import Daemon, Installation, eventually, recent, row
from support.promises import broken_promises, undecided

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
BACK = "STATUS=1 source ok"  # what a daemon of one source says when all is well again


def kati(installation: Installation) -> int:
    """How many mails about Kati arrived, copies of one mail counted once."""
    mails = [mail.message for mail in installation.mail.received]
    return len({str(one["Message-ID"]) for one in mails if "Kati" in str(one["Subject"])})


def elsewhere(first: int, last: int) -> list[dict[str, Any]]:
    """Rows that no rule is about: they fill the disk, and nobody is told."""
    return [
        row(number, recent(), latitude=20.2, longitude=1.0, location="Tessalit", notes="x" * 500)
        for number in range(first, last)
    ]


def await_told(installation: Installation, mails: int = 1, within_s: float = 60) -> None:
    """Wait until so many mails about Kati have arrived, and each delivery has ended."""
    eventually(lambda: kati(installation) >= mails, within_s)
    eventually(lambda: not _waiting(installation), within_s)
    assert kati(installation) == mails


def _waiting(installation: Installation) -> list[dict[str, Any]]:
    states = ("pending", "sending", "retry")
    options = [word for state in states for word in ("--state", state)]
    return installation.rows("deliveries", *options)


def whole(
    installation: Installation,
    hooks: set[str] | None = None,
    *,
    at: str = "w.db",
    was_ahead: bool = False,
) -> None:
    """Every promise holds that can be asked after a fault, whatever happened before.

    `was_ahead`: the daemon's clock was, so that a cycle by the right one has something to put
    right, which it tells nobody.
    """
    if was_ahead:
        before = len(installation.mail.received)
        installation.rows("evaluate")
        assert len(installation.mail.received) == before
    mails = {str(mail.message["Message-ID"]) for mail in installation.mail.received}
    path = installation.root / at
    assert broken_promises(path, hooks=hooks, mails=mails, settled=True) == []
    left = installation.rows("evaluate", "--dry-run")
    assert undecided(left) == [], left


def await_log(daemon: Daemon, words: str, within_s: float = 30) -> None:
    """Wait until the daemon has logged these words."""
    eventually(lambda: words in daemon.said(), within_s)


def strace(call: str, inject: str) -> list[str]:
    """The command that starts a process and does this to one of its system calls.

    The tracer is a process on the side (-D), so that signals and the exit status are the daemon's.
    """
    quiet = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}"]
    return [*quiet, "-e", f"inject={call}:{inject}"]
