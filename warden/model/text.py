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
