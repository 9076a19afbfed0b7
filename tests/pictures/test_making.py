"""Pictures are made by templates in a sandbox, and drawn with letters that are always there."""

import struct
from pathlib import Path

import pytest

from warden.pictures import Easel, PictureError, png, raster

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 40">{}</svg>'
TEXT = SVG.format('<text x="5" y="25" font-size="20">Ségou</text>')


def size_of(picture: bytes) -> tuple[int, int]:
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def easel(folder: Path, template: str) -> Easel:
    (folder / "pictures").mkdir()
    (folder / "pictures" / "own.svg.jinja").write_text(template, encoding="utf-8")
    return Easel((folder,))


def test_a_drawing_becomes_a_png_of_the_width_asked_for():
    assert size_of(png(TEXT, width_px=600)) == (600, 240)


def test_letters_come_from_the_package_whatever_fonts_the_system_has():
    assert raster.font_files()
    assert len(png(TEXT, width_px=600)) > len(png(SVG.format(""), width_px=600)) + 500


def test_a_picture_with_texts_is_refused_where_there_is_no_font(monkeypatch):
    monkeypatch.setattr(raster, "font_files", tuple)
    monkeypatch.setattr(raster, "has_system_font", lambda: False)
    with pytest.raises(PictureError, match="no font for pictures"):
        png(TEXT, width_px=600)
    assert png(SVG.format('<rect width="9" height="9"/>'), width_px=600)


@pytest.mark.parametrize("svg", ["", "<svg", "<html/>", TEXT[:-4], "x" * 2_000_001])
def test_what_is_no_drawing_is_a_fault_with_a_message(svg):
    with pytest.raises(PictureError, match="the picture"):
        png(svg, width_px=600)


def test_what_a_template_is_given_is_escaped(tmp_path):
    own = easel(tmp_path, SVG.format("<text>{{ name }}</text>"))
    assert "&lt;script&gt;" in own.draw("own", name="<script>")


@pytest.mark.parametrize(
    "inside",
    [
        "<script>1</script>",
        '<image href="https://example.org/x.png"/>',
        '<rect onload="x()"/>',
        '<use href="https://example.org/x.svg#a"/>',
        '<rect style="fill:url(https://example.org/x)"/>',
        "<style>@import 'https://example.org/x.css';</style>",
        "<foreignObject/>",
        "<text>not closed",
        "{{ name.__class__ }}",
        "{% for a in range(9) %}{% endfor %}",
        "{{ missing }}",
        "{% include 'nowhere' %}",
        "{{ 'x' * 9 }}",
    ],
)
def test_a_template_that_reaches_out_or_is_faulty_is_refused(tmp_path, inside):
    own = easel(tmp_path, SVG.format(inside))
    with pytest.raises(PictureError, match="picture 'own'"):
        own.draw("own", name="x")


def test_a_template_that_runs_on_is_stopped(tmp_path):
    loops = "{% for a in many %}" * 3 + "{{ a }}" + "{% endfor %}" * 3
    own = easel(tmp_path, SVG.format(f"<text>{loops}</text>"))
    with pytest.raises(PictureError, match="takes too long"):
        own.draw("own", many=list(range(1000)))


@pytest.mark.parametrize("name", ["../x", "a/b", "", "A", "nowhere"])
def test_only_pictures_there_are_can_be_drawn(name):
    with pytest.raises(PictureError, match="picture"):
        Easel().draw(name)
