"""Remembering what was tested: a week's test rests only on the weeks up to it.

Detectors are pure; this cache changes nothing but the time they take. When a matrix is like one
tested before, up to some week, only the weeks from the first difference on are tested again. A
matrix that reaches further is kept beside the newest: a backtest tests all weeks in one go before
it looks at them one by one (see `warden.trial`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from warden.engine.detect.tails import Floats

Columns = dict[str, Floats]
MOST_RULES = 256


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What a test gave.

    Attributes:
        counts: measures x series x weeks. series: what its rows are.
        columns: series x weeks each.
    """

    counts: Floats
    series: tuple[Hashable, ...]
    columns: Columns

    @property
    def weeks(self) -> int:
        return int(self.counts.shape[-1])

    def of(self, series: tuple[Hashable, ...]) -> _Remembered | None:
        """The same for some of its series; None when it lacks one.

        The weeks end where one of the others has its first event: until then it is as if that
        series did not exist, since detectors learn nothing from a series that is still empty.
        """
        if series == self.series:
            return self
        place = {name: row for row, name in enumerate(self.series)}
        if not all(name in place for name in series):
            return None
        rows = np.array([place[name] for name in series], dtype=np.intp)
        others = np.delete(self.counts, rows, axis=1)
        spoken = np.flatnonzero(others.any(axis=(0, 1)))
        end = int(spoken[0]) if spoken.size else self.weeks
        kept = {name: column[rows, :end] for name, column in self.columns.items()}
        return _Remembered(self.counts[:, rows, :end], series, kept)


_memory: OrderedDict[Hashable, tuple[_Remembered, ...]] = OrderedDict()
_lock = Lock()


def remembered(
    key: Hashable,
    counts: Floats,
    names: Sequence[str],
    test: Callable[[int], Sequence[Floats]],
    *,
    series: tuple[Hashable, ...] = (),
) -> Columns:
    """The named columns (series x weeks) of a test over `counts`.

    `key` tells apart rules and their versions, `series` what the rows are; `test(start)` tests the
    weeks from `start` on.
    """
    with _lock:
        known = _memory.get(key, ())
    start, nearest = _nearest(known, counts, series)
    total = counts.shape[-1]
    kept = {name: nearest.columns[name][:, :start] for name in names} if nearest else {}
    if nearest is not None and start == total:  # a look back: what is known reaches further
        return kept
    fresh = dict(zip(names, test(start), strict=True))
    columns = {name: np.hstack([kept[name], fresh[name]]) for name in names} if kept else fresh
    longer = max(known, key=lambda one: one.weeks, default=None)
    news = _Remembered(counts, series, columns)
    with _lock:
        _memory[key] = (news, longer) if longer is not None and longer.weeks > total else (news,)
        _memory.move_to_end(key)
        while len(_memory) > MOST_RULES:
            _memory.popitem(last=False)
    return columns


def forget() -> None:
    """Empty the memory."""
    with _lock:
        _memory.clear()


def _nearest(
    known: Sequence[_Remembered], counts: Floats, series: tuple[Hashable, ...]
) -> tuple[int, _Remembered | None]:
    """(the first week that must be tested, what the weeks before are known from)."""
    best: tuple[int, _Remembered | None] = (0, None)
    for one in known:
        like = one.of(series)
        start = _first_difference(like.counts, counts) if like is not None else 0
        if start > best[0]:
            best = (start, like)
    return best


def _first_difference(old: Floats, new: Floats) -> int:
    """The first week in which two matrices differ, or the end of the shorter one."""
    shared = min(old.shape[-1], new.shape[-1])
    if old.shape[:-1] != new.shape[:-1]:
        return 0
    differs = (old[..., :shared] != new[..., :shared]).any(axis=tuple(range(old.ndim - 1)))
    return int(np.argmax(differs)) if differs.any() else shared
