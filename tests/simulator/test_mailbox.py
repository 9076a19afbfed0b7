"""The mailbox takes real SMTP, and misbehaves as mail servers do."""

from __future__ import annotations

import mailbox
import shutil
import smtplib
import ssl

import pytest

from warden.simulator.mailbox import MailServer, Switches, certificate

MAIL = "Subject: SIMULATED\nMessage-ID: <1@example.org>\n\nBody\n.\n"


@pytest.fixture
def server(tmp_path):
    with MailServer(tmp_path / "Maildir") as running:
        yield running


def client(server):
    return smtplib.SMTP(server.host, server.port, timeout=5)


def send(server, *recipients):
    with client(server) as connection:
        return connection.sendmail("warden@example.org", recipients or ["desk@example.org"], MAIL)


def test_a_mail_lands_in_the_maildir(server):
    send(server)
    assert server.received[0].recipients == ("desk@example.org",)
    assert server.received[0].message["Subject"] == "SIMULATED"
    kept = list(mailbox.Maildir(server.folder, create=False))
    assert [mail["Message-ID"] for mail in kept] == ["<1@example.org>"]


def test_one_refused_recipient_leaves_the_others(server):
    server.switches.refuse = frozenset({"nobody@example.org"})
    refused = send(server, "desk@example.org", "nobody@example.org")
    assert refused["nobody@example.org"][0] == 550
    assert server.received[0].recipients == ("desk@example.org",)


def test_greylisting_ends_with_the_second_try(server):
    server.switches.greylist = 1
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(server)
    assert send(server) == {}


def test_a_drop_after_data_keeps_the_mail_and_tells_nobody(server):
    server.switches.drop_after_data = 1
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(server)
    assert len(server.received) == 1
    assert send(server) == {}


@pytest.mark.parametrize(
    ("switches", "code"),
    [
        (Switches(refuse_data=1), 554),
        (Switches(busy=1), 421),
    ],
)
def test_refusals_before_and_after_the_content(server, switches, code):
    server.switches = switches
    with pytest.raises(smtplib.SMTPResponseException) as refusal:
        send(server)
    assert refusal.value.smtp_code == code
    assert not server.received
    assert send(server) == {}


def test_a_silent_server_never_greets(server):
    server.switches.silent = True
    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        smtplib.SMTP(server.host, server.port, timeout=0.2)


def test_starttls_is_offered_only_with_a_certificate(server, tmp_path):
    with client(server) as connection:
        connection.ehlo()
        assert not connection.has_extn("starttls")
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    paths = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*paths)
    trusting = ssl.create_default_context(cafile=str(paths[0]))
    with MailServer(tls=context) as secure:
        with smtplib.SMTP(secure.host, secure.port, local_hostname="x", timeout=5) as connection:
            connection._host = "localhost"
            connection.starttls(context=trusting)
            connection.sendmail("warden@example.org", ["desk@example.org"], MAIL)
        assert secure.received[0].encrypted


def test_stopping_twice_frees_the_port(tmp_path):
    server = MailServer(tmp_path / "Maildir").start()
    server.stop()
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        client(server)
