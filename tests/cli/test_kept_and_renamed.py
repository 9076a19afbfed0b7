"""`warden series --kept`, `status` and `actors`: what was foreseen and came, who may be whom."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.sourcing import a_row, as_csv

from warden.cli.root import run
from warden.model.foresight import Foreseen
from warden.store import open_store
from warden.store.projections import keep_projections

RULES = """\
places:
  town: {title: Town, lat: 12.0, lon: -8.0}
rules:
- id: this-year
  title: More than last year
  kind: projection
  where: {near: {place: town, within_km: 50}}
  measure: events
  period: year
  severity: info
receivers:
- {name: desk, file: [{path: out}], email: [{to: [desk@example.org]}]}
route: {receiver: desk}
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.yaml").write_text(RULES)
    return tmp_path


def foreseen(month: int, low: float, observed: float | None) -> Foreseen:
    return Foreseen(
        rule_id="this-year", rule_version="1", key=(), period="2021",
        first_day=date(2021, 1, 1), last_day=date(2021, 12, 31),
        on_day=date(2021, month + 1, 1) - timedelta(days=1), measure="events", method="linear",
        so_far=10.0, projected=low + 10, low=low, high=low + 20, observed=observed,
    )  # fmt: skip


def rows(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert run([*arguments, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_what_was_foreseen_is_printed_beside_what_came(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_store(place / "warden.db") as store, store.transaction() as tx:
        kept = [foreseen(3, 30, 41), foreseen(6, 50, 41)]
        keep_projections(tx, kept, datetime(2022, 1, 2, tzinfo=UTC))
    told = rows(capsys, "series", "this-year", "--kept")
    assert [(one["on_day"], one["inside"], one["error"]) for one in told] == [
        ("2021-03-31", True, -1), ("2021-06-30", False, 19),
    ]  # fmt: skip
    assert run(["series", "this-year", "--kept"]) == 0
    printed = capsys.readouterr()
    assert "1 of 2 came to lie in their 90 % interval (50 %)" in printed.err
    assert "2021-06-30" in printed.out
    (status,) = rows(capsys, "status")
    assert status["projections"] == {"this-year": {"kept": 2, "scored": 2, "inside": 1}}
    assert run(["status"]) == 0
    assert "2 kept; 1 of 2 came to lie" in capsys.readouterr().out


def test_a_rule_that_is_not_there_is_named_with_the_nearest(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_store(place / "warden.db"):
        pass
    assert run(["series", "this-yaer", "--kept"]) == 2
    assert "did you mean 'this-year'" in capsys.readouterr().err


def test_actors_names_a_possible_rename(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = "Islamic State (Greater Sahara)", "Islamic State (Sahel)"
    found = [
        a_row(event_id_cnty=f"MLI{n}", event_date=f"2022-03-0{n + 1}", actor1=old if n < 4 else new)
        for n in range(6)
    ]
    path = place / "export.csv"
    path.write_text(as_csv(found))
    told = {row["name"]: row for row in rows(capsys, "actors", "--events", str(path))}
    assert told[new]["possible_rename_of"] == old
    assert told[old]["possible_rename_of"] is None
    assert "countries" not in told[old]
    assert run(["actors", "--events", str(path)]) == 0
    assert "possible_rename_of" in capsys.readouterr().out
