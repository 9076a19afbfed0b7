"""What the stored history knows, for warnings that need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from warden.engine.frame import Frame
from warden.engine.geo.geography import Geography


@dataclass(frozen=True, slots=True)
class KnownNames:
    """Names and bounds of the stored events. Everything is optional: no name, no warning.

    Attributes:
        actors: every actor name ever seen, as the source spells it.
        fields: for text fields ("admin1", "location", "source", …) every value ever seen.
        history_start: the oldest event date stored.
        today: the day on which the check runs, against which `memory` is measured.
        embargo_days: how many days the newest data lag behind under an embargo, 0 without one.
        sources: the names of the configured sources.
        frame, geography: the stored events, and what distances are measured with.
    """

    actors: frozenset[str] = frozenset()
    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
    history_start: date | None = None
    today: date | None = None
    embargo_days: int = 0
    frame: Frame | None = None
    geography: Geography | None = None
    sources: frozenset[str] = frozenset()
