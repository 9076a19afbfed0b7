"""Files of events for a backtest: read by the same source as any, kept in memory only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from warden.collector import collector_paused
from warden.errors import WardenError
from warden.model.event import Record
from warden.sources.file import read_files
from warden.trial.backtest import newest_records

SOURCE_NAME = "files"


@dataclass(frozen=True, slots=True)
class Read:
    """What files hold: one record an event, and how many rows could not be read."""

    records: list[Record]
    rejected: int


def read_all(paths: Sequence[Path], now: datetime) -> Read:
    """Read the files; of an event that stands in several the newest row counts.

    Raises:
        WardenError: a file cannot be used at all.
    """
    with collector_paused():  # a record holds no cycles, and all are kept
        return _read_all(paths, now)


def _read_all(paths: Sequence[Path], now: datetime) -> Read:
    found: list[Record] = []
    rejected = 0
    for path in paths:
        pages = read_files([path], source_name=SOURCE_NAME).poll({}, now)
        served = 0
        while True:
            try:
                page = next(pages)
            except StopIteration as end:
                outcome = end.value
                break
            found += page.records
            rejected += len(page.rejects)
            served += len(page.records) + len(page.rejects)
        if outcome.state != "ok" and not served:
            raise WardenError(outcome.sentence)
    return Read(newest_records(found), rejected)
