"""`warden routes`: who gets what, when, and what holds it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from warden.cli.common import (
    Family,
    Globals,
    example,
    global_options,
    json_option,
    print_json,
    print_table,
    say,
    tell,
)


@click.group(
    cls=Family,
    epilog=example("warden routes show\nwarden routes test severity=critical theme=bamako"),
)
@global_options
def routes() -> None:
    """Show the routes, or try them with labels."""


@routes.command(epilog=example("warden routes show\nwarden routes show --json"))
@json_option
@global_options
@click.pass_obj
def show(obj: Globals, *, as_json: bool) -> None:
    """Print the route tree with its receivers."""
    from warden.app import App
    from warden.trying import Trying

    rows = Trying(App(obj.settings())).route_rows()
    if as_json:
        for row in rows:
            print_json(row)
        return
    for row in rows:
        depth = row["path"].count(".") + 1 if row["path"] else 0
        tell("  " * depth + _route_line(row))
    if not rows:
        say("there is no route: nobody gets anything")


def _route_line(row: Mapping[str, Any]) -> str:
    parts = [" ".join(row["matchers"]) or ("everything" if not row["path"] else "the rest")]
    parts.append(f"→ {row['receiver']} ({', '.join(row['targets']) or 'nobody'})")
    parts.append(f"by {', '.join(row['group_by'])}")
    for name, word in (("group_wait_s", "wait"), ("group_interval_s", "interval")):
        if row[name]:
            parts.append(f"{word} {row[name]:g} s")
    parts += [f"{name} {row[name]}" for name in ("mute", "active", "digest") if row[name]]
    parts += [name for name in ("review", "continue") if row[name]]
    return "  ".join(parts)


@routes.command(
    epilog=example(
        "warden routes test severity=critical theme=bamako\n"
        "warden routes test severity=warning country=MLI --at 2024-05-06T23:30Z \\\n"
        "    --active severity=critical,country=MLI"
    )
)
@click.argument("labels", metavar="LABEL=VALUE...", nargs=-1, required=True)
@click.option("--at", metavar="TIME", help="As of this time; now by default.")
@click.option(
    "--active",
    multiple=True,
    metavar="LABEL=VALUE,...",
    help="Another alert that people were told of; it may hold this one back. Again for more.",
)
@json_option
@global_options
@click.pass_obj
def test(
    obj: Globals, *, labels: tuple[str, ...], at: str | None, active: tuple[str, ...], as_json: bool
) -> None:
    """Tell who would get an alert with these labels, when, and what would hold it back.

    Silences are not asked; `warden silence add --dry-run` tries those.
    """
    from warden.app import App, parse_now
    from warden.trying import Trying

    others = [_labels(tuple(one.split(","))) for one in active]
    rows, doubts = Trying(App(obj.settings())).route_test(_labels(labels), parse_now(at), others)
    for row in rows if as_json else ():
        print_json(row)
    if not as_json and rows:
        for row in rows:
            row |= {"due": _clock(row["due_at"]), "until": _clock(row["until"])}
            row["held"] = " ".join(filter(None, (row["held"], row["detail"])))
        print_table(rows, ["receiver", "route", "matchers", "group", "due", "held", "until"])
    elif not rows:
        say("nobody gets it")
    for doubt in doubts:
        say(f"! {doubt}")


def _clock(instant: datetime | None) -> str:
    return "" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _labels(texts: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name.strip():
            raise click.UsageError(f"'{text}' is no label; write severity=critical")
        found[name.strip()] = value.strip().strip('"')
    return found
