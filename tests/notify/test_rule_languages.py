"""Each receiver reads a rule in its own language, as far as its author translated it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from support.build import record

from warden.engine.geo.geography import FixedGeography
from warden.engine.kinds import KINDS
from warden.geodata import countries
from warden.model.notice import Notice
from warden.model.rule import Rule, Ruleset
from warden.notify.preview import samples
from warden.notify.render import Renderer
from warden.notify.render.samples import sample_notice
from warden.notify.render.spoken import in_language
from warden.notify.routes import Receiver
from warden.rulebook import load
from warden.trial.backtest import model, parse_known, run

RULES = Path(__file__).parents[2] / "rules"
RENDERER = Renderer()
ENGLISH = re.compile(
    r"\b(the|and|with|which|was|were|is|are|this|from|not|until|because|has|have|within)\b"
)
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"


@pytest.fixture(scope="module")
def shipped() -> Ruleset:
    loaded = load(RULES, kinds=KINDS, countries_resolve=countries.resolve)
    assert loaded.ruleset is not None
    return loaded.ruleset


def mail(notice: Notice, language: str = "fr") -> str:
    rendered = RENDERER.render(Receiver("desk", language), [notice], notice.at, ("mail",))
    assert rendered.fallback == ""
    return f"{rendered.subject}\n{json.loads(rendered.bodies['mail'])['text']}"


def told(shipped: Ruleset, name: str) -> Notice:
    """What the rule says of one event in Kati."""
    plan = model([record("MLI1")], parse_known("event_date"), step_days=1)
    plan = replace(
        plan, silent=None, instants=[replace(one, seeding=frozenset()) for one in plan.instants]
    )
    rules = replace(shipped, rules=(shipped.rule(name),))
    said = list(run(plan, rules, FixedGeography()))
    return next(one.notice for one in said if one.notice.action == "alert")


@pytest.mark.parametrize("text", ["title", "description", "runbook"])
def test_every_shipped_rule_says_everything_in_french(shipped: Ruleset, text: str) -> None:
    def french(rule: Rule) -> dict[str, str]:
        return dict(next((t.texts for t in rule.translations if t.language == "fr"), ()))

    assert [
        rule.id for rule in shipped.rules if getattr(rule, text) and not french(rule).get(text)
    ] == []
    english = [rule.id for rule in shipped.rules if ENGLISH.search(french(rule).get(text, ""))]
    assert english == []


def test_a_shipped_rule_s_french_mail_holds_no_english(shipped: Ruleset) -> None:
    notice = told(shipped, "attack-near-bamako")
    text = mail(notice)
    assert "Règle « Événement violent impliquant des islamistes armés à moins de 150 km" in (
        " ".join(text.split())
    )
    assert "Groupes islamistes armés" in text
    assert "Recoupez avec la radio" in text
    source = text.split("Acteurs impliqués")[0]
    assert ENGLISH.findall(source) == []
    assert "Compare with radio" in mail(notice, "en")


@pytest.mark.parametrize("name", samples())
def test_no_sample_has_an_english_word_in_its_french_mail(name: str) -> None:
    text = mail(samples()[name]).replace("of Mali (2021-)", "")
    assert [line for line in text.splitlines() if ENGLISH.search(line)] == []


def test_what_is_not_translated_is_told_as_it_was_written() -> None:
    notice = sample_notice()
    told = {"fr": {"title": "Titre", "names": {}}}
    french = in_language(replace(notice, facts={**notice.facts, "translations": told}), "fr")
    assert french.title == "Titre"
    assert french.facts["runbook"] == notice.facts["runbook"]


def test_a_notice_of_a_time_before_translations_is_told_as_it_is() -> None:
    notice = sample_notice()
    old = {
        name: fact for name, fact in notice.facts.items() if name not in ("translations", "names")
    }
    before = replace(notice, facts=old)
    assert in_language(before, "fr") is before
    assert "Call the field office." in mail(before)


def test_a_country_s_variant_reads_the_language_where_it_has_no_words_of_its_own() -> None:
    notice = sample_notice()
    told = {"pt": {"title": "Título", "runbook": "Ligue."}, "pt_BR": {"title": "Título BR"}}
    spoken = in_language(replace(notice, facts={**notice.facts, "translations": told}), "pt_BR")
    assert (spoken.title, spoken.facts["runbook"]) == ("Título BR", "Ligue.")


def test_each_info_of_cap_is_in_its_own_language() -> None:
    notice = sample_notice()
    rendered = RENDERER.render(Receiver("desk", "fr"), [notice], notice.at, ("cap",))
    infos = ET.fromstring(rendered.bodies["cap"]).findall(f"{CAP}info")

    def of(info: ET.Element, name: str) -> str:
        return (info.findtext(f"{CAP}{name}") or "").split("\n")[0]

    assert [
        tuple(of(info, name) for name in ("language", "event", "instruction")) for info in infos
    ] == [
        ("fr", "Événement violent près de Bamako", "Appelez le bureau de terrain."),
        ("en", "Violent event near Bamako", "Call the field office."),
    ]


def test_other_systems_get_the_words_in_the_receiver_s_language_and_the_same_identity() -> None:
    notice = sample_notice()
    bodies: dict[str, Any] = {}
    for language in ("en", "fr"):
        made = RENDERER.render(Receiver("desk", language), [notice], notice.at, ("alertmanager",))
        (bodies[language],) = json.loads(made.bodies["alertmanager"])["alerts"]
    assert bodies["fr"]["annotations"]["title"] == "Événement violent près de Bamako"
    assert bodies["en"]["annotations"]["title"] == "Violent event near Bamako"
    assert bodies["en"]["labels"] == bodies["fr"]["labels"]
    assert bodies["en"]["fingerprint"] == bodies["fr"]["fingerprint"]


def test_groups_in_a_key_are_told_by_their_titles() -> None:
    count = samples()["count"]
    assert "Armed groups" in mail(count, "en").splitlines()[0]
    assert "Groupes armés" in mail(count).splitlines()[0]


@pytest.mark.parametrize(
    ("reason", "detail", "said"),
    [
        (
            "SILENCED",
            "silence 3 by uid 0 (root): the army: an exercise",
            "par une mise en silence (3, de uid 0 (root)) : the army: an exercise.",
        ),
        ("INHIBITED", "alert 3f2a9c0d1e4b5a67", "alerte 3f2a9c0d1e4b5a67 la rendait superflue."),
        ("MUTED", "nuit", "hors des heures de repos (nuit)"),
    ],
)
def test_what_held_a_message_back_is_told_in_french(reason: str, detail: str, said: str) -> None:
    notice = sample_notice()
    held = {
        "reason": reason,
        "detail": detail,
        "since": datetime(2024, 1, 9, 8, tzinfo=UTC).isoformat(),
    }
    text = mail(replace(notice, facts={**notice.facts, "held_back": held}))
    assert said in " ".join(text.split())
