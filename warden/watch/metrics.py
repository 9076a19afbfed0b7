"""Metrics in Prometheus' words: what was counted since the start, and how things are now.

Standing in the flow: the daemon tells the `Meter` what it did; at every look a `Picture` of how
things are is asked for, mostly from the database, so that a restart sets no state to zero. Points
in time are given as timestamps: how old something is, the reader reckons.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from warden.store.figures import Figures

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300)


@dataclass(frozen=True, slots=True)
class Picture:
    """How things are at one look.

    Attributes:
        figures: what the database says; None when it could not be read.
        jobs: a row a job: `job`, `runs`, `failures`, `running`.
        sent: how tries to deliver ended since the start, by outcome.
        failing_rules: the rules that could not be evaluated.
        refused: a reload was refused since the last good one.
    """

    version: str
    figures: Figures | None = None
    jobs: Sequence[Mapping[str, Any]] = ()
    sent: Mapping[str, int] = field(default_factory=dict)
    rules: int = 0
    reloaded_at: datetime | None = None
    refused: bool = False
    failing_rules: Sequence[str] = ()
    evaluated_at: datetime | None = None


class Meter:
    """What was counted since the start; safe to use from several threads.

    Arguments:
        look: makes the picture of now.
    """

    def __init__(self, look: Callable[[], Picture]) -> None:
        self.registry = CollectorRegistry()
        self._polls = self._counter("polls", "Polls of sources, by how they ended.", "source state")
        self._rows = self._counter(
            "rows", "Rows that sources served, by what became of them.", "source outcome"
        )
        self._evaluations = self._counter("evaluations", "Evaluations of the rules.", "kind")
        self._decisions = self._counter(
            "decisions", "Decisions about alerts, those to stay silent too.", "reason"
        )
        self._notices = self._counter("notices", "Things that were to be said.", "action")
        self._errors = self._counter("rule_errors", "Evaluations of a rule that failed.", "rule")
        self._duration = Histogram(
            "warden_evaluation_duration_seconds",
            "How long evaluations of all rules took.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        _Process(registry=self.registry)
        self.registry.register(_Now(look))

    def _counter(self, name: str, what: str, labels: str) -> Counter:
        return Counter(f"warden_{name}", what, labels.split(), registry=self.registry)

    def polled(self, source: str, state: str, rows: Mapping[str, int]) -> None:
        """A walk ended so, with so many rows of each outcome."""
        self._polls.labels(source, state).inc()
        for outcome, count in rows.items():
            if outcome != "served":
                self._rows.labels(source, outcome).inc(count)

    def evaluated(
        self,
        *,
        kind: str,
        seconds: float,
        reasons: Iterable[str],
        actions: Iterable[str],
        failed: Iterable[str],
    ) -> None:
        """An evaluation ended; `failed` are the rules that could not be evaluated."""
        self._evaluations.labels(kind).inc()
        self._duration.observe(seconds)
        for counter, values in (
            (self._decisions, reasons), (self._notices, actions), (self._errors, failed),
        ):  # fmt: skip
            for value in values:
                counter.labels(value).inc()

    def page(self) -> bytes:
        """All metrics as text."""
        return generate_latest(self.registry)


class _Process(ProcessCollector):
    """The process's own figures, also where a service may read only the /proc of processes.

    The library takes the hour of the boot from /proc/stat, which the unit hides, and would then
    tell nothing at all.
    """

    def _boot_time(self) -> float:
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


class _Now(Collector):
    """Asks for a picture at every look and puts it into metrics."""

    def __init__(self, look: Callable[[], Picture]) -> None:
        self._look = look

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: registering must not read the database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every metric of now."""
        picture = self._look()
        yield _gauge(
            "build_info",
            "The program, always 1.",
            {(picture.version, platform.python_version()): 1},
            "version python",
        )
        yield from _rules(picture)
        yield from _work(picture)
        readable = picture.figures is not None
        yield _gauge("database_readable", "Whether the database could be read.", {(): readable})
        if picture.figures is not None:
            yield from _sources(picture.figures)
            yield from _state(picture.figures)


def _rules(picture: Picture) -> Iterator[Metric]:
    yield _gauge("rules", "Rules in force.", {(): picture.rules})
    yield _gauge(
        "rules_failing",
        "Rules that could not be evaluated at the last try, each 1.",
        {(rule,): 1 for rule in picture.failing_rules},
        "rule",
    )
    yield _gauge(
        "rules_last_reload_successful",
        "Whether the last attempt to put rules in force did so.",
        {(): not picture.refused},
    )
    yield _moments(
        "rules_last_reload_success_timestamp_seconds",
        "When rules were last put in force.",
        {(): picture.reloaded_at},
    )
    yield _moments(
        "last_evaluation_timestamp_seconds",
        "When the rules were last evaluated, since the start.",
        {(): picture.evaluated_at},
    )


def _work(picture: Picture) -> Iterator[Metric]:
    for name, what, key in (
        ("job_runs", "Runs of a timed job.", "runs"),
        ("job_failures", "Runs of a timed job that failed.", "failures"),
    ):
        yield _count(name, what, {(str(job["job"]),): job[key] for job in picture.jobs}, "job")
    yield _count(
        "delivery_attempts",
        "Tries to deliver, by what came of them.",
        {(outcome,): count for outcome, count in picture.sent.items()},
        "outcome",
    )


def _sources(figures: Figures) -> Iterator[Metric]:
    yield _gauge(
        "source_state",
        "The state that a source is in, always 1.",
        {(one.source, one.state): 1 for one in figures.sources},
        "source state",
    )
    yield _gauge(
        "source_ok",
        "Whether a source can be read as it should be.",
        {(one.source,): one.state == "ok" for one in figures.sources},
        "source",
    )
    yield _gauge(
        "source_consecutive_failures",
        "Polls in a row that did not end well.",
        {(one.source,): one.failures for one in figures.sources},
        "source",
    )
    for name, what in (
        ("poll", "When a source was last polled."),
        ("ok", "When a poll of a source last ended well."),
        ("change", "When a source last brought something new or revised."),
    ):
        moments = {(one.source,): getattr(one, f"last_{name}_at") for one in figures.sources}
        yield _moments(f"source_last_{name}_timestamp_seconds", what, moments, "source")
    yield _moments(
        "source_complete_through_timestamp_seconds",
        "The start of the newest day (UTC) that a source's finished releases cover.",
        {(one.source,): _start_of(one.complete_through) for one in figures.sources},
        "source",
    )
    yield _moments(
        "dataset_newest_event_timestamp_seconds",
        "The start of the newest day (UTC) of an event in a body of data.",
        {(name,): _start_of(day) for name, day in figures.newest_event.items()},
        "dataset",
    )


def _state(figures: Figures) -> Iterator[Metric]:
    yield _gauge(
        "alerts_active",
        "Active alerts, told or kept in silence.",
        {(severity, _yes(told)): count for (severity, told), count in figures.alerts.items()},
        "severity told",
    )
    yield _gauge(
        "conditions",
        "What is not as it should be with warden itself; rules of the kind feed tell of it.",
        figures.conditions,
        "subject state",
    )
    yield _gauge(
        "deliveries_unfinished",
        "Deliveries that are waiting, under way or to be tried again.",
        figures.unfinished,
        "channel state",
    )
    yield _gauge(
        "dead_letters",
        "Deliveries that were given up and not sent again since.",
        {(channel,): count for channel, count in figures.dead.items()},
        "channel",
    )
    yield _gauge("dispatches_waiting", "What is yet to become a message.", {(): figures.waiting})
    age = 0.0
    if figures.oldest_waiting is not None:
        age = max((figures.at - figures.oldest_waiting).total_seconds(), 0.0)
    yield _gauge(
        "delivery_queue_age_seconds", "How long the oldest of what is due has waited.", {(): age}
    )
    yield _moments(
        "last_decision_timestamp_seconds",
        "When an evaluation last wrote something.",
        {(): figures.decided},
    )
    yield _gauge("database_size_bytes", "The database without its log.", {(): figures.size_bytes})
    yield _gauge("database_schema_version", "The database's shape.", {(): figures.schema})


Values = Mapping[Any, float]


def _gauge(name: str, what: str, values: Values, labels: str = "") -> Metric:
    return _filled(GaugeMetricFamily(f"warden_{name}", what, labels=labels.split()), values)


def _count(name: str, what: str, values: Values, labels: str = "") -> Metric:
    return _filled(CounterMetricFamily(f"warden_{name}", what, labels=labels.split()), values)


def _moments(
    name: str, what: str, moments: Mapping[Any, datetime | None], labels: str = ""
) -> Metric:
    known = {key: at.timestamp() for key, at in moments.items() if at is not None}
    return _gauge(name, what, known, labels)


def _filled(family: Any, values: Values) -> Metric:
    for key, value in sorted(values.items()):
        family.add_metric([str(part) for part in key], float(value))
    filled: Metric = family
    return filled


def _start_of(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time_of_day(), UTC)


def _yes(value: object) -> str:
    return "yes" if value else "no"
