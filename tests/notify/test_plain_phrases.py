"""Phrases that only put values between words are said without Jinja, and say the same."""

import pytest
from jinja2 import UndefinedError

from warden.notify.render import Renderer
from warden.notify.render.voice import read_phrases
from warden.sandbox import MAX_OUTPUT, Sandbox, SecurityError, _plain_form, template_folders

SANDBOX = Sandbox(template_folders())
VALUES = ["x", "a {{ b }} {c} {0}", "1\n2", 7, 2.5, True, None, ["a", 1]]


def engine_says(source, values):
    return SANDBOX.from_string(source).render(values)


@pytest.mark.parametrize("language", Renderer().languages)
def test_every_shipped_phrase_says_what_jinja_would_say(language):
    plain = 0
    for source in read_phrases(language, template_folders()).values():
        form = _plain_form(source)
        for value in VALUES if form else ():
            plain += 1
            values = dict.fromkeys(form[1], value) | {"other": "not asked for"}
            assert SANDBOX.phrase(source)(values) == engine_says(source, values)
    assert plain > 1000


@pytest.mark.parametrize(
    "source",
    [
        "{{ a }}\n", "{{ a|upper }}", "{{ a.b }}", "{% if a %}x{% endif %}", "{# no #}x", "{ a }",
        "}{{ a }}", "{{- a }}", "{{  a  }}", "{{ none }}", "{{ loop }}", "{{ _turn }}", "{{ '{' }}",
        "{{ a }} {{", "{{{ a }}}",
    ],
)  # fmt: skip
def test_what_is_more_than_words_and_names_stays_with_jinja(source):
    assert _plain_form(source) is None


def test_a_name_that_is_not_given_is_refused_as_jinja_refuses_it():
    with pytest.raises(UndefinedError, match="'b' is undefined"):
        SANDBOX.phrase("{{ a }} and {{ b }}")({"a": 1})


def test_a_phrase_is_bounded_in_size_too():
    with pytest.raises(SecurityError, match="more than"):
        SANDBOX.phrase("{{ a }}")({"a": "x" * (MAX_OUTPUT + 1)})
