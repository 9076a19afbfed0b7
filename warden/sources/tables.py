"""Files of rows: CSV of any common delimiter, JSON, NDJSON and GeoJSON, opened by what they hold.

Standing in the flow: `file_reading` opens a file here, decides by its columns what it is, and
reads the columns that its parser wants.
"""

from __future__ import annotations

import codecs
import os
from pathlib import Path

from warden.regular import open_regular
from warden.sources.csv_table import CsvTable
from warden.sources.json_table import open_json
from warden.sources.table import Row, Table, TableError, column_name, shown

__all__ = ["Row", "Table", "TableError", "column_name", "open_table", "shown"]

MAX_JSON_BYTES = 256 << 20  # read whole, unlike CSV
_HEAD = 1 << 16
_COMPRESSED = {
    b"PK\x03\x04": "an Excel workbook or a zip archive; save it as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save it as CSV",
    b"\x1f\x8b": "compressed; unpack it",
    b"%PDF": "a PDF",
}


def open_table(path: Path, max_bytes: int) -> Table:
    """Open a file by what it contains, whatever its name; raises `TableError`."""
    with open_regular(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > max_bytes:
            raise TableError(f"it is larger than {max_bytes:,} bytes (`max_bytes`)")
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
        return open_json(path, encoding)
    if start.startswith("<"):
        raise TableError("it is a web page or XML, not a table")
    return CsvTable(path, encoding)


def _encoding(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"
