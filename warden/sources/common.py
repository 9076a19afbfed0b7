"""What the settings of all sources share.

Standing in the flow: `warden.settings` reads `sources:` into the models that each source's own
file defines on top of this.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from warden.sources import country, schedule

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class SecretName(BaseModel):
    """`{secret: NAME}`: where a secret is read from; never the secret itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]


class SourceSettings(BaseModel):
    """Settings that every source has.

    Attributes:
        name: the operator's name of it, unique.
        every: `releases` (None) or a duration.
        keep_raw: keep the raw rows beside the events.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    every: schedule.Every = None
    keep_raw: bool = Field(default=True, description="keep raw rows (compressed) with the events")

    def next_poll(
        self,
        now: datetime,
        last: datetime | None,
        *,
        failures: int = 0,
        not_before: datetime | None = None,
    ) -> datetime:
        """When to poll next; see `schedule.next_poll`."""
        return schedule.next_poll(self.every, now, last, failures=failures, not_before=not_before)


def alpha_3(names: object) -> tuple[str, ...]:
    """Country names of any kind as sorted alpha-3 codes; raises `ValueError` naming the unknown."""
    if isinstance(names, str) or not isinstance(names, list | tuple | set | frozenset):
        raise ValueError(  # noqa: TRY004 - pydantic reports this one
            "write a list of countries, such as [MLI, Burkina Faso]"
        )
    found = {str(name): country.resolve(str(name)) for name in names}
    unknown = sorted(name for name, code in found.items() if code is None)
    if unknown:
        raise ValueError(f"no country is known as {', '.join(map(repr, unknown))}")
    return tuple(sorted({code for code in found.values() if code is not None}))
