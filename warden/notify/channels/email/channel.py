"""Sends one mail to one recipient in one SMTP transaction."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from warden.errors import ChannelError
from warden.model.delivery import Outgoing
from warden.notify.channels.email.addresses import parse_sender
from warden.notify.channels.email.compose import MAX_REFERENCES, compose
from warden.notify.channels.email.settings import SmtpSettings
from warden.notify.routes import Target
from warden.secrecy import veiled

_PERMANENT = frozenset(range(500, 600)) - {530, 534, 535, 538}  # those ask for a login
_MAX_DOMAIN = 40  # a longer id would not fit a header line and be encoded


def thread_headers(
    key: str, domain: str, earlier: tuple[Mapping[str, Any], ...]
) -> Mapping[str, Any]:
    """The mail's own id and those of the first mails of its alerts to the same recipient."""
    ids = dict.fromkeys(
        str(headers["message_id"]) for headers in earlier if "message_id" in headers
    )
    place = domain[-_MAX_DOMAIN:].lstrip(".-") or "warden"
    return {"message_id": f"<{key}@{place}>", "references": list(ids)[:MAX_REFERENCES]}


class EmailChannel:
    """A mail server.

    Attributes:
        settings: where it is. password: None where it needs none.
    """

    def __init__(self, settings: SmtpSettings, password: SecretStr | None = None) -> None:
        self._settings = settings
        self._password = password

    def send(self, outgoing: Outgoing, target: Target, now: datetime) -> str:  # noqa: ARG002
        """Send one mail; returns the server's answer to DATA."""
        mail = compose(outgoing, self._settings)
        try:
            return self._transaction(mail.as_bytes(), target.name)
        except ChannelError:
            raise
        except ssl.SSLCertVerificationError as error:
            raise ChannelError(
                f"the certificate of {self._settings.host} was refused: {error.verify_message}; "
                "set smtp.ca_file if the authority is your own"
            ) from error
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, error.smtp_error, error) from error
        except _TooSlowError:
            raise ChannelError(
                f"mail server {self._settings.host}:{self._settings.port}: it took longer than "
                f"{self._settings.deadline_s:g} s"
            ) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            reason = "timed out" if isinstance(error, TimeoutError) else str(error)
            raise ChannelError(
                f"mail server {self._settings.host}:{self._settings.port}: "
                f"{reason or type(error).__name__}"
            ) from error

    def _transaction(self, content: bytes, recipient: str) -> str:
        sender = parse_sender(self._settings.sender).addr_spec
        with self._session() as session:
            code, answer = session.mail(sender)
            if code != 250:  # noqa: PLR2004 -- "requested action completed"
                raise _refused(code, answer)
            code, answer = session.rcpt(recipient)
            if code not in (250, 251):
                raise _refused(code, answer)
            code, answer = session.data(content)
            if code != 250:  # noqa: PLR2004
                raise _refused(code, answer)
            return f"{code} {_words(answer)}"

    def _session(self) -> _Session:
        settings = self._settings
        context = self._context() if settings.security != "none" else None
        session = _Session(settings, context)
        try:
            session.open()
            if self._password is not None and settings.username is not None:
                session.login(settings.username, self._password.get_secret_value())
        except smtplib.SMTPAuthenticationError as error:
            session.shut()
            raise ChannelError(
                f"mail server {settings.host} refused the login of {settings.username} "
                f"({error.smtp_code}); mend smtp.username or the password"
            ) from error
        except smtplib.SMTPResponseException as error:
            session.shut()
            raise ChannelError(
                f"mail server {settings.host} refused the session: "
                f"{error.smtp_code} {_words(error.smtp_error)}"
            ) from error
        except BaseException:
            session.shut()
            raise
        return session

    def _context(self) -> ssl.SSLContext:
        ca_file = self._settings.ca_file
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


class _TooSlowError(OSError):
    """The deadline has passed."""


class _Session(smtplib.SMTP):
    """An SMTP session that ends without raising once the mail has been accepted.

    A timeout alone does not bound it: a server that sends a byte now and then never times out. So
    a timer shuts the socket down at the deadline.
    """

    def __init__(self, settings: SmtpSettings, context: ssl.SSLContext | None) -> None:
        super().__init__(timeout=settings.timeout_s)
        self._settings = settings
        self._tls = context
        self._struck = False
        self._timer = threading.Timer(settings.deadline_s, self._strike)
        self._timer.daemon = True
        if context is not None:
            context.sslsocket_class = self._watched()

    def _watched(self) -> type[ssl.SSLSocket]:
        """Sockets that the timer reaches while they are still shaking hands."""
        session = self

        class Watched(ssl.SSLSocket):
            def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002  as there
                session.sock = self
                super().do_handshake(block)

        return Watched

    def _strike(self) -> None:
        self._struck = True
        sock = self.sock
        if sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not SSLSocket's: it forgets TLS

    def getreply(self) -> tuple[int, bytes]:
        """The server's answer; what had come of it when the timer struck is none."""
        with self._in_time():
            answer = super().getreply()
            if self._struck:
                raise _TooSlowError
            return answer

    def send(self, s: Any) -> None:
        """Send a line or the mail."""
        with self._in_time():
            super().send(s)

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        """Raise `_TooSlowError` for whatever comes of the timer's strike."""
        try:
            yield
        except (smtplib.SMTPException, OSError):
            if self._struck:
                raise _TooSlowError from None
            raise

    def open(self) -> None:
        """Connect, secure the connection as the settings say, and greet."""
        settings = self._settings
        self._timer.start()
        self._host = settings.host  # what starttls checks the certificate against
        with self._in_time():
            code, answer = self.connect(settings.host, settings.port)
        if code != 220:  # noqa: PLR2004 -- "service ready"
            raise smtplib.SMTPConnectError(code, answer)
        self.ehlo_or_helo_if_needed()
        if settings.security == "starttls":
            if not self.has_extn("starttls"):
                raise ChannelError(
                    f"mail server {settings.host} offers no STARTTLS; nothing was sent in clear"
                )
            with self._in_time():
                self.starttls(context=self._tls)
            self.ehlo()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((host, port), timeout)
        if self._settings.security != "tls" or self._tls is None:
            return plain
        return self._tls.wrap_socket(plain, server_hostname=host)

    def shut(self) -> None:
        """Close without a word."""
        self._timer.cancel()
        self.close()

    def __exit__(self, *args: object) -> None:
        """Say QUIT, and close whatever the answer: what was accepted stays accepted."""
        try:
            self.docmd("QUIT")
        except (smtplib.SMTPException, OSError):
            pass
        finally:
            self.shut()


def _refused(code: int, answer: bytes | str, cause: Exception | None = None) -> ChannelError:
    error = ChannelError(f"{code} {_words(answer)}", permanent=code in _PERMANENT)
    error.__cause__ = cause
    return error


def _words(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    return " ".join("".join(c if c.isprintable() else " " for c in veiled(text)).split())[:300]
