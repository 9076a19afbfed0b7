"""The ACLED feed: deletions, then what was edited since the watermark, once a month everything.

Standing in the flow: a `Source` that `warden.ingest` polls. The watermark is the newest edit
stamp seen and moves only when a whole walk has ended well; rows are asked for from some days
before it, since many rows share a stamp and some come late. See docs/sources.md for the states.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator

from warden.errors import SourceError
from warden.model.event import Record
from warden.sources import country, strict_json, values
from warden.sources.acled_calendar import Pause, complete_through, silence
from warden.sources.acled_client import (
    Account,
    AcledClient,
    Bounds,
    Delayed,
    Envelope,
    Pairs,
    Restriction,
)
from warden.sources.acled_rows import (
    COLUMNS,
    DATASET,
    FOREIGN,
    REQUIRED,
    AcledRows,
    RowFilter,
    text_of,
)
from warden.sources.acled_walk import FullPage, Pagination, walk
from warden.sources.common import SecretName, SourceSettings, alpha_3
from warden.sources.http_client import HttpClient
from warden.sources.protocol import Coverage, Deletion, Page, PollOutcome, Reject, SourceState
from warden.sources.values import RowError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})
LEAST_REJECTS = 5  # of a page; fewer bad rows are no drift, however short the page
DRIFT_SHARE = 0.2
SHRUNK_SHARE = 0.8  # a full walk that serves fewer of the rows served last time is not believed
SHRUNK_LEAST = 10
LOOK_UPS = 200  # ids asked for one by one in one reconcile; the rest waits for the next
RAW_LENGTH = 4_096
_CHECKED_COLUMNS = tuple(column for column in COLUMNS if column != "iso3")


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise ValueError("write an address such as https://acleddata.com")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("the password would travel unencrypted: write https://")
    if parts.username or parts.password:
        raise ValueError("user name and password belong in their own settings")
    return url.rstrip("/")


class AcledSettings(SourceSettings):
    """One ACLED feed.

    Attributes:
        base_url: without `/api`. username: the account's e-mail address.
        password: where the password is.
        countries: any common names; none = the whole world.
        since: the first event date wanted.
        pagination: `cursor`, or `page` for the walk that was to end in October 2026.
        page_size: rows a page; most_pages: refuse longer walks.
        overlap_days: how far before the watermark to ask again.
        full_every_days: how often to walk everything and look up what is missing.
        pauses: known pauses in releases.
        deadline_s, max_bytes: of one answer.
        ca_file: certificates to trust instead of the usual ones.
        fields: `needed` asks for the columns warden uses, `all` for every column.
    """

    kind: Literal["acled"] = "acled"
    base_url: Annotated[str, AfterValidator(_base_url)] = "https://acleddata.com"
    username: Annotated[str, Field(min_length=1, max_length=320)]
    password: SecretName
    countries: Annotated[tuple[str, ...], BeforeValidator(alpha_3)] = ()
    since: date | None = None
    pagination: Literal["cursor", "page"] = "cursor"
    page_size: Annotated[int, Field(ge=1, le=5_000)] = 5_000
    most_pages: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    overlap_days: Annotated[int, Field(ge=0, le=365)] = 7
    full_every_days: Annotated[int, Field(ge=1, le=3_650)] = 30
    pauses: tuple[Pause, ...] = ()
    deadline_s: Annotated[float, Field(gt=0, le=3_600)] = 180.0
    max_bytes: Annotated[int, Field(ge=1_024, le=1 << 30)] = 64 << 20
    ca_file: Path | None = None
    fields: Literal["all", "needed"] = "all"

    @field_validator("countries")
    @classmethod
    def _numbered(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        unnumbered = [code for code in codes if country.number_of(code) is None]
        if unnumbered:
            raise ValueError(f"ACLED has no number for {', '.join(unnumbered)}")
        return codes


@dataclass(frozen=True, slots=True)
class _Memory:
    """What is remembered between polls; see `AcledSource` for what each is good for."""

    watermark: int | None = None
    deleted: int | None = None
    full_at: datetime | None = None
    full_rows: int = 0
    overlap_rows: int = 0
    embargo: date | None = None

    @classmethod
    def read(cls, memory: Mapping[str, Any], asked: str) -> _Memory:
        """Read what was stored; anything unreadable, or stored for another filter, is nothing."""
        if memory.get("asked") != asked:
            return cls()
        try:
            full_at, embargo = memory.get("full_at"), memory.get("embargo")
            return cls(
                watermark=None if memory.get("watermark") is None else int(memory["watermark"]),
                deleted=None if memory.get("deleted") is None else int(memory["deleted"]),
                full_at=None if full_at is None else datetime.fromisoformat(full_at),
                full_rows=int(memory.get("full_rows", 0)),
                overlap_rows=int(memory.get("overlap_rows", 0)),
                embargo=None if embargo is None else date.fromisoformat(embargo),
            )
        except (TypeError, ValueError):
            return cls()

    def written(self, asked: str) -> dict[str, Any]:
        """As JSON."""
        return {
            "asked": asked,
            "watermark": self.watermark,
            "deleted": self.deleted,
            "full_at": None if self.full_at is None else self.full_at.isoformat(),
            "full_rows": self.full_rows,
            "overlap_rows": self.overlap_rows,
            "embargo": None if self.embargo is None else self.embargo.isoformat(),
        }


@dataclass(slots=True)
class _Run:
    """What one poll has met so far."""

    now: datetime
    parser: AcledRows
    pages: int = 0
    served: int = 0
    records: int = 0
    rejected: int = 0
    foreign: int = 0
    deletions: int = 0
    newest_deletion: int | None = None
    stamps: dict[int, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    restriction: Restriction | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    def meet(self, envelope: Envelope) -> None:
        """Count a page and keep what the server said around it."""
        self.pages += 1
        self.about = envelope.about
        self.restriction = envelope.restriction or self.restriction


class AcledSource:
    """Polls one ACLED account; implements `protocol.Source`.

    Its memory: `watermark` (newest edit stamp seen), `deleted` (newest deletion stamp), `full_at`
    and `full_rows` (the last walk over everything), `overlap_rows` (how many rows an increment
    must at least show again), `embargo` (the newest day shown to a restricted account, so that
    the days that become visible are asked for by their date), `asked` (the filter all of this
    holds for: with another filter everything is walked again).
    """

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
        self._pagination = Pagination(
            settings.pagination, settings.page_size, settings.most_pages
        )
        self._asked = _fingerprint(settings)

    @property
    def name(self) -> str:
        """The operator's name of it."""
        return self.settings.name

    # --- polling ---

    def poll(
        self, memory: Mapping[str, Any], now: datetime
    ) -> Generator[Page, None, PollOutcome]:
        """Deletions first, then edited rows, then (monthly, and at first) everything."""
        past = _Memory.read(memory, self._asked)
        run = _Run(now, AcledRows(now, self._filter))
        try:
            yield from self._deletions(past, run)
            coverage = yield from self._rows(past, run)
        except FullPage as error:
            self._pagination = self._other_size()
            return self._failed(past, run, error)
        except SourceError as error:
            return self._failed(past, run, error)
        return self._finished(past, run, coverage)

    def _other_size(self) -> Pagination:
        """One row less a page, or again what was set."""
        usual = self.settings.page_size
        size = usual - 1 if self._pagination.size == usual > 1 else usual
        return replace(self._pagination, size=size)

    def _deletions(self, past: _Memory, run: _Run) -> Generator[Page, None, None]:
        """Deletions since the own watermark; none at first, when there is nothing to delete."""
        if past.deleted is None:
            return
        since = max(0, past.deleted - self._overlap_s)
        query = [("deleted_timestamp", str(since)), ("deleted_timestamp_where", ">=")]
        for envelope in walk(self._client, "deleted", query, self._pagination, run.now):
            run.pages += 1
            deletions, rejects = _deletions(envelope.rows, run.now)
            _refuse_drift(len(envelope.rows), rejects, self._client.host)
            run.deletions += len(deletions)
            run.rejected += len(rejects)
            run.served += len(rejects)
            stamps = [int(d.deleted_at.timestamp()) for d in deletions if d.deleted_at]
            run.newest_deletion = max([*stamps, run.newest_deletion or 0]) or None
            if deletions or rejects:
                yield Page(DATASET, deletions=deletions, rejects=rejects)

    def _rows(self, past: _Memory, run: _Run) -> Generator[Page, None, Coverage | None]:
        """Edited rows, rows newly shown, and everything when that is due."""
        if past.watermark is not None:
            yield from self._increment(past, run)
        due = past.full_at is None or past.watermark is None
        if due or run.now - past.full_at >= timedelta(days=self.settings.full_every_days):  # type: ignore[operator]  # None is `due`
            return (yield from self._everything(past, run))
        return None

    def _increment(self, past: _Memory, run: _Run) -> Generator[Page, None, None]:
        since = max(0, (past.watermark or 0) - self._overlap_s)
        before = run.served
        yield from self._walk([("timestamp", str(since)), ("timestamp_where", ">=")], run)
        hidden = run.restriction is not None
        if run.served == before and not hidden and past.overlap_rows > run.deletions:
            raise SourceError(
                f"{self._client.host} served nothing, although it served {past.overlap_rows} rows "
                "with these stamps before; the watermark was not moved",
                state="truncated",
            )
        if past.embargo is not None:
            shown_from = past.embargo - timedelta(days=self.settings.overlap_days)
            yield from self._walk(self._days_from(shown_from, run.now), run)

    def _everything(self, past: _Memory, run: _Run) -> Generator[Page, None, Coverage | None]:
        run.seen.clear()
        query = self._days_from(self._filter.since, run.now) if self._filter.since else []
        yield from self._walk(query, run)
        restriction = run.restriction
        served = len(run.seen)
        if restriction is None and past.full_rows >= SHRUNK_LEAST:
            if served < SHRUNK_SHARE * past.full_rows:
                raise SourceError(
                    f"{self._client.host} served {served} rows where it served {past.full_rows} "
                    "at the last full walk; nothing was taken for deleted",
                    state="truncated",
                )
        if not served or (restriction is not None and _newest_shown(restriction, run.now) is None):
            return None
        return Coverage(
            dataset=DATASET,
            countries=self._filter.countries,
            first_day=self._filter.since,
            last_day=None if restriction is None else _newest_shown(restriction, run.now),
            seen=frozenset(run.seen),
            look_up=True,
        )

    def _days_from(self, first: date, now: datetime) -> Pairs:
        """The filter for event dates from `first` on."""
        return [
            ("event_date", f"{first.isoformat()}|{values.latest_day(now).isoformat()}"),
            ("event_date_where", "BETWEEN"),
        ]

    def _walk(self, query: Pairs, run: _Run) -> Generator[Page, None, None]:
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

    def _page(self, envelope: Envelope, run: _Run) -> Page:
        """A page's rows as records, rejects and a count of foreign rows."""
        parsed = parse_rows(envelope.rows, run.parser, keep_raw=self.settings.keep_raw)
        _refuse_drift(len(envelope.rows), parsed.rejects, self._client.host)
        run.served += len(envelope.rows)
        run.records += len(parsed.records)
        run.rejected += len(parsed.rejects)
        run.foreign += parsed.foreign
        run.seen.update(record.source_id for record in parsed.records)
        run.seen.update(reject.source_id for reject in parsed.rejects if reject.source_id)
        for record in parsed.records:
            if record.source_updated_at is not None:
                stamp = int(record.source_updated_at.timestamp())
                run.stamps[stamp] = run.stamps.get(stamp, 0) + 1
        return parsed

    # --- how it ended ---

    @property
    def _overlap_s(self) -> int:
        return self.settings.overlap_days * 86_400

    def _finished(self, past: _Memory, run: _Run, coverage: Coverage | None) -> PollOutcome:
        after = self._after(past, run, coverage)
        state, sentence = self._state(after, run)
        known = complete_through(_instant(after.watermark), run.now, after.embargo)
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

    def _after(self, past: _Memory, run: _Run, coverage: Coverage | None) -> _Memory:
        """The memory after a walk that ended well."""
        watermark = max([*run.stamps, past.watermark or 0]) or None
        overlapping = 0
        if watermark is not None:
            oldest = watermark - self._overlap_s
            overlapping = sum(n for stamp, n in run.stamps.items() if stamp >= oldest)
        return _Memory(
            watermark=watermark,
            deleted=max(run.newest_deletion or 0, past.deleted or int(run.now.timestamp())),
            full_at=past.full_at if coverage is None else run.now,
            full_rows=past.full_rows if coverage is None else len(run.seen),
            overlap_rows=overlapping,
            embargo=None
            if run.restriction is None
            else _newest_shown(run.restriction, run.now) or past.embargo,
        )

    def _state(self, after: _Memory, run: _Run) -> tuple[SourceState, str]:
        if run.restriction is not None:
            return "embargoed", (
                f"the account sees only events older than {run.restriction.text}; ask ACLED for "
                "access to recent data"
            )
        newest = _instant(after.watermark)
        quiet = silence(newest, run.now, self.settings.pauses)
        if quiet != "ok" and newest is not None:
            return quiet, self._quiet_sentence(quiet, newest, run.now)
        if newest is None:
            return "ok", "the feed answers but holds no rows; check `countries` and `since`"
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

    def _failed(self, past: _Memory, run: _Run, error: SourceError) -> PollOutcome:
        """Nothing moves; what was known stays known."""
        return PollOutcome(
            state=error.state,  # type: ignore[arg-type]  # SourceError carries the same names
            sentence=str(error),
            complete_through=complete_through(_instant(past.watermark), run.now, past.embargo),
            envelope=self._about(run, full=False),
            no_data_since=past.embargo,
            not_before=error.until if isinstance(error, Delayed) else None,
        )

    def _about(self, run: _Run, *, full: bool) -> dict[str, Any]:
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

    def look_up(
        self, ids: Sequence[str], now: datetime
    ) -> Generator[Page, None, PollOutcome]:
        """Ask for each id by itself, whatever country it lies in now.

        An id that comes back is a record (also when it was recoded out of the filter: the newest
        word on an event is worth having); one that is answered with nothing is gone. An answer
        under a restriction, or with other rows only, proves nothing and is left alone.
        """
        parser = AcledRows(now)
        run = _Run(now, parser)
        try:
            for source_id in ids[:LOOK_UPS]:
                page = self._one(source_id, run)
                if page is not None:
                    yield page
        except SourceError as error:
            return self._failed(_Memory(), run, error)
        left = len(ids) - LOOK_UPS
        waiting = f"; {left} more are looked up at the next full walk" if left > 0 else ""
        return PollOutcome("ok", f"looked up {min(len(ids), LOOK_UPS)} missing ids{waiting}")

    def _one(self, source_id: str, run: _Run) -> Page | None:
        query = [("inter_num", "1"), ("event_id_cnty", source_id), ("event_id_cnty_where", "=")]
        query += [("limit", str(self.settings.page_size))]
        if self.settings.pagination == "cursor":
            query.append(("cursor", "0"))
        envelope = self._client.page("acled", query, run.now)
        run.meet(envelope)
        same = [row for row in envelope.rows if _id_of(row) == source_id]
        if same:
            return parse_rows(same[:1], run.parser, keep_raw=self.settings.keep_raw)
        heeded = all(source_id in _id_of(row) for row in envelope.rows)
        if envelope.restriction is not None or not heeded:
            return None
        return Page(
            DATASET,
            deletions=[Deletion(source_id, None, "no longer served by the source")],
        )


def make(settings: AcledSettings, password: SecretStr) -> AcledSource:
    """The source that these settings describe."""
    return AcledSource(settings, password, HttpClient(ca_file=settings.ca_file))


# --- rows -------------------------------------------------------------------------------------


def parse_rows(rows: Sequence[Any], parser: AcledRows, *, keep_raw: bool) -> Page:
    """JSON rows as a page; a row that cannot be used becomes a reject and stops nothing."""
    records: list[Record] = []
    rejects: list[Reject] = []
    raw: list[str] = []
    foreign = 0
    for row in rows:
        try:
            texts = _texts(row)
            values.require_clean("\x1f".join(texts))
            parsed = parser.parse(texts)
        except RowError as error:
            rejects.append(Reject(str(error), strict_json.dumps(row)[:RAW_LENGTH], values.known_id(_id_of(row))))
            continue
        if parsed == FOREIGN:
            foreign += 1
            continue
        records.append(parsed)
        if keep_raw:
            raw.append(strict_json.dumps(row))
    return Page(DATASET, records=records, rejects=rejects, foreign=foreign, raw=raw)


def _texts(row: Any) -> list[str]:
    if not isinstance(row, dict):
        raise RowError("the row is no object")
    missing = [name for name in REQUIRED if name not in row]
    if missing:
        raise RowError(f"the row has no {', '.join(missing)}")
    return [text_of(row.get(column)) for column in COLUMNS]


def _id_of(row: Any) -> str:
    return str(row.get("event_id_cnty", "")) if isinstance(row, dict) else ""


def _deletions(rows: Sequence[Any], now: datetime) -> tuple[list[Deletion], list[Reject]]:
    deletions: list[Deletion] = []
    rejects: list[Reject] = []
    latest = now + timedelta(days=values.FUTURE_DAYS)
    for row in rows:
        try:
            if not isinstance(row, dict):
                raise RowError("the deletion is no object")
            source_id = values.identifier(text_of(row.get("event_id_cnty")))
            at = values.instant(text_of(row.get("deleted_timestamp")), latest)
            deletions.append(Deletion(source_id, at))
        except RowError as error:
            rejects.append(Reject(str(error), strict_json.dumps(row)[:RAW_LENGTH], values.known_id(_id_of(row))))
    return deletions, rejects


def _refuse_drift(rows: int, rejects: Sequence[Reject], host: str) -> None:
    """Raise "schema_drift" when more than a fifth of a page cannot be used."""
    bad = len(rejects)
    if bad < LEAST_REJECTS or bad <= DRIFT_SHARE * rows:
        return
    reasons = [reject.reason for reject in rejects]
    commonest = max(set(reasons), key=reasons.count)
    raise SourceError(
        f"{host} changed its rows: {bad} of {rows} on a page cannot be read (most often: "
        f"{commonest}); the page was refused whole, the watermark was not moved",
        state="schema_drift",
    )


# --- times ------------------------------------------------------------------------------------


def _instant(stamp: int | None) -> datetime | None:
    return None if stamp is None else datetime.fromtimestamp(stamp, UTC)


def _newest_shown(restriction: Restriction, now: datetime) -> date | None:
    """The newest day a restricted account sees; by the age given if no date is."""
    if restriction.newest is not None:
        return restriction.newest
    number, _, unit = restriction.text.partition(" ")
    days = {"day": 1, "week": 7, "month": 31, "year": 366}.get(unit.rstrip("s"))
    if days is None or not number.isdigit() or len(number) > 3:
        return None
    return now.astimezone(UTC).date() - timedelta(days=days * int(number))


def _fingerprint(settings: AcledSettings) -> str:
    """What the memory holds for: another server, account or filter starts anew."""
    parts = [settings.base_url, settings.username, *settings.countries, str(settings.since)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
