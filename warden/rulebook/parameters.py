"""A kind's own parameters: validated by the kind's model, its errors put back at their places.

Standing in the flow: a part of `rules`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from warden.engine.kinds.base import Kind
from warden.model.located import Node, did_you_mean, shown
from warden.rulebook.shapes import Reader, one_line


class ParametersReader:
    """Reads what a rule says to its kind."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._faults = reader.faults

    def read(self, node: Node, kind: Kind) -> Any:
        """The frozen parameters, None after a fault."""
        own_keys = kind.keys
        entries = {key.text: value.data() for key, value in node.entries if key.text in own_keys}
        try:
            return kind.Parameters.model_validate(entries)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False)
            for problem in problems:
                if problem["type"] != "too_short" or not _within(problem["loc"], problems):
                    self._fault(node, kind, dict(problem))
            return None

    def _fault(self, node: Node, kind: Kind, problem: dict[str, Any]) -> None:
        path = tuple(problem["loc"])
        what = ".".join(step for step in path if isinstance(step, str))
        message = str(problem["msg"]).removeprefix("Value error, ")
        where = node.at(path)
        bare = where.kind == "scalar" and isinstance(where.value, int | float)
        if problem["type"] == "missing":
            self._faults.error(
                where, "WR011", f"a rule of the kind '{kind.name}' needs the key '{what}'"
            )
        elif problem["type"] == "extra_forbidden":
            holder = node.at(path[:-1])
            key = holder.key(str(path[-1])) or holder
            allowed = _allowed(kind.Parameters, path[:-1])
            self._reader.unknown_key(key, str(path[-2]) if path[1:] else "the rule", allowed, {})
        elif problem["type"] == "too_short":
            self._faults.error(where, "WR014", f"{what} is an empty list")
        elif problem["type"] in ("literal_error", "enum"):
            self._faults.error(where, "WR013", _literal_message(where, what, message))
        elif "duration" in message or "whole days" in message:
            if bare:
                message = f"{where.text} has no unit; write {where.text}d for days"
            self._faults.error(where, "WR017", f"{what}: {one_line(message)}")
        elif problem["type"].startswith(("greater_than", "less_than")):
            self._faults.error(where, "WR016", f"{what}: {one_line(message)}")
        else:
            prefix = f"{what}: " if what else ""
            self._faults.error(where, "WR036", f"{prefix}{one_line(message)}")


def _within(path: tuple[int | str, ...], problems: Sequence[ErrorDetails]) -> bool:
    """Whether something is wrong further down: what is left out there leaves a list empty."""
    return any(p["loc"][: len(path)] == path and len(p["loc"]) > len(path) for p in problems)


def _allowed(model: Any, path: tuple[str | int, ...]) -> tuple[str, ...]:
    """The keys of the model that stands at a path within the parameters."""
    for step in path:
        annotation = model.model_fields[step].annotation if step in model.model_fields else None
        nested = [annotation, *getattr(annotation, "__args__", ())]
        model = next((n for n in nested if hasattr(n, "model_fields")), None)
        if model is None:
            return ()
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _literal_message(node: Node, what: str, message: str) -> str:
    choices = re.findall(r"'([^']*)'", message)
    text = node.text if node.kind == "scalar" else node.describe()
    hint = did_you_mean(text, choices) or f"; use one of {', '.join(choices)}"
    return f"{shown(text)} is not a value of {what}{hint}"
