"""What an operator does wrong, and the one line that `warden check` answers with.

Every class of mistake that the rule language promises to find, as its documentation lists them
under "Checking", is a case here: rules, the parameters of each kind, receivers and routes. More of
each class stand in test_rule_faults.py, test_routes.py and their neighbours.
"""

from __future__ import annotations

import pytest

from warden.cli.root import run
from warden.engine.kinds import KINDS

GOOD = """\
actors:
  islamists: {match: ["JNIM: *"]}
places:
  bamako: {lat: 12.6392, lon: -8.0029}
event_types: {attack: [Battles, Explosions/Remote violence]}
"""
ROUTES = """\
receivers:
- {name: desk, email: [{to: [desk@example.org]}]}
route: {receiver: desk}
"""
RULE = "rules:\n- id: a\n  title: A\n  kind: {kind}\n  where: {where}\n"


def rule(lines: str = "", *, kind: str = "event", where: str = "{event_type: attack}") -> str:
    """A rule whose own lines begin at line 6."""
    return RULE.replace("{kind}", kind).replace("{where}", where) + lines


COUNT, SPIKE, RECORD = "window: 30d", "windows: [1w]\n  measures: [events]", "window: 30d"

# what was done wrong -> (rules.yaml, the one line after its path)
IN_RULES = {
    "an unknown key": (
        rule(where="{near: {place: bamako, withinkm: 150}}"),
        "5:33: WR012 unknown key 'withinkm' in near; did you mean 'within_km'?",
    ),
    "a duplicate key": (
        rule("  title: B\n"),
        "6:3: WR003 the key 'title' stands already in line 3",
    ),
    "a duplicate id": (
        rule() + rule().removeprefix("rules:\n"),
        "6:7: WR005 the rule 'a' is defined already at rules.yaml:2",
    ),
    "an unknown field": (
        rule(where="{fatalites: 3}"),
        "5:11: WR020 unknown field 'fatalites' in where; did you mean 'fatalities'?",
    ),
    "an unknown value": (
        rule(where="{event_type: Battle}"),
        "5:23: WR013 'Battle' is not a value of event_type; did you mean 'Battles'?",
    ),
    "an unknown place": (
        rule(where="{near: {place: bamaco, within_km: 5}}"),
        "5:25: WR021 unknown place 'bamaco'; did you mean 'bamako'?",
    ),
    "an unknown group of actors": (
        rule(where="{actor: {group: islamist}}"),
        "5:26: WR022 unknown group of actors 'islamist'; did you mean 'islamists'?",
    ),
    "an empty group": (
        "actors: {nobody: {title: Nobody}}\n" + rule(),
        "1:18: WR014 the group 'nobody' is empty: it needs 'match' or 'groups'",
    ),
    "a window of zero": (
        rule("  window: 0d\n  condition: {gte: 3}\n", kind="count"),
        "6:11: WR016 window: Input should be greater than 0",
    ),
    "hours, of which events have none": (
        rule("  window: 12h\n  condition: {gte: 3}\n", kind="count"),
        (
            "6:11: WR017 window: '12h' is shorter than a day; events have dates, not hours: "
            "write whole days, as 2d"
        ),
    ),
    "bounds that can't hold": (
        rule(where="{fatalities: {gte: 5, lt: 5}}"),
        "5:23: WR030 no fatalities lies within these bounds",
    ),
    "a regular expression that does not compile": (
        rule(where="{notes: {regex: 'ab(c'}}"),
        "5:29: WR031 the regular expression does not compile: missing ), unterminated subpattern",
    ),
    "a regular expression that could hang": (
        rule(where="{notes: {regex: '(a+)+b'}}"),
        (
            "5:26: WR032 the regular expression could take unbounded time: "
            "a repetition within a repetition"
        ),
    ),
    "an expression that names nothing": (
        rule("  severity: [{level: critical, when: fatalties > 3}, info]\n"),
        "6:38: WR033 when: unknown name 'fatalties'; did you mean 'fatalities'?",
    ),
    "an expression of another kind's facts": (
        rule("  severity: [{level: critical, when: record_days > 3}, info]\n"),
        "6:38: WR033 when: unknown name 'record_days'",
    ),
    "an override of a rule that is gone": (
        rule() + "overrides: {b: {severity: info}}\n",
        "6:13: WR025 unknown rule 'b'; defined: a",
    ),
    # --- a kind's own parameters
    "a spike's window that is no whole week": (
        rule("  windows: [10d]\n  measures: [events]\n", kind="spike"),
        "2:3: WR036 windows are whole weeks, as in 1w, 4w, 13w",
    ),
    "a spike's window of zero": (
        rule("  windows: [0w]\n  measures: [events]\n", kind="spike"),
        "6:13: WR016 windows: Input should be greater than 0",
    ),
    "a spike without a window": (
        rule("  windows: []\n  measures: [events]\n", kind="spike"),
        "6:12: WR014 windows is an empty list",
    ),
    "a spike of a measure that is none": (
        rule("  windows: [1w]\n  measures: [event]\n", kind="spike"),
        "7:14: WR013 'event' is not a value of measures; did you mean 'events'?",
    ),
    "two budgets for one spike": (
        rule(f"  {SPIKE}\n  alpha: 0.01\n  false_alerts_per_year: 2\n", kind="spike"),
        "2:3: WR036 give one of false_alerts_per_year, alpha, recurrence_interval",
    ),
    "a baseline that nobody wrote": (
        rule(f"  {SPIKE}\n  baseline: {{method: ewma}}\n", kind="spike"),
        (
            "8:22: WR013 'ewma' is not a value of baseline.method; use one of nb_glm, "
            "gamma_poisson, ratio, acled_surge, acled_threat"
        ),
    ),
    "a drift that listens for no rise": (
        rule("  measure: events\n  ratio: 1\n", kind="drift"),
        "7:10: WR016 ratio: Input should be greater than 1",
    ),
    "a drift that may never be wrong": (
        rule("  measure: events\n  false_alerts_per_year: 0\n", kind="drift"),
        "7:26: WR016 false_alerts_per_year: Input should be greater than 0",
    ),
    "a record without a floor": (
        rule(f"  {RECORD}\n  lookback: [366d]\n", kind="record"),
        "2:3: WR011 a rule of the kind 'record' needs the key 'floor'",
    ),
    "a record over less than its own window": (
        rule(f"  {RECORD}\n  lookback: [20d]\n  floor: 3\n", kind="record"),
        "2:3: WR036 lookback must be longer than the window: every sum would be a record",
    ),
    "a projection's period that is none": (
        rule("  measure: events\n  period: month\n", kind="projection"),
        "7:11: WR013 'month' is not a value of period; use one of year, quarter, rolling-year",
    ),
    "a probability in per cent": (
        rule("  measure: events\n  probability: 95\n", kind="projection"),
        "7:16: WR016 probability: Input should be less than 1",
    ),
    "something new without a memory": (
        rule("  field: event\n", kind="new"),
        "2:3: WR011 a rule of the kind 'new' needs the key 'memory'",
    ),
    "a new value of what is no field": (
        rule("  memory: 2y\n  field: district\n", kind="new"),
        (
            "7:10: WR013 'district' is not a value of field; use one of event, actor, actor_group, "
            "admin1, admin2, country, location"
        ),
    ),
    "a quiet above a bound": (
        rule("  window: 6w\n  condition: {gte: 3}\n", kind="quiet"),
        "7:15: WR012 unknown key 'gte' in condition; did you mean 'lte'?",
    ),
    "a quiet that can't be": (
        rule("  window: 6w\n  condition: {lt: 0}\n", kind="quiet"),
        "7:14: WR036 condition: this bound can never hold: a measure is never below zero",
    ),
    "a reminder in hours": (
        rule("  reminder: 12h\n"),
        (
            "6:13: WR017 reminder: '12h' is shorter than a day; events have dates, not hours: "
            "write whole days, as 2d"
        ),
    ),
    "a status that YAML 1.1 would have read as false": (
        rule("  status: off\n"),
        "6:11: WR013 'off' is not a value of status; use one of stable, trial, disabled",
    ),
}

# what was done wrong -> (routes.yaml, the one line after its path)
IN_ROUTES = {
    "an unknown receiver": (
        ROUTES.replace("receiver: desk}", "receiver: deks}"),
        "3:19: WR070 no receiver is named 'deks'; did you mean 'desk'?",
    ),
    "a receiver that reaches nobody": (
        ROUTES.replace("route:", "- {name: none}\nroute:"),
        "3:3: WR075 this receiver reaches nobody",
    ),
    "severities that reach no person": (
        "receivers:\n- {name: box, file: [{path: out}]}\nroute: {receiver: box}\n",
        "3:8: WR077",
    ),
}


@pytest.mark.parametrize("mistake", IN_RULES, ids=lambda case: case.replace(" ", "-"))
def test_a_mistake_in_a_rule_is_one_line_at_its_place(mistake, faults) -> None:
    text, expected = IN_RULES[mistake]
    files = {"rules.yaml": text, "base.yaml": GOOD}
    assert faults(files, base=False, kinds=KINDS) == [f"rules.yaml:{expected}"]


@pytest.mark.parametrize("mistake", IN_ROUTES, ids=lambda case: case.replace(" ", "-"))
def test_a_mistake_in_the_routes_is_a_line_of_the_command(
    mistake, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    text, expected = IN_ROUTES[mistake]
    for name, written in (("base", GOOD), ("routes", text), ("rules", rule())):
        (tmp_path / "rules" / f"{name}.yaml").write_text(written, encoding="utf-8")
    assert run(["check", "rules"]) == 1
    assert f"rules/routes.yaml:{expected}" in capsys.readouterr().out


def test_a_rule_that_is_right_has_no_line(faults) -> None:
    assert faults({"rules.yaml": rule(), "base.yaml": GOOD}, base=False, kinds=KINDS) == []
