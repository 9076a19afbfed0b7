"""`warden check`: what an operator must mend, each fault at its place."""

from support.installation import Installation

HOOKS = """\
- name: partner
  webhook: [{url: https://partner.example.org/hook, secret: {secret: nope}}]
- name: other
  webhook: [{url: {secret: where}, secret: {secret: nope}}]
"""


def add_receivers(installation: Installation, text: str) -> None:
    routes = installation.root / "rules" / "routes.yaml"
    old = routes.read_text("utf-8")
    routes.write_text(old.replace("receivers:\n", "receivers:\n" + text), "utf-8")


def test_secrets_of_receivers_that_are_not_set_are_told_at_their_lines(installation: Installation):
    add_receivers(installation, HOOKS)
    told = installation.rows("check", expect=1)
    assert [(f["code"], f["line"], f["message"][:22]) for f in told] == [
        ("WR061", 3, "secret 'nope' is not s"),
        ("WR061", 5, "secret 'where' is not "),
        ("WR061", 5, "secret 'nope' is not s"),
    ]
    assert all(fault["path"].endswith("routes.yaml") for fault in told)


def test_the_mail_servers_and_the_sources_secrets_are_told_with_them(installation: Installation):
    settings = installation.root / "warden.yaml"
    text = settings.read_text("utf-8").replace(
        "sources:\n",
        "sources:\n- {name: acled, kind: acled, username: a@b.org, password: {secret: acled},"
        " countries: [MLI]}\n",
    )
    text = text.replace("smtp: {", "smtp: {username: w, password: {secret: mail}, ")
    settings.write_text(text, "utf-8")
    told = installation.rows("check", expect=1)
    assert [(f["code"], f["line"], f["message"].split()[1]) for f in told] == [
        ("WR061", 5, "'acled'"),
        ("WR061", 7, "'mail'"),
    ]


def test_secrets_that_are_set_are_no_fault(installation: Installation, monkeypatch):
    add_receivers(installation, HOOKS)
    for name in ("nope", "where"):
        monkeypatch.setenv(f"WARDEN_SECRET_{name}", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert installation.rows("check") == []


def test_a_template_is_told_by_file_and_line(installation: Installation):
    settings = installation.root / "warden.yaml"
    settings.write_text(settings.read_text("utf-8") + "templates: templates\n", "utf-8")
    folder = installation.root / "templates" / "en"
    folder.mkdir(parents=True)
    (folder / "mail.txt.jinja").write_text("Hello\n{{ nope }}\n", "utf-8")
    shown = installation.warden("check", expect=1).stdout
    assert shown.count("WR081") == 1
    assert "templates/en/mail.txt.jinja:2:4: WR081 'nope' is undefined" in shown


def test_rule_tests_need_no_secrets(installation: Installation):
    add_receivers(installation, HOOKS)
    installation.warden("test")
