"""Countries as sources write them: ISO numbers, alpha-3 codes or names, to alpha-3 and back.

Standing in the flow: row parsers and settings ask here; the names themselves are `geodata`'s.
"""

from __future__ import annotations

from functools import lru_cache

import pycountry

KOSOVO = "XKX"  # ACLED gives it the number 0; ISO 3166 has none


@lru_cache(maxsize=4096)
def resolve(name: str) -> str | None:
    """The alpha-3 code of a country named in any common way, or None."""
    found = pycountry.countries.get(alpha_3=name.upper()) or pycountry.countries.get(name=name)
    if found is None and name.casefold() == "kosovo":
        return KOSOVO
    if found is None:
        try:
            found = pycountry.countries.lookup(name)
        except LookupError:
            return None
    code: str = found.alpha_3
    return code


@lru_cache(maxsize=1024)
def of_number(text: str) -> str | None:
    """The alpha-3 code of an ISO 3166 number ("466", "4", "004"), or None."""
    number = text.strip().removesuffix(".0")
    if not (number.isascii() and number.isdigit()) or len(number) > 3:
        return None
    found = pycountry.countries.get(numeric=number.zfill(3))
    return None if found is None else str(found.alpha_3)


@lru_cache(maxsize=1024)
def number_of(iso3: str) -> int | None:
    """The ISO 3166 number that ACLED filters by, or None if the country has none."""
    if iso3 == KOSOVO:
        return 0
    found = pycountry.countries.get(alpha_3=iso3)
    return None if found is None else int(found.numeric)


@lru_cache(maxsize=1024)
def alpha_2(iso3: str) -> str | None:
    """The alpha-2 code, or None."""
    found = pycountry.countries.get(alpha_3=iso3)
    return None if found is None else str(found.alpha_2)
