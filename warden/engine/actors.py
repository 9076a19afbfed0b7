"""Who is who: groups of actors, renamed actors, and the names that stand for nobody.

Standing in the flow: `where` asks whether an actor is in a group; keys ask for the one name that
an actor's spellings share.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from warden.engine.frame import IntArray, day_number
from warden.model.event import Actor
from warden.model.rule import ActorGroup, Alias, TextTest
from warden.model.text import fold, glob_matches

# "Military Forces of Mali (2013-2020)" and "(2021-)" are one body under two governments.
_REGIME = re.compile(r"\s*\((?:19|20)\d\d-(?:(?:19|20)\d\d)?\)")


@lru_cache(maxsize=65_536)
def without_regime(name: str) -> str:
    """The name without its regime-period suffix; what follows the suffix stays."""
    return " ".join(_REGIME.sub("", name).split())


def is_civilian(actor: Actor) -> bool:
    """Whether the actor stands for civilians, who key no series of their own."""
    return actor.type.casefold() == "civilians" or actor.name.startswith("Civilians")


def text_passes(test: TextTest, folded: str) -> bool:
    """Whether one test holds of an already folded text."""
    if test.op == "is":
        return folded == test.value
    if test.op == "matches":
        return glob_matches(test.value, folded)
    if test.op == "contains":
        return test.value in folded
    return _regex(test.value).search(folded) is not None


def in_group(group: ActorGroup, name: str) -> bool:
    """Whether an actor's name belongs to the group: some glob matches, no exception does."""
    folded = fold(name)
    return any(glob_matches(glob, folded) for glob in group.match) and not any(
        glob_matches(glob, folded) for glob in group.exclude
    )


class Names:
    """The one name for each actor's spellings: aliases first, then regime suffixes dropped.

    An alias with dates holds from and until these days only. Between two such dates every alias
    either holds or does not: that is an era, and what a name means depends on nothing else.
    """

    def __init__(self, aliases: Sequence[Alias] = ()) -> None:
        self._starts = np.array(_turns(aliases), dtype=np.int64)
        self._by_era = [_spellings(aliases, day) for day in _days_within(self._starts.tolist())]
        self._cache: dict[tuple[str, int], str] = {}

    @property
    def eras(self) -> int:
        """How many stretches of time there are; 1 without dated aliases."""
        return len(self._by_era)

    def era(self, days: IntArray) -> IntArray:
        """In which era each day lies."""
        return np.searchsorted(self._starts, days, side="right").astype(np.int64)

    def canonical(self, name: str, era: int = -1) -> str:
        """The name that keys use, and that decides whether a recoding is a mere rename.

        Without an era that of today's names.
        """
        asked = (name, era)
        known = self._cache.get(asked)
        if known is None:
            bare, spellings = without_regime(name), self._by_era[era]
            known = spellings.get(fold(name)) or spellings.get(fold(bare)) or bare
            self._cache[asked] = known
        return known


def _turns(aliases: Sequence[Alias]) -> list[int]:
    """The days on which some alias begins to hold, or no longer does."""
    begins = {day_number(alias.since) for alias in aliases if alias.since is not None}
    ends = {day_number(alias.until) + 1 for alias in aliases if alias.until is not None}
    return sorted(begins | ends)


def _days_within(turns: Sequence[int]) -> list[int]:
    """A day of each era."""
    return [turns[0] - 1, *turns] if turns else [0]


def _spellings(aliases: Sequence[Alias], day: int) -> dict[str, str]:
    return {
        fold(earlier): alias.name
        for alias in aliases
        if (alias.since is None or day_number(alias.since) <= day)
        and (alias.until is None or day <= day_number(alias.until))
        for earlier in (*alias.was, alias.name)
    }


@lru_cache(maxsize=1_024)
def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
