"""What waits, and what becomes of it now: sent, held back with a reason, or withheld for good.

Standing in the flow: `deliver.flush` reads the outbox into a `Situation`, `plan_flush` decides,
and `flush` commits what was decided before anything is rendered. Nothing here touches a database
or a clock. The order is that of docs/alerts.md: inhibition, mute times, silences, review, digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from warden.clock import is_ahead
from warden.model.delivery import Dispatch, Hold, WithheldReason
from warden.model.people import Silence
from warden.model.rule import level_rank
from warden.notify.ahead import due_by_a_right_clock
from warden.notify.inhibition import Inhibitor, Source
from warden.notify.routes import Route, Routing
from warden.notify.silences import silencing

Talk = tuple[str, str]
"""(alert, receiver): what is told to one about one thing, in order."""
GroupKey = tuple[str, str]
"""(receiver, group key): what becomes one message."""
_SILENT_STATES = frozenset({"closed", "cancelled"})
_LATE = frozenset(
    {"SILENCED", "INHIBITED"}
)  # what comes free at any hour waits for the next digest


@dataclass(frozen=True, slots=True)
class End:
    """An alert that is no longer active: since when, and in which state of the ledger."""

    at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that a flush decides on.

    Attributes:
        waiting: all dispatches neither in a message nor withheld, oldest first.
        heard: who has a message about which alert.
        ends: of the waiting dispatches' alerts, those that are over.
        acknowledged: of the waiting dispatches' alerts, those that somebody has taken on.
        silences: those that hold now.
        sources: active told alerts that may inhibit others; see `inhibition`.
        sent_at: when groups last became a message.
    """

    now: datetime
    routing: Routing
    waiting: Sequence[Dispatch]
    heard: AbstractSet[Talk] = frozenset()
    ends: Mapping[str, End] = field(default_factory=dict)
    acknowledged: AbstractSet[str] = frozenset()
    silences: Sequence[Silence] = ()
    sources: Sequence[Source] = ()
    sent_at: Mapping[GroupKey, datetime] = field(default_factory=dict)


@dataclass(slots=True)
class FlushPlan:
    """What a flush does.

    Attributes:
        withheld: why a dispatch will never be sent. superseded: by which other it is stood for.
        holds: what a dispatch waits for from now on; None when it waits no longer.
        due_at: later hours, for a group's interval or a digest.
        timed: the groups that wait their interval after a message.
        ready: the messages to make, the gravest first; one alert's keep their order.
    """

    withheld: dict[int, WithheldReason] = field(default_factory=dict)
    superseded: dict[int, int] = field(default_factory=dict)
    holds: dict[int, Hold | None] = field(default_factory=dict)
    due_at: dict[int, datetime] = field(default_factory=dict)
    timed: set[GroupKey] = field(default_factory=set)
    ready: list[list[Dispatch]] = field(default_factory=list)


def plan_flush(situation: Situation) -> FlushPlan:
    """Decide about everything that waits."""
    return _Planner(situation).plan()


class _Planner:
    """One flush in the making."""

    def __init__(self, situation: Situation) -> None:
        self._now = situation.now
        self._routes: dict[int, list[Route]] = {}
        self._stops: dict[int, Hold | None] = {}
        self._free: set[int] = set()
        self._plan = FlushPlan()
        self._is = situation
        waiting = [self._by_a_right_clock(one) for one in situation.waiting]
        self._is = replace(situation, waiting=waiting)

    def plan(self) -> FlushPlan:
        """Every dispatch in its place."""
        waiting = [one for one in self._is.waiting if self._reachable(one) and self._needed(one)]
        self._find_free(waiting)
        ready: list[Dispatch] = []
        for talk, told in _by_talk(waiting).items():
            ready += self._settle(talk, told)
        ready = [one for one in map(self._still_standing, ready) if one is not None]
        self._plan.ready = self._messages(sorted(ready, key=lambda one: one.id))
        for number in self._plan.withheld:  # what is withheld for good waits for nothing
            self._plan.holds.pop(number, None)
        return self._plan

    def _by_a_right_clock(self, one: Dispatch) -> Dispatch:
        """The dispatch, due at its hour also where a clock that was ahead named another."""
        if one.due_at <= self._now:
            return one
        receiver = self._is.routing.receivers.get(one.receiver)
        zone = receiver.time_zone if receiver is not None else "UTC"
        due_at = due_by_a_right_clock(one, self._first_route(one), zone, self._now)
        if due_at == one.due_at:
            return one
        self._plan.due_at[one.id] = due_at
        return replace(one, due_at=due_at)

    # --- who is there to read it --------------------------------------------------------------

    def _reachable(self, one: Dispatch) -> bool:
        receiver = self._is.routing.receivers.get(one.receiver)
        if receiver is None:
            self._plan.withheld[one.id] = "RECEIVER_REMOVED"
        elif not receiver.targets:
            self._plan.withheld[one.id] = "NO_RECIPIENT"
        return receiver is not None and bool(receiver.targets)

    def _needed(self, one: Dispatch) -> bool:
        """Whether it still has to be said: who has taken an alert on need not be reminded."""
        if one.action == "reminder" and one.alert_id in self._is.acknowledged:
            self._plan.withheld[one.id] = "ACKNOWLEDGED"
            return False
        return True

    # --- what may go now ----------------------------------------------------------------------

    def _find_free(self, waiting: Sequence[Dispatch]) -> None:
        """Name what is due and held by nothing, and note what holds the rest."""
        due = self._due_groups(waiting)
        for one in waiting:
            is_due = one.due_at <= self._now or (not one.digest and _group(one) in due)
            blocked = self._interval_ends(one) if is_due and not one.digest else None
            if blocked is not None:
                self._plan.due_at[one.id] = max(blocked, one.due_at)
                is_due = False
            stop = self._stop(one)
            if stop is not None and not (is_due or stop.reason == "REVIEW" or one.hold):
                stop = None  # it is asked again when it is due
            self._note_hold(one, stop)
            if is_due and stop is None and not self._missed_its_digest(one):
                self._free.add(one.id)

    def _due_groups(self, waiting: Iterable[Dispatch]) -> set[GroupKey]:
        """Groups that have waited long enough; what is held back counts for none of that."""
        return {
            _group(one)
            for one in waiting
            if not one.digest and one.due_at <= self._now and self._stop(one) is None
        }

    def _interval_ends(self, one: Dispatch) -> datetime | None:
        """When the group may speak again, None when it may now."""
        route = self._first_route(one)
        if route is None or not route.group_interval_s:
            return None
        self._plan.timed.add(_group(one))
        sent_at = self._is.sent_at.get(_group(one))
        if sent_at is None or is_ahead(sent_at, self._now):
            return None
        over = sent_at + timedelta(seconds=route.group_interval_s)
        return over if over > self._now else None

    def _missed_its_digest(self, one: Dispatch) -> bool:
        """Let what comes free between two digests wait for the next one."""
        if not one.digest or one.hold is None or one.hold.reason not in _LATE:
            return False
        route = self._first_route(one)
        digest = route.digest_of(one.severity) if route is not None else None
        if digest is None:
            return False
        zone = self._is.routing.receivers[one.receiver].time_zone
        self._plan.due_at[one.id] = digest.next_after(self._now, zone)
        return True

    def _note_hold(self, one: Dispatch, stop: Hold | None) -> None:
        before = one.hold
        if stop is None and before is not None:
            self._plan.holds[one.id] = None
        elif stop is not None and (
            before is None or (before.reason, before.detail) != (stop.reason, stop.detail)
        ):
            self._plan.holds[one.id] = replace(stop, since=self._now)

    # --- the stages, in their order -----------------------------------------------------------

    def _stop(self, one: Dispatch) -> Hold | None:
        if one.id not in self._stops:
            inhibited = self._inhibited(one)
            self._stops[one.id] = inhibited or self._stop_but_inhibition(one)
        return self._stops[one.id]

    def _stop_but_inhibition(self, one: Dispatch) -> Hold | None:
        if self._passes(one):
            return None
        return self._muted(one) or self._silenced(one) or self._in_review(one)

    def _passes(self, one: Dispatch) -> bool:
        """Ends and withdrawals go to those who were told, whatever holds the rest back."""
        return one.closes and self._heard(one)

    def _inhibited(self, one: Dispatch) -> Hold | None:
        if not self._is.routing.inhibit_rules or self._passes(one):
            return None
        inhibitor = self._inhibitor
        sources = [inhibitor.by(one.alert_id, labels) for labels in one.listed or (one.labels,)]
        return Hold("INHIBITED", f"alert {sources[0]}") if all(sources) else None

    @cached_property
    def _inhibitor(self) -> Inhibitor:
        speaking = {
            one.alert_id
            for one in self._is.waiting
            if self._stop_but_inhibition(one) is None
            and not (one.digest and one.due_at > self._now)
        }
        sources = [
            source for source in self._is.sources if source.told or source.alert_id in speaking
        ]
        return Inhibitor(self._is.routing.inhibit_rules, sources)

    def _muted(self, one: Dispatch) -> Hold | None:
        routes = self._routes_of(one)
        names = [route.hours.muted_by(self._now) for route in routes]
        if not names or not all(names):
            return None
        if one.hold is not None and one.hold.reason == "MUTED" and one.hold.detail == names[0]:
            return one.hold
        until = [route.hours.speaks_at(self._now) for route in routes]
        known = [moment for moment in until if moment is not None]
        return Hold("MUTED", names[0], until=min(known, default=None))

    def _silenced(self, one: Dispatch) -> Hold | None:
        found = [silencing(self._is.silences, labels) for labels in one.listed or (one.labels,)]
        silence = found[0]
        if silence is None or None in found:  # a summary is held only if all that it lists is
            return None
        detail = f"silence {silence.id} by {silence.who}: {silence.comment}"
        return Hold("SILENCED", detail, until=silence.over_at)

    def _in_review(self, one: Dispatch) -> Hold | None:
        if one.released_at is not None:
            return None
        receiver = self._is.routing.receivers.get(one.receiver)
        asked = receiver is not None and receiver.review
        if asked or any(route.review for route in self._routes_of(one)[:1]):
            return Hold("REVIEW", f"warden release {one.id}")
        return None

    def _routes_of(self, one: Dispatch) -> list[Route]:
        """The routes in force that lead such a notice to its receiver; none after some reloads."""
        if one.id not in self._routes:
            self._routes[one.id] = self._is.routing.routes_to(one.receiver, one.labels)
        return self._routes[one.id]

    def _first_route(self, one: Dispatch) -> Route | None:
        """The one of them that says how it is gathered."""
        return next(iter(self._routes_of(one)), None)

    # --- one alert and one receiver -----------------------------------------------------------

    def _heard(self, one: Dispatch) -> bool:
        return (one.alert_id, one.receiver) in self._is.heard

    def _settle(self, talk: Talk, waiting: Sequence[Dispatch]) -> list[Dispatch]:
        """What of it goes now; what the rest comes to."""
        heard = talk in self._is.heard
        tellings = [one for one in waiting if not one.closes]
        newest = tellings[-1] if tellings else None
        ending = next((one for one in reversed(waiting) if one.closes), None)
        if ending is not None and newest is not None and ending.id < newest.id:
            ending = None  # it came back
        if newest is None and ending is None:
            return []
        if newest is None:
            return self._only_ended(waiting, heard=heard)
        if not heard and self._over_unheard(tellings, ending):
            self._withhold_all(tellings, waiting)
            return []
        if heard and ending is not None and ending.id in self._free:
            return [self._stand_for(ending, waiting)]
        if heard and self._held(tellings) and self._ended_since(tellings):
            self._withhold_all(tellings, ())
            return [one for one in waiting if one.closes and one.id in self._free]
        return self._tell(waiting, tellings, ending, heard=heard)

    def _tell(
        self,
        waiting: Sequence[Dispatch],
        tellings: Sequence[Dispatch],
        ending: Dispatch | None,
        *,
        heard: bool,
    ) -> list[Dispatch]:
        free = [one for one in tellings if one.id in self._free]
        if not free:
            self._forget_ends_before(tellings[-1], waiting)
            last = [
                one
                for one in waiting
                if one.closes and one.id in self._free and heard and one.id > tellings[-1].id
            ]
            return [self._stand_for(last[-1], waiting)] if last else []
        told = free[-1]
        if not heard and told.digest and ending is not None and told is tellings[-1]:
            return [self._stand_for(told, waiting, also=ending)]
        together = ending is not None and ending.id in self._free and _group(ending) == _group(told)
        carrier = self._stand_for(told, waiting)
        return [carrier, ending] if together and ending is not None else [carrier]

    def _forget_ends_before(self, telling: Dispatch, waiting: Iterable[Dispatch]) -> None:
        """That it was over is not said any more of what is back, though that has to wait."""
        for one in waiting:
            if one.closes and one.id < telling.id:
                self._plan.withheld[one.id] = "SUPERSEDED"
                self._plan.superseded[one.id] = telling.id

    def _only_ended(self, waiting: Sequence[Dispatch], *, heard: bool) -> list[Dispatch]:
        """Its end is all there is to say."""
        last = waiting[-1]
        if heard:
            return [self._stand_for(last, waiting)] if last.id in self._free else []
        listed = any(
            last.alert_id in other.alert_ids and other.receiver == last.receiver
            for other in self._summaries
        )
        if not listed:
            self._plan.withheld.update((one.id, "NEVER_TOLD") for one in waiting)
        return []

    def _still_standing(self, one: Dispatch) -> Dispatch | None:
        """A summary without the alerts that are over by now, whose ends it stands for."""
        listed = set(one.alert_ids) - {one.alert_id}
        ends = [
            other
            for other in self._is.waiting
            if other.closes
            and other.alert_id in listed
            and other.receiver == one.receiver
            and other.id > one.id
            and not self._heard(other)
            and other.id not in self._plan.withheld
        ]
        if not ends:
            return one
        if listed <= {other.alert_id for other in ends} and len(one.listed) <= len(listed):
            self._plan.withheld[one.id] = "CLOSED"
            self._plan.withheld.update((other.id, "NEVER_TOLD") for other in ends)
            return None
        for other in ends:
            self._plan.withheld[other.id] = "SUPERSEDED"
            self._plan.superseded[other.id] = one.id
        return replace(one, replaces=(*one.replaces, *(other.notice_id for other in ends)))

    @cached_property
    def _summaries(self) -> list[Dispatch]:
        """Waiting dispatches that speak of more than one alert."""
        return [one for one in self._is.waiting if len(one.alert_ids) > 1]

    def _over_unheard(self, tellings: Sequence[Dispatch], ending: Dispatch | None) -> bool:
        """Whether it ended while it was held back, so that there is nothing left to say."""
        closed = self._ended_since(tellings)
        if self._held(tellings):
            return ending is not None or closed
        # In a digest what ended is listed as such, but for what another alert stands for now.
        end = self._is.ends.get(tellings[-1].alert_id)
        return tellings[-1].digest and closed and end is not None and end.state in _SILENT_STATES

    def _held(self, tellings: Iterable[Dispatch]) -> bool:
        return all(one.hold is not None or self._stop(one) is not None for one in tellings)

    def _ended_since(self, tellings: Sequence[Dispatch]) -> bool:
        """Whether the ledger says that the alert is over, and was not when it was to be told."""
        end = self._is.ends.get(tellings[-1].alert_id)
        if end is None:
            return False
        first = _first(tellings)
        planned_ahead = is_ahead(first, self._now) and not is_ahead(end.at, self._now)
        return end.at > first or planned_ahead

    def _withhold_all(self, tellings: Sequence[Dispatch], waiting: Iterable[Dispatch]) -> None:
        for one in tellings:
            hold = one.hold or self._stop(one)
            self._plan.withheld[one.id] = hold.reason if hold is not None else "CLOSED"
        for one in waiting:
            if one.closes:
                self._plan.withheld[one.id] = "NEVER_TOLD"

    def _stand_for(
        self, carrier: Dispatch, waiting: Iterable[Dispatch], *, also: Dispatch | None = None
    ) -> Dispatch:
        """The carrier, with all that came before it and waits, which it replaces."""
        older = [one for one in waiting if one.id < carrier.id]
        if also is not None:
            older.append(also)
        replaces: list[str] = list(carrier.replaces)
        since: list[Hold] = [one.hold for one in (*older, carrier) if one.hold is not None]
        for one in older:
            self._plan.withheld[one.id] = "SUPERSEDED"
            self._plan.superseded[one.id] = carrier.id
            replaces += [*one.replaces, one.notice_id]
        return replace(carrier, replaces=tuple(replaces), hold=since[0] if since else None)

    # --- messages -----------------------------------------------------------------------------

    def _messages(self, ready: Iterable[Dispatch]) -> list[list[Dispatch]]:
        groups: dict[tuple[str, str, str], list[Dispatch]] = {}
        for one in ready:
            receiver = self._is.routing.receivers[one.receiver]
            alone = one.notice_id if receiver.single else ""
            key = "digest" if one.digest else one.group_key
            groups.setdefault((one.receiver, key, alone), []).append(one)
        return _gravest_first(list(groups.values()))


def _by_talk(waiting: Iterable[Dispatch]) -> dict[Talk, list[Dispatch]]:
    found: dict[Talk, list[Dispatch]] = {}
    for one in waiting:
        found.setdefault((one.alert_id, one.receiver), []).append(one)
    return found


def _group(one: Dispatch) -> GroupKey:
    return one.receiver, one.group_key


def _first(waiting: Sequence[Dispatch]) -> datetime:
    return min(one.planned_at or one.due_at for one in waiting)


def _gravest_first(groups: Sequence[list[Dispatch]]) -> list[list[Dispatch]]:
    """In order of severity, but never before another message to the same about the same alert."""
    reached: dict[Talk, int] = {}
    order: list[tuple[int, int]] = []
    for place, group in enumerate(groups):
        talks = [
            (alert, one.receiver) for one in group for alert in (one.alert_ids or (one.alert_id,))
        ]
        rank = max(
            -max(level_rank(one.severity) for one in group), *(reached.get(t, -9) for t in talks)
        )
        reached.update((talk, rank) for talk in talks)
        order.append((rank, place))
    return [groups[place] for _, place in sorted(order)]
