"""Settings: from file and environment, every fault at once and at its place."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from warden.errors import ConfigError
from warden.settings import Secrets, load, source_settings
from warden.sources import KINDS


@pytest.fixture(autouse=True)
def _quiet_environment(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith("WARDEN_") or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def write(folder: Path, text: str) -> Path:
    path = folder / "warden.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def faults_of(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return [fault.one_line() for fault in caught.value.faults]


def test_no_configuration_at_all_is_fine():
    settings = load()
    assert settings.database == Path("warden.db")
    assert settings.sources == ()
    assert (settings.rules_dir / "actors.yaml").parent.name == "rules"


def test_relative_paths_are_relative_to_the_file(tmp_path):
    folder = tmp_path / "etc"
    folder.mkdir()
    path = write(
        folder,
        "database: state/w.db\nrules: my-rules\n"
        "sources:\n- {name: inbox, kind: file, path: inbox, every: 1m}\n",
    )
    settings = load(path)
    assert settings.database == folder / "state" / "w.db"
    assert settings.rules_dir == folder / "my-rules"
    assert settings.sources[0]["path"] == str(folder / "inbox")
    assert settings.control_socket == folder / "state" / "w.db.sock"


def test_options_win_over_the_file(tmp_path):
    path = write(tmp_path, "database: w.db\nrules: r\n")
    settings = load(path, rules=Path("other"), database=Path("o.db"))
    assert (settings.rules_dir, settings.database) == (Path("other"), Path("o.db"))


def test_the_environment_wins_over_the_file(tmp_path, monkeypatch):
    path = write(tmp_path, "time_zone: Africa/Bamako\nsmtp: {host: localhost, port: 25}\n")
    monkeypatch.setenv("WARDEN_SMTP__PORT", "2525")
    settings = load(path)
    assert settings.smtp.port == 2525
    assert settings.time_zone == "Africa/Bamako"


def test_all_faults_are_told_at_once_with_their_places(tmp_path):
    path = write(
        tmp_path,
        "databse: x.db\ntime_zone: Africa/Bamako_\nsmtp: {host: localhost, prt: 25}\n",
    )
    told = faults_of(path)
    guess = "; did you mean 'Africa/Bamako'?"
    assert told == [
        f"{path}:1:1: WR012 unknown key 'databse'; did you mean 'database'?",
        f"{path}:2:1: WR010 time_zone: no time zone 'Africa/Bamako_'{guess}",
        f"{path}:3:25: WR012 unknown key 'prt' in smtp; did you mean 'port'?",
    ]


def test_a_variable_that_names_nothing_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("WARDEN_DATABSE", "x.db")
    (told,) = faults_of(write(tmp_path, "rules: r\n"))
    assert "WARDEN_DATABSE names no setting; did you mean 'WARDEN_DATABASE'?" in told


def test_a_nested_variable_that_names_nothing_is_told_once(tmp_path, monkeypatch):
    monkeypatch.setenv("WARDEN_SMTP__PRT", "25")
    (told,) = faults_of(write(tmp_path, "smtp: {host: localhost}\n"))
    assert "WARDEN_SMTP__PRT names no setting; did you mean 'WARDEN_SMTP__PORT'?" in told


def test_a_wrong_value_in_a_variable_names_the_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("WARDEN_SMTP__PORT", "many")
    (told,) = faults_of(write(tmp_path, "rules: r\n"))
    assert told.startswith("WARDEN_SMTP__PORT:0:0: WR060")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WARDEN_TIME_ZONE", os.fsdecode(b"UT\xec")),
        ("WARDEN_SOURCES", '[{"name": "inbox", "kind": "\\ud800", "path": "in"}]'),
        ("WARDEN_SECRET_hook", os.fsdecode(b"\xff")),
    ],
)
def test_a_variable_that_is_no_text_is_a_fault_by_its_name(tmp_path, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    (told,) = faults_of(write(tmp_path, "rules: r\n"))
    assert f"WR060 the variable {name} is not UTF-8, or holds half a character" in told


def test_broken_yaml_is_one_fault_and_no_traceback(tmp_path):
    (told,) = faults_of(write(tmp_path, "smtp: {host: [\n"))
    assert "WR002 not YAML" in told


def test_a_list_is_no_settings_file(tmp_path):
    (told,) = faults_of(write(tmp_path, "- a\n- b\n"))
    assert "settings are a mapping" in told


def test_a_named_file_that_is_missing_is_an_error(monkeypatch):
    monkeypatch.setenv("WARDEN_CONFIG", "nowhere.yaml")
    with pytest.raises(ConfigError, match=r"no settings file nowhere\.yaml"):
        load()


def test_each_source_is_checked_by_its_own_model(tmp_path):
    path = write(
        tmp_path,
        "sources:\n"
        "- {name: a, kind: acld, username: x}\n"
        "- {name: b, kind: file, path: in, evry: 1m}\n"
        "- {name: c, kind: file}\n",
    )
    with pytest.raises(ConfigError) as caught:
        source_settings(load(path), KINDS)
    told = "\n".join(fault.one_line() for fault in caught.value.faults)
    assert f"{path}:2:13: WR010 no kind of source 'acld'; did you mean 'acled'?" in told
    assert f"{path}:3:35: WR012 unknown key 'evry'; did you mean 'every'?" in told
    assert f"{path}:4:3: WR011 'path' is missing" in told


def test_two_sources_of_one_name_are_refused(tmp_path):
    path = write(
        tmp_path,
        "sources:\n- {name: a, kind: file, path: x}\n- {name: a, kind: file, path: y}\n",
    )
    with pytest.raises(ConfigError) as caught:
        source_settings(load(path), KINDS)
    assert "two sources are named 'a'" in caught.value.faults[0].message


def test_secrets_come_from_credentials_then_folder_then_environment(tmp_path, monkeypatch):
    credentials, folder = tmp_path / "credentials", tmp_path / "secrets"
    credentials.mkdir()
    folder.mkdir()
    secrets = Secrets(folder)
    monkeypatch.setenv("WARDEN_SECRET_hook", "from environment")
    assert secrets.require("hook").get_secret_value() == "from environment"
    (folder / "hook").write_text("from folder\n", encoding="utf-8")
    assert secrets.require("hook").get_secret_value() == "from folder"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    (credentials / "hook").write_text("\n", encoding="utf-8")  # the unit's empty default
    assert secrets.require("hook").get_secret_value() == "from folder"
    (credentials / "hook").write_text("from credentials\r\n", encoding="utf-8")
    assert secrets.require("hook").get_secret_value() == "from credentials"
    assert "from" not in repr(secrets.require("hook"))


def test_a_missing_secret_tells_where_it_was_looked_for(tmp_path):
    with pytest.raises(ConfigError, match=r"'x' is not set; looked in .*/x, the variable WARDEN_S"):
        Secrets(tmp_path).require("x")


def test_a_secret_that_is_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x")
    with pytest.raises(ConfigError, match=r"'x' cannot be read from .*: .*a folder or a pipe"):
        Secrets(tmp_path).require("x")


def test_how_long_things_are_kept_is_whole_days_or_for_ever(tmp_path):
    settings = load(write(tmp_path, "retention: {raw: 90d, rejects: forever}\n"))
    kept = settings.retention
    assert (kept.raw, kept.rejects, kept.texts) == (timedelta(90), None, timedelta(365))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("raw: 0d", "at least one day, or forever"),
        ("raw: 12h", "shorter than a day"),
        ("raw: 90", "write whole days, weeks or years, such as 90d or 2y, or forever"),
        ("events: 90d", "unknown key 'events' in retention"),
    ],
)
def test_a_wrong_time_to_keep_is_told_at_its_place(tmp_path, wrong, said):
    (told,) = faults_of(write(tmp_path, f"retention: {{{wrong}}}\n"))
    assert "warden.yaml:1:" in told
    assert said in told
