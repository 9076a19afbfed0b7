"""The service unit for this installation: the shipped one with this warden, settings and user.

Standing in the flow: beside it, for `warden systemd`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from warden.errors import UsageError
from warden.settings import shipped

_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}\Z")
_STATE = Path("/var/lib/warden")
_PLAIN = re.compile(r"[\w@+=:,./-]+\Z", re.ASCII)


def service_unit(
    *, config: Path | None, database: Path, user: str = "warden", group: str | None = None
) -> str:
    """The unit's text.

    Raises:
        UsageError: no settings file, or a user that cannot be one.
    """
    if config is None:
        raise UsageError("a service needs a settings file; name it with --config")
    for name in (user, group or user):
        if not _USER.match(name):
            raise UsageError(f"'{name}' is no name of a user or group")
    text = (shipped("systemd") / "warden.service").read_text(encoding="utf-8")
    command = f"{_program()} run --config {_quoted(config.absolute())}"
    text = _set(text, "ExecStart", command)
    text = _set(_set(text, "User", user), "Group", group or user)
    folder = database.absolute().parent
    if folder != _STATE:
        text = _set(text, "WorkingDirectory", _path(folder))
        line = f"ReadWritePaths={_quoted(folder)}"
        text = text.replace("\nUMask=", f"\n# The database is elsewhere.\n{line}\nUMask=", 1)
    secrets = config.absolute().parent / "secrets"
    return text.replace("/etc/warden/secrets/", f"{secrets}/")


def hidden() -> str:
    """Why the unit's warden could not see itself; "" where it can."""
    folder = Path(sys.executable)
    if any(folder.is_relative_to(home) for home in ("/home", "/root", "/run/user", "/tmp")):  # noqa: S108
        return f"{folder.parent} is hidden from services; install warden into /opt/warden"
    return ""


def _program() -> str:
    """This warden: the script beside this interpreter, else the interpreter with the module."""
    script = Path(sys.executable).parent / "warden"
    if script.is_file():
        return _quoted(script)
    return f"{_quoted(Path(sys.executable))} -m warden"


def _set(text: str, key: str, value: str) -> str:
    return re.sub(rf"(?m)^{key}=.*$", lambda _: f"{key}={value}", text, count=1)


def _path(path: Path) -> str:
    """A path as a whole value of a unit: `%` begins a specifier there."""
    return str(path).replace("%", "%%")


def _quoted(path: Path) -> str:
    """A path as a word of a unit's line."""
    text = _path(path).replace("$", "$$")
    if _PLAIN.match(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
