"""`quiet`: a measure falls below a bound, over complete days only."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from warden.engine.facts import Severity, number
from warden.engine.frame import IntArray, day_from_number
from warden.engine.horizon import Horizon
from warden.engine.kinds import charts
from warden.engine.kinds.base import Kind, Measure, Parameters, PositiveDays, window_reach
from warden.engine.kinds.episodes import has_ended
from warden.engine.kinds.measure import Series, rolling, series
from warden.engine.kinds.signalling import Found, signal
from warden.engine.where import Matches
from warden.model.rule import Rule
from warden.model.signal import Signal


class Below(BaseModel):
    """A bound from above: `{lt: 1}` or `{lte: 0}`; exactly one is given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lt: float | None = Field(default=None, description="less than this many")
    lte: float | None = Field(default=None, description="at most this many")

    @model_validator(mode="after")
    def _exactly_one(self) -> Below:
        if (self.lt is None) == (self.lte is None):
            raise ValueError("a quiet condition has exactly one of lt, lte")
        if (self.lt is not None and self.lt <= 0) or (self.lte is not None and self.lte < 0):
            raise ValueError("this bound can never hold: a measure is never below zero")
        return self


class QuietParameters(Parameters):
    """What a `quiet` rule measures, over which window, and the bound it falls below."""

    measure: Measure = Field(default="events", description="what is counted")
    window: PositiveDays = Field(description="how many days, the tested day included")
    condition: Below = Field(description="the bound that the measure must fall below")


def signals(
    rule: Rule,
    matches: Matches,
    horizon: Horizon,
    only: AbstractSet[str] | None = None,  # noqa: ARG001 - a window needs all its events
) -> tuple[Signal, ...]:
    """One signal a run of quiet days and key; nothing past the newest complete day."""
    parameters: QuietParameters = rule.parameters
    known_through = horizon.known_through(matches.frame.datasets())
    if known_through is None:
        return ()
    severity = Severity(rule)
    found: list[Signal] = []
    for key in sorted(matches.keys):
        one = series(matches, key, parameters.measure)
        for since, until, value in _quiet_runs(one, parameters, known_through):
            if not horizon.asks(until):
                continue
            members = _rests_on(one, since, until, parameters.window)
            facts = {
                "value": number(value),
                "measure": parameters.measure,
                "window_days": parameters.window,
                "bound": parameters.condition.model_dump(exclude_none=True),
                "last_seen": day_from_number(one.days[members[0]]).isoformat(),
            }
            ended = has_ended(until, rule.resolve_days, known_through)
            quiet = Found(one, members, since, until, ended, value, facts, absence=True)
            found.append(signal(rule, matches, quiet, severity))
    return tuple(found)


def _quiet_runs(
    one: Series, parameters: QuietParameters, known_through: int
) -> list[tuple[int, int, float]]:
    """First and last quiet day and the lowest value of each run, a whole window after the start."""
    if not one.days.size:
        return []
    first = int(one.days[0]) + parameters.window
    days = np.arange(first, known_through + 1, dtype=np.int64)
    values = rolling(one, days, parameters.window)
    bound = parameters.condition
    quiet = values < bound.lt if bound.lt is not None else values <= (bound.lte or 0.0)
    positions = np.flatnonzero(quiet)
    if not positions.size:
        return []
    runs = np.split(positions, np.flatnonzero(np.diff(positions) > 1) + 1)
    return [(int(days[r[0]]), int(days[r[-1]]), float(values[r].min())) for r in runs]


def _rests_on(one: Series, since: int, until: int, window: int) -> IntArray:
    """The last event before the quiet began, and those few that lie in its windows."""
    before = max(int(np.searchsorted(one.days, since - window, side="right")) - 1, 0)
    end = int(np.searchsorted(one.days, until, side="right"))
    return np.arange(before, max(end, before + 1), dtype=np.int64)


KIND = Kind(
    name="quiet",
    Parameters=QuietParameters,
    signals=signals,
    windowed=True,
    clocked="always",
    reach=window_reach,
    chart=charts.of_window,
    reference=(
        "A measure over the last `window` days falls below a bound. Only days that the source has "
        "covered count, so a late release is never mistaken for peace; events that arrive later "
        "for those days take the alert back with a cancel."
    ),
    example="""\
rules:
- id: reports-stopped
  title: No event recorded in Ménaka for six weeks
  kind: quiet
  where: {admin1: Menaka}
  measure: events
  window: 6w
  condition: {lt: 1}
  severity: info
""",
)
