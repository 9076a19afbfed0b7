"""What the demo leaves to look at: every mail as its reader sees it, and a page that leads there.

Standing in the flow: `warden demo` calls it last. It writes plain files: `read/` holds each mail as
a page with its pictures beside it, as plain text and as it came; `index.html` shows one of each
kind at the width of a phone, the brief beside what was found when, the bodies for other systems and
the answers of a few commands. Nothing on the pages comes from elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from importlib.resources import files
from operator import itemgetter
from pathlib import Path

from jinja2 import Environment

from warden.simulator.findings import Claim, Line
from warden.simulator.hook import Received
from warden.simulator.mailbox import Mail

FOLDER = "read"
INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class Said:
    """What one notice of a message is about."""

    action: str
    kind: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Told:
    """What the database knows of a message.

    Attributes:
        notices: in the order in which they stand.
        digest: gathered what could wait. exercise: a test.
    """

    notices: tuple[Said, ...]
    digest: bool = False
    exercise: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A mail that was written out.

    Attributes:
        number: its place among all. at: its date. to, language, subject: as its headers say.
        told: what it is about, None where the database does not know it.
        html, text, raw: files beside the index; html is "" for a mail in plain text alone.
    """

    number: int
    at: datetime
    to: str
    language: str
    subject: str
    told: Told | None
    html: str
    text: str
    raw: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One mail of a kind, on the page; `place` is where in it the notice stands, from 0."""

    title: str
    why: str
    page: Page
    place: int = 0

    @property
    def address(self) -> str:
        """The page, opened where the notice stands."""
        return f"{self.page.html}#notice-{self.place + 1}" if self.place else self.page.html


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answered."""

    command: str
    why: str
    output: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    title: str
    why: str
    language: str = "en"
    digest: bool = False
    exercise: bool = False
    notice: Mapping[str, str] | None = None

    def place(self, page: Page) -> int | None:
        """Where in a mail the notice stands that is wanted; None where there is none."""
        told = page.told
        if told is None or page.language != self.language or not page.html:
            return None
        if (told.digest, told.exercise) != (self.digest, self.exercise):
            return None
        wanted = (self.notice or {}).items()
        places = (
            place
            for place, said in enumerate(told.notices)
            if all(getattr(said, name) == value for name, value in wanted)
        )
        return next(places, None)


# One of each; what a shorter play does not bring is left out.
_WANTED = (
    _Wanted(
        "A single attack",
        "Who was involved, where, how sure that is, how late it was known, and what to do.",
        notice={"rule": "attack-near-bamako", "action": "alert"},
    ),
    _Wanted(
        "An attack, in French",
        "Each receiver reads its own language, the rule's texts included.",
        language="fr",
        notice={"rule": "attack-near-bamako", "action": "alert"},
    ),
    _Wanted(
        "An update",
        "What changed, old and new; in the thread of the first mail.",
        notice={"action": "update"},
    ),
    _Wanted("A withdrawal", "The source took it back.", notice={"action": "cancel"}),
    _Wanted("A cluster", "A bound on how many.", notice={"kind": "count", "action": "alert"}),
    _Wanted(
        "A spike",
        "More than the past would lead to expect.",
        notice={"kind": "spike", "action": "alert"},
    ),
    _Wanted(
        "A sustained rise",
        "A rate that moved up and stays up.",
        notice={"kind": "drift", "action": "alert"},
    ),
    _Wanted(
        "A projection",
        "This year against the last, with an interval.",
        notice={"kind": "projection", "action": "alert"},
    ),
    _Wanted("A record", "The most in a year or three.", notice={"kind": "record"}),
    _Wanted("A digest", "What could wait: a table and one map.", digest=True),
    _Wanted(
        "After a silence", "What is still active when it ends.", notice={"reason": "SILENCE_ENDED"}
    ),
    _Wanted("Warden's own health", "No data is never no violence.", notice={"kind": "feed"}),
    _Wanted("An exercise", "From `warden test-receiver`.", exercise=True),
)


def write_mails(root: Path, mails: Sequence[Mail], told: Mapping[str, Told]) -> list[Page]:
    """Write every mail into `root`/read; `told` is by the part of its id before the @."""
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    return [_written(folder, number, mail, told) for number, mail in enumerate(mails, start=1)]


def chosen(pages: Sequence[Page]) -> list[Shown]:
    """One mail of each kind; those in which it stands first, and with little else, are best."""
    found = []
    for wanted in _WANTED:
        fitting = [
            (place, not _of_a_known_day(page), _bulk(page.told), -page.number, page)
            for page in pages
            if (place := wanted.place(page)) is not None and page.told is not None
        ]
        if fitting:
            best = min(fitting, key=itemgetter(slice(4)))
            found.append(Shown(wanted.title, wanted.why, best[4], 0 if wanted.digest else best[0]))
    return found


def write_index(
    root: Path,
    pages: Sequence[Page],
    *,
    sums: str,
    claims: Sequence[Claim],
    lines: Sequence[Line],
    payloads: Sequence[tuple[str, Received]],
    answers: Sequence[Answer],
) -> Path:
    """Write the page that leads to all of it; `payloads` are one of each format."""
    source = files("warden.simulator").joinpath("album.html.jinja").read_text("utf-8")
    page = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(source)
    text = page.render(
        sums=sums,
        shown=chosen(pages),
        claims=claims,
        lines=lines,
        pages=pages,
        payloads=[(name, _pretty(one)) for name, one in payloads],
        answers=answers,
    )
    path = root / INDEX
    path.write_text(text, encoding="utf-8")
    return path


# --- one mail ---------------------------------------------------------------------------------


def _written(folder: Path, number: int, mail: Mail, told: Mapping[str, Told]) -> Page:
    message, stem = mail.message, f"{number:03d}"
    raw, text, html = (folder / f"{stem}.{suffix}" for suffix in ("eml", "txt", "html"))
    raw.write_bytes(mail.content)
    plain = message.get_body(("plain",))
    text.write_text(plain.get_content() if plain is not None else "", encoding="utf-8")
    rich = message.get_body(("html",))
    if rich is not None:
        html.write_text(
            _with_pictures(folder, stem, message, str(rich.get_content())), encoding="utf-8"
        )
    own_id = str(message["Message-ID"]).strip("<>").partition("@")[0]
    return Page(
        number=number,
        at=parsedate_to_datetime(str(message["Date"])),
        to=", ".join(mail.recipients),
        language=str(message["Content-Language"] or "en"),
        subject=str(message["Subject"]),
        told=told.get(own_id),
        html=f"{FOLDER}/{html.name}" if rich is not None else "",
        text=f"{FOLDER}/{text.name}",
        raw=f"{FOLDER}/{raw.name}",
    )


def _with_pictures(folder: Path, stem: str, message: EmailMessage, text: str) -> str:
    """The HTML part with its pictures as files beside it."""
    for cid, picture in _pictures(message):
        name = f"{stem}-{cid.partition('@')[0]}.png"
        if f"cid:{cid}" in text:
            (folder / name).write_bytes(picture)
            text = text.replace(f"cid:{cid}", name)
    return text


def _pictures(message: EmailMessage) -> Iterator[tuple[str, bytes]]:
    for part in message.walk():
        content = part.get_content() if part.get_content_maintype() == "image" else None
        if isinstance(content, bytes):
            yield str(part["Content-ID"]).strip("<>"), content


# --- choosing ---------------------------------------------------------------------------------


def _bulk(told: Told) -> int:
    """How little a mail shows by itself: few notices are best, but for a digest."""
    return -min(len(told.notices), 6) if told.digest else len(told.notices)


def _of_a_known_day(page: Page) -> bool:
    """Whether a mail is of days that readers may know: Kati in July 2022."""
    return f"{page.at:%Y-%m}" == "2022-07"


def _pretty(received: Received) -> str:
    if isinstance(received.payload, str):
        return received.payload
    return json.dumps(received.payload, ensure_ascii=False, indent=1)
