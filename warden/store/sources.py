"""What is known of each source: its state and memory, and a row for each walk.

A state other than `ok` is itself worth an alert, so it stands in the database with its sentence
and since when. A source's memory moves in the transaction that ends its walk, never before.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from warden.secrecy import veiled
from warden.sources.protocol import SourceState
from warden.store.pages import COUNT_NAMES, PageCounts
from warden.store.rows import clean_text
from warden.store.values import (
    day_or_none,
    day_text,
    instant_text,
    parse_day_or_none,
    parse_instant,
    parse_instant_or_none,
)

LONGEST_WAIT = timedelta(hours=24)
_NOT_BEFORE = "not_before:"  # and the source's name: a key of `meta`
_SENTENCE_LIMIT = 2000
_COLUMN = {name: "foreign_rows" if name == "foreign" else name for name in COUNT_NAMES}

_ADD_COUNTS = (
    "UPDATE poll_runs SET pages = pages + 1, "  # noqa: S608  column names of our own
    + ", ".join(f"{_COLUMN[name]} = {_COLUMN[name]} + :{name}" for name in COUNT_NAMES)
    + " WHERE id = :run"
)
# A `since` or `complete_through` of the future was named by a clock that was ahead.
_STATE = """
INSERT INTO source_state (source, kind, dataset, state, sentence, since, memory,
  complete_through, no_data_since, last_poll_at, last_ok_at, last_change_at, failures)
VALUES (:source, :kind, :dataset, :state, :sentence, :at, coalesce(:memory, '{}'),
  :complete_through, :no_data_since, :at, iif(:ok, :at, NULL), iif(:changed, :at, NULL),
  iif(:ok, 0, 1))
ON CONFLICT (source) DO UPDATE SET
  kind = excluded.kind,
  dataset = iif(:dataset = '', dataset, :dataset),
  since = iif(state = excluded.state, min(since, excluded.since), excluded.since),
  state = excluded.state,
  sentence = excluded.sentence,
  memory = coalesce(:memory, memory),
  complete_through = iif(complete_through > :today,
    coalesce(:complete_through, :today),
    nullif(max(coalesce(complete_through, ''), coalesce(:complete_through, '')), '')),
  no_data_since = excluded.no_data_since,
  last_poll_at = excluded.last_poll_at,
  last_ok_at = iif(:ok, :at, last_ok_at),
  last_change_at = iif(:changed, :at, last_change_at),
  failures = iif(:ok, 0, failures + 1)
"""
_STATE_COLUMNS = (
    "source, kind, dataset, state, sentence, since, memory, complete_through, no_data_since,"
    " last_poll_at, last_ok_at, last_change_at, failures"
)


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A source as last seen.

    Attributes:
        since: when it came into this state.
        complete_through: the newest day its finished releases cover; it never moves back, for
            what was once known stays known, but out of a future that a wrong clock named.
        no_data_since: while embargoed or stale, the day after which nothing is known.
        last_change_at: when it last brought something new or revised.
        failures: walks in a row that did not end `ok`.
    """

    source: str
    kind: str
    dataset: str
    state: SourceState
    sentence: str
    since: datetime
    memory: dict[str, Any]
    complete_through: date | None
    no_data_since: date | None
    last_poll_at: datetime | None
    last_ok_at: datetime | None
    last_change_at: datetime | None
    failures: int


@dataclass(frozen=True, slots=True)
class PollRun:
    """One walk; `ended_at` None while it runs, and for ever if the process died in it."""

    id: int
    source: str
    kind: str
    started_at: datetime
    ended_at: datetime | None
    state: SourceState | None
    sentence: str
    envelope: dict[str, Any]
    memory_before: dict[str, Any]
    memory_after: dict[str, Any] | None
    pages: int
    counts: PageCounts


@dataclass(frozen=True, slots=True)
class WalkEnd:
    """What `end_walk` writes: the outcome of a walk as the ingest step judged it.

    Attributes:
        memory: what to remember, None = leave the memory as it is.
        changed: the walk brought something new, revised or retracted.
    """

    state: SourceState
    sentence: str
    memory: Mapping[str, Any] | None = None
    complete_through: date | None = None
    no_data_since: date | None = None
    envelope: Mapping[str, Any] | None = None
    changed: bool = False
    dataset: str = ""


def load_memory(connection: sqlite3.Connection, source: str) -> dict[str, Any]:
    """What the source asked to be remembered; empty before its first whole walk."""
    found = connection.execute(
        "SELECT memory FROM source_state WHERE source = ?", (source,)
    ).fetchone()
    return {} if found is None else dict(json.loads(found[0]))


def begin_walk(
    tx: sqlite3.Connection,
    source: str,
    kind: Literal["poll", "look_up"],
    memory: Mapping[str, Any],
    now: datetime,
) -> int:
    """Open a row in `poll_runs`; return its id."""
    cursor = tx.execute(
        "INSERT INTO poll_runs (source, kind, started_at, memory_before) VALUES (?, ?, ?, ?)",
        (source, kind, instant_text(now), _json(memory)),
    )
    return int(cursor.lastrowid or 0)


def count_page(tx: sqlite3.Connection, run: int, counts: PageCounts) -> None:
    """Add a page's counts, in the page's own transaction: the sum holds after any crash."""
    tx.execute(_ADD_COUNTS, {"run": run, **counts.as_dict()})


def end_walk(tx: sqlite3.Connection, run: int, kind: str, end: WalkEnd, now: datetime) -> None:
    """Close the run and move the source's state and memory."""
    memory = None if end.memory is None else _json(end.memory)
    sentence = clean_text(end.sentence, _SENTENCE_LIMIT)
    tx.execute(
        "UPDATE poll_runs SET ended_at = ?, state = ?, sentence = ?, envelope = ?,"
        " memory_after = ? WHERE id = ?",
        (instant_text(now), end.state, sentence, veiled(_json(end.envelope or {})), memory, run),
    )
    (source,) = tx.execute("SELECT source FROM poll_runs WHERE id = ?", (run,)).fetchone()
    through = None if end.complete_through is None else min(end.complete_through, now.date())
    tx.execute(
        _STATE,
        {
            "source": source,
            "kind": kind,
            "dataset": end.dataset,
            "state": end.state,
            "sentence": sentence,
            "at": instant_text(now),
            "memory": memory,
            "complete_through": day_or_none(through),
            "today": day_text(now.date()),
            "no_data_since": day_or_none(end.no_data_since),
            "ok": end.state == "ok",
            "changed": end.changed,
        },
    )


def end_look_up(tx: sqlite3.Connection, run: int, end: WalkEnd, now: datetime) -> None:
    """Close the run of a look-up; the walk it belongs to decides the source's state."""
    tx.execute(
        "UPDATE poll_runs SET ended_at = ?, state = ?, sentence = ?, envelope = ? WHERE id = ?",
        (
            instant_text(now),
            end.state,
            clean_text(end.sentence, _SENTENCE_LIMIT),
            veiled(_json(end.envelope or {})),
            run,
        ),
    )


def set_state(
    tx: sqlite3.Connection,
    source: str,
    state: SourceState,
    sentence: str,
    *,
    kind: str,
    now: datetime,
) -> None:
    """Name a source's state without a walk: `disabled`, or a failure before any request."""
    tx.execute(
        "INSERT INTO source_state (source, kind, dataset, state, sentence, since, memory, failures)"
        " VALUES (?1, ?2, '', ?3, ?4, ?5, '{}', 0)"
        " ON CONFLICT (source) DO UPDATE SET since = iif(state = ?3, min(since, ?5), ?5),"
        " state = ?3,"
        " sentence = ?4, kind = ?2",
        (source, kind, state, clean_text(sentence, _SENTENCE_LIMIT), instant_text(now)),
    )


def forget_source(tx: sqlite3.Connection, source: str) -> bool:
    """Drop a source's state and memory, so that its next walk begins anew; its events stay."""
    keep_not_before(tx, source, None)
    return tx.execute("DELETE FROM source_state WHERE source = ?", (source,)).rowcount > 0


def keep_not_before(tx: sqlite3.Connection, source: str, until: datetime | None) -> None:
    """Remember until when the source asked to be left alone; None: it may be asked."""
    tx.execute("DELETE FROM meta WHERE key = ?", (_NOT_BEFORE + source,))
    if until is not None:
        row = (_NOT_BEFORE + source, instant_text(until))
        tx.execute("INSERT INTO meta (key, value) VALUES (?, ?)", row)


def load_not_before(connection: sqlite3.Connection, source: str, now: datetime) -> datetime | None:
    """Until when the source asked to be left alone, None where it may be asked now.

    More than `LONGEST_WAIT` ahead is no wish of a source, whose waits are bounded: the clock was
    set back since.
    """
    found = connection.execute(
        "SELECT value FROM meta WHERE key = ?", (_NOT_BEFORE + source,)
    ).fetchone()
    until = None if found is None else parse_instant(found[0])
    return until if until is not None and now < until <= now + LONGEST_WAIT else None


def load_sources(connection: sqlite3.Connection) -> tuple[SourceStatus, ...]:
    """Every source ever polled, by name."""
    cursor = connection.execute(f"SELECT {_STATE_COLUMNS} FROM source_state ORDER BY source")  # noqa: S608
    return tuple(_status(row) for row in cursor)


def load_source(connection: sqlite3.Connection, source: str) -> SourceStatus | None:
    """One source as last seen, or None."""
    return next((item for item in load_sources(connection) if item.source == source), None)


def complete_through(connection: sqlite3.Connection) -> dict[str, date]:
    """Dataset → the newest day that finished releases cover, by the source that knows most.

    A dataset no source has spoken for is absent: nothing of it is known to be complete.
    """
    cursor = connection.execute(
        "SELECT dataset, max(complete_through) FROM source_state"
        " WHERE dataset <> '' AND complete_through IS NOT NULL GROUP BY dataset"
    )
    return {dataset: date.fromisoformat(day) for dataset, day in cursor}


def load_runs(
    connection: sqlite3.Connection, *, source: str | None = None, limit: int = 50
) -> tuple[PollRun, ...]:
    """The newest walks first."""
    counts = ", ".join(_COLUMN.values())
    cursor = connection.execute(
        "SELECT id, source, kind, started_at, ended_at, state, sentence, envelope,"  # noqa: S608
        f" memory_before, memory_after, pages, {counts}"
        " FROM poll_runs WHERE ?1 IS NULL OR source = ?1 ORDER BY id DESC LIMIT ?2",
        (source, limit),
    )
    return tuple(_run(row) for row in cursor)


def ended_walks(connection: sqlite3.Connection) -> list[tuple[datetime, str, str, str]]:
    """When each whole walk ended: instant, source, dataset and state, oldest first."""
    datasets = dict(connection.execute("SELECT source, dataset FROM source_state"))
    return [
        (parse_instant(ended), source, datasets.get(source, ""), state)
        for source, ended, state in connection.execute(
            "SELECT source, ended_at, state FROM poll_runs"
            " WHERE kind = 'poll' AND ended_at IS NOT NULL ORDER BY ended_at, id"
        )
    ]


def prune_runs(tx: sqlite3.Connection, before: datetime) -> int:
    """Forget walks that began before `before`; return how many."""
    return tx.execute(
        "DELETE FROM poll_runs WHERE started_at < ?", (instant_text(before),)
    ).rowcount


def _status(row: tuple[Any, ...]) -> SourceStatus:
    source, kind, dataset, state, sentence, since, memory, through, no_data, *rest = row
    poll_at, ok_at, change_at, failures = rest
    return SourceStatus(
        source,
        kind,
        dataset,
        state,
        sentence,
        parse_instant(since),
        json.loads(memory),
        parse_day_or_none(through),
        parse_day_or_none(no_data),
        parse_instant_or_none(poll_at),
        parse_instant_or_none(ok_at),
        parse_instant_or_none(change_at),
        failures,
    )


def _run(row: tuple[Any, ...]) -> PollRun:
    number, source, kind, started, ended, state, sentence, envelope, before, after, pages = row[:11]
    return PollRun(
        number,
        source,
        kind,
        parse_instant(started),
        parse_instant_or_none(ended),
        state,
        sentence,
        json.loads(envelope),
        json.loads(before),
        None if after is None else json.loads(after),
        pages,
        PageCounts(*row[11:]),
    )


def _json(value: Mapping[str, Any]) -> str:
    """JSON without surrogates or NaN: SQL's JSON functions must be able to read it."""
    return json.dumps(dict(value), allow_nan=False, sort_keys=True)
