"""What the reporting lets one say is said in both languages, and only where it is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest

from warden.notify.render import Renderer, template_folders
from warden.notify.render.body import notice_view
from warden.notify.render.payload import payload, schema
from warden.notify.render.reporting import reporting_words
from warden.notify.render.samples import sample_notice
from warden.notify.render.voice import Voice
from warden.notify.routes import Receiver

CHANGE = {"late": 6, "new_sources": 4, "excess": 11.24, "names": ["Radio One", "Agency"]}
MEASURES = [
    {"measure": "events", "observed": 12, "expected": 1.13},
    {"measure": "fatal_events", "observed": 8, "expected": 0.4},
    {"measure": "fatalities_capped", "observed": 31, "expected": 2.0},
    {"measure": "fatalities", "observed": 70, "largest_share": 0.571},
]


def voice(language: str) -> Voice:
    renderer = Renderer(template_folders())
    moment = datetime(2024, 7, 1, tzinfo=UTC)
    return renderer._voice(Receiver("desk", language=language), moment, shipped=True)


def said(facts: dict[str, Any], language: str = "en") -> str:
    return " ".join(reporting_words(facts, voice(language)))


@pytest.mark.parametrize(
    ("facts", "english", "french"),
    [
        (
            {"reporting_change": CHANGE},
            (
                "A change in reporting is likely: 11 more than expected, but 6 became "
                "known more than 28 days late, and 4 come only from sources not seen in the years "
                "before (Radio One and Agency). The severity is one level lower for it."
            ),
            "6 connus avec plus de 28 jours de retard, et 4 provenant seulement de sources",
        ),
        (
            {"reporting_change": {**CHANGE, "new_sources": 0, "names": []}},
            "but 6 became known more than 28 days late. The severity",
            "mais 6 connus avec plus de 28 jours de retard. La gravité",
        ),
        (
            {"reporting_change": {**CHANGE, "late": 0}},
            "but 4 come only from sources not seen in the years before (Radio One and Agency).",
            "mais 4 provenant seulement de sources jamais vues",
        ),
        (
            {"completeness": 0.618},
            "Usually about 60 % of the events",
            "environ 60 % des événements de ces jours",
        ),
        ({"completeness": 0.004}, "about 5 %", "environ 5 %"),
        (
            {"measures": MEASURES},
            (
                "In the same days: 12 events, 1.1 expected; 8 events with deaths, 0.4 expected; "
                "31 deaths (each event capped), 2 expected; 70 deaths in all, 57 % of them from "
                "one event."
            ),
            "Pour les mêmes jours : 12 événements, 1,1 attendus ; 8 événements meurtriers",
        ),
        (
            {"renamed_from": {"name": "Old Name", "last_seen": "2024-02-03"}},
            "Possible rename of Old Name (last seen 3 Feb 2024)",
            "Changement de nom possible de Old Name (vu pour la dernière fois le 3 févr. 2024)",
        ),
    ],
)
def test_it_is_said_in_both_languages(facts: dict[str, Any], english: str, french: str) -> None:
    assert english in said(facts)
    assert french in said(facts, "fr").replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    "facts",
    [{}, {"completeness": None}, {"completeness": 0.96}, {"measures": MEASURES[:1]},
     {"reporting_change": None}, {"renamed_from": None}],
)  # fmt: skip
def test_nothing_is_said_where_nothing_is_to_be_said(facts: dict[str, Any]) -> None:
    assert said(facts) == ""


@pytest.mark.parametrize(
    "kind", ["count", "spike", "drift", "record", "projection", "new", "quiet"]
)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_windowed_kind_says_rows_beside_reports(kind: str, language: str) -> None:
    facts = {"kind": kind, "event_count": 4, "reports": 1, "completeness": 0.6}
    sample = sample_notice()
    notice = replace(sample, facts={**sample.facts, **facts})
    lines = [
        line
        for section in notice_view(notice, voice(language))["sections"]
        for line in section["lines"]
    ]
    wanted = {"en": "4 events, 1 report", "fr": "4 événements, 1 rapport"}[language]
    assert any(wanted in line for line in lines), lines


def test_other_systems_read_it_too_without_the_reporters_names() -> None:
    facts = {"reporting_change": CHANGE, "completeness": 0.6, "renamed_from": {"name": "Old Name"}}
    sample = sample_notice()
    notice = replace(sample, facts={**sample.facts, **facts})
    desk = Receiver("desk")
    data = payload(
        desk, [notice], ["line"], notice.at, message_id="m", subject="line", with_notes=False
    )
    jsonschema.validate(data, schema())
    (told,) = data["notices"]
    assert told["reporting_change"] == {"late": 6, "new_sources": 4, "excess": 11.24}
    assert told["possible_rename_of"] == "Old Name"
    assert told["facts"]["completeness"] == 0.6
    assert "Radio One" not in str(data)
