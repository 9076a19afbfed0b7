"""The tests that ship with the rules pass, and every shipped rule has some."""

from __future__ import annotations

from pathlib import Path

import pytest

from warden.app import App
from warden.settings import Settings
from warden.trial.ruletest import Outcome
from warden.trying import Trying

ROOT = Path(__file__).parents[2]


pytestmark = pytest.mark.xdist_group("rule tests")  # they are run once


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> App:
    place = tmp_path_factory.mktemp("none")
    return App(Settings(rules=ROOT / "rules", database=place / "warden.db"))


@pytest.fixture(scope="module")
def outcomes(app: App) -> list[Outcome]:
    return list(Trying(app).rule_tests())


def test_all_shipped_rule_tests_pass(outcomes: list[Outcome]) -> None:
    failed = [(one.file, one.name, one.expected, one.got) for one in outcomes if not one.passed]
    assert failed == []
    assert len(outcomes) > 20


def test_every_shipped_rule_has_a_test_in_which_it_speaks(
    app: App, outcomes: list[Outcome]
) -> None:
    spoke = {
        notice["rule"]
        for one in outcomes
        for check in one.got
        for notice in check.get("notices", ())
        if notice["action"] == "alert"
    }
    assert {rule.id for rule in app.ruleset().rules} - spoke == set()
