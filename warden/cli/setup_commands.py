"""`warden backup` and `systemd`: what an installation needs around it."""

from __future__ import annotations

from pathlib import Path

import click

from warden.cli.common import Globals, example, global_options, json_option, print_json, say


@click.command(epilog=example("warden backup /srv/backups/warden.db"))
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--compact", is_flag=True, help="Without the room that removed rows left.")
@json_option
@global_options
@click.pass_obj
def backup(obj: Globals, *, target: Path, compact: bool, as_json: bool) -> None:
    """Copy the database to a file: whole, checked and synced.

    Safe beside a running daemon. A file that is there is replaced once the copy is good. How to
    restore, and how to make the database itself smaller: docs/operating.md.
    """
    from warden.app import App

    row = App(obj.settings()).backup(target, compact=compact)
    if as_json:
        print_json(row)
    else:
        say(f"{row['path']}: {row['bytes']:,} bytes, checked")


@click.command(
    epilog=example(
        "warden systemd --config /etc/warden/warden.yaml > /etc/systemd/system/warden.service"
    )
)
@click.option("--user", metavar="NAME", default="warden", show_default=True)
@click.option("--group", metavar="NAME", help="Who may use the socket; by default as the user.")
@global_options
@click.pass_obj
def systemd(obj: Globals, *, user: str, group: str | None) -> None:
    """Print the service unit for this installation.

    It starts this very warden with these settings, hands it every secret that settings and routes
    name, and lets it write where they say. systemd/README.md tells the rest.
    """
    from warden.app import App
    from warden.unit import needs, service_unit, warnings

    settings = obj.settings()
    needed = needs(App(settings))
    click.echo(service_unit(settings, needed, user=user, group=group), nl=False)
    for sentence in warnings(settings, needed):
        say(f"! {sentence}")
