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
from done import BACK, await_log, await_told, elsewhere, kati, needs_strace, strace, whole
from support.installation import Installation, eventually, recent, row

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
needs_ext4 = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/dev/loop-control").exists() or not shutil.which("mkfs.ext4"),
    reason="only root can mount a file system, and an ext4 in a file wants loop devices",
)


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
    with small_disk(disk, 8):
        with seeded.daemon() as daemon:
            await_log(daemon, "backed up to")
            fill(disk / "ballast")
            seeded.drop("new.csv", [row(2, recent()), *elsewhere(10, 600)])
            await_log(daemon, "the disk is full; free some space")
            assert daemon.process.poll() is None
            assert kati(seeded) == 0
            (disk / "ballast").unlink()
            await_told(seeded)
            daemon.await_notice(BACK)
        whole(seeded, at="disk/w.db")


@needs_root
def test_a_full_disk_at_the_start_is_told_as_full(seeded: Installation) -> None:
    disk = on_a_disk_of_its_own(seeded)
    with small_disk(disk, 8):
        for rest in ("-wal", "-shm"):
            (disk / f"w.db{rest}").unlink(missing_ok=True)
        fill(disk / "ballast")
        done = seeded.warden("run", "--once", expect=3)
        assert "Traceback" not in done.stderr
        assert "disk/w.db: the disk is full; free some space" in done.stderr
        (disk / "ballast").unlink()
        seeded.drop("new.csv", [row(2, recent())])
        seeded.warden("run", "--once")
        await_told(seeded)
        whole(seeded, at="disk/w.db")


def test_a_limit_on_the_size_of_files_is_survived_and_forgotten_when_it_is_lifted(
    seeded: Installation,
) -> None:
    with seeded.daemon() as daemon:
        await_log(daemon, "backed up to")
        log = seeded.root / "w.db-wal"
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (log.stat().st_size + 4096, -1))
        seeded.drop("new.csv", [row(2, recent()), *elsewhere(10, 600)])
        await_log(daemon, "the disk reported an error")
        assert daemon.process.poll() is None
        assert kati(seeded) == 0
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (-1, -1))
        await_told(seeded)
        daemon.await_notice(BACK)
    whole(seeded)


@needs_strace
@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_disk_that_fails_to_sync_ends_it_and_the_next_start_is_clean(
    seeded: Installation, number: int
) -> None:
    """After a failed sync nobody knows what is on the disk: only a new process may look."""
    how = strace("fdatasync", f"error=EIO:when={number}+")
    with seeded.daemon(*how, ready=False) as daemon:
        seeded.drop("new.csv", [row(2, recent())])
        assert daemon.process.wait(60) == 3
        assert "Traceback" not in daemon.said()
    with seeded.daemon() as daemon:
        await_told(seeded)
        daemon.await_notice(BACK)
    whole(seeded)


@needs_strace
def test_a_disk_that_becomes_read_only_is_survived_and_written_again_afterwards(
    seeded: Installation,
) -> None:
    """What a remount would answer is put in here: to each thread twice, one after the other."""
    with seeded.daemon(*strace("pwrite64", "error=EROFS:when=20..21")) as daemon:
        seeded.drop("new.csv", [row(2, recent()), *elsewhere(10, 100)])
        await_log(daemon, "the disk reported an error")
        await_told(seeded)
        assert daemon.process.poll() is None
    whole(seeded)


class FailingDisk:
    """An ext4 of its own at `place`, which the kernel makes read-only at the first error."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._image = place.with_name("image")
        with self._image.open("wb") as file:
            file.truncate(32 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", self._image], check=True)

    def mount(self) -> None:
        """Have it there, for reading and writing."""
        how = ["mount", "-t", "ext4", "-o", "loop,errors=remount-ro", self._image, self.place]
        subprocess.run(how, check=True)

    def fail(self) -> None:
        """Let the kernel find an error, as a real disk would make it do."""
        device = self.place.stat().st_dev
        name = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve().name
        Path("/sys/fs/ext4", name, "trigger_fs_error").write_text("simulated", encoding="ascii")

    def mend(self) -> None:
        """What its owner does: unmount, check, mount."""
        subprocess.run(["umount", self.place], check=True)
        checked = subprocess.run(["e2fsck", "-fy", self._image], check=False, capture_output=True)
        assert checked.returncode in (0, 1), checked  # 1: errors, mended
        self.mount()


@contextmanager
def failing_disk(place: Path) -> Iterator[FailingDisk]:
    """`place` on such a disk, with what it holds."""
    before = place.with_name("before")
    place.rename(before)
    place.mkdir()
    disk = FailingDisk(place)
    disk.mount()
    try:
        shutil.copytree(before, place, dirs_exist_ok=True)
        subprocess.run(["sync", "-f", place], check=True)  # else it would be gone with the rest
        yield disk
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@needs_ext4
def test_a_disk_that_the_kernel_makes_read_only_is_told_and_what_came_is_told_once_it_is_mended(
    seeded: Installation,
) -> None:
    place = on_a_disk_of_its_own(seeded)
    with failing_disk(place) as disk:
        with seeded.daemon() as daemon:
            await_log(daemon, "backed up to")
            disk.fail()
            seeded.drop("new.csv", [row(2, recent())])
            await_log(daemon, "disk/w.db: the disk ")
            assert daemon.process.poll() in (None, 3)  # 3: where it was a sync that failed
            assert kati(seeded) == 0
        assert daemon.process.returncode in (0, 3), daemon.said()
        assert "Traceback" not in daemon.said()
        disk.mend()
        with seeded.daemon() as daemon:
            await_told(seeded)
            daemon.await_notice(BACK)
        whole(seeded, at="disk/w.db")


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
    await_told(seeded)


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
        await_told(seeded)
        daemon.await_notice(BACK)
    whole(seeded)


def test_an_inbox_that_cannot_be_read_is_told_and_read_once_it_can(seeded: Installation) -> None:
    inbox = seeded.root / "inbox"
    with seeded.daemon() as daemon:
        inbox.rename(seeded.root / "away")
        daemon.await_notice("unreachable", 30)
        (seeded.root / "away").rename(inbox)
        seeded.drop("new.csv", [row(2, recent())])
        eventually(lambda: kati(seeded) == 1, 60)
