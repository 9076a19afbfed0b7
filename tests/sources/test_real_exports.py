"""Real ACLED exports, where they are at hand: every row is stored, whatever way it is read."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from support.sourcing import as_csv, poll

from warden.sources.acled_pages import parse_rows
from warden.sources.acled_rows import AcledRows
from warden.sources.file import read_files

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "acled"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="real exports are not at hand")


def read(path, **options):
    return poll(read_files([path], source_name="files", **options), NOW)


@pytest.fixture(scope="module")
def world():
    return read(DATA / "world-2022h1.csv")


def test_every_row_of_the_world_is_a_record(world):
    assert len(world.records) == 9000
    assert not world.rejects
    assert world.outcome.complete_through == date(2022, 6, 30)


def test_every_country_is_known(world):
    assert not [record.country for record in world.records if not record.iso3]


def test_the_misspelt_disorder_type_is_mended(world):
    found = Counter(record.disorder_type for record in world.records)
    assert found["Demonstrations"] == 4978
    assert set(found) == {"Demonstrations", "Political violence", "Strategic developments"}


def test_violence_against_civilians_targets_civilians_though_the_column_is_empty(world):
    assert sum(record.civilian_targeting for record in world.records) == 979


def test_the_same_rows_from_the_api_give_the_same_records(tmp_path, world):
    with (DATA / "world-2022h1.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))[:1500]
    numbers = {"latitude": float, "longitude": float, "fatalities": int, "timestamp": int}
    api = [row | {name: cast(row[name]) for name, cast in numbers.items()} for row in rows]
    page = parse_rows(json.loads(json.dumps(api)), AcledRows(NOW), keep_raw=False)
    assert page.records == world.records[:1500]
    path = tmp_path / "again.csv"
    path.write_text(as_csv(rows, ";"), encoding="utf-8-sig")
    assert read(path).records == world.records[:1500]


def test_a_real_snapshot_covers_its_country_and_month():
    coverage = read(DATA / "argentina-2022-06.csv", snapshot=True).outcome.coverage
    assert coverage.countries == {"ARG"}
    assert coverage.first_day >= date(2022, 6, 1)
    assert len(coverage.seen) == 326
