"""Comparing texts as people do: without regard to case or accents."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """Casefold, strip accents and collapse white space: "Côte  d'Ivoire" -> "cote d'ivoire".

    Typographic apostrophes and dashes become plain ones, since sources use either.
    """
    plain = text.translate(_PUNCTUATION)
    decomposed = unicodedata.normalize("NFKD", plain)
    bare = "".join(mark for mark in decomposed if not unicodedata.combining(mark))
    return " ".join(bare.casefold().split())


_PUNCTUATION = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u02bc": "'", "\u2013": "-", "\u2014": "-", "\u2010": "-"}
)


@lru_cache(maxsize=16_384)
def glob_pattern(glob: str) -> re.Pattern[str]:
    """Compile a whole-text glob; `*` is any run of characters, `?` any one, all else itself.

    Brackets are plain characters, since actors' names contain them.
    """
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in glob)
    return re.compile("".join(parts), re.DOTALL)


def glob_matches(glob: str, text: str) -> bool:
    """Whether the whole of `text` matches `glob`; both already folded."""
    return glob_pattern(glob).fullmatch(text) is not None


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def visible(text: str, *, keep: str = "") -> str:
    r"""The text with every character that acts instead of showing itself written as an escape.

    A terminal obeys some control characters, a log takes line breaks for entries, and bidi
    overrides make a line read as another: `\x1b`, `\n`, `\u202e` are what people see instead.

    Arguments:
        keep: characters that stay, such as line breaks where there may be several lines.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char in keep or unicodedata.category(char) not in _UNSEEN else ascii(char)[1:-1]
        for char in text
    )
