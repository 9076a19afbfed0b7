"""What a poll of ACLED asks for, in which order, and what it remembers."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from support.sourcing import a_row, drain, poll

from warden.simulator import faults

DAY = timedelta(days=1)


def publish(world, clock, count, **columns):
    for number in range(1, count + 1):
        world.publish(a_row(number, **columns), clock.now() - 9 * DAY + number * timedelta(hours=1))


def test_the_first_poll_walks_everything_and_covers_the_filter(feed, world, clock, server):
    publish(world, clock, 25)
    polled = poll(feed(), clock.now())
    assert len(polled.pages) == 3
    coverage = polled.outcome.coverage
    assert coverage.countries == {"MLI", "BFA"}
    assert coverage.first_day == date(2012, 1, 1)
    assert coverage.last_day is None
    assert len(coverage.seen) == 25
    assert coverage.look_up
    assert not server.asked("deleted")


def test_it_asks_by_iso_number_with_numeric_inter_codes(feed, world, clock, server):
    publish(world, clock, 1)
    poll(feed(), clock.now())
    query = server.asked("read")[0].query
    assert set(query["iso"].split("|")) == {"854", "466"}
    assert query["inter_num"] == "1"
    assert query["_format"] == "json"


def test_an_increment_asks_by_stamp_with_overlap_and_without_event_dates(
    feed, world, clock, server
):
    publish(world, clock, 3)
    source = feed(overlap_days=5)
    memory = poll(source, clock.now()).memory
    clock.advance(DAY)
    polled = poll(source, clock.now(), memory)
    assert polled.outcome.coverage is None
    query = server.asked("read")[-1].query
    assert int(query["timestamp"]) == memory["watermark"] - 5 * 86_400
    assert query["timestamp_where"] == ">="
    assert "event_date" not in query


def test_a_late_event_and_a_revision_come_with_the_next_increment(feed, world, clock):
    publish(world, clock, 3)
    source = feed()
    memory = poll(source, clock.now()).memory
    clock.advance(10 * DAY)
    world.publish(a_row(50, event_date="2013-02-01"), clock.now() - DAY)
    world.publish(a_row(2, fatalities=30), clock.now() - DAY)
    polled = poll(source, clock.now(), memory)
    assert {"MLI90050", "MLI90002"} <= set(polled.ids)
    assert next(r for r in polled.records if r.source_id == "MLI90002").fatalities == 30


def test_deletions_come_first_by_their_own_watermark(feed, world, clock, server):
    publish(world, clock, 3)
    source = feed()
    memory = poll(source, clock.now()).memory
    world.delete("MLI90002", clock.now() + DAY)
    clock.advance(2 * DAY)
    polled = poll(source, clock.now(), memory)
    assert [d.source_id for d in polled.pages[0].deletions] == ["MLI90002"]
    assert not polled.pages[0].records
    assert polled.memory["deleted"] == int((clock.now() - DAY).timestamp())
    assert int(server.asked("deleted")[0].query["deleted_timestamp"]) < memory["deleted"]


def test_everything_is_walked_again_each_month(feed, world, clock):
    publish(world, clock, 3)
    source = feed(full_every_days=30)
    memory = poll(source, clock.now()).memory
    clock.advance(29 * DAY)
    second = poll(source, clock.now(), memory)
    assert second.outcome.coverage is None
    clock.advance(DAY)
    third = poll(source, clock.now(), second.memory)
    assert third.outcome.coverage is not None


@pytest.mark.parametrize("ahead", [DAY, 400 * DAY])
def test_after_a_clock_that_was_ahead_everything_and_deletions_are_asked_for_again(
    ahead, feed, world, clock, server
):
    publish(world, clock, 3)
    source = feed(full_every_days=30, overlap_days=5)
    first = poll(source, clock.now() + ahead)
    world.delete("MLI90002", clock.now() + timedelta(hours=1))
    clock.advance(timedelta(hours=2))
    second = poll(source, clock.now(), first.memory)
    assert [d.source_id for d in second.deletions] == ["MLI90002"]
    assert second.outcome.coverage is not None
    assert second.memory["full_at"] == clock.now().isoformat()
    assert second.memory["deleted"] <= clock.now().timestamp()
    third = poll(source, clock.now() + DAY, second.memory)
    assert third.outcome.coverage is None


def test_a_stamp_that_only_a_clock_ahead_believed_does_not_stay_the_watermark(
    feed, world, clock, server
):
    publish(world, clock, 3)
    source = feed()
    memory = poll(source, clock.now()).memory
    ahead = int((clock.now() + 300 * DAY).timestamp())
    second = poll(source, clock.now(), {**memory, "watermark": ahead})
    assert second.ids
    assert second.outcome.coverage is not None
    assert second.memory["watermark"] <= (clock.now() + 2 * DAY).timestamp()
    third = poll(source, clock.now(), second.memory)
    assert third.outcome.coverage is None
    assert third.memory["watermark"] == second.memory["watermark"]


def test_another_filter_starts_anew(feed, world, clock):
    publish(world, clock, 3)
    memory = poll(feed(), clock.now()).memory
    assert poll(feed(countries=["MLI"]), clock.now(), memory).outcome.coverage is not None


def test_a_full_walk_that_shrank_is_not_believed(feed, world, clock, server):
    publish(world, clock, 20)
    source = feed(full_every_days=1, page_size=100)
    memory = poll(source, clock.now()).memory
    clock.advance(2 * DAY)
    server.fail(faults.replaced_rows([a_row(1)]), times=None)
    polled = poll(source, clock.now(), memory)
    assert polled.state == "truncated"
    assert polled.outcome.coverage is None
    assert polled.memory is None


@pytest.fixture
def one_fresh_row(feed, world, clock):
    """A source, and its memory after two full walks: of its rows one lies in the overlap."""
    for number in range(1, 5):
        world.publish(a_row(number), clock.now() - 60 * DAY)
    world.publish(a_row(9), clock.now() - DAY)
    source = feed(full_every_days=1)
    memory = poll(source, clock.now()).memory
    clock.advance(DAY)
    return source, poll(source, clock.now(), memory).memory


def test_a_row_of_the_overlap_counts_once_though_two_walks_of_a_poll_serve_it(one_fresh_row):
    _, memory = one_fresh_row
    assert memory["overlap_rows"] == 1


def test_the_last_row_of_the_overlap_may_be_deleted(one_fresh_row, world, clock):
    source, memory = one_fresh_row
    world.delete("MLI90009", clock.now())
    assert poll(source, clock.now() + DAY / 10, memory).state == "ok"


def test_when_everything_is_walked_anyway_that_decides_whether_rows_were_lost(
    one_fresh_row, world, clock
):
    source, memory = one_fresh_row
    long_ago = int((clock.now() - 40 * DAY).timestamp())
    world.publish(a_row(9), clock.now(), stamp=long_ago)  # by the feed's whim
    clock.advance(DAY / 2)
    assert poll(source, clock.now(), memory).state == "truncated"
    clock.advance(DAY / 2)
    polled = poll(source, clock.now(), memory)
    assert polled.state == "ok"
    assert polled.outcome.coverage is not None
    assert polled.memory["overlap_rows"] == 0


def test_a_full_walk_that_serves_nothing_where_rows_were_is_refused(one_fresh_row, clock, server):
    source, memory = one_fresh_row
    server.fail(faults.replaced_rows([]), times=None)
    clock.advance(DAY)
    polled = poll(source, clock.now(), memory)
    assert (polled.state, polled.memory) == ("truncated", None)


def test_foreign_rows_of_an_ignored_filter_are_counted_and_dropped(feed, world, clock, server):
    publish(world, clock, 3)
    world.publish(a_row(70, iso=288, country="Ghana"), clock.now() - 3 * DAY)
    world.publish(a_row(71, event_date="2011-12-31"), clock.now() - 3 * DAY)
    world.publish(a_row(72, iso=288, country="Ghana", latitude="bad"), clock.now() - 3 * DAY)
    server.ignored = frozenset({"iso", "event_date"})
    polled = poll(feed(), clock.now())
    assert polled.foreign == 3
    assert len(polled.ids) == 3
    assert not polled.rejects
    assert "3 outside the filter" in polled.sentence


def test_page_mode_counts_pages(feed, world, clock, server):
    publish(world, clock, 25)
    polled = poll(feed(pagination="page"), clock.now())
    assert len(set(polled.ids)) == 25
    assert [r.query["page"] for r in server.asked("read")] == ["1", "2", "3"]
    assert "cursor" not in server.asked("read")[0].query


def test_numbers_and_strings_give_the_same_records(feed, world, clock, server):
    publish(world, clock, 3)
    found = []
    for values in ("numbers", "strings", "mixed"):
        server.values = values
        found.append(poll(feed(), clock.now()).records)
    assert found[0] == found[1] == found[2]


def test_needed_columns_give_the_same_records_as_all(feed, world, clock):
    publish(world, clock, 3)
    assert (
        poll(feed(fields="needed"), clock.now()).records
        == poll(feed(fields="all"), clock.now()).records
    )


def test_a_walk_that_ends_with_a_full_page_asks_for_it_again_with_a_row_less(
    feed, world, clock, server
):
    publish(world, clock, 20)
    polled = poll(feed(page_size=10), clock.now())
    assert polled.state == "ok"
    assert len(polled.ids) == len(set(polled.ids)) == 20
    asked = [(r.query["cursor"], r.query["limit"]) for r in server.asked("read")]
    assert asked[-2][1] == "9"
    assert asked[-3] == (asked[-2][0], "10")


def total_of(number):
    return faults.Fault("total", times=None, envelope=lambda page, _: {**page, "count": number})


def test_a_count_of_all_pages_is_believed_when_they_have_as_many_rows(feed, world, clock, server):
    publish(world, clock, 25)
    server.fail(total_of(25), on="read")
    polled = poll(feed(page_size=10), clock.now())
    assert polled.state == "ok"
    assert len(polled.ids) == 25


@pytest.mark.parametrize(("total", "pages"), [(26, 2), (24, 2), (12, 1)])
def test_a_count_of_all_pages_that_they_do_not_have_refuses_the_walk(
    total, pages, feed, world, clock, server
):
    publish(world, clock, 25)
    server.fail(total_of(total), on="read")
    polled = poll(feed(page_size=10), clock.now())
    assert polled.state == "truncated"
    assert f"announced {total} rows and sent 10" in polled.sentence
    assert len(polled.pages) == pages
    assert polled.memory is None


def test_pages_cut_short_have_differing_counts_and_are_refused(feed, world, clock, server):
    def cut(page, _):
        return {**page, "data": page["data"][:4]}

    publish(world, clock, 25)
    server.fail(faults.Fault("cut", times=None, envelope=cut), on="read")
    polled = poll(feed(page_size=10), clock.now())
    assert polled.state == "truncated"
    assert polled.memory is None


def test_a_look_up_that_was_cut_short_proves_nothing(feed, world, clock, server):
    publish(world, clock, 3)
    server.fail(faults.Fault("cut", envelope=lambda page, _: {**page, "data": []}), on="read")
    looked = drain(feed().look_up(["MLI90001"], clock.now()))
    assert looked.state == "truncated"
    assert not looked.deletions


def test_a_missing_id_that_is_gone_comes_back_as_a_deletion(feed, world, clock):
    publish(world, clock, 3)
    world.delete("MLI90002", clock.now() - DAY)
    looked = drain(feed().look_up(["MLI90001", "MLI90002"], clock.now()))
    assert looked.ids == ["MLI90001"]
    assert [d.source_id for d in looked.deletions] == ["MLI90002"]


def test_an_event_recoded_out_of_the_filter_comes_back_as_it_is_now(feed, world, clock):
    world.publish(a_row(1, iso=288, country="Ghana", latitude=9.4, longitude=-0.8), clock.now())
    looked = drain(feed().look_up(["MLI90001"], clock.now()))
    assert [record.iso3 for record in looked.records] == ["GHA"]


def test_a_look_up_that_answers_something_else_proves_nothing(feed, world, clock, server):
    publish(world, clock, 3)
    server.ignored = frozenset({"event_id_cnty"})
    looked = drain(feed(page_size=100).look_up(["MLI99999"], clock.now()))
    assert not looked.deletions
    assert not looked.records


def test_a_look_up_under_an_embargo_proves_nothing(feed, world, clock, server):
    publish(world, clock, 3)
    server.embargo_months = 12
    assert not drain(feed().look_up(["MLI90001"], clock.now())).deletions


def test_look_ups_are_rationed(feed, world, clock, server):
    source = feed()
    looked = drain(source.look_up([f"MLI8{n:04d}" for n in range(230)], clock.now()))
    assert len(looked.deletions) == 200
    assert "30 more" in looked.sentence
    assert not drain(source.look_up(["MLI80229"], clock.now())).deletions


def test_days_that_an_embargo_uncovers_are_asked_for_by_date(feed, world, clock, server):
    for number, day in enumerate(["2023-05-01", "2023-06-20", "2024-05-20"], start=1):
        world.publish(a_row(number, event_date=day), clock.now() - 30 * DAY)
    world.publish(a_row(9, event_date="2023-04-01"), clock.now() - DAY)  # a newer stamp
    server.embargo_months = 12
    source = feed()
    first = poll(source, clock.now())
    assert first.state == "embargoed"
    assert set(first.ids) == {"MLI90001", "MLI90009"}
    clock.advance(21 * DAY)
    second = poll(source, clock.now(), first.memory)
    assert "MLI90002" in second.ids
    server.embargo_months = None
    third = poll(source, clock.now(), second.memory)
    assert "MLI90003" in third.ids
    assert third.memory["embargo"] is None
