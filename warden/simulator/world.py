"""What a simulated source knows at an instant: rows with all their versions, seen through a clock.

Standing in the flow: `history` makes the versions, `acled_server` serves the world they add up to.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a row.

    Attributes:
        known_at: when the source published it.
        row: the columns (without `timestamp`), or None: deleted.
        stamp: the source's own stamp of the edit, unix seconds; None = `known_at`. An older
            stamp stands for a row that was changed without being stamped; never a newer one.
    """

    known_at: datetime
    row: Row | None
    stamp: int | None = None

    @property
    def unix(self) -> int:
        """The stamp that the source serves with it."""
        return int(self.known_at.timestamp()) if self.stamp is None else self.stamp


@dataclass(frozen=True, slots=True)
class RowHistory:
    """All versions of one row, oldest first."""

    source_id: str
    versions: tuple[Version, ...]

    def at(self, now: datetime) -> Version | None:
        """The newest version known at `now`, or None before the first."""
        known = bisect_right([version.known_at for version in self.versions], now)
        return self.versions[known - 1] if known else None


@dataclass(frozen=True, slots=True)
class Served:
    """A row as served: its place in the walk, its columns with `timestamp`."""

    serial: int
    row: dict[str, Any]


class World:
    """The rows and deletions that a source would serve at an instant.

    Asked for instants in rising order it moves in steps of what changed; asked for an earlier one
    it starts again. Safe to use from several threads.
    """

    def __init__(self, histories: Iterable[RowHistory] = ()) -> None:
        self._lock = threading.RLock()
        self._walk: list[Served] | None = None
        self._serials: dict[str, int] = {}
        self._transitions: list[tuple[datetime, int, str, Version]] = []
        for history in histories:
            self._enter(history.source_id, history.versions)
        self._sort()

    def publish(self, row: Row, at: datetime, *, stamp: int | None = None) -> None:
        """Let the source publish this row (new or revised; keyed by `event_id_cnty`) at `at`."""
        self._add(str(row["event_id_cnty"]), Version(at, dict(row), stamp))

    def delete(self, source_id: str, at: datetime) -> None:
        """Let the source delete that row at `at`."""
        self._add(source_id, Version(at, None))

    def rows(self, now: datetime, *, stamped_since: int | None = None) -> list[Served]:
        """Every row that stands at `now`, in the order in which a walk serves them.

        `stamped_since`: only those with such a stamp (unix seconds) or a newer one.
        """
        with self._lock:
            self._move_to(now)
            if stamped_since is not None:
                return self._stamped(stamped_since)
            if self._walk is None:
                self._walk = sorted(self._standing.values(), key=lambda row: row.serial)
            return list(self._walk)

    def _stamped(self, since: int) -> list[Served]:
        """Look only at what was published since then: no stamp is newer than its publication."""
        begin = bisect_left(self._published, since)
        names = {self._transitions[index][2] for index in range(begin, self._applied)}
        found = [self._standing[name] for name in names if name in self._standing]
        found = [served for served in found if served.row["timestamp"] >= since]
        return sorted(found, key=lambda served: served.serial)

    def deletions(self, now: datetime) -> list[Served]:
        """Every deletion published by `now`, in the order in which a walk serves them."""
        with self._lock:
            self._move_to(now)
            return [
                Served(self._serials[name], {"event_id_cnty": name, "deleted_timestamp": unix})
                for name, unix in sorted(self._deleted.items(), key=lambda pair: pair[1])
            ]

    def _add(self, source_id: str, version: Version) -> None:
        with self._lock:
            self._enter(source_id, (version,))
            self._sort()

    def _sort(self) -> None:
        self._transitions.sort(key=_in_order)
        self._published = [int(known_at.timestamp()) for known_at, *_ in self._transitions]
        self._start_again()

    def _enter(self, source_id: str, versions: Iterable[Version]) -> None:
        serial = self._serials.setdefault(source_id, len(self._serials) + 1)
        for version in versions:
            self._transitions.append((version.known_at, serial, source_id, version))

    def _start_again(self) -> None:
        self._now: datetime | None = None
        self._applied = 0
        self._walk = None
        self._standing: dict[str, Served] = {}
        self._deleted: dict[str, int] = {}

    def _move_to(self, now: datetime) -> None:
        if self._now is not None and now < self._now:
            self._start_again()
        self._now = now
        while self._applied < len(self._transitions):
            known_at, serial, source_id, version = self._transitions[self._applied]
            if known_at > now:
                break
            self._apply(serial, source_id, version)
            self._applied += 1
            self._walk = None

    def _apply(self, serial: int, source_id: str, version: Version) -> None:
        if version.row is None:
            self._standing.pop(source_id, None)
            self._deleted[source_id] = version.unix
            return
        self._standing[source_id] = Served(serial, {**version.row, "timestamp": version.unix})


def _in_order(transition: tuple[datetime, int, str, Version]) -> tuple[datetime, int]:
    return transition[0], transition[1]
