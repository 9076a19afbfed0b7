"""A notice's map and chart: what they show and in which words.

Standing in the flow: the renderer asks for the pictures of a mail; `warden.pictures` draws them. A
picture that cannot be made is left out and said once in the log: no alert waits for a picture.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from warden.errors import ConfigError
from warden.geodata.land import Land
from warden.model.notice import Notice
from warden.notify.render.condition import bound_words
from warden.notify.render.first_line import (
    is_about_border,
    region_of,
    where_line,
)
from warden.notify.render.measures import measure_of, measure_words
from warden.notify.render.parts import clean, day_of, is_region, newest, number_of
from warden.notify.render.voice import Voice
from warden.pictures import Easel, PictureError, check_drawable
from warden.pictures.chart import ChartPlan, chart_svg, told_point
from warden.pictures.map import Band, MapPlan, Ring, Spot, draw_map

log = logging.getLogger(__name__)

MAX_NOTICES = 3  # of one message that get pictures of their own
MAX_SVG = 200_000  # characters; a message keeps its drawings
MAX_ALT = 300
_MAX_SPOTS = 40
_EPOCH = date(1970, 1, 1)
_REGION_KM = 60.0  # the disc of an event of which only the region is known
_LEAST_POINTS = 3
_NO_MAP = frozenset({"cancel", "resolved"})
# Whatever a fact of an odd shape can raise while being drawn.
_ODD = (
    PictureError, ConfigError, KeyError, TypeError, ValueError, AttributeError, IndexError,
    ArithmeticError, OSError, ImportError, MemoryError, RecursionError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing for one mail.

    Attributes:
        name: "map" or "chart". alt: what it shows, in the reader's language. svg: the drawing.
    """

    name: str
    alt: str
    svg: str


class Studio:
    """Draws for notices; safe to use from several threads.

    Attributes:
        land: where maps are drawn from; None draws none.
    """

    def __init__(self, folders: Sequence[Path], land: Land | None = None) -> None:
        self.land = land
        self._easel = Easel(folders)
        self._said: set[str] = set()

    def pictures(self, notice: Notice, voice: Voice) -> list[Picture]:
        """The pictures that help to read this notice; [] where there are none."""
        made = [self._made("map", notice, voice), self._made("chart", notice, voice)]
        return [picture for picture in made if picture is not None]

    def overview(self, notices: Sequence[Notice], voice: Voice) -> list[Picture]:
        """One map of many notices, for a digest: each one's newest event, then all of summaries."""
        standing = [notice for notice in notices if notice.action not in _NO_MAP]
        events = [newest(notice) for notice in standing if notice.action != "summary"]
        told = {event.get("uid") for event in events}
        listed = [e for notice in standing for e in _listed(notice) if e.get("uid") not in told]
        picture = self._tried(lambda: self._overview_map([*events, *listed], voice))
        return [] if picture is None else [picture]

    def failures(self, notice: Notice, voice: Voice) -> Iterable[Exception]:
        """What goes wrong with the pictures of a notice, for `warden check`."""
        for make in (self._map, self._chart):
            try:
                make(notice, voice)
            except _ODD as error:
                yield error

    def _made(self, name: str, notice: Notice, voice: Voice) -> Picture | None:
        make = self._map if name == "map" else self._chart
        return self._tried(lambda: make(notice, voice))

    def _tried(self, make: Any) -> Picture | None:
        """The picture, well formed; None and a word in the log where it fails.

        It becomes a PNG only where it is sent: most of its cost, and once for all recipients.
        """
        try:
            picture: Picture | None = make()
            if picture is not None:
                if len(picture.svg) > MAX_SVG:
                    raise PictureError(f"the {picture.name} is too large")
                check_drawable(picture.svg)
        except _ODD as error:
            self._say(clean(f"{type(error).__name__}: {error}", 300))
            return None
        return picture

    def _say(self, reason: str) -> None:
        if reason not in self._said and len(self._said) < 100:  # noqa: PLR2004  a bounded memory
            self._said.add(reason)
            log.warning("mails go without a picture: %s", reason)

    # --- the map ------------------------------------------------------------------------------

    def _map(self, notice: Notice, voice: Voice) -> Picture | None:
        if notice.action in _NO_MAP or notice.reason == "NO_LONGER_MATCHES":
            return None
        if notice.action == "summary":
            return self._overview_map(_listed(notice), voice)
        return self._drawn(_map_plan(notice, voice), _map_alt(notice, voice), voice)

    def _overview_map(self, events: Sequence[Mapping[str, Any]], voice: Voice) -> Picture | None:
        found = (_spot(event, voice) for event in events[:_MAX_SPOTS])
        spots = tuple(dict.fromkeys(spot for spot in found if spot is not None))
        if not spots:
            return None
        plan = MapPlan(spots=spots, **_words(voice))
        names = [spot.label for spot in spots if spot.label]
        shown = list(dict.fromkeys(names))[:4]
        more = len(set(names)) - len(shown)
        where = ", ".join(shown) + (" " + voice.say("more_places", more) if more > 0 else "")
        alt = voice.say("picture.alt_overview", len(spots), where=where)
        return self._drawn(plan, alt, voice)

    def _drawn(self, plan: MapPlan | None, alt: str, voice: Voice) -> Picture | None:
        shapes = self.land.shapes() if self.land is not None and plan is not None else None
        if self.land is not None and self.land.fault:
            self._say(self.land.fault)
        if plan is None or shapes is None:
            return None
        drawn = draw_map(plan, shapes, self._easel)
        if drawn.earlier:
            alt = f"{alt} {voice.say('picture.alt_earlier', drawn.earlier)}"
        return Picture("map", clean(alt, MAX_ALT), drawn.svg)

    # --- the chart ----------------------------------------------------------------------------

    def _chart(self, notice: Notice, voice: Voice) -> Picture | None:
        if notice.action in ("cancel", "summary") or notice.reason == "NO_LONGER_MATCHES":
            return None
        plan = _chart_plan(notice, voice)
        if plan is None:
            return None
        return Picture(
            "chart", clean(_chart_alt(plan, voice), MAX_ALT), chart_svg(plan, self._easel)
        )


# --- what a map shows -------------------------------------------------------------------------


def _words(voice: Voice) -> dict[str, Any]:
    return {
        "country": voice.country,
        "credit": voice.say("picture.credit"),
        "credit_at_sea": voice.say("picture.credit_at_sea"),
    }


def _listed(notice: Notice) -> list[Mapping[str, Any]]:
    """The events of what a summary lists; [] where they were withdrawn or are over."""
    if notice.facts.get("would_have_been") in _NO_MAP:
        return []
    return [item.get("event") or {} for item in notice.items]


def _spot(event: Mapping[str, Any], voice: Voice) -> Spot | None:
    lat, lon = number_of(event.get("lat")), number_of(event.get("lon"))
    if lat is None or lon is None or not (-90 <= lat <= 90 and -180 <= lon <= 180):  # noqa: PLR2004
        return None
    error = max(number_of(event.get("location_error_km")) or 0.0, 0.0)
    if is_region(event):
        label = region_of(event, voice)
        return Spot(lat, lon, label, max(error, _REGION_KM), vague=True)
    return Spot(lat, lon, clean(event.get("location") or "", 60), error)


def _map_plan(notice: Notice, voice: Voice) -> MapPlan | None:
    facts, event = notice.facts, newest(notice)
    events = facts.get("events") or ()
    shown = events[:1] if facts.get("kind", "event") == "event" else events[:_MAX_SPOTS]
    spots = tuple(spot for one in shown if (spot := _spot(one, voice)) is not None)
    if not spots:
        return None
    points = (facts.get("map") or {}).get("points") or ()
    km = number_of(event.get("distance_km"))
    single = len(spots) == 1 and km is not None
    return MapPlan(
        spots=spots,
        earlier=tuple(_earlier(points, voice)),
        ring=_ring(notice),
        band=_band(notice),
        distance=voice.km(km) if single and km is not None else "",
        legend=lambda count: _legend(count, points, voice),
        **_words(voice),
    )


def _earlier(points: Sequence[Any], voice: Voice) -> Iterable[tuple[float, float, float]]:
    for lat, lon, day, *_ in points:
        when = day_of(day)
        if when is not None:
            yield float(lat), float(lon), max((voice.today - when).days, 0) / 365.25


def _legend(count: int, points: Sequence[Any], voice: Voice) -> str:
    days = [when for point in points if (when := day_of(point[2])) is not None]
    since = voice.month(min(days)) if days else ""
    return voice.say("picture.earlier", count, since=since)


def _ring(notice: Notice) -> Ring | None:
    event = newest(notice)
    km = number_of((notice.facts.get("condition") or {}).get("within_km"))
    lat, lon = number_of(event.get("place_lat")), number_of(event.get("place_lon"))
    if km is None or km <= 0 or lat is None or lon is None:
        return None
    return Ring(lat, lon, km, clean(event.get("place_title") or "", 60))


def _band(notice: Notice) -> Band | None:
    condition = notice.facts.get("condition") or {}
    km = number_of(condition.get("border_within_km"))
    of = str(condition.get("border_of") or "")
    neighbours = tuple(str(code) for code in condition.get("border_with") or ())
    if not neighbours and newest(notice).get("border_neighbour"):
        neighbours = (str(newest(notice)["border_neighbour"]),)
    if km is None or km <= 0 or not of or not neighbours:
        return None
    return Band(of, neighbours, km)


def _map_alt(notice: Notice, voice: Voice) -> str:
    """Say "Map: 43 km NW of Bamako (Kati), inside the 150 km ring"; the earlier ones follow."""
    event = newest(notice)
    where = where_line(event, voice, border=is_about_border(notice))
    name = "" if is_region(event) else clean(event.get("location") or "", 60)
    if name and name != clean(event.get("place_title") or ""):
        where = f"{where} ({name})" if where else name
    events = notice.facts.get("events") or ()
    if notice.facts.get("kind", "event") != "event" and len(events) > 1:
        return voice.say("picture.alt_events", min(len(events), _MAX_SPOTS), where=where)
    ring, km = _ring(notice), number_of(event.get("distance_km"))
    if ring is not None and km is not None and not is_region(event):
        side = "inside" if km <= ring.km else "outside"
        return voice.say(f"picture.alt_{side}", where=where, ring=voice.km(ring.km))
    return voice.say("picture.alt_map", where=where)


# --- what a chart shows -----------------------------------------------------------------------


def _chart_plan(notice: Notice, voice: Voice) -> ChartPlan | None:
    series = notice.facts.get("series") or {}
    points = tuple(
        (number, float(value))
        for day, value in series.get("points") or ()
        if (number := _number(day)) is not None and number_of(value) is not None
    )
    if len(points) < _LEAST_POINTS or not any(value > 0 for _, value in points):
        return None
    unit, window = str(series.get("unit") or "week"), number_of(series.get("window_days"))
    periods = window is None or (unit, window) in (("week", 7), ("day", 1))
    if window is not None and periods:  # a week's sum, told by its last day
        points = tuple((day - int(window) + 1, value) for day, value in points)
    shift = int(window) - 1 if window is not None and periods else 0
    bound = number_of(series.get("bound"))
    return ChartPlan(
        unit=unit,
        points=points,
        title=_title(notice, unit, None if periods else window, voice),
        day=lambda day: voice.chart_day(_EPOCH + timedelta(days=day), unit),
        number=voice.number,
        rolling=not periods,
        expected=tuple(_expected(series.get("expected") or (), shift)),
        bound=bound,
        complete_through=_number(series.get("complete_through")),
        alert=_alert_days(notice, window),
        bound_words="" if bound is None else _bound_words(notice, bound, voice),
        expected_words=_expected_words(notice, voice),
        alert_words=voice.say("picture.window" if not periods else "picture.this_alert"),
        incomplete_words=voice.say("picture.incomplete"),
    )


def _number(day: object) -> int | None:
    found = day_of(day)
    return None if found is None else (found - _EPOCH).days


def _expected(bands: Sequence[Any], shift: int) -> Iterable[Any]:
    for day, low, expected, high in bands:
        number = _number(day)
        if number is not None:
            yield number - shift, number_of(low), number_of(expected), number_of(high)


def _alert_days(notice: Notice, window: float | None) -> tuple[int, int] | None:
    """The days that the alert is about: its window, else those of its events.

    A spike's is the one that stood out, whose sum the words tell; later ones may lie higher.
    """
    first, last = _number(notice.facts.get("first_day")), _number(notice.facts.get("last_day"))
    if notice.facts.get("kind") == "spike" and window is not None:
        last = _number(notice.facts.get("tested_day")) or last
    if last is None or first is None:
        return None
    if notice.facts.get("kind") == "projection" and notice.facts.get("period_last_day"):
        return last, last
    return (first if window is None else last - int(window) + 1), last


def _title(notice: Notice, unit: str, window: float | None, voice: Voice) -> str:
    facts = notice.facts
    words = measure_words(measure_of(facts), voice)
    if facts.get("kind", "event") == "event":
        words = voice.say("picture.such_events")
    if window is not None:
        title = voice.say("value_in_days", window, value="", measure=words).strip()
    else:
        title = voice.say(f"picture.a_{unit}", measure=words)
    return title[:1].upper() + title[1:]


def _bound_words(notice: Notice, bound: float, voice: Voice) -> str:
    condition = (notice.facts.get("condition") or {}).get("condition")
    text = bound_words(condition, voice) if isinstance(condition, Mapping) else ""
    return voice.say("picture.bound", bound=text or voice.number(bound))


def _expected_words(notice: Notice, voice: Voice) -> str:
    kind = notice.facts.get("kind")
    return voice.say("picture.projected" if kind == "projection" else "picture.usual")


def _chart_alt(plan: ChartPlan, voice: Voice) -> str:
    day, value = told_point(plan)
    return voice.say(
        "picture.alt_chart",
        title=plan.title,
        first=plan.day(plan.points[0][0]),
        last=plan.day(plan.points[-1][0]),
        day=plan.day(day),
        value=voice.number(value),
        most=voice.number(max(v for _, v in plan.points)),
        bound=plan.bound_words,
    )
