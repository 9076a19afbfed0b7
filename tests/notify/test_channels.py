"""Every channel passes the same conformance tests; then what is special to each."""

import json
import socket
import ssl
import threading
import time
import unicodedata
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from email.utils import format_datetime
from types import SimpleNamespace

import jsonschema
import pytest
import trustme
from aiosmtpd.smtp import AuthResult
from helpers_notify import (
    KEY,
    NOW,
    OLD_KEY,
    Hook,
    Mailbox,
    answer,
    free_port,
    good_routing,
    notice,
    secrets,
    smtp_server,
)
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from warden.errors import ChannelError
from warden.model.delivery import Delivery, Outgoing
from warden.model.notice import Change
from warden.notify.channels import CHANNELS
from warden.notify.channels.email import EmailChannel, SmtpSettings
from warden.notify.channels.email.compose import compose, header_text
from warden.notify.channels.file import FileChannel
from warden.notify.channels.webhook import WebhookChannel
from warden.notify.channels.webhook.channel import retry_after_s
from warden.notify.channels.webhook.peer import why_refused
from warden.notify.render import Renderer
from warden.notify.render.payload import schema
from warden.notify.render.samples import sample_notices
from warden.notify.routes import Receiver, Target

RENDERER = Renderer()


def outgoing(channel, target, form, *notices, headers=None, **changes):
    notices = notices or (notice(),)
    rendered = RENDERER.render(Receiver("desk"), notices, NOW, (form,), message_id="m1")
    delivery = Delivery(
        key="k" * 32,
        message_id="m1",
        receiver="desk",
        channel=channel,
        target=target,
        format=form,
        headers=headers if headers is not None else {"message_id": "<k@example.org>"},
    )
    fields = {
        "delivery": delivery,
        "body": rendered.bodies[form],
        "subject": rendered.subject,
        "severity": "critical",
        "alert_ids": ("a1",),
        "created_at": NOW,
    }
    return Outgoing(**{**fields, **changes})


# --- conformance ------------------------------------------------------------------------------


@contextmanager
def email_rig(tmp_path, mode):
    box = Mailbox(
        refuse=["a@example.org"] if mode == "refuse" else [],
        greylist=["a@example.org"] if mode == "fail" else [],
    )
    with smtp_server(box) as port:
        channel = EmailChannel(SmtpSettings(host="127.0.0.1", port=port, timeout_s=3))
        target = Target("email", "a@example.org", "mail", human=True)
        yield channel, target, lambda: [mail["Message-ID"] for mail in box.mails]


@contextmanager
def webhook_rig(tmp_path, mode):
    with Hook(answer({"fine": 200, "refuse": 403, "fail": 503}[mode])) as hook:
        target = hook_target(hook.url)
        yield (
            WebhookChannel(secrets),
            target,
            lambda: [h["webhook-id"] for _, h, _ in hook.requests] if mode == "fine" else [],
        )


@contextmanager
def file_rig(tmp_path, mode):
    folder = tmp_path / "out"
    if mode != "fine":
        folder.write_text("a file stands where the folder should be")
    target = Target("file", "out", "warden")
    yield (
        FileChannel(tmp_path),
        target,
        lambda: [p.name for p in folder.glob("*.json")] if mode == "fine" else [],
    )


RIGS = {"email": email_rig, "webhook": webhook_rig, "file": file_rig}


def target_of(text):
    routing = good_routing(
        "receivers:\n- {name: desk, email: [{to: z@example.org}]}\n"
        + text
        + "\nroute: {receiver: desk}\n"
    )
    return routing.receivers["x"].targets[0]


def test_every_channel_has_a_conformance_rig():
    assert set(RIGS) == set(CHANNELS)


@pytest.mark.parametrize("name", RIGS)
def test_a_channel_returns_only_once_it_was_accepted_and_repeats_its_key(name, tmp_path):
    with RIGS[name](tmp_path, "fine") as (channel, target, seen):
        parcel = outgoing(name, target.name, target.format)
        said = channel.send(parcel, target, datetime.now(UTC))
        assert isinstance(said, str)
        assert "\n" not in said
        assert len(seen()) == 1
        channel.send(parcel, target, datetime.now(UTC))
        assert len(set(seen())) == 1


@pytest.mark.parametrize("name", ["email", "webhook"])
def test_a_channel_calls_a_refusal_permanent(name, tmp_path):
    with RIGS[name](tmp_path, "refuse") as (channel, target, seen):
        with pytest.raises(ChannelError) as caught:
            channel.send(outgoing(name, target.name, target.format), target, datetime.now(UTC))
        assert caught.value.permanent
        assert seen() == []


@pytest.mark.parametrize("name", RIGS)
def test_a_channel_calls_a_passing_failure_retryable(name, tmp_path):
    with RIGS[name](tmp_path, "fail") as (channel, target, seen):
        with pytest.raises(ChannelError) as caught:
            channel.send(outgoing(name, target.name, target.format), target, datetime.now(UTC))
        assert not caught.value.permanent
        assert "\n" not in str(caught.value)
        assert seen() == []


@pytest.mark.parametrize("name", RIGS)
def test_a_channel_serves_several_threads_at_once(name, tmp_path):
    with RIGS[name](tmp_path, "fine") as (channel, target, _):
        parcel = outgoing(name, target.name, target.format)
        answers = []
        threads = [
            threading.Thread(
                target=lambda: answers.append(channel.send(parcel, target, datetime.now(UTC)))
            )
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert len(answers) == 4


# --- mail -------------------------------------------------------------------------------------


def composed(*notices, settings=None, headers=None, **changes):
    parcel = outgoing("email", "a@example.org", "mail", *notices, headers=headers, **changes)
    return compose(parcel, settings or SmtpSettings())


def test_a_mail_has_text_and_html_and_says_that_it_is_automatic():
    mail = composed(settings=SmtpSettings(list_unsubscribe="https://example.org/out"))
    assert mail["From"] == "Warden <warden@localhost>"
    assert mail["To"] == "a@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Warden-Alert"] == "a1"
    assert mail["Message-ID"] == "<k@example.org>"
    assert mail["List-Unsubscribe"] == "<https://example.org/out>"
    assert mail["In-Reply-To"] is None
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",  # the chart; there is no land here to draw a map from
    ]
    assert max(len(row) for row in mail.as_bytes().split(b"\r\n")) <= 998


def test_a_mail_refers_to_the_first_mails_of_its_alerts():
    mail = composed(
        headers={"message_id": "<n@example.org>", "references": ["<a@x.org>", "<b@x.org>"]}
    )
    assert mail["In-Reply-To"] == "<a@x.org>"
    assert mail["References"] == "<a@x.org> <b@x.org>"


def test_many_long_references_are_folded_and_not_encoded():
    kind = CHANNELS["email"]
    first = kind.headers("f" * 32, "a-very-long-host-name." * 6 + "example.org", ())
    earlier = tuple({"message_id": f"<{n:032x}@{'h' * 36}.org>"} for n in range(40))
    headers = kind.headers("k" * 32, "example.org", earlier)
    mail = composed(headers=headers)
    raw = mail.as_bytes()
    assert b"=?utf-8" not in raw.split(b"References:")[1].split(b"Auto-Submitted")[0]
    assert mail["References"].split()[0] == earlier[0]["message_id"]
    assert len(first["message_id"]) < 78


def test_no_control_character_reaches_a_header():
    mail = composed(
        subject="CRITICAL x\r\nBcc: y@example.org\u202e\x00\u2028z", alert_ids=("a\nb",)
    )
    assert mail["Bcc"] is None
    assert mail["Subject"] == "CRITICAL x Bcc: y@example.org z"
    assert mail["X-Warden-Alert"] == "a b"
    assert len(header_text("é" * 1000)) == 250


@pytest.mark.parametrize("place", [
    "=?utf-8?Q?K=0A=0ACALM_all_clear=0A?=",
    "=?utf-8?Q?a=0AX-Evil:_1?=",
    "=?utf-8?B?4oCuZXZpbAc=?=",
    "é =?utf-8?Q?=E2=80=AEevil=07?=",
    "=\u200b?utf-8?Q?a=0AX-Evil:_1?=",
    "==??utf-8?Q?a=0AX-Evil:_1?=",
    "word " * 12 + "=?utf-8?Q?a=0A=0AX?=",
])  # fmt: skip
def test_an_encoded_word_in_a_place_name_reaches_no_header_decoded(place):
    raw = composed(subject=f"CRITICAL Violent event, 4 km N of Bamako ({place})").as_bytes()
    mail = message_from_bytes(raw, policy=default)
    assert mail["Subject"].startswith("CRITICAL Violent event, 4 km N of Bamako (")
    assert mail["Subject"].endswith(")")
    assert "X-Evil" not in mail
    assert {"To", "Date", "Message-ID", "X-Warden-Severity"} <= set(mail.keys())
    assert not any(unicodedata.category(char)[0] == "C" for char in mail["Subject"])


@given(st.text(max_size=200), st.sampled_from(["", "=?utf-8?Q?", "=?utf-8?B?CgpY?="]))
def test_whatever_a_subject_says_it_is_one_header(text, encoded):
    subject = f"{text}{encoded}{text}?="
    raw = composed(subject=subject).as_bytes()
    mail = message_from_bytes(raw, policy=default)
    assert str(mail["Subject"]).split() == header_text(subject).split()
    assert {"To", "Date", "Message-ID", "X-Warden-Severity"} <= set(mail.keys())


@pytest.mark.parametrize("count", [1, 3, 4, 12])
def test_the_ids_of_many_alerts_begin_beside_the_name_of_their_header(count):
    ids = tuple(f"{n:016x}" for n in range(count))
    raw = composed(alert_ids=ids).as_bytes()
    assert f"\r\nX-Warden-Alert: {ids[0]}".encode() in raw
    told = message_from_bytes(raw, policy=default)["X-Warden-Alert"]
    assert told == " ".join(ids)


def test_a_mail_about_no_alert_names_none():
    assert "X-Warden-Alert" not in composed(alert_ids=())


def test_french_letters_survive_the_wire():
    box = Mailbox()
    with smtp_server(box) as port:
        channel = EmailChannel(SmtpSettings(host="127.0.0.1", port=port))
        rendered = RENDERER.render(Receiver("d", "fr"), [notice()], NOW, ("mail",))
        parcel = outgoing(
            "email", "a@example.org", "mail", body=rendered.bodies["mail"], subject=rendered.subject
        )
        channel.send(parcel, Target("email", "a@example.org", "mail"), NOW)
    (mail,) = box.mails
    assert mail["Subject"] == rendered.subject
    text = mail.get_body(("plain",)).get_content()
    assert "Événement violent" in text
    assert mail["Content-Language"] == "fr"
    assert mail.get_body(("html",)).get_content().startswith("<!doctype html>")


@pytest.mark.parametrize("padding", range(40, 80, 3))
def test_a_folded_subject_keeps_its_blanks(padding):
    subject = "CRITICAL " + "x" * padding + " 11 km W of Ténenkou (Ménaka), 7 Aug, 39 dead"
    raw = composed(subject=subject).as_bytes()
    assert message_from_bytes(raw, policy=default)["Subject"] == subject
    assert max(len(row) for row in raw.split(b"\r\n\r\n")[0].split(b"\r\n")) <= 78


@pytest.mark.parametrize("word", ["x", "alert", "of-seventeen-even", "w" * 60, "w" * 61, "w" * 99])
def test_a_subject_of_any_length_stands_beside_its_name_and_is_read_as_it_was(word):
    for length in range(1, 250):
        subject = f"{word} " * 250
        subject = subject[:length].strip()
        raw = composed(subject=subject).as_bytes()
        head = raw.split(b"\r\n\r\n")[0]
        assert message_from_bytes(raw, policy=default)["Subject"] == subject
        assert b"Subject: \r\n" not in head
        assert b"Subject:\r\n" not in head
        assert max(len(row) for row in head.split(b"\r\n")) <= 78


@pytest.mark.parametrize(
    "given",
    [
        {"host": "mail.example.org"},
        {"from": "no address"},
        {"from": "A\nB <a@b.org>"},
        {"username": "u"},
        {"port": 0},
        {"secrity": "tls"},
        {"list_unsubscribe": "javascript:x"},
    ],
)
def test_unsafe_or_unknown_mail_settings_are_refused(given):
    with pytest.raises(ValidationError):
        SmtpSettings.model_validate(given)


def test_without_tls_only_this_machine_is_a_mail_server():
    assert SmtpSettings(host="::1").loopback
    assert SmtpSettings(host="mail.example.org", security="starttls").domain == "localhost"


class Tls:
    """A mail server with a certificate of our own authority."""

    def __init__(self, tmp_path, identity):
        self.authority = trustme.CA()
        self.ca_file = tmp_path / "ca.pem"
        self.authority.cert_pem.write_to_path(str(self.ca_file))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(identity).configure_cert(self.context)


def send_tls(port, security, password=None, **settings):
    if password is not None:
        settings |= {"username": "warden", "password": {"secret": "smtp"}}
    channel = EmailChannel(
        SmtpSettings(host="localhost", port=port, security=security, timeout_s=3, **settings),
        password,
    )
    parcel = outgoing("email", "a@example.org", "mail")
    return channel.send(parcel, Target("email", "a@example.org", "mail"), NOW)


def test_starttls_with_a_known_authority_is_sent(tmp_path):
    tls, box = Tls(tmp_path, "localhost"), Mailbox()
    with smtp_server(box, tls_context=tls.context, require_starttls=True) as port:
        assert send_tls(port, "starttls", ca_file=tls.ca_file).startswith("250")
    assert len(box.mails) == 1


@pytest.mark.parametrize("case", ["unknown authority", "another host"])
def test_starttls_with_a_wrong_certificate_is_refused_and_nothing_is_sent(tmp_path, case):
    tls = Tls(tmp_path, "localhost" if case == "unknown authority" else "other.example.org")
    ca_file = None if case == "unknown authority" else tls.ca_file
    box = Mailbox()
    with smtp_server(box, tls_context=tls.context) as port:
        with pytest.raises(ChannelError, match="certificate") as caught:
            send_tls(port, "starttls", ca_file=ca_file)
        assert not caught.value.permanent
    assert box.mails == []


def test_a_server_without_starttls_gets_nothing_in_clear():
    box = Mailbox()
    with smtp_server(box) as port, pytest.raises(ChannelError, match="offers no STARTTLS"):
        send_tls(port, "starttls")
    assert box.mails == []


def test_a_login_that_is_refused_does_not_kill_the_message_nor_tell_the_password():
    def no(server, session, envelope, mechanism, data):
        return AuthResult(success=False, handled=False)

    box = Mailbox()
    options = {"authenticator": no, "auth_require_tls": False}
    with (
        smtp_server(box, **options) as port,
        pytest.raises(ChannelError, match="refused the login") as caught,
    ):
        send_tls(port, "none", SecretStr("hunter2"))
    assert not caught.value.permanent
    assert "hunter2" not in str(caught.value)


def test_a_mail_server_that_says_nothing_times_out():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        channel = EmailChannel(
            SmtpSettings(host="127.0.0.1", port=silent.getsockname()[1], timeout_s=0.5)
        )
        with pytest.raises(ChannelError, match="timed out"):
            channel.send(
                outgoing("email", "a@example.org", "mail"), Target("email", "a@b.org", "mail"), NOW
            )
        assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("at", "security"),
    [("greeting", "none"), ("data", "none"), ("handshake", "tls"), ("starttls", "starttls")],
)
def test_a_mail_server_that_drips_ends_at_the_deadline(at, security):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=(listener, at), daemon=True).start()
        port = listener.getsockname()[1]
        channel = EmailChannel(
            SmtpSettings(host="127.0.0.1", port=port, security=security, timeout_s=5, deadline_s=1)
        )
        began = time.monotonic()
        with pytest.raises(ChannelError, match="longer than 1 s") as caught:
            channel.send(
                outgoing("email", "a@example.org", "mail"), Target("email", "a@b.org", "mail"), NOW
            )
        assert time.monotonic() - began < 3
        assert not caught.value.permanent


def drip(listener, at):
    """Speak SMTP until then, and from there a byte every tenth of a second."""
    sock, _ = listener.accept()
    with sock, suppress(OSError):
        if at in {"data", "starttls"}:
            sock.sendall(b"220 simulated\r\n")
            heard = b""
            while b"\r\n.\r\n" not in heard:
                piece = sock.recv(65536)
                heard += piece
                if not heard.endswith(b"\r\n"):
                    continue
                word = piece[:4].upper()
                if word == b"STAR":
                    sock.sendall(b"220 go on\r\n")
                    break
                if word == b"EHLO" and at == "starttls":
                    sock.sendall(b"250-simulated\r\n250 STARTTLS\r\n")
                elif word in {b"EHLO", b"HELO", b"MAIL", b"RCPT", b"RSET"}:
                    sock.sendall(b"250 fine\r\n")
                elif word == b"DATA":
                    sock.sendall(b"354 go on\r\n")
        sock.sendall(b"\x16\x03\x03\x40\x00" if at in {"handshake", "starttls"} else b"")
        for _ in range(100):
            sock.sendall(b"2")
            time.sleep(0.1)


# --- hooks ------------------------------------------------------------------------------------


def hook_target(url, extra="", private="true"):
    return target_of(
        f'- {{name: x, webhook: [{{url: "{url}", secret: {{secret: hook}},'
        f" allow_private: {private}{extra}}}]}}"
    )


def post(url, extra="", at=None):
    target = hook_target(url, extra)
    parcel = outgoing("webhook", target.name, target.format)
    return WebhookChannel(secrets).send(parcel, target, at or datetime.now(UTC))


def test_the_signature_is_accepted_by_the_reference_library():
    with Hook(answer(200)) as hook:
        assert post(hook.url) == "HTTP 200"
    ((path, headers, body),) = hook.requests
    assert path == "/hook"
    assert Webhook(KEY).verify(body, headers)["type"] == "warden.message"
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD_KEY).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(KEY).verify(body + b" ", headers)


def test_while_keys_rotate_both_verify():
    with Hook(answer(200)) as hook:
        text = (
            f'- {{name: x, webhook: [{{url: "{hook.url}", allow_private: true,'
            " secret: [{secret: hook}, {secret: old}]}]}"
        )
        target = target_of(text)
        parcel = outgoing("webhook", target.name, "warden")
        WebhookChannel(secrets).send(parcel, target, datetime.now(UTC))
    ((_, headers, body),) = hook.requests
    for key in (KEY, OLD_KEY):
        assert Webhook(key).verify(body, headers)


@pytest.mark.parametrize("number", range(len(sample_notices())))
@pytest.mark.parametrize("form", ["warden", "warden+notes"])
def test_every_payload_follows_the_schema(number, form):
    one = sample_notices()[number]
    rendered = RENDERER.render(Receiver("desk"), [one], NOW, (form,), message_id="m1")
    data = json.loads(rendered.bodies[form])
    jsonschema.validate(data, schema(), cls=jsonschema.Draft202012Validator)


def test_the_schema_itself_is_sound():
    jsonschema.Draft202012Validator.check_schema(schema())


def test_a_payload_of_odd_changes_follows_the_schema():
    one = notice(
        changes=(
            Change("x", None, [1, "a", None]),
            Change("y", {"a": 1}, float("nan")),
            Change("z", old=True, new=2.5),
        )
    )
    rendered = RENDERER.render(Receiver("desk"), [one], NOW, ("warden",), message_id="m1")
    jsonschema.validate(json.loads(rendered.bodies["warden"]), schema())


def test_notes_and_rows_are_not_passed_on_unless_asked_for():
    one = notice()
    one.facts["events"][0].update(notes="the whole story", reporters="A Newspaper")
    for form, told in (("warden", False), ("warden+notes", True)):
        rendered = RENDERER.render(Receiver("desk"), [one], NOW, (form,), message_id="m1")
        assert ("the whole story" in rendered.bodies[form]) is told
        assert "A Newspaper" not in rendered.bodies[form]
        event = json.loads(rendered.bodies[form])["notices"][0]["events"][0]
        assert (event["lat"], event["lon"]) == (12.74, -8.07)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
def test_a_refusal_is_permanent(status):
    with Hook(answer(status, b"no\x00\nway")) as hook, pytest.raises(ChannelError) as caught:
        post(hook.url)
    assert caught.value.permanent
    assert str(caught.value) == f"HTTP {status} no way"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_failure_is_not(status):
    with Hook(answer(status, retry_after="7")) as hook, pytest.raises(ChannelError) as caught:
        post(hook.url)
    assert not caught.value.permanent
    assert caught.value.retry_after_s == 7


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status):
    with Hook(answer(200)) as other, Hook(answer(status, location=other.url)) as hook:
        with pytest.raises(ChannelError, match="redirects are not followed") as caught:
            post(hook.url)
        assert other.requests == []
    assert not caught.value.permanent


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (format_datetime(NOW + timedelta(minutes=5), usegmt=True), 300.0),
        (format_datetime(NOW - timedelta(minutes=5), usegmt=True), 0.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("9" * 50, 10 * 366 * 86400.0),
        ("١٢", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(value, seconds):
    assert retry_after_s(value, NOW) == seconds


def dripping(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    try:
        for _ in range(100):
            handler.wfile.write(b"x: y\r\n")
            handler.wfile.flush()
            time.sleep(0.1)
    except OSError:
        return


def test_a_slow_server_hits_the_total_deadline_however_steadily_it_drips():
    with Hook(dripping) as hook:
        began = time.monotonic()
        with pytest.raises(ChannelError, match="no answer within 1 s"):
            post(hook.url, ", timeout: 1s")
        assert time.monotonic() - began < 3


def endless(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
    try:
        for _ in range(200):
            handler.wfile.write(b"x" * 65536)
    except OSError:
        return


def reset_after_status(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    handler.connection.close()


@pytest.mark.parametrize("behaviour", [endless, reset_after_status])
def test_an_accepted_message_stays_accepted_whatever_its_body_does(behaviour):
    with Hook(behaviour) as hook:
        assert post(hook.url, ", timeout: 3s") == "HTTP 200"


def nonsense(handler):
    handler.wfile.write(b"\x00\xff nonsense\r\n\r\n")


def hang_up(handler):
    handler.connection.close()


@pytest.mark.parametrize("behaviour", [nonsense, hang_up])
def test_an_answer_that_is_not_http_is_tried_again(behaviour):
    with Hook(behaviour) as hook, pytest.raises(ChannelError) as caught:
        post(hook.url)
    assert not caught.value.permanent


def test_a_hook_that_is_not_there_is_tried_again():
    with pytest.raises(ChannelError) as caught:
        post(f"http://127.0.0.1:{free_port()}/")
    assert not caught.value.permanent


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "10.1.2.3", "172.16.0.1", "192.168.1.1",
        "169.254.169.254", "fe80::1", "fe80::1%eth0", "fc00::1", "100.64.0.1", "192.0.2.1",
        "198.18.0.1", "224.0.0.1", "ff02::1", "240.0.0.1", "255.255.255.255",
        "::ffff:127.0.0.1", "::ffff:8.8.8.8", "2002:7f00:1::", "2002:808:808::", "2001:0:1::1",
        "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "::127.0.0.1", "2001:db8::1", "x",
        "0.1.2.3", "192.0.0.8", "192.88.99.1", "203.0.113.9", "fec0::1", "fd12::1", "::2", "100::1",
        "2001:20::1", "3fff::1", "5f00::1", "::ffff:0:8.8.8.8", "ff0e::1", "2002:a9fe:a9fe::",
    ],
)  # fmt: skip
def test_addresses_off_the_public_network_are_refused(address):
    assert why_refused(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001::1"],
)
def test_public_addresses_are_not(address):
    assert why_refused(address) == ""


def test_a_private_peer_is_refused_before_anything_is_sent():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        port = listener.getsockname()[1]
        target = hook_target(f"https://localhost:{port}/", private="false")
        parcel = outgoing("webhook", target.name, "warden")
        with pytest.raises(ChannelError, match="loopback; set allow_private") as caught:
            WebhookChannel(secrets).send(parcel, target, NOW)
        assert not caught.value.permanent
        with pytest.raises(TimeoutError):
            listener.accept()


def test_https_verifies_the_certificate(tmp_path):
    tls = Tls(tmp_path, "localhost")
    with Hook(answer(200)) as hook:
        hook.server.socket = tls.context.wrap_socket(hook.server.socket, server_side=True)
        url = hook.url.replace("http://127.0.0.1", "https://localhost")
        with pytest.raises(ChannelError, match="certificate refused"):
            post(url)
        trusting = ssl.create_default_context(cafile=str(tls.ca_file))
        target = hook_target(url)
        parcel = outgoing("webhook", target.name, "warden")
        assert WebhookChannel(secrets, trusting).send(parcel, target, NOW) == "HTTP 200"


@pytest.mark.parametrize(
    ("secret", "said"),
    [(KEY, ""), ("whsec_kurz", "at least 16 bytes"), ("whsec_ä?", "base64"), (None, "not set")],
)
def test_a_secret_that_cannot_be_used_is_a_failed_try_that_does_not_tell_it(secret, said):
    def lookup(name):
        return secrets("missing") if secret is None else SecretStr(secret)

    with Hook(answer(200)) as hook:
        target = hook_target(hook.url)
        parcel = outgoing("webhook", target.name, "warden")
        channel = WebhookChannel(lookup)
        if not said:
            channel.send(parcel, target, NOW)
            return
        with pytest.raises(ChannelError, match=said) as caught:
            channel.send(parcel, target, NOW)
    assert secret is None or secret not in str(caught.value)


def test_a_url_may_be_a_secret_and_is_then_kept_out_of_the_database():
    with Hook(answer(200)) as hook:
        text = (
            "- {name: x, webhook: [{url: {secret: place}, secret: {secret: hook},"
            " allow_private: true}]}"
        )
        target = target_of(text)
        assert target.name == "secret:place"

        def lookup(name):
            return SecretStr(hook.url) if name == "place" else secrets(name)

        parcel = outgoing("webhook", target.name, "warden")
        assert WebhookChannel(lookup).send(parcel, target, NOW) == "HTTP 200"


def test_a_channel_handed_another_channels_target_refuses_it():
    with pytest.raises(ChannelError, match="not a webhook"):
        WebhookChannel(secrets).send(SimpleNamespace(), Target("file", "x", "warden"), NOW)


# --- files ------------------------------------------------------------------------------------


def test_a_file_is_whole_or_not_there(tmp_path):
    target = Target("file", "deep/out", "warden")
    name = FileChannel(tmp_path).send(outgoing("file", "deep/out", "warden"), target, NOW)
    folder = tmp_path / "deep" / "out"
    assert [path.name for path in folder.iterdir()] == [name]
    jsonschema.validate(json.loads((folder / name).read_text()), schema())
