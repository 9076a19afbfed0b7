"""`warden test`, `backtest` and `explain`: trying rules before trusting them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from warden.cli.common import (
    Globals,
    example,
    global_options,
    json_option,
    print_json,
    say,
)

if TYPE_CHECKING:
    from warden.trial.ruletest import Outcome


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

    if place is not None:
        obj.rules = place
    count = failed = 0
    for outcome in App(obj.settings()).rule_tests():
        count += 1
        failed += not outcome.passed
        if as_json:
            print_json(outcome.as_dict())
        else:
            _show_outcome(outcome)
    say(f"{failed} of {count} tests failed" if failed else f"{count} tests passed")
    return 1 if failed else 0


def _show_outcome(outcome: Outcome) -> None:
    word = "ok  " if outcome.passed else "FAIL"
    click.echo(f"{word}  {outcome.file}:{outcome.line}  {outcome.name}")
    for number in outcome.failed:
        expected, got = outcome.expected[number], outcome.got[number]
        click.echo(f"      {_head(expected)}")
        for word, check in (("expected", expected), ("got", got)):
            found = check.get("notices", check.get("receivers", ()))
            for one in found or ["nothing"]:
                click.echo(f"        {word.ljust(8)}  {_phrase(one)}")


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
