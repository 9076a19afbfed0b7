"""The model over files: when events are known, what is told, how it is summed up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.sourcing import a_row, as_csv

from warden.cli.root import run

RULES = """\
actors:
  jihadists: {match: ["JNIM*"]}
places:
  town: {title: Town, lat: 12.7441, lon: -8.0726}
rules:
- id: near
  title: Near the town
  kind: event
  where: {actor: {group: jihadists}, near: {place: town, within_km: 50}}
  severity: warning
- id: three
  title: Three near the town
  kind: count
  where: {use: near}
  measure: events
  window: 20d
  condition: {gte: 3}
  severity: critical
receivers:
- {name: desk, email: [{to: [desk@example.org]}]}
route: {receiver: desk}
"""
FIELDS = {
    "at", "action", "rule", "alert_id", "key", "severity", "first_day", "last_day",
    "reported_late_days", "observed", "expected", "ratio", "p", "event_ids", "reason",
}  # fmt: skip


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.yaml").write_text(RULES)
    days = ["2024-01-02", "2024-03-01", "2024-03-03", "2024-03-05", "2024-05-01"]
    stamp = 1_714_000_000  # 2024-04-24
    rows = [a_row(n, event_date=day, timestamp=stamp) for n, day in enumerate(days)]
    (tmp_path / "export.csv").write_text(as_csv(rows))
    return tmp_path


def backtest(
    capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    assert run(["backtest", "--events", "export.csv", "--json", *arguments]) == 0
    *rows, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return rows, last["summary"]


def test_events_are_told_when_they_would_have_been_known(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, summary = backtest(capsys, "--from", "2024-02-01", "--to", "2024-06-06")
    assert all(set(row) >= FIELDS for row in rows)
    near = [row for row in rows if row["rule"] == "near"]
    assert [(row["at"][:10], row["event_ids"]) for row in near] == [
        ("2024-03-14", ["MLI90001"]),
        ("2024-03-14", ["MLI90002"]),
        ("2024-03-21", ["MLI90003"]),
        ("2024-05-16", ["MLI90004"]),
    ]
    assert {row["reported_late_days"] for row in near} == {10}
    three = [(row["at"][:10], row["action"], row["event_ids"]) for row in rows if row not in near]
    evidence = ["MLI90001", "MLI90002", "MLI90003"]
    assert three == [("2024-03-21", "alert", evidence), ("2024-04-04", "resolved", evidence)]
    assert summary["rules"]["near"]["alerts"] == 4
    assert summary["rules"]["near"]["alerts_per_year"] == pytest.approx(11.5, abs=0.1)
    assert summary["months"]["2024-04"]["alerts"] == 0
    assert summary["months"]["2024-03"] == {
        "alerts": 4, "updates": 0, "reminders": 0, "resolved": 0, "cancels": 0, "summaries": 0,
    }  # fmt: skip


def test_what_is_known_at_the_first_instant_is_no_news(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, _ = backtest(capsys, "--from", "2024-03-20", "--to", "2024-03-27")
    assert [row["rule"] for row in rows if row["action"] == "alert"] == []


def test_stamps_and_steps_can_be_chosen(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, summary = backtest(
        capsys,
        *("--from", "2024-04-01", "--to", "2024-05-01", "--step", "1d"),
        *("--known", "timestamp", "--rule", "near"),
    )
    assert {row["at"][:10] for row in rows} == {"2024-04-25"}
    assert summary["known"] == "timestamp"
    assert summary["instants"] == 31
    rows, _ = backtest(capsys, "--from", "2024-02-01", "--known", "event_date", "--step", "1d")
    assert rows[0]["at"][:10] == "2024-03-01"


def test_people_read_a_table_the_months_and_the_alerts_a_year(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["backtest", "--events", "export.csv", "--from", "2024-02-01"]) == 0
    out = capsys.readouterr().out
    assert "2024-03-14  alert" in out
    assert "alerts_per_year" in out
    assert "###" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--events", "export.csv", "--known", "yesterday"], "write event_date+10d or timestamp"),
        (["--events", "export.csv", "--step", "2h"], "shorter than a day"),
        (["--events", "export.csv", "--from", "2024-13-01"], "is no day"),
        (["--events", "export.csv", "--from", "2024-05-01", "--to", "2024-04-01"], "lies before"),
        (["--events", "export.csv", "--rule", "neer"], "did you mean 'near'"),
        (["--step", "7d"], "--step and --known are for --events"),
    ],
)
def test_arguments_that_make_no_sense_are_told(
    arguments: list[str], said: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["backtest", *arguments]) == 2
    assert said in capsys.readouterr().err
