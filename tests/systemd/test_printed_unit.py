"""`warden systemd`: the unit for this installation."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from warden.cli.root import run
from warden.settings import Settings
from warden.unit import Needs, warnings

ROUTES = """\
receivers:
- name: desk
  email: [{to: [desk@example.org]}]
- name: partner
  webhook: [{url: {secret: hook_url}, secret: [{secret: hook_new}, {secret: hook_old}]}]
- name: archive
  file: [{path: out}, {path: ELSEWHERE}]
route:
  receiver: desk
  routes:
  - {receiver: partner, continue: true}
  - {receiver: archive, continue: true}
  - {receiver: desk}
"""
SETTINGS = """\
database: state/warden.db
secrets_dir: my secrets
cache_dir: cache
backup: {dir: ../back $up}
heartbeat: {url: {secret: pulse}}
sources:
- {name: inbox, kind: file, path: inbox}
- {name: sheet, kind: file, path: sheet.csv}
- {name: acled, kind: acled, username: a@example.org, password: {secret: acled_pw}}
smtp: {host: localhost, username: desk, password: {secret: mail_pw}}
"""


@pytest.fixture
def settings(tmp_path):
    folder = tmp_path / "with space"
    folder.mkdir()
    path = folder / "warden.yaml"
    path.write_text("database: state/warden.db\n", encoding="utf-8")
    return path


@pytest.fixture
def much(tmp_path):
    """An installation in an odd place that names secrets and writes to many folders."""
    folder = tmp_path / "a b%c"
    rules = folder / "rules"
    rules.mkdir(parents=True)
    (folder / "sheet.csv").touch()
    (rules / "rules.yaml").write_text("rules: []\n", encoding="utf-8")
    routes = ROUTES.replace("ELSEWHERE", str(tmp_path / 'an "archi\\ve"'))
    (rules / "routes.yaml").write_text(routes, encoding="utf-8")
    (folder / "warden.yaml").write_text(SETTINGS, encoding="utf-8")
    return folder


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


def test_it_hands_over_every_secret_that_settings_and_routes_name(much, capsys):
    status, out, _ = printed(capsys, "--config", str(much / "warden.yaml"))
    assert status == 0
    names = ["acled_pw", "hook_new", "hook_old", "hook_url", "mail_pw", "pulse"]
    secrets = str(much / "my secrets").replace("%", "%%")
    assert value(out, "LoadCredential") == [f"{name}:{secrets}/{name}" for name in names]
    assert value(out, "SetCredential") == [f"{name}:\\n" for name in names]


def test_it_may_write_wherever_settings_and_routes_say(much, capsys):
    _, out, _ = printed(capsys, "--config", str(much / "warden.yaml"))
    here = str(much).replace("%", "%%")
    assert value(out, "ReadWritePaths") == [
        f'"{here}/state"',  # with the file receiver's folder, which is in it
        f'"-{here}/cache"',
        f'"-{here}/inbox"',  # the single file beside it is only read
        rf'"-{much.parent}/an \"archi\\ve\""',
        f'"-{much.parent}/back $up"',
    ]


def test_a_file_receivers_name_that_no_unit_can_hold_is_refused(much, capsys):
    routes = much / "rules" / "routes.yaml"
    routes.write_text(routes.read_text().replace("{path: out}", '{path: "/srv/a\\nb"}'))
    status, out, err = printed(capsys, "--config", str(much / "warden.yaml"))
    assert (status, out) == (2, "")
    assert err == "warden: '/srv/a\\nb' cannot stand in a unit; move it, or give it another name\n"


def test_with_routes_that_have_faults_nobody_knows_what_it_needs(much, capsys):
    with (much / "rules" / "routes.yaml").open("a") as file:
        file.write("rout: x\n")
    status, out, err = printed(capsys, "--config", str(much / "warden.yaml"))
    assert (status, out) == (2, "")
    assert "unknown key 'rout'" in err


def test_what_would_keep_it_from_working_is_said_beside_the_unit(much, capsys):
    _, _, err = printed(capsys, "--config", str(much / "warden.yaml"))
    said = " ".join(err.split())
    assert f"! {much}/inbox is not there; make it, and let the service's user write to it" in said
    assert f"! secret 'pulse' is not in {much}/my secrets/pulse: the service starts without" in said


def test_what_services_cannot_see_is_named(capsys):
    def needed(state):
        return Needs((), Path(state), ())

    def said(state):
        settings = Settings.model_construct(path=Path("/etc/warden/warden.yaml"))
        return [one for one in warnings(settings, needed(state)) if one.startswith(state)]

    assert (
        said("/home/w/db")[0] == "/home/w/db is hidden from services; move it, to /srv for example"
    )
    assert said("/var/lib/warden") == []


def test_an_installation_as_documented_gets_the_unit_as_shipped(tmp_path, capsys):
    path = tmp_path / "warden.yaml"
    path.write_text(
        "database: /var/lib/warden/warden.db\n"
        "secrets_dir: /etc/warden/secrets\n"
        "socket: /run/warden/warden.sock\n"
        "sources:\n- {name: inbox, kind: file, path: /var/lib/warden/inbox}\n"
        "- {name: acled, kind: acled, username: a, password: {secret: acled_password}}\n"
        "smtp: {username: a, password: {secret: smtp_password}}\n",
        encoding="utf-8",
    )
    _, out, _ = printed(capsys, "--config", str(path))
    shipped = Path(__file__).parents[2] / "systemd" / "warden.service"
    lines = shipped.read_text(encoding="utf-8").splitlines()
    assert [line for line in out.splitlines() if line not in lines] == [
        line for line in out.splitlines() if line.startswith("ExecStart=")
    ]
    assert [line for line in lines if line not in out.splitlines()] == [
        line for line in lines if line.startswith("ExecStart=")
    ]


def test_a_service_needs_settings_and_a_user_that_can_be_one(
    settings, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WARDEN_CONFIG", raising=False)
    status, out, err = printed(capsys, "--config", str(settings), "--user", "a b")
    assert (status, out) == (2, "")
    assert err == "warden: 'a b' is no name of a user or group\n"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_finds_nothing_wrong_with_it(much, tmp_path, capsys):
    _, out, _ = printed(capsys, "--config", str(much / "warden.yaml"), "--user", "root")
    unit = tmp_path / "warden.service"
    unit.write_text(out, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
