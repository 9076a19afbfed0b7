"""The world's countries in a few megabytes, for drawing: never for deciding anything.

Standing in the flow: the composition root makes one `Land` and hands it to the renderer, which
draws maps from it. It is made once from timezonefinder's shapes, in a child process
(`python -m warden.geodata.land FILE`), and kept in the cache folder.

Vertices are rounded to 0.002 degree (220 m) and simplified by as much, arc by arc, so that two
neighbours keep one common line. Shapes hold territorial waters: their edges at sea are no coasts.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import warden
from warden.errors import ConfigError, WardenError
from warden.geodata.outline import DEGREE_UNITS
from warden.geodata.zones import country_of_zones, data_key, new_finder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Line = NDArray[np.int32]  # (n, 2) of lon, lat in steps of the grid

FORMAT = 2
STEP_DEG = 0.002
_CHILD_DEADLINE_S = 60.0
_MIN_RING = 4
_FAILURES = (WardenError, OSError, ValueError, KeyError, subprocess.SubprocessError)
_NOBODY = -1


@dataclass(frozen=True, slots=True)
class Lines:
    """Many lines in one array.

    Attributes:
        points: all vertices, (n, 2) of lon, lat in steps of `STEP_DEG`.
        starts: where each line begins, and the end of the last.
        boxes: each line's least and greatest lon and lat: (west, south, east, north).
        owners: (lines, 2): whose it is, as positions in `Land.codes`; for a border both.
    """

    points: NDArray[np.int32]
    starts: NDArray[np.int64]
    boxes: NDArray[np.int32]
    owners: NDArray[np.int16]

    def near(self, lon: float, lat: float, half_lon: float, half_lat: float) -> Iterator[int]:
        """The lines whose boxes meet a window, also across 180 degrees of longitude."""
        west, south, east, north = self.boxes.T * STEP_DEG
        off = np.abs((west + east) / 2 - lon)
        off = np.minimum(off, 360.0 - off)
        beside = off > half_lon + (east - west) / 2
        above = np.maximum(south - lat, lat - north) > half_lat
        yield from np.flatnonzero(~(beside | above)).tolist()

    def line(self, number: int) -> NDArray[np.float64]:
        """One line's vertices in degrees, (n, 2) of lon, lat."""
        start, end = self.starts[number], self.starts[number + 1]
        return np.asarray(self.points[start:end] * STEP_DEG, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """What `Land` keeps; equal only to itself.

    Attributes:
        codes: alpha-3 codes. borders: lines between two countries.
        rings: closed outer rings, the largest first: an enclave lies in front of what is round it.
    """

    codes: tuple[str, ...]
    rings: Lines
    borders: Lines

    def to_bytes(self) -> bytes:
        """Write it down."""
        buffer = io.BytesIO()
        members: dict[str, Any] = {
            f"{name}_{field}": getattr(lines, field)
            for name, lines in (("rings", self.rings), ("borders", self.borders))
            for field in Lines.__slots__
        }
        np.savez(buffer, codes=np.array(self.codes), **members)
        return buffer.getvalue()

    @classmethod
    def from_file(cls, path: Path) -> Shapes:
        """Read it back; ValueError or OSError for what is not whole."""
        with np.load(path, allow_pickle=False) as members:
            rings, borders = (
                Lines(*(members[f"{name}_{field}"] for field in Lines.__slots__))
                for name in ("rings", "borders")
            )
            return cls(tuple(members["codes"].tolist()), rings, borders)


class Land:
    """The shapes, read when first asked for.

    Attributes:
        fault: why there are none, "" while there are or nobody has asked.
    """

    def __init__(self, cache_dir: Path | None) -> None:
        """Keep what is made in `cache_dir`; without one it is made anew by every process."""
        self.fault = ""
        self._folder = cache_dir
        self._lock = threading.Lock()
        self._shapes: Shapes | None = None

    def shapes(self) -> Shapes | None:
        """All shapes, or None where they cannot be had; the first call may take seconds."""
        with self._lock:
            if self._shapes is None and not self.fault:
                try:
                    self._shapes = self._read() or self._make()
                except _FAILURES as error:
                    self.fault = f"no maps: {error}"
            return self._shapes

    def _path(self) -> Path | None:
        if self._folder is None:
            return None
        return self._folder / f"land-{FORMAT}-{data_key()}.npz"

    def _read(self) -> Shapes | None:
        path = self._path()
        if path is None or not path.is_file():
            return None
        try:
            return Shapes.from_file(path)
        except (OSError, ValueError, KeyError, EOFError):  # damaged: made anew
            return None

    def _make(self) -> Shapes:
        content = _run_child()
        path = self._path()
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                part = path.with_suffix(f".{os.getpid()}.part")
                part.write_bytes(content)
                part.replace(path)
                _remove_older(path)
            except OSError:
                pass  # a folder that cannot be written costs the seconds at each start
        return _from_bytes(content)


def _remove_older(path: Path) -> None:
    for other in path.parent.glob("land-*.npz"):
        if other != path:
            other.unlink(missing_ok=True)


def _from_bytes(content: bytes) -> Shapes:
    return Shapes.from_file(io.BytesIO(content))  # type: ignore[arg-type]  # np.load takes both


def _run_child() -> bytes:
    """Have another process make them: it needs 150 MB for a few seconds."""
    root = str(Path(warden.__file__).parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    child = subprocess.run(
        [sys.executable, "-m", "warden.geodata.land"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        timeout=_CHILD_DEADLINE_S,
        check=False,
    )
    if child.returncode:
        said = child.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ConfigError(said[-1] if said else f"the shapes' process ended {child.returncode}")
    return child.stdout


# --- in the child -----------------------------------------------------------------------------


def make() -> Shapes:
    """Simplify every zone's polygons, and find the borders between countries."""
    finder = new_finder()
    owner_of = country_of_zones()
    codes = tuple(sorted(set(owner_of.values())))
    rings: list[Line] = []
    owners: list[int] = []
    for number in range(finder.nr_of_polygons):
        code = owner_of.get(finder.zone_name_from_boundary_id(number))
        if code is None:  # the open sea
            continue
        ring = _rounded(np.asarray(finder.coords_of(number), dtype=np.float64).T / DEGREE_UNITS)
        if len(ring) > _MIN_RING:
            rings.append(ring)
            owners.append(codes.index(code))
    return _simplified(codes, rings, owners)


def _rounded(ring: NDArray[np.float64]) -> Line:
    """The closed ring on the grid, without repetitions."""
    grid = np.rint(ring / STEP_DEG).astype(np.int32)
    grid = np.vstack((grid, grid[:1]))
    return grid[np.r_[True, (np.diff(grid, axis=0) != 0).any(axis=1)]]


def _simplified(codes: tuple[str, ...], rings: list[Line], owners: list[int]) -> Shapes:
    beyond = _beyond(rings, owners)
    kept: list[tuple[Line, tuple[int, int]]] = []
    borders: list[tuple[Line, tuple[int, int]]] = []
    around = _around(rings, owners, beyond)
    for number, (ring, owner, others) in enumerate(zip(rings, owners, beyond, strict=True)):
        if number in around:  # an enclave: the shapes have no holes, so nobody else has its edges
            others = np.full_like(others, around[number])  # noqa: PLW2901
        arcs = []
        for arc, other in _arcs(ring, others):
            simple = _simple(arc)
            arcs.append(simple[:-1])
            if other not in (_NOBODY, owner) and (owner < other or number in around):
                borders.append((simple, (min(owner, other), max(owner, other))))
        closed = np.vstack([*arcs, arcs[0][:1]])
        if len(closed) >= _MIN_RING:
            kept.append((closed, (owner, owner)))
    kept.sort(key=lambda item: -_box_area(item[0]))
    return Shapes(codes, _packed(kept), _packed(borders))


def _beyond(rings: list[Line], owners: list[int]) -> list[NDArray[np.int64]]:
    """For every edge of every ring who is on its other side: an owner, or `_NOBODY`."""
    corners = np.concatenate(rings).astype(np.int64)
    _, numbers = np.unique((corners[:, 0] << 32) + corners[:, 1], return_inverse=True)
    sizes = np.array([len(ring) for ring in rings])
    ends = np.cumsum(sizes)
    owner = np.repeat(np.array(owners), sizes)[:-1]
    keys = np.minimum(numbers[:-1], numbers[1:]) * (int(numbers.max()) + 1)
    keys += np.maximum(numbers[:-1], numbers[1:])
    keys[ends[:-1] - 1] = -np.arange(1, len(ends))  # from one ring to the next is no edge
    order = np.argsort(keys, kind="stable")
    groups = np.flatnonzero(np.r_[True, np.diff(keys[order]) != 0])
    counts = np.diff(np.r_[groups, len(keys)])
    least = np.repeat(np.minimum.reduceat(owner[order], groups), counts)
    most = np.repeat(np.maximum.reduceat(owner[order], groups), counts)
    alone = np.repeat(counts, counts) == 1
    other = np.empty(len(keys), dtype=np.int64)
    other[order] = np.where(alone, _NOBODY, np.where(owner[order] == least, most, least))
    starts = np.r_[0, ends[:-1]]
    return [other[start : end - 1] for start, end in zip(starts, ends, strict=True)]


def _around(
    rings: list[Line], owners: list[int], beyond: list[NDArray[np.int64]]
) -> dict[int, int]:
    """For rings that lie wholly inside another country: its owner."""
    import shapely  # noqa: PLC0415

    boxes = np.array([[*ring.min(axis=0), *ring.max(axis=0)] for ring in rings])
    found: dict[int, int] = {}
    for number, others in enumerate(beyond):
        if ((others != _NOBODY) & (others != owners[number])).any():
            continue
        west, south, east, north = boxes[number]
        holds = (boxes[:, 0] < west) & (boxes[:, 1] < south)
        holds &= (boxes[:, 2] > east) & (boxes[:, 3] > north)
        point = shapely.points(*rings[number][0].tolist())
        for outer in np.flatnonzero(holds).tolist():
            if owners[outer] != owners[number] and shapely.polygons(rings[outer]).contains(point):
                found[number] = owners[outer]
    return found


def _box_area(ring: Line) -> float:
    width, height = (ring.max(axis=0) - ring.min(axis=0)).tolist()
    return float(width) * float(height)


def _arcs(ring: Line, others: NDArray[np.int64]) -> Iterator[tuple[Line, int]]:
    """The ring in stretches with one neighbour each; one with a single neighbour is halved."""
    changes = np.flatnonzero(others != np.roll(others, 1))
    if len(changes) < 2:  # noqa: PLR2004  halved at ends that both neighbours find
        low = int(np.lexsort((ring[:-1, 1], ring[:-1, 0]))[0])
        high = int(np.lexsort((ring[:-1, 1], ring[:-1, 0]))[-1])
        changes = np.array(sorted({low, high}))
    first = int(changes[0])
    turned = np.roll(ring[:-1], -first, axis=0)
    turned = np.vstack((turned, turned[:1]))
    labels = np.roll(others, -first)
    for start, end in pairwise([*(changes - first).tolist(), len(labels)]):
        yield turned[start : end + 1], int(labels[start])


def _simple(arc: Line) -> Line:
    """The arc without what lies within a step of the line; alike from both ends."""
    import shapely  # noqa: PLC0415  a third of a second, and only the child needs it

    backwards = tuple(arc[0]) > tuple(arc[-1])
    line = shapely.linestrings((arc[::-1] if backwards else arc).astype(np.float64))
    coords = shapely.get_coordinates(shapely.simplify(line, 1.0, preserve_topology=False))
    simple = np.rint(coords).astype(np.int32)
    return np.asarray(simple[::-1] if backwards else simple, dtype=np.int32)


def _packed(lines: list[tuple[Line, tuple[int, int]]]) -> Lines:
    points = [line for line, _ in lines]
    return Lines(
        np.concatenate(points).astype(np.int32),
        np.r_[0, np.cumsum([len(line) for line in points])].astype(np.int64),
        np.array([[*line.min(axis=0), *line.max(axis=0)] for line in points], dtype=np.int32),
        np.array([owners for _, owners in lines], dtype=np.int16),
    )


def main() -> int:
    """Write the shapes to standard output."""
    try:
        content = make().to_bytes()
    except WardenError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
