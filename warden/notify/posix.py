"""POSIX classes of regular expressions, which Go's RE2, and so Alertmanager, knows.

Python reads `[[:alpha:]]` as one of the letters ":alph[" before a "]".

Standing in the flow: `matchers` asks before it compiles an expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

# Each as pairs of the first and the last character of its ranges; ASCII only, as in RE2.
_RANGES: Final[Mapping[str, str]] = {
    "alnum": "09AZaz",
    "alpha": "AZaz",
    "ascii": "\0\x7f",
    "blank": "\t\t  ",
    "cntrl": "\0\x1f\x7f\x7f",
    "digit": "09",
    "graph": "!~",
    "lower": "az",
    "print": " ~",
    "punct": "!/:@[`{~",
    "space": "\t\r  ",
    "upper": "AZ",
    "word": "09AZ__az",
    "xdigit": "09AFaf",
}
_LAST: Final = 0x10FFFF
_POSIX = re.compile(r"\[:(\^?)([A-Za-z]*):\]")
_OUTSIDE = re.compile(r"\\.|\[\^?\]?|.", re.DOTALL)
_INSIDE = re.compile(r"\\.|.", re.DOTALL)


def without_posix_classes(pattern: str) -> str:
    """The pattern with `[:alpha:]` and its like, within a set, written as ranges.

    Raises:
        ValueError: there is no class of that name; the text says which there are.
    """
    return "".join(_translated(pattern))


def _translated(pattern: str) -> Iterator[str]:
    at, inside = 0, False
    while at < len(pattern):
        found = _POSIX.match(pattern, at) if inside else None
        if found is not None:
            yield _as_ranges(found[2], negated=bool(found[1]))
            at = found.end()
            continue
        token = (_INSIDE if inside else _OUTSIDE).match(pattern, at)
        text = token[0] if token is not None else pattern[at]
        inside = text != "]" if inside else text.startswith("[")
        yield text
        at += len(text)


def _as_ranges(name: str, *, negated: bool) -> str:
    if name not in _RANGES:
        raise ValueError(f"no class [:{name}:]; there are {', '.join(_RANGES)}")
    ends = [ord(letter) for letter in _RANGES[name]]
    if negated:  # what lies between the ranges, before the first and after the last
        inner = [end + step for end, step in zip(ends, (-1, 1) * len(ends), strict=False)]
        ends = [0, *inner, _LAST]
    pairs = zip(ends[::2], ends[1::2], strict=True)
    return "".join(f"\\U{low:08X}-\\U{high:08X}" for low, high in pairs if low <= high)
