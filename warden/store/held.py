"""Which rows a source need not read, because the store holds what they say.

Standing in the flow: `warden.ingest` gives a source a recogniser made here. It may look while
another thread writes: what it says is checked again when the page is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from warden.sources.protocol import Held, Recogniser
from warden.store.connection import Store
from warden.store.rows import json_list

_HELD = """
SELECT source_id, fingerprint, event_date, iso3 FROM events
WHERE uid IN (SELECT ?1 || ':' || value FROM json_each(?2)) AND status = 'active'
"""


def recogniser(store: Store) -> Recogniser:
    """Tell active events whose newest version was read from a row with that very fingerprint."""

    def recognise(dataset: str, served: Mapping[str, bytes]) -> Mapping[str, Held]:
        with store.reading() as connection:
            found = connection.execute(_HELD, (dataset, json_list(tuple(served)))).fetchall()
        return {
            source_id: Held(date.fromisoformat(day), iso3)
            for source_id, fingerprint, day, iso3 in found
            if fingerprint == served[source_id]
        }

    return recognise
