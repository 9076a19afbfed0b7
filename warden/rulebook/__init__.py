"""Rule files into rules: every fault at once, each at its place.

`load` reads files and folders; `render_faults` shows what is wrong with them; `schema` is for
editors; `python -m warden.rulebook.reference` makes the tables of docs/rules.md.
"""

from __future__ import annotations

from warden.rulebook.known import KnownNames
from warden.rulebook.loading import Loaded, load
from warden.rulebook.rendering import render_fault, render_faults
from warden.rulebook.schema import schema

__all__ = ["KnownNames", "Loaded", "load", "render_fault", "render_faults", "schema"]
