"""Receivers misbehave in one way after another; one daemon lives through all of it.

Each alert arrives in the end, at those who were well all along without delay, and no delivery is
called sent that was not accepted.
"""

from __future__ import annotations

import base64
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from done import await_log, await_told, kati, whole
from support.installation import Daemon, Installation, eventually, recent, row

from warden.simulator import hook as hooks
from warden.simulator.hook import Answer, HookServer
from warden.simulator.mailbox import MailServer, Switches

SECRET = "whsec_" + base64.b64encode(b"simulated secret of 32 bytes!!!!").decode()
ROUTES = """\
receivers:
- name: desk
  email: [{to: [desk@example.org]}]
- name: hook
  webhook: [{url: '%s', secret: {secret: hook}, allow_private: true}]
route:
  receiver: desk
  routes:
  - {receiver: hook, continue: true}
  - {receiver: desk}
"""
THREE = """\
receivers:
- name: desk
  email: [{to: [a@example.org, b@example.org, c@example.org]}]
route: {receiver: desk}
"""


@pytest.fixture
def hooked(installation: Installation) -> Iterator[tuple[Installation, HookServer]]:
    """The desk gets mails, a receiver gets webhooks, and both know the feed for long."""
    with HookServer(SECRET) as hook:
        secrets = installation.root / "secrets"
        secrets.mkdir()
        (secrets / "hook").write_text(SECRET + "\n", encoding="utf-8")
        with (installation.root / "warden.yaml").open("a", encoding="utf-8") as settings:
            settings.write("secrets_dir: secrets\n")
        written(installation, ROUTES % hook.url)
        installation.drop("old.csv", [row(1, recent(60))])
        installation.warden("run", "--once")
        yield installation, hook


def written(installation: Installation, routes: str) -> None:
    """Put these routes into the rules' folder."""
    (installation.root / "rules" / "routes.yaml").write_text(routes, encoding="utf-8")


def settled(installation: Installation, channel: str, states: set[str], tries: int = 0) -> None:
    """Wait until the newest delivery of a channel is in one of these states."""

    def there() -> bool:
        newest = newest_of(installation, channel)
        return newest["state"] in states and newest["attempts"] >= tries

    try:
        eventually(there, 40)
    except AssertionError:
        raise AssertionError(newest_of(installation, channel)) from None


def newest_of(installation: Installation, channel: str) -> dict[str, Any]:
    """The delivery made last."""
    return next(one for one in installation.rows("deliveries") if one["channel"] == channel)


def tried_now(installation: Installation) -> None:
    """Have what waits for another try sent at once, as an operator would."""
    waiting = installation.rows("deliveries", "--state", "retry")
    if waiting:
        installation.warden("retry", *(str(one["id"]) for one in waiting))


MAIL: dict[str, Switches] = {
    "dropped after DATA": Switches(drop_after_data=1),
    "greylisted": Switches(greylist=10_000),
    "refused for now": Switches(busy=10_000),
}


def test_a_mail_server_that_fails_in_every_way_gets_each_mail_when_it_is_well(
    seeded: Installation,
) -> None:
    with seeded.daemon():
        for number, (name, switches) in enumerate(MAIL.items(), start=2):
            seeded.mail.switches = replace(switches)
            seeded.drop(f"{number}.csv", [row(number, recent())])
            settled(seeded, "email", {"retry"})
            assert newest_of(seeded, "email")["last_error"], name
            seeded.mail.switches = Switches()
            tried_now(seeded)
            await_told(seeded, number - 1)
        files = list((seeded.root / "out").glob("*.json"))
        assert len(files) >= len(MAIL)  # the other receiver was told each time
    whole(seeded)


def test_a_mail_server_that_refuses_connections_gets_the_mail_when_it_listens(
    seeded: Installation,
) -> None:
    port = seeded.mail.port
    with seeded.daemon() as daemon:
        seeded.mail.stop()
        seeded.drop("new.csv", [row(2, recent())])
        settled(seeded, "email", {"retry"})
        assert daemon.process.poll() is None
        with MailServer(port=port) as again:
            tried_now(seeded)
            settled(seeded, "email", {"sent"})
            assert ["Kati" in str(mail.message["Subject"]) for mail in again.received] == [True]
            seeded.mail.received.extend(again.received)
    whole(seeded)


def test_a_silent_mail_server_delays_nobody_else(seeded: Installation) -> None:
    smtp = seeded.root / "warden.yaml"
    text = smtp.read_text(encoding="utf-8")
    smtp.write_text(text.replace("smtp: {", "smtp: {timeout_s: 3, "), encoding="utf-8")
    with seeded.daemon():
        seeded.mail.switches = Switches(silent=True)
        began = time.monotonic()
        seeded.drop("new.csv", [row(2, recent())])
        eventually(lambda: len(list((seeded.root / "out").glob("*.json"))) >= 2)
        assert time.monotonic() - began < 15
        settled(seeded, "email", {"retry"})
        seeded.mail.switches = Switches()
        tried_now(seeded)
        await_told(seeded)
    whole(seeded)


def test_one_recipient_of_three_refused_leaves_the_others_told(seeded: Installation) -> None:
    written(seeded, THREE)
    with seeded.daemon():
        seeded.mail.switches = Switches(refuse=frozenset({"b@example.org"}))
        seeded.drop("new.csv", [row(2, recent())])
        eventually(lambda: len(_of_kati(seeded, "sent")) == 2, 40)
        eventually(lambda: len(_of_kati(seeded, "dead")) == 1, 40)
    told = {to for mail in seeded.mail.received for to in mail.recipients}
    assert told >= {"a@example.org", "c@example.org"}
    assert "b@example.org" not in told
    whole(seeded)


def _of_kati(installation: Installation, state: str) -> list[str]:
    """To whom mails of the three went, or did not."""
    three = {f"{who}@example.org" for who in "abc"}
    rows = installation.rows("deliveries", "--state", state)
    return [one["target"] for one in rows if one["target"] in three]


def test_a_mail_server_without_starttls_gets_nothing_in_clear(seeded: Installation) -> None:
    settings = seeded.root / "warden.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("smtp: {", "smtp: {security: starttls, "), encoding="utf-8")
    with seeded.daemon():
        seeded.drop("new.csv", [row(2, recent())])
        settled(seeded, "email", {"retry", "dead"})
        assert "STARTTLS" in newest_of(seeded, "email")["last_error"].upper()
    assert kati(seeded) == 0
    settings.write_text(text, encoding="utf-8")
    with seeded.daemon():
        tried_now(seeded)
        await_told(seeded)
    whole(seeded)


# --- webhooks ---------------------------------------------------------------------------------

HOOKS: dict[str, tuple[Callable[[], Answer], set[str]]] = {
    "500": (lambda: hooks.failing(None), {"retry"}),
    "503 with an absurd pause": (lambda: hooks.busy("99999999999", None), {"retry"}),
    "a redirect": (lambda: hooks.redirecting("http://127.0.0.1:1/", 1), {"retry", "dead"}),
    "reset after the body": (lambda: hooks.reset(2), {"retry"}),
    "an answer of 20 MB": (lambda: hooks.chatty(20), {"sent"}),
    "410": (hooks.gone, {"dead"}),
    "slow 200": (lambda: hooks.slow(3), {"sent"}),
}


def test_a_hook_that_fails_in_every_way_delays_no_mail_and_gets_each_message_in_the_end(
    hooked: tuple[Installation, HookServer],
) -> None:
    installation, hook = hooked
    with installation.daemon():
        for number, (answer, states) in enumerate(HOOKS.values(), start=2):
            hook.answers.append(answer())
            installation.drop(f"{number}.csv", [row(number, recent())])
            eventually(lambda wanted=number - 1: kati(installation) == wanted, 40)
            settled(installation, "webhook", states, tries=1)
            hook.answers.clear()
            installation.warden("retry", "--all")
            tried_now(installation)
            settled(installation, "webhook", {"sent"})
    ids = {one.id for one in hook.received}
    whole(installation, ids)
    assert len(ids) == len(HOOKS) + 1  # and the summary of the first load


# --- stopped in the middle --------------------------------------------------------------------


def test_sigterm_in_the_middle_of_smtp_data_ends_it_and_the_mail_is_sent_by_the_next(
    seeded: Installation,
) -> None:
    with hanging_in_data() as (port, reached):
        settings = seeded.root / "warden.yaml"
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace(f"port: {seeded.mail.port}", f"port: {port}"), "utf-8")
        with seeded.daemon() as daemon:
            seeded.drop("new.csv", [row(2, recent())])
            eventually(lambda: bool(reached), 40)
            ended_by_sigterm(daemon)
    assert newest_of(seeded, "email")["state"] == "sending"
    settings.write_text(text, encoding="utf-8")
    with seeded.daemon():
        await_told(seeded)
    whole(seeded)


def ended_by_sigterm(daemon: Daemon) -> None:
    """It leaves within ten seconds, in good order."""
    began = time.monotonic()
    os.kill(daemon.pid, signal.SIGTERM)
    assert daemon.process.wait(15) == 0
    assert time.monotonic() - began < 10


@contextmanager
def hanging_in_data() -> Iterator[tuple[int, list[str]]]:
    """A mail server that takes DATA and falls silent before the mail has ended."""
    listener = socket.create_server(("127.0.0.1", 0))
    reached: list[str] = []
    open_ones: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            open_ones.append(connection)
            talk(connection)

    def talk(connection: socket.socket) -> None:
        with connection.makefile("rwb") as stream:

            def say(line: str) -> None:
                stream.write(f"{line}\r\n".encode())
                stream.flush()

            say("220 here")
            while line := stream.readline():
                word = line[:4].upper()
                if word == b"DATA":
                    say("354 go on")
                    reached.append("DATA")
                    return
                say("250 OK")

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1], reached
    finally:
        listener.close()
        for one in open_ones:
            one.close()


def test_sigterm_in_a_backoff_ends_it_at_once_and_the_next_start_goes_on_waiting(
    seeded: Installation,
) -> None:
    seeded.mail.switches = Switches(busy=10_000)
    with seeded.daemon() as daemon:
        seeded.drop("new.csv", [row(2, recent())])
        await_log(daemon, "failed, again in")
        settled(seeded, "email", {"retry"})
        ended_by_sigterm(daemon)
    before = newest_of(seeded, "email")
    assert before["state"] == "retry"
    seeded.mail.switches = Switches()
    with seeded.daemon():
        await_told(seeded)
    whole(seeded)
