"""The picture of a calibration: what a rule costs by chance, and how soon it finds a rise.

Standing in the flow: `warden calibrate --picture` hands over what it printed; this places every
mark and text, `templates/pictures/calibration.svg.jinja` draws them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from warden.pictures.template import Easel

WIDTH, HEIGHT = 900, 430
_TOP, _BOTTOM = 112.0, 352.0
_LEFT_PANEL = (70.0, 400.0)
_RIGHT_PANEL = (500.0, 730.0)
_LEAST = 0.05  # false alerts a year at the foot of the left panel
_NICE = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
_WEEKS = 26
_COLOURS = {1.0: "#8b8578", 2.0: "#c08a2b", 3.0: "#b5532a", 5.0: "#7a1f2b"}
_APART = 19.0  # between two labels at the ends of curves
_TEN = 10


@dataclass(frozen=True, slots=True)
class _Axis:
    """From values to places; both ends of the values and of the places."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """Where a value stands; what lies outside stands at the nearer end."""
        value = min(max(value, self.low), self.high)
        share = (
            math.log(value / self.low) / math.log(self.high / self.low)
            if self.logarithmic
            else (value - self.low) / (self.high - self.low)
        )
        return round(self.start + share * (self.end - self.start), 1)


def calibration_svg(row: Mapping[str, Any], easel: Easel) -> str:
    """The picture of what `warden calibrate --json` prints."""
    return easel.draw(
        "calibration",
        width=WIDTH,
        height=HEIGHT,
        top=_TOP,
        bottom=_BOTTOM,
        left=_LEFT_PANEL,
        right=_RIGHT_PANEL,
        title=f"What {row['rule']} costs, and what it finds",
        subtitle=_subtitle(row),
        foot=_foot(row),
        cost=_cost(row),
        rate=_plain(row["false_alerts_per_year"]),
        low=_plain(row["low"]),
        high=_plain(row["high"]),
        found=_found(row),
    )


def _subtitle(row: Mapping[str, Any]) -> str:
    rate = f"{_plain(row['false_alerts_per_year'])} false alerts a year if nothing changed"
    if row["budget"] is None:
        return rate
    return f"{rate}; it may cost {_plain(row['budget'])}"


def _foot(row: Mapping[str, Any]) -> str:
    series = "1 series" if row["series"] == 1 else f"{row['series']} series"
    return (
        f"{_plain(row['years'])} simulated years of {series} like the last {row['weeks']} weeks "
        f"before {row['at'][:10]}; bars: 90 % intervals. warden calibrate {row['rule']} "
        f"--replicates {row['replicates']} --seed {row['seed']}"
    )


# --- the left panel: stated and real ----------------------------------------------------------


def _cost(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Marks of what levels state and really cost; None for a rule without a budget."""
    costs = row["costs"]
    if not costs:
        return None
    stated = [cost["stated"] for cost in costs]
    most = _above(max(row["budget"], *(cost["high"] for cost in costs)))
    x = _Axis(_below(min(stated)), _above(max(stated)), *_LEFT_PANEL, logarithmic=True)
    y = _Axis(_below(_least(costs)), most, _BOTTOM, _TOP, logarithmic=True)
    marks = [
        {
            "x": x.at(cost["stated"]),
            "y": y.at(cost["false_alerts_per_year"]),
            "low": y.at(cost["low"]),
            "high": y.at(cost["high"]),
            "own": cost["times"] == 1,
        }
        for cost in costs
    ]
    return {
        "marks": marks,
        "line": " ".join(f"{mark['x']},{mark['y']}" for mark in marks),
        "xticks": _ticks(x),
        "yticks": _ticks(y),
        "equal": _equal(x, y),
        "budget": y.at(row["budget"]),
        "may": f"may cost {_plain(row['budget'])}",
    }


def _ticks(axis: _Axis) -> list[dict[str, Any]]:
    inside = [value for value in _NICE if axis.low <= value <= axis.high]
    return [{"at": axis.at(value), "text": f"{value:g}"} for value in inside]


def _equal(x: _Axis, y: _Axis) -> str:
    """The line on which a level costs what it states."""
    low, high = max(x.low, y.low), min(x.high, y.high)
    return f"M{x.at(low)},{y.at(low)}L{x.at(high)},{y.at(high)}"


def _least(costs: Sequence[Mapping[str, Any]]) -> float:
    return max(min((cost["low"] for cost in costs if cost["low"] > 0), default=_LEAST), _LEAST)


def _below(value: float) -> float:
    return max((nice for nice in _NICE if nice <= value), default=_NICE[0])


def _above(value: float) -> float:
    return min((nice for nice in _NICE if nice >= value), default=_NICE[-1])


# --- the right panel: power and delay ---------------------------------------------------------


def _found(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Curves of how many rises are found within so many weeks."""
    every = [one for one in row["rows"] if one["group"] == "all"]
    if not every:
        return None
    x = _Axis(0, _WEEKS, *_RIGHT_PANEL)
    y = _Axis(0, 1, _BOTTOM, _TOP)
    curves = [_curve(one, x, y) for one in every]
    curves.reverse()  # of curves that end alike the largest rise stands first
    in_order = sorted(curves, key=lambda curve: curve["end"])
    for curve, place in zip(in_order, _spread([one["end"] for one in in_order]), strict=True):
        curve["label_y"] = place
    return {
        "curves": curves,
        "xticks": [{"at": x.at(week), "text": str(week)} for week in (0, 4, 8, 13, 26)],
        "yticks": [
            {"at": y.at(share), "text": f"{100 * share:.0f} %"} for share in (0, 0.25, 0.5, 0.75, 1)
        ],
    }


def _curve(one: Mapping[str, Any], x: _Axis, y: _Axis) -> dict[str, Any]:
    steps = [f"M{x.at(0)},{y.at(0)}"]
    for week, share in enumerate(one["by_week"], start=1):
        steps.append(f"H{x.at(week)}V{y.at(share)}")
    median = one["median_delay_weeks"]
    name = "no rise: chance" if one["factor"] == 1 else f"\N{MULTIPLICATION SIGN} {one['factor']:g}"
    weeks = f", half in {median:g} week{'' if median == 1 else 's'}" if median is not None else ""
    return {
        "path": "".join(steps),
        "colour": _COLOURS.get(one["factor"], "#35618e"),
        "dashed": one["factor"] == 1,
        "end": y.at(one["by_week"][-1]),
        "name": name,
        "text": weeks,
    }


def _spread(places: Sequence[float]) -> list[float]:
    """Places of labels, pushed apart downwards, then back up into the panel."""
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + _APART) if found else place)
    limit = _BOTTOM
    for index in range(len(found) - 1, -1, -1):
        found[index] = min(found[index], limit)
        limit = found[index] - _APART
    return found


def _plain(value: float) -> str:
    return f"{value:.0f}" if value >= _TEN else f"{value:.2g}"
