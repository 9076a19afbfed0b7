"""The first step of a cycle: a source's pages become events and their revisions.

One transaction a page. A source's memory (its watermark) moves in the last one, after the whole
walk has been committed: a walk that fails, or a process that dies, is walked again.

A source that asked for patience (`PollOutcome.not_before`) gets it from every process: until then
a walk ends before its first request, with the state and sentence that say so.

Full coverage. When a walk claims to be the whole truth about a dataset, countries and days, the
active events there that it did not serve are missing. They are asked for one by one where the
source can be asked, else (a snapshot) withdrawn. When more are missing than `max_retract` of what
was there, the walk itself is doubted: nothing is withdrawn and the source's state says so.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, get_args

from warden.clock import Clock
from warden.errors import SourceError, StoreError
from warden.sources.protocol import (
    NOT_IN_SNAPSHOT,
    STANDING,
    Coverage,
    Deletion,
    Page,
    PollOutcome,
    Source,
    SourceState,
)
from warden.store import Store
from warden.store import sources as walks
from warden.store.coverage import active_in, missing_from
from warden.store.events import PageCounts, Walk, apply_page, retract
from warden.store.held import recogniser

MAX_RETRACT = 0.2
LOOK_UP_FREELY = 100  # so few missing ids are looked up whatever their share
LOOK_UP_BATCH = 50
_STATES: tuple[str, ...] = get_args(SourceState)


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What one walk brought.

    Attributes:
        source, kind: as configured. dataset: what it served, "" if it served no page.
        state, sentence: how the source is now, in the operator's words.
        counts: what became of the rows; `counts.adds_up` holds. Rows of look-ups are not served
            rows: of them only what they changed is counted, in `looked_up`.
        looked_up: the counts of the look-ups that followed a full walk.
        changed: uids that were brought, revised, retracted or reinstated.
        first_load: no walk of this source had ended well before.
        would_retract: how many withdrawals were refused because there were too many (0: none).
        moved: the source's memory moved: the walk ended well.
        run: its row in `poll_runs`.
    """

    source: str
    kind: str
    dataset: str
    state: SourceState
    sentence: str
    counts: PageCounts
    looked_up: PageCounts
    changed: frozenset[str]
    first_load: bool
    would_retract: int
    moved: bool
    complete_through: date | None
    no_data_since: date | None
    run: int


@dataclass(slots=True)
class _Progress:
    """What has happened so far; lives as long as one `ingest` call."""

    store: Store
    source: Source
    clock: Clock
    walk: Walk
    run: int
    counts: PageCounts = field(default_factory=PageCounts)
    looked_up: PageCounts = field(default_factory=PageCounts)
    dataset: str = ""
    would_retract: int = 0


def ingest(
    store: Store, source: Source, clock: Clock, *, max_retract: float | None = None
) -> IngestResult:
    """Walk `source` once and commit what it serves.

    Args:
        store: open for writing, no transaction open.
        source: what to walk. A `SourceError` of its ends up in the result's state.
        clock: stamps each page.
        max_retract: the largest share of the covered events one walk may withdraw; None: the
            source's own `max_retract`, else MAX_RETRACT.

    Raises:
        StoreError: the disk or the database failed; the pages committed before it stay.
    """
    before = walks.load_source(store.connection, source.name)
    memory = {} if before is None else before.memory
    known = before is not None and (before.memory or before.last_ok_at is not None)
    walk = Walk(source.name, backfill=not known)
    with store.transaction() as tx:
        run = walks.begin_walk(tx, source.name, "poll", memory, clock.now())
    progress = _Progress(store, source, clock, walk, run)
    until = walks.load_not_before(store.connection, source.name, clock.now())
    if until is not None:
        return _finish(progress, _patient(source, before, until), ())
    share = getattr(source, "max_retract", MAX_RETRACT) if max_retract is None else max_retract
    try:
        outcome, gone = _walk(progress, memory, share)
    except SourceError as error:
        outcome, gone = _failed(error), ()
    except StoreError:
        raise
    except Exception as error:
        _finish(progress, _broken(error), ())
        raise
    return _finish(progress, outcome, gone)


def _walk(
    progress: _Progress, memory: Mapping[str, Any], share: float
) -> tuple[PollOutcome, Sequence[Deletion]]:
    """All pages, then the reconcile; return the outcome and what the last commit withdraws."""
    recognise_by = getattr(progress.source, "recognise_by", None)
    if recognise_by is not None:
        recognise_by(recogniser(progress.store))
    poll = progress.source.poll(memory, progress.clock.now())
    outcome = _commit_pages(progress, poll, progress.run, progress.counts)
    if outcome.coverage is None:
        return outcome, ()
    return _reconcile(progress, outcome, outcome.coverage, share)


def _commit_pages(
    progress: _Progress,
    pages: Generator[Page, None, PollOutcome],
    run: int,
    counts: PageCounts,
) -> PollOutcome:
    with closing(pages):
        while True:
            try:
                page = next(pages)
            except StopIteration as end:
                outcome: PollOutcome = end.value
                return outcome
            progress.dataset = page.dataset
            with progress.store.transaction() as tx:
                committed = apply_page(tx, page, progress.walk, progress.clock.now())
                walks.count_page(tx, run, committed)
            counts.add(committed)


def _reconcile(
    progress: _Progress, outcome: PollOutcome, coverage: Coverage, share: float
) -> tuple[PollOutcome, Sequence[Deletion]]:
    progress.dataset = coverage.dataset
    missing = missing_from(progress.store.connection, coverage)
    if not missing:
        return outcome, ()
    there = active_in(progress.store.connection, coverage)
    freely = LOOK_UP_FREELY if coverage.look_up else 0
    if len(missing) > max(share * there, freely):
        progress.would_retract = len(missing)
        return _doubted(outcome, len(missing), there, share), ()
    if coverage.look_up:
        return _look_up(progress, outcome, missing), ()
    return outcome, [Deletion(source_id, None, NOT_IN_SNAPSHOT) for source_id in missing]


def _look_up(progress: _Progress, outcome: PollOutcome, missing: Sequence[str]) -> PollOutcome:
    """Ask for each missing id: what the source no longer has comes back as a deletion."""
    for batch in _batches(missing, LOOK_UP_BATCH):
        now = progress.clock.now()
        with progress.store.transaction() as tx:
            run = walks.begin_walk(tx, progress.source.name, "look_up", {}, now)
        pages = progress.source.look_up(batch, now)
        answer = _commit_pages(progress, pages, run, progress.looked_up)
        with progress.store.transaction() as tx:
            end = walks.WalkEnd(answer.state, answer.sentence, envelope=answer.envelope)
            walks.end_look_up(tx, run, end, progress.clock.now())
        if answer.state != "ok":
            return replace(answer, memory=None, coverage=None)
    return outcome


def _finish(progress: _Progress, outcome: PollOutcome, gone: Sequence[Deletion]) -> IngestResult:
    """The last transaction: withdrawals of a snapshot, the run, the state and the memory."""
    source, counts, looked_up = progress.source, progress.counts, progress.looked_up
    now = progress.clock.now()
    with progress.store.transaction() as tx:
        if gone:
            withdrawn = PageCounts(
                retracted=retract(tx, progress.dataset, gone, progress.walk, now)
            )
            walks.count_page(tx, progress.run, withdrawn)
            counts.add(withdrawn)
        end = walks.WalkEnd(
            state=outcome.state,
            sentence=outcome.sentence,
            memory=outcome.memory,
            complete_through=outcome.complete_through,
            no_data_since=outcome.no_data_since,
            envelope=outcome.envelope,
            changed=bool(progress.walk.changed),
            dataset=progress.dataset,
        )
        walks.end_walk(tx, progress.run, source.kind, end, now)
        walks.keep_not_before(tx, source.name, outcome.not_before)
    return IngestResult(
        source=source.name,
        kind=source.kind,
        dataset=progress.dataset,
        state=outcome.state,
        sentence=outcome.sentence,
        counts=counts,
        looked_up=looked_up,
        changed=frozenset(progress.walk.changed),
        first_load=progress.walk.backfill,
        would_retract=progress.would_retract,
        moved=outcome.memory is not None,
        complete_through=outcome.complete_through,
        no_data_since=outcome.no_data_since,
        run=progress.run,
    )


def _patient(source: Source, before: walks.SourceStatus | None, until: datetime) -> PollOutcome:
    """Not asked at all, since it asked for that; what was known stays known."""
    when = f"{until:%Y-%m-%d %H:%M} UTC"
    return PollOutcome(
        "unreachable",
        f"{source.name} asked for patience; it is not asked again before {when}",
        no_data_since=None if before is None else before.no_data_since,
        not_before=until,
    )


def _failed(error: SourceError) -> PollOutcome:
    state: Any = error.state if error.state in _STATES else "unreachable"
    return PollOutcome(state=state, sentence=str(error))


def _broken(error: Exception) -> PollOutcome:
    """A fault of warden's own, named so that it is not silent; the job boundary reports it."""
    what = f"{type(error).__name__}: {error}"
    return PollOutcome("unreachable", f"warden itself failed while reading this source: {what}")


def _doubted(outcome: PollOutcome, missing: int, there: int, share: float) -> PollOutcome:
    sentence = (
        f"{missing:,} of the {there:,} events it claims to cover are missing from it, more than "
        f"the {share:.0%} that one walk may withdraw; nothing was withdrawn. If they really are "
        "gone, raise max_retract for one walk"
    )
    memory = outcome.memory
    if memory is not None and STANDING in memory:
        memory = {**memory, STANDING: {"state": "truncated", "sentence": sentence}}
    return replace(outcome, state="truncated", sentence=sentence, memory=memory)


def _batches(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))
