"""What a rehearsal found when: the notices worth a line, counts, and the brief's own findings.

Standing in the flow: made from the notices that the database holds at the demo's end, and from
the simulated world's figures; `warden demo` prints them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from warden.model.notice import Notice
from warden.simulator.figures import Figures


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table of findings.

    Attributes:
        told: when. happened: the newest day it rests on. days_after: between the two.
    """

    told: date
    rule: str
    happened: date | None
    days_after: int | None
    action: str
    reason: str
    severity: str
    what: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What the brief said, what the simulated data hold, when warden first said so."""

    brief: str
    data: str
    warden: str


BRIEF = date(2024, 9, 24)
KNOWN_DAYS = {
    date(2022, 3, 28): "Moura",
    date(2022, 7, 22): "Kati",
    date(2024, 9, 17): "Bamako",
}


def findings(notices: Sequence[Notice], *, most: int = 72) -> list[Line]:
    """The notices worth a line: the first of each rule and action, clusters, and known days."""
    seen: set[tuple[str, str]] = set()
    lines = []
    for notice in notices:
        kind = (notice.rule_id, notice.action)
        known = _happened(notice) in KNOWN_DAYS and notice.action == "alert"
        if kind not in seen or known or notice.rule_id == "bamako-cluster":
            lines.append(_line(notice))
        seen.add(kind)
    return lines[:most]


def alerts_a_year(notices: Sequence[Notice]) -> dict[str, dict[int, int]]:
    """How many alerts of each rule were told in each year."""
    counts: dict[str, dict[int, int]] = {}
    for notice in notices:
        if notice.action == "alert":
            years = counts.setdefault(notice.rule_id, {})
            years[notice.at.year] = years.get(notice.at.year, 0) + 1
    return counts


def claims(notices: Sequence[Notice], data: Figures) -> list[Claim]:
    """The brief's findings beside the simulated data and warden's first word on each."""
    near, south, forces = data.attacks_near_bamako, data.southern_deaths, data.forces_deaths
    border = _years_of(notices, "coastal-border-50km", until=BRIEF)
    return [
        Claim(
            "attacks within 150 km of Bamako: 3 in 2020, 13 in 2022, 34 projected for 2024",
            f"{near[2020]} in 2020, {near[2022]} in 2022, {near[2024]} in 2024",
            _first(notices, "bamako-cluster", since=date(2022, 5, 1), what="a cluster")
            + "; 2024 "
            + _projected(notices, "bamako-projection", "2024"),
        ),
        Claim(
            "the first strike inside Bamako in nine years, 17 September 2024",
            "2 events on that day, the one before on 20 November 2015",
            _first(notices, "bamako-first-strike", since=date(2024, 9, 17), what="the strike"),
        ),
        Claim(
            "two dozen incidents within 50 km of four borders where there had been almost none",
            ", ".join(f"{border.get(year, 0)} in {year}" for year in (2020, 2022, 2023))
            + f", {border.get(2024, 0)} in 2024 until the brief",
            _first(notices, "coastal-border-cluster", what="a cluster")
            + "; "
            + _first(notices, "border-year", what="twice the year before"),
        ),
        Claim(
            "deaths linked to these groups in the south: 335 projected for 2024, twice 2023",
            f"{south[2023]} in 2023, {south[2024]} in 2024",
            _projected(notices, "southern-fatalities", "2024"),
        ),
        Claim(
            "civilians killed, linked to forces and Wagner: 84 in 2019, 924 in 2023, "
            "1,044 projected for 2024",
            f"{forces[2019]} in 2019, {forces[2023]} in 2023, {forces[2024]:,} in 2024",
            _projected(notices, "forces-civilians-projection", "2024"),
        ),
    ]


def _years_of(notices: Sequence[Notice], rule_id: str, *, until: date) -> dict[int, int]:
    """Alerts of an event rule by the year of their event, without those withdrawn."""
    days = {n.alert_id: _happened(n) for n in notices if n.rule_id == rule_id and _happened(n)}
    gone = {n.alert_id for n in notices if n.action == "cancel"}
    years: dict[int, int] = {}
    for alert_id, day in days.items():
        if day is not None and day <= until and alert_id not in gone:
            years[day.year] = years.get(day.year, 0) + 1
    return years


def _first(
    notices: Sequence[Notice], rule_id: str, *, what: str, since: date = date.min, where: str = ""
) -> str:
    """When a rule first spoke of something that happened since then, or there."""
    for notice in notices:
        happened = _happened(notice)
        if notice.rule_id != rule_id or notice.action != "alert" or happened is None:
            continue
        if happened >= since and where in _location(notice):
            days = (notice.at.date() - happened).days
            return f"{what} on {notice.at:%Y-%m-%d}, {days} days after"
    return "no rule for it yet"


def _projected(notices: Sequence[Notice], rule_id: str, period: str) -> str:
    """When a year was first projected to exceed the one before, and what was projected."""
    for notice in notices:
        facts = notice.facts
        if notice.rule_id == rule_id and notice.action == "alert" and facts["period"] == period:
            return (
                f"more than the year before, on {notice.at:%Y-%m-%d}: {facts['projected']:,.0f} "
                f"projected, {facts['low']:,.0f} to {facts['high']:,.0f}"
            )
    return "no rule for it yet"


def _location(notice: Notice) -> str:
    events: list[dict[str, Any]] = notice.facts.get("events") or [{}]
    return str(events[0].get("location") or "")


def _happened(notice: Notice) -> date | None:
    day = notice.facts.get("last_day")
    return date.fromisoformat(day) if isinstance(day, str) else None


def _line(notice: Notice) -> Line:
    happened = _happened(notice)
    return Line(
        told=notice.at.date(),
        rule=notice.rule_id,
        happened=happened,
        days_after=(notice.at.date() - happened).days if happened else None,
        action=notice.action,
        reason=notice.reason,
        severity=notice.severity,
        what=_what(notice),
    )


def _what(notice: Notice) -> str:
    """A few words: where, how many dead, what changed."""
    if notice.action == "summary":
        number = len(notice.items)
        return "1 alert listed" if number == 1 else f"{number} alerts listed"
    changes = ", ".join(f"{c.field} {c.old} -> {c.new}" for c in notice.changes[:2])
    number = notice.facts.get("event_count", 1)
    where = _location(notice)
    words = where if number == 1 else f"{number} events, newest at {where}"
    dead = notice.facts.get("fatalities")
    words += f", {dead} dead" if dead else ""
    return f"{words} ({changes})" if changes else words
