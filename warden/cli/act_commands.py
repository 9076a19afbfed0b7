"""`warden ack`, `verdict`, `retry` and `test-receiver`: what operators do about alerts."""

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
    say,
    tell,
)

alerts_argument = click.argument("alerts", metavar="ALERT...", nargs=-1, required=True)
note_option = click.option("--note", metavar="TEXT", default="", help="Kept with it.")


@click.command(epilog=example("warden ack 3f2a9c0d1e4b5a67 --note 'calling the prefect'"))
@alerts_argument
@note_option
@json_option
@global_options
@click.pass_obj
def ack(obj: Globals, *, alerts: tuple[str, ...], note: str, as_json: bool) -> None:
    """Take alerts on: no more reminders.

    An alert is named by its id (`warden alerts`) or the id's first letters. It needs to be taken on
    again once it becomes more severe, begins anew, or is reinstated.
    """
    from warden.app import App

    rows = list(App(obj.settings()).act("ack", {"alerts": list(alerts), "note": note}))
    for row in rows if as_json else ():
        print_json(row)
    if not as_json:
        print_table(rows, ["alert_id", "rule", "state", "severity", "acknowledged_by", "note"])
        for row in rows:
            if row["remark"]:
                say(f"! {row['alert_id']}: {row['remark']}")


@click.command(
    epilog=example("warden verdict 3f2a9c0d1e4b5a67 false --note 'a wedding, says the mayor'")
)
@click.argument("alert", metavar="ALERT")
@click.argument("word", metavar="true|false|unverified")
@note_option
@json_option
@global_options
@click.pass_obj
def verdict(obj: Globals, *, alert: str, word: str, note: str, as_json: bool) -> None:
    """Say whether an alert was true.

    The newest verdict of an alert counts. From five alerts found true or false on, a rule's
    precision is shown wherever its alerts are.
    """
    from warden.app import App

    asked = {"alerts": [alert], "verdict": word, "note": note}
    rows = list(App(obj.settings()).act("verdict", asked))
    for row in rows if as_json else ():
        print_json(row)
    if not as_json:
        print_table(rows, ["alert_id", "rule", "verdict", "judged_by", "note"])
        counts = rows[0]["precision"]
        say(f"{rows[0]['rule']}: {counts['true']} of {counts['judged']} judged true")


@click.command(
    epilog=example("warden release --list\nwarden release 12 13\nwarden release --receiver press")
)
@click.argument("ids", metavar="[ID]...", nargs=-1, type=click.IntRange(1))
@click.option("--receiver", metavar="NAME", help="All that waits for this receiver.")
@click.option("--all", "everything", is_flag=True, help="All that waits.")
@click.option("--list", "only_list", is_flag=True, help="Tell what waits, release nothing.")
@json_option
@global_options
@click.pass_obj
def release(
    obj: Globals,
    *,
    ids: tuple[int, ...],
    receiver: str | None,
    everything: bool,
    only_list: bool,
    as_json: bool,
) -> None:
    """Let messages go that wait for a person's word.

    They are those of routes and receivers with `review: true`.
    """
    from warden.app import App
    from warden.looking import Looking

    if [bool(ids), receiver is not None, everything, only_list].count(True) != 1:
        raise click.UsageError("say what to release: its numbers, --receiver, --all, or --list")
    app = App(obj.settings())
    if only_list:
        rows = Looking(app).for_review()
    else:
        asked = {"ids": list(ids), "receiver": receiver, "all": everything}
        rows = list(app.act("release", asked))
    if as_json:
        for row in rows:
            print_json(row)
    elif rows:
        columns = ["id", "receiver", "action", "severity", "rule", "alert_id", "since", "title"]
        print_table(rows, columns)
    else:
        say("nothing waits for release")


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


@click.command(
    epilog=example(
        "warden preview 3f2a9c0d1e4b5a67 --language fr --out /tmp/look\n"
        "warden preview --sample update --receiver desk"
    )
)
@click.argument("name", metavar="[ALERT|NOTICE]", required=False)
@click.option("--sample", metavar="KIND", help="A made-up message: alert, update, cancel, count, …")
@click.option("--language", metavar="en|fr", help="Instead of the receiver's.")
@click.option("--receiver", metavar="NAME", help="As this receiver of the routes would get it.")
@click.option(
    "--out",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to; ./preview-ALERT by default.",
)
@json_option
@global_options
@click.pass_obj
def preview(
    obj: Globals,
    *,
    name: str | None,
    sample: str | None,
    language: str | None,
    receiver: str | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Write a message as its readers would see it; sends nothing.

    Text, HTML with its pictures, and the bodies for other systems, of an alert's newest notice, of
    any notice, or of a sample.
    """
    from warden.app import App
    from warden.trying import Trying

    if (name is None) == (sample is None):
        raise click.UsageError("name an alert or a notice, or say --sample KIND")
    row = Trying(App(obj.settings())).preview(name, sample, language, receiver, folder)
    if as_json:
        print_json(row)
        return
    say(row["subject"])
    for file in row["files"]:
        tell(file)
    if row["fallback"]:
        say(f"! a template failed, this is the plain form: {row['fallback']}")


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
