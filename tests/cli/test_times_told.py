"""Instants have one form in all that scripts read, and another in all that people read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.sourcing import a_row, as_csv

from warden.cli.root import run

RULES = """\
places:
  town: {title: Town, lat: 12.7441, lon: -8.0726}
rules:
- id: near
  title: Near the town
  kind: event
  where: {event_type: Battles, near: {place: town, within_km: 50}}
  severity: warning
receivers:
- {name: desk, email: [{to: [desk@example.org]}]}
- {name: night, email: [{to: [night@example.org]}]}
route:
  receiver: desk
  routes:
  - {receiver: desk, matchers: {severity: warning}, mute_time_intervals: [night]}
time_intervals:
- name: night
  time_intervals: [{times: [{start_time: "01:00", end_time: "02:30"}], location: Europe/Paris}]
"""
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z")
TIMED = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.yaml").write_text(RULES)
    return tmp_path


def times(told: Any) -> Iterator[str]:
    """Every text in JSON that is an instant, in whatever form."""
    if isinstance(told, dict):
        told = list(told.values())
    if isinstance(told, list):
        for one in told:
            yield from times(one)
    elif isinstance(told, str) and TIMED.match(told):
        yield told


def rows(capsys: pytest.CaptureFixture[str], *command: str) -> list[dict[str, Any]]:
    """What a command tells; whether it went well is not the matter: no mail server listens."""
    run([*command, "--json"])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_scripts_read_every_instant_in_the_form_that_the_database_keeps(place, capsys) -> None:
    when = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    (place / "export.csv").write_text(as_csv([a_row(1, event_date=when, event_type="Battles")]))
    assert run(["ingest", "export.csv", "--no-evaluate"]) == 0
    capsys.readouterr()
    night = ("routes", "test", "severity=warning", "--at", "2026-03-02T00:20Z")
    for command in (("run", "--once"), night, ("alerts",), ("deliveries",), ("status",)):
        found = list(times(rows(capsys, *command)))
        assert found, command
        assert [one for one in found if not INSTANT.match(one)] == [], command


def test_people_read_when_it_is_due_and_until_when_it_is_held_in_one_form(place, capsys) -> None:
    assert run(["routes", "test", "severity=warning", "--at", "2026-03-02T00:20Z"]) == 0
    said = capsys.readouterr().out
    assert "2026-03-02 00:20:00 UTC" in said
    assert "2026-03-02 01:30:00 UTC" in said
    assert "+00:00" not in said
