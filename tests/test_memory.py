"""Freed memory goes back to the system."""

import subprocess
import sys

import pytest

# Blocks of a page, every hundredth of which is kept: the heap cannot shrink from its end.
HOLES = """
import ctypes
from pathlib import Path
from warden import memory

c = ctypes.CDLL(None)
c.malloc.restype = ctypes.c_void_p
c.free.argtypes = [ctypes.c_void_p]

def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))

memory.keep_little()
blocks = [c.malloc(4000) for _ in range(20_000)]
for block in blocks:
    ctypes.memset(block, 1, 4000)
for number, block in enumerate(blocks):
    if number % 100:
        c.free(block)
before = resident()
memory.give_back()
print(before - resident())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc and /proc are Linux's")
def test_holes_between_what_is_used_go_back_to_the_system():
    done = subprocess.run(
        [sys.executable, "-c", HOLES], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) > 50_000  # kB, of 80,000
