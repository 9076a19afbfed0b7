"""What every feed looks like to the ingest step.

Standing in the flow: a source yields pages of records; `warden.ingest` commits each page in one
transaction and moves the source's memory only when the whole walk has ended well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, Protocol

from warden.model.event import Record

SourceState = Literal[
    "ok",
    "embargoed",
    "auth_failed",
    "consent_required",
    "profile_incomplete",
    "access_denied",
    "blocked",
    "truncated",
    "schema_drift",
    "stale",
    "paused",
    "unreachable",
    "disabled",
]


# A key in the memory of a source that can be quiet for long: None, or the {"state", "sentence"}
# that its quiet polls go on telling. `ingest` puts the doubt about a walk there.
STANDING = "standing"

# The reason of a withdrawal that nobody spoke of: a snapshot lacked the event. Weaker than a word
# about the event itself, so that whoever serves the event takes it back.
NOT_IN_SNAPSHOT = "no longer in the source's snapshot"


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be read: its reason, its raw text (bounded), its place."""

    reason: str
    raw: str
    source_id: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Deletion:
    """The source says that this id is gone."""

    source_id: str
    deleted_at: datetime | None = None
    reason: str = "deleted by the source"


@dataclass(frozen=True, slots=True)
class Page:
    """One committed unit of a walk. served = records + rejects + foreign + unread.

    Attributes:
        dataset: the dataset of all records and deletions in it.
        raw: the raw rows, one text a record in the same order, or () to keep none.
        foreign: rows outside the source's own filter, counted and dropped.
        fingerprints: one a record in the same order, or (): see `Unread`.
        unread: rows that were recognised; none of their ids stands elsewhere in the page.
    """

    dataset: str
    records: Sequence[Record] = ()
    rejects: Sequence[Reject] = ()
    deletions: Sequence[Deletion] = ()
    foreign: int = 0
    raw: Sequence[str] = ()
    fingerprints: Sequence[bytes] = ()
    unread: Unread | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """Rows that were not read, since the store was found to hold what they say.

    A row's fingerprint stands for all that decides its record: its cells, the code that reads
    them and its settings. Equal fingerprints are equal records.

    Attributes:
        fingerprints: source id → fingerprint.
        read: read some of them after all, into a page of their own, for a store that has changed
            its mind since.
    """

    fingerprints: Mapping[str, bytes]
    read: Callable[[Collection[str]], Page]


def joined(page: Page, more: Page) -> Page:
    """Both as one, without what is unread; either both have raw texts and so on, or none has."""
    return Page(
        page.dataset,
        (*page.records, *more.records),
        (*page.rejects, *more.rejects),
        (*page.deletions, *more.deletions),
        page.foreign + more.foreign,
        (*page.raw, *more.raw),
        (*page.fingerprints, *more.fingerprints),
    )


@dataclass(frozen=True, slots=True)
class Held:
    """What a source must know of a row that it leaves unread: when and where it happened."""

    event_date: date
    iso3: str


# (dataset, source id → fingerprint of the row served) → those the store holds from just that row.
Recogniser = Callable[[str, Mapping[str, bytes]], Mapping[str, Held]]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a full walk or a snapshot claims to be the whole truth about.

    Events of `dataset` in these countries (alpha-3; None = any) and days (None = unbounded) that
    the walk did not serve are gone, or must be looked up. `seen` are the source ids served,
    including those of rejected rows.
    """

    dataset: str
    countries: frozenset[str] | None
    first_day: date | None
    last_day: date | None
    seen: frozenset[str]
    look_up: bool


@dataclass(frozen=True, slots=True)
class PollOutcome:
    """How a walk ended.

    Attributes:
        state: the named state. `sentence`: its words to the operator.
        memory: what to remember for the next poll (JSON-able), None = move nothing.
        complete_through: the newest event date that finished releases cover, if known.
        coverage: set after a full walk or a snapshot.
        envelope: what the server said around the rows, for `poll_runs`.
        no_data_since: while embargoed or stale: the day after which nothing is known.
        not_before: the source asked not to be polled before (429, 503; bounded).
    """

    state: SourceState
    sentence: str
    memory: Mapping[str, Any] | None = None
    complete_through: date | None = None
    coverage: Coverage | None = None
    envelope: Mapping[str, Any] = field(default_factory=dict)
    no_data_since: date | None = None
    not_before: datetime | None = None


class Source(Protocol):
    """A feed of events."""

    @property
    def name(self) -> str:
        """The operator's name of it, unique."""
        ...

    @property
    def kind(self) -> str:
        """Its kind in the settings."""
        ...

    def poll(self, memory: Mapping[str, Any], now: datetime) -> Generator[Page, None, PollOutcome]:
        """Walk what is new since `memory`: yield pages, return the outcome.

        Raises nothing but `SourceError`.
        """
        ...

    def look_up(self, ids: Sequence[str], now: datetime) -> Generator[Page, None, PollOutcome]:
        """Ask for these ids one by one (monthly reconcile).

        Those the source no longer has come back as deletions, those it has as records. A source
        that cannot ask yields nothing.
        """
        ...


class Recognising(Protocol):
    """A source that can leave rows unread; what its walks count and cover stays the same."""

    def recognise_by(self, recogniser: Recogniser) -> None:
        """Leave rows unread that `recogniser` says are held, from the next walk on."""
        ...
