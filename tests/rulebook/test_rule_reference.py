"""The schema and the reference say what the loader does."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from warden.engine.kinds import KINDS
from warden.model.faultcodes import CODES
from warden.rulebook import schema
from warden.rulebook.reference import main, refreshed

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "rules.md"
SHIPPED = ROOT / "rules"


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    made = schema(KINDS)
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


def test_the_reference_is_fresh() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert refreshed(page) == page, "run `make docs`"


def test_refreshing_a_page_rewrites_only_its_generated_sections(tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "before\n<!-- begin generated: bounds -->\nstale\n<!-- end generated -->\nafter\n"
    )
    main([str(page)])
    text = page.read_text()
    assert text.startswith("before\n<!-- begin generated: bounds -->\n| key | meaning |")
    assert text.endswith("<!-- end generated -->\nafter\n")
    assert "stale" not in text


def test_every_code_is_in_the_reference() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert all(f"| {code} |" in page for code in CODES)


def test_every_kind_has_an_example_that_can_be_used(read) -> None:
    given = {f"{kind.name}.yaml": kind.example for kind in KINDS.values()}
    for name in ("actors.yaml", "places.yaml", "areas/southern-mali.geojson"):
        given[name] = (SHIPPED / name).read_text(encoding="utf-8")
    loaded = read(given, base=False, kinds=KINDS)
    assert [fault.one_line() for fault in loaded.faults if fault.severity == "error"] == []
    assert {rule.kind for rule in loaded.ruleset.rules} == set(KINDS)


@pytest.mark.parametrize("name", sorted(path.name for path in SHIPPED.glob("*.yaml")))
def test_the_shipped_files_are_valid_by_the_schema(name, validator) -> None:
    data = yaml.safe_load((SHIPPED / name).read_text(encoding="utf-8"))
    assert [error.message for error in validator.iter_errors(data)] == []


@pytest.mark.parametrize(
    "text",
    [
        "rule: []",
        "rules: [{id: a}]",
        "rules: [{id: a, title: A, kind: event, where: {country: MLI}, window: 3d}]",
        "rules: [{id: a, title: A, kind: count, where: {country: MLI}}]",
        "rules: [{id: a, title: A, kind: event, where: {near: {place: x, withinkm: 1}}}]",
        "rules: [{id: a, title: A, kind: event, where: {}}]",
        "overrides: {a: {titel: x}}",
        "places: {a: {lat: 91, lon: 0}}",
    ],
)
def test_what_the_loader_refuses_the_schema_refuses(text, validator) -> None:
    assert list(validator.iter_errors(yaml.safe_load(text)))
