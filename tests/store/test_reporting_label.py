"""A decision keeps that a change in reporting is likely, and explain reads it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from support.build import START

from warden.engine.decision import Decision
from warden.model.alert import Alert
from warden.store import MEMORY, ledger, open_store, stops

LABEL = {"late": 6, "new_sources": 0, "excess": 11.2, "names": []}


def alert(**facts: Any) -> Alert:
    day = date(2022, 7, 22)
    return Alert(
        id="a1", rule_id="spike", rule_version="1", key=(), state="active", severity="warning",
        first_day=day, last_day=day, since=day, until=day, value=12.0, evidence=(),
        facts=facts, raised_at=START, changed_at=START,
    )  # fmt: skip


def test_a_lowered_severity_says_why_in_explain_when_the_label_comes_and_not_again() -> None:
    plain, labelled = alert(), alert(reporting_change=LABEL)
    moved = replace(labelled, value=13.0)
    with open_store(MEMORY) as store:
        with store.transaction() as tx:
            tx.execute(
                "INSERT INTO cycles (id, at, ruleset_version, complete_through, kind, counts)"
                " VALUES (1, ?, '1', '{}', 'full', '{}')",
                ("2022-08-01T06:00:00.000000Z",),
            )
            before = None
            for one in (plain, labelled, moved):
                ledger.save_alert(tx, one, before)
                ledger.append_decision(
                    tx, 1, START, Decision("spike", "COSMETIC", one, before), None
                )
                before = one
        notes = [row.get("note") for row in stops.decisions(store.connection, "a1")]
    assert notes == [None, "a change in reporting is likely: one severity less", None]
