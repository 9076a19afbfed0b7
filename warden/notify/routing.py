"""`routes.yaml` into receivers and a route tree, every fault at its place.

Standing in the flow: `rulebook` reads the files and hands the located values of `receivers:`,
`route:`, … over; the result serves `plan` and `deliver`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from warden.model.located import FaultList, Node, did_you_mean, shown
from warden.notify.channels import CHANNELS
from warden.notify.inhibition import InhibitRule
from warden.notify.matchers import Matcher, parse_matchers
from warden.notify.reach import RouteNodes, check_levels, check_reach, distorted
from warden.notify.reading import Reader
from warden.notify.routes import CYCLE, EACH, Receiver, Route, RouteMatch, Routing, Target
from warden.notify.times_reading import (
    Intervals,
    read_digest,
    read_hours,
    read_time_intervals,
    read_zone,
)

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

MAX_GROUP_WAIT_S = 24 * 3600.0
_DAY_ONE = datetime(2000, 1, 1, tzinfo=UTC)
MAX_DEPTH = 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}\Z")
_RECEIVER_KEYS = ("name", "language", "time_zone", "review", *CHANNELS)
_ROUTE_KEYS = (
    "receiver", "matchers", "continue", "group_by", "group_wait", "group_interval",
    "mute_time_intervals", "active_time_intervals", "digest", "review", "routes",
)  # fmt: skip
_ROUTE_NOT = {"repeat_interval": "write reminder: 7d in the rules that are to remind"}
_TIMES_OF_A_ROUTE = ("mute_time_intervals", "active_time_intervals")
_INHIBIT_KEYS = ("source_matchers", "target_matchers", "equal")


def parse_routes(
    nodes: RouteNodes,
    faults: FaultList,
    *,
    languages: Collection[str] = ("en", "fr"),
    time_zone: str = "UTC",
    read_secret: Callable[[str], object] | None = None,
    now: datetime = _DAY_ONE,
) -> Routing:
    """Read receivers and the route tree; what is wrong is added to `faults`.

    `time_zone` is that of receivers who name none. `read_secret` tries every secret that a
    receiver names (`ConfigError`: it is not set). A route that keeps silent from `now` on is a
    fault. Without any `route:` nobody gets anything.
    """
    reader = Reader(faults, read_secret)
    intervals = read_time_intervals(nodes.get("time_intervals", ()), reader)
    inhibit_rules = tuple(_inhibit_rules(nodes.get("inhibit_rules", ()), reader))
    receivers = _receivers(nodes.get("receivers", ()), reader, languages, time_zone)
    roots = nodes.get("route", ())
    for extra in roots[1:]:
        faults.error(extra, "WR005", f"there is a route tree already in {roots[0].place}")
    if not roots:
        _no_route(nodes, faults)
        return Routing(receivers)
    known = frozenset(_declared(nodes.get("receivers", ())))
    root = _Tree(reader, known, intervals, now).root(roots[0])
    routing = Routing(receivers, root, inhibit_rules)
    if root is not None and not distorted(nodes, faults):
        check_levels(routing, roots[0], faults)
    return routing


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
    keys = reader.mapping(node, "a receiver", _RECEIVER_KEYS, required=("name",))
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
    zone = read_zone(keys["time_zone"], "time_zone", reader) if "time_zone" in keys else time_zone
    review = reader.flag(keys.get("review"), "review", default=False)
    targets = _targets(keys, reader)
    if not any(channel in keys for channel in CHANNELS):
        reader.faults.error(
            node, "WR075", f"this receiver reaches nobody: give it {', '.join(CHANNELS)}"
        )
    return None if name is None else Receiver(name, language, zone or time_zone, targets, review)


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


# --- inhibition -------------------------------------------------------------------------------


def _inhibit_rules(sections: Sequence[Node], reader: Reader) -> Iterable[InhibitRule]:
    for section in sections:
        for node in reader.items(section, "inhibit_rules"):
            rule = _inhibit_rule(node, reader)
            if rule is not None:
                yield rule


def _inhibit_rule(node: Node, reader: Reader) -> InhibitRule | None:
    keys = reader.mapping(node, "an inhibit rule", _INHIBIT_KEYS, required=_INHIBIT_KEYS[:2])
    if keys is None or not {*_INHIBIT_KEYS[:2]} <= keys.keys():
        return None
    source, target = (parse_matchers(keys[name], reader) for name in _INHIBIT_KEYS[:2])
    for name, found in zip(_INHIBIT_KEYS, (source, target), strict=False):
        if not found and keys[name].kind == "mapping" and not keys[name].entries:
            reader.faults.error(keys[name], "WR014", f"{name} is empty: it would match everything")
    if not source or not target:
        return None
    if _same(source) == _same(target):
        reader.faults.error(
            node,
            "WR087",
            "source and target are the same: an alert is never held back by its own kind",
        )
        return None
    labels = reader.one_or_more(keys["equal"], "equal") if "equal" in keys else ()
    texts = (reader.text(item, "equal") for item in labels)
    return InhibitRule(source, target, tuple(text for text in texts if text is not None))


def _same(matchers: Iterable[Matcher]) -> frozenset[tuple[str, str, frozenset[str]]]:
    return frozenset((one.name, one.op, frozenset(one.values)) for one in matchers)


# --- the tree ---------------------------------------------------------------------------------


class _Tree:
    """Reads the route tree; receiver and grouping that a route does not say are its parent's."""

    def __init__(
        self, reader: Reader, known: frozenset[str], intervals: Intervals, now: datetime
    ) -> None:
        self._reader = reader
        self._known = known
        self._intervals = intervals
        self._now = now

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
        for key in _TIMES_OF_A_ROUTE:
            if key in keys:
                self._reader.faults.error(
                    keys[key],
                    "WR076",
                    f"the root route has no '{key}': what no other route takes is always told",
                )
        conditions = ("matchers", "continue", *_TIMES_OF_A_ROUTE)
        plain = {name: value for name, value in keys.items() if name not in conditions}
        return self._route(plain, "", Route(""))

    def _keys(self, node: Node, what: str) -> dict[str, Node] | None:
        return self._reader.mapping(node, what, _ROUTE_KEYS, instead=_ROUTE_NOT)

    def _route(self, keys: Mapping[str, Node], path: str, parent: Route) -> Route:
        reader = self._reader
        matchers = parse_matchers(keys["matchers"], reader) if "matchers" in keys else ()
        own = Route(
            receiver=self._receiver(keys.get("receiver")) or parent.receiver,
            path=path,
            matchers=matchers,
            continues=reader.flag(keys.get("continue"), "continue", default=False),
            group_by=self._group_by(keys.get("group_by")) or parent.group_by,
            group_wait_s=self._wait(keys, "group_wait", parent.group_wait_s),
            group_interval_s=self._wait(keys, "group_interval", parent.group_interval_s),
            hours=read_hours(keys, self._intervals, reader, self._now),
            digest=read_digest(keys.get("digest"), reader),
            digests_critical=parent.digests_critical or _names_critical(matchers),
            review=reader.flag(keys.get("review"), "review", default=False),
        )
        self._check_digest(own, keys)
        if "routes" not in keys:
            return own
        return replace(own, routes=tuple(self._children(keys["routes"], own)))

    def _check_digest(self, route: Route, keys: Mapping[str, Node]) -> None:
        if route.digest is not None and route.digests_critical:
            self._reader.faults.warning(
                keys["digest"], "WR088", "critical alerts that this route takes wait for its digest"
            )
        if "group_interval" in keys and CYCLE in route.group_by:
            self._reader.faults.warning(
                keys["group_interval"],
                "WR015",
                "group_interval does nothing while group_by has 'cycle': every cycle is a group",
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
        items = self._reader.one_or_more(node, "group_by")
        labels = [self._reader.text(item, "group_by") for item in items]
        if EACH in labels and len(labels) > 1:
            self._reader.faults.error(
                node, "WR015", f"'{EACH}' stands alone: every alert by itself"
            )
        return tuple(dict.fromkeys(label for label in labels if label is not None))

    def _wait(self, keys: Mapping[str, Node], name: str, default: float) -> float:
        if name not in keys:
            return default
        wait = self._reader.seconds(keys[name], name, most=MAX_GROUP_WAIT_S)
        return default if wait is None else wait


def _names_critical(matchers: Iterable[Matcher]) -> bool:
    """Whether a route says by its matchers that it means what is critical."""
    return any(
        matcher.name == "severity"
        and matcher.op in ("=", "=~")
        and matcher.matches({"severity": "critical"})
        for matcher in matchers
    )
