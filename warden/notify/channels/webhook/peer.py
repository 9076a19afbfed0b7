"""Which network addresses a webhook may reach."""

from __future__ import annotations

import ipaddress

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")  # all that has been given out for the public network
# What Python's own lists leave out, or left out in some of its versions.
_MORE: tuple[tuple[str, ipaddress.IPv4Network | ipaddress.IPv6Network], ...] = (
    ("carrier-private", ipaddress.IPv4Network("100.64.0.0/10")),
    ("reserved", ipaddress.IPv4Network("192.0.0.0/24")),
    ("6to4", ipaddress.IPv4Network("192.88.99.0/24")),
    ("reserved", ipaddress.IPv6Network("2001::/23")),
    ("reserved", ipaddress.IPv6Network("3fff::/20")),
)


def why_refused(address: str) -> str:
    """Why an address is not on the public network; "" if it is.

    IPv6 forms that carry an IPv4 address (mapped, compatible, 6to4, Teredo, NAT64) are judged by
    the form itself as well: none of them is a place where a public hook lives.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "not an IP address"
    if isinstance(ip, ipaddress.IPv6Address):
        reason = _carries_ipv4(ip)
        if reason:
            return reason
    for name in ("loopback", "link_local", "multicast", "unspecified", "reserved", "private"):
        if getattr(ip, f"is_{name}"):
            return name.replace("_", "-")
    more = next((reason for reason, net in _MORE if ip in net), "")
    if more or not ip.is_global or (ip.version == 6 and ip not in _UNICAST):  # noqa: PLR2004
        return more or "not public"
    return ""


def _carries_ipv4(ip: ipaddress.IPv6Address) -> str:
    if ip.ipv4_mapped is not None:
        return "IPv4-mapped"
    if ip.sixtofour is not None:
        return "6to4"
    if ip.teredo is not None:
        return "Teredo"
    if ip in _NAT64 or ip in _NAT64_LOCAL:
        return "NAT64"
    if ip in _COMPATIBLE and int(ip) > 1:
        return "IPv4-compatible"
    return ""
