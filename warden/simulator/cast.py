"""Who takes part in simulated events, and under which names at which time.

Standing in the flow: read by `history`. ACLED renames actors long after the event: the suffix of
a government's period is closed when the next one begins, and a group's name follows its own
declarations. Every row that names them is then published again, over some weeks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

STATE, REBEL, MILITIA, IDENTITY, RIOTERS, PROTESTERS, CIVILIANS, EXTERNAL = range(1, 9)


@dataclass(frozen=True, slots=True)
class Spelling:
    """A name, and since when the source writes it so."""

    since: date
    name: str


@dataclass(frozen=True, slots=True)
class Period:
    """The spellings of an actor in events from `begins` on."""

    begins: date
    spellings: tuple[Spelling, ...]


@dataclass(frozen=True, slots=True)
class Party:
    """An actor: its class (ACLED's inter code) and its periods, oldest first."""

    inter: int
    periods: tuple[Period, ...]

    def spellings(self, day: date) -> tuple[Spelling, ...]:
        """How the source has written this actor in an event of that day, oldest first."""
        if len(self.periods) == 1:
            return self.periods[0].spellings
        fitting = [period for period in self.periods if period.begins <= day]
        return (fitting or self.periods[:1])[-1].spellings


def named(inter: int, name: str) -> Party:
    """An actor that was never renamed."""
    return Party(inter, (Period(date.min, (Spelling(date.min, name),)),))


def _of_regimes(name: str, *regimes: tuple[date, str, date | None, str], ending: str = "") -> Party:
    """State forces: (begins, suffix while it lasts, when that is closed, suffix thereafter)."""
    return Party(
        STATE,
        tuple(
            Period(
                begins,
                (
                    Spelling(date.min, f"{name} {suffix}{ending}"),
                    *((Spelling(closed, f"{name} {after}{ending}"),) if closed else ()),
                ),
            )
            for begins, suffix, closed, after in regimes
        ),
    )


_MALI = (
    (date(1960, 1, 1), "(2002-2012)", None, ""),
    (date(2012, 3, 22), "(2012-2013)", None, ""),
    (date(2013, 8, 10), "(2013-)", date(2020, 9, 28), "(2013-2020)"),
    (date(2020, 8, 18), "(2020-)", date(2021, 7, 5), "(2020-2021)"),
    (date(2021, 5, 24), "(2021-)", None, ""),
)
MALI_ARMY = _of_regimes("Military Forces of Mali", *_MALI)
MALI_GENDARMERIE = _of_regimes("Police Forces of Mali", *_MALI, ending=" Gendarmerie")
MALI_POLICE = _of_regimes("Police Forces of Mali", *_MALI)
BURKINA_ARMY = _of_regimes(
    "Military Forces of Burkina Faso",
    (date(1960, 1, 1), "(1987-2014)", None, ""),
    (date(2015, 11, 29), "(2015-)", date(2022, 3, 7), "(2015-2022)"),
    (date(2022, 1, 24), "(2022-)", None, ""),
)
NIGER_ARMY = _of_regimes(
    "Military Forces of Niger",
    (date(1960, 1, 1), "(2011-2021)", None, ""),
    (date(2021, 4, 2), "(2021-)", date(2023, 9, 11), "(2021-2023)"),
    (date(2023, 7, 26), "(2023-)", None, ""),
)

ISLAMIC_STATE = Party(
    REBEL,
    (
        Period(
            date.min,
            (
                Spelling(date.min, "Islamic State (Greater Sahara)"),
                Spelling(date(2019, 6, 3), "Islamic State (West Africa) - Greater Sahara Faction"),
                Spelling(date(2022, 5, 9), "Islamic State (Sahel)"),
                Spelling(date(2024, 2, 5), "Islamic State Sahel Province (ISSP)"),
            ),
        ),
    ),
)
AL_QAEDA = Party(
    REBEL,
    (
        Period(date.min, (Spelling(date.min, "AQIM: Al Qaeda in the Islamic Maghreb"),)),
        Period(
            date(2017, 3, 2),
            (Spelling(date.min, "JNIM: Group for Support of Islam and Muslims"),),
        ),
    ),
)
ANSAR_DINE = Party(
    REBEL,
    (
        Period(date.min, (Spelling(date.min, "Ansar Dine"),)),
        Period(date(2017, 3, 2), AL_QAEDA.periods[1].spellings),
    ),
)
MACINA = Party(
    REBEL,
    (
        Period(date.min, (Spelling(date.min, "AQIM: Al Qaeda in the Islamic Maghreb"),)),
        Period(date(2015, 1, 1), (Spelling(date.min, "Katiba Macina"),)),
    ),
)
WAGNER = named(EXTERNAL, "Wagner Group")
UNIDENTIFIED = named(MILITIA, "Unidentified Armed Group (Mali)")
DAN_NA_AMBASSAGOU = named(IDENTITY, "Dan Na Ambassagou")
DOZO = named(IDENTITY, "Dozo Communal Militia (Mali)")
KEL_ANSAR = named(IDENTITY, "Kel Ansar Ethnic Militia (Mali)")
CMA = named(MILITIA, "CMA: Coordination of Movements of the Azawad")
VDP = named(MILITIA, "VDP: Volunteer for Defense of Homeland")
_MINUSMA = "MINUSMA: United Nations Multidimensional Integrated Stabilization Mission in Mali"
MINUSMA = Party(
    EXTERNAL,
    (
        Period(
            date.min,
            (
                Spelling(date.min, f"{_MINUSMA} (2013-)"),
                Spelling(date(2024, 1, 8), f"{_MINUSMA} (2013-2023)"),
            ),
        ),
    ),
)
FRANCE = named(EXTERNAL, "Military Forces of France (2017-)")


def civilians(country: str) -> Party:
    """The civilians of a country."""
    return named(CIVILIANS, f"Civilians ({country})")


def protesters(country: str) -> Party:
    """The protesters of a country."""
    return named(PROTESTERS, f"Protesters ({country})")


def rioters(country: str) -> Party:
    """The rioters of a country."""
    return named(RIOTERS, f"Rioters ({country})")
