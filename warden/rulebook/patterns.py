"""Tests of texts: equal, glob, contains, regular expression; folded, and bounded in time.

Standing in the flow: `where` and the actor groups turn what operators write into `TextTest`s here.
A regular expression is run by Python's backtracking matcher over texts of bounded length, so one
that could backtrack without bound is refused: see `_Cost`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from re import _constants as opcodes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final

from warden.model.located import FaultList, Node, shown
from warden.model.text import fold

MAX_PATTERN: Final = 400
MAX_STARS: Final = 5
# The ways in which a match may go on from each place it starts at, an unbounded repetition counted
# as UNBOUNDED: one of them is allowed, or two of {0,100}. With the starting place, a hostile text
# of 2,000 characters then costs at most some tens of millions of steps.
MAX_STEPS: Final = 20_000
UNBOUNDED: Final = 2_000

_ESCAPE_OR_CHAR: Final = re.compile(r"\\.|[^\\]", re.DOTALL)


def check_glob(node: Node, text: str, faults: FaultList) -> str | None:
    """The folded glob, None with a fault where it is too long, too starry or says nothing."""
    folded = fold(text)
    if len(text) > MAX_PATTERN:
        faults.error(node, "WR032", f"a glob of more than {MAX_PATTERN} characters")
        return None
    if folded.replace("**", "*").count("*") > MAX_STARS:
        faults.error(node, "WR032", f"{shown(text)} has more than {MAX_STARS} stars")
        return None
    if not folded.replace("*", "").strip():
        faults.error(node, "WR030", f"{shown(text)} matches every text there is")
        return None
    return folded


def check_regex(node: Node, text: str, faults: FaultList) -> str | None:
    """The folded regular expression, None with a fault where it cannot be used."""
    if len(text) > MAX_PATTERN:
        faults.error(node, "WR032", f"a regular expression of more than {MAX_PATTERN} characters")
        return None
    folded = _fold_pattern(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a pattern that will mean something else tomorrow
            re.compile(text)
            re.compile(folded)
            tree = parser.parse(folded)
    except Warning as warning:
        faults.error(node, "WR031", f"the regular expression is ambiguous: {warning}")
        return None
    except re.error as error:
        faults.error(
            node,
            "WR031",
            f"the regular expression does not compile: {error.msg}",
            offset=error.pos or 0,
        )
        return None
    except (OverflowError, RecursionError) as error:
        faults.error(node, "WR031", f"the regular expression does not compile: {error}")
        return None
    try:
        _check_cost(tree)
    except _TooCostly as error:
        faults.error(node, "WR032", f"the regular expression {error}")
        return None
    return folded


def _fold_pattern(text: str) -> str:
    r"""Fold the characters of a pattern but not its escapes: `\S` must not become `\s`."""
    pieces = (
        piece if piece.startswith("\\") or piece.isspace() else _fold_char(piece)
        for piece in _ESCAPE_OR_CHAR.findall(text)
    )
    return "".join(pieces)


def _fold_char(char: str) -> str:
    return fold(char) or char


class _TooCostly(Exception):  # noqa: N818 -- a signal inside this file
    """The pattern could take too long; the text says why."""


def _check_cost(tree: Iterable[Any]) -> None:
    if _steps(tree, repeated=False) > MAX_STEPS:
        raise _TooCostly(
            "could take unbounded time: only one unbounded repetition; "
            "write {0,50} instead of * or +"
        )


def _steps(tree: Iterable[Any], *, repeated: bool) -> float:
    """An upper bound of the ways in which a sequence can match from one place."""
    steps = 1.0
    for opcode, argument in tree:
        steps *= _step(opcode, argument, repeated=repeated)
    return steps


def _step(opcode: Any, argument: Any, *, repeated: bool) -> float:
    if opcode in (opcodes.MAX_REPEAT, opcodes.MIN_REPEAT, opcodes.POSSESSIVE_REPEAT):
        return _repeat(argument, repeated=repeated)
    if opcode is opcodes.BRANCH:
        if repeated:
            raise _TooCostly(
                "could take unbounded time: alternatives ('|') within a repetition; "
                "write them as a list of patterns"
            )
        return sum(_steps(branch, repeated=repeated) for branch in argument[1])
    if opcode is opcodes.SUBPATTERN:
        return _steps(argument[3], repeated=repeated)
    if opcode is opcodes.ATOMIC_GROUP:
        return _steps(argument, repeated=repeated)
    if opcode in (
        opcodes.GROUPREF,
        opcodes.GROUPREF_EXISTS,
        opcodes.ASSERT,
        opcodes.ASSERT_NOT,
    ):
        raise _TooCostly("uses a back-reference or look-around; use all:, any: and not: instead")
    return 1.0


def _repeat(argument: Any, *, repeated: bool) -> float:
    low, high, body = argument
    if low == high == 1:
        return _steps(body, repeated=repeated)
    if repeated:
        raise _TooCostly("could take unbounded time: a repetition within a repetition")
    _steps(body, repeated=True)
    count = UNBOUNDED if high is opcodes.MAXREPEAT else min(int(high), 10_000)
    return float(count if high is opcodes.MAXREPEAT else count - min(int(low), count) + 1)
