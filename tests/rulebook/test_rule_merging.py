"""Files, defaults, overrides, kinds and what a rule is when all is merged."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from warden.engine.kinds import KINDS
from warden.model.rule import SeverityStep, UpdateWhen

EVENT = "rules:\n- id: a\n  title: A\n  kind: event\n  where: {country: MLI}\n"
COUNT = (
    "rules:\n- id: c\n  title: C\n  kind: count\n  where: {country: MLI}\n"
    "  window: 4w\n  condition: {gte: 3}\n"
)


def test_a_rule_has_every_key_that_was_written(read) -> None:
    text = """\
rules:
- id: a
  title: "A
    B"
  kind: count
  status: trial
  where: {border: {of: MLI, with: coastal, within_km: 50}, actor: {group: forces}}
  by: [border_neighbour, actor_group]
  groups: [islamists, forces]
  measure: fatalities
  window: 4w
  condition: {gte: 3}
  severity: [{level: critical, when: value >= 9}, info]
  update_when: {value_ratio: 3, severity_raised: false}
  max_age: 1y
  cooldown: 14d
  keep_firing_for: 30d
  resolve: 7d
  reminder: 7d
  flood_limit: 5
  labels: {theme: border, level: 2}
  description: |
    What it
    means.
  runbook: Do.
  references: [https://example.org/a]
  formerly: [b, c]
  alerts_per_year: 4.5
"""
    rule = read(text).ruleset.rules[0]
    assert (rule.id, rule.title, rule.kind, rule.status) == ("a", "A B", "count", "trial")
    assert (rule.parameters.measure, rule.parameters.window) == ("fatalities", 28)
    assert rule.by == ("border_neighbour", "actor_group")
    assert [group.id for group in rule.groups] == ["islamists", "forces"]
    assert rule.severity == (SeverityStep("critical", "value >= 9"), SeverityStep("info"))
    assert rule.update_when == UpdateWhen(severity_raised=False, value_ratio=3)
    assert (rule.max_age_days, rule.cooldown_days, rule.keep_firing_for_days) == (365, 14, 30)
    assert (rule.resolve_days, rule.reminder_days, rule.flood_limit) == (7, 7, 5)
    assert rule.labels == (("level", "2"), ("theme", "border"))
    assert (rule.description, rule.runbook) == ("What it\nmeans.", "Do.")
    assert (rule.references, rule.formerly) == (("https://example.org/a",), ("b", "c"))
    assert rule.alerts_per_year == 4.5
    assert rule.path.endswith("rules.yaml")
    assert rule.line == 2


def test_what_is_not_said_has_the_defaults_of_its_kind(read) -> None:
    event = read(EVENT).ruleset.rules[0]
    assert event.update_when == UpdateWhen(
        fatalities=5, moved_km=25, changed=("event_type", "civilian_targeting", "actor_group")
    )
    assert (event.max_age_days, event.flood_limit, event.reminder_days) == (90, 20, None)
    assert event.severity == (SeverityStep("warning"),)
    assert read(COUNT).ruleset.rule("c").update_when == UpdateWhen(value_ratio=2)


def test_null_switches_one_test_of_update_when_off(read) -> None:
    rule = read(EVENT + "  update_when: {moved_km: null, fatalities: 9, changed: null}\n")
    assert rule.ruleset.rules[0].update_when == UpdateWhen(fatalities=9)


def test_defaults_fill_in_and_local_ones_win(read) -> None:
    loaded = read(
        {
            "a.yaml": EVENT + "  labels: {theme: x}\n",
            "c.yaml": COUNT + "  max_age: 30d\n",
            "d.yaml": "defaults: {max_age: 60d, cooldown: 7d, labels: {theme: d, office: d}}\n",
            "local/d.yaml": "defaults: {max_age: 120d}\n",
        }
    )
    assert loaded.faults == ()
    event, count = loaded.ruleset.rules
    assert (event.max_age_days, event.cooldown_days) == (120, 0)
    assert event.labels == (("office", "d"), ("theme", "x"))
    assert (count.max_age_days, count.cooldown_days) == (30, 7)


def test_a_default_said_twice_is_a_fault(faults) -> None:
    text = "defaults: {max_age: 60d}\n"
    assert faults({"a.yaml": text, "b.yaml": text}) == [
        "b.yaml:1:12: WR005 the default 'max_age' is said already at a.yaml:1"
    ]


def test_an_override_merges_mappings_replaces_the_rest_and_null_removes(read) -> None:
    rule = """\
rules:
- id: a
  title: A
  kind: event
  where: {near: {place: bamako, within_km: 150}, country: MLI}
  severity: [{level: critical, when: fatalities > 3}, warning]
  reminder: 7d
"""
    over = """\
overrides:
  a:
    where: {near: {within_km: 200}, country: null}
    severity: info
    reminder: null
"""
    loaded = read({"z.yaml": rule, "local/o.yaml": over})
    found = loaded.ruleset.rules[0]
    assert found.where.within_km == 200
    assert found.where.places[0].id == "bamako"
    assert found.severity == (SeverityStep("info"),)
    assert found.reminder_days is None


def test_a_fault_in_an_override_is_shown_where_it_was_written(faults) -> None:
    assert faults({"z.yaml": EVENT, "local/o.yaml": "overrides: {a: {severity: hi}}\n"}) == [
        (
            "local/o.yaml:1:27: WR013 'hi' is not a value of severity; "
            "use one of info, warning, critical"
        )
    ]


def test_local_files_come_last_and_tests_and_hidden_files_not_at_all(read) -> None:
    loaded = read(
        {
            "z.yaml": EVENT,
            "local/a.yaml": COUNT,
            "tests/t.yaml": "- [broken",
            ".hidden.yaml": "- [broken",
            "notes.txt": "- [broken",
        }
    )
    assert loaded.faults == ()
    assert [rule.id for rule in loaded.ruleset.rules] == ["a", "c"]


def test_rule_tests_are_read_when_asked_for(read) -> None:
    loaded = read({"z.yaml": EVENT, "tests/t.yaml": "tests: [1]\n"}, include_tests=True)
    assert [node.data() for node in loaded.tests] == [{"tests": [1]}]
    assert read({"tests/t.yaml": "- [broken"}, include_tests=True).ruleset is None


def test_a_file_given_twice_is_read_once(read, tmp_path) -> None:
    (tmp_path / "rules.yaml").write_text(EVENT)
    from warden.geodata.countries import resolve  # noqa: PLC0415 -- as the fixture does
    from warden.rulebook import load  # noqa: PLC0415

    loaded = load([tmp_path, tmp_path / "rules.yaml"], kinds=KINDS, countries_resolve=resolve)
    assert loaded.faults == ()
    assert [rule.id for rule in loaded.ruleset.rules] == ["a"]


def test_routes_are_passed_on_with_their_places(read) -> None:
    loaded = read(
        {
            "r.yaml": "receivers: [{name: desk}]\nroute: {receiver: desk}\n",
            "s.yaml": "receivers: []\n",
        }
    )
    assert [node.data() for node in loaded.route_nodes["receivers"]] == [[{"name": "desk"}], []]
    assert loaded.route_nodes["route"][0].line == 2
    assert "inhibit_rules" not in loaded.route_nodes


class QuietParameters(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    depth: int
    field: str = "actor"


def test_a_new_kind_needs_no_change_of_the_loader(read, faults) -> None:
    kinds: dict[str, Any] = {
        **KINDS,
        "deep": dataclasses.replace(KINDS["count"], name="deep", Parameters=QuietParameters),
    }
    text = "rules:\n- {id: a, title: A, kind: deep, where: {country: MLI}, depth: 3}\n"
    assert read(text, kinds=kinds).ruleset.rules[0].parameters == QuietParameters(depth=3)
    assert faults(text.replace("3}", "x}"), kinds=kinds) == [
        (
            "rules.yaml:2:63: WR036 depth: Input should be a valid integer, "
            "unable to parse string as an integer"
        )
    ]


@pytest.mark.parametrize("count", [1_000])
def test_a_thousand_rules_are_checked_within_three_seconds(read, count) -> None:
    import time  # noqa: PLC0415 -- only here

    rule = (
        "- {{id: r{0}, title: T, kind: event, where: {{actor: {{group: islamists}}, event_type: "
        "attack, near: {{place: bamako, within_km: 150}}, fatalities: {{gte: {0}}}}}, severity: "
        "[{{level: critical, when: fatalities >= 15 or distance_km < 5}}, warning], labels: "
        "{{theme: x}}, description: d, runbook: r}}\n"
    )
    text = "rules:\n" + "".join(rule.format(number) for number in range(count))
    began = time.process_time()
    loaded = read(text)
    assert time.process_time() - began < 3
    assert loaded.faults == ()
    assert len(loaded.ruleset.rules) == count
