"""Where texts go: how wide they are, and places for them that do not cover each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

# Advance widths of Roboto in thousandths of the font size, by kinds of letters.
_NARROW, _WIDE, _CAPITAL, _PLAIN = 280, 860, 640, 545
_NARROW_LETTERS = frozenset("iIjl.,:;'\N{RIGHT SINGLE QUOTATION MARK}|!()[] ftr")
_WIDE_LETTERS = frozenset("mwMW%@—")
_BOLD = 1.04


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """About how wide a text is drawn, a little more rather than less."""
    total = sum(
        _NARROW
        if char in _NARROW_LETTERS
        else _WIDE
        if char in _WIDE_LETTERS
        else _CAPITAL
        if char.isupper()
        else _PLAIN
        for char in text
    )
    return total / 1000 * size * (_BOLD if bold else 1.0)


def shortened(text: str, limit: int) -> str:
    """At most so many letters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in the picture: its left, top, right and bottom."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether they overlap."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def within(self, other: Box) -> bool:
        """Whether it lies inside the other."""
        return (
            self.left >= other.left
            and self.top >= other.top
            and self.right <= other.right
            and self.bottom <= other.bottom
        )


@dataclass(slots=True)
class Lettering:
    """Finds free places; what has a place stays.

    Attributes:
        frame: where texts may stand. taken: what is covered already.
    """

    frame: Box
    taken: list[Box] = field(default_factory=list)

    def block(self, box: Box) -> None:
        """Nothing may stand here."""
        self.taken.append(box)

    def around(
        self, text: str, x: float, y: float, gap: float, size: float, *, must: bool, bold: bool
    ) -> tuple[float, float, str] | None:
        """A place beside a point, as (x, y, text-anchor); None where there is none to spare.

        A text that must be there takes the place that lies in the frame, whatever it covers.
        """
        width = text_width(text, size, bold=bold)
        spots = [
            (x + gap, y + size * 0.36, "start"),
            (x - gap, y + size * 0.36, "end"),
            (x, y - gap - size * 0.2, "middle"),
            (x, y + gap + size * 0.85, "middle"),
            (x + gap * 0.8, y - gap * 0.7, "start"),
            (x + gap * 0.8, y + gap * 0.7 + size * 0.7, "start"),
            (x - gap * 0.8, y - gap * 0.7, "end"),
            (x - gap * 0.8, y + gap * 0.7 + size * 0.7, "end"),
        ]
        boxes = [_box(spot, width, size) for spot in spots]
        inside = [n for n, box in enumerate(boxes) if box.within(self.frame)]
        free = [n for n in inside if not any(boxes[n].meets(other) for other in self.taken)]
        chosen = next(iter(free), next(iter(inside), 0) if must else None)
        if chosen is None:
            return None
        self.taken.append(boxes[chosen])
        return spots[chosen]

    def first_free(
        self, text: str, points: Iterable[tuple[float, float]], size: float
    ) -> tuple[float, float] | None:
        """The first of the points on which a text can be centred."""
        width = text_width(text, size)
        for x, y in points:
            box = _box((x, y, "middle"), width, size)
            if box.within(self.frame) and not any(box.meets(other) for other in self.taken):
                self.taken.append(box)
                return x, y
        return None


def _box(spot: tuple[float, float, str], width: float, size: float) -> Box:
    x, y, anchor = spot
    left = {"start": x, "middle": x - width / 2, "end": x - width}[anchor]
    return Box(left - 2, y - size * 0.85, left + width + 2, y + size * 0.3)
