"""`warden silence`: hold back what matchers describe, for a while, and say why."""

from __future__ import annotations

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
)

_COLUMNS = ["id", "state", "matchers", "until", "who", "comment", "ended_by"]


@click.group(
    cls=Family,
    epilog=example(
        'warden silence add --matcher rule=attack-near-bamako --for 3d --comment "army exercise"\n'
        "warden silence list\n"
        "warden silence expire 4"
    ),
)
@global_options
def silence() -> None:
    """Hold messages back for a while, and say why.

    What is still active when a silence ends is sent then. Ends and withdrawals reach whoever was
    told, silence or not.
    """


@silence.command(
    epilog=example(
        "warden silence add --matcher rule=attack-near-bamako --for 3d --comment 'army exercise'\n"
        "warden silence add --matcher country=NER --matcher 'severity=~\"info|warning\"' \\\n"
        "    --until 2024-05-06T18:00Z --comment 'weekend cover' --dry-run"
    )
)
@click.option(
    "--matcher",
    "matchers",
    multiple=True,
    metavar="LABEL=VALUE",
    help="As in routes: =, !=, =~ or !~. May be given again: all have to hold.",
)
@click.option("--for", "duration", metavar="3d", help="How long: 30m, 12h, 3d, 2w.")
@click.option("--until", "ends_at", metavar="TIME", help="Until when, UTC unless it says.")
@click.option("--from", "starts_at", metavar="TIME", help="From when; now by default.")
@click.option("--comment", metavar="TEXT", help="Why. Required.")
@click.option("--everything", is_flag=True, help="Allow a silence that names nothing.")
@click.option("--dry-run", is_flag=True, help="Only tell what it would hold back now.")
@json_option
@global_options
@click.pass_obj
def add(
    obj: Globals,
    *,
    matchers: tuple[str, ...],
    duration: str | None,
    ends_at: str | None,
    starts_at: str | None,
    comment: str | None,
    everything: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Add a silence; lasts at most 90 days."""
    from warden.app import App

    asked = {
        "matchers": list(matchers),
        "for": duration,
        "ends_at": ends_at,
        "starts_at": starts_at,
        "comment": comment,
        "everything": everything,
        "dry_run": dry_run,
    }
    (row,) = App(obj.settings()).act("silence-add", asked)
    _show([row], as_json=as_json)
    if not as_json:
        _say_what_it_holds(row)
    for doubt in row["doubts"]:
        say(f"! {doubt}")


@silence.command(name="list", epilog=example("warden silence list\nwarden silence list --all"))
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
@json_option
@global_options
@click.pass_obj
def list_(obj: Globals, *, everything: bool, as_json: bool) -> None:
    """List the silences that hold or will, or all."""
    from warden.app import App
    from warden.looking import Looking

    rows = Looking(App(obj.settings())).silences(over=everything)
    _show(rows, as_json=as_json)


@silence.command(epilog=example("warden silence show 4"))
@click.argument("number", metavar="ID", type=click.IntRange(1))
@json_option
@global_options
@click.pass_obj
def show(obj: Globals, *, number: int, as_json: bool) -> None:
    """Show a silence and the alerts it holds back now."""
    from warden.app import App
    from warden.looking import Looking

    row = Looking(App(obj.settings())).silence(number)
    _show([row], as_json=as_json)
    if not as_json:
        _say_what_it_holds(row)


@silence.command(epilog=example("warden silence expire 4"))
@click.argument("numbers", metavar="ID...", type=click.IntRange(1), nargs=-1, required=True)
@json_option
@global_options
@click.pass_obj
def expire(obj: Globals, *, numbers: tuple[int, ...], as_json: bool) -> None:
    """End silences now; what they held back and is still active is sent."""
    from warden.app import App

    rows = list(App(obj.settings()).act("silence-expire", {"ids": list(numbers)}))
    _show(rows, as_json=as_json)


def _show(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        for row in rows:
            print_json(row)
    elif rows:
        shown = [{**row, "until": row["ends_at"][:16].replace("T", " ")} for row in rows]
        print_table(shown, _COLUMNS)
    else:
        say("none")


def _say_what_it_holds(row: dict[str, Any]) -> None:
    held = row["holds"]
    what = ", ".join(f"{one['alert_id']} ({one['rule']})" for one in held[:10])
    more = f" and {len(held) - 10} more" if len(held) > 10 else ""  # noqa: PLR2004
    say(f"active alerts it describes: {what}{more}" if held else "it describes no active alert")
