"""`warden run`: the daemon, or one cycle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from warden.cli.common import (
    Globals,
    example,
    global_options,
    json_option,
    print_json,
    print_table,
    say,
    tell,
)


@click.command(epilog=example("warden run --config warden.yaml\nwarden run --once --json"))
@click.option("--once", is_flag=True, help="Poll, evaluate, deliver what is due, and leave.")
@json_option
@global_options
@click.pass_obj
def run(obj: Globals, *, once: bool, as_json: bool) -> int:
    """Run the daemon, or one cycle with --once.

    The daemon runs in the foreground and logs to stderr. SIGHUP reloads rules and routes, SIGTERM
    ends it. One cycle leaves with 3 when a source or a receiver could not be reached.
    """
    if once:
        return _one_cycle(obj, as_json=as_json)
    from warden.daemon import Daemon, block_signals

    block_signals()  # before anything else starts a thread
    from warden.app import App
    from warden.logs import configure

    settings = obj.settings()
    configure(settings.log_level)
    return Daemon(App(settings)).run()


def _one_cycle(obj: Globals, *, as_json: bool) -> int:
    from warden.app import App
    from warden.logs import configure

    settings = obj.settings()
    configure("WARNING")
    summary = App(settings).one_cycle()
    if as_json:
        print_json(summary)
    else:
        _show(summary)
    return 3 if summary["failed"] else 0


def _show(summary: Mapping[str, Any]) -> None:
    print_table(
        summary["sources"], ["name", "state", "new", "revised", "retracted", "rejected", "sentence"]
    )
    tell()
    if summary["alerts"]:
        print_table(summary["alerts"], ["at", "action", "severity", "rule", "key", "title"])
    else:
        tell("nothing to tell")
    deliveries = summary["deliveries"]
    say(", ".join(f"{count} {state}" for state, count in deliveries.items()))
