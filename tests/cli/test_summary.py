"""What one cycle says of a walk."""

from __future__ import annotations

from datetime import date

from warden.ingest import IngestResult
from warden.rows import source_row
from warden.store.events import PageCounts


def test_what_look_ups_found_gone_counts_as_retracted():
    result = IngestResult(
        "acled", "acled", "acled", "ok", "", PageCounts(served=3, unchanged=3, retracted=1),
        PageCounts(revised=1, retracted=2), frozenset(), first_load=False, would_retract=0,
        moved=True, complete_through=date(2024, 1, 5), no_data_since=None, run=1,
    )  # fmt: skip
    row = source_row(result)
    assert (row["retracted"], row["revised"], row["looked_up"]["revised"]) == (3, 0, 1)
    assert row["served"] == 3
