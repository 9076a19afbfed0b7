"""Countries as sources write them: ISO numbers, alpha-3 codes or names, to alpha-3 and back.

Standing in the flow: row parsers and settings ask here. The names are `geodata.countries`'s, a
vocabulary without data or state; this file is the only one in this room that looks there.
"""

from __future__ import annotations

import re

from warden.geodata import countries

_NUMBER = re.compile(r"\d{1,3}", re.ASCII)

resolve = countries.resolve
number_of = countries.number
alpha_2 = countries.alpha_2


def of_number(text: str) -> str | None:
    """The alpha-3 code of an ISO 3166 number ("466", "4", "466.0"), or None.

    0 is None too: ACLED writes it for Kosovo, and for anything else it would be a gap.
    """
    number = text.strip().removesuffix(".0")
    if not _NUMBER.fullmatch(number) or int(number) == 0:
        return None
    return countries.resolve(number)
