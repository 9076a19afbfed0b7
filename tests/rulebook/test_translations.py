"""Rule texts in other languages: as written, as overridden, and what is missing."""

from __future__ import annotations

import pytest

from warden.errors import Fault
from warden.model.located import FaultList
from warden.model.rule import Rule, Translation
from warden.notify.languages import check_languages
from warden.notify.routes import Receiver

EVENT = """\
rules:
- id: a
  title: A rise
  kind: event
  where: {actor: {group: herders}, inside: {country: MLI}}
  description: What it means.
  runbook: Do.
"""
FRENCH = """\
  translations:
    fr:
      title: Une
        hausse
      description: Ce que cela signifie.
      runbook: |
        Faites.
"""
HERDERS = """\
actors:
  herders:
    title: Herders
    match: ["Herders*"]
    translations: {fr: {title: Éleveurs}}
"""


def translations(loaded) -> tuple[Translation, ...]:
    assert loaded.faults == ()
    return loaded.ruleset.rules[0].translations


def test_texts_and_the_names_that_a_rule_asks_for_are_translated(read) -> None:
    assert translations(read({"rules.yaml": EVENT + FRENCH, "herders.yaml": HERDERS})) == (
        Translation(
            "fr",
            (
                ("title", "Une hausse"),
                ("description", "Ce que cela signifie."),
                ("runbook", "Faites."),
            ),
            (("Herders", "Éleveurs"),),
        ),
    )


def test_a_translation_changes_nothing_that_decides(read) -> None:
    plain = read({"rules.yaml": EVENT, "herders.yaml": HERDERS.rsplit("    trans", 1)[0]})
    spoken = read({"rules.yaml": EVENT + FRENCH, "herders.yaml": HERDERS})
    assert plain.ruleset.rules[0].version == spoken.ruleset.rules[0].version


def test_an_override_of_a_text_takes_its_old_translation_out(read) -> None:
    override = "overrides:\n  a: {runbook: Do something else.}\n"
    files = {"rules.yaml": EVENT + FRENCH, "herders.yaml": HERDERS, "local/own.yaml": override}
    assert dict(translations(read(files))[0].texts).keys() == {"title", "description"}


def test_an_override_may_translate_its_text(read) -> None:
    override = (
        "overrides:\n  a: {runbook: Do something else., translations: {fr: {runbook: Autre.}}}\n"
    )
    files = {"rules.yaml": EVENT + FRENCH, "herders.yaml": HERDERS, "local/own.yaml": override}
    assert dict(translations(read(files))[0].texts)["runbook"] == "Autre."


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("French", "8:17: WR010 translations must be a mapping of languages"),
        ("{french: {title: T}}", "8:18: WR013 'french' is no language; write its code, such as fr"),
        ("{fr: Une hausse}", "8:22: WR010 the translation into fr must be a mapping"),
        ("{fr: {titel: T}}", "8:23: WR012 unknown key 'titel' in the translation into fr; did you"),
        ("{fr: {title: ''}}", "8:30: WR014 title is an empty text"),
        ("{fr: {title: [T]}}", "8:30: WR010 title must be a text"),
        ("{fr: {}}", "8:22: WR014 the translation into fr is empty"),
        (f"{{fr: {{title: {'x' * 301}}}}}", "8:30: WR016 title is longer than 300 characters"),
    ],
)
def test_what_is_no_translation_is_one_line(faults, written: str, said: str) -> None:
    found = faults({"rules.yaml": f"{EVENT}  translations: {written}\n", "herders.yaml": HERDERS})
    assert [line.split(".yaml:", 1)[1].startswith(said) for line in found] == [True], found


# --- what receivers read ----------------------------------------------------------------------


def rule(name: str, *languages: str, status: str = "stable") -> Rule:
    given = tuple(Translation(code, (("title", "T"), ("runbook", "R"))) for code in languages)
    return Rule(
        name, "T", "event", None, None, status=status, runbook="R", translations=given, path="r"
    )


def warnings(*rules: Rule, reads: str = "fr") -> tuple[Fault, ...]:
    found = FaultList()
    check_languages(rules, [Receiver("desk", reads)], ("en", "fr"), found)
    return found.sorted()


def test_rules_that_lack_what_others_have_are_named_in_one_line() -> None:
    (fault,) = warnings(rule("a", "fr"), *(rule(name) for name in "bcdef"))
    assert (fault.code, fault.severity) == ("WR090", "warning")
    assert fault.message == (
        "5 rules have texts without a translation into 'fr', which the receiver 'desk' reads: "
        "'b', 'c', 'd', 2 more"
    )


def test_rules_in_one_language_only_are_let_be() -> None:
    assert warnings(rule("a"), rule("b")) == ()


def test_a_language_that_nobody_reads_and_a_rule_on_trial_are_let_be() -> None:
    assert warnings(rule("a", "fr"), rule("b"), reads="en") == ()
    assert warnings(rule("a", "fr"), rule("b", status="trial")) == ()


def test_a_language_without_templates_is_named() -> None:
    (fault,) = warnings(rule("a", "fy"))
    assert fault.code == "WR091"
    assert "'fy'" in fault.message
    assert "there are en, fr" in fault.message
