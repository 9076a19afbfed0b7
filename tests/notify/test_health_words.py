"""What is said about warden's own health: short enough for a phone, in both languages."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.support.health import START, condition, feed_rule, later
from warden.engine.decision import Moment
from warden.engine.frame import Frame
from warden.engine.geo.geography import FixedGeography
from warden.engine.horizon import Horizon
from warden.engine.kinds import signals
from warden.engine.notices import Atlas, notices
from warden.engine.reconcile import reconcile
from warden.engine.where import Matcher
from warden.model.health import TROUBLES, Condition, SourceTrouble
from warden.model.notice import Notice
from warden.model.rule import Rule
from warden.notify.render import Renderer, template_folders
from warden.notify.routes import Receiver

NOW = datetime(2024, 3, 5, 9, tzinfo=UTC)
OWN = {
    "dead_letter": ("delivery", "email ops@example.org", 3),
    "template_fallback": ("template", "desk", 1),
    "reload_refused": ("rules", "", None),
    "backup_failed": ("backup", "", None),
    "rule_error": ("rule", "bamako-spike", None),
    "unknown_actor": ("actors", "", 12),
}


def trouble(state: str) -> Condition:
    subject, name, count = OWN.get(state, ("source", "acled", None))
    return condition(subject=subject, name=name, state=state, count=count)


def said(*health: Condition, now: datetime = NOW, rule: Rule | None = None) -> list[Notice]:
    """The notices about these conditions by a rule that means all states."""
    one = rule or feed_rule({"states": list(TROUBLES)})
    matches = Matcher(one, FixedGeography()).match(Frame.empty())
    horizon = Horizon(now, health=health)
    decided = reconcile(one, signals(one, matches, horizon), (), Moment(horizon))
    return [notice for notice, _ in notices(one, decided, matches, now, Atlas())]


def rendered(notice: Notice, language: str = "en", **changes: Any) -> tuple[str, str]:
    """Subject and text."""
    receiver = Receiver("desk", language=language, **changes)
    message = Renderer(template_folders()).render(receiver, [notice], NOW, {"mail"})
    assert message.fallback == ""
    return message.subject, json.loads(message.bodies["mail"])["text"]


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("state", TROUBLES)
def test_every_trouble_has_words_that_fit_on_a_phone(state: str, language: str):
    (notice,) = said(trouble(state))
    subject, text = rendered(notice, language)
    assert len(subject) <= 160
    assert "…" not in subject
    assert state not in subject or state in {"blocked", "paused"}
    todo = {"en": "WHAT TO DO", "fr": "QUE FAIRE"}[language]
    assert todo in text.upper()


def test_a_refused_sign_in_says_what_is_not_known():
    (notice,) = said(condition())
    subject, text = rendered(notice)
    assert subject == ("WARNING Feed acled: sign-in refused since 3 Mar, nothing new is known")
    assert "Of days after 1 Mar 2024 not everything is known" in text
    assert "the password was refused (401)" in text
    assert "Check the user name and the password of acled" in text


def test_in_french_too():
    subject, _ = rendered(said(condition())[0], "fr")
    assert subject == (
        "VIGILANCE Flux acled : connexion refusée depuis le 3 mars, "
        "rien de nouveau n\N{RIGHT SINGLE QUOTATION MARK}est connu"
    )


def test_an_embargo_says_after_which_day_nothing_is_known():
    subject, _ = rendered(said(condition(state="embargoed"))[0])
    assert subject.endswith("recent events are withheld since 3 Mar, nothing is known after 1 Mar")


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ("ok", "Feed acled is read again"),
        ("removed", "Feed acled is no longer in the settings; nothing is read from it"),
        ("stale", "Feed acled: now no new release"),
    ],
)
def test_what_is_over_says_how_it_ended_and_never_that_all_is_well(then: str, words: str):
    (notice,) = said(condition(until=later(hours=30), then=then))
    subject, text = rendered(notice)
    assert words in subject
    assert "From 3 Mar 2024, 08:00" in text
    assert "no alert does not mean that nothing happened" in " ".join(text.split())


def test_many_at_once_are_listed_by_name():
    many = [condition(name=f"feed{number}") for number in range(20)]
    rule = feed_rule({"states": list(TROUBLES)}, flood_limit=5)
    (notice,) = said(*many, rule=rule)
    subject, text = rendered(notice)
    assert "Summary: A feed cannot be read, 20 alerts" in subject
    assert "Feed feed7: sign-in refused" in text


@pytest.mark.parametrize("state", ["auth_failed", "dead_letter"])
def test_every_format_can_say_it(state: str):
    (notice,) = said(trouble(state))
    receiver = Receiver("desk")
    message = Renderer(template_folders()).render(
        receiver, [notice], NOW, {"mail", "warden", "alertmanager", "cap"}, message_id="m1"
    )
    assert message.fallback == ""
    health = json.loads(message.bodies["warden"])["notices"][0]["health"]
    assert (health["state"], health["began_at"]) == (state, START.isoformat())


def test_both_languages_have_words_for_every_state():
    for language in ("en", "fr"):
        phrases = Renderer(template_folders()).phrases(language)
        assert all(phrases.has(f"health.state.{state}") for state in get_args(SourceTrouble))
        assert all(phrases.has(f"health.todo.{state}") for state in TROUBLES)


def test_the_schema_of_webhooks_holds_for_it():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(
        (Path("warden/notify/render/webhook.schema.json")).read_text(encoding="utf-8")
    )
    (notice,) = said(condition())
    message = Renderer(template_folders()).render(
        Receiver("desk"), [notice], NOW, {"warden"}, message_id="m1"
    )
    jsonschema.validate(json.loads(message.bodies["warden"]), schema)
