"""Secrets that stand where they should not, and names of secrets that lead elsewhere."""

import pytest

from warden.cli.common import Globals
from warden.cli.root import cli, run
from warden.errors import ConfigError, Fault
from warden.rulebook import render_faults
from warden.settings import Secrets, load

PLAIN = "plain-s3cret-99"


@pytest.mark.parametrize(
    "line",
    [
        f"password: {PLAIN}",
        f"- {{name: acled, kind: acled, password: {PLAIN}, countries: [MLI]}}",
        f'smtp: {{username: u, "password": "{PLAIN}"}}',
        f"  webhook: [{{url: https://h.example.org/x, secret: {PLAIN}}}]",
        f"    secret: '{PLAIN}'",
        f"  secret: [whsec_{PLAIN}, whsec_{PLAIN}]",
        f"  url: https://user:{PLAIN}@h.example.org/",
        f"heartbeat: {{url: 'ftp://h.example.org/{PLAIN}', every: 5m}}",
        f"token: {PLAIN}",
    ],
)
def test_a_fault_is_told_with_its_line_and_without_the_secret_in_it(line):
    told = render_faults([Fault("w.yaml", 3, 5, "WR010", "is wrong", source_line=line)])
    assert PLAIN not in told
    assert "*" * len(PLAIN) in told
    assert told.splitlines()[2].endswith("    ^")


def test_the_name_of_a_secret_is_shown():
    line = "  - {url: https://h.example.org/x, secret: {secret: partner_hook}}"
    told = render_faults([Fault("r.yaml", 3, 5, "WR061", "is not set", source_line=line)])
    assert line in told


def test_settings_with_secrets_in_them_are_refused_without_telling_them(tmp_path, capsys):
    (tmp_path / "warden.yaml").write_text(
        "database: w.db\n"
        f"sources:\n- {{name: acled, kind: acled, username: u, password: {PLAIN}}}\n"
        f"smtp: {{host: m.example.org, security: tls, username: u, password: {PLAIN}}}\n"
        f"heartbeat: {{url: 'ftp://h.example.org/{PLAIN}'}}\n"
    )
    for command in (["check"], ["status"], ["run"], ["check", "--json"]):
        assert run(["--config", str(tmp_path / "warden.yaml"), *command]) in (1, 2)
    said = capsys.readouterr()
    assert "password" in said.out + said.err
    assert PLAIN not in said.out + said.err


def test_a_variable_that_holds_a_secret_in_the_wrong_place_is_not_told(
    tmp_path, capsys, monkeypatch
):
    (tmp_path / "warden.yaml").write_text("database: w.db\n")
    for name in ("WARDEN_SMTP__PASSWORD", "WARDEN_PASSWORD", "WARDEN_SOURCES", "WARDEN_HEARTBEAT"):
        monkeypatch.setenv(name, PLAIN)
    assert run(["--config", str(tmp_path / "warden.yaml"), "status"]) == 2
    assert PLAIN not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/b", "..", ".", "", "a\nb", "a" * 200])
def test_the_name_of_a_secret_is_no_path(tmp_path, name):
    (tmp_path / "x").write_text(PLAIN)
    (tmp_path / "secrets" / "a").mkdir(parents=True)
    (tmp_path / "secrets" / "a" / "b").write_text(PLAIN)
    with pytest.raises(ConfigError, match="no name of a secret") as caught:
        Secrets(tmp_path / "secrets").require(name)
    assert PLAIN not in str(caught.value)


@pytest.mark.parametrize("held", ["not a url", "https://user:x@h.example.org/", "ftp://h/x"])
def test_the_address_of_the_heartbeat_may_be_a_secret(tmp_path, held):
    (tmp_path / "pulse").write_text(f"{held}\n")
    (tmp_path / "warden.yaml").write_text("heartbeat: {url: {secret: pulse}}\nsecrets_dir: .\n")
    settings = load(tmp_path / "warden.yaml")
    with pytest.raises(ConfigError, match="the secret 'pulse' must hold an https: ") as caught:
        settings.heartbeat.address(settings.secrets)
    assert held not in str(caught.value)
    (tmp_path / "pulse").write_text("https://h.example.org/ping/0d1f\n")
    assert settings.heartbeat.address(settings.secrets) == "https://h.example.org/ping/0d1f"


@pytest.mark.parametrize("url", ["5", "{secert: x}", "{secret: 5}", "[a]", "ftp://h/x", "null"])
def test_an_address_of_the_heartbeat_that_is_none_is_one_fault(tmp_path, url):
    (tmp_path / "warden.yaml").write_text(f"heartbeat: {{url: {url}}}\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "warden.yaml")
    (fault,) = caught.value.faults
    assert fault.message.endswith("or {secret: NAME}")


def test_no_option_of_any_command_takes_a_secret():
    """Arguments of a process are for everybody to read; secrets come from files alone."""

    def options(command, context):
        for one in command.params:
            yield from one.opts
        for name in getattr(command, "list_commands", lambda _: [])(context):
            yield from options(command.get_command(context, name), context)

    context = cli.make_context("warden", ["--help"], resilient_parsing=True, obj=Globals())
    found = set(options(cli, context))
    assert "--config" in found
    words = ("pass", "secret", "token", "key", "credential", "auth", "login", "url")
    assert [option for option in found if any(word in option for word in words)] == []
