"""What statistical kinds found is said with all that keeps it honest, in both languages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from warden.notify.render import Renderer, template_folders
from warden.notify.render.statistics import is_over, statistic_words
from warden.notify.routes import Receiver

PROJECTED = {
    "kind": "projection", "period": "2024", "projected": 34.2, "low": 24.0, "high": 48.0,
    "previous": 20, "expected": 20, "value": 17, "probability": 0.973, "actual": None,
}  # fmt: skip
SPIKE = {"kind": "spike", "observed": 12, "expected": 1.8, "high": 4}


def said(facts: dict[str, Any], language: str = "en") -> str:
    receiver = Receiver("desk", language=language)
    voice = Renderer(template_folders())._voice(
        receiver, datetime(2024, 7, 1, tzinfo=UTC), shipped=True
    )
    return " ".join(statistic_words(facts, voice))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (PROJECTED, "Projected for 2024: 34 events, with a 90 % interval from 24 to 48."),
        (PROJECTED, "17 events so far in 2024, 20 in all of 2023."),
        (PROJECTED, "Probability of more than 20: about 97 %."),
        (
            {**PROJECTED, "actual": 31, "first_projected": 36, "first_low": 20, "first_high": 55},
            "31 events in 2024, 20 in 2023. First projected: 36, with a 90 % interval from 20 to",
        ),
        (
            {"kind": "projection", "period": "rolling-year", "value": 19, "previous": 6},
            "19 events in 12 months, 6 in the 12 before.",
        ),
        (
            {"kind": "record", "record_days": 1096, "previous": 210},
            "such sum in 1,096 days",
        ),
        ({"kind": "new", "last_seen": "2015-11-20"}, "Last seen before on 20 Nov 2015."),
        ({"kind": "new", "last_seen": None, "memory_days": 730}, "reach back at least 730 days"),
        (
            {"kind": "drift", "began": "2022-03-05", "observed": 7, "expected": 3.4},
            "The rise probably began about 5 Mar 2022: since then 7, where 3.4 were",
        ),
        (SPIKE, "Expected from its own past: 1.8, hardly more than 4."),
        ({**SPIKE, "recurrence_days": 7305}, "less than once in 20 years"),
        ({**SPIKE, "recurrence_days": 800}, "about once in 2 years"),
        ({**SPIKE, "recurrence_days": 90}, "about once in 90 days"),
    ],
)
def test_it_is_said_in_words(facts: dict[str, Any], words: str) -> None:
    assert words in said(facts)
    assert said(facts, "fr")


def test_a_certainty_is_never_said() -> None:
    assert "99 %" in said({**PROJECTED, "probability": 0.99999})


def test_a_projection_without_its_interval_is_not_said() -> None:
    assert "Projected" not in said({**PROJECTED, "low": None})


def test_single_events_and_counts_have_no_statistics() -> None:
    assert said({"kind": "count", "value": 3}) == ""


def test_a_period_is_over_once_it_is_known_what_it_came_to() -> None:
    assert not is_over(PROJECTED)
    assert is_over({**PROJECTED, "actual": 0})


def test_a_chance_that_has_fallen_since_the_alert_latched_is_told_beside_the_first() -> None:
    facts = {**PROJECTED, "probability": 0.88, "first_probability": 0.961, "first_on": "2024-05-12"}
    assert "Probability of more than 20: about 88 %." in said(facts)
    assert "up to 12 May 2024 it was about 96 %: that raised the alert" in said(facts)
    assert "Avec les événements jusqu" in said(facts, "fr")
    risen = {**facts, "probability": 0.99}
    assert "raised the alert" not in said(risen)
