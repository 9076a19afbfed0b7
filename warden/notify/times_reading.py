"""`time_intervals:` and `digest:` of `routes.yaml` into values, every fault at its place.

Standing in the flow: a part of `routing.parse_routes`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import available_timezones

from warden.model.located import Node, did_you_mean, shown
from warden.notify.reading import Reader
from warden.notify.times import (
    DAY_MINUTES,
    MONTHS,
    WEEKDAYS,
    Digest,
    Hours,
    NamedIntervals,
    Range,
    TimeInterval,
)

_CLOCK = re.compile(r"(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)\Z")
_INTERVAL_KEYS = ("times", "weekdays", "days_of_month", "months", "years", "location")
_MAX_DAY = 31
_SHORTEST_MONTH = 28
_MAX_YEAR = 9999
_SHORT = 3  # letters of a short weekday: mon

Intervals = Mapping[str, NamedIntervals]


def read_time_intervals(sections: Sequence[Node], reader: Reader) -> dict[str, NamedIntervals]:
    """The named intervals of all files."""
    found: dict[str, NamedIntervals] = {}
    places: dict[str, str] = {}
    for section in sections:
        for node in reader.items(section, "time_intervals"):
            named = _named(node, reader)
            if named is None:
                continue
            if named.name in found:
                reader.faults.error(
                    node,
                    "WR005",
                    f"time interval '{named.name}' is defined already in {places[named.name]}",
                )
                continue
            found[named.name] = named
            places[named.name] = node.place
    return found


def _named(node: Node, reader: Reader) -> NamedIntervals | None:
    keys = reader.mapping(
        node, "a time interval", ("name", "time_intervals"), required=("name", "time_intervals")
    )
    if keys is None or len(keys) < 2:  # noqa: PLR2004  both are needed
        return None
    name = reader.text(keys["name"], "name")
    items = reader.items(keys["time_intervals"], "time_intervals")
    read = tuple(_interval(item, reader) for item in items)
    kept = tuple(interval for interval in read if interval is not None)
    return NamedIntervals(name, kept) if name is not None else None


def _interval(node: Node, reader: Reader) -> TimeInterval | None:
    keys = reader.mapping(node, "an interval", _INTERVAL_KEYS)
    if keys is None:
        return None
    if not keys:
        reader.faults.error(
            node, "WR014", f"an empty interval is always: say {', '.join(_INTERVAL_KEYS[:-1])}"
        )
        return None

    def ranges(key: str, read: Callable[[Node, Reader], Range | None]) -> tuple[Range, ...]:
        if key not in keys:
            return ()
        found = (read(item, reader) for item in reader.one_or_more(keys[key], key))
        return tuple(one for one in found if one is not None)

    interval = TimeInterval(
        ranges("times", _times),
        ranges("weekdays", _weekdays),
        ranges("days_of_month", _days_of_month),
        ranges("months", _months),
        ranges("years", _years),
        _location(keys.get("location"), reader),
    )
    if not _ever_holds(interval):
        reader.faults.error(node, "WR085", "this interval never holds: no day is in all of it")
    return interval


def _ever_holds(interval: TimeInterval) -> bool:
    """Whether some day of the next forty years, or of the years named, is allowed."""
    years = interval.years or ((2000, 2039),)
    return any(
        interval.has_day(date(year, month, day))
        for first, last in years
        for year in range(first, min(last, first + 40) + 1)
        for month in range(1, 13)
        for day in range(1, _length(year, month) + 1)
    )


def _length(year: int, month: int) -> int:
    following = (year + 1, 1) if month == 12 else (year, month + 1)  # noqa: PLR2004  December
    if following[0] > _MAX_YEAR:
        return _MAX_DAY
    return (date(*following, 1) - date(year, month, 1)).days


def _times(node: Node, reader: Reader) -> Range | None:
    keys = reader.mapping(
        node, "times", ("start_time", "end_time"), required=("start_time", "end_time")
    )
    if keys is None or len(keys) < 2:  # noqa: PLR2004  both are needed
        return None
    start, end = (read_clock(keys[key], key, reader) for key in ("start_time", "end_time"))
    if start is None or end is None:
        return None
    if start >= end:
        reader.faults.error(
            keys["end_time"],
            "WR084",
            "end_time must be later than start_time; for a night write two times: "
            f"{_clock(start)} to 24:00, and 00:00 to {_clock(end)}",
        )
        return None
    return start, end


def read_clock(node: Node, what: str, reader: Reader) -> int | None:
    """`06:30` in minutes of the day."""
    text = reader.text(node, what)
    if text is None:
        return None
    written = _CLOCK.match(text)
    if written is None:
        reader.faults.error(
            node, "WR084", f"{what} must be a time of day such as '06:30', not {shown(text)}"
        )
        return None
    return DAY_MINUTES if written[1] is None else int(written[1]) * 60 + int(written[2])


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _weekdays(node: Node, reader: Reader) -> Range | None:
    found = _span(node, "a weekday", ":", _weekday, reader)
    if found is not None and found[0] > found[1]:
        reader.faults.error(
            node, "WR084", "weekdays run from sunday to saturday; write two, such as "
            "[saturday, sunday]",
        )  # fmt: skip
        return None
    return found


def _weekday(text: str) -> int | None:
    return WEEKDAYS.index(text.lower()) if text.lower() in WEEKDAYS else None


def _days_of_month(node: Node, reader: Reader) -> Range | None:
    def day(text: str) -> int | None:
        number = _integer(text)
        return number if number is not None and 1 <= abs(number) <= _MAX_DAY else None

    found = _span(node, "a day of the month (1 to 31, or -1 for the last)", ":", day, reader)
    if found is None:
        return None
    first, last = found
    if first < 0 < last:
        reader.faults.error(node, "WR084", "counted from the month's end, the last day is too")
        return None
    earliest, latest = (_SHORTEST_MONTH + end if end < 0 else end for end in found)
    if earliest > latest:
        reader.faults.error(node, "WR084", f"day {last} comes before day {first}")
        return None
    return found


def _months(node: Node, reader: Reader) -> Range | None:
    def month(text: str) -> int | None:
        if text.lower() in MONTHS:
            return MONTHS.index(text.lower()) + 1
        number = _integer(text)
        return number if number is not None and 1 <= number <= len(MONTHS) else None

    return _rising(node, _span(node, "a month", ":", month, reader), reader)


def _years(node: Node, reader: Reader) -> Range | None:
    def year(text: str) -> int | None:
        number = _integer(text)
        return number if number is not None and 1 <= number <= _MAX_YEAR else None

    return _rising(node, _span(node, "a year", ":", year, reader), reader)


def _rising(node: Node, found: Range | None, reader: Reader) -> Range | None:
    if found is not None and found[0] > found[1]:
        reader.faults.error(node, "WR084", f"{shown(node.text)} ends before it begins")
        return None
    return found


def _span(
    node: Node, what: str, mark: str, read: Callable[[str], int | None], reader: Reader
) -> Range | None:
    """`one` or `first:last`."""
    text = reader.text(node, what)
    if text is None:
        return None
    ends = [read(part.strip()) for part in text.split(mark)]
    first, last = ends[0], ends[-1]
    if first is None or last is None or len(ends) > 2:  # noqa: PLR2004  first and last
        reader.faults.error(node, "WR084", f"{shown(text)} is not {what}, nor a range first:last")
        return None
    return first, last


def _integer(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?[0-9]{1,4}", text) else None


def _location(node: Node | None, reader: Reader) -> str:
    """A zone by name; UTC where none is written, as in Alertmanager."""
    if node is None:
        return "UTC"
    return read_zone(node, "location", reader) or "UTC"


def read_zone(node: Node, what: str, reader: Reader) -> str | None:
    """The name of an IANA zone."""
    text = reader.text(node, what)
    if text is None or text in available_timezones():
        return text
    hint = did_you_mean(text, available_timezones())
    reader.faults.error(node, "WR013", f"{shown(text)} is not a time zone{hint}")
    return None


# --- what routes say --------------------------------------------------------------------------


def read_hours(keys: Mapping[str, Node], known: Intervals, reader: Reader, now: datetime) -> Hours:
    """The mute and active times of a route; one that is to keep silent from `now` on is a fault."""
    mute = _names(keys.get("mute_time_intervals"), "mute_time_intervals", known, reader)
    active = _names(keys.get("active_time_intervals"), "active_time_intervals", known, reader)
    hours = Hours(mute, active)
    if (mute or active) and hours.speaks_at(now) is None:
        node = keys.get("mute_time_intervals") or keys["active_time_intervals"]
        reader.faults.error(node, "WR086", "this route keeps silent for the next two years")
    return hours


def _names(
    node: Node | None, what: str, known: Intervals, reader: Reader
) -> tuple[NamedIntervals, ...]:
    if node is None:
        return ()
    found = []
    for item in reader.one_or_more(node, what):
        name = reader.text(item, what)
        if name is not None and name not in known:
            reader.faults.error(
                item,
                "WR083",
                f"no time interval is named {shown(name)}{did_you_mean(name, known)}",
            )
        elif name is not None:
            found.append(known[name])
    return tuple(found)


def read_digest(node: Node | None, reader: Reader) -> Digest | None:
    """`{at: "06:00", days: [mon-fri]}`; without `days` every day."""
    if node is None:
        return None
    keys = reader.mapping(node, "digest", ("at", "days"), required=("at",))
    if keys is None or "at" not in keys:
        return None
    minute = read_clock(keys["at"], "at", reader)
    days: tuple[Range, ...] = ()
    if "days" in keys:
        read = [_digest_days(item, reader) for item in reader.one_or_more(keys["days"], "days")]
        days = tuple(one for ranges in read for one in ranges)
    if minute is None:
        return None
    return Digest(minute % DAY_MINUTES, days)


def _digest_days(node: Node, reader: Reader) -> tuple[Range, ...]:
    """`mon`, `mon-fri`, `sat-sun`: a week runs on over Sunday."""
    found = _span(node, "a day of the week", "-", _short_weekday, reader)
    if found is None:
        return ()
    first, last = found
    return (found,) if first <= last else ((first, 6), (0, last))


def _short_weekday(text: str) -> int | None:
    word = text.lower()
    names = [day[:_SHORT] for day in WEEKDAYS]
    return names.index(word) if word in names else _weekday(word)
