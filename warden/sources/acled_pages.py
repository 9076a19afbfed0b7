"""Pages of ACLED's JSON as pages of records, rejects and deletions.

Standing in the flow: `acled` hands over the rows of an envelope; nothing here asks anybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from warden.errors import SourceError
from warden.model.event import Record
from warden.sources import strict_json, values
from warden.sources.acled_rows import COLUMNS, DATASET, FOREIGN, REQUIRED, AcledRows, text_of
from warden.sources.protocol import Deletion, Page, Reject
from warden.sources.values import RowError

LEAST_REJECTS = 5  # of a page; fewer bad rows are no drift, however short the page
DRIFT_SHARE = 0.2
RAW_LENGTH = 4_096


def parse_rows(rows: Sequence[Any], parser: AcledRows, *, keep_raw: bool) -> Page:
    """JSON rows as a page; a row that cannot be used becomes a reject and stops nothing."""
    records: list[Record] = []
    rejects: list[Reject] = []
    raw: list[str] = []
    foreign = 0
    for row in rows:
        try:
            parsed = parser.parse(_texts(row))
        except RowError as error:
            rejects.append(_reject(error, row))
            continue
        if parsed == FOREIGN:
            foreign += 1
            continue
        records.append(parsed)
        if keep_raw:
            raw.append(strict_json.dumps(row))
    return Page(DATASET, records=records, rejects=rejects, foreign=foreign, raw=raw)


def parse_deletions(rows: Sequence[Any], now: datetime) -> Page:
    """The rows of the deletions endpoint as a page."""
    deletions: list[Deletion] = []
    rejects: list[Reject] = []
    latest = now + timedelta(days=values.FUTURE_DAYS)
    for row in rows:
        try:
            deletions.append(_deletion(row, latest))
        except RowError as error:
            rejects.append(_reject(error, row))
    return Page(DATASET, deletions=deletions, rejects=rejects)


def refuse_drift(rows: int, rejects: Sequence[Reject], host: str) -> None:
    """Raise "schema_drift" when more than a fifth of a page cannot be used."""
    bad = len(rejects)
    if bad < LEAST_REJECTS or bad <= DRIFT_SHARE * rows:
        return
    reason, _ = Counter(reject.reason for reject in rejects).most_common(1)[0]
    raise SourceError(
        f"{host} changed its rows: {bad} of {rows} on a page cannot be read (most often: "
        f"{reason}); the page was refused whole, the watermark was not moved",
        state="schema_drift",
    )


def id_of(row: Any) -> str:
    """The id of a row as it stands there, "" if there is none."""
    return str(row.get("event_id_cnty", "")) if isinstance(row, dict) else ""


def _texts(row: Any) -> list[str]:
    """A row's cells in the order of `COLUMNS`."""
    if not isinstance(row, dict):
        raise RowError("the row is no object")
    missing = [name for name in REQUIRED if name not in row]
    if missing:
        raise RowError(f"the row has no {', '.join(missing)}")
    texts = [text_of(row.get(column)) for column in COLUMNS]
    values.require_clean("\x1f".join(texts))
    return texts


def _deletion(row: Any, latest: datetime) -> Deletion:
    if not isinstance(row, dict):
        raise RowError("the deletion is no object")
    source_id = values.identifier(text_of(row.get("event_id_cnty")))
    return Deletion(source_id, values.instant(text_of(row.get("deleted_timestamp")), latest))


def _reject(error: RowError, row: Any) -> Reject:
    raw = strict_json.dumps(row)[:RAW_LENGTH]
    return Reject(str(error), raw, values.known_id(id_of(row)))
