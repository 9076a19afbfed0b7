"""`warden retry` and `test-receiver`: what operators do about deliveries."""

from __future__ import annotations

import click

from warden.cli.common import (
    Globals,
    example,
    global_options,
    json_option,
    print_json,
    print_table,
)


@click.command(epilog=example("warden retry 17 18\nwarden retry --all"))
@click.argument("ids", metavar="[ID]...", nargs=-1, type=int)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Every delivery in the state `dead`; those that still wait for their next try are left.",
)
@json_option
@global_options
@click.pass_obj
def retry(obj: Globals, *, ids: tuple[int, ...], everything: bool, as_json: bool) -> int:
    """Send dead or waiting deliveries again, now.

    `warden deliveries` shows the ids. A delivery keeps its key, so that a receiver that had
    accepted it after all recognises it.

    Leaves with 3 when one of them was refused again.
    """
    from warden.app import App

    if bool(ids) == everything:
        raise click.UsageError("name the deliveries to retry, or say --all")
    rows = list(App(obj.settings()).act("retry", {"ids": list(ids), "all": everything}))
    if as_json:
        for row in rows:
            print_json(row)
    else:
        print_table(rows, ["id", "receiver", "channel", "target", "state", "due_at"])
    return 3 if any(row["refused"] for row in rows) else 0


@click.command(epilog=example("warden test-receiver desk"))
@click.argument("name", metavar="NAME")
@json_option
@global_options
@click.pass_obj
def test_receiver(obj: Globals, *, name: str, as_json: bool) -> int:
    """Send a receiver a message marked as exercise, and tell what came of it.

    Leaves with 3 when a recipient could not be reached.
    """
    from warden.app import App

    rows = list(App(obj.settings()).act("test-receiver", {"name": name}))
    if as_json:
        for row in rows:
            print_json(row)
    else:
        print_table(rows, ["channel", "target", "state", "last_error"])
    return 0 if rows and all(row.get("state") == "sent" for row in rows) else 3
