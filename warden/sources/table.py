"""What a table of rows looks like to those who read it, whatever file it stands in.

Standing in the flow: `tables.open_table` makes one; `file_reading` reads the columns it wants.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

RAW_LENGTH = 4_096


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


def column_name(text: str) -> str:
    """A header as a name: "EVENT_ID_CNTY", " Event ID cnty" -> "event_id_cnty"."""
    return "_".join(text.strip().strip("\ufeff").casefold().replace("-", " ").split())


def shown(raw: str) -> str:
    """A raw row as it may be stored: bounded, without NULs and half surrogates."""
    text = raw[:RAW_LENGTH].replace("\0", "\\x00")
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
