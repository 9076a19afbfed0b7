"""`warden test`, `backtest` and `explain`: trying rules before trusting them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from warden.cli.common import (
    Globals,
    example,
    global_options,
    json_option,
    print_json,
    print_table,
    say,
    say_rejected,
    tell,
)

if TYPE_CHECKING:
    from warden.trial.backtest import Backtest
    from warden.trial.calibration import Task
    from warden.trial.ruletest import Outcome
    from warden.trying import Trying


@click.command(epilog=example("warden test\nwarden test rules --json"))
@click.argument("place", metavar="[RULES]", required=False, type=click.Path(path_type=Path))
@json_option
@global_options
@click.pass_obj
def test(obj: Globals, *, place: Path | None, as_json: bool) -> int:
    """Run the rules' own tests, those in rules/tests/.

    A test that fails prints what was expected and what came. Leaves with 1 when some fail, with 2
    when a rule or test file has faults. docs/trying.md tells how tests are written.
    """
    from warden.app import App
    from warden.trying import Trying

    if place is not None:
        obj.rules = place
    count = failed = 0
    for outcome in Trying(App(obj.settings())).rule_tests():
        count += 1
        failed += not outcome.passed
        if as_json:
            print_json(outcome.as_dict())
        else:
            _show_outcome(outcome)
    if not count:
        say("no tests: they stand in tests/ of the folder of rules; see docs/trying.md")
    elif failed:
        say(f"{failed} of {count} tests failed")
    else:
        say(f"{count} test{'s' if count > 1 else ''} passed")
    return 1 if failed else 0


def _show_outcome(outcome: Outcome) -> None:
    word = "ok  " if outcome.passed else "FAIL"
    tell(f"{word}  {outcome.file}:{outcome.line}  {outcome.name}")
    for number in outcome.failed:
        expected, got = outcome.expected[number], outcome.got[number]
        tell(f"      {_head(expected)}")
        for word, check in (("expected", expected), ("got", got)):
            held = check.get("held", {})
            found = check.get("notices") or [
                f"{name} {held[name]}" if name in held else name
                for name in dict.fromkeys((*check.get("receivers", ()), *held))
            ]
            for one in found or ["nothing"]:
                tell(f"        {word.ljust(8)}  {_phrase(one)}")


def _head(check: Mapping[str, Any]) -> str:
    if "labels" in check:
        return f"route_test {_phrase(check['labels'])}"
    rule = f", rule {check['rule']}" if "rule" in check else ""
    return f"alert_test at {check['eval_time']}{rule}"


def _phrase(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_phrase(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_phrase, value))}]"
    return "null" if value is None else str(value)


@click.command(
    epilog=example(
        "warden backtest --events export.csv --from 2018-01-01 --to 2022-12-31\n"
        "warden backtest --rule attack-near-bamako --json"
    )
)
@click.option(
    "--events",
    "files",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, path_type=Path),
    help="Model what would have been over these files. May be given again.",
)
@click.option("--from", "first", metavar="DAY", help="Default: the first event, or cycle.")
@click.option("--to", "last", metavar="DAY", help="Default: when all is known, or the last cycle.")
@click.option("--step", metavar="7d", help="With --events: how often to evaluate. Default: 7d.")
@click.option(
    "--known",
    metavar="event_date+10d|timestamp",
    help="With --events: when an event is taken to have been known. Default: event_date+10d.",
)
@click.option("--rule", "rule_ids", multiple=True, metavar="ID", help="Only this rule; or more.")
@click.option(
    "--picture",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw what would have gone out, rule by rule and month by month: a .png or .svg.",
)
@json_option
@global_options
@click.pass_obj
def backtest(
    obj: Globals,
    *,
    files: tuple[Path, ...],
    first: str | None,
    last: str | None,
    step: str | None,
    known: str | None,
    rule_ids: tuple[str, ...],
    picture: Path | None,
    as_json: bool,
) -> None:
    """Tell what the rules would have sent, a summary a month, and a rule's alerts a year.

    Without --events the stored cycles are run again, each on the events as they were known then:
    with the rules of that time the notices are the very ones, but for summaries, which routes may
    part. With --events it is a model: one version an event, known so long after it happened,
    evaluated every --step; what is known at --from is taken as old. Nothing is stored or sent.
    """
    from warden.app import App, parse_day
    from warden.trying import Trying

    _check_picture(picture)
    trying = Trying(App(obj.settings()))
    prepared = trying.backtest(
        files=files,
        rules=rule_ids,
        first=parse_day(first, "--from"),
        last=parse_day(last, "--to"),
        step=step,
        known=known,
    )
    say_rejected(prepared.rejected)
    if prepared.left_out:
        say(f"left out, since warden's own health has no history: {', '.join(prepared.left_out)}")
    summary, rows = _run_backtest(prepared, as_json=as_json)
    if picture is not None:
        picture.write_bytes(trying.backtest_picture(summary, rows, png=picture.suffix == ".png"))
        say(f"drawn: {picture}")


def _check_picture(picture: Path | None) -> None:
    from warden.errors import UsageError

    if picture is not None and picture.suffix not in {".png", ".svg"}:
        raise UsageError(f"--picture {picture}: a picture ends in .png or .svg")
    if picture is not None and not picture.absolute().parent.is_dir():
        raise UsageError(f"--picture {picture}: there is no folder {picture.absolute().parent}")


def _run_backtest(
    prepared: Backtest, *, as_json: bool
) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
    from warden.trial.backtest import notice_row

    summary = prepared.summary()
    rows: list[dict[str, Any]] = []
    with click.progressbar(
        length=len(prepared.plan.instants), file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        for said in prepared.run(lambda _: bar.update(1)):
            summary.add(said.notice)
            row = notice_row(said)
            rows.append(row)
            if as_json:
                print_json(row)
    told = summary.as_dict()
    if as_json:
        print_json({"summary": told})
    else:
        _show_backtest(rows, told)
    return told, rows


_ACTIONS = ["alerts", "updates", "reminders", "resolved", "cancels", "summaries"]
_LONGEST_BAR = 40


def _show_backtest(rows: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]) -> None:
    columns = ["at", "action", "severity", "rule", "key", "first_day", "last_day", "late", "events"]
    if rows:
        print_table([_line(row) for row in rows], columns)
    else:
        tell("nothing would have been sent")
    tell()
    _show_months(summary["months"])
    tell()
    by_rule = [{"rule": name, **counts} for name, counts in summary["rules"].items()]
    totals = {name: sum(row[name] for row in by_rule) for name in _ACTIONS}
    by_rule.append({"rule": "all", **totals, "alerts_per_year": summary["alerts_per_year"]})
    print_table(by_rule, ["rule", *_ACTIONS, "alerts_per_year"])
    say(
        f"{summary['from']} to {summary['to']}, {summary['instants']} evaluations of "
        f"{summary['events']} events, known: {summary['known']}"
    )


@click.command(
    epilog=example(
        "warden calibrate civilians-spike --picture civilians-spike.png\n"
        "warden calibrate bamako-drift --events export.csv --replicates 20 --json\n"
        "warden calibrate --show"
    )
)
@click.argument("rule", metavar="[RULE]", required=False)
@click.option(
    "--events",
    "files",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, path_type=Path),
    help="Take the usual from these files instead of the database. May be given again.",
)
@click.option("--now", metavar="TIME", help="Pretend that this is now (2022-06-30, or an instant).")
@click.option(
    "--replicates",
    type=click.IntRange(1, 1000),
    help="How many times ten years are drawn. Default: as many as a minute allows, at most 6.",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option(
    "--picture",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw what was found, as .png or .svg.",
)
@click.option("--show", is_flag=True, help="Only what was found last, of one rule or of all.")
@json_option
@global_options
@click.pass_obj
def calibrate(
    obj: Globals,
    *,
    rule: str | None,
    files: tuple[Path, ...],
    now: str | None,
    replicates: int | None,
    seed: int,
    picture: Path | None,
    show: bool,
    as_json: bool,
) -> None:
    """Tell how often a rule alarms by chance, and how soon it finds a rise.

    The rule as it is runs over years in which nothing changes, drawn after its own history:
    whatever it tells there is false. Then over rises of two, three and five times. What was found
    is kept in the database, unless --events or --now say that it is only a trial. The same --seed
    gives the same figures.
    """
    from warden.app import App, parse_now
    from warden.errors import UsageError
    from warden.looking import Looking
    from warden.trying import Trying

    _check_picture(picture)
    app = App(obj.settings())
    if show:
        _show_calibrations(Looking(app).calibrations(rule), as_json=as_json)
        return
    if rule is None:
        raise UsageError("which rule? `warden calibrate RULE`; --show lists what was found before")
    trying = Trying(app)
    task = trying.calibration(
        rule, files=files, now=parse_now(now), replicates=replicates, seed=seed
    )
    say_rejected(trying.rejected)
    row = _run_calibration(task)
    if as_json:
        print_json(row)
    else:
        _show_calibration(row)
    if picture is not None:
        _draw_calibration(trying, row, picture)
    if not files and now is None:
        list(app.act("keep-calibration", row))


def _run_calibration(task: Task) -> dict[str, Any]:
    with click.progressbar(
        length=task.steps, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        return task.run(lambda: bar.update(1)).as_dict()


def _draw_calibration(trying: Trying, row: Mapping[str, Any], picture: Path) -> None:
    picture.write_bytes(trying.calibration_picture(row, png=picture.suffix == ".png"))
    say(f"drawn: {picture}")


def _show_calibration(row: Mapping[str, Any]) -> None:
    from warden.trial.calibration_words import advice, sentence

    tell(sentence(row))
    tell()
    table = [
        {
            "rise": "none" if one["factor"] == 1 else f"x {one['factor']:g}",
            "events a week": one["group"],
            "series": one["series"],
            "found in 26 weeks": f"{100 * one['power']:.0f} %",
            "90 % interval": f"{100 * one['low']:.0f} to {100 * one['high']:.0f} %",
            "median weeks": one["median_delay_weeks"],
        }
        for one in row["rows"]
    ]
    if table:
        print_table(table, list(table[0]))
        tell()
    if row["tests"]:
        tests = [
            {**one, "false alerts a year": one["false_alerts_per_year"]} for one in row["tests"]
        ]
        print_table(tests, ["measure", "window_days", "false alerts a year"])
        tell()
    for line in advice(row):
        tell(line)


def _show_calibrations(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    from warden.trial.calibration_words import sentence

    for row in rows:
        if as_json:
            print_json(row)
            continue
        aged = "" if row["current"] else " The rule was edited since."
        tell(f"{row['calibrated_at'][:10]}  {sentence(row)}{aged}")
    if not rows:
        say("nothing was calibrated yet; `warden calibrate RULE` does it")


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    """A notice as a line of the table."""
    ids = row["event_ids"]
    more = [f"… {len(ids)} in all"] if len(ids) > 3 else []  # noqa: PLR2004
    return {
        **row,
        "at": row["at"][:10],
        "late": row["reported_late_days"],
        "events": [*ids[:3], *more],
    }


def _show_months(months: Mapping[str, Mapping[str, int]]) -> None:
    """A line a month in which something was said; how many were silent is told below."""
    spoken = {month: counts for month, counts in months.items() if any(counts.values())}
    most = max((counts["alerts"] for counts in spoken.values()), default=0)
    a_mark = max(-(-most // _LONGEST_BAR), 1)  # so many alerts, or a part of that
    lines = [
        {"month": month, **counts, "": "#" * -(-counts["alerts"] // a_mark)}
        for month, counts in spoken.items()
    ]
    if lines:
        print_table(lines, ["month", *_ACTIONS, ""])
    silent = len(months) - len(spoken)
    if silent:
        tell(f"silent: {silent} of {len(months)} months")


@click.command(
    epilog=example(
        "warden explain acled:MLI28431\n"
        "warden explain 3f2a9c0d1e4b5a67 --json\n"
        "warden explain MLI28431 --events export.csv"
    )
)
@click.argument("name", metavar="UID|ALERT")
@click.option(
    "--events",
    "files",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, path_type=Path),
    help="Look for the event in these files instead of the database.",
)
@json_option
@global_options
@click.pass_obj
def explain(obj: Globals, *, name: str, files: tuple[Path, ...], as_json: bool) -> None:
    """Tell why something was said, or was not.

    Of an event: every rule's verdict, with the values by which its predicates hold, or the
    predicate that failed and the value it failed on.
    Of an alert: every decision with its reason, every notice, and every stop on the way out.
    Of a summary, by the id that its message names: the alerts that it lists, and where it went.
    """
    from warden.app import App
    from warden.trying import Trying

    trying = Trying(App(obj.settings()))
    what, rows = trying.explain(name, files)
    say_rejected(trying.rejected)
    if as_json:
        for row in rows:
            print_json(row)
    elif what == "event":
        for row in rows:
            row["reason"] = "; ".join(part for part in (row["reason"], *row["holding"]) if part)
        print_table(rows, ["rule", "verdict", "reason"])
    else:
        for row in rows:
            row["to"] = " ".join(str(row[key]) for key in ("receiver", "target") if row.get(key))
            if row.get("note") and row["stop"] == "decision":
                row["reason"] = f"{row['reason']}, {row['note']}"
        print_table(rows, ["at", "stop", "verdict", "reason", "to"])


@click.command(epilog=example("warden schema rules > rules.schema.json\nwarden schema webhook"))
@click.argument(
    "what", type=click.Choice(["rules", "routes", "webhook"]), default="rules", required=False
)
@global_options
@click.pass_obj
def schema(obj: Globals, *, what: str) -> None:
    """Print a JSON Schema: of rule files, of routes, or of what webhooks receive.

    Editors that read `# yaml-language-server: $schema=rules.schema.json` on a file's first line
    then complete and check rules while they are written.
    """
    del obj
    from warden.app import json_schema

    tell(json.dumps(json_schema(what), indent=2, ensure_ascii=False))
