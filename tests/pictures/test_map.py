"""Maps show what the notice says, anywhere on the earth, small and quickly."""

import math
from xml.etree import ElementTree as ET

import pytest
from helpers_pictures import empty_picture, least_times

from warden.geodata.land import Land
from warden.pictures import Easel, mail_png
from warden.pictures.map import HEIGHT, WIDTH, Band, MapPlan, Ring, Spot, draw_map

pytestmark = pytest.mark.xdist_group("land")
SVG = "{http://www.w3.org/2000/svg}"
EASEL = Easel()
KATI = Spot(12.7441, -8.0726, "Kati", 5.0)
BAMAKO = Ring(12.6392, -8.0029, 150.0, "Bamako")


def drawn(shapes, *spots, **options):
    options.setdefault("legend", lambda count: f"{count} earlier events")
    plan = MapPlan(
        spots=spots or (KATI,),
        country=lambda code: code,
        credit="Borders © OpenStreetMap contributors",
        **options,
    )
    return draw_map(plan, shapes, EASEL)


def parts(svg, tag):
    return list(ET.fromstring(svg).iter(f"{SVG}{tag}"))


def texts(svg):
    return [element.text for element in parts(svg, "text")]


def circles(svg, fill):
    return [c for c in parts(svg, "circle") if c.get("fill") == fill]


@pytest.mark.parametrize(
    ("lat", "lon"),
    [(12.74, -8.07), (-17.71, 178.06), (-16.8, -179.95), (64.73, 177.5), (78.2, 15.6),
     (-51.7, -57.85), (0.0, 0.0), (-43.95, -176.55), (89.0, 10.0), (-89.0, 0.0)],
)  # fmt: skip
def test_any_place_on_the_earth_has_its_map(shapes, lat, lon):
    svg = drawn(shapes, Spot(lat, lon, "Here", 5.0)).svg
    (spot,) = [c for c in circles(svg, "#b3261e") if c.get("stroke") == "#ffffff"]
    assert 0 < float(spot.get("cx")) < WIDTH
    assert 0 < float(spot.get("cy")) < HEIGHT
    assert "Here" in texts(svg)
    assert len(mail_png(svg)) < 60_000


def test_places_on_both_sides_of_180_degrees_lie_side_by_side(shapes):
    svg = drawn(shapes, Spot(-17.7, 178.1, "Nadi"), Spot(-16.8, -179.9, "Taveuni")).svg
    west, east = [float(c.get("cx")) for c in circles(svg, "#b3261e")]
    assert 0 < west < east < WIDTH


def test_the_ring_and_the_scale_tell_the_same_distances(shapes):
    svg = drawn(shapes, ring=BAMAKO).svg
    (ring,) = circles(svg, "#35618e")
    assert "150 km" in texts(svg)
    assert "Bamako" in texts(svg)
    (bar,) = [p for p in parts(svg, "path") if " v5 h" in p.get("d")]
    length = float(bar.get("d").split(" h")[1].split()[0])
    (words,) = [t for t in texts(svg) if t.endswith("100 km")]
    assert float(ring.get("r")) / 150 == pytest.approx(length / float(words.split()[0]), rel=0.01)


def test_the_event_lies_from_the_middle_of_the_ring_as_it_does_on_the_ground(shapes):
    svg = drawn(shapes, Spot(13.4317, -6.2157, "Ségou"), ring=BAMAKO, distance="213 km").svg
    (line,) = parts(svg, "line")
    x1, y1, x2, y2 = (float(line.get(name)) for name in ("x1", "y1", "x2", "y2"))
    (ring,) = circles(svg, "#35618e")
    assert math.dist((x1, y1), (x2, y2)) / float(ring.get("r")) == pytest.approx(213 / 150, 0.02)
    assert x2 > x1  # east
    assert y2 < y1  # and north
    assert "213 km" in texts(svg)


def test_a_border_band_is_as_wide_as_the_rule_says(shapes):
    svg = drawn(shapes, Spot(10.9, -6.4, "Kadiolo"), band=Band("MLI", ("CIV", "BFA"), 50.0)).svg
    (band,) = [g for g in parts(svg, "g") if g.get("stroke") == "#35618e"]
    scale = (HEIGHT / 2) / (110 / ((HEIGHT - 40) / HEIGHT))
    assert float(band.get("stroke-width")) == pytest.approx(100 * scale, rel=0.02)
    assert {"MLI", "CIV"} <= set(texts(svg))


def test_where_only_the_region_is_known_no_point_is_drawn(shapes):
    svg = drawn(shapes, Spot(12.86, -7.56, "Koulikoro", 60.0, vague=True)).svg
    (disc,) = circles(svg, "#b3261e")
    assert disc.get("stroke-dasharray")
    assert disc.get("fill-opacity")


def test_earlier_events_fade_with_the_years_and_are_counted_as_seen(shapes):
    points = ((12.9, -7.6, 0.1), (12.3, -8.3, 1.9), (40.0, 20.0, 0.1))
    made = drawn(shapes, ring=BAMAKO, earlier=points)
    old, new = [p for p in parts(made.svg, "path") if p.get("d").endswith("h0")]
    assert float(old.get("stroke-opacity")) < float(new.get("stroke-opacity"))
    assert old.get("d").count("M") == new.get("d").count("M") == 1
    assert made.earlier == 2  # Albania is not on this map
    assert "2 earlier events" in texts(made.svg)


def test_a_map_names_its_source_and_where_north_is(shapes):
    svg = drawn(shapes).svg
    assert any("OpenStreetMap" in text for text in texts(svg))
    assert "N" in texts(svg)


def test_texts_lie_within_the_picture_and_main_names_apart(shapes):
    spots = [Spot(12.7 + i / 40, -8.0 + i / 30, f"Place number {i}", 5.0) for i in range(12)]
    svg = drawn(shapes, *spots, ring=BAMAKO).svg
    for text in parts(svg, "text"):
        assert 0 <= float(text.get("x")) <= WIDTH or text.get("x") == "0"
    named = [t for t in texts(svg) if t.startswith("Place number")]
    assert "Place number 0" in named
    assert len(named) < 12  # those without room stay unnamed


def test_names_of_places_are_escaped(shapes):
    svg = drawn(shapes, Spot(12.7, -8.0, "<script>x</script>")).svg
    assert "<script" not in svg


def test_a_map_takes_little_time(shapes):
    """150 ms at most where an empty picture takes 25, whatever else the machine does."""
    points = tuple((12.6 + i / 150, -8.0 - i / 170, i / 100) for i in range(200))

    def with_map(turn):
        return drawn(shapes, Spot(12.7, -8.0, f"Kati {turn}"), ring=BAMAKO, earlier=points).svg

    took, empty = least_times(with_map, empty_picture(HEIGHT))
    assert took < 6 * empty
    assert took < 0.4


def test_shapes_are_kept_and_damaged_ones_made_anew(land, shapes, tmp_path):
    kept = next(land._folder.glob("land-*.npz"))
    copy = tmp_path / kept.name
    copy.write_bytes(kept.read_bytes())
    assert len(Land(tmp_path).shapes().rings.points) == len(shapes.rings.points)
    copy.write_bytes(b"not shapes")
    assert Land(tmp_path)._read() is None


def test_neighbours_share_one_border_enclaves_too(shapes):
    pairs = {
        frozenset(shapes.codes[int(n)] for n in owners) for owners in shapes.borders.owners.tolist()
    }
    assert frozenset(("MLI", "CIV")) in pairs
    assert frozenset(("LSO", "ZAF")) in pairs
    assert frozenset(("MLI", "MAR")) not in pairs
    assert all(len(pair) == 2 for pair in pairs)
