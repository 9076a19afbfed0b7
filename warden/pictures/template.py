"""SVG from templates: `templates/pictures/NAME.svg.jinja`, in the sandbox, everything escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from jinja2 import TemplateError

from warden.pictures.raster import PictureError
from warden.sandbox import Sandbox, template_folders

_NAME = re.compile(r"[a-z][a-z0-9_]*")
# An operator's template may draw anything, but a picture must not fetch or run anything.
_ACTIVE = frozenset({"script", "foreignobject", "image", "iframe", "a", "animate", "set"})
_OUTSIDE = re.compile(r"@import|url\(\s*['\"]?\s*[^#'\"\s]", re.IGNORECASE)


class Easel:
    """Draws the templates of some folders.

    Attributes:
        folders: where templates are looked for, the operator's own before the shipped.
    """

    def __init__(self, folders: Sequence[Path] | None = None) -> None:
        self.folders = tuple(folders) if folders is not None else template_folders()
        self._sandbox = Sandbox(self.folders)

    def draw(self, name: str, /, **plain: Any) -> str:
        """The SVG of a template with these numbers, texts, lists and dictionaries.

        Raises PictureError when the template is missing, faulty, too slow, or draws something that
        would be fetched or run where the picture is shown.
        """
        if not _NAME.fullmatch(name):
            raise PictureError(f"'{name}' is no name of a picture")
        try:
            svg = self._sandbox.produce((f"pictures/{name}.svg.jinja",), plain).strip()
        except (TemplateError, TypeError, ValueError, ArithmeticError, OSError) as error:
            raise PictureError(f"picture '{name}': {type(error).__name__}: {error}") from error
        return _quiet(name, svg)


def _quiet(name: str, svg: str) -> str:
    """The SVG if it is well-formed and neither fetches nor runs anything where it is shown."""
    if "<!DOCTYPE" in svg or "<!ENTITY" in svg:
        raise PictureError(f"picture '{name}' declares a document type; leave it out")
    try:
        root = ET.fromstring(svg)  # noqa: S314  entities were refused above
    except ET.ParseError as error:
        raise PictureError(f"picture '{name}' is no well-formed SVG: {error}") from error
    for element in root.iter():
        for word in (_plain(element.tag), *map(_plain, element.attrib)):
            if word in _ACTIVE or word.startswith("on"):
                raise PictureError(f"picture '{name}': '{word}' may not stand in a picture")
        texts = [element.text or ""] if _plain(element.tag) == "style" else []
        for key, value in element.attrib.items():
            texts.append(value)
            if _plain(key) in ("href", "src") and not value.startswith("#"):
                raise PictureError(f"picture '{name}' names something outside itself: {value[:80]}")
        if any(_OUTSIDE.search(text) for text in texts):
            raise PictureError(f"picture '{name}' names something outside itself")
    return svg


def _plain(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2].lower()


def draw(name: str, /, **plain: Any) -> str:
    """The SVG of a shipped template: see `Easel.draw`."""
    return _shipped().draw(name, **plain)


@cache
def _shipped() -> Easel:
    return Easel()
