"""One country's outline with the owner of every edge, as kept in the cache.

Standing in the flow: `extract` makes it in a child process, `borders` turns it into the indexes
the engine asks. Coordinates are whole numbers of 1e-7 degree (a centimetre), as in the source.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from warden.engine.geo import AreaIndex, PolylineIndex
from warden.engine.geo.geography import hash_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Part = NDArray[np.float64]

FORMAT = 1  # raise when what is stored changes; part of every cache file's name
DEGREE_UNITS = 1e7
_DIGEST_BYTES = 32
_SEAM_DEG = 180.0
NOBODY = -1  # the label of an edge at the sea, or of one that no neighbour shares


class OutlineDamagedError(ValueError):
    """Bytes that are not a whole outline."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A country's polygons and, for each edge, which neighbour it is shared with.

    Attributes:
        iso3: the country. key: the data it was cut from (`zones.data_key`).
        neighbours: alpha-3 codes, sorted; a label is a position in it, or NOBODY.
        vertices: all rings' vertices in order, (n, 2) of lon, lat.
        ring_sizes: vertices a ring (closed). polygon_sizes: rings a polygon, the outer first.
        labels: for each vertex the label of the edge to the next; a ring's last begins none.
    """

    iso3: str
    key: str
    neighbours: tuple[str, ...]
    vertices: NDArray[np.int32]
    ring_sizes: NDArray[np.int32]
    polygon_sizes: NDArray[np.int32]
    labels: NDArray[np.int16]

    def to_bytes(self) -> bytes:
        """Write it down, a checksum of all of it first."""
        buffer = io.BytesIO()
        np.savez(
            buffer,
            head=np.array([str(FORMAT), self.iso3, self.key, *self.neighbours]),
            vertices=self.vertices,
            ring_sizes=self.ring_sizes,
            polygon_sizes=self.polygon_sizes,
            labels=self.labels,
        )
        content = buffer.getvalue()
        return hashlib.sha256(content).digest() + content

    @classmethod
    def from_bytes(cls, data: bytes) -> Outline:
        """Read it back; OutlineDamagedError for anything that is not whole."""
        digest, content = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != digest:
            raise OutlineDamagedError("its checksum does not fit")
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as members:
                version, iso3, key, *neighbours = members["head"].tolist()
                outline = cls(
                    iso3=iso3,
                    key=key,
                    neighbours=tuple(neighbours),
                    vertices=members["vertices"],
                    ring_sizes=members["ring_sizes"],
                    polygon_sizes=members["polygon_sizes"],
                    labels=members["labels"],
                )
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, TypeError) as error:
            raise OutlineDamagedError(str(error)) from error
        if version != str(FORMAT) or not outline._is_whole():
            raise OutlineDamagedError("its parts do not fit together")
        return outline

    def _is_whole(self) -> bool:
        """Whether the sizes add up."""
        count = len(self.vertices)
        return (
            self.vertices.shape == (count, 2)
            and self.labels.shape == (count,)
            and int(self.ring_sizes.sum()) == count
            and int(self.polygon_sizes.sum()) == len(self.ring_sizes)
            and count > 0
            and int(self.labels.min()) >= NOBODY
            and int(self.labels.max()) < len(self.neighbours)
        )

    def border_parts(self, neighbour: str) -> list[Part]:
        """The stretches of the outline shared with a neighbour, as (lat, lon) parts."""
        if neighbour not in self.neighbours:
            return []
        number = self.neighbours.index(neighbour)
        return [
            part for ring, labels in self._rings() for part in _runs(ring, labels[:-1] == number)
        ]

    def border(self, neighbour: str) -> PolylineIndex | None:
        """The border shared with a neighbour, or None."""
        parts = self.border_parts(neighbour)
        return PolylineIndex(parts) if parts else None

    def area(self) -> AreaIndex:
        """The country's area; its edge is the whole outline, coasts and borders alike.

        What runs along 180 degrees is where the source cut its map, and no edge.
        """
        rings = [ring for ring, _ in self._rings()]
        edges = [
            part
            for ring in rings
            for part in _runs(
                ring, ~((np.abs(ring[:-1, 1]) == _SEAM_DEG) & (np.diff(ring[:, 1]) == 0))
            )
        ]
        ends = np.cumsum(self.polygon_sizes)
        polygons = [
            rings[end - size : end] for end, size in zip(ends, self.polygon_sizes, strict=True)
        ]
        return AreaIndex(polygons, edges=edges)

    def border_hash(self, neighbour: str) -> str:
        """Name the course of the border: changes only if a vertex does."""
        return hash_parts(self.border_parts(neighbour))

    def outline_hash(self) -> str:
        """Name the course of the whole outline."""
        return hash_parts(ring for ring, _ in self._rings())

    def _rings(self) -> list[tuple[Part, NDArray[np.int16]]]:
        """Every ring as (lat, lon) in degrees, with its labels."""
        cuts = np.cumsum(self.ring_sizes)[:-1]
        degrees = self.vertices[:, ::-1] / DEGREE_UNITS
        return list(zip(np.split(degrees, cuts), np.split(self.labels, cuts), strict=True))


def _runs(ring: Part, chosen: NDArray[np.bool_]) -> list[Part]:
    """The stretches of consecutive chosen edges of a closed ring; one may pass its seam."""
    if not chosen.any():
        return []
    if chosen.all():
        return [ring]
    # Turn the ring so that it begins just after an edge that is not chosen.
    turn = int(np.flatnonzero(~chosen)[0]) + 1
    chosen = np.roll(chosen, -turn)
    ring = np.roll(ring[:-1], -turn, axis=0)
    ring = np.vstack((ring, ring[:1]))
    change = np.diff(np.r_[0, chosen.astype(np.int8), 0])
    starts, ends = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
    return [ring[start : end + 1] for start, end in zip(starts, ends, strict=True)]
