"""`routes.yaml` into receivers and a route tree, every fault at its place.

Standing in the flow: `rulebook` reads the files and hands the located values of `receivers:`,
`route:`, … over; the result serves `plan` and `deliver`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import product
from zoneinfo import available_timezones

from warden.model.located import FaultList, Node, did_you_mean, shown
from warden.model.rule import LEVELS, Level, Rule
from warden.notify.channels import CHANNELS
from warden.notify.matcher_names import check_matchers
from warden.notify.matchers import Matcher, parse_matchers
from warden.notify.reading import Reader
from warden.notify.routes import Receiver, Route, RouteMatch, Routing, Target

__all__ = [
    "Matcher",
    "Receiver",
    "Route",
    "RouteMatch",
    "RouteNodes",
    "Routing",
    "Target",
    "check_reach",
    "parse_routes",
]

RouteNodes = Mapping[str, Sequence[Node]]
"""The located values of each top-level key, in reading order."""

MAX_GROUP_WAIT_S = 24 * 3600.0
MAX_DEPTH = 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}\Z")
_RECEIVER_KEYS = ("name", "language", "time_zone", *CHANNELS)
_RECEIVER_LATER = {"review": "what waits for release is not built"}
_ROUTE_KEYS = ("receiver", "matchers", "continue", "group_by", "group_wait", "routes")
_ROUTE_LATER = {
    "group_interval": "every cycle or group is one message of its own",
    "repeat_interval": "use reminder: in the rule",
    "mute_time_intervals": "mute times are not built",
    "active_time_intervals": "mute times are not built",
    "digest": "digests are not built",
    "review": "what waits for release is not built",
}
_LEARNT_LATE = ("country", "action")  # labels known only when an alert comes
# Faults that leave receivers, routes and matchers as they are meant: who is reached can be told.
_REACH_STANDS = frozenset({"WR061", "WR071", "WR072", "WR073", "WR079", "WR080"})
_SECTIONS_LATER = ("inhibit_rules", "time_intervals")


def parse_routes(
    nodes: RouteNodes,
    faults: FaultList,
    *,
    languages: Collection[str] = ("en", "fr"),
    time_zone: str = "UTC",
    read_secret: Callable[[str], object] | None = None,
) -> Routing:
    """Read receivers and the route tree; what is wrong is added to `faults`.

    `time_zone` is that of receivers who name none. `read_secret` tries every secret that a
    receiver names (`ConfigError`: it is not set). Without any `route:` nobody gets anything.
    """
    reader = Reader(faults, read_secret)
    for key in _SECTIONS_LATER:
        for node in nodes.get(key, ()):
            faults.error(node, "WR079", f"'{key}' is not yet supported; take it out for now")
    receivers = _receivers(nodes.get("receivers", ()), reader, languages, time_zone)
    roots = nodes.get("route", ())
    for extra in roots[1:]:
        faults.error(extra, "WR005", f"there is a route tree already in {roots[0].place}")
    if not roots:
        _no_route(nodes, faults)
        return Routing(receivers)
    known = frozenset(_declared(nodes.get("receivers", ())))
    root = _Tree(reader, known).root(roots[0])
    if root is not None and not _distorted(nodes, faults):
        _check_levels(Routing(receivers, root), roots[0], faults)
    return Routing(receivers, root)


def _no_route(nodes: RouteNodes, faults: FaultList) -> None:
    for node in nodes.get("receivers", ()):
        faults.error(node, "WR011", "receivers without a 'route:': nobody would get anything")


# --- receivers --------------------------------------------------------------------------------


def _declared(sections: Sequence[Node]) -> Iterable[str]:
    for section in sections:
        for node in section.items:
            name = node.get("name") if node.kind == "mapping" else None
            if name is not None:
                yield name.text.strip()


def _receivers(
    sections: Sequence[Node], reader: Reader, languages: Collection[str], time_zone: str
) -> dict[str, Receiver]:
    found: dict[str, Receiver] = {}
    places: dict[str, str] = {}
    for section in sections:
        for node in reader.items(section, "receivers"):
            receiver = _receiver(node, reader, languages, time_zone)
            if receiver is None:
                continue
            if receiver.name in found:
                reader.faults.error(
                    node,
                    "WR005",
                    f"receiver '{receiver.name}' is defined already in {places[receiver.name]}",
                )
                continue
            found[receiver.name] = receiver
            places[receiver.name] = node.place
    return found


def _receiver(
    node: Node, reader: Reader, languages: Collection[str], time_zone: str
) -> Receiver | None:
    keys = reader.mapping(
        node, "a receiver", _RECEIVER_KEYS, required=("name",), later=_RECEIVER_LATER
    )
    if keys is None:
        return None
    name = reader.text(keys["name"], "name") if "name" in keys else None
    if name is not None and not _NAME.match(name):
        reader.faults.error(
            keys["name"],
            "WR019",
            f"{shown(name)} is not a name: use letters, digits, '-', '_', '.'",
        )
    language = "en"
    if "language" in keys:
        language = reader.choice(keys["language"], "language", sorted(languages)) or "en"
    zone = _zone(keys["time_zone"], reader) if "time_zone" in keys else time_zone
    targets = _targets(keys, reader)
    if not any(channel in keys for channel in CHANNELS):
        reader.faults.error(
            node, "WR075", f"this receiver reaches nobody: give it {', '.join(CHANNELS)}"
        )
    return None if name is None else Receiver(name, language, zone or time_zone, targets)


def _targets(keys: Mapping[str, Node], reader: Reader) -> tuple[Target, ...]:
    found: dict[tuple[str, str], Target] = {}
    for channel, kind in CHANNELS.items():
        if channel not in keys:
            continue
        for entry in reader.one_or_more(keys[channel], channel):
            for target in kind.read(entry, reader):
                if (channel, target.name) in found:
                    reader.faults.error(entry, "WR005", f"{shown(target.name)} stands here twice")
                found.setdefault((channel, target.name), target)
    return tuple(found.values())


def _zone(node: Node, reader: Reader) -> str | None:
    text = reader.text(node, "time_zone")
    if text is None or text in available_timezones():
        return text
    hint = did_you_mean(text, available_timezones())
    reader.faults.error(node, "WR013", f"{shown(text)} is not a time zone{hint}")
    return None


# --- the tree ---------------------------------------------------------------------------------


class _Tree:
    """Reads the route tree; what a route does not say it has from its parent."""

    def __init__(self, reader: Reader, known: frozenset[str]) -> None:
        self._reader = reader
        self._known = known

    def root(self, node: Node) -> Route | None:
        """The whole tree; the root takes everything."""
        keys = self._keys(node, "route")
        if keys is None:
            return None
        if "receiver" not in keys:
            self._reader.faults.error(
                node, "WR011", "route needs a 'receiver' for whatever no other route takes"
            )
        for key in ("matchers", "continue"):
            if key in keys:
                self._reader.faults.error(
                    keys[key], "WR076", f"the root route takes everything; it has no '{key}'"
                )
        plain = {
            name: value for name, value in keys.items() if name not in ("matchers", "continue")
        }
        return self._route(plain, "", Route(""))

    def _keys(self, node: Node, what: str) -> dict[str, Node] | None:
        return self._reader.mapping(node, what, _ROUTE_KEYS, later=_ROUTE_LATER)

    def _route(self, keys: Mapping[str, Node], path: str, parent: Route) -> Route:
        reader = self._reader
        own = Route(
            receiver=self._receiver(keys.get("receiver")) or parent.receiver,
            path=path,
            matchers=parse_matchers(keys["matchers"], reader) if "matchers" in keys else (),
            continues=reader.flag(keys.get("continue"), "continue", default=False),
            group_by=self._group_by(keys.get("group_by")) or parent.group_by,
            group_wait_s=self._wait(keys.get("group_wait"), parent.group_wait_s),
        )
        if "routes" not in keys:
            return own
        children = tuple(self._children(keys["routes"], own))
        return Route(
            own.receiver,
            path,
            own.matchers,
            own.continues,
            own.group_by,
            own.group_wait_s,
            children,
        )

    def _children(self, node: Node, parent: Route) -> Iterable[Route]:
        if parent.path.count(".") >= MAX_DEPTH:
            self._reader.faults.error(node, "WR004", f"more than {MAX_DEPTH} levels of routes")
            return
        taken_by: Node | None = None
        for number, child in enumerate(self._reader.items(node, "routes")):
            keys = self._keys(child, "a route")
            if keys is None:
                continue
            path = f"{parent.path}.{number}" if parent.path else str(number)
            route = self._route(keys, path, parent)
            if taken_by is not None:
                self._reader.faults.warning(
                    child, "WR078", f"never asked: the route in {taken_by.place} takes everything"
                )
            elif "matchers" not in keys and not route.continues:
                taken_by = child
            yield route

    def _receiver(self, node: Node | None) -> str | None:
        if node is None:
            return None
        name = self._reader.text(node, "receiver")
        if name is not None and name not in self._known:
            hint = did_you_mean(name, self._known)
            self._reader.faults.error(node, "WR070", f"no receiver is named {shown(name)}{hint}")
        return name

    def _group_by(self, node: Node | None) -> tuple[str, ...]:
        if node is None:
            return ()
        labels = (
            self._reader.text(item, "group_by")
            for item in self._reader.one_or_more(node, "group_by")
        )
        return tuple(dict.fromkeys(label for label in labels if label is not None))

    def _wait(self, node: Node | None, default: float) -> float:
        if node is None:
            return default
        wait = self._reader.seconds(node, "group_wait", most=MAX_GROUP_WAIT_S)
        return default if wait is None else wait


# --- does everything reach a human ------------------------------------------------------------


def _check_levels(routing: Routing, node: Node, faults: FaultList) -> None:
    for level in LEVELS:
        missed = _missed(routing, {"severity": level}, _LEARNT_LATE)
        if missed is not None:
            faults.error(
                node,
                "WR077",
                f"severity {level} reaches no human{_when(missed)}: "
                "give it a receiver with email (a route with 'continue: true' keeps the others)",
            )


def _distorted(nodes: RouteNodes, faults: FaultList) -> bool:
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
    complete = not _distorted(nodes, faults)
    rules = None if rules is None else tuple(rules)
    check_matchers(roots, rules, faults)
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
    routing: Routing, labels: Mapping[str, str], unknown: Collection[str]
) -> dict[str, str] | None:
    """Values of unknown labels under which nobody is reached; None when somebody always is.

    An empty answer says that nobody is reached whatever they are.
    """
    mentioned = _mentioned(routing)
    names = [name for name in mentioned if name in unknown and name not in labels]
    for values in product(*(("", *sorted(mentioned[name])) for name in names)):
        guess = dict(zip(names, values, strict=True))
        matches = routing.receivers_for({**guess, **labels})
        if not any(match.receiver.human for match in matches):
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
