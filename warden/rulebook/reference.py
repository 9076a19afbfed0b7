"""The generated tables of docs/rules.md: keys, kinds and fault codes, from the code itself.

Standing in the flow: run by hand or by `make docs`; a test fails when the page is stale.

    python -m warden.rulebook.reference docs/rules.md
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from warden.engine.facts import EVENT_NAMES, WINDOW_NAMES
from warden.engine.kinds import KINDS
from warden.engine.kinds.base import Kind, Measure
from warden.model.faultcodes import CODES
from warden.model.rule import By
from warden.rulebook import language as lang

_SECTION: Final = re.compile(
    r"(<!-- begin generated: ([a-z-]+) -->\n).*?(<!-- end generated -->)", re.DOTALL
)


def refreshed(page: str, kinds: Mapping[str, Kind] = KINDS) -> str:
    """The page with every generated section made anew."""
    sections: dict[str, Callable[[], str]] = {
        "rule": lambda: _table(lang.RULE_KEYS),
        "where": lambda: _table(lang.WHERE_KEYS),
        "text-tests": lambda: _table(lang.TEXT_TEST_KEYS),
        "bounds": lambda: _table(lang.BOUND_KEYS),
        "actor": lambda: _table(lang.ACTOR_KEYS),
        "near": lambda: _table(lang.NEAR_KEYS),
        "border": lambda: _table(lang.BORDER_KEYS),
        "inside": lambda: _table(lang.INSIDE_KEYS),
        "update-when": lambda: _table(lang.UPDATE_KEYS),
        "groups": lambda: _table(lang.GROUP_KEYS),
        "aliases": lambda: _table(lang.ALIAS_KEYS),
        "places": lambda: _table(lang.PLACE_KEYS),
        "lines": lambda: _table(lang.LINE_KEYS),
        "areas": lambda: _table(lang.AREA_KEYS),
        "names": _names,
        "choices": _choices,
        "kinds": lambda: _kinds(kinds.values()),
        "codes": _codes,
    }
    return _SECTION.sub(lambda match: f"{match[1]}{sections[match[2]]()}\n{match[3]}", page)


def _table(keys: Mapping[str, lang.Key]) -> str:
    rows = ["| key | meaning |", "|---|---|"]
    for name, key in keys.items():
        needed = " (needed)" if key.required else ""
        rows.append(f"| `{name}`{needed} | {_cell(key.meaning)} |")
    return "\n".join(rows)


def _names() -> str:
    rows = [
        "| rules of | names |",
        "|---|---|",
        f"| every kind | {_listed(sorted(EVENT_NAMES))} |",
        f"| every kind but `event`, also | {_listed(sorted(WINDOW_NAMES - EVENT_NAMES))} |",
    ]
    return "\n".join(rows)


def _choices() -> str:
    rows = [
        "| key | one of |",
        "|---|---|",
        f"| `measure`, `measures` | {_listed(get_args(Measure))} |",
        f"| `by` (or a list of them) | {_listed(get_args(By))} |",
    ]
    return "\n".join(rows)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _kinds(kinds: Iterable[Kind]) -> str:
    return "\n\n".join(_kind(kind) for kind in kinds)


def _kind(kind: Kind) -> str:
    parts = [f"### `{kind.name}`", kind.reference.strip()]
    fields = kind.Parameters.model_fields
    if fields:
        parts.append("\n".join(["| key | meaning |", "|---|---|", *_parameters(fields)]))
    parts.append(f"```yaml\n{kind.example.strip()}\n```")
    return "\n\n".join(parts)


def _parameters(fields: Mapping[str, FieldInfo], prefix: str = "") -> list[str]:
    rows = []
    for name, field in fields.items():
        needed = " (needed)" if field.is_required() else ""
        meaning = _cell(f"{field.description or ''}{_values(field)}")
        rows.append(f"| `{prefix}{field.alias or name}`{needed} | {meaning} |")
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            told = {key: one for key, one in inner.model_fields.items() if one.description}
            rows += _parameters(told, f"{prefix}{field.alias or name}.")
    return rows


def _values(field: FieldInfo) -> str:
    """The words that a key may take, and what it is when it is not said."""
    closed: Any = field.annotation if get_origin(field.annotation) is Literal else None
    named = f": {_listed(get_args(closed))}" if closed not in (None, Measure) else ""
    default = field.default
    usual = f"; default `{default}`" if isinstance(default, str | int | float) else ""
    return f"{named}{usual}"


def _codes() -> str:
    rows = ["| code | meaning | what to do |", "|---|---|---|"]
    rows += [
        f"| {code.code} | {_cell(code.meaning)} | {_cell(code.remedy)} |"
        for _, code in sorted(CODES.items())
    ]
    return "\n".join(rows)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main(paths: Iterable[str]) -> None:
    """Rewrite the generated sections of the pages named."""
    for path in map(Path, paths):
        path.write_text(refreshed(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
