"""A whole installation in a folder, for every test here."""

from support.installation import installation

__all__ = ["installation"]
