"""Every common spelling of a country's name finds its code, and nothing is guessed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warden.geodata import countries

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "acled"

# ACLED's names where they are not ISO's.
ACLED = {
    "Akrotiri and Dhekelia": None,
    "Bailiwick of Guernsey": "GGY",
    "Bailiwick of Jersey": "JEY",
    "Bolivia": "BOL",
    "Bosnia and Herzegovina": "BIH",
    "British Virgin Islands": "VGB",
    "Brunei": "BRN",
    "Cape Verde": "CPV",
    "Caribbean Netherlands": "BES",
    "Central African Republic": "CAF",
    "Czech Republic": "CZE",
    "Democratic Republic of Congo": "COD",
    "East Timor": "TLS",
    "eSwatini": "SWZ",
    "Falkland Islands": "FLK",
    "Gambia": "GMB",
    "Iran": "IRN",
    "Ivory Coast": "CIV",
    "Kosovo": "XKX",
    "Laos": "LAO",
    "Micronesia": "FSM",
    "Moldova": "MDA",
    "North Korea": "PRK",
    "North Macedonia": "MKD",
    "Palestine": "PSE",
    "Republic of Congo": "COG",
    "Reunion": "REU",
    "Russia": "RUS",
    "Saint-Barthelemy": "BLM",
    "Saint-Martin": "MAF",
    "Saint Helena, Ascension and Tristan da Cunha": "SHN",
    "Saint Vincent and the Grenadines": "VCT",
    "Sao Tome and Principe": "STP",
    "Sint Maarten": "SXM",
    "South Korea": "KOR",
    "South Sudan": "SSD",
    "Syria": "SYR",
    "Taiwan": "TWN",
    "Tanzania": "TZA",
    "Turkey": "TUR",
    "Vatican City": "VAT",
    "Venezuela": "VEN",
    "Vietnam": "VNM",
    "Virgin Islands, U.S.": "VIR",
    "Western Sahara": "ESH",
}


@pytest.mark.parametrize(("name", "code"), ACLED.items())
def test_acled_s_own_names_are_known(name, code):
    assert countries.resolve(name) == code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("MLI", "MLI"), ("mli", "MLI"), ("ML", "MLI"), ("466", "MLI"), ("4", "AFG"),
        ("Mali", "MLI"), (" mali ", "MLI"), ("MALI", "MLI"), ("Côte d\u2019Ivoire", "CIV"),
        ("cote d'ivoire", "CIV"), ("NO", "NOR"), ("Niger", "NER"), ("Nigeria", "NGA"),
        ("Guinea", "GIN"), ("Guinea-Bissau", "GNB"), ("Guinea Bissau", "GNB"),
        ("Equatorial Guinea", "GNQ"), ("Dominica", "DMA"), ("Dominican Republic", "DOM"),
        ("DRC", "COD"), ("Congo", "COG"), ("Burkina Faso", "BFA"), ("The Gambia", "GMB"),
        ("Sénégal", "SEN"), ("Mauritanie", "MRT"), ("Allemagne", "DEU"), ("مالي", "MLI"),
        ("St. Vincent & the Grenadines", "VCT"), ("0", "XKX"), ("United States", "USA"),
    ],
)  # fmt: skip
def test_common_spellings_are_known(name, code):
    assert countries.resolve(name) == code


@pytest.mark.parametrize(
    "name", ["", "Atlantis", "Mal", "QQ", "999", "12345", "Korea", "Sahel", "²"]
)
def test_nothing_is_guessed(name):
    assert countries.resolve(name) is None


@given(st.text(max_size=30))
def test_any_text_is_answered(text):
    assert countries.resolve(text) is None or countries.resolve(text) in countries.codes()


def test_every_code_stands_for_itself():
    for code in countries.codes():
        assert countries.resolve(code) == code
        assert countries.resolve(countries.name(code)) == code
        assert countries.resolve(countries.alpha_2(code)) == code
        assert countries.alpha_3(countries.alpha_2(code)) == code
        assert countries.resolve(str(countries.number(code))) == code


def test_names_come_in_the_reader_s_language():
    assert countries.name("CIV") == "Côte d\u2019Ivoire"
    assert countries.name("DEU", "fr") == "Allemagne"
    assert countries.name("DEU", "pt-BR") == "Alemanha"
    assert countries.name("XKX", "fr") == "Kosovo"
    assert countries.name("DEU", "no such language") == "Germany"
    assert countries.name("QQQ") == "QQQ"


def test_unknown_codes_have_no_number_and_no_short_code():
    assert countries.number("QQQ") is None
    assert countries.alpha_2("QQQ") is None
    assert countries.alpha_3("QQ") is None


@pytest.mark.skipif(not DATA.is_dir(), reason="the real exports are not here")
def test_every_country_of_real_exports_is_known_by_name_and_number():
    rows = set()
    for path in DATA.glob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows |= {(row["country"], row["iso"]) for row in csv.DictReader(stream)}
    assert rows
    for name, number in sorted(rows):
        assert countries.resolve(name) is not None, name
        assert countries.resolve(name) == countries.resolve(number), name
