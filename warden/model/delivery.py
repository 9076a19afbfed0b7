"""The way out: dispatches, messages and deliveries.

Standing in the flow: `evaluate` commits a `Dispatch` for each receiver a notice is meant for;
`deliver` gathers due dispatches into messages, commits a `Delivery` for every recipient and
channel, and only then sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from warden.model.notice import Action
from warden.model.rule import Level

DeliveryState = Literal["pending", "sending", "retry", "sent", "dead", "expired"]
UNFINISHED: tuple[DeliveryState, ...] = ("pending", "sending", "retry")

WithheldReason = Literal[
    "NEVER_TOLD",  # a resolved or cancel for a receiver who was never told of the alert
    "SUPERSEDED",  # newer news of the alert stands for it, or it was withdrawn before it was told
    "CLOSED",  # it was over before the hour of its digest
    "ACKNOWLEDGED",  # a reminder of what somebody has taken on meanwhile
    "RECEIVER_REMOVED",  # the receiver is no longer in the routes
    "NO_RECIPIENT",  # the receiver has no channel
    "INHIBITED",  # these four: over before what held it back was
    "MUTED",
    "SILENCED",
    "REVIEW",
]
HoldReason = Literal["INHIBITED", "MUTED", "SILENCED", "REVIEW"]
"""Why something due waits all the same."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Something due that waits.

    Attributes:
        detail: by what: an alert's id, an interval's name, a silence with its comment and author.
        since: when it began to wait for this reason; None for a hold that is only planned.
        until: when that ends, where it is known.
    """

    reason: HoldReason
    detail: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One notice meant for one receiver.

    Attributes:
        notice_id, alert_id, action, severity: of the notice.
        alert_ids: the alerts it speaks of: the notice's own and, for a summary, those it lists.
        receiver: the name in the routes.
        route: the path of the route that named the receiver, such as "0.2"; "" for the root,
            "told" when the receiver gets it only because it was told of the alert before.
        group_key: due dispatches of one receiver and group become one message.
        due_at: not sent before.
        planned_at: when `evaluate` planned it; `due_at` stands in where that is not known.
        withheld: the reason why it will not be sent, "" while it may.
        labels: what matchers see of it.
        listed: of a summary, what they see of each alert that it lists; not stored with it.
        closes: it says that the alert is over: only those who were told of it hear that.
        digest: it waits for the hour of a digest.
        released_at: when a person let it go.
        hold: why it waits though it is due.
        replaces: the ids of the notices that it stands for besides its own, oldest first.
        id: the database's number; 0 before it is stored.
    """

    notice_id: str
    alert_id: str
    action: Action
    severity: Level
    receiver: str
    route: str
    group_key: str
    due_at: datetime
    alert_ids: tuple[str, ...] = ()
    withheld: WithheldReason | None = None
    planned_at: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    listed: tuple[Mapping[str, str], ...] = ()
    closes: bool = False
    digest: bool = False
    released_at: datetime | None = None
    hold: Hold | None = None
    replaces: tuple[str, ...] = ()
    id: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """What one receiver is to read, rendered once.

    Attributes:
        id: unique.
        receiver: the name in the routes.
        subject: the first line of its most severe notice.
        severity: the highest among its notices.
        created_at: when it was rendered.
        bodies: a rendered body for each format some recipient needs (see `Delivery.format`).
        dispatch_ids: the dispatches it carries, most severe first.
        fallback: why a template could not be used and the plain one was; "" otherwise.
        exercise: a test message.
        digest: it gathers what waited for an hour of the day.
    """

    id: str
    receiver: str
    subject: str
    severity: Level
    created_at: datetime
    bodies: Mapping[str, str]
    dispatch_ids: tuple[int, ...]
    fallback: str = ""
    exercise: bool = False
    digest: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one recipient through one channel, with its state.

    Attributes:
        key: the same for every try, so that an idempotent recipient sees it once.
        channel: a name in `warden.notify.channels.CHANNELS`.
        target: whom: an address, a hook's name or URL without secrets, a folder.
        format: which of the message's bodies.
        headers: what the channel fixed when the message was made (a mail's place in its thread).
        attempts: tries ever made; `tries`: since it was made or last re-sent by hand.
        due_at: when it is to be tried next.
    """

    key: str
    message_id: str
    receiver: str
    channel: str
    target: str
    format: str
    headers: Mapping[str, Any] = field(default_factory=dict)
    state: DeliveryState = "pending"
    attempts: int = 0
    tries: int = 0
    due_at: datetime | None = None
    created_at: datetime | None = None
    finished_at: datetime | None = None
    last_error: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """All that a channel needs in order to send one delivery.

    Attributes:
        delivery: whom and under which key.
        body: the rendered body in the delivery's format.
        severity, subject, alert_ids, created_at, exercise: of the message.
    """

    delivery: Delivery
    body: str
    subject: str
    severity: Level
    alert_ids: tuple[str, ...]
    created_at: datetime
    exercise: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one try ended.

    Attributes:
        outcome: "sent", "refused" (for good) or "failed" (may be tried again).
        detail: the other side's answer or the error, one bounded line without secrets.
        retry_after_s: the pause it asked for.
    """

    delivery_id: int
    outcome: Literal["sent", "refused", "failed"]
    detail: str
    started_at: datetime
    finished_at: datetime
    retry_after_s: float | None = None
