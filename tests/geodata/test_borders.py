"""The world's countries as cut from the shapes: neighbours, borders, points, versions, faults."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from warden.engine.geo import Geography
from warden.errors import ConfigError
from warden.geodata import TimezoneGeography, extract
from warden.geodata.outline import Outline

pytestmark = pytest.mark.xdist_group("mali")


def draw(folder: Path, name: str, kind: str, coordinates) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps({"type": kind, "coordinates": coordinates}))


def test_mali_has_seven_neighbours(geography: Geography):
    assert geography.neighbours("MLI") == ("BFA", "CIV", "DZA", "GIN", "MRT", "NER", "SEN")


def test_countries_that_do_not_touch_share_no_border(geography: Geography):
    assert geography.border("MLI", "FRA") is None
    assert geography.border("MLI", "MLI") is None


def test_an_unknown_country_is_nowhere(geography: Geography):
    assert geography.country("XYZ") is None
    assert geography.border("XYZ", "MLI") is None
    assert geography.neighbours("XYZ") == ()


def test_a_border_is_the_same_line_from_both_sides(geography: Geography):
    """Gambia lies within Senegal but for its coast; Senegal is cut out for the first time here."""
    from_mali, from_senegal = geography.border("MLI", "SEN"), geography.border("SEN", "MLI")
    assert from_senegal.length_km == pytest.approx(from_mali.length_km, abs=1e-6)
    lats, lons = np.random.default_rng(1).uniform([11, -14], [16, -10], (200, 2)).T
    assert from_senegal.distance_km(lats, lons) == pytest.approx(
        from_mali.distance_km(lats, lons), abs=1e-3
    )


def test_a_country_of_two_zones_is_one_country(geography: Geography):
    """Nicosia lies on the line between Cyprus's zones, which is no edge of the country."""
    cyprus = geography.country("CYP")
    assert cyprus.contains([34.68, 35.34, 35.18], [33.04, 33.32, 33.36]).all()
    assert cyprus.edge_distance_km(35.18, 33.36)[0] > 25
    assert "CYP" not in geography.neighbours("CYP")


def test_cities_lie_in_their_countries(geography: Geography):
    cities = [(12.6392, -8.0029), (5.33, -4.02), (12.37, -1.53), (14.7, -17.44), (18.09, -15.97)]
    lats, lons = np.array([*cities, (0, -30), (91, 0), (np.nan, 1)]).T
    expected = ["MLI", "CIV", "BFA", "SEN", "MRT", "", "", ""]
    assert geography.country_at(lats, lons).tolist() == expected
    assert geography.country_at(lats, lons, ["SEN", "MLI"]).tolist() == [
        "MLI", "", "", "SEN", "", "", "", "",
    ]  # fmt: skip


def test_point_by_point_the_outline_agrees_with_the_shapes(geography: Geography):
    lats, lons = np.random.default_rng(2).uniform([9.5, -13], [25.5, 5], (3000, 2)).T
    inside = geography.country("MLI").contains(lats, lons)
    assert inside.tolist() == (geography.country_at(lats, lons) == "MLI").tolist()
    assert 0.2 < inside.mean() < 0.8


def test_what_is_kept_is_loaded_in_a_moment(geography: Geography, outline_cache: Path):
    geography.border("MLI", "CIV")
    started = time.process_time()
    again = TimezoneGeography(outline_cache)
    again.check()
    for neighbour in ("CIV", "GIN", "SEN", "MRT"):
        again.border("MLI", neighbour)
    again.country("MLI")
    assert time.process_time() - started < 0.3
    assert again.cache_fault == ""


def test_a_version_is_that_of_the_lines_asked_for(geography: Geography, outline_cache: Path):
    again = TimezoneGeography(outline_cache)
    assert again.version("MLI", ["GIN", "CIV"]) == geography.version("MLI", ["CIV", "GIN"])
    assert geography.version("MLI", ["CIV"]) != geography.version("MLI", ["GIN"])
    assert geography.version("MLI") != geography.version("MLI", ["CIV"])
    assert geography.version("XYZ") == geography.version("XYZ", ["MLI"])


def test_without_a_place_to_keep_them_borders_still_come(tmp_path: Path):
    blocked = tmp_path / "a-file"
    blocked.write_text("in the way")
    world = TimezoneGeography(blocked / "cache")
    assert world.border("GMB", "SEN").length_km == pytest.approx(819.32, abs=0.01)
    assert "not kept" in world.cache_fault
    assert TimezoneGeography(None).cache_fault == ""


def test_damaged_files_are_cut_out_again(tmp_path: Path):
    first = TimezoneGeography(tmp_path)
    length = first.border("GMB", "SEN").length_km
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2])
    assert TimezoneGeography(tmp_path).border("GMB", "SEN").length_km == length
    assert kept.read_bytes() == whole


def test_a_child_that_fails_says_so_to_the_operator(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ConfigError, match="MLI could not be cut out: status 1"):
        TimezoneGeography(None).border("MLI", "CIV")
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    with pytest.raises(ConfigError, match="MLI could not be cut out"):
        TimezoneGeography(None).border("MLI", "CIV")
    monkeypatch.setattr(sys, "executable", "/bin/true")
    with pytest.raises(ConfigError, match="came out damaged"):
        TimezoneGeography(None).border("MLI", "CIV")


def test_the_child_names_its_own_reason():
    child = subprocess.run(
        [sys.executable, "-m", "warden.geodata.extract", "XKX"],
        capture_output=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert child.returncode == 2
    assert b"XKX.geojson" in child.stderr


def test_the_child_writes_what_the_parent_reads(capfdbinary, tmp_path: Path):
    assert extract.main(["GMB"]) == 0
    outline = Outline.from_bytes(capfdbinary.readouterr().out)
    assert (outline.iso3, outline.neighbours) == ("GMB", ("SEN",))
    world = TimezoneGeography(tmp_path)
    world.prepare(["GMB"])
    world.check()
    assert world.version("GMB") == outline.outline_hash()
    assert world.version("GMB", ["SEN"]) == outline.border_hash("SEN")


def test_the_child_says_why_it_cannot(capsys: pytest.CaptureFixture[str]):
    assert extract.main(["XKX"]) == 2
    assert capsys.readouterr().err.startswith("no border data for country XKX")


def test_zones_are_dissolved_into_their_country():
    cyprus = extract.extract("CYP")
    assert cyprus.neighbours == ()
    assert cyprus.area().contains(35.18, 33.36)[0]


def test_without_anything_kept_the_data_are_checked_themselves(tmp_path: Path):
    TimezoneGeography(tmp_path).check()


# --- overrides --------------------------------------------------------------------------------


def test_a_drawn_border_replaces_the_shapes(outline_cache: Path, tmp_path: Path):
    draw(tmp_path, "CIV-MLI.geojson", "LineString", [[-8, 10], [-4, 10]])
    world = TimezoneGeography(outline_cache, tmp_path)
    plain = TimezoneGeography(outline_cache)
    assert world.border("MLI", "CIV").length_km == pytest.approx(438.4, abs=0.5)
    assert world.border("CIV", "MLI") is world.border("MLI", "CIV")
    assert world.border("MLI", "GIN").length_km == plain.border("MLI", "GIN").length_km
    assert world.version("MLI", ["CIV"]) != plain.version("MLI", ["CIV"])
    assert world.version("MLI", ["GIN"]) == plain.version("MLI", ["GIN"])


def test_a_drawn_outline_replaces_the_shapes(outline_cache: Path, tmp_path: Path):
    square = [[[-9, 12], [-7, 12], [-7, 13], [-9, 13], [-9, 12]]]
    draw(tmp_path, "MLI.geojson", "Polygon", square)
    world = TimezoneGeography(outline_cache, tmp_path)
    assert world.country("MLI").contains([12.5, 15], [-8, -5]).tolist() == [True, False]
    assert world.country_at([12.5, 15], [-8, -5]).tolist() == ["MLI", ""]
    assert world.country_at([12.5], [-8], ["SEN", "MLI"]).tolist() == ["MLI"]
    assert world.version("MLI") != TimezoneGeography(outline_cache).version("MLI")


def test_a_country_the_shapes_do_not_know_can_be_drawn(tmp_path: Path):
    draw(tmp_path, "XKX.geojson", "MultiPolygon", [[[[20, 42], [21.8, 42], [21, 43.2], [20, 42]]]])
    draw(tmp_path, "XKX-SRB.geojson", "MultiLineString", [[[20.8, 43.2], [21.8, 42.3]]])
    world = TimezoneGeography(None, tmp_path)
    assert world.neighbours("XKX") == ("SRB",)
    assert world.country_at([42.6], [21.1], ["XKX"]).tolist() == ["XKX"]
    assert world.border("SRB", "XKX") is not None
