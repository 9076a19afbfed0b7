"""What is worth saying about rules that can be used: warnings.

Standing in the flow: after the rules are read, with what the stored history knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from warden.engine.actors import text_passes
from warden.model.located import FaultList, Node, did_you_mean, shown
from warden.model.rule import Rule, TextTest
from warden.model.text import fold
from warden.rulebook.definitions import Definitions
from warden.rulebook.known import KnownNames
from warden.rulebook.stored import StoredHistory, add_history_warnings, add_length_warnings
from warden.rulebook.versions import Versions

if TYPE_CHECKING:
    from warden.rulebook.rules import RulesReader

FEW: Final = 500  # a history of fewer events says nothing about names and rules
SAME: Final = 20  # fewer events may well be the same by chance
EXAMPLES: Final = 3


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
    told = _overlaps(rules, reader, versions, faults)
    if known is None:
        return
    if known.frame is None or len(known.frame) >= FEW:
        _unseen_actors(definitions, reader, known, faults)
        _unseen_values(reader, known, faults)
    active = [rule for rule in rules if rule.status != "disabled"]
    for rule in active:
        add_length_warnings(rule, reader.node_of(rule.id), known, faults)
        _embargo(rule, reader.node_of(rule.id), known, faults)
        _sources(rule, reader.node_of(rule.id), known, faults)
    if known.frame is not None and known.geography is not None and len(known.frame) >= FEW:
        history = StoredHistory(known.frame, known.geography, definitions.aliases)
        about_events = [rule for rule in active if rule.kind != "feed"]
        for rule in about_events:
            add_history_warnings(rule, reader.node_of(rule.id), history, faults)
        _same_events([r for r in about_events if r.id not in told], reader, history, faults)


def _overlaps(
    rules: tuple[Rule, ...], reader: RulesReader, versions: Versions, faults: FaultList
) -> set[str]:
    """Warn of rules that ask the same; gives their ids."""
    first: dict[str, Rule] = {}
    told: set[str] = set()
    for rule in rules:
        if rule.status == "disabled":
            continue
        before = first.setdefault(versions.signature(rule), rule)
        if before is not rule:
            told.add(rule.id)
            faults.warning(
                reader.node_of(rule.id),
                "WR051",
                f"the rule '{rule.id}' finds exactly what '{before.id}' finds "
                f"({before.path}:{before.line})",
            )
    return told


def _same_events(
    rules: Sequence[Rule], reader: RulesReader, history: StoredHistory, faults: FaultList
) -> None:
    """Warn of rules that ask differently and yet have found exactly the same events."""
    first: dict[Any, Rule] = {}
    for rule in rules:
        rows = history.rows(rule)
        if len(rows) < SAME:
            continue
        asked = (rule.kind, repr(rule.parameters), rule.by, rows.tobytes())
        before = first.setdefault(asked, rule)
        if before is not rule:
            faults.warning(
                reader.node_of(rule.id).get("where") or reader.node_of(rule.id),
                "WR051",
                f"the rule '{rule.id}' matches the same {len(rows):,} stored events as "
                f"'{before.id}' ({before.path}:{before.line})",
            )


def _unseen_actors(
    definitions: Definitions, reader: RulesReader, known: KnownNames, faults: FaultList
) -> None:
    if not known.actors:
        return
    names = frozenset(fold(name) for name in known.actors)
    groups: dict[str, list[tuple[Node, bool]]] = {}
    for group, glob, node in definitions.patterns:
        seen = _seen(_with_regime(TextTest("matches", glob)), names)
        groups.setdefault(group, []).append((node, seen))
    for group, patterns in groups.items():
        _unseen_of_group(group, [n for n, seen in patterns if not seen], len(patterns), faults)
    for pattern in reader.context.patterns:
        if pattern.field == "actor" and not _seen(_with_regime(pattern.test), names):
            faults.warning(
                pattern.node,
                "WR050",
                f"{shown(pattern.node.text)} matches no actor ever seen in the stored events",
            )


def _unseen_of_group(group: str, unseen: list[Node], total: int, faults: FaultList) -> None:
    """One line a group: names come and go, and a shipped group holds many that did not come."""
    if not unseen:
        return
    examples = ", ".join(shown(node.text) for node in unseen[:EXAMPLES])
    more = f" and {len(unseen) - EXAMPLES} more" if len(unseen) > EXAMPLES else ""
    which = (
        f"no actor ever seen belongs to the group '{group}'"
        if len(unseen) == total
        else f"{len(unseen)} of {total} patterns of the group '{group}' match no actor ever seen"
    )
    faults.warning(unseen[0], "WR050", f"{which}: {examples}{more}")


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


def _embargo(rule: Rule, node: Node, known: KnownNames, faults: FaultList) -> None:
    about_itself = rule.kind == "feed"
    if known.embargo_days and not about_itself and rule.max_age_days <= known.embargo_days:
        faults.warning(
            node.get("max_age") or node,
            "WR053",
            f"max_age is {rule.max_age_days} days but the feed is embargoed for "
            f"{known.embargo_days}: every alert would be historic",
        )


def _sources(rule: Rule, node: Node, known: KnownNames, faults: FaultList) -> None:
    """A rule about a source that the settings do not have can never speak."""
    named = rule.parameters.source if rule.kind == "feed" else ()
    for name in named if known.sources else ():
        if name not in known.sources:
            hint = did_you_mean(name, known.sources)
            where = node.get("source") or node
            faults.warning(where, "WR056", f"no source {shown(name)} in the settings{hint}")
