"""One language's words: phrases from `templates/<language>/strings.toml`, dates and numbers.

A phrase is a one-line template, or a table of them by plural form (`one`, `other`).
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import get_global
from babel.dates import format_date, format_datetime
from babel.numbers import NumberPattern, parse_pattern
from jinja2 import TemplateError

from warden.errors import ConfigError
from warden.sandbox import Sandbox

_LOCALES = {"en": "en_GB"}  # day before month
_DAYS_AS_DAYS = 120
_NEAR_KM = 10
_ONE = re.compile(r"\b1\b")


class PhraseError(ConfigError):
    """A phrase that cannot be said.

    Attributes:
        language, key: which one.
    """

    def __init__(self, language: str, key: str, why: str) -> None:
        super().__init__(f"phrase '{key}': {why}")
        self.language = language
        self.key = key


class Phrases:
    """The phrases of one language.

    Attributes:
        language: the folder's name. locale: what Babel formats by.
        sources: every phrase as written, by key, plural forms as `key.form`.
    """

    def __init__(self, language: str, folders: Sequence[Path], sandbox: Sandbox) -> None:
        self.language = language
        self.locale = Locale.parse(_LOCALES.get(language, language))
        self.sources = read_phrases(language, folders)
        self._plural = self.locale.plural_form
        self._number = str(self.locale.decimal_formats[None].pattern)
        self._compiled: dict[str, Callable[[Mapping[str, Any]], str]] = {}
        self._sandbox = sandbox

    def say(self, key: str, n: float | None = None, **values: Any) -> str:
        """The phrase with its values; `n` chooses the plural form."""
        name = key
        if n is not None:
            form = self._plural(abs(n))
            name = next((k for k in (f"{key}.{form}", f"{key}.other") if k in self.sources), key)
            values.setdefault("n", _decimal(n or 0, self._number, self.locale))
        if name not in self.sources:
            raise KeyError(f"no phrase '{name}' in {self.language}")
        try:
            if name not in self._compiled:
                self._compiled[name] = self._sandbox.phrase(self.sources[name])
            return self._compiled[name](values)
        except TemplateError as error:
            raise PhraseError(self.language, name, str(error)) from error

    def has(self, key: str) -> bool:
        """Whether there is such a phrase."""
        return key in self.sources or f"{key}.other" in self.sources


def read_phrases(language: str, folders: Sequence[Path]) -> dict[str, str]:
    """All phrases of a language; an earlier folder's win over a later one's."""
    found: dict[str, str] = {}
    for folder in reversed(folders):
        path = folder / language / "strings.toml"
        if not path.is_file():
            continue
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{path}: {error}") from error
        found.update(_flat(data, ""))
    if not found:
        raise ConfigError(f"no templates for language '{language}': strings.toml is missing")
    return found


def _flat(data: Mapping[str, Any], prefix: str) -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in data.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = str(value)
    return flat


class Voice:
    """Phrases with a reader's time zone and the moment of writing.

    Attributes:
        today: the reader's date at that moment.
    """

    def __init__(self, phrases: Phrases, zone: str, now: datetime) -> None:
        self.say = phrases.say
        self.has = phrases.has
        self.language = phrases.language
        self._locale = phrases.locale
        self._zone = ZoneInfo(zone)
        self._now = now.astimezone(self._zone)
        self.today = self._now.date()

    # --- numbers ------------------------------------------------------------------------------

    def number(self, value: float) -> str:
        """A number as it is written here, at most two decimals."""
        return _decimal(value or 0, "#,##0.##", self._locale)

    def km(self, value: float) -> str:
        """A distance: a decimal below ten kilometres, whole above."""
        rounded = round(value, 1) if value < _NEAR_KM else float(round(value))
        return self.say("km", km=_decimal(rounded or 0, "#,##0.#", self._locale))

    # --- time ---------------------------------------------------------------------------------

    def day(self, day: date) -> str:
        """The short date: without the year while it is near."""
        near = abs((self.today - day).days) < 300  # noqa: PLR2004  no reader mistakes the year
        return self._date(day, "d MMM" if near else "d MMM y")

    def long_day(self, day: date) -> str:
        """The date with its weekday and year."""
        return self._date(day, "EEEE d MMMM y")

    def month(self, day: date) -> str:
        """Month and year."""
        return self._date(day, "MMMM y")

    def chart_day(self, day: date, unit: str) -> str:
        """A day below a chart: no closer than its steps."""
        if unit == "year":
            return self._date(day, "y")
        pattern = "MMM y" if unit in ("month", "quarter") else "d MMM y"
        return self._date(day, pattern)

    def numeric_day(self, day: date) -> str:
        """A short date with its year, for tables and citations."""
        return self._date(day, "d MMM y")

    def _date(self, day: date, pattern: str) -> str:
        """A day in a pattern; the first of a month as the language says it ("1er mai")."""
        text = _date(day, pattern, self._locale)
        if day.day == 1 and "d" in pattern:
            return _ONE.sub(self.say("first_of_month"), text, count=1)
        return text

    def instant(self, moment: datetime) -> str:
        """A moment in the reader's time zone, which it names."""
        local = moment.astimezone(self._zone)
        clock = format_datetime(local, "HH:mm", locale=self._locale)
        return f"{self.numeric_day(local.date())}, {clock} ({self._zone.key})"

    def local_day(self, moment: datetime) -> date:
        """The reader's date at a moment."""
        return moment.astimezone(self._zone).date()

    def ago(self, day: date) -> str:
        """How long ago a day was, in words; "" for a day to come."""
        days = (self.today - day).days
        if days < 0:
            return ""
        if days < 2:  # noqa: PLR2004
            return self.say(("today", "yesterday")[days])
        if days <= _DAYS_AS_DAYS:
            return self.say("days_ago", days)
        if days < 730:  # noqa: PLR2004  two years
            return self.say("months_ago", round(days / 30.44))
        return self.say("years_ago", int(days / 365.25))

    # --- names --------------------------------------------------------------------------------

    def country(self, iso3: str) -> str:
        """A country's name in this language; the code where it is not known."""
        codes = get_global("territory_aliases").get(iso3.upper())
        names = self._locale.territories
        return str(names.get(codes[0], iso3)) if codes else iso3

    def compass(self, bearing: float) -> str:
        """The direction, as in "NW of"."""
        points = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
        return self.say(f"compass.{points[round(bearing / 45) % 8]}")

    def join(self, items: Sequence[str]) -> str:
        """`a, b and c`."""
        if len(items) < 2:  # noqa: PLR2004
            return "".join(items)
        return self.say("and", first=", ".join(items[:-1]), last=items[-1])


@lru_cache(maxsize=64)
def _pattern(text: str) -> NumberPattern:
    return parse_pattern(text)


@lru_cache(maxsize=4096, typed=True)
def _decimal(value: float, pattern: str, locale: Locale) -> str:
    """A number in a pattern; the same few come again and again."""
    said: str = _pattern(pattern).apply(value, locale)
    return said


@lru_cache(maxsize=4096, typed=True)
def _date(day: date, pattern: str, locale: Locale) -> str:
    """A day in a pattern; so do days."""
    return format_date(day, pattern, locale=locale)


def starts_with_vowel(name: str) -> bool:
    """Whether a name begins with a vowel, for languages that elide before one."""
    folded = unicodedata.normalize("NFKD", name[:1]).casefold()
    return folded[:1] in ("a", "e", "i", "o", "u", "y")
