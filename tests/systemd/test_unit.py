"""The unit, by systemd's own checkers where they are installed, and what it must say."""

import configparser
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from warden.settings import load, source_settings
from warden.sources import KINDS

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNIT = SYSTEMD / "warden.service"
MAX_EXPOSURE = 1.5

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not installed here"
)


@pytest.fixture
def unit(tmp_path):
    """The unit as a checker can take it: the program it starts need not be installed."""
    copy = tmp_path / "warden.service"
    text = UNIT.read_text(encoding="utf-8")
    copy.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text), encoding="utf-8")
    return copy


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_unit(unit):
    done = analyze("verify", str(unit))
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")


@needs_systemd
def test_the_unit_is_hardened(unit):
    done = analyze("security", "--offline=true", "--no-pager", str(unit))
    exposure = re.search(r"Overall exposure level for .*: ([0-9.]+)", done.stdout)
    assert exposure is not None, done.stdout + done.stderr
    assert float(exposure[1]) <= MAX_EXPOSURE


def service() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        key, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_the_unit_says_what_the_design_asks_for():
    said = service()
    assert said["Type"] == ["notify"]
    assert said["User"] == said["Group"] == ["warden"]
    assert said["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert said["Restart"] == ["on-failure"]
    assert said["StateDirectory"] == said["RuntimeDirectory"] == ["warden"]
    assert "WatchdogSec" in said
    assert any(value.startswith("acled_password:") for value in said["LoadCredential"])


def test_the_stop_timeout_leaves_warden_its_ten_seconds():
    assert int(service()["TimeoutStopSec"][0].removesuffix("s")) > 10


def test_the_user_comes_from_sysusers():
    lines = (SYSTEMD / "warden.sysusers").read_text(encoding="utf-8").splitlines()
    assert any(line.split()[:3] == ["u", "warden", "-"] for line in lines if line.strip())


def test_the_readme_names_every_file_of_the_folder():
    text = (SYSTEMD / "README.md").read_text(encoding="utf-8")
    for path in SYSTEMD.iterdir():
        if path.name != "README.md":
            assert path.name in text


def test_the_shipped_settings_of_the_readme_load(tmp_path, monkeypatch):
    text = (SYSTEMD / "README.md").read_text(encoding="utf-8")
    block = re.search(r" *```yaml\n( *# /etc/warden/warden\.yaml\n.*?)```", text, re.DOTALL)
    assert block is not None
    path = tmp_path / "warden.yaml"
    path.write_text(textwrap.dedent(block[1]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    settings = load(path)
    assert str(settings.database) == "/var/lib/warden/warden.db"
    assert [one.name for one in source_settings(settings, KINDS)] == ["acled", "inbox"]


def test_the_unit_is_an_ini_file_without_doubled_sections():
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    parser.read_string(UNIT.read_text(encoding="utf-8"))
    assert parser.sections() == ["Unit", "Service", "Install"]
