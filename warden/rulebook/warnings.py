"""What is worth saying about rules that can be used: warnings.

Standing in the flow: after the rules are read, with what the stored history knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from warden.engine.actors import text_passes
from warden.model.located import FaultList, Node, shown
from warden.model.rule import Rule, TextTest
from warden.model.text import fold
from warden.rulebook.definitions import Definitions
from warden.rulebook.known import KnownNames
from warden.rulebook.versions import Versions

if TYPE_CHECKING:
    from warden.rulebook.rules import RulesReader


def add_warnings(
    rules: tuple[Rule, ...],
    *,
    definitions: Definitions,
    reader: RulesReader,
    versions: Versions,
    known: KnownNames | None,
    faults: FaultList,
) -> None:
    """Add every warning."""
    _overlaps(rules, reader, versions, faults)
    if known is None:
        return
    _unseen_actors(definitions, reader, known, faults)
    _unseen_values(reader, known, faults)
    for rule in rules:
        _memory(rule, reader.node_of(rule.id), known, faults)
        _embargo(rule, reader.node_of(rule.id), known, faults)


def _overlaps(
    rules: tuple[Rule, ...], reader: RulesReader, versions: Versions, faults: FaultList
) -> None:
    first: dict[str, Rule] = {}
    for rule in rules:
        if rule.status == "disabled":
            continue
        before = first.setdefault(versions.signature(rule), rule)
        if before is not rule:
            faults.warning(
                reader.node_of(rule.id),
                "WR051",
                f"the rule '{rule.id}' finds exactly what '{before.id}' finds "
                f"({before.path}:{before.line})",
            )


def _unseen_actors(
    definitions: Definitions, reader: RulesReader, known: KnownNames, faults: FaultList
) -> None:
    if not known.actors:
        return
    names = frozenset(fold(name) for name in known.actors)
    patterns = [(TextTest("matches", glob), node) for glob, node in definitions.patterns]
    patterns.extend((p.test, p.node) for p in reader.context.patterns if p.field == "actor")
    for test, node in patterns:
        if not _seen(_with_regime(test), names):
            faults.warning(
                node, "WR050", f"{shown(node.text)} matches no actor ever seen in the stored events"
            )


def _unseen_values(reader: RulesReader, known: KnownNames, faults: FaultList) -> None:
    folded = {name: frozenset(map(fold, values)) for name, values in known.fields.items()}
    for pattern in reader.context.patterns:
        values = folded.get(pattern.field)
        if values and not _seen([pattern.test], values):
            faults.warning(
                pattern.node,
                "WR050",
                f"{shown(pattern.node.text)} matches no {pattern.field} ever seen "
                "in the stored events",
            )


def _with_regime(test: TextTest) -> list[TextTest]:
    if test.op in ("is", "matches") and not set(test.value) & {"*", "?"}:
        return [test, TextTest("matches", f"{test.value} (????-*)")]
    return [test]


def _seen(tests: list[TextTest], names: Iterable[str]) -> bool:
    if all(test.op == "is" for test in tests) and isinstance(names, frozenset):
        return any(test.value in names for test in tests)
    return any(text_passes(test, name) for name in names for test in tests)


def _memory(rule: Rule, node: Node, known: KnownNames, faults: FaultList) -> None:
    memory = getattr(rule.parameters, "memory", None)
    if known.history_start is None or known.today is None or not isinstance(memory, int):
        return
    stored = (known.today - known.history_start).days
    if memory > stored:
        faults.warning(
            node.get("memory") or node,
            "WR052",
            f"memory is {memory} days but the stored history has {stored}: "
            "the rule tells nothing before it is long enough",
        )


def _embargo(rule: Rule, node: Node, known: KnownNames, faults: FaultList) -> None:
    about_itself = rule.kind == "feed"
    if known.embargo_days and not about_itself and rule.max_age_days <= known.embargo_days:
        faults.warning(
            node.get("max_age") or node,
            "WR053",
            f"max_age is {rule.max_age_days} days but the feed is embargoed for "
            f"{known.embargo_days}: every alert would be historic",
        )
