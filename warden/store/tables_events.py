"""The tables of events, their revisions, and of the polls that brought them (schema version 1).

Instants are texts `YYYY-MM-DDTHH:MM:SS.ffffffZ`, days are texts `YYYY-MM-DD`, lists and dicts are
JSON texts. Nothing refers to a raw page by foreign key: pages are pruned, events stay.
"""

from __future__ import annotations

import sqlite_utils

_CONTENT: dict[str, type] = {
    "event_date": str,
    "event_date_end": str,
    "time_precision": int,
    "category": str,
    "event_type": str,
    "sub_event_type": str,
    "disorder_type": str,
    "actors": str,  # [[name, role, type], …]
    "civilian_targeting": int,
    "fatalities": int,
    "fatalities_low": int,
    "fatalities_high": int,
    "fatalities_civilian": int,
    "lat": float,
    "lon": float,
    "geo_precision": int,
    "location_error_km": float,
    "iso3": str,
    "country": str,
    "admin1": str,
    "admin2": str,
    "admin3": str,
    "location": str,
    "notes": str,
    "reporters": str,
    "report": str,
    "tags": str,  # [tag, …]
    "url": str,
}
_OPTIONAL = {"fatalities_low", "fatalities_high", "fatalities_civilian"}


def create_event_tables(db: sqlite_utils.Database) -> None:
    """Create them all; every table is STRICT."""
    _create_events(db)
    _create_revisions(db)
    _create_raw_pages(db)
    _create_sources(db)
    _create_rejects(db)
    _create_cycles(db)


def _create_events(db: sqlite_utils.Database) -> None:
    lifecycle: dict[str, type] = {
        "source": str,
        "status": str,  # active | retracted
        "revision": int,
        "source_updated_at": str,
        "first_seen_at": str,
        "known_at": str,
        "backfilled": int,  # 1: known_at may be earlier than first_seen_at; not for lag figures
        "revised_at": str,
        "retracted_at": str,
        "retracted_reason": str,
        "deleted_at": str,  # the source's own stamp of the deletion
        "content_hash": bytes,
        # Of the row it was read from, see warden.sources.protocol.Unread; NULL: not known. A
        # migration that adds content must set all of them to NULL, so that rows are read anew.
        "fingerprint": bytes,
        "raw_page": int,
    }
    identity: dict[str, type] = {"uid": str, "dataset": str, "source_id": str}
    columns = identity | _CONTENT | lifecycle
    optional = _OPTIONAL | {
        "source_updated_at", "retracted_at", "deleted_at", "fingerprint", "raw_page",
    }  # fmt: skip
    table = db.table("events").create(
        columns, pk="uid", not_null=set(columns) - optional, strict=True
    )
    table.create_index(["revised_at"])
    # Every cycle asks for a dataset's first day, every deletion for what happened near it.
    table.create_index(["dataset", "event_date"])


def _create_revisions(db: sqlite_utils.Database) -> None:
    # One row each time an event's content or status changed after it was first stored:
    # what stood there before. `changed` holds content and status, the was_ columns the rest.
    columns: dict[str, type] = {
        "uid": str,
        "revision": int,  # the number the event took with this change
        "at": str,
        "kind": str,  # revised | retracted | reinstated
        "source": str,  # who said so
        "changed": str,  # {column: old value, …}
        "was_source": str,
        "was_source_updated_at": str,
        "was_revised_at": str,
        "was_raw_page": int,
    }
    table = db.table("event_revisions").create(
        columns,
        pk=("uid", "revision"),
        not_null=set(columns) - {"was_source_updated_at", "was_raw_page"},
        foreign_keys=[("uid", "events", "uid")],
        strict=True,
    )
    table.create_index(["at"])


def _create_raw_pages(db: sqlite_utils.Database) -> None:
    columns: dict[str, type] = {
        "id": int,
        "source": str,
        "dataset": str,
        "at": str,
        "rows": int,
        "body": bytes,  # see warden.store.raw
    }
    table = db.table("raw_pages").create(columns, pk="id", not_null=set(columns), strict=True)
    table.create_index(["at"])


def _create_sources(db: sqlite_utils.Database) -> None:
    state: dict[str, type] = {
        "source": str,
        "kind": str,
        "dataset": str,
        "state": str,
        "sentence": str,
        "since": str,  # when it came into this state
        "memory": str,
        "complete_through": str,
        "no_data_since": str,
        "last_poll_at": str,
        "last_ok_at": str,
        "last_change_at": str,  # when it last brought something new or revised
        "failures": int,  # polls in a row that did not end ok
    }
    may_be_null = {
        "complete_through", "no_data_since", "last_poll_at", "last_ok_at", "last_change_at",
    }  # fmt: skip
    db.table("source_state").create(
        state, pk="source", not_null=set(state) - may_be_null, strict=True
    )
    counts = (
        "pages", "served", "new", "revised", "unchanged", "older", "duplicate", "foreign_rows",
        "rejected", "retracted", "reinstated",
    )  # fmt: skip
    runs: dict[str, type] = {
        "id": int,
        "source": str,
        "kind": str,  # poll | look_up
        "started_at": str,
        "ended_at": str,  # NULL while running, and for ever if the process died
        "state": str,
        "sentence": str,
        "envelope": str,
        "memory_before": str,
        "memory_after": str,  # NULL: nothing was moved
        **dict.fromkeys(counts, int),
    }
    table = db.table("poll_runs").create(
        runs,
        pk="id",
        not_null=set(runs) - {"ended_at", "state", "memory_after"},
        defaults=dict.fromkeys(counts, 0) | {"sentence": "", "envelope": "{}"},
        strict=True,
    )
    table.create_index(["source", "started_at"])


def _create_rejects(db: sqlite_utils.Database) -> None:
    columns: dict[str, type] = {
        "id": int,
        "source": str,
        "dataset": str,
        "source_id": str,
        "reason": str,
        "raw": str,
        "line": int,
        "fingerprint": bytes,  # of source, dataset, id, reason and raw
        "first_at": str,
        "last_at": str,
        "times": int,
    }
    table = db.table("rejects").create(
        columns, pk="id", not_null=set(columns) - {"line"}, strict=True
    )
    table.create_index(["fingerprint"], unique=True)
    table.create_index(["source", "last_at"])


def create_deletions(db: sqlite_utils.Database) -> None:
    """Deletions of ids that no event has yet, see warden.store.deletions (schema version 7)."""
    columns: dict[str, type] = {
        "uid": str,
        "deleted_at": str,  # the source's own stamp
        "source": str,
        "told_at": str,
    }
    table = db.table("deletions").create(columns, pk="uid", not_null=set(columns), strict=True)
    table.create_index(["told_at"])


def _create_cycles(db: sqlite_utils.Database) -> None:
    meta: dict[str, type] = {"key": str, "value": str}
    db.table("meta").create(meta, pk="key", not_null=set(meta), strict=True)
    columns: dict[str, type] = {
        "id": int,
        "at": str,
        "ruleset_version": str,
        "complete_through": str,  # {dataset: day}
        "kind": str,
        "counts": str,
    }
    table = db.table("cycles").create(
        columns,
        pk="id",
        not_null=set(columns),
        defaults={"complete_through": "{}", "counts": "{}"},
        strict=True,
    )
    table.create_index(["at"])
