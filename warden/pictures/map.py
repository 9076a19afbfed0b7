"""The map of a notice: where it happened, where the rule looks, what came before.

Standing in the flow: `notify.render` says what to show and in which words; this decides what the
window is and where every text stands; `templates/pictures/map.svg.jinja` draws it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from warden.geodata.land import Shapes
from warden.pictures.lettering import Box, Lettering, shortened, text_width
from warden.pictures.projection import Points, Window
from warden.pictures.template import Easel

WIDTH, HEIGHT = 400, 336
_FOOT = 40  # the strip below the map: scale, legend and credit
_LEAST_KM, _MOST_KM = 40.0, 2_500.0
_WITHOUT_PLACE_KM = 300.0  # where no ring or border tells a reader where this is, borders must
_RING_MARGIN = 1.1
_FARTHEST = 3.0  # an event lies at most so many radii off before the map gives up the ring
_SIZE, _SMALL = 15.0, 12.5
_LABEL = 26  # letters
_NICE = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
_MAX_MARKS = 300
_ALL_LAND = 0.995
_RING = 4  # points of the smallest
_LEAST_AREA = 1_500.0  # of a country that gets its name, in the picture's units


@dataclass(frozen=True, slots=True)
class Spot:
    """Something that happened.

    Attributes:
        lat, lon: where. label: its name, "" for none. error_km: how far off it may lie.
        vague: only the region is known; then no point is drawn, only the disc.
    """

    lat: float
    lon: float
    label: str = ""
    error_km: float = 0.0
    vague: bool = False


@dataclass(frozen=True, slots=True)
class Ring:
    """Where the rule looks: within `km` of a named point."""

    lat: float
    lon: float
    km: float
    label: str


@dataclass(frozen=True, slots=True)
class Band:
    """Where the rule looks: within `km` of the border of one country with others."""

    of: str
    neighbours: tuple[str, ...]
    km: float


@dataclass(frozen=True, slots=True)
class MapPlan:
    """What a map shows.

    Attributes:
        spots: what the notice is about, the most important first.
        earlier: (lat, lon, years ago) of what came before.
        ring, band: where the rule looks. distance: the words beside the line to the ring's middle.
        country: the reader's name of a country. credit: the foot's text.
        legend: what is said of so many earlier events that are seen.
        credit_at_sea: the credit where the sea is seen: shapes hold the waters near the coast.
    """

    spots: tuple[Spot, ...]
    country: Callable[[str], str]
    credit: str
    credit_at_sea: str = ""
    km: str = "km"
    earlier: tuple[tuple[float, float, float], ...] = ()
    ring: Ring | None = None
    band: Band | None = None
    distance: str = ""
    legend: Callable[[int], str] = lambda _count: ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Map:
    """A drawn map, and how many earlier events are seen on it."""

    svg: str
    earlier: int


def draw_map(plan: MapPlan, shapes: Shapes, easel: Easel) -> Map:
    """Draw it. Raises PictureError when it cannot be drawn; ValueError without any spot."""
    if not plan.spots:
        raise ValueError("a map needs something to show")
    window = _window(plan)
    letters = Lettering(Box(4, 4, WIDTH - 4, HEIGHT - _FOOT - 2))
    letters.block(Box(WIDTH - 30, 0, WIDTH, 44))  # the arrow to the north
    spots = [_spot(spot, window) for spot in plan.spots]
    first, *others = spots
    for spot in spots:
        letters.block(Box(spot["x"] - 7, spot["y"] - 7, spot["x"] + 7, spot["y"] + 7))
    ring = _ring(plan, window, letters)
    link = _link(plan, window, letters)
    _name(first, letters, must=True)
    for spot in others:
        _name(spot, letters, must=False)
    ground = _ground(shapes, window)
    earlier = _earlier(plan, window)
    for x, y, _ in earlier:
        letters.block(Box(x - 3, y - 3, x + 3, y + 3))
    legend = plan.legend(len(earlier)) if earlier else ""
    svg = easel.draw(
        "map",
        width=WIDTH,
        height=HEIGHT,
        foot=_FOOT,
        title=plan.title,
        areas=ground.areas_of(window.point(plan.spots[0].lat, plan.spots[0].lon)),
        borders=[path for _, path in ground.borders],
        band=_band(plan, ground, window),
        ring=ring,
        link=link,
        earlier=_shades(earlier),
        spots=spots,
        names=_country_names(plan, ground, letters),
        scale=_scale(window, plan.km),
        legend=legend,
        legend_x=round(WIDTH - 18 - text_width(legend, _SMALL), 1),
        credit=plan.credit if ground.inland else plan.credit_at_sea or plan.credit,
    )
    return Map(svg, len(earlier))


# --- the window -------------------------------------------------------------------------------


def _window(plan: MapPlan) -> Window:
    lats = [spot.lat for spot in plan.spots]
    lons = [spot.lon for spot in plan.spots]
    ring, first = plan.ring, plan.spots[0]
    if ring is not None:
        far = _km(ring.lat, ring.lon, [first.lat], [first.lon])[0] + first.error_km / 2
        if far <= ring.km * _FARTHEST:
            return _sized(ring.lat, ring.lon, max(ring.km, far) * _RING_MARGIN)
    if plan.band is not None:
        return _sized(first.lat, first.lon, max(plan.band.km * 2.2, first.error_km * 1.2))
    lat, lon = _middle(lats, lons)
    far = float(_km(lat, lon, lats, lons).max()) * 1.25
    return _sized(lat, lon, max(far, first.error_km * 1.3, _WITHOUT_PLACE_KM))


def _sized(lat: float, lon: float, half_km: float) -> Window:
    visible = (HEIGHT - _FOOT) / HEIGHT
    half_km = min(max(half_km, _LEAST_KM), _MOST_KM) / visible
    # The foot covers the lowest strip: the middle of what is seen lies a little higher.
    lat -= half_km * (1 - visible) / 111.0
    return Window(max(min(lat, 89.0), -89.0), lon, half_km, WIDTH, HEIGHT)


def _middle(lats: Sequence[float], lons: Sequence[float]) -> tuple[float, float]:
    """The middle of points on the sphere, also across 180 degrees."""
    lat, lon = np.radians(lats), np.radians(lons)
    x, y, z = (
        float(part.mean())
        for part in (np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat))
    )
    return math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x))


def _km(lat: float, lon: float, lats: Sequence[float], lons: Sequence[float]) -> Points:
    """Distances on the sphere: enough to choose a window."""
    a, b = math.radians(lat), np.radians(lats)
    half = np.sin((b - a) / 2) ** 2
    half += math.cos(a) * np.cos(b) * np.sin(np.radians(np.subtract(lons, lon)) / 2) ** 2
    return np.asarray(2 * 6371.0 * np.arcsin(np.sqrt(np.clip(half, 0, 1))))


# --- the ground -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Area:
    """A country's part of the window: its code, its outline, and its polygons."""

    code: str
    path: str
    polygons: tuple[Any, ...]


@dataclass(frozen=True)
class _Ground:
    """Land and borders in a window, whatever happened there.

    Attributes:
        areas: the largest first; of what is nested the inner one later.
        borders: between which two countries, and the course.
    """

    areas: tuple[_Area, ...]
    borders: tuple[tuple[frozenset[str], str], ...]

    def areas_of(self, point: tuple[float, float]) -> list[dict[str, Any]]:
        """The areas, those of the country round a point marked as its own."""
        import shapely  # noqa: PLC0415

        spot = shapely.points(point)
        around = (a.code for a in reversed(self.areas) if any(p.contains(spot) for p in a.polygons))
        own = next(around, "")
        return [{"path": area.path, "own": area.code == own} for area in self.areas]

    @cached_property
    def inland(self) -> bool:
        """Whether the window shows land only."""
        import shapely  # noqa: PLC0415

        seen = (0, 0, WIDTH, HEIGHT - _FOOT)
        rings = [polygon for area in self.areas for polygon in area.polygons]
        land = shapely.union_all(shapely.buffer(shapely.clip_by_rect(rings, *seen), 0.5))
        return bool(shapely.clip_by_rect(land, *seen).area > _ALL_LAND * seen[2] * seen[3])

    @cached_property
    def largest(self) -> tuple[tuple[str, Any], ...]:
        """The largest piece of each country that is seen large enough for a name."""
        import shapely  # noqa: PLC0415

        seen = shapely.box(6, 6, WIDTH - 6, HEIGHT - _FOOT - 6)
        found: dict[str, Any] = {}
        for area in self.areas:
            for polygon in area.polygons:
                shape = shapely.buffer(polygon, 0).intersection(seen)
                known = found.get(area.code)
                if shape.area > _LEAST_AREA and (known is None or shape.area > known.area):
                    found[area.code] = shape
        for shape in found.values():
            shapely.prepare(shape)
        return tuple(sorted(found.items(), key=lambda item: -item[1].area))


@lru_cache(maxsize=16)
def _ground(shapes: Shapes, window: Window) -> _Ground:
    """What lies in a window; kept, since one rule's maps have one, and one alert many readers."""
    import shapely  # noqa: PLC0415

    def areas() -> Iterator[_Area]:
        for number, parts in window.areas(shapes.rings):
            code = shapes.codes[int(shapes.rings.owners[number][0])]
            path = " ".join(_path(part, closed=True) for part in parts)
            yield _Area(code, path, tuple(shapely.polygons(p) for p in parts if len(p) >= _RING))

    def borders() -> Iterator[tuple[frozenset[str], str]]:
        for number, parts in window.courses(shapes.borders):
            sides = frozenset(shapes.codes[int(n)] for n in shapes.borders.owners[number])
            yield from ((sides, _path(part)) for part in parts)

    return _Ground(tuple(areas()), tuple(borders()))


# --- what is drawn ----------------------------------------------------------------------------


def _spot(spot: Spot, window: Window) -> dict[str, Any]:
    x, y = window.point(spot.lat, spot.lon)
    radius = spot.error_km * window.scale
    return {
        "x": round(x, 1), "y": round(y, 1), "error": round(radius, 1) if radius > 6 else 0,  # noqa: PLR2004
        "vague": spot.vague, "label": shortened(spot.label, _LABEL), "text": None,
    }  # fmt: skip


def _name(spot: dict[str, Any], letters: Lettering, *, must: bool) -> None:
    if not spot["label"]:
        return
    x, y, size = spot["x"], spot["y"], _SIZE
    place = letters.around(spot["label"], x, y, 11, size, must=False, bold=True)
    place = place or letters.around(spot["label"], x, y, 16, size, must=must, bold=True)
    if place is not None:
        spot["text"] = _placed(place)


def _placed(place: tuple[float, float, str]) -> dict[str, Any]:
    x, y, anchor = place
    return {"x": round(x, 1), "y": round(y, 1), "anchor": anchor}


def _ring(plan: MapPlan, window: Window, letters: Lettering) -> dict[str, Any] | None:
    ring = plan.ring
    if ring is None:
        return None
    x, y = window.point(ring.lat, ring.lon)
    letters.block(Box(x - 5, y - 5, x + 5, y + 5))
    label = shortened(ring.label, _LABEL)
    place = letters.around(label, x, y, 9, _SIZE, must=True, bold=False)
    radius = ring.km * window.scale
    words = f"{ring.km:g} {plan.km}"
    # Where the ring is cut by the picture, its words stand at the upper left of what is seen.
    edge = letters.first_free(words, _on_ring(x, y, radius), _SMALL)
    return {
        "x": round(x, 1), "y": round(y, 1), "radius": round(radius, 1), "label": label,
        "text": None if place is None else _placed(place),
        "words": words if edge else "",
        "edge": None if edge is None else {"x": round(edge[0], 1), "y": round(edge[1], 1)},
    }  # fmt: skip


def _on_ring(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    turns = (-135, 135, 45, -45, 90, -90, 120, 60, -120, -60, 180, 0)
    return [
        (x + radius * math.cos(math.radians(t)), y + radius * math.sin(math.radians(t)) + 4)
        for t in turns
    ]


def _link(plan: MapPlan, window: Window, letters: Lettering) -> dict[str, Any] | None:
    """The line from the ring's middle to the event, with the distance."""
    ring, spot = plan.ring, plan.spots[0]
    if ring is None or not plan.distance or spot.vague:
        return None
    x1, y1 = window.point(ring.lat, ring.lon)
    x2, y2 = window.point(spot.lat, spot.lon)
    length = math.hypot(x2 - x1, y2 - y1)
    if length < 30 or not window.shows(x2, y2):  # noqa: PLR2004  too short for words
        return None
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    place = letters.around(plan.distance, x, y, 6, _SMALL, must=False, bold=False)
    return {
        "x1": round(x1, 1), "y1": round(y1, 1), "x2": round(x2, 1), "y2": round(y2, 1),
        "words": plan.distance, "text": None if place is None else _placed(place),
    }  # fmt: skip


def _earlier(plan: MapPlan, window: Window) -> list[tuple[float, float, float]]:
    """Points of earlier events that are seen, the newest first: x, y, and how strong in colour."""
    shown = plan.earlier[:_MAX_MARKS]
    if not shown:
        return []
    points = window.place([one[0] for one in shown], [one[1] for one in shown]).tolist()
    return [
        (x, y, round(max(0.65 - years / 4, 0.22), 1))
        for (x, y), (_, _, years) in zip(points, shown, strict=True)
        if window.shows(x, y)
    ]


def _shades(marks: list[tuple[float, float, float]]) -> list[dict[str, Any]]:
    """Marks of one strength as one path of points, the faintest first: drawn in half the time."""
    shades: dict[float, list[str]] = {}
    for x, y, strength in marks:
        shades.setdefault(strength, []).append(f"M{x:.1f},{y:.1f}h0")
    return [{"strength": one, "path": "".join(shades[one])} for one in sorted(shades)]


def _band(plan: MapPlan, ground: _Ground, window: Window) -> dict[str, Any] | None:
    if plan.band is None:
        return None
    wanted = {frozenset((plan.band.of, other)) for other in plan.band.neighbours}
    paths = [path for sides, path in ground.borders if sides in wanted]
    return {"paths": paths, "width": round(2 * plan.band.km * window.scale, 1)}


def _country_names(plan: MapPlan, ground: _Ground, letters: Lettering) -> list[dict[str, Any]]:
    """A name in each country that is seen large enough for one."""
    import shapely  # noqa: PLC0415

    names = []
    for code, shape in ground.largest:
        text = shortened(plan.country(code).upper(), 30)
        width = text_width(text, _SMALL) * 1.1
        spots = (  # asked one by one: the first few mostly do
            (x, y)
            for x, y in _candidates(shape)
            if shape.covers(shapely.box(x - width / 2, y - 11, x + width / 2, y + 3))
        )
        place = letters.first_free(text, spots, _SMALL * 1.1)
        if place is not None:
            names.append({"text": text, "x": round(place[0], 1), "y": round(place[1], 1)})
    return names


def _candidates(shape: Any) -> list[tuple[float, float]]:
    """Points to try a name at: near the middle first."""
    west, south, east, north = shape.bounds
    middle = shape.centroid
    grid = [
        (west + (east - west) * i / 8, south + (north - south) * j / 8)
        for i in range(1, 8)
        for j in range(1, 8)
    ]
    near = sorted(grid, key=lambda p: (p[0] - middle.x) ** 2 + 4 * (p[1] - middle.y) ** 2)
    return [(middle.x, middle.y), *near]


def _scale(window: Window, km: str) -> dict[str, Any]:
    """The longest round distance that is at most a quarter of the map's width."""
    nice = max((n for n in _NICE if n * window.scale <= WIDTH / 4), default=1)
    return {"length": round(nice * window.scale, 1), "words": f"{nice} {km}"}


def _path(points: Points, *, closed: bool = False) -> str:
    """SVG's path data, in tenths."""
    tenths = np.rint(points * 10).astype(int)
    steps = np.diff(tenths, axis=0).tolist()
    x, y = tenths[0].tolist()
    moves = "l" + " ".join(f"{dx / 10:g},{dy / 10:g}" for dx, dy in steps) if steps else ""
    return f"M{x / 10:g},{y / 10:g}{moves}{'z' if closed else ''}"
