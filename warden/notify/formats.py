"""Which formats of other systems a target can ask for, and what each means on the wire.

A receiver who has a target of a `SINGLE` format gets every notice as a message of its own, since
in these formats a message is one alert with its own identity.
"""

from __future__ import annotations

FORMATS = ("warden", "alertmanager", "cap")
"""What operators write after `format:`."""
ALERTMANAGER_API = "alertmanager-api"
SINGLE = frozenset({"cap", "alertmanager", ALERTMANAGER_API})
MEDIA_TYPES = {"cap": "application/cap+xml"}
SUFFIXES = {"cap": ".xml"}
_API_PATH = "/api/v2/alerts"


def body_format(name: str, url: str, *, with_notes: bool) -> str:
    """The body that a target needs: Alertmanager's own API takes another than its webhooks send."""
    if name == "alertmanager" and url.split("?", maxsplit=1)[0].rstrip("/").endswith(_API_PATH):
        return ALERTMANAGER_API
    return "warden+notes" if name == "warden" and with_notes else name


def media_type(body: str) -> str:
    """What a body is, as HTTP's `content-type` says it."""
    return MEDIA_TYPES.get(body, "application/json")
