"""Matchers: conditions on an alert's labels, in Alertmanager's words.

Standing in the flow: routes (and later silences and inhibition) hold them. A label that is not
there counts as the empty text, as in Alertmanager.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from warden.model.located import Node, shown
from warden.model.regex import TooCostlyError, require_cheap
from warden.notify.posix import without_posix_classes
from warden.notify.reading import Reader

MatchOp = Literal["=", "!=", "=~", "!~"]
MAX_LABEL = 500
_WRITTEN = re.compile(
    r"\s*(?P<name>[A-Za-z_][A-Za-z0-9_-]*)\s*(?P<op>=~|!~|!=|=)\s*(?P<value>\"(?:[^\"\\]|\\.)*\"|.*?)\s*\Z"
)


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition: the label equals one of `values`, or its whole text matches the pattern.

    Attributes:
        name: the label. op: as Alertmanager writes it.
        values: the texts that count as equal; for `=~` and `!~` one regular expression.
        pattern: the compiled expression of `=~` and `!~`.
    """

    name: str
    op: MatchOp
    values: tuple[str, ...]
    pattern: re.Pattern[str] | None = None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels satisfy this condition."""
        value = labels.get(self.name, "")[:MAX_LABEL]
        if self.pattern is not None:
            found = self.pattern.fullmatch(value) is not None
        else:
            found = value in self.values
        return found if self.op in ("=", "=~") else not found

    def __str__(self) -> str:
        return f'{self.name}{self.op}"{"|".join(self.values)}"'


def parse_matchers(node: Node, reader: Reader) -> tuple[Matcher, ...]:
    """`{severity: critical}`, `{country: [MLI, NER]}`, or a list of `severity=~"warn.*"`."""
    if node.kind == "mapping":
        found = [_from_entry(name, value, reader) for name, value in node.entries]
    else:
        found = [_from_text(item, reader) for item in reader.one_or_more(node, "matchers")]
    return tuple(matcher for matcher in found if matcher is not None)


def _from_entry(name: Node, value: Node, reader: Reader) -> Matcher | None:
    texts = [_label_value(item, name.text, reader) for item in reader.one_or_more(value, name.text)]
    values = tuple(text for text in texts if text is not None)
    return Matcher(name.text, "=", values) if values else None


def _label_value(node: Node, name: str, reader: Reader) -> str | None:
    if node.kind == "scalar" and isinstance(node.value, bool):
        return node.text.lower()
    return reader.text(node, f"the matcher on '{name}'")


def _from_text(node: Node, reader: Reader) -> Matcher | None:
    text = reader.text(node, "a matcher")
    if text is None:
        return None
    written = _WRITTEN.match(text)
    if written is None:
        reader.faults.error(
            node, "WR074", f'{shown(text)} is not a matcher; write label="value" or label=~"regex"'
        )
        return None
    value = written["value"]
    if value.startswith('"'):
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    return _compiled(node, written["name"], written["op"], value, reader)


def _compiled(node: Node, name: str, op: str, value: str, reader: Reader) -> Matcher | None:
    if op in ("=", "!="):
        return Matcher(name, "=" if op == "=" else "!=", (value,))
    try:
        written = without_posix_classes(value)
        pattern = re.compile(written)
    except (re.error, ValueError, RecursionError, OverflowError) as error:
        reader.faults.error(node, "WR031", f"the expression {shown(value)} is wrong: {error}")
        return None
    try:
        require_cheap(written, unbounded=MAX_LABEL, most=MAX_LABEL**2)
    except TooCostlyError as error:
        reader.faults.error(node, "WR032", f"the expression {shown(value)} {error}")
        return None
    return Matcher(name, "=~" if op == "=~" else "!~", (value,), pattern)
