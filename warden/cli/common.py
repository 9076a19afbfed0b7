"""What all commands share: the global options, output for people and for scripts, errors."""

from __future__ import annotations

import difflib
import gc
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from warden.errors import ConfigError, WardenError
from warden.model.instants import written
from warden.model.text import visible
from warden.secrecy import veiled

if TYPE_CHECKING:
    from warden.settings import Settings

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass
class Globals:
    """The options that may stand before or after the command's name."""

    config: Path | None = None
    rules: Path | None = None
    database: Path | None = None

    def settings(self) -> Settings:
        """Read the settings: file, environment, these options on top."""
        from warden.settings import load

        gc.enable()  # `root.run` paused it while modules were read in
        return load(self.config, rules=self.rules, database=self.database)


class Family(click.Group):
    """A command with commands of its own; a misspelt one is told with the one perhaps meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of the family."""
        name = args[0] if args else ""
        if name in self.commands or name.startswith("-"):
            return super().resolve_command(ctx, args)
        near = difflib.get_close_matches(name, self.commands, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else f"; there are {', '.join(self.commands)}"
        raise click.UsageError(f"no command '{ctx.info_name} {name}'{hint}")


def _remember(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:
    found = ctx.ensure_object(Globals)
    if value is not None and param.name is not None:
        setattr(found, param.name, value)


def global_options(command: _Command) -> _Command:
    """Add `--config`, `--rules` and `--database`; the last given wins."""
    for name, metavar, help_text in (
        ("--database", "FILE", "The database, instead of the settings' one."),
        ("--rules", "DIR", "The rules, instead of the settings' ones."),
        ("--config", "FILE", "Settings; by default ./warden.yaml or /etc/warden/warden.yaml."),
    ):
        command = click.option(
            name,
            metavar=metavar,
            help=help_text,
            expose_value=False,
            callback=_remember,
            type=click.Path(path_type=Path),
        )(command)
    return command


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


def example(text: str) -> str:
    """Format the example that ends a command's help."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in text.strip().splitlines())


def tell(text: str = "", *, err: bool = False) -> None:
    """Print lines for people: nothing in them that a terminal obeys, and no secret."""
    click.echo(veiled(visible(text, keep="\n\t")), err=err)


def show_error(error: WardenError | str) -> None:
    """Print what is wrong on stderr: one line, or all faults with their places."""
    faults = error.faults if isinstance(error, ConfigError) else ()
    for line in render(faults):
        tell(line, err=True)
    tell(f"warden: {error}", err=True)


def render(faults: Sequence[Any]) -> list[str]:
    """Print faults as an editor understands them, with the source line and a caret."""
    if not faults:
        return []
    from warden.rulebook import render_faults

    return render_faults(faults).splitlines()


def print_json(row: Mapping[str, Any]) -> None:
    """Print one JSON object on one line of stdout."""
    text = json.dumps(row, ensure_ascii=False, default=written, allow_nan=False)
    if not text.isprintable():  # JSON lets stand what terminals obey: CSI, bidi overrides
        text = "".join(char if visible(char) == char else json.dumps(char)[1:-1] for char in text)
    sys.stdout.write(veiled(text) + "\n")


def print_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print rows as aligned columns; numbers stand right."""
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    numeric = [
        bool(cells) and all(_is_number(line[i]) for line in cells) for i in range(len(columns))
    ]
    widths = [
        max(len(name), *(len(line[i]) for line in cells)) if cells else len(name)
        for i, name in enumerate(columns)
    ]
    for line in [list(columns), *cells]:
        parts = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ]
        tell("  ".join(parts).rstrip())


def _is_number(text: str) -> bool:
    return text == "" or text.lstrip("-").replace(".", "", 1).isdigit()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, Mapping):
        return _cell(", ".join(f"{k}={v}" for k, v in value.items()))
    if isinstance(value, list | tuple):
        return _cell(", ".join(map(str, value)))
    return visible(written(value).replace("\n", " "))


def say_rejected(rows: int) -> None:
    """Tell how many rows of files are missing from what was found, if any are."""
    if rows:
        say(
            "1 row could not be read and is left out"
            if rows == 1
            else f"{rows} rows could not be read and are left out"
        )


def say(text: str) -> None:
    """Tell people something beside the data: on stderr, so that stdout stays parseable."""
    tell(text, err=True)
