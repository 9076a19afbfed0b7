"""A rendered message into MIME: headers that cannot be injected into, text and HTML."""

from __future__ import annotations

import json
import logging
import unicodedata
from collections.abc import Mapping, Sequence
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime

from warden.model.delivery import Outgoing
from warden.notify.channels.email.addresses import parse_sender
from warden.notify.channels.email.settings import SmtpSettings
from warden.pictures import PictureError, mail_png

log = logging.getLogger(__name__)

_PRIORITY = {"critical": "1 (Highest)", "warning": "3 (Normal)", "info": "5 (Lowest)"}
MAX_PICTURES = 8
MAX_HEADER = 250
_FOLDED_BY_WORDS = frozenset({"subject", "x-warden-alert"})
_LONGEST_WORD = 60  # of a subject that is not encoded: it fits beside the header's name
MAX_REFERENCES = 20


class _MailPolicy(EmailPolicy):
    """SMTP's line ends; a subject is folded between its words, or encoded as a whole.

    Python's own folding breaks one of some 70 letters right after `Subject:`, so that it is read
    with a blank before it; of letters outside ASCII it encodes only some words, and doubles the
    blank before them. A word too long for a line is encoded too.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        """One header as it is sent."""
        if name.casefold() in _FOLDED_BY_WORDS:
            text = str(value)
            plain = text.isascii() and max(map(len, text.split()), default=0) <= _LONGEST_WORD
            charset = "us-ascii" if plain else "utf-8"
            encoded = Header(text, charset, header_name=name).encode(linesep="\r\n")
            return f"{name}: {encoded}\r\n".encode("ascii")
        return super().fold_binary(name, value)


_POLICY = _MailPolicy(linesep="\r\n")


def header_text(text: str, limit: int = MAX_HEADER) -> str:
    """One printable line: control, bidi and other invisible characters become spaces.

    What would be an encoded word (RFC 2047), which readers decode into any characters at all, is
    broken up.
    """
    clean = "".join(" " if unicodedata.category(char)[0] == "C" else char for char in text)
    clean = " ".join(clean.split()).replace("=?", "= ?")
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def compose(outgoing: Outgoing, settings: SmtpSettings) -> EmailMessage:
    """The mail for one recipient; the same bytes for every try, apart from MIME boundaries."""
    body = json.loads(outgoing.body)
    delivery = outgoing.delivery
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = parse_sender(settings.sender)
    mail["To"] = Address(addr_spec=delivery.target)
    mail["Subject"] = header_text(outgoing.subject)
    mail["Date"] = format_datetime(outgoing.created_at)
    mail["Message-ID"] = delivery.headers["message_id"]
    references = list(delivery.headers.get("references", ()))[-MAX_REFERENCES:]
    if references:
        mail["In-Reply-To"] = references[0]
        mail["References"] = " ".join(references)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    alerts = header_text(" ".join(outgoing.alert_ids[:MAX_REFERENCES]), 900)
    if alerts:  # an exercise is about none
        mail["X-Warden-Alert"] = alerts
    mail["X-Warden-Severity"] = outgoing.severity
    mail["X-Priority"] = _PRIORITY[outgoing.severity]
    if settings.list_unsubscribe:
        mail["List-Unsubscribe"] = f"<{settings.list_unsubscribe}>"
    mail.set_content(body["text"], cte="quoted-printable")
    if body.get("html"):
        mail.add_alternative(body["html"], subtype="html", cte="quoted-printable")
        _attach(mail, body.get("pictures") or (), delivery.key)
    if body.get("language"):
        mail["Content-Language"] = header_text(body["language"], 20)
    return mail


def _attach(mail: EmailMessage, pictures: Sequence[Mapping[str, str]], key: str) -> None:
    """Put the pictures beside the HTML that shows them; one that fails is left to its alt text."""
    html = mail.get_body(("html",))
    if not isinstance(html, EmailMessage):
        return
    for picture in pictures[:MAX_PICTURES]:
        try:
            content = mail_png(picture["svg"])
        except PictureError as error:
            log.warning("mail %s goes without a picture: %s", key, error)
            continue
        name = header_text(picture["cid"], 40)
        html.add_related(
            content, "image", "png", cid=f"<{name}>", filename=f"{name}.png", disposition="inline"
        )
