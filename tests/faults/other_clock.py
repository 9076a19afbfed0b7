"""A wall clock of its own for a daemon, that can be set while it runs.

A small library stands before the C library's: see other_clock.c. Monotonic clocks, and with them
everything that waits, go on as they are, which is what happens when somebody sets a machine's
clock.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("other_clock.c")
needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler is installed")


class OtherClock:
    """How far a daemon's clock is from the machine's.

    Attributes:
        under: the command that starts a process with this clock.
    """

    def __init__(self, folder: Path) -> None:
        library = folder / "other_clock.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE], check=True)
        self._place = folder / "difference"
        self._place.write_bytes(bytes(8))
        self.under = ("env", f"LD_PRELOAD={library}", f"OTHER_CLOCK={self._place}")

    def set(self, seconds: float) -> None:
        """Set it to so many seconds after the machine's clock."""
        with self._place.open("r+b") as file:
            file.write(struct.pack("q", int(seconds)))
