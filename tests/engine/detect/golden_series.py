"""The weekly counts behind R's reference outputs, recovered from the outputs themselves.

The file of reference outputs holds bounds and alarms but no counts. An EARS C1 bound is
`mean + z * sd` of the seven weeks before, printed to twelve decimals, so it gives away the sum S
and the sum of squares Q of those seven counts, both whole numbers. Between two neighbouring weeks
only one count enters and one leaves: with D = S' - S and E = Q' - Q, the entering count plus the
leaving count is E / D. What no difference reveals (a class of weeks that never changes, the last
week) is settled by the sums, and by the C3 bound, which contains the count of its own week.
"""

from __future__ import annotations

import gzip
import json
import math
from functools import cache
from pathlib import Path

import numpy as np
from scipy.stats import norm

GOLDEN = Path(__file__).parents[4] / "shared" / "data" / "detection" / "golden_small.json.gz"
WINDOW = 7


@cache
def results() -> list[dict]:
    """Every result of the file: {alg, series, params, t, upper, alarm, ...}."""
    with gzip.open(GOLDEN, "rt") as stream:
        return json.load(stream)["results"]


def named(alg: str) -> list[dict]:
    """The results of one configuration, one a series."""
    return [result for result in results() if result["alg"] == alg]


def column(result: dict, name: str) -> np.ndarray:
    """A column of numbers; R's NA and NaN as NaN, Inf as infinity."""
    words = {"NA": math.nan, "NaN": math.nan, "Inf": math.inf, "-Inf": -math.inf, None: math.nan}
    return np.array([words[v] if v is None or isinstance(v, str) else v for v in result[name]])


@cache
def counts(series: str) -> np.ndarray:
    """The weekly counts of one of the ten series."""
    by_alg = {r["alg"]: r for r in results() if r["series"] == series}
    plain = by_alg["earsC_C1_b7_ms0"]
    assert plain["t"][0] == WINDOW + 1
    sums = [_moments(bound) for bound in column(plain, "upper")]
    found = _chain(sums)
    last = by_alg["earsC_C3_b7_ms0.5"]
    return np.append(found, _last_count(found, column(last, "upper")[-1]))


def _moments(bound: float) -> list[tuple[int, int]]:
    """All (sum, sum of squares) of seven counts that give this C1 bound."""
    total = np.arange(int(WINDOW * bound + 1e-6) + 1)
    squares = 6 * ((bound - total / WINDOW) / norm.isf(0.001)) ** 2 + total**2 / WINDOW
    whole = np.round(squares)
    slope = 12 * np.abs(bound - total / WINDOW) / norm.isf(0.001) ** 2
    near = np.abs(squares - whole) <= slope * 2e-12 * (1 + bound) + 1e-9
    return list(zip(total[near].tolist(), whole[near].astype(int).tolist(), strict=True))


def _step(before: tuple[int, int], after: tuple[int, int]) -> tuple[int, int] | None:
    """(leaving, entering) count between neighbouring windows; (-1, -1) if equal but unknown."""
    change, squares = after[0] - before[0], after[1] - before[1]
    if change == 0:
        return (-1, -1) if squares == 0 else None
    both, rest = divmod(squares, change)
    if rest or both < abs(change) or (both - change) % 2:
        return None
    return (both - change) // 2, (both + change) // 2


def _consistent(moments: list[list[tuple[int, int]]]) -> list[tuple[int, int]]:
    """The one chain of moments whose neighbours can follow each other."""
    kept = [
        [m for m in ms if (m[0] - m[1]) % 2 == 0 and m[1] * WINDOW >= m[0] ** 2] for ms in moments
    ]
    for _ in range(3):
        for i in range(1, len(kept)):
            kept[i] = [b for b in kept[i] if any(_step(a, b) for a in kept[i - 1])]
        for i in range(len(kept) - 1, 0, -1):
            kept[i - 1] = [a for a in kept[i - 1] if any(_step(a, b) for b in kept[i])]
    assert all(len(ms) == 1 for ms in kept)
    return [ms[0] for ms in kept]


def _chain(moments: list[list[tuple[int, int]]]) -> np.ndarray:
    """Counts 1 .. n-1 from the moments of weeks 8 .. n."""
    chain = _consistent(moments)
    found = np.full(len(chain) + WINDOW - 1, -1)
    for i in range(len(chain) - 1):
        step = _step(chain[i], chain[i + 1])
        if step and step[0] >= 0:
            found[i], found[i + WINDOW] = step
    for start in range(WINDOW):  # equal neighbours: the same count, forwards and backwards
        lane = found[start::WINDOW]
        for i in range(1, len(lane)):
            lane[i] = lane[i - 1] if lane[i] < 0 else lane[i]
        for i in range(len(lane) - 1, 0, -1):
            lane[i - 1] = lane[i] if lane[i - 1] < 0 else lane[i - 1]
    _fill_unchanging(found, chain[0])
    return found


def _fill_unchanging(found: np.ndarray, first: tuple[int, int]) -> None:
    """Weeks whose class never changes: split what the first window's sum leaves for them."""
    missing = np.flatnonzero(found[:WINDOW] < 0)
    if len(missing) == 0:
        return
    rest = first[0] - found[:WINDOW][found[:WINDOW] >= 0].sum()
    assert rest % len(missing) == 0
    assert rest == 0 or len(missing) == 1
    for start in missing:
        found[start::WINDOW] = rest // len(missing)


def _last_count(found: np.ndarray, bound: float) -> int:
    """The last week's count from its C3 bound: `x + sd * (z - two excesses)`, in whole numbers."""
    end = len(found)
    excess = 0.0
    for t in (end - 1, end - 2):
        window = found[t - 9 : t - 2]
        excess += max(0.0, (found[t] - window.mean()) / max(window.std(ddof=1), 0.5) - 1)
    spread = max(found[end - 9 : end - 2].std(ddof=1), 0.5)
    return round(bound - spread * (norm.isf(0.025) - excess)) if bound > 0 else 0
