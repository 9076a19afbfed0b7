"""Files of drawn borders are read whole or refused with their name and what to mend."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warden.errors import ConfigError
from warden.geodata.overrides import read_overrides

RING = [[0, 0], [1, 0], [1, 1], [0, 0]]
POLYGON = {"type": "Polygon", "coordinates": [RING]}
LINE = {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}


def folder_with(folder: Path, name: str, content) -> Path:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    (folder / name).write_bytes(data)
    return folder


def test_no_folder_overrides_nothing():
    assert read_overrides(None).areas == {}


def test_a_folder_that_is_missing_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_overrides(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content",
    [
        POLYGON,
        {"type": "Feature", "geometry": POLYGON, "properties": {}},
        {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": POLYGON}]},
        {"type": "GeometryCollection", "geometries": [POLYGON]},
        {"type": "MultiPolygon", "coordinates": [[RING]]},
    ],
)
def test_an_outline_may_be_wrapped_in_any_way(tmp_path, content):
    areas = read_overrides(folder_with(tmp_path, "MLI.geojson", content)).areas
    assert areas["MLI"].contains(0.2, 0.5)[0]


def test_a_byte_order_mark_and_heights_are_accepted(tmp_path):
    line = {"type": "LineString", "coordinates": [[0, 0, 300], [1, 1, 200]]}
    folder_with(tmp_path, "MLI-CIV.geojson", b"\xef\xbb\xbf" + json.dumps(line).encode())
    assert frozenset({"CIV", "MLI"}) in read_overrides(tmp_path).lines


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "MLI.geojson")
    with pytest.raises(ConfigError, match=r"MLI\.geojson: cannot be read: a folder or a pipe"):
        read_overrides(tmp_path)


def test_other_files_in_the_folder_are_left_alone(tmp_path):
    (tmp_path / "README.md").write_text("notes")
    assert read_overrides(tmp_path).lines == {}


@pytest.mark.parametrize("name", ["Mali", "mli", "MLI-MLI", "MLI-CIV-GIN", "QQQ", "MLI-"])
def test_a_name_that_is_no_code_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="alpha-3"):
        read_overrides(folder_with(tmp_path, f"{name}.geojson", POLYGON))


def test_one_border_in_two_files_is_refused(tmp_path):
    folder_with(tmp_path, "MLI-CIV.geojson", LINE)
    with pytest.raises(ConfigError, match="already given"):
        read_overrides(folder_with(tmp_path, "CIV-MLI.geojson", LINE))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("MLI", LINE, "needs polygons"),
        ("MLI-CIV", POLYGON, "needs lines"),
        ("MLI", {"type": "FeatureCollection", "features": []}, "at least one polygon"),
        ("MLI-CIV", {"type": "FeatureCollection", "features": []}, "at least one vertex"),
        ("MLI-CIV", {"type": "LineString", "coordinates": [[0, 0]]}, "fewer than 2"),
        ("MLI", {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]}, "fewer than 4"),
        ("MLI-CIV", {"type": "LineString", "coordinates": [[0, 0], [181, 1]]}, "not a position"),
        ("MLI-CIV", {"type": "LineString", "coordinates": [[0, 0], [12, 95]]}, "not a position"),
        ("MLI-CIV", {"type": "LineString", "coordinates": [[0, 0], [True, 1]]}, "not a position"),
        ("MLI-CIV", {"type": "LineString", "coordinates": "here"}, "not lists"),
        ("MLI", [1], "not GeoJSON"),
        ("MLI", b"{", "not JSON"),
        ("MLI", b"\xff\xfe", "not JSON"),
        ("MLI", b'{"type": "Polygon", "coordinates": [[[NaN, 0]]]}', "not a position"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_file(tmp_path, name, content, reason):
    folder_with(tmp_path, f"{name}.geojson", content)
    with pytest.raises(ConfigError, match=reason) as refused:
        read_overrides(tmp_path)
    assert f"{name}.geojson" in str(refused.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "coordinates", "features", "geometry", "geometries"]),
            inner | st.sampled_from(["Polygon", "MultiPolygon", "Feature", "FeatureCollection"]),
        )
    ),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_content_is_read_or_refused_in_warden_s_own_words(tmp_path_factory, content):
    folder = folder_with(tmp_path_factory.mktemp("any"), "MLI.geojson", content)
    with suppress(ConfigError):
        assert "MLI" in read_overrides(folder).areas
