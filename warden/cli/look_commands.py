"""`warden alerts`, `deliveries`, `sources` and `status`: looking, never changing anything."""

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

limit_option = click.option(
    "--limit", type=click.IntRange(1, 100_000), default=100, show_default=True
)


@click.command(
    epilog=example("warden alerts --state active\nwarden alerts --rule attack-near-bamako --all")
)
@click.option("--rule", metavar="ID", help="Only this rule's.")
@click.option(
    "--state",
    type=click.Choice(["active", "ended", "cancelled", "closed", "all"]),
    default="all",
    show_default=True,
)
@click.option("--told/--all", "told", default=True, help="Only those that were to be told, or all.")
@limit_option
@json_option
@global_options
@click.pass_obj
def alerts(
    obj: Globals, *, rule: str | None, state: str, told: bool, limit: int, as_json: bool
) -> None:
    """List the alerts of the ledger, newest first."""
    from warden.app import App
    from warden.looking import Looking

    wanted = None if state == "all" else state
    rows = Looking(App(obj.settings())).alerts(rule=rule, state=wanted, told=told, limit=limit)
    columns = ["id", "state", "severity", "rule", "key", "first_day", "last_day", "value"]
    said = [name for name in ("acknowledged_by", "verdict") if any(row[name] for row in rows)]
    _show(rows, [*columns, *said, "headline"], as_json=as_json)
    judged = {row["rule"]: row["precision"] for row in rows if row["precision"]}
    for name, counts in judged.items() if not as_json else ():
        say(f"{name}: {_precision(counts)}")


@click.command(epilog=example("warden deliveries --state dead"))
@click.option(
    "--state",
    help="Only in this state.",
    type=click.Choice(["pending", "sending", "retry", "sent", "dead", "expired"]),
)
@limit_option
@json_option
@global_options
@click.pass_obj
def deliveries(obj: Globals, *, state: str | None, limit: int, as_json: bool) -> None:
    """List messages to recipients and what became of them, newest first."""
    from warden.app import App
    from warden.looking import Looking

    rows = Looking(App(obj.settings())).deliveries(state=state, limit=limit)
    _show(
        rows,
        [
            "id",
            "state",
            "receiver",
            "channel",
            "target",
            "attempts",
            "due_at",
            "subject",
            "last_error",
        ],
        as_json=as_json,
    )


@click.command(epilog=example("warden sources --json"))
@json_option
@global_options
@click.pass_obj
def sources(obj: Globals, *, as_json: bool) -> None:
    """List the feeds, their states, and how far what they say reaches."""
    from warden.app import App
    from warden.looking import Looking

    rows = Looking(App(obj.settings())).sources_report()
    _show(
        rows,
        ["name", "kind", "state", "since", "last_poll_at", "complete_through", "sentence"],
        as_json=as_json,
    )


@click.command(epilog=example("warden status --json"))
@json_option
@global_options
@click.pass_obj
def status(obj: Globals, *, as_json: bool) -> None:
    """Tell whether all is well.

    Troubles are told in sentences; whoever wants to be woken reads `troubles` of --json.
    """
    from warden.app import App
    from warden.looking import Looking
    from warden.trial.calibration_words import short

    report = Looking(App(obj.settings())).status()
    if as_json:
        print_json(report)
    else:
        tell(f"daemon      {_daemon(report['daemon'])}")
        for name in ("database", "rules", "alerts", "silences", "deliveries", "backup"):
            tell(f"{name.ljust(11)} {_phrase(report[name])}")
        for source in report["sources"]:
            tell(f"source      {source['name']}: {source['state']}. {source['sentence']}")
        for name, counts in report["precision"].items():
            tell(f"verdicts    {name}: {_precision(counts)}")
        for row in report["calibrations"]:
            tell(f"calibrated  {short(row)}")
        for name, counts in report["projections"].items():
            tell(f"projections {name}: {_coverage(counts)}")
        for trouble in report["troubles"]:
            say(f"! {trouble}")


def _precision(counts: Mapping[str, int]) -> str:
    return f"{counts['true']} of {counts['judged']} alerts judged true"


def _coverage(counts: Mapping[str, int]) -> str:
    kept = f"{counts['kept']} kept"
    if not counts["scored"]:
        return f"{kept}, none of whose periods is over"
    return f"{kept}; {counts['inside']} of {counts['scored']} came to lie in their 90 % interval"


def _daemon(part: Mapping[str, Any] | None) -> str:
    if part is None:
        return "none is running"
    said = f"process {part['pid']} since {_short(part['started_at'])}: {part['sentence']}"
    reload = part.get("reload")
    if not reload:
        return said
    rules = f"{reload['rules']} rule{'' if reload['rules'] == 1 else 's'}"
    return f"{said}; {rules} in force since {_short(reload['loaded_at'])}"


def _short(instant: Any) -> str:
    return f"{str(instant)[:19].replace('T', ' ')} UTC"


def _phrase(part: Any) -> str:
    if isinstance(part, Mapping):
        return ", ".join(
            f"{name} {value}"
            for name, value in part.items()
            if value not in (None, "", [], {}) and not isinstance(value, list)
        )
    return "none" if part is None else str(part)


def _show(rows: list[dict[str, Any]], columns: list[str], *, as_json: bool) -> None:
    if as_json:
        for row in rows:
            print_json(row)
    elif rows:
        print_table(rows, columns)
    else:
        say("none")
