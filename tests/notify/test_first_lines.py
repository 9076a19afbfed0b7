"""A first line holds what matters most, and nothing is left out for which there is room."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warden.model.notice import Notice
from warden.notify.render import Renderer
from warden.notify.render.filling import LEAST_LETTERS, shortened
from warden.notify.render.first_line import LIMIT, first_line
from warden.notify.render.samples import sample_event, sample_notice
from warden.notify.render.voice import Phrases, Voice
from warden.sandbox import Sandbox

FOLDERS = Renderer().folders
AT = sample_notice().at
VOICES = {
    name: Voice(Phrases(name, FOLDERS, Sandbox(FOLDERS)), "Africa/Bamako", AT)
    for name in ("en", "fr")
}
INVOLVING = {"en": " involving ", "fr": " impliquant "}
AGO = {"en": ", 3 days ago", "fr": ", il y a 3 jours"}
CIVILIANS = {"en": " targeting civilians", "fr": " visant des civils"}
EXPECTED = {"en": " (0.2 expected)", "fr": " (0,2 attendus)"}
MOST_OTHERS = len(" and 9 others")


def named(letters: str) -> st.SearchStrategy[str]:
    """A name of words of one kind of letter, so that it is known again in a line; 3 to 200."""
    words = st.lists(st.integers(2, 14), min_size=1, max_size=16)
    return words.map(lambda sizes: " ".join(letters * size for size in sizes)[:200].strip())


def about(event: dict[str, Any], **changes: Any) -> Notice:
    one = sample_notice()
    return replace(one, facts=one.facts | {"events": [sample_event(AT, **event)]}, **changes)


def fits(line: str, more: int) -> bool:
    return len(line) + more <= LIMIT


@pytest.mark.parametrize("language", sorted(VOICES))
@given(
    actors=st.lists(named("Q"), min_size=1, max_size=4, unique=True), location=named("Z"),
    place=named("Y"), civilians=st.booleans(), exercise=st.booleans(),
    action=st.sampled_from(["alert", "update", "reminder"]),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_a_line_of_an_event_has_no_room_for_a_part_that_was_left_out(
    language, actors, location, place, civilians, exercise, action
):
    event = {
        "matched_actors": actors, "location": location, "place_title": place,
        "civilian_targeting": civilians,
    }  # fmt: skip
    told = first_line(about(event, exercise=exercise, action=action), VOICES[language])
    assert len(told) <= LIMIT
    if "Q" not in told:
        least = len(INVOLVING[language]) + len(shortened(actors[0], LEAST_LETTERS))
        assert not fits(told, least + (MOST_OTHERS if len(actors) > 1 else 0))
    if "Z" not in told:
        assert not fits(told, len(f" ({shortened(location, LEAST_LETTERS)})"))
    if AGO[language] not in told:
        assert not fits(told, len(AGO[language]))
    if civilians and CIVILIANS[language] not in told:
        assert not fits(told, len(CIVILIANS[language]))
    assert "Y" in told
    assert told.endswith({"en": ", 2 dead", "fr": ", 2 morts"}[language])


@pytest.mark.parametrize("language", sorted(VOICES))
@given(title=named("Q"), key=st.none() | named("Z"), days=st.integers(1, 999))
@settings(max_examples=150, deadline=None)
def test_a_line_of_a_count_has_no_room_for_a_part_that_was_left_out(language, title, key, days):
    facts = sample_notice().facts | {"kind": "spike", "value": 16, "window_days": days}
    facts |= {"expected": 0.19, "fatalities": 85, "event_count": 16}
    keys = () if key is None else (("admin1", key),)
    told = first_line(
        replace(sample_notice(), title=title, facts=facts, key=keys), VOICES[language]
    )
    assert len(told) <= LIMIT
    if AGO[language] not in told:
        assert not fits(told, len(AGO[language]))
    if EXPECTED[language] not in told:
        assert not fits(told, len(EXPECTED[language]))
    if "Q" not in told:
        assert not fits(told, min(len(title), LEAST_LETTERS) + len(" ()"))
    assert key is None or "Z" in told
    assert "85" in told


@pytest.mark.parametrize("language", sorted(VOICES))
def test_one_name_too_long_costs_no_other_its_place(language):
    actor = "Coordination of the Movements and Fronts of the Resistance of the Northern Regions"
    place = "Camp of the displaced persons between the old market and the river at Kati"
    told = first_line(
        about({"matched_actors": [actor, "ANA"], "location": place}), VOICES[language]
    )
    said = {"en": " and ANA, 14 km NW of Bamako", "fr": " et ANA, à 14 km au NO de Bamako"}
    assert "Coordination of the Movements and" in told
    assert f"…{said[language]}" in told
    short = first_line(about({"matched_actors": [actor], "location": place}), VOICES["en"])
    assert "Coordination of the Movements and…, 14 km NW of Bamako (Camp of the" in short
    only = first_line(about({"location": place}), VOICES[language])
    assert INVOLVING[language] + "ANA" in only
    assert "(Camp of the displaced persons" in only
