"""A calibration in sentences, for people who know no statistics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def sentence(row: Mapping[str, Any]) -> str:
    """What the rule costs, in one sentence."""
    budget = row["budget"]
    of = "" if budget is None else f"; it may cost {plain(budget)}"
    keys = "1 series" if row["series"] == 1 else f"{row['series']} series"
    return (
        f"{row['rule']}: {plain(row['false_alerts_per_year'])} false alerts a year if nothing "
        f"changed (90 % interval {plain(row['low'])} to {plain(row['high'])}){of}. "
        f"{row['alerts']} alerts in {plain(row['years'])} simulated years of {keys} like its last "
        f"{row['weeks']} weeks."
    )


def short(row: Mapping[str, Any]) -> str:
    """A kept calibration on one line, as `warden check` shows it."""
    budget = "" if row["budget"] is None else f" of the {plain(row['budget'])} it may cost"
    aged = "" if row["current"] else "; the rule was edited since"
    return (
        f"{row['rule']}: calibrated on {row['calibrated_at'][:10]}: "
        f"{plain(row['false_alerts_per_year'])} false alerts a year{budget}{aged}"
    )


def advice(row: Mapping[str, Any]) -> Iterator[str]:
    """What an operator may make of it."""
    budget, rate = row["budget"], row["false_alerts_per_year"]
    if budget is None:
        yield (
            "This rule has no budget: what it costs follows from its condition and from how events "
            "come. Only spike (nb_glm, gamma_poisson) and drift keep to a number."
        )
    elif row["calibration"] is not None:
        best = max(
            (cost for cost in row["costs"] if cost["high"] <= budget),
            key=lambda cost: float(cost["times"]),
            default=row["costs"][0],
        )
        cost = f"cost {plain(best['false_alerts_per_year'])} false alerts a year"
        written = f"`calibration: {plain(row['calibration'])}` in the rule would"
        if rate > budget:
            yield f"It costs more than its budget of {plain(budget)}. {written} {cost}."
        else:
            yield (
                f"It spends less than its budget of {plain(budget)}. {written} find rises sooner, "
                f"and {cost}."
            )
    elif row["low"] > budget:
        yield f"It costs more than its budget of {plain(budget)}: lower false_alerts_per_year."
    elif rate < budget / 2:
        yield f"It spends less than its budget of {plain(budget)}; its guards hold it back."


def plain(value: float) -> str:
    """A number with two significant digits below ten, whole above."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"  # noqa: PLR2004
