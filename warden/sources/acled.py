"""The ACLED feed: deletions, then what was edited since the watermark, once a month everything.

Standing in the flow: a `Source` that `warden.ingest` polls. The watermark is the newest edit
stamp seen and moves only when a whole walk has ended well; rows are asked for from some days
before it, since many rows share a stamp and some come late. See docs/sources.md for the states.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from warden.errors import SourceError
from warden.sources import country, values
from warden.sources.acled_calendar import complete_through, silence
from warden.sources.acled_client import (
    Account,
    AcledClient,
    Bounds,
    DelayedError,
    Envelope,
)
from warden.sources.acled_memory import AcledMemory
from warden.sources.acled_pages import id_of, parse_deletions, parse_rows, refuse_drift
from warden.sources.acled_rows import COLUMNS, DATASET, AcledRows, RowFilter
from warden.sources.acled_run import Run, instant_of, newest_shown
from warden.sources.acled_settings import AcledSettings, fingerprint
from warden.sources.acled_walk import Pagination, require_whole, walk
from warden.sources.http_client import HttpClient, Pairs
from warden.sources.protocol import Coverage, Deletion, Page, PollOutcome, SourceState

__all__ = ["AcledSettings", "AcledSource", "make"]

SHRUNK_SHARE = 0.8  # a full walk that serves fewer of the rows served last time is not believed
SHRUNK_LEAST = 10
LOOK_UPS = 200  # ids asked for one by one in one reconcile; the rest waits for the next
_CHECKED_COLUMNS = tuple(column for column in COLUMNS if column != "iso3")


class AcledSource:
    """Polls one ACLED account; implements `protocol.Source`."""

    kind = "acled"

    def __init__(
        self,
        settings: AcledSettings,
        password: SecretStr,
        http: HttpClient,
        *,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        self.settings = settings
        self._client = AcledClient(
            Account(settings.base_url, settings.username, password),
            http,
            Bounds(settings.deadline_s, settings.max_bytes),
            **({} if monotonic is None else {"monotonic": monotonic}),
        )
        self._filter = RowFilter(
            frozenset(settings.countries) if settings.countries else None, settings.since
        )
        self._pagination = Pagination(settings.pagination, settings.page_size, settings.most_pages)
        self._asked = fingerprint(settings)
        self._look_ups_left = LOOK_UPS

    @property
    def name(self) -> str:
        """The operator's name of it."""
        return self.settings.name

    # --- polling ---

    def poll(self, memory: Mapping[str, Any], now: datetime) -> Generator[Page, None, PollOutcome]:
        """Deletions first, then edited rows, then (monthly, and at first) everything."""
        past = AcledMemory.read(memory, self._asked).at(now)
        run = Run(now, AcledRows(now, self._filter))
        self._look_ups_left = LOOK_UPS
        try:
            yield from self._deletions(past, run)
            coverage = yield from self._rows(past, run)
        except SourceError as error:
            return self._failed(past, run, error)
        return self._finished(past, run, coverage)

    def _deletions(self, past: AcledMemory, run: Run) -> Generator[Page, None, None]:
        """Deletions since the own watermark; none at first, when there is nothing to delete."""
        if past.deleted is None:
            return
        since = max(0, past.deleted - self._overlap_s)
        query = [("deleted_timestamp", str(since)), ("deleted_timestamp_where", ">=")]
        for envelope in walk(self._client, "deleted", query, self._pagination, run.now):
            page = parse_deletions(envelope.rows, run.now)
            refuse_drift(len(envelope.rows), page.rejects, self._client.host)
            run.meet_deletions(page)
            if envelope.rows:
                yield page

    def _rows(self, past: AcledMemory, run: Run) -> Generator[Page, None, Coverage | None]:
        """Edited rows, rows newly shown, and everything when that is due."""
        due = past.full_at is None or past.watermark is None
        due = due or run.now - past.full_at >= timedelta(days=self.settings.full_every_days)  # type: ignore[operator]  # None is `due`
        if past.watermark is not None:
            yield from self._increment(past, run, alone=not due)
        if not due:
            return None
        coverage = yield from self._everything(past, run)
        self._refuse_nothing(past, run)
        return coverage

    def _increment(
        self, past: AcledMemory, run: Run, *, alone: bool
    ) -> Generator[Page, None, None]:
        """What was edited; `alone`: no full walk follows that shows whether rows are left."""
        since = max(0, (past.watermark or 0) - self._overlap_s)
        yield from self._walk([("timestamp", str(since)), ("timestamp_where", ">=")], run)
        if alone:
            self._refuse_nothing(past, run)
        if past.embargo is not None:
            shown_from = past.embargo - timedelta(days=self.settings.overlap_days)
            yield from self._walk(self._days_from(shown_from, run.now), run)

    def _refuse_nothing(self, past: AcledMemory, run: Run) -> None:
        """Raise if no row came where some must come again, and nothing said why."""
        if run.served or run.restriction is not None or past.overlap_rows <= run.deletions:
            return
        raise SourceError(
            f"{self._client.host} served nothing, although it served {past.overlap_rows} rows "
            "with these stamps before; the watermark was not moved",
            state="truncated",
        )

    def _everything(self, past: AcledMemory, run: Run) -> Generator[Page, None, Coverage | None]:
        run.seen.clear()
        query = self._days_from(self._filter.since, run.now) if self._filter.since else []
        yield from self._walk(query, run)
        restriction = run.restriction
        served = len(run.seen)
        believed = SHRUNK_SHARE * past.full_rows if past.full_rows >= SHRUNK_LEAST else 0
        if restriction is None and served < believed:
            raise SourceError(
                f"{self._client.host} served {served} rows where it served {past.full_rows} at "
                "the last full walk; nothing was taken for deleted",
                state="truncated",
            )
        if not served or (restriction is not None and newest_shown(restriction, run.now) is None):
            return None
        return Coverage(
            dataset=DATASET,
            countries=self._filter.countries,
            first_day=self._filter.since,
            last_day=None if restriction is None else newest_shown(restriction, run.now),
            seen=frozenset(run.seen),
            look_up=True,
        )

    def _days_from(self, first: date, now: datetime) -> Pairs:
        """The filter for event dates from `first` on."""
        return [
            ("event_date", f"{first.isoformat()}|{values.latest_day(now).isoformat()}"),
            ("event_date_where", "BETWEEN"),
        ]

    def _walk(self, query: Pairs, run: Run) -> Generator[Page, None, None]:
        query = [*self._filter_query(), *query]
        for envelope in walk(self._client, "acled", query, self._pagination, run.now):
            run.meet(envelope)
            if envelope.rows:
                yield self._page(envelope, run)

    def _filter_query(self) -> list[tuple[str, str]]:
        query = [("inter_num", "1")]
        if self.settings.countries:
            numbers = (country.number_of(code) for code in self.settings.countries)
            query.append(("iso", "|".join(str(number) for number in numbers)))
        if self.settings.fields == "needed":
            query.append(("fields", "|".join(_CHECKED_COLUMNS)))
        return query

    def _page(self, envelope: Envelope, run: Run) -> Page:
        """A page's rows as records, rejects and a count of foreign rows."""
        parsed = parse_rows(envelope.rows, run.parser, keep_raw=self.settings.keep_raw)
        refuse_drift(len(envelope.rows), parsed.rejects, self._client.host)
        run.meet_rows(parsed, len(envelope.rows))
        return parsed

    # --- how it ended ---

    @property
    def _overlap_s(self) -> int:
        return self.settings.overlap_days * 86_400

    def _finished(self, past: AcledMemory, run: Run, coverage: Coverage | None) -> PollOutcome:
        after = self._after(past, run, coverage)
        state, sentence = self._state(after, run)
        known = complete_through(instant_of(after.watermark), run.now, after.embargo)
        nothing_shown = run.restriction is not None and run.records == 0
        return PollOutcome(
            state=state,
            sentence=sentence + self._since(state, known),
            memory=None if nothing_shown else after.written(self._asked),
            complete_through=known,
            coverage=coverage,
            envelope=self._about(run, full=coverage is not None),
            no_data_since=None if state == "ok" else known,
        )

    def _after(self, past: AcledMemory, run: Run, coverage: Coverage | None) -> AcledMemory:
        """The memory after a walk that ended well."""
        watermark = max([*run.stamps.values(), past.watermark or 0]) or None
        overlapping = 0
        if watermark is not None:
            oldest = watermark - self._overlap_s
            overlapping = sum(stamp >= oldest for stamp in run.stamps.values())
        return AcledMemory(
            watermark=watermark,
            deleted=max(run.newest_deletion or 0, past.deleted or int(run.now.timestamp())),
            full_at=past.full_at if coverage is None else run.now,
            full_rows=past.full_rows if coverage is None else len(run.seen),
            overlap_rows=overlapping,
            embargo=None
            if run.restriction is None
            else newest_shown(run.restriction, run.now) or past.embargo,
        )

    def _state(self, after: AcledMemory, run: Run) -> tuple[SourceState, str]:
        if run.restriction is not None:
            return "embargoed", (
                f"the account sees only events older than {run.restriction.text}; ask ACLED for "
                "access to recent data"
            )
        newest = instant_of(after.watermark)
        quiet = silence(newest, run.now, self.settings.pauses)
        if quiet != "ok" and newest is not None:
            return quiet, self._quiet_sentence(quiet, newest, run.now)
        if newest is None and run.rejected:
            return "schema_drift", (
                f"none of the {run.rejected} rows that came could be read; they stand under rejects"
            )
        if newest is None:
            return "stale", "the feed answers but holds no rows; check `countries` and `since`"
        return "ok", (
            f"{run.records} rows on {run.pages} pages"
            + (f", {run.rejected} rejected" if run.rejected else "")
            + (f", {run.foreign} outside the filter" if run.foreign else "")
        )

    def _quiet_sentence(self, quiet: str, newest: datetime, now: datetime) -> str:
        days = (now.date() - newest.date()).days
        if quiet == "stale":
            return (
                f"no release for {days} days (the newest stamp is of {newest:%Y-%m-%d}); see "
                "acleddata.com for news, or name the pause under `pauses`"
            )
        pause = next(
            (p for p in self.settings.pauses if p.first <= now.date() <= p.last),
            max(self.settings.pauses, key=lambda p: p.last, default=None),
        )
        until = f" until {pause.last:%Y-%m-%d}" if pause is not None else ""
        why = f" ({pause.reason})" if pause is not None and pause.reason else ""
        return f"releases pause{until}{why}; the newest stamp is of {newest:%Y-%m-%d}"

    @staticmethod
    def _since(state: SourceState, known: date | None) -> str:
        if known is None:
            return ""
        if state == "ok":
            return f"; complete through {known:%Y-%m-%d}"
        return f". No data since {known:%Y-%m-%d}"

    def _failed(self, past: AcledMemory, run: Run, error: SourceError) -> PollOutcome:
        """Nothing moves; what was known stays known."""
        return PollOutcome(
            state=error.state,  # type: ignore[arg-type]  # SourceError carries the same names
            sentence=str(error),
            complete_through=complete_through(instant_of(past.watermark), run.now, past.embargo),
            envelope=self._about(run, full=False),
            no_data_since=past.embargo,
            not_before=error.until if isinstance(error, DelayedError) else None,
        )

    def _about(self, run: Run, *, full: bool) -> dict[str, Any]:
        recency = run.restriction
        return {
            **run.about,
            "pages": run.pages,
            "full": full,
            "served": run.served,
            "foreign": run.foreign,
            "rejected": run.rejected,
            "deletions": run.deletions,
            "date_recency": None
            if recency is None
            else {"age": recency.text, "date": recency.newest and recency.newest.isoformat()},
        }

    # --- looking up ---

    def look_up(self, ids: Sequence[str], now: datetime) -> Generator[Page, None, PollOutcome]:
        """Ask for each id by itself, whatever country it lies in now.

        An id that comes back is a record (also when it was recoded out of the filter: the newest
        word on an event is worth having); one that is answered with nothing is gone. An answer
        under a restriction, or with other rows only, proves nothing and is left alone.
        """
        run = Run(now, AcledRows(now))
        allowed = ids[: max(0, self._look_ups_left)]
        self._look_ups_left -= len(allowed)
        try:
            for source_id in allowed:
                page = self._one(source_id, run)
                if page is not None:
                    yield page
        except SourceError as error:
            return self._failed(AcledMemory(), run, error)
        left = len(ids) - len(allowed)
        waiting = f"; {left} more are looked up at the next full walk" if left else ""
        return PollOutcome("ok", f"looked up {len(allowed)} missing ids{waiting}")

    def _one(self, source_id: str, run: Run) -> Page | None:
        query = [("inter_num", "1"), ("event_id_cnty", source_id), ("event_id_cnty_where", "=")]
        query += [("limit", str(self.settings.page_size))]
        if self.settings.pagination == "cursor":
            query.append(("cursor", "0"))
        envelope = self._client.page("acled", query, run.now)
        require_whole(self._client, envelope)
        run.meet(envelope)
        same = [row for row in envelope.rows if id_of(row) == source_id]
        if same:
            return parse_rows(same[:1], run.parser, keep_raw=self.settings.keep_raw)
        heeded = all(source_id in id_of(row) for row in envelope.rows)
        if envelope.restriction is not None or not heeded:
            return None
        return Page(
            DATASET,
            deletions=[Deletion(source_id, None, "no longer served by the source")],
        )


def make(settings: AcledSettings, password: SecretStr) -> AcledSource:
    """The source that these settings describe."""
    return AcledSource(settings, password, HttpClient(ca_file=settings.ca_file))
