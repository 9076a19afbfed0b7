"""The command line: parses, calls, prints. One file a command group; nothing imports it."""

from __future__ import annotations


def main() -> None:
    """Run the command line and leave with its exit status (the `warden` script)."""
    import sys

    from warden.cli.root import run

    sys.exit(run())
