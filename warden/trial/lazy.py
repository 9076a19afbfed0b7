"""Some rows of some matches, each column taken when it is first asked for.

A rule's test reads a handful of a frame's forty columns; at hundreds of instants, taking the
others would be most of the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice, takewhile
from typing import Any, TypeVar, cast, overload

import numpy as np

from warden.engine.frame import Coded, Frame, IntArray, ObjectArray
from warden.engine.where import Matches
from warden.model.signal import Key

_Column = TypeVar("_Column")
_Value = TypeVar("_Value")


class _Columns(Mapping[str, _Column]):
    """Columns by name, taken late."""

    def __init__(self, source: Mapping[str, _Column], take: Callable[[_Column], _Column]) -> None:
        self._source = source
        self._take = take
        self._taken: dict[str, _Column] = {}

    def __getitem__(self, name: str) -> _Column:
        found = self._taken.get(name)
        if found is None:
            found = self._taken[name] = self._take(self._source[name])
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._source)

    def __len__(self) -> int:
        return len(self._source)


class _Cells:
    """An object column's cells at some rows; quacks as the array would, and copies what is read."""

    def __init__(self, column: ObjectArray, rows: IntArray) -> None:
        self._column = column
        self._rows = rows
        self._whole: ObjectArray | None = None

    def __getitem__(self, which: Any) -> Any:
        return self._column[self._rows[which]]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __array__(  # NumPy says what it hands over
        self, dtype: Any = None, copy: Any = None
    ) -> ObjectArray:
        if self._whole is None:
            self._whole = self._column[self._rows]
        return np.array(self._whole, dtype=dtype, copy=copy)

    def tolist(self) -> list[Any]:
        return list(self._column[self._rows].tolist())


class _Picked:
    """A tuple's values at some positions; quacks as the tuple would."""

    def __init__(self, values: tuple[Any, ...], rows: IntArray) -> None:
        self._values = values
        self._rows = rows

    @overload
    def __getitem__(self, row: int) -> Any: ...
    @overload
    def __getitem__(self, row: slice) -> tuple[Any, ...]: ...
    def __getitem__(self, row: int | slice) -> Any:
        if isinstance(row, slice):
            return tuple(self)[row]
        return self._values[int(self._rows[row])]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Any]:
        values = self._values
        return iter([values[row] for row in self._rows.tolist()])

    def __add__(self, other: tuple[Any, ...]) -> tuple[Any, ...]:
        return (*self, *other)


class _Facts:
    """What was made of rows, kept where all instants find it again."""

    def __init__(self, source: Any, rows: IntArray) -> None:
        self._source = source
        self._rows = rows

    def __getitem__(self, row: Any) -> Any:
        return self._source[self._rows[row]]

    def __setitem__(self, row: int, facts: Any) -> None:
        self._source[self._rows[row]] = facts

    def __len__(self) -> int:
        return len(self._rows)


class _Beginning:
    """A tuple's first values; quacks as the tuple would."""

    def __init__(self, values: tuple[Any, ...], count: int) -> None:
        self._values = values
        self._count = count

    @overload
    def __getitem__(self, row: int) -> Any: ...
    @overload
    def __getitem__(self, row: slice) -> tuple[Any, ...]: ...
    def __getitem__(self, row: int | slice) -> Any:
        if isinstance(row, slice):
            return tuple(self)[row]
        if not -self._count <= row < self._count:
            raise IndexError(row)
        return self._values[row if row >= 0 else row + self._count]

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Any]:
        return islice(self._values, self._count)

    def __add__(self, other: tuple[Any, ...]) -> tuple[Any, ...]:
        return (*self, *other)


def some_of(matches: Matches, rows: IntArray) -> Matches:
    """As `matches.take(rows)`; the rows are in order, and the matches as `describe` gave them."""
    count = len(rows)
    if count == len(matches):
        return matches
    if count and rows[-1] == count - 1:
        return _beginning(matches, count)
    position = np.full(len(matches), -1, dtype=np.int64)
    position[rows] = np.arange(len(rows))
    pairs = position[matches.key_row]
    kept = pairs >= 0
    code = matches.key_code[kept]
    used = np.flatnonzero(np.bincount(code, minlength=len(matches.keys)))
    renumbered = np.empty(len(matches.keys), dtype=np.int64)
    renumbered[used] = np.arange(len(used))
    some = replace(
        matches,
        frame=_frame(matches.frame, rows),
        distance_km=matches.distance_km[rows],
        place=_picked(matches.place, rows),
        border_km=matches.border_km[rows],
        border_neighbour=_picked(matches.border_neighbour, rows),
        side=_picked(matches.side, rows),
        certain=matches.certain[rows],
        actors=_picked(matches.actors, rows),
        groups=_picked(matches.groups, rows),
        names=_picked(matches.names, rows),
        key_row=pairs[kept],
        key_code=renumbered[code],
        keys=tuple(matches.keys[code] for code in used.tolist()),
        facts=cast("ObjectArray", _Facts(matches.facts, rows)),
    )
    some.group({key: _known(position[matches.rows_of(key)]) for key in some.keys})
    return some


def _beginning(matches: Matches, count: int) -> Matches:
    """The first rows: what the past knew, where events came in the order of their days.

    All columns are views, nothing is copied.
    """
    pairs = int(matches.key_row.searchsorted(count))
    some = replace(
        matches,
        frame=_first_rows(matches.frame, count),
        distance_km=matches.distance_km[:count],
        place=_first(matches.place, count),
        border_km=matches.border_km[:count],
        border_neighbour=_first(matches.border_neighbour, count),
        side=_first(matches.side, count),
        certain=matches.certain[:count],
        actors=_first(matches.actors, count),
        groups=_first(matches.groups, count),
        names=_first(matches.names, count),
        key_row=matches.key_row[:pairs],
        key_code=matches.key_code[:pairs],
        keys=_keys_up_to(matches, count),
        facts=matches.facts[:count],
    )
    some.group({key: _up_to(matches.rows_of(key), count) for key in some.keys})
    return some


def _keys_up_to(matches: Matches, count: int) -> tuple[Key, ...]:
    """The keys of the first rows; they are numbered in order of appearance, so these come first."""
    return tuple(takewhile(lambda key: matches.rows_of(key)[0] < count, matches.keys))


def _up_to(rows: IntArray, count: int) -> IntArray:
    return rows[: int(rows.searchsorted(count))]


def _first_rows(frame: Frame, count: int) -> Frame:
    return replace(
        frame,
        plain=_Columns(frame.plain, lambda column: column[:count]),
        coded=_Columns(frame.coded, lambda column: Coded(column.codes[:count], column.values)),
        number=_Columns(frame.number, lambda column: column[:count]),
        civilian_targeting=frame.civilian_targeting[:count],
        day=frame.day[:count],
        day_end=frame.day_end[:count],
    )


def _first(values: tuple[_Value, ...], count: int) -> tuple[_Value, ...]:
    return cast("tuple[_Value, ...]", _Beginning(values, count))


def _known(positions: IntArray) -> IntArray:
    return positions[positions >= 0]


def _frame(frame: Frame, rows: IntArray) -> Frame:
    return replace(
        frame,
        plain=_Columns(frame.plain, lambda column: cast("ObjectArray", _Cells(column, rows))),
        coded=_Columns(frame.coded, lambda column: column.take(rows)),
        number=_Columns(frame.number, lambda column: column[rows]),
        civilian_targeting=frame.civilian_targeting[rows],
        day=frame.day[rows],
        day_end=frame.day_end[rows],
    )


def _picked(values: tuple[_Value, ...], rows: IntArray) -> tuple[_Value, ...]:
    return cast("tuple[_Value, ...]", _Picked(values, rows))
