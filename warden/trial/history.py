"""Events with the instants between which each version of them was known.

Standing in the flow: a replay, a model or a rule test makes a `History`; a `Trial` asks it what was
known when.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

import numpy as np

from warden.engine.frame import BoolArray, Frame, IntArray, day_from_number
from warden.engine.geo.distance import distance_km
from warden.evaluate import MAX_SUCCESSORS, SUCCESSOR_DAYS, SUCCESSOR_KM

FOREVER = np.iinfo(np.int64).max
LONG_AGO = np.iinfo(np.int64).min
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LATITUDE_REACH = SUCCESSOR_KM / 110.5 * 1.1


def ticks(instant: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


@dataclass(frozen=True)
class History:
    """n versions of events.

    Attributes:
        frame: the versions in which an event was active, as columns; a uid stands there once for
            each of its versions.
        since, until: `ticks` between which a version was known: since <= t < until.
    """

    frame: Frame
    since: IntArray
    until: IntArray

    @classmethod
    def of(
        cls, frame: Frame, since: Sequence[int] | IntArray, until: Sequence[int] | None = None
    ) -> History:
        """Versions known from `since` until `until`; without it, for ever."""
        last = [FOREVER] * len(frame) if until is None else until
        return cls(frame, np.array(since, dtype=np.int64), np.array(last, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.frame)

    def known(self, at: int) -> BoolArray:
        """Which versions were known at an instant."""
        known: BoolArray = (self.since <= at) & (at < self.until)
        return known

    def datasets(self, at: int) -> frozenset[str]:
        """The datasets of which anything had been seen by an instant."""
        column = self.frame.coded["dataset"]
        return frozenset(column.values[code] for code in np.unique(column.codes[self.since <= at]))

    def starts(self, at: int) -> dict[str, date]:
        """For each dataset the oldest day of which an event was known at an instant."""
        found: dict[str, date] = {}
        for name, (since, until, oldest) in self._by_dataset.items():
            known = int(since.searchsorted(at, "right"))
            if not known:
                continue
            if until is None:  # nothing ever went
                found[name] = day_from_number(int(np.minimum.reduce(oldest[:known])))
            elif (left := at < until[:known]).any():
                found[name] = day_from_number(int(oldest[:known][left].min()))
        return found

    def standing(self, uid: str, at: int) -> int | None:
        """The row of an event as known at an instant; None when unknown or gone."""
        for row in self._rows_of.get(uid, ()):
            if self.since[row] <= at < self.until[row]:
                return row
        return None

    def successors(self, uid: str, at: int) -> list[int]:
        """Rows of events of the dataset within two days and 25 km of one that is gone."""
        rows = [row for row in self._rows_of.get(uid, ()) if self.since[row] <= at]
        if not rows:
            return []
        # Of versions that came in one page the last is how it stood when it went.
        gone = max(rows, key=lambda row: (int(self.since[row]), row))
        frame = self.frame
        codes, lats = frame.coded["dataset"].codes, frame.number["lat"]
        lat, lon = float(lats[gone]), float(frame.number["lon"][gone])
        near = np.flatnonzero(
            self.known(at)
            & (codes == codes[gone])
            & (np.abs(frame.day - frame.day[gone]) <= SUCCESSOR_DAYS)
            & (np.abs(lats - lat) <= _LATITUDE_REACH)
        )
        by_distance = sorted(
            (km, str(frame.uid[row]), row)
            for row in near.tolist()
            if frame.uid[row] != uid
            and (km := distance_km(lat, lon, float(lats[row]), float(frame.number["lon"][row])))
            <= SUCCESSOR_KM
        )
        return [row for _, _, row in by_distance[:MAX_SUCCESSORS]]

    def span(self) -> tuple[date, date] | None:
        """The first and last event date; None without events."""
        if not len(self):
            return None
        return day_from_number(int(self.frame.day.min())), day_from_number(
            int(self.frame.day.max())
        )

    @cached_property
    def _by_dataset(self) -> dict[str, tuple[IntArray, IntArray | None, IntArray]]:
        """Of each dataset since, until (None where nothing ever went) and day, as it came in."""
        column = self.frame.coded["dataset"]
        found = {}
        for code, name in enumerate(column.values):
            rows = np.flatnonzero(column.codes == code)
            rows = rows[np.argsort(self.since[rows], kind="stable")]
            until = self.until[rows]
            gone = None if (until == FOREVER).all() else until
            found[name] = (self.since[rows], gone, self.frame.day[rows])
        return found

    @cached_property
    def _rows_of(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for row, uid in enumerate(self.frame.uid.tolist()):
            found[uid].append(row)
        return dict(found)


def midnight(day: date) -> datetime:
    """00:00 UTC of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def midnight_ticks(days: IntArray) -> IntArray:
    """`ticks` of 00:00 UTC of days since 1970-01-01."""
    return days * (24 * 3600 * 1_000_000)
