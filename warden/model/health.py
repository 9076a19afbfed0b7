"""Warden's own health as data: what is not as it should be, since when, and how it ended.

Standing in the flow: the shell looks at sources, the outbox and itself and writes down the
conditions it finds; rules of the kind `feed` read them as other rules read events.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

# How a source can be, apart from `ok`: the words of `warden.sources.protocol.SourceState`.
SourceTrouble = Literal[
    "embargoed",
    "auth_failed",
    "consent_required",
    "profile_incomplete",
    "access_denied",
    "blocked",
    "truncated",
    "schema_drift",
    "stale",
    "paused",
    "unreachable",
    "disabled",
]
# What else can be wrong with warden itself.
OwnTrouble = Literal[
    "dead_letter",  # a message that some recipient will not get
    "template_fallback",  # a message that went out in the plain form
    "reload_refused",  # changed rules have faults; the last good ones are in force
    "backup_failed",  # the nightly copy of the database could not be made
    "rule_error",  # a rule could not be evaluated; the others were
    "unknown_actor",  # names in new events that are in no group
]
Trouble = Literal[SourceTrouble, OwnTrouble]
TROUBLES: tuple[Trouble, ...] = (*get_args(SourceTrouble), *get_args(OwnTrouble))

Subject = Literal["source", "delivery", "template", "rules", "backup", "rule", "actors"]
# The dimension under which each subject's name is the key of an alert; "" has no name.
DIMENSION: dict[Subject, str] = {
    "source": "source",
    "delivery": "target",
    "template": "receiver",
    "rules": "",
    "backup": "",
    "rule": "failing_rule",
    "actors": "",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that was not as it should be, from an instant on, until another or still.

    Attributes:
        subject, name: what it is about: a source by its name, a recipient by channel and target,
            a receiver whose template failed, a rule; "" where there is only one.
        since: when it began. until: when it was over; None while it lasts.
        then: what followed: "" while it lasts, "ok", another state of the source, "removed" (it is
            no longer in the settings), "aged" (nothing happened to it any more).
        detail: a sentence, as the source or the error said it.
        known_through: for a source the newest day of which everything is known, if any is.
        count: how many messages or names; None where there is nothing to count.
    """

    subject: Subject
    name: str
    state: Trouble
    since: datetime
    until: datetime | None = None
    then: str = ""
    detail: str = ""
    known_through: date | None = None
    count: int | None = None

    @property
    def uid(self) -> str:
        """What an alert about it rests on; the same for as long as it lasts, and after."""
        return f"health:{self.subject}:{self.name}:{self.state}:{self.since.isoformat()}"

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """The key of an alert about it."""
        dimension = DIMENSION[self.subject]
        return ((dimension, self.name),) if dimension else ()
