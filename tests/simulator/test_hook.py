"""The webhook receiver takes what is signed, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import requests
from standardwebhooks import Webhook

from warden.clock import ManualClock
from warden.simulator import hook
from warden.simulator.hook import HookServer
from warden.simulator.wire import Reply

SECRET = "whsec_c2ltdWxhdGVkLXNlY3JldC1vZi0zMi1ieXRlcy0hIQ=="
NOW = datetime(2024, 9, 25, 9, tzinfo=UTC)


@pytest.fixture
def server(tmp_path):
    with HookServer(SECRET, clock=ManualClock(NOW), folder=tmp_path / "payloads") as running:
        yield running


def post(server, body='{"a": 1}', secret=SECRET, at=NOW, **headers):
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, body),
    } | headers
    return requests.post(server.url, data=body, headers=headers, timeout=5, allow_redirects=False)


def test_a_signed_payload_is_taken_and_kept(server):
    assert post(server).status_code == 200
    assert server.received[0].payload == {"a": 1}
    kept = list(server.folder.iterdir())
    assert [json.loads(path.read_text()) for path in kept] == [{"a": 1}]


def test_one_good_signature_of_several_is_enough(server):
    good = Webhook(SECRET).sign("msg_1", NOW, '{"a": 1}')
    assert post(server, **{"webhook-signature": f"v1,AAAA {good}"}).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook-id": "msg_2"},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-timestamp": "soon"},
        {"webhook-signature": ""},
    ],
)
def test_an_altered_header_is_refused(server, wrong):
    assert post(server, **wrong).status_code == 401
    assert not server.received
    assert server.refused


def test_another_secret_another_body_or_another_time_is_refused(server):
    other = "whsec_b3RoZXItc2VjcmV0LW9mLTMyLWJ5dGVzLWxvbmchIQ=="
    assert post(server, secret=other).status_code == 401
    signature = Webhook(SECRET).sign("msg_1", NOW, '{"a": 1}')
    assert post(server, body='{"a": 2}', **{"webhook-signature": signature}).status_code == 401
    assert post(server, at=datetime(2024, 9, 25, 10, tzinfo=UTC)).status_code == 401


def test_it_fails_as_often_as_it_is_told(server):
    server.answers.append(hook.failing(2))
    assert [post(server).status_code for _ in range(3)] == [500, 500, 200]
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("answer", "status", "header"),
    [
        (hook.gone(), 410, None),
        (hook.busy("120"), 503, "Retry-After"),
        (hook.redirecting("http://127.0.0.1:9/"), 307, "Location"),
    ],
)
def test_it_refuses_in_several_ways(server, answer, status, header):
    server.answers.append(answer)
    reply = post(server)
    assert reply.status_code == status
    assert header is None or header in reply.headers
    assert not server.received


def test_a_reset_after_the_body_takes_the_payload_without_saying_so(server):
    server.answers.append(hook.reset())
    with pytest.raises(requests.ConnectionError):
        post(server)
    assert len(server.received) == 1


def test_a_slow_receiver_answers_late(server):
    server.answers.append(hook.slow(0.2))
    assert post(server).elapsed.total_seconds() >= 0.2


def test_a_custom_answer_can_be_given(server):
    server.answers.append(hook.Answer(Reply(202), takes=True))
    assert post(server).status_code == 202
