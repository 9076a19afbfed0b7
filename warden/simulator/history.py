"""A made-up history of political violence in and round Mali, 2012 to 2024, with all its revisions.

Standing in the flow: pure; the demo serves it through `AcledServer`. Every row is invented from a
seeded random generator and says "SIMULATED." in its notes. Yearly figures are calibrated to what
the Africa Center for Strategic Studies published on 24 September 2024 from ACLED's data (see
`BRIEF`), and a few well-known days (Bamako in November 2015 and September 2024, Moura in March
2022, Kati in July 2022) happen at their real place and time with invented details.

How the source behaves is imitated too: coding weeks from Saturday to Friday that come out the next
Monday or Tuesday, some rows weeks or months late, deaths and places corrected, rows stamped again
for a renamed actor, rows deleted because they were merged into another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, TypeVar

from warden.simulator import cast, gazetteer
from warden.simulator.cast import Party
from warden.simulator.gazetteer import Town
from warden.simulator.world import RowHistory, Version

SEED = 20240924
FIRST_YEAR, LAST_YEAR = 2012, 2024
DAY = timedelta(days=1)
JUNE = 6
SPLIT = 2015  # the year in which a part of the movement joined the Islamic State
REGION_ONLY = 3  # ACLED's geo_precision of an event of which only the region is known
Drawn = TypeVar("Drawn")
Encounter = tuple[tuple[str, str], Party, Party | None]  # what kind, between whom

BATTLE = ("Battles", "Armed clash")
IED = ("Explosions/Remote violence", "Remote explosive/landmine/IED")
STRIKE = ("Explosions/Remote violence", "Air/drone strike")
ATTACK = ("Violence against civilians", "Attack")
ABDUCTION = ("Violence against civilians", "Abduction/forced disappearance")
LOOTING = ("Strategic developments", "Looting/property destruction")
PROTEST = ("Protests", "Peaceful protest")
RIOT = ("Riots", "Violent demonstration")
MOB = ("Riots", "Mob violence")

# The brief's figures and years plausible between them.
ROUND_BAMAKO = {
    2012: 0, 2013: 0, 2014: 0, 2015: 1, 2016: 1, 2017: 1, 2018: 2, 2019: 2, 2020: 3, 2021: 6,
    2022: 13, 2023: 20, 2024: 34,
}  # fmt: skip
COASTAL_BORDERS = {2012: 0, 2015: 1, 2018: 0, 2020: 1, 2021: 1, 2022: 2, 2023: 5, 2024: 31}
SOUTH = {2018: 2, 2019: 4, 2020: 8, 2021: 11, 2022: 18, 2023: 22, 2024: 32}
SOUTHERN_DEATHS = {2019: 20, 2020: 38, 2021: 60, 2022: 104, 2023: 167, 2024: 335}
FORCES_EVENTS = {
    2012: 8, 2013: 10, 2014: 4, 2015: 5, 2016: 6, 2017: 8, 2018: 22, 2019: 24, 2020: 80, 2021: 70,
    2022: 120, 2023: 220, 2024: 250,
}  # fmt: skip
FORCES_CIVILIAN_DEATHS = {
    2012: 25, 2013: 30, 2014: 6, 2015: 9, 2016: 12, 2017: 25, 2018: 70, 2019: 84, 2020: 310,
    2021: 240, 2022: 890, 2023: 924, 2024: 1044,
}  # fmt: skip
MOURA_DAY, MOURA_DEATHS = date(2022, 3, 28), 460

# Background events a year: (centre, north, cities, Burkina Faso, Niger, elsewhere).
BACKGROUND = {
    2012: (40, 170, 90, 35, 25, 40), 2013: (40, 190, 90, 40, 30, 35),
    2014: (25, 140, 70, 65, 25, 35), 2015: (60, 150, 80, 55, 65, 40),
    2016: (80, 170, 80, 50, 70, 35), 2017: (150, 220, 90, 55, 70, 35),
    2018: (300, 230, 110, 110, 85, 50), 2019: (420, 230, 110, 230, 95, 50),
    2020: (430, 250, 150, 250, 110, 65), 2021: (430, 220, 130, 270, 120, 50),
    2022: (520, 330, 120, 335, 115, 40), 2023: (540, 360, 110, 335, 130, 60),
    2024: (520, 340, 100, 310, 130, 50),
}  # fmt: skip

# How many weeks after its own release a row comes out, with weights.
LATENESS = (
    ((0, 0), 87.0), ((1, 1), 4.2), ((2, 4), 3.2), ((5, 12), 3.4), ((13, 52), 2.0), ((53, 83), 0.2),
)  # fmt: skip
# What becomes of a row later: nothing, the same row stamped again, a correction of its notes,
# deaths or place, a change without a new stamp, a merger into another row.
CORRECTIONS = (
    ("none", 89.7), ("stamp", 2.0), ("notes", 4.0), ("deaths", 2.5), ("place", 1.0),
    ("unstamped", 0.3), ("merged", 0.5),
)  # fmt: skip
DEATHS = ((0, 44), (1, 16), (2, 11), (3, 9), (4, 5), (5, 4), (6, 3), (8, 2), (10, 5), (12, 1))


@dataclass(frozen=True, slots=True)
class Revision:
    """What the source corrects `after` its first release; `stamped`: with a new stamp."""

    after: timedelta
    changes: Mapping[str, Any] = field(default_factory=dict)
    stamped: bool = True


@dataclass(frozen=True, slots=True)
class Happening:
    """One invented event, before the source has coded it.

    Attributes:
        kind: (event type, sub-event type).
        weeks_late: weeks after the release that covers its day; None = drawn at random.
        revisions: corrections, in order. deleted_after: when the source takes it back.
        steady: the plot depends on it: no random corrections.
    """

    day: date
    town: Town
    kind: tuple[str, str]
    actor1: Party
    actor2: Party | None = None
    assoc1: Party | None = None
    assoc2: Party | None = None
    deaths: int = 0
    lat: float = 0.0
    lon: float = 0.0
    place: str = ""
    geo_precision: int = 1
    time_precision: int = 1
    remark: str = ""
    weeks_late: int | None = None
    revisions: tuple[Revision, ...] = ()
    deleted_after: timedelta | None = None
    steady: bool = False

    @property
    def against_civilians(self) -> bool:
        """Whether civilians were the target."""
        return self.kind[0] in {ATTACK[0], IED[0]} and (
            self.actor2 is not None and self.actor2.inter == cast.CIVILIANS
        )


def simulated_history(*, seed: int = SEED, scale: float = 1.0) -> tuple[RowHistory, ...]:
    """Make the whole history; the same seed and scale give the same rows.

    `scale` shortens the background (for quick tests); what the plot depends on stays whole.
    """
    random = Random(seed)
    happenings = list(_plot(random))
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        happenings += _background(year, scale, random)
    happenings.sort(key=lambda happening: happening.day)
    counts: dict[str, int] = {}
    histories = []
    for happening in happenings:
        iso3 = happening.town.iso3
        counts[iso3] = counts.get(iso3, 0) + 1
        histories.append(_coded(happening, f"{iso3}9{counts[iso3]:05d}", random))
    return tuple(histories)


# --- the plot: what the rules are about ---------------------------------------------------------


def _plot(random: Random) -> Iterator[Happening]:
    """Everything that the yearly figures count, and the scripted surprises."""
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        southern = [*_round_bamako(year, random), *_along_borders(year, random)]
        southern += _in_the_south(year, random)
        yield from _with_deaths(southern, SOUTHERN_DEATHS.get(year), random)
        yield from _by_forces(year, random)
        yield from _unclaimed(year, random)
    yield from _withdrawn(random)


def _round_bamako(year: int, random: Random) -> list[Happening]:
    """Militants' attacks within 150 km of Bamako, as many as that year's figure."""
    scripted = [h for h in _scripted_round_bamako() if h.day.year == year]
    missing = ROUND_BAMAKO[year] - len(scripted)
    taken = [happening.day for happening in scripted]
    days = _even_days(year, missing, random, taken)
    return scripted + [_militant(day, gazetteer.ROUND_BAMAKO, random) for day in days]


def _scripted_round_bamako() -> list[Happening]:
    """Days that are known, or that show what a late, corrected or recoded row does."""
    jnim, macina, army = cast.AL_QAEDA, cast.MACINA, cast.MALI_ARMY
    gendarmes, people = cast.MALI_GENDARMERIE, cast.civilians("Mali")
    weeks = timedelta(weeks=1)

    def at(day: date, town: Town, kind: tuple[str, str], against: Party, **more: Any) -> Happening:
        more = {"assoc1": macina, "weeks_late": 0, "steady": True, **more}
        return Happening(day, town, kind, jnim, against, lat=town.lat, lon=town.lon,
                         place=town.name, **more)  # fmt: skip

    return [
        at(date(2015, 11, 20), gazetteer.HIPPODROME, ATTACK, people, deaths=20, assoc1=None,
           remark="Gunmen held guests of a hotel."),
        # Told more than a year late: historic, so a line in a weekly summary.
        at(date(2021, 2, 9), gazetteer.DIDIENI, ATTACK, people, deaths=2, weeks_late=58),
        at(date(2021, 4, 2), gazetteer.FANA, IED, army, deaths=1),
        # Reported twice; the second row is deleted later (see _withdrawn).
        at(date(2021, 6, 15), gazetteer.SEBEKORO, BATTLE, gendarmes, deaths=3),
        at(date(2021, 8, 25), gazetteer.MASSANTOLA, ABDUCTION, people),
        at(date(2021, 10, 20), gazetteer.DIOILA, ATTACK, people, deaths=1),
        at(date(2021, 12, 8), gazetteer.KOLOKANI, IED, gendarmes, deaths=2),
        at(date(2022, 1, 20), gazetteer.BANAMBA, ABDUCTION, people),
        at(date(2022, 3, 9), gazetteer.DIOILA, IED, army, deaths=2),
        # The cluster of May 2022, two months before Kati.
        at(date(2022, 5, 4), gazetteer.KOLOKANI, BATTLE, gendarmes, deaths=2),
        at(date(2022, 5, 12), gazetteer.BANAMBA, ATTACK, people, deaths=1),
        at(date(2022, 5, 19), gazetteer.FANA, BATTLE, cast.MALI_POLICE, deaths=3),
        at(date(2022, 7, 15), gazetteer.ZANTIGUILA, BATTLE, cast.MALI_POLICE, deaths=6,
           revisions=(Revision(3 * weeks, {"deaths": 4}),)),
        at(date(2022, 7, 21), gazetteer.KOLOKANI, BATTLE, gendarmes, deaths=1),
        at(date(2022, 7, 21), gazetteer.DIDIENI, BATTLE, army, deaths=3),
        at(date(2022, 7, 22), gazetteer.KATI, BATTLE, army, deaths=2, geo_precision=2,
           remark="Two vehicles with explosives were driven at a camp outside the town."),
        at(date(2022, 8, 24), gazetteer.MASSANTOLA, IED, gendarmes, deaths=1),
        at(date(2022, 10, 14), gazetteer.DIDIENI, ATTACK, people, deaths=2),
        at(date(2022, 11, 22), gazetteer.DIOILA, ABDUCTION, people),
        at(date(2022, 12, 27), gazetteer.SEBEKORO, BATTLE, gendarmes, deaths=2),
        # Takes the place of a row that is deleted in the same release (see _withdrawn).
        at(date(2023, 8, 16), gazetteer.KASSELA, BATTLE, gendarmes, deaths=3, weeks_late=4),
        # Nobody is named at first; five weeks later the source knows who it was.
        at(date(2023, 11, 7), gazetteer.MASSANTOLA, IED, army, deaths=2,
           revisions=(Revision(timedelta(0), {"actor1": cast.UNIDENTIFIED, "assoc1": None}),
                      Revision(5 * weeks, {"actor1": jnim, "assoc1": macina}))),
        # Deaths rise with the second report.
        at(date(2023, 2, 14), gazetteer.FANA, BATTLE, army, deaths=12,
           revisions=(Revision(timedelta(0), {"deaths": 3}),
                      Revision(3 * weeks, {"deaths": 12}))),
        at(date(2024, 3, 12), gazetteer.DIDIENI, BATTLE, army, deaths=17,
           revisions=(Revision(timedelta(0), {"deaths": 6}),
                      Revision(2 * weeks, {"deaths": 17}))),
        # Ten weeks late, still young enough to be told.
        at(date(2024, 1, 16), gazetteer.BANAMBA, ATTACK, people, deaths=3, weeks_late=9),
        # Only the region is known: coded on its capital.
        at(date(2024, 5, 22), gazetteer.KOULIKORO, ABDUCTION, people, geo_precision=3),
        at(date(2024, 9, 17), gazetteer.FALADIE, BATTLE, gendarmes, deaths=70,
           remark="A gendarmerie school was attacked."),
        at(date(2024, 9, 17), gazetteer.SENOU, BATTLE, army, deaths=7,
           remark="The military side of the airport was attacked."),
    ]  # fmt: skip


def _withdrawn(random: Random) -> Iterator[Happening]:
    """Rows near Bamako that do not last, so that no yearly figure counts them in the end."""
    months = timedelta(weeks=4)
    common: dict[str, Any] = {"assoc1": cast.MACINA, "weeks_late": 0, "steady": True}
    double = _at(date(2021, 6, 16), gazetteer.SEBEKORO, random, spread_km=6.0)
    yield Happening(**double, kind=BATTLE, actor1=cast.AL_QAEDA, actor2=cast.MALI_GENDARMERIE,
                    deaths=3, deleted_after=months, **common)  # fmt: skip
    alone = _at(date(2023, 4, 11), gazetteer.DIOILA, random)
    yield Happening(**alone, kind=ATTACK, actor1=cast.AL_QAEDA, deaths=4,
                    actor2=cast.civilians("Mali"), deleted_after=months, **common)  # fmt: skip
    replaced = _at(date(2023, 8, 15), gazetteer.KASSELA, random, spread_km=6.0)
    yield Happening(**replaced, kind=BATTLE, actor1=cast.AL_QAEDA, actor2=cast.MALI_GENDARMERIE,
                    deaths=2, deleted_after=timedelta(weeks=3), **common)  # fmt: skip
    moved = gazetteer.SEGALA
    elsewhere = {"town": moved, "place": moved.name, "lat": 14.105, "lon": -7.96}
    first = _at(date(2022, 10, 5), gazetteer.DIDIENI, random)
    yield Happening(**first, kind=IED, actor1=cast.AL_QAEDA, actor2=cast.MALI_ARMY, deaths=1,
                    revisions=(Revision(months, elsewhere),), **common)  # fmt: skip


def _along_borders(year: int, random: Random) -> list[Happening]:
    """Militants' attacks within 50 km of the borders with the coastal neighbours."""
    number = COASTAL_BORDERS.get(year, 0)
    return [
        _militant(day, gazetteer.COASTAL_BORDERS, random)
        for day in _even_days(year, number, random)
    ]


def _in_the_south(year: int, random: Random) -> list[Happening]:
    """Militants' attacks in the rest of the south."""
    number = SOUTH.get(year, 0)
    return [_militant(day, gazetteer.SOUTH, random) for day in _even_days(year, number, random)]


def _militant(day: date, towns: tuple[Town, ...], random: Random) -> Happening:
    """An attack in which al Qaeda's groups take part."""
    people = cast.civilians("Mali")
    kind, against = random.choice(
        [(BATTLE, cast.MALI_ARMY), (BATTLE, cast.MALI_GENDARMERIE), (IED, cast.MALI_ARMY),
         (ATTACK, people), (ATTACK, people), (ABDUCTION, people)]
    )  # fmt: skip
    return Happening(
        **_at(day, random.choice(towns), random, spread_km=4.0),
        kind=kind,
        actor1=cast.AL_QAEDA,
        actor2=against,
        assoc1=random.choice([None, cast.MACINA]),
        geo_precision=random.choice([1, 1, 1, 2, 2]),
        weeks_late=_weeks_late(random, at_most=_most_weeks(day, 8)),
        steady=True,
    )


def _with_deaths(
    happenings: list[Happening], total: int | None, random: Random
) -> Iterator[Happening]:
    """Spread a year's deaths over its attacks, half of them over each half of the year."""
    if total is None:
        yield from happenings
        return
    for first_half in (True, False):
        half = [h for h in happenings if (h.day.month <= JUNE) == first_half]
        free = [h for h in half if not h.deaths]
        share = total // 2 if first_half else total - total // 2
        left = max(share - sum(h.deaths for h in half), 0)
        yield from (h for h in half if h.deaths)
        for happening, deaths in zip(free, _shares(left, len(free), 14, random), strict=True):
            yield replace(happening, deaths=deaths)


def _by_forces(year: int, random: Random) -> Iterator[Happening]:
    """Malian forces and Wagner in events with civilian victims; deaths as that year's figure."""
    total, number = FORCES_CIVILIAN_DEATHS[year], FORCES_EVENTS[year]
    if year == MOURA_DAY.year:
        total -= MOURA_DEATHS
        yield _moura()
    days = _even_days(year, number, random)
    halves = [day for day in days if day.month <= JUNE], [day for day in days if day.month > JUNE]
    deaths = _shares(total // 2, len(halves[0]), 40, random)
    deaths += _shares(total - total // 2, len(halves[1]), 40, random)
    for day, dead in zip([*halves[0], *halves[1]], deaths, strict=True):
        first, second = _forces(day, random)
        yield Happening(
            **_at(day, random.choice(gazetteer.CENTRE + gazetteer.NORTH), random, spread_km=20.0),
            kind=STRIKE if _happens(0.08, random) else ATTACK,
            actor1=first,
            assoc1=second,
            actor2=cast.civilians("Mali"),
            deaths=dead,
            geo_precision=random.choice([1, 1, 2]),
            weeks_late=_weeks_late(random, at_most=_most_weeks(day, 12)),
            steady=True,
        )


def _forces(day: date, random: Random) -> tuple[Party, Party | None]:
    """Who is named first and who beside: the army, Wagner (since December 2021), or both."""
    if day < date(2021, 12, 20):
        return cast.MALI_ARMY, None
    return random.choice(
        [(cast.MALI_ARMY, cast.WAGNER), (cast.WAGNER, cast.MALI_ARMY), (cast.MALI_ARMY, None)]
    )


def _moura() -> Happening:
    return Happening(
        day=MOURA_DAY, town=gazetteer.MOURA, kind=ATTACK, actor1=cast.MALI_ARMY,
        assoc1=cast.WAGNER, actor2=cast.civilians("Mali"), deaths=MOURA_DEATHS,
        lat=gazetteer.MOURA.lat, lon=gazetteer.MOURA.lon, place="Moura", time_precision=2,
        weeks_late=1, steady=True,
        revisions=(
            Revision(timedelta(0), {"deaths": 200}),
            Revision(timedelta(weeks=3), {"deaths": 300}),
            Revision(timedelta(weeks=58), {"deaths": MOURA_DEATHS}),
        ),
    )  # fmt: skip


def _unclaimed(year: int, random: Random) -> Iterator[Happening]:
    """Unidentified armed groups and hunters near Bamako, whom no rule may take for militants."""
    number = max(1, year - 2018)
    for day in _even_days(year, number, random):
        against = random.choice([cast.MALI_POLICE, cast.civilians("Mali")])
        yield Happening(
            **_at(day, random.choice(gazetteer.ROUND_BAMAKO), random, spread_km=6.0),
            kind=BATTLE if against is cast.MALI_POLICE else ATTACK,
            actor1=random.choice([cast.UNIDENTIFIED, cast.UNIDENTIFIED, cast.DOZO]),
            actor2=against,
            deaths=random.choice([0, 0, 1, 2]),
        )


# --- the background: what the rules must let pass -------------------------------------------------


def _background(year: int, scale: float, random: Random) -> Iterator[Happening]:
    """Everything else that a feed of seven countries holds."""
    centre, north, cities, burkina, niger, elsewhere = (
        round(number * scale) for number in BACKGROUND[year]
    )
    for day in _even_days(year, centre, random):
        yield _conflict(day, gazetteer.CENTRE, cast.MACINA, random)
    for day in _even_days(year, north, random):
        islamists = [cast.AL_QAEDA, cast.ISLAMIC_STATE if year >= SPLIT else cast.ANSAR_DINE]
        yield _conflict(day, gazetteer.NORTH, random.choice(islamists), random)
    for day in _even_days(year, cities, random):
        yield _unrest(day, random.choice(gazetteer.CITIES), random)
    for day in _even_days(year, burkina, random):
        yield _abroad(day, gazetteer.BURKINA_FASO, cast.BURKINA_ARMY, random)
    for day in _even_days(year, niger, random):
        yield _abroad(day, gazetteer.NIGER, cast.NIGER_ARMY, random)
    for day in _even_days(year, elsewhere, random):
        towns = gazetteer.ELSEWHERE[random.choice(("CIV", "GIN", "GIN", "SEN", "SEN", "MRT"))]
        yield _unrest(day, random.choice(towns), random)


def _conflict(day: date, towns: tuple[Town, ...], islamists: Party, random: Random) -> Happening:
    """War in the centre and the north of Mali."""
    people = cast.civilians("Mali")
    what: Encounter = random.choices(
        (
            (BATTLE, islamists, cast.MALI_ARMY),
            (IED, islamists, random.choice([cast.MALI_ARMY, cast.MINUSMA, people])),
            (ATTACK, islamists, people),
            (ABDUCTION, islamists, people),
            (BATTLE, islamists, random.choice([cast.DAN_NA_AMBASSAGOU, cast.DOZO, cast.CMA])),
            (ATTACK, cast.DAN_NA_AMBASSAGOU, people),
            (LOOTING, islamists, people),
            (ATTACK, cast.UNIDENTIFIED, people),
            (STRIKE, cast.MALI_ARMY, islamists),
            (BATTLE, random.choice([cast.KEL_ANSAR, cast.FRANCE]), islamists),
        ),
        weights=(20, 14, 14, 8, 7, 6, 12, 10, 5, 4),
    )[0]
    return _drawn(day, random.choice(towns), what, random)


def _abroad(day: date, towns: tuple[Town, ...], army: Party, random: Random) -> Happening:
    """War in a neighbouring country."""
    town = random.choice(towns)
    people = cast.civilians(gazetteer.COUNTRIES[town.iso3].name)
    islamists = random.choice([cast.AL_QAEDA, cast.ISLAMIC_STATE, cast.ISLAMIC_STATE])
    what: Encounter = random.choices(
        (
            (BATTLE, islamists, army),
            (ATTACK, islamists, people),
            (BATTLE, islamists, cast.VDP),
            (LOOTING, islamists, people),
            (PROTEST, cast.protesters(gazetteer.COUNTRIES[town.iso3].name), None),
        ),
        weights=(30, 30, 14, 14, 12),
    )[0]
    return _drawn(day, town, what, random)


def _unrest(day: date, town: Town, random: Random) -> Happening:
    """Protests and riots."""
    country = gazetteer.COUNTRIES[town.iso3].name
    kind = random.choices((PROTEST, RIOT, MOB), weights=(80, 12, 8))[0]
    first = cast.protesters(country) if kind is PROTEST else cast.rioters(country)
    second = cast.civilians(country) if kind is MOB else None
    return replace(
        _drawn(day, town, (kind, first, second), random),
        deaths=1 if kind is MOB and _happens(0.4, random) else 0,
        geo_precision=1,
    )


def _drawn(day: date, town: Town, what: Encounter, random: Random) -> Happening:
    """A background event with everything else drawn at random."""
    kind, first, second = what
    deaths = 0
    if kind not in {LOOTING, PROTEST, ABDUCTION}:
        deaths = _draw(DEATHS, random)
        if _happens(0.006, random):  # some seven a year
            deaths = random.randint(15, 60)
    happening = Happening(
        **_at(day, town, random, spread_km=18.0),
        kind=kind,
        actor1=first,
        actor2=second,
        deaths=deaths,
        geo_precision=random.choices((1, 2, 3), weights=(46, 48, 6))[0],
        time_precision=random.choices((1, 2, 3), weights=(88, 10, 2))[0],
    )
    return _corrected(_as_coded(happening), random)


def _as_coded(happening: Happening) -> Happening:
    """Where the point goes that is not known well: the town, or the region's capital."""
    town = happening.town
    if happening.geo_precision == REGION_ONLY:
        town = gazetteer.CAPITALS.get(town.admin1, town)
    if happening.geo_precision == 1:
        return happening
    return replace(happening, town=town, lat=town.lat, lon=town.lon, place=town.name)


def _corrected(happening: Happening, random: Random) -> Happening:
    """Some rows are corrected later, a few taken back."""
    what = _draw(CORRECTIONS, random)
    if what == "none":
        return happening
    after = timedelta(weeks=random.randint(1, 30))
    if what == "merged":
        return replace(happening, deleted_after=after)
    changes: dict[str, Any] = {}
    if what == "notes":
        changes = {"remark": "Another source confirms this."}
    elif what == "deaths":
        changes = {"deaths": max(0, happening.deaths + random.choice([-1, 1, 4]))}
    elif what == "place":
        changes = {"lat": round(happening.lat + 0.25, 4), "geo_precision": 2}
    elif what == "unstamped":
        changes = {"remark": "Corrected."}
    return replace(happening, revisions=(Revision(after, changes, stamped=what != "unstamped"),))


# --- days, places and shares --------------------------------------------------------------------


def _even_days(
    year: int, number: int, random: Random, taken: list[date] | None = None
) -> list[date]:
    """`number` days spread evenly over a year, counting in those already taken."""
    days: list[date] = []
    if number <= 0:
        return days
    taken, first = list(taken or ()), date(year, 1, 1)
    slots = number + len(taken)
    length = (_last_day(year) - first).days / slots
    held: dict[int, int] = {}
    for day in taken:
        slot = min(int((day - first).days / length), slots - 1)
        held[slot] = held.get(slot, 0) + 1
    surplus = sum(count - 1 for count in held.values())
    for slot in range(slots):
        if slot in held:
            continue
        if surplus and len(days) + surplus >= number:
            surplus -= 1
            continue
        days.append(first + int((slot + random.random()) * length) * DAY)
    return days[:number]


def _last_day(year: int) -> date:
    """The last year's plot ends in time to be published within that year."""
    return date(year, 12, 19 if year == LAST_YEAR else 30)


def _shares(total: int, number: int, most: int, random: Random) -> list[int]:
    """`number` whole parts of `total`, uneven, many nought; over `most` only if it must be."""
    if not number:
        return []
    weights = [random.expovariate(1.0) ** 1.2 for _ in range(number)]
    scale = total / (sum(weights) or 1.0)
    parts = [min(int(weight * scale), most) for weight in weights]
    missing = total - sum(parts)
    while missing > 0:
        room = [index for index, part in enumerate(parts) if part < most] or list(range(number))
        for index in random.sample(room, min(missing, len(room))):
            parts[index] += 1
            missing -= 1
    return parts


def _at(day: date, town: Town, random: Random, *, spread_km: float = 0.0) -> dict[str, Any]:
    """Fields of a happening in or near a town (never farther than `spread_km`)."""
    north_km, east_km = (random.uniform(-0.7, 0.7) * spread_km for _ in range(2))
    near = abs(north_km) + abs(east_km) > 2.0  # noqa: PLR2004 - outside a town
    return {
        "day": day,
        "town": town,
        "lat": round(town.lat + north_km / 111.0, 4),
        "lon": round(town.lon + east_km / 107.0, 4),
        "place": f"{town.name} - Environs" if near else town.name,
    }


def _draw(weighted: tuple[tuple[Drawn, float], ...], random: Random) -> Drawn:
    """One of the values, by their weights."""
    weights = [weight for _, weight in weighted]
    return random.choices(weighted, weights)[0][0]


def _happens(probability: float, random: Random) -> bool:
    return random.random() < probability


def _weeks_late(random: Random, *, at_most: int = 83) -> int:
    low, high = _draw(LATENESS, random)
    return min(random.randint(low, high), at_most)


def _most_weeks(day: date, most: int) -> int:
    """So many weeks late may a row be that is to be published before Christmas 2024."""
    return max(0, min(most, (_last_day(LAST_YEAR) - day).days // 7))


# --- releases and rows --------------------------------------------------------------------------


def release_monday(day: date, weeks_late: int = 0) -> date:
    """The Monday on which the coding week (Saturday to Friday) of that day comes out.

    Nothing comes out between Christmas and New Year; that batch comes a week later.
    """
    friday = day + (4 - day.weekday()) % 7 * DAY
    monday = friday + (3 + 7 * weeks_late) * DAY
    while (monday.month, monday.day) >= (12, 24) or (monday.month, monday.day) == (1, 1):
        monday += 7 * DAY
    return monday


def _release_at(monday: date, random: Random) -> datetime:
    """One of the few moments of a release: Monday or Tuesday, 13 to 23 h UTC."""
    tuesday = _happens(0.4, random)
    hour, minute = random.choice(((14, 5), (16, 40), (19, 12), (21, 48)))
    return datetime.combine(monday + tuesday * DAY, time(hour, minute), UTC)


def _coded(happening: Happening, source_id: str, random: Random) -> RowHistory:
    """All versions of the row that the source makes of a happening."""
    weeks = _weeks_late(random) if happening.weeks_late is None else happening.weeks_late
    if source_id == LATEST_OF_ALL:
        weeks = 84
    first = _release_at(release_monday(happening.day, weeks), random)
    versions: list[Version] = []
    for at, change in _moments(happening, first, random):
        if change.changes:
            happening = replace(happening, **change.changes)
        stamp = None if change.stamped or not versions else versions[-1].unix
        versions.append(Version(at, _row(happening, source_id, at), stamp))
    if happening.deleted_after is not None:
        end = _release_at(release_monday(first.date()), random) + happening.deleted_after
        versions = [version for version in versions if version.known_at < end]
        versions.append(Version(end, None))
    return RowHistory(source_id, tuple(versions))


LATEST_OF_ALL = "MLI901500"  # this one row comes out some 595 days after the event


def _moments(
    happening: Happening, first: datetime, random: Random
) -> list[tuple[datetime, Revision]]:
    """When a row is published: at first, at each correction, at each renaming of its actors."""
    moments = {first: Revision(timedelta(0))}
    for revision in happening.revisions:
        at = first
        if revision.after:
            at = _release_at(release_monday(first.date() + revision.after), random)
        moments[at] = revision
    for party in _parties(happening):
        for spelling in party.spellings(happening.day)[1:]:
            later = spelling.since + timedelta(weeks=random.randint(0, 11))
            at = _release_at(release_monday(later), random)
            if at > first:
                moments.setdefault(at, Revision(timedelta(0)))
    return sorted(moments.items(), key=lambda moment: moment[0])


def _parties(happening: Happening) -> list[Party]:
    parties = (happening.actor1, happening.assoc1, happening.actor2, happening.assoc2)
    return [party for party in parties if party is not None]


def _row(happening: Happening, source_id: str, at: datetime) -> dict[str, Any]:
    """The row in ACLED's columns, with the names as they are spelt at that time."""

    def name(party: Party | None) -> str:
        if party is None:
            return ""
        spellings = party.spellings(happening.day)
        if len(spellings) == 1:
            return spellings[0].name
        return [spelling.name for spelling in spellings if spelling.since <= at.date()][-1]

    country = gazetteer.COUNTRIES[happening.town.iso3]
    event_type, sub_event_type = happening.kind
    inter1 = happening.actor1.inter
    inter2 = happening.actor2.inter if happening.actor2 else 0
    return {
        "event_id_cnty": source_id,
        "event_date": happening.day.isoformat(),
        "year": happening.day.year,
        "time_precision": happening.time_precision,
        "disorder_type": _disorder(happening.kind),
        "event_type": event_type,
        "sub_event_type": sub_event_type,
        "actor1": name(happening.actor1),
        "assoc_actor_1": name(happening.assoc1),
        "inter1": inter1,
        "actor2": name(happening.actor2),
        "assoc_actor_2": name(happening.assoc2),
        "inter2": inter2,
        "interaction": inter1 * 10 + inter2 if not inter2 or inter1 <= inter2
        else inter2 * 10 + inter1,
        "civilian_targeting": "Civilian targeting" if happening.against_civilians else "",
        "iso": country.iso,
        "region": "Western Africa",
        "country": country.name,
        "admin1": happening.town.admin1,
        "admin2": happening.town.admin2,
        "admin3": "",
        "location": happening.place,
        "latitude": happening.lat,
        "longitude": happening.lon,
        "geo_precision": happening.geo_precision,
        "source": "Simulated source",
        "source_scale": "Other",
        "notes": _notes(happening, name),
        "fatalities": happening.deaths,
        "tags": "crowd size=no report" if event_type in {"Protests", "Riots"} else "",
    }  # fmt: skip


def _disorder(kind: tuple[str, str]) -> str:
    if kind[0] == "Strategic developments":
        return "Strategic developments"
    return "Demonstrations" if kind in {PROTEST, RIOT} else "Political violence"


def _notes(happening: Happening, name: Any) -> str:
    day = f"{happening.day.day} {happening.day:%B %Y}"
    against = f" and {name(happening.actor2)}" if happening.actor2 else ""
    text = (
        f"SIMULATED. On {day}, {happening.kind[1].lower()} involving {name(happening.actor1)}"
        f"{against}, {happening.place} ({happening.town.admin1})."
    )
    deaths = f" {happening.deaths} fatalities." if happening.deaths else ""
    return f"{text}{deaths} {happening.remark}".rstrip()
