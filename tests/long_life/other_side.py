"""What a warden lives with for a year: a feed, a mail server and a receiver of webhooks."""

from __future__ import annotations

import base64
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, Self

from year import DIARY, NOW, START, FolderClock

from warden.simulator.acled_server import AcledServer
from warden.simulator.history import simulated_history
from warden.simulator.hook import SECRET_PREFIX, HookServer, failing
from warden.simulator.mailbox import MailServer
from warden.simulator.world import RowHistory, Version, World

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SECRET = SECRET_PREFIX + base64.b64encode(b"simulated secret of 32 bytes ...").decode()
YEAR = 365
LOOK_EVERY_S = 0.2
TROUBLE = 0.05  # how often the next mail and the next call are refused for now
RULES = ("actors", "places", "bamako", "feeds")  # of the shipped ones: every kind but `quiet`
KEEP = 90  # days, of what is not kept for ever
SETTINGS = """\
database: warden.db
rules: rules
secrets_dir: secrets
cache_dir: {cache}
backup: {{dir: backups, keep: 3, at: "00:00"}}
retention: {{raw: {keep}d, rejects: {keep}d, texts: {keep}d}}
sources:
- {{name: acled, kind: acled, base_url: "{acled}", username: desk@example.org,
   password: {{secret: acled}}, since: 2022-01-01, every: 1d}}
smtp: {{host: 127.0.0.1, port: {smtp}, security: none, from: "warden@example.org"}}
"""
ROUTES = """\
receivers:
- name: desk
  email: [{{to: [desk@example.org]}}]
- name: bureau
  language: fr
  email: [{{to: [bureau@example.org]}}]
- name: partner
  webhook: [{{url: "{hook}", secret: {{secret: hook}}, allow_private: true}}]
route:
  receiver: desk
  group_by: [cycle]
  routes:
  - {{receiver: partner, continue: true, group_by: [alert]}}
  - {{receiver: bureau, continue: true, digest: {{at: "12:00", days: [mon]}}}}
  - {{receiver: desk, matchers: {{severity: critical}}}}
  - {{receiver: partner}}
"""


@dataclass(frozen=True)
class Pace:
    """How many events a day the feed brings, and what it does to them later."""

    least: int = 10
    most: int = 40
    revised: float = 0.2
    withdrawn: float = 0.02
    seed: int = 1


def history(pace: Pace, days: int) -> Iterator[RowHistory]:
    """Half a year of events before the first morning, then so many days of news."""
    random = Random(pace.seed)
    models = [
        version.row
        for one in simulated_history(scale=0.3)
        for version in one.versions[-1:]
        if version.row is not None and version.row["year"] >= 2022
    ]
    number = 0
    for day in range(-YEAR // 2, days):
        for _ in range(random.randint(pace.least, pace.most)):
            number += 1
            yield _lived(f"MLI7{number:06d}", day, random.choice(models), pace, random)


def _lived(name: str, day: int, model: Any, pace: Pace, random: Random) -> RowHistory:
    """One event: made known the morning after it, or weeks late; revised or withdrawn later."""
    happened = START.date() + timedelta(days=day - 1)
    late = random.choice((0,) * 9 + (random.randint(1, 60),))
    known = START + timedelta(days=day + late, hours=-1)
    row = {**model, **_dated(name, happened, model)}
    versions = [Version(known, row)]
    again = known + timedelta(days=random.randint(1, 90))
    chance = random.random()
    if chance < pace.withdrawn:
        versions.append(Version(again, None))
    elif chance < pace.withdrawn + pace.revised:
        more = {"fatalities": row["fatalities"] + random.randint(0, 6), "notes": row["notes"] * 2}
        versions.append(Version(again, {**row, **more}))
    return RowHistory(name, tuple(versions))


def _dated(name: str, happened: date, model: Any) -> dict[str, Any]:
    """The model's words are as long as a coder's."""
    notes = f"{model['notes']} ({name}) " + "As told by a simulated source. " * 8
    return {
        "event_id_cnty": name, "event_date": happened.isoformat(), "year": happened.year,
        "notes": notes,
    }  # fmt: skip


@dataclass
class Heard:
    """What the receivers took, by key: kept as names only, for a year of mails is much."""

    hooks: Counter[str] = field(default_factory=Counter)
    mails: Counter[str] = field(default_factory=Counter)


class OtherSide:
    """The servers, a folder furnished to live with them, and a year in it; a context manager."""

    def __init__(self, folder: Path, pace: Pace, days: int) -> None:
        self.folder = folder
        self.days = days
        self.heard = Heard()
        self._pace = pace
        self._random = Random(pace.seed)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            (self.folder / NOW).write_text(START.isoformat())
            clock = FolderClock(self.folder)
            world = World(history(self._pace, self.days))
            self._acled = opening.enter_context(AcledServer(world, clock=clock))
            self._hook = opening.enter_context(HookServer(SECRET, clock=clock))
            self._hook.tolerance_s = None
            self._mail = opening.enter_context(MailServer())
            self._furnish()
            self._open = opening.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._open.close()

    def _furnish(self) -> None:
        (self.folder / "secrets").mkdir(mode=0o700)
        for name, text in (("acled", "simulated"), ("hook", SECRET)):
            path = self.folder / "secrets" / name
            path.write_text(text)
            path.chmod(0o600)
        rules = self.folder / "rules"
        rules.mkdir()
        for name in RULES:
            (rules / f"{name}.yaml").write_bytes((ROOT / "rules" / f"{name}.yaml").read_bytes())
        (rules / "areas").symlink_to(ROOT / "rules" / "areas")
        (rules / "routes.yaml").write_text(ROUTES.format(hook=self._hook.url))
        (self.folder / "warden.yaml").write_text(
            SETTINGS.format(
                acled=self._acled.url,
                smtp=self._mail.port,
                cache=self.folder / "cache",
                keep=KEEP,
            )
        )

    def live(self, within_s: float) -> None:
        """Let the year pass; now and then something fails."""
        limit = time.monotonic() + within_s
        command = [sys.executable, str(HERE / "year.py"), str(self.folder), str(self.days)]
        with subprocess.Popen(command, cwd=ROOT) as living:
            try:
                while living.poll() is None:
                    if time.monotonic() > limit:
                        raise RuntimeError(f"the year took longer than {within_s:.0f} s")
                    time.sleep(LOOK_EVERY_S)
                    self._look()
            finally:
                living.kill()
        assert living.returncode == 0
        self._look()

    def _look(self) -> None:
        """Take note of what came, and forget its contents; trouble the next ones."""
        while self._hook.received:
            self.heard.hooks[self._hook.received.pop(0).id] += 1
        while self._mail.received:
            self.heard.mails[str(self._mail.received.pop(0).message["Message-ID"])] += 1
        self._hook.requests.clear()
        self._acled.requests.clear()
        if self._random.random() < TROUBLE:
            self._hook.answers[:] = [failing(1)]
            self._mail.switches.busy = 1

    @property
    def diary(self) -> Path:
        """What the life wrote down."""
        return self.folder / DIARY
