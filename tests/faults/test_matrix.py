"""The table of faults in docs/reliability.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "reliability.md"
NAMED = re.compile(r"`([\w/]+\.py)(?:::(\w+))?`")


def named_tests() -> list[tuple[str, str]]:
    """File and name of each test in the table."""
    text = PAGE.read_text(encoding="utf-8")
    table = text[text.index("## Fault matrix") :].split("\n## ", 1)[0]
    return NAMED.findall(table)


def test_every_test_that_the_fault_matrix_names_exists() -> None:
    missing = [
        f"{file}::{name}"
        for file, name in named_tests()
        if not (TESTS / file).is_file()
        or f"def {name}" not in (TESTS / file).read_text(encoding="utf-8")
    ]
    assert missing == []


def test_every_fault_done_to_a_daemon_is_in_the_fault_matrix() -> None:
    listed = {name for file, name in named_tests() if file.startswith("faults/")}
    written = {
        name
        for path in Path(__file__).parent.glob("test_*.py")
        if path != Path(__file__)
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert written == listed
