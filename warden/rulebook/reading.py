"""YAML text into trees of located nodes; whatever is wrong with the text becomes a fault.

Standing in the flow: the first step of loading. It reads the C parser's events, one by one, with
an explicit stack: no nesting, no anchor and no size can exhaust memory or the C stack, and no
input raises anything. Scalars are read as YAML 1.2's core schema, so `NO` and `12:30` are texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from warden.model.located import FaultList, Node, Scalar, SourceFile, shown
from warden.regular import open_regular

MAX_FILE_BYTES: Final = 4 * 1024 * 1024
MAX_DEPTH: Final = 40
_TOO_DEEP: Final = f"nested more than {MAX_DEPTH} levels deep"
MAX_NODES: Final = 400_000  # after aliases are unfolded

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE"})
_INTEGER: Final = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL: Final = re.compile(r"0o[0-7]+\Z")
_HEX: Final = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_MAX_DIGITS: Final = 18
_TEXT_TAG: Final = "tag:yaml.org,2002:str"


def read_file(path: Path, shown_path: str, faults: FaultList) -> Node | None:
    """Read one file into a tree; None, with a fault, where that cannot be done.

    An empty file is None without a fault.
    """
    file = SourceFile(shown_path)
    try:
        if not path.is_file():
            faults.file_error(file, "WR001", "no such file, or not a regular one")
            return None
        with open_regular(path) as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "cannot be read"
        faults.file_error(file, "WR001", f"cannot be read: {reason}")
        return None
    return read_bytes(content, shown_path, faults)


def read_bytes(content: bytes, shown_path: str, faults: FaultList) -> Node | None:
    """Read the bytes of a YAML file into a tree; any bytes at all are answered with a fault."""
    file = SourceFile(shown_path)
    text = _decode(content, file, faults)
    if text is None:
        return None
    file.lines = tuple(text.split("\n"))
    return _Builder(file, faults).build(text)


def _decode(content: bytes, file: SourceFile, faults: FaultList) -> str | None:
    if len(content) > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES // 1024 // 1024
        faults.file_error(file, "WR001", f"larger than {limit} MiB; split the file")
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        hint = "; save the file as UTF-8"
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            hint = ": this is UTF-16; save the file as UTF-8"
        faults.file_error(file, "WR001", f"not UTF-8 text{hint}", line=line, column=column)
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    unwanted = _UNPRINTABLE.search(text)
    if unwanted is not None:
        line = text.count("\n", 0, unwanted.start()) + 1
        column = unwanted.start() - (text.rfind("\n", 0, unwanted.start()) + 1) + 1
        faults.file_error(
            file,
            "WR001",
            f"the control character U+{ord(unwanted.group()):04X} cannot stand in a text file",
            line=line,
            column=column,
        )
        return None
    return text


# YAML 1.2's set of characters that may not stand in a stream; and the line separators that
# libyaml counts as line breaks while editors do not, which would shift every place after them.
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"
)


class _Refused(Exception):  # noqa: N818 -- a signal inside this file, not an error of its own
    """The tree cannot be built; the fault has been added."""


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read."""

    node: Node
    anchor: str | None
    children: list[Node] = field(default_factory=list)
    size: int = 1


class _Builder:
    """Builds nodes out of parser events."""

    def __init__(self, file: SourceFile, faults: FaultList) -> None:
        self._file = file
        self._faults = faults
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int] | None] = {}
        self._root: Node | None = None
        self._nodes = 0
        self._documents = 0

    def build(self, text: str) -> Node | None:
        """The tree of the only document, or None."""
        try:
            for event in yaml.parse(text, Loader=_Loader):
                self._take(event)
        except _Refused:
            return None
        except yaml.YAMLError as error:
            self._syntax(error, text)
            return None
        except (ValueError, RecursionError) as error:
            self._faults.file_error(self._file, "WR002", f"not YAML: {shown(str(error), 120)}")
            return None
        root = self._root
        if root is not None and root.kind == "scalar" and root.value is None:
            return None
        return root

    def _take(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._count(1, event)
            self._add(self._scalar(event), event.anchor, 1)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._open(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._refuse(event, "a second document ('---') in one file; use a second file")

    def _count(self, size: int, event: Any) -> None:
        self._nodes += size
        if self._nodes > MAX_NODES:
            self._refuse(event, f"more than {MAX_NODES:,} values, with anchors unfolded")

    def _open(self, event: Any) -> None:
        self._count(1, event)
        if len(self._stack) >= MAX_DEPTH:
            self._refuse(event, _TOO_DEEP)
        if event.tag is not None:
            self._refuse(event, f"the tag {shown(event.tag)}; rule files use no tags")
        kind = "mapping" if isinstance(event, yaml.MappingStartEvent) else "list"
        node = self._node(kind, event)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._stack.append(_Open(node, event.anchor))

    def _close(self) -> None:
        done = self._stack.pop()
        if done.node.kind == "list":
            done.node.items = tuple(done.children)
        else:
            done.node.entries = self._entries(done.children)
        self._add(done.node, done.anchor, done.size)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            self._refuse(event, f"no anchor '&{event.anchor}' stands before this")
        found = self._anchors[event.anchor]
        if found is None:
            self._refuse(event, f"the anchor '&{event.anchor}' contains itself")
        assert found is not None  # noqa: S101 -- _refuse raises
        node, size = found
        self._count(size, event)
        self._add(node, None, size)

    def _add(self, node: Node, anchor: str | None, size: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (node, size)
        if self._stack:
            self._stack[-1].children.append(node)
            self._stack[-1].size += size
        else:
            self._root = node

    def _entries(self, children: list[Node]) -> tuple[tuple[Node, Node], ...]:
        entries: list[tuple[Node, Node]] = []
        seen: dict[str, Node] = {}
        for key, value in zip(children[::2], children[1::2], strict=True):
            if key.kind != "scalar":
                self._faults.error(key, "WR010", f"a key must be a text, not {key.describe()}")
                continue
            if key.plain and key.text == "<<":
                self._faults.error(
                    key, "WR004", "merge keys ('<<') are not used; see defaults: and use:"
                )
                continue
            first = seen.setdefault(key.text, key)
            if first is not key:
                self._faults.error(
                    key, "WR003", f"the key {shown(key.text)} stands already in line {first.line}"
                )
                continue
            entries.append((key, value))
        return tuple(entries)

    def _scalar(self, event: Any) -> Node:
        node = self._node("scalar", event)
        node.text = event.value
        node.plain = not event.style
        if event.tag not in (None, "!", _TEXT_TAG):
            self._refuse(event, f"the tag {shown(event.tag)}; rule files use no tags")
        if node.plain and event.tag is None:
            node.value = resolve(event.value)
        else:
            node.value = event.value
        return node

    def _node(self, kind: Any, event: Any) -> Node:
        mark = event.start_mark
        return Node(kind, self._file, mark.line + 1, mark.column + 1)

    def _refuse(self, event: Any, message: str) -> None:
        mark = event.start_mark
        self._faults.file_error(
            self._file, "WR004", message, line=mark.line + 1, column=mark.column + 1
        )
        raise _Refused

    def _syntax(self, error: yaml.YAMLError, text: str) -> None:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        if line > len(self._file.lines) or (
            line > 1 and not self._file.line(line).strip() and line == len(self._file.lines)
        ):
            line = max(len(text.rstrip("\n").split("\n")), 1)
            column = len(self._file.line(line)) + 1
        problem = getattr(error, "problem", None) or "cannot be read"
        context = getattr(error, "context", None)
        if "maximum nesting depth" in problem:  # libyaml's own bound, met while it looks ahead
            self._faults.file_error(self._file, "WR004", _TOO_DEEP, line=line, column=column)
            return
        tab = "\t" in self._file.line(line)[:column]
        if tab:
            problem = "a tab; indent with spaces"
            column = self._file.line(line).index("\t") + 1
        elif context:
            problem = f"{context}, {problem}"
        self._faults.file_error(
            self._file, "WR002", f"not YAML: {problem}", line=line, column=column
        )


def resolve(text: str) -> Scalar:
    """What a plain scalar means in YAML 1.2's core schema.

    Numbers of more than 18 digits, infinities and "not a number" stay texts: no field takes them,
    and the fault then shows what was written.
    """
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if len(text) > _MAX_DIGITS * 2:
        return text
    return _number(text)


def _number(text: str) -> Scalar:
    if _INTEGER.match(text):
        return int(text) if len(text) <= _MAX_DIGITS else text
    if _OCTAL.match(text):
        return int(text, 0)
    if _HEX.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        value = float(text)
        return value if value not in (float("inf"), float("-inf")) else text
    return text
