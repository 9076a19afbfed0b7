"""The picture of a backtest: which rules would have spoken when, how gravely, how often a year.

Standing in the flow: `warden backtest --picture` hands over its summary and its notices; this
places every mark and text, `templates/pictures/backtest.svg.jinja` draws them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from warden.pictures.template import Easel

SPOKEN = frozenset({"alert", "summary"})
LEVELS = ("info", "warning", "critical")
COLOURS = {"info": "#6f93b8", "warning": "#d39a2c", "critical": "#a3262f"}
_LEFT, _WIDE, _SIDE = 268.0, 700.0, 112.0
WIDTH = int(_LEFT + _WIDE + _SIDE + 24)
_TOP, _ROW, _BARS = 112.0, 26.0, 62.0
_MOST_NAME = 34
_MOST_RADIUS, _LEAST_RADIUS = 11.5, 3.2
_FEW_YEARS, _SOME_YEARS = 2, 6
_MONTH_NAMES = ("Jan", "Apr", "Jul", "Oct")


def backtest_svg(
    summary: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], easel: Easel
) -> str:
    """The picture of what `warden backtest --json` prints: its summary and its notices."""
    months = list(summary["months"])
    told = [row for row in rows if row["action"] in SPOKEN]
    rules = _rules(summary, told, months)
    bottom = _TOP + _ROW * max(len(rules), 1)
    return easel.draw(
        "backtest",
        width=WIDTH,
        height=int(bottom + _BARS + 92),
        left=_LEFT,
        right=_LEFT + _WIDE,
        side=_LEFT + _WIDE + _SIDE,
        top=_TOP,
        bottom=bottom,
        row=_ROW,
        title="What the rules would have told",
        subtitle=_subtitle(summary),
        foot=_foot(summary),
        rules=rules,
        silent=_silent(summary, rules),
        years=_years(summary, months),
        total=_plain(summary["alerts_per_year"]),
        bars=_bars(told, months, bottom + 18),
        bars_top=bottom + 18,
        bars_bottom=bottom + 18 + _BARS,
        most=max(_by_month(told).values(), default=0),
        levels=[{"name": name, "colour": COLOURS[name]} for name in LEVELS],
        sizes=[{"r": _radius(number), "text": str(number)} for number in (1, 5, 20)],
    )


def _subtitle(summary: Mapping[str, Any]) -> str:
    known = summary["known"]
    how = (
        f"known {known}, evaluated every {summary['step']}"
        if "step" in summary
        else "as it was stored and known"
    )
    return f"{summary['from']} to {summary['to']} · {how} · {summary['events']:,} events"


def _foot(summary: Mapping[str, Any]) -> str:
    alerts = "1 alert" if summary["alerts"] == 1 else f"{summary['alerts']:,} alerts"
    return (
        f"{alerts} in {summary['years']:.1f} years at {summary['instants']:,} evaluations. "
        "A dot is a month; summaries of many count as one. Updates, reminders and ends are left out"
    )


# --- rules ------------------------------------------------------------------------------------


def _rules(
    summary: Mapping[str, Any], told: Sequence[Mapping[str, Any]], months: Sequence[str]
) -> list[dict[str, Any]]:
    """A row a rule that spoke, in the order of the files."""
    found: list[dict[str, Any]] = []
    for name, counts in summary["rules"].items():
        own = [row for row in told if row["rule"] == name]
        if own:
            found.append(
                {
                    "name": _short(name),
                    "y": _TOP + _ROW * (len(found) + 0.5),
                    "rate": _plain(counts["alerts_per_year"]),
                    "dots": _dots(own, months),
                }
            )
    return found


def _dots(own: Sequence[Mapping[str, Any]], months: Sequence[str]) -> list[dict[str, Any]]:
    """A dot a month: how many, and how grave the gravest."""
    by_month: dict[str, list[str]] = {}
    for row in own:
        by_month.setdefault(row["at"][:7], []).append(row["severity"])
    return [
        {
            "x": _at(months, month),
            "r": _radius(len(levels)),
            "colour": COLOURS[max(levels, key=LEVELS.index)],
            "text": f"{month}: {len(levels)}",
        }
        for month, levels in sorted(by_month.items())
    ]


def _silent(summary: Mapping[str, Any], rules: Sequence[Mapping[str, Any]]) -> str:
    quiet = len(summary["rules"]) - len(rules)
    if not quiet:
        return ""
    return "1 rule would have said nothing" if quiet == 1 else f"{quiet} rules were silent"


def _radius(number: int) -> float:
    """The dot's area follows the number."""
    return round(min(_LEAST_RADIUS * math.sqrt(number), _MOST_RADIUS), 1)


def _short(name: str) -> str:
    return name if len(name) <= _MOST_NAME else f"{name[: _MOST_NAME - 1]}…"


# --- time -------------------------------------------------------------------------------------


def _at(months: Sequence[str], month: str) -> float:
    """The middle of a month."""
    return round(_LEFT + _WIDE * (months.index(month) + 0.5) / len(months), 1)


def _years(summary: Mapping[str, Any], months: Sequence[str]) -> list[dict[str, Any]]:
    """Marks of time: years, or quarters where there are few."""
    few = summary["years"] <= _FEW_YEARS
    every = 1 if summary["years"] <= 4 * _SOME_YEARS else 5
    found = []
    for index, month in enumerate(months):
        day = date.fromisoformat(f"{month}-01")
        x = round(_LEFT + _WIDE * index / len(months), 1)
        if day.month == 1 and day.year % every == 0:
            found.append({"x": x, "text": str(day.year), "strong": True})
        elif few and day.month % 3 == 1:
            text = _MONTH_NAMES[day.month // 3]
            found.append({"x": x, "text": text if index else f"{text} {day.year}", "strong": False})
        elif not few and index == 0 and day.month <= 9:  # noqa: PLR2004 - room for the year
            found.append({"x": x, "text": str(day.year), "strong": True})
    return found


def _by_month(told: Iterable[Mapping[str, Any]]) -> Counter[str]:
    return Counter(row["at"][:7] for row in told)


def _bars(
    told: Sequence[Mapping[str, Any]], months: Sequence[str], top: float
) -> list[dict[str, Any]]:
    """All rules' alerts of each month, the gravest at the foot."""
    most = max(_by_month(told).values(), default=0)
    counts = Counter((row["at"][:7], row["severity"]) for row in told)
    wide = _WIDE / len(months)
    found = []
    for index, month in enumerate(months):
        foot = top + _BARS
        for level in reversed(LEVELS):
            tall = _BARS * counts[month, level] / most if most else 0.0
            if tall:
                foot -= tall
                found.append(
                    {
                        "x": round(_LEFT + wide * index + 0.1 * wide, 2),
                        "y": round(foot, 2),
                        "width": round(0.8 * wide, 2),
                        "height": round(tall, 2),
                        "colour": COLOURS[level],
                    }
                )
    return found


def _plain(value: float) -> str:
    return f"{value:.0f}" if value >= 100 or value == 0 else f"{value:.1f}"  # noqa: PLR2004
