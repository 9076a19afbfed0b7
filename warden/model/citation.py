"""How a source wants to be cited. ACLED's terms ask for the access date and the filters used."""

from __future__ import annotations

_NAMES: dict[str, str] = {
    "acled": "ACLED (Armed Conflict Location & Event Data), www.acleddata.com",
    "ucdp": "UCDP, Uppsala Conflict Data Program, ucdp.uu.se",
}


def source_name(dataset: str) -> str:
    """The name a dataset is cited under; the dataset's own where nothing better is known."""
    return _NAMES.get(dataset.casefold(), dataset)


def citation(dataset: str, accessed: str, filters: str = "", *, words: str = "") -> str:
    """One line of citation.

    `accessed` is the date as it is to be read, `filters` what was asked for, `words` a pattern
    with `{name}`, `{accessed}` and `{filters}` in the reader's language; English without one.
    """
    pattern = words or (
        "Source: {name}. Accessed {accessed}. Filters: {filters}."
        if filters
        else "Source: {name}. Accessed {accessed}."
    )
    return (
        pattern.replace("{name}", source_name(dataset))
        .replace("{accessed}", accessed)
        .replace("{filters}", filters)
    )
