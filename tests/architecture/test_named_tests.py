"""Documentation that names a test as its proof names one that there is."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# `tests/a/test_b.py::test_c`, or without the first folder.
_NAMED = re.compile(r"`((?:[\w-]+/)*test_\w+\.py)::(\w+)`")
_SHORT = re.compile(r"`::(\w+)`")  # another test of the file named before


@cache
def functions(path: Path) -> frozenset[str]:
    """The names of a file's functions, also of those in classes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef))


def named(text: str) -> list[tuple[str, str]]:
    """Every (file, test) that a page names."""
    found, file = [], ""
    for match in re.finditer(f"{_NAMED.pattern}|{_SHORT.pattern}", text):
        file = match[1] or file
        found.append((file, match[2] or match[3]))
    return found


def missing(text: str) -> list[str]:
    wrong = []
    for file, test in named(text):
        path = ROOT / "tests" / file.removeprefix("tests/")
        if not path.is_file() or test not in functions(path):
            wrong.append(f"{file}::{test}")
    return wrong


PAGES = [path for path in sorted((ROOT / "docs").rglob("*.md")) if named(path.read_text("utf-8"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_test_that_a_page_names_exists(page):
    assert missing(page.read_text(encoding="utf-8")) == []


def test_a_test_that_does_not_exist_is_noticed():
    this = "architecture/test_named_tests.py"
    text = f"`{this}::test_no_such` `tests/{this}::missing` `::nor_this` `test_gone.py::test_x`"
    wrong = [f"{this}::test_no_such", f"tests/{this}::nor_this", "test_gone.py::test_x"]
    assert missing(text) == wrong
