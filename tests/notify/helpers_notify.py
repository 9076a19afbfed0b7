"""Notices, stores and servers that the tests of the way out share."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from pydantic import SecretStr

from warden.clock import ManualClock
from warden.errors import ConfigError
from warden.model.located import FaultList
from warden.notify import plan
from warden.notify.render.samples import sample_event, sample_notice
from warden.notify.routing import parse_routes
from warden.rulebook.reading import read_bytes
from warden.store import ledger, outbox

NOW = datetime(2024, 1, 10, 8, 0, tzinfo=UTC)
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_KEY = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def secrets(name):
    known = {"hook": KEY, "old": OLD_KEY}
    if name not in known:
        raise ConfigError(f"secret '{name}' is not set")
    return SecretStr(known[name])


def routing_of(text, **options):
    """Routes from YAML; the faults as one-line texts."""
    faults = FaultList()
    root = read_bytes(text.encode(), "routes.yaml", faults)
    nodes = {key.text: (value,) for key, value in root.entries}
    routing = parse_routes(nodes, faults, **options)
    return routing, [fault.one_line() for fault in faults.sorted()]


def good_routing(text):
    routing, faults = routing_of(text)
    assert faults == []
    return routing


def notice(number=1, *, alert="a1", at=NOW, **changes):
    base = sample_notice(at=at)
    facts = {**base.facts, "events": [sample_event(at, id=f"SMP{number}")]}
    return replace(
        base, **{"id": f"n{number}", "alert_id": alert, "facts": facts, "at": at, **changes}
    )


def decide(store, routing, notices, now):
    """What `evaluate` does with notices: commit them with their dispatches."""
    with store.transaction() as tx:
        for one in notices:
            ledger.add_notice(tx, one, None)
        told = outbox.told(tx, [one.alert_id for one in notices])
        outbox.add_dispatches(tx, plan.dispatches(notices, routing, now, told))


def clock_at(moment=NOW):
    return ManualClock(moment)


def states(store):
    return sorted((row["target"], row["state"]) for row in outbox.list_deliveries(store.connection))


def rows(store):
    return list(reversed(outbox.list_deliveries(store.connection)))


def withheld(store):
    return store.connection.execute(
        "SELECT notice_id, receiver, withheld_reason FROM dispatches"
        " WHERE withheld_reason IS NOT NULL ORDER BY id"
    ).fetchall()


def later(seconds):
    return NOW + timedelta(seconds=seconds)


# --- a mail server ----------------------------------------------------------------------------


class Mailbox:
    """An aiosmtpd handler that refuses, greylists or accepts, by recipient."""

    def __init__(self, refuse=(), greylist=(), drop_after_data=0):
        self.refuse = set(refuse)
        self.greylist = set(greylist)
        self.drop_after_data = drop_after_data
        self.raw = []

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address in self.refuse:
            return "550 5.1.1 no such user"
        if address in self.greylist:
            self.greylist.discard(address)
            return "451 4.7.1 greylisted, come back later"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.raw.append((envelope.mail_from, tuple(envelope.rcpt_tos), envelope.content))
        if self.drop_after_data:
            self.drop_after_data -= 1
            server.transport.abort()
            return "250 never heard"
        return "250 2.0.0 taken"

    @property
    def mails(self):
        return [message_from_bytes(content, policy=default) for _, _, content in self.raw]

    def to(self, address):
        return [m for m, (_, rcpt, _) in zip(self.mails, self.raw, strict=True) if address in rcpt]


@contextmanager
def smtp_server(handler, **options):
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


# --- a hook -----------------------------------------------------------------------------------


class Hook:
    """An HTTP server on loopback that answers as told: (status, headers, body) or a callable."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                hook.requests.append((self.path, dict(self.headers), body))
                answer = hook.answers.pop(0) if len(hook.answers) > 1 else hook.answers[0]
                if callable(answer):
                    answer(self)
                    return
                status, headers, content = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


def answer(status, body=b"", **headers):
    return (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)
