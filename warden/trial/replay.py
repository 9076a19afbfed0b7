"""A backtest over what was stored: every recorded cycle again, on the events as known then.

Standing in the flow: the database comes in, a `Plan` goes out. What a live cycle read besides the
events (how far the data reached, whether a dataset was being loaded for the first time) is taken
from the recorded cycles and walks, so that the notices are the very ones.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date, datetime

from warden.engine.frame import Frame
from warden.engine.seeding import SourceView, seeding
from warden.errors import UsageError
from warden.store.cycles import Cycle, load_cycles
from warden.store.events import FRAME_COLUMNS
from warden.store.sources import ended_walks
from warden.store.values import parse_instant
from warden.store.versions import load_versions
from warden.trial.backtest import Plan
from warden.trial.history import FOREVER, History, ticks
from warden.trial.trial import Instant

_STATUS = FRAME_COLUMNS.index("status")


def replay(
    connection: sqlite3.Connection, *, first: date | None = None, last: date | None = None
) -> Plan:
    """Plan the replay; notices between the two days are shown, all cycles up to then are run.

    Raises:
        UsageError: no cycle was ever recorded, or the days are in the wrong order.
    """
    cycles = [cycle for cycle in load_cycles(connection) if last is None or cycle.at.date() <= last]
    if not cycles:
        raise UsageError(
            "no evaluation is recorded in the database"
            + (f" up to {last}" if last else "")
            + "; use --events FILE for what would have been, or run `warden evaluate` first"
        )
    history = _history(connection)
    instants = list(_instants(connection, cycles, history))
    began = first if first is not None else cycles[0].at.date()
    ends = last if last is not None else cycles[-1].at.date()
    if ends < began:
        raise UsageError(f"--to {ends} lies before --from {began}")
    events = len(set(history.frame.uid.tolist()))
    return Plan(history, instants, began, ends, None, {"known": "as stored", "events": events})


def _history(connection: sqlite3.Connection) -> History:
    versions = [one for one in load_versions(connection) if one.row[_STATUS] == "active"]
    return History.of(
        Frame.from_rows(FRAME_COLUMNS, [one.row for one in versions]),
        [ticks(parse_instant(one.since)) for one in versions],
        [FOREVER if one.until is None else ticks(parse_instant(one.until)) for one in versions],
    )


def _instants(
    connection: sqlite3.Connection, cycles: list[Cycle], history: History
) -> Iterator[Instant]:
    """The cycles, with the marks of what had been loaded kept as `evaluate` keeps them."""
    walks = _Walks(connection)
    marks: dict[str, str] = {}
    for cycle in cycles:
        sources = walks.until(cycle.at)
        loading, moved = seeding(history.datasets(ticks(cycle.at)), sources, marks)
        marks |= moved
        yield Instant(cycle.at, cycle.complete_through, loading)


class _Walks:
    """How each source was, instant by instant, by the walks that had ended."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._ended = ended_walks(connection)
        self._next = 0
        self._now: dict[str, SourceView] = {}

    def until(self, at: datetime) -> list[SourceView]:
        """Every source that had been walked by then; ask in order of time."""
        while self._next < len(self._ended) and self._ended[self._next][0] <= at:
            _, source, dataset, state = self._ended[self._next]
            before = self._now.get(source)
            was_ok = before is not None and before.was_ok
            self._now[source] = SourceView(dataset, state, was_ok or state == "ok")
            self._next += 1
        return [self._now[name] for name in sorted(self._now)]
