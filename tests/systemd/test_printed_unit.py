"""`warden systemd`: the unit for this installation."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from warden.cli.root import run


@pytest.fixture
def settings(tmp_path):
    folder = tmp_path / "with space"
    folder.mkdir()
    path = folder / "warden.yaml"
    path.write_text("database: state/warden.db\n", encoding="utf-8")
    return path


def printed(capsys, *arguments):
    status = run(["systemd", *arguments])
    return status, *capsys.readouterr()


def value(text, key):
    return re.findall(rf"(?m)^{key}=(.*)$", text)


def test_it_starts_this_warden_with_these_settings_as_the_user_named(settings, capsys):
    asked = ("--config", str(settings), "--user", "alerts", "--group", "duty")
    status, out, _ = printed(capsys, *asked)
    assert status == 0
    (command,) = value(out, "ExecStart")
    assert command.startswith(str(Path(sys.executable).parent))
    assert command.endswith(f'run --config "{settings}"')
    assert (value(out, "User"), value(out, "Group")) == (["alerts"], ["duty"])
    assert value(out, "WorkingDirectory") == [str(settings.parent / "state")]
    assert value(out, "ReadWritePaths") == [f'"{settings.parent / "state"}"']
    assert "/etc/warden/secrets" not in out


def test_an_installation_as_documented_gets_the_unit_as_shipped(tmp_path, capsys):
    path = tmp_path / "warden.yaml"
    path.write_text("database: /var/lib/warden/warden.db\n", encoding="utf-8")
    _, out, _ = printed(capsys, "--config", str(path))
    shipped = Path(__file__).parents[2] / "systemd" / "warden.service"
    lines = shipped.read_text(encoding="utf-8").splitlines()
    other = [line for line in out.splitlines() if line not in lines]
    assert {line.partition("=")[0] for line in other} == {"ExecStart", "LoadCredential"}


def test_a_service_needs_settings_and_a_user_that_can_be_one(
    settings, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WARDEN_CONFIG", raising=False)
    status, out, err = printed(capsys, "--config", str(settings), "--user", "a b")
    assert (status, out) == (2, "")
    assert err == "warden: 'a b' is no name of a user or group\n"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_finds_nothing_wrong_with_it(settings, tmp_path, capsys):
    _, out, _ = printed(capsys, "--config", str(settings), "--user", "root")
    unit = tmp_path / "warden.service"
    unit.write_text(out, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
