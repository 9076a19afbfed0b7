import sys
from pathlib import Path

import pytest

from warden.store import open_store

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "warden.db") as opened:
        yield opened
