"""A digest's one map: what its notices tell, and what its summaries list."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from warden.model.notice import Notice
from warden.notify.render import Renderer
from warden.notify.render.samples import sample_event, sample_notice, sample_notices
from warden.notify.render.studio import Studio
from warden.notify.render.voice import Phrases, Voice
from warden.sandbox import Sandbox

pytestmark = pytest.mark.xdist_group("land")
FOLDERS = Renderer().folders
ALERT = sample_notice()
VOICE = Voice(Phrases("en", FOLDERS, Sandbox(FOLDERS)), "Africa/Bamako", ALERT.at)


def event(location: str, lat: float, **changes: Any) -> dict[str, Any]:
    return sample_event(uid=f"sample:{location}", location=location, lat=lat, **changes)


def about(one: dict[str, Any], **changes: Any) -> Notice:
    return replace(ALERT, id=one["uid"], facts=ALERT.facts | {"events": [one]}, **changes)


def summary(*events: dict[str, Any], **facts: Any) -> Notice:
    (made,) = [one for one in sample_notices() if one.reason == "SILENCE_ENDED"]
    items = tuple(made.items[0] | {"event": one} for one in events)
    return replace(made, items=items, facts=made.facts | {"events": [], **facts})


def words(land: Any, *notices: Notice) -> list[str]:
    return [picture.alt for picture in Studio(FOLDERS, land).overview(notices, VOICE)]


def test_what_a_summary_lists_is_on_the_map_of_its_digest(land) -> None:
    listed = summary(event("Kati", 12.74), event("Banamba", 13.55))
    assert words(land, listed) == ["Map of 2 events: Kati, Banamba."]
    other = about(event("Kita", 13.04))
    assert words(land, listed, other) == ["Map of 3 events: Kita, Kati, Banamba."]


def test_an_event_that_is_told_and_listed_is_one_spot(land) -> None:
    listed = event("Kati", 12.74, location_error_km=None)
    assert words(land, about(event("Kati", 12.74)), summary(listed)) == ["Map of 1 event: Kati."]


def test_what_was_withdrawn_has_no_place_on_the_map(land) -> None:
    gone = about(event("Kita", 13.04), action="cancel")
    assert words(land, gone, summary(event("Kati", 12.74), would_have_been="cancel")) == []
