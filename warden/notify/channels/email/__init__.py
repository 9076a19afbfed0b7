"""Email: `email.message` and `smtplib`, one transaction a recipient."""

from __future__ import annotations

from warden.notify.channels.email.channel import EmailChannel, thread_headers
from warden.notify.channels.email.settings import SmtpSettings
from warden.notify.channels.email.targets import read_targets
from warden.notify.channels.protocol import ChannelKind

KIND = ChannelKind("email", read_targets, thread_headers, workers=4, per_target=1)

__all__ = ["KIND", "EmailChannel", "SmtpSettings"]
