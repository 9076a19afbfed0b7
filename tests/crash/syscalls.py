"""Watching a process's system calls, and killing it at one of them.

By seccomp's user notification (Linux 5.5): before it starts, the watched process asks the kernel to
stop it at one kind of call; its parent is told of each, and lets it go on or kills it there and
then. Nothing else that the process does is slowed, unlike under a tracer.
"""

from __future__ import annotations

import array
import ctypes
import errno
import fcntl
import os
import platform
import select
import signal
import socket
import struct
from collections import Counter

_NUMBERS = {
    "x86_64": {
        "pwrite64": 18, "fdatasync": 75, "sendto": 44, "recvfrom": 45, "rename": 82, "seccomp": 317,
    },
    "aarch64": {
        "pwrite64": 68, "fdatasync": 83, "sendto": 206, "recvfrom": 207, "rename": 38,
        "seccomp": 277,
    },
}  # fmt: skip  # there, renameat is what the C library calls for rename
_NUMBER = _NUMBERS.get(platform.machine(), {})
_NO_NEW_PRIVILEGES = 38
_SET_FILTER, _NEW_LISTENER = 1, 8
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # BPF: a word of the call's data; skip; the answer
_NOTIFY, _ALLOW = 0x7FC00000, 0x7FFF0000
_RECEIVE, _ANSWER = 0xC0502100, 0xC0182101
_NOTICE = struct.Struct("=QII64x")  # id, thread, flags, and what the call was
_GO_ON = struct.Struct("=QqiI")  # id, value, error, flags
_CONTINUE = 1


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def watch_me(call: str, parent: socket.socket) -> None:
    """Have this process, and what it starts, stop at every such call until the parent has looked.

    Raises OSError where the kernel does not offer it.
    """
    steps = b"".join(
        struct.pack("=HBBI", code, yes, no, value)
        for code, yes, no, value in (
            (_LOAD, 0, 0, 0),
            (_IF_EQUAL, 0, 1, _NUMBER[call]),
            (_RETURN, 0, 0, _NOTIFY),
            (_RETURN, 0, 0, _ALLOW),
        )
    )
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no new privileges")
    asked = _Filter(len(steps) // 8, steps)
    listener = libc.syscall(_NUMBER["seccomp"], _SET_FILTER, _NEW_LISTENER, ctypes.byref(asked))
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp has no user notification here")
    socket.send_fds(parent, [b"."], [listener])
    os.close(listener)


def listener_of(child: socket.socket) -> int:
    """What the child handed over: a file descriptor that tells of its calls."""
    _, (listener,), *_ = socket.recv_fds(child, 1, 1)
    return listener


def look_on(pid: int, listener: int, fatal: int) -> Counter[int]:
    """Let the process make its calls, and kill it at the n-th of a thread (0: never).

    Returns how many calls each thread made, until the process ended.
    """
    made: Counter[int] = Counter()
    watch = select.poll()
    watch.register(listener, select.POLLIN)
    while any(event & select.POLLIN for _, event in watch.poll()):
        notice = array.array("B", bytes(_NOTICE.size))
        try:
            fcntl.ioctl(listener, _RECEIVE, notice)
            number, thread, _ = _NOTICE.unpack(notice)
            made[thread] += 1
            if made[thread] == fatal:
                os.kill(pid, signal.SIGKILL)
            else:
                fcntl.ioctl(listener, _ANSWER, _GO_ON.pack(number, 0, 0, _CONTINUE))
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EINTR):  # the thread died while it waited
                raise
    os.close(listener)
    return made


def can_watch() -> bool:
    """Whether this machine tells a parent of its child's calls."""
    if not _NUMBER:
        return False
    mine, childs = socket.socketpair()
    with mine, childs:
        pid = os.fork()
        if not pid:
            try:
                watch_me("rename", childs)
            except BaseException:  # noqa: BLE001 - a child must not come back from here
                os._exit(1)
            os._exit(0)
        childs.close()
        _, status = os.waitpid(pid, 0)
        return status == 0
