"""What a table of rows looks like to those who read it, whatever file it stands in.

Standing in the flow: `tables.open_table` makes one; `file_reading` reads the columns it wants.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, overload

from warden.sources import strict_json

RAW_LENGTH = 4_096


class TableError(ValueError):
    """A file that cannot be read as a table; the message is a clause: "it is …"."""


@dataclass(slots=True)
class Row:
    """One row of a table (not frozen: every ingested row pays for it).

    Attributes:
        cells: the wanted columns as texts; None if the row is damaged.
        line: where it begins, from 1; for JSON the number of the row.
        whole: all that it holds: a list of cells or an object; a text for a damaged row.
        reason: why it cannot be used, for a damaged row.
        source_id: the value of the id column of a damaged row, if it can be made out.
    """

    cells: Sequence[str] | None
    line: int
    whole: Any
    reason: str = ""
    source_id: str = ""

    @property
    def raw(self) -> str:
        """Its raw text: JSON of its cells; for a damaged row what stands in the file."""
        if isinstance(self.whole, str):
            return self.whole
        if isinstance(self.whole, list):
            return strict_json.dump_texts(self.whole)
        return strict_json.dumps(self.whole)


class RawTexts(Sequence[str]):
    """The raw texts of rows, made when they are asked for: most rows are stored already."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> list[str]: ...

    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [row.raw for row in self._rows[at]]
        return self._rows[at].raw


class Table(Protocol):
    """A file with named columns."""

    @property
    def columns(self) -> frozenset[str] | None:
        """The names of the columns: lower case, `_` for blanks; None: no row that could say."""
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
