"""Which datasets are being seen for the first time: what they bring is one summary, not news.

Standing in the flow: `evaluate` asks before it reconciles, and a replay for each of its instants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SEEDED = "seeded:"  # and a dataset: the name of the mark that says how far its first load has come


@dataclass(frozen=True, slots=True)
class SourceView:
    """What the seeding of a dataset depends on: one source of it, as it was at an instant."""

    dataset: str
    state: str
    was_ok: bool

    @property
    def has_spoken(self) -> bool:
        """Whether it has told all that it has; a feed between two releases has, too."""
        return self.state in {"stale", "paused"} or (self.was_ok and self.state != "embargoed")


def seeding(
    present: Iterable[str], sources: Iterable[SourceView], marks: Mapping[str, str]
) -> tuple[frozenset[str], dict[str, str]]:
    """Name the datasets that are being loaded for the first time, or again after an embargo.

    Beside them stand the marks to leave once that is committed; `marks` are those left before.
    """
    by_dataset: dict[str, list[SourceView]] = {}
    for source in sources:
        by_dataset.setdefault(source.dataset, []).append(source)
    found, left = set(), {}
    for dataset in sorted(present):
        key = SEEDED + dataset
        mark = marks.get(key)
        speakers = by_dataset.get(dataset, [])
        embargoed = any(source.state == "embargoed" for source in speakers)
        open_now = any(source.has_spoken for source in speakers)
        if mark is None or (mark == "embargoed" and open_now and not embargoed):
            found.add(dataset)
        reached = "embargoed" if embargoed else "ok" if open_now or not speakers else None
        if reached is not None and reached != mark:
            left[key] = reached
    return frozenset(found), left
