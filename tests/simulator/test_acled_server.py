"""The simulated ACLED keeps to what is known of the real one, and errs on demand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests

from warden.clock import ManualClock
from warden.simulator import faults
from warden.simulator.acled_server import AcledServer
from warden.simulator.world import World

NOW = datetime(2024, 6, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def a_row(number, iso=466, day="2024-05-01", **columns):
    return {
        "event_id_cnty": f"MLI9{number:05d}",
        "event_date": day,
        "year": int(day[:4]),
        "event_type": "Battles",
        "inter1": 2,
        "inter2": 1,
        "iso": iso,
        "country": "Mali",
        "latitude": 12.5,
        "longitude": -8.1,
        "fatalities": 3,
        "notes": "SIMULATED.",
        **columns,
    }


@pytest.fixture
def clock():
    return ManualClock(NOW)


@pytest.fixture
def server(clock):
    world = World()
    for number in range(5):
        world.publish(a_row(number), NOW - 10 * DAY + number * DAY)
    with AcledServer(world, clock=clock) as running:
        yield running


def a_token(server, **form):
    form = {
        "username": server.username,
        "password": server.password,
        "grant_type": "password",
        "client_id": "acled",
        "scope": "authenticated",
    } | form
    return requests.post(f"{server.url}/oauth/token", data=form, timeout=5)


def read(server, path="acled", token=None, **query):
    token = token or a_token(server).json()["access_token"]
    return requests.get(
        f"{server.url}/api/{path}/read",
        params={"_format": "json", **query},
        headers={"Authorization": f"Bearer {token}"},
        timeout=5,
    )


def ids(reply):
    return [row["event_id_cnty"] for row in reply.json()["data"]]


def test_a_cursor_walk_serves_every_row_once(server):
    cursor, served, pages = 0, [], 0
    while cursor is not None:
        reply = read(server, cursor=cursor, limit=2)
        served += ids(reply)
        cursor = reply.json()["next_cursor"]
        pages += 1
    assert served == [f"MLI9{number:05d}" for number in range(5)]
    assert pages == 3


def test_a_page_walk_ends_with_an_empty_page(server):
    served = [ids(read(server, page=page, limit=2)) for page in (1, 2, 3, 4)]
    assert [len(page) for page in served] == [2, 2, 1, 0]


def test_a_full_last_page_has_no_cursor(server):
    assert read(server, cursor=0, limit=5).json()["next_cursor"] is None


def test_only_rows_stamped_since_the_watermark_are_served(server):
    since = int((NOW - 7 * DAY).timestamp())
    assert ids(read(server, timestamp=since, timestamp_where=">=")) == ["MLI900003", "MLI900004"]


def test_rows_appear_change_and_vanish_with_the_clock(server, clock):
    server.world.publish(a_row(0, fatalities=9), NOW + 7 * DAY)
    server.world.delete("MLI900001", NOW + 7 * DAY)
    assert len(ids(read(server))) == 5
    clock.advance(7 * DAY)
    assert "MLI900001" not in ids(read(server))
    assert read(server, event_id_cnty="MLI900000").json()["data"][0]["fatalities"] == 9
    assert read(server, "deleted").json()["data"] == [
        {"event_id_cnty": "MLI900001", "deleted_timestamp": int(clock.now().timestamp())}
    ]


def test_deletions_have_their_own_watermark(server):
    server.world.delete("MLI900001", NOW - DAY)
    late = int(NOW.timestamp())
    assert ids(read(server, "deleted", deleted_timestamp=late, deleted_timestamp_where=">=")) == []


def test_countries_are_filtered_by_number_and_unknown_parameters_are_ignored(server):
    server.world.publish(a_row(7, iso=854), NOW)
    assert ids(read(server, iso="854|562")) == ["MLI900007"]
    assert len(ids(read(server, iso3="BFA"))) == 6


def test_event_days_can_be_asked_for_between_two_dates(server):
    server.world.publish(a_row(7, day="2013-01-05"), NOW)
    query = {"event_date": "2013-01-01|2013-12-31", "event_date_where": "BETWEEN"}
    assert ids(read(server, **query)) == ["MLI900007"]


def test_fields_shorten_and_inter_num_gives_numbers(server):
    row = read(server, fields="event_id_cnty|inter1", inter_num=1).json()["data"][0]
    assert row == {"event_id_cnty": "MLI900000", "inter1": 2}
    assert read(server).json()["data"][0]["inter1"] == "Rebel group"


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ("numbers", (int, float)),
        ("mixed", (int, str)),
        ("strings", (str, str)),
    ],
)
def test_values_arrive_as_numbers_or_strings(server, values, kinds):
    server.values = values
    row = read(server).json()["data"][0]
    assert (type(row["fatalities"]), type(row["latitude"])) == kinds


def test_no_token_no_rows(server):
    assert read(server, token="wrong").status_code == 401


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"password": "wrong"}, 400),
        ({"password": "simulated\n"}, 415),
        ({"scope": ""}, 415),
        ({"client_id": "other"}, 401),
        ({"grant_type": "device"}, 400),
    ],
)
def test_a_bad_token_request_is_refused(server, form, status):
    assert a_token(server, **form).status_code == status


def test_tokens_expire_and_refresh_once(server, clock):
    granted = a_token(server).json()
    clock.advance(2 * DAY)
    assert read(server, token=granted["access_token"]).status_code == 401
    refresh = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]}
    renewed = a_token(server, **refresh)
    assert read(server, token=renewed.json()["access_token"]).status_code == 200
    assert a_token(server, **refresh).status_code == 401


def test_an_embargo_is_told_only_inside_a_good_answer(server):
    server.embargo_months = 12
    reply = read(server)
    assert reply.status_code == 200
    assert reply.json()["success"]
    assert ids(reply) == []
    assert reply.json()["data_query_restrictions"]["date_recency"]["quantity"] == 12


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (faults.unauthorised(), 401),
        (faults.expired_token(), 401),
        (faults.too_many_requests("7"), 429),
        (faults.unavailable(), 503),
        (faults.html(), 200),
        (faults.unsuccessful(), 200),
        (faults.consent_required(), 403),
        (faults.profile_incomplete(), 403),
        (faults.access_denied(), 403),
        (faults.not_json(), 200),
    ],
)
def test_a_refusal_strikes_once_and_after_as_many_as_it_skips(server, fault, status):
    server.fail(fault, skip=1)
    assert read(server).json()["count"] == 5
    struck = read(server)
    assert struck.status_code == status
    assert '"count":5' not in struck.text
    assert read(server).json()["count"] == 5


@pytest.mark.parametrize(
    "fault",
    [
        faults.truncated(),
        faults.truncated(declared=False),
        faults.reset(),
        faults.not_a_number(),
        faults.gzip_bomb(1),
        faults.html(),
    ],
)
def test_a_broken_body_is_no_json_object_of_rows(server, fault):
    token = a_token(server).json()["access_token"]
    server.fail(fault)
    with pytest.raises((requests.RequestException, ValueError, AssertionError)):  # noqa: PT012
        reply = read(server, token=token)
        assert "NaN" not in reply.text
        assert isinstance(reply.json()["data"], list)
    assert read(server, token=token).json()["count"] == 5


def test_a_drip_is_slower_than_a_short_patience(server):
    token = a_token(server).json()["access_token"]
    server.fail(faults.drip(0.2))
    with requests.get(
        f"{server.url}/api/acled/read",
        stream=True,
        timeout=5,
        headers={"Authorization": f"Bearer {token}"},
    ) as reply:
        assert len(next(reply.iter_content(1))) == 1


def test_a_silent_server_says_nothing(server):
    token = a_token(server).json()["access_token"]
    server.fail(faults.silent())
    with pytest.raises(requests.Timeout):
        requests.get(
            f"{server.url}/api/acled/read",
            timeout=0.2,
            headers={"Authorization": f"Bearer {token}"},
        )


def test_walks_can_go_wrong_in_every_way(server):
    server.fail(faults.full_page_without_cursor())
    assert read(server, cursor=0, limit=2).json()["next_cursor"] is None
    server.heal()
    server.fail(faults.stuck_cursor())
    assert read(server, cursor=3, limit=1).json()["next_cursor"] == 3
    server.heal()
    server.fail(faults.repeated_page())
    pages = [read(server, cursor=cursor, limit=2).json() for cursor in (0, 1, 2)]
    assert [page["next_cursor"] for page in pages] == [1, 2, 3]
    assert pages[0]["data"] == pages[2]["data"]
    server.heal()
    server.fail(faults.endless())
    pages = [read(server, cursor=cursor, limit=3) for cursor in (0, 3, 9)]
    assert len({name for page in pages for name in ids(page)}) == 9


def test_rows_nobody_asked_for_can_be_slipped_in(server):
    server.fail(faults.extra_rows([a_row(99, iso=4)]))
    assert ids(read(server, iso="466"))[-1] == "MLI900099"


def test_the_requests_are_remembered(server):
    read(server, iso="466")
    assert server.asked("read")[-1].query["iso"] == "466"
    assert len(server.asked("token")) == 1
