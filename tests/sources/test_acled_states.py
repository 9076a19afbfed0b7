"""Every state a feed can be in is named, in a sentence that says what to do, and moves nothing."""

from __future__ import annotations

import time
from datetime import date, timedelta

import pytest
from support.sourcing import a_row, poll

from warden.ingest import ingest
from warden.simulator import faults
from warden.sources.http_client import retry_after_s
from warden.store import open_store
from warden.store.sources import keep_not_before, load_not_before

DAY = timedelta(days=1)


@pytest.fixture
def loaded(world, clock):
    for number in range(1, 26):
        world.publish(a_row(number), clock.now() - 9 * DAY + number * timedelta(hours=1))


CASES = {
    "html with status 200": (faults.html(), "blocked", "firewall"),
    "html with status 403": (faults.html(403), "blocked", "firewall"),
    "a redirect": (faults.status(302, "", name="moved"), "blocked", "web page"),
    "consent": (faults.consent_required(), "consent_required", "accept"),
    "profile": (faults.profile_incomplete(), "profile_incomplete", "required fields"),
    "access": (faults.access_denied(), "access_denied", "API access"),
    "an unexplained 403": (faults.status(403, "{}"), "access_denied", "API access"),
    "a refused request": (faults.status(400, "{}"), "auth_failed", "password"),
    "success: false": (faults.unsuccessful(), "unreachable", "Internal error"),
    "a server error": (faults.status(500, "{}"), "unreachable", "500"),
    "no such page": (faults.status(404, "{}"), "unreachable", "404"),
    "too many requests": (faults.status(429, "{}"), "unreachable", "too often"),
    "out of service": (faults.status(503, "{}"), "unreachable", "out of service"),
    "half a body, declared": (faults.truncated(), "truncated", "broke off"),
    "half a body, undeclared": (faults.truncated(declared=False), "truncated", "not JSON"),
    "a reset in the body": (faults.reset(), "truncated", "broke off"),
    "NaN": (faults.not_a_number(), "truncated", "NaN"),
    "a key twice": (faults.duplicate_key(), "truncated", "twice"),
    "no JSON": (faults.not_json(), "truncated", "not JSON"),
    "a list": (faults.status(200, "[]"), "schema_drift", "shape"),
    "no data": (faults.status(200, "{}"), "schema_drift", "data"),
    "plain text": (
        faults.status(200, "{}", content_type="text/plain"),
        "blocked",
        "instead of JSON",
    ),
    "a full page without a cursor": (faults.full_page_without_cursor(), "truncated", "next page"),
    "a stuck cursor": (faults.stuck_cursor(), "truncated", "does not move"),
    "a repeated page": (faults.repeated_page(), "truncated", "repeats"),
    "a lost column": (faults.missing_column("latitude"), "schema_drift", "latitude"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_state_is_named_and_nothing_moves(case, feed, clock, server, loaded):
    fault, state, words = CASES[case]
    server.fail(fault, on="read", times=None)
    polled = poll(feed(most_pages=30), clock.now())
    assert polled.state == state
    assert words in polled.sentence
    assert polled.memory is None
    assert polled.outcome.coverage is None


@pytest.mark.parametrize("case", CASES)
def test_it_recovers_when_the_fault_is_mended(case, feed, clock, server, loaded):
    source = feed(most_pages=30)
    server.fail(CASES[case][0], on="read", times=None)
    poll(source, clock.now())
    server.heal()
    clock.advance(timedelta(hours=1))
    polled = poll(source, clock.now())
    assert polled.state == "ok"
    assert len(set(polled.ids)) == 25


def test_endless_pages_are_given_up(feed, clock, server, loaded):
    def another_page(envelope, request):
        number = int(request.query["cursor"]) + 10
        rows = [a_row(number + index) for index in range(10)]
        return {**envelope, "data": rows, "count": 10, "next_cursor": number}

    server.fail(faults.Fault("endless", times=None, envelope=another_page), on="read")
    polled = poll(feed(most_pages=30), clock.now())
    assert polled.state == "truncated"
    assert "more than 30 pages" in polled.sentence
    assert polled.memory is None


def test_a_wrong_password_is_told_without_showing_it(feed, clock, server, loaded):
    polled = poll(feed(password="not-the-one"), clock.now())
    assert polled.state == "auth_failed"
    assert "user name or password" in polled.sentence
    assert "not-the-one" not in polled.sentence + repr(polled.outcome)


def test_415_is_told_as_a_broken_secret(feed, clock, server, loaded):
    server.fail(faults.status(415, "{}"), on="token")
    polled = poll(feed(), clock.now())
    assert polled.state == "auth_failed"
    assert "line break" in polled.sentence


def test_a_line_break_at_the_end_of_the_secret_does_no_harm(feed, clock, server, loaded):
    assert poll(feed(password=server.password + "\r\n"), clock.now()).state == "ok"


def test_a_wall_before_the_token_is_a_wall(feed, clock, server, loaded):
    server.fail(faults.html(), on="token")
    assert poll(feed(), clock.now()).state == "blocked"


def test_a_wall_before_the_deletions_stops_the_poll_before_its_rows(feed, clock, server, loaded):
    source = feed()
    memory = poll(source, clock.now()).memory
    server.fail(faults.html(), on="deleted")
    polled = poll(source, clock.now() + DAY, memory)
    assert polled.state == "blocked"
    assert not polled.records


def test_an_embargo_is_told_with_its_date(feed, clock, server, loaded):
    server.embargo_months = 12
    polled = poll(feed(), clock.now())
    assert polled.state == "embargoed"
    assert polled.outcome.no_data_since == date(2023, 6, 6)
    assert polled.outcome.complete_through == date(2023, 6, 6)
    assert "No data since 2023-06-06" in polled.sentence
    assert polled.memory is None
    assert polled.outcome.envelope["date_recency"]["date"] == "2023-06-06"


def test_an_embargo_without_a_date_is_reckoned_from_its_age(feed, clock, server, loaded):
    server.fail(faults.empty_with_restriction(12, "Months"), on="read", times=None)
    polled = poll(feed(), clock.now())
    assert polled.state == "embargoed"
    assert polled.outcome.no_data_since == date(2023, 5, 30)


def test_rows_older_than_the_embargo_are_served_and_cover_only_themselves(
    feed, world, clock, server, loaded
):
    world.publish(a_row(60, event_date="2022-01-01"), clock.now() - DAY)
    server.embargo_months = 12
    polled = poll(feed(), clock.now())
    assert polled.ids == ["MLI90060"]
    assert polled.memory is not None
    assert polled.outcome.coverage.last_day == date(2023, 6, 6)


def test_sixteen_days_without_a_release_are_stale(feed, clock, loaded):
    source = feed()
    memory = poll(source, clock.now()).memory  # newest stamp: eight days ago
    assert poll(source, clock.now() + 7 * DAY, memory).state == "ok"
    polled = poll(source, clock.now() + 8 * DAY, memory)
    assert polled.state == "stale"
    assert "no release for 16 days" in polled.sentence
    assert polled.outcome.no_data_since == polled.outcome.complete_through
    assert "No data since" in polled.sentence


def test_a_named_pause_is_no_staleness(feed, clock, loaded):
    pauses = [{"from": "2024-06-01", "to": "2024-06-30", "reason": "summer recess"}]
    source = feed(pauses=pauses)
    memory = poll(source, clock.now()).memory
    polled = poll(source, clock.now() + 10 * DAY, memory)
    assert polled.state == "paused"
    assert "summer recess" in polled.sentence
    assert "until 2024-06-30" in polled.sentence
    assert poll(source, clock.now() + 60 * DAY, memory).state == "stale"


def test_an_increment_that_is_empty_where_rows_were_is_not_believed(feed, clock, server, loaded):
    source = feed()
    memory = poll(source, clock.now()).memory
    server.fail(faults.replaced_rows([]), on="read", times=None)
    polled = poll(source, clock.now() + DAY, memory)
    assert polled.state == "truncated"
    assert "nothing" in polled.sentence
    assert polled.memory is None


def test_the_last_row_deleted_leaves_an_empty_increment_that_is_believed(feed, world, clock):
    world.publish(a_row(1), clock.now() - 2 * DAY)
    source = feed()
    memory = poll(source, clock.now()).memory
    world.delete("MLI90001", clock.now() + DAY)
    clock.advance(2 * DAY)
    polled = poll(source, clock.now(), memory)
    assert polled.state == "ok"
    clock.advance(20 * DAY)
    assert poll(source, clock.now(), polled.memory).state == "stale"


def test_some_bad_rows_are_rejects_and_many_are_drift(feed, world, clock, server):
    for number in range(1, 41):
        bad = {"latitude": "x"} if number <= 8 else {}
        world.publish(a_row(number, **bad), clock.now() - DAY)
    assert len(poll(feed(page_size=50), clock.now()).rejects) == 8
    world.publish(a_row(41, latitude="x"), clock.now() - DAY)
    polled = poll(feed(page_size=50), clock.now())
    assert polled.state == "schema_drift"
    assert "9 of 41" in polled.sentence
    assert not polled.pages


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120), ("0", 30), ("99999999999", 21_600), ("soon", 900), (None, 900), ("-5", 900),
        ("1 Jan 99999999999999999999 0:0:0", 900), ("9" * 5_000, 21_600), ("(" * 5_000, 900),
    ],
)  # fmt: skip
def test_retry_after_is_honoured_within_bounds(header, seconds, feed, clock, server, loaded):
    headers = {} if header is None else {"Retry-After": header}
    server.fail(faults.status(429, "{}", headers=headers), on="read")
    polled = poll(feed(), clock.now())
    assert polled.outcome.not_before == clock.now() + timedelta(seconds=seconds)


def test_a_server_that_asks_for_patience_is_left_alone_by_every_process(
    feed, clock, server, loaded, tmp_path
):
    server.fail(faults.status(429, "{}", headers={"Retry-After": "600"}), on="read")

    def run_once():
        with open_store(tmp_path / "w.db") as store:
            return ingest(store, feed(), clock)

    assert "too often" in run_once().sentence
    asked = len(server.requests)
    for _ in range(2):
        clock.advance(timedelta(minutes=4))
        result = run_once()
        assert result.state == "unreachable"
        assert "not asked again before 2024-06-05 12:10 UTC" in result.sentence
    assert len(server.requests) == asked
    clock.advance(timedelta(minutes=2))
    assert run_once().state == "ok"
    with open_store(tmp_path / "w.db") as store:
        assert load_not_before(store.connection, "acled", clock.now()) is None


def test_patience_ends_when_the_clock_was_set_back(feed, clock, server, loaded, tmp_path):
    with open_store(tmp_path / "w.db") as store:
        with store.transaction() as tx:
            keep_not_before(tx, "acled", clock.now() + timedelta(days=300))
        assert ingest(store, feed(), clock).state == "ok"


def test_retry_after_may_be_a_date(clock):
    assert retry_after_s("Wed, 05 Jun 2024 12:05:00 GMT", clock.now()) == 300
    assert retry_after_s("Wed, 05 Jun 2024 11:00:00 GMT", clock.now()) == 0


def test_a_drip_ends_at_the_deadline(feed, clock, server, loaded):
    server.fail(faults.drip(0.05), on="read")
    began = time.monotonic()
    polled = poll(feed(deadline_s=0.6), clock.now())
    assert time.monotonic() - began < 3
    assert polled.state == "unreachable"
    assert "within 0.6 s" in polled.sentence


def test_silence_ends_at_the_deadline(feed, clock, server, loaded):
    server.fail(faults.silent(30), on="read")
    began = time.monotonic()
    assert poll(feed(deadline_s=0.4), clock.now()).state == "unreachable"
    assert time.monotonic() - began < 3


def test_a_gzip_bomb_is_not_unpacked(feed, clock, server, loaded):
    server.fail(faults.gzip_bomb(50), on="read")
    polled = poll(feed(max_bytes=1 << 20), clock.now())
    assert polled.state == "truncated"
    assert "1,048,576 bytes" in polled.sentence


def test_a_refused_connection_is_out_of_reach(feed, clock):
    polled = poll(feed(base_url="http://127.0.0.1:9"), clock.now())
    assert polled.state == "unreachable"
    assert "127.0.0.1:9" in polled.sentence


def test_hostile_rows_end_in_rejects_not_in_exceptions(feed, world, clock, server, loaded):
    hostile = [
        {"event_id_cnty": "MLI1"},
        a_row(1, notes="half \ud800"),
        a_row(2, actor1="nul \0"),
        a_row(3, fatalities=2**63),
        a_row(4, notes="x" * 10_000_000),
        a_row(5, fatalities=1.5),
        a_row(6, event_id_cnty=None),
        a_row(7, latitude={"deep": []}),
        a_row(8, fatalities=True),
        a_row(9, timestamp=10**30),
        a_row(10, event_date="2999-01-01"),
        "a text",
        None,
    ]
    for number in range(100, 160):
        world.publish(a_row(number), clock.now() - DAY)
    server.fail(faults.extra_rows(row for row in hostile if isinstance(row, dict)), on="read")
    polled = poll(feed(page_size=100), clock.now())
    assert len(polled.rejects) == 11
    for reject in polled.rejects:
        reject.raw.encode()
        assert len(reject.raw) <= 4_096


def test_rows_of_which_none_can_be_read_are_no_empty_feed(feed, clock, server):
    server.fail(faults.replaced_rows([{"id": 1, "when": "2024-05-01"}]), on="read")
    polled = poll(feed(), clock.now())
    assert polled.state == "schema_drift"
    assert "none of the 1 rows" in polled.sentence


def test_a_feed_that_answers_and_holds_nothing_is_told(feed, clock):
    polled = poll(feed(), clock.now())
    assert polled.state == "stale"
    assert "check `countries` and `since`" in polled.sentence
