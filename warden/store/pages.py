"""Writing one page of a walk: what is new, revised, unchanged, older, duplicate, retracted.

Standing in the flow: `warden.ingest` calls `apply_page` inside one transaction a page.
No statement is run per row: a page's known states are read at once, its writes are batched.

Which version of an event stands:
* the newer source stamp wins; an older one changes nothing and counts as `older`;
* an equal stamp, or a row without one, takes the latest read, of a page only the last; but a row
  without one counts as `older` beside a stamped version that another source wrote, which may know
  more;
* a retracted event that is served again is reinstated, unless its deletion is as new as the row; a
  deletion without a stamp is undone by its own source or by a newer stamp, and one that only means
  that a snapshot lacked the event by anybody;
* a row of an unknown event is `older`, and kept nowhere, if a deletion told of it before is as new
  as the row, or if it has no stamp and another source told the deletion;
* equal content is unchanged whatever its stamp, but a newer stamp is remembered.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Literal

from warden.collector import collector_paused
from warden.model.event import Record
from warden.sources.protocol import NOT_IN_SNAPSHOT, Deletion, Page, Reject, Unread, joined
from warden.store.deletions import Unmet, deletions_of, drop_deletions, keep_deletions
from warden.store.raw import add_raw_page
from warden.store.rejects import add_rejects
from warden.store.rows import (
    CONTENT_COLUMNS,
    EVENT_COLUMNS,
    ActorTexts,
    Content,
    Unstorable,
    check_identity,
    clean_text,
    content_of,
    json_list,
)
from warden.store.values import instant_or_none, instant_text

BACKFILL_AFTER = timedelta(days=30)
_REASON_LIMIT = 500
_LIFE_COLUMNS = ("status", "retracted_at", "retracted_reason", "deleted_at")

_KNOWN = """
SELECT uid, content_hash, source, source_updated_at, status, revision, revised_at, deleted_at,
  fingerprint, retracted_reason
FROM events WHERE uid IN (SELECT value FROM json_each(?))
"""
_BEFORE = f"""
SELECT uid, source, source_updated_at, revised_at, raw_page,
  {", ".join(CONTENT_COLUMNS + _LIFE_COLUMNS)}
FROM events WHERE uid IN (SELECT value FROM json_each(?))
"""  # noqa: S608  column names of our own
_VALUES = f"({', '.join('?' * len(EVENT_COLUMNS))})"
_INSERT = f"INSERT INTO events ({', '.join(EVENT_COLUMNS)}) VALUES {_VALUES}"  # noqa: S608  our own
_INSERT_ROWS = 100
_INSERT_MANY = _INSERT + f", {_VALUES}" * (_INSERT_ROWS - 1)
_REVISED_COLUMNS = (
    *CONTENT_COLUMNS, "source", "revision", "revised_at", "source_updated_at", "content_hash",
    "fingerprint", *_LIFE_COLUMNS, "raw_page",
)  # fmt: skip
_UPDATE = (
    f"UPDATE events SET {', '.join(f'{name} = ?' for name in _REVISED_COLUMNS)}"  # noqa: S608
    " WHERE uid = ?"
)
_RESTAMP = """
UPDATE events SET source = ?, source_updated_at = ?, content_hash = ?, fingerprint = ?
WHERE uid = ?
"""
_REVISION = """
INSERT INTO event_revisions (uid, revision, at, kind, source, changed,
  was_source, was_source_updated_at, was_revised_at, was_raw_page)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_RETRACT = """
UPDATE events SET status = 'retracted', retracted_at = ?, retracted_reason = ?, deleted_at = ?,
  revision = ?, revised_at = ?, source = ? WHERE uid = ?
"""
_DELETED_LATER = "UPDATE events SET deleted_at = ? WHERE uid = ?"


_Verdict = Literal["new", "revised", "unchanged", "older"]


@dataclass(slots=True)
class PageCounts:
    """What became of the rows served; `served` is the sum of the seven that follow it.

    `retracted` are deletions that took effect, `reinstated` those among `revised` that came back.
    """

    served: int = 0
    new: int = 0
    revised: int = 0
    unchanged: int = 0
    older: int = 0
    duplicate: int = 0
    foreign: int = 0
    rejected: int = 0
    retracted: int = 0
    reinstated: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether served = new + revised + unchanged + older + duplicate + foreign + rejected."""
        parts = self.new + self.revised + self.unchanged + self.older + self.duplicate
        return self.served == parts + self.foreign + self.rejected

    def add(self, other: PageCounts) -> None:
        """Count `other` in."""
        for name in COUNT_NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def as_dict(self) -> dict[str, int]:
        """The counts by name, in order."""
        return {name: getattr(self, name) for name in COUNT_NAMES}


COUNT_NAMES: tuple[str, ...] = tuple(item.name for item in fields(PageCounts))


@dataclass(slots=True)
class Walk:
    """What one walk of a source has served so far.

    Attributes:
        source: the configured source's name.
        backfill: the source's first load: all that it brings was known before warden saw it.
        served: uid → content hash last served, by which a row served twice is recognised.
        changed: uids that the walk brought, revised, retracted or reinstated.
    """

    source: str
    backfill: bool = False
    served: dict[str, bytes] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Known:
    """What the store knows of an event, as far as the verdict on a new row needs it.

    `source` is who stated it last; who first gave a stamp to what had none is one of these.
    """

    content_hash: bytes
    source: str
    stamp: str | None
    status: str
    revision: int
    revised_at: str
    deleted_at: str | None
    fingerprint: bytes | None
    retracted_reason: str = ""

    def holds(self, fingerprint: bytes) -> bool:
        """Whether a row with this fingerprint would change nothing."""
        return self.fingerprint == fingerprint and self.status == "active"


@dataclass(slots=True)
class _Served:
    """One row of the page, ready to be written; `place` is where it stands in the page."""

    uid: str
    source_id: str
    content: Content
    content_hash: bytes
    stamp: str | None
    fingerprint: bytes | None
    place: int


def apply_page(tx: sqlite3.Connection, page: Page, walk: Walk, now: datetime) -> PageCounts:
    """Write a page: its deletions first, then its records and rejects.

    Shape: `page.raw` is empty or has one text a record. The caller commits.
    """
    with collector_paused():
        return _PageWriter(tx, page.dataset, walk, now).write(page)


def retract(
    tx: sqlite3.Connection,
    dataset: str,
    deletions: Iterable[Deletion],
    walk: Walk,
    now: datetime,
) -> int:
    """Mark events as withdrawn by the source; return how many that were active.

    Events with a newer stamp than the deletion are left alone; stamped deletions of unknown ids
    are kept for rows that may come. Of what is told of one id, in a page or over the days, the
    latest stamp counts: no row up to it reinstates.
    """
    return _PageWriter(tx, dataset, walk, now).retract(deletions)


class _PageWriter:
    def __init__(self, tx: sqlite3.Connection, dataset: str, walk: Walk, now: datetime) -> None:
        self.tx = tx
        self.dataset = dataset
        self.walk = walk
        self.now = now
        self.at = instant_text(now)
        self.backfill_before = instant_text(now - BACKFILL_AFTER)
        self.counts = PageCounts()
        self.known: dict[str, _Known] = {}
        self.unmet: dict[str, Unmet] = {}
        self.pending: set[str] = set()
        self.fresh: list[_Served] = []
        self.revised: list[_Served] = []
        self.stamps: list[tuple[str, str | None, bytes, bytes | None, str]] = []
        self.raw: Sequence[str] = ()

    def write(self, page: Page) -> PageCounts:
        counts = self.counts
        counts.retracted = self.retract(page.deletions)
        if page.unread is not None:
            page = self._without_unread(page, page.unread)
        counts.served += len(page.records) + len(page.rejects) + page.foreign
        counts.foreign = page.foreign
        self.raw = page.raw
        served, unstorable = self._read(page)
        served = self._last_of_each(served)
        self.known = self._load_known([row.uid for row in served])
        self.unmet = self._load_unmet(served)
        for row in served:
            self._decide(row)
        self._flush()
        rejects = [*page.rejects, *unstorable]
        counts.rejected = len(rejects)
        if rejects:
            add_rejects(self.tx, rejects, self.walk.source, self.dataset, self.now)
        return counts

    def retract(self, deletions: Iterable[Deletion]) -> int:
        told: dict[str, list[Deletion]] = {}
        for item in deletions:
            told.setdefault(f"{self.dataset}:{item.source_id}", []).append(item)
        if not told:
            return 0
        gone: dict[str, Deletion] = {}
        later: list[tuple[str, str]] = []
        known = self._load_known([uid for uid in told if _storable(uid)])
        for uid, state in known.items():
            valid = [item for item in told[uid] if not _outdated(item, state)]
            if not valid:
                continue
            latest = max(valid, key=lambda item: instant_or_none(item.deleted_at) or "")
            stamp = instant_or_none(latest.deleted_at)
            if state.status == "active":
                gone[uid] = latest
            elif stamp is not None and _newer(stamp, state.deleted_at):
                later.append((stamp, uid))
        self._write_retractions(gone, known)
        self.tx.executemany(_DELETED_LATER, later)
        self._keep_unmet({uid: items for uid, items in told.items() if uid not in known})
        self.walk.changed.update(gone)
        return len(gone)

    def _keep_unmet(self, told: dict[str, list[Deletion]]) -> None:
        """Keep deletions of unknown ids; one without a stamp can be held against no row."""
        stamps = [
            (uid, instant_text(item.deleted_at))
            for uid, items in told.items()
            for item in items
            if item.deleted_at is not None and _storable(uid)
        ]
        keep_deletions(self.tx, stamps, self.walk.source, self.now)

    # --- reading ---------------------------------------------------------------------------

    def _without_unread(self, page: Page, unread: Unread) -> Page:
        """Count the unread rows that are held still; the page with the others read after all."""
        known = self._load_known([f"{self.dataset}:{name}" for name in unread.fingerprints])
        served, missed = self.walk.served, []
        for source_id, fingerprint in unread.fingerprints.items():
            uid = f"{self.dataset}:{source_id}"
            state = known.get(uid)
            if state is None or not state.holds(fingerprint):
                missed.append(source_id)
                continue
            self.counts.served += 1
            if served.get(uid) == state.content_hash:
                self.counts.duplicate += 1
            else:
                self.counts.unchanged += 1
                served[uid] = state.content_hash
        return joined(page, unread.read(missed)) if missed else page

    def _read(self, page: Page) -> tuple[list[_Served], list[Reject]]:
        served: list[_Served] = []
        unstorable: list[Reject] = []
        if page.raw and len(page.raw) != len(page.records):
            raise ValueError("a page has one raw text a record, or none")
        prints: Sequence[bytes | None] = page.fingerprints or [None] * len(page.records)
        actors = ActorTexts()
        for record, fingerprint in zip(page.records, prints, strict=True):
            place = len(served) + len(unstorable)
            try:
                self._check(record)
                content, content_hash = content_of(record, actors)
            except Unstorable as finding:
                text = page.raw[place] if page.raw else repr(record)
                unstorable.append(Reject(str(finding), text, record.source_id))
                continue
            served.append(
                _Served(
                    f"{record.dataset}:{record.source_id}",
                    record.source_id,
                    content,
                    content_hash,
                    instant_or_none(record.source_updated_at),
                    fingerprint,
                    place,
                )
            )
        return served, unstorable

    def _last_of_each(self, served: list[_Served]) -> list[_Served]:
        """Of rows with one id and one stamp only the last, in order; the others are duplicates.

        It is the one that would stand in the end. Taken one after the other, two that differ
        would revise each other at every walk that serves them.
        """
        last = {(row.uid, row.stamp): row.place for row in served}
        if len(last) == len(served):
            return served
        kept = [row for row in served if last[row.uid, row.stamp] == row.place]
        self.counts.duplicate += len(served) - len(kept)
        return kept

    def _check(self, record: Record) -> None:
        if record.dataset != self.dataset:
            raise Unstorable(f"the row belongs to {record.dataset!r}, its page to {self.dataset!r}")
        check_identity(record.dataset, record.source_id)

    def _load_known(self, uids: list[str]) -> dict[str, _Known]:
        return {uid: _Known(*cells) for uid, *cells in self.tx.execute(_KNOWN, (json_list(uids),))}

    def _load_unmet(self, served: Sequence[_Served]) -> dict[str, Unmet]:
        unknown = [row.uid for row in served if row.uid not in self.known]
        return deletions_of(self.tx, unknown) if unknown else {}

    # --- deciding --------------------------------------------------------------------------

    def _decide(self, row: _Served) -> None:
        counts, walk = self.counts, self.walk
        again = walk.served.get(row.uid) == row.content_hash
        walk.served[row.uid] = row.content_hash
        known = self.known.get(row.uid)
        verdict = self._verdict(row, known)
        if verdict == "new":
            counts.new += 1
            self.known[row.uid] = _Known(
                row.content_hash, walk.source, row.stamp, "active", 1, self.at, None,
                row.fingerprint,
            )  # fmt: skip
            self.pending.add(row.uid)
            self.fresh.append(row)
        elif verdict == "revised":
            self._revise(row)
        elif again:
            counts.duplicate += 1
        elif verdict == "older":
            counts.older += 1
        else:
            counts.unchanged += 1
        if verdict == "unchanged" and known is not None:
            self._keep_up(row, known)

    def _verdict(self, row: _Served, known: _Known | None) -> _Verdict:
        if known is not None:
            return _verdict(row, known, self.walk.source)
        unmet = self.unmet.get(row.uid)
        forbidden = unmet is not None and unmet.forbids(row.stamp, self.walk.source)
        return "older" if forbidden else "new"

    def _revise(self, row: _Served) -> None:
        if row.uid in self.pending:
            self._flush()
        self.pending.add(row.uid)
        self.revised.append(row)
        known = self.known[row.uid]
        self.known[row.uid] = _Known(
            row.content_hash,
            self.walk.source,
            row.stamp or known.stamp,
            "active",
            known.revision + 1,
            max(self.at, known.revised_at),
            None,
            row.fingerprint,
        )

    def _keep_up(self, row: _Served, known: _Known) -> None:
        """Remember a newer stamp, and what the row looks like that says the same."""
        newer = _newer(row.stamp, known.stamp)
        if not newer and row.fingerprint in {None, known.fingerprint}:
            return
        if known.stamp is None and newer:
            known.source = self.walk.source  # the stamp is its word
        known.stamp = row.stamp if newer else known.stamp
        known.fingerprint = row.fingerprint
        self.pending.add(row.uid)
        self._restamp(row, known)

    def _restamp(self, row: _Served, known: _Known) -> None:
        cells = (known.source, known.stamp, row.content_hash, row.fingerprint, row.uid)
        self.stamps.append(cells)

    # --- writing ---------------------------------------------------------------------------

    def _flush(self) -> None:
        raw_page = self._write_raw()
        if self.fresh:
            self._insert([self._new_row(row, raw_page) for row in self.fresh])
            self.walk.changed.update(row.uid for row in self.fresh)
            met = [row.uid for row in self.fresh if row.uid in self.unmet]
            if met:
                drop_deletions(self.tx, met)
        if self.revised:
            self._write_revisions(raw_page)
        if self.stamps:
            self.tx.executemany(_RESTAMP, self.stamps)
        for batch in (self.fresh, self.revised, self.stamps, self.pending):
            batch.clear()

    def _insert(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Many rows a statement: one step of SQLite, in which other threads may go on."""
        whole = len(rows) - len(rows) % _INSERT_ROWS
        for start in range(0, whole, _INSERT_ROWS):
            cells = [*chain.from_iterable(rows[start : start + _INSERT_ROWS])]
            self.tx.execute(_INSERT_MANY, cells)
        self.tx.executemany(_INSERT, rows[whole:])

    def _write_raw(self) -> int | None:
        if not self.raw or not (self.fresh or self.revised):
            return None
        rows = {row.source_id: self.raw[row.place] for row in (*self.fresh, *self.revised)}
        return add_raw_page(self.tx, rows, self.walk.source, self.dataset, self.at)

    def _new_row(self, row: _Served, raw_page: int | None) -> tuple[Any, ...]:
        known_at, backfilled = self.at, int(self.walk.backfill)
        if row.stamp is not None and row.stamp < self.at:
            backfilled = int(self.walk.backfill or row.stamp < self.backfill_before)
            known_at = row.stamp if backfilled else self.at
        return (
            row.uid, self.dataset, row.source_id, *row.content, self.walk.source, "active", 1,
            row.stamp, self.at, known_at, backfilled, self.at, None, "", None, row.content_hash,
            row.fingerprint, raw_page,
        )  # fmt: skip

    def _write_revisions(self, raw_page: int | None) -> None:
        before = self._load_before([row.uid for row in self.revised])
        updates: list[tuple[Any, ...]] = []
        revisions: list[tuple[Any, ...]] = []
        for row in self.revised:
            was = before[row.uid]
            changed = _changed(was, row.content)
            if not changed:  # the hash was taken by another rule; the content is the same
                self.counts.unchanged += 1
                known = self.known[row.uid]
                known.revision -= 1
                known.source = was["source"]
                self._restamp(row, known)
                continue
            self._count_revision(row.uid, was)
            kind = "revised" if was["status"] == "active" else "reinstated"
            revisions.append(self._revision(row.uid, self.known[row.uid], kind, changed, was))
            updates.append(self._revised_row(row, was, raw_page))
        self.tx.executemany(_REVISION, revisions)
        self.tx.executemany(_UPDATE, updates)

    def _count_revision(self, uid: str, was: dict[str, Any]) -> None:
        self.counts.revised += 1
        self.counts.reinstated += was["status"] != "active"
        self.walk.changed.add(uid)

    def _revised_row(
        self, row: _Served, was: dict[str, Any], raw_page: int | None
    ) -> tuple[Any, ...]:
        known = self.known[row.uid]
        page = was["raw_page"] if raw_page is None else raw_page
        return (
            *row.content, self.walk.source, known.revision, known.revised_at, known.stamp,
            row.content_hash, row.fingerprint, "active", None, "", None, page, row.uid,
        )  # fmt: skip

    def _write_retractions(self, gone: dict[str, Deletion], known: dict[str, _Known]) -> None:
        before = self._load_before(list(gone))
        updates: list[tuple[Any, ...]] = []
        revisions: list[tuple[Any, ...]] = []
        for uid, deletion in gone.items():
            state = known[uid]
            state.revision += 1
            state.revised_at = max(self.at, state.revised_at)
            was = before[uid]
            changed = {name: was[name] for name in _LIFE_COLUMNS}
            revisions.append(self._revision(uid, state, "retracted", changed, was))
            updates.append((
                state.revised_at, clean_text(deletion.reason, _REASON_LIMIT),
                instant_or_none(deletion.deleted_at), state.revision, state.revised_at,
                self.walk.source, uid,
            ))  # fmt: skip
        self.tx.executemany(_REVISION, revisions)
        self.tx.executemany(_RETRACT, updates)

    def _revision(
        self, uid: str, state: _Known, kind: str, changed: dict[str, Any], was: dict[str, Any]
    ) -> tuple[Any, ...]:
        return (
            uid, state.revision, state.revised_at, kind, self.walk.source,
            json.dumps(changed, ensure_ascii=False), was["source"], was["source_updated_at"],
            was["revised_at"], was["raw_page"],
        )  # fmt: skip

    def _load_before(self, uids: list[str]) -> dict[str, dict[str, Any]]:
        cursor = self.tx.execute(_BEFORE, (json_list(uids),))
        names = [column[0] for column in cursor.description]
        return {cells[0]: dict(zip(names, cells, strict=True)) for cells in cursor}


def _verdict(row: _Served, known: _Known, source: str) -> _Verdict:
    """What becomes of a row of a known event that `source` serves."""
    if row.stamp is not None and _newer(known.stamp, row.stamp):
        return "older"
    if known.status == "active" and row.content_hash == known.content_hash:
        return "unchanged"
    if row.stamp is None and known.stamp is not None and source != known.source:
        return "older"
    if known.status == "active" or _undoes(row, known, source):
        return "revised"
    return "older"


def _undoes(row: _Served, known: _Known, source: str) -> bool:
    """Whether a row is newer than the deletion of its event, or as good as that.

    Two stamps decide. Else whoever withdrew the event may bring it back, and another source only
    by a later edit than the one that was withdrawn: an old export still holds what is gone.
    """
    if known.deleted_at is not None and row.stamp is not None:
        return row.stamp > known.deleted_at
    own = source == known.source or known.retracted_reason == NOT_IN_SNAPSHOT
    return own or _newer(row.stamp, known.stamp)


def _newer(stamp: str | None, than: str | None) -> bool:
    """Whether `stamp` is a later one; any stamp is later than none."""
    return stamp is not None and (than is None or stamp > than)


def _outdated(deletion: Deletion, known: _Known) -> bool:
    """The event was stamped after it was deleted: the source has brought it back."""
    return _newer(known.stamp, instant_or_none(deletion.deleted_at)) and bool(deletion.deleted_at)


def _changed(was: dict[str, Any], content: Content) -> dict[str, Any]:
    """Column → old value, of the content and, for a reinstated event, of its status."""
    changed = {
        name: was[name]
        for name, new in zip(CONTENT_COLUMNS, content, strict=True)
        if was[name] != new
    }
    if was["status"] != "active":
        changed |= {name: was[name] for name in _LIFE_COLUMNS}
    return changed


def _storable(uid: str) -> bool:
    try:
        uid.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in uid
