"""Texts of feeds reach terminals, logs and the service manager: there they show, and do nothing."""

import ast
import io
import json
import logging
import socket
from pathlib import Path

import pytest
from support.installation import Installation, installation, recent, row

from warden import sdnotify
from warden.cli.common import print_json, print_table, show_error
from warden.logs import JournalFormatter, PlainFormatter
from warden.model.text import visible

CLI = Path(__file__).parents[2] / "warden" / "cli"
# A title for the terminal's window, a CSI of one character, a bidi override, a tag, a line break.
EVIL = "Kati\x1b]0;owned\x07\x9b2J\u202etxt\u2066\U000e0041\nERROR warden: all is lost"
ACTS = ("\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\U000e0041", "\x7f")

__all__ = ["installation"]


def acts(text: str) -> list[str]:
    return [char for char in ACTS if char in text]


def test_what_acts_is_written_as_an_escape_and_all_else_stays():
    assert visible("Côte d'Ivoire, 1\u202f000 ok") == "Côte d'Ivoire, 1\u202f000 ok"
    assert visible(EVIL).startswith("Kati\\x1b]0;owned\\x07\\x9b2J\\u202etxt\\u2066")
    assert visible("a\nb\tc", keep="\n") == "a\nb\\tc"


def test_tables_lines_errors_and_json_of_commands_obey_no_text(capsys):
    told = {"headline": EVIL, "key": {"actor": EVIL}, "ids": [EVIL]}
    print_table([told], list(told))
    show_error(EVIL)
    print_json({"headline": EVIL})
    said = capsys.readouterr()
    assert acts(said.out + said.err) == []
    assert len(said.out.splitlines()) == 3  # two of the table, one object
    assert json.loads(said.out.splitlines()[2]) == {"headline": EVIL}


def test_commands_print_through_the_one_place_that_cleans():
    """`click.echo` and `print` write as they are told: only texts of warden's own may use them."""
    allowed = {"common.py": {"tell"}, "setup_commands.py": {"systemd"}}
    wrong = []
    for path in sorted(CLI.glob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            calls = {
                ast.unparse(one.func) for one in ast.walk(function) if isinstance(one, ast.Call)
            }
            if calls & {"click.echo", "print", "click.secho"} and (
                function.name not in allowed.get(path.name, ())
            ):
                wrong.append(f"{path.name}: {function.name}")
    assert wrong == []


@pytest.mark.parametrize("formatter", [PlainFormatter(), JournalFormatter()])
def test_an_entry_of_the_log_is_one_line_whatever_it_tells(formatter):
    record = logging.LogRecord("warden", logging.WARNING, "x", 1, "%s is blocked", (EVIL,), None)
    line = formatter.format(record)
    assert acts(line) == []
    assert "\n" not in line


def test_no_line_of_a_traceback_can_pass_for_an_entry():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PlainFormatter("%(levelname)s %(message)s"))
    log = logging.getLogger("warden.odd")
    log.addHandler(handler)
    try:
        float(EVIL)
    except ValueError:
        log.exception("poll failed")
    finally:
        log.removeHandler(handler)
    first, *rest = stream.getvalue().splitlines()
    assert first == "ERROR poll failed"
    assert all(line.startswith("  ") for line in rest)
    assert acts(stream.getvalue()) == []


def test_a_sentence_cannot_tell_the_service_manager_anything_else(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        sdnotify.notify("READY=1", "STATUS=blocked: \nMAINPID=1\r\nWATCHDOG=trigger")
        assert manager.recv(1000) == b"READY=1\nSTATUS=blocked: MAINPID=1 WATCHDOG=trigger"


def test_an_event_with_such_names_is_told_shown_and_explained_harmlessly(
    installation: Installation,
):
    installation.drop("old.csv", [row(1, recent(60))])
    installation.warden("run", "--once")
    changes = {"location": EVIL, "actor1": EVIL, "notes": EVIL, "source": EVIL, "admin2": EVIL}
    installation.drop("new.csv", [row(2, recent(), **changes)])
    done = installation.warden("run", "--once")
    alert = installation.rows("alerts")[0]["id"]
    commands = [
        ("alerts",), ("actors",), ("deliveries",), ("status",), ("sources",), ("explain", alert),
        ("explain", "MLI2"), ("preview", alert), ("ack", alert, "--note", EVIL),
        ("alerts", "--json"), ("explain", "MLI2", "--json"), ("actors", "--json"),
    ]  # fmt: skip
    said = [done, *(installation.warden(*command) for command in commands)]
    assert [done for done in said if acts(done.stdout + done.stderr)] == []
    for mail in installation.mail.received:
        assert acts(mail.message.as_string()) == []
        assert acts(str(mail.message.get_body(("plain",)).get_content())) == []
