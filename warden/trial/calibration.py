"""What a rule costs and what it finds: the rule itself, replayed where nothing changes.

Standing in the flow: `warden calibrate RULE`. The rule's own events give each of its keys an
unchanging law (`unchanged`); years of it are drawn, and the very functions of a live cycle,
`engine.kinds.signals` and `engine.reconcile.reconcile`, run over them with the rule as it is: its
budget, guards, windows, `keep_firing_for`, cooldown. What is told then is false. Rises of two,
three and five, in all keys at once, show how often and how soon they are found.

The replay looks weekly, on weeks that are fully known: late reports only delay, and never raise,
what is found. Weeks in which no test passes are not looked at, since nothing can be told in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.special import gammainccinv, gammaincinv

from warden.engine.decision import Decision, Fate, Moment
from warden.engine.detect.budget import WEEKS_A_YEAR
from warden.engine.frame import day_from_number, day_number
from warden.engine.horizon import Horizon
from warden.engine.kinds import KINDS, signals
from warden.engine.kinds.weekly import DAYS, WeekKind, Weeks, complete_weeks
from warden.engine.reconcile import reconcile
from warden.engine.where import Matches
from warden.errors import UsageError
from warden.model.alert import Alert
from warden.model.rule import Rule
from warden.model.signal import Key, Signal
from warden.trial.history import midnight
from warden.trial.ledger import MemoryLedger
from warden.trial.trial import LIVE
from warden.trial.unchanged import Drawn, Unchanged, until

KINDS_WITHOUT = {
    "event": "every matching event is told; there is no chance in it",
    "new": "a name that was never seen is new, not improbable",
    "feed": "it watches warden's own health, not events",
}
BASELINE_WEEKS = 260 + 8 + 13  # a full baseline, its gap and the longest window
YEARS_AT_ONCE = 10  # tested in one replicate
WATCHED_WEEKS = 26  # a rise that is not found by then counts as missed
RISES = (1.0, 2.0, 3.0, 5.0)
LEVELS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # times the rule's own, to see what its budget could bear
MOST_CALIBRATION = 10.0  # as the rule's parameter allows
TAILS = 3  # ends of every rise drawn after one beginning
RATES = (0.0, 0.25, 1.0, 4.0, float("inf"))  # events a week: detection differs that much
LEAST_WEEKS = 26
FEWEST, MOST = 2, 6  # replicates, when nobody says how many
EVENTS_AT_LEISURE = 600_000  # so many drawn events take well under a minute
EVENTS_A_KEY = 3_000  # the fits of one more key take as long as so many events
_CONFIDENCE = 0.9
PLENTY = 60  # series of each rise that make a share worth printing


@dataclass(frozen=True, slots=True)
class Found:
    """How well a rise of the rate is found.

    Attributes:
        factor: the multiple; 1 is no rise, what is found there is chance.
        group: the series' usual events a week ("1 to 4"), or "all".
        series: how many were tried.
        power: the share with an alert within 26 weeks; low, high: its 90 % interval.
        median_delay_weeks: until the alert, of all tried; None when fewer than half were found.
        by_week: the share found within 1, 2, … 26 weeks.
    """

    factor: float
    group: str
    series: int
    power: float
    low: float
    high: float
    median_delay_weeks: float | None
    by_week: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Test:
    """One measure and window of a spike rule, and what it raised on unchanged series."""

    measure: str
    window_days: int
    false_alerts_per_year: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What a level really costs: the rule's own (`times` 1) and its multiples.

    Attributes:
        stated: the budget times `times`.
        false_alerts_per_year, low, high: what was told a year, with its 90 % interval.
    """

    times: float
    stated: float
    false_alerts_per_year: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What a calibration found.

    Attributes:
        rule, version, kind: of which rule. at: as of when.
        budget: the false alerts a year that the rule may cost; None where it has no budget.
        false_alerts_per_year: told a year where nothing changes; low, high: its 90 % interval.
        alerts: how many that were. series: keys of the rule.
        weeks: of the rule's history that the laws rest on.
        replicates, years: how much was simulated. seed: the same seed gives the same figures.
        costs: at multiples of the rule's level; () without a budget.
        calibration: what the rule's own `calibration` may be raised to; None where it may not, or
            need not.
    """

    rule: str
    version: str
    kind: str
    at: datetime
    budget: float | None
    false_alerts_per_year: float
    low: float
    high: float
    alerts: int
    series: int
    weeks: int
    replicates: int
    years: float
    seed: int
    rows: tuple[Found, ...]
    tests: tuple[Test, ...]
    costs: tuple[Cost, ...]
    calibration: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain data, as `--json` prints it and the database keeps it."""
        return {**asdict(self), "at": self.at.isoformat().replace("+00:00", "Z")}


@dataclass(frozen=True, slots=True)
class _Stage:
    """What all replicates of a rule share."""

    rule: Rule
    unchanged: Unchanged
    end: int  # the newest complete day of the real history: replicates end there too
    datasets: tuple[str, ...]

    def first(self, weeks: int) -> int:
        """The first day of so many weeks."""
        return self.end - DAYS * weeks + 1

    def horizon(self, day: int, first: int, since: int | None = None) -> Horizon:
        """Everything known through a day, early the day after; data from `first` on.

        `since`: episodes that ended before this day are of no interest.
        """
        through, start = day_from_number(day), day_from_number(first)
        return Horizon(
            now=midnight(through) + timedelta(days=1),
            complete_through=dict.fromkeys(self.datasets, through),
            data_start=dict.fromkeys(self.datasets, start),
            since=since,
        )


def usual_replicates(matches: Matches, weeks: Weeks) -> int:
    """As many as a minute allows: fewer for a rule that matches many events."""
    recent = matches.frame.day > weeks.known_through - 5 * 365
    a_week = max(float(recent.sum()) / min(max(weeks.count, 1), 260), 0.1)
    drawn = a_week * (BASELINE_WEEKS + YEARS_AT_ONCE * WEEKS_A_YEAR)
    work = drawn + EVENTS_A_KEY * len(matches.keys)
    return int(np.clip(EVENTS_AT_LEISURE / work, FEWEST, MOST))


def weeks_of(rule: Rule, matches: Matches, horizon: Horizon) -> Weeks:
    """The complete weeks of a rule's own history.

    Raises:
        UsageError: there are too few to say what is usual.
    """
    kind: WeekKind = getattr(rule.parameters, "week", "auto")
    weeks = complete_weeks(matches, horizon, kind) if len(matches) else None
    count = 0 if weeks is None else weeks.count
    if weeks is None or count < LEAST_WEEKS:
        raise UsageError(
            f"{rule.id}: {count} complete weeks with {len(matches)} matching events are too few to "
            f"say what is usual; {LEAST_WEEKS} weeks are needed"
        )
    return weeks


@dataclass(frozen=True, slots=True)
class Task:
    """A calibration made ready: the same task gives the same figures.

    Attributes:
        matches: the rule's own events. horizon: as of when, and how far they are known.
    """

    rule: Rule
    matches: Matches
    horizon: Horizon
    replicates: int
    seed: int

    @property
    def steps(self) -> int:
        """How often `run` will beat."""
        return 2 * self.replicates

    def run(self, beat: Callable[[], None] = lambda: None) -> Calibrated:
        """Replay the rule: up to a minute of work."""
        return calibrate(
            self.rule,
            self.matches,
            self.horizon,
            replicates=self.replicates,
            seed=self.seed,
            beat=beat,
        )


def prepare(
    rule: Rule, matches: Matches, horizon: Horizon, *, replicates: int | None, seed: int
) -> Task:
    """Make a calibration ready.

    Raises:
        UsageError: a kind without chance, or too little history.
    """
    if rule.kind in KINDS_WITHOUT:
        raise UsageError(
            f"{rule.id}: there is nothing to calibrate in a rule of kind {rule.kind}: "
            f"{KINDS_WITHOUT[rule.kind]}"
        )
    weeks = weeks_of(rule, matches, horizon)
    many = replicates if replicates is not None else usual_replicates(matches, weeks)
    return Task(rule, matches, horizon, many, seed)


def calibrate(
    rule: Rule,
    matches: Matches,
    horizon: Horizon,
    *,
    replicates: int,
    seed: int = 1,
    levels: Sequence[float] = LEVELS,
    rises: Sequence[float] = RISES,
    beat: Callable[[], None] = lambda: None,
) -> Calibrated:
    """Replay a rule on histories like its own in which nothing changes, and on rises.

    `levels`: multiples of the rule's own level to try besides it (1.0 among them).

    Raises:
        UsageError: too little history.
    """
    weeks = weeks_of(rule, matches, horizon)
    end = weeks.last_day(weeks.count - 1)
    # A rule on trial decides as a live one does; it only tells nobody.
    live = replace(rule, status="stable")
    stage = _Stage(live, Unchanged.of(matches, weeks), end, matches.frame.datasets())
    quiet, risen = np.random.SeedSequence(seed).spawn(2)
    budget = budget_of(rule, len(matches.keys))
    told: dict[float, list[Signal]] = {times: [] for times in (levels if budget else (1.0,))}
    for one in quiet.spawn(replicates):
        _false_alerts(stage, np.random.default_rng(one), told)
        beat()
    tried: list[_Tried] = []
    for one in risen.spawn(replicates):
        tried += _rises(stage, np.random.default_rng(one), replicates, rises)
        beat()
    years = replicates * YEARS_AT_ONCE
    costs = [
        _cost(times, (budget or 0) * times, len(false), years) for times, false in told.items()
    ]
    own = next(cost for cost in costs if cost.times == 1)
    return Calibrated(
        rule=rule.id,
        version=rule.version,
        kind=rule.kind,
        at=horizon.now,
        budget=budget,
        false_alerts_per_year=own.false_alerts_per_year,
        low=own.low,
        high=own.high,
        alerts=len(told[1.0]),
        series=len(matches.keys),
        weeks=stage.unchanged.weeks,
        replicates=replicates,
        years=years,
        seed=seed,
        rows=tuple(_rows(tried)),
        tests=tuple(_tests(told[1.0], years)),
        costs=tuple(costs) if budget else (),
        calibration=_bearable(rule, costs, budget),
    )


def budget_of(rule: Rule, keys: int) -> float | None:
    """The false alerts a year that a rule may cost; None for rules without such a promise."""
    parameters = rule.parameters
    if rule.kind == "drift":
        return float(parameters.false_alerts_per_year)
    if rule.kind != "spike" or parameters.baseline.method not in {"nb_glm", "gamma_poisson"}:
        return None
    if parameters.alpha is not None:
        return float(parameters.alpha * keys * WEEKS_A_YEAR)
    if parameters.recurrence_interval is not None:
        return keys * WEEKS_A_YEAR * DAYS / float(parameters.recurrence_interval)
    return float(parameters.budget)


def poisson_interval(count: int) -> tuple[float, float]:
    """The exact 90 % interval of the mean of a Poisson count (Garwood 1936)."""
    beyond = (1 - _CONFIDENCE) / 2
    low = float(gammaincinv(count, beyond)) if count else 0.0
    return low, float(gammainccinv(count + 1, beyond))


# --- what is told where nothing changes -------------------------------------------------------


def _false_alerts(stage: _Stage, rng: np.random.Generator, told: dict[float, list[Signal]]) -> None:
    """Add what is told at each level in ten unchanged years after a full baseline."""
    weeks = BASELINE_WEEKS + round(YEARS_AT_ONCE * WEEKS_A_YEAR)
    first = stage.first(weeks)
    began = first + DAYS * BASELINE_WEEKS
    every = stage.unchanged.matches_of(stage.unchanged.draw(rng, first, weeks))
    for times, false in told.items():
        there = replace(stage, rule=_at_level(stage.rule, times))
        found = signals(there.rule, every, there.horizon(there.end, first, began))
        days = _days_to_look(found, began, there.end, _lasts(there.rule))
        false.extend(_told(there, every, first, [began - 1, *days]))


def _at_level(rule: Rule, times: float) -> Rule:
    """The rule at a multiple of its level."""
    if times == 1:
        return rule
    name = "calibration" if rule.kind == "spike" else "false_alerts_per_year"
    moved = getattr(rule.parameters, name) * times
    return replace(rule, parameters=rule.parameters.model_copy(update={name: moved}))


def _cost(times: float, stated: float, count: int, years: float) -> Cost:
    low, high = poisson_interval(count)
    return Cost(times, stated, *(round(value / years, 3) for value in (count, low, high)))


def _bearable(rule: Rule, costs: Sequence[Cost], budget: float | None) -> float | None:
    """The largest tried `calibration` that surely keeps to the budget; None if it is the rule's.

    A lower one than the rule's only where the rule surely costs too much.
    """
    if rule.kind != "spike" or budget is None:
        return None
    own = next(cost for cost in costs if cost.times == 1)
    fits = [cost.times for cost in costs if cost.high <= budget] or [costs[0].times]
    times = max(fits)
    if times == 1 or (times < 1 and own.low <= budget):
        return None
    return float(round(min(rule.parameters.calibration * times, MOST_CALIBRATION), 2))


def _lasts(rule: Rule) -> int:
    """How many days after its last passing test an alert may be told: when a cooldown ends."""
    return rule.keep_firing_for_days + rule.resolve_days if rule.cooldown_days else 0


def _days_to_look(found: Iterable[Signal], began: int, end: int, lasts: int) -> list[int]:
    """The last days of the weeks in which some test passes, or an episode lasts."""
    wanted: set[int] = set()
    for signal in found:
        since, last = max(day_number(signal.since), began), day_number(signal.until) + lasts
        weeks = range((since - began) // DAYS, (min(last, end) - began) // DAYS + 1)
        wanted.update(min(began + DAYS * (week + 1) - 1, end) for week in weeks)
    return sorted(wanted)


def _told(stage: _Stage, every: Matches, first: int, days: Sequence[int]) -> Iterator[Signal]:
    """The episodes of alerts told at these days; the first day seeds in silence."""
    ledger = MemoryLedger()
    rule = stage.rule
    for number, day in enumerate(days):
        cutoff = _cutoff(rule, ledger, day)
        horizon = stage.horizon(day, first, cutoff)
        found = [
            signal
            for signal in signals(rule, until(every, day), horizon)
            if horizon.asks(day_number(signal.until))
        ]
        alerts, others = _open_and_shut(ledger.of_rule(rule.id), cutoff)
        held = {uid for signal in found for uid in signal.evidence}
        rested_on = {uid for alert in alerts for uid in alert.evidence}
        moment = Moment(
            horizon=horizon,
            seeding=frozenset(stage.datasets) if number == 0 else frozenset(),
            fates=dict.fromkeys(rested_on - held, Fate(active=True, matches=True)),
            taken=ledger,
            others=others,
        )
        by_episode = {(signal.key, signal.evidence): signal for signal in found}
        for decision in reconcile(rule, found, alerts, moment):
            if decision.writes:
                ledger.save(decision.alert)
            if number and _is_told(decision):
                yield by_episode[decision.alert.key, decision.alert.evidence]


def _cutoff(rule: Rule, ledger: MemoryLedger, day: int) -> int | None:
    """What ended before this day stands as it stood; None where no such day is known."""
    reach = KINDS[rule.kind].reach
    if reach is None:
        return None
    patience = rule.keep_firing_for_days + rule.resolve_days + rule.cooldown_days
    active = [day_number(alert.until) for alert in ledger.active(rule.id)]
    days: list[int] = [*active, day - reach(rule) - DAYS]
    return min(days) - patience - 1


def _open_and_shut(
    alerts: Sequence[Alert], cutoff: int | None
) -> tuple[tuple[Alert, ...], tuple[Alert, ...]]:
    """The alerts to decide about, and those that stand as they stood."""
    if cutoff is None:
        return tuple(alerts), ()
    shut = tuple(one for one in alerts if day_number(one.until) < cutoff and one.state in LIVE)
    return tuple(one for one in alerts if one not in shut), shut


def _is_told(decision: Decision) -> bool:
    return decision.notice == "alert" or decision.summary == "FLOOD"


# --- what is found of rises -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Tried:
    """One series and rise. weeks: until found, None if not; by: the signal that found it."""

    factor: float
    rate: float
    weeks: int | None
    by: Signal | None


def _rises(
    stage: _Stage, rng: np.random.Generator, replicates: int, rises: Sequence[float]
) -> Iterator[_Tried]:
    """Every rise in every key at once, after unchanged beginnings."""
    if stage.rule.kind == "quiet" or not rises:
        return
    keys = len(stage.unchanged.matches.keys)
    beginnings = max(round(PLENTY / keys / TAILS / replicates), 1)
    weeks = BASELINE_WEEKS + WATCHED_WEEKS
    first = stage.first(weeks)
    began = first + DAYS * BASELINE_WEEKS
    for _ in range(beginnings):
        before = stage.unchanged.draw(rng, first, BASELINE_WEEKS)
        for factor in rises:
            for _ in range(TAILS):
                after = stage.unchanged.draw(rng, began, WATCHED_WEEKS, times=factor)
                yield from _tried(stage, before.then(after), first, began, factor)


def _tried(stage: _Stage, drawn: Drawn, first: int, began: int, factor: float) -> Iterator[_Tried]:
    every = stage.unchanged.matches_of(drawn)
    by_key: dict[Key, list[Signal]] = {}
    for signal in signals(stage.rule, every, stage.horizon(stage.end, first, began)):
        if day_number(signal.until) >= began:
            by_key.setdefault(signal.key, []).append(signal)
    for key, rate in zip(every.keys, stage.unchanged.law.mean.tolist(), strict=True):
        found = min(by_key.get(key, ()), key=lambda signal: signal.since, default=None)
        if found is None:
            yield _Tried(factor, rate, None, None)
        elif day_number(found.since) >= began:  # else it was told before the rise
            yield _Tried(factor, rate, (day_number(found.since) - began) // DAYS + 1, found)


def _rows(tried: Sequence[_Tried]) -> Iterator[Found]:
    for factor in sorted({one.factor for one in tried}):
        these = [one for one in tried if one.factor == factor]
        groups = [
            (f"{low:g} to {high:g}" if np.isfinite(high) else f"{low:g} or more", group)
            for low, high in pairwise(RATES)
            if (group := [one for one in these if low <= one.rate < high])
        ]
        yield _found(factor, "all", these)
        if len(groups) > 1:
            yield from (_found(factor, name, group) for name, group in groups)


def _found(factor: float, group: str, tried: Sequence[_Tried]) -> Found:
    delays = np.array([np.inf if one.weeks is None else one.weeks for one in tried])
    hits, total = int(np.isfinite(delays).sum()), len(tried)
    median = float(np.median(delays))
    low, high = share_interval(hits, total)
    weeks = range(1, WATCHED_WEEKS + 1)
    return Found(
        factor=factor,
        group=group,
        series=total,
        power=round(hits / total, 4),
        low=round(low, 4),
        high=round(high, 4),
        median_delay_weeks=median if np.isfinite(median) else None,
        by_week=tuple(round(float((delays <= week).mean()), 4) for week in weeks),
    )


def share_interval(hits: int, total: int) -> tuple[float, float]:
    """The 90 % interval of a share (Wilson 1927)."""
    z, share = 1.6449, hits / total
    middle = (share + z * z / 2 / total) / (1 + z * z / total)
    half = z / (1 + z * z / total) * np.sqrt(share * (1 - share) / total + z * z / 4 / total**2)
    return max(middle - float(half), 0.0), min(middle + float(half), 1.0)


def _tests(false: Sequence[Signal], years: float) -> Iterator[Test]:
    """By measure and window, where the rule's signals say which it was."""
    raised = Counter(map(_test_of, false))
    named = [(test, count) for test, count in raised.items() if test is not None]
    for (measure, window), count in sorted(named):
        yield Test(measure, window, round(count / years, 3))


def _test_of(signal: Signal) -> tuple[str, int] | None:
    if signal.facts.get("kind") != "spike":
        return None
    return str(signal.facts["measure"]), int(signal.facts["window_days"])
