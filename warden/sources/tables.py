"""Files of rows: CSV of any common delimiter, JSON, NDJSON and GeoJSON, read as tables of texts.

Standing in the flow: `file` opens a table, decides by its columns what it holds, and reads the
columns that its parser wants. A damaged row costs itself only: a quote that is never closed
swallows the rest of a CSV file for an ordinary reader; here reading begins again one line later.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol, TextIO

from warden.sources import strict_json, values
from warden.sources.acled_rows import text_of
from warden.sources.values import RowError

DELIMITERS = ",;\t|"
LEAST_COLUMNS = 2
MOST_COLUMNS = 2_000
LONGEST_ROW_LINES = 1_000
LONGEST_ROW = 16 << 20
MOST_RESTARTS = 10_000
RAW_LENGTH = 4_096
DEEPEST = 4
MAX_JSON_BYTES = 256 << 20  # read whole, unlike CSV
_HEAD = 1 << 16
_COMPRESSED = {
    b"PK\x03\x04": "an Excel workbook or a zip archive; save it as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save it as CSV",
    b"\x1f\x8b": "compressed; unpack it",
    b"%PDF": "a PDF",
}


class TableError(ValueError):
    """A file that cannot be read as a table; the message is a clause: "it is …"."""


@dataclass(slots=True)
class Row:
    """One row of a table (not frozen: every ingested row pays for it).

    Attributes:
        cells: the wanted columns as texts; None if the row is damaged.
        line: where it begins, from 1; for JSON the number of the row.
        raw: a JSON list of its cells; for a damaged row what stands in the file.
        reason: why it cannot be used, for a damaged row.
        source_id: the value of the id column of a damaged row, if it can be made out.
    """

    cells: Sequence[str] | None
    line: int
    raw: str
    reason: str = ""
    source_id: str = ""


class Table(Protocol):
    """A file with named columns."""

    @property
    def columns(self) -> frozenset[str]:
        """The names of the columns: lower case, `_` for blanks."""
        ...

    def rows(self, wanted: Sequence[str], id_column: str) -> Iterator[Row]:
        """Every row, with its `wanted` columns in that order; a column it lacks is "".

        Cells may have one more, empty, at the end.
        """
        ...

    def glance(self, wanted: Sequence[str], most: int) -> Iterator[Sequence[str]]:
        """The `wanted` columns of the first `most` rows, up to the first damaged one."""
        ...


def open_table(path: Path, max_bytes: int) -> Table:
    """Open a file by what it contains, whatever its name; raises `TableError`."""
    size = path.stat().st_size
    if size > max_bytes:
        raise TableError(f"it is larger than {max_bytes:,} bytes (`max_bytes`)")
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head.strip():
        raise TableError("it is empty")
    for magic, what in _COMPRESSED.items():
        if head.startswith(magic):
            raise TableError(f"it is {what}")
    encoding = _encoding(head)
    start = head.decode(encoding, "replace").lstrip()
    if start.startswith(("{", "[")):
        if size > MAX_JSON_BYTES:
            raise TableError(f"it is JSON of more than {MAX_JSON_BYTES:,} bytes; split it")
        return _open_json(path, encoding)
    if start.startswith("<"):
        raise TableError("it is a web page or XML, not a table")
    return CsvTable(path, encoding)


def column_name(text: str) -> str:
    """A header as a name: "EVENT_ID_CNTY", " Event ID cnty" -> "event_id_cnty"."""
    return "_".join(text.strip().strip("\ufeff").casefold().replace("-", " ").split())


def shown(raw: str) -> str:
    """A raw row as it may be stored: bounded, without NULs and half surrogates."""
    text = raw[:RAW_LENGTH].replace("\0", "\\x00")
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _encoding(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


# --- CSV --------------------------------------------------------------------------------------


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
            raw = strict_json.dumps(cells)
            unclean = _unclean(cells) if "\\ud" in raw or "\\u0000" in raw else ""
            cells.append("")
            if unclean:
                yield Row(None, line, raw[:RAW_LENGTH], unclean, values.known_id(cells[identify]))
                continue
            yield Row(pick(cells), line, raw)

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
        return self._path.open(encoding=self._encoding, errors=errors, newline="")


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
        raise TableError(f"its header names {', '.join(twins[:5])} twice")
    if sum(map(bool, names)) < LEAST_COLUMNS:
        raise TableError("its first line is no header of columns")


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
    try:
        values.require_clean("\x1f".join(cells))
    except RowError as error:
        return str(error)
    return ""


# --- JSON -------------------------------------------------------------------------------------


class JsonTable:
    """Objects, one a row; nested ones as `outer.inner`."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows = rows
        names: set[str] = set()
        for row in rows[:200]:
            if isinstance(row, dict):
                names.update(_flat(row))
        self._columns = frozenset(names)

    @property
    def columns(self) -> frozenset[str]:
        """The names that occur in the first 200 rows."""
        return self._columns

    def rows(self, wanted: Sequence[str], id_column: str) -> Iterator[Row]:
        """Every row; one that is no flat object of texts and numbers with its reason."""
        for number, row in enumerate(self._rows, start=1):
            raw = strict_json.dumps(row)
            cells = _flat(row) if isinstance(row, dict) else {}
            try:
                texts = _cells(row, cells, wanted)
            except RowError as error:
                source_id = _text_or_nothing(cells.get(id_column))
                yield Row(None, number, shown(raw), str(error), source_id)
                continue
            yield Row(texts, number, raw)

    def glance(self, wanted: Sequence[str], most: int) -> Iterator[Sequence[str]]:
        """The `wanted` columns of the first rows."""
        for row in islice(self.rows(wanted, wanted[0]), most):
            if row.cells is None:
                return
            yield row.cells


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """A line of NDJSON that is no JSON."""

    text: str
    reason: str

    def __str__(self) -> str:
        return self.text


def _open_json(path: Path, encoding: str) -> Table:
    text = path.read_bytes()
    if encoding != "utf-8-sig":
        text = text.decode(encoding, "replace").encode()
    try:
        return JsonTable(_rows_of(strict_json.loads(text)))
    except strict_json.JsonError as error:
        lines = _ndjson(text)
        if lines is None:
            raise TableError(f"it is not JSON ({error})") from None
        return JsonTable(lines)


def _rows_of(document: Any) -> Sequence[Any]:
    """The rows of a list, of an object with `data`, or of a GeoJSON FeatureCollection."""
    if isinstance(document, list):
        return document
    if isinstance(document, dict):
        if document.get("type") == "FeatureCollection":
            features = document.get("features")
            if isinstance(features, list):
                return [_feature(feature) for feature in features]
        rows = document.get("data")
        if isinstance(rows, list):
            return rows
        return [document]
    raise TableError("it holds neither a list of rows nor an object with `data` or `features`")


def _ndjson(text: bytes) -> list[Any] | None:
    """A row a line, if the first line is an object."""
    lines = [line for line in text.removeprefix(codecs.BOM_UTF8).split(b"\n") if line.strip()]
    rows: list[Any] = []
    for line in lines:
        try:
            row = strict_json.loads(line)
        except strict_json.JsonError as error:
            if not rows:
                return None
            row = _Unreadable(line[:RAW_LENGTH].decode("utf-8", "replace"), f"no JSON: {error}")
        rows.append(_feature(row))
    return rows if isinstance(rows[0], dict) and len(rows) > 1 else None


def _feature(row: Any) -> Any:
    """A GeoJSON point feature as a flat row; anything else as it is."""
    if not isinstance(row, dict) or row.get("type") != "Feature":
        return row
    properties, geometry = row.get("properties"), row.get("geometry")
    flat = dict(properties) if isinstance(properties, dict) else {}
    if "id" in row:
        flat.setdefault("id", row["id"])
    if isinstance(geometry, dict) and geometry.get("type") == "Point":
        position = geometry.get("coordinates")
        if isinstance(position, list):
            for name, degrees in zip(("longitude", "latitude"), position, strict=False):
                flat.setdefault(name, degrees)
    return flat


def _flat(row: Mapping[Any, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Nested objects as `outer.inner` names."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        name = prefix + column_name(str(key))
        if isinstance(value, dict) and depth < DEEPEST:
            flat.update(_flat(value, f"{name}.", depth + 1))
        else:
            flat[name] = value
    return flat


def _cells(row: Any, cells: Mapping[str, Any], wanted: Sequence[str]) -> list[str]:
    """The wanted cells as texts; raises `RowError` if the row cannot be used."""
    if isinstance(row, _Unreadable):
        raise RowError(row.reason)
    if not isinstance(row, dict):
        raise RowError("the row is no object")
    texts = [text_of(cells.get(name)) for name in wanted]
    values.require_clean("\x1f".join(texts))
    return texts


def _text_or_nothing(value: Any) -> str:
    try:
        return values.known_id(text_of(value))
    except RowError:
        return ""
