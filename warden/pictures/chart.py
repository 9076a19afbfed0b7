"""The chart of a notice: the measure over time, what was to be expected, and the bound.

Standing in the flow: `notify.render` says what to show and in which words; this decides the scales
and where every text stands; `templates/pictures/chart.svg.jinja` draws it.

Sums of separate periods are bars from zero; a rolling sum is a line of steps, for each of its
points shares most of its events with the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from warden.pictures.lettering import text_width
from warden.pictures.template import Easel

WIDTH, HEIGHT = 400, 230
_TOP, _BOTTOM, _RIGHT = 34.0, 48.0, 10.0
_SMALL = 12.5
_DAYS = {"day": 1, "week": 7, "month": 30.44, "quarter": 91.3, "year": 365.25}
_STEPS = (1, 2, 5)
_MAX_TICKS = 5
_DAY_LABELS = 3
_GAP = 0.22  # of a bar's room

Band = tuple[int, float | None, float | None, float | None]


@dataclass(frozen=True, slots=True)
class ChartPlan:
    """What a chart shows. Days are counted since 1970.

    Attributes:
        unit: the step from point to point. points: (day, value), oldest first.
        rolling: a point is a sum over many days that end on its day, else over the period that
            begins on it.
        expected: (day, low, expected, high). bound: a level that means something.
        complete_through: after it days are not fully known. alert: the days that the alert is
            about, first and last.
        title: what is measured, and in what. day: a day in words. number: a number in words.
        bound_words, expected_words, alert_words, incomplete_words: labels.
    """

    unit: str
    points: tuple[tuple[int, float], ...]
    title: str
    day: Callable[[int], str]
    number: Callable[[float], str]
    rolling: bool = False
    expected: tuple[Band, ...] = ()
    bound: float | None = None
    complete_through: int | None = None
    alert: tuple[int, int] | None = None
    bound_words: str = ""
    expected_words: str = ""
    alert_words: str = ""
    incomplete_words: str = ""


@dataclass(frozen=True, slots=True)
class _Scales:
    first: float
    last: float
    top: float
    left: float

    def x(self, day: float) -> float:
        width = WIDTH - _RIGHT - self.left
        return round(self.left + (day - self.first) / (self.last - self.first) * width, 1)

    def y(self, value: float) -> float:
        height = HEIGHT - _BOTTOM - _TOP
        return round(HEIGHT - _BOTTOM - min(value, self.top) / self.top * height, 1)


def chart_svg(plan: ChartPlan, easel: Easel) -> str:
    """Draw it. Raises PictureError when it cannot be drawn; ValueError without any point."""
    if not plan.points:
        raise ValueError("a chart needs points")
    ticks = _ticks(plan)
    scales = _scales(plan, ticks)
    return easel.draw(
        "chart",
        width=WIDTH,
        height=HEIGHT,
        left=scales.left,
        right=WIDTH - _RIGHT,
        base=scales.y(0),
        top=_TOP,
        title=plan.title,
        ticks=[{"y": scales.y(tick), "words": plan.number(tick)} for tick in ticks],
        days=_day_labels(plan, scales),
        window=_alert(plan, scales) if plan.rolling else None,
        band=_band_path(plan, scales),
        expected=_expected_path(plan, scales),
        bars=[] if plan.rolling else _bars(plan, scales),
        line=_line(plan, scales) if plan.rolling else "",
        end=_end(plan, scales),
        bound=_bound(plan, scales),
        unknown=_unknown(plan, scales),
        legend=_legend(plan),
    )


# --- scales -----------------------------------------------------------------------------------


def _ticks(plan: ChartPlan) -> list[float]:
    """Round levels from zero to above all that is drawn; whole numbers, as events are."""
    values = [value for _, value in plan.points]
    values += [part for _, *rest in plan.expected for part in rest if part is not None]
    values += [plan.bound] if plan.bound is not None else []
    most = max(*values, 1.0) * 1.06
    scale = 1
    while True:
        for step in _STEPS:
            if most <= step * scale * (_MAX_TICKS - 1):
                size = step * scale
                return [float(size * n) for n in range(int(-(-most // size)) + 1)]
        scale *= 10


def _scales(plan: ChartPlan, ticks: Sequence[float]) -> _Scales:
    length = _DAYS.get(plan.unit, 1)
    days = [day for day, _ in plan.points]
    first, last = float(days[0]), float(days[-1])
    if plan.rolling:
        first, last = min(first, last - length), last + length * 0.3
    else:
        last += length
    left = 10 + max(text_width(plan.number(tick), _SMALL) for tick in ticks) + 6
    return _Scales(first, max(last, first + 1), ticks[-1], round(left, 1))


def _day_labels(plan: ChartPlan, scales: _Scales) -> list[dict[str, Any]]:
    """A few days below the axis, evenly spread over the points, none cut off."""
    count = len(plan.points)
    shown = min(_DAY_LABELS, count)
    chosen = sorted({round(i * (count - 1) / max(shown - 1, 1)) for i in range(shown)})
    labels: list[dict[str, Any]] = []
    edge = 0.0
    for index in chosen:
        day = plan.points[index][0]
        words = plan.day(day)
        half = text_width(words, _SMALL) / 2
        mark = scales.x(day if plan.rolling else day + _DAYS.get(plan.unit, 1) / 2)
        x = min(max(mark, half + 2), WIDTH - 2 - half)
        if x - half > edge:
            labels.append({"x": round(x, 1), "mark": mark, "words": words})
            edge = x + half + 8
    return labels


# --- what is drawn ----------------------------------------------------------------------------


def _is_known(plan: ChartPlan, day: int) -> bool:
    """Whether the whole of a point's days is known."""
    if plan.complete_through is None:
        return True
    end = day if plan.rolling else day + _DAYS.get(plan.unit, 1) - 1
    return end <= plan.complete_through + 0.5


def _lengths(plan: ChartPlan) -> list[float]:
    """How many days each point stands for: months and years are not of one length."""
    days = [day for day, _ in plan.points]
    return [*(float(b - a) for a, b in pairwise(days)), _DAYS.get(plan.unit, 1)]


def _bars(plan: ChartPlan, scales: _Scales) -> list[dict[str, Any]]:
    bars = []
    for (day, value), length in zip(plan.points, _lengths(plan), strict=True):
        left, right = scales.x(day + length * _GAP / 2), scales.x(day + length * (1 - _GAP / 2))
        if value > 0:
            bars.append(
                {
                    "x": left,
                    "y": scales.y(value),
                    "width": round(max(right - left, 1.2), 1),
                    "height": round(scales.y(0) - scales.y(value), 1),
                    "alert": _in_alert(plan, day, length),
                    "known": _is_known(plan, day),
                }
            )
    return bars


def _in_alert(plan: ChartPlan, day: float, length: float) -> bool:
    return plan.alert is not None and day <= plan.alert[1] and day + length > plan.alert[0] + 0.5


def _line(plan: ChartPlan, scales: _Scales) -> str:
    """Steps: a value holds until the next is known."""
    (day, value), *rest = plan.points
    path = f"M{scales.x(day):g},{scales.y(value):g}"
    for later, then in rest:
        path += f"H{scales.x(later):g}V{scales.y(then):g}"
    return path


def told_point(plan: ChartPlan) -> tuple[int, float]:
    """The value that is said: the newest of the alert's days.

    A sum over many days that holds the alert's last day is there from the first point after it.
    """
    if plan.alert is None:
        return plan.points[-1]
    last = plan.alert[1]
    holding = [p for p in plan.points if p[0] >= last] if plan.rolling else []
    told = [p for p in plan.points if p[0] <= last]
    return holding[0] if holding else (told or plan.points)[-1]


def _end(plan: ChartPlan, scales: _Scales) -> dict[str, Any] | None:
    """The newest value, said beside its point."""
    day, value = told_point(plan)
    middle = day if plan.rolling else day + _DAYS.get(plan.unit, 1) / 2
    words = plan.number(value)
    half = text_width(words, _SMALL + 1.5, bold=True) / 2
    x = scales.x(middle)
    return {
        "x": round(min(x, WIDTH - 4 - half), 1), "mark": x, "y": scales.y(value), "words": words,
        "dot": plan.rolling,
    }  # fmt: skip


def _steps(plan: ChartPlan, scales: _Scales, part: int) -> list[tuple[float, float, float]]:
    """Left, right and y of each expected value of one part (1 low, 2 expected, 3 high)."""
    length = _DAYS.get(plan.unit, 1)
    found = []
    for band in plan.expected:
        value = band[part]
        if value is not None:
            start = band[0] - length if plan.rolling else band[0]
            found.append((scales.x(max(start, scales.first)), scales.x(start + length),
                          scales.y(value)))  # fmt: skip
    return found


def _expected_path(plan: ChartPlan, scales: _Scales) -> str:
    return " ".join(f"M{x1:g},{y:g}H{x2:g}" for x1, x2, y in _steps(plan, scales, 2))


def _band_path(plan: ChartPlan, scales: _Scales) -> str:
    lows, highs = _steps(plan, scales, 1), _steps(plan, scales, 3)
    if not lows or len(lows) != len(highs):
        return ""
    return " ".join(
        f"M{x1:g},{low:g}H{x2:g}V{high:g}H{x1:g}z"
        for (x1, x2, low), (_, _, high) in zip(lows, highs, strict=True)
    )


def _alert(plan: ChartPlan, scales: _Scales) -> dict[str, Any] | None:
    if plan.alert is None:
        return None
    left = scales.x(max(plan.alert[0], scales.first))
    right = scales.x(min(plan.alert[1] + 1, scales.last))
    return {"x": left, "width": round(max(right - left, 2.5), 1)}


def _unknown(plan: ChartPlan, scales: _Scales) -> dict[str, Any] | None:
    """The days that are not fully known."""
    if plan.complete_through is None or plan.complete_through + 1 >= scales.last:
        return None
    left = scales.x(max(plan.complete_through + 1, scales.first))
    return {"x": left, "width": round(WIDTH - _RIGHT - left, 1)}


def _bound(plan: ChartPlan, scales: _Scales) -> dict[str, Any] | None:
    if plan.bound is None:
        return None
    y = scales.y(plan.bound)
    return {"y": y, "words": plan.bound_words, "below": y < _TOP + 14}


def _legend(plan: ChartPlan) -> list[dict[str, Any]]:
    """What the marks mean, for those that are drawn, along the lower edge."""
    wanted = [
        ("expected", plan.expected_words if plan.expected else ""),
        ("alert", plan.alert_words if plan.alert else ""),
        (
            "unknown",
            plan.incomplete_words
            if plan.complete_through is not None
            and plan.complete_through
            < plan.points[-1][0] + (0 if plan.rolling else _DAYS.get(plan.unit, 1) - 1)
            else "",
        ),
    ]
    x = 10.0
    found = []
    for kind, words in wanted:
        if words:
            found.append({"kind": kind, "x": round(x, 1), "words": words})
            x += 22 + text_width(words, _SMALL) + 12
    return found
