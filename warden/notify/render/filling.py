"""How a line of bounded length is filled: what matters most is put in first, while it fits.

Standing in the flow: `first_line` names the parts of a line and their forms; which of them stand in
it is decided here, so that one part too long for the line costs no other its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

Parts = Mapping[str, str]
"""The words of each part of a line by the part's name; "" where it is left out."""

LEAST_LETTERS = 40  # no name is cut shorter: one that is no longer stands whole or not at all
_LETTERS = (80, 60, LEAST_LETTERS)  # to which names that are too long are cut


def filled(
    base: Parts,
    steps: Iterable[tuple[str, Iterable[str]]],
    write: Callable[[Parts], str],
    room: int,
) -> str:
    """The line with every part in the richest form for which those before it left room.

    Arguments:
        base: what is told in any case, in its shortest form.
        steps: parts, the most important first, each with its forms, the richest first.
        write: makes a line of parts. room: its greatest length, in characters.
    """
    told = dict(base)
    for name, forms in steps:
        for form in forms:
            if form == told[name] or len(write({**told, name: form})) <= room:
                told[name] = form
                break
    return write(told)


def shortened(text: str, letters: int | None) -> str:
    """Its first words in at most so many letters; whole where it is no longer, or for None."""
    if letters is None or len(text) <= letters:
        return text
    head = text[: max(letters - 1, 0)]
    words = head.rpartition(" ")[0].rstrip(" ,;:")
    return (words if len(words) * 2 >= len(head) else head) + "…"


def cuts(names: Iterable[str]) -> Iterator[int | None]:
    """To how many letters names that stand side by side may be cut: None (whole) first."""
    longest = max(map(len, names), default=0)
    yield None
    yield from (letters for letters in _LETTERS if letters < longest)


def forms_of(name: str) -> list[str]:
    """A name from its whole to its first words."""
    return [shortened(name, letters) for letters in cuts([name])]
