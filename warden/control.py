"""The control socket: operators' commands to a running daemon, over a Unix socket.

Standing in the flow: the daemon owns the only writer, so whoever wants a change hands it over
here. One JSON object on one line asks; rows come back, one a line, and a last line tells how it
ended. Files travel as open descriptors, so the daemon reads what the caller may read and nothing
else. Who asked is what the kernel says, not what the caller says.

    -> {"command": "ingest", "arguments": {...}}        (+ descriptors)
    <- {"row": {...}}                                   (any number)
    <- {"end": 0}   or   {"error": "...", "exit_status": 2, "faults": [...]}
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import logging
import os
import pwd
import socket
import stat
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from warden.errors import ConfigError, Fault, StoreError, UsageError, WardenError
from warden.model.instants import written
from warden.secrecy import veiled

MODE = 0o660  # the owner and its group: the operators
MAX_REQUEST_BYTES = 1 << 20
MAX_FILES = 200  # the kernel passes at most 253 descriptors at once
MAX_CALLERS = 16
REQUEST_TIMEOUT_S = 10.0
_LONGEST_ADDRESS = 100  # sun_path holds 108 bytes

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """One command as it arrived.

    Attributes:
        who: the caller's user name, by the kernel's word.
        files: open descriptors of the files that came along, in order.
    """

    command: str
    arguments: Mapping[str, Any]
    who: str
    files: tuple[int, ...] = ()


Handler = Callable[[Request], Iterator[Mapping[str, Any]]]


class ControlServer:
    """Listens, and answers each caller in a thread of its own."""

    def __init__(self, path: Path, handle: Handler) -> None:
        self.path = path
        self._handle = handle
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._slots = threading.BoundedSemaphore(MAX_CALLERS)
        self._bound = False

    def start(self) -> None:
        """Bind and listen; a socket left behind is replaced (the database's lock is ours)."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _clear(self.path)
            os.fchmod(self._listener.fileno(), MODE)  # what bind makes, whatever the umask takes
            with _address(self.path) as address:
                self._listener.bind(address)
            self._bound = True
            self.path.chmod(MODE)
            self._listener.listen(MAX_CALLERS)
        except OSError as error:
            raise StoreError(f"the control socket {self.path} cannot be made: {error}") from None
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def close(self) -> None:
        """Stop listening and remove the socket."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._bound:
            with contextlib.suppress(OSError):  # read-only now: the next start removes it
                self.path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ECONNABORTED):
                    threading.Event().wait(0.2)  # descriptors ran out; they come back
                    continue
                return  # closed
            if not self._slots.acquire(blocking=False):
                caller.close()
                continue
            threading.Thread(
                target=self._serve, args=(caller,), name="control-caller", daemon=True
            ).start()

    def _serve(self, caller: socket.socket) -> None:
        try:
            with caller:
                caller.settimeout(REQUEST_TIMEOUT_S)
                self._answer(caller)
        except OSError as error:
            log.debug("a caller went away: %s", error)
        finally:
            self._slots.release()

    def _answer(self, caller: socket.socket) -> None:
        files: list[int] = []
        try:
            request = _receive(caller, files)
            reply = _Reply(caller)
            for row in self._handle(request):
                reply.send({"row": row})
            reply.send({"end": 0})
        except WardenError as error:
            _Reply(caller).send(_refusal(error))
        except Exception as error:  # the boundary of a caller's job
            log.exception("a command failed")
            _Reply(caller).send(
                {"error": f"{type(error).__name__}: {error}", "exit_status": 3, "faults": []}
            )
        finally:
            for descriptor in files:
                with contextlib.suppress(OSError):
                    os.close(descriptor)


@dataclass
class _Reply:
    """Sends lines while the caller listens; a caller that left does not stop the work."""

    caller: socket.socket
    gone: bool = False

    def send(self, message: Mapping[str, Any]) -> None:
        if self.gone:
            return
        try:
            line = veiled(json.dumps(message, ensure_ascii=True, default=written))
            self.caller.sendall(line.encode() + b"\n")
        except OSError:
            self.gone = True


def _clear(path: Path) -> None:
    """Remove a socket left behind, and nothing else that stands there."""
    try:
        left_behind = stat.S_ISSOCK(path.lstat().st_mode)
    except FileNotFoundError:
        return
    if not left_behind:
        raise StoreError(f"{path} is there and is no socket; name another place for `socket`")
    path.unlink()


def _refusal(error: WardenError) -> dict[str, Any]:
    faults = error.faults if isinstance(error, ConfigError) else ()
    return {
        "error": str(error),
        "exit_status": error.exit_status,
        "faults": [dataclasses.asdict(fault) for fault in faults],
    }


def _receive(caller: socket.socket, files: list[int]) -> Request:
    """Read one request; descriptors go into `files` as they come, so that they get closed."""
    data, descriptors, _, _ = socket.recv_fds(caller, 1 << 16, MAX_FILES, socket.MSG_CMSG_CLOEXEC)
    files.extend(descriptors)
    until = time.monotonic() + REQUEST_TIMEOUT_S
    while not data.endswith(b"\n"):
        more = caller.recv(1 << 16)
        if not more or len(data) > MAX_REQUEST_BYTES or time.monotonic() > until:
            raise UsageError("the request is not one line")
        data += more
    try:
        message = json.loads(data)
        command, arguments = message["command"], message["arguments"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError("the request is not one JSON object with command and arguments") from None
    if not isinstance(command, str) or not isinstance(arguments, dict):
        raise UsageError("the request's command is a text and its arguments a mapping")
    return Request(command, arguments, _peer(caller), tuple(files))


def _peer(caller: socket.socket) -> str:
    """The caller's user name, as the kernel knows it."""
    packed = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", packed)
    return user_name(uid)


def user_name(uid: int) -> str:
    """The name of a user, `uid:N` where the machine knows none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid:{uid}"


# --- the caller's side ------------------------------------------------------------------------


def call(
    path: Path, command: str, arguments: Mapping[str, Any], files: Sequence[BinaryIO] = ()
) -> Iterator[dict[str, Any]] | None:
    """Ask the daemon; None when none listens, else its rows as they come.

    Raises:
        WardenError: what the daemon refused, as if it had been done here.
    """
    if len(files) > MAX_FILES:
        raise UsageError(f"at most {MAX_FILES} files at once go to a running daemon")
    channel = _connect(path)
    if channel is None:
        return None
    request = json.dumps({"command": command, "arguments": dict(arguments)}, default=written)
    try:
        payload = request.encode() + b"\n"
        descriptors = [file.fileno() for file in files]
        sent = socket.send_fds(channel, [payload], descriptors)
        if sent < len(payload):  # even sending nothing fails once a quick answer has hung up
            channel.sendall(payload[sent:])
    except OSError as error:
        channel.close()
        raise StoreError(f"the daemon at {path} hung up: {error}") from None
    return _rows(channel, path)


def _connect(path: Path) -> socket.socket | None:
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _address(path) as address:
            channel.connect(address)
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        channel.close()
        return None
    except PermissionError:
        channel.close()
        raise StoreError(
            f"no permission to use the daemon's socket {path}; "
            "operators belong to its group (usually 'warden')"
        ) from None
    return channel


def _rows(channel: socket.socket, path: Path) -> Iterator[dict[str, Any]]:
    with channel, channel.makefile("rb") as stream:
        for line in stream:
            message = json.loads(line)
            if "row" in message:
                yield message["row"]
            elif "error" in message:
                raise _raised(message)
            else:
                return
    raise StoreError(f"the daemon at {path} went away in mid-answer; `warden status` tells more")


def _raised(message: Mapping[str, Any]) -> WardenError:
    """Rebuild the daemon's error, so that it prints and exits as it would have here."""
    if message.get("exit_status") == ConfigError.exit_status:
        return ConfigError(
            message["error"], tuple(Fault(**fault) for fault in message.get("faults", ()))
        )
    return WardenError(message["error"])


@contextlib.contextmanager
def _address(path: Path) -> Iterator[str]:
    """A name for the socket that fits the kernel's 108 bytes, however deep its folder lies."""
    if len(os.fsencode(path)) <= _LONGEST_ADDRESS:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
