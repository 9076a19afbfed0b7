"""Does everything reach a human? Routes under which it does not are refused.

Standing in the flow: a part of `routing.parse_routes`, and of `warden check` once the rules are
known. A receiver whose messages wait for a person's release, or a route that never speaks, reaches
nobody by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import product

from warden.model.located import FaultList, Node
from warden.model.rule import LEVELS, Level, Rule
from warden.notify.matcher_names import check_inhibition, check_matchers
from warden.notify.routes import RouteMatch, Routing

RouteNodes = Mapping[str, Sequence[Node]]
"""The located values of each top-level key, in reading order."""

_LEARNT_LATE = ("country", "action")  # labels known only when an alert comes
# Faults that leave receivers, routes and matchers as they are meant: who is reached can be told.
_REACH_STANDS = frozenset({
    "WR061", "WR071", "WR072", "WR073", "WR079", "WR080", "WR083", "WR084", "WR085", "WR086",
    "WR087",
})  # fmt: skip


def check_levels(routing: Routing, node: Node, faults: FaultList) -> None:
    """Add a fault for each severity that no person would read a mail about.

    And a warning where what is critical may have to wait out a mute time.
    """
    for level in LEVELS:
        missed = _missed(routing, {"severity": level}, _LEARNT_LATE)
        if missed is not None:
            faults.error(
                node,
                "WR077",
                f"severity {level} reaches no human{_when(missed)}: "
                "give it a receiver with email and without review (a route with 'continue: true' "
                "keeps the others)",
            )
        elif level == "critical":
            _check_waiting(routing, node, faults)


def _check_waiting(routing: Routing, node: Node, faults: FaultList) -> None:
    labels = {"severity": "critical"}
    missed = _missed(routing, labels, _LEARNT_LATE, _reaches_at_once)
    if missed is not None:
        faults.warning(
            node,
            "WR089",
            f"severity critical waits{_when(missed)} while every route to a human is muted",
        )


def _reaches(match: RouteMatch) -> bool:
    """Whether a person reads what goes this way, without another person's release."""
    return match.receiver.human and not (match.receiver.review or match.route.review)


def _reaches_at_once(match: RouteMatch) -> bool:
    return _reaches(match) and not (match.route.hours.mute or match.route.hours.active)


def distorted(nodes: RouteNodes, faults: FaultList) -> bool:
    """Whether a fault of the routes may have taken a person, a route or a condition away."""
    files = {node.file.path for key in ("receivers", "route") for node in nodes.get(key, ())}
    return any(
        fault.severity == "error" and fault.path in files and fault.code not in _REACH_STANDS
        for fault in faults.faults
    )


def check_reach(
    routing: Routing, rules: Iterable[Rule] | None, nodes: RouteNodes, faults: FaultList
) -> None:
    """Add a fault for each rule that, at some severity, no person would read a mail about.

    And one for each matcher that no alert of these rules can ever satisfy.

    What is known only when an alert comes (country, key, action) is tried with every value that
    the routes name, and with none of them. Without rules (theirs are faulty) only what holds for
    all is looked at; where a fault took a receiver or a route away, nobody is said to be missed.
    """
    roots = nodes.get("route", ())
    if routing.root is None or not roots:
        return
    complete = not distorted(nodes, faults)
    rules = None if rules is None else tuple(rules)
    check_matchers(roots, rules, faults)
    check_inhibition(nodes.get("inhibit_rules", ()), rules, faults)
    for rule in rules if rules is not None and complete else ():
        if rule.status != "stable":
            continue
        for level in _levels(rule):
            labels = {**dict(rule.labels), "rule": rule.id, "kind": rule.kind, "severity": level}
            missed = _missed(routing, labels, (*_LEARNT_LATE, *rule.by))
            if missed is not None:
                faults.error(
                    roots[0],
                    "WR077",
                    f"rule '{rule.id}' at severity {level} reaches no human{_when(missed)}",
                )


def _levels(rule: Rule) -> tuple[Level, ...]:
    return tuple(dict.fromkeys(step.level for step in rule.severity))


def _missed(
    routing: Routing,
    labels: Mapping[str, str],
    unknown: Collection[str],
    reaches: Callable[[RouteMatch], bool] = _reaches,
) -> dict[str, str] | None:
    """Values of unknown labels under which nobody is reached; None when somebody always is.

    An empty answer says that nobody is reached whatever they are.
    """
    mentioned = _mentioned(routing)
    names = [name for name in mentioned if name in unknown and name not in labels]
    for values in product(*(("", *sorted(mentioned[name])) for name in names)):
        guess = dict(zip(names, values, strict=True))
        matches = routing.receivers_for({**guess, **labels})
        if not any(reaches(match) for match in matches):
            return {name: value for name, value in guess.items() if value}
    return None


def _mentioned(routing: Routing) -> dict[str, set[str]]:
    """The labels and values that matchers name, few enough to try them all."""
    found: dict[str, set[str]] = {}
    for route in routing.root.walk() if routing.root else ():
        for matcher in route.matchers:
            if matcher.pattern is None and len(found) < 5:  # noqa: PLR2004 -- bounds the product
                found.setdefault(matcher.name, set()).update(matcher.values[:8])
    return found


def _when(missed: Mapping[str, str]) -> str:
    """The words for the labels that make the difference."""
    return (
        f" when {', '.join(f'{name} is {value}' for name, value in missed.items())}"
        if missed
        else ""
    )
