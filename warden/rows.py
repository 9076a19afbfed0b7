"""What a cycle did, as scripts read it: the `--json` rows of decisions, notices and walks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from warden.evaluate import Evaluation
from warden.ingest import IngestResult
from warden.model.notice import Notice


def decision_rows(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """The decisions of a cycle, those to stay silent too."""
    for decision in evaluation.decisions:
        yield {
            "rule": decision.rule_id,
            "key": dict(decision.alert.key),
            "decision": decision.notice or decision.name,
            "reason": decision.reason,
            "alert_id": decision.alert.id,
            "severity": decision.alert.severity,
            "state": decision.alert.state,
            "first_day": decision.alert.first_day,
            "last_day": decision.alert.last_day,
        }


def notice_row(notice: Notice) -> dict[str, Any]:
    """A notice as scripts read it; null where a field does not apply."""
    facts = notice.facts
    return {
        "at": notice.at,
        "action": notice.action,
        "rule": notice.rule_id,
        "alert_id": notice.alert_id,
        "key": dict(notice.key),
        "severity": notice.severity,
        "title": notice.title,
        **{
            name: facts.get(name)
            for name in (
                "first_day",
                "last_day",
                "reported_late_days",
                "observed",
                "expected",
                "ratio",
                "p",
            )
        },
        "event_ids": [event.get("id") for event in facts.get("events", ())],
        "reason": notice.reason,
        "items": len(notice.items),
    }


def source_row(result: IngestResult) -> dict[str, Any]:
    """A walk in the summary; what look-ups found gone is retracted like any other event."""
    looked_up = result.looked_up.as_dict()
    counts = result.counts.as_dict()
    return {
        "name": result.source,
        "kind": result.kind,
        "state": result.state,
        "sentence": result.sentence,
        **counts,
        "retracted": counts["retracted"] + looked_up["retracted"],
        "looked_up": looked_up,
        "complete_through": result.complete_through,
    }
