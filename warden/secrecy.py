"""What may not be said: secrets that this process has read, taken out of every text it tells.

Standing in the flow: who reads a secret calls `hide`; what leaves warden's hands as words for
people (logs, commands, reasons of failed polls and deliveries) goes through `veiled`. Nothing of
warden's own puts a secret into a sentence. This is for other people's sentences: a server that
repeats what it was sent ("Cannot POST /hooks/…"), or a library that names the address it tried.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, urlsplit

VEIL = "[secret]"
SHORTEST = 8  # characters; a shorter text would be found in words that are none
SHORTEST_PIECE = 12  # of a URL: what is shorter is a word, such as "heartbeat"
MOST = 2_000  # forms kept: tokens are renewed, and the oldest matter least

_hidden: dict[str, None] = {}
_longest_first: tuple[str, ...] = ()
_lock = threading.Lock()


def hide(*secrets: str) -> None:
    """Let no text tell these from now on, as they are or as they travel."""
    global _longest_first  # noqa: PLW0603  one veil a process, as its log is one
    with _lock:
        known = len(_hidden)
        for secret in secrets:
            if secret not in _hidden:
                _hidden.update(dict.fromkeys(_forms(secret)))
        if len(_hidden) == known:
            return
        for oldest in list(_hidden)[: max(len(_hidden) - MOST, 0)]:
            del _hidden[oldest]
        _longest_first = tuple(sorted(_hidden, key=len, reverse=True))


def veiled(text: str) -> str:
    """The text without any secret."""
    for secret in _longest_first:
        if secret in text:
            text = text.replace(secret, VEIL)
    return text


def _forms(secret: str) -> Iterator[str]:
    """The secret, its parts where it is a URL, and how they look in forms, JSON and logins."""
    for part in (secret, *_parts(secret)):
        encoded = base64.b64encode(part.encode("utf-8", "surrogateescape")).decode()
        quoted = (quote(part, errors="replace"), quote_plus(part, errors="replace"))
        for form in (part, *quoted, json.dumps(part)[1:-1], encoded):
            if len(form) >= SHORTEST:
                yield form


def _parts(secret: str) -> Iterator[str]:
    """Path and query of a URL, together and piece by piece: any of them may be the token."""
    if not secret.startswith(("https://", "http://")):
        return
    try:
        parts = urlsplit(secret)
    except ValueError:
        return
    yield from (parts.path + (f"?{parts.query}" if parts.query else ""), parts.path, parts.query)
    pieces = [*parts.path.split("/"), *(one.rpartition("=")[2] for one in parts.query.split("&"))]
    yield from (piece for piece in pieces if len(piece) >= SHORTEST_PIECE)
