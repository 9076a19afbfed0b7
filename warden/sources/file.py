"""The file drop: exports put into a folder, or named on the command line.

Standing in the flow: a `Source` that `warden.ingest` polls. A file is read page by page; it is
moved to `processed/` when its last page has been committed, or, for a snapshot, at the next poll,
when what it withdrew has been committed too. A file that is read twice changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from pydantic import BeforeValidator, Field, model_validator

from warden.errors import SourceError, UsageError
from warden.model.event import Record
from warden.sources import inbox, schedule
from warden.sources.acled_rows import COLUMNS, DATASET, FOREIGN, REQUIRED, AcledRows, RowFilter
from warden.sources.common import Name, SourceSettings, alpha_3
from warden.sources.field_map import FieldMap, MappedRows
from warden.sources.protocol import Coverage, Page, PollOutcome, Reject, SourceState
from warden.sources.tables import Row, Table, TableError, open_table, shown
from warden.sources.values import RowError, known_id

PAGE_ROWS = 2_000
DRIFT_SHARE = 0.2
DRIFT_LEAST_ROWS = 50  # a shorter page with bad rows is a small file with bad rows, no drift
ACTOR_BASED_ROWS = 200_000
ACTOR_BASED_SHARE = 0.005
MAX_BYTES = 2 << 30


class FileSettings(SourceSettings):
    """One file drop.

    Attributes:
        path: a folder to watch, or one file that is read again whenever it changes.
        dataset: what the rows belong to; "acled" for ACLED exports, else the source's name.
        snapshot: each file is the whole truth for its countries and span of dates.
        max_retract: the largest share of the covered events that a snapshot may withdraw.
        field_map: which column holds what, for files that are no ACLED exports.
        countries: take only rows of these; none = all.
        settle_s: how long a file must be unchanged where the system can't tell who writes it.
        max_bytes: of one file.
    """

    kind: Literal["file"] = "file"
    path: Path
    every: schedule.Every = timedelta(minutes=1)
    dataset: Name | None = None
    snapshot: bool = False
    max_retract: Annotated[float, Field(ge=0.0, le=1.0)] = 0.2
    field_map: FieldMap | None = None
    countries: Annotated[tuple[str, ...], BeforeValidator(alpha_3)] = ()
    settle_s: Annotated[float, Field(ge=0.0, le=3_600.0)] = 2.0
    max_bytes: Annotated[int, Field(ge=1)] = MAX_BYTES

    @model_validator(mode="after")
    def _own_dataset(self) -> FileSettings:
        if self.field_map is not None and self.dataset == DATASET:
            raise ValueError("a `field_map` makes a dataset of its own: choose another `dataset`")
        if self.field_map is None and self.dataset not in {None, DATASET}:
            raise ValueError("without a `field_map` the files are ACLED exports: drop `dataset`")
        return self


class FileRefused(SourceError):
    """A whole file that cannot be read; the message is a sentence about it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, state="schema_drift", retryable=False)


class _Parser(Protocol):
    def parse(self, row: Sequence[str]) -> Record | Literal["foreign"]: ...


@dataclass(slots=True)
class _Tally:
    """What the files of one poll held."""

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

    def add(self, page: Page, *, names: bool) -> None:
        """Count a page; `names`: keep the ids too, for a snapshot."""
        self.records += len(page.records)
        self.rejected += len(page.rejects)
        self.foreign += page.foreign
        days = [record.event_date for record in page.records]
        self.newest = max([*days, *([self.newest] if self.newest else [])], default=None)
        self.oldest = min([*days, *([self.oldest] if self.oldest else [])], default=None)
        if names:
            self.seen.update(record.source_id for record in page.records)
            self.seen.update(reject.source_id for reject in page.rejects)
            self.countries.update(record.iso3 for record in page.records)
            self.nameless |= any(not reject.source_id for reject in page.rejects)

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
class _Reading:
    """How files are read: the settings that both the drop and the command line have."""

    dataset: str
    field_map: FieldMap | None
    countries: tuple[str, ...]
    keep_raw: bool
    max_bytes: int
    snapshot: bool

    def pages(self, path: Path, tally: _Tally, now: datetime) -> Generator[Page, None, None]:
        """A file's rows; raises `FileRefused` before or between pages."""
        table = self._open(path)
        columns, identifier, parser = self._parser(table, path, now)
        place = columns.index(identifier)
        for chunk in _chunks(table.rows(columns, identifier)):
            page = _parsed(chunk, parser, self.dataset, place, keep_raw=self.keep_raw)
            _refuse_drift(path, page, len(chunk))
            tally.add(page, names=self.snapshot)
            yield page
        tally.files += 1

    def _open(self, path: Path) -> Table:
        try:
            return open_table(path, self.max_bytes)
        except TableError as error:
            raise FileRefused(f"{path.name} was refused: {error}") from None
        except (OSError, UnicodeError) as error:
            raise FileRefused(f"{path.name} cannot be read ({error})") from None

    def _parser(
        self, table: Table, path: Path, now: datetime
    ) -> tuple[Sequence[str], str, _Parser]:
        row_filter = RowFilter(frozenset(self.countries) if self.countries else None)
        if self.field_map is not None:
            mapped = MappedRows(self.field_map, self.dataset, now, row_filter)
            _require(table, path, mapped.columns, "the `field_map` names")
            return mapped.columns, mapped.id_column, mapped
        _require(
            table, path, REQUIRED, "an ACLED export has (set `field_map` for other files)"
        )
        _refuse_actor_based(table, path)
        return COLUMNS, "event_id_cnty", AcledRows(now, row_filter)

    def coverage(self, tally: _Tally) -> Coverage | None:
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


class FileSource:
    """Polls a folder or a file; implements `protocol.Source`.

    Its memory: `complete_through` (the newest event date read), `read` (the signature of the one
    file, or of the snapshot that is to be moved when its withdrawals are committed).
    """

    kind = "file"

    def __init__(self, settings: FileSettings) -> None:
        self.settings = settings
        self.max_retract = settings.max_retract
        own = settings.dataset or settings.name
        self._reading = _Reading(
            dataset=DATASET if settings.field_map is None else own,
            field_map=settings.field_map,
            countries=settings.countries,
            keep_raw=settings.keep_raw,
            max_bytes=settings.max_bytes,
            snapshot=settings.snapshot,
        )

    @property
    def name(self) -> str:
        """The operator's name of it."""
        return self.settings.name

    def poll(
        self, memory: Mapping[str, Any], now: datetime
    ) -> Generator[Page, None, PollOutcome]:
        """Read every waiting file; of snapshots, one a poll."""
        path = self.settings.path
        try:
            if path.is_dir():
                return (yield from self._folder(memory, now))
            if path.is_file():
                return (yield from self._file(memory, now))
        except OSError as error:
            return self._nothing(
                memory,
                f"{path} cannot be used ({error.strerror or error}); give warden the right to "
                "read the files and to move them",
                "access_denied",
            )
        return self._nothing(
            memory, f"{path} does not exist; create it or correct `path`", "unreachable"
        )

    def look_up(
        self,
        ids: Sequence[str],  # noqa: ARG002 - the protocol's shape
        now: datetime,  # noqa: ARG002
    ) -> Generator[Page, None, PollOutcome]:
        """A folder cannot be asked."""
        yield from ()
        return PollOutcome("ok", "a file drop cannot be asked for single events")

    def _folder(
        self, memory: Mapping[str, Any], now: datetime
    ) -> Generator[Page, None, PollOutcome]:
        ready, busy = inbox.waiting(self.settings.path, self.settings.settle_s)
        done = memory.get("read")
        for file in [file for file in ready if file.signature == done]:
            inbox.keep(file)
            ready.remove(file)
        chosen = ready[:1] if self.settings.snapshot else ready
        tally = _Tally()
        for file in chosen:
            yield from self._one(file, tally, now)
        if not chosen:
            being = f"; {busy} still being written" if busy else ""
            return self._nothing(memory, f"no new files{being}", "ok")
        waiting = len(ready) - len(chosen)
        return self._outcome(memory, tally, chosen[0] if self.settings.snapshot else None, waiting)

    def _one(self, file: inbox.Waiting, tally: _Tally, now: datetime) -> Generator[Page, None, None]:
        """One file of the folder, from its first page to its place in a subfolder."""
        try:
            with inbox.steady(file):
                yield from self._reading.pages(file.path, tally, now)
        except FileRefused as error:
            tally.refused.append(str(error))
            inbox.refuse(file, str(error))
        except inbox.Changed as error:
            tally.nameless = True  # a snapshot that moved is no snapshot
            tally.refused.append(str(error))
        else:
            if not self.settings.snapshot or self._reading.coverage(tally) is None:
                inbox.keep(file)

    def _file(
        self, memory: Mapping[str, Any], now: datetime
    ) -> Generator[Page, None, PollOutcome]:
        """The one file, if it has changed since it was read."""
        file = inbox.look(self.settings.path)
        if file is None or file.signature == memory.get("read"):
            return self._nothing(memory, f"{self.settings.path.name} has not changed", "ok")
        if inbox.being_written(file, self.settings.settle_s):
            return self._nothing(
                memory, f"{self.settings.path.name} is still being written", "ok"
            )
        tally = _Tally()
        try:
            with inbox.steady(file):
                yield from self._reading.pages(file.path, tally, now)
        except inbox.Changed as error:
            return self._nothing(memory, str(error), "ok")
        except FileRefused as error:
            tally.refused.append(str(error))
        return self._outcome(memory, tally, file, 0)

    def _outcome(
        self, memory: Mapping[str, Any], tally: _Tally, read: inbox.Waiting | None, waiting: int
    ) -> PollOutcome:
        coverage = None if tally.refused else self._reading.coverage(tally)
        sentence = "; ".join([tally.words, *tally.refused])
        if self.settings.snapshot and coverage is None and not tally.refused:
            sentence += "; nothing was withdrawn, since some rows have no id or no country"
        if waiting:
            sentence += f"; {waiting} more waiting"
        known = _later(_day_in(memory), tally.newest)
        return PollOutcome(
            state="schema_drift" if tally.refused else "ok",
            sentence=sentence,
            memory={
                "complete_through": known and known.isoformat(),
                "read": None if read is None else read.signature,
            },
            complete_through=known,
            coverage=coverage,
            envelope=_about(tally),
        )

    @staticmethod
    def _nothing(memory: Mapping[str, Any], sentence: str, state: SourceState) -> PollOutcome:
        return PollOutcome(state, sentence, complete_through=_day_in(memory))


class NamedFiles:
    """Files named on the command line; implements `protocol.Source`, and remembers nothing."""

    kind = "file"
    max_retract = 0.2

    def __init__(self, name: str, paths: Sequence[Path], reading: _Reading) -> None:
        self._name = name
        self._paths = tuple(paths)
        self._reading = reading

    @property
    def name(self) -> str:
        """The source that the events are stored under."""
        return self._name

    def poll(
        self,
        memory: Mapping[str, Any],
        now: datetime,
    ) -> Generator[Page, None, PollOutcome]:
        """Read the files in the order given; raises `FileRefused` at the first that can't be."""
        tally = _Tally()
        for path in self._paths:
            yield from self._reading.pages(path, tally, now)
        known = _later(_day_in(memory), tally.newest)
        return PollOutcome(
            state="ok",
            sentence=tally.words,
            memory={**memory, "complete_through": known and known.isoformat()},
            complete_through=known,
            coverage=self._reading.coverage(tally),
            envelope=_about(tally),
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
) -> NamedFiles:
    """The files as a source, for `warden ingest` and `--events`; nothing is moved.

    Arguments:
        source_name: what the events are stored under.
        field_map: for files that are no ACLED exports.
        snapshot: the file is the whole truth; takes one file.
        dataset: with a `field_map`: what the rows belong to (default: `source_name`).
        countries: alpha-3 codes of the rows wanted; none = all.
    """
    files = [Path(path) for path in paths]
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        raise UsageError(f"no such file: {', '.join(missing)}")
    if snapshot and len(files) != 1:
        raise UsageError("a snapshot is one file: name exactly one")
    reading = _Reading(
        dataset=DATASET if field_map is None else dataset or source_name,
        field_map=field_map,
        countries=tuple(countries),
        keep_raw=keep_raw,
        max_bytes=MAX_BYTES,
        snapshot=snapshot,
    )
    return NamedFiles(source_name, files, reading)


# --- rows -------------------------------------------------------------------------------------


def _chunks(rows: Iterable[Row]) -> Generator[list[Row], None, None]:
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) >= PAGE_ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _parsed(
    chunk: Sequence[Row], parser: _Parser, dataset: str, place: int, *, keep_raw: bool
) -> Page:
    """Rows as a page: a row that cannot be used is a reject and stops nothing.

    `place` is where the id stands among the cells.
    """
    records: list[Record] = []
    rejects: list[Reject] = []
    raw: list[str] = []
    foreign = 0
    parse = parser.parse
    for row in chunk:
        if row.cells is None:
            rejects.append(Reject(row.reason, row.raw, row.source_id, row.line))
            continue
        try:
            parsed = parse(row.cells)
        except RowError as error:
            source_id = known_id(row.cells[place])
            rejects.append(Reject(str(error), shown(row.raw), source_id, row.line))
            continue
        if parsed == FOREIGN:
            foreign += 1
            continue
        records.append(parsed)
        if keep_raw:
            raw.append(row.raw)
    return Page(dataset, records=records, rejects=rejects, foreign=foreign, raw=raw)


def _refuse_drift(path: Path, page: Page, rows: int) -> None:
    """Raise when more than a fifth of a long page cannot be used."""
    bad = len(page.rejects)
    if rows < DRIFT_LEAST_ROWS or bad <= DRIFT_SHARE * rows:
        return
    reason, times = Counter(reject.reason for reject in page.rejects).most_common(1)[0]
    raise FileRefused(
        f"{path.name} was refused: {bad} of {rows} rows on a page cannot be read, {times} of them "
        f"because {reason}; pages before it were kept"
    )


def _require(table: Table, path: Path, columns: Iterable[str], whose: str) -> None:
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise FileRefused(
            f"{path.name} was refused: it has no column {', '.join(missing)}, which {whose}"
        )


def _refuse_actor_based(table: Table, path: Path) -> None:
    """Raise if the rows are actors, not events: an id repeats, at one stamp, with other actors.

    Two versions of an event in one file differ in their stamp, and a plain duplicate in nothing.
    """
    first: dict[str, int] = {}
    mixed: set[str] = set()
    columns = ("event_id_cnty", "actor1", "actor2", "timestamp")
    for number, row in enumerate(table.rows(columns, columns[0])):
        if number >= ACTOR_BASED_ROWS:
            break
        if row.cells is None or not row.cells[0]:
            continue
        source_id, actor1, actor2, stamp = row.cells
        actors = hash((actor1, actor2))
        if first.setdefault(f"{source_id} {stamp}", actors) != actors:
            mixed.add(source_id)
    if mixed and len(mixed) >= ACTOR_BASED_SHARE * len(first):
        example = min(mixed)[:64]
        raise FileRefused(
            f"{path.name} was refused: it is an actor-based export, where each event has a row "
            f"for each actor ({example} comes with several); export it event-based"
        )


# --- memory -----------------------------------------------------------------------------------


def _day_in(memory: Mapping[str, Any]) -> date | None:
    try:
        return date.fromisoformat(memory["complete_through"])
    except (KeyError, TypeError, ValueError):
        return None


def _later(one: date | None, other: date | None) -> date | None:
    return max((day for day in (one, other) if day is not None), default=None)


def _about(tally: _Tally) -> dict[str, Any]:
    return {
        "files": tally.files,
        "rejected": tally.rejected,
        "foreign": tally.foreign,
        "refused": tally.refused,
    }
