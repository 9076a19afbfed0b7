"""Days that no release has covered are unknown, not empty: of every kind nothing ends on them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from support.build import at, attack_rule, event
from support.ledger import MemoryLedger

from warden.engine.kinds.base import Bound
from warden.engine.kinds.count import CountParameters
from warden.engine.kinds.drift import DriftParameters
from warden.engine.kinds.new import NewParameters
from warden.engine.kinds.projection import ProjectionParameters
from warden.engine.kinds.quiet import Below, QuietParameters
from warden.engine.kinds.record import RecordParameters
from warden.engine.kinds.spike import SpikeParameters
from warden.model.event import Event
from warden.model.rule import Rule

FIRST = date(2018, 1, 6)  # a Saturday
STEADY = [1, 0, 2, 1, 1, 0, 1, 2, 0, 1] * 16
KNOWN = FIRST + timedelta(days=7 * 172 - 1)
NOW = KNOWN + timedelta(days=2)

PARAMETERS: dict[str, Any] = {
    "count": CountParameters.model_construct(measure="events", window=28, condition=Bound(gte=9)),
    "record": RecordParameters.model_construct(
        measure="fatalities", window=30, lookback=(366,), floor=20
    ),
    "spike": SpikeParameters(),
    "drift": DriftParameters(),
    "projection": ProjectionParameters(period="rolling-year"),
}


def rising() -> list[Event]:
    counts = [*STEADY, *[5] * 12]
    return [
        event(f"W{week}N{n}", FIRST + timedelta(days=7 * week + n))
        for week, count in enumerate(counts)
        for n in range(count)
    ]


def standing(kind: str, parameters: Any) -> tuple[MemoryLedger, Rule]:
    rule = attack_rule(
        id=f"a-{kind}", kind=kind, parameters=parameters, max_age_days=3650, resolve_days=9
    )
    ledger = MemoryLedger(rule)
    ledger.data_start = FIRST
    ledger.poll(at(NOW.isoformat()), new=rising(), complete_through=KNOWN)
    return ledger, rule


def active(ledger: MemoryLedger) -> set[str]:
    return {alert.id for alert in ledger.alerts.values() if alert.state == "active"}


@pytest.mark.parametrize("kind", PARAMETERS)
def test_no_kind_resolves_while_nothing_more_is_known_and_each_does_once_it_is(kind: str) -> None:
    ledger, _ = standing(kind, PARAMETERS[kind])
    before, said = active(ledger), len(ledger.said)
    assert before
    for days in (30, 300, 900):
        later = at(NOW.isoformat()) + timedelta(days=days)
        decisions = ledger.poll(later, complete_through=KNOWN)
        assert not any(d.notice or d.writes for d in decisions)
    assert (active(ledger), len(ledger.said)) == (before, said)
    later = at(NOW.isoformat()) + timedelta(days=900)
    ledger.poll(later, complete_through=later.date() - timedelta(days=1))
    assert not active(ledger) & before
    assert "resolved" in ledger.actions()


def test_a_running_year_is_not_over_before_its_last_day_is_known() -> None:
    ledger, _ = standing("projection", ProjectionParameters())
    (alert,) = [ledger.alerts[one] for one in active(ledger)]
    period_over = date(KNOWN.year, 12, 31)
    later = at(f"{KNOWN.year + 1}-03-01")
    ledger.poll(later, complete_through=period_over - timedelta(days=1))
    assert alert.id in active(ledger)
    ledger.poll(later, complete_through=period_over)
    assert alert.id not in active(ledger)
    assert ledger.actions()[-1] == "resolved"


def test_nothing_goes_quiet_before_the_quiet_days_are_known() -> None:
    rule = attack_rule(
        id="silence",
        kind="quiet",
        parameters=QuietParameters.model_construct(
            measure="events", window=42, condition=Below(lt=1)
        ),
    )
    ledger = MemoryLedger(rule)
    ledger.data_start = FIRST
    far = at(NOW.isoformat()) + timedelta(days=900)
    assert ledger.poll(far, new=rising(), complete_through=KNOWN) == ()
    newest = max(one.record.event_date for one in rising())
    assert ledger.poll(far, complete_through=newest + timedelta(days=41)) == ()
    (decision,) = ledger.poll(far, complete_through=newest + timedelta(days=42))
    assert decision.alert.state == "active"


def test_the_cooldown_counts_only_days_that_are_known() -> None:
    parameters = CountParameters.model_construct(measure="events", window=7, condition=Bound(gte=3))
    rule = attack_rule(
        id="c", kind="count", parameters=parameters, cooldown_days=30, max_age_days=3650
    )
    ledger = MemoryLedger(rule)
    first = [event(f"A{n}", date(2022, 5, 1) + timedelta(days=n)) for n in range(3)]
    ledger.poll(at("2022-05-05"), new=first, complete_through=date(2022, 5, 4))
    again = [event(f"B{n}", date(2022, 5, 20) + timedelta(days=n)) for n in range(3)]
    ledger.poll(at("2022-05-24"), new=again, complete_through=date(2022, 5, 23))
    assert ledger.reasons() == ["FIRST", "CONDITION_ENDED"]
    ledger.poll(at("2022-12-24"), complete_through=date(2022, 5, 23))
    assert "COOLDOWN_ENDED" not in ledger.reasons()


def test_a_first_never_ends() -> None:
    ledger, _ = standing("new", NewParameters.model_construct(field="event", memory=30))
    ledger.poll(at("2024-01-01"), complete_through=date(2023, 12, 31))
    assert "resolved" not in ledger.actions()
