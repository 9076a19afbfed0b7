"""Rule tests: what they can say, that wrong ones fail, and that malformed ones are located."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

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
  where: {actor: {group: jihadists}, near: {place: town, within_km: 100}}
  severity: [{level: critical, when: fatalities >= 10}, warning]
- id: three
  title: Three near the town
  kind: count
  status: trial
  where: {use: near}
  measure: events
  window: 10d
  condition: {gte: 3}
  severity: info
receivers:
- {name: desk, email: [{to: [desk@example.org]}]}
- {name: press, email: [{to: [press@example.org]}]}
route:
  receiver: desk
  routes:
  - {matchers: {severity: critical}, receiver: press, continue: true}
  - {receiver: desk}
"""
EVENT = (
    "{at: 2024-05-07, id: E1, event_date: 2024-05-01, from: {place: town, km: 99}, actor1: JNIM}"
)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "rules.yaml").write_text(RULES)
    return tmp_path


def outcome(rules: Path, text: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[Any]]:
    (rules / "tests" / "some.yaml").write_text(text)
    status = run(["test", str(rules), "--json"])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def faults(rules: Path, text: str, capsys: pytest.CaptureFixture[str]) -> str:
    (rules / "tests" / "some.yaml").write_text(text)
    assert run(["test", str(rules)]) == 2
    said = capsys.readouterr().err
    run(["check", str(rules), "--json"])
    checked = [json.loads(line)["code"] for line in capsys.readouterr().out.splitlines()]
    assert all(code in said for code in checked)
    assert checked
    return said.replace(str(rules) + "/tests/", "")


def a_test(expected: str, events: str = EVENT, rule: str = "near") -> str:
    return (
        f"tests:\n- name: one\n  input_events:\n  - {events}\n  alert_test:\n"
        f"  - {{eval_time: 2024-05-07, rule: {rule}, exp_notices: {expected}}}\n"
    )


def test_a_test_that_holds_passes(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = a_test("[{action: alert, severity: warning, event_ids: [E1], facts: {fatalities: 0}}]")
    status, (row,) = outcome(rules, text, capsys)
    assert (status, row["passed"], row["name"]) == (0, True, "one")
    assert row["file"].endswith("tests/some.yaml")
    assert row["expected"][0]["notices"][0]["action"] == "alert"


@pytest.mark.parametrize(
    "expected",
    [
        "[]",
        "[{action: update}]",
        "[{action: alert, severity: critical}]",
        "[{action: alert, event_ids: [E2]}]",
        "[{action: alert, key: {place: town}}]",
        "[{action: alert, facts: {fatalities: 1}}]",
        "[{action: alert}, {action: alert}]",
    ],
)
def test_a_test_that_does_not_hold_fails(
    expected: str, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, (row,) = outcome(rules, a_test(expected), capsys)
    assert (status, row["passed"]) == (1, False)
    assert row["got"][0]["notices"][0]["event_ids"] == ["E1"]


def test_people_read_what_was_expected_and_what_came(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (rules / "tests" / "some.yaml").write_text(a_test("[{action: cancel}]"))
    assert run(["test", str(rules)]) == 1
    shown = capsys.readouterr()
    assert "FAIL" in shown.out
    assert "some.yaml:2  one" in shown.out
    assert "expected  action: cancel" in shown.out
    assert "got       action: alert" in shown.out
    assert "1 of 1 tests failed" in shown.err


def test_a_rule_on_trial_is_tested_as_if_in_force(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repeated = EVENT.replace("actor1", "repeat: {every: 1d, times: 3}, actor1").replace(
        "2024-05-07", "2024-05-05"
    )
    text = a_test("[{action: alert, value: 3, event_ids: [E1-1, E1-2, E1-3]}]", repeated, "three")
    status, rows = outcome(rules, text, capsys)
    assert (status, rows[0]["got"]) == (0, rows[0]["got"])


def test_routes_are_tested_by_labels(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "tests:\n- name: routes\n  route_test:\n"
        "  - {labels: {severity: critical}, exp_receivers: [press, desk]}\n"
        "  - {labels: {severity: info}, exp_receivers: [desk, press]}\n"
    )
    status, (row,) = outcome(rules, text, capsys)
    assert (status, row["passed"]) == (1, False)
    assert row["got"][1]["receivers"] == ["desk"]


HOURS = """\
time_intervals:
- {name: night, time_intervals: [{times: [{start_time: "22:00", end_time: "24:00"}]}]}
inhibit_rules:
- {source_matchers: [severity=critical], target_matchers: [severity=warning], equal: [country]}
receivers:
- {name: desk, email: [{to: [desk@example.org]}]}
- {name: night, email: [{to: [night@example.org]}]}
- {name: press, email: [{to: [press@example.org]}]}
- {name: week, email: [{to: [week@example.org]}]}
route:
  receiver: desk
  routes:
  - {matchers: {country: MLI}, receiver: night, mute_time_intervals: [night], continue: true}
  - {matchers: {country: MLI}, receiver: press, review: true, continue: true}
  - {matchers: {country: MLI}, receiver: week, digest: {at: "07:00", days: [mon]}, continue: true}
  - {receiver: desk}
"""


def with_hours(rules: Path) -> None:
    text = RULES[: RULES.index("receivers:")] + HOURS
    (rules / "rules.yaml").write_text(text)


@pytest.mark.parametrize(
    ("more", "held"),
    [
        ("at: 2024-05-06T23:30Z", "{night: MUTED, press: REVIEW, week: DIGEST}"),
        ("at: 2024-05-06T12:00Z", "{press: REVIEW, week: DIGEST}"),
        (
            "active: [{severity: critical, country: MLI}]",
            "{desk: INHIBITED, night: INHIBITED, press: INHIBITED, week: INHIBITED}",
        ),
        ("active: [{severity: critical, country: NER}]", "{press: REVIEW, week: DIGEST}"),
    ],
)
def test_what_holds_a_message_back_is_tested_too(
    more: str, held: str, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_hours(rules)
    labels = "labels: {severity: warning, country: MLI}, exp_receivers: [desk, night, press, week]"
    good = f"tests:\n- name: held\n  route_test: {{{labels}, {more}, exp_held: {held}}}\n"
    assert outcome(rules, good, capsys)[0] == 0
    wrong = good.replace(held, "{}")
    status, (row,) = outcome(rules, wrong, capsys)
    assert (status, row["expected"][0]["held"]) == (1, {})
    assert row["got"][0]["held"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "tests: [{name: x, route_test: {labels: {}, exp_receivers: [], exp_held: {a: QUIET}}}]",
            "WR013 'QUIET' is not a value of exp_held",
        ),
        (
            "tests: [{name: x, route_test: {labels: {a: b}, exp_receivers: [], active: [a]}}]",
            "WR010 active must be a mapping",
        ),
        (
            "tests: [{name: x, route_test: {labels: {a: b}, exp_receivers: [], at: dusk}}]",
            "WR018 at: 'dusk' is no time",
        ),
        ("test: []", "some.yaml:1:1: WR012 unknown key 'test' in a rule test file; did you mean"),
        ("tests: [{name: x}]", "some.yaml:1:9: WR011 a test needs 'alert_test' or 'route_test'"),
        (a_test("[{action: alarm}]"), "WR013 'alarm' is not a value of action"),
        (a_test("[{severity: info}]"), "WR011 an expected notice needs the key 'action'"),
        (a_test("[]", rule="neer"), "some.yaml:6:35: WR025 no rule 'neer'; did you mean 'near'?"),
        (a_test("[]", EVENT.replace("town", "twon")), "WR021 no place 'twon'; did you mean 'town'"),
        (a_test("[]", EVENT.replace("id: E1, ", "")), "exactly one of 'id', 'revise', 'deleted'"),
        (a_test("[]", EVENT.replace("id:", "revise:")), "WR020 no event 'E1' is known"),
        (a_test("[]", EVENT.replace("at: 2024-05-07", "at: soon")), "'soon' is no time"),
        (a_test("[]", EVENT.replace("2024-05-01", "2024-02-31")), "WR018 event_date"),
        (a_test("[]", EVENT.replace("actor1", "actor")), "unknown key 'actor' in an input event"),
        (a_test("[]", EVENT.replace("from: {place: town, km: 99}, ", "")), "needs 'lat' and"),
        (
            a_test("[]", EVENT.replace("actor1: JNIM", "event_type: Battle")),
            "did you mean 'Battles",
        ),
    ],
)
def test_a_malformed_test_is_told_at_its_place(
    text: str, said: str, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in faults(rules, text, capsys)
