"""Receivers and the route tree, as frozen values.

Standing in the flow: `routing.parse_routes` makes them from `routes.yaml`; `plan` asks them who
gets a notice; `deliver` asks them how to reach whom.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from warden.notify.formats import SINGLE
from warden.notify.inhibition import InhibitRule
from warden.notify.matchers import Matcher
from warden.notify.times import Digest, Hours

CYCLE = "cycle"  # the group_by that gathers all of one cycle
EACH = "..."  # the group_by that gathers nothing: every alert is a message of its own


@dataclass(frozen=True, slots=True)
class Target:
    """One recipient of a receiver.

    Attributes:
        channel: a name in `warden.notify.channels.CHANNELS`.
        name: who it is, without secrets: an address, a URL, a folder. It is kept in the database.
        format: the body it needs: "mail", "warden", "warden+notes", "cap", "alertmanager", …
        options: the channel's own frozen settings of it.
        human: a person reads it.
    """

    channel: str
    name: str
    format: str
    options: Any = None
    human: bool = False


@dataclass(frozen=True, slots=True)
class Receiver:
    """A named set of recipients who read the same message.

    Attributes:
        language: a folder of templates. time_zone: an IANA name, for the times in messages and
            the hour of digests.
        review: what it is to get waits for a person's `warden release`.
    """

    name: str
    language: str = "en"
    time_zone: str = "UTC"
    targets: tuple[Target, ...] = ()
    review: bool = False

    @property
    def human(self) -> bool:
        """Whether a person reads what it gets."""
        return any(target.human for target in self.targets)

    @property
    def single(self) -> bool:
        """Whether every notice is a message of its own (see `warden.notify.formats.SINGLE`)."""
        return any(target.format in SINGLE for target in self.targets)


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the tree; receiver and grouping, where not written, are its parent's.

    Attributes:
        path: its place in the tree, "" for the root, "0.2" for the third child of the first.
        group_by: labels whose values separate messages; "cycle" stands for the cycle itself,
            "..." for the alert.
        group_wait_s: how long the first notice of a group waits for others.
        group_interval_s: how long a group that has sent a message waits before the next one.
        continues: later siblings are asked too.
        hours: when it keeps silent. Like the two below, not inherited.
        digest: gathered for these hours instead of sent at once.
        digests_critical: even what is critical, since the matchers on the way here name it.
        review: what it sends waits for a person's `warden release`.
    """

    receiver: str
    path: str = ""
    matchers: tuple[Matcher, ...] = ()
    continues: bool = False
    group_by: tuple[str, ...] = (CYCLE,)
    group_wait_s: float = 0.0
    group_interval_s: float = 0.0
    hours: Hours = field(default_factory=Hours)
    digest: Digest | None = None
    digests_critical: bool = False
    review: bool = False
    routes: tuple[Route, ...] = ()

    def digest_of(self, severity: str) -> Digest | None:
        """The digest that what is so severe goes into; what is critical only where it is named."""
        return self.digest if severity != "critical" or self.digests_critical else None

    def speaks_at_once(self, severity: str) -> bool:
        """Whether what is so severe waits neither for a digest nor for a person; mutes aside."""
        return not self.review and self.digest_of(severity) is None

    def matching(self, labels: Mapping[str, str]) -> Iterator[Route]:
        """The deepest routes that match, in order, as Alertmanager walks them."""
        if not all(matcher.matches(labels) for matcher in self.matchers):
            return
        found = False
        for child in self.routes:
            matched = list(child.matching(labels))
            yield from matched
            found = found or bool(matched)
            if matched and not child.continues:
                break
        if not found:
            yield self

    def walk(self) -> Iterator[Route]:
        """This route and all below it."""
        yield self
        for child in self.routes:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """A receiver that gets something, and the route that says so."""

    receiver: Receiver
    route: Route


@dataclass(frozen=True, slots=True)
class Routing:
    """Everything that `routes.yaml` says.

    Attributes:
        receivers: by name. root: the tree; None where nothing is configured: nobody gets anything.
        inhibit_rules: which alerts make others superfluous; none by default.
    """

    receivers: Mapping[str, Receiver]
    root: Route | None = None
    inhibit_rules: tuple[InhibitRule, ...] = ()

    def receivers_for(self, labels: Mapping[str, str]) -> list[RouteMatch]:
        """Who gets an alert with these labels, in the tree's order; a receiver is named once.

        It goes by the first of the receiver's routes that speaks at once, else by the first.
        """
        if self.root is None:
            return []
        ways: dict[str, list[Route]] = {}
        for route in self.root.matching(labels):
            if route.receiver in self.receivers:
                ways.setdefault(route.receiver, []).append(route)
        return [
            RouteMatch(self.receivers[name], _preferred(routes, labels)[0])
            for name, routes in ways.items()
        ]

    def routes_to(self, receiver: str, labels: Mapping[str, str]) -> list[Route]:
        """The routes by which an alert with these labels may go to a receiver, in their order.

        Those that speak at once, else all that lead there.
        """
        if self.root is None:
            return []
        found = [route for route in self.root.matching(labels) if route.receiver == receiver]
        return _preferred(found, labels)


def _preferred(routes: Sequence[Route], labels: Mapping[str, str]) -> list[Route]:
    """Those that speak at once; all where none does.

    Who is to hear of something at once must not hear a day later since another of his routes
    gathers more than that.
    """
    severity = labels.get("severity", "")
    return [route for route in routes if route.speaks_at_once(severity)] or list(routes)
