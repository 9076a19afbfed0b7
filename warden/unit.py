"""The service unit for this installation: the shipped one with this warden, settings and user.

Standing in the flow: beside it, for `warden systemd`. What the service manager has to hand over
(secrets) and to leave writable (folders) is read from the settings and the routes.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from warden.app import App, refused
from warden.errors import UsageError
from warden.settings import Settings, named_secrets, secret_name, shipped
from warden.sources.file import FileSettings

_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}\Z")
_STATE = Path("/var/lib/warden")
_OWN = (_STATE, Path("/var/cache/warden"), Path("/run/warden"))  # what the shipped unit gives it
_HIDDEN = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # noqa: S108
_PLAIN = re.compile(r"[\w@+=:,./%-]+\Z", re.ASCII)
_CREDENTIALS = re.compile(r"(?m)(?:^(?:Load|Set)Credential=.*\n)+")


@dataclass(frozen=True, slots=True)
class Needs:
    """What an installation needs of the service manager.

    Attributes:
        secrets: the file of each secret that settings or routes name, by its name.
        state: the folder of the database. folders: others that warden writes to: backups, cache,
            socket, inboxes, receivers of files; none that lies within another or that the shipped
            unit makes writable.
    """

    secrets: tuple[tuple[str, Path], ...]
    state: Path
    folders: tuple[Path, ...]


def needs(app: App) -> Needs:
    """What the settings and the routes of an installation name.

    Raises:
        ConfigError: they have faults, so nobody knows what they name.
    """
    settings = app.settings
    names = {name for _, name in named_secrets(settings)}
    loaded, routing, faults = app.rules_and_routes(
        read_secret=lambda name: names.add(secret_name(name))
    )
    if loaded.ruleset is None or any(fault.severity == "error" for fault in faults):
        raise refused(settings.rules_dir, faults)
    state = _absolute(settings.database).parent
    targets = [target for receiver in routing.receivers.values() for target in receiver.targets]
    wanted = [
        settings.backup_dir,
        settings.control_socket.parent,
        *([settings.cache_dir] if settings.cache_dir is not None else []),
        *(one.path for one in app.source_settings if isinstance(one, FileSettings)),
        *(state / target.name for target in targets if target.channel == "file"),
    ]
    secrets = _secrets_folder(settings)
    return Needs(
        secrets=tuple((name, secrets / name) for name in sorted(names)),
        state=state,
        folders=_outermost(map(_absolute, wanted), beside=(*_OWN, state)),
    )


def service_unit(
    settings: Settings, needed: Needs, *, user: str = "warden", group: str | None = None
) -> str:
    """The unit's text.

    Raises:
        UsageError: no settings file, a user that cannot be one, or a path that no unit can hold.
    """
    config = settings.path
    if config is None:
        raise UsageError("a service needs a settings file; name it with --config")
    for name in (user, group or user):
        if not _USER.match(name):
            raise UsageError(f"'{name}' is no name of a user or group")
    text = (shipped("systemd") / "warden.service").read_text(encoding="utf-8")
    command = f"{_program()} run --config {_argument(_absolute(config))}"
    text = _set(text, "ExecStart", command)
    text = _set(_set(text, "User", user), "Group", group or user)
    if needed.state != _STATE:
        text = _set(text, "WorkingDirectory", _value(needed.state))
    lines = "".join(f"{line}\n" for line in _writable(needed))
    text = text.replace("\nUMask=", f"\n{lines}UMask=", 1)
    credentials = "".join(
        f"LoadCredential={name}:{_value(path)}\nSetCredential={name}:\\n\n"
        for name, path in needed.secrets
    )
    return _CREDENTIALS.sub(lambda _: credentials, text, count=1)


def _writable(needed: Needs) -> Iterator[str]:
    """What else than the shipped unit's own folders may be written to.

    A folder that is not there (`-`) must not keep the service from starting: warden names it.
    """
    if needed.state not in _OWN:
        yield "# The database is elsewhere."
        yield f"ReadWritePaths={_word(needed.state)}"
    if needed.folders:
        yield "# Inboxes, receivers of files, backups and the like that are elsewhere."
        yield from (f"ReadWritePaths={_word(folder, before='-')}" for folder in needed.folders)


def warnings(settings: Settings, needed: Needs) -> Iterator[str]:
    """What would keep the unit's warden from working, in sentences."""
    program = Path(sys.executable)
    if _is_hidden(program):
        yield f"{program.parent} is hidden from services; install warden into /opt/warden"
    read = (settings.path, settings.rules, settings.templates, settings.borders)
    for path in (*map(_absolute, filter(None, read)), needed.state, *needed.folders):
        if _is_hidden(path):
            yield f"{path} is hidden from services; move it, to /srv for example"
    for folder in (needed.state, *needed.folders):
        if folder not in _OWN and not folder.exists():
            yield f"{folder} is not there; make it, and let the service's user write to it"
    for name, path in needed.secrets:
        if not _is_there(path):
            yield f"secret '{name}' is not in {path}: the service starts without it"


def _secrets_folder(settings: Settings) -> Path:
    """Where the service manager finds the secrets: as set, else `secrets` beside the settings."""
    beside = settings.path.parent if settings.path is not None else Path()
    return _absolute(settings.secrets_dir or beside / "secrets")


def _outermost(folders: Iterable[Path], *, beside: Iterable[Path]) -> tuple[Path, ...]:
    """These folders without files and without what lies within another one or within `beside`."""
    found = {folder for folder in folders if not folder.is_file()}
    given = set(beside)
    return tuple(
        sorted(one for one in found if one not in given and not {*one.parents} & (found | given))
    )


def _is_hidden(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in _HIDDEN)


def _is_there(path: Path) -> bool:
    """Whether there is such a file; also where only root may look."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def _program() -> str:
    """This warden: the script beside this interpreter, else the interpreter with the module."""
    script = Path(sys.executable).parent / "warden"
    if script.is_file():
        return _word(script)
    return f"{_word(Path(sys.executable))} -m warden"


# --- as systemd reads it ----------------------------------------------------------------------


def _set(text: str, key: str, value: str) -> str:
    return re.sub(rf"(?m)^{key}=.*$", lambda _: f"{key}={value}", text, count=1)


def _absolute(path: Path) -> Path:
    """An absolute path without `..`, which systemd refuses."""
    absolute = path.absolute()
    return absolute.resolve() if os.pardir in absolute.parts else absolute


def _value(path: Path) -> str:
    """A path as a whole value, where nothing is quoted: `%` begins a specifier.

    Raises:
        UsageError: a line break, or a blank or backslash at its end, would not stay in the value.
    """
    text = str(path)
    if not text.isprintable() or text != text.strip() or text.endswith("\\"):
        raise UsageError(f"{text!r} cannot stand in a unit; move it, or give it another name")
    return text.replace("%", "%%")


def _word(path: Path, *, before: str = "") -> str:
    """A path as one word of a line, with what stands `before` it within the quotes."""
    text = before + _value(path)
    if _PLAIN.match(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _argument(path: Path) -> str:
    """A path as an argument of a command, where `$` begins a variable."""
    return _word(path).replace("$", "$$")
