"""What is kept on disk is whole, of the right data and the right country, or not used at all."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warden.geodata.cache import OutlineCache
from warden.geodata.outline import NOBODY, Outline, OutlineDamagedError


def outline(iso3="AAA", key="data-1") -> Outline:
    """A square with a neighbour along its east and north sides, and a hole of another's."""
    square = [(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)]
    hole = [(4, 4), (4, 6), (6, 6), (6, 4), (4, 4)]
    return Outline(
        iso3=iso3,
        key=key,
        neighbours=("BBB", "CCC"),
        vertices=np.array([*square, *hole], dtype=np.int32) * 10_000_000,
        ring_sizes=np.array([5, 5], dtype=np.int32),
        polygon_sizes=np.array([2], dtype=np.int32),
        labels=np.array([NOBODY, 0, 0, NOBODY, NOBODY, 1, 1, 1, 1, NOBODY], dtype=np.int16),
    )


WHOLE = outline().to_bytes()


def test_an_outline_written_down_reads_the_same():
    again = Outline.from_bytes(WHOLE)
    assert (again.iso3, again.key, again.neighbours) == ("AAA", "data-1", ("BBB", "CCC"))
    assert again.to_bytes() == WHOLE


def test_a_border_is_the_run_of_edges_that_are_the_neighbour_s():
    (part,) = outline().border_parts("BBB")
    assert part.tolist() == [[0, 10], [10, 10], [10, 0]]
    (rim,) = outline().border_parts("CCC")
    assert rim[0].tolist() == rim[-1].tolist()
    assert outline().border_parts("DDD") == []
    assert outline().border("DDD") is None


def test_a_run_that_passes_the_ring_s_seam_stays_in_one_piece():
    turned = outline()
    turned.labels[:4] = [0, NOBODY, NOBODY, 0]
    (part,) = turned.border_parts("BBB")
    assert part.tolist() == [[10, 0], [0, 0], [0, 10]]


def test_the_area_has_the_hole():
    area = outline().area()
    assert area.contains([1, 5], [1, 5]).tolist() == [True, False]
    assert area.edge_distance_km(5, 5)[0] == pytest.approx(110.6, abs=0.2)


def test_where_the_map_was_cut_is_no_edge():
    cut = outline()
    cut.vertices[:5, 0] += 1_700_000_000
    assert cut.area().edge_distance_km(1, 180)[0] == pytest.approx(110.57, abs=0.01)


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_noticed(position, flip):
    data = bytearray(WHOLE)
    data[position] ^= flip
    with pytest.raises(OutlineDamagedError):
        Outline.from_bytes(bytes(data))


@given(st.binary(max_size=200) | st.integers(0, len(WHOLE) - 1).map(lambda end: WHOLE[:end]))
def test_bytes_that_are_no_outline_are_refused(data):
    with pytest.raises(OutlineDamagedError):
        Outline.from_bytes(data)


@pytest.mark.parametrize(
    "change",
    [
        {"labels": np.array([2] * 10, dtype=np.int16)},
        {"labels": np.array([0] * 9, dtype=np.int16)},
        {"ring_sizes": np.array([5], dtype=np.int32)},
        {"polygon_sizes": np.array([3], dtype=np.int32)},
    ],
)
def test_parts_that_do_not_fit_together_are_refused(change):
    with pytest.raises(OutlineDamagedError):
        Outline.from_bytes(replace(outline(), **change).to_bytes())


def test_a_checksum_over_something_else_does_not_help():
    content = b"not an archive"
    with pytest.raises(OutlineDamagedError):
        Outline.from_bytes(hashlib.sha256(content).digest() + content)


def test_what_is_written_is_read_by_the_next_start(tmp_path):
    OutlineCache(tmp_path / "new" / "folder", "data-1").write(outline())
    kept = OutlineCache(tmp_path / "new" / "folder", "data-1").read("AAA")
    assert kept is not None
    assert kept.to_bytes() == WHOLE


def test_other_data_is_not_read_and_is_removed_once_replaced(tmp_path):
    OutlineCache(tmp_path, "data-1").write(outline())
    newer = OutlineCache(tmp_path, "data-2")
    assert newer.read("AAA") is None
    newer.write(outline(key="data-2"))
    assert [path.name for path in tmp_path.iterdir()] == [newer.path("AAA").name]


def test_a_file_under_another_country_s_name_is_not_read(tmp_path):
    cache = OutlineCache(tmp_path, "data-1")
    cache.path("BBB").write_bytes(WHOLE)
    assert cache.read("BBB") is None


def test_a_folder_that_cannot_be_written_is_a_fault_and_no_more(tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = OutlineCache(tmp_path / "file", "data-1")
    cache.write(outline())
    assert "not kept" in cache.fault
    assert cache.read("AAA") is None


def test_no_folder_keeps_nothing():
    cache = OutlineCache(None, "data-1")
    cache.write(outline())
    assert (cache.read("AAA"), cache.fault) == (None, "")


def test_a_write_that_fails_leaves_nothing_half_written(tmp_path, monkeypatch):
    cache = OutlineCache(tmp_path, "data-1")

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    cache.write(outline())
    assert "No space left" in cache.fault
    assert list(tmp_path.iterdir()) == []
