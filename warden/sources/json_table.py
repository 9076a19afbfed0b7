"""JSON, NDJSON and GeoJSON as tables of rows.

Standing in the flow: `tables.open_table` makes these. Unlike CSV they are read whole.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from warden.regular import open_regular
from warden.sources import strict_json, values
from warden.sources.acled_rows import text_of
from warden.sources.table import RAW_LENGTH, Row, TableError, column_name, shown
from warden.sources.values import RowError

DEEPEST = 4


class JsonTable:
    """Objects, one a row; nested ones as `outer.inner`."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows = rows
        names: set[str] = set()
        for row in rows[:200]:
            if isinstance(row, dict):
                names.update(_flat(row))
        self._columns = frozenset(names) if rows else None

    @property
    def columns(self) -> frozenset[str] | None:
        """The names that occur in the first 200 rows; None if there are none."""
        return self._columns

    def rows(self, wanted: Sequence[str], id_column: str) -> Iterator[Row]:
        """Every row; one that is no flat object of texts and numbers with its reason."""
        for number, row in enumerate(self._rows, start=1):
            cells = _flat(row) if isinstance(row, dict) else {}
            try:
                texts = _cells(row, cells, wanted)
            except RowError as error:
                source_id = _text_or_nothing(cells.get(id_column))
                yield Row(None, number, shown(strict_json.dumps(row)), str(error), source_id)
                continue
            yield Row(texts, number, row)

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


def open_json(path: Path, encoding: str) -> JsonTable:
    """Read a JSON text of any of the shapes; raises `TableError`."""
    with open_regular(path) as stream:
        text = stream.read()
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
    """The rows of a list, of an object with `data` or `features`, or an object as the one row.

    GeoJSON features may stand in each.
    """
    rows = [document]
    if isinstance(document, list):
        rows = document
    elif isinstance(document, dict):
        name = "features" if document.get("type") == "FeatureCollection" else "data"
        found = document.get(name)
        rows = found if isinstance(found, list) else rows
    else:
        raise TableError("it holds neither a list of rows nor an object with `data` or `features`")
    return [_feature(row) for row in rows]


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
