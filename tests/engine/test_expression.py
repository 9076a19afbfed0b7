"""Severity expressions: what they can say, and that there is nothing to escape from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warden.engine.expression import ExpressionError, compile_expression


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("fatalities >= 15", {"fatalities": 15}, True),
        ("fatalities >= 15", {"fatalities": 14}, False),
        ("(distance_km <= 50 and geo_precision < 3) or fatalities >= 15",
         {"distance_km": 40, "geo_precision": 1}, True),
        ("distance_km <= 50 and geo_precision < 3", {"distance_km": 40, "geo_precision": 3}, False),
        ("country in ('Mali', 'Niger')", {"country": "Mali"}, True),
        ("country not in ('Mali', 'Niger')", {"country": "Togo"}, True),
        ("not civilian_targeting", {"civilian_targeting": False}, True),
        ("0 < fatalities <= 3", {"fatalities": 2}, True),
        ("max(fatalities, value) > 4", {"fatalities": None, "value": 5}, True),
        ("fatalities / reports > 2", {"fatalities": 6, "reports": 2}, True),
        ("-fatalities < -2", {"fatalities": 3}, True),
        ("true and civilian_targeting == true", {"civilian_targeting": True}, True),
    ],
)  # fmt: skip
def test_it_says(text: str, values: dict[str, object], expected: bool) -> None:
    assert compile_expression(text).holds(values) is expected


@pytest.mark.parametrize(
    "text",
    ["p < 0.05", "not (p < 0.05) and p > 1", "fatalities / 0 > 1", "'a' * 3 == 'aaa'", "p in (1,)"],
)
def test_a_name_without_a_value_and_a_wrong_type_make_it_false(text: str) -> None:
    assert compile_expression(text).holds({"fatalities": 3}) is False


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "a.b", "a[0]", "lambda: 1", "[x for x in a]", "a ** 9",
        "f(1)", "a if b else c", "a is None", "a := 1", "", "a b", "1 +", "b'x' == a", "max()",
        "\x00", "'" , "{1: 2}", "f'{a}'", "abs(1, 2)", "a // 2", "~a",
    ],
)  # fmt: skip
def test_it_refuses(text: str) -> None:
    with pytest.raises(ExpressionError):
        compile_expression(text)


def test_an_unknown_name_is_refused_at_its_place() -> None:
    with pytest.raises(ExpressionError, match="unknown name 'fatalites'") as caught:
        compile_expression("value > 3 and fatalites > 2", {"value", "fatalities"})
    assert caught.value.offset == 14


def test_deep_nesting_is_refused_rather_than_run_into() -> None:
    with pytest.raises(ExpressionError):
        compile_expression("not " * 200 + "a")
    with pytest.raises(ExpressionError):
        compile_expression("(" * 400 + "a" + ")" * 400)


@given(
    st.text(max_size=60),
    st.dictionaries(st.sampled_from("abc"), st.none() | st.integers() | st.text() | st.floats()),
)
def test_any_text_compiles_or_is_refused_and_never_raises_when_run(
    text: str, values: dict[str, object]
) -> None:
    try:
        expression = compile_expression(text)
    except ExpressionError:
        return
    assert expression.holds(values) in {True, False}
