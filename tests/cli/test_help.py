"""The face: help for every command, quickly; wrong usage in one clear line."""

import resource
import subprocess
import sys

import click
import pytest

from warden.cli import root
from warden.cli.place_commands import where


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    status = root.run(list(arguments))
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize("name", root.COMMANDS)
def test_every_command_has_an_example_and_a_line_in_the_table(name):
    command = root.cli.get_command(click.Context(root.cli), name)
    assert command is not None
    assert command.name == name
    text = command.get_help(click.Context(command, info_name=name))
    assert "Example:" in text
    assert f"warden {name}" in text
    first = " ".join((command.help or "").split("\n\n")[0].split())
    assert first, name
    assert len(root.COMMANDS[name].help) <= 60
    for option in ("--config", "--rules", "--database") if name != "demo" else ():
        assert option in text  # the demo has an installation of its own


def of_children() -> float:
    """Processor seconds of processes that have ended: who shares the cores does not count."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_of_warden_is_fast_and_imports_nothing_heavy():
    script = (
        "import sys\nfrom warden.cli.root import run\nrun(['--help'])\n"
        "heavy = {'numpy', 'pydantic', 'yaml', 'requests', 'sqlite3'} & set(sys.modules)\n"
        "raise SystemExit(repr(heavy) if heavy else 0)\n"
    )
    best = 9.0
    for _ in range(5):
        before = of_children()
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
        best = min(best, of_children() - before)
        assert done.returncode == 0, done.stderr
        if best < 0.3:
            break
    assert best < 0.3
    assert b"Example:" in done.stdout


def test_an_unknown_command_is_one_line_with_a_guess(capsys):
    assert run(capsys, "serie") == (2, "", "warden: no command 'serie'; did you mean 'series'?\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Missing command."),
        (("series",), "Missing argument 'RULE'."),
        (("series", "x", "--by", "decade"), "'decade' is not one of"),
        (("where", "91", "0"), "91.0 is not in the range -90<=x<=90"),
        (("where", "12", "east"), "'east' is not a valid float"),
        (("ingest", "nowhere.csv"), "'nowhere.csv' does not exist"),
        (("retry",), "name the deliveries to retry, or say --all"),
        (("evaluate", "--now", "2022-01-01"), "--now needs --dry-run"),
        (("status", "--config", "nowhere.yaml"), "no settings file nowhere.yaml"),
        (("status", "--jsn"), "No such option"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(capsys, tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1


def test_negative_coordinates_are_numbers_not_options():
    context = where.make_context("where", ["-12.5", "-8.0", "--json"], resilient_parsing=False)
    assert (context.params["lat"], context.params["lon"]) == (-12.5, -8.0)
    assert context.params["as_json"] is True


def test_the_version_is_printed(capsys):
    status, out, _ = run(capsys, "--version")
    assert (status, out.startswith("warden 0.")) == (0, True)


def test_completion_for_shells_is_there():
    done = subprocess.run(
        [sys.executable, "-c", "from warden.cli import main; main()"],
        env={"_WARDEN_COMPLETE": "bash_source", "PATH": "/usr/bin:/bin"},
        capture_output=True, check=False,
    )  # fmt: skip
    assert b"_WARDEN_COMPLETE=bash_complete" in done.stdout
