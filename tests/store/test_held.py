"""Rows that need not be read, since the store holds what they say: nothing else may change."""

from datetime import UTC, datetime, timedelta

import pytest
from support.sourcing import a_row, as_csv

from warden.clock import ManualClock
from warden.ingest import ingest
from warden.sources.acled_rows import AcledRows
from warden.sources.field_map import FieldMap
from warden.sources.file import read_files
from warden.store import open_store
from warden.store.events import count_events, load_event, load_raw_row, revisions

NOW = datetime(2024, 6, 5, 12, tzinfo=UTC)


class Feed:
    """Ingests exports made of rows, and counts how many rows were really read."""

    def __init__(self, store, folder, monkeypatch):
        self.store = store
        self.path = folder / "export.csv"
        self.clock = ManualClock(NOW)
        self.reads = 0
        monkeypatch.setattr(AcledRows, "parse", self._counting(AcledRows.parse))

    def _counting(self, parse):
        def counting(rows, cells):
            self.reads += 1
            return parse(rows, cells)

        return counting

    def serve(self, *rows, text=None, **options):
        self.path.write_text(as_csv(rows) if text is None else text, encoding="utf-8")
        return self.again(**options)

    def again(self, **options):
        self.reads = 0
        self.clock.advance(timedelta(hours=1))
        return ingest(self.store, read_files([self.path], source_name="f", **options), self.clock)

    def event(self, number=1):
        return load_event(self.store.connection, f"acled:{a_row(number)['event_id_cnty']}")


@pytest.fixture
def feed(tmp_path, monkeypatch):
    with open_store(tmp_path / "warden.db") as store:
        yield Feed(store, tmp_path, monkeypatch)


def rows(count=5):
    return [a_row(number) for number in range(1, count + 1)]


def test_an_identical_file_is_not_read_again_and_changes_nothing(feed):
    first = feed.serve(*rows())
    before = [feed.event(number) for number in range(1, 6)]
    second = feed.again()
    assert feed.reads == 0
    assert (first.counts.new, second.counts.unchanged, second.counts.served) == (5, 5, 5)
    assert second.counts.adds_up
    assert not second.changed
    assert second.complete_through == first.complete_through
    assert second.sentence == first.sentence
    assert [feed.event(number) for number in range(1, 6)] == before


def test_only_what_changed_is_read(feed):
    feed.serve(*rows())
    result = feed.serve(*rows(2), a_row(3, fatalities="77"), *rows()[3:], a_row(6))
    assert feed.reads == 2
    assert (result.counts.unchanged, result.counts.revised, result.counts.new) == (4, 1, 1)
    assert feed.event(3).record.fatalities == 77
    assert '"77"' in load_raw_row(feed.store.connection, feed.event(3).uid)
    assert feed.again().counts.unchanged == 6
    assert feed.reads == 0


def test_the_row_that_was_revised_away_is_read_when_it_comes_back(feed):
    feed.serve(a_row(1))
    feed.serve(a_row(1, fatalities="77"))
    assert feed.serve(a_row(1)).counts.revised == 1
    assert len(revisions(feed.store.connection, feed.event().uid)) == 2


def test_a_row_served_twice_in_one_file_is_read_and_counted_as_a_duplicate(feed):
    feed.serve(*rows())
    result = feed.serve(*rows(), a_row(1))
    assert feed.reads == 2
    assert (result.counts.unchanged, result.counts.duplicate) == (5, 1)


def test_of_two_versions_in_one_page_the_latest_read_stands(feed):
    feed.serve(a_row(1))
    feed.serve(a_row(1, fatalities="77"), a_row(1))
    assert feed.event().record.fatalities == a_row(1)["fatalities"]
    assert feed.event().revision == 1


def test_a_snapshot_of_known_rows_withdraws_what_it_lacks_and_the_same_row_reinstates(feed):
    feed.serve(*rows(10))
    result = feed.serve(*rows(9), snapshot=True)
    assert feed.reads == 0
    assert (result.counts.unchanged, result.counts.retracted) == (9, 1)
    assert feed.event(10).status == "retracted"
    result = feed.serve(*rows(10), snapshot=True)
    assert feed.reads == 1
    assert (result.counts.unchanged, result.counts.reinstated) == (9, 1)
    assert feed.event(10).status == "active"


def test_another_filter_reads_every_row_anew(feed):
    feed.serve(*rows())
    result = feed.again(countries=["NER"])
    assert feed.reads == 5
    assert result.counts.foreign == 5


def test_the_same_cells_in_another_dialect_are_the_same_row(feed):
    feed.serve(*rows())
    result = feed.serve(text=as_csv(rows(), delimiter=";"))
    assert feed.reads == 0
    assert result.counts.unchanged == 5


def test_a_row_with_other_texts_and_the_same_content_is_learnt(feed):
    feed.serve(a_row(1))
    respelt = a_row(1, fatalities=f"{a_row(1)['fatalities']}.0")
    assert feed.serve(respelt).counts.unchanged == 1
    assert feed.reads == 1
    assert feed.again().counts.unchanged == 1
    assert feed.reads == 0
    assert feed.event().revision == 1


def test_a_newer_stamp_alone_is_remembered_with_its_row(feed):
    feed.serve(a_row(1))
    stamp = int(a_row(1)["timestamp"]) + 60
    assert feed.serve(a_row(1, timestamp=str(stamp))).counts.unchanged == 1
    assert feed.event().record.source_updated_at.timestamp() == stamp
    assert feed.serve(a_row(1)).counts.older == 1


def test_a_store_that_changed_its_mind_has_the_row_read_after_all(feed):
    feed.serve(*rows(3))
    source = read_files([feed.path], source_name="f")
    whole_walk = source.poll

    def poll(memory, now):
        walk = whole_walk(memory, now)
        page = next(walk)
        assert len(page.unread.fingerprints) == 3
        with feed.store.transaction() as tx:  # another feed, between reading and writing
            tx.execute(
                "UPDATE events SET fatalities = 99, fingerprint = NULL, content_hash = x'00'"
                " WHERE source_id = ?",
                (a_row(2)["event_id_cnty"],),
            )
        yield page
        return (yield from walk)

    source.poll = poll
    result = ingest(feed.store, source, feed.clock)
    assert (result.counts.revised, result.counts.unchanged) == (1, 2)
    assert result.counts.adds_up
    assert feed.event(2).record.fatalities == a_row(2)["fatalities"]


def test_an_id_that_is_mapped_is_always_read(feed):
    feed.path.write_text("n,day,y,x,kind\na,2024-05-01,12.1,-3.1,k\nb,2024-05-01,12.1,-3.1,k\n")
    mapped = FieldMap.model_validate({
        "id": {"column": "n", "values": {"b": "a"}}, "date": "day", "lat": "y", "lon": "x",
        "event_type": "kind", "category": {"value": "strategic"},
    })  # fmt: skip
    for counts in ((1, 1), (0, 2)):
        result = feed.again(field_map=mapped)
        assert (result.counts.new, result.counts.duplicate + result.counts.unchanged) == counts
    assert count_events(feed.store.connection) == {("f", "active"): 1}
