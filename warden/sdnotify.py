"""Tell systemd how the daemon is (sd_notify(3)), over the datagram socket it names."""

from __future__ import annotations

import os
import socket
import time

_PATIENCE_S = 1.0  # with a service manager that does not read


def notify(*assignments: str) -> bool:
    """Send `READY=1`, `STATUS=…`, … to the service manager; False when there is none.

    An assignment is one line: a line break in a sentence would begin another one.
    Never raises: a service manager that went away must not take the daemon with it.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]  # the abstract namespace
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.settimeout(_PATIENCE_S)
            lines = (" ".join(one.split()) for one in assignments)
            channel.sendto("\n".join(lines).encode(errors="replace"), address)
    except OSError:
        return False
    return True


def reloading() -> bool:
    """Say that a reload has begun; `READY=1` ends it."""
    return notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def watchdog_interval_s() -> float | None:
    """How often the service manager wants a sign of life at the least, in seconds."""
    try:
        interval_us = int(os.environ.get("WATCHDOG_USEC", ""))
        wanted_pid = int(os.environ.get("WATCHDOG_PID", str(os.getpid())))
    except ValueError:
        return None
    return interval_us / 1e6 if interval_us > 0 and wanted_pid == os.getpid() else None
