"""Everybody hears of what the routes give to them, also when it comes many at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from support.build import event
from support.rig import Rig

from warden.engine.notices import MAX_ITEMS
from warden.errors import ConfigError, StoreError
from warden.store import ledger
from warden.trying import Trying

RULES = """\
rules:
- id: attack
  title: An attack
  kind: event
  where: {event_type: "Explosions/Remote violence"}
  severity:
  - {level: critical, when: "fatalities >= 10"}
  - warning
"""
ROUTES = """\
receivers:
- {name: desk, email: [{to: [desk@example.org]}]}
- {name: mali, email: [{to: [mali@example.org]}]}
- {name: boss, email: [{to: [boss@example.org]}]}
- {name: machine, file: [{path: out, format: alertmanager}]}
route:
  receiver: desk
  group_by: [cycle]
  group_wait: 0s
  routes:
  - {receiver: machine, continue: true}
  - {receiver: mali, continue: true, matchers: {country: MLI}}
  - {receiver: boss, continue: true, matchers: {severity: critical}}
  - {receiver: desk}
"""
GUINEA = {"iso3": "GIN", "country": "Guinea", "lat": 10.4, "lon": -9.3}


@contextmanager
def installed(*first: Any) -> Iterator[Rig]:
    rig = Rig(RULES, ROUTES)
    try:
        rig.server.log += [one.record for one in first]
        cycle(rig)
        yield rig
    finally:
        rig.close()


def cycle(rig: Rig, *events: Any) -> None:
    rig.server.log += [one.record for one in events]
    rig.clock.advance(timedelta(hours=1))
    rig.station.poll("acled")
    rig.station.evaluate()
    rig.station.deliver()


def heard(rig: Rig, receiver: str) -> list[tuple[str, tuple[str, ...]]]:
    """What one got, each as its action and the alerts' events."""
    rows = rig.rows(
        "SELECT n.action, n.id FROM dispatches d JOIN notices n ON n.id = d.notice_id"
        " WHERE d.receiver = ? AND d.withheld_reason IS NULL ORDER BY d.id",
        receiver,
    )
    return [(action, tuple(sorted(told_of(rig, name)))) for action, name in rows]


def told_of(rig: Rig, notice_id: str) -> list[str]:
    (notice,) = ledger.load_notices(rig.station.store.connection, ids=[notice_id])
    if notice.items:
        return [uid for item in notice.items for uid in item["event_ids"]]
    return [str(one["id"]) for one in notice.facts["events"]]


def posted(rig: Rig) -> list[list[dict[str, Any]]]:
    """The alerts of each payload for the machine."""
    bodies = rig.rows(
        "SELECT b.body FROM message_bodies b JOIN messages m ON m.id = b.message_id"
        " WHERE b.format = 'alertmanager' ORDER BY m.rowid"
    )
    return [json.loads(body)["alerts"] for (body,) in bodies]


def many(count: int, **changes: Any) -> list[Any]:
    return [event(f"M{number}", "2022-07-28", **changes) for number in range(count)]


def test_a_first_load_is_told_to_those_whom_its_alerts_would_have_reached():
    guinean = event("G1", "2022-07-29", **GUINEA)
    with installed(event("M1", "2022-07-28"), guinean) as rig:
        assert heard(rig, "mali") == [("summary", ("M1",))]
        assert sorted(heard(rig, "desk")) == [("summary", ("G1",)), ("summary", ("M1",))]
        assert heard(rig, "boss") == []


def test_a_flood_is_told_to_those_whom_its_alerts_would_have_reached():
    with installed(event("OLD", "2021-01-01")) as rig:
        cycle(rig, *many(24), event("BIG", "2022-07-28", fatalities=40))
        small = tuple(sorted(f"M{number}" for number in range(24)))
        assert heard(rig, "boss") == [("summary", ("BIG",))]
        for name in ("mali", "desk"):
            assert sorted(heard(rig, name)) == [("summary", ("BIG",)), ("summary", small)]


def test_what_all_would_have_heard_is_one_summary():
    with installed(*many(5)) as rig:
        assert len(rig.rows("SELECT 1 FROM notices")) == 1
        assert len(rig.rows("SELECT 1 FROM messages WHERE receiver = 'desk'")) == 1


def test_the_command_that_a_summarys_mail_names_tells_what_it_listed_and_where_it_went():
    with installed(*many(3)) as rig:
        (text,) = rig.column(
            "SELECT b.body ->> '$.text' FROM message_bodies b JOIN messages m"
            " ON m.id = b.message_id WHERE m.receiver = 'desk' AND b.format = 'mail'"
        )
        (name,) = re.findall(r"warden\s+explain\s+([0-9a-f]+)", text)
        what, rows = Trying(rig.app).explain(name)
        assert what == "summary"
        listed = [row for row in rows if row["stop"] == "listed"]
        assert {row["alert_id"] for row in listed} == set(rig.column("SELECT id FROM alerts"))
        assert sorted(row["reason"].split()[-1] for row in listed) == ["M0", "M1", "M2"]
        assert all(row["rule"] == "attack" for row in rows)
        sent = {row["receiver"] for row in rows if row["stop"] == "dispatch"}
        assert sent == {"desk", "mali", "machine"}
        stops = [row["stop"] for row in rows]
        assert stops[0] == "notice"
        assert "delivery" in stops


def test_the_weekly_list_of_old_alerts_goes_to_those_whom_they_concern():
    with installed(event("OLD", "2021-01-01")) as rig:
        cycle(rig, event("LATE", "2021-05-01"), event("GLATE", "2021-05-01", **GUINEA))
        rig.clock.advance(timedelta(days=8))
        cycle(rig)
        assert [what for what in heard(rig, "mali") if "LATE" in what[1]]
        assert not [what for what in heard(rig, "mali") if "GLATE" in what[1]]
        assert [what for what in heard(rig, "desk") if "GLATE" in what[1]]


@pytest.mark.parametrize(("country", "is_held"), [("MLI", True), ("GIN", False)])
def test_a_silence_holds_a_summary_only_if_it_describes_all_that_it_lists(country, is_held):
    with installed(event("OLD", "2021-01-01")) as rig:
        rig.act("silence-add", matchers=[f"country={country}"], comment="known", **{"for": "2d"})
        cycle(rig, *many(21))
        told = rig.rows("SELECT 1 FROM messages WHERE receiver = 'desk'")
        assert bool(told) is not is_held


def test_a_silence_does_not_hold_a_summary_that_only_counts_what_it_may_not_describe():
    with installed(event("OLD", "2021-01-01")) as rig:
        rig.act("silence-add", matchers=["country=MLI"], comment="known", **{"for": "2d"})
        cycle(rig, *many(MAX_ITEMS + 5))
        assert rig.rows("SELECT 1 FROM messages WHERE receiver = 'desk'")


def test_who_hears_of_an_alert_only_when_it_grows_reads_an_alert_as_it_is_now():
    with installed(event("OLD", "2021-01-01")) as rig:
        cycle(rig, event("A", "2022-07-28"))
        cycle(rig, event("A", "2022-07-28", fatalities=20))
        (subject,) = rig.column("SELECT subject FROM messages WHERE receiver = 'boss'")
        assert "Update" not in subject
        (text,) = rig.column(
            "SELECT b.body ->> '$.text' FROM message_bodies b JOIN messages m"
            " ON m.id = b.message_id WHERE m.receiver = 'boss' AND b.format = 'mail'"
        )
        assert "last told" not in text
        assert "→" not in text
        *_, update = rig.column("SELECT subject FROM messages WHERE receiver = 'mali'")
        assert "Update" in update


def test_a_severity_that_moved_is_told_and_ends_the_alert_under_the_old_one():
    with installed(event("OLD", "2021-01-01")) as rig:
        cycle(rig, event("A", "2022-07-28"))
        cycle(rig, event("A", "2022-07-28", fatalities=20))
        changes = [json.loads(text) for text in rig.column("SELECT changes FROM notices")]
        assert ["severity", "warning", "critical"] in changes[-1]


def test_what_no_longer_matches_is_over_for_machines_too():
    with installed(event("OLD", "2021-01-01")) as rig:
        cycle(rig, event("A", "2022-07-28"))
        cycle(
            rig, event("A", "2022-07-28", event_type="Protests", sub_event_type="Peaceful protest")
        )
        first, last = posted(rig)
        assert [one["status"] for one in first] == ["firing"]
        assert [one["status"] for one in last] == ["resolved"]
        assert first[0]["fingerprint"] == last[0]["fingerprint"]


def test_routes_that_are_lost_stay_in_force():
    """A file that was removed by mistake loses no alert."""
    with installed(event("OLD", "2021-01-01")) as rig:
        (rig.folder / "rules" / "routes.yaml").unlink()
        with pytest.raises(ConfigError) as caught:
            rig.station.reload()
        assert [fault.code for fault in caught.value.faults] == ["WR092"]
        cycle(rig, event("A", "2022-07-28"))
        assert [action for action, _ in heard(rig, "desk")] == ["alert"]
        assert any(fault.code == "WR092" for fault in rig.app.faults())


def test_a_backup_that_fails_is_a_condition_until_one_is_made():
    with installed(event("OLD", "2021-01-01")) as rig:
        rig.clock.advance(timedelta(hours=20))
        folder = rig.app.settings.backup_dir
        folder.write_text("a file stands where the folder should be")
        with pytest.raises(StoreError) as caught:
            rig.station.upkeep.back_up_nightly()
        folder.unlink()
        (condition,) = rig.station.vitals.conditions()
        assert (condition.state, condition.detail) == ("backup_failed", str(caught.value))
        rig.station.evaluate()
        assert rig.rows("SELECT state FROM health WHERE subject = 'backup' AND until IS NULL")
        rig.restart()
        rig.station.evaluate()  # a new process does not know that one can be made
        assert rig.rows("SELECT 1 FROM health WHERE until IS NULL AND subject = 'backup'")
        rig.clock.advance(timedelta(hours=2))
        assert rig.station.upkeep.back_up_nightly() is not None
        assert rig.station.vitals.conditions() == ()
        rig.station.evaluate()
        assert not rig.rows("SELECT 1 FROM health WHERE until IS NULL AND subject = 'backup'")
