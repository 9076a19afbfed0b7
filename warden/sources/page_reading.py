"""Rows of a table as a page; those that the store holds already are left unread.

Standing in the flow: `file_reading` cuts a table into chunks of rows and hands them over here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Protocol

from warden.model.event import Record
from warden.sources.fingerprints import Fingerprints
from warden.sources.protocol import Held, Page, Recogniser, Reject, Unread
from warden.sources.table import RawTexts, Row, shown
from warden.sources.values import RowError, known_id

_Printed = tuple[Row, bytes]  # a row and its fingerprint


class Parser(Protocol):
    """Makes records of the wanted cells of rows."""

    def parse(self, row: Sequence[str]) -> Record | Literal["foreign"]:
        """The record; raises `RowError`."""
        ...


@dataclass(frozen=True, slots=True)
class PageReader:
    """Reads chunks of rows into pages.

    Attributes:
        place: where the id stands among a row's cells.
        recogniser: says which rows the store holds; None = read all.
    """

    dataset: str
    parser: Parser
    place: int
    keep_raw: bool
    fingerprints: Fingerprints
    recogniser: Recogniser | None

    def page(self, chunk: Sequence[Row]) -> tuple[Page, Mapping[str, Held]]:
        """A page and, by id, what is known of its rows that were left unread."""
        take = self.fingerprints.of
        printed = [(row, b"" if row.cells is None else take(row.cells)) for row in chunk]
        held = self._held(printed)
        if not held:
            return self._read(printed), {}
        unread: dict[str, _Printed] = {}
        rest: list[_Printed] = []
        for row, fingerprint in printed:
            source_id = self._id(row)
            if source_id in held:
                unread[source_id] = (row, fingerprint)
            else:
                rest.append((row, fingerprint))
        fingerprints = {source_id: fingerprint for source_id, (_, fingerprint) in unread.items()}
        left = Unread(fingerprints, partial(self._read_some, unread))
        return replace(self._read(rest), unread=left), held

    def _held(self, printed: Iterable[_Printed]) -> Mapping[str, Held]:
        """Which rows need no reading; never one whose id occurs twice, since order counts then."""
        if self.recogniser is None:
            return {}
        served: dict[str, bytes] = {}
        twice = {""}
        for row, fingerprint in printed:
            source_id = self._id(row)
            if source_id in served:
                twice.add(source_id)
            served[source_id] = fingerprint
        for source_id in twice:
            served.pop(source_id, None)
        return self.recogniser(self.dataset, served)

    def _id(self, row: Row) -> str:
        return "" if row.cells is None else known_id(row.cells[self.place])

    def _read_some(self, unread: Mapping[str, _Printed], ids: Collection[str]) -> Page:
        return self._read([unread[source_id] for source_id in ids])

    def _read(self, printed: Iterable[_Printed]) -> Page:
        """A row that cannot be used is a reject and stops nothing."""
        records: list[Record] = []
        fingerprints: list[bytes] = []
        rows: list[Row] = []
        rejects: list[Reject] = []
        foreign = 0
        parse = self.parser.parse
        for row, fingerprint in printed:
            if row.cells is None:
                rejects.append(Reject(row.reason, row.raw, row.source_id, row.line))
                continue
            try:
                parsed = parse(row.cells)
            except RowError as error:
                source_id = known_id(row.cells[self.place])
                rejects.append(Reject(str(error), shown(row.raw), source_id, row.line))
                continue
            if isinstance(parsed, str):  # FOREIGN
                foreign += 1
                continue
            records.append(parsed)
            fingerprints.append(fingerprint)
            rows.append(row)
        raw = RawTexts(rows) if self.keep_raw else ()
        return Page(self.dataset, records, rejects, (), foreign, raw, fingerprints)
