"""What cannot go where it was meant to goes where the routes lead now.

Standing in the flow: routes are edited while something waits. `composing` asks about dispatches,
`sending` about deliveries, each inside its own transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from warden.deliver.addressing import delivery_to
from warden.model.delivery import Delivery, Dispatch
from warden.model.notice import Notice
from warden.notify import plan
from warden.notify.routes import Routing
from warden.store import ledger, messages, outbox
from warden.store.connection import Transaction

GONE = "RECEIVER_REMOVED: no longer in the routes"


def is_reachable(one: Dispatch, routing: Routing) -> bool:
    """Whether its receiver is still there, with somebody to read it."""
    receiver = routing.receivers.get(one.receiver)
    return receiver is not None and bool(receiver.targets)


def lead_elsewhere(
    tx: Transaction, waiting: Sequence[Dispatch], routing: Routing, now: datetime
) -> bool:
    """Plan anew what waits for a receiver who is gone; whether there was anything.

    What a receiver gets only since he was told before (route "told") leads nowhere else: the
    routes named whoever else is to get that when it was decided.
    """
    lost = [one for one in waiting if one.route != plan.TOLD and not is_reachable(one, routing)]
    if not lost or routing.root is None:
        return False
    notices = {one.id: one for one in ledger.load_notices(tx, ids={d.notice_id for d in lost})}
    told = {name: set(who) for name, who in outbox.told(tx, {d.alert_id for d in lost}).items()}
    for one in lost:
        if one.notice_id in notices:
            planned = [
                replace(other, planned_at=one.planned_at)
                for other in plan.dispatches([notices[one.notice_id]], routing, now, told)
            ]
            _store(tx, planned)
            told.setdefault(one.alert_id, set()).update(
                other.receiver for other in planned if other.withheld is None
            )
    return True


def lead_delivery_elsewhere(
    tx: Transaction, delivery: Delivery, routing: Routing, now: datetime, mail_domain: str
) -> None:
    """Give up a delivery whose recipient is gone, and have others take its place.

    Where the receiver has other addresses by now, they get the message that has failed so far;
    where the receiver is gone, what it told is planned anew, unless somebody has it.
    """
    outbox.expire(tx, [delivery.id], GONE, now)
    told = messages.notices_of_message(tx, delivery.message_id)
    if not told:  # an exercise
        return
    receiver = routing.receivers.get(delivery.receiver)
    if receiver is not None:
        there = messages.recipients_of(tx, delivery.message_id)
        formats = messages.formats_of(tx, delivery.message_id)
        alerts = messages.alerts_of_message(tx, delivery.message_id)
        made = [
            delivery_to(tx, delivery.message_id, receiver, target, mail_domain, alerts)
            for target in receiver.targets
            if (target.channel, target.name) not in there and target.format in formats
        ]
        outbox.add_deliveries(tx, made, now)
    elif routing.root is not None and not messages.was_accepted(tx, delivery.message_id):
        _plan_anew(tx, ledger.load_notices(tx, ids=told), routing, now)


def _plan_anew(tx: Transaction, notices: Sequence[Notice], routing: Routing, now: datetime) -> None:
    told = outbox.told(tx, [one.alert_id for one in notices])
    _store(tx, plan.dispatches(notices, routing, now, told))


def _store(tx: Transaction, planned: Sequence[Dispatch]) -> None:
    """Keep them; who was removed and is back gets what was withheld for that."""
    outbox.add_dispatches(tx, planned)
    outbox.wait_again(tx, planned)
