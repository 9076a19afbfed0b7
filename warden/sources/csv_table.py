"""Delimited text files, where a damaged row costs itself only.

Standing in the flow: `tables.open_table` makes these. A quote that is never closed swallows the
rest of a file for an ordinary reader; here reading begins again one line later.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from io import TextIOWrapper
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import TextIO

from warden.regular import open_regular
from warden.sources import strict_json, values
from warden.sources.table import RAW_LENGTH, Row, TableError, column_name, shown
from warden.sources.values import RowError

DELIMITERS = ",;\t|"
LEAST_COLUMNS = 2
MOST_COLUMNS = 2_000
LONGEST_TOLD = 64  # characters of a name
LONGEST_ROW_LINES = 1_000
LONGEST_ROW = 16 << 20
MOST_RESTARTS = 10_000


class CsvTable:
    """A delimited text file with a header."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._path = path
        self._encoding = encoding
        with self._open() as stream:
            lines = _Lines(stream)
            self._skipped = 0
            header = next(lines, "")
            if header.casefold().startswith("sep="):  # Excel's hint
                self._skipped = 1
                header = next(lines, "")
            self._delimiter = max(DELIMITERS, key=lambda mark: len(_split(header, mark)))
            lines.back([header])
            try:
                names = next(csv.reader(lines, delimiter=self._delimiter), [])
            except (csv.Error, _RunawayError):
                raise TableError("its header cannot be read") from None
        self._names = [column_name(name) for name in names]
        _check_names(self._names)

    @property
    def columns(self) -> frozenset[str]:
        """The names in the header."""
        return frozenset(self._names)

    def rows(self, wanted: Sequence[str], id_column: str) -> Iterator[Row]:
        """Every row; a damaged one with its reason."""
        width = len(self._names)
        place = {name: index for index, name in enumerate(self._names)}
        pick = itemgetter(*(place.get(name, width) for name in wanted), width)
        identify = place.get(id_column, width)
        for cells, line, text, reason in self._records(width):
            if reason:
                hint = _id_hint(text, self._delimiter, identify)
                yield Row(None, line, shown(text), reason, hint)
                continue
            if not cells[0] and not any(cell.strip() for cell in cells):
                continue  # a line of delimiters, as spreadsheets leave them
            unclean = _unclean(cells)
            if unclean:
                raw = strict_json.dumps(cells)[:RAW_LENGTH]
                source_id = values.known_id((*cells, "")[identify])
                yield Row(None, line, raw, unclean, source_id)
                continue
            yield Row(pick((*cells, "")), line, cells)

    def glance(self, wanted: Sequence[str], most: int) -> Iterator[Sequence[str]]:
        """The `wanted` columns of the first rows."""
        width = len(self._names)
        place = {name: index for index, name in enumerate(self._names)}
        pick = itemgetter(*(place.get(name, width) for name in wanted), width)
        for cells, _, _, reason in islice(self._records(width), most):
            if reason:
                return
            cells.append("")
            yield pick(cells)

    def _records(self, width: int) -> Iterator[tuple[list[str], int, str, str]]:
        """(cells, line, text, reason) of every record below the header; text only with a reason.

        Healthy records go straight through `csv`. At the first that is not, the rest of the file
        is read with care.
        """
        with self._open() as stream:
            for _ in range(self._skipped):
                next(stream, "")
            reader = csv.reader(stream, delimiter=self._delimiter)
            next(reader, None)
            before = reader.line_num
            with suppress(csv.Error):
                for cells in reader:
                    if len(cells) != width:
                        break
                    yield cells, before + self._skipped + 1, "", ""
                    before = reader.line_num
                else:
                    return
        yield from self._careful_records(width, before + self._skipped)

    def _careful_records(
        self, width: int, lines_before: int
    ) -> Iterator[tuple[list[str], int, str, str]]:
        """As `_records`, from a line on; a damaged record costs its first line only."""
        at, restarts = lines_before, 0
        with self._open() as stream:
            lines = _Lines(islice(stream, lines_before, None))
            reader = csv.reader(lines, delimiter=self._delimiter)
            while True:
                try:
                    cells, reason = next(reader), ""
                except StopIteration:
                    return
                except (csv.Error, _RunawayError) as error:
                    cells, reason = [], _csv_reason(error)
                taken = lines.take()
                line, at = at + 1, at + len(taken)
                reason = reason or _fit(cells, width)
                if reason:
                    reader = csv.reader(lines, delimiter=self._delimiter)
                if reason and len(taken) > 1 and restarts < MOST_RESTARTS:
                    restarts += 1
                    at -= len(taken) - 1
                    lines.back(taken[1:])
                    taken = taken[:1]
                    reason = f"{reason}; a quote may never be closed"
                if reason or len(cells) == width:
                    yield cells, line, "".join(taken).rstrip("\r\n") if reason else "", reason

    def _open(self) -> TextIO:
        errors = "replace" if self._encoding == "utf-16" else "surrogateescape"
        stream = open_regular(self._path)
        return TextIOWrapper(stream, encoding=self._encoding, errors=errors, newline="")


class _RunawayError(Exception):
    """One record goes on for too many lines."""


class _Lines:
    """The lines of a file; remembers those of the record being read, and takes lines back."""

    def __init__(self, stream: Iterable[str]) -> None:
        self._stream = iter(stream)
        self._returned: list[str] = []
        self._taken: list[str] = []
        self._length = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self._taken) >= LONGEST_ROW_LINES or self._length > LONGEST_ROW:
            raise _RunawayError
        line = self._returned.pop() if self._returned else next(self._stream)
        self._taken.append(line)
        self._length += len(line)
        return line

    def take(self) -> list[str]:
        """The lines read since the last call."""
        taken, self._taken, self._length = self._taken, [], 0
        return taken

    def back(self, lines: list[str]) -> None:
        """Read these again next."""
        self._returned.extend(reversed(lines))


def _split(header: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error:
        return []


def _check_names(names: list[str]) -> None:
    if len(names) > MOST_COLUMNS:
        raise TableError(f"its header has {len(names):,} columns")
    twins = sorted({name for name in names if name and names.count(name) > 1})
    if twins:
        raise TableError(f"its header names {', '.join(map(_short, twins[:5]))} twice")
    if sum(map(bool, names)) < LEAST_COLUMNS:
        raise TableError("its first line is no header of columns")


def _short(name: str) -> str:
    """A column's name as it may be told: a damaged header may be one name of a whole file."""
    return name if len(name) <= LONGEST_TOLD else f"{name[:LONGEST_TOLD]}…"


def _csv_reason(error: Exception) -> str:
    if isinstance(error, _RunawayError):
        return f"the row goes on for more than {LONGEST_ROW_LINES:,} lines"
    return f"the row is damaged ({error})"


def _id_hint(raw: str, delimiter: str, column: int) -> str:
    """The id of a damaged row, if the columns before it are whole."""
    parts = raw[:2_000].split(delimiter, column + 1)
    if len(parts) <= column:
        return ""
    return values.known_id(parts[column].strip().strip('"'))


def _fit(cells: list[str], width: int) -> str:
    """Make a record as wide as the header, if that loses nothing; else say why not.

    Blank lines and empty cells beyond the header go; a blank line is left without cells.
    """
    if not any(cell.strip() for cell in cells[width:]):
        del cells[width:]
    if len(cells) == width:
        return ""
    if not any(cell.strip() for cell in cells):
        cells.clear()
        return ""
    return f"the row has {len(cells)} columns, the header {width}"


def _unclean(cells: Sequence[str]) -> str:
    """Why cells cannot be stored, or ""."""
    joined = "\x1f".join(cells)
    if joined.isascii() and "\0" not in joined:
        return ""
    try:
        values.require_clean(joined)
    except RowError as error:
        return str(error)
    return ""
