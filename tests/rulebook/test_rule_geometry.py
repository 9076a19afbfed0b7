"""GeoJSON for lines and areas: positions are longitude first, and nothing is mended silently."""

from __future__ import annotations

import json

import pytest

SQUARE = [[0, 0], [0, 1], [1, 1], [1, 0], [0, 0]]


def area(coordinates) -> str:
    return json.dumps({"type": "Polygon", "coordinates": coordinates})


AREAS = {
    "no JSON": (
        "{",
        "'x.geojson:1:2': not JSON: Expecting property name enclosed in double quotes",
    ),
    "not UTF-8": (b"\xff", "'x.geojson': not UTF-8 text"),
    "a list": ("[]", "'x.geojson': not GeoJSON: an object with a 'type' is needed"),
    "deep brackets": ("[" * 100_000, "'x.geojson': not JSON that can be used"),
    "a collection without features": (
        '{"type": "FeatureCollection"}',
        "'x.geojson': not GeoJSON: a FeatureCollection without its list",
    ),
    "an empty collection": (
        '{"type": "FeatureCollection", "features": []}',
        "'x.geojson': holds no polygon",
    ),
    "a point": (
        '{"type": "Point", "coordinates": [1, 2]}',
        "'x.geojson': an area must be a Polygon or MultiPolygon, not a Point",
    ),
    "no coordinates": ('{"type": "Polygon"}', "'x.geojson': a Polygon without coordinates"),
    "no rings": (area([]), "'x.geojson': a polygon without rings"),
    "a ring of two corners": (
        area([[[0, 0], [0, 1], [0, 0]]]),
        "'x.geojson': a ring needs at least three different corners",
    ),
    "an open ring": (
        area([SQUARE[:-1]]),
        "'x.geojson': a ring is not closed: its last position must be its first",
    ),
    "positions that are none": (
        area([[1, 2, 3, 4]]),
        "'x.geojson': a position must be [longitude, latitude]",
    ),
    "latitude first": (
        area([[[12, -170], [13, -170], [13, -171], [12, -170]]]),
        "'x.geojson': the position [12, -170] is not [longitude, latitude] in degrees",
    ),
}


@pytest.mark.parametrize("case", AREAS)
def test_an_area_that_cannot_be_used_is_one_fault(case, faults) -> None:
    content, expected = AREAS[case]
    found = faults({"x.geojson": content, "rules.yaml": "areas: {x: {file: x.geojson}}\n"})
    assert found == [f"rules.yaml:1:19: WR035 {expected}"]


def test_collections_are_unfolded_and_holes_kept(read) -> None:
    hole = [[0.2, 0.2], [0.2, 0.4], [0.4, 0.4], [0.2, 0.2]]
    data = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [SQUARE, hole]}},
            {"type": "Feature", "geometry": {"type": "MultiPolygon", "coordinates": [[SQUARE]]}},
        ],
    }
    loaded = read({"x.json": json.dumps(data), "rules.yaml": "areas: {x: {file: x.json}}\n"})
    assert loaded.faults == ()
    first, second = loaded.ruleset.regions["x"].polygons
    assert (len(first), len(second)) == (2, 1)
    assert first[1][1] == (0.4, 0.2)


def test_a_line_comes_from_a_file_too(read, faults) -> None:
    line = {"type": "MultiLineString", "coordinates": [[[1, 2], [3, 4]], [[5, 6], [7, 8, 100]]]}
    files = {"roads/l.json": json.dumps(line), "a.yaml": "lines: {l: {file: roads/l.json}}\n"}
    assert read(files).ruleset.lines["l"].parts == (((2, 1), (4, 3)), ((6, 5), (8, 7)))
    files["roads/l.json"] = area([SQUARE])
    assert faults(files) == [
        (
            "a.yaml:1:19: WR035 'roads/l.json': a line must be a LineString or MultiLineString, "
            "not a Polygon"
        )
    ]


def test_points_of_a_line_are_pairs_within_range(faults) -> None:
    text = "lines: {l: {points: [[1, 2], [3], [91, 0]]}}\n"
    assert faults(text) == [
        "rules.yaml:1:30: WR010 a point must be [lat, lon], not a list",
        "rules.yaml:1:36: WR016 lat is 91; it must lie between -90 and 90",
    ]
