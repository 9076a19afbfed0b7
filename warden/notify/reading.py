"""Reads single values of `routes.yaml` and gathers faults, each at its place.

Standing in the flow: between the located nodes that `rulebook` hands over and the frozen routes.
Every function answers None after adding a fault, so that the caller goes on and finds the next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from warden.errors import ConfigError, HiddenSecretError
from warden.model.located import FaultList, Node, did_you_mean, shown

MAX_TEXT = 2_000


class Reader:
    """Reads values and gathers faults.

    Attributes:
        faults: where they are gathered.
        read_secret: tries a secret by name and raises `ConfigError` where it is not set; None
            takes the names as they are.
    """

    def __init__(
        self, faults: FaultList, read_secret: Callable[[str], object] | None = None
    ) -> None:
        self.faults = faults
        self.read_secret = read_secret

    def mapping(
        self,
        node: Node,
        what: str,
        allowed: Collection[str],
        *,
        required: Collection[str] = (),
        later: Mapping[str, str] | None = None,
        instead: Mapping[str, str] | None = None,
    ) -> dict[str, Node] | None:
        """The entries of a mapping; unknown keys are faults and left out.

        `later` names keys that are planned, `instead` those that another way has replaced: they
        are refused with their own sentence.
        """
        if node.kind != "mapping":
            self.wrong(node, what, "a mapping")
            return None
        found: dict[str, Node] = {}
        for key, value in node.entries:
            if key.text in allowed:
                found[key.text] = value
            elif later and key.text in later:
                self.faults.error(
                    key, "WR079", f"'{key.text}' is not yet supported: {later[key.text]}"
                )
            elif instead and key.text in instead:
                self.faults.error(
                    key, "WR012", f"there is no '{key.text}' in {what}: {instead[key.text]}"
                )
            else:
                self.faults.error(
                    key,
                    "WR012",
                    f"unknown key {shown(key.text)} in {what}{did_you_mean(key.text, allowed)}",
                )
        for name in required:
            if name not in found:
                self.faults.error(node, "WR011", f"{what} needs the key '{name}'")
        return found

    def items(self, node: Node, what: str) -> tuple[Node, ...]:
        """The members of a list that may not be empty."""
        if node.kind != "list":
            self.wrong(node, what, "a list")
            return ()
        if not node.items:
            self.faults.error(node, "WR014", f"{what} is an empty list")
        return node.items

    def one_or_more(self, node: Node, what: str) -> tuple[Node, ...]:
        """The members of a list; anything else is a list of one."""
        return self.items(node, what) if node.kind == "list" else (node,)

    def text(self, node: Node, what: str) -> str | None:
        """A text; numbers are taken as they are written."""
        if node.kind != "scalar" or node.value is None or isinstance(node.value, bool):
            self.wrong(node, what, "a text")
            return None
        text = node.value if isinstance(node.value, str) else node.text
        if not text.strip():
            self.faults.error(node, "WR014", f"{what} is an empty text")
            return None
        if len(text) > MAX_TEXT:
            self.faults.error(node, "WR016", f"{what} is longer than {MAX_TEXT:,} characters")
            return None
        return text.strip()

    def flag(self, node: Node | None, what: str, *, default: bool) -> bool:
        """True or false."""
        if node is None:
            return default
        if not isinstance(node.value, bool):
            self.wrong(node, what, "true or false")
            return default
        return node.value

    def choice(self, node: Node, what: str, choices: Collection[str]) -> str | None:
        """One of a closed list of texts."""
        text = self.text(node, what)
        if text is None or text in choices:
            return text
        hint = did_you_mean(text, choices) or f"; use one of {', '.join(choices)}"
        self.faults.error(node, "WR013", f"{shown(text)} is not a value of {what}{hint}")
        return None

    def seconds(self, node: Node, what: str, *, most: float) -> float | None:
        """A short duration such as `30s`, `5m`, `2h`, in seconds."""
        text = self.text(node, what)
        if text is None:
            return None
        units = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
        number, unit = text[:-1], text[-1:]
        if not (number.isascii() and number.isdigit() and unit in units and len(number) < 8):  # noqa: PLR2004
            self.faults.error(
                node, "WR080", f"{what} must be a duration such as '30s' or '5m', not {shown(text)}"
            )
            return None
        value = int(number) * units[unit]
        if value > most:
            self.faults.error(node, "WR080", f"{what} is more than {most:g} seconds")
            return None
        return value

    def secret(self, node: Node, what: str) -> str | None:
        """The name in `{secret: NAME}`; a secret itself never stands in a rule file."""
        if node.kind != "mapping":
            self.faults.error(
                node, "WR073", f"{what} is a secret: write {{secret: NAME}} and keep it in a file"
            )
            return None
        found = self.mapping(node, what, ("secret",), required=("secret",))
        name = self.text(found["secret"], "secret") if found and "secret" in found else None
        if name is not None and self.read_secret is not None:
            try:
                self.read_secret(name)
            except HiddenSecretError as error:
                self.faults.warning(node, "WR061", str(error))
            except ConfigError as error:
                self.faults.error(node, "WR061", str(error))
        return name

    def wrong(self, node: Node, what: str, wanted: str) -> None:
        """Say that a value is of the wrong kind."""
        said = node.describe() if what != "secret" else f"a {node.kind}"
        self.faults.error(node, "WR010", f"{what} must be {wanted}, not {said}")
