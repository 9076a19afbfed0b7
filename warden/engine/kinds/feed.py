"""`feed`: warden's own health: a source that cannot be read, a message that nobody got."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from warden.clock import is_ahead
from warden.engine.facts import Severity
from warden.engine.horizon import Horizon
from warden.engine.kinds.base import Kind, Parameters
from warden.engine.where import Matches
from warden.model.health import TROUBLES, Condition, OwnTrouble, Trouble
from warden.model.rule import Rule
from warden.model.signal import Signal

_SPAN = re.compile(r"([0-9]{1,6}) *([smhdw])\Z")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_OWN = frozenset(get_args(OwnTrouble))
# What severity steps of these rules may read.
NAMES: frozenset[str] = frozenset({"state", "source", "hours", "count"})


def _seconds(value: Any) -> int:
    found = _SPAN.match(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("write a number with m, h, d or w, such as 30m, 6h or 2d")
    return int(found[1]) * _UNIT_S[found[2]]


def _listed(value: Any) -> Any:
    return (
        (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value
    )


def _some(value: Any) -> Any:
    if value in ([], (), ""):
        raise ValueError("name at least one state")
    return _listed(value)


def _one_or_more(shape: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [shape, {"type": "array", "items": shape, "minItems": 1}]})


class FeedParameters(Parameters):
    """Which states of which sources are told, and after how long."""

    source: Annotated[
        tuple[str, ...], BeforeValidator(_listed), _one_or_more({"type": "string"})
    ] = Field(
        default=(), description="a source of the settings, or a list of them; all if not said"
    )
    states: Annotated[
        tuple[Trouble, ...], BeforeValidator(_some), _one_or_more({"enum": list(TROUBLES)})
    ] = Field(description="the states that are told, one or a list")
    patience_s: Annotated[int, BeforeValidator(_seconds)] = Field(
        default=0,
        alias="for",
        description="how long it must have lasted, in minutes, hours or days: 30m, 6h, 2d",
        json_schema_extra={"type": "string", "pattern": r"^[0-9]+ *[smhdw]$"},
    )

    @model_validator(mode="after")
    def _a_source_has_states(self) -> FeedParameters:
        own = sorted(set(self.states) & _OWN)
        if self.source and own:
            raise ValueError(f"'source' narrows the states of sources; {own[0]} is not one")
        return self


def signals(
    rule: Rule,
    matches: Matches,  # noqa: ARG001 - no event is any of its business
    horizon: Horizon,
    only: AbstractSet[str] | None = None,  # noqa: ARG001 - nor is any uid
) -> tuple[Signal, ...]:
    """One signal a run of bad states of one source, recipient, receiver or rule."""
    parameters: FeedParameters = rule.parameters
    severity = Severity(rule)
    found: list[Signal] = []
    for run in _runs(rule, parameters, horizon):
        last = run[-1]
        lasted = (last.until or horizon.now) - run[0].since
        # It began in the future, by a clock that was ahead: only what was told stays written so.
        was_told = lasted < timedelta() and is_ahead(run[0].since, horizon.now)
        if lasted < timedelta(seconds=parameters.patience_s) and not was_told:
            continue
        ended = last.until is not None and _is_over(last.until, rule, horizon.now)
        facts = _facts(run)
        begun, newest = _day(run[0]), _day(last)
        hours = max(int(lasted.total_seconds() // 3600), 0)
        found.append(
            Signal(
                rule_id=rule.id,
                key=last.key,
                evidence=tuple(one.uid for one in run),
                first_day=begun,
                last_day=newest,
                since=begun,
                until=newest,
                ended=ended,
                severity=severity.of({**facts, "hours": hours}),
                value=None if last.count is None else float(last.count),
                facts=facts,
            )
        )
    return tuple(found)


def _is_over(until: datetime, rule: Rule, now: datetime) -> bool:
    """Whether it ended long enough ago; at once where a clock that was ahead says when."""
    return is_ahead(until, now) or now - until >= timedelta(days=rule.resolve_days)


def _runs(
    rule: Rule, parameters: FeedParameters, horizon: Horizon
) -> Iterator[tuple[Condition, ...]]:
    """The conditions that are meant, those that follow each other without a break as one.

    What began in the future, by a clock that was ahead, follows nothing.
    """
    patience = timedelta(days=rule.keep_firing_for_days)
    run: tuple[Condition, ...] = ()
    meant = (one for one in horizon.health if _is_meant(one, parameters))
    for one in sorted(meant, key=lambda c: (c.subject, c.name, c.since, c.uid)):
        if run and _follows(run[-1], one, patience) and not is_ahead(one.since, horizon.now):
            run = (*run, one)
            continue
        if run:
            yield run
        run = (one,)
    if run:
        yield run


def _is_meant(one: Condition, parameters: FeedParameters) -> bool:
    if one.state not in parameters.states:
        return False
    if one.subject == "actors" and one.until is not None:
        return False  # that a name has aged is no news; its alert closes in silence
    return not parameters.source or (one.subject == "source" and one.name in parameters.source)


def _follows(before: Condition, after: Condition, patience: timedelta) -> bool:
    same = (before.subject, before.name) == (after.subject, after.name)
    return same and (before.until is None or after.since - before.until <= patience)


def _day(one: Condition) -> date:
    return (one.until or one.since).astimezone(UTC).date()


def _facts(run: Sequence[Condition]) -> dict[str, Any]:
    last = run[-1]
    return {
        "kind": "feed",
        "subject": last.subject,
        "name": last.name,
        "source": last.name if last.subject == "source" else None,
        "state": last.state,
        "began_at": run[0].since.isoformat(),
        "over_at": None if last.until is None else last.until.isoformat(),
        "then": last.then,
        "detail": last.detail,
        "known_through": None if last.known_through is None else last.known_through.isoformat(),
        "count": last.count,
        "events": [],
        "datasets": [],
    }


KIND = Kind(
    name="feed",
    Parameters=FeedParameters,
    signals=signals,
    windowed=True,
    clocked="always",
    about_events=False,
    names=NAMES,
    reference=(
        "Warden's own health: no data is never no violence. `states` names how a source can be "
        "(`embargoed`, `auth_failed`, `consent_required`, `profile_incomplete`, `access_denied`, "
        "`blocked`, `truncated`, `schema_drift`, `stale`, `paused`, `unreachable`, `disabled`) "
        "and what else can go wrong: `dead_letter` (a recipient will not get a message), "
        "`template_fallback` (a message went out in the plain form), `reload_refused` (changed "
        "rules have faults), `backup_failed` (the nightly copy of the database could not be "
        "made), `rule_error` (a rule could not be evaluated), `unknown_actor` (new "
        "events name actors that are in no group; those of a week in one alert, without "
        "civilians, protesters, rioters and unidentified ones). Such a rule has no `where`, `by` "
        "or `groups`. `for` counts real time, since states have instants where events have only "
        "days: `30m`, `6h`, `2d`. Bad states of a source that follow each other are one alert, "
        "which resolves when it is read again, changes to a state that is not listed, or leaves "
        "the settings. A message about dead letters that is itself refused raises nothing. "
        "Severity steps can read `state`, `source`, `hours` (how long it has lasted) and `count` "
        "(of messages or names)."
    ),
    example="""\
rules:
- id: feed-unreadable
  title: A source cannot be read
  kind: feed
  states: [auth_failed, access_denied, unreachable]
  for: 6h
  severity:
  - {level: critical, when: "hours >= 72"}
  - warning
""",
)
