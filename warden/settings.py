"""Settings: one object, from `warden.yaml` and the environment, checked as a whole before use.

Standing in the flow: the shell loads these once; rooms are handed what they need, never this.
Every fault of the file is found at once and told with its place; secrets are named here and read
only when something needs them.
"""

from __future__ import annotations

import json
import os
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import time, timedelta
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from warden.errors import ConfigError, Fault, HiddenSecretError
from warden.model.duration import parse_days
from warden.model.located import FaultList, did_you_mean
from warden.notify.channels.email.settings import SecretName, SmtpSettings
from warden.regular import open_regular
from warden.rulebook.reading import read_file
from warden.secrecy import hide

PREFIX = "WARDEN_"
NOT_SETTINGS = ("WARDEN_CONFIG",)  # read by the shell itself
SECRET_PREFIX = "WARDEN_SECRET_"  # noqa: S105  # the name of variables, not a secret
DEFAULT_FILES = (Path("warden.yaml"), Path("/etc/warden/warden.yaml"))
_PATHS = ("database", "rules", "templates", "secrets_dir", "socket", "cache_dir", "borders")

_HIGHEST_PORT = 65_535
_SECRET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}\Z")
FOREVER = "forever"
_SECTION_PATHS = ("path", "ca_file", "dir")  # of a source, the mail server, or backups


class Section(BaseModel):
    """A part of the settings: frozen, and an unknown key in it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Console(Section):
    """Where warden answers over HTTP: metrics and signs of life."""

    listen: str = "127.0.0.1:8470"

    @field_validator("listen")
    @classmethod
    def _an_address(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        good = port.isascii() and port.isdigit() and int(port) <= _HIGHEST_PORT
        if not host or not good or any(char.isspace() or char == "/" for char in host):
            raise ValueError("write an address and a port, such as 127.0.0.1:8470")
        return value

    @property
    def address(self) -> tuple[str, int]:
        """The host, without brackets, and the port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


class Heartbeat(Section):
    """A dead man's switch: a URL that is called while all is well.

    Attributes:
        url: the address, or `{secret: NAME}` where knowing it is enough to call it.
    """

    url: str | SecretName
    every: timedelta = timedelta(minutes=5)

    @field_validator("every", mode="before")
    @classmethod
    def _duration(cls, value: object) -> timedelta:
        from warden.sources.schedule import parse_every  # noqa: PLC0415  imports every source

        every = parse_every(value)
        if every is None:
            raise ValueError("write a number with s, m, h or d, such as 5m")
        return every

    @field_validator("url", mode="before")
    @classmethod
    def _callable(cls, value: object) -> object:
        if isinstance(value, dict) and list(value) == ["secret"]:
            value = value["secret"]
            if isinstance(value, str):
                return SecretName(secret=value)
        elif isinstance(value, SecretName) or (isinstance(value, str) and _can_be_called(value)):
            return value
        raise ValueError(f"must be {_AN_ADDRESS}, or {{secret: NAME}}")

    def address(self, secrets: Secrets) -> str:
        """The URL itself.

        Raises:
            ConfigError: the secret is not set, or holds none.
        """
        if isinstance(self.url, str):
            return self.url
        found = secrets.require(self.url.secret).get_secret_value().strip()
        if not _can_be_called(found):
            raise ConfigError(f"the secret '{self.url.secret}' must hold {_AN_ADDRESS}")
        return found


_AN_ADDRESS = "an https: (or http:) address without a user or password"


def _can_be_called(url: str) -> bool:
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and parts.hostname and not parts.username
        good = good and parts.port != 0  # raises, too, for one that is none
    except ValueError:
        return False
    return bool(good) and url.isascii() and url.isprintable() and " " not in url


class Backup(Section):
    """Nightly copies of the database.

    Attributes:
        dir: the folder; default `backups` beside the database. keep: how many; 0 makes none.
        at: the hour from which on today's is made, in the settings' time zone.
    """

    dir: Path | None = None
    keep: int = Field(default=7, ge=0, le=3_650)
    at: str = "03:00"

    @field_validator("at")
    @classmethod
    def _hour(cls, value: str) -> str:
        try:
            time.fromisoformat(value)
        except ValueError:
            raise ValueError("write an hour of the day, such as 03:00") from None
        return value


class Retention(Section):
    """How long the database keeps what it can do without; None: for ever.

    Attributes:
        raw: rows as the sources served them. rejects: rows that could not be read, since they
            were last served. texts: the bodies of messages that all recipients have taken.
    """

    raw: timedelta | None = timedelta(days=365)
    rejects: timedelta | None = timedelta(days=365)
    texts: timedelta | None = timedelta(days=365)

    @field_validator("raw", "rejects", "texts", mode="before")
    @classmethod
    def _so_long(cls, value: object) -> timedelta | None:
        if value == FOREVER:
            return None
        if not isinstance(value, str):
            raise ValueError(f"write whole days, weeks or years, such as 90d or 2y, or {FOREVER}")  # noqa: TRY004  pydantic's
        days = parse_days(value)
        if not days:
            raise ValueError(f"at least one day, or {FOREVER}")
        return timedelta(days=days)


class Settings(BaseSettings):
    """All settings.

    Attributes:
        database: the SQLite file. rules, templates: folders; None = the ones that come with
            warden. secrets_dir: a folder of files, one a secret.
        socket: the daemon's control socket; default beside the database, or
            /run/warden/warden.sock when the settings are the machine's (/etc/warden).
        cache_dir: where extracted borders are kept between starts.
        borders: a folder of GeoJSON that overrides country outlines.
        time_zone: of calendar periods and, unless a receiver says otherwise, of messages.
        sources: one mapping a feed: `name`, `kind`, and what that kind of feed takes.
        path: the file these came from, None without one.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        populate_by_name=True,
    )

    database: Path = Path("warden.db")
    rules: Path | None = None
    templates: Path | None = None
    secrets_dir: Path | None = None
    socket: Path | None = None
    cache_dir: Path | None = None
    borders: Path | None = None
    time_zone: str = "UTC"
    sources: tuple[dict[str, Any], ...] = ()
    smtp: SmtpSettings = SmtpSettings()
    console: Console | None = None
    heartbeat: Heartbeat | None = None
    backup: Backup = Backup()
    retention: Retention = Retention()
    public_url: str = ""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    path: Path | None = Field(default=None, exclude=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, which is handed in as keyword arguments."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        known = available_timezones()
        if zone not in known:
            raise ValueError(f"no time zone '{zone}'{did_you_mean(zone, known)}")
        return zone

    @property
    def control_socket(self) -> Path:
        """Where the daemon of these settings listens for commands."""
        if self.socket is not None:
            return self.socket
        if self.path is not None and self.path.parent == Path("/etc/warden"):
            return Path("/run/warden/warden.sock")
        return self.database.with_name(self.database.name + ".sock")

    @property
    def backup_dir(self) -> Path:
        """Where nightly backups go."""
        return self.backup.dir or self.database.absolute().parent / "backups"

    @property
    def rules_dir(self) -> Path:
        """The rules: as set, else `rules` beside the settings or here, else warden's own."""
        if self.rules is not None:
            return self.rules
        beside = self.path.parent / "rules" if self.path is not None else Path("rules")
        for candidate in (beside, Path("rules")):
            if candidate.is_dir():
                return candidate
        return shipped("rules")

    @property
    def templates_dir(self) -> Path | None:
        """The operator's own templates, None where the shipped ones serve alone."""
        return self.templates

    @property
    def cache(self) -> Path:
        """Where extracted borders are kept: the service's cache, else the user's."""
        if self.cache_dir is not None:
            return self.cache_dir
        service = os.environ.get("CACHE_DIRECTORY", "").split(":")[0]
        if service:
            return Path(service)
        home = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
        return Path(home) / "warden"

    @property
    def secrets(self) -> Secrets:
        """The way to secrets by name."""
        return Secrets(self.secrets_dir)


def shipped(name: str) -> Path:
    """Find what comes with warden: in the installed package, else in the source tree."""
    package = Path(__file__).parent
    inside = package / "share" / name
    return inside if inside.is_dir() else package.parent / name


# --- secrets ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Secrets:
    """Reads secrets by name: the service manager's credentials, a folder, the environment."""

    directory: Path | None = None

    def get(self, name: str) -> SecretStr | None:
        """Read one, without its trailing newline; None where it is nowhere, or empty."""
        for path in self._files(secret_name(name)):
            try:
                with TextIOWrapper(open_regular(path), encoding="utf-8") as stream:
                    text = stream.read()
            except FileNotFoundError:
                continue
            except PermissionError:
                raise HiddenSecretError(
                    f"secret '{name}' is looked for in {path}, which you may not read:"
                    " only who may can tell whether it is set"
                ) from None
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(f"secret '{name}' cannot be read from {path}: {error}") from None
            if text.strip("\r\n"):
                return _secret(text)
        text = os.environ.get(SECRET_PREFIX + name) or os.environ.get(
            SECRET_PREFIX + name.upper().replace("-", "_").replace(".", "_"), ""
        )
        return _secret(text) if text.strip("\r\n") else None

    def require(self, name: str) -> SecretStr:
        """Read one; say where it was looked for when it is nowhere."""
        found = self.get(name)
        if found is None:
            places = [str(path) for path in self._files(name)]
            places.append(f"the variable {SECRET_PREFIX}{name}")
            raise ConfigError(f"secret '{name}' is not set; looked in {', '.join(places)}")
        return found

    def _files(self, name: str) -> Iterator[Path]:
        credentials = os.environ.get("CREDENTIALS_DIRECTORY", "")
        if credentials:
            yield Path(credentials) / name
        if self.directory is not None:
            yield self.directory / name


def secret_name(name: str) -> str:
    """The name, if a secret can have it: a path would lead anywhere.

    Raises:
        ConfigError: it cannot.
    """
    if not _SECRET_NAME.match(name):
        raise ConfigError(f"'{name[:40]}' is no name of a secret: letters, digits, _ - .")
    return name


def _secret(text: str) -> SecretStr:
    """Take one into use: from now on no log, command or reason tells it."""
    secret = text.rstrip("\r\n")
    hide(secret, secret.strip())
    return SecretStr(secret)


# --- loading ----------------------------------------------------------------------------------


def find_file(config: Path | None) -> Path | None:
    """Find the settings file: as given, `$WARDEN_CONFIG`, ./warden.yaml, /etc/warden."""
    named = config or (
        Path(os.environ["WARDEN_CONFIG"]) if os.environ.get("WARDEN_CONFIG") else None
    )
    if named is not None:
        if not named.is_file():
            raise ConfigError(f"no settings file {named}")
        return named
    return next((path for path in DEFAULT_FILES if path.is_file()), None)


def load(
    config: Path | None = None, *, rules: Path | None = None, database: Path | None = None
) -> Settings:
    """Load the settings; `rules` and `database` win over file and environment.

    Raises:
        ConfigError: with every fault of the file and the environment at once.
    """
    path = find_file(config)
    document = _Document(path)
    halves = [*_half_characters()]
    if halves:  # nothing that checks values can tell of these
        _refuse(path, [*document.faults, *halves])
    faults = list(document.faults) + list(_environment_faults())
    data = document.data if isinstance(document.data, dict) else {}
    if document.data is not None and not isinstance(document.data, dict) and not faults:
        faults.append(document.fault((), "WR010", "settings are a mapping of keys to values"))
    if path is not None:
        data = _absolute(data, path.parent)
    try:
        settings = Settings(**{**{str(k): v for k, v in data.items() if k != "path"}, "path": path})
    except ValidationError as error:
        faults += [
            _fault(document, Settings, item, ())
            for item in error.errors()
            if not _only_in_environment(item, data)
        ]
    except SettingsError as error:
        faults.append(Fault("environment", 0, 0, "WR060", " ".join(str(error).split())))
    if isinstance(document.data, dict) and "path" in document.data:
        faults.append(document.fault(("path",), "WR012", "unknown key 'path'"))
    if faults:
        _refuse(path, faults)
    given = {"rules": rules, "database": database}
    return settings.model_copy(update={k: v for k, v in given.items() if v is not None})


def _refuse(path: Path | None, faults: list[Fault]) -> None:
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    raise ConfigError(
        f"{count} in the settings ({path or 'environment'})", tuple(sorted(set(faults)))
    )


def source_settings(
    settings: Settings, kinds: Mapping[str, tuple[type[BaseModel], Any]]
) -> list[BaseModel]:
    """Check each entry of `sources:` against its kind's own model.

    Raises:
        ConfigError: with every fault of every source.
    """
    document = _Document(settings.path)
    faults: list[Fault] = []
    found: list[BaseModel] = []
    names: dict[str, int] = {}
    for number, entry in enumerate(settings.sources):
        place = ("sources", number)
        kind = str(entry.get("kind", ""))
        if kind not in kinds:
            hint = did_you_mean(kind, kinds)
            faults.append(
                document.fault(
                    (*place, "kind"),
                    "WR010",
                    f"no kind of source '{kind}'{hint}; there are {', '.join(sorted(kinds))}",
                )
            )
            continue
        model = kinds[kind][0]
        try:
            found.append(model.model_validate(entry))
        except ValidationError as error:
            faults += [_fault(document, model, item, place) for item in error.errors()]
        name = str(entry.get("name", ""))
        if name in names:
            faults.append(
                document.fault((*place, "name"), "WR010", f"two sources are named '{name}'")
            )
        names[name] = number
    if faults:
        _refuse(settings.path, faults)
    return found


def named_secrets(settings: Settings) -> list[tuple[tuple[Any, ...], str]]:
    """The secrets that the mail server, the heartbeat and sources name, each with its place."""
    named: list[tuple[tuple[Any, ...], str]] = []
    if settings.smtp.password is not None:
        named.append((("smtp", "password"), settings.smtp.password.secret))
    if settings.heartbeat is not None and isinstance(settings.heartbeat.url, SecretName):
        named.append((("heartbeat", "url"), settings.heartbeat.url.secret))
    for number, entry in enumerate(settings.sources):
        for key, value in entry.items():
            name = value.get("secret") if isinstance(value, dict) and len(value) == 1 else None
            if isinstance(name, str):
                named.append((("sources", number, key), name))
    return named


def secret_faults(settings: Settings) -> list[Fault]:
    """A fault for each secret that the mail server or a source names and that is not set."""
    document = _Document(settings.path)
    faults: list[Fault] = []
    for loc, name in named_secrets(settings):
        try:
            settings.secrets.require(name)
        except HiddenSecretError as error:
            fault = document.fault(loc, "WR061", str(error))
            faults.append(replace(fault, severity="warning"))
        except ConfigError as error:
            faults.append(document.fault(loc, "WR061", str(error)))
    return faults


def _absolute(data: dict[Any, Any], folder: Path) -> dict[Any, Any]:
    """Make the file's relative paths relative to the file's folder."""
    out = dict(data)
    for key in _PATHS:
        if isinstance(out.get(key), str):
            out[key] = str(folder / Path(out[key]).expanduser())
    for section in ("smtp", "backup"):
        if section in out:
            out[section] = _absolute_in(out[section], folder)
    if isinstance(out.get("sources"), list):
        out["sources"] = [_absolute_in(entry, folder) for entry in out["sources"]]
    return out


def _absolute_in(section: Any, folder: Path) -> Any:
    if not isinstance(section, dict):
        return section
    return {
        key: str(folder / Path(value).expanduser())
        if key in _SECTION_PATHS and isinstance(value, str)
        else value
        for key, value in section.items()
    }


# --- faults -----------------------------------------------------------------------------------


class _Document:
    """A settings file as data, and the place of each of its values."""

    def __init__(self, path: Path | None) -> None:
        self.shown = str(path) if path is not None else "environment"
        found = FaultList()
        self._root = read_file(path, self.shown, found) if path is not None else None
        self.faults = found.sorted()
        self.data: Any = self._root.data() if self._root is not None else None

    def fault(self, loc: tuple[Any, ...], code: str, message: str) -> Fault:
        """Make a fault at the deepest place of `loc` that the file has."""
        if self._root is None:
            return Fault(self.shown, 0, 0, code, message)
        node = self._root.at(loc)
        if loc and node.kind == "scalar":
            node = self._root.at(loc[:-1]).key(str(loc[-1])) or node
        return Fault(
            self.shown, node.line, node.column, code, message, source_line=node.file.line(node.line)
        )


def _fault(
    document: _Document, model: type[BaseModel], item: Any, prefix: tuple[Any, ...]
) -> Fault:
    """Turn one of pydantic's errors into a fault at its place."""
    loc = tuple(item["loc"])
    message = item["msg"].removeprefix("Value error, ")
    code = "WR010"
    if item["type"] == "extra_forbidden":
        code = "WR012"
        known = _keys_at(model, loc[:-1])
        where = f" in {loc[-2]}" if len(loc) > 1 else ""
        message = f"unknown key '{loc[-1]}'{where}{did_you_mean(str(loc[-1]), known)}"
    elif item["type"] == "missing":
        code = "WR011"
        message = f"'{loc[-1]}' is missing"
        loc = loc[:-1]
    elif loc:
        message = f"{'.'.join(map(str, loc))}: {message[:1].lower()}{message[1:]}"
    variable = PREFIX + "__".join(str(part).upper() for part in (*prefix, *loc))
    if code != "WR012" and variable in {name.upper() for name in os.environ}:
        return Fault(variable, 0, 0, "WR060", message)
    return document.fault((*prefix, *loc), code, message)


def _only_in_environment(item: Any, data: Any) -> bool:
    """Whether an unknown key came from a variable, which has a fault of its own already."""
    if item["type"] != "extra_forbidden":
        return False
    for part in item["loc"]:
        if not isinstance(data, dict) or part not in data:
            return True
        data = data[part]
    return False


def _keys_at(model: type[BaseModel], loc: tuple[Any, ...]) -> list[str]:
    """Name the keys that are allowed at a place of a model."""
    found: type[BaseModel] | None = model
    for part in loc:
        found = _section_of(found, part) if found is not None else None
    if found is None:
        return []
    return [
        field.alias or name
        for name, field in found.model_fields.items()
        if name != "path" or found is not Settings
    ]


def _section_of(model: type[BaseModel], key: Any) -> type[BaseModel] | None:
    for name, field in model.model_fields.items():
        if key in (name, field.alias):
            return next((kind for kind in _models_in(field.annotation)), None)
    return None


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _models_in(part)


def _environment_faults() -> Iterator[Fault]:
    """Find variables that mean to set something and set nothing."""
    known = sorted(_variables(Settings, PREFIX))
    for name in sorted(os.environ):
        if not name.upper().startswith(PREFIX) or name in NOT_SETTINGS:
            continue
        if name.startswith(SECRET_PREFIX) or name.upper() in known:
            continue
        hint = did_you_mean(name.upper(), [*known, *NOT_SETTINGS])
        yield Fault("environment", 0, 0, "WR060", f"the variable {name} names no setting{hint}")


def _half_characters() -> Iterator[Fault]:
    """Find variables whose text, or what its JSON stands for, is not Unicode."""
    for name, value in sorted(os.environ.items()):
        if not name.upper().startswith(PREFIX):
            continue
        try:
            f"{name}={value}".encode()
            json.dumps(json.loads(value), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            shown = name.encode(errors="backslashreplace").decode()
            message = f"the variable {shown} is not UTF-8, or holds half a character"
            yield Fault("environment", 0, 0, "WR060", message)
        except (ValueError, RecursionError):  # no JSON: most are none
            continue


def _variables(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if model is Settings and name == "path":
            continue
        variable = prefix + (field.alias or name).upper()
        yield variable
        for section in _models_in(field.annotation):
            yield from _variables(section, variable + "__")
