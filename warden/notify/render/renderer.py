"""A receiver's notices into one message: subject and a body for each format its recipients need.

A template that fails never stops an alert: the plain form goes out instead, says so, and the
message is counted as a fallback.
"""

from __future__ import annotations

import html
import json
import re
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from warden.errors import ConfigError
from warden.geodata.land import Land
from warden.model.notice import Notice
from warden.model.rule import level_rank
from warden.notify.render import cap
from warden.notify.render.binding import bound, bound_view
from warden.notify.render.body import View, digest_table, notice_view
from warden.notify.render.first_line import LIMIT, first_line
from warden.notify.render.formats import alertmanager_body, bare_words, cap_words
from warden.notify.render.gaps import Gap
from warden.notify.render.parts import clean
from warden.notify.render.payload import payload
from warden.notify.render.plain import bare_line, bare_text, plain_text
from warden.notify.render.samples import sample_notice
from warden.notify.render.spoken import in_language
from warden.notify.render.studio import MAX_NOTICES, Picture, Studio
from warden.notify.render.voice import Phrases, Voice
from warden.notify.routes import Receiver
from warden.sandbox import Sandbox, shipped_templates, template_folders

_COLOURS = {"critical": "#b3261e", "warning": "#b26a00", "info": "#35618e"}
_QUIET_COLOUR = "#6b7078"
_COLUMNS = 72
_BOUND = "\ufdd0"  # no character: a space where no line is broken
_LEAD = re.compile(r" *(?:- |\d+\. )?")
_HEAD = re.compile(r"(?is)<head\b.*?</head\s*>|<style\b.*?</style\s*>|<!--.*?-->")
_TAG = re.compile(r"<[^>]*>")
_WORDS = ("changed", "alert_word")
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_LAYOUTS = ("mail.txt.jinja", "mail.html.jinja")
# Whatever a template, a phrase or a fact of an odd shape can raise while being put into words.
RENDERING_FAILED = (
    TemplateError, ConfigError, KeyError, TypeError, ValueError, AttributeError, IndexError,
    ArithmeticError, RecursionError, MemoryError, OSError,
)  # fmt: skip


class UnsaidError(Exception):
    """A layout that does not say what its message is about; `name` is the template's."""

    def __init__(self, name: str) -> None:
        super().__init__("the first line of a notice is not said: write {{ notice.first_line }}")
        self.name = name


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message's subject and bodies; `fallback` says why the plain form was used, if it was."""

    subject: str
    bodies: dict[str, str]
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class _Attached:
    """A picture and what the mail calls it."""

    cid: str
    picture: Picture


_SHOWN = (_Attached("map-1", Picture("map", "Map", "<svg/>")),)


class Renderer:
    """Puts notices into words.

    Attributes:
        folders: see `template_folders`; the last one is the shipped one.
        issuer: who speaks in the formats of other systems.
        studio: what draws the pictures of mails.
    """

    def __init__(
        self,
        folders: Sequence[Path] | None = None,
        *,
        issuer: cap.Issuer | None = None,
        land: Land | None = None,
    ) -> None:
        self.folders = tuple(folders) if folders is not None else template_folders()
        self.issuer = issuer if issuer is not None else cap.Issuer()
        self.studio = Studio(self.folders, land)
        self._sandbox = Sandbox(self.folders)
        self._phrases: dict[tuple[str, bool], Phrases] = {}

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages there are: folders with a `strings.toml`."""
        found = {p.parent.name for folder in self.folders for p in folder.glob("*/strings.toml")}
        return tuple(sorted(found))

    def phrases(self, language: str) -> Phrases:
        """The words of a language; raises where they cannot be read."""
        return self._phrases_of(language, shipped=False)

    def failures(self, language: str, notice: Notice) -> Iterator[Exception]:
        """What goes wrong when a notice is put into each template; for `warden check`."""
        receiver = Receiver("check", language)
        try:
            voice = self._voice(receiver, notice.at, shipped=False)
            drawn = {"": _SHOWN, notice.id: _SHOWN}  # so that their place in the layout is tried
            line = first_line(notice, voice)
            view = message_view(receiver, [notice], [line], voice, line, drawn=drawn, digest=True)
        except RENDERING_FAILED as error:
            yield error
            return
        yield from self.studio.failures(notice, voice)
        yield from self._failures_of(language, view)

    def failures_of_layouts(
        self, language: str, notice: Notice, other: Notice
    ) -> Iterator[Exception]:
        """What goes wrong outside digests: with one notice, which must be said, and with two."""
        receiver = Receiver("check", language)
        try:
            voice = self._voice(receiver, notice.at, shipped=False)
            lines = [first_line(one, voice) for one in (notice, other)]
            alone = message_view(receiver, [notice], lines[:1], voice, lines[0])
            both = message_view(receiver, [notice, other], lines, voice, lines[0])
        except RENDERING_FAILED:  # told by `failures`
            return
        yield from self._failures_of(language, alone, must_say=lines[0])
        yield from self._failures_of(language, both)

    def layouts(self, language: str) -> Iterator[str]:
        """The names of the templates by which mails in a language are laid out."""
        for name in _LAYOUTS:
            both = _layout_names(name, language)
            yield next((one for one in both if self._has(one)), both[-1])

    def layout_values(self, language: str) -> frozenset[str]:
        """The names that every layout is given.

        Raises:
            one of RENDERING_FAILED: the language's phrases cannot be used.
        """
        notice = sample_notice()
        receiver = Receiver("check", language)
        voice = self._voice(receiver, notice.at, shipped=False)
        return frozenset(message_view(receiver, [notice], [""], voice, ""))

    def _has(self, name: str) -> bool:
        return any((folder / name).is_file() for folder in self.folders)

    def _failures_of(self, language: str, view: View, *, must_say: str = "") -> Iterator[Exception]:
        for name in self.layouts(language):
            try:
                said = self._sandbox.produce((name,), view)
            except RENDERING_FAILED as error:
                yield error
                continue
            if must_say and _as_read(must_say, "") not in _as_read(said, name):
                yield UnsaidError(name)

    def render(
        self,
        receiver: Receiver,
        notices: Sequence[Notice],
        now: datetime,
        formats: Collection[str],
        *,
        message_id: str = "",
        gaps: Sequence[Gap] = (),
        replaces: cap.Earlier | None = None,
        digest: bool = False,
    ) -> Rendered:
        """One message of these notices, the most severe first as they are given.

        `gaps` are the feeds that tell nothing of recent days; `replaces` is the message
        about the same alert that stands until now. A `digest` gathers what could wait: a table
        and one map stand before the notices.
        """
        told = [in_language(notice, receiver.language) for notice in notices]
        try:
            made = self._by_templates(receiver, told, now, formats, message_id, gaps, digest=digest)
        except RENDERING_FAILED as error:
            reason = clean(f"{type(error).__name__}: {error}", 200)
            made = self._plainly(receiver, told, now, formats, message_id, gaps, reason)
        if "cap" in formats:
            made.bodies["cap"] = cap.document(
                [(notice, self._cap_words(notice, receiver, now, gaps)) for notice in notices],
                message_id=message_id,
                sent=now,
                issuer=self.issuer,
                replaces=replaces,
            )
        return made

    def _cap_words(
        self, notice: Notice, receiver: Receiver, now: datetime, gaps: Sequence[Gap]
    ) -> list[cap.Words]:
        """An `info` in every language there is, the receiver's first; bare words if all fail."""
        said: list[cap.Words] = []
        failed = ""
        for language in dict.fromkeys((receiver.language, *self.languages)):
            try:
                voice = self._voice(replace(receiver, language=language), now, shipped=False)
                said.append(cap_words(in_language(notice, language), voice, gaps))
            except RENDERING_FAILED as error:
                failed = clean(f"{type(error).__name__}: {error}", 200)
        return said or [bare_words(notice, failed)]

    def _by_templates(  # noqa: PLR0917  the arguments of render
        self,
        receiver: Receiver,
        notices: Sequence[Notice],
        now: datetime,
        formats: Collection[str],
        message_id: str,
        gaps: Sequence[Gap],
        *,
        digest: bool,
    ) -> Rendered:
        voice = self._voice(receiver, now, shipped=False)
        mark = voice.say("mark.digest") if digest else ""
        lines = [first_line(notice, voice) for notice in notices]
        subject = subject_of(notices, lines, voice, mark=mark)
        bodies: dict[str, str] = {}
        if "mail" in formats:
            drawn = self._pictures(notices, voice, digest=digest)
            view = message_view(
                receiver, notices, lines, voice, subject, gaps, drawn, digest=digest
            )
            language = receiver.language
            text = _tidy(self._produce(_LAYOUTS[0], language, view), language)
            markup = self._produce(_LAYOUTS[1], language, bound_view(view, language))
            pictures = [picture for of_one in drawn.values() for picture in of_one]
            bodies["mail"] = _mail_body(language, text, markup, pictures)
        url = self.issuer.web
        bodies |= _payloads(receiver, notices, lines, now, formats, message_id, subject, gaps, url)
        return Rendered(subject, bodies)

    def _plainly(  # noqa: PLR0917  the arguments of render, and why
        self,
        receiver: Receiver,
        notices: Sequence[Notice],
        now: datetime,
        formats: Collection[str],
        message_id: str,
        gaps: Sequence[Gap],
        reason: str,
    ) -> Rendered:
        """The built-in form, in the reader's language if the shipped words can be used."""
        bodies: dict[str, str] = {}
        voice: Voice | None = None
        try:
            voice = self._voice(receiver, now, shipped=True)
            lines = [first_line(notice, voice) for notice in notices]
            subject = subject_of(notices, lines, voice)
            view = message_view(receiver, notices, lines, voice, subject, gaps)
            text = plain_text({**view, "fallback": voice.say("fallback", reason=reason)})
        except RENDERING_FAILED:
            voice = None
            lines = [bare_line(notice) for notice in notices]
            subject = lines[0][:LIMIT]
            text = bare_text(notices, reason)
        if "mail" in formats:
            bodies["mail"] = _mail_body(receiver.language if voice else "en", text, "")
        url = self.issuer.web
        bodies |= _payloads(receiver, notices, lines, now, formats, message_id, subject, gaps, url)
        return Rendered(subject, bodies, reason)

    def _pictures(
        self, notices: Sequence[Notice], voice: Voice, *, digest: bool
    ) -> dict[str, list[_Attached]]:
        """The pictures of each notice by its id, and of the whole under ""; named for the mail."""
        if digest:
            found = {"": self.studio.overview(notices, voice)}
        else:
            found = {n.id: self.studio.pictures(n, voice) for n in notices[:MAX_NOTICES]}
        return {
            key: [_Attached(f"{picture.name}-{number}", picture) for picture in pictures]
            for number, (key, pictures) in enumerate(found.items(), start=1)
        }

    def _produce(self, name: str, language: str, view: View) -> str:
        return self._sandbox.produce(_layout_names(name, language), view)

    def _voice(self, receiver: Receiver, now: datetime, *, shipped: bool) -> Voice:
        phrases = self._phrases_of(receiver.language, shipped=shipped)
        return Voice(phrases, receiver.time_zone, now)

    def _phrases_of(self, language: str, *, shipped: bool) -> Phrases:
        known = self._phrases.get((language, shipped))
        if known is None:
            folders = self.folders
            if shipped:
                folders = (shipped_templates(),)
                language = language if (folders[0] / language).is_dir() else "en"
            known = Phrases(language, folders, self._sandbox)
            self._phrases[language, shipped] = known
        return known


def _layout_names(name: str, language: str) -> tuple[str, str]:
    """Where a layout is looked for: a language's own, then that of all."""
    return f"{language}/{name}", f"layout/{name}"


def _as_read(text: str, name: str) -> str:
    """What a reader sees of a template's text, whatever its case and line breaks."""
    if ".html" in name:
        text = html.unescape(_TAG.sub(" ", _HEAD.sub(" ", text)))
    return " ".join(text.split()).casefold()


def in_order(notices: Sequence[Notice]) -> list[Notice]:
    """The most severe first; then as they were decided."""
    return sorted(notices, key=lambda notice: -level_rank(notice.severity))


def subject_of(
    notices: Sequence[Notice], lines: Sequence[str], voice: Voice, *, mark: str = ""
) -> str:
    """The first line of the first notice, and how many more there are, within 160 characters.

    `lines` are the notices' own; the first is said anew only where it leaves no room.
    """
    before = f"{mark} " if mark else ""
    more = " " + voice.say("more_alerts", len(notices) - 1) if len(notices) > 1 else ""
    room = LIMIT - len(before) - len(more)
    line = lines[0] if len(lines[0]) <= room else first_line(notices[0], voice, room)
    return f"{before}{line}{more}"


def message_view(  # noqa: PLR0917  all of it goes into the words
    receiver: Receiver,
    notices: Sequence[Notice],
    lines: Sequence[str],
    voice: Voice,
    subject: str,
    gaps: Sequence[Gap] = (),
    drawn: Mapping[str, Sequence[_Attached]] | None = None,
    *,
    digest: bool = False,
) -> View:
    """All that a layout needs."""
    drawn = drawn or {}
    views = [
        {
            **notice_view(notice, voice, gaps, line=line),
            "number": number,
            "colour": _colour(notice),
            "pictures": [_picture_view(one) for one in drawn.get(notice.id, ())],
        }
        for number, (notice, line) in enumerate(zip(notices, lines, strict=True), start=1)
    ]
    return {
        "language": receiver.language,
        "subject": subject,
        "preview": _preview(views[0]),
        "intro": voice.say("several", len(views)) if len(views) > 1 else "",
        "digest": digest_table(notices, voice) if digest else None,
        "title": voice.say("digest_title", len(views)) if digest else subject,
        "pictures": [_picture_view(one) for one in drawn.get("", ())],
        "notices": views,
        "words": {name: voice.say(name) for name in _WORDS},
        "footer": voice.say("footer", receiver=receiver.name, zone=receiver.time_zone),
        "fallback": "",
    }


def _picture_view(one: _Attached) -> View:
    return {"cid": one.cid, "alt": one.picture.alt, "name": one.picture.name}


def _preview(view: View) -> str:
    """What a mailbox's list shows after the subject: what the subject does not say."""
    changes = [f"{change['line']}." for change in view["changes"]]
    told = (line for section in view["first_sections"][1:] for line in section["lines"])
    lines = [*changes, *view["notes"], *told]
    return clean(" ".join(lines), 140)


def _colour(notice: Notice) -> str:
    if notice.action in ("resolved", "cancel") or notice.reason == "NO_LONGER_MATCHES":
        return _QUIET_COLOUR
    return _COLOURS[notice.severity]


def _payloads(  # noqa: PLR0917  the arguments of render
    receiver: Receiver,
    notices: Sequence[Notice],
    lines: Sequence[str],
    now: datetime,
    formats: Collection[str],
    message_id: str,
    subject: str,
    gaps: Sequence[Gap],
    url: str,
) -> dict[str, str]:
    made: dict[str, str] = {}
    for name in formats:
        if name.startswith("alertmanager"):
            data = alertmanager_body(name, receiver.name, notices, lines, now=now, url=url)
            made[name] = _json(data)
        elif name in ("warden", "warden+notes"):
            data = payload(
                receiver, notices, lines, now,
                message_id=message_id, subject=subject, with_notes=name.endswith("+notes"),
                gaps=gaps,
            )  # fmt: skip
            made[name] = _json(data)
    return made


def _mail_body(language: str, text: str, markup: str, attached: Sequence[_Attached] = ()) -> str:
    """A mail's parts; pictures as drawings, which become PNGs when it is sent."""
    body: dict[str, Any] = {"language": language, "text": text, "html": markup}
    pictures = [
        {"cid": one.cid, "alt": one.picture.alt, "svg": one.picture.svg}
        for one in attached
        if f"cid:{one.cid}" in markup
    ]
    return _json(body | ({"pictures": pictures} if pictures else {}))


def _json(data: Any) -> str:
    return _ENCODER.encode(data)


def _tidy(text: str, language: str) -> str:
    """Lines of at most 72 letters, none blank but one or two, no blanks at their ends."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        for kept in [line] if line == "-- " else _wrapped(line.rstrip(), language):
            if kept or lines[-2:] != ["", ""]:
                lines.append(kept)
    return "\n".join(lines) + "\n"


def _wrapped(line: str, language: str) -> list[str]:
    """The line in pieces, continued under its text; links, ids and "150 km" stay whole."""
    start = _LEAD.match(line)
    indent = " " * (start.end() if start else 0)
    bind = bound(line, language, space=_BOUND)
    pieces = textwrap.wrap(
        bind, _COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [piece.replace(_BOUND, " ") for piece in pieces] or [""]
