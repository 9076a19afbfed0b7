"""Databases of every schema that was ever written are brought up to date, with all they hold."""

import sqlite3
from pathlib import Path

import pytest

from warden.store import open_store, schema

SCHEMAS = sorted((Path(__file__).parent / "schemas").glob("*.sql"), key=lambda dump: int(dump.stem))
HELD = ("events", "event_revisions", "alerts", "alert_evidence", "notices", "decisions",
        "dispatches", "messages", "deliveries", "delivery_attempts", "actions")  # fmt: skip


def counts(connection):
    return {
        table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in HELD
    }


@pytest.mark.parametrize("dump", SCHEMAS, ids=lambda path: f"schema {path.stem}")
def test_an_old_database_keeps_all_it_holds_and_has_the_shape_of_a_new_one(dump, tmp_path):
    path = tmp_path / "warden.db"
    old = sqlite3.connect(path)
    old.executescript(dump.read_text(encoding="utf-8"))
    before = counts(old)
    assert before["alerts"] >= 4
    assert before["deliveries"] >= 2
    old.close()
    with open_store(path) as store, open_store(tmp_path / "new.db") as new:
        assert counts(store.connection) == before
        assert store.connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert _shape(store.connection) == _shape(new.connection)
        assert schema.user_version(store.connection) == schema.newest_version()


@pytest.mark.parametrize("version", range(2, schema.newest_version()))
def test_an_upgrade_goes_on_from_every_step_of_the_way(version, tmp_path):
    path = tmp_path / "warden.db"
    old = sqlite3.connect(path, isolation_level=None)
    old.executescript(SCHEMAS[0].read_text(encoding="utf-8"))
    schema.migrate(old, schema.MIGRATIONS[:version])
    before = counts(old)
    old.close()
    with open_store(path) as store, open_store(tmp_path / "new.db") as new:
        assert counts(store.connection) == before
        assert _shape(store.connection) == _shape(new.connection)
    with open_store(tmp_path / f"warden.db.schema-{version}", read_only=False) as copy:
        assert counts(copy.connection) == before


def test_the_newest_schema_has_a_database_of_its_own_here():
    """A change of the shape without a migration shows in it; a new migration asks for a dump."""
    assert [int(dump.stem) for dump in SCHEMAS][-1] == schema.newest_version()


def _shape(connection):
    """Every table with its columns, every index."""
    found = {}
    for kind, name in connection.execute("SELECT type, name FROM sqlite_master"):
        if kind == "table":
            rows = connection.execute(f"PRAGMA table_xinfo('{name}')").fetchall()
            found[name] = sorted((row[1], row[2], row[3], row[5]) for row in rows)
        else:
            found[name] = kind
    return found
