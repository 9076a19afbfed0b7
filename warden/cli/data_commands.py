"""`warden ingest` and `evaluate`: events in, the ledger brought up to date."""

from __future__ import annotations

from pathlib import Path

import click

from warden.cli.common import (
    Globals,
    example,
    global_options,
    json_option,
    print_json,
    print_table,
)

_COUNTS = (
    "served",
    "new",
    "revised",
    "unchanged",
    "older",
    "duplicate",
    "foreign",
    "rejected",
    "retracted",
)


@click.command(
    epilog=example(
        "warden ingest export.csv --json\n"
        "warden ingest exports/*.csv --no-evaluate\n"
        "warden ingest whole.csv --source inbox --snapshot"
    )
)
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
)
@click.option("--source", metavar="NAME", help="Read them as this configured source would.")
@click.option(
    "--snapshot",
    is_flag=True,
    help="Each file is the whole truth for its countries and days: what it lacks is retracted.",
)
@click.option("--no-evaluate", is_flag=True, help="Do not evaluate the rules afterwards.")
@json_option
@global_options
@click.pass_obj
def ingest(
    obj: Globals,
    *,
    files: tuple[Path, ...],
    source: str | None,
    snapshot: bool,
    no_evaluate: bool,
    as_json: bool,
) -> None:
    """Read files of events into the database.

    For each file: served = new + revised + unchanged + older + duplicate + foreign + rejected.
    A running daemon does the reading; otherwise it is done here.
    """
    from warden.app import App

    asked = {"source": source, "snapshot": snapshot, "evaluate": not no_evaluate}
    rows: list[dict[str, object]] = []
    for row in App(obj.settings()).act("ingest", asked, files):
        rows.append(row)
        if as_json:
            print_json(row)
    if not as_json:
        print_table(rows, ["file", *_COUNTS])


@click.command(epilog=example("warden evaluate --dry-run --now 2024-06-30 --json"))
@click.option("--dry-run", is_flag=True, help="Decide, and write nothing.")
@click.option("--now", metavar="TIME", help="With --dry-run: decide as of this time.")
@json_option
@global_options
@click.pass_obj
def evaluate(obj: Globals, *, dry_run: bool, now: str | None, as_json: bool) -> None:
    """Bring the ledger up to date with what the rules find; sends nothing.

    Prints the decisions: which rule, for which key, what and why.
    """
    from warden.app import App, parse_now

    if now is not None and not dry_run:
        raise click.UsageError("--now needs --dry-run: the ledger knows only the real time")
    app = App(obj.settings())
    rows = app.dry_run(parse_now(now)) if dry_run else app.act("evaluate", {})
    if as_json:
        for row in rows:
            print_json(row)
        return
    print_table(list(rows), ["rule", "key", "decision", "reason", "alert_id"])
