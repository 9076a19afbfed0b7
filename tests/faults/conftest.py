"""A whole installation of real processes, to which something bad is done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.installation import Daemon, Installation, installation, recent, row

__all__ = ["installation", "seeded"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them take long, and have a target of their own."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(autouse=True)
def _bounded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever is done to a daemon, it stays under 300 MB."""
    peaks: list[float] = []
    told = Daemon.await_notice

    def await_notice(daemon: Daemon, wanted: str, within_s: float = 30.0) -> str:
        heard = told(daemon, wanted, within_s)
        peaks.append(daemon.peak_mb())
        return heard

    monkeypatch.setattr(Daemon, "await_notice", await_notice)
    yield
    assert max(peaks, default=0.0) < 300, f"{max(peaks):.0f} MB"


@pytest.fixture
def seeded(installation: Installation) -> Installation:
    """The feed has been known for long, and its summary is out: what comes now is news."""
    installation.drop("old.csv", [row(1, recent(60))])
    installation.warden("run", "--once")
    return installation
