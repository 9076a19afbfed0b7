"""A message in the Common Alerting Protocol, OASIS CAP 1.2 (2010).

What CAP asks beyond its schema is kept too: times carry `-00:00` for UTC, never `Z`; identifiers
hold no blank, comma, `<` or `&`; an Update or Cancel refers to the message that it replaces, and to
no older one, which that had replaced before; nothing is ever an AllClear, since the end of a
condition is no proof of safety.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from warden.model.notice import Action, Notice
from warden.model.rule import Level
from warden.notify.collapse import is_over
from warden.notify.render.cap_area import circle, discs_of, polygon
from warden.notify.render.parts import clean, day_of

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MEDIA_TYPE = "application/cap+xml"
PAST_AFTER = timedelta(hours=72)
RESTRICTION = (
    "For the named recipients of this warden only. Rests on sources whose terms forbid passing"
    " their records on."
)
# How long a message speaks for itself: a single event is news for three days, a condition that
# lasts is told again within a week, and an end or a withdrawal is soon of no use.
EXPIRES: Mapping[Action, timedelta] = {
    "alert": timedelta(days=7),
    "update": timedelta(days=7),
    "reminder": timedelta(days=7),
    "summary": timedelta(days=7),
    "resolved": timedelta(days=1),
    "cancel": timedelta(days=1),
}
EVENT_EXPIRES = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Scales:
    """CAP's three scales for one severity of a rule."""

    urgency: str
    severity: str
    certainty: str


# The one place where a rule's severity meets CAP's scales. A source's record is never "Observed",
# and what only statistics say is no more than possible.
SCALES: Mapping[Level, Scales] = {
    "critical": Scales("Immediate", "Severe", "Likely"),
    "warning": Scales("Expected", "Moderate", "Likely"),
    "info": Scales("Future", "Minor", "Possible"),
}
_RESPONSES: Mapping[Level, str] = {"critical": "Assess", "warning": "Assess", "info": "Monitor"}
_INFERRED = frozenset({"spike", "drift", "record", "projection"})
_UNFIT = re.compile(r"[\s,<&]+")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who speaks.

    Attributes:
        sender: CAP's globally unique `sender`, such as a mail address.
        name: for people; "" leaves it out.
        web: where one can read more; "" leaves it out.
        restriction: who may read it.
    """

    sender: str = "warden@localhost"
    name: str = ""
    web: str = ""
    restriction: str = RESTRICTION


@dataclass(frozen=True, slots=True)
class Earlier:
    """The message that stands for the same recipient and alert until this one."""

    identifier: str
    sent: datetime


@dataclass(frozen=True, slots=True)
class Words:
    """What one `info` says in one language."""

    language: str
    event: str
    headline: str
    description: str
    instruction: str
    area: str


def document(
    spoken: Sequence[tuple[Notice, Sequence[Words]]],
    *,
    message_id: str,
    sent: datetime,
    issuer: Issuer,
    replaces: Earlier | None = None,
) -> str:
    """One CAP message of these notices, each with an `info` in every language.

    The first notice decides what kind of message it is. Without a message that stands there is
    nothing to update: whoever first hears of an alert through its update gets an Alert.
    """
    notice = spoken[0][0]
    root = ET.Element("alert", xmlns=NAMESPACE)
    exercise = any(one.exercise for one, _ in spoken)
    kind = _message_type(notice) if replaces is not None else "Alert"
    _add(root, "identifier", identifier_of(message_id))
    _add(root, "sender", _token(issuer.sender))
    _add(root, "sent", stamp(sent))
    _add(root, "status", "Exercise" if exercise else "Actual")
    _add(root, "msgType", kind)
    _add(root, "source", "warden")
    _add(root, "scope", "Restricted")
    _add(root, "restriction", issuer.restriction)
    if exercise:
        _add(root, "note", "An exercise. Nothing happened.")
    if replaces is not None and kind != "Alert":
        _add(root, "references", _reference(replaces, issuer))
    _add(root, "incidents", _token(notice.alert_id))
    for one, words in spoken:
        for said in words:
            _info(root, one, said, sent, issuer)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode")


def identifier_of(message_id: str) -> str:
    """CAP's identifier of a message of ours."""
    return _token(f"warden-{message_id}")


def stamp(moment: datetime) -> str:
    """An instant as CAP writes it, in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S-00:00")


def scales_of(notice: Notice, sent: datetime) -> Scales:
    """CAP's scales for a notice: what is over, old or uncertain is told as such."""
    scales = SCALES[notice.severity]
    severity = "Minor" if is_over(notice) else scales.severity
    urgency = "Past" if is_over(notice) or is_past(notice, sent) else scales.urgency
    return Scales(urgency, severity, "Possible" if _is_unsure(notice) else scales.certainty)


def is_past(notice: Notice, sent: datetime) -> bool:
    """Whether the newest day that a notice rests on began more than 72 hours before."""
    day = day_of(notice.facts.get("last_day"))
    if day is None:
        return False
    return sent.astimezone(UTC) - datetime(day.year, day.month, day.day, tzinfo=UTC) > PAST_AFTER


def _is_unsure(notice: Notice) -> bool:
    facts = notice.facts
    certainties = [event.get("certainty") for event in facts.get("events") or ()]
    return facts.get("kind") in _INFERRED or "approximate" in certainties


def _message_type(notice: Notice) -> str:
    """What it is where an earlier message about the same alert stands."""
    return {"cancel": "Cancel", "summary": "Alert"}.get(notice.action, "Update")


def _reference(earlier: Earlier, issuer: Issuer) -> str:
    return f"{_token(issuer.sender)},{_token(earlier.identifier)},{stamp(earlier.sent)}"


def _info(root: ET.Element, notice: Notice, words: Words, sent: datetime, issuer: Issuer) -> None:
    info = ET.SubElement(root, "info")
    scales = scales_of(notice, sent)
    _add(info, "language", words.language)
    _add(info, "category", "Security")
    _add(info, "event", words.event)
    _add(info, "responseType", "Monitor" if is_over(notice) else _RESPONSES[notice.severity])
    _add(info, "urgency", scales.urgency)
    _add(info, "severity", scales.severity)
    _add(info, "certainty", scales.certainty)
    _pair(info, "eventCode", "warden:rule", notice.rule_id)
    _add(info, "effective", stamp(sent))
    first = day_of(notice.facts.get("first_day"))
    if first is not None:
        _add(info, "onset", stamp(datetime(first.year, first.month, first.day, tzinfo=UTC)))
    _add(info, "expires", stamp(sent + _lasting(notice)))
    _add(info, "senderName", issuer.name)
    _add(info, "headline", words.headline)
    _add(info, "description", words.description)
    _add(info, "instruction", words.instruction)
    _add(info, "web", issuer.web)
    for name, value in _parameters(notice):
        _pair(info, "parameter", f"warden:{name}", value)
    _area(info, notice, words)


def _lasting(notice: Notice) -> timedelta:
    lasting = EXPIRES["resolved" if is_over(notice) else notice.action]
    return min(lasting, EVENT_EXPIRES) if notice.facts.get("kind") == "event" else lasting


def _parameters(notice: Notice) -> list[tuple[str, str]]:
    named = [(f"key.{name}", str(value)) for name, value in notice.key]
    labels = [(f"label.{name}", str(value)) for name, value in notice.labels]
    return [
        ("alert", notice.alert_id),
        ("action", notice.action),
        ("reason", notice.reason),
        ("severity", notice.severity),
        *named,
        *labels,
    ]


def _area(info: ET.Element, notice: Notice, words: Words) -> None:
    events = notice.facts.get("events") or ()
    discs = discs_of(events)
    area = ET.SubElement(info, "area")
    _add(area, "areaDesc", words.area or words.event)
    _add(area, "polygon", polygon(discs))
    for disc in discs:
        _add(area, "circle", circle(disc))
    for iso3 in sorted({str(event["iso3"]) for event in events if event.get("iso3")}):
        _pair(area, "geocode", "ISO 3166-1 alpha-3", iso3)


def _add(parent: ET.Element, name: str, text: str) -> None:
    """An element with a text; none where there is nothing to say."""
    told = _NOT_XML.sub("", text).strip()
    if told:
        ET.SubElement(parent, name).text = told


def _pair(parent: ET.Element, name: str, kind: str, value: str) -> None:
    pair = ET.SubElement(parent, name)
    ET.SubElement(pair, "valueName").text = clean(kind)
    ET.SubElement(pair, "value").text = clean(value)


def _token(text: str) -> str:
    """A text without what CAP forbids in identifiers and senders."""
    return _UNFIT.sub("-", clean(text)) or "-"
