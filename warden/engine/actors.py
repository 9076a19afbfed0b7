"""Who is who: groups of actors, renamed actors, and the names that stand for nobody.

Standing in the flow: `where` asks whether an actor is in a group; keys ask for the one name that
an actor's spellings share.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

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
    """The one name for each actor's spellings: aliases first, then regime suffixes dropped."""

    def __init__(self, aliases: Sequence[Alias] = ()) -> None:
        self._by_folded = {
            fold(earlier): alias.name for alias in aliases for earlier in (*alias.was, alias.name)
        }
        self._cache: dict[str, str] = {}

    def canonical(self, name: str) -> str:
        """The name that keys use, and that decides whether a recoding is a mere rename."""
        known = self._cache.get(name)
        if known is None:
            bare = without_regime(name)
            known = self._by_folded.get(fold(name)) or self._by_folded.get(fold(bare)) or bare
            self._cache[name] = known
        return known


@lru_cache(maxsize=1_024)
def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
