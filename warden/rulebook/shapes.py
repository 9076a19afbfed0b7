"""Small readers of one value each: a text, a number, a duration, a choice, with exact faults.

Standing in the flow: between the located tree and the parts that know the rule language. Every
function answers None after adding a fault, so that the caller goes on and finds the next one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from datetime import date
from typing import Final

from warden.model.duration import parse_days
from warden.model.located import FaultList, Node, did_you_mean, shown

MAX_TEXT: Final = 10_000
IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}\Z")
_ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


class Reader:
    """Reads single values and gathers faults."""

    def __init__(self, faults: FaultList) -> None:
        self.faults = faults

    # --- containers ---------------------------------------------------------------------------

    def mapping(
        self,
        node: Node,
        what: str,
        allowed: Collection[str],
        required: Iterable[str] = (),
        hints: dict[str, str] | None = None,
    ) -> dict[str, Node] | None:
        """The entries of a mapping; unknown keys are faults and left out.

        `hints` answers keys that people try with a sentence of its own.
        """
        if node.kind != "mapping":
            self.wrong(node, what, "a mapping")
            return None
        found: dict[str, Node] = {}
        meant: set[str] = set()
        for key, value in node.entries:
            if key.text in allowed:
                found[key.text] = value
            else:
                self.unknown_key(key, what, allowed, hints or {})
                meant |= {name for name in required if did_you_mean(key.text, [name])}
        for name in required:
            if name not in found and name not in meant:
                self.faults.error(node, "WR011", f"{what} needs the key '{name}'")
        return found

    def unknown_key(
        self, key: Node, what: str, allowed: Collection[str], hints: dict[str, str]
    ) -> None:
        """Say that a key is unknown, and what may have been meant."""
        hint = f"; {hints[key.text]}" if key.text in hints else did_you_mean(key.text, allowed)
        self.faults.error(key, "WR012", f"unknown key {shown(key.text)} in {what}{hint}")

    def items(self, node: Node, what: str, *, empty: bool = False) -> tuple[Node, ...]:
        """The members of a list; a single value is a list of one."""
        if node.kind == "mapping":
            self.wrong(node, what, "a value or a list of values")
            return ()
        if node.kind == "scalar":
            if node.value is None:
                self.faults.error(node, "WR014", f"{what} is empty")
                return ()
            return (node,)
        if not node.items and not empty:
            self.faults.error(node, "WR014", f"{what} is an empty list")
        return node.items

    # --- scalars ------------------------------------------------------------------------------

    def text(self, node: Node, what: str, *, limit: int = MAX_TEXT) -> str | None:
        """A text; numbers and dates are taken as they are written."""
        if node.kind != "scalar" or node.value is None:
            self.wrong(node, what, "a text")
            return None
        if isinstance(node.value, bool):
            self.wrong(node, what, "a text (put it in quotes)")
            return None
        text = node.value if isinstance(node.value, str) else node.text
        if not text.strip():
            self.faults.error(node, "WR014", f"{what} is an empty text")
            return None
        if len(text) > limit:
            self.faults.error(node, "WR016", f"{what} is longer than {limit:,} characters")
            return None
        return text

    def texts(self, node: Node, what: str) -> tuple[tuple[str, Node], ...]:
        """One text or a list of them, each with its node."""
        pairs = ((self.text(item, what), item) for item in self.items(node, what))
        return tuple((text, item) for text, item in pairs if text is not None)

    def choice(self, node: Node, what: str, choices: Collection[str]) -> str | None:
        """One of a closed list of texts."""
        text = self.text(node, what)
        if text is None or text in choices:
            return text
        self.not_one_of(node, what, text, choices)
        return None

    def not_one_of(self, node: Node, what: str, text: str, choices: Collection[str]) -> None:
        """Say that a text is none of the choices."""
        hint = did_you_mean(text, choices) or f"; use one of {', '.join(choices)}"
        self.faults.error(node, "WR013", f"{shown(text)} is not a value of {what}{hint}")

    def identifier(self, node: Node, what: str) -> str | None:
        """An operator's id: letters, digits, `_`, `.` and `-`, at most 80 characters."""
        text = self.text(node, what)
        if text is not None and not IDENTIFIER.match(text):
            self.faults.error(
                node,
                "WR019",
                f"{shown(text)} is not an id: use letters, digits, '-', '_' and '.', "
                "at most 80 of them",
            )
            return None
        return text

    def boolean(self, node: Node, what: str) -> bool | None:
        """True or false."""
        if isinstance(node.value, bool) and node.kind == "scalar":
            return node.value
        self.wrong(node, what, "true or false")
        return None

    def number(
        self, node: Node, what: str, low: float = -math.inf, high: float = math.inf
    ) -> float | None:
        """A finite number within bounds, both included."""
        value = node.value
        if node.kind != "scalar" or isinstance(value, (bool, str)) or value is None:
            self.wrong(node, what, "a number")
            return None
        if not low <= value <= high:
            self.faults.error(node, "WR016", f"{what} is {node.text}; {_range(low, high)}")
            return None
        return float(value)

    def integer(self, node: Node, what: str, low: int, high: int) -> int | None:
        """A whole number within bounds, both included."""
        value = self.number(node, what, low, high)
        if value is not None and not value.is_integer():
            self.wrong(node, what, "a whole number")
            return None
        return None if value is None else int(value)

    def days(self, node: Node, what: str, *, minimum: int = 0) -> int | None:
        """A duration of whole days."""
        bare = isinstance(node.value, int | float) and not isinstance(node.value, bool)
        if node.kind == "scalar" and bare:
            self.faults.error(
                node, "WR017", f"{what}: {node.text} has no unit; write {node.text}d for days"
            )
            return None
        text = self.text(node, what)
        if text is None:
            return None
        try:
            days = parse_days(text)
        except ValueError as error:
            self.faults.error(node, "WR017", f"{what}: {error}")
            return None
        if days < minimum:
            self.faults.error(node, "WR016", f"{what} is {text}; it must be at least {minimum}d")
            return None
        return days

    def date(self, node: Node, what: str) -> date | None:
        """A calendar date in ISO form."""
        text = self.text(node, what)
        if text is None:
            return None
        day = _iso_date(text)
        if day is None:
            self.faults.error(
                node, "WR018", f"{what}: {shown(text)} is not a date; write 2024-07-22"
            )
        return day

    def wrong(self, node: Node, what: str, wanted: str) -> None:
        """Say that a value is of the wrong kind."""
        self.faults.error(node, "WR010", f"{what} must be {wanted}, not {node.describe()}")


def _iso_date(text: str) -> date | None:
    if not _ISO_DATE.match(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _range(low: float, high: float) -> str:
    if math.isinf(high):
        return f"it must be at least {low:g}"
    return f"it must lie between {low:g} and {high:g}"


def one_line(message: str) -> str:
    """A message of others, fit for one line."""
    return " ".join(message.split())[:300]
