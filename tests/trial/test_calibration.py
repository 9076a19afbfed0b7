"""What a rule costs where nothing changes: its budget holds, whatever its series are like."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.build import attack_rule, event
from support.sourcing import a_row, as_csv

from warden.cli.root import run
from warden.engine.detect.simulate import negative_binomial
from warden.engine.frame import Frame, day_from_number, day_number
from warden.engine.geo.geography import FixedGeography
from warden.engine.horizon import Horizon
from warden.engine.kinds.count import CountParameters
from warden.engine.kinds.drift import DriftParameters
from warden.engine.kinds.quiet import QuietParameters
from warden.engine.kinds.spike import Baseline, SpikeParameters
from warden.engine.kinds.weekly import complete_weeks
from warden.engine.where import Matcher, Matches
from warden.model.rule import AllOf, Rule, Ruleset
from warden.pictures import Easel
from warden.pictures.calibration import calibration_svg
from warden.trial import calibration
from warden.trial.calibration import Calibrated, calibrate, poisson_interval, share_interval
from warden.trial.history import History, midnight
from warden.trial.trial import Instant, Trial
from warden.trial.unchanged import Unchanged, until

FIRST = date(2019, 1, 5)  # a Saturday: coding weeks begin on one
WEEKS = 208
LAST = FIRST + timedelta(days=7 * WEEKS - 1)
HORIZON = Horizon(
    datetime.combine(LAST + timedelta(days=1), datetime.min.time(), UTC),
    {"acled": LAST},
    {"acled": FIRST},
)
SPARSE = ([0.04] * 30, 1.2)
OVERDISPERSED = ([0.5, 1.0, 2.0, 4.0] * 2, 5.0)
ORDINARY = ([0.1, 0.3, 1.0, 3.0, 10.0], 1.5)
SLOW = pytest.mark.slow
AT_LENGTH: dict[str, Any] = {"levels": (1.0,), "rises": ()}
COST_ONLY: dict[str, Any] = {**AT_LENGTH, "replicates": 1}


def a_rule(parameters: Any, kind: str = "spike", **changes: Any) -> Rule:
    base = attack_rule(id=f"a-{kind}", kind=kind, parameters=parameters, where=AllOf(()))
    return replace(base, **{"by": ("admin1",), **changes})


def history(rates: list[float], phi: float, rule: Rule, seed: int = 1) -> Matches:
    """Four years of unchanging series, a region each, as the rule's matches."""
    rng = np.random.default_rng(seed)
    mean = np.repeat(np.array(rates)[:, None], WEEKS, axis=1)
    counts = negative_binomial(rng, mean, phi).astype(int)
    events = [
        event(
            f"R{region}W{week}N{n}",
            FIRST + timedelta(days=7 * week + int(rng.integers(7))),
            admin1=f"Region {region:02d}",
            fatalities=int(rng.geometric(0.4)) - 1,
        )
        for region, row in enumerate(counts)
        for week, count in enumerate(row)
        for n in range(count)
    ]
    return Matcher(rule, FixedGeography()).match(Frame.from_events(events))


def found(rule: Rule, rates: list[float], phi: float, **options: Any) -> Calibrated:
    return calibrate(rule, history(rates, phi, rule), HORIZON, **{"replicates": 2, **options})


def _seldom() -> SpikeParameters:
    return SpikeParameters(measures=("events",), windows=("1w", "4w"), false_alerts_per_year=0.2)


# --- the budget -------------------------------------------------------------------------------


@pytest.mark.parametrize(("rates", "phi"), [SPARSE, OVERDISPERSED, ORDINARY])
def test_a_spike_rule_costs_no_more_than_its_budget(rates: list[float], phi: float) -> None:
    result = found(a_rule(SpikeParameters(false_alerts_per_year=12)), rates, phi, **COST_ONLY)
    assert result.budget == 12
    assert result.high <= 12
    assert result.years == 10


@pytest.mark.slow
@pytest.mark.parametrize(("rates", "phi"), [SPARSE, OVERDISPERSED, ORDINARY])
def test_a_spike_rule_of_one_test_keeps_to_what_it_is_advised(
    rates: list[float], phi: float
) -> None:
    """Without the reserve of several tests, clumped series may need a lower `calibration`."""
    parameters = SpikeParameters(measures=("events",), windows=("1w",), false_alerts_per_year=6)
    rule = a_rule(parameters)
    result = found(rule, rates, phi, replicates=4, rises=())
    advised = parameters.model_copy(update={"calibration": result.calibration or 1.0})
    assert found(a_rule(advised), rates, phi, replicates=4, seed=2, **AT_LENGTH).low <= 6


@pytest.mark.parametrize(("rates", "phi"), [OVERDISPERSED, pytest.param(*SPARSE, marks=SLOW)])
def test_a_drift_rule_costs_no_more_than_its_budget(rates: list[float], phi: float) -> None:
    parameters = DriftParameters(false_alerts_per_year=2)
    assert found(a_rule(parameters, "drift"), rates, phi, **COST_ONLY).low <= 2


def test_a_calibration_moves_the_cost_and_is_advised_only_within_the_budget() -> None:
    rule = a_rule(SpikeParameters(windows=("1w", "4w"), false_alerts_per_year=12))
    result = found(rule, *ORDINARY, rises=(), replicates=1, levels=(0.25, 1.0, 4.0))
    low, own, high = (cost.false_alerts_per_year for cost in result.costs)
    assert low < own < high
    assert result.calibration in {None, 4.0}
    assert (result.calibration == 4.0) == (result.costs[-1].high <= 12)
    assert own == result.false_alerts_per_year


def test_a_rule_that_costs_too_much_is_advised_a_lower_calibration() -> None:
    """Rare series whose events come in clumps tell too little of their own dispersion."""
    parameters = SpikeParameters(
        measures=("events",), windows=("1w",), false_alerts_per_year=2, min_count=3
    )
    result = found(
        a_rule(parameters), [0.1] * 24, 8.0, rises=(), replicates=2, levels=(0.1, 0.25, 1.0)
    )
    assert result.low > 2
    assert result.calibration is not None
    assert result.calibration < 1


def test_a_ratio_rule_has_no_budget_and_costs_many_times_one() -> None:
    plain = SpikeParameters(
        measures=("events",), windows=("1w",), baseline=Baseline(method="ratio")
    )
    result = found(a_rule(plain), *ORDINARY, **COST_ONLY)
    assert result.budget is None
    assert result.costs == ()
    assert result.calibration is None
    assert result.false_alerts_per_year > 10


def test_a_rise_is_found_more_often_and_sooner_the_larger_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calibration, "PLENTY", 18)
    rule = a_rule(_seldom(), by=())
    result = found(rule, [1.5], 1.2, replicates=1, levels=(1.0,), rises=(1.0, 3.0, 5.0))
    rows = {row.factor: row for row in result.rows if row.group == "all"}
    assert rows[1].power < 0.3
    assert 0.5 < rows[3].power <= rows[5].power
    assert rows[5].median_delay_weeks is not None
    assert rows[3].median_delay_weeks is not None
    assert rows[5].median_delay_weeks <= rows[3].median_delay_weeks
    assert rows[5].by_week == tuple(sorted(rows[5].by_week))
    assert rows[5].by_week[-1] == rows[5].power
    assert {row.measure for row in result.tests} <= {"events"}


def test_rules_without_a_budget_are_replayed_too() -> None:
    count = CountParameters.model_validate(
        {"measure": "events", "window": "30d", "condition": {"gte": 12}}
    )
    result = found(a_rule(count, "count", by=()), [1.5], 1.5, **COST_ONLY)
    assert result.budget is None
    assert 0 < result.false_alerts_per_year < 10
    quiet = QuietParameters.model_validate(
        {"measure": "events", "window": "8w", "condition": {"lt": 7}}
    )
    silent = found(a_rule(quiet, "quiet", by=()), [1.5], 1.5, replicates=1)
    assert silent.false_alerts_per_year > 0.5
    assert silent.rows == ()


# --- the replay is the rule -------------------------------------------------------------------


def test_the_replay_tells_what_a_trial_of_every_week_tells() -> None:
    """A `Trial` is what a daemon does; it looks every week, the replay where something passes."""
    parameters = SpikeParameters(
        measures=("events", "fatal_events"), windows=("1w", "4w"), false_alerts_per_year=40
    )
    rule = a_rule(parameters, keep_firing_for_days=28, cooldown_days=60)
    matches = history([0.3, 1.0], 1.5, rule)
    seed = np.random.SeedSequence(5).spawn(2)[0].spawn(1)[0]
    weeks = complete_weeks(matches, HORIZON, "auto")
    assert weeks is not None
    unchanged = Unchanged.of(matches, weeks)
    total = calibration.BASELINE_WEEKS + 522
    first = day_number(LAST) - 7 * total + 1
    drawn = unchanged.matches_of(unchanged.draw(np.random.default_rng(seed), first, total))
    frame = drawn.frame
    known = (frame.day - day_number(date(1970, 1, 1))) * 24 * 3600 * 1_000_000
    trial = Trial(
        Ruleset(rules=(rule,), version="1"),
        FixedGeography(),
        History(frame, known, np.full(len(frame), np.iinfo(np.int64).max)),
        located=False,
    )
    told = 0
    for number, week in enumerate(range(calibration.BASELINE_WEEKS - 1, total)):
        day = day_from_number(first + 7 * week + 6)
        instant = Instant(
            midnight(day) + timedelta(days=1),
            {"acled": day},
            seeding=frozenset({"acled"}) if number == 0 else frozenset(),
        )
        said = trial.step(instant)
        told += sum(one.notice.action == "alert" for one in said) if number else 0
    result = calibrate(rule, matches, HORIZON, seed=5, **COST_ONLY)
    assert result.alerts == told > 10


def test_a_draw_has_the_rates_and_the_events_of_its_history() -> None:
    rule = a_rule(SpikeParameters())
    matches = history([0.5, 4.0], 2.0, rule)
    weeks = complete_weeks(matches, HORIZON, "auto")
    assert weeks is not None
    unchanged = Unchanged.of(matches, weeks)
    drawn = unchanged.matches_of(unchanged.draw(np.random.default_rng(1), 0, 4000, times=2))
    a_week = np.bincount(drawn.key_code) / 4000
    assert a_week == pytest.approx(2 * unchanged.law.mean, rel=0.1)
    assert unchanged.law.phi == pytest.approx([2.0, 2.0], rel=0.35)
    deaths = {int(code): set() for code in (0, 1)}
    assert set(deaths) == set(drawn.key_code.tolist())
    assert np.nanmean(drawn.frame.number["fatalities"]) == pytest.approx(
        np.nanmean(matches.frame.number["fatalities"]), rel=0.15
    )
    assert (np.diff(drawn.frame.day) >= 0).all()
    early = until(drawn, 699)
    assert early.frame.day.max() <= 699
    assert early.keys == drawn.keys


def test_a_slow_rise_of_the_past_is_not_taken_for_noise() -> None:
    rule = a_rule(SpikeParameters(), by=())
    rng = np.random.default_rng(2)
    events = [
        event(f"W{week}N{n}", FIRST + timedelta(days=7 * week))
        for week in range(WEEKS)
        for n in range(int(rng.poisson(1 + 8 * week / WEEKS)))
    ]
    matches = Matcher(rule, FixedGeography()).match(Frame.from_events(events))
    weeks = complete_weeks(matches, HORIZON, "auto")
    assert weeks is not None
    assert Unchanged.of(matches, weeks).law.phi[0] < 1.4


def test_intervals_are_those_of_the_books() -> None:
    assert poisson_interval(0) == pytest.approx((0, 2.9957), rel=1e-3)
    assert poisson_interval(10) == pytest.approx((5.4254, 16.9622), rel=1e-4)
    assert share_interval(0, 10) == pytest.approx((0, 0.2130), abs=1e-3)
    assert share_interval(5, 10) == pytest.approx((0.2693, 0.7307), abs=1e-3)


# --- the command ------------------------------------------------------------------------------

RULES = """\
rules:
- id: surge
  title: A surge
  kind: spike
  where: {event_type: Battles}
  measures: [events]
  windows: [1w]
  false_alerts_per_year: 2
  severity: warning
- id: many
  title: Many battles
  kind: count
  where: {event_type: Battles}
  measure: events
  window: 14d
  condition: {gte: 9}
  severity: warning
- id: each
  title: Each battle
  kind: event
  where: {event_type: Battles}
  severity: warning
receivers:
- {name: desk, email: [{to: [desk@example.org]}]}
route: {receiver: desk}
"""
FIELDS = {
    "rule", "budget", "false_alerts_per_year", "low", "high", "series", "weeks", "replicates",
    "rows", "costs", "tests", "calibration", "alerts", "years", "seed", "at", "version", "kind",
}  # fmt: skip


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(calibration, "PLENTY", 3)  # few rises: these tests are about the command
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.yaml").write_text(RULES)
    rng = np.random.default_rng(3)
    days = sorted(rng.integers(0, 900, 260).tolist())
    rows = [
        a_row(n, event_date=(date(2021, 1, 2) + timedelta(days=day)).isoformat())
        for n, day in enumerate(days)
    ]
    (tmp_path / "export.csv").write_text(as_csv(rows))
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> tuple[str, str]:
    capsys.readouterr()
    assert run(list(arguments)) == status
    out, err = capsys.readouterr()
    return out, err


def test_the_same_seed_gives_the_same_figures_and_another_seed_others(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("calibrate", "many", "--events", "export.csv", "--replicates", "1", "--json")
    first, again = (json.loads(said(capsys, *command)[0]) for _ in range(2))
    assert first == again
    assert set(first) == FIELDS
    assert first["budget"] is None
    other = json.loads(said(capsys, *command, "--seed", "2")[0])
    assert other["rows"] != first["rows"]
    assert not (place / "warden.db").exists()


def test_what_was_found_is_drawn_kept_with_the_rule_s_version_and_shown(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "ingest", "export.csv", "--no-evaluate")
    out, _ = said(capsys, "calibrate", "surge", "--replicates", "1", "--picture", "found.png")
    assert out.startswith("surge: ")
    assert "false alerts a year if nothing changed" in out
    picture = (place / "found.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert 5_000 < len(picture) < 60_000
    said(capsys, "calibrate", "many", "--replicates", "1", "--now", "2023-01-01")  # not kept
    shown, _ = said(capsys, "calibrate", "--show", "--json")
    (row,) = [json.loads(line) for line in shown.splitlines()]
    assert row["rule"] == "surge"
    assert row["current"] is True
    assert set(row) == FIELDS | {"calibrated_at", "current"}
    checked, _ = said(capsys, "check")
    assert "surge: calibrated on " in checked
    assert "of the 2 it may cost" in checked
    (status,) = json.loads(said(capsys, "status", "--json")[0])["calibrations"]
    assert status["rule"] == "surge"
    rules = place / "rules" / "rules.yaml"
    rules.write_text(RULES.replace("false_alerts_per_year: 2", "false_alerts_per_year: 3"))
    assert "The rule was edited since." in said(capsys, "calibrate", "--show")[0]
    svg = calibration_svg(row, Easel())
    assert "What surge costs" in svg
    assert "the rule as it is" in svg
    assert "may cost 2" in svg


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["each"], "there is nothing to calibrate in a rule of kind event"),
        (["surges"], "no rule 'surges'; did you mean 'surge'?"),
        ([], "which rule?"),
        (["surge", "--picture", "a.gif"], "ends in .png or .svg"),
        (["surge", "--now", "2021-03-01"], "too few to say what is usual"),
        (["surge", "--replicates", "0"], "0 is not in the range"),
    ],
)
def test_what_cannot_be_calibrated_is_told_in_one_line(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    _, err = said(capsys, "calibrate", *arguments, "--events", "export.csv", status=2)
    assert told in err
    assert len(err.strip().splitlines()) == 1
    assert place.exists()
