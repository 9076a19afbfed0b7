"""A whole installation of real processes, to which something bad is done."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.installation import Daemon, Installation, installation, recent, row

sys.path.insert(0, str(Path(__file__).parent))

__all__ = ["installation", "seeded"]

MOST_MB = 300


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that start a daemon take long, and have a target of their own."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.path.name != "test_matrix.py":
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(autouse=True)
def _bounded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever is done to a daemon, it stays under 300 MB."""
    peaks: list[float] = []
    started = Installation.daemon

    @contextmanager
    def daemon(one: Installation, *under: str, ready: bool = True) -> Iterator[Daemon]:
        with started(one, *under, ready=ready) as running:
            yield running
            with contextlib.suppress(OSError, ValueError):  # where it has ended by itself
                peaks.append(running.peak_mb())

    monkeypatch.setattr(Installation, "daemon", daemon)
    yield
    assert max(peaks, default=0.0) < MOST_MB, f"{max(peaks):.0f} MB"


@pytest.fixture
def seeded(installation: Installation) -> Installation:
    """The feed has been known for long, and its summary is out: what comes now is news."""
    installation.drop("old.csv", [row(1, recent(60))])
    installation.warden("run", "--once")
    return installation
