"""What every channel looks like.

A channel is one folder beside this file: a `Channel` that sends, and a `ChannelKind` that reads
its targets out of a receiver. Register it in `warden.notify.channels` and add it to the shared
conformance tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from pydantic import SecretStr

from warden.model.delivery import Outgoing
from warden.model.located import Node
from warden.notify.reading import Reader
from warden.notify.routes import Target

Secrets = Callable[[str], SecretStr]
"""Gives the secret of a name; raises `ConfigError` where there is none."""


class Channel(Protocol):
    """A way to reach a recipient. One object serves several threads at once."""

    def send(self, outgoing: Outgoing, target: Target, now: datetime) -> str:
        """Hand the body over and return the other side's answer as one short line.

        Returns only once the other side has accepted it. Raises `ChannelError` and nothing else:
        `permanent` when it will never be accepted.
        """
        ...


@runtime_checkable
class Keeping(Protocol):
    """A channel that keeps connections between two messages."""

    def close_idle(self, *, all_of_them: bool = False) -> None:
        """Close those that nobody has needed for a while."""
        ...


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """How a channel is written in `routes.yaml`.

    Attributes:
        name: the key in a receiver.
        read: the targets that one entry under that key means.
        headers: what is fixed when a message is made, given (key, mail domain, earlier mails).
        workers: how many deliveries may be under way at once.
        per_target: how many of them to one target.
        lease_s: longer than any try can take.
    """

    name: str
    read: Callable[[Node, Reader], tuple[Target, ...]]
    headers: Callable[[str, str, tuple[Mapping[str, Any], ...]], Mapping[str, Any]]
    workers: int = 4
    per_target: int = 2
    lease_s: float = 600.0

    @property
    def threads(self) -> bool:
        """Whether what is fixed beforehand depends on earlier messages to the same recipient."""
        return self.headers is not no_headers


def no_headers(
    key: str,  # noqa: ARG001 -- the signature of ChannelKind.headers
    domain: str,  # noqa: ARG001
    earlier: tuple[Mapping[str, Any], ...],  # noqa: ARG001
) -> Mapping[str, Any]:
    """Nothing is fixed beforehand."""
    return {}
