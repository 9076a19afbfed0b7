"""When something may be sent: time intervals in Alertmanager's words, and a digest's hours.

Standing in the flow: routes name intervals in which they keep silent or speak; `flush` asks at the
moment of sending. Everything is asked of an instant, as the clock on the wall of the interval's
zone shows it then: an hour that a change to summer time skips holds nothing, one that comes twice
holds twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60
WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
LOOK_AHEAD_DAYS = 800  # farther than any leap day that is not skipped in a century
_SUNDAY = 7  # in ISO's count

Range = tuple[int, int]
"""First and last, both included."""


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """Moments that satisfy every kind of range that is given; an empty kind asks nothing.

    Attributes:
        times: (first minute of the day, first minute after), 0 to 1,440.
        weekdays: 0 is Sunday, as in Alertmanager.
        days_of_month: 1 to 31, or -1 (the last day) to -31.
        months: 1 to 12. years: as they are.
        location: an IANA zone.
    """

    times: tuple[Range, ...] = ()
    weekdays: tuple[Range, ...] = ()
    days_of_month: tuple[Range, ...] = ()
    months: tuple[Range, ...] = ()
    years: tuple[Range, ...] = ()
    location: str = "UTC"

    def contains(self, instant: datetime) -> bool:
        """Whether the instant lies in it."""
        local = instant.astimezone(ZoneInfo(self.location))
        minute = local.hour * 60 + local.minute
        if self.times and not any(start <= minute < end for start, end in self.times):
            return False
        return self.has_day(local.date())

    def has_day(self, day: date) -> bool:
        """Whether the calendar allows a local day, whatever the hour."""
        return (
            _within(day.isoweekday() % _SUNDAY, self.weekdays)
            and _within(day.month, self.months)
            and _within(day.year, self.years)
            and (not self.days_of_month or any(_in_month(day, r) for r in self.days_of_month))
        )

    def edges(self, day: date) -> Iterator[datetime]:
        """The instants of a day, on the wall and in UTC, at which it may begin or end."""
        zone = ZoneInfo(self.location)
        midnight = datetime.combine(day, time(), tzinfo=zone)
        minutes = {0, *(minute for span in self.times for minute in span)}
        for minute in sorted(minutes):
            naive = midnight.replace(tzinfo=None) + timedelta(minutes=minute)
            for fold in (0, 1):
                yield naive.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        # A time that the clock skips is none of its own: the interval ends, or begins, at the jump.
        yield from _jumps(self.location, day)


@lru_cache(maxsize=4096)
def _jumps(location: str, day: date) -> tuple[datetime, ...]:
    """When the clock of a zone is set forward or back in a day of UTC; zones do so once at most."""
    zone, second = ZoneInfo(location), timedelta(seconds=1)
    before = datetime.combine(day, time(), tzinfo=UTC) - second
    after = before + timedelta(days=1)
    old = before.astimezone(zone).utcoffset()
    if after.astimezone(zone).utcoffset() == old:
        return ()
    while after - before > second:
        middle = before + (after - before) // (2 * second) * second
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return (after,)


def _within(value: int, ranges: Sequence[Range]) -> bool:
    return not ranges or any(first <= value <= last for first, last in ranges)


def _in_month(day: date, wanted: Range) -> bool:
    """Whether a day lies in a range of days of its month; negative ones count from its end."""
    length = days_in_month(day)
    first, last = (length + end + 1 if end < 0 else end for end in wanted)
    return first <= length and max(first, 1) <= day.day <= min(last, length)


def days_in_month(day: date) -> int:
    """How many days the month of a day has."""
    following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return (following - timedelta(days=1)).day


@dataclass(frozen=True, slots=True)
class NamedIntervals:
    """What `time_intervals` calls by one name: any of its intervals counts."""

    name: str
    intervals: tuple[TimeInterval, ...]

    def contains(self, instant: datetime) -> bool:
        """Whether the instant lies in any of them."""
        return any(interval.contains(instant) for interval in self.intervals)


@dataclass(frozen=True, slots=True)
class Hours:
    """When a route keeps silent: inside any `mute`, or outside every `active` where one is named.

    As in Alertmanager, what is muted is so even in active hours.
    """

    mute: tuple[NamedIntervals, ...] = ()
    active: tuple[NamedIntervals, ...] = ()

    def muted_by(self, instant: datetime) -> str:
        """The name of what keeps the route silent at an instant; "" when it may speak."""
        for named in self.mute:
            if named.contains(instant):
                return named.name
        if self.active and not any(named.contains(instant) for named in self.active):
            return "outside " + ", ".join(named.name for named in self.active)
        return ""

    def speaks_at(self, instant: datetime) -> datetime | None:
        """When it may speak next, the instant itself if then; None when not in two years."""
        return self._next(instant, muted=False)

    def mutes_at(self, instant: datetime) -> datetime | None:
        """When it keeps silent next, the instant itself if then; None when not in two years."""
        return self._next(instant, muted=True)

    def _next(self, instant: datetime, *, muted: bool) -> datetime | None:
        if bool(self.muted_by(instant)) is muted:
            return instant
        edges = self._edges(instant)
        return next((edge for edge in edges if bool(self.muted_by(edge)) is muted), None)

    def _edges(self, instant: datetime) -> Iterator[datetime]:
        """Every later instant at which something may change, in order."""
        intervals = [one for named in (*self.mute, *self.active) for one in named.intervals]
        today = instant.astimezone(UTC).date()
        for number in range(LOOK_AHEAD_DAYS):
            day = today + timedelta(days=number)
            # What is a day in UTC belongs to that day or a neighbour of it in any zone.
            local_days = [day + timedelta(days=more) for more in (-1, 0, 1)]
            edges = {edge for one in intervals for local in local_days for edge in one.edges(local)}
            yield from (edge for edge in sorted(edges) if edge > instant and edge.date() == day)


@dataclass(frozen=True, slots=True)
class Digest:
    """Once on each of these days at this hour, in the receiver's zone.

    Attributes:
        minute: of the day. weekdays: ranges, 0 is Sunday; none means every day.
    """

    minute: int
    weekdays: tuple[Range, ...] = ()

    def next_after(self, instant: datetime, zone: str) -> datetime:
        """The first hour of the digest after an instant.

        An hour that a change to summer time skips comes as much later as the clock jumps; of one
        that comes twice the first counts.
        """
        place = ZoneInfo(zone)
        day = instant.astimezone(place).date() - timedelta(days=1)
        while True:
            due = self._at(day, place)
            if due > instant and _within(day.isoweekday() % _SUNDAY, self.weekdays):
                return due
            day += timedelta(days=1)

    def _at(self, day: date, zone: ZoneInfo) -> datetime:
        naive = datetime.combine(day, time(self.minute // 60, self.minute % 60))
        return naive.replace(tzinfo=zone).astimezone(UTC)
