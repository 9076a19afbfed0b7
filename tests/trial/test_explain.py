"""Why something was said, or not: predicates with actual values, decisions, stops."""

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
  town: {title: Town, lat: 12.0, lon: -8.0}
rules:
- id: near
  title: Near the town
  kind: event
  where: {actor: {group: jihadists}, near: {place: town, within_km: 50}}
  severity: warning
- id: many
  title: Many dead near the town
  kind: event
  where: {use: near, fatalities: {gte: 10}, civilian_targeting: true}
  severity: critical
- id: others
  title: Not by them, or in a city
  kind: event
  where:
    not: {actor: {group: jihadists}}
    any: [{location: Bamako}, {admin1: Gao}]
  severity: info
receivers:
- {name: desk, file: [{path: out}], email: [{to: [desk@example.org]}]}
route: {receiver: desk}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.yaml").write_text(RULES)
    return tmp_path


def rows(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert run([*arguments, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def export(place: Path, *found: dict[str, Any]) -> str:
    path = place / "export.csv"
    path.write_text(as_csv(found))
    return str(path)


def test_an_event_is_explained_rule_by_rule_with_the_value_that_decided(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    far = export(place, a_row(1, latitude=12.45215, longitude=-8.0, fatalities=3))
    near, many, others = rows(capsys, "explain", "acled:MLI90001", "--events", far)
    assert set(near) >= {"rule", "verdict", "predicate", "actual", "reason"}
    assert near["verdict"] == many["verdict"] == others["verdict"] == "no match"
    assert near["reason"].startswith("near town: 50.0")
    assert near["reason"].endswith("km > 50 km")
    assert near["predicate"] == "near town within 50 km"
    assert many["failing"][1:] == ["fatalities: 3", "civilian_targeting: false"]
    assert others["reason"].startswith("actor: JNIM")
    assert others["failing"][1] == "location: Kati and admin1: Koulikoro"


def test_the_source_s_own_id_is_enough_and_a_wrong_one_is_told(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    close = export(place, a_row(1, latitude=12.1, longitude=-8.0))
    near, _, _ = rows(capsys, "explain", "MLI90001", "--events", close)
    assert near["verdict"] == "match"
    assert near["predicate"] is None
    assert run(["explain", "MLI1", "--events", close]) == 2
    assert "no event and no alert 'MLI1'" in capsys.readouterr().err


def test_an_alert_is_explained_stop_by_stop(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = export(place, a_row(1, latitude=12.1, longitude=-8.0))
    assert run(["ingest", first]) == 0
    (alert,) = _alerts(capsys)
    found = rows(capsys, "explain", alert["id"])
    assert all(set(row) >= {"rule", "verdict", "predicate", "actual", "reason"} for row in found)
    assert found[0]["stop"] == "decision"
    assert (found[0]["verdict"], found[0]["reason"]) == ("open", alert["silence_reason"])
    near, _, _ = rows(capsys, "explain", "MLI90001")
    assert alert["id"] in near["reason"]
    assert run(["explain", alert["id"]]) == 0
    assert "decision" in capsys.readouterr().out


def _alerts(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    return rows(capsys, "alerts", "--all")


@pytest.mark.parametrize("what", ["rules", "routes", "webhook"])
def test_schemas_are_printed(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", what]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["$schema"].startswith("https://json-schema.org/")
