"""`webhook: [{url: https://…, secret: {secret: NAME}, allow_private: false}]` in a receiver."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from warden.model.located import Node, shown
from warden.notify.reading import Reader
from warden.notify.routes import Target

_KEYS = ("url", "secret", "format", "allow_private", "include_notes", "timeout")
_LATER_FORMATS = ("alertmanager", "cap")
MAX_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """How one hook is called.

    Attributes:
        url: where it is, or "" when `url_secret` names the secret that holds it.
        secrets: the names of the signing secrets; several while rotating.
        allow_private: loopback and private addresses, and http: without TLS, are allowed.
        timeout_s: the total deadline of one try.
    """

    url: str
    url_secret: str = ""
    secrets: tuple[str, ...] = ()
    allow_private: bool = False
    timeout_s: float = 15.0


def read_targets(node: Node, reader: Reader) -> tuple[Target, ...]:
    """One target an entry; the body format is "warden", or "warden+notes"."""
    found = reader.mapping(node, "webhook", _KEYS, required=("url", "secret"))
    if not found or "url" not in found:
        return ()
    allow_private = reader.flag(found.get("allow_private"), "allow_private", default=False)
    url, url_secret = _url(found["url"], reader, private=allow_private)
    secrets: tuple[str, ...] = ()
    if "secret" in found:
        names = (reader.secret(item, "secret") for item in _secrets(found["secret"], reader))
        secrets = tuple(name for name in names if name is not None)
    timeout = found.get("timeout")
    timeout_s = None if timeout is None else reader.seconds(timeout, "timeout", most=MAX_TIMEOUT_S)
    body = _format(found, reader)
    if not (url or url_secret) or not secrets:
        return ()
    options = WebhookOptions(url, url_secret, secrets, allow_private, timeout_s or 15.0)
    return (Target("webhook", url or f"secret:{url_secret}", body, options),)


def _secrets(node: Node, reader: Reader) -> tuple[Node, ...]:
    return reader.items(node, "secret") if node.kind == "list" else (node,)


def _format(found: dict[str, Node], reader: Reader) -> str:
    node = found.get("format")
    notes = reader.flag(found.get("include_notes"), "include_notes", default=False)
    if node is not None and node.text in _LATER_FORMATS:
        reader.faults.error(node, "WR079", f"'{node.text}' is not yet supported; use 'warden'")
    elif node is not None:
        reader.choice(node, "format", ("warden",))
    return "warden+notes" if notes else "warden"


def _url(node: Node, reader: Reader, *, private: bool) -> tuple[str, str]:
    if node.kind == "mapping":
        return "", reader.secret(node, "url") or ""
    text = reader.text(node, "url")
    if text is None:
        return "", ""
    reason = why_bad_url(text, private=private)
    if reason:
        reader.faults.error(node, "WR072", f"{shown(text)} cannot be called: {reason}")
        return "", ""
    return text, ""


def why_bad_url(url: str, *, private: bool) -> str:
    """Why a URL cannot be a hook; "" if it can."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return "it holds a blank, a control character or a letter outside ASCII"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return str(error)
    if parts.scheme not in (("https", "http") if private else ("https",)):
        return "use https: (http: is for a host of your own, with allow_private: true)"
    if not parts.hostname or port == 0:
        return "it names no host"
    if parts.username or parts.password:
        return "a user or password in it would be a secret; write url: {secret: NAME}"
    return ""
