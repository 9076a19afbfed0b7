"""Faults as an operator reads them: one line each, the source line, a caret.

Standing in the flow: `warden check` prints it; editors parse its first lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from warden.errors import Fault

_WIDTH: Final = 110
# A secret that somebody wrote into a file all the same: the fault is told, also in the log of the
# service; what it is about is not.
_SECRET: Final = re.compile(
    r"""(?:password|token|(?<![{\s])\s{1,20}secret)["']?\s{0,9}:\s{0,9}
        (?P<value>"[^"]{0,300}"|'[^']{0,300}'|[^\s{\[,}][^,}]{0,300})
    |(?P<key>whsec_\S{1,300})
    |://(?P<login>[^/\s@]{1,300})@
    |heartbeat:.{0,99}?url["']?\s{0,9}:\s{0,9}(?P<url>[^\s{,}]{1,300})""",
    re.IGNORECASE | re.VERBOSE,
)


def render_faults(faults: Iterable[Fault], *, source: bool = True) -> str:
    """All faults, each with its source line and a caret; "" for none."""
    return "\n".join(render_fault(fault, source=source) for fault in faults)


def render_fault(fault: Fault, *, source: bool = True) -> str:
    """One fault, in the manner of ruff."""
    head = fault.one_line()
    if fault.severity == "warning":
        head = f"{fault.path}:{fault.line}:{fault.column}: {fault.code} warning: {fault.message}"
    if not source or not fault.source_line.strip() or fault.column < 1:
        return head
    start = max(0, fault.column - 1 - _WIDTH // 2) if fault.column > _WIDTH else 0
    shown = _clean(_hushed(fault.source_line)[start : start + _WIDTH])
    gutter = f"{fault.line:>5} | "
    return (
        f"{head}\n{gutter}{shown}\n{' ' * (len(gutter) - 2)}| {' ' * (fault.column - 1 - start)}^"
    )


def _hushed(line: str) -> str:
    """The line with a star for each character of what looks like a secret."""

    def stars(found: re.Match[str]) -> str:
        start, end = found.span(found.lastgroup or 0)
        whole, at = found[0], found.start()
        return whole[: start - at] + "*" * (end - start) + whole[end - at :]

    return _SECRET.sub(stars, line)


def _clean(text: str) -> str:
    """The line with tabs as single blanks, so that the caret stands under its character."""
    return "".join(char if char.isprintable() else " " for char in text).rstrip()
