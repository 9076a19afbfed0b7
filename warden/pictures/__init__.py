"""Pictures: maps and charts as SVG from templates, and as PNG for mails."""

from __future__ import annotations

from warden.pictures.raster import PictureError, check_drawable, mail_png, png
from warden.pictures.template import Easel, draw

__all__ = ["Easel", "PictureError", "check_drawable", "draw", "mail_png", "png"]
