"""One cache of outlines for all tests: cutting Mali out takes some seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from warden.geodata import TimezoneGeography


@pytest.fixture(scope="session")
def outline_cache(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of this run share; writing to it is atomic."""
    base = tmp_path_factory.getbasetemp()
    return (base if worker_id == "master" else base.parent) / "outlines"


@pytest.fixture(scope="session")
def geography(outline_cache: Path) -> TimezoneGeography:
    """The real world."""
    return TimezoneGeography(outline_cache)
