"""Single values of a row, checked: dates, numbers, coordinates, texts.

Standing in the flow: the row parsers call these once per distinct value and keep the answers; a
value that cannot be used raises `RowError` with the reason that the operator will read.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

EARLIEST_DAY = date(1900, 1, 1)
FUTURE_DAYS = 2
FIRST_OF_THE_1900S = 70  # of two digits
MAX_FATALITIES = 1_000_000

# Longest text accepted, by what the field holds. The longest of 9,000 real ACLED rows: notes
# 2,639, associated actors 1,620, reporters 310, one actor 124, a place 59 characters.
MAX_ID = 64
MAX_NAME = 300
MAX_NAMES = 8_000
MAX_NOTES = 32_768
MAX_URL = 2_000
SHOWN = 40  # of a bad value, in the reason

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "january"),
            ("feb", "february"),
            ("mar", "march"),
            ("apr", "april"),
            ("may",),
            ("jun", "june"),
            ("jul", "july"),
            ("aug", "august"),
            ("sep", "sept", "september"),
            ("oct", "october"),
            ("nov", "november"),
            ("dec", "december"),
        ),
        start=1,
    )
    for name in names
}
_ISO_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ][0-9:.+Z-]*)?", re.ASCII)
_WORDED_DAY = re.compile(r"(\d{1,2})[ -]([A-Za-z]{3,9})\.?,?[ -](\d{4}|\d{2})", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,19}(?:\.0*)?", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]*", re.ASCII)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # also bidi overrides
# Bounded, or a cell of a million digits and a letter would be tried in a million million ways.
_NUMBER = re.compile(r"[+-]?(?:\d{1,40}[.,]?\d{0,40}|[.,]\d{1,40})(?:[eE][+-]?\d{1,3})?", re.ASCII)
_DEGREES = re.compile(r"-?\d{1,3}(?:\.\d+)?", re.ASCII)
_SURROGATE_OR_NUL = re.compile("[\ud800-\udfff\x00]")


class RowError(ValueError):
    """A row that cannot be used; the message is the reason given in `rejects`."""


def day(text: str, latest: date) -> date:
    """A calendar date in any of the forms that ACLED has used.

    `2020-10-31` (API), `01 March 2023` (export), `30-Jun-23` (spreadsheet); with two digits, 70 to
    99 mean the 1900s. All-number forms other than ISO are refused: day and month cannot be told
    apart. So is a year before 1900 (one old reply had the year 0016) and a day after `latest`.
    """
    found = day_of(text)
    if found < EARLIEST_DAY:
        raise RowError(f"the date {_quoted(text)} lies before {EARLIEST_DAY.year}")
    if found > latest:
        raise RowError(f"the date {_quoted(text)} lies in the future")
    return found


def day_of(text: str) -> date:
    """The calendar date that `text` spells, without a horizon."""
    stripped = text.strip()
    try:
        if match := _ISO_DAY.fullmatch(stripped):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _WORDED_DAY.fullmatch(stripped):
            return date(_year(match[3]), _MONTHS[match[2].lower()], int(match[1]))
    except (ValueError, KeyError):
        pass
    reason = "there is no date" if not stripped else f"{_quoted(text)} is no date that can be read"
    raise RowError(reason)


def latest_day(now: datetime) -> date:
    """The last event date that is believed at `now`."""
    return now.astimezone(UTC).date() + timedelta(days=FUTURE_DAYS)


def _year(text: str) -> int:
    year = int(text)
    if len(text) > len("23"):
        return year
    return year + (1900 if year >= FIRST_OF_THE_1900S else 2000)


def whole(text: str, what: str, lowest: int, highest: int) -> int:
    """A whole number within a range; `3.0` counts as one, `2.5` does not."""
    stripped = text.strip()
    if not _WHOLE.fullmatch(stripped):
        if not stripped:
            raise RowError(f"{what} is missing")
        raise RowError(f"{what} {_quoted(text)} is no whole number")
    number = int(stripped.partition(".")[0])
    if not lowest <= number <= highest:
        raise RowError(f"{what} {number} is outside {lowest} to {highest}")
    return number


def coordinate(text: str, what: str, bound: float) -> float:
    """Degrees within ±`bound`; a decimal comma is read as a point."""
    if _DEGREES.fullmatch(text):
        degrees = float(text)
        if -bound <= degrees <= bound:
            return degrees  # nearly always
    if not text.strip():
        raise RowError(f"{what} is missing")
    try:
        return number(text, what, -bound, bound)
    except RowError as error:
        hint = "; are latitude and longitude swapped?" if what == "latitude" else ""
        raise RowError(f"{error}{hint}") from None


def number(text: str, what: str, lowest: float, highest: float) -> float:
    """A number within a range; a decimal comma is read as a point."""
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped):
        raise RowError(f"{what} {_quoted(text)} is no number")
    found = float(stripped.replace(",", "."))
    if not lowest <= found <= highest:
        raise RowError(f"{what} {_quoted(text)} is outside {lowest:g} to {highest:g}")
    return found


def instant(text: str, latest: datetime) -> datetime | None:
    """A unix stamp in seconds, or an ISO instant, as UTC; None for an empty text or 0."""
    stripped = text.strip()
    if not stripped or stripped == "0":
        return None
    if _WHOLE.fullmatch(stripped):
        seconds = whole(stripped, "the source's stamp", 0, int(latest.timestamp()))
        return datetime.fromtimestamp(seconds, UTC)
    try:
        found = datetime.fromisoformat(stripped)
    except ValueError:
        raise RowError(f"the source's stamp {_quoted(text)} is no time") from None
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    if not found.year >= EARLIEST_DAY.year or found > latest:
        raise RowError(f"the source's stamp {_quoted(text)} is out of range")
    return found


def identifier(text: str) -> str:
    """The source's id of an event: short, without spaces."""
    if text.isascii() and text.isalnum() and len(text) <= MAX_ID:
        return text  # nearly always
    stripped = text.strip()
    if not stripped:
        raise RowError("the id is missing")
    if len(stripped) > MAX_ID or not _ID.fullmatch(stripped):
        raise RowError(f"the id {_quoted(text)} is no id")
    return stripped


def known_id(text: str) -> str:
    """The id if it is one, else ""."""
    try:
        return identifier(text)
    except RowError:
        return ""


def line(text: str, what: str, longest: int = MAX_NAME) -> str:
    """A one-line text: white space collapsed, control characters gone, bounded."""
    if len(text) > longest:
        raise RowError(f"{what} has {len(text):,} characters, more than {longest:,}")
    if text.isprintable() and "  " not in text and text == text.strip():
        return text  # nearly always
    return " ".join(_CONTROL.sub(" ", text).split())


def prose(text: str, what: str, longest: int = MAX_NOTES) -> str:
    """A text that may have several lines, bounded."""
    if len(text) > longest:
        raise RowError(f"{what} has {len(text):,} characters, more than {longest:,}")
    stripped = text.strip()
    return stripped.replace("\r\n", "\n") if "\r" in stripped else stripped


def require_clean(text: str) -> None:
    """Refuse a text with a NUL or with half of a surrogate pair (which is no character)."""
    found = _SURROGATE_OR_NUL.search(text)
    if found is None:
        return
    if found[0] == "\0":
        raise RowError("the row holds a NUL character")
    if "\udc80" <= found[0] <= "\udcff":
        raise RowError("the row holds bytes that are not UTF-8; save the file as UTF-8")
    raise RowError("the row holds half of a surrogate pair")


def _quoted(text: str) -> str:
    shown = text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
    return ascii(shown)
