"""The yearly figures of a simulated world, counted from its rows as a published count would be.

Standing in the flow: the demo shows them beside what the rules found; tests hold the history to
them. Deliberately independent of the rule engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from warden.engine.geo.distance import distance_km
from warden.simulator.gazetteer import BAMAKO

ATTACKS = frozenset({"Battles", "Explosions/Remote violence", "Violence against civilians"})
MILITANTS = ("JNIM: ", "Katiba ", "AQIM: ", "Islamic State", "Ansar Dine")
FORCES = ("Military Forces of Mali", "Police Forces of Mali", "Wagner Group")
SOUTH = frozenset({"Bamako", "Kayes", "Koulikoro", "Sikasso"})
ROLES = ("actor1", "assoc_actor_1", "actor2", "assoc_actor_2")
NEAR_KM = 150.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Yearly figures.

    Attributes:
        attacks_near_bamako: events involving militants within 150 km of Bamako.
        southern_deaths: deaths in events involving militants in the four southern regions.
        forces_deaths: deaths in events between Malian forces or Wagner and civilians.
    """

    attacks_near_bamako: Counter[int] = field(default_factory=Counter)
    southern_deaths: Counter[int] = field(default_factory=Counter)
    forces_deaths: Counter[int] = field(default_factory=Counter)


def figures(rows: Iterable[Mapping[str, Any]]) -> Figures:
    """Count."""
    found = Figures()
    for row in rows:
        year = int(row["year"])
        if row["event_type"] in ATTACKS and _involves(row, MILITANTS):
            if _km_from_bamako(row) <= NEAR_KM:
                found.attacks_near_bamako[year] += 1
            if row["country"] == "Mali" and row["admin1"] in SOUTH:
                found.southern_deaths[year] += int(row["fatalities"])
        if row["actor2"] == "Civilians (Mali)" and _involves(row, FORCES):
            found.forces_deaths[year] += int(row["fatalities"])
    return found


def _involves(row: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    return any(str(row[role]).startswith(names) for role in ROLES)


def _km_from_bamako(row: Mapping[str, Any]) -> float:
    lat, lon = float(row["latitude"]), float(row["longitude"])
    return float(distance_km(BAMAKO.lat, BAMAKO.lon, lat, lon))
