"""POSIX classes in matchers mean what they mean in Go's RE2."""

import re
import string

import pytest
from helpers_notify import good_routing, routing_of

from warden.notify.posix import without_posix_classes

ASCII = [chr(code) for code in range(128)]
LIKE_PYTHONS = {
    "alnum": string.ascii_letters + string.digits,
    "alpha": string.ascii_letters,
    "ascii": "".join(ASCII),
    "blank": " \t",
    "digit": string.digits,
    "lower": string.ascii_lowercase,
    "print": string.ascii_letters + string.digits + string.punctuation + " ",
    "punct": string.punctuation,
    "space": string.whitespace,
    "upper": string.ascii_uppercase,
    "word": string.ascii_letters + string.digits + "_",
    "xdigit": string.hexdigits,
    "graph": string.ascii_letters + string.digits + string.punctuation,
    "cntrl": "".join(map(chr, range(32))) + "\x7f",
}
OTHERS = ["é", "\N{ARABIC-INDIC DIGIT ONE}", "\N{SNOWMAN}", "\U0010ffff", "\u0130"]


@pytest.mark.parametrize("name", LIKE_PYTHONS)
def test_a_class_holds_its_ascii_letters_and_its_negation_all_others(name):
    within = re.compile(without_posix_classes(f"[[:{name}:]]"))
    without = re.compile(without_posix_classes(f"[[:^{name}:]]"))
    for letter in (*ASCII, *OTHERS):
        assert bool(within.fullmatch(letter)) is (letter in LIKE_PYTHONS[name]), letter
        assert bool(without.fullmatch(letter)) is (letter not in LIKE_PYTHONS[name]), letter


@pytest.mark.parametrize(
    ("pattern", "holds", "fails"),
    [
        ("[[:alpha:]]+", "MLI", "a:"),
        ("[^[:alpha:]]+", "12", "a"),
        ("[[:digit:]_-]+", "12_-", "a"),
        ("[]x[:digit:]]+", "]x1", "a"),
        ("[^]x[:digit:]]+", "ab", "1"),
        (r"\[[:digit:]]", "[:]", "1"),  # no set begins: its "]" is a letter
        (r"[\][:digit:]]+", "]1", "a"),
        ("[:alpha:]+", "pla", "z"),  # by itself it is a set of letters, as in RE2
        ("a[b]c[:d:]", "abcd", "abc1"),
    ],
)
def test_a_class_is_one_within_a_set_only(pattern, holds, fails):
    found = re.compile(without_posix_classes(pattern))
    assert found.fullmatch(holds)
    assert not found.fullmatch(fails)


def test_a_pattern_without_such_classes_stays_as_it_is():
    for pattern in ("", "a|b", "[a-z]+", r"\[x]", "[", "[a", "\\", "[^]]", "(?:x)[:]"):
        assert without_posix_classes(pattern) == pattern


RECEIVERS = """
receivers:
- {name: desk, email: [{to: desk@example.org}]}
- {name: boss, email: [{to: boss@example.org}]}
route: {receiver: desk, routes: [{matchers: ['%s'], receiver: boss}]}
"""


def test_a_matcher_means_what_it_means_in_alertmanager():
    routing = good_routing(RECEIVERS % 'country!~"[[:alpha:]]+"')
    assert [m.receiver.name for m in routing.receivers_for({"country": "MLI"})] == ["desk"]
    assert [m.receiver.name for m in routing.receivers_for({"country": "12"})] == ["boss"]


def test_a_class_that_there_is_not_is_refused_by_name():
    _, faults = routing_of(RECEIVERS % 'country=~"[[:letter:]]+"')
    assert any("WR031" in fault and "no class [:letter:]" in fault for fault in faults)
