"""`warden check`, `series` and `actors`: the rulebook, and what it sees."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from warden.cli.common import (
    Globals,
    example,
    global_options,
    json_option,
    print_json,
    print_table,
    render,
    say,
    say_rejected,
    tell,
)

PERIODS = ("day", "week", "month", "year")
MEASURES = (
    "events",
    "fatalities",
    "fatal_events",
    "fatalities_capped",
    "distinct(actor)",
    "distinct(admin2)",
    "distinct(report)",
)
_FAULT_FIELDS = ("path", "line", "column", "code", "severity", "message")
files_option = click.option(
    "--events",
    "files",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, path_type=Path),
    help="Read these files instead of the database. May be given again.",
)


@click.command(epilog=example("warden check rules\nwarden check --config /etc/warden/warden.yaml"))
@click.argument("place", metavar="[RULES]", required=False, type=click.Path(path_type=Path))
@json_option
@global_options
@click.pass_obj
def check(obj: Globals, *, place: Path | None, as_json: bool) -> int:
    """Find all faults of rules, routes, templates and settings.

    Leaves with 1 when there are errors, with 0 when all is well or there are only warnings.
    """
    from warden.app import check as find_faults

    if place is not None:
        obj.rules = place
    faults = find_faults(obj.config, rules=obj.rules, database=obj.database)
    for fault in faults if as_json else ():
        row = dataclasses.asdict(fault)
        print_json({name: row[name] for name in _FAULT_FIELDS})
    for line in () if as_json else render(faults):
        tell(line)
    errors = sum(fault.severity == "error" for fault in faults)
    for line in () if as_json or errors else _calibrated(obj):
        tell(line)
    warnings = len(faults) - errors
    say(f"{_count(errors, 'error')}, {_count(warnings, 'warning')}" if faults else "no faults")
    return 1 if errors else 0


def _calibrated(obj: Globals) -> list[str]:
    """What was found of the rules that were calibrated, a line each."""
    from warden.app import App
    from warden.looking import Looking
    from warden.trial.calibration_words import short

    return [short(row) for row in Looking(App(obj.settings())).calibrations()]


@click.command(
    epilog=example(
        "warden series attack-near-bamako --by year --events export.csv --json\n"
        "warden series attack-near-bamako --by month --measure fatalities\n"
        "warden series bamako-projection --kept"
    )
)
@click.argument("rule", metavar="RULE")
@click.option("--by", type=click.Choice(PERIODS), default="month", show_default=True)
@click.option("--measure", type=click.Choice(MEASURES), help="Default: the rule's own, or events.")
@click.option("--now", metavar="TIME", help="Pretend that this is now (2022-06-30, or an instant).")
@click.option("--kept", is_flag=True, help="Of a projection rule: what it foresaw and what came.")
@files_option
@json_option
@global_options
@click.pass_obj
def series(
    obj: Globals,
    *,
    rule: str,
    by: str,
    measure: str | None,
    now: str | None,
    kept: bool,
    files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Print a rule's measure over time.

    Periods without any event are printed too. The period that still runs carries a projection
    of its value at its end, with a 90 % interval, where enough of it is known.

    A projection rule keeps what it foresees at each month's end, and scores it when the period is
    over; --kept prints that, and how often the intervals held.
    """
    from warden.app import App, parse_now
    from warden.trying import Trying

    trying = Trying(App(obj.settings()))
    if kept:
        _show_kept(trying.kept_projections(rule), as_json=as_json)
        return
    points = trying.series(rule, by=by, measure=measure, now=parse_now(now), files=files)
    say_rejected(trying.rejected)
    if not points:
        say("no events: there is nothing to count")
    rows = [_series_row(dataclasses.asdict(point)) for point in points]
    if as_json:
        for row in rows:
            print_json(row)
        return
    projected = any(row["projected"] is not None for row in rows)
    keyed = any(row["key"] is not None for row in rows)
    columns = ["period", *(["key"] if keyed else []), "value", "complete"]
    print_table(rows, columns + (["projected", "low", "high", "method"] if projected else []))


def _show_kept(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    """What was foreseen and what came, and how often the intervals held."""
    for row in rows if as_json else ():
        print_json(row)
    columns = ("on_day", "period", "key", "so_far", "projected", "low", "high", "observed",
               "inside", "error")  # fmt: skip
    if rows and not as_json:
        keyed = any(row["key"] for row in rows)
        print_table(rows, [name for name in columns if keyed or name != "key"])
    scored = [row["inside"] for row in rows if row["inside"] is not None]
    if scored:
        say(
            f"{sum(scored)} of {len(scored)} came to lie in their 90 % interval "
            f"({100 * sum(scored) / len(scored):.0f} %)"
        )
    else:
        say(f"{_count(len(rows), 'projection')} kept, none of whose periods is over")


def _series_row(point: dict[str, Any]) -> dict[str, Any]:
    """A point as scripts read it: counts are whole, what is projected has one decimal."""
    value, key = point["value"], point["key"]
    rounded = {
        name: None if point[name] is None else round(point[name], 1)
        for name in ("projected", "low", "high")
    }
    whole = int(value) if value == int(value) else value
    return {**point, **rounded, "value": whole, "key": None if key is None else dict(key)}


@click.command(epilog=example("warden actors --events export.csv\nwarden actors --ungrouped"))
@click.option("--ungrouped", is_flag=True, help="Only those that belong to no group.")
@files_option
@json_option
@global_options
@click.pass_obj
def actors(obj: Globals, *, ungrouped: bool, files: tuple[Path, ...], as_json: bool) -> None:
    """List the actors seen, how often, and the groups they belong to.

    A name that is new, and like one that has just vanished from the same countries, is marked as a
    possible rename; `aliases:` in the rule files makes the two one.
    """
    from warden.app import App
    from warden.trying import Trying

    trying = Trying(App(obj.settings()))
    seen = trying.actors(files)
    say_rejected(trying.rejected)
    if not seen:
        say("no events: nobody was seen")
    rows = [row for row in seen if not (ungrouped and row["groups"])]
    if as_json:
        for row in rows:
            print_json(row)
        return
    columns = ["name", "events", "first_day", "last_day", "groups"]
    renamed = any(row["possible_rename_of"] for row in rows)
    print_table(rows, [*columns, *(["possible_rename_of"] if renamed else [])])


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
