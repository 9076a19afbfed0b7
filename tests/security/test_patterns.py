"""Expressions of rule editors and operators: what would take for ever is refused at once."""

import re
import time

import pytest

from warden.cli.root import run
from warden.engine.expression import ExpressionError, compile_expression
from warden.model.regex import require_cheap

COSTLY = [
    "(a+)+b",
    "(a|a)*b",
    "(a|aa)+$",
    "([a-z]+)*1",
    ".*a.*a.*a",
    "(.*a){9}",
    r"(a*)\1b",
    "x(?=a)",
    "(a{0,500}){0,500}b",
]


@pytest.mark.parametrize("pattern", COSTLY)
def test_a_matcher_that_could_run_for_ever_is_refused(tmp_path, capsys, pattern):
    (tmp_path / "rules").mkdir()
    routes = tmp_path / "rules" / "routes.yaml"
    routes.write_text(
        "receivers:\n- name: desk\n  file: [{path: out}]\nroute:\n  receiver: desk\n  routes:\n"
        f"  - receiver: desk\n    matchers: ['rule=~{pattern}']\n"
    )
    config = tmp_path / "warden.yaml"
    config.write_text("database: w.db\nrules: rules\n")
    assert run(["--config", str(config), "check"]) == 1
    assert "routes.yaml:8:16: WR032 the expression" in capsys.readouterr().out
    routes.unlink()
    matcher = ("--matcher", f"rule=~{pattern}", "--comment", "x", "--for", "1d")
    assert run(["--config", str(config), "silence", "add", *matcher]) == 2
    assert "the expression" in capsys.readouterr().err


@pytest.mark.parametrize("pattern", [".*x.*y", "warning|critical", "a{0,50}b*", "(?i)near-.*"])
def test_a_matcher_as_people_write_them_takes_no_time(pattern):
    require_cheap(pattern, unbounded=500, most=250_000)
    began = time.process_time()
    for text in ("x" * 500, "near-" * 100, "a" * 500):
        re.fullmatch(pattern, text)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('x')",
        "().__class__",
        "fatalities.__class__",
        "[x for x in y]",
        "(lambda: 1)()",
        "f'{fatalities}'",
        "fatalities ** 9",
        "1 << 99",
        "x := 1",
        "open('x')",
        "min.__self__",
        "max(key=1)",
        "...",
        "b'x' in a",
        "not " * 300 + "a",
        "(" * 400 + "a" + ")" * 400,
        "9" * 5_000,
    ],
)
def test_an_expression_of_a_rule_runs_no_code(text):
    with pytest.raises(ExpressionError):
        compile_expression(text)


def test_an_expression_cannot_make_large_values():
    began = time.process_time()
    product = "*".join(["9" * 99] * 9)
    for text in ("'a' * 999999999 == 'b'", "[a] * 999999999 == b", f"{product} > 1"):
        compile_expression(text).holds({"a": 1, "b": 2})
    assert time.process_time() - began < 1
