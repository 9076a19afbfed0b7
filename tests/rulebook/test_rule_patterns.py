"""Globs and regular expressions that are accepted are quick, whatever text they meet."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warden.model.located import FaultList, Node, SourceFile
from warden.rulebook.patterns import check_glob, check_regex

NODE = Node("scalar", SourceFile("x.yaml"), 1, 1)


def regex(text: str) -> tuple[str | None, str]:
    faults = FaultList()
    checked = check_regex(NODE, text, faults)
    return checked, faults.faults[0].message if faults.faults else ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.*b",
        "a.{0,90}b.{0,90}c",
        r"\bIED\b",
        "(?:roadside )?bomb",
        "[0-9]{1,4} killed",
        "a|b|cd",
        "x{9}",
    ],
)
def test_ordinary_expressions_are_accepted(text) -> None:
    assert regex(text)[0] is not None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(a+)+", "a repetition within a repetition"),
        ("(a*b)*", "a repetition within a repetition"),
        ("(a{1,9}){2,9}", "a repetition within a repetition"),
        ("(a|ab)*", "alternatives ('|') within a repetition"),
        ("a.*b.*c", "only one unbounded repetition"),
        ("a{0,900}b{0,900}c", "only one unbounded repetition"),
        (r"(a)\1", "back-reference or look-around"),
        ("(?=a)b", "back-reference or look-around"),
        ("(?(1)a|b)(c)", "look-around"),
        ("(", "compile"),
        ("[[a]", "ambiguous"),
        ("[", "compile"),
        ("a" * 401, "more than 400 characters"),
    ],
)
def test_expressions_that_could_hang_are_refused(text, message) -> None:
    checked, said = regex(text)
    assert checked is None
    assert message in said


def test_a_pattern_is_folded_but_its_escapes_are_not() -> None:
    assert regex(r"\bÉcole \S+\W[A-Z]")[0] == r"\becole \S+\W[a-z]"


ALPHABET = st.text(alphabet=r"ab.*+?|()[]{}\d1,^$", max_size=14)


@settings(max_examples=300, deadline=None)
@given(ALPHABET)
def test_what_is_accepted_is_quick_on_hostile_texts(text) -> None:
    checked, _ = regex(text)
    if checked is not None:
        began = time.process_time()
        for hostile in ("a" * 120, "ab" * 60 + "!", "1" * 120 + "\\"):
            re.compile(checked).search(hostile)
        assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("text", "code"),
    [("*", "WR030"), ("**", "WR030"), ("*a*b*c*d*e*", "WR032"), ("a" * 401, "WR032")],
)
def test_globs_that_say_nothing_or_too_much_are_refused(text, code) -> None:
    faults = FaultList()
    assert check_glob(NODE, text, faults) is None
    assert [fault.code for fault in faults.faults] == [code]


def test_a_glob_is_folded() -> None:
    assert check_glob(NODE, "Forces Armées*", FaultList()) == "forces armees*"
