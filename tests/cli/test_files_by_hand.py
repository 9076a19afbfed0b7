"""Files named with --events: what is missing from them is said, once; readers may go away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

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
route: {receiver: desk}
"""
READERS = (["series", "near"], ["actors"], ["explain", "MLI90001"], ["backtest"])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.yaml").write_text(RULES)
    return tmp_path


@pytest.mark.parametrize("command", READERS, ids=lambda command: command[0])
def test_a_row_that_cannot_be_read_is_told_beside_what_is_found(place, capsys, command) -> None:
    rows = [a_row(1), a_row(2), a_row(3, event_date="yesterday")]
    (place / "export.csv").write_text(as_csv(rows))
    assert run([*command, "--events", "export.csv"]) == 0
    assert "1 row could not be read and is left out\n" in capsys.readouterr().err


@pytest.mark.parametrize("command", READERS, ids=lambda command: command[0])
def test_a_refused_file_is_named_once(place, capsys, command) -> None:
    (place / "empty.csv").write_text("")
    assert run([*command, "--events", "empty.csv"]) == 3
    assert capsys.readouterr().err == "warden: empty.csv was refused: it is empty\n"


@pytest.mark.parametrize("command", READERS[:2], ids=lambda command: command[0])
def test_a_file_without_events_is_not_met_with_silence(place, capsys, command) -> None:
    (place / "header.csv").write_text(as_csv([a_row(1)]).splitlines()[0] + "\n")
    assert run([*command, "--events", "header.csv", "--json"]) == 0
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("no events: ")


def test_an_event_of_a_file_is_explained_by_the_values_that_make_it_match(place, capsys) -> None:
    (place / "export.csv").write_text(as_csv([a_row(1, event_type="Battles")]))
    assert run(["explain", "MLI90001", "--events", "export.csv", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["verdict"] == "match"
    assert row["reason"] == "an episode of its own"  # no ledger was asked, so none is blamed
    kind, near = row["holding"]
    assert kind == "event_type: Battles"
    assert near.startswith("near town: ")
    assert near.endswith(" km <= 50 km")


def test_a_pipe_that_is_to_be_ingested_is_refused_and_not_waited_for(place, capsys) -> None:
    os.mkfifo(place / "pipe.csv")
    assert run(["ingest", "pipe.csv"]) == 2
    assert capsys.readouterr().err == "warden: a folder or a pipe, not a file: pipe.csv\n"


def test_a_reader_that_goes_away_is_no_fault(place) -> None:
    rows = [a_row(1, event_date="2012-01-01"), a_row(2, event_date="2024-01-01")]
    (place / "export.csv").write_text(as_csv(rows))
    command = [sys.executable, "-m", "warden", "series", "near", "--by", "day", "--json"]
    with subprocess.Popen(
        [*command, "--events", "export.csv"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.parametrize(("share", "withdrawn"), [(1.0, 8), (0.5, 0)])
def test_a_snapshot_read_as_a_source_may_withdraw_what_that_source_may(
    place, capsys, share, withdrawn
) -> None:
    (place / "drop").mkdir()
    (place / "warden.yaml").write_text(
        "database: warden.db\nrules: rules\n"
        f"sources:\n- {{name: acled, kind: file, path: drop, max_retract: {share}}}\n"
    )
    rows = [a_row(n) for n in range(10)]
    for name, held in (("whole.csv", rows), ("short.csv", [rows[0], rows[-1]])):
        (place / name).write_text(as_csv(held))
        run(["ingest", name, "--source", "acled", "--snapshot", "--json"])
    *_, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert last["retracted"] == withdrawn
