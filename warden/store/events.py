"""Events as stored: the rows the engine's frame is built from, single events, their revisions.

Standing in the flow: `warden.ingest` writes through `warden.store.pages`, `evaluate` reads here.
"""

from __future__ import annotations

# The cells of a row of `load_rows`, in this order. Days are ISO texts `YYYY-MM-DD`, instants texts
# `YYYY-MM-DDTHH:MM:SS.ffffffZ`. `actors` is the JSON text `[[name, role, type], …]` and `tags`
# `[tag, …]`: equal lists are equal texts, so both can be interned without being parsed.
# `civilian_targeting` is 0 or 1. None can stand in fatalities_low, _high, _civilian and
# source_updated_at. A superset of `warden.engine.frame.FRAME_COLUMNS`.
FRAME_COLUMNS: tuple[str, ...] = (
    "uid",
    "dataset",
    "source_id",
    "source",
    "status",
    "revision",
    "event_date",
    "event_date_end",
    "time_precision",
    "category",
    "event_type",
    "sub_event_type",
    "disorder_type",
    "actors",
    "civilian_targeting",
    "fatalities",
    "fatalities_low",
    "fatalities_high",
    "fatalities_civilian",
    "lat",
    "lon",
    "geo_precision",
    "location_error_km",
    "iso3",
    "country",
    "admin1",
    "admin2",
    "admin3",
    "location",
    "notes",
    "reporters",
    "report",
    "tags",
    "url",
    "source_updated_at",
    "first_seen_at",
    "known_at",
    "revised_at",
)
