"""A version changes with all that decides, and with nothing else."""

from __future__ import annotations

import pytest

BASE = """\
actors:
  g: {title: G, match: ["A*"]}
  h: {match: ["H"]}
places: {p: {title: P, lat: 1, lon: 2}}
aliases:
- {name: Z, was: [Y]}
rules:
- id: a
  title: T
  kind: count
  where:
    actor: {group: g}
    near: {place: p, within_km: 10}
    border: {of: MLI, with: CIV, within_km: 50}
  window: 30d
  condition: {gte: 3}
  labels: {x: y}
  description: D
- id: b
  title: T
  kind: event
  where: {country: MLI}
  by: actor
"""


class Borders:
    def __init__(self, version: str) -> None:
        self._version = version

    def neighbours(self, of: str) -> tuple[str, ...]:
        return ("CIV",)

    def version(self, of: str, neighbours: tuple[str, ...]) -> str:
        return f"{of}{neighbours}{self._version}"


@pytest.fixture
def version(read):
    def run(text: str = BASE, rule: str = "a", **more) -> str:
        return read({"v.yaml": text}, base=False, **more).ruleset.rule(rule).version

    return run


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: T", "title: U"),
        ("title: G", "title: U"),
        ("title: P", "title: U"),
        ("labels: {x: y}", "labels: {x: z}"),
        ("description: D", "runbook: E"),
        ('match: ["H"]', 'match: ["I"]'),
        ("- {name: Z, was: [Y]}", "- {name: Z, was: [X]}"),
        ("rules:", "# a comment\nrules:"),
        ("  window: 30d\n  condition: {gte: 3}", "  condition: {gte: 3}\n  window: 30d"),
    ],
)
def test_texts_and_what_it_does_not_use_leave_a_version_alone(version, old, new) -> None:
    assert old in BASE
    assert version(BASE.replace(old, new)) == version()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('match: ["A*"]', 'match: ["A*", "B"]'),
        ("lat: 1", "lat: 1.0001"),
        ("window: 30d", "window: 31d"),
        ("gte: 3", "gt: 3"),
        ("within_km: 10", "within_km: 11"),
        ("labels: {x: y}", "cooldown: 3d"),
        ("labels: {x: y}", "status: trial"),
        ("labels: {x: y}", "severity: info"),
        ("was: [Y]", "was: [A1]"),
    ],
)
def test_whatever_decides_changes_the_version(version, old, new) -> None:
    assert old in BASE
    assert version(BASE.replace(old, new)) != version()


def test_border_data_change_the_version(version) -> None:
    assert version(borders=Borders("1")) == version(borders=Borders("1"))
    assert version(borders=Borders("1")) != version(borders=Borders("2"))
    assert version(rule="b", borders=Borders("1")) == version(rule="b", borders=Borders("2"))


def test_aliases_count_for_rules_that_key_by_actor(version) -> None:
    other = BASE.replace("was: [Y]", "was: [X]")
    assert version(rule="b") != version(other, rule="b")


def test_the_version_of_the_set_changes_with_any_rule(read) -> None:
    one = read({"v.yaml": BASE}, base=False).ruleset.version
    assert read({"v.yaml": BASE.replace("title: T", "title: U")}, base=False).ruleset.version == one
    assert read({"v.yaml": BASE.replace("30d", "31d")}, base=False).ruleset.version != one
