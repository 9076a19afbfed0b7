"""The `warden` command: its table of commands, imported only when called, and its exit status.

Importing a command's module is left until it is asked for, so that `warden --help` stays fast.
"""

from __future__ import annotations

import difflib
import gc
import importlib
import sys
from typing import NamedTuple

import click

from warden import __version__
from warden.cli.common import Globals, global_options, show_error, tell
from warden.errors import WardenError


class Entry(NamedTuple):
    """Where a command lives, and the line that stands for it in `warden --help`."""

    module: str
    attribute: str
    help: str


COMMANDS: dict[str, Entry] = {
    "run": Entry("run_commands", "run", "Run the daemon, or one cycle with --once."),
    "demo": Entry("demo_commands", "demo", "Show everything on this machine, no account needed."),
    "ingest": Entry("data_commands", "ingest", "Read files of events into the database."),
    "evaluate": Entry("data_commands", "evaluate", "Bring the ledger up to date; sends nothing."),
    "check": Entry("rule_commands", "check", "Find all faults of rules, routes and settings."),
    "series": Entry("rule_commands", "series", "Print a rule's measure over time."),
    "actors": Entry("rule_commands", "actors", "List the actors seen, and their groups."),
    "test": Entry("try_commands", "test", "Run the rules' own tests."),
    "backtest": Entry("try_commands", "backtest", "Tell what the rules would have sent."),
    "calibrate": Entry("try_commands", "calibrate", "Tell how often a rule alarms by chance."),
    "explain": Entry("try_commands", "explain", "Tell why something was said, or was not."),
    "schema": Entry("try_commands", "schema", "Print a JSON Schema, for editors and receivers."),
    "where": Entry("place_commands", "where", "Tell what a point is near and inside of."),
    "distance": Entry("place_commands", "distance", "Measure from a point to a place or border."),
    "alerts": Entry("look_commands", "alerts", "List the alerts of the ledger."),
    "deliveries": Entry("look_commands", "deliveries", "List messages and what became of them."),
    "sources": Entry("look_commands", "sources", "List the feeds and their states."),
    "status": Entry("look_commands", "status", "Tell whether all is well."),
    "ack": Entry("act_commands", "ack", "Take alerts on: no more reminders."),
    "verdict": Entry("act_commands", "verdict", "Say whether an alert was true."),
    "silence": Entry("silence_commands", "silence", "Hold messages back for a while."),
    "release": Entry("act_commands", "release", "Let messages go that wait for a person's word."),
    "routes": Entry("route_commands", "routes", "Show the routes, or try them with labels."),
    "retry": Entry("act_commands", "retry", "Send dead or waiting deliveries again, now."),
    "preview": Entry("act_commands", "preview", "Write a message as its readers would see it."),
    "backup": Entry("setup_commands", "backup", "Copy the database to a file, checked."),
    "systemd": Entry("setup_commands", "systemd", "Print the service unit for this installation."),
    "test-receiver": Entry("act_commands", "test_receiver", "Send a message marked as exercise."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when called, not when listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"warden.cli.{entry.module}")
        command = getattr(module, entry.attribute)
        assert isinstance(command, click.Command)  # noqa: S101  # a fault of the table above
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was perhaps meant."""
        name = args[0] if args else ""
        if name in COMMANDS or name.startswith("-"):
            return super().resolve_command(ctx, args)
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else "; `warden --help` lists them"
        raise click.UsageError(f"no command '{name}'{hint}")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: FBT001  # click's signature
    del param
    if value and not ctx.resilient_parsing:
        tell(f"warden {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nExample:\n  warden check rules && warden run --once --json",
)
@global_options
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and leave.",
)
def cli() -> None:
    """Early warning of political violence: polls event feeds, evaluates rules, alerts people."""


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status.

    Faults of the operator end in one clear line on stderr: 2 for usage and configuration,
    3 for what failed outside, 130 when interrupted.
    """
    _speak_utf8()
    gc.disable()  # modules make no garbage: reading them in takes a seventh less time
    try:
        status = cli.main(arguments, prog_name="warden", standalone_mode=False, obj=Globals())
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        show_error(error.format_message())
        return 2
    except WardenError as error:
        show_error(error)
        return error.exit_status
    except (BrokenPipeError, SystemExit):
        # The reader went away, as `| head` does; Click makes SystemExit(1) of it, which would say
        # that a check found faults.
        _close_quietly()
        return 0
    except Exception as error:
        sentence = _outer_fault(error)
        if sentence is None:
            raise
        show_error(sentence)
        return 3
    finally:
        gc.enable()
    return status if isinstance(status, int) else 0


def _outer_fault(error: Exception) -> str | None:
    """What failed outside of warden, as a sentence: the system, or the database that was read."""
    if isinstance(error, OSError):
        return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
    if type(error).__module__ != "sqlite3":
        return None
    from warden.store.connection import outer_fault

    return outer_fault(error)


def _speak_utf8() -> None:
    """Write UTF-8 whatever the locale says; what cannot be encoded is escaped, never fatal."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")


def _close_quietly() -> None:
    """Keep the interpreter from complaining about a reader that went away (`| head`)."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
