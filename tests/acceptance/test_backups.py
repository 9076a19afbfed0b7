"""Copies each night and on demand: made beside the work, so many kept, told when they fail."""

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from support.installation import eventually, recent, row

from warden.app import App
from warden.clock import ManualClock
from warden.errors import StoreError
from warden.settings import load

NIGHT = datetime(2024, 5, 6, 2, 59, tzinfo=UTC)


def set_up(installation, text):
    path = installation.root / "warden.yaml"
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
    return App(load(path), ManualClock(NIGHT))


def names(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_a_copy_is_made_each_night_from_its_hour_on_and_only_some_are_kept(installation):
    app = set_up(installation, "backup: {dir: copies, keep: 2, at: '03:00'}\n")
    folder = installation.root / "copies"
    with app.open() as station:
        assert station.upkeep.back_up_nightly() is None
        app.clock.advance(timedelta(minutes=1))
        assert station.upkeep.back_up_nightly() == folder / "warden-2024-05-06.db"
        assert station.upkeep.back_up_nightly() is None
        for _ in range(2):
            app.clock.advance(timedelta(days=1))
            assert station.upkeep.back_up_nightly() is not None
    assert names(folder) == ["warden-2024-05-07.db", "warden-2024-05-08.db"]
    (folder / "warden-2999-01-01.db").touch()  # by a clock that was ahead
    (status,) = installation.rows("status")
    assert status["backup"].endswith("copies/warden-2024-05-08.db")


def test_the_hour_is_that_of_the_settings_zone(installation):
    app = set_up(installation, "time_zone: Asia/Tokyo\nbackup: {at: '12:00'}\n")
    with app.open() as station:
        assert station.upkeep.back_up_nightly() is None  # 11:59 there
        app.clock.advance(timedelta(minutes=1))
        assert station.upkeep.back_up_nightly() is not None


def test_none_is_made_where_none_is_to_be_kept(installation):
    app = set_up(installation, "backup: {keep: 0}\n")
    app.clock.advance(timedelta(hours=9))
    with app.open() as station:
        assert station.upkeep.back_up_nightly() is None


def test_a_copy_that_fails_is_told_and_tried_again_after_an_hour(installation):
    app = set_up(installation, "backup: {dir: copies}\n")
    app.clock.advance(timedelta(minutes=1))
    (installation.root / "copies").write_text("in the way", encoding="utf-8")
    with app.open() as station:
        with pytest.raises(StoreError, match="cannot make the folder of backups"):
            station.upkeep.back_up_nightly()
        assert station.upkeep.back_up_nightly() is None
        (installation.root / "copies").unlink()
        app.clock.advance(timedelta(hours=1))
        assert station.upkeep.back_up_nightly() is not None


def test_the_daemon_makes_one_and_a_command_another_beside_it(installation):
    set_up(installation, "backup: {at: '00:00'}\n")
    installation.drop("old.csv", [row(1, recent(60))])
    with installation.daemon():
        eventually(lambda: names(installation.root / "backups"))
        eventually(lambda: installation.rows("alerts", "--all"))
        (made,) = installation.rows("backup", "mine.db")
    with sqlite3.connect(made["path"]) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM events").fetchone() == (1,)


@pytest.mark.parametrize(
    ("target", "said"),
    [("w.db", "is the database itself"), ("nowhere/copy.db", "cannot write the backup")],
)
def test_a_copy_that_cannot_be_is_told_in_one_line(installation, target, said):
    installation.warden("run", "--once")
    done = installation.warden("backup", target, expect=3)
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("wrong", ["{at: noon}", "{keep: -1}", "{folder: x}"])
def test_wrong_settings_of_backups_are_told(installation, wrong):
    path = installation.root / "warden.yaml"
    path.write_text(path.read_text(encoding="utf-8") + f"backup: {wrong}\n", encoding="utf-8")
    done = installation.warden("status", expect=2)
    assert "warden.yaml:" in done.stderr


@pytest.mark.parametrize("command", [("run", "--once"), ("evaluate",), ("alerts",)])
def test_a_damaged_database_is_told_in_one_line(installation, command):
    installation.drop("first.csv", [row(n, recent(60)) for n in range(400)])
    installation.rows("run", "--once")
    database = installation.root / "w.db"
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = [
            number
            for (number,) in connection.execute(
                "SELECT pageno FROM dbstat WHERE name IN ('events', 'alerts') AND pagetype = 'leaf'"
            )
        ]
    connection.close()
    content = bytearray(database.read_bytes())
    for number in pages:
        content[(number - 1) * 4096 : number * 4096] = b"\x5a" * 4096
    database.write_bytes(content)
    done = installation.warden(*command, expect=3)
    assert "restore a backup" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
