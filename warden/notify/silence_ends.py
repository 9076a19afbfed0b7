"""What is said when a silence ends and what it covered is still active.

Standing in the flow: `deliver.flush` asks for each silence that is over. What was new meanwhile was
held back and is sent by itself; of the rest those who had been told before are reminded, in one
summary a rule. Events do not last: only alerts of other kinds are listed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from warden.engine.notices import MAX_ITEMS, summary_item
from warden.model.alert import Alert
from warden.model.notice import Notice
from warden.model.people import Silence
from warden.model.rule import level_rank

REASON = "SILENCE_ENDED"
_OF_THE_RULE = (
    "kind", "title", "description", "runbook", "names", "translations", "references", "labels",
    "condition",
)  # fmt: skip


def silence_ended(
    silence: Silence, about_rule: Notice, alerts: Sequence[Alert], receiver: str, now: datetime
) -> Notice:
    """A summary of a rule's still active alerts, for one receiver who had been told of them.

    `about_rule` is any notice of the rule: what it says of the rule itself is taken over.
    """
    ranked = sorted(alerts, key=lambda a: (-level_rank(a.severity), -a.last_day.toordinal(), a.id))
    kind = str(about_rule.facts.get("kind") or "")
    items = tuple(summary_item(alert, kind, now) for alert in ranked[:MAX_ITEMS])
    of_rule = {name: about_rule.facts[name] for name in _OF_THE_RULE if name in about_rule.facts}
    facts: dict[str, Any] = {
        **of_rule,
        "total": len(ranked),
        "shown": len(items),
        "would_have_been": "reminder",
        "first_day": min(alert.first_day for alert in ranked).isoformat(),
        "last_day": max(alert.last_day for alert in ranked).isoformat(),
        "datasets": sorted({name for a in ranked for name in a.facts.get("datasets", ())}),
        "events": [],
        "silence": {"id": silence.id, "who": silence.who, "comment": silence.comment},
    }
    text = "\x1f".join((REASON, str(silence.id), about_rule.rule_id, receiver))
    own_id = hashlib.blake2b(text.encode(), digest_size=10).hexdigest()
    return replace(
        about_rule,
        id=own_id,
        alert_id=own_id,
        key=(),
        action="summary",
        reason=REASON,
        at=now,
        severity=ranked[0].severity,
        facts=facts,
        changes=(),
        items=items,
    )
