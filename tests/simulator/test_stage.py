"""The demo's folder is replaced only if a demo made it."""

from __future__ import annotations

import pytest

from warden.clock import SystemClock
from warden.errors import UsageError
from warden.settings import load, shipped
from warden.simulator.stage import MARKER, Paths, Stage, clear
from warden.simulator.world import World


def test_a_new_or_empty_folder_becomes_a_stage(tmp_path):
    clear(tmp_path / "deep" / "new")
    clear(tmp_path / "deep" / "new")
    assert (tmp_path / "deep" / "new" / MARKER).is_file()


def test_an_earlier_demo_is_replaced(tmp_path):
    place = tmp_path / "demo-out"
    clear(place)
    (place / "old.db").write_text("old")
    clear(place)
    assert [path.name for path in place.iterdir()] == [MARKER]


def test_a_folder_with_anything_else_is_never_touched(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="choose another folder"):
        clear(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_file_or_a_link_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for name in ("file", "link"):
        with pytest.raises(UsageError, match="is no folder"):
            clear(tmp_path / name)


def test_the_stage_writes_settings_that_load(tmp_path):
    place = tmp_path / "demo-out"
    clear(place)
    with Stage(place, World(), SystemClock(), shipped("rules")) as stage:
        settings = load(stage.paths.settings)
        assert settings.smtp.port == stage.mail.port
        assert settings.sources[0]["base_url"] == stage.acled.url
        secret = settings.secrets.require("simulated_acled_password")
        assert secret.get_secret_value() == stage.acled.password
        assert (Paths(place).rules / "bamako.yaml").is_file()
