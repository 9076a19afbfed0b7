"""`warden demo`: everything on one machine, no account."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from warden.cli.common import example, print_table, say, tell
from warden.errors import UsageError

if TYPE_CHECKING:
    from warden.demo import Outcome, Progress


@click.command(epilog=example("warden demo\nwarden --config demo-out/warden.yaml alerts"))
@click.option(
    "--directory",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-out"),
    show_default=True,
    help="Where everything goes; an earlier demo there is replaced.",
)
def demo(directory: Path) -> None:
    """Show warden at work on this machine: no account, no network, about two minutes.

    A simulated ACLED, a mail server and a webhook receiver are started here; warden polls, weighs
    and tells through six years of an invented history in which nothing is real but the places and
    the yearly figures. Nothing leaves this machine.
    """
    from warden.logs import configure

    try:
        from warden.demo import run
    except ModuleNotFoundError as missing:
        raise UsageError(f"the demo needs {missing.name}: pip install 'warden[demo]'") from None

    configure("ERROR")  # the two failures of the play are told at the end
    say(
        "A simulated feed, a mail server and a webhook receiver on this machine; all data invented."
    )
    with _Shown() as shown:
        outcome = run(directory, tell=shown)
    _show(outcome)
    index = _write_index(outcome)
    tell(f"\nOpen in a browser: {index}")


class _Shown:
    """Progress: a bar on a terminal, a line a year in a pipe."""

    def __init__(self) -> None:
        self._bar: click.progressbar | None = None  # type: ignore[valid-type]  # click's factory
        self._year = 0

    def __enter__(self) -> Callable[[Progress], None]:
        return self._on_terminal if sys.stderr.isatty() else self._in_pipe

    def __exit__(self, *exc: object) -> None:
        if self._bar is not None:
            self._bar.render_finish()

    def _on_terminal(self, progress: Progress) -> None:
        if self._bar is None:
            self._bar = click.progressbar(
                length=progress.steps,
                file=sys.stderr,
                item_show_func=lambda item: item or "",
                width=30,
            )
        self._bar.update(
            1, f"{progress.now:%b %Y}  {progress.events:,} events, {progress.messages} messages"
        )

    def _in_pipe(self, progress: Progress) -> None:
        last = progress.step == progress.steps
        if progress.now.year == self._year and not last:
            return
        self._year = progress.now.year
        say(
            f"{progress.now:%Y-%m-%d}  {progress.step:3} of {progress.steps} polls, "
            f"{progress.events:6,} events, {progress.notices:4} notices, "
            f"{progress.messages:4} messages arrived"
        )


def _show(outcome: Outcome) -> None:
    from warden.simulator import findings

    tell(f"\nAll data are SIMULATED. {outcome.steps} polls of 2019 to 2024, "
               f"{outcome.events:,} events, {len(outcome.notices)} notices.")  # fmt: skip
    tell("\nWhat was found when (the first of each kind, and days you may know):\n")
    print_table(
        (
            {
                "told": line.told, "rule": line.rule, "happened": line.happened,
                "days after": line.days_after, "action": line.action, "reason": line.reason,
                "severity": line.severity, "what": line.what[:72],
            }
            for line in findings.findings(outcome.notices)
        ),
        ["told", "rule", "happened", "days after", "action", "reason", "severity", "what"],
    )  # fmt: skip
    _show_years(outcome)
    tell("\nWhat the Africa Center's brief of 24 September 2024 said, and when warden did:\n")
    for claim in findings.claims(outcome.notices, outcome.figures):
        tell(f"  {claim.brief}")
        tell(f"    simulated data: {claim.data}")
        tell(f"    warden told:    {claim.warden}")
    _show_places(outcome)


# What an operator would ask next, and why; {alert} is a cluster's, {event} an attack's.
_ASKED = (
    ("alerts --told", "what was told, the newest first"),
    ("explain {alert}", "how an alert came about, who got it, and what people said of it"),
    ("explain {event}", "every rule's verdict on one event"),
    (
        "series attack-near-bamako --by year --now 2024-06-30",
        "the first of the brief's figures, the running year projected",
    ),
    ("routes test severity=critical theme=bamako country=MLI", "who would get such an alert"),
    ("silence list --all", "what was held back, by whom, until when"),
    ("sources", "how each feed is"),
)
_MOST_LINES = 60


def _write_index(outcome: Outcome) -> Path:
    from warden.simulator import album, findings

    sums = (
        f"{outcome.steps} polls of 2019 to 2024, {outcome.events:,} events, "
        f"{len(outcome.notices)} notices, {outcome.mails} mails, {outcome.payloads} webhooks."
    )
    return album.write_index(
        outcome.paths.root,
        outcome.pages,
        sums=sums,
        claims=findings.claims(outcome.notices, outcome.figures),
        lines=findings.findings(outcome.notices),
        payloads=outcome.samples,
        answers=[
            album.Answer(f"warden --config {outcome.paths.settings} {words}", why, output)
            for words, why, output in _answers(outcome)
        ],
    )


def _answers(outcome: Outcome) -> Iterator[tuple[str, str, str]]:
    """The commands on the demo's database, and what they print."""
    from warden.cli.root import run

    told = [notice for notice in outcome.notices if notice.action == "alert"]
    known = [n for n in told if n.rule_id == "attack-near-bamako" and n.facts.get("events")]
    clusters = [n.alert_id for n in told if n.rule_id == "bamako-cluster"]
    names = {
        "{alert}": clusters[0] if clusters else "",
        "{event}": known[-1].facts["events"][0]["id"] if known else "",
    }
    for asked, why in _ASKED:
        words = asked.split()
        if words[-1] in names:
            if not names[words[-1]]:
                continue
            words[-1] = names[words[-1]]
        printed = io.StringIO()
        with redirect_stdout(printed), redirect_stderr(printed):
            run(["--config", str(outcome.paths.settings), *words])
        lines = printed.getvalue().rstrip().splitlines()
        more = [f"… and {len(lines) - _MOST_LINES} lines more"] if len(lines) > _MOST_LINES else []
        yield " ".join(words), why, "\n".join(lines[:_MOST_LINES] + more)


def _show_years(outcome: Outcome) -> None:
    from warden.simulator import findings

    counts = findings.alerts_a_year(outcome.notices)
    years = sorted({year for row in counts.values() for year in row})
    tell("\nAlerts told, by rule and year:\n")
    print_table(
        ({"rule": rule, **{str(y): row.get(y, 0) for y in years}} for rule, row in counts.items()),
        ["rule", *map(str, years)],
    )


def _show_places(outcome: Outcome) -> None:
    paths, program = outcome.paths, _program()
    tell("\nOn purpose two things went wrong:")
    for day, sentence in outcome.failed_polls:
        tell(f"  {day}  the feed, read at the next poll with nothing lost: {sentence}")
    tell(f"  2022-03-02  the partner's computer; delivered at another try: {outcome.retried}")
    states = ", ".join(f"{number} {state}" for state, number in outcome.deliveries.items())
    tell(f"\nDeliveries: {states}; {outcome.seconds:.0f} seconds in all.\n")
    for name, path, about in (
        (
            "mails",
            paths.mails,
            f"{outcome.mails} in a Maildir, English and French",
        ),
        ("payloads", paths.payloads, _payloads(outcome)),
        ("database", paths.database, "events, revisions, alerts, notices, deliveries"),
        ("settings", paths.settings, "with rules and routes beside it"),
    ):
        tell(f"  {name:9} {path}  ({about})")
    tell("\nGo on with (the second projects 2024 from its first half):")
    tell(f"  {program} --config {paths.settings} alerts --told")
    tell(
        f"  {program} --config {paths.settings} series attack-near-bamako --by year "
        "--now 2024-06-30"
    )


def _payloads(outcome: Outcome) -> str:
    verified = f"{outcome.payloads} with a verified signature"
    return f"{verified}, {outcome.refused} REFUSED" if outcome.refused else verified


def _program() -> str:
    """How this very warden is called from here."""
    if shutil.which("warden"):
        return "warden"
    beside = Path(sys.executable).with_name("warden")
    if not beside.exists():
        return f"{sys.executable} -m warden"
    here = Path.cwd()
    return str(beside.relative_to(here)) if beside.is_relative_to(here) else str(beside)
