"""Reading files of rows as pages, with what they held tallied for the outcome.

Standing in the flow: `file` reads the files of its folder with this, and `read_files` those named
on the command line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from warden.collector import collector_paused
from warden.errors import SourceError, UsageError
from warden.model.event import Record
from warden.regular import NOT_REGULAR
from warden.sources.acled_rows import COLUMNS, DATASET, REQUIRED, AcledRows, RowFilter
from warden.sources.field_map import FieldMap, MappedRows
from warden.sources.fingerprints import Fingerprints
from warden.sources.page_reading import PageReader, Parser
from warden.sources.protocol import STANDING, Coverage, Held, Page, PollOutcome, Recogniser
from warden.sources.tables import Table, TableError, open_table

PAGE_ROWS = 2_000
DRIFT_SHARE = 0.2
LEAST_REJECTS = 5  # fewer bad rows are no drift, however short the file
ACTOR_BASED_ROWS = 20_000  # rows sorted by actor rather than event would show it later
ACTOR_BASED_SHARE = 0.005
MAX_BYTES = 2 << 30


class FileRefusedError(SourceError):
    """A whole file that cannot be read; the message is a sentence about it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, state="schema_drift", retryable=False)


@dataclass(slots=True)
class Tally:
    """What a file held, or the files of one poll.

    Attributes:
        newest, oldest: event dates. countries, seen: for a snapshot.
        nameless: a row has no id, so that it is not known what a snapshot lacks.
        refused: sentences about files that were refused, or changed while they were read.
        put_aside: the names of refused files in `rejected/`.
        stuck: sentences about files that the system would not let be read, or put away.
    """

    files: int = 0
    records: int = 0
    rejected: int = 0
    foreign: int = 0
    newest: date | None = None
    oldest: date | None = None
    countries: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    nameless: bool = False
    refused: list[str] = field(default_factory=list)
    put_aside: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    def include(self, file: Tally) -> None:
        """Count another file in, for what is told of the poll; claims of snapshots stay apart."""
        self.files += file.files
        self.records += file.records
        self.rejected += file.rejected
        self.foreign += file.foreign
        self.newest = later(self.newest, file.newest)
        self.refused += file.refused
        self.put_aside += file.put_aside
        self.stuck += file.stuck

    def add(self, page: Page, held: Mapping[str, Held], *, names: bool) -> None:
        """Count a page and its rows that were left unread; `names`: keep the ids too."""
        self.records += len(page.records) + len(held)
        self.rejected += len(page.rejects)
        self.foreign += page.foreign
        known: list[Record | Held] = [*page.records, *held.values()]
        days = {event.event_date for event in known}
        self.newest = max(days | ({self.newest} if self.newest else set()), default=None)
        self.oldest = min(days | ({self.oldest} if self.oldest else set()), default=None)
        if names:
            self.seen.update(record.source_id for record in page.records)
            self.seen.update(reject.source_id for reject in page.rejects)
            self.seen.update(held)
            self.countries.update(event.iso3 for event in known)
            self.nameless |= any(not reject.source_id for reject in page.rejects)

    @property
    def whole(self) -> bool:
        """Whether all that was begun was read to its end."""
        return self.files > 0 and not self.refused

    @property
    def words(self) -> str:
        """What was read, for the operator."""
        files = "1 file" if self.files == 1 else f"{self.files} files"
        return (
            f"{files} read, {self.records} rows"
            + (f", {self.rejected} rejected" if self.rejected else "")
            + (f", {self.foreign} outside the filter" if self.foreign else "")
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read: the settings that both the drop and the command line have."""

    dataset: str
    field_map: FieldMap | None
    countries: tuple[str, ...]
    keep_raw: bool
    max_bytes: int
    snapshot: bool

    def pages(
        self, path: Path, tally: Tally, now: datetime, recogniser: Recogniser | None
    ) -> Generator[Page, None, None]:
        """A file's rows; raises `FileRefusedError` before or between pages."""
        table = self._open(path)
        columns, identifier, parser = self._parser(table, path, now)
        reader = PageReader(
            self.dataset,
            parser,
            columns.index(identifier),
            self.keep_raw,
            Fingerprints(self.dataset, self.countries, self.field_map, columns),
            recogniser if self._recognisable else None,
        )
        rows = table.rows(columns, identifier)
        met = bad = 0
        while True:
            with collector_paused():
                chunk = list(islice(rows, PAGE_ROWS))
                page, held = reader.page(chunk)
            if not chunk:
                break
            if len(chunk) == PAGE_ROWS:  # a rest is judged with the page before it: a few lines
                met = bad = 0  # of notes at a long file's end are no drift
            met, bad = met + len(chunk), bad + len(page.rejects)
            _refuse_drift(path, page, met, bad)
            tally.add(page, held, names=self.snapshot)
            yield page
        tally.files += 1

    @property
    def _recognisable(self) -> bool:
        """Whether an id is its cell; where it is mapped, several cells may be one id."""
        return self.field_map is None or not (self.field_map.id.values or self.field_map.id.default)

    def _open(self, path: Path) -> Table:
        try:
            return open_table(path, self.max_bytes)
        except TableError as error:
            raise FileRefusedError(f"{path.name} was refused: {error}") from None
        except (OSError, UnicodeError) as error:
            raise FileRefusedError(f"{path.name} cannot be read ({error})") from None

    def _parser(self, table: Table, path: Path, now: datetime) -> tuple[Sequence[str], str, Parser]:
        row_filter = RowFilter(frozenset(self.countries) if self.countries else None)
        if self.field_map is not None:
            mapped = MappedRows(self.field_map, self.dataset, now, row_filter)
            _require(table, path, mapped.columns, "the `field_map` names")
            return mapped.columns, mapped.id_column, mapped
        _require(table, path, REQUIRED, "an ACLED export has (set `field_map` for other files)")
        _refuse_actor_based(table, path)
        return COLUMNS, "event_id_cnty", AcledRows(now, row_filter)

    def coverage(self, tally: Tally) -> Coverage | None:
        """What a snapshot claims: its countries, from its first to its last day.

        None when it is no snapshot, is empty, or holds damaged rows whose ids are unknown: these
        may be events that would be withdrawn.
        """
        countries = frozenset(code for code in tally.countries if code)
        if not self.snapshot or tally.nameless or not countries or tally.oldest is None:
            return None
        return Coverage(
            dataset=self.dataset,
            countries=countries,
            first_day=tally.oldest,
            last_day=tally.newest,
            seen=frozenset(tally.seen),
            look_up=False,
        )


class NamedFiles:
    """Files named on the command line; implements `protocol.Source`, and remembers nothing."""

    kind = "file"

    def __init__(
        self, name: str, paths: Sequence[Path], reading: Reading, *, max_retract: float
    ) -> None:
        self.max_retract = max_retract
        self._name = name
        self._paths = tuple(paths)
        self._reading = reading
        self._recogniser: Recogniser | None = None

    @property
    def name(self) -> str:
        """The source that the events are stored under."""
        return self._name

    def recognise_by(self, recogniser: Recogniser) -> None:
        """Leave rows unread that the store holds just so."""
        self._recogniser = recogniser

    def poll(
        self,
        memory: Mapping[str, Any],
        now: datetime,
    ) -> Generator[Page, None, PollOutcome]:
        """Read the files in the order given; raises `FileRefusedError`."""
        tally = Tally()
        for path in self._paths:
            try:
                yield from self._reading.pages(path, tally, now, self._recogniser)
            except OSError as error:
                raise FileRefusedError(f"{path.name} cannot be read ({error})") from None
        known = later(day_in(memory), tally.newest)
        return PollOutcome(
            state="ok",
            sentence=tally.words,
            memory={**memory, "complete_through": known and known.isoformat(), STANDING: None},
            complete_through=known,
            coverage=self._reading.coverage(tally),
            envelope=about(tally),
        )

    def look_up(
        self,
        ids: Sequence[str],  # noqa: ARG002 - the protocol's shape
        now: datetime,  # noqa: ARG002
    ) -> Generator[Page, None, PollOutcome]:
        """Files cannot be asked."""
        yield from ()
        return PollOutcome("ok", "files cannot be asked for single events")


def read_files(
    paths: Iterable[str | Path],
    *,
    source_name: str,
    field_map: FieldMap | None = None,
    snapshot: bool = False,
    dataset: str | None = None,
    countries: Sequence[str] = (),
    keep_raw: bool = True,
    max_retract: float = 0.2,
) -> NamedFiles:
    """The files as a source, for `warden ingest` and `--events`; nothing is moved.

    Arguments:
        source_name: what the events are stored under.
        field_map: for files that are no ACLED exports.
        snapshot: the file is the whole truth; takes one file.
        dataset: with a `field_map`: what the rows belong to (default: `source_name`).
        countries: alpha-3 codes of the rows wanted; none = all.
        max_retract: the largest share of the covered events that a snapshot may withdraw.
    """
    files = [Path(path) for path in paths]
    require_files(files)
    if snapshot and len(files) != 1:
        raise UsageError("a snapshot is one file: name exactly one")
    reading = Reading(
        dataset=DATASET if field_map is None else dataset or source_name,
        field_map=field_map,
        countries=tuple(countries),
        keep_raw=keep_raw,
        max_bytes=MAX_BYTES,
        snapshot=snapshot,
    )
    return NamedFiles(source_name, files, reading, max_retract=max_retract)


def require_files(paths: Iterable[Path]) -> None:
    """Raise UsageError, naming them all, for paths that are missing or no regular files."""
    paths = tuple(paths)
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise UsageError(f"no such file: {', '.join(missing)}")
    other = [str(path) for path in paths if not path.is_file()]
    if other:
        raise UsageError(f"{NOT_REGULAR}: {', '.join(other)}")


# --- rows -------------------------------------------------------------------------------------


def _refuse_drift(path: Path, page: Page, rows: int, bad: int) -> None:
    """Raise when more than a fifth of these rows, of which `page` has the last, cannot be used."""
    if bad < LEAST_REJECTS or bad <= DRIFT_SHARE * rows or not page.rejects:
        return
    reason, times = Counter(reject.reason for reject in page.rejects).most_common(1)[0]
    raise FileRefusedError(
        f"{path.name} was refused: {bad} of {rows} rows on a page cannot be read, {times} of them "
        f"because {reason}; pages before it were kept"
    )


def _require(table: Table, path: Path, columns: Iterable[str], whose: str) -> None:
    if table.columns is None:  # an empty list: nothing was refused, nothing came
        return
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise FileRefusedError(
            f"{path.name} was refused: it has no column {', '.join(missing)}, which {whose}"
        )


class _Actors:
    """Notices rows that are actors, not events: an id repeats, at one stamp, with other actors.

    Two versions of an event in one file differ in their stamp, and a plain duplicate in nothing.
    """

    COLUMNS = ("event_id_cnty", "actor1", "actor2", "timestamp")

    def __init__(self) -> None:
        self._first: dict[int, int] = {}
        self._mixed: set[str] = set()

    def meet(self, source_id: str, actor1: str, actor2: str, stamp: str) -> None:
        """Take note of a row."""
        actors = hash((actor1, actor2))
        if source_id and self._first.setdefault(hash((source_id, stamp)), actors) != actors:
            self._mixed.add(source_id)

    def refuse(self, path: Path) -> None:
        """Raise if this is an actor-based export."""
        if self._mixed and len(self._mixed) >= ACTOR_BASED_SHARE * len(self._first):
            raise FileRefusedError(
                f"{path.name} was refused: it is an actor-based export, where each event has a "
                f"row for each actor ({min(self._mixed)[:64]} comes with several); export it "
                "event-based"
            )


def _refuse_actor_based(table: Table, path: Path) -> None:
    """Raise if the beginning of a file shows that it is an actor-based export."""
    actors = _Actors()
    for cells in table.glance(_Actors.COLUMNS, ACTOR_BASED_ROWS):
        actors.meet(*cells[:4])
    actors.refuse(path)


# --- memory -----------------------------------------------------------------------------------


def day_in(memory: Mapping[str, Any]) -> date | None:
    """The newest event date read so far, as remembered."""
    try:
        return date.fromisoformat(memory["complete_through"])
    except (KeyError, TypeError, ValueError):
        return None


def later(one: date | None, other: date | None) -> date | None:
    """The later of two days, either of which may be unknown."""
    return max((day for day in (one, other) if day is not None), default=None)


def about(tally: Tally) -> dict[str, Any]:
    """What is kept with the poll."""
    return {
        "files": tally.files,
        "rejected": tally.rejected,
        "foreign": tally.foreign,
        "refused": tally.refused,
        "stuck": tally.stuck,
    }
