"""Warden's own health in SQL: what the database shows to be wrong, and what was written down.

Standing in the flow: before each evaluation the shell asks for what holds now (`look`), compares it
with what is written down (`engine.health.merged`) and saves the difference; rules of the kind
`feed` read the result.

No alarm about an alarm: messages that speak of nothing but dead letters and failed templates never
count here, so that an alert about a broken recipient, itself refused there, raises nothing new.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from warden.engine.health import About, Look
from warden.model.health import Condition, Subject
from warden.store.rows import clean_text
from warden.store.sources import load_sources
from warden.store.values import (
    day_or_none,
    instant_or_none,
    instant_text,
    parse_day_or_none,
    parse_instant,
    parse_instant_or_none,
)

RECENT = timedelta(days=7)  # how long what has ended, and what is merely there, is spoken of
SOON = timedelta(hours=1)  # how long a failed template counts though a later message was fine
_DETAIL_LIMIT = 1_000
_NAMES_SHOWN = 10
_NOTED = "health_actors_noted_at"  # a key of `meta`
COLUMNS = "subject, name, state, since, until, ending, detail, known_through, number"
# Names that stand for nobody in particular; new ones come with every country.
_NOBODY = ("civilians", "protesters", "rioters", "unidentified")

# A message that says something besides that messages fail.
_ABOUT_MORE = (
    "EXISTS (SELECT 1 FROM dispatches d JOIN notices n ON n.id = d.notice_id"
    " WHERE d.message_id = m.id AND NOT (n.facts ->> 'kind' = 'feed'"
    " AND coalesce(n.facts ->> 'subject', 'delivery') IN ('delivery', 'template')))"
)
_GIVEN_UP = "(x.state = 'dead' OR (x.state = 'expired' AND x.last_error LIKE 'EXPIRED%'))"
_LETTERS = (
    "SELECT x.channel || ' ' || x.target, count(*), min(x.finished_at), x.last_error,"  # noqa: S608
    " max(x.finished_at) FROM deliveries x JOIN messages m ON m.id = x.message_id"
    f" WHERE {_GIVEN_UP} AND x.finished_at > ? AND NOT m.exercise AND {_ABOUT_MORE} GROUP BY 1"
)
# Sent again by hand: tries begin anew, attempts go on.
_TRIED_AGAIN = (
    "SELECT x.channel || ' ' || x.target, count(*), min(x.created_at), x.last_error"  # noqa: S608
    " FROM deliveries x JOIN messages m ON m.id = x.message_id"
    " WHERE x.state IN ('retry', 'sending') AND x.attempts > x.tries AND NOT m.exercise"
    f" AND {_ABOUT_MORE} GROUP BY 1"
)
_LEFT = f"SELECT DISTINCT x.channel || ' ' || x.target FROM deliveries x WHERE {_GIVEN_UP}"  # noqa: S608
_FALLBACKS = (
    "SELECT m.receiver, count(*), min(m.created_at), m.fallback, max(m.created_at),"  # noqa: S608
    " (SELECT max(l.created_at) FROM messages l WHERE l.receiver = m.receiver AND l.fallback = '')"
    " FROM messages m WHERE m.fallback <> '' AND m.created_at > ? AND NOT m.exercise"
    f" AND {_ABOUT_MORE} GROUP BY 1"
)


# --- what was written down --------------------------------------------------------------------


def load(connection: sqlite3.Connection, now: datetime) -> tuple[Condition, ...]:
    """What lasts, and what has ended lately, oldest first."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM health WHERE until IS NULL OR until > ? ORDER BY since, id",  # noqa: S608
        (instant_text(now - RECENT),),
    )
    return tuple(condition(row) for row in rows)


def save(tx: sqlite3.Connection, before: Sequence[Condition], after: Sequence[Condition]) -> None:
    """Write down what `merged` made of what was loaded."""
    known = set(before)
    changed = [one for one in after if one not in known]
    for one in sorted(changed, key=lambda c: c.until is None):  # ends first: one open a name
        tx.execute(
            f"INSERT INTO health ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
            " ON CONFLICT (subject, name, state, since) DO UPDATE SET until = excluded.until,"
            " ending = excluded.ending, detail = excluded.detail,"
            " known_through = excluded.known_through, number = excluded.number",
            (
                one.subject, one.name, one.state, instant_text(one.since),
                instant_or_none(one.until), one.then, clean_text(one.detail, _DETAIL_LIMIT),
                day_or_none(one.known_through), one.count,
            ),
        )  # fmt: skip


def prune(tx: sqlite3.Connection, before: datetime) -> int:
    """Forget what was over before that; return how many."""
    return tx.execute("DELETE FROM health WHERE until < ?", (instant_text(before),)).rowcount


# --- what holds now ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Self:
    """What a look needs to know besides the database.

    Attributes:
        sources: the configured ones; others are nobody's business any more. None at all: a
            command without the settings, which can tell nothing of sources.
        is_known: whether a name is in some group, or an alias.
        own: conditions that only the process knows (a refused reload, a failing rule).
        rules_seen: every rule was evaluated since the start, so that `own` tells all failing ones.
        backup_seen: since the start it is known whether the nightly backup can be made.
    """

    sources: Collection[str] = ()
    is_known: Callable[[str], bool] = lambda _name: True
    own: Sequence[Condition] = ()
    rules_seen: bool = True
    backup_seen: bool = True


def look(
    connection: sqlite3.Connection, stored: Sequence[Condition], me: Self, now: datetime
) -> Look:
    """What holds now, by sources, outbox, actors' names and the process itself."""
    open_ = [one for one in stored if one.until is None]
    found = [
        *_sources(connection, me.sources),
        *_letters(connection, open_, now),
        *_fallbacks(connection, now),
        *_actors(connection, me.is_known, now),
        *me.own,
    ]
    known: dict[About, date] = {
        ("source", one.source): one.complete_through
        for one in load_sources(connection)
        if one.complete_through is not None
    }
    unseen: set[Subject] = set() if me.rules_seen else {"rule"}
    if not me.backup_seen:
        unseen.add("backup")
    if not me.sources:
        unseen.add("source")
    return Look(found, dict(_endings(connection, open_, me)), known, frozenset(unseen))


def _endings(
    connection: sqlite3.Connection, open_: Sequence[Condition], me: Self
) -> Iterator[tuple[About, str]]:
    """How what is no longer found has ended, where that is not "ok"."""
    left = {row[0] for row in connection.execute(_LEFT)} if open_ else set()
    for one in open_:
        if one.subject == "source" and one.name not in me.sources:
            yield (one.subject, one.name), "removed"
        elif one.subject == "delivery" and one.name in left:
            yield (one.subject, one.name), "aged"


def _sources(connection: sqlite3.Connection, configured: Collection[str]) -> Iterator[Condition]:
    for one in load_sources(connection):
        if one.source in configured and one.state != "ok":
            through = one.no_data_since or one.complete_through
            yield Condition(
                "source", one.source, one.state, one.since,
                detail=one.sentence, known_through=through,
            )  # fmt: skip


def _letters(
    connection: sqlite3.Connection, open_: Iterable[Condition], now: datetime
) -> Iterator[Condition]:
    """Recipients who will not get some message; also while it is being sent again by hand."""
    rows = connection.execute(_LETTERS, (instant_text(now - RECENT),)).fetchall()
    failing = {name: (count, since, error) for name, count, since, error, _ in rows}
    told = {one.name for one in open_ if one.subject == "delivery"}
    for name, count, since, error in connection.execute(_TRIED_AGAIN).fetchall():
        if name in told:
            before = failing.get(name, (0, since, error))
            failing[name] = (before[0] + count, before[1], before[2])
    for name, (count, since, error) in sorted(failing.items()):
        yield Condition(
            "delivery", name, "dead_letter", parse_instant(since), detail=error, count=count
        )


def _fallbacks(connection: sqlite3.Connection, now: datetime) -> Iterator[Condition]:
    rows = connection.execute(_FALLBACKS, (instant_text(now - RECENT),)).fetchall()
    for receiver, count, since, reason, newest, later in rows:
        if later is None or later < newest or parse_instant(newest) > now - SOON:
            yield Condition(
                "template", receiver, "template_fallback", parse_instant(since),
                detail=reason, count=count,
            )  # fmt: skip


# --- actors' names ----------------------------------------------------------------------------


def note_actors(tx: sqlite3.Connection, now: datetime) -> int:
    """Write down the actor names of what came since the last time; return how many were new.

    Names that only a first load brought are known from the start. They are told apart by the
    events' own mark, so that nothing depends on when this is called.
    """
    found = tx.execute("SELECT value FROM meta WHERE key = ?", (_NOTED,)).fetchone()
    stamp = instant_text(now)
    since = found[0] if found is not None and found[0] <= stamp else ""
    new = tx.execute(
        "INSERT INTO health_actors (name, seen_at)"
        " SELECT j.value ->> 0, iif(min(e.backfilled), '', :now)"
        " FROM events e, json_each(e.actors) j"
        " WHERE e.revised_at >= :since AND j.value ->> 0 <> ''"
        " GROUP BY 1 ON CONFLICT (name) DO NOTHING",
        {"now": stamp, "since": since},
    ).rowcount
    tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_NOTED, stamp))
    return new


def _actors(
    connection: sqlite3.Connection, is_known: Callable[[str], bool], now: datetime
) -> Iterator[Condition]:
    """The names new in the last days that are in no group, as one condition."""
    rows = connection.execute(
        "SELECT name, seen_at FROM health_actors WHERE seen_at > ? ORDER BY seen_at, name",
        (instant_text(now - RECENT),),
    ).fetchall()
    new = [(name, at) for name, at in rows if not _is_nobody(name) and not is_known(name)]
    if new:
        names = [name for name, _ in new[:_NAMES_SHOWN]]
        more = f" and {len(new) - len(names)} more" if len(new) > len(names) else ""
        yield Condition(
            "actors", "", "unknown_actor", parse_instant(new[0][1]),
            detail="; ".join(names) + more, count=len(new),
        )  # fmt: skip


def _is_nobody(name: str) -> bool:
    return name.casefold().startswith(_NOBODY)


def condition(row: Sequence[Any]) -> Condition:
    """A row of `COLUMNS` as a condition."""
    subject, name, state, since, until, then, detail, through, number = row
    known: date | None = parse_day_or_none(through)
    return Condition(
        subject, name, state, parse_instant(since), parse_instant_or_none(until),
        then, detail, known, number,
    )  # fmt: skip
