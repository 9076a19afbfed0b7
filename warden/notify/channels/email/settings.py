"""How to reach the mail server (`smtp:` in the settings)."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from warden.notify.channels.email.addresses import parse_sender


class SecretName(BaseModel):
    """`{secret: NAME}`: where a secret is kept, never the secret."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: str


class SmtpSettings(BaseModel):
    """The mail server and the sender.

    Attributes:
        timeout_s: how long the server may be silent.
        deadline_s: how long a whole mail may take, however steadily the server drips.

    `security: none` is for a server on this machine; anything else needs `starttls` or `tls`,
    and the certificate is verified against the system's authorities or `ca_file`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    host: str = "localhost"
    port: int = Field(default=25, ge=1, le=65535)
    security: Literal["none", "starttls", "tls"] = "none"
    sender: str = Field(default="Warden <warden@localhost>", alias="from")
    username: str | None = None
    password: SecretName | None = None
    ca_file: Path | None = None
    timeout_s: float = Field(default=30.0, gt=0, le=300)
    deadline_s: float = Field(default=240.0, gt=0, le=280)
    list_unsubscribe: str | None = None

    @field_validator("sender")
    @classmethod
    def _valid_sender(cls, value: str) -> str:
        parse_sender(value)
        return value

    @field_validator("list_unsubscribe")
    @classmethod
    def _valid_url(cls, value: str | None) -> str | None:
        if value is not None and not (
            value.startswith(("https://", "mailto:")) and value.isascii() and value.isprintable()
        ):
            raise ValueError("must be an https: or mailto: address")
        return value

    @model_validator(mode="after")
    def _safe(self) -> SmtpSettings:
        if self.security == "none" and not self.loopback:
            raise ValueError(
                f"security: none is only for a mail server on this machine, not {self.host}; "
                "use starttls or tls"
            )
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password are given together or not at all")
        return self

    @property
    def loopback(self) -> bool:
        """Whether the host names this machine."""
        if self.host.casefold() in ("localhost", "localhost.localdomain", "ip6-localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def domain(self) -> str:
        """The domain of the sender, which message ids are made under."""
        return parse_sender(self.sender).domain
