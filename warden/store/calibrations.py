"""What calibrations found, kept with the version of the rule that was replayed.

Standing in the flow: `Station.act` keeps what `warden calibrate` found; `check`, `status` and
`calibrate --show` read it. Nothing that decides reads it: a level rests on the rule alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from warden.store.values import instant_text


def keep_calibration(tx: sqlite3.Connection, result: Mapping[str, Any], now: datetime) -> None:
    """Keep a result, as `--json` prints it; earlier ones of the rule stay."""
    tx.execute(
        "INSERT INTO calibrations (rule_id, rule_version, at, budget, false_alerts_per_year,"
        " result) VALUES (?, ?, ?, ?, ?, ?)",
        (
            result["rule"],
            str(result.get("version", "")),
            instant_text(now),
            result.get("budget"),
            result["false_alerts_per_year"],
            json.dumps(result, ensure_ascii=False, separators=(",", ":")),
        ),
    )


def calibrations(
    connection: sqlite3.Connection, rule_id: str | None = None
) -> list[dict[str, Any]]:
    """The newest result of each rule, or of one, as it was kept, with `calibrated_at`."""
    rows = connection.execute(
        "SELECT at, result FROM calibrations WHERE (?1 IS NULL OR rule_id = ?1) AND id IN"
        " (SELECT max(id) FROM calibrations GROUP BY rule_id) ORDER BY rule_id",
        (rule_id,),
    )
    return [{**json.loads(result), "calibrated_at": at} for at, result in rows]
