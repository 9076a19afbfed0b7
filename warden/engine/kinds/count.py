"""`count`: a measure over the last days passes a bound."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from pydantic import Field

from warden.engine.facts import Severity, number
from warden.engine.horizon import Horizon
from warden.engine.kinds import charts
from warden.engine.kinds.base import Bound, Kind, Measure, Parameters, PositiveDays, window_reach
from warden.engine.kinds.episodes import Episode, Tests, episodes, test_days
from warden.engine.kinds.measure import Series, rolling, series, total
from warden.engine.kinds.signalling import Found, is_over, signal
from warden.engine.where import Matches
from warden.model.rule import Rule
from warden.model.signal import Signal


class CountParameters(Parameters):
    """What a `count` rule counts, over which window, against which bound."""

    measure: Measure = Field(default="events", description="what is counted")
    window: PositiveDays = Field(description="how many days, the tested day included")
    condition: Bound = Field(description="the bound that the measure must pass")


def signals(
    rule: Rule,
    matches: Matches,
    horizon: Horizon,
    only: AbstractSet[str] | None = None,  # noqa: ARG001 - a window needs all its events
) -> tuple[Signal, ...]:
    """One signal an episode and key."""
    known_through = horizon.known_through(matches.frame.datasets())
    severity = Severity(rule)
    found: list[Signal] = []
    for key in sorted(matches.keys):
        one = series(matches, key, rule.parameters.measure)
        for episode in _episodes(rule, one, known_through):
            if not horizon.asks(episode.until):
                continue
            found.append(signal(rule, matches, _found(rule, one, episode, known_through), severity))
    return tuple(found)


def _episodes(rule: Rule, one: Series, known_through: int | None) -> tuple[Episode, ...]:
    parameters: CountParameters = rule.parameters
    days = test_days(one, known_through)
    if not days.size:
        return ()
    values = rolling(one, days, parameters.window)
    bound = parameters.condition
    passed = values >= bound.gte if bound.gte is not None else values > (bound.gt or 0.0)
    return tuple(
        episodes(one, Tests(days, values, passed), parameters.window, rule.keep_firing_for_days)
    )


def _found(rule: Rule, one: Series, episode: Episode, known_through: int | None) -> Found:
    parameters: CountParameters = rule.parameters
    ended = is_over(rule, episode.until, known_through)
    last = int(one.days[-1]) if known_through is None else max(int(one.days[-1]), known_through)
    now = None if ended else total(one, last - parameters.window + 1, last)
    facts = {
        "value": number(episode.peak),
        "current": number(now),
        "measure": parameters.measure,
        "window_days": parameters.window,
        "bound": parameters.condition.model_dump(exclude_none=True),
    }
    return Found(
        one, episode.members, episode.since, episode.until, ended, episode.peak, facts=facts
    )


KIND = Kind(
    name="count",
    Parameters=CountParameters,
    signals=signals,
    windowed=True,
    reach=window_reach,
    chart=charts.of_window,
    reference=(
        "A measure over the last `window` days passes a bound. Days on which it does, and whose "
        "windows share events, are one alert; `keep_firing_for` joins those a little apart."
    ),
    example="""\
rules:
- id: bamako-cluster
  title: Three violent events within 150 km of Bamako in 60 days
  kind: count
  where: {use: attack-near-bamako}
  measure: events
  window: 60d
  condition: {gte: 3}
  keep_firing_for: 30d
  severity: warning
""",
)
