"""The shipped record rule beside the one published for HDX Signals, on the same deaths."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from pathlib import Path

import pytest
from support.sourcing import a_row, as_csv

from warden.cli.root import run

RULES = Path(__file__).parents[2] / "rules"
FIRST = date(2018, 1, 1)
DAYS = 5 * 365


def of_hdx_signals(deaths: list[int]) -> set[date]:
    """Days of its alerts, read plainly: a record, once in 180 days unless it is a longer one."""
    told: list[tuple[int, int]] = []
    sums = [sum(deaths[max(day - 29, 0) : day + 1]) for day in range(len(deaths))]
    for day, value in enumerate(sums):
        longest = max(
            (
                length
                for length in (366, 1096)
                if day >= 29 + length - 1 and value >= max(sums[day - length + 1 : day + 1])
            ),
            default=0,
        )
        if value < 100 or not longest:
            continue
        if not told or day - told[-1][0] >= 180 or longest > told[-1][1]:
            told.append((day, longest))
    return {FIRST + timedelta(days=day) for day, _ in told}


def heavy_tailed(seed: int) -> list[int]:
    chance = random.Random(seed)
    deaths, level = [1], 1.0
    for _ in range(DAYS - 1):
        level = chance.choice([0.3, 1, 2.5, 4]) if chance.random() < 0.006 else level
        happens = chance.random() < 0.3
        deaths.append(min(300, int(level * chance.paretovariate(0.9))) if happens else 0)
    return deaths


@pytest.mark.parametrize("seed", range(4))
def test_alerts_come_on_the_days_of_hdx_signals_own(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deaths = heavy_tailed(seed)
    dated = [(FIRST + timedelta(days=n), dead) for n, dead in enumerate(deaths) if dead]
    rows = [
        a_row(n, event_date=day.isoformat(), fatalities=dead) for n, (day, dead) in enumerate(dated)
    ]
    export = tmp_path / "export.csv"
    export.write_text(as_csv(rows))
    arguments = [
        "--rules", RULES, "--rule", "fatalities-record", "--events", export, "--known",
        "event_date", "--step", "1d", "--from", FIRST, "--to", FIRST + timedelta(days=DAYS),
    ]  # fmt: skip
    assert run(["backtest", "--json", *map(str, arguments)]) == 0
    notices = [json.loads(line) for line in capsys.readouterr().out.splitlines()][:-1]
    wanted = of_hdx_signals(deaths)
    assert len(wanted) >= 2
    told = {date.fromisoformat(one["at"][:10]) for one in notices if one["action"] == "alert"}
    updates = {date.fromisoformat(one["at"][:10]) for one in notices if one["action"] == "update"}
    assert wanted <= told | updates  # a longer record in one episode is an update
    assert told <= wanted
