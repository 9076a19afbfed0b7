"""Tests of texts: equal, glob, contains, regular expression; folded, and bounded in time.

Standing in the flow: `where` and the actor groups turn what operators write into `TextTest`s here.
A regular expression is run by Python's backtracking matcher over texts of bounded length, so one
that could backtrack without bound is refused: see `warden.model.regex`.
"""

from __future__ import annotations

import re
import warnings
from typing import Final

from warden.model.located import FaultList, Node, shown
from warden.model.regex import TooCostlyError, require_cheap
from warden.model.text import fold

MAX_PATTERN: Final = 400
MAX_STARS: Final = 5
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
        require_cheap(folded)
    except TooCostlyError as error:
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
