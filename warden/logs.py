"""Logging: priorities for the journal, readable lines for people. Configured once, by the shell."""

from __future__ import annotations

import logging
import os
import sys
import textwrap
from typing import Any, TextIO

from warden.model.text import visible
from warden.secrecy import veiled

_PRIORITY = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}  # syslog's numbers, see sd-daemon(3)


class PlainFormatter(logging.Formatter):
    """One line an entry, whatever a feed or a server put into it, and no secret.

    Only a traceback has lines of its own, each with a blank before it, so that no text of an
    error's can pass for an entry.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  the base class's name
        """Make the entry's line: what would end it, or be obeyed by a terminal, is escaped."""
        return visible(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802  the base class's name
        """Make a traceback's lines."""
        return textwrap.indent(super().formatException(ei), "  ", lambda _line: True)

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
        return veiled(visible(super().format(record), keep="\n\t"))


class JournalFormatter(PlainFormatter):
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
        handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    else:
        handler.setFormatter(
            PlainFormatter(
                "%(asctime)s.%(msecs)03d %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S"
            )
        )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # libraries speak up only when something is wrong
    logging.getLogger("warden").setLevel(level)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
