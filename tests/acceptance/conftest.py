"""A whole installation in a folder: see support.installation."""

from support.installation import (
    COLUMNS,
    ROUTES,
    RULES,
    Daemon,
    Done,
    Installation,
    environment,
    eventually,
    installation,
    recent,
    row,
)

__all__ = [
    "COLUMNS",
    "ROUTES",
    "RULES",
    "Daemon",
    "Done",
    "Installation",
    "environment",
    "eventually",
    "installation",
    "recent",
    "row",
]
