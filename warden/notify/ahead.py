"""What waits for an hour that only a clock that was ahead could name, and its hour by a right one.

Standing in the flow: `flushing` asks about everything that waits, before it decides.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from warden.clock import is_ahead
from warden.model.delivery import Dispatch
from warden.notify.routes import Route


def due_by_a_right_clock(
    one: Dispatch, route: Route | None, time_zone: str, now: datetime
) -> datetime:
    """When a dispatch is due; earlier than it says where a clock that was ahead put it off.

    It was put off so where it was planned in the future, or waits longer than its route has
    anything wait. `route` is the one in force that leads to its receiver, if any still does.
    """
    was_ahead = is_ahead(one.planned_at or now, now)
    if one.due_at <= now:
        return one.due_at
    digest = route.digest_of(one.severity) if route is not None and one.digest else None
    if digest is not None:
        return min(one.due_at, digest.next_after(now, time_zone))
    if route is None or one.digest:
        return now if was_ahead else one.due_at
    longest = now + timedelta(seconds=max(route.group_wait_s, route.group_interval_s))
    if not was_ahead and not is_ahead(one.due_at, longest):
        return one.due_at
    planned = min(one.planned_at or now, now)
    return min(one.due_at, planned + timedelta(seconds=route.group_wait_s))
