"""`webhook: [{url: https://…, secret: {secret: NAME}, allow_private: false}]` in a receiver."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from warden.model.located import Node, shown
from warden.notify.formats import FORMATS, body_format
from warden.notify.reading import Reader
from warden.notify.routes import Target

_KEYS = ("url", "secret", "format", "allow_private", "include_notes", "timeout")
MAX_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """How one hook is called.

    Attributes:
        url: where it is, or "" when `url_secret` names the secret that holds it.
        secrets: the names of the signing secrets; several while rotating, none for no signature.
        allow_private: loopback and private addresses, and http: without TLS, are allowed.
        timeout_s: the total deadline of one try.
    """

    url: str
    url_secret: str = ""
    secrets: tuple[str, ...] = ()
    allow_private: bool = False
    timeout_s: float = 15.0


def read_targets(node: Node, reader: Reader) -> tuple[Target, ...]:
    """One target an entry; only what speaks Alertmanager's words may go unsigned."""
    found = reader.mapping(node, "webhook", _KEYS, required=("url",))
    if not found or "url" not in found:
        return ()
    name = reader.choice(found["format"], "format", FORMATS) if "format" in found else None
    unsigned = name == "alertmanager"  # its receivers know of no signatures
    if "secret" not in found and not unsigned:
        reader.faults.error(node, "WR011", "webhook needs the key 'secret'")
    allow_private = reader.flag(found.get("allow_private"), "allow_private", default=False)
    url, url_secret = _url(found["url"], reader, private=allow_private)
    secrets: tuple[str, ...] = ()
    if "secret" in found:
        names = (reader.secret(item, "secret") for item in _secrets(found["secret"], reader))
        secrets = tuple(name for name in names if name is not None)
    timeout = found.get("timeout")
    timeout_s = None if timeout is None else reader.seconds(timeout, "timeout", most=MAX_TIMEOUT_S)
    notes = reader.flag(found.get("include_notes"), "include_notes", default=False)
    body = body_format(name or "warden", url, with_notes=notes)
    if not (url or url_secret) or not (secrets or unsigned):
        return ()
    options = WebhookOptions(url, url_secret, secrets, allow_private, timeout_s or 15.0)
    return (Target("webhook", url or f"secret:{url_secret}", body, options),)


def _secrets(node: Node, reader: Reader) -> tuple[Node, ...]:
    return reader.items(node, "secret") if node.kind == "list" else (node,)


def _url(node: Node, reader: Reader, *, private: bool) -> tuple[str, str]:
    if node.kind == "mapping":
        return "", reader.secret(node, "url") or ""
    text = reader.text(node, "url")
    if text is None:
        return "", ""
    reason = why_bad_url(text, private=private)
    if reason:
        told = "the url" if "@" in text else shown(text)
        reader.faults.error(node, "WR072", f"{told} cannot be called: {reason}")
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
