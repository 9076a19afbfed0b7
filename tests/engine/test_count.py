"""Windows against a plain reading of the definition."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from support.build import START, cluster_rule, event

from warden.engine.frame import Frame
from warden.engine.geo.geography import FixedGeography
from warden.engine.horizon import Horizon
from warden.engine.kinds import signals
from warden.engine.where import Matcher
from warden.model.event import Event
from warden.model.rule import Rule
from warden.model.signal import Signal

FIRST = date(2022, 5, 1)


def found(rule: Rule, events: list[Event], through: date) -> tuple[Signal, ...]:
    matches = Matcher(rule, FixedGeography()).match(Frame.from_events(events))
    return signals(rule, matches, Horizon(START, {"acled": through}))


def measured(events: list[Event], measure: str) -> float:
    records = [one.record for one in events]
    if measure == "events":
        return len(records)
    if measure == "fatalities":
        return sum(r.fatalities for r in records)
    if measure == "fatal_events":
        return sum(r.fatalities > 0 for r in records)
    if measure == "fatalities_capped":
        return sum(min(r.fatalities, 10) for r in records)
    if measure == "distinct(admin2)":
        return len({r.admin2 for r in records})
    return len({(r.event_date, r.report) for r in records})


def counts_for(one: Event, measure: str) -> bool:
    return "fatal" not in measure or one.record.fatalities > 0


def by_definition(
    events: list[Event], measure: str, *, window: int, least: float, keep: int, through: date
) -> list[tuple[frozenset[str], date, date]]:
    """Chains of passing days that share evidence or lie close, one day after the other."""
    counting = [one for one in events if counts_for(one, measure)]
    if not counting:
        return []
    days = [one.record.event_date for one in counting]
    last = max(*days, through)
    chains: list[tuple[set[str], date, date]] = []
    day = min(days)
    while day <= last:
        inside = [
            one for one in counting if day - timedelta(days=window) < one.record.event_date <= day
        ]
        if measured(inside, measure) >= least:
            evidence = {one.uid for one in inside}
            if chains and (chains[-1][0] & evidence or (day - chains[-1][2]).days <= keep):
                chains[-1] = (chains[-1][0] | evidence, chains[-1][1], day)
            else:
                chains.append((evidence, day, day))
        day += timedelta(days=1)
    return [(frozenset(evidence), since, until) for evidence, since, until in chains]


made = st.lists(
    st.tuples(
        st.integers(0, 70), st.sampled_from([0, 0, 1, 5, 30]), st.sampled_from("abc"),
        st.sampled_from(["one", "two"]),
    ),
    min_size=0,
    max_size=14,
)  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(
    made,
    st.sampled_from(
        ["events", "fatalities", "fatal_events", "fatalities_capped", "distinct(admin2)",
         "distinct(report)"]
    ),
    st.integers(1, 25),
    st.integers(1, 6),
    st.integers(0, 12),
    st.integers(0, 90),
)  # fmt: skip
def test_episodes_are_those_of_the_definition(
    days: list[tuple[int, int, str, str]],
    measure: str,
    window: int,
    least: int,
    keep: int,
    through: int,
) -> None:
    events = [
        event(f"MLI{n}", FIRST + timedelta(days=day), fatalities=dead, admin2=place, report=text)
        for n, (day, dead, place, text) in enumerate(days)
    ]
    known = FIRST + timedelta(days=through)
    rule = cluster_rule(window=window, least=least, measure=measure, keep_firing_for_days=keep)
    mine = [(frozenset(s.evidence), s.since, s.until) for s in found(rule, events, known)]
    assert mine == by_definition(
        events, measure, window=window, least=least, keep=keep, through=known
    )


def test_a_day_that_is_not_known_yet_ends_nothing() -> None:
    events = [event(f"MLI{n}", FIRST + timedelta(days=n)) for n in range(3)]
    rule = cluster_rule(window=10, least=3)
    (early,) = found(rule, events, FIRST + timedelta(days=5))
    (late,) = found(rule, events, FIRST + timedelta(days=30))
    assert (early.ended, late.ended) == (False, True)


def test_an_event_after_the_newest_complete_day_counts() -> None:
    events = [event(f"MLI{n}", FIRST + timedelta(days=10 * n)) for n in range(3)]
    (signal,) = found(cluster_rule(), events, FIRST)
    assert (signal.value, signal.until) == (3, FIRST + timedelta(days=20))


def test_four_events_of_one_report_are_one_report() -> None:
    events = [event(f"MLI{n}", FIRST, report="the same") for n in range(4)]
    (signal,) = found(cluster_rule(), events, FIRST)
    assert (signal.facts["event_count"], signal.facts["reports"]) == (4, 1)
