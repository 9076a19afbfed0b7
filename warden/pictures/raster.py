"""SVG to PNG by resvg, with letters that look the same on every machine.

A server often has no font at all, and resvg then leaves texts out without a word. So the letters
come from a package (`fontpkg-roboto`); where it is not installed, from the system's folders; and
where there is none either, a picture with texts is refused.
"""

from __future__ import annotations

import io
from functools import cache, lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from xml.parsers import expat

from warden.errors import WardenError

FONT = "Roboto"
MAIL_WIDTH_PX = 640  # 1.6 times the width they are shown at: dense screens, and time to draw
MAX_SVG = 2_000_000  # characters
MAX_WIDTH = 4_000  # pixels
MAX_HEIGHT = 8_000
_COLOURS = 128
_COMPRESSION = 6
_ANYTHING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><text>a</text></svg>'
_PACKAGE = "fontpkg_roboto"
_SYSTEM_FONTS = (
    "/usr/share/fonts", "/usr/local/share/fonts", "/usr/share/X11/fonts", "/Library/Fonts",
    "/System/Library/Fonts",
)  # fmt: skip
_SUFFIXES = {".ttf", ".otf", ".ttc"}


class PictureError(WardenError):
    """A picture that cannot be made; messages go without it and say so."""


def png(svg: str, *, width_px: int) -> bytes:
    """The SVG as a PNG of this width; its height follows from the drawing's proportions.

    For mails draw at twice the width at which the picture is shown: phones have dense screens.
    Raises PictureError when it cannot be drawn with all its texts.
    """
    if len(svg) > MAX_SVG or not 1 <= width_px <= MAX_WIDTH:
        raise PictureError(f"the picture is too large ({len(svg)} characters, {width_px} px)")
    try:
        import resvg_py  # noqa: PLC0415  late: most commands draw nothing
    except ImportError as error:
        raise PictureError("no pictures: install the package resvg-py") from error
    fonts = font_files()
    if "<text" in svg and not fonts and not has_system_font():
        raise PictureError("no font for pictures: install fontpkg-roboto, or fonts-dejavu-core")
    try:
        drawn = resvg_py.svg_to_bytes(
            svg_string=svg,
            width=width_px,
            background="#ffffff",
            skip_system_fonts=bool(fonts),
            font_files=list(fonts),
            font_family=FONT if fonts else None,
            sans_serif_family=FONT if fonts else None,
        )
    except (ValueError, RuntimeError) as error:
        raise PictureError(f"the picture cannot be drawn: {error}") from error
    return _fewer_colours(bytes(drawn))


def check_drawable(svg: str) -> None:
    """Raise PictureError unless this is well formed and pictures can be drawn here at all."""
    _check_machine()
    try:
        expat.ParserCreate().Parse(svg.encode(), True)  # noqa: FBT003  the parser's own signature
    except expat.ExpatError as error:
        raise PictureError(f"the picture is not well formed: {error}") from error


@cache
def _check_machine() -> None:
    png(_ANYTHING, width_px=8)


@lru_cache(maxsize=64)
def mail_png(svg: str) -> bytes:
    """The drawing as mails carry it; drawn once for one message's many recipients."""
    return png(svg, width_px=MAIL_WIDTH_PX)


def _fewer_colours(picture: bytes) -> bytes:
    """The same picture with at most 128 colours: a third of the size."""
    from PIL import Image  # noqa: PLC0415  late, as above

    with Image.open(io.BytesIO(picture), formats=("PNG",)) as image:
        plain = image.convert("RGB").quantize(
            _COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
        )
    content = io.BytesIO()
    plain.save(content, "PNG", compress_level=_COMPRESSION)
    return content.getvalue()


@cache
def font_files() -> tuple[str, ...]:
    """The packaged font's files; () where the package is not installed."""
    try:
        folder = files(_PACKAGE) / "files"
        found = [
            entry
            for entry in folder.iterdir()
            if Path(entry.name).suffix in _SUFFIXES and "Italic" not in entry.name
        ]
    except (ModuleNotFoundError, OSError):
        return ()
    paths = []
    for entry in sorted(found, key=lambda entry: entry.name):
        with as_file(entry) as path:  # a package in a zip would leave nothing behind: not found
            if path.exists():
                paths.append(str(path))
    return tuple(paths)


@cache
def has_system_font() -> bool:
    """Whether any font lies where systems keep them."""
    homes = (*_SYSTEM_FONTS, "~/.fonts", "~/.local/share/fonts")
    return any(
        path.suffix.lower() in _SUFFIXES
        for home in homes
        for path in Path(home).expanduser().rglob("*")
    )
