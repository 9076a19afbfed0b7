"""Any history can be read as it was known at any instant; counts add up whatever is served."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from support.records import record

from warden.engine.frame import FRAME_COLUMNS as ENGINE_COLUMNS
from warden.engine.frame import Frame
from warden.sources.protocol import Deletion, Page, Reject
from warden.store import MEMORY, open_store
from warden.store.events import (
    FRAME_COLUMNS,
    Walk,
    apply_page,
    events_as_of,
    load_columns,
    load_rows,
)

START = datetime(2024, 1, 1, tzinfo=UTC)
IDS = st.sampled_from("abc")
STAMPS = st.one_of(st.none(), st.integers(0, 4).map(lambda n: START - timedelta(hours=n)))
ROWS = st.builds(
    lambda source_id, fatalities, location, stamp: record(
        source_id, fatalities=fatalities, location=location, source_updated_at=stamp
    ),
    IDS,
    st.integers(0, 2),
    st.sampled_from(["Kati", "Kita"]),
    STAMPS,
)
PAGES = st.builds(
    lambda rows, gone, rejects, foreign: Page(
        "acled",
        rows,
        rejects=[Reject("bad", text) for text in rejects],
        deletions=gone,
        foreign=foreign,
    ),
    st.lists(ROWS, max_size=4),
    st.lists(st.builds(Deletion, IDS, STAMPS), max_size=2),
    st.lists(st.text(max_size=3), max_size=2),
    st.integers(0, 3),
)


def replay(store, pages, walk_of=lambda number: Walk("acled")):
    """Apply pages an hour apart; yield (instant, counts)."""
    for number, page in enumerate(pages):
        now = START + timedelta(hours=number)
        with store.transaction() as tx:
            yield now, apply_page(tx, page, walk_of(number), now)


def known(events, *, restamped=False):
    """What was known of each event, but for its stamp, of which only the newest is kept."""
    return {
        event.uid: (
            event.status,
            event.revision,
            event.record.fatalities,
            event.record.location,
            event.first_seen_at,
            event.revised_at,
            event.retracted_at,
            event.source,
        )
        for event in events
    }


@settings(max_examples=30, deadline=None)
@given(st.lists(PAGES, max_size=6))
def test_events_as_of_an_instant_are_what_was_read_then(pages):
    with open_store(MEMORY) as store:
        seen = [
            (now, known(events_as_of(store.connection, now + timedelta(days=999))))
            for now, _ in replay(store, pages)
        ]
        for now, then in seen:
            assert known(events_as_of(store.connection, now)) == then
        assert events_as_of(store.connection, START - timedelta(seconds=1)) == ()


@settings(max_examples=30, deadline=None)
@given(st.lists(PAGES, max_size=6), st.booleans())
def test_the_counts_of_every_page_add_up(pages, one_walk):
    walk = Walk("acled")
    with open_store(MEMORY) as store:
        new = retracted = reinstated = 0
        for _, counts in replay(store, pages, lambda _: walk if one_walk else Walk("acled")):
            assert counts.adds_up
            new += counts.new
            retracted += counts.retracted
            reinstated += counts.reinstated
        events = events_as_of(store.connection, START + timedelta(days=999))
        assert len(events) == new
        gone = sum(event.status == "retracted" for event in events)
        assert gone == retracted - reinstated


@settings(max_examples=20, deadline=None)
@given(st.lists(ROWS, max_size=8), st.integers(1, 8))
def test_batching_does_not_change_what_is_stored(rows, size):
    def final(pages):
        with open_store(MEMORY) as store:
            walk = Walk("acled")
            for page in pages:
                with store.transaction() as tx:
                    apply_page(tx, page, walk, START)
            columns = load_columns(store.connection)
            # Of rows with one stamp in a page only the last is decided on: fewer revisions, and
            # events may come in another order.
            del columns["revision"]
            return sorted(zip(*columns.values(), strict=True), key=lambda cells: cells[0])

    chunks = [rows[start : start + size] for start in range(0, len(rows), size)]
    assert final([Page("acled", chunk) for chunk in chunks]) == final([Page("acled", rows)])


def test_rows_are_what_the_engine_builds_its_frame_from():
    assert set(ENGINE_COLUMNS) <= set(FRAME_COLUMNS)
    with open_store(MEMORY) as store:
        list(replay(store, [Page("acled", [record("a", fatalities=3), record("b")])]))
        frame = Frame.from_rows(FRAME_COLUMNS, load_rows(store.connection))
        assert sorted(frame.uid) == ["acled:a", "acled:b"]
        assert frame.row_parties(0) == record("a").actors
        assert len(Frame.from_rows(FRAME_COLUMNS, [])) == 0


def test_rows_can_be_asked_for_by_uid_status_and_instant():
    with open_store(MEMORY) as store:
        pages = [
            Page("acled", [record("a", fatalities=3), record("b")]),
            Page("acled", [record("a", fatalities=4), record("c")], deletions=[Deletion("b")]),
        ]
        list(replay(store, pages))
        connection = store.connection

        def uids(**asked):
            return sorted(load_columns(connection, **asked)["uid"])

        assert uids() == ["acled:a", "acled:c"]
        assert uids(status="retracted") == ["acled:b"]
        assert uids(status=None) == ["acled:a", "acled:b", "acled:c"]
        assert uids(uids=["acled:a", "acled:b", "acled:z"]) == ["acled:a"]
        assert uids(uids=[]) == []
        assert uids(as_of=START) == ["acled:a", "acled:b"]
        assert uids(as_of=START, uids=["acled:b", "acled:c"]) == ["acled:b"]
        assert load_columns(connection, as_of=START, uids=["acled:a"])["fatalities"] == [3]
        assert load_columns(connection, uids=["acled:a"])["fatalities"] == [4]
