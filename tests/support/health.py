"""Conditions and rules about warden's own health, for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from warden.engine.kinds.feed import FeedParameters
from warden.model.health import Condition
from warden.model.rule import AnyOf, Rule

START = datetime(2024, 3, 3, 8, tzinfo=UTC)


def later(**spans: float) -> datetime:
    """So long after the start of everything."""
    return START + timedelta(**spans)


def condition(**changes: Any) -> Condition:
    """The feed acled refuses the sign-in since 3 March 2024, 08:00."""
    base = Condition(
        "source", "acled", "auth_failed", START,
        detail="the user name or the password was refused (401)", known_through=date(2024, 3, 1),
    )  # fmt: skip
    return replace(base, **changes)


def feed_rule(parameters: dict[str, Any] | None = None, **changes: Any) -> Rule:
    """A feed that cannot be signed in to or reached, after six hours."""
    asked = parameters or {"states": ["auth_failed", "unreachable"], "for": "6h"}
    base = Rule(
        id="feed-unreadable",
        title="A feed cannot be read",
        kind="feed",
        where=AnyOf(()),
        parameters=FeedParameters.model_validate(asked),
        version="1",
    )
    return replace(base, **changes)
