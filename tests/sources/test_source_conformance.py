"""What every feed must do, whatever its kind. A new feed adds itself to `FEEDS`."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from support.sourcing import a_row, as_csv, drain, poll

from warden.errors import SourceError
from warden.sources.file import FileSettings, FileSource
from warden.sources.protocol import PollOutcome

NOW = datetime(2024, 6, 5, 12, tzinfo=UTC)
HOSTILE = [
    a_row(90, latitude="north"),
    a_row(91, fatalities="2.5"),
    a_row(92, event_date="2024-02-30"),
    a_row(93, notes="x" * 100_000),
]


class AcledFeed:
    """The API, on the simulated server."""

    def __init__(self, tmp_path, world, feed, server):
        self.world = world
        self.server = server
        self.source = feed(page_size=50)

    def serve(self, rows):
        for row in rows:
            self.world.publish(row, NOW - timedelta(days=3))

    def go_away(self):
        self.server.stop()
        self.source._client._http.close()


class FolderFeed:
    """The file drop."""

    def __init__(self, tmp_path, world, feed, server):
        self.folder = tmp_path / "inbox"
        self.folder.mkdir()
        settings = FileSettings(name="inbox", path=self.folder, settle_s=0)
        self.source = FileSource(settings)

    def serve(self, rows):
        if rows:
            (self.folder / "export.csv").write_text(as_csv(rows), encoding="utf-8")

    def go_away(self):
        shutil.rmtree(self.folder)


FEEDS = {"acled": AcledFeed, "file": FolderFeed}


@pytest.fixture(params=FEEDS)
def a_feed(request, tmp_path, world, feed, server):
    return FEEDS[request.param](tmp_path, world, feed, server)


def test_it_has_a_name_and_a_kind(a_feed):
    assert a_feed.source.name
    assert a_feed.source.kind in FEEDS


def test_it_serves_what_is_there_and_says_how_it_ended(a_feed):
    a_feed.serve([a_row(n) for n in range(1, 4)])
    polled = poll(a_feed.source, NOW)
    assert sorted(polled.ids) == ["MLI90001", "MLI90002", "MLI90003"]
    assert isinstance(polled.outcome, PollOutcome)
    assert polled.state == "ok"
    assert polled.sentence


def test_its_memory_survives_json(a_feed):
    a_feed.serve([a_row()])
    memory = poll(a_feed.source, NOW).memory
    assert json.loads(json.dumps(memory)) == memory


def test_what_is_told_once_need_not_be_told_again(a_feed):
    a_feed.serve([a_row()])
    first = poll(a_feed.source, NOW)
    again = poll(a_feed.source, NOW + timedelta(hours=3), first.memory)
    assert again.state == "ok"
    assert set(again.ids) <= set(first.ids)
    assert again.outcome.complete_through == first.outcome.complete_through


def test_every_row_is_a_record_a_reject_or_foreign(a_feed):
    good = [a_row(n) for n in range(1, 20)]
    a_feed.serve([*good, *HOSTILE])
    polled = poll(a_feed.source, NOW)
    assert len(polled.records) == len(good)
    assert len(polled.rejects) == len(HOSTILE)
    assert all(reject.reason and reject.raw for reject in polled.rejects)
    assert all(len(reject.raw) <= 4_200 for reject in polled.rejects)
    assert {reject.source_id for reject in polled.rejects} == {r["event_id_cnty"] for r in HOSTILE}


def test_raw_rows_stand_beside_the_records(a_feed):
    a_feed.serve([a_row(n) for n in range(1, 4)])
    for page in poll(a_feed.source, NOW).pages:
        assert len(page.raw) == len(page.records)
        assert all(r.source_id in raw for r, raw in zip(page.records, page.raw, strict=True))


def test_a_source_that_is_gone_says_so_and_moves_nothing(a_feed):
    a_feed.serve([a_row()])
    memory = poll(a_feed.source, NOW).memory
    a_feed.go_away()
    polled = poll(a_feed.source, NOW + timedelta(hours=3), memory)
    assert polled.state == "unreachable"
    assert polled.memory is None
    assert polled.outcome.complete_through is not None


@pytest.mark.parametrize(
    "memory", [{"watermark": "x"}, {"read": 7}, {"asked": 1}, {"complete_through": []}]
)
def test_a_spoilt_memory_is_no_memory(a_feed, memory):
    a_feed.serve([a_row()])
    assert poll(a_feed.source, NOW, memory).ids == ["MLI90001"]


def test_looking_up_never_invents_events(a_feed):
    a_feed.serve([a_row()])
    try:
        looked = drain(a_feed.source.look_up(["MLI90001"], NOW))
    except SourceError:
        pytest.fail("look_up raised")
    assert set(looked.ids) <= {"MLI90001"}
    assert not looked.deletions
