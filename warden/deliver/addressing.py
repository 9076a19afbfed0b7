"""A message's deliveries: one for each recipient and channel, with what its head needs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from warden.model.delivery import Delivery
from warden.notify.channels import CHANNELS
from warden.notify.routes import Receiver, Target
from warden.store import messages
from warden.store.connection import Transaction


def key_of(*parts: str) -> str:
    """A name made of other names, the same for the same ones: 32 hexadecimal digits."""
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()


def is_threaded(receiver: Receiver) -> bool:
    """Whether a message to it has a place among earlier ones."""
    return any(CHANNELS[target.channel].threads for target in receiver.targets)


def delivery_to(  # noqa: PLR0917  what a delivery is made of
    tx: Transaction,
    message_id: str,
    receiver: Receiver,
    target: Target,
    mail_domain: str,
    alerts: Sequence[str],
) -> Delivery:
    """The delivery of a message about these alerts to one recipient, in its thread."""
    earlier: tuple[Mapping[str, object], ...] = ()
    if CHANNELS[target.channel].threads:
        earlier = messages.first_headers(tx, target.channel, target.name, alerts)
    return alone(message_id, receiver, target, mail_domain, earlier)


def alone(
    message_id: str,
    receiver: Receiver,
    target: Target,
    mail_domain: str,
    earlier: tuple[Mapping[str, object], ...] = (),
) -> Delivery:
    """The delivery of a message that follows on those with the given headers, by default none."""
    key = key_of(message_id, target.channel, target.name)
    return Delivery(
        key=key,
        message_id=message_id,
        receiver=receiver.name,
        channel=target.channel,
        target=target.name,
        format=target.format,
        headers=CHANNELS[target.channel].headers(key, mail_domain, earlier),
    )
