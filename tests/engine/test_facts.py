"""Facts of events: made one by one where few are asked for, in one go where all are."""

from __future__ import annotations

import numpy as np
from support.build import attack_rule, event

from warden.engine.facts import event_facts, prepare_facts
from warden.engine.frame import Frame
from warden.engine.geo.distance import bearing_deg
from warden.engine.geo.geography import FixedGeography
from warden.engine.where import Matcher


def test_facts_made_in_one_go_are_those_made_one_by_one() -> None:
    events = [
        event("E1"),
        event("E2", "2022-07-23", fatalities=None, lat=12.9, geo_precision=3),
        event("E3", "2022-07-24", admin2="Kolokani", notes="Something.", reporters="Radio"),
    ]
    matcher = Matcher(attack_rule(), FixedGeography())
    together, apart = (matcher.match(Frame.from_events(events)) for _ in range(2))
    prepare_facts(together)
    assert list(together.facts) == [event_facts(apart, row) for row in range(len(apart))]
    assert [facts["id"] for facts in together.facts] == ["E1", "E2", "E3"]
    assert together.facts[1]["fatalities"] is None


def test_a_bearing_is_the_same_alone_and_among_others() -> None:
    lats, lons = np.array([12.0, 0.0, -33.9, 12.7]), np.array([-8.0, 179.9, 18.4, -8.07])
    among = bearing_deg(np.full(4, 12.6392), np.full(4, -8.0029), lats, lons)
    alone = [bearing_deg(12.6392, -8.0029, lat, lon) for lat, lon in zip(lats, lons, strict=True)]
    assert alone == among.tolist()
