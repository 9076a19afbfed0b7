"""Tokens: refreshed by one thread at a time, renewed on 401, and then the request once more."""

from __future__ import annotations

import threading
from datetime import timedelta
from urllib.parse import parse_qs

from pydantic import SecretStr
from support.sourcing import a_row, poll

from warden.sources.acled_client import Account, AcledClient, Bounds
from warden.sources.http_client import HttpClient

DAY = timedelta(days=1)


def grants(server):
    return [parse_qs(r.body.decode())["grant_type"][0] for r in server.asked("token")]


def test_one_token_serves_many_requests(feed, world, clock, server):
    for number in range(1, 26):
        world.publish(a_row(number), clock.now() - DAY)
    poll(feed(), clock.now())
    assert grants(server) == ["password"]


def test_a_token_that_expires_in_mid_walk_is_refreshed_and_the_walk_goes_on(
    feed, world, clock, server
):
    for number in range(1, 26):
        world.publish(a_row(number), clock.now() - DAY)
    source = feed()
    pages = source.poll({}, clock.now())
    found = list(next(pages).records)
    server.expire_tokens()
    found += [record for page in pages for record in page.records]
    assert len({record.source_id for record in found}) == 25
    assert grants(server) == ["password", "refresh_token"]


def test_a_refused_refresh_falls_back_to_the_password(feed, world, clock, server):
    world.publish(a_row(), clock.now() - DAY)
    source = feed()
    memory = poll(source, clock.now()).memory
    server.expire_tokens(refresh=True)
    assert poll(source, clock.now(), memory).state == "ok"
    assert grants(server) == ["password", "refresh_token", "password"]


def test_a_token_good_for_one_request_only_is_renewed_for_each(feed, world, clock, server):
    for number in range(1, 26):
        world.publish(a_row(number), clock.now() - DAY)
    source = feed()
    answer = server.answer

    def once(request):
        reply = answer(request)
        if request.path.endswith("/acled/read"):
            server.expire_tokens()
        return reply

    server.answer = once
    assert len(set(poll(source, clock.now()).ids)) == 25


def test_a_token_is_refreshed_before_it_expires(feed, world, clock, server):
    world.publish(a_row(), clock.now() - DAY)
    seconds = [0.0]
    source = feed(monotonic=lambda: seconds[0])
    memory = poll(source, clock.now()).memory
    seconds[0] = 86_400.0 - 60
    poll(source, clock.now(), memory)
    assert grants(server) == ["password", "refresh_token"]


def test_many_threads_with_an_expired_token_refresh_it_once(world, clock, server):
    world.publish(a_row(), clock.now() - DAY)
    client = AcledClient(
        Account(server.url, server.username, SecretStr(server.password)),
        HttpClient(),
        Bounds(5.0, 1 << 20),
    )
    client.page("acled", [("limit", "5")], clock.now())
    server.expire_tokens()
    start = threading.Barrier(6)
    found = []

    def ask():
        start.wait()
        found.append(len(client.page("acled", [("limit", "5")], clock.now()).rows))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [1] * 6
    assert grants(server).count("refresh_token") == 1


def test_a_token_stays_out_of_every_repr(feed, world, clock, server):
    world.publish(a_row(), clock.now() - DAY)
    source = feed()
    polled = poll(source, clock.now())
    token = source._client._token
    assert token is not None
    assert token.access not in repr(token) + repr(polled)
    assert server.password not in repr(source.settings) + repr(source._client._account)
