"""A real SMTP server on loopback that keeps what it gets in a Maildir, and misbehaves on demand.

Standing in the flow: the other side of the email channel, in the demo and in tests.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import mailbox
import subprocess
import threading
from collections import Counter
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from ssl import SSLContext
from typing import Any, Self

from aiosmtpd.smtp import SMTP, Envelope, Session

ACCEPTED = "250 OK"


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it came over the wire: its envelope and its bytes."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    encrypted: bool

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        parsed = email.message_from_bytes(self.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)  # noqa: S101 - by that policy; narrows the type
        return parsed


@dataclass(slots=True)
class Switches:
    """What the server does wrong.

    Attributes:
        refuse: recipients that do not exist (550 for each).
        greylist: the first so many tries of each recipient get 451.
        drop_after_data: for so many mails: keep the mail, then hang up instead of saying 250.
        refuse_data: for so many mails: 554 after the content.
        busy: for so many mails: 421 at MAIL FROM.
        silent: take connections and never greet.
    """

    refuse: frozenset[str] = frozenset()
    greylist: int = 0
    drop_after_data: int = 0
    refuse_data: int = 0
    busy: int = 0
    silent: bool = False


class MailServer:
    """An SMTP server on 127.0.0.1 in a thread of its own; a context manager.

    Attributes:
        received: every mail it took, oldest first.
        switches: what it does wrong, changeable while it runs.
        folder: the Maildir, or None to keep mails in memory alone.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        tls: SSLContext | None = None,
        smtputf8: bool = False,
        port: int = 0,
    ) -> None:
        self.received: list[Mail] = []
        self.switches = Switches()
        self.folder = folder
        self.port = port
        self.host = "127.0.0.1"
        self._tls = tls
        self._smtputf8 = smtputf8
        self._maildir = mailbox.Maildir(folder, create=True) if folder is not None else None
        self._tries: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Begin to listen; `port` is then known."""
        self._server = self._loop.run_until_complete(
            self._loop.create_server(self._connection, self.host, self.port)
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and close what is open. Calling it twice does no harm."""
        if self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(timeout=5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._thread = None
        self._loop.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _connection(self) -> asyncio.Protocol:
        if self.switches.silent:
            return asyncio.Protocol()
        connection: asyncio.Protocol = SMTP(
            self,
            hostname="simulated.invalid",
            ident="Simulated",
            tls_context=self._tls,
            enable_SMTPUTF8=self._smtputf8,
            loop=self._loop,
        )
        return connection

    # --- what aiosmtpd asks its handler ---

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """MAIL FROM."""
        del server, session
        if self.switches.busy:
            self.switches.busy -= 1
            return "421 4.3.2 Service shutting down"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return ACCEPTED

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """RCPT TO."""
        del server, session
        if address in self.switches.refuse:
            return "550 5.1.1 User unknown"
        self._tries[address] += 1
        if self._tries[address] <= self.switches.greylist:
            return "451 4.7.1 Greylisted, try again later"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return ACCEPTED

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take the content."""
        if self.switches.refuse_data:
            self.switches.refuse_data -= 1
            return "554 5.7.1 Message refused"
        self._keep(session, envelope)
        if self.switches.drop_after_data:
            self.switches.drop_after_data -= 1
            if isinstance(server.transport, asyncio.WriteTransport):
                server.transport.abort()
        return ACCEPTED

    def _keep(self, session: Session, envelope: Envelope) -> None:
        content = envelope.original_content or b""
        mail = Mail(
            sender=envelope.mail_from or "",
            recipients=tuple(envelope.rcpt_tos),
            content=content,
            encrypted=session.ssl is not None,
        )
        if self._maildir is not None:
            self._maildir.add(content.replace(b"\r\n", b"\n"))
        self.received.append(mail)


def certificate(folder: Path, host: str = "localhost") -> tuple[Path, Path]:
    """Make a self-signed certificate for `host` with the openssl command; (certificate, key)."""
    paths = folder / "certificate.pem", folder / "key.pem"
    command: list[Any] = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes", "-days", "2", "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}",
        "-out", paths[0], "-keyout", paths[1],
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - fixed words
    return paths
