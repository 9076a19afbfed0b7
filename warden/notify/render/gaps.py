"""Feeds that tell nothing of recent days: what every message about their data has to say.

Standing in the flow: `deliver` reads the states of the feeds when it makes a message, and hands
those that are embargoed or stale to the renderer. No data is never "no violence".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from warden.model.notice import Notice


@dataclass(frozen=True, slots=True)
class Gap:
    """A feed of `dataset` after whose day `since` nothing is known."""

    source: str
    dataset: str
    since: date


def gaps_of(notice: Notice, gaps: Sequence[Gap]) -> list[Gap]:
    """Those that concern the data of this notice."""
    datasets = {str(name) for name in notice.facts.get("datasets") or ()}
    return [gap for gap in gaps if gap.dataset in datasets]
