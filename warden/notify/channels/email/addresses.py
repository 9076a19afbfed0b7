"""Mail addresses: what is accepted in routes and settings."""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.headerregistry import Address

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z")
_MAX_ADDRESS = 254
_MAX_LOCAL = 64


def why_invalid(address: str) -> str:
    """Why the text is not a bare mail address that every server takes; "" if it is one.

    Plain RFC 5321 mailboxes only: no quoted local part, no address literal, no display name.
    """
    if len(address) > _MAX_ADDRESS:
        return f"it is longer than {_MAX_ADDRESS} characters"
    if not address.isascii():
        return "it holds letters outside ASCII, which most mail servers refuse"
    local, at, domain = address.rpartition("@")
    if not at:
        return "it has no '@'"
    if not _LOCAL.match(local) or len(local) > _MAX_LOCAL:
        return "the part before '@' is not valid"
    if not domain or not all(_LABEL.match(label) for label in domain.split(".")):
        return "the part after '@' is not a host name"
    return ""


def parse_sender(text: str) -> Address:
    """`Warden <warden@example.org>` or a bare address; raises ValueError with the reason."""
    name, bracket, rest = text.rpartition("<")
    address = rest.removesuffix(">").strip() if bracket else text.strip()
    if bracket and not rest.endswith(">"):
        raise ValueError("'<' without '>'")
    reason = why_invalid(address)
    if reason:
        raise ValueError(reason)
    name = name.strip().strip('"')
    if any(not char.isprintable() for char in name):
        raise ValueError("the name holds a control character")
    try:
        return Address(display_name=name, addr_spec=address)
    except (HeaderParseError, ValueError, IndexError) as error:
        raise ValueError(str(error)) from error
