"""Who gets which notice: one dispatch for each receiver, planned, not yet stored.

Standing in the flow: `evaluate` calls this inside its transaction and stores the answer with the
decisions, so that what was decided and who is to hear of it are one commit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from warden.model.alert import Alert
from warden.model.delivery import Dispatch, WithheldReason
from warden.model.notice import Notice
from warden.model.rule import Rule
from warden.model.signal import Key
from warden.notify.collapse import closes
from warden.notify.routes import CYCLE, EACH, Receiver, Route, RouteMatch, Routing
from warden.notify.times import Digest

# These speak of what somebody was told; those that say that it is over, only to the told.
_ALSO_TO_THE_TOLD = ("update", "resolved", "cancel")
TOLD = "told"
"""The route of a dispatch that goes to somebody because of what he was told before."""


def labels_of(notice: Notice) -> dict[str, str]:
    """The labels that matchers see: the rule's own, its key, and what warden knows of it.

    A summary has those of the gravest alert it lists; all that it lists lead the same way.
    """
    listed = listed_labels(notice)
    if listed:
        return dict(listed[0])
    labels = dict(notice.labels)
    facts = notice.facts
    return _labels(labels, facts, notice.key, notice.rule_id, notice.severity, notice.action)


def listed_labels(notice: Notice) -> tuple[Mapping[str, str], ...]:
    """The labels of each alert that a summary lists; () for any other notice.

    Where it only counts some, last stand labels without a key or country, which those may have.
    """
    counted = {"kind": notice.facts.get("kind")}
    unlisted = int(notice.facts.get("total") or 0) > len(notice.items) > 0
    listed = tuple(
        _labels(
            dict(notice.labels),
            {"kind": notice.facts.get("kind"), "events": [item.get("event") or {}]},
            tuple((item.get("key") or {}).items()),
            str(item.get("rule_id") or notice.rule_id),
            str(item.get("severity") or notice.severity),
            notice.action,
        )
        for item in notice.items
    )
    if not unlisted:
        return listed
    own = dict(notice.labels)
    return (*listed, _labels(own, counted, (), notice.rule_id, notice.severity, notice.action))


def audience(routing: Routing, rule: Rule, alert: Alert) -> tuple[tuple[str, str], ...]:
    """Whom a summary of an alert would reach, and by which route: those whom the alert would."""
    facts = {"kind": rule.kind, "events": alert.facts.get("events")}
    labels = _labels(dict(rule.labels), facts, alert.key, rule.id, alert.severity, "summary")
    return tuple((match.receiver.name, match.route.path) for match in routing.receivers_for(labels))


def alert_labels(row: Mapping[str, Any]) -> dict[str, str]:
    """Those of an alert of the ledger, as they would be if it were told now."""
    return _labels(
        row["labels"], row["facts"], row["key"], row["rule_id"], row["severity"], "alert"
    )


def _labels(  # noqa: PLR0917  what labels are made of
    rules_own: Mapping[str, str],
    facts: Mapping[str, Any],
    key: Key,
    rule_id: str,
    severity: str,
    action: str,
) -> dict[str, str]:
    labels = dict(rules_own)
    events = facts.get("events") or ()
    labels["country"] = next((str(e["iso3"]) for e in events if e.get("iso3")), "")
    labels.update((name, str(value)) for name, value in key)
    labels["rule"] = rule_id
    labels["severity"] = severity
    labels["action"] = action
    labels["kind"] = str(facts.get("kind") or "")
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
            to_receiver(notice, name, routing, now) for name in sorted(told) if name not in named
        ]
    return found


def _withheld(notice: Notice, match: RouteMatch, told: Collection[str]) -> WithheldReason | None:
    if closes(notice) and match.receiver.name not in told:
        return "NEVER_TOLD"
    return None if match.receiver.targets else "NO_RECIPIENT"


def to_receiver(notice: Notice, name: str, routing: Routing, now: datetime) -> Dispatch:
    """One for somebody who gets it because of what he was told before, whatever the routes say.

    Where they do lead to him, it waits for their digest like anything else.
    """
    labels = labels_of(notice)
    bare = _bare(notice, name, TOLD, labels, now)
    receiver = routing.receivers.get(name)
    if receiver is None:
        return replace(bare, withheld="RECEIVER_REMOVED")
    route = next(iter(routing.routes_to(name, labels)), None)
    digest = None if route is None else route.digest_of(notice.severity)
    return bare if digest is None else _gathered(bare, digest, receiver, now)


def _dispatch(
    notice: Notice,
    match: RouteMatch,
    labels: Mapping[str, str],
    now: datetime,
    withheld: WithheldReason | None,
) -> Dispatch:
    route = match.route
    bare = _bare(notice, match.receiver.name, route.path, labels, now)
    digest = route.digest_of(notice.severity)
    if digest is not None:
        return replace(_gathered(bare, digest, match.receiver, now), withheld=withheld)
    return replace(
        bare,
        group_key=_group_key(route, notice, labels, now),
        due_at=now + timedelta(seconds=route.group_wait_s),
        withheld=withheld,
    )


def _gathered(bare: Dispatch, digest: Digest, receiver: Receiver, now: datetime) -> Dispatch:
    due_at = digest.next_after(now, receiver.time_zone)
    return replace(bare, group_key="digest", due_at=due_at, digest=True)


def _bare(
    notice: Notice, receiver: str, route: str, labels: Mapping[str, str], now: datetime
) -> Dispatch:
    return Dispatch(
        notice_id=notice.id,
        alert_id=notice.alert_id,
        action=notice.action,
        severity=notice.severity,
        receiver=receiver,
        route=route,
        group_key=_cycle_key(now),
        due_at=now,
        alert_ids=_alert_ids(notice),
        planned_at=now,
        labels=labels,
        closes=closes(notice),
    )


def _alert_ids(notice: Notice) -> tuple[str, ...]:
    listed = (str(item["alert_id"]) for item in notice.items if item.get("alert_id"))
    return tuple(dict.fromkeys((notice.alert_id, *listed)))


def _cycle_key(now: datetime) -> str:
    return f"cycle={now.isoformat()}"


def _group_key(route: Route, notice: Notice, labels: Mapping[str, str], now: datetime) -> str:
    """Notices of one receiver with the same key become one message."""
    parts = [_group_part(name, notice, labels, now) for name in route.group_by]
    if route.group_wait_s:
        parts.append(f"wait={route.group_wait_s:g}")
    if CYCLE not in route.group_by:
        parts.append(f"route={route.path}")
    return "|".join(parts)


def _group_part(name: str, notice: Notice, labels: Mapping[str, str], now: datetime) -> str:
    if name == CYCLE:
        return _cycle_key(now)
    return f"alert={notice.alert_id}" if name == EACH else f"{name}={labels.get(name, '')}"
