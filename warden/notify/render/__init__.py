"""Rendering: a receiver's notices into text, HTML and payloads."""

from __future__ import annotations

from warden.notify.render.renderer import Rendered, Renderer
from warden.sandbox import template_folders

__all__ = ["Rendered", "Renderer", "template_folders"]
