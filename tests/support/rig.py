"""A whole warden in this process, over a real file, whose power can be cut at any statement.

A power cut is real for the file: at the chosen SQL statement the database and its log are copied
as they lie on the disk, which is what a killed process leaves. What runs on afterwards is a ghost:
the receivers hear nothing of it, and its files are thrown away.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from warden.app import App
from warden.clock import ManualClock
from warden.control import Request
from warden.deliver import Outlet
from warden.engine.geo.geography import FixedGeography
from warden.errors import ChannelError, SourceError
from warden.model.delivery import Outgoing
from warden.model.event import Record
from warden.notify.render import Renderer
from warden.notify.routes import Target
from warden.settings import Settings
from warden.sources.common import SourceSettings
from warden.sources.protocol import Deletion, Page, PollOutcome
from warden.station import Station
from warden.store import Store, open_store

START = datetime(2022, 8, 1, 6, tzinfo=UTC)
PAGE = 2
ROUTES = """\
receivers:
- name: desk
  email: [{to: [desk@example.org]}]
- name: archive
  file: [{path: out}]
route:
  receiver: desk
  group_by: [cycle]
  group_wait: 0s
  routes:
  - {receiver: archive, continue: true}
  - {receiver: desk}
"""


@dataclass
class Server:
    """The feed's own side: a growing log of rows and deletions, and what ails it."""

    log: list[Record | Deletion] = field(default_factory=list)
    breaks_after: int | None = None  # pages, then the connection is lost
    moves: bool = True  # False: the walk ends oddly, and its memory must not move
    covered_days: int = 1

    def pages_from(self, start: int) -> list[tuple[Record | Deletion, ...]]:
        """What a walk from a place in the log serves, page by page."""
        rows = self.log[start:]
        return [tuple(rows[at : at + PAGE]) for at in range(0, len(rows), PAGE)] or [()]


class Feed:
    """Reads the server; its memory is a place in the log."""

    name = "acled"
    kind = "listed"

    def __init__(self, server: Server) -> None:
        self._server = server

    def poll(self, memory: Mapping[str, Any], now: datetime) -> Generator[Page, None, PollOutcome]:
        server = self._server
        for number, rows in enumerate(server.pages_from(int(memory.get("at", 0)))):
            if number == server.breaks_after:
                raise SourceError("the connection was reset in the middle of a page")
            yield page_of(rows)
        covered = now.date() - timedelta(days=server.covered_days)
        if not server.moves:
            return PollOutcome("truncated", "a full page without a cursor", memory=None)
        return PollOutcome("ok", "", memory={"at": len(server.log)}, complete_through=covered)

    def look_up(self, ids: Sequence[str], now: datetime) -> Generator[Page, None, PollOutcome]:
        yield from ()
        return PollOutcome("ok", "nothing to look up")


def page_of(rows: Sequence[Record | Deletion]) -> Page:
    """Rows of the log as one page."""
    records = tuple(row for row in rows if isinstance(row, Record))
    deletions = tuple(row for row in rows if isinstance(row, Deletion))
    return Page("acled", records, deletions=deletions, raw=tuple(map(repr, records)))


@dataclass
class World:
    """The receivers' side: what they accepted, by key, and how they feel."""

    mood: str = "ok"  # ok | failed | refused | unknown (accepts, and the answer is lost)
    accepted: Counter[str] = field(default_factory=Counter)
    bodies: dict[str, str] = field(default_factory=dict)

    def take(self, outgoing: Outgoing) -> str:
        """A channel's `send`."""
        if self.mood == "failed":
            raise ChannelError("503, come back later")
        if self.mood == "refused":
            raise ChannelError("410, gone", permanent=True)
        key = outgoing.delivery.key
        self.accepted[key] += 1
        assert self.bodies.setdefault(key, outgoing.body) == outgoing.body, "one key, one body"
        if self.mood == "unknown":
            raise ChannelError("the connection was lost after the body")
        return "200"


class Wire:
    """One life's way to the world; it is cut when that life ends."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.cut = False

    def send(self, outgoing: Outgoing, target: Target, now: datetime) -> str:
        if self.cut:
            raise ChannelError("nobody hears a ghost")
        return self._world.take(outgoing)


class RigApp(App):
    """The composition root with a listed feed and receivers in this process."""

    def __init__(self, folder: Path, clock: ManualClock, feed: Feed, wire: Wire) -> None:
        super().__init__(Settings(database=folder / "warden.db", rules=folder / "rules"), clock)
        self._feed = feed
        self._wire = wire

    geography = FixedGeography()  # type: ignore[assignment]  # circles need no borders
    source_settings = (SourceSettings(name="acled", every=timedelta(hours=1)),)  # type: ignore[assignment]

    def sources(self) -> tuple[tuple[SourceSettings, Feed], ...]:  # type: ignore[override]
        return ((self.source_settings[0], self._feed),)

    def outlet(self, store: Store) -> Outlet:
        channels = {"email": self._wire, "file": self._wire}
        return Outlet(store, renderer(), channels, self.clock, mail_domain="example.org")


@cache
def renderer() -> Renderer:
    """One for all lives: it keeps nothing but its templates."""
    return Renderer()


@cache
def empty_database() -> bytes:
    """A new database of today's shape; making one takes longer than a whole life here."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "warden.db"
        open_store(path).close()
        return path.read_bytes()


class Rig:
    """One installation through all its lives.

    Attributes:
        cuts, copies: how often the power was cut, and deliveries a receiver got again.
    """

    def __init__(self, rules: str, routes: str = ROUTES) -> None:
        self._routes = routes
        memory = Path("/dev/shm")
        self._place = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.folder = self._place / "0"
        self.folder.mkdir()
        (self.folder / "warden.db").write_bytes(empty_database())
        self.server, self.world, self.clock = Server(), World(), ManualClock(START)
        self.cuts = 0
        self._lives = 0
        self.write_rules(rules)
        self.open()

    # --- lives --------------------------------------------------------------------------------

    def open(self) -> None:
        """A process starts."""
        self.wire = Wire(self.world)
        self.app = RigApp(self.folder, self.clock, Feed(self.server), self.wire)
        self.station: Station = self.app.open()

    def restart(self) -> None:
        """The process is stopped in good order and started again."""
        self.station.close()
        self.open()

    def close(self) -> None:
        """The end of all lives."""
        self.station.close()
        shutil.rmtree(self._place)

    def cut_during(self, work: Callable[[], object], statement: int) -> bool:
        """Do something, cut the power at its n-th statement, start again.

        Returns whether the work was still under way; a cut that comes too late comes after it.
        """
        self._lives += 1
        left = self._place / str(self._lives)
        count = 0

        def trace(_sql: str) -> None:
            nonlocal count
            count += 1
            if count == statement:
                self.wire.cut = True
                _copy(self.folder, left)

        connection = self.station.store.connection
        connection.set_trace_callback(trace)
        try:
            with contextlib.suppress(Exception):
                work()
        finally:
            connection.set_trace_callback(None)
        midway = left.exists()
        if not midway:
            self.wire.cut = True
            _copy(self.folder, left)
        self.station.close()  # the ghost's
        shutil.rmtree(self.folder)
        self.folder = left
        self.cuts += 1
        self.open()
        return midway

    # --- what operators do --------------------------------------------------------------------

    def write_rules(self, text: str) -> None:
        """The rule file as an editor saves it."""
        rules = self.folder / "rules"
        rules.mkdir(exist_ok=True)
        (rules / "rules.yaml").write_text(text, encoding="utf-8")
        (rules / "routes.yaml").write_text(self._routes, encoding="utf-8")

    def act(self, command: str, **arguments: Any) -> list[dict[str, Any]]:
        """A command, as the control socket hands it over."""
        return list(self.station.act(Request(command, arguments, "desk")))

    # --- looking ------------------------------------------------------------------------------

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database says."""
        return self.station.store.connection.execute(sql, values).fetchall()

    def column(self, sql: str, *values: Any) -> Iterator[Any]:
        """The first cells."""
        return (row[0] for row in self.rows(sql, *values))


def _copy(folder: Path, to: Path) -> None:
    to.mkdir()
    for name in ("warden.db", "warden.db-wal"):
        if (folder / name).exists():
            shutil.copyfile(folder / name, to / name)
    shutil.copytree(folder / "rules", to / "rules")
