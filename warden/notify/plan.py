"""Who gets which notice: one dispatch for each receiver, planned, not yet stored.

Standing in the flow: `evaluate` calls this inside its transaction and stores the answer with the
decisions, so that what was decided and who is to hear of it are one commit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from warden.model.delivery import Dispatch, WithheldReason
from warden.model.notice import Notice
from warden.notify.routes import CYCLE, Route, RouteMatch, Routing

# These speak of what somebody was told; to anyone else they would be noise.
_ONLY_TO_THE_TOLD = ("resolved", "cancel")
_ALSO_TO_THE_TOLD = ("update", *_ONLY_TO_THE_TOLD)


def labels_of(notice: Notice) -> dict[str, str]:
    """The labels that matchers see: the rule's own, its key, and what warden knows of it."""
    labels = dict(notice.labels)
    events = notice.facts.get("events") or ()
    labels["country"] = next((str(e["iso3"]) for e in events if e.get("iso3")), "")
    labels.update((name, str(value)) for name, value in notice.key)
    labels["rule"] = notice.rule_id
    labels["severity"] = notice.severity
    labels["action"] = notice.action
    labels["kind"] = str(notice.facts.get("kind") or "")
    return {name: value for name, value in labels.items() if value}


def dispatches(
    notices: Iterable[Notice],
    routing: Routing,
    now: datetime,
    previously_told: Mapping[str, Collection[str]],
) -> list[Dispatch]:
    """One dispatch for each notice and receiver, most important notices first as they came.

    `previously_told` gives, for an alert's id, the receivers who have a dispatch about it (see
    `outbox.told`): updates, ends and withdrawals go to them wherever the routes lead by now, and
    ends and withdrawals to nobody else. A notice that nobody is to get yields none, or dispatches
    withheld with the reason.
    """
    planned: list[Dispatch] = []
    for notice in notices:
        told = previously_told.get(notice.alert_id, ())
        planned += _of_notice(notice, routing, now, told)
    return planned


def _of_notice(
    notice: Notice, routing: Routing, now: datetime, told: Collection[str]
) -> list[Dispatch]:
    labels = labels_of(notice)
    found = [
        _dispatch(notice, match, labels, now, _withheld(notice, match, told))
        for match in routing.receivers_for(labels)
    ]
    if notice.action in _ALSO_TO_THE_TOLD:
        named = {dispatch.receiver for dispatch in found}
        found += [
            _to_told(notice, name, routing, now) for name in sorted(told) if name not in named
        ]
    return found


def _withheld(notice: Notice, match: RouteMatch, told: Collection[str]) -> WithheldReason | None:
    if notice.action in _ONLY_TO_THE_TOLD and match.receiver.name not in told:
        return "NEVER_TOLD"
    return None if match.receiver.targets else "NO_RECIPIENT"


def _to_told(notice: Notice, name: str, routing: Routing, now: datetime) -> Dispatch:
    gone = name not in routing.receivers
    return Dispatch(
        notice_id=notice.id,
        alert_id=notice.alert_id,
        action=notice.action,
        severity=notice.severity,
        receiver=name,
        route="told",
        group_key=_cycle_key(now),
        due_at=now,
        alert_ids=_alert_ids(notice),
        planned_at=now,
        withheld="RECEIVER_REMOVED" if gone else None,
    )


def _dispatch(
    notice: Notice,
    match: RouteMatch,
    labels: Mapping[str, str],
    now: datetime,
    withheld: WithheldReason | None,
) -> Dispatch:
    return Dispatch(
        notice_id=notice.id,
        alert_id=notice.alert_id,
        action=notice.action,
        severity=notice.severity,
        receiver=match.receiver.name,
        route=match.route.path,
        group_key=_group_key(match.route, labels, now),
        due_at=now + timedelta(seconds=match.route.group_wait_s),
        alert_ids=_alert_ids(notice),
        planned_at=now,
        withheld=withheld,
    )


def _alert_ids(notice: Notice) -> tuple[str, ...]:
    listed = (str(item["alert_id"]) for item in notice.items if item.get("alert_id"))
    return tuple(dict.fromkeys((notice.alert_id, *listed)))


def _cycle_key(now: datetime) -> str:
    return f"cycle={now.isoformat()}"


def _group_key(route: Route, labels: Mapping[str, str], now: datetime) -> str:
    """Notices of one receiver with the same key become one message."""
    parts = [
        _cycle_key(now) if name == CYCLE else f"{name}={labels.get(name, '')}"
        for name in route.group_by
    ]
    if route.group_wait_s:
        parts.append(f"wait={route.group_wait_s:g}")
    if CYCLE not in route.group_by:
        parts.append(f"route={route.path}")
    return "|".join(parts)
