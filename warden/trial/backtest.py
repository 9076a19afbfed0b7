"""What would have gone out: a replay of what was stored, or a model over files.

Standing in the flow: a `Plan` says which events were known when and at which instants to look;
`run` drives a `Trial` over it and yields every notice.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any

import numpy as np

from warden.collector import collector_paused, collector_sparing
from warden.engine.frame import FRAME_COLUMNS, Frame, actors_to_json, instant_text
from warden.engine.geo.geography import Geography
from warden.errors import UsageError
from warden.model.duration import parse_days
from warden.model.event import Record
from warden.model.located import did_you_mean
from warden.model.notice import Notice
from warden.model.rule import Ruleset
from warden.trial import parallel
from warden.trial.history import History, midnight, midnight_ticks, ticks
from warden.trial.trial import Instant, Said, Trial

DEFAULT_LAG_DAYS = 10
MAX_INSTANTS = 100_000
_EVENT_DATE = re.compile(r"event_date\s*(?:\+\s*([0-9]+\s*[dwy]))?\Z")
_YEAR_DAYS = 365.25


@dataclass(frozen=True, slots=True)
class Known:
    """When an event is taken to have been known.

    Attributes:
        lag_days: so many days after it happened, at 00:00 UTC.
        by_stamp: at its source's stamp; `lag_days` then stands for those that have none.
    """

    lag_days: int = DEFAULT_LAG_DAYS
    by_stamp: bool = False

    @property
    def text(self) -> str:
        """How an operator writes it."""
        return "timestamp" if self.by_stamp else f"event_date+{self.lag_days}d"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a backtest rests on.

    Attributes:
        instants: in order of time.
        first, last: the days between which notices are shown and counted.
        silent: instants before this one only bring the ledger into being.
        about: how it was planned, for the summary.
    """

    history: History
    instants: Sequence[Instant]
    first: date
    last: date
    silent: datetime | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


def parse_known(text: str) -> Known:
    """Read `--known`: `event_date+10d`, `event_date` or `timestamp`.

    Raises:
        UsageError: it is neither.
    """
    plain = text.strip().casefold()
    if plain == "timestamp":
        return Known(by_stamp=True)
    match = _EVENT_DATE.match(plain)
    if match is None:
        raise UsageError(f"'{text}' says nothing that is known; write event_date+10d or timestamp")
    try:
        return Known(parse_days(match[1]) if match[1] else 0)
    except ValueError as error:
        raise UsageError(f"--known: {error}") from None


def parse_step(text: str) -> int:
    """Read `--step`: whole days.

    Raises:
        UsageError: it is no duration, or none at all.
    """
    try:
        days = parse_days(text)
    except ValueError as error:
        raise UsageError(f"--step: {error}") from None
    if days < 1:
        raise UsageError("--step is 0d; it must be at least 1d")
    return days


def choose(ruleset: Ruleset, rule_ids: Sequence[str]) -> Ruleset:
    """The same rule set with these rules only; all of them when none is named.

    Raises:
        UsageError: a name that no rule has.
    """
    known = [rule.id for rule in ruleset.rules]
    for name in rule_ids:
        if name not in known:
            raise UsageError(f"no rule '{name}'{did_you_mean(name, known)}")
    if not rule_ids:
        return ruleset
    return replace(ruleset, rules=tuple(r for r in ruleset.rules if r.id in set(rule_ids)))


def of_events(ruleset: Ruleset, rule_ids: Sequence[str]) -> tuple[Ruleset, tuple[str, ...]]:
    """The rules that a history of events can try, and the ids of those that it cannot.

    Rules of kind `feed` are about warden's own health, of which there is no history.

    Raises:
        UsageError: a name that no rule has, or only rules of kind `feed` are named.
    """
    chosen = choose(ruleset, rule_ids)
    left_out = tuple(rule.id for rule in chosen.rules if rule.kind == "feed")
    if rule_ids and len(left_out) == len(chosen.rules):
        raise UsageError(
            f"'{left_out[0]}' is of kind feed: it is about warden's own health, of which there is "
            "no history to go back over"
        )
    kept = tuple(rule for rule in chosen.rules if rule.kind != "feed")
    return replace(chosen, rules=kept), left_out


# --- the model over files ---------------------------------------------------------------------


def model(
    records: Sequence[Record],
    known: Known,
    *,
    first: date | None = None,
    last: date | None = None,
    step_days: int = 7,
) -> Plan:
    """One version an event, known as `known` says; evaluated at first, +step, … last.

    The first instant seeds in silence: what is known by then is no news.

    Raises:
        UsageError: no events, days in the wrong order, or more instants than make sense.
    """
    if not records:
        raise UsageError("no events to go back over")
    history = _history(records, known)
    found = history.span()
    assert found is not None  # noqa: S101 - there are records
    began = first if first is not None else found[0]
    newest = datetime.fromtimestamp(int(history.since.max()) / 1e6, UTC)
    by_then = newest.date() + timedelta(days=newest > midnight(newest.date()))
    ends = last if last is not None else max(by_then, began)
    if ends < began:
        raise UsageError(f"--to {ends} lies before --from {began}")
    if history.since.min() > ticks(midnight(ends)):
        raise UsageError(f"no event is known by {ends}; the first is of {found[0]}")
    count = (ends - began).days // step_days + 1
    if count > MAX_INSTANTS:
        raise UsageError(f"{count:,} steps are more than {MAX_INSTANTS:,}; use a longer --step")
    days = [began + timedelta(days=step_days * number) for number in range(count)]
    if days[-1] != ends:
        days.append(ends)
    datasets = history.frame.datasets()
    instants = [
        Instant(
            now=midnight(day),
            complete_through=dict.fromkeys(datasets, day - timedelta(days=known.lag_days)),
            seeding=frozenset(datasets) if number == 0 else frozenset(),
        )
        for number, day in enumerate(days)
    ]
    about = {"known": known.text, "step": f"{step_days}d", "events": len(records)}
    silent = midnight(days[1] if len(days) > 1 else began + timedelta(days=1))
    return Plan(history, instants, began, ends, silent, about)


def newest_records(records: Iterable[Record]) -> list[Record]:
    """One record an event: the newer stamp wins, of equal ones the one read last."""
    found: dict[str, Record] = {}
    for record in records:
        before = found.get(record.uid)
        if before is None or not _older(record, before):
            found[record.uid] = record
    return list(found.values())


def _older(one: Record, other: Record) -> bool:
    mine, theirs = one.source_updated_at, other.source_updated_at
    return mine is not None and theirs is not None and mine < theirs


def _history(records: Sequence[Record], known: Known) -> History:
    day_lag = timedelta(days=known.lag_days)
    instants = [
        record.source_updated_at
        if known.by_stamp and record.source_updated_at is not None
        else midnight(record.event_date + day_lag)
        for record in records
    ]
    texts = {instant: instant_text(instant) for instant in set(instants)}
    with collector_paused():
        frame = frame_of(records, [texts[at] for at in instants])
    if known.by_stamp:
        since = np.array([ticks(at) for at in instants], dtype=np.int64)
    else:
        since = midnight_ticks(frame.day + known.lag_days)
    return History.of(frame, since)


def frame_of(records: Sequence[Record], known_at: Sequence[str], source: str = "files") -> Frame:
    """Records as the engine's columns, each first seen at its instant of `known_at`."""

    def of(name: str) -> Iterator[Any]:
        return map(attrgetter(name), records)

    columns: dict[str, Sequence[Any]] = {
        "source": [source] * len(records),
        "actors": list(map(_actors_text, of("actors"))),
        "tags": [json.dumps(tags, ensure_ascii=False) if tags else "[]" for tags in of("tags")],
        "event_date": list(map(_day_text, of("event_date"))),
        "event_date_end": list(map(_day_text, of("event_date_end"))),
        "source_updated_at": [None] * len(records),
        "first_seen_at": known_at,
        "known_at": known_at,
    }
    plain = {name: list(of(name)) for name in FRAME_COLUMNS if name not in columns}
    return Frame.from_columns(columns | plain)


_actors_text = lru_cache(maxsize=50_000)(actors_to_json)
_day_text = lru_cache(maxsize=50_000)(date.isoformat)


@dataclass(frozen=True, slots=True)
class Backtest:
    """A plan with the rules to try on it.

    Attributes:
        rejected: rows of the files that could not be read.
        left_out: rules that no history of events can try.
    """

    plan: Plan
    ruleset: Ruleset
    geography: Geography
    rejected: int = 0
    left_out: tuple[str, ...] = ()

    def run(self, beat: Callable[[int], None] = lambda _: None) -> Iterator[Said]:
        """Every notice in order; `beat` is called after each instant.

        The notices do not name the nearest place and border, which nobody reads here.
        """
        work = len(self.plan.history) * len(self.plan.instants)
        processes = parallel.cores() if work >= parallel.WORTH else 1
        return run(
            self.plan, self.ruleset, self.geography, beat=beat, located=False, processes=processes
        )

    def summary(self) -> Summary:
        """An empty count of notices."""
        return Summary(self.plan, self.ruleset)


# --- running ----------------------------------------------------------------------------------


def run(
    plan: Plan,
    ruleset: Ruleset,
    geography: Geography,
    *,
    beat: Callable[[int], None] = lambda _: None,
    located: bool = True,
    processes: int = 1,
) -> Iterator[Said]:
    """Every notice, in the order it would have gone out; `beat` is called after each instant."""
    every = (ruleset, geography, plan.history)
    if processes > 1 and len(ruleset.rules) > 1:
        steps = parallel.steps(*every, plan.instants, located=located, processes=processes)
    else:
        steps = _steps(Trial(*every, located=located), plan.instants)
    for number, found in enumerate(steps):
        for said in found:
            if _shown(said.notice, plan):
                yield said
        beat(number + 1)


def _steps(trial: Trial, instants: Sequence[Instant]) -> Iterator[tuple[Said, ...]]:
    with collector_sparing():
        trial.foresee(instants[-1])
        for instant in instants:
            yield trial.step(instant)


def _shown(notice: Notice, plan: Plan) -> bool:
    if plan.silent is not None and notice.at < plan.silent:
        return False
    return plan.first <= notice.at.astimezone(UTC).date() <= plan.last


# --- telling ----------------------------------------------------------------------------------

_FACTS = ("first_day", "last_day", "reported_late_days", "observed", "expected", "ratio", "p")


def notice_row(said: Said) -> dict[str, Any]:
    """A notice as scripts read it; null where a field does not apply."""
    notice = said.notice
    return {
        "at": notice.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "action": notice.action,
        "rule": notice.rule_id,
        "alert_id": notice.alert_id,
        "key": dict(notice.key),
        "severity": notice.severity,
        **{name: notice.facts.get(name) for name in _FACTS},
        "event_ids": _event_ids(said),
        "reason": notice.reason,
        "title": notice.title,
        "value": notice.facts.get("value"),
        "listed": notice.facts.get("total"),
    }


def _event_ids(said: Said) -> list[str]:
    if said.notice.items:
        listed = [one for item in said.notice.items for one in item.get("event_ids", ())]
        return list(dict.fromkeys(listed))
    return [uid.partition(":")[2] for uid in said.evidence]


class Summary:
    """Counts notices as they go by."""

    def __init__(self, plan: Plan, ruleset: Ruleset) -> None:
        self._plan = plan
        self._rules = [rule.id for rule in ruleset.rules if rule.status != "disabled"]
        self._actions: dict[str, Counter[str]] = {name: Counter() for name in self._rules}
        self._months: dict[str, Counter[str]] = {}

    def add(self, notice: Notice) -> None:
        """Count a notice."""
        self._actions.setdefault(notice.rule_id, Counter())[notice.action] += 1
        month = notice.at.astimezone(UTC).strftime("%Y-%m")
        self._months.setdefault(month, Counter())[notice.action] += 1

    @property
    def years(self) -> float:
        """How long the backtest is."""
        return ((self._plan.last - self._plan.first).days + 1) / _YEAR_DAYS

    def as_dict(self) -> dict[str, Any]:
        """Alerts a rule a year, and notices by month; months without any are there too."""
        total = sum(counts["alert"] for counts in self._actions.values())
        return {
            "from": self._plan.first.isoformat(),
            "to": self._plan.last.isoformat(),
            "years": round(self.years, 3),
            "instants": len(self._plan.instants),
            **self._plan.about,
            "notices": sum(sum(counts.values()) for counts in self._actions.values()),
            "alerts": total,
            "alerts_per_year": self._a_year(total),
            "rules": {
                name: {**_counts(counts), "alerts_per_year": self._a_year(counts["alert"])}
                for name, counts in self._actions.items()
            },
            "months": {
                month: _counts(self._months.get(month, Counter()))
                for month in _months(self._plan.first, self._plan.last)
            },
        }

    def _a_year(self, alerts: int) -> float:
        return round(alerts / self.years, 1)


def _counts(counts: Counter[str]) -> dict[str, int]:
    names = ("alert", "update", "reminder", "resolved", "cancel", "summary")
    return {_PLURALS.get(name, f"{name}s"): counts[name] for name in names}


_PLURALS = {"resolved": "resolved", "summary": "summaries"}


def _months(first: date, last: date) -> Iterator[str]:
    month = first.replace(day=1)
    while month <= last:
        yield f"{month:%Y-%m}"
        month = (month + timedelta(days=32)).replace(day=1)
