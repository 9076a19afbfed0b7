"""Rows as ACLED writes them, and a source driven to its end."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

from warden.sources.protocol import Page, PollOutcome

ROW: dict[str, Any] = {
    "event_id_cnty": "MLI90001",
    "event_date": "2024-05-01",
    "year": 2024,
    "time_precision": 1,
    "disorder_type": "Political violence",
    "event_type": "Battles",
    "sub_event_type": "Armed clash",
    "actor1": "JNIM: Group for Support of Islam and Muslims",
    "assoc_actor_1": "Katiba Macina; Katiba Serma",
    "inter1": 2,
    "actor2": "Military Forces of Mali (2021-)",
    "assoc_actor_2": "",
    "inter2": 1,
    "interaction": 12,
    "civilian_targeting": "",
    "iso": 466,
    "region": "Western Africa",
    "country": "Mali",
    "admin1": "Koulikoro",
    "admin2": "Kati",
    "admin3": "Kati",
    "location": "Kati",
    "latitude": 12.7441,
    "longitude": -8.0726,
    "geo_precision": 2,
    "source": "Invented Daily",
    "source_scale": "National",
    "notes": "SIMULATED. Fighters clashed with soldiers. [size=no report]",
    "fatalities": 3,
    "tags": "",
    "timestamp": 1714990000,
}


def a_row(number: int = 1, **columns: Any) -> dict[str, Any]:
    return {**ROW, "event_id_cnty": f"MLI9{number:04d}", **columns}


@dataclass
class Polled:
    """All that a poll brought."""

    pages: list[Page]
    outcome: PollOutcome

    @property
    def records(self):
        return [record for page in self.pages for record in page.records]

    @property
    def rejects(self):
        return [reject for page in self.pages for reject in page.rejects]

    @property
    def deletions(self):
        return [deletion for page in self.pages for deletion in page.deletions]

    @property
    def foreign(self):
        return sum(page.foreign for page in self.pages)

    @property
    def ids(self):
        return [record.source_id for record in self.records]

    @property
    def state(self):
        return self.outcome.state

    @property
    def sentence(self):
        return self.outcome.sentence

    @property
    def memory(self):
        return self.outcome.memory


def drain(pages) -> Polled:
    found = []
    while True:
        try:
            found.append(next(pages))
        except StopIteration as end:
            return Polled(found, end.value)


def poll(source, now, memory=None) -> Polled:
    return drain(source.poll({} if memory is None else memory, now))


def as_csv(rows, delimiter=",", columns=None, quoting=csv.QUOTE_MINIMAL) -> str:
    text = io.StringIO()
    names = list(columns or rows[0])
    writer = csv.DictWriter(
        text, names, delimiter=delimiter, quoting=quoting, extrasaction="ignore"
    )
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
