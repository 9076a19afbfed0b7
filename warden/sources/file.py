"""The file drop: exports put into a folder, or named on the command line.

Standing in the flow: a `Source` that `warden.ingest` polls. A file is read page by page; it is
moved to `processed/` when its last page has been committed, or, for a snapshot, at the next poll,
when what it withdrew has been committed too. A file that is read twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from warden.sources import inbox, schedule
from warden.sources.acled_rows import DATASET
from warden.sources.common import Name, SourceSettings, alpha_3
from warden.sources.field_map import FieldMap
from warden.sources.file_reading import (
    MAX_BYTES,
    FileRefusedError,
    NamedFiles,
    Reading,
    Tally,
    about,
    day_in,
    later,
    read_files,
    require_files,
)
from warden.sources.protocol import STANDING, Page, PollOutcome, Recogniser, SourceState

__all__ = [
    "FileRefusedError",
    "FileSettings",
    "FileSource",
    "NamedFiles",
    "read_files",
    "require_files",
]


class FileSettings(SourceSettings):
    """One file drop.

    Attributes:
        path: a folder to watch, or one file that is read again whenever it changes.
        dataset: what the rows belong to; "acled" for ACLED exports, else the source's name.
        snapshot: each file is the whole truth for its countries and span of dates.
        max_retract: the largest share of the covered events that a snapshot may withdraw.
        field_map: which column holds what, for files that are no ACLED exports.
        countries: take only rows of these; none = all.
        stale_after: the source is stale when no file was read for so long; none = never.
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
    stale_after: schedule.Every = None
    settle_s: Annotated[float, Field(ge=0.0, le=3_600.0)] = 2.0
    max_bytes: Annotated[int, Field(ge=1)] = MAX_BYTES

    @model_validator(mode="after")
    def _own_dataset(self) -> FileSettings:
        if self.field_map is not None and self.dataset == DATASET:
            raise ValueError("a `field_map` makes a dataset of its own: choose another `dataset`")
        if self.field_map is None and self.dataset not in {None, DATASET}:
            raise ValueError("without a `field_map` the files are ACLED exports: drop `dataset`")
        return self


class FileSource:
    """Polls a folder or a file; implements `protocol.Source`.

    Its memory: `complete_through` (the newest event date read), `read` (the signature of the one
    file, or of the snapshot that is to be moved when its withdrawals are committed), `news_at`
    (when something was last read, or first looked for), `standing` (what is told while nothing new
    comes: a file was refused, or a snapshot doubted). That ends when a file is read well, from the
    folder or by `warden ingest`, or when the refused files are taken away.
    """

    kind = "file"

    def __init__(self, settings: FileSettings) -> None:
        self.settings = settings
        self.max_retract = settings.max_retract
        own = settings.dataset or settings.name
        self._reading = Reading(
            dataset=DATASET if settings.field_map is None else own,
            field_map=settings.field_map,
            countries=settings.countries,
            keep_raw=settings.keep_raw,
            max_bytes=settings.max_bytes,
            snapshot=settings.snapshot,
        )
        self._recogniser: Recogniser | None = None

    @property
    def name(self) -> str:
        """The operator's name of it."""
        return self.settings.name

    def recognise_by(self, recogniser: Recogniser) -> None:
        """Leave rows unread that the store holds just so."""
        self._recogniser = recogniser

    def poll(self, memory: Mapping[str, Any], now: datetime) -> Generator[Page, None, PollOutcome]:
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
        for file in [file for file in ready if file.signature == memory.get("read")]:
            try:
                inbox.keep(file)
            except OSError as error:
                # Those after it wait: read again later, it would withdraw what they bring.
                return self._nothing(memory, _cannot("put away", file, error), "access_denied")
            ready.remove(file)
        if not ready:
            being = f"; {busy} still being written" if busy else ""
            return self._quiet(memory, f"no new files{being}", now)
        total, claim, read, waiting = Tally(), None, None, len(ready)
        for file in ready:
            tally = Tally()
            yield from self._one(file, tally, now)
            total.include(tally)
            waiting -= 1
            # Of snapshots one; but a refused one that cannot be put away stands in no other's way.
            if self.settings.snapshot and not (tally.refused and tally.stuck):
                claim, read = (tally, file) if tally.whole else (None, None)
                break
        return self._outcome(memory, total, claim, read, waiting=waiting, now=now)

    def _one(self, file: inbox.Waiting, tally: Tally, now: datetime) -> Generator[Page, None, None]:
        """One file of the folder, from its first page to its place in a subfolder."""
        try:
            _require_no_link(file)
            with inbox.steady(file):
                yield from self._reading.pages(file.path, tally, now, self._recogniser)
        except FileRefusedError as error:
            tally.refused.append(str(error))
        except inbox.Changed as error:
            tally.refused.append(str(error))
            return
        except OSError as error:
            tally.stuck.append(_cannot("read", file, error))
            return
        try:
            if tally.refused:
                tally.put_aside.append(inbox.refuse(file, tally.refused[0]).name)
            elif self._reading.coverage(tally) is None:
                inbox.keep(file)
        except OSError as error:
            tally.stuck.append(_cannot("put away", file, error))

    def _file(self, memory: Mapping[str, Any], now: datetime) -> Generator[Page, None, PollOutcome]:
        """The one file, if it has changed since it was read."""
        file = inbox.look(self.settings.path.resolve())  # a link that the settings name is meant
        if file is None or file.signature == memory.get("read"):
            return self._quiet(memory, f"{self.settings.path.name} has not changed", now)
        if inbox.being_written(file, self.settings.settle_s):
            return self._quiet(memory, f"{self.settings.path.name} is still being written", now)
        tally = Tally()
        try:
            with inbox.steady(file):
                yield from self._reading.pages(file.path, tally, now, self._recogniser)
        except inbox.Changed as error:
            return self._quiet(memory, str(error), now)
        except FileRefusedError as error:
            tally.refused.append(str(error))
        except OSError as error:
            tally.stuck.append(_cannot("read", file, error))
        claim, read = tally if tally.whole else None, None if tally.stuck else file
        return self._outcome(memory, tally, claim, read, waiting=0, now=now)

    def _outcome(
        self,
        memory: Mapping[str, Any],
        total: Tally,
        claim: Tally | None,
        read: inbox.Waiting | None,
        *,
        waiting: int,
        now: datetime,
    ) -> PollOutcome:
        """What is told of the poll.

        `claim`: what the one file held that may be a snapshot; `read`: the file to know again.
        """
        coverage = None if claim is None else self._reading.coverage(claim)
        sentence = "; ".join([total.words, *total.refused, *total.stuck])
        if self.settings.snapshot and coverage is None and claim is not None:
            sentence += "; nothing was withdrawn, since some rows have no id or no country"
        if waiting:
            sentence += f"; {waiting} more waiting"
        known = later(day_in(memory), total.newest)
        return PollOutcome(
            state="access_denied" if total.stuck else "schema_drift" if total.refused else "ok",
            sentence=sentence,
            memory={
                "complete_through": known and known.isoformat(),
                "read": None if read is None else read.signature,
                "news_at": now.isoformat(),
                STANDING: self._standing(memory, total, "; ".join(total.refused)),
            },
            complete_through=known,
            coverage=coverage,
            envelope=about(total),
        )

    def _standing(
        self, memory: Mapping[str, Any], total: Tally, refused: str
    ) -> Mapping[str, Any] | None:
        """What quiet polls go on telling: that a file was refused, until one is read well."""
        if total.put_aside:
            return {"state": "schema_drift", "sentence": refused, "rejected": total.put_aside}
        if total.refused and self.settings.path.is_file():
            return {"state": "schema_drift", "sentence": refused}
        return None if total.whole else memory.get(STANDING)

    def _still_standing(self, memory: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The trouble that was told last, unless somebody took away the files that it is about."""
        standing: Mapping[str, Any] | None = memory.get(STANDING)
        rejected = [] if standing is None else standing.get("rejected", [])
        gone = rejected and not inbox.any_rejected(self.settings.path, rejected)
        return None if gone else standing

    def _quiet(self, memory: Mapping[str, Any], sentence: str, now: datetime) -> PollOutcome:
        """There is nothing new: as it should be, after some trouble, or for too long."""
        since, standing = _news_at(memory), self._still_standing(memory)
        if since is None or since > now:  # the first look, or the first of a clock set right
            since = now
        moved = {**memory, "news_at": since.isoformat(), STANDING: standing}
        quiet, allowed = now - since, self.settings.stale_after
        state: SourceState = "ok"
        if allowed is not None and quiet >= allowed:
            state = "stale"
            days = max(quiet.days, 0)
            sentence += (
                f" for {days} day{'' if days == 1 else 's'}; look why no file comes to "
                f"{self.settings.path}"
            )
        elif standing is not None:
            state = standing["state"]
            sentence = f"{standing['sentence']}; since then {sentence}"
        return PollOutcome(
            state,
            sentence,
            memory=None if moved == {STANDING: None, **memory} else moved,
            complete_through=day_in(memory),
        )

    @staticmethod
    def _nothing(memory: Mapping[str, Any], sentence: str, state: SourceState) -> PollOutcome:
        return PollOutcome(state, sentence, complete_through=day_in(memory))


def _news_at(memory: Mapping[str, Any]) -> datetime | None:
    """When something was last read, as remembered."""
    text = memory.get("news_at")
    return None if text is None else datetime.fromisoformat(str(text))


def _cannot(what: str, file: inbox.Waiting, error: OSError) -> str:
    """A file that the system would not let be read or put away, in a sentence."""
    return (
        f"{file.path.name} cannot be {what} ({error.strerror or error}); give warden the right to "
        "read the files and to move them, or take it away"
    )


def _require_no_link(file: inbox.Waiting) -> None:
    """Refuse what would be read somewhere else, with rights that who put it there may not have."""
    if file.path.is_symlink():
        raise FileRefusedError(f"{file.path.name} was refused: it is a link; copy the file")
