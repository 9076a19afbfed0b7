"""The tree of errors, each with the operator's next step in its message.

Standing in the flow: every room raises these, the command line prints them without a traceback.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


class WardenError(Exception):
    """Anything warden itself refuses to do; `str()` is one clear line for the operator."""

    exit_status = 3


class ConfigError(WardenError):
    """Settings, rules, routes or templates that cannot be used: the operator has to edit."""

    exit_status = 2

    def __init__(self, message: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults


class HiddenSecretError(ConfigError):
    """A secret that is there and that whoever asks may not read; the service may."""


class UsageError(WardenError):
    """A command called with arguments that make no sense together."""

    exit_status = 2


class SourceError(WardenError):
    """A feed that could not be read.

    Attributes:
        state: the named state of the source (see `warden.sources.protocol.SourceState`).
        retryable: whether the same request may succeed later without an operator's help.
    """

    def __init__(self, message: str, *, state: str = "unreachable", retryable: bool = True) -> None:
        super().__init__(message)
        self.state = state
        self.retryable = retryable


class StoreError(WardenError):
    """The database is missing, foreign, newer, locked or damaged."""


class ChannelError(WardenError):
    """A message that was not delivered.

    Attributes:
        permanent: the other side will never accept it (the delivery goes to `dead` at once).
        retry_after_s: the pause the other side asked for, in seconds, if it did.
    """

    def __init__(
        self, message: str, *, permanent: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing an operator must mend, at its place in a file.

    Attributes:
        path: the file as the operator named it (relative where it was given so).
        line, column: 1-based; 0 where the fault belongs to the whole file.
        code: a documented code such as `WR012`.
        message: one line: what is wrong and what to do.
        severity: an error stops the file from being used, a warning does not.
        source_line: the text of that line, for the caret display.
    """

    path: str
    line: int
    column: int
    code: str
    message: str
    severity: Literal["error", "warning"] = "error"
    source_line: str = ""

    def one_line(self) -> str:
        """`path:line:column: CODE message`, the form editors understand."""
        return f"{self.path}:{self.line}:{self.column}: {self.code} {self.message}"
