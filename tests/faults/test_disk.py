"""The disk is full, too small, lies, or is not what it was: nothing is lost, and it goes on."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.installation import Installation, eventually, recent, row
from support.promises import broken_promises

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


def kati(installation: Installation) -> int:
    """How many mails about Kati arrived."""
    return sum("Kati" in subject for subject in installation.subjects())


def whole(installation: Installation) -> None:
    """Every promise holds, whatever happened before."""
    mails = {str(mail.message["Message-ID"]) for mail in installation.mail.received}
    assert broken_promises(installation.root / "w.db", mails=mails, settled=True) == []


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[None]:
    """`place` on a file system of its own, with what it holds."""
    before = place.with_name("before")
    place.rename(before)
    place.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "warden-test", place], check=True
    )
    try:
        shutil.copytree(before, place, dirs_exist_ok=True)
        yield
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def on_a_disk_of_its_own(installation: Installation) -> Path:
    """Move the database to a folder that can become a file system."""
    disk = installation.root / "disk"
    disk.mkdir()
    for path in installation.root.glob("w.db*"):
        path.rename(disk / path.name)
    settings = installation.root / "warden.yaml"
    settings.write_text(settings.read_text().replace("database: w.db", "database: disk/w.db"))
    return disk


def fill(path: Path) -> None:
    """Write until nothing more fits."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"0" * 4096):
            pass
    assert shutil.disk_usage(path.parent).free < 4096


@needs_root
def test_a_full_disk_is_survived_and_what_came_meanwhile_is_told_when_it_is_freed(
    seeded: Installation,
) -> None:
    disk = on_a_disk_of_its_own(seeded)
    with small_disk(disk, 8), seeded.daemon() as daemon:
        fill(disk / "ballast")
        seeded.drop("new.csv", [row(number, recent()) for number in range(2, 60)])
        eventually(lambda: "full" in daemon.said())
        assert daemon.process.poll() is None
        assert kati(seeded) == 0
        (disk / "ballast").unlink()
        eventually(lambda: kati(seeded) > 0, 60)
        daemon.await_notice("STATUS=1 source ok", 60)
        shutil.copy(disk / "w.db", seeded.root / "copy.db")


def test_a_limit_on_the_size_of_files_is_survived_and_forgotten_when_it_is_lifted(
    seeded: Installation,
) -> None:
    with seeded.daemon() as daemon:
        size = (seeded.root / "w.db").stat().st_size
        log = seeded.root / "w.db-wal"
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (log.stat().st_size + 4096, -1))
        seeded.drop("new.csv", [row(number, recent()) for number in range(2, 400)])
        time.sleep(4)
        assert daemon.process.poll() is None
        assert kati(seeded) == 0
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (-1, -1))
        eventually(lambda: kati(seeded) > 0, 60)
        daemon.await_notice("STATUS=1 source ok", 60)
    assert (seeded.root / "w.db").stat().st_size >= size
    whole(seeded)


@needs_strace
@pytest.mark.parametrize("number", [1, 4])
def test_a_disk_that_fails_to_sync_ends_it_and_the_next_start_is_clean(
    seeded: Installation, number: int
) -> None:
    """After a failed fsync nobody knows what is on the disk: only a new process may look."""
    inject = f"inject=fdatasync:error=EIO:when={number}+"
    with seeded.daemon(*strace(inject), ready=False) as daemon:
        seeded.drop("new.csv", [row(2, recent())])
        assert daemon.process.wait(60) not in {0, None}
    assert kati(seeded) == 0
    with seeded.daemon() as daemon:
        eventually(lambda: kati(seeded) == 1)
        daemon.await_notice("STATUS=1 source ok")
    whole(seeded)


def strace(inject: str) -> list[str]:
    """The command that starts a process and does this to its system calls."""
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=none", "-e", inject]


@needs_strace
def test_a_disk_that_becomes_read_only_is_survived_and_written_again_afterwards(
    seeded: Installation,
) -> None:
    """A remount is refused while a daemon has files open; what it would answer is put in here."""
    inject = "inject=pwrite64:error=EROFS:when=30..60"
    with seeded.daemon(*strace(inject)) as daemon:
        seeded.drop("new.csv", [row(2, recent())])
        eventually(lambda: kati(seeded) == 1, 60)
        assert daemon.process.poll() is None
    whole(seeded)


@needs_root
def test_a_read_only_disk_at_the_start_is_refused_in_one_line(seeded: Installation) -> None:
    disk = on_a_disk_of_its_own(seeded)
    with small_disk(disk, 8):
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        done = seeded.warden("run", "--once", expect=3)
    assert "Traceback" not in done.stderr
    assert "disk/w.db" in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2


@pytest.mark.parametrize("damage", ["cut", "zeroed", "foreign"])
def test_a_spoilt_database_is_refused_and_left_as_it_is(seeded: Installation, damage: str) -> None:
    path = seeded.root / "w.db"
    good = path.read_bytes()
    spoilt = {
        "cut": good[: len(good) // 2],
        "zeroed": bytes(len(good)),
        "foreign": b"%PDF-1.4" + good[8:],
    }[damage]
    path.write_bytes(spoilt)
    done = seeded.warden("run", expect=3)
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == spoilt
    path.write_bytes(good)
    seeded.drop("new.csv", [row(2, recent())])
    seeded.warden("run", "--once")
    assert kati(seeded) == 1


def test_after_its_log_was_lost_it_starts_whole_and_the_feed_fills_the_gap(
    seeded: Installation,
) -> None:
    with seeded.daemon() as daemon:
        seeded.drop("new.csv", [row(2, recent())])
        eventually(lambda: kati(seeded) == 1)
        daemon.signal(signal.SIGKILL)
        daemon.process.wait(10)
    for name in ("w.db-wal", "w.db-shm"):
        (seeded.root / name).unlink(missing_ok=True)
    with seeded.daemon() as daemon:
        daemon.await_notice("STATUS=")
        seeded.drop("again.csv", [row(2, recent()), row(3, recent(2))])
        eventually(lambda: len({alert for (alert,) in active(seeded)}) >= 2)
    assert integrity(seeded) == "ok"


def active(installation: Installation) -> list[tuple[str]]:
    with sqlite3.connect(f"file:{installation.root / 'w.db'}?mode=ro", uri=True) as database:
        return database.execute("SELECT id FROM alerts WHERE state = 'active'").fetchall()


def integrity(installation: Installation) -> str:
    with sqlite3.connect(installation.root / "w.db") as database:
        return str(database.execute("PRAGMA integrity_check").fetchone()[0])


def test_another_process_that_holds_the_lock_is_waited_for(seeded: Installation) -> None:
    with seeded.daemon() as daemon:
        other = sqlite3.connect(seeded.root / "w.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        seeded.drop("new.csv", [row(2, recent())])
        time.sleep(20)
        assert daemon.process.poll() is None
        other.execute("ROLLBACK")
        other.close()
        eventually(lambda: kati(seeded) == 1, 60)
        daemon.await_notice("STATUS=1 source ok", 60)
    whole(seeded)


def test_an_inbox_that_cannot_be_read_is_told_and_read_once_it_can(seeded: Installation) -> None:
    inbox = seeded.root / "inbox"
    with seeded.daemon() as daemon:
        inbox.rename(seeded.root / "away")
        daemon.await_notice("unreachable", 30)
        (seeded.root / "away").rename(inbox)
        seeded.drop("new.csv", [row(2, recent())])
        eventually(lambda: kati(seeded) == 1, 60)
