"""Who did what, when: every command of an operator leaves a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from warden.model.instants import written
from warden.store.connection import Transaction
from warden.store.values import instant_text

LONGEST_OUTCOME = 500
LONGEST_ARGUMENTS = 100_000  # characters


def record_action(
    transaction: Transaction,
    *,
    at: datetime,
    who: str,
    command: str,
    arguments: Mapping[str, Any],
    outcome: str = "ok",
) -> None:
    """Write one row down."""
    transaction.execute(
        "INSERT INTO actions (at, who, command, arguments, outcome) VALUES (?, ?, ?, ?, ?)",
        (
            instant_text(at),
            who,
            command,
            _kept(arguments),
            outcome[:LONGEST_OUTCOME].encode(errors="replace").decode(),
        ),
    )


def _kept(arguments: Mapping[str, Any]) -> str:
    """The arguments as JSON; of those that nobody sends by hand only how long they were."""
    text = json.dumps(dict(arguments), ensure_ascii=False, default=written)
    if len(text) > LONGEST_ARGUMENTS:
        text = json.dumps({"too_long": len(text)})
    return text.encode(errors="replace").decode()  # half a character is none
