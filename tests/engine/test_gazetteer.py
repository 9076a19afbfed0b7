"""What points are near, in the words of the rules."""

import pytest
from support.build import BAMAKO

from warden.engine.gazetteer import Gazetteer
from warden.engine.geo import AreaIndex, FixedGeography, PolylineIndex
from warden.errors import UsageError
from warden.model.rule import Polyline, Region, Ruleset

LINE = PolylineIndex([[(10.0, -8.0), (10.0, -6.0)]])
SQUARE = (((10.0, -8.0), (10.0, -6.0), (14.0, -6.0), (14.0, -8.0), (10.0, -8.0)),)
GEOGRAPHY = FixedGeography({("MLI", "CIV"): LINE}, {"MLI": AreaIndex((SQUARE,))})
CODES = {"mali": "MLI", "mli": "MLI", "civ": "CIV", "ivory coast": "CIV", "sen": "SEN"}
RULESET = Ruleset(
    places={"bamako": BAMAKO},
    lines={"rn6": Polyline("rn6", "RN6", (((12.0, -8.0), (12.0, -6.0)),))},
    regions={"square": Region("square", "Square", (SQUARE,))},
    country_groups={"coastal": ("CIV",)},
)


@pytest.fixture
def gazetteer():
    return Gazetteer(RULESET, GEOGRAPHY, lambda name: CODES.get(name.casefold()))


def test_a_point_is_told_its_country_border_place_and_areas(gazetteer):
    found = gazetteer.where(11.0, -7.0)
    assert (found["country"], found["neighbour"], found["side"]) == ("MLI", "CIV", "inside")
    assert found["border_km"] == pytest.approx(110.6, abs=0.2)
    assert (found["nearest_place"], found["compass"]) == ("bamako", "SE")
    assert found["km"] == pytest.approx(212, abs=2)
    assert found["areas"] == ["square"]


def test_a_point_in_no_country_has_no_border(gazetteer):
    found = gazetteer.where(0.0, 0.0)
    assert (found["country"], found["border_km"], found["side"]) == (None, None, None)


def test_distance_to_a_place_has_the_bearing_from_it(gazetteer):
    found = gazetteer.distance(13.6392, -8.0029, "bamako")
    assert found["km"] == pytest.approx(110.6, abs=0.1)
    assert found["bearing"] == pytest.approx(0, abs=0.1)


def test_distance_to_a_line_and_to_a_border_in_any_spelling(gazetteer):
    assert gazetteer.distance(12.5, -7.0, "rn6")["km"] == pytest.approx(55.3, abs=0.1)
    for name in ("MLI:CIV", "mali:ivory coast", "MLI:coastal", "MLI"):
        found = gazetteer.distance(9.5, -7.0, name)
        assert found["km"] == pytest.approx(55.3, abs=0.1)
        assert (found["side"], found["neighbour"]) == ("outside", "CIV")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("bamko", "did you mean 'bamako'?"),
        ("MLI:SEN", "MLI shares no land border with SEN"),
        ("MLI:costal", "no country or group of countries 'costal'; did you mean 'coastal'?"),
        ("SEN", "SEN shares no land border"),
    ],
)
def test_what_is_unknown_is_told_with_a_guess(gazetteer, name, told):
    with pytest.raises(UsageError) as caught:
        gazetteer.distance(12.0, -8.0, name)
    assert told in str(caught.value)
