"""The channels: one folder each, one line each in `CHANNELS`."""

from __future__ import annotations

from warden.notify.channels import email, file, webhook
from warden.notify.channels.protocol import Channel, ChannelKind, Keeping, Secrets

CHANNELS: dict[str, ChannelKind] = {
    kind.name: kind for kind in (email.KIND, webhook.KIND, file.KIND)
}

__all__ = ["CHANNELS", "Channel", "ChannelKind", "Keeping", "Secrets"]
