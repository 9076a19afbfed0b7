"""What would take for ever: expressions of operators are refused, texts of feeds are bounded."""

import contextlib
import re
import time
from datetime import UTC, datetime

import pytest

from warden.cli.root import run
from warden.engine.expression import ExpressionError, compile_expression
from warden.errors import Fault
from warden.model.regex import require_cheap
from warden.rulebook import render_faults
from warden.sources import values

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


LONG = 300_000
READERS = {
    "number": lambda text: values.number(text, "x", -90, 90),
    "coordinate": lambda text: values.coordinate(text, "latitude", 90),
    "whole": lambda text: values.whole(text, "x", 0, 9),
    "day": values.day_of,
    "instant": lambda text: values.instant(text, datetime(2024, 1, 1, tzinfo=UTC)),
    "identifier": values.identifier,
    "line": lambda text: values.line(text, "x", 10 * LONG),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("piece", ["1", " ", "-", "2020-01-01T0", "1,", "a ", "1e"])
def test_no_cell_of_a_feed_takes_long_to_be_read_or_refused(reader, piece):
    began = time.process_time()
    for text in (piece * LONG, piece * LONG + "!", "1" + piece * LONG + "x"):
        with contextlib.suppress(values.RowError):
            READERS[reader](text[:LONG])
    assert time.process_time() - began < 1


@pytest.mark.parametrize("piece", ["password:", "'", " ", "secret", "heartbeat:", "://", "whsec_"])
def test_no_line_of_a_file_takes_long_to_be_shown(piece):
    began = time.process_time()
    render_faults([Fault("r.yaml", 1, 5, "WR010", "is wrong", source_line=piece * 100_000)])
    assert time.process_time() - began < 2
