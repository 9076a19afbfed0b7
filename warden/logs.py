"""Logging: priorities for the journal, readable lines for people. Configured once, by the shell."""

from __future__ import annotations

import logging
import os
import sys
from typing import TextIO

_PRIORITY = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}  # syslog's numbers, see sd-daemon(3)


class JournalFormatter(logging.Formatter):
    """Each line begins with its priority, as the journal reads it; the journal adds the time."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record, giving every line of it the priority."""
        prefix = f"<{_PRIORITY.get(record.levelno, 6)}>"
        text = super().format(record)
        return "\n".join(prefix + line for line in text.splitlines() or [""])


def on_journal(stream: TextIO) -> bool:
    """Whether the stream is connected to the journal ($JOURNAL_STREAM names its inode)."""
    wanted = os.environ.get("JOURNAL_STREAM", "")
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return wanted == f"{found.st_dev}:{found.st_ino}"


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send warden's log to `stream` (stderr), in the manner that fits what reads it."""
    out = stream if stream is not None else sys.stderr
    handler = logging.StreamHandler(out)
    if on_journal(out):
        handler.setFormatter(JournalFormatter("%(name)s: %(message)s"))
    elif out.isatty():
        handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")
        )
    else:
        handler.setFormatter(
            logging.Formatter(
                "%(asctime)s.%(msecs)03d %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S"
            )
        )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # libraries speak up only when something is wrong
    logging.getLogger("warden").setLevel(level)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
