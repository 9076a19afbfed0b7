"""Lives that are cut short at a chosen system call, or at any moment, and taken up again.

The other side (feed, mail server, webhook receiver) lives in this process and outlasts them.
"""

from __future__ import annotations

import base64
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from life import START, FolderClock, furnish
from support.promises import broken_promises, undecided

from warden.app import App
from warden.clock import ManualClock
from warden.settings import load as load_settings
from warden.simulator.acled_server import AcledServer
from warden.simulator.hook import SECRET_PREFIX, HookServer, failing
from warden.simulator.mailbox import MailServer
from warden.simulator.world import World

HERE = Path(__file__).parent
SECRET = SECRET_PREFIX + base64.b64encode(b"simulated secret of 32 bytes ...").decode()
LONGEST_S = 60.0
CALLS = ("pwrite64", "fdatasync", "sendto", "recvfrom", "rename")
STOPS_WITHIN_S = 10.0


def row(number: int, day: int, **changes: Any) -> dict[str, Any]:
    """A simulated battle near Bamako, so many days before or after the life's first."""
    return {
        "event_id_cnty": f"MLI{number}",
        "event_date": (START + timedelta(days=day)).date().isoformat(),
        "year": START.year,
        "time_precision": 1,
        "disorder_type": "Political violence",
        "event_type": "Battles",
        "sub_event_type": "Armed clash",
        "actor1": "Simulated Group",
        "assoc_actor_1": "",
        "inter1": 2,
        "actor2": "Simulated Forces",
        "assoc_actor_2": "",
        "inter2": 1,
        "interaction": 12,
        "civilian_targeting": "",
        "iso": 466,
        "region": "Western Africa",
        "country": "Mali",
        "admin1": "Koulikoro",
        "admin2": "Kati",
        "admin3": "",
        "location": "Kati",
        "latitude": 12.7444,
        "longitude": -8.0725,
        "geo_precision": 1,
        "source": "Simulated",
        "source_scale": "Other",
        "notes": f"Simulated event {number}.",
        "fatalities": 2,
        "tags": "",
        **changes,
    }


def history() -> World:
    """What the feed knows when."""
    world = World()

    def on(morning: int, number: int, day: int, **changes: Any) -> None:
        world.publish(row(number, day, **changes), START + timedelta(days=morning, hours=-1))

    for number in range(1, 4):
        on(0, number, -20 + number)
    on(0, 20, -2, latitude=14.2, location="Far off")  # within 200 km, not within 150
    on(1, 10, -1)
    on(1, 11, 0, fatalities=12)
    on(2, 10, -1, fatalities=15)
    world.delete("MLI11", START + timedelta(days=3, hours=-1))
    on(3, 12, 2)
    for number in (13, 14, 15):
        on(4, number, 3)
    on(6, 12, 2, notes="Simulated event 12, told anew.")
    return world


@dataclass
class Tally:
    """What came of lives that were cut short.

    Attributes:
        kills: by what cut them. lives: how many came to their end.
        copies: messages that a receiver took more than once, under one key.
        broken: what did not hold, in sentences.
    """

    kills: Counter[str] = field(default_factory=Counter)
    lives: int = 0
    copies: int = 0
    broken: list[str] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            self.kills + other.kills,
            self.lives + other.lives,
            self.copies + other.copies,
            self.broken + other.broken,
        )

    def take(self, cradle: Cradle, story: list[tuple[Any, ...]], how: str) -> None:
        """Note how a life ended that should have ended like `story`."""
        self.lives += 1
        self.copies += cradle.copies
        self.broken += [f"{how}: {sentence}" for sentence in cradle.broken()]
        self.broken += [f"{how}: {sentence}" for sentence in differences(cradle.story(), story)]

    def __str__(self) -> str:
        kills = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        return (
            f"{self.kills.total()} kills ({kills}), {self.lives} lives, {self.copies} extra copies "
            f"under the same key, {len(self.broken)} broken promises"
        )


class Nursery:
    """A process in which everything is imported, which forks lives; a context manager."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "life.py"), "nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            stderr=subprocess.DEVNULL,  # what failed on purpose is told there
        )
        with Cradle(self) as first:
            self._say(first.folder)
            self._line()
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.communicate(timeout=LONGEST_S)

    def start(self, folder: Path) -> int:
        """A life that waits to be let go; its process id."""
        self._say(folder)
        pid = int(self._line())
        _until(lambda: _status(pid)["State"].startswith("T"), "the life did not stop to wait")
        return pid

    def watch(self, folder: Path, call: str, fatal: int) -> int:
        """A life that is killed at the n-th such call of a thread (0: at none).

        Returns how many such calls its busiest thread made.
        """
        self._say(f"{folder}\t{call}\t{fatal}")
        return int(self._line())

    def end(self) -> int:
        """How the life ended: 0, or the negative number of the signal."""
        return int(self._line())

    def _say(self, line: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the nursery is gone")
        return line


class Cradle:
    """One life's folder and the other side; a context manager."""

    def __init__(self, nursery: Nursery) -> None:
        self._nursery = nursery
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            memory = Path("/dev/shm")  # a disk would take most of the time
            place = tempfile.mkdtemp(dir=memory if memory.is_dir() else None)
            self.folder = Path(place)
            opening.callback(shutil.rmtree, self.folder, ignore_errors=True)
            clock = FolderClock(self.folder)
            self._acled = opening.enter_context(AcledServer(history(), clock=clock))
            self._hook = opening.enter_context(HookServer(SECRET, clock=clock))
            self._hook.tolerance_s = None
            self._hook.answers.append(failing(2))
            self._mail = opening.enter_context(MailServer())
            self._mail.switches.greylist = 1
            furnish(
                self.folder,
                acled=self._acled.url,
                hook=self._hook.url,
                smtp=self._mail.port,
                secret=SECRET,
            )
            self._open = opening.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._open.close()

    def live(self) -> None:
        """To the end, undisturbed."""
        os.kill(self._nursery.start(self.folder), signal.SIGCONT)
        code = self._nursery.end()
        if code:
            raise RuntimeError(f"a life ended with {code}: {self.why()}")

    def why(self) -> str:
        """What a life that failed left behind."""
        path = self.folder / "died.txt"
        return path.read_text() if path.exists() else "it said nothing"

    def live_until_call(self, call: str, number: int) -> bool:
        """Live until the n-th such system call of a thread; whether it was killed there."""
        self._nursery.watch(self.folder, call, number)
        return self._was_killed()

    def live_for(self, seconds: float) -> bool:
        """Live so long; whether it was killed before its end."""
        pid = self._nursery.start(self.folder)
        os.kill(pid, signal.SIGCONT)
        time.sleep(seconds)
        with suppress(ProcessLookupError):  # it may have ended; its number is not used again yet
            os.kill(pid, signal.SIGKILL)
        return self._was_killed()

    def _was_killed(self) -> bool:
        code = self._nursery.end()
        if code not in (0, -signal.SIGKILL):
            raise RuntimeError(f"a life ended with {code}: {self.why()}")
        return code != 0

    # --- looking ------------------------------------------------------------------------------

    @property
    def hooks(self) -> list[str]:
        """The webhook-ids that the receiver took, as often as it took them."""
        return [received.id for received in self._hook.received]

    @property
    def mails(self) -> list[str]:
        """The Message-IDs that the mail server took, as often as it took them."""
        return [str(mail.message["Message-ID"]) for mail in self._mail.received]

    @property
    def copies(self) -> int:
        """How many messages arrived that had been there before."""
        every = (*self.hooks, *self.mails)
        return len(every) - len(set(every))

    def broken(self) -> list[str]:
        """What does not hold at the end of the life."""
        found = broken_promises(
            self.folder / "warden.db", hooks=set(self.hooks), mails=set(self.mails)
        )
        found += self._left_to_do()
        found += [f"the receiver refused: {why}" for why in self._hook.refused]
        backups = sorted((self.folder / "backups").iterdir())
        found += [
            f"{path.name}: {broken}"
            for path in backups
            if path.suffix == ".db"
            for broken in broken_promises(path, settled=False)
        ]
        return found if backups else [*found, "there is no backup"]

    def _left_to_do(self) -> list[str]:
        """What the ledger does not say that the events do; once all is decided, nothing."""
        clock = ManualClock(FolderClock(self.folder).now())
        with App(load_settings(self.folder / "warden.yaml"), clock).open() as station:
            return undecided(station.dry_run())

    def story(self) -> list[tuple[Any, ...]]:
        """What was decided and told, without the hours: the same for every life.

        That a notice is in one message of a receiver at most is the schema's rule, and that each
        message has notices a promise; here stands how often each was told, and how many messages of
        each kind there are and were taken, copies under the same key counted once.
        """
        with closing(sqlite3.connect(self.folder / "warden.db")) as connection:
            lines = [line for question in _STORY for line in connection.execute(question)]
        mails = {str(mail.message["Message-ID"]): mail for mail in self._mail.received}
        hooks = {received.id: received for received in self._hook.received}
        mailed = [(str(one.message["To"]), str(one.message["Subject"])) for one in mails.values()]
        called = [
            ("hook", notice["alert_id"], notice["action"], notice["reason"])
            for one in hooks.values()
            for notice in one.payload["notices"]
        ]
        return [*lines, *mailed, *called]


_STORY = (
    "SELECT alert_id, action, reason, severity, title FROM notices ORDER BY 1, 2, 3, 4",
    "SELECT id, state, state_reason, severity, told FROM alerts ORDER BY 1",
    "SELECT uid, status, fatalities, notes FROM events ORDER BY 1",
    """
    SELECT n.alert_id, n.action, n.reason, d.receiver, d.digest, d.withheld_reason
    FROM dispatches d JOIN notices n ON n.id = d.notice_id ORDER BY 1, 2, 3, 4
    """,
    """
    SELECT m.receiver, m.digest, m.subject, x.channel, x.state
    FROM deliveries x JOIN messages m ON m.id = x.message_id ORDER BY 1, 2, 3, 4
    """,
)


def differences(told: Sequence[tuple[Any, ...]], story: Sequence[tuple[Any, ...]]) -> list[str]:
    """What a life lacks that the story has, and what it has that the story has not, line by line.

    A line that stands in the story once and was told twice is made up as well.
    """
    mine, wanted = Counter(told), Counter(story)
    return [
        *(f"lost {_often(line, count)}" for line, count in (wanted - mine).items()),
        *(f"made up {_often(line, count)}" for line, count in (mine - wanted).items()),
    ]


def _often(line: tuple[Any, ...], count: int) -> str:
    return f"{line}, {count} times" if count > 1 else str(line)


def calls_of_a_life(nursery: Nursery, call: str) -> int:
    """How many such calls the busiest thread of an undisturbed life makes."""
    with Cradle(nursery) as cradle:
        most = nursery.watch(cradle.folder, call, 0)
        assert nursery.end() == 0, cradle.why()
    return most


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _until(holds: Any, otherwise: str) -> None:
    limit = time.monotonic() + STOPS_WITHIN_S
    while not holds():
        if time.monotonic() > limit:
            raise RuntimeError(otherwise)
        time.sleep(0.002)
