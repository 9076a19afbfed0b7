"""Values that remember where they were written, and the list that faults are gathered in.

Standing in the flow: `rulebook` reads a rule file into a tree of `Node`s; whoever understands a
part of the file (`rulebook` the rules, `notify` the routes) turns it into frozen values and says
what is wrong in a `FaultList`, so that an operator sees all faults at once, each at its place.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from warden.errors import Fault

Scalar = str | int | float | bool | None


@dataclass(slots=True, eq=False)
class SourceFile:
    """A file as read: its name as the operator gave it, and its lines for the caret display."""

    path: str
    lines: tuple[str, ...] = ()

    def line(self, number: int) -> str:
        """The text of the 1-based line, "" where there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


@dataclass(slots=True, eq=False)
class Node:
    """One value of a YAML file, with its place. Built once by the reader, never changed.

    Attributes:
        kind: "scalar", "list" or "mapping".
        file, line, column: where it stands; 1-based.
        value: the scalar's value as YAML 1.2 reads it (`NO` and `12:30` are text).
        text: the scalar as written, which is what a text field wants from `0042` or `1.10`.
        plain: the scalar was written without quotes.
        items: a list's members.
        entries: a mapping's (key, value) pairs in the order written; keys are unique texts.
    """

    kind: Literal["scalar", "list", "mapping"]
    file: SourceFile
    line: int
    column: int
    value: Scalar = None
    text: str = ""
    plain: bool = True
    items: tuple[Node, ...] = ()
    entries: tuple[tuple[Node, Node], ...] = ()

    @property
    def place(self) -> str:
        """`path:line`, as said inside the message of another fault."""
        return f"{self.file.path}:{self.line}"

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items)

    def get(self, key: str) -> Node | None:
        """The value under `key` of a mapping, None where there is none."""
        return next((value for name, value in self.entries if name.text == key), None)

    def key(self, key: str) -> Node | None:
        """The node of the key itself (for faults about the key), None where there is none."""
        return next((name for name, _ in self.entries if name.text == key), None)

    def at(self, path: Iterable[str | int]) -> Node:
        """The deepest node that exists along a path of keys and list positions."""
        node = self
        for step in path:
            if isinstance(step, int):
                found = node.items[step] if 0 <= step < len(node.items) else None
            else:
                found = node.get(step)
            if found is None:
                break
            node = found
        return node

    def data(self) -> Any:
        """The value as plain JSON-like Python data, without places."""
        if self.kind == "mapping":
            return {name.text: value.data() for name, value in self.entries}
        if self.kind == "list":
            return [item.data() for item in self.items]
        return self.value

    def describe(self) -> str:
        """What it is, for messages: "a list", "the text 'x'", "the number 5", "nothing"."""
        if self.kind != "scalar":
            return f"a {self.kind}"
        if self.value is None:
            return "nothing"
        if isinstance(self.value, bool):
            return f"{str(self.value).lower()} (a yes/no value)"
        if isinstance(self.value, str):
            return f"the text {shown(self.value)}"
        return f"the number {shown(self.text)}"


def shown(text: str, limit: int = 60) -> str:
    """A text quoted for a one-line message: no line breaks, no control characters, not long."""
    clean = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return f"'{clean if len(clean) <= limit else clean[: limit - 1] + '…'}'"


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the nearest of the choices, "" where none is near."""
    by_fold = {choice.casefold(): choice for choice in choices}
    near = difflib.get_close_matches(word.casefold()[:200], by_fold, n=1, cutoff=0.6)
    return f"; did you mean '{by_fold[near[0]]}'?" if near else ""


@dataclass(slots=True)
class FaultList:
    """Collects faults; the same fault at the same place is kept once."""

    faults: list[Fault] = field(default_factory=list)
    _seen: set[tuple[str, int, int, str, str]] = field(default_factory=set)

    def error(self, node: Node, code: str, message: str, *, offset: int = 0) -> None:
        """Add an error at the node; `offset` characters into a plain one-line text."""
        self._add(node, code, message, "error", offset)

    def warning(self, node: Node, code: str, message: str) -> None:
        """Add a warning at the node: worth saying, no reason to refuse the file."""
        self._add(node, code, message, "warning", 0)

    def file_error(
        self, file: SourceFile, code: str, message: str, *, line: int = 0, column: int = 0
    ) -> None:
        """Add an error of a whole file, or at a bare place in it."""
        self.add(Fault(file.path, line, column, code, message, "error", file.line(line)))

    def add(self, fault: Fault) -> None:
        """Add a fault that was made elsewhere."""
        mark = (fault.path, fault.line, fault.column, fault.code, fault.message)
        if mark not in self._seen:
            self._seen.add(mark)
            self.faults.append(fault)

    @property
    def errors(self) -> int:
        """How many of them are errors."""
        return sum(fault.severity == "error" for fault in self.faults)

    def sorted(self) -> tuple[Fault, ...]:
        """All faults in the order of files and lines."""
        return tuple(sorted(self.faults, key=lambda f: (f.path, f.line, f.column, f.code)))

    def _add(
        self,
        node: Node,
        code: str,
        message: str,
        severity: Literal["error", "warning"],
        offset: int,
    ) -> None:
        column = node.column + offset if node.plain else node.column + offset + bool(offset)
        self.add(
            Fault(
                node.file.path,
                node.line,
                column,
                code,
                message,
                severity,
                node.file.line(node.line),
            )
        )
