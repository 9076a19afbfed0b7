"""Opening a file that somebody else named: what is no regular file is refused, never waited for.

Standing in the flow: every room that reads an operator's file opens it with this. A pipe would hold
its reader until somebody writes to it, and the one thread that reads rules with it, for good.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

NOT_REGULAR = "a folder or a pipe, not a file"


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading.

    It is looked at once it is open: what lies there may be exchanged at any moment before.

    Raises:
        OSError: it cannot be opened, or is a folder, a pipe, a socket or a device.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not is_regular(descriptor):
        os.close(descriptor)
        raise OSError(errno.EINVAL, NOT_REGULAR, str(path))
    return os.fdopen(descriptor, "rb")


def is_regular(descriptor: int) -> bool:
    """Whether what is open there can be read to its end without waiting for anybody."""
    return stat.S_ISREG(os.fstat(descriptor).st_mode)
