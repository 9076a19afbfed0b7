"""A message as its readers would see it, as files to look at: nothing is sent.

Standing in the flow: beside it, for `warden preview`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from warden.errors import UsageError
from warden.model.located import did_you_mean, shown
from warden.model.notice import Notice
from warden.notify.formats import SUFFIXES
from warden.notify.render import Rendered, Renderer
from warden.notify.render.samples import exercise, sample_notices
from warden.notify.routes import Receiver
from warden.pictures import PictureError, mail_png

FORMATS = ("mail", "warden", "alertmanager", "cap")


def samples() -> dict[str, Notice]:
    """Made-up notices by name: actions, kinds of rules, and an exercise. Nothing is real."""
    found: dict[str, Notice] = {}
    for notice in sample_notices():
        kind = str(notice.facts.get("kind") or "event")
        if notice.action == "alert" and not notice.exercise:
            found.setdefault("alert" if kind == "event" else kind, notice)
        else:
            found.setdefault("exercise" if notice.exercise else notice.action, notice)
    return found


def sample(name: str, now: datetime) -> Notice:
    """A made-up notice by its name.

    Raises:
        UsageError: there is none of that name.
    """
    if name == "exercise":
        return exercise(now)
    known = samples()
    if name not in known:
        hint = did_you_mean(name, known)
        raise UsageError(f"no sample {shown(name)}{hint}; there are {', '.join(known)}")
    return known[name]


def reader(
    receiver: Receiver | None, *, language: str | None, languages: Sequence[str], time_zone: str
) -> Receiver:
    """Whose eyes to look with: a receiver of the routes, or somebody made up.

    Raises:
        UsageError: no such language.
    """
    if language is not None and language not in languages:
        hint = did_you_mean(language, languages)
        raise UsageError(f"no language {shown(language)}{hint}; there are {', '.join(languages)}")
    base = receiver or Receiver("preview", "en", time_zone)
    return replace(base, language=language or base.language)


def preview(
    notice: Notice, receiver: Receiver, renderer: Renderer, now: datetime
) -> tuple[Rendered, dict[str, bytes]]:
    """The message, and its files by name: text, HTML, pictures, and the other systems' formats."""
    formats = {*FORMATS, *(target.format for target in receiver.targets)}
    rendered = renderer.render(receiver, [notice], now, formats, message_id="preview")
    files: dict[str, bytes] = {}
    for name, body in sorted(rendered.bodies.items()):
        if name == "mail":
            files |= dict(_mail_files(body))
        else:
            files[f"{name}{SUFFIXES.get(name, '.json')}"] = body.encode()
    return rendered, files


def _mail_files(body: str) -> Iterator[tuple[str, bytes]]:
    parts = json.loads(body)
    yield "mail.txt", parts["text"].encode()
    html = parts["html"]
    for picture in parts.get("pictures") or ():
        name = f"{picture['cid']}.png"
        html = html.replace(f"cid:{picture['cid']}", name)
        try:
            yield name, mail_png(picture["svg"])
        except PictureError:
            yield f"{picture['cid']}.svg", picture["svg"].encode()
    if html:
        yield "mail.html", html.encode()
