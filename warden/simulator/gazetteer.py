"""Where simulated events happen: towns with rounded coordinates, grouped into theatres.

Standing in the flow: read by `history`. The towns are real, what happens in them is invented.
Theatres are chosen so that what the rules measure (150 km round Bamako, 50 km along the coastal
neighbours' borders, the south) is reached only by the theatres meant for it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Town:
    """A town: name, degrees, admin1, admin2, country."""

    name: str
    lat: float
    lon: float
    admin1: str
    admin2: str
    iso3: str = "MLI"


@dataclass(frozen=True, slots=True)
class Country:
    """A country as ACLED names it."""

    iso3: str
    iso: int
    name: str


COUNTRIES = {
    country.iso3: country
    for country in (
        Country("MLI", 466, "Mali"),
        Country("BFA", 854, "Burkina Faso"),
        Country("NER", 562, "Niger"),
        Country("CIV", 384, "Ivory Coast"),
        Country("GIN", 324, "Guinea"),
        Country("SEN", 686, "Senegal"),
        Country("MRT", 478, "Mauritania"),
    )
}

BAMAKO = Town("Bamako", 12.6392, -8.0029, "Bamako", "Bamako")
KATI = Town("Kati", 12.7446, -8.0728, "Koulikoro", "Kati")
FALADIE = Town("Bamako - Faladie", 12.5930, -7.9480, "Bamako", "Bamako")
SENOU = Town("Bamako - Senou", 12.5410, -7.9470, "Bamako", "Bamako")
HIPPODROME = Town("Bamako - ACI 2000", 12.6360, -8.0290, "Bamako", "Bamako")
KOULIKORO = Town("Koulikoro", 12.8630, -7.5600, "Koulikoro", "Koulikoro")
KOLOKANI = Town("Kolokani", 13.5720, -8.0340, "Koulikoro", "Kolokani")
BANAMBA = Town("Banamba", 13.5480, -7.4480, "Koulikoro", "Banamba")
DIDIENI = Town("Didieni", 13.8890, -8.0950, "Koulikoro", "Kolokani")
FANA = Town("Fana", 12.7770, -6.9560, "Koulikoro", "Dioila")
DIOILA = Town("Dioila", 12.4940, -6.7480, "Koulikoro", "Dioila")
ZANTIGUILA = Town("Zantiguila", 12.6500, -7.3300, "Koulikoro", "Koulikoro")
SEBEKORO = Town("Sebekoro", 12.9500, -8.9900, "Kayes", "Kita")
KASSELA = Town("Kassela", 12.6080, -7.6230, "Koulikoro", "Kati")
MASSANTOLA = Town("Massantola", 13.1700, -8.0500, "Koulikoro", "Kolokani")
MOURA = Town("Moura", 14.3400, -4.5000, "Mopti", "Djenne")
SEGALA = Town("Segala", 13.9500, -7.9000, "Koulikoro", "Kolokani")

# Within 150 km of Bamako, over 30 km from its centre, over 50 km from any coastal border.
ROUND_BAMAKO = (
    KOLOKANI, BANAMBA, DIDIENI, FANA, DIOILA, ZANTIGUILA, SEBEKORO, KASSELA, MASSANTOLA,
)  # fmt: skip

# Within 50 km of the border with a coastal neighbour, over 150 km from Bamako.
COASTAL_BORDERS = (
    Town("Kadiolo", 10.5530, -5.7620, "Sikasso", "Kadiolo"),
    Town("Misseni", 10.3160, -6.0840, "Sikasso", "Kadiolo"),
    Town("Zegoua", 10.4900, -5.6500, "Sikasso", "Kadiolo"),
    Town("Manankoro", 10.4600, -7.4500, "Sikasso", "Bougouni"),
    Town("Yanfolila", 11.1750, -8.1500, "Sikasso", "Yanfolila"),
    Town("Diboli", 14.4600, -12.1500, "Kayes", "Kayes"),
    Town("Kenieba", 12.8400, -11.2300, "Kayes", "Kenieba"),
    Town("Nara", 15.1700, -7.2900, "Koulikoro", "Nara"),
    Town("Nioro du Sahel", 15.2300, -9.5900, "Kayes", "Nioro"),
    Town("Balle", 15.3400, -8.5800, "Koulikoro", "Nara"),
)

# The rest of the south: neither near Bamako nor near those borders.
SOUTH = (
    Town("Koutiala", 12.3900, -5.4600, "Sikasso", "Koutiala"),
    Town("M'Pessoba", 12.6700, -5.7200, "Sikasso", "Koutiala"),
    Town("Yorosso", 12.3600, -4.7800, "Sikasso", "Yorosso"),
    Town("Molobala", 12.2000, -5.3000, "Sikasso", "Koutiala"),
)

# Well north of what any rule takes for the south.
CENTRE = (
    Town("Sangha", 14.4600, -3.3100, "Mopti", "Bandiagara"),
    Town("Madougou", 14.4000, -3.0800, "Mopti", "Koro"),
    Town("Bandiagara", 14.3500, -3.6100, "Mopti", "Bandiagara"),
    Town("Douentza", 15.0000, -2.9500, "Mopti", "Douentza"),
    Town("Konna", 14.9400, -3.8900, "Mopti", "Mopti"),
    Town("Mopti", 14.4900, -4.1900, "Mopti", "Mopti"),
    Town("Tenenkou", 14.4600, -4.9200, "Mopti", "Tenenkou"),
    Town("Youwarou", 15.3700, -4.2600, "Mopti", "Youwarou"),
    Town("Hombori", 15.2800, -1.7000, "Mopti", "Douentza"),
    Town("Mondoro", 14.6800, -1.9500, "Mopti", "Douentza"),
)

NORTH = (
    Town("Gao", 16.2700, -0.0400, "Gao", "Gao"),
    Town("Ansongo", 15.6600, 0.5000, "Gao", "Ansongo"),
    Town("Menaka", 15.9200, 2.4000, "Menaka", "Menaka"),
    Town("Kidal", 18.4400, 1.4100, "Kidal", "Kidal"),
    Town("Tessalit", 20.2000, 1.0100, "Kidal", "Tessalit"),
    Town("Timbuktu", 16.7700, -3.0100, "Tombouctou", "Tombouctou"),
    Town("Goundam", 16.4100, -3.6700, "Tombouctou", "Goundam"),
    Town("Gourma-Rharous", 16.8800, -1.9200, "Tombouctou", "Gourma-Rharous"),
    Town("Gossi", 15.8200, -1.3000, "Tombouctou", "Gourma-Rharous"),
    Town("Ber", 16.8400, -2.5300, "Tombouctou", "Tombouctou"),
)

CITIES = (
    BAMAKO,
    BAMAKO,
    BAMAKO,
    Town("Kayes", 14.4500, -11.4400, "Kayes", "Kayes"),
    Town("Sikasso", 11.3200, -5.6700, "Sikasso", "Sikasso"),
    Town("Segou", 13.4300, -6.2600, "Segou", "Segou"),
    Town("Mopti", 14.4900, -4.1900, "Mopti", "Mopti"),
    Town("Gao", 16.2700, -0.0400, "Gao", "Gao"),
    Town("Bougouni", 11.4200, -7.4800, "Sikasso", "Bougouni"),
)

BURKINA_FASO = (
    Town("Djibo", 14.1000, -1.6300, "Sahel", "Soum", "BFA"),
    Town("Gorom-Gorom", 14.4400, -0.2300, "Sahel", "Oudalan", "BFA"),
    Town("Dori", 14.0300, -0.0300, "Sahel", "Seno", "BFA"),
    Town("Ouahigouya", 13.5800, -2.4200, "Nord", "Yatenga", "BFA"),
    Town("Kaya", 13.0900, -1.0800, "Centre-Nord", "Sanmatenga", "BFA"),
    Town("Fada N'Gourma", 12.0600, 0.3600, "Est", "Gourma", "BFA"),
    Town("Tougan", 13.0700, -3.0700, "Boucle du Mouhoun", "Sourou", "BFA"),
)
NIGER = (
    Town("Tillaberi", 14.2100, 1.4500, "Tillabery", "Tillabery", "NER"),
    Town("Ayorou", 14.7300, 0.9200, "Tillabery", "Ayorou", "NER"),
    Town("Banibangou", 15.0400, 2.7000, "Tillabery", "Banibangou", "NER"),
    Town("Torodi", 13.1100, 1.8000, "Tillabery", "Torodi", "NER"),
    Town("Diffa", 13.3200, 12.6100, "Diffa", "Diffa", "NER"),
)
ELSEWHERE = {
    "CIV": (
        Town("Abidjan", 5.3500, -4.0200, "Abidjan", "Abidjan", "CIV"),
        Town("Bouake", 7.6900, -5.0300, "Vallee du Bandama", "Gbeke", "CIV"),
    ),
    "GIN": (
        Town("Conakry", 9.5400, -13.6800, "Conakry", "Conakry", "GIN"),
        Town("Labe", 11.3200, -12.2900, "Labe", "Labe", "GIN"),
    ),
    "SEN": (
        Town("Dakar", 14.7200, -17.4700, "Dakar", "Dakar", "SEN"),
        Town("Ziguinchor", 12.5600, -16.2700, "Ziguinchor", "Ziguinchor", "SEN"),
    ),
    "MRT": (Town("Nouakchott", 18.0800, -15.9800, "Nouakchott-Ouest", "Nouakchott", "MRT"),),
}

# Where ACLED puts an event of which only the region is known.
CAPITALS = {
    "Koulikoro": KOULIKORO,
    "Kayes": Town("Kayes", 14.4500, -11.4400, "Kayes", "Kayes"),
    "Sikasso": Town("Sikasso", 11.3200, -5.6700, "Sikasso", "Sikasso"),
    "Segou": Town("Segou", 13.4300, -6.2600, "Segou", "Segou"),
    "Mopti": Town("Mopti", 14.4900, -4.1900, "Mopti", "Mopti"),
    "Tombouctou": Town("Timbuktu", 16.7700, -3.0100, "Tombouctou", "Tombouctou"),
    "Gao": Town("Gao", 16.2700, -0.0400, "Gao", "Gao"),
    "Kidal": Town("Kidal", 18.4400, 1.4100, "Kidal", "Kidal"),
    "Menaka": Town("Menaka", 15.9200, 2.4000, "Menaka", "Menaka"),
}
