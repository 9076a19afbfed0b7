"""Measures: what is counted over a window, per key and day.

A measure is a matrix key x day; here it is kept sparse, as sorted event days with their rows,
because conflict series are mostly zeros.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from warden.engine.facts import rows_of_key
from warden.engine.frame import FloatArray, IntArray
from warden.engine.where import Matches
from warden.model.signal import Key

CAP = 10  # fatalities_capped: deaths an event, so that one massacre is not a trend


@dataclass(frozen=True, slots=True)
class Series:
    """One key's contributing events.

    Attributes:
        rows: rows of the matches, in order of (event_date, uid), only those that contribute.
        days: their days.
        weights: what each adds; None for distinct measures.
        labels: what each is counted as, for distinct measures; () otherwise.
    """

    key: Key
    rows: IntArray
    days: IntArray
    weights: FloatArray | None
    labels: tuple[tuple[str, ...], ...] = ()


def series(matches: Matches, key: Key, measure: str) -> Series:
    """The contributing events of a key under a measure."""
    rows = rows_of_key(matches, key)
    if measure.startswith("distinct("):
        labels = tuple(_labels(matches, int(row), measure) for row in rows)
        return Series(key, rows, matches.frame.day[rows], None, labels)
    if measure == "events":
        return Series(key, rows, matches.frame.day[rows], np.ones(len(rows)))
    weights = _weights(matches, rows, measure)
    counts = weights > 0
    held = rows[counts]
    return Series(key, held, matches.frame.day[held], weights[counts])


def total(one: Series, first: int, last: int) -> float:
    """The measure over the days first..last, both included."""
    low, high = span(one, first, last)
    if one.weights is not None:
        return float(one.weights[low:high].sum())
    return float(len({label for labels in one.labels[low:high] for label in labels}))


def amount(one: Series, positions: IntArray) -> float:
    """The measure over some of the events."""
    if one.weights is not None:
        return float(one.weights[positions].sum())
    return float(len({label for at in positions.tolist() for label in one.labels[at]}))


def span(one: Series, first: int, last: int) -> tuple[int, int]:
    """The positions of the events of the days first..last, as a half-open range."""
    low = int(one.days.searchsorted(first, side="left"))
    high = int(one.days.searchsorted(last, side="right"))
    return low, high


def alike_through(one: Series, other: Series, last: int) -> int:
    """The last day, at most `last`, up to which two series hold the same; before all time = -1."""
    ends = [int(each.days.searchsorted(last, side="right")) for each in (one, other)]
    shared = min(ends)
    differs = one.days[:shared] != other.days[:shared]
    if one.weights is not None and other.weights is not None:
        differs |= one.weights[:shared] != other.weights[:shared]
    elif one.labels[:shared] != other.labels[:shared]:
        return -1
    if differs.any():
        shared = int(np.argmax(differs))
    days = [
        int(each.days[shared]) for each, end in zip((one, other), ends, strict=True) if shared < end
    ]
    return max(min(days, default=last + 1) - 1, -1)


def rolling(one: Series, days: IntArray, window: int) -> FloatArray:
    """The measure over the window of `window` days that ends with each of `days` (sorted)."""
    if one.weights is not None and len(days) > 1 and days[-1] - days[0] == len(days) - 1:
        return _rolling_daily(one.days, one.weights, days, window)
    low = one.days.searchsorted(days - window, side="right")
    high = one.days.searchsorted(days, side="right")
    if one.weights is not None:
        running = np.concatenate(([0.0], np.cumsum(one.weights)))
        return running[high] - running[low]
    return _rolling_distinct(one.labels, low, high)


def _rolling_daily(at: IntArray, weights: FloatArray, days: IntArray, window: int) -> FloatArray:
    """The same for days without a gap: sums of each day, summed up, and no search."""
    first, count = int(days[0]) - window + 1, len(days) + window - 1
    inside = (at >= first) & (at < first + count)
    if not inside.all():
        at, weights = at[inside], weights[inside]
    running = np.zeros(count + 1)
    np.cumsum(np.bincount(at - first, weights, count), out=running[1:])
    return running[window:] - running[:-window]


def _rolling_distinct(
    labels: Sequence[tuple[str, ...]], low: IntArray, high: IntArray
) -> FloatArray:
    present: Counter[str] = Counter()
    values = np.zeros(len(low))
    start = end = 0
    for position, (first, last) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        while end < last:
            present.update(labels[end])
            end += 1
        while start < first:
            present.subtract(labels[start])
            present += Counter()  # drops what fell to zero
            start += 1
        values[position] = len(present)
    return values


def _weights(matches: Matches, rows: IntArray, measure: str) -> FloatArray:
    deaths = matches.frame.number["fatalities"][rows]
    deaths[deaths != deaths] = 0.0  # noqa: PLR0124 - NaN: a copy of its own, as rows are picked
    if measure == "fatalities":
        return deaths
    if measure == "fatal_events":
        return (deaths > 0).astype(np.float64)
    return np.minimum(deaths, CAP)


def _labels(matches: Matches, row: int, measure: str) -> tuple[str, ...]:
    frame = matches.frame
    if measure == "distinct(admin2)":
        return (frame.coded["admin2"][row],) if frame.coded["admin2"][row] else ()
    if measure == "distinct(report)":
        return (f"{frame.day[row]} {frame.plain['report'][row] or frame.uid[row]}",)
    return matches.actors[row] or tuple(actor.name for actor in frame.row_parties(row))
