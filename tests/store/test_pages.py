"""What becomes of a served row: new, revised, unchanged, older, duplicate, rejected, retracted."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from support.records import record

from warden.model.event import Actor
from warden.sources.protocol import NOT_IN_SNAPSHOT, Deletion, Page, Reject
from warden.store import MEMORY, open_store
from warden.store.deletions import deletions_of, prune_deletions
from warden.store.events import (
    PageCounts,
    Walk,
    apply_page,
    changed_since,
    count_events,
    load_event,
    load_events,
    load_raw_row,
    revisions,
)
from warden.store.raw import prune_raw
from warden.store.rejects import RAW_LIMIT, count_rejects, load_rejects, prune_rejects

NOON = datetime(2024, 3, 5, 12, tzinfo=UTC)
STAMP = datetime(2024, 3, 4, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def store():
    with open_store(MEMORY) as store:
        yield store


class Feed:
    """Applies pages one after the other, each an hour later than the one before."""

    def __init__(self, store):
        self.store = store
        self.now = NOON - HOUR

    def walk(self, *records, walk=None, **page):
        self.now += HOUR
        with self.store.transaction() as tx:
            counts = apply_page(tx, Page("acled", records, **page), walk or Walk("acled"), self.now)
        assert counts.adds_up
        return counts

    def event(self, source_id="1"):
        return load_event(self.store.connection, f"acled:{source_id}")

    def revisions(self, source_id="1"):
        return revisions(self.store.connection, f"acled:{source_id}")


@pytest.fixture
def feed(store):
    return Feed(store)


def row(source_id="1", **changes):
    return record(source_id, **{"source_updated_at": STAMP} | changes)


def counted(**expected):
    return PageCounts(**expected)


def test_a_new_row_comes_back_as_it_went_in(feed):
    full = row(
        actors=(Actor('Ünïcode "quoted" \\ \t', "actor1", "Rebel group"), Actor("B", "actor2")),
        tags=("a", 'b"c'),
        fatalities_low=1,
        fatalities_high=2**40,
        civilian_targeting=True,
        lat=-0.1 + 0.3,
        notes="line\nbreak \u2028 🙂",
    )
    assert feed.walk(full) == counted(served=1, new=1)
    event = feed.event()
    assert event.record == full
    assert (event.source, event.status, event.revision) == ("acled", "active", 1)
    assert event.first_seen_at == event.known_at == event.revised_at == NOON
    assert feed.revisions() == ()


def test_a_long_page_comes_back_row_by_row(feed):
    rows = [row(f"{number}", fatalities=number) for number in range(250)]
    assert feed.walk(*rows, raw=[f"raw {number}" for number in range(250)]).new == 250
    assert [feed.event(f"{number}").record for number in range(250)] == rows
    assert load_raw_row(feed.store.connection, "acled:249") == "raw 249"


def test_equal_content_is_unchanged_and_writes_no_event(feed, store):
    feed.walk(row())
    before = store.connection.total_changes
    assert feed.walk(row()) == counted(served=1, unchanged=1)
    assert store.connection.total_changes == before


def test_a_newer_stamp_without_a_change_is_remembered_without_a_revision(feed):
    feed.walk(row())
    assert feed.walk(row(source_updated_at=STAMP + HOUR)) == counted(served=1, unchanged=1)
    assert feed.revisions() == ()
    assert feed.walk(row(fatalities=9)) == counted(served=1, older=1)
    assert feed.event().record.source_updated_at == STAMP + HOUR


def test_a_newer_row_revises_and_the_old_values_are_kept(feed):
    feed.walk(row(fatalities=3, location="Kati"))
    later = row(fatalities=5, location="Kita", source_updated_at=STAMP + HOUR)
    assert feed.walk(later) == counted(served=1, revised=1)
    event = feed.event()
    assert event.record == later
    assert (event.revision, event.first_seen_at, event.revised_at) == (2, NOON, NOON + HOUR)
    (revision,) = feed.revisions()
    assert revision.kind == "revised"
    assert revision.changed == {"fatalities": 3, "location": "Kati"}


def test_an_equal_stamp_takes_the_latest_read(feed):
    feed.walk(row(fatalities=3))
    assert feed.walk(row(fatalities=5)) == counted(served=1, revised=1)
    assert feed.event().record.fatalities == 5


def test_an_older_stamp_changes_nothing(feed):
    feed.walk(row(fatalities=3))
    stale = row(fatalities=5, source_updated_at=STAMP - HOUR)
    assert feed.walk(stale) == counted(served=1, older=1)
    assert feed.event().record.fatalities == 3


def test_a_row_without_a_stamp_revises_and_leaves_the_stamp(feed):
    feed.walk(row(fatalities=3))
    assert feed.walk(row(fatalities=5, source_updated_at=None)).revised == 1
    assert feed.event().record.source_updated_at == STAMP


class TestAnotherSourcesRowWithoutAStamp:
    """An export without a time of edit may be years old, and may lack what the feed knows."""

    def bare(self, **changes):
        return row(source_updated_at=None, actors=(), **changes)

    def test_does_not_replace_a_stamped_version(self, feed):
        feed.walk(row(fatalities=3))
        counts = feed.walk(self.bare(fatalities=2), walk=Walk("inbox"))
        assert counts == counted(served=1, older=1)
        assert feed.event().record == row(fatalities=3)
        assert feed.revisions() == ()

    def test_is_unchanged_if_it_says_the_same(self, feed):
        feed.walk(row())
        assert feed.walk(row(source_updated_at=None), walk=Walk("inbox")).unchanged == 1
        assert (feed.event().source, feed.event().record.source_updated_at) == ("acled", STAMP)

    def test_does_not_bring_back_what_the_feed_withdrew(self, feed):
        feed.walk(row())
        feed.walk(deletions=[Deletion("1", STAMP + HOUR)])
        assert feed.walk(self.bare(), walk=Walk("inbox")) == counted(served=1, older=1)
        assert feed.event().status == "retracted"

    def test_replaces_a_version_that_has_no_stamp_either(self, feed):
        feed.walk(self.bare(fatalities=3))
        assert feed.walk(self.bare(fatalities=4), walk=Walk("inbox")).revised == 1
        assert feed.walk(self.bare(fatalities=5)).revised == 1

    def test_of_the_source_that_stamped_it_takes_the_latest_read(self, feed):
        feed.walk(self.bare(fatalities=3), walk=Walk("inbox"))
        assert feed.walk(row(actors=(), fatalities=3)).unchanged == 1
        assert feed.event().source == "acled"
        assert feed.walk(self.bare(fatalities=9), walk=Walk("inbox")).older == 1
        assert feed.walk(self.bare(fatalities=4)).revised == 1


def test_the_same_row_twice_in_one_walk_is_a_duplicate(feed):
    walk = Walk("acled")
    assert feed.walk(row(), row(), walk=walk) == counted(served=2, new=1, duplicate=1)
    assert feed.walk(row(), walk=walk) == counted(served=1, duplicate=1)


def test_a_duplicate_of_an_older_row_is_a_duplicate_too(feed):
    feed.walk(row())
    stale = row(fatalities=9, source_updated_at=STAMP - HOUR)
    assert feed.walk(stale, stale) == counted(served=2, older=1, duplicate=1)


@pytest.mark.parametrize("stamp", [STAMP, None])
def test_of_rows_with_one_id_and_stamp_in_a_page_only_the_last_counts(feed, stamp):
    rows = [row(fatalities=number, source_updated_at=stamp) for number in (1, 2, 1, 4)]
    assert feed.walk(*rows, raw=["a", "b", "c", "d"]) == counted(served=4, new=1, duplicate=3)
    assert feed.walk(*rows) == counted(served=4, unchanged=1, duplicate=3)
    assert feed.event().record.fatalities == 4
    assert feed.revisions() == ()
    assert load_raw_row(feed.store.connection, "acled:1") == "d"


def test_versions_of_an_event_in_one_page_are_taken_in_order(feed):
    rows = [row(fatalities=n, source_updated_at=STAMP + n * HOUR) for n in (1, 2, 4)]
    assert feed.walk(*rows) == counted(served=3, new=1, revised=2)
    assert feed.event().record.fatalities == 4
    assert [item.changed["fatalities"] for item in feed.revisions()] == [1, 2]


def test_a_restamp_and_a_revision_in_one_page_are_taken_in_order(feed):
    feed.walk(row(fatalities=1))
    stamps = [STAMP + n * HOUR for n in (1, 2, 3)]
    counts = feed.walk(
        row(fatalities=1, source_updated_at=stamps[0]),
        row(fatalities=2, source_updated_at=stamps[1]),
        row(fatalities=2, source_updated_at=stamps[2]),
    )
    assert counts == counted(served=3, unchanged=1, revised=1, duplicate=1)
    assert feed.event().record.source_updated_at == stamps[2]
    assert feed.walk(row(fatalities=2, source_updated_at=stamps[2])).unchanged == 1


def test_the_same_incident_from_two_sources_is_one_event(feed, store):
    feed.walk(row())
    assert feed.walk(row(), walk=Walk("inbox")).unchanged == 1
    assert feed.walk(row(fatalities=8), walk=Walk("inbox")).revised == 1
    assert count_events(store.connection) == {("acled", "active"): 1}
    assert feed.event().source == "inbox"
    assert feed.revisions()[0].source == "inbox"


class TestRetraction:
    def test_a_deletion_withdraws_with_its_reason(self, feed):
        feed.walk(row())
        gone = Deletion("1", STAMP + HOUR, "merged")
        assert feed.walk(deletions=[gone]) == counted(retracted=1)
        event = feed.event()
        assert (event.status, event.revision) == ("retracted", 2)
        assert (event.retracted_at, event.retracted_reason) == (NOON + HOUR, "merged")
        assert feed.revisions()[-1].kind == "retracted"

    def test_a_deletion_told_again_changes_nothing(self, feed, store):
        feed.walk(row())
        feed.walk(deletions=[Deletion("1")])
        before = store.connection.total_changes
        assert feed.walk(deletions=[Deletion("1"), Deletion("1")]).retracted == 0
        assert store.connection.total_changes == before

    def test_an_unknown_or_unreadable_id_is_no_error(self, feed):
        assert feed.walk(deletions=[Deletion("7"), Deletion("\ud800"), Deletion("\x00")]) == (
            counted()
        )

    def test_a_withdrawn_event_that_is_served_again_is_reinstated(self, feed):
        feed.walk(row())
        feed.walk(deletions=[Deletion("1")])
        assert feed.walk(row()) == counted(served=1, revised=1, reinstated=1)
        event = feed.event()
        assert (event.status, event.revision, event.retracted_at) == ("active", 3, None)
        assert [item.kind for item in feed.revisions()] == ["retracted", "reinstated"]

    def test_a_deletion_without_a_stamp_is_undone_by_its_source_or_by_a_newer_row(self, feed):
        gone = Deletion("1", None, "no longer served by the source")
        later = row(source_updated_at=STAMP + HOUR)
        for back, source in [(row(), "acled"), (later, "inbox")]:
            feed.walk(row())
            feed.walk(deletions=[gone])
            assert feed.walk(row(), walk=Walk("inbox")) == counted(served=1, older=1)
            assert feed.event().status == "retracted"
            assert feed.walk(back, walk=Walk(source)).reinstated == 1

    def test_what_a_snapshot_lacked_is_brought_back_by_whoever_serves_it(self, feed):
        feed.walk(row())
        feed.walk(deletions=[Deletion("1", None, NOT_IN_SNAPSHOT)], walk=Walk("snapshot"))
        assert feed.walk(row()).reinstated == 1

    def test_a_row_no_newer_than_its_deletion_does_not_reinstate(self, feed):
        feed.walk(row())
        feed.walk(deletions=[Deletion("1", STAMP + HOUR)])
        assert feed.walk(row(source_updated_at=STAMP + HOUR)).older == 1
        assert feed.walk(row(source_updated_at=STAMP + 2 * HOUR)).reinstated == 1

    def test_an_old_deletion_read_again_does_not_withdraw_what_came_back(self, feed):
        feed.walk(row())
        gone = Deletion("1", STAMP + HOUR)
        feed.walk(deletions=[gone])
        feed.walk(row(source_updated_at=STAMP + 2 * HOUR))
        assert feed.walk(deletions=[gone]).retracted == 0
        assert feed.event().status == "active"

    @pytest.mark.parametrize("stamps", [(STAMP + HOUR, None), (None, STAMP + HOUR)])
    @pytest.mark.parametrize("pages", [1, 2])
    def test_of_two_deletions_of_an_event_the_stamped_one_counts(self, feed, stamps, pages):
        feed.walk(row())
        told = [Deletion("1", stamp) for stamp in stamps]
        for page in [told] if pages == 1 else [told[:1], told[1:]]:
            feed.walk(deletions=page)
        assert feed.event().revision == 2
        assert feed.walk(row(source_updated_at=STAMP + HOUR)).older == 1
        assert feed.event().status == "retracted"

    def test_an_outdated_deletion_does_not_shield_from_another(self, feed):
        feed.walk(row())
        feed.walk(deletions=[Deletion("1"), Deletion("1", STAMP - HOUR)])
        assert feed.event().status == "retracted"

    def test_a_row_older_than_its_deletion_is_not_news_though_nobody_knew_the_event(self, feed):
        feed.walk(deletions=[Deletion("1", STAMP + HOUR)])
        assert feed.walk(row(), walk=Walk("inbox")) == counted(served=1, older=1)
        tied = row(source_updated_at=STAMP + HOUR)
        assert feed.walk(tied) == counted(served=1, older=1)
        bare = row(source_updated_at=None)
        assert feed.walk(bare, walk=Walk("inbox")) == counted(served=1, older=1)
        assert feed.event() is None
        assert load_rejects(feed.store.connection) == ()

    @pytest.mark.parametrize("stamp", [STAMP + 2 * HOUR, None])
    def test_an_unknown_event_that_its_source_serves_after_its_deletion_is_new(self, feed, stamp):
        feed.walk(deletions=[Deletion("1", STAMP + HOUR)])
        assert feed.walk(row(source_updated_at=stamp)).new == 1
        assert deletions_of(feed.store.connection, ["acled:1"]) == {}

    def test_of_two_deletions_of_an_unknown_event_the_later_counts(self, feed):
        feed.walk(deletions=[Deletion("1", STAMP + 2 * HOUR), Deletion("1", STAMP)])
        feed.walk(deletions=[Deletion("1"), Deletion("1", STAMP + HOUR)])
        assert feed.walk(row(source_updated_at=STAMP + 2 * HOUR)).older == 1

    def test_deletions_of_unknown_events_are_forgotten_after_their_time(self, feed, store):
        feed.walk(deletions=[Deletion("1", STAMP)])
        feed.walk(deletions=[Deletion("1", STAMP), Deletion("2", STAMP)])
        with store.transaction() as tx:
            assert prune_deletions(tx, NOON + HOUR) == 1
        assert set(deletions_of(store.connection, ["acled:1", "acled:2"])) == {"acled:2"}

    def test_a_page_withdraws_first_and_then_reads(self, feed):
        feed.walk(row("1"), row("2"))
        counts = feed.walk(row("1"), deletions=[Deletion("1"), Deletion("2")])
        assert (counts.retracted, counts.reinstated) == (2, 1)
        assert [feed.event(n).status for n in "12"] == ["active", "retracted"]


class TestKnownAt:
    def test_a_first_load_is_known_since_the_source_stamped_it(self, feed):
        feed.walk(row(), walk=Walk("acled", backfill=True))
        assert (feed.event().known_at, feed.event().first_seen_at) == (STAMP, NOON)

    def test_a_row_stamped_long_ago_is_backfilled_even_later_on(self, feed):
        old = NOON - timedelta(days=31)
        feed.walk(row(source_updated_at=old))
        assert feed.event().known_at == old

    def test_a_stamp_in_the_future_or_none_counts_from_first_sight(self, feed):
        feed.walk(
            row("1", source_updated_at=NOON + HOUR),
            row("2", source_updated_at=None),
            walk=Walk("acled", backfill=True),
        )
        assert [feed.event(n).known_at for n in "12"] == [NOON, NOON]

    def test_a_clock_set_back_does_not_put_a_revision_before_the_last_one(self, feed):
        feed.walk(row())
        feed.now -= timedelta(days=3650)
        feed.walk(row(fatalities=9))
        assert feed.revisions()[0].at == feed.event().revised_at == NOON


class TestRejects:
    def test_a_reject_is_kept_with_reason_and_raw_text(self, feed, store):
        reject = Reject("no date", "a;b;c", "7", 12)
        assert feed.walk(rejects=[reject]) == counted(served=1, rejected=1)
        (kept,) = load_rejects(store.connection)
        assert (kept.reason, kept.raw, kept.source_id, kept.line) == ("no date", "a;b;c", "7", 12)

    def test_the_same_reject_is_kept_once_and_counted(self, feed, store):
        for line in (1, 2, 3):
            feed.walk(rejects=[Reject("no date", "a;b;c", "7", line)])
        (kept,) = load_rejects(store.connection, source="acled")
        assert (kept.times, kept.first_at, kept.last_at) == (3, NOON, NOON + 2 * HOUR)
        assert count_rejects(store.connection) == {"acled": 1}

    @pytest.mark.parametrize("raw", ["x" * 10_000_000, "\ud800", "a\x00b"])
    def test_any_raw_text_can_be_kept_and_is_bounded(self, feed, store, raw):
        feed.walk(rejects=[Reject(raw, raw, raw)])
        (kept,) = load_rejects(store.connection)
        assert len(kept.raw) <= RAW_LIMIT + 10

    @pytest.mark.parametrize(
        "changes",
        [
            {"notes": "a\x00b"},
            {"notes": "\ud800"},
            {"actors": (Actor("\udfff", "actor1"),)},
            {"fatalities": 2**63},
            {"lat": float("nan")},
            {"lon": float("inf")},
            {"dataset": "other"},
        ],
    )
    def test_a_row_that_sqlite_cannot_keep_is_rejected_and_the_rest_stored(
        self, feed, store, changes
    ):
        counts = feed.walk(row("1"), row("2", **changes), row("3"))
        assert counts == counted(served=3, new=2, rejected=1)
        assert load_rejects(store.connection)[0].source_id == "2"
        assert [feed.event(n) is None for n in "123"] == [False, True, False]

    @pytest.mark.parametrize("source_id", ["", "a\x00", "\ud800"])
    def test_an_id_that_cannot_be_kept_is_rejected(self, feed, source_id):
        assert feed.walk(row(source_id)) == counted(served=1, rejected=1)

    def test_rejects_not_seen_for_long_are_forgotten(self, feed, store):
        feed.walk(rejects=[Reject("no date", "old")])
        feed.walk(rejects=[Reject("no date", "new")])
        with store.transaction() as tx:
            assert prune_rejects(tx, NOON + HOUR) == 1


class TestRaw:
    def test_the_newest_raw_row_is_found_until_pruned(self, feed, store):
        connection = store.connection
        feed.walk(row("1"), row("2"), raw=["one \ud800 é", "two"])
        assert load_raw_row(connection, "acled:1") == "one \ud800 é"
        feed.walk(row("1", fatalities=9), row("2"), raw=["one more", "two again"])
        assert load_raw_row(connection, "acled:1") == "one more"
        assert load_raw_row(connection, "acled:2") == "two"
        with store.transaction() as tx:
            assert prune_raw(tx, NOON + HOUR) == 1
        assert load_raw_row(connection, "acled:2") is None
        assert load_raw_row(connection, "acled:1") == "one more"
        assert load_raw_row(connection, "acled:77") is None
        assert feed.event("2") is not None

    def test_a_source_that_keeps_none_has_none(self, feed, store):
        feed.walk(row())
        assert load_raw_row(store.connection, "acled:1") is None


def test_foreign_rows_are_counted_and_dropped(feed):
    assert feed.walk(row(), foreign=3) == counted(served=4, new=1, foreign=3)


def test_the_walk_names_what_changed(feed, store):
    feed.walk(row("1"), row("2"), row("3"), row("4"))
    walk = Walk("acled")
    feed.walk(row("1"), row("2", fatalities=9), row("5"), deletions=[Deletion("3")], walk=walk)
    assert walk.changed == {"acled:2", "acled:3", "acled:5"}
    assert set(changed_since(store.connection, NOON)) == walk.changed


def test_a_hash_taken_by_another_rule_does_not_make_a_revision(feed, store):
    feed.walk(row())
    with store.transaction() as tx:
        tx.execute("UPDATE events SET content_hash = x'00'")
    assert feed.walk(row()) == counted(served=1, unchanged=1)
    assert feed.revisions() == ()
    before = store.connection.total_changes
    feed.walk(row())
    assert store.connection.total_changes == before


def test_many_events_are_found_by_their_uids(feed, store):
    feed.walk(*(row(str(n)) for n in range(10)))
    found = load_events(store.connection, ["acled:3", "acled:1", "acled:99"])
    assert [event.uid for event in found] == ["acled:1", "acled:3"]


def test_revisions_are_plain_json(feed, store):
    feed.walk(row(actors=(Actor("Wagner Group", "actor1"),)))
    feed.walk(row(actors=(Actor("Africa Corps", "actor1"),)))
    (text,) = store.connection.execute("SELECT changed FROM event_revisions").fetchone()
    assert json.loads(json.loads(text)["actors"]) == [["Wagner Group", "actor1", ""]]


def test_a_record_is_kept_whatever_its_number_types(feed):
    feed.walk(row(lat=12, lon=-8))
    assert feed.walk(replace(row(), lat=12.0, lon=-8.0)).unchanged == 1
