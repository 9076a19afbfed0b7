"""Other users of the machine: what they may open, ask, and wait out."""

import os
import socket
import stat
import threading
import time
from pathlib import Path

import pytest
from support.installation import Installation, eventually, installation, recent, row

from warden import control
from warden.control import ControlServer

__all__ = ["installation"]

GENEROUS = ("sh", "-c", 'umask 0; exec "$@"', "sh")


def test_nothing_that_warden_writes_is_open_to_others_whatever_the_umask(
    installation: Installation,
):
    installation.drop("old.csv", [row(1, recent(60))])
    with installation.daemon(*GENEROUS):
        installation.drop("new.csv", [row(2, recent())])
        eventually(lambda: list((installation.root / "out").glob("*.json")))
        eventually(lambda: list((installation.root / "backups").glob("*.db")))
        modes = {
            name: stat.S_IMODE((installation.root / name).stat().st_mode)
            for name in ("w.db", "w.db-wal", "w.db-shm", "w.db.lock", "w.db.sock", "out", "backups")
        }
        found = [*(installation.root / "out").iterdir(), *(installation.root / "backups").iterdir()]
        modes |= {path.name: stat.S_IMODE(path.stat().st_mode) for path in found}
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o007} == {}
    assert modes["w.db.sock"] == 0o660
    assert {mode for name, mode in modes.items() if mode & 0o020} == {0o660}


def test_the_socket_is_never_open_to_others_not_even_while_it_is_made(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(Path, "chmod", lambda path, mode: seen.append(path.stat().st_mode & 0o777))
    before = os.umask(0)
    try:
        server = ControlServer(tmp_path / "s", lambda _request: iter(()))
        server.start()
        server.close()
    finally:
        os.umask(before)
    assert seen == [0o660]


def test_a_caller_that_drips_does_not_hold_its_place_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(control, "REQUEST_TIMEOUT_S", 0.5)
    server = ControlServer(tmp_path / "s", lambda _request: iter(()))
    server.start()
    answers = []

    def drip() -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
            caller.settimeout(0.1)
            caller.connect(str(tmp_path / "s"))
            began = time.monotonic()
            while time.monotonic() - began < 5 and not answers:
                try:
                    caller.sendall(b"{")
                    answers.append(caller.recv(1000))
                except TimeoutError:
                    continue
                except OSError:
                    answers.append(b"gone")

    thread = threading.Thread(target=drip)
    thread.start()
    thread.join(6)
    server.close()
    assert answers
    assert b"not one line" in answers[0] or answers[0] == b"gone"


def test_a_request_that_is_too_long_is_refused(tmp_path):
    server = ControlServer(tmp_path / "s", lambda _request: iter(()))
    server.start()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.connect(str(tmp_path / "s"))
        with pytest.raises(OSError, match=r"Broken pipe|reset") as _:  # noqa: PT012
            caller.sendall(b"x" * (4 << 20))
            caller.sendall(b"x" * (4 << 20))
    server.close()
