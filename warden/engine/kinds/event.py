"""`event`: each matching event is its own episode."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import numpy as np

from warden.engine.facts import NEIGHBOUR_NAMES, Severity, episode_facts, recurrence
from warden.engine.frame import day_from_number
from warden.engine.horizon import Horizon
from warden.engine.kinds import charts
from warden.engine.kinds.base import Kind, Parameters
from warden.engine.where import Matches
from warden.model.rule import Rule
from warden.model.signal import Key, Signal


class EventParameters(Parameters):
    """An `event` rule has no parameters of its own."""


def signals(
    rule: Rule,
    matches: Matches,
    horizon: Horizon,  # noqa: ARG001 - an event holds whatever the time
    only: AbstractSet[str] | None = None,
) -> tuple[Signal, ...]:
    """One signal a matching event, under the first of its keys."""
    severity = Severity(rule)
    needs_neighbours = bool(severity.names & NEIGHBOUR_NAMES)
    first_key: dict[int, Key] = {}
    for row, code in zip(matches.key_row.tolist(), matches.key_code.tolist(), strict=True):
        first_key.setdefault(row, matches.keys[code])
    found = []
    for row in range(len(matches)):
        uid = matches.frame.uid[row]
        if only is not None and uid not in only:
            continue
        facts = episode_facts(rule, matches, np.array([row], dtype=np.int64))
        key = first_key.get(row, ())
        if needs_neighbours:
            nth, before = recurrence(matches, key, uid)
            facts |= {"nth_in_12_months": nth, "previous_12_months": before}
        day = day_from_number(matches.frame.day[row])
        found.append(
            Signal(
                rule_id=rule.id,
                key=key,
                evidence=(uid,),
                first_day=day,
                last_day=day,
                since=day,
                until=day,
                ended=False,
                severity=severity.of(facts),
                value=None,
                facts=facts,
            )
        )
    return tuple(found)


KIND = Kind(
    name="event",
    Parameters=EventParameters,
    signals=signals,
    windowed=False,
    chart=charts.of_months,
    reference=(
        "Each matching event is an alert of its own. It stays active for `max_age` and then "
        "expires in silence; a revision that matters (`update_when`) is told as an update, a "
        "deletion as a cancel."
    ),
    example="""\
rules:
- id: attack-near-bamako
  title: Violent event involving militant Islamists within 150 km of Bamako
  kind: event
  where:
    actor: {group: militant-islamist}
    event_type: attack
    near: {place: bamako, within_km: 150}
  severity:
  - {level: critical, when: "distance_km <= 50 or fatalities >= 15"}
  - warning
""",
)
