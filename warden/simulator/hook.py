"""A webhook receiver on loopback that believes nothing unsigned, and misbehaves on demand.

Standing in the flow: the other side of the webhook channel, in the demo and in tests. It verifies
by Standard Webhooks (https://www.standardwebhooks.com): an HMAC-SHA256 over id, timestamp, body.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from warden.clock import Clock, SystemClock
from warden.simulator import wire
from warden.simulator.wire import Answering, LoopbackServer, Manner, Reply, Request

TOLERANCE_S = 300.0
SECRET_PREFIX = "whsec_"  # noqa: S105 - the standard's prefix of every secret, not a secret
SUCCESS = range(200, 300)


class BadSignatureError(Exception):
    """A request that was not signed with this secret, or at another time."""


def verify(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    *,
    tolerance_s: float | None = TOLERANCE_S,
) -> str:
    """Return the message's id if one of its signatures is good; raise `BadSignatureError` if not.

    `tolerance_s`: how far its timestamp may lie from `now`; None = any distance.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, stamp = lower["webhook-id"], lower["webhook-timestamp"]
        offered = lower["webhook-signature"].split()
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        distance_s = abs(now.timestamp() - int(stamp))
    except KeyError as missing:
        raise BadSignatureError(f"the header {missing} is missing") from None
    except (ValueError, binascii.Error):
        raise BadSignatureError("the timestamp or the secret is malformed") from None
    if tolerance_s is not None and distance_s > tolerance_s:
        raise BadSignatureError(f"the timestamp is {distance_s:.0f} s away")
    digest = hmac.digest(key, f"{message_id}.{stamp}.".encode() + body, "sha256")
    wanted = "v1," + base64.b64encode(digest).decode()
    if not any(hmac.compare_digest(wanted.encode(), text.encode()) for text in offered):
        raise BadSignatureError("no signature matches")
    return message_id


@dataclass(frozen=True, slots=True)
class Received:
    """A payload that was signed and taken (though the sender may not have been told so)."""

    id: str
    payload: Any
    body: bytes
    headers: Mapping[str, str]


@dataclass(slots=True)
class Answer:
    """How to answer the next `times` requests (None: all).

    Attributes:
        reply: the answer, told only to signed requests.
        manner: how it goes out; None = as it should.
        takes: whether the payload counts as received all the same.
    """

    reply: Reply
    manner: Manner | None = None
    times: int | None = 1
    takes: bool = False


def failing(times: int | None = 1, status: int = 500) -> Answer:
    """Answer with an error."""
    return Answer(Reply(status, b"simulated failure", content_type="text/plain"), times=times)


def gone() -> Answer:
    """410: never try again."""
    return failing(None, 410)


def busy(retry_after: str, times: int | None = 1, status: int = 503) -> Answer:
    """Ask for a pause (seconds or a date)."""
    reply = Reply(status, b"", {"Retry-After": retry_after}, "text/plain")
    return Answer(reply, times=times)


def redirecting(url: str, times: int | None = 1, status: int = 307) -> Answer:
    """Point elsewhere."""
    return Answer(Reply(status, b"", {"Location": url}, "text/plain"), times=times)


def slow(seconds: float, times: int | None = 1) -> Answer:
    """Accept, but say so only after `seconds`."""
    return Answer(Reply(200, b"{}"), wire.late(seconds), times, takes=True)


def reset(times: int | None = 1) -> Answer:
    """Take the payload, then break the connection off without an answer."""
    return Answer(Reply(200), wire.reset_before_answer(), times, takes=True)


def chatty(megabytes: int, times: int | None = 1) -> Answer:
    """Accept with a body of so many megabytes."""
    return Answer(Reply(200, b" " * (megabytes << 20)), times=times, takes=True)


class HookServer(LoopbackServer):
    """The receiver.

    Attributes:
        received: what it took, oldest first (the same id twice if it was sent twice).
        refused: why unsigned requests were turned away.
        folder: every payload taken is also written there, or None.
        answers: what to say next instead of 200; see `Answer`.
        tolerance_s: how far a timestamp may lie from its clock; None = any distance.
    """

    def __init__(
        self,
        secret: str,
        *,
        clock: Clock | None = None,
        folder: Path | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(_Handler, port=port)
        self.secret = secret
        self.clock = clock or SystemClock()
        self.folder = folder
        self.received: list[Received] = []
        self.refused: list[str] = []
        self.answers: list[Answer] = []
        self.tolerance_s: float | None = TOLERANCE_S
        self._lock = threading.Lock()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def answer(self, request: Request) -> Answer:
        """Verify a request, keep it if it is to be taken, and say how to answer."""
        try:
            message_id = verify(
                self.secret,
                request.headers,
                request.body,
                self.clock.now(),
                tolerance_s=self.tolerance_s,
            )
            payload = _payload(request)
        except (BadSignatureError, ValueError) as problem:
            self.refused.append(str(problem))
            return Answer(Reply(401, str(problem).encode(), content_type="text/plain"))
        with self._lock:
            answer = self._next()
            if answer.takes:
                self._keep(Received(message_id, payload, request.body, request.headers))
        return answer

    def _next(self) -> Answer:
        for answer in self.answers:
            if answer.times is None:
                return answer
            if answer.times > 0:
                answer.times -= 1
                return answer
        return Answer(Reply(200, b"{}"), takes=True)

    def _keep(self, received: Received) -> None:
        self.received.append(received)
        if self.folder is None:
            return
        name = "".join(c for c in received.id if c.isalnum() or c in "-_") or "unnamed"
        path = self.folder / f"{len(self.received):05d}-{name[:80]}"
        if isinstance(received.payload, str):
            path.with_suffix(".xml").write_text(received.payload, encoding="utf-8")
            return
        text = json.dumps(received.payload, ensure_ascii=False, indent=1)
        path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")


def _payload(request: Request) -> Any:
    """JSON as data, XML as its text."""
    kind = next((v for k, v in request.headers.items() if k.lower() == "content-type"), "")
    return request.body.decode() if "xml" in kind else json.loads(request.body)


class _Handler(Answering):
    """Reads a POST, lets the receiver judge it, answers well or badly."""

    server: HookServer

    def do_POST(self) -> None:  # noqa: N802 - the base class's name
        request = Request("POST", self.path, {}, dict(self.headers.items()), self.read_body())
        self.server.requests.append(request)
        answer = self.server.answer(request)
        if answer.manner is not None:
            answer.manner(self, answer.reply)
        else:
            self.send(answer.reply)
