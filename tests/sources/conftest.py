"""What the tests of the feeds share: a simulated ACLED, rows, a way to drive a source."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from warden.clock import ManualClock
from warden.simulator.acled_server import AcledServer
from warden.simulator.world import World
from warden.sources.acled import AcledSettings, AcledSource
from warden.sources.http_client import HttpClient

NOW = datetime(2024, 6, 5, 12, tzinfo=UTC)  # a Wednesday


@pytest.fixture
def clock():
    return ManualClock(NOW)


@pytest.fixture
def world():
    return World()


@pytest.fixture
def server(world, clock):
    with AcledServer(world, clock=clock) as running:
        yield running


@pytest.fixture
def feed(server):
    """Make an ACLED source for the simulated server, with any settings changed."""

    def make(password=None, monotonic=None, **changes):
        settings = AcledSettings.model_validate(
            {
                "name": "acled",
                "kind": "acled",
                "base_url": server.url,
                "username": server.username,
                "password": {"secret": "acled_password"},
                "countries": ["Mali", "BFA"],
                "since": "2012-01-01",
                "page_size": 10,
                "deadline_s": 5,
            }
            | changes
        )
        secret = SecretStr(server.password if password is None else password)
        return AcledSource(settings, secret, HttpClient(), monotonic=monotonic)

    return make
