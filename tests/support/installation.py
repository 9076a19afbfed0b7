"""A whole installation in a folder: real processes, a real mail server, loopback only."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from warden.cli.root import run
from warden.simulator.mailbox import MailServer

RULES = """\
places:
  bamako: {title: Bamako, lat: 12.6392, lon: -8.0029}
rules:
- id: near-bamako
  title: Violent event within 150 km of Bamako
  kind: event
  where:
    event_type: Battles
    near: {place: bamako, within_km: 150}
  severity: [warning]
"""
ROUTES = """\
receivers:
- name: desk
  email: [{to: [desk@example.org]}]
- name: archive
  file: [{path: out}]
route:
  receiver: desk
  routes:
  - {receiver: archive, continue: true}
  - {receiver: desk}
"""
_COLUMNS = """
    event_id_cnty event_date year time_precision disorder_type event_type sub_event_type actor1
    assoc_actor_1 inter1 actor2 assoc_actor_2 inter2 interaction civilian_targeting iso region
    country admin1 admin2 admin3 location latitude longitude geo_precision source source_scale
    notes fatalities tags timestamp
"""
COLUMNS = tuple(_COLUMNS.split())


def row(number: int, when: date, **changes: Any) -> dict[str, Any]:
    """One row of an export: a battle in Kati, 15 km from Bamako."""
    return {
        **dict.fromkeys(COLUMNS, ""),
        "event_id_cnty": f"MLI{number}",
        "event_date": when.isoformat(),
        "year": when.year,
        "time_precision": 1,
        "disorder_type": "Political violence",
        "event_type": "Battles",
        "sub_event_type": "Armed clash",
        "actor1": "JNIM: Group for Support of Islam and Muslims",
        "inter1": "Rebel group",
        "actor2": "Military Forces of Mali (2021-)",
        "inter2": "State forces",
        "iso": 466,
        "region": "Western Africa",
        "country": "Mali",
        "admin1": "Koulikoro",
        "admin2": "Kati",
        "location": "Kati",
        "latitude": 12.7444,
        "longitude": -8.0725,
        "geo_precision": 1,
        "source": "Simulated",
        "fatalities": 2,
        "timestamp": 1_700_000_000 + number,
        **changes,
    }


def recent(days: int = 3) -> date:
    return date.today() - timedelta(days=days)  # noqa: DTZ011  # young enough to be told


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class Installation:
    """One folder with settings, rules, an inbox and a database."""

    root: Path
    mail: MailServer

    def warden(self, *arguments: str, expect: int = 0) -> Done:
        """Run a command to its end, in this process: starting another costs two seconds."""
        out, err = io.StringIO(), io.StringIO()
        handlers = logging.getLogger().handlers[:]
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        with (
            contextlib.chdir(self.root),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            status = run(list(arguments))
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)  # `run` blocks its signals
        logging.getLogger().handlers[:] = handlers
        done = Done(status, out.getvalue(), err.getvalue())
        assert status == expect, done
        return done

    def rows(self, *arguments: str, expect: int = 0) -> list[dict[str, Any]]:
        """Run a command with --json; its rows."""
        done = self.warden(*arguments, "--json", expect=expect)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def export(self, name: str, rows: list[dict[str, Any]]) -> Path:
        """Write an export beside the inbox."""
        path = self.root / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        return path

    def drop(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Put an export into the inbox, by rename."""
        self.export(name, rows).rename(self.root / "inbox" / name)

    def subjects(self) -> list[str]:
        """The subjects of the mails that arrived, oldest first."""
        return [str(mail.message["Subject"]) for mail in self.mail.received]

    @contextmanager
    def daemon(self, *under: str, ready: bool = True) -> Iterator[Daemon]:
        """A running daemon, ready; ended by SIGTERM unless it has ended before.

        `under`: a command, such as strace, that starts it. `ready` False: do not wait for it.
        """
        address = self.root / "notify"
        address.unlink(missing_ok=True)
        notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notices.bind(str(address))
        notices.settimeout(30)
        log = (self.root / "log").open("a", encoding="utf-8")
        process = subprocess.Popen(
            [*under, sys.executable, "-m", "warden", "run"], cwd=self.root, stderr=log, stdout=log,
            stdin=subprocess.DEVNULL, env=environment(NOTIFY_SOCKET=str(address)),
        )  # fmt: skip
        daemon = Daemon(process, notices, self.root / "log")
        try:
            if ready:
                daemon.await_notice("READY=1")
            yield daemon
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            notices.close()
            log.close()


@dataclass
class Daemon:
    """A daemon process, as the service manager sees it."""

    process: subprocess.Popen[bytes]
    notices: socket.socket
    log: Path

    def await_notice(self, wanted: str, within_s: float = 30.0) -> str:
        """Wait until the daemon says so."""
        deadline = time.monotonic() + within_s
        heard = []
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            self.notices.settimeout(0.5)
            try:
                heard.append(self.notices.recv(4096).decode())
            except TimeoutError:
                continue
            if wanted in heard[-1]:
                return heard[-1]
        raise AssertionError(f"no {wanted} in {heard}\n{self.log.read_text(encoding='utf-8')}")

    def unheard(self) -> list[str]:
        """What it has said since what was last waited for."""
        heard = []
        self.notices.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                heard.append(self.notices.recv(4096).decode())
        return heard

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    @property
    def pid(self) -> int:
        """Of the daemon itself, also where another command started it."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return int(children.split()[0]) if children.strip() else self.process.pid

    def peak_mb(self) -> float:
        """The most memory that it ever held."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024

    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(encoding="utf-8")


def environment(**more: str) -> dict[str, str]:
    """This environment without anything of warden's, plus `more`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WARDEN_", "NOTIFY_", "JOURNAL_")) and name != "WATCHDOG_USEC"
    }
    return {**kept, **more}


def eventually(condition: Any, within_s: float = 20.0) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


@pytest.fixture
def installation(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    """An installation that knows one old event already, so that new ones are told."""
    for name in set(os.environ) - set(environment()):
        monkeypatch.delenv(name)
    base = tmp_path_factory.getbasetemp()  # cut and drawn once for all, and for all workers
    cache = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "borders"
    with MailServer(tmp_path / "mails") as mail:
        (tmp_path / "inbox").mkdir()
        rules = tmp_path / "rules"
        rules.mkdir()
        (rules / "rules.yaml").write_text(RULES, encoding="utf-8")
        (rules / "routes.yaml").write_text(ROUTES, encoding="utf-8")
        (tmp_path / "warden.yaml").write_text(
            f"database: w.db\nrules: rules\ncache_dir: {cache}\n"
            "sources:\n- {name: inbox, kind: file, path: inbox, every: 1s, settle_s: 0}\n"
            f"smtp: {{host: localhost, port: {mail.port}, from: 'Warden <w@example.org>'}}\n",
            encoding="utf-8",
        )
        yield Installation(tmp_path, mail)
