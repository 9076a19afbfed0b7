"""Webhooks, signed as Standard Webhooks asks."""

from __future__ import annotations

from warden.notify.channels.protocol import ChannelKind, no_headers
from warden.notify.channels.webhook.channel import WebhookChannel
from warden.notify.channels.webhook.targets import WebhookOptions, read_targets

KIND = ChannelKind("webhook", read_targets, no_headers, workers=8, per_target=4, lease_s=300.0)

__all__ = ["KIND", "WebhookChannel", "WebhookOptions"]
