"""The world's shapes, made once a run: it takes some seconds."""

from pathlib import Path

import pytest

from warden.geodata.land import Land, Shapes


@pytest.fixture(scope="session")
def land(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Land:
    base = tmp_path_factory.getbasetemp()
    folder: Path = (base if worker_id == "master" else base.parent) / "land"
    return Land(folder)


@pytest.fixture(scope="session")
def shapes(land: Land) -> Shapes:
    found = land.shapes()
    assert found is not None, land.fault
    return found
