"""Matchers that no alert can ever satisfy: a label nobody sets, a value that does not exist.

And labels in `group_by` that nobody sets: they would separate nothing.

Standing in the flow: a part of `routing.check_reach`, when the rules are known. A misspelt matcher
is silent otherwise: its route is simply never taken. What is near a known word is taken for a slip
and is an error; another unknown label may be meant for rules to come and is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from warden.model.health import DIMENSION
from warden.model.located import FaultList, Node, did_you_mean, shown
from warden.model.notice import ACTIONS
from warden.model.rule import LEVELS, Rule
from warden.notify.routes import CYCLE, EACH

_ALWAYS = ("rule", "severity", "action", "kind", "country")
_DIMENSIONS = (
    "actor_group", "actor", "admin1", "admin2", "place", "border_neighbour",
    *filter(None, DIMENSION.values()),
)  # fmt: skip
_EQUALS = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_-]*)\s*(=~|!~|!=|=)\s*\"?([^\"]*?)\"?\s*\Z")
_CLOSED: Mapping[str, Sequence[str]] = {"severity": LEVELS, "action": ACTIONS}


def check_matchers(
    roots: Iterable[Node],
    rules: Iterable[Rule] | None,
    faults: FaultList,
    *,
    otherwise: str = "this route is never taken",
) -> None:
    """Add a fault for each matcher on a label or a value that no alert of these rules carries.

    Without rules (theirs are faulty) only the values that are the same for all are looked at.
    `otherwise` is what follows from a matcher that may be meant for rules to come.
    """
    if rules is None:
        for root in roots:
            for name, value, node in _matchers(root):
                _closed_value(node, name, value, faults)
        return
    known = tuple(rules)
    for root in roots:
        _check_each(_matchers(root), known, faults, otherwise)
        _check_groups(root, {*_labels(known), CYCLE, EACH}, faults)


def check_inhibition(
    sections: Iterable[Node], rules: Iterable[Rule] | None, faults: FaultList
) -> None:
    """Add a fault for each matcher, and label in `equal`, that no alert of these rules carries."""
    if rules is None:
        return
    known = tuple(rules)
    labels = _labels(known)
    for node in (item for section in sections for item in section.items):
        if node.kind != "mapping":
            continue
        for key in ("source_matchers", "target_matchers"):
            _check_each(_matchers_of(node.get(key)), known, faults, "this rule holds nothing back")
        for item in _listed(node.get("equal")):
            name = item.text.strip()
            if name not in labels:
                message = f"no rule has the label {shown(name)}"
                otherwise = "missing on either side, it counts as equal"
                _unknown(item, message, name, labels, faults, otherwise)


def _labels(rules: Iterable[Rule]) -> set[str]:
    return {*_ALWAYS, *_DIMENSIONS, *(name for rule in rules for name, _ in rule.labels)}


def _check_each(
    matchers: Iterable[tuple[str, str | None, Node]],
    rules: Sequence[Rule],
    faults: FaultList,
    otherwise: str,
) -> None:
    labels = _labels(rules)
    ids = {rule.id for rule in rules}
    for name, value, node in matchers:
        if name not in labels:
            message = f"no rule has the label {shown(name)}"
            _unknown(node, message, name, labels, faults, otherwise)
        elif name in _CLOSED:
            _closed_value(node, name, value, faults)
        elif name == "rule" and value is not None and value not in ids:
            message = f"no rule has the id {shown(value)}"
            _unknown(node, message, value, ids, faults, otherwise)


def _check_groups(root: Node, labels: Collection[str], faults: FaultList) -> None:
    for node in _groups(root):
        name = node.text.strip()
        if name not in labels:
            message = f"no rule has the label {shown(name)} to group by"
            _unknown(node, message, name, labels, faults, "it separates nothing")


def _closed_value(node: Node, name: str, value: str | None, faults: FaultList) -> None:
    if name in _CLOSED and value is not None and value not in _CLOSED[name]:
        faults.error(
            node,
            "WR071",
            f"{shown(value)} is no {name}{did_you_mean(value, _CLOSED[name])}"
            f"; there are {', '.join(_CLOSED[name])}",
        )


def _unknown(  # noqa: PLR0917  what is said, and of what
    node: Node,
    message: str,
    word: str,
    choices: Collection[str],
    faults: FaultList,
    otherwise: str,
) -> None:
    hint = did_you_mean(word, choices)
    if hint:
        faults.error(node, "WR071", message + hint)
    else:
        faults.warning(node, "WR071", f"{message}: {otherwise}")


def _groups(route: Node) -> Iterator[Node]:
    """The labels in `group_by` of a route and of those below it."""
    yield from _listed(route.get("group_by") if route.kind == "mapping" else None)
    for child in _below(route):
        yield from _groups(child)


def _below(route: Node) -> tuple[Node, ...]:
    below = route.get("routes") if route.kind == "mapping" else None
    return below.items if below is not None and below.kind == "list" else ()


def _listed(given: Node | None) -> Iterator[Node]:
    """The texts of a list, or a text by itself."""
    if given is not None:
        items = given.items if given.kind == "list" else (given,)
        yield from (item for item in items if item.kind == "scalar" and item.text.strip())


def _matchers(route: Node) -> Iterator[tuple[str, str | None, Node]]:
    """The matchers of a route and of those below it."""
    yield from _matchers_of(route.get("matchers") if route.kind == "mapping" else None)
    for child in _below(route):
        yield from _matchers(child)


def _matchers_of(given: Node | None) -> Iterator[tuple[str, str | None, Node]]:
    """(label, value or None for an expression, its place) of each."""
    if given is not None and given.kind == "mapping":
        for key, value in given.entries:
            for item in value.items if value.kind == "list" else (value,):
                yield key.text, item.text, key if value is item else item
    elif given is not None:
        for item in given.items if given.kind == "list" else (given,):
            written = _EQUALS.match(item.text) if item.kind == "scalar" else None
            if written is not None:
                exact = written[2] in {"=", "!="}
                yield written[1], written[3] if exact else None, item
