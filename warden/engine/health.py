"""What was found just now against what is written down of warden's health: two states, compared.

Standing in the flow: before an evaluation the shell looks at its sources, its outbox and itself;
`merged` says what is to be written down then, purely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from warden.model.health import Condition, Subject

About = tuple[Subject, str]


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found.

    Attributes:
        found: the conditions that hold now.
        then: how what no longer holds has ended, where that is not "ok".
        known_through: for sources that are read again, how far they are known now.
        unseen: subjects that could not be looked at; nothing is said of them.
    """

    found: Sequence[Condition] = ()
    then: Mapping[About, str] = field(default_factory=dict)
    known_through: Mapping[About, date] = field(default_factory=dict)
    unseen: frozenset[Subject] = frozenset()


def merged(stored: Sequence[Condition], look: Look, now: datetime) -> tuple[Condition, ...]:
    """The conditions from now on: those that go on, those that have ended, those that began.

    A condition that goes on keeps when it began and what was said of it first, so that a sentence
    that changes with every try is no news; what is counted is counted anew.
    """
    found = {(one.subject, one.name): one for one in look.found}
    result: list[Condition] = []
    for one in stored:
        about = (one.subject, one.name)
        if one.until is not None or one.subject in look.unseen:
            result.append(one)
            continue
        current = found.get(about)
        if current is not None and current.state == one.state:
            result.append(_going_on(one, current))
            del found[about]
        else:
            result.append(_over(one, current, look, now))
    return (*result, *found.values())


def _going_on(one: Condition, current: Condition) -> Condition:
    if current.count is None or current.count == one.count:
        return one
    return replace(one, count=current.count, detail=current.detail)


def _over(one: Condition, current: Condition | None, look: Look, now: datetime) -> Condition:
    about = (one.subject, one.name)
    if current is None:
        through = look.known_through.get(about, one.known_through)
        return replace(
            one, until=now, then=look.then.get(about, "ok"), known_through=through, count=None
        )
    until = min(max(current.since, one.since), now)
    return replace(one, until=until, then=current.state)
