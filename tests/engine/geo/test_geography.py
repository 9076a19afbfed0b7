"""A geography given by hand answers what the engine asks."""

from __future__ import annotations

from warden.engine.geo import AreaIndex, FixedGeography, Geography, PolylineIndex

WEST = AreaIndex([[[(0, 0), (0, 5), (5, 5), (5, 0)]]])
EAST = AreaIndex([[[(0, 5), (0, 9), (5, 9), (5, 5)]]])
LINE = PolylineIndex([[(0, 5), (5, 5)]])


def world(line=LINE) -> Geography:
    return FixedGeography({("AAA", "BBB"): line}, {"AAA": WEST, "BBB": EAST})


def test_a_border_is_the_same_from_both_sides():
    assert world().border("AAA", "BBB") is world().border("BBB", "AAA") is LINE
    assert world().border("AAA", "CCC") is None
    assert world().neighbours("BBB") == ("AAA",)
    assert world().neighbours("CCC") == ()


def test_a_point_lies_in_the_country_that_contains_it():
    assert world().country_at([1, 1, 9], [1, 8, 9]).tolist() == ["AAA", "BBB", ""]
    assert world().country_at([1, 1], [1, 8], ["BBB", "ZZZ"]).tolist() == ["", "BBB"]


def test_a_version_changes_with_the_line_and_only_with_it():
    moved = PolylineIndex([[(0, 5), (5, 5.000001)]])
    same = PolylineIndex([[(0, 5), (5, 5)]])
    assert world().version("AAA", ["BBB"]) == world(same).version("AAA", ["BBB"])
    assert world().version("AAA", ["BBB"]) != world(moved).version("AAA", ["BBB"])
    assert world().version("AAA") == world(moved).version("AAA")
    assert world().version("AAA") != world().version("BBB")
