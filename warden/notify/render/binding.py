"""Words that belong on one line: a number and its unit, and the punctuation of French.

Standing in the flow: the renderer binds what goes into a mail, where lines are broken by the width
of a telephone or of 72 columns. Subjects, payloads and other systems get plain spaces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

NO_BREAK = "\N{NO-BREAK SPACE}"
_NUMBER = re.compile(r"(?<![^\s(«])(\d+(?:[.,\u00a0\u202f]\d+)*) (?=[^\W\d_]|%)")
_PUNCTUATION = {"fr": re.compile(r" (?=[:;!?»])|(?<=«) ")}


def bound(text: str, language: str, *, space: str = NO_BREAK) -> str:
    """The text with spaces that keep "150 km", "7 Jan" and « Lieu : » together."""
    text = _NUMBER.sub(rf"\1{space}", text)
    marks = _PUNCTUATION.get(language.partition("_")[0])
    return marks.sub(space, text) if marks is not None else text


def bound_view(view: Any, language: str) -> Any:
    """The same for every text of a view: strings, lists and dictionaries."""
    if isinstance(view, str):
        return bound(view, language)
    if isinstance(view, Mapping):
        return {name: bound_view(one, language) for name, one in view.items()}
    if isinstance(view, list | tuple):
        return [bound_view(one, language) for one in view]
    return view
