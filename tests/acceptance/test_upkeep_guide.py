"""What docs/operating.md has an administrator type, typed by a shell."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from support.installation import eventually, recent, row

from warden.store import open_store

GUIDE = Path(__file__).parents[2] / "docs" / "operating.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(word):
    """The guide's one block of commands with that word in it."""
    (found,) = [block for block in BLOCK.findall(GUIDE.read_text()) if word in block]
    return found


def type_in(installation, text):
    """Let a shell run them here, without a service manager and another user."""
    tools = installation.root / "tools"
    tools.mkdir()
    python = f'exec "{sys.executable}" -m warden "$@"\n'
    for name, does in (("systemctl", "exit 0\n"), ("warden", python)):
        (tools / name).write_text(f"#!/bin/sh\n{does}")
        (tools / name).chmod(0o755)
    for told, here in (
        ("cd /var/lib/warden", f"cd '{installation.root}'"),
        ("-o warden -g warden ", ""),
        ("warden.db", "w.db"),
    ):
        assert told in text
        text = text.replace(told, here)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-c", text], check=True, cwd=installation.root, env=environment)


def told(installation):
    return sorted((one["id"], one["state"]) for one in installation.rows("alerts", "--all"))


@pytest.fixture
def lived(installation):
    """Somebody was told of an event."""
    installation.drop("new.csv", [row(2, recent())])
    installation.warden("run", "--once")
    assert len(installation.mail.received) == 1
    return installation


def test_a_backup_is_restored_as_the_guide_says(lived):
    before = told(lived)
    lived.warden("backup", "copy.db")
    (lived.root / "w.db").write_bytes(b"\0" * 100_000)
    name = "backups/warden-2024-05-06.db"
    type_in(lived, commands(name).replace(name, "copy.db"))
    with lived.daemon():
        eventually(lambda: lived.rows("status"))
        assert told(lived) == before
    lived.warden("run", "--once")
    assert len(lived.mail.received) == 1


@pytest.mark.parametrize("killed", [False, True])
def test_a_database_is_made_smaller_as_the_guide_says(lived, killed):
    before = told(lived)
    with sqlite3.connect(lived.root / "w.db") as connection:
        connection.execute("CREATE TABLE ballast (x)")
        connection.execute("INSERT INTO ballast VALUES (randomblob(3000000))")
        connection.execute("DROP TABLE ballast")
    connection.close()
    large = (lived.root / "w.db").stat().st_size
    if killed:  # what a killed daemon leaves: a log that is not folded in
        with open_store(lived.root / "w.db") as store:
            with store.transaction() as tx:
                tx.execute("INSERT INTO meta VALUES ('in the log', '')")
            for part in ("w.db", "w.db-wal"):
                shutil.copyfile(lived.root / part, lived.root / f"{part}.left")
        for part in ("w.db", "w.db-wal"):
            (lived.root / f"{part}.left").rename(lived.root / part)
    type_in(lived, commands("--compact"))
    assert (lived.root / "w.db").stat().st_size < large / 2
    with open_store(lived.root / "w.db") as store:
        store.verify()
        kept = store.connection.execute("SELECT 1 FROM meta WHERE key = 'in the log'").fetchone()
        assert (kept is not None) is killed
    assert told(lived) == before
    lived.warden("run", "--once")
    assert len(lived.mail.received) == 1
