"""The settings of an ACLED feed.

Standing in the flow: `warden.settings` checks `sources:` entries of kind `acled` with this.
"""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from warden.sources import country
from warden.sources.acled_calendar import Pause
from warden.sources.common import SecretName, SourceSettings, alpha_3

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise ValueError("write an address such as https://acleddata.com")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("the password would travel unencrypted: write https://")
    if parts.username or parts.password:
        raise ValueError("user name and password belong in their own settings")
    return url.rstrip("/")


class AcledSettings(SourceSettings):
    """One ACLED feed.

    Attributes:
        base_url: without `/api`. username: the account's e-mail address.
        password: where the password is.
        countries: any common names; none = the whole world.
        since: the first event date wanted.
        pagination: `cursor`, or `page` for the walk that was to end in October 2026.
        page_size: rows a page; most_pages: refuse longer walks.
        overlap_days: how far before the watermark to ask again.
        full_every_days: how often to walk everything and look up what is missing.
        pauses: known pauses in releases.
        deadline_s, max_bytes: of one answer.
        ca_file: certificates to trust instead of the usual ones.
        fields: `needed` asks for the columns warden uses, `all` for every column.
    """

    kind: Literal["acled"] = "acled"
    base_url: Annotated[str, AfterValidator(_base_url)] = "https://acleddata.com"
    username: Annotated[str, Field(min_length=1, max_length=320)]
    password: SecretName
    countries: Annotated[tuple[str, ...], BeforeValidator(alpha_3)] = ()
    since: date | None = None
    pagination: Literal["cursor", "page"] = "cursor"
    page_size: Annotated[int, Field(ge=1, le=5_000)] = 5_000
    most_pages: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    overlap_days: Annotated[int, Field(ge=0, le=365)] = 7
    full_every_days: Annotated[int, Field(ge=1, le=3_650)] = 30
    pauses: tuple[Pause, ...] = ()
    deadline_s: Annotated[float, Field(gt=0, le=3_600)] = 180.0
    max_bytes: Annotated[int, Field(ge=1_024, le=1 << 30)] = 64 << 20
    ca_file: Path | None = None
    fields: Literal["all", "needed"] = "all"

    @field_validator("countries")
    @classmethod
    def _numbered(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        unnumbered = [code for code in codes if country.number_of(code) is None]
        if unnumbered:
            raise ValueError(f"ACLED has no number for {', '.join(unnumbered)}")
        return codes


def fingerprint(settings: AcledSettings) -> str:
    """What the memory holds for: another server, account or filter starts anew."""
    parts = [settings.base_url, settings.username, *settings.countries, str(settings.since)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
