"""What a rule kind is made of.

A kind is one file in this folder: its parameters (a frozen model), its signals (a pure function),
the text of its reference and an example. `warden.engine.kinds` lists them.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from warden.engine.frame import IntArray
from warden.engine.horizon import Horizon
from warden.engine.kinds.charts import Chart
from warden.engine.where import Matches
from warden.model.alert import Alert
from warden.model.duration import parse_days
from warden.model.foresight import Foreseen
from warden.model.rule import Rule
from warden.model.signal import Signal


def _days(value: Any) -> int:
    if isinstance(value, str):
        return parse_days(value)
    raise ValueError("is not a duration; write whole days, weeks or years: 30d, 4w, 1y")


Days = Annotated[
    int,
    BeforeValidator(_days),
    Field(json_schema_extra={"type": "string", "pattern": r"^\d+[dwy]$"}),
]
PositiveDays = Annotated[Days, Field(gt=0)]

Measure = Literal[
    "events",
    "fatalities",
    "fatal_events",
    "fatalities_capped",
    "distinct(actor)",
    "distinct(admin2)",
    "distinct(report)",
]


class Parameters(BaseModel):
    """What every kind's parameters have in common: frozen, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Bound(BaseModel):
    """A bound on a measure: `{gte: 3}` or `{gt: 2}`; exactly one is given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gte: float | None = Field(default=None, description="at least this many")
    gt: float | None = Field(default=None, description="more than this many")

    @model_validator(mode="after")
    def _exactly_one(self) -> Bound:
        if (self.gte is None) == (self.gt is None):
            raise ValueError("a condition has exactly one of gte, gt")
        least = self.gte if self.gte is not None else self.gt
        if least is not None and (least < 0 or (self.gte is not None and least == 0)):
            raise ValueError("this bound holds for every day, even without any event")
        return self

    def holds(self, value: float) -> bool:
        """Whether the bound is passed."""
        return value >= self.gte if self.gte is not None else value > (self.gt or 0.0)


@dataclass(frozen=True, slots=True)
class Kind:
    """One rule kind.

    Attributes:
        name: what operators write after `kind:`.
        Parameters: the model of its own keys.
        signals: `(rule, matches, horizon, only) -> signals`. `only` limits single-event kinds to
            these uids; kinds that look over windows ignore it.
        windowed: whether it looks over windows (cooldown and `resolved` then make sense).
        clocked: whether a signal may begin without a changed event: "always" by the mere passing
            of time, "known" when days with events become fully known, "" never.
        ends: whether a signal may end by the mere passing of time.
        reach: how many days before an event an episode may have ended that the event can still
            join or change; what passed earlier stands whatever comes. None: no such bound.
        chart: what the chart beside one of its notices shows; asked only when one is made.
        rows: the rows that an alert's key counts, where the key is more than the rule's `by`.
        measures: what its measures say side by side; asked only when a notice is made.
        foresee: what it projects at the newest month's end, to be kept whether it alerts or not.
        came_to: what the period of a kept projection came to; None before it is over.
        reference: a paragraph for docs/rules.md. example: YAML text of one rule.
        about_events: whether its rules select events by a `where`.
        names: what its severity steps may read, None for what rules about events read.
    """

    name: str
    Parameters: type[Parameters]
    signals: Callable[[Rule, Matches, Horizon, AbstractSet[str] | None], tuple[Signal, ...]]
    windowed: bool
    reference: str
    example: str
    clocked: Literal["", "known", "always"] = ""
    ends: bool = True
    reach: Callable[[Rule], int] | None = None
    chart: Callable[[Rule, Alert, Matches, Horizon], Chart | None] | None = None
    rows: Callable[[Rule, Alert, Matches], IntArray] | None = None
    measures: Callable[[Rule, Alert, Matches, Horizon], list[dict[str, Any]]] | None = None
    foresee: Callable[[Rule, Matches, Horizon], tuple[Foreseen, ...]] | None = None
    came_to: Callable[[Matches, Horizon, Foreseen], float | None] | None = None
    about_events: bool = True
    names: frozenset[str] | None = None

    @property
    def keys(self) -> frozenset[str]:
        """Its own keys, as rules write them."""
        fields = self.Parameters.model_fields.items()
        return frozenset(field.alias or name for name, field in fields)


def window_reach(rule: Rule) -> int:
    """The reach of kinds whose tests look back over one `window`."""
    window: int = rule.parameters.window
    return max(window, rule.keep_firing_for_days)
