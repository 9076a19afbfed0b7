"""Templates are the operator's: they may be wrong in any way, and an alert still goes out."""

import json
import time
from pathlib import Path

import pytest
from helpers_notify import NOW, notice
from jinja2.exceptions import SecurityError, TemplateError

from warden.notify.render import Renderer, template_folders
from warden.notify.render.template_faults import template_faults
from warden.notify.routes import Receiver
from warden.sandbox import Sandbox


def produce(tmp_path, source, **values):
    (tmp_path / "t.jinja").write_text(source)
    return Sandbox([tmp_path]).produce(["t.jinja"], values)


def test_plain_data_loops_and_conditions_work(tmp_path):
    source = "{% for x in xs %}{{ loop.index }}{{ x.items | upper }}{% endfor %}{{ 2 * 3 }}"
    assert produce(tmp_path, source, xs=[{"items": "a"}, {"items": "b"}]) == "1A2B6"


GROWN = "{% set a = s %}" + "{% set a = [a, a] | join %}" * 7
BAD = {
    "an undefined variable": "{{ nothing }}",
    "an undefined key": "{{ d.nothing }}",
    "a method": "{{ 'x'.upper() }}",
    "a method of a dictionary": "{{ d.keys() }}",
    "a way out": "{{ ''.__class__.__mro__ }}",
    "another way out": "{{ d['__class__'] }}",
    "attributes of a filter": "{{ d | attr('__class__') }}",
    "a call": "{{ range(10) }}",
    "a very long range": "{% for i in range(10000000) %}{% endfor %}",
    "a macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a power": "{{ 9 ** 9 ** 9 }}",
    "a long text by multiplication": "{{ 'x' * 1000000000 }}",
    "a long text by format": "{{ '%1000000000d' % 1 }}",
    "a long text by width": "{{ 'x' | wordwrap(999999999) | center(999999999) }}",
    "doubling": "{% set a = s %}" + "{% set a = [a, a] | join %}" * 30 + "{{ a }}",
    "concatenation": "{{ s ~ s }}",
    "lists of lists of one list": "{% set a = [s] %}"
    + "{% set a = [a, a, a, a, a, a, a, a, a, a] %}" * 9
    + "{{ a }}",
    "dictionaries of one dictionary": "{% set a = {1: s} %}"
    + "{% set a = {1: a, 2: a, 3: a, 4: a, 5: a} %}" * 12
    + "{{ a == 1 }}",
    "sums of lists": "{% set a = [[s, s]] %}"
    + "{% set a = [[a, a, a] | sum(start=[]), a] %}" * 30
    + "{{ a | string }}",
    "much in one line": GROWN + "{{ [" + "a | upper, " * 200 + "a] | length }}",
    "many slices": GROWN + "{{ [" + "a[1:], " * 200 + "a] | length }}",
    "a filter misused": "{{ s | truncate(2) }}",
    "itself": "{% include 't.jinja' %}",
    "a file elsewhere": "{% include '../../etc/passwd' %}",
    "a syntax error": "{% if %}",
    "an import": "{% import 'x' as y %}",
    "a division by nothing": "{{ 1 / 0 }}",
    "unsafe text": "{{ s | safe }}",
    "nested loops": "{% for a in xs %}{% for b in xs %}{% for c in xs %}"
    "{% endfor %}{% endfor %}{% endfor %}",
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_template_is_stopped_soon(tmp_path, case):
    began = time.monotonic()
    with pytest.raises((TemplateError, ArithmeticError, TypeError, RecursionError)):
        produce(tmp_path, BAD[case], d={"a": 1}, s="x" * 1000, xs=list(range(300)))
    assert time.monotonic() - began < 6


def test_output_is_bounded(tmp_path):
    with pytest.raises(SecurityError, match="more than"):
        produce(tmp_path, "{% for i in xs %}{{ s }}{% endfor %}", s="x" * 90_000, xs=[0] * 100)


def test_html_files_escape_and_text_files_do_not(tmp_path):
    for name, expected in (("a.html.jinja", "&lt;b&gt;"), ("a.txt.jinja", "<b>")):
        (tmp_path / name).write_text("{{ x }}")
        assert Sandbox([tmp_path]).produce([name], {"x": "<b>"}) == expected


BREAK = {
    "layout/mail.txt.jinja": "{{ nope }}",
    "layout/mail.html.jinja": "{% for i in notices %}",
    "fr/strings.toml": "and = [",
    "en/mail.txt.jinja": "{{ notices.clear() }}",
}


@pytest.mark.parametrize("name", BREAK)
def test_a_message_whose_template_fails_goes_out_plain_and_says_so(tmp_path, name):
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(BREAK[name])
    language = "fr" if name.startswith("fr") else "en"
    renderer = Renderer(template_folders(tmp_path))
    rendered = renderer.render(
        Receiver("desk", language), [notice()], NOW, ("mail", "warden"), message_id="m"
    )
    assert rendered.fallback
    assert len(rendered.fallback) <= 200
    text = json.loads(rendered.bodies["mail"])["text"]
    assert "template" in text or "modèle" in text
    assert "SMP1" in text
    assert ("Appelez le bureau" if language == "fr" else "Call the field office.") in text
    assert rendered.subject.startswith(("CRITICAL Violent", "CRITIQUE Événement"))
    assert json.loads(rendered.bodies["warden"])["notices"][0]["events"][0]["id"] == "SMP1"
    assert {Path(fault.path) for fault in template_faults(renderer)} == {tmp_path / name}


def test_when_even_the_words_cannot_be_used_the_least_is_said(tmp_path, monkeypatch):
    renderer = Renderer([tmp_path])
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "strings.toml").write_text("severity = 'x'")
    monkeypatch.setattr("warden.notify.render.renderer.shipped_templates", lambda: tmp_path / "no")
    rendered = renderer.render(Receiver("desk"), [notice()], NOW, ("mail",))
    text = json.loads(rendered.bodies["mail"])["text"]
    assert (
        rendered.subject
        == "CRITICAL alert: Violent event near Bamako, 14 km from Bamako, Kati, 2024-01-07, 2 dead"
    )
    assert "Event ids: SMP1" in text
    assert "Accessed 2024-01-10" in text


def test_an_operators_phrase_wins_over_the_shipped_one(tmp_path):
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "strings.toml").write_text("[what]\nviolent = 'Attack'\n")
    renderer = Renderer(template_folders(tmp_path))
    rendered = renderer.render(Receiver("desk"), [notice()], NOW, ("mail",))
    assert rendered.subject.startswith("CRITICAL Attack involving ANA")
    assert rendered.fallback == ""


def test_a_third_language_is_a_folder_and_what_it_lacks_is_found(tmp_path):
    (tmp_path / "es").mkdir()
    (tmp_path / "es" / "strings.toml").write_text("today = 'hoy'\n")
    renderer = Renderer(template_folders(tmp_path))
    assert renderer.languages == ("en", "es", "fr")
    told = [fault.one_line() for fault in template_faults(renderer)]
    assert f"{tmp_path}/es/strings.toml:0:0: WR081 no phrase 'yesterday'" in told


def test_a_fault_of_a_template_is_told_once_at_its_place(tmp_path):
    files = {
        "en/mail.txt.jinja": "Good day\n  {{ subject }} {{ nope }}\n",
        "layout/mail.html.jinja": "<p>\n{% for i in notices %}\n</p>\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    told = [fault.one_line() for fault in template_faults(Renderer(template_folders(tmp_path)))]
    assert told[0] == f"{tmp_path}/en/mail.txt.jinja:2:20: WR081 'nope' is undefined"
    assert told[1].startswith(f"{tmp_path}/layout/mail.html.jinja:3:1: WR081 ")
    assert len(told) == 2
    (tmp_path / "en" / "strings.toml").write_text("[what]\nviolent = 'Attack {{ nope }}'\n")
    told = [fault.one_line() for fault in template_faults(Renderer(template_folders(tmp_path)))]
    where = f"{tmp_path}/en/strings.toml:2:"
    assert [one for one in told if one.startswith(where)] == [
        f"{where}1: WR081 phrase 'what.violent': 'nope' is undefined"
    ]


def shipped(name):
    return (template_folders(None)[0] / name).read_text(encoding="utf-8")


def told_of(tmp_path, files):
    """The faults of the shipped templates with these layouts in their places."""
    (tmp_path / "layout").mkdir(exist_ok=True)
    for name, text in files.items():
        (tmp_path / "layout" / name).write_text(text, encoding="utf-8")
    faults = template_faults(Renderer(template_folders(tmp_path)))
    return [fault.one_line().removeprefix(f"{tmp_path}/layout/") for fault in faults]


@pytest.mark.parametrize(
    "branch",
    [
        "{% if notices|length > 1 %}{{ nope_var }}{% endif %}",
        "{% if notices|length > 900 %}{{ nope_var }}{% endif %}",
        "{% if fallback %}{% for one in nope_var %}{{ one }}{% endfor %}{% endif %}",
        "{% for nope_var in notices %}{% endfor %}{% if fallback %}{{ nope_var }}{% endif %}",
    ],
)
@pytest.mark.parametrize("name", ["mail.txt.jinja", "mail.html.jinja"])
def test_a_name_that_no_sample_comes_to_is_told_at_its_line(tmp_path, name, branch):
    text = shipped(f"layout/{name}") + "\n" + branch
    (told,) = told_of(tmp_path, {name: text})
    line, column = len(text.splitlines()), branch.index("nope_var") + 1
    assert told == f"{name}:{line}:{column}: WR081 'nope_var' is undefined"


@pytest.mark.parametrize("text", ["{{ subject | nope }}{{ other }}", "{" * 300, "{{" + "(" * 9000])
def test_a_layout_that_cannot_be_compiled_is_a_fault_and_nothing_more(tmp_path, text):
    assert len(told_of(tmp_path, {"mail.txt.jinja": text})) == 1


def test_names_of_what_a_layout_includes_are_looked_at_and_those_it_sets_are_known(tmp_path):
    layout = (
        "{% set mine = 1 %}{% for notice in notices %}{% include 'layout/part' %}{% endfor %}"
        "{% if asked is defined %}{{ asked }}{% endif %}{{ other | default('') }}"
    )
    part = "{{ notice.first_line }}{{ mine }}\n{% if fallback %}{{ nope_var }}{% endif %}"
    told = told_of(tmp_path, {"mail.txt.jinja": layout, "part": part})
    assert told == ["part:2:21: WR081 'nope_var' is undefined"]


@pytest.mark.parametrize("name", ["mail.txt.jinja", "mail.html.jinja"])
@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("ok", 1),
        ("<head><title>{{ subject }}</title></head><p>ok</p>" * 2, None),
        ("{{ subject }}", 0),
        ("{% for n in notices %}{{ n.first_line | upper | wordwrap(40) }}{% endfor %}", 0),
        ("{% if notices | length > 1 %}{{ subject }}{% endif %}", 1),
    ],
)
def test_a_layout_must_say_what_the_mail_is_about(tmp_path, name, text, faults):
    if faults is None:  # what only a browser's tab would show
        faults = 1 if ".html" in name else 0
    told = told_of(tmp_path, {name: text})
    unsaid = "the first line of a notice is not said: write {{ notice.first_line }}"
    assert told == [f"{name}:0:0: WR081 {unsaid}"] * faults


def test_a_phrase_that_leaves_a_name_out_or_invents_one_is_told_at_its_line(tmp_path: Path):
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "strings.toml").write_text(
        'km = "kilomètres"\n[statistics]\nlast_seen = "Vu le {{ day }} {{ certain }}"\n',
        encoding="utf-8",
    )
    faults = [
        fault
        for fault in template_faults(Renderer(template_folders(tmp_path)))
        if fault.path.endswith("fr/strings.toml")
    ]
    told = {(fault.line, fault.severity, fault.message) for fault in faults}
    assert (1, "warning", "phrase 'km' does not say 'km', which the English one does") in told
    assert (3, "error", "phrase 'statistics.last_seen': no 'certain' is given to it") in told


def test_a_template_that_is_mended_or_spoilt_is_looked_at_again(tmp_path: Path) -> None:
    """Faults are remembered by what the files hold, and by nothing else."""
    layout = tmp_path / "layout" / "mail.txt.jinja"
    layout.parent.mkdir()
    renderer = Renderer(template_folders(tmp_path))
    good = (renderer.folders[-1] / "layout" / "mail.txt.jinja").read_text(encoding="utf-8")
    for text, faults in ((good, 0), (good + "{{ nobody }}", 1), (good, 0)):
        layout.write_text(text, encoding="utf-8")
        found = template_faults(Renderer(template_folders(tmp_path)))
        assert bool(found) == bool(faults), found


def test_the_same_text_is_compiled_once_for_all_and_escaped_by_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = []
    parse = Sandbox._parse
    monkeypatch.setattr(
        Sandbox, "_parse", lambda self, *rest: (parsed.append(rest[0]), parse(self, *rest))[1]
    )
    text = "Once {{ what }} for all"
    for name in ("a.html.jinja", "a.txt.jinja"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    for _ in range(3):
        sandbox = Sandbox([tmp_path])
        assert sandbox.produce(["a.html.jinja"], {"what": "<b>"}) == "Once &lt;b&gt; for all"
        assert sandbox.produce(["a.txt.jinja"], {"what": "<b>"}) == "Once <b> for all"
    assert parsed == [text, text]
