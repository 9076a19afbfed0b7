"""The model over files: when events are known, what is told, how it is summed up."""

from __future__ import annotations

import json
import re
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


RECORD = """\
rules:
- id: worst
  title: Most deaths in thirty days for a year
  kind: record
  where: {actor: {group: jihadists}}
  window: 30d
  lookback: 366d
  floor: 100
  severity: warning
"""


def test_a_sum_is_a_record_on_the_day_the_higher_one_is_a_year_past_though_nothing_happens(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "rules" / "record.yaml").write_text(RECORD)
    deaths = {"2021-01-01": 0, "2022-01-10": 300, "2023-01-25": 250, "2023-05-01": 0}
    rows = [a_row(n, event_date=d, fatalities=dead) for n, (d, dead) in enumerate(deaths.items())]
    (place / "export.csv").write_text(as_csv(rows))
    said, _ = backtest(
        capsys, "--from", "2023-01-01", "--known", "event_date", "--step", "1d", "--rule", "worst"
    )
    # The 300 stand in sums of thirty days until 8 February 2022, 366 days before 9 February 2023.
    assert said[0]["at"][:10] == "2023-02-09"
    assert said[0]["value"] == 250


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


def test_months_without_a_word_are_counted_and_not_listed(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["backtest", "--events", "export.csv", "--from", "2024-02-01"]) == 0
    out = capsys.readouterr().out
    assert "silent: 1 of 4 months" in out
    assert not any(line.startswith("2024-02 ") for line in out.splitlines())


def test_a_picture_shows_each_rule_its_months_and_its_alerts_a_year(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["backtest", "--events", "export.csv", "--from", "2024-02-01", "--picture"]
    assert run([*asked, "what.svg"]) == 0
    svg = (place / "what.svg").read_text()
    assert "2024-02-01 to 2024-05-11 · known event_date+10d, evaluated every 7d · 5 events" in svg
    assert {">near</text>", ">three</text>"} <= set(re.findall(r">[a-z]+</text>", svg))
    assert "<title>2024-03: 3</title>" in svg
    assert "drawn: what.svg" in capsys.readouterr().err
    assert run([*asked, "what.png"]) == 0
    assert (place / "what.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_silence_says_so(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    period = ["--from", "2024-01-20", "--to", "2024-02-10"]
    assert run(["backtest", "--events", "export.csv", *period, "--picture", "what.svg"]) == 0
    assert "nothing would have been told" in (place / "what.svg").read_text()
    assert "nothing would have been sent" in capsys.readouterr().out


def test_rules_about_warden_itself_are_left_out_and_named(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    behind = (
        "rules:\n- {id: behind, title: A feed is behind, kind: feed,"
        " states: [stale], severity: warning}\n"
    )
    (place / "rules" / "feeds.yaml").write_text(behind)
    assert run(["backtest", "--events", "export.csv", "--json"]) == 0
    told = capsys.readouterr()
    assert "left out, since warden's own health has no history: behind" in told.err
    assert '"behind"' not in told.out
    assert run(["backtest", "--events", "export.csv", "--rule", "behind"]) == 2
    assert "'behind' is of kind feed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "export.csv"),
        (None, "no events to go back over"),
        ("nothing like a table", "export.csv"),
    ],
)
def test_files_that_hold_nothing_are_told_in_one_line(
    content: str | None, said: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = place / "export.csv"
    header = export.read_text().splitlines()[0] + "\n"
    export.write_text(header if content is None else content)
    assert run(["backtest", "--events", "export.csv"]) in {2, 3}
    error = capsys.readouterr().err.strip()
    assert said in error
    assert len(error.splitlines()) == 1


def test_a_file_that_is_not_there_and_a_picture_of_no_kind_are_told(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["backtest", "--events", "exprot.csv"]) == 2
    assert "exprot.csv" in capsys.readouterr().err
    assert run(["backtest", "--events", "export.csv", "--picture", "what.jpg"]) == 2
    assert "ends in .png or .svg" in capsys.readouterr().err


def test_a_period_without_events_is_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    period = ["--from", "2019-01-01", "--to", "2019-06-01"]
    assert run(["backtest", "--events", "export.csv", *period]) == 2
    assert "no event is known by 2019-06-01" in capsys.readouterr().err
