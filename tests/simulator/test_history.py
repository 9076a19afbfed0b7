"""The invented history keeps to the published figures and behaves like a real source."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from statistics import median

import numpy as np
import pytest

from warden.engine.geo.distance import distance_km
from warden.simulator import history
from warden.simulator.history import release_monday, simulated_history

END = datetime(2025, 12, 31, tzinfo=UTC)
BAMAKO = (12.6392, -8.0029)
ATTACKS = {"Battles", "Explosions/Remote violence", "Violence against civilians"}
MILITANTS = ("JNIM", "Katiba", "AQIM", "Islamic State", "Ansar Dine")
FORCES = ("Military Forces of Mali", "Police Forces of Mali", "Wagner Group")


@pytest.fixture(scope="module")
def rows():
    """All row histories; a quarter of the background is enough here."""
    return simulated_history(scale=0.25)


@pytest.fixture(scope="module")
def final(rows):
    newest = [version for row in rows if (version := row.at(END)) is not None]
    return [version.row for version in newest if version.row is not None]


def involves(row, names):
    actors = (row["actor1"], row["assoc_actor_1"], row["actor2"], row["assoc_actor_2"])
    return any(actor.startswith(names) for actor in actors)


def militant_attacks(final):
    return [r for r in final if involves(r, MILITANTS) and r["event_type"] in ATTACKS]


def km_from_bamako(rows):
    return distance_km(
        *BAMAKO,
        np.array([row["latitude"] for row in rows]),
        np.array([row["longitude"] for row in rows]),
    )


def test_the_same_seed_makes_the_same_history():
    assert simulated_history(scale=0.01) == simulated_history(scale=0.01)
    assert simulated_history(scale=0.01) != simulated_history(scale=0.01, seed=1)


def test_every_row_says_that_it_is_simulated(rows):
    shown = [version.row for row in rows for version in row.versions if version.row is not None]
    assert all(row["notes"].startswith("SIMULATED.") for row in shown)
    assert {row["source"] for row in shown} == {"Simulated source"}


def test_attacks_round_bamako_are_as_many_as_published(final):
    attacks = militant_attacks(final)
    near = [r for r, km in zip(attacks, km_from_bamako(attacks), strict=True) if km <= 150]
    years = Counter(row["year"] for row in near)
    assert (years[2020], years[2022], years[2024]) == (3, 13, 34)
    assert sum(row["event_date"] < "2024-07-01" for row in near if row["year"] == 2024) == 17


def test_bamako_itself_is_struck_in_2015_and_then_in_september_2024(final):
    attacks = [row for row in militant_attacks(final) if row["geo_precision"] == 1]
    within = [r for r, km in zip(attacks, km_from_bamako(attacks), strict=True) if km <= 20]
    assert {row["event_date"] for row in within} == {"2015-11-20", "2024-09-17"}


def test_three_attacks_in_may_2022_come_two_months_before_kati(final):
    attacks = militant_attacks(final)
    near = [r for r, km in zip(attacks, km_from_bamako(attacks), strict=True) if km <= 150]
    assert sum(row["event_date"].startswith("2022-05") for row in near) == 3
    kati = [row for row in near if row["location"] == "Kati"]
    assert [row["event_date"] for row in kati] == ["2022-07-22"]


def test_deaths_in_the_south_double_to_the_published_figure(final):
    deaths = Counter()
    for row in militant_attacks(final):
        if row["admin1"] in {"Bamako", "Koulikoro", "Kayes", "Sikasso"}:
            deaths[row["year"]] += row["fatalities"]
    assert deaths[2024] == 335
    assert deaths[2023] == 167


def test_civilian_deaths_with_forces_involved_are_as_many_as_published(final):
    deaths = Counter()
    for row in final:
        if row["actor2"] == "Civilians (Mali)" and involves(row, FORCES):
            deaths[row["year"]] += row["fatalities"]
    assert (deaths[2019], deaths[2023], deaths[2024]) == (84, 924, 1044)
    moura = next(row for row in final if row["location"] == "Moura")
    assert moura["fatalities"] == history.MOURA_DEATHS


def test_an_actor_is_spelt_as_at_the_time_of_the_version(rows):
    spellings = {
        version.row["actor1"]
        for row in rows
        for version in row.versions
        if version.row is not None and version.row["event_date"] < "2019-01-01"
    }
    assert {"Military Forces of Mali (2013-)", "Military Forces of Mali (2013-2020)"} <= spellings
    assert "Islamic State Sahel Province (ISSP)" in spellings


def test_a_quarter_of_the_rows_is_published_again_within_three_months():
    rows = simulated_history()
    since, until = datetime(2022, 5, 9, tzinfo=UTC), datetime(2022, 8, 9, tzinfo=UTC)
    known = [row for row in rows if row.versions[0].known_at < since]
    again = [row for row in known if any(since <= v.known_at < until for v in row.versions[1:])]
    assert 0.2 < len(again) / len(known) < 0.35
    assert 12_000 < len(rows) < 20_000


def test_rows_come_on_mondays_and_tuesdays_mostly_within_ten_days(rows):
    delays = []
    for row in rows:
        first = row.versions[0]
        delays.append((first.known_at.date() - date.fromisoformat(first.row["event_date"])).days)
        assert all(v.known_at.weekday() in {0, 1} for v in row.versions)
        assert all(13 <= v.known_at.hour < 23 for v in row.versions)
    assert min(delays) >= 3
    assert 6 <= median(delays) <= 10
    assert max(delays) > 365


def test_versions_follow_one_another(rows):
    for row in rows:
        instants = [version.known_at for version in row.versions]
        assert instants == sorted(set(instants))


@pytest.mark.parametrize(
    ("day", "monday"),
    [
        (date(2024, 9, 14), date(2024, 9, 23)),  # Saturday, the week's first day
        (date(2024, 9, 17), date(2024, 9, 23)),
        (date(2024, 9, 20), date(2024, 9, 23)),
        (date(2023, 12, 20), date(2024, 1, 8)),  # nothing comes out at New Year
    ],
)
def test_a_coding_week_comes_out_on_the_next_monday(day, monday):
    assert release_monday(day) == monday
    assert release_monday(day, 1) - monday in {timedelta(days=7), timedelta(0)}


def test_points_known_less_well_are_as_common_as_in_the_sahel(final):
    shares = Counter(row["geo_precision"] for row in final)
    assert 0.3 < shares[2] / len(final) < 0.5


def test_rows_are_deleted_corrected_and_moved(rows):
    versions = [version for row in rows for version in row.versions]
    assert any(version.row is None for version in versions)
    assert any(version.stamp is not None for version in versions)
    moved = next(
        r
        for r in rows
        if r.versions[0].row["event_date"] == "2022-10-05"
        and r.versions[0].row["location"] == "Didieni"
    )
    assert moved.versions[-1].row["location"] == "Segala"
