"""Memory that is free goes back to the system, so that a long life takes no more than it uses.

The C library keeps what was freed for the next time, in a heap for each thread that wants one, and
learns from every large block to keep the next one, too. For a daemon that draws maps once an hour
this leaves tens of megabytes of holes. Where the C library is not glibc nothing is done.
"""

from __future__ import annotations

import ctypes
from typing import Final

_MMAP_THRESHOLD: Final = -3  # names of glibc's malloc.h
_ARENA_MAX: Final = -8
_LARGE_BYTES: Final = 512 * 1024


def keep_little() -> None:
    """Let all threads share one heap, and give large blocks back as soon as they are free.

    Called before threads start. Python runs one of them at a time: one heap keeps nobody waiting.
    """
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune is not None:
        tune(_ARENA_MAX, 1)
        tune(_MMAP_THRESHOLD, _LARGE_BYTES)


def give_back() -> None:
    """Give what is free, also between what is used, back to the system; takes milliseconds."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
