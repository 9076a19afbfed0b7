"""Remembering what was tested: a week's test rests only on the weeks up to it.

Detectors are pure; this cache changes nothing but the time they take. When a matrix is like the one
tested last, up to some week, only the weeks from the first difference on are tested again.
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
    counts: Floats  # measures x series x weeks
    columns: Columns


_memory: OrderedDict[Hashable, _Remembered] = OrderedDict()
_lock = Lock()


def remembered(
    key: Hashable,
    counts: Floats,
    names: Sequence[str],
    test: Callable[[int], Sequence[Floats]],
) -> Columns:
    """The named columns (series x weeks) of a test over `counts`.

    `key` tells apart rules, their versions and their series; `test(start)` tests the weeks from
    `start` on.
    """
    with _lock:
        known = _memory.get(key)
    start = 0 if known is None else _first_difference(known.counts, counts)
    total = counts.shape[-1]
    fresh = test(start) if start < total else [counts[0, :, total:]] * len(names)
    columns = {
        name: column if known is None else np.hstack([known.columns[name][:, :start], column])
        for name, column in zip(names, fresh, strict=True)
    }
    with _lock:
        _memory[key] = _Remembered(counts, columns)
        _memory.move_to_end(key)
        while len(_memory) > MOST_RULES:
            _memory.popitem(last=False)
    return columns


def forget() -> None:
    """Empty the memory."""
    with _lock:
        _memory.clear()


def _first_difference(old: Floats, new: Floats) -> int:
    """The first week in which two matrices differ, or the end of the shorter one."""
    shared = min(old.shape[-1], new.shape[-1])
    if old.shape[:-1] != new.shape[:-1]:
        return 0
    differs = (old[..., :shared] != new[..., :shared]).any(axis=tuple(range(old.ndim - 1)))
    return int(np.argmax(differs)) if differs.any() else shared
