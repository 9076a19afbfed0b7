"""Whether an actor that was never seen before is one that has just vanished, under another name.

Sources rename actors from one release to the next. What `aliases` already says is no question; this
is for names that no alias joins yet. It is careful: a rename is only ever called possible, and only
where the name is alike, the old one is seen no more, and both were in the same places.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from warden.engine.actors import without_regime
from warden.model.text import fold

VANISHED_WITHIN = 365  # days between the last event of the old name and the first of the new
OVERLAP = 14  # days for which both may still be used, while a release changes over
LEAST_EVENTS = 3  # of the old name
SPELT_ALIKE = 0.75  # of two words, by difflib's ratio
LEAST_LETTERS = 5  # and Niger is not Nigeria: they may differ by one letter's length
SHARED_WORDS = 0.6  # of the shorter name's telling words
_ACRONYM = re.compile(r"^([^\s:]{2,15}):\s")
# Words that many actors' names hold and that tell none of them apart.
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "affiliated alliance and armed army battalion brigade brigades civilian clan coalition"
        " command communal council defense defence ethnic faction factions fighters for force"
        " forces former front gendarmerie government group groups guard in liberation local men"
        " militant militia militias military movement movements national of or other people"
        " peoples police political protesters rebel rebels regional rioters security self special"
        " support the unidentified unit unknown with",
    )
)


@dataclass(frozen=True, slots=True)
class Seen:
    """An actor's name and its events: days since 1970-01-01, and where they were."""

    name: str
    first: int
    last: int
    events: int
    places: frozenset[str] = frozenset()


def possible_rename(new: Seen, others: Iterable[Seen]) -> Seen | None:
    """The vanished actor that the new one may be; of several the one seen last."""
    found = [old for old in others if _took_over(new, old) and alike(old.name, new.name)]
    return max(found, key=lambda old: (old.last, old.events, old.name), default=None)


def possible_renames(seen: Sequence[Seen]) -> Mapping[str, Seen]:
    """The same for every name of a list; only names that share a telling word are compared."""
    by_word: dict[str, list[Seen]] = {}
    for one in seen:
        for word in _words(one.name):
            by_word.setdefault(word, []).append(one)
    found = {}
    for one in seen:
        near = {old.name: old for word in _words(one.name) for old in by_word[word]}
        old = possible_rename(one, near.values())
        if old is not None:
            found[one.name] = old
    return found


def alike(one: str, other: str) -> bool:
    """Whether two names may be one actor's: one acronym, one spelling, or most telling words.

    Names that differ in a regime's years only are the same actor to begin with.
    """
    first, second = fold(without_regime(one)), fold(without_regime(other))
    acronyms = [found[1] if (found := _ACRONYM.match(name)) else "" for name in (first, second)]
    if all(acronyms):
        return acronyms[0] == acronyms[1]
    mine, theirs = _words(one), _words(other)
    if not mine or not theirs:
        return False
    if len(mine) == len(theirs) and all(map(_spelt_alike, mine, theirs)):
        return True
    shared = set(mine) & set(theirs)
    least = min(len(mine), len(theirs))
    return mine[0] == theirs[0] and len(shared) > 1 and len(shared) >= SHARED_WORDS * least


def _took_over(new: Seen, old: Seen) -> bool:
    return (
        old.name != new.name
        and old.events >= LEAST_EVENTS
        and new.first - VANISHED_WITHIN <= old.last < new.first + OVERLAP
        and old.first < new.first
        and new.last > old.last
        and bool(old.places & new.places)
    )


def _spelt_alike(one: str, other: str) -> bool:
    if one == other:
        return True
    near = min(len(one), len(other)) >= LEAST_LETTERS and abs(len(one) - len(other)) <= 1
    return near and SequenceMatcher(None, one, other).ratio() >= SPELT_ALIKE


@lru_cache(maxsize=65_536)
def _words(name: str) -> tuple[str, ...]:
    """The words of a name that tell it from others, folded, in order."""
    found = re.findall(r"[\w'-]+", fold(without_regime(name)))
    return tuple(word for word in found if word not in _COMMON and len(word) > 1)
