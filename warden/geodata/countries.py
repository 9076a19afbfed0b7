"""Names of countries: any common spelling to ISO 3166-1 alpha-3, and back to a language's own.

Names come from pycountry (ISO's names) and Babel (what people say, in several languages); the
table below holds only what neither knows, mostly ACLED's own spellings.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from warden.model.text import fold

KOSOVO = "XKX"  # a user-assigned code; ISO 3166 has none, ACLED writes the number 0

# Languages whose names of countries are understood.
_LANGUAGES = ("en", "fr", "es", "pt", "de", "ar")

# Spellings beyond ISO and Babel, folded when the table is built.
_ALSO_KNOWN_AS: dict[str, tuple[str, ...]] = {
    "BHS": ("Bahamas", "The Bahamas"),
    "BES": ("Bonaire", "Caribbean Netherlands", "Bonaire, Saint Eustatius and Saba"),
    "BIH": ("Bosnia", "Bosnia-Herzegovina"),
    "BLM": ("Saint-Barthelemy", "St Barthelemy"),
    "BRN": ("Brunei",),
    "CAF": ("CAR", "Central African Rep."),
    "CIV": ("Ivory Coast", "Cote d Ivoire"),
    "COD": (
        "Democratic Republic of Congo",
        "Democratic Republic of the Congo",
        "DR Congo",
        "DRC",
        "Congo (Kinshasa)",
        "Congo-Kinshasa",
        "Zaire",
    ),
    "COG": (
        "Republic of Congo",
        "Republic of the Congo",
        "Congo (Brazzaville)",
        "Congo-Brazzaville",
        "Congo Republic",
    ),
    "CPV": ("Cape Verde",),
    "CZE": ("Czech Republic",),
    "FLK": ("Falkland Islands", "Falklands", "Islas Malvinas"),
    "FSM": ("Micronesia",),
    "GBR": ("UK", "Britain", "Great Britain", "England"),
    "GGY": ("Bailiwick of Guernsey",),
    "GMB": ("The Gambia",),
    "GNB": ("Guinea Bissau",),
    "GUF": ("Guyane",),
    "HKG": ("Hong Kong SAR", "Hong Kong, China"),
    "JEY": ("Bailiwick of Jersey",),
    "KOR": ("South Korea", "Republic of Korea"),
    "PRK": ("North Korea", "DPRK"),
    "LAO": ("Laos",),
    "MAC": ("Macau", "Macao SAR"),
    "MAF": ("Saint-Martin", "Saint Martin", "St Martin"),
    "MKD": ("Macedonia", "FYROM"),
    "MMR": ("Burma",),
    "PSE": ("Palestine", "Occupied Palestinian Territory", "Palestinian Territory", "West Bank"),
    "REU": ("Reunion Island",),
    "RUS": ("Russia",),
    "SHN": ("Saint Helena, Ascension and Tristan da Cunha", "Saint Helena"),
    "SPM": ("Saint Pierre and Miquelon",),
    "STP": ("Sao Tome and Principe",),
    "SWZ": ("eSwatini", "Swaziland"),
    "SXM": ("Sint Maarten", "St Maarten"),
    "SYR": ("Syria",),
    "TLS": ("East Timor",),
    "TUR": ("Turkey", "Turkiye"),
    "TWN": ("Taiwan",),
    "TZA": ("Tanzania",),
    "UMI": ("United States Minor Outlying Islands",),
    "USA": ("US", "U.S.", "U.S.A.", "United States of America", "America"),
    "VAT": ("Vatican", "Vatican City", "Holy See"),
    "VCT": ("Saint Vincent and the Grenadines", "Saint Vincent"),
    "VIR": ("Virgin Islands, U.S.", "US Virgin Islands"),
    "VGB": ("British Virgin Islands",),
    "WLF": ("Wallis and Futuna",),
    KOSOVO: ("Kosovo", "XKX", "XKK", "XKO", "XK"),
}


@lru_cache(maxsize=8192)
def resolve(name: str) -> str | None:
    """Give the alpha-3 code of a country, or None.

    Understood: alpha-3 and alpha-2 codes, ISO numbers ("466", "4", "004"), ISO's short and
    official names, common names in several languages and ACLED's, whatever their case and
    accents. A word of a name is not enough: nothing is guessed.
    """
    key = fold(name)
    if key.isascii() and key.isdigit():
        return _sure().get(key.zfill(3))
    bare = _bare(key)
    return _sure().get(bare) or _table().get(bare)


def name(iso3: str, language: str = "en") -> str:
    """Give a country's name in a language (a Babel locale), or the code itself if unknown."""
    return _names(language).get(alpha_2(iso3) or "", iso3)


@lru_cache(maxsize=1024)
def alpha_2(iso3: str) -> str | None:
    """Give the alpha-2 code of a country, or None; Kosovo's is XK."""
    if iso3 == KOSOVO:
        return "XK"
    found = _iso().get(alpha_3=iso3)
    return None if found is None else str(found.alpha_2)


@lru_cache(maxsize=1024)
def alpha_3(alpha2: str) -> str | None:
    """Give the alpha-3 code for an alpha-2 code, or None."""
    if alpha2 == "XK":
        return KOSOVO
    found = _iso().get(alpha_2=alpha2)
    return None if found is None else str(found.alpha_3)


@lru_cache(maxsize=1024)
def number(iso3: str) -> int | None:
    """Give the ISO 3166 number by which ACLED filters (its number for Kosovo is 0), or None."""
    if iso3 == KOSOVO:
        return 0
    found = _iso().get(alpha_3=iso3)
    return None if found is None else int(found.numeric)


def names() -> list[str]:
    """What all countries are called in the languages that are understood, English first."""
    spellings = (
        spelling
        for language in _LANGUAGES
        for alpha2, spelling in _names(language).items()
        if alpha_3(alpha2) is not None
    )
    return list(dict.fromkeys(spellings))


@cache
def codes() -> frozenset[str]:
    """All alpha-3 codes."""
    return frozenset(country.alpha_3 for country in _iso()) | {KOSOVO}


@cache
def _table() -> dict[str, str]:
    """Folded spelling -> alpha-3; a spelling that two countries share names neither."""
    table: dict[str, str] = {}
    for language in reversed(_LANGUAGES):  # where languages disagree, the first has its way
        for alpha2, spelling in _names(language).items():
            if (iso3 := alpha_3(alpha2)) is not None:
                table[_bare(fold(spelling))] = iso3
    return table | _sure()


@cache
def _sure() -> dict[str, str]:
    """The spellings that have the last word. Few names need more, which takes longer to read in."""
    table: dict[str, str] = {}
    for country in _iso():
        for attribute in ("official_name", "common_name", "name", "alpha_2", "alpha_3", "numeric"):
            if (value := getattr(country, attribute, None)) is not None:
                table[_bare(fold(str(value)))] = country.alpha_3
    for iso3, spellings in _ALSO_KNOWN_AS.items():
        table.update({_bare(fold(spelling)): iso3 for spelling in spellings})
    table["000"] = KOSOVO
    return table


def _bare(key: str) -> str:
    """A folded spelling without the marks and small words in which spellings differ."""
    plain = key.replace("&", " and ").replace("-", " ").replace(".", "")
    plain = plain.replace("'", " ").replace("(", " ").replace(")", " ").replace(",", " ")
    words = ["saint" if word in {"st", "ste"} else word for word in plain.split()]
    return " ".join(words[1:] if len(words) > 1 and words[0] == "the" else words)


@cache
def _names(language: str) -> dict[str, str]:
    """Alpha-2 -> name in a language; English where the language has none."""
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415 (imports stay cheap)

    try:
        locale = Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        locale = Locale.parse("en")
    return dict(locale.territories)


@cache
def _iso() -> Any:
    """ISO's list, loaded with its first use."""
    import pycountry  # noqa: PLC0415 (imports stay cheap)

    return pycountry.countries
