"""A warden's scripted life, and a nursery that starts it again and again.

    python life.py nursery        plays a life in the first folder read, and learns all by it; then
                                  starts a life in each folder read, in a process of its own
    python life.py FOLDER         one life, to its end

A life is played by the real programme on a calendar of its own: it loads, hears of new events, of
revisions, of a deletion, mails, calls webhooks, is refused and tries again, gathers a digest, backs
up, has its rules edited, silences and acknowledges. `state.json` in the folder says how far it has
come, and is replaced after every step, so that a life that was cut short is taken up where it
stopped, at the hour when it stopped. The nursery exists because importing takes longer than living.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from syscalls import listener_of, look_on, watch_me

from warden.app import App
from warden.clock import ManualClock
from warden.control import Request
from warden.settings import load as load_settings
from warden.station import Station

START = datetime(2022, 8, 1, 6, tzinfo=UTC)
DAYS = 7
PATIENCE = 60  # half hours for what is due to be sent
STATE = "state.json"

RULES = """\
places:
  bamako: {{title: Bamako, lat: 12.6392, lon: -8.0029}}
rules:
- id: near-bamako
  title: Violent event within 150 km of Bamako
  kind: event
  where: {{event_type: Battles, near: {{place: bamako, within_km: {km}}}}}
  labels: {{theme: bamako}}
  severity:
  - {{level: critical, when: "fatalities >= 10"}}
  - warning
- id: cluster
  title: Four violent events within 150 km of Bamako in 30 days
  kind: count
  where: {{event_type: Battles, near: {{place: bamako, within_km: 150}}}}
  measure: events
  window: 30d
  condition: {{gte: 4}}
  labels: {{theme: cluster}}
  severity: [warning]
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
  group_wait: 0s
  routes:
  - {{receiver: partner, continue: true, group_by: [alert]}}
  - {{receiver: bureau, continue: true, digest: {{at: "12:00"}}, matchers: {{severity: warning}}}}
  - {{receiver: bureau, continue: true, group_wait: 10m, matchers: {{severity: critical}}}}
  - {{receiver: desk}}
"""
SETTINGS = """\
database: warden.db
rules: rules
secrets_dir: secrets
backup: {{dir: backups, keep: 3, at: "00:00"}}
sources:
- {{name: acled, kind: acled, base_url: "{acled}", username: desk@example.org,
   password: {{secret: acled}}, countries: [MLI], since: 2022-06-01, every: 1h}}
smtp: {{host: 127.0.0.1, port: {smtp}, security: none, from: "warden@example.org"}}
"""


@dataclass(frozen=True)
class State:
    """How far a life has come."""

    day: int = 0
    now: datetime = START

    @classmethod
    def read(cls, folder: Path) -> State:
        """What the folder says; the beginning where it says nothing."""
        try:
            said = json.loads((folder / STATE).read_text())
        except FileNotFoundError:
            return cls()
        return cls(said["day"], datetime.fromisoformat(said["now"]))

    def write(self, folder: Path) -> None:
        """Replace the folder's state in one go."""
        new = folder / f"{STATE}.new"
        new.write_text(json.dumps({"day": self.day, "now": self.now.isoformat()}))
        new.replace(folder / STATE)


class FolderClock:
    """The clock of the life in a folder, for the servers on the other side."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def now(self) -> datetime:
        """What time it is there."""
        return State.read(self._folder).now


def furnish(folder: Path, *, acled: str, hook: str, smtp: int, secret: str) -> None:
    """Everything that a life begins with."""
    (folder / "secrets").mkdir(mode=0o700)
    (folder / "rules").mkdir()
    for name, text in (("acled", "simulated"), ("hook", secret)):
        path = folder / "secrets" / name
        path.write_text(text)
        path.chmod(0o600)
    (folder / "rules" / "rules.yaml").write_text(RULES.format(km=150))
    (folder / "rules" / "routes.yaml").write_text(ROUTES.format(hook=hook))
    (folder / "warden.yaml").write_text(SETTINGS.format(acled=acled, smtp=smtp))


def live(folder: Path) -> None:
    """Live on from where the folder's state is, to the end."""
    state = State.read(folder)
    clock = ManualClock(state.now)
    with App(load_settings(folder / "warden.yaml"), clock).open() as station:
        station.prepare()
        while state.day < DAYS:
            _EVENTS_OF.get(state.day, _nothing)(station, folder)
            station.poll("acled")
            station.evaluate()
            _settle(station, clock, folder, state.day)
            station.upkeep.back_up_nightly()
            station.upkeep.tidy()
            morning = START + timedelta(days=state.day + 1)
            state = State(state.day + 1, max(morning, clock.now()))
            state.write(folder)
            clock.set(state.now)


def _settle(station: Station, clock: ManualClock, folder: Path, day: int) -> None:
    """Send what is due, half hour by half hour, until nothing waits."""
    for _ in range(PATIENCE):
        station.deliver()
        if not _waiting(station):
            return
        clock.advance(timedelta(minutes=30))
        State(day, clock.now()).write(folder)
    raise RuntimeError("something waits for ever")


def _waiting(station: Station) -> bool:
    with station.store.reading() as connection:
        (found,) = connection.execute(
            "SELECT (SELECT count(*) FROM deliveries WHERE finished_at IS NULL) + (SELECT count(*)"
            " FROM dispatches WHERE message_id IS NULL AND withheld_reason IS NULL)"
        ).fetchone()
    return bool(found)


# --- what happens on which day, besides what the feed says ------------------------------------


def _nothing(station: Station, folder: Path) -> None:
    del station, folder


def _edit_rules(station: Station, folder: Path) -> None:
    (folder / "rules" / "rules.yaml").write_text(RULES.format(km=200))
    station.reload()


def _acknowledge(station: Station, folder: Path) -> None:
    del folder
    with station.store.reading() as connection:
        ids = [
            row[0]
            for row in connection.execute(
                "SELECT id FROM alerts WHERE rule_id = 'near-bamako' AND told = 1"
                " ORDER BY id LIMIT 1"
            )
        ]
    list(station.act(Request("ack", {"alerts": ids, "note": "on it"}, "desk")))


def _silence(station: Station, folder: Path) -> None:
    del folder
    with station.store.reading() as connection:
        if connection.execute("SELECT 1 FROM silences").fetchone():
            return
    asked = {"matchers": ["theme=cluster"], "for": "5h", "comment": "known"}
    list(station.act(Request("silence-add", asked, "desk")))


_EVENTS_OF: dict[int, Callable[[Station, Path], None]] = {
    3: _acknowledge,
    4: _silence,
    5: _edit_rules,
}


# --- the nursery ------------------------------------------------------------------------------


def nursery() -> None:
    """A first life here; then for each line read a child, and how it ended.

    A line is a folder: the child stops at its beginning, and its number is said. Or it is a folder,
    a kind of call and a number: the child is killed at that call of a thread; at none if it is 0,
    and how many calls the busiest thread made is said before how it ended.
    """
    live(Path(sys.stdin.readline().strip()))
    gc.freeze()
    _say("ready")
    for line in sys.stdin:
        folder, *how = line.rstrip("\n").split("\t")
        if how:
            pid = _watched(Path(folder), how[0], int(how[1]))
        else:
            pid = os.fork()
            if not pid:
                _child(Path(folder), lambda: os.kill(os.getpid(), signal.SIGSTOP))
            _say(pid)
        _, status = os.waitpid(pid, 0)
        _say(os.waitstatus_to_exitcode(status))


def _watched(folder: Path, call: str, fatal: int) -> int:
    mine, childs = socket.socketpair()
    with mine, childs:
        pid = os.fork()
        if not pid:
            _child(folder, lambda: watch_me(call, childs))
        childs.close()  # a child that could not hand anything over is not waited for
        try:
            made = look_on(pid, listener_of(mine), fatal)
        except BaseException:
            os.kill(pid, signal.SIGKILL)  # or it would wait for an answer for ever
            raise
    _say(max(made.values(), default=0))
    return pid


def _say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def _child(folder: Path, first: Callable[[], None]) -> None:
    """Do this first, live, and leave without the nursery's own goodbyes."""
    code = 0
    try:
        first()
        live(folder)
    except BaseException:  # noqa: BLE001 - whatever it was is told, and ends this process only
        (folder / "died.txt").write_text(traceback.format_exc())
        code = 1
    finally:
        os._exit(code)


if __name__ == "__main__":
    nursery() if sys.argv[1:] == ["nursery"] else live(Path(sys.argv[1]))
