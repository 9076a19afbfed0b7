"""Who would get an alert with certain labels, when, and what would hold it back.

Standing in the flow: beside it. `warden routes test` and rule tests ask; `plan` and `flushing` do
the same for real notices, and the same values answer here: the route tree, hours, digests and
inhibition. Silences are not asked: they are people's, not the routes'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from warden.model.rule import LEVELS, Level
from warden.notify.inhibition import Inhibitor, Source
from warden.notify.routes import CYCLE, EACH, Receiver, Route, Routing
from warden.notify.times import WEEKDAYS, Digest

HELD: Final = ("INHIBITED", "MUTED", "REVIEW", "DIGEST")
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """What one receiver would get.

    Attributes:
        receiver: its name. route: the path of the route that leads there, "" the root.
        matchers: what had to hold on the way to it.
        group: labels whose values make its message; "cycle" or "alert" stand for themselves.
        due_at: when it would be sent if nothing held it back.
        held: why it would wait or stay away, the first of `HELD`; "" where it would just be sent.
        detail: by what. until: when that ends, if known.
    """

    receiver: str
    route: str
    matchers: tuple[str, ...]
    group: Mapping[str, str] = field(default_factory=dict)
    due_at: datetime | None = None
    held: str = ""
    detail: str = ""
    until: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """As scripts read it."""
        return {
            "receiver": self.receiver,
            "route": self.route,
            "matchers": list(self.matchers),
            "group": dict(self.group),
            "due_at": self.due_at,
            "held": self.held or None,
            "detail": self.detail,
            "until": self.until,
        }


def rehearse(
    routing: Routing, labels: Labels, at: datetime, active: Sequence[Labels] = ()
) -> tuple[Part, ...]:
    """The part of every receiver that the routes name, in the order of the tree.

    `active` are the labels of other alerts that people were told of and that are still active.
    """
    inhibitor = Inhibitor(routing.inhibit_rules, _sources(active))
    source = inhibitor.by("", dict(labels))
    inhibited = f"{source} of those active" if source else ""
    return tuple(
        _part(routing, match.receiver, match.route, labels, at, inhibited)
        for match in routing.receivers_for(labels)
    )


def _sources(active: Sequence[Labels]) -> list[Source]:
    found = []
    for number, labels in enumerate(active, start=1):
        severity: Level = next(
            (level for level in LEVELS if level == labels.get("severity")), "warning"
        )
        found.append(Source(f"number {number}", dict(labels), severity, told=True))
    return found


def _part(  # noqa: PLR0917  who, by what way, what and when
    routing: Routing, receiver: Receiver, route: Route, labels: Labels, at: datetime, inhibited: str
) -> Part:
    digest = route.digest_of(labels.get("severity", ""))
    due_at = at + timedelta(seconds=route.group_wait_s)
    if digest is not None:
        due_at = digest.next_after(at, receiver.time_zone)
    held, detail, until = "", "", None
    muted, silent_until = _muted(routing, receiver, labels, due_at)
    if inhibited:
        held, detail = "INHIBITED", inhibited
    elif muted:
        held, detail, until = "MUTED", muted, silent_until
    elif route.review or receiver.review:
        held, detail = "REVIEW", "until `warden release`"
    elif digest is not None:
        held, until = "DIGEST", due_at
    return Part(
        receiver=receiver.name,
        route=route.path,
        matchers=tuple(map(str, path_matchers(routing, route))),
        group=_group(route, labels),
        due_at=due_at,
        held=held,
        detail=detail,
        until=until,
    )


def _muted(
    routing: Routing, receiver: Receiver, labels: Labels, at: datetime
) -> tuple[str, datetime | None]:
    """What mutes every way to the receiver at an instant, and until when; "" if nothing does."""
    routes = routing.routes_to(receiver.name, labels)
    names = [route.hours.muted_by(at) for route in routes]
    if not names or not all(names):
        return "", None
    until = [found for route in routes if (found := route.hours.speaks_at(at)) is not None]
    return names[0], min(until, default=None)


def path_matchers(routing: Routing, route: Route) -> list[Any]:
    """All matchers from the root down to the route."""
    found: list[Any] = []
    for one in routing.root.walk() if routing.root is not None else ():
        if one.path in {"", route.path} or route.path.startswith(f"{one.path}."):
            found += one.matchers
    return found


def route_row(routing: Routing, route: Route) -> dict[str, Any]:
    """A route of the tree, as scripts read it."""
    receiver = routing.receivers.get(route.receiver)
    targets = receiver.targets if receiver is not None else ()
    return {
        "path": route.path,
        "matchers": [str(matcher) for matcher in route.matchers],
        "receiver": route.receiver,
        "targets": [f"{target.channel} {target.name}" for target in targets],
        "group_by": list(route.group_by),
        "group_wait_s": route.group_wait_s,
        "group_interval_s": route.group_interval_s,
        "mute": ", ".join(named.name for named in route.hours.mute),
        "active": ", ".join(named.name for named in route.hours.active),
        "digest": _digest(route.digest),
        "review": route.review or (receiver is not None and receiver.review),
        "continue": route.continues,
    }


def _digest(digest: Digest | None) -> str:
    if digest is None:
        return ""
    days = [
        WEEKDAYS[first][:3] if first == last else f"{WEEKDAYS[first][:3]}-{WEEKDAYS[last][:3]}"
        for first, last in digest.weekdays
    ]
    return " ".join([*days, f"{digest.minute // 60:02}:{digest.minute % 60:02}"])


def _group(route: Route, labels: Labels) -> dict[str, str]:
    special = {CYCLE: "this cycle", EACH: "each alert"}
    return {name: special.get(name, labels.get(name, "")) for name in route.group_by}
