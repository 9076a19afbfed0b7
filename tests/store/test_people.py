"""Silences, acknowledgements, verdicts and releases, kept in a real database."""

from datetime import UTC, date, datetime, timedelta

import pytest

from warden.model.alert import Alert
from warden.model.people import Precision, Silence
from warden.store import MEMORY, open_store, people
from warden.store.ledger import load_alerts, save_alert

NOW = datetime(2024, 3, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def tx():
    with open_store(MEMORY) as store, store.transaction() as transaction:
        yield transaction


def raised(tx, alert_id, rule_id="attacks"):
    day = date(2024, 2, 20)
    made = Alert(
        alert_id, rule_id, "v1", (), "active", "warning", day, day, day, day, 1.0, (), {}, NOW, NOW
    )
    save_alert(tx, made, None)


def silenced(tx, **given):
    asked = {
        "matchers": ["rule=attacks"],
        "starts_at": NOW,
        "ends_at": NOW + 3 * HOUR,
        "comment": "known exercise",
        "who": "awa",
        "now": NOW,
    }
    return people.add_silence(tx, **{**asked, **given})


def test_a_silence_reads_back_as_it_was_made(tx):
    made = silenced(tx, matchers=["rule=attacks", 'country=~"MLI|NER"'])
    assert people.silences(tx) == (made,)
    assert people.silence(tx, made.id) == made
    assert people.silence(tx, 99) is None


def test_a_silence_holds_from_its_start_until_just_before_its_end(tx):
    made = silenced(tx, starts_at=NOW + HOUR)
    at = [NOW, NOW + HOUR, NOW + 3 * HOUR]
    assert [bool(people.silences(tx, active_at=moment)) for moment in at] == [False, True, False]
    assert [made.state(moment) for moment in at] == ["pending", "active", "expired"]


def test_a_silence_that_somebody_ends_holds_no_longer_and_says_who(tx):
    made = silenced(tx)
    assert people.expire_silence(tx, made.id, NOW + HOUR, "boubacar")
    ended = people.silence(tx, made.id)
    assert (ended.ended_at, ended.ended_by, ended.over_at) == (
        NOW + HOUR,
        "boubacar",
        NOW + HOUR,
    )
    assert people.silences(tx, active_at=NOW + HOUR) == ()


def test_a_silence_ends_once(tx):
    made = silenced(tx)
    assert not people.expire_silence(tx, made.id, NOW + 3 * HOUR, "awa")
    assert people.expire_silence(tx, made.id, NOW, "awa")
    assert not people.expire_silence(tx, made.id, NOW + HOUR, "boubacar")
    assert not people.expire_silence(tx, 99, NOW, "awa")


def test_a_silence_ended_before_its_start_is_over(tx):
    made = silenced(tx, starts_at=NOW + 2 * HOUR)
    people.expire_silence(tx, made.id, NOW + HOUR, "awa")
    ended = people.silence(tx, made.id)
    assert ended.state(NOW + HOUR) == ended.state(NOW + 2 * HOUR) == "expired"
    assert isinstance(ended, Silence)


def test_an_acknowledgement_is_kept_with_who_and_at_what_severity(tx):
    raised(tx, "a1")
    assert people.acknowledge(tx, "a1", NOW, "awa", "calling the prefect")
    (kept,) = people.acknowledgements(tx, "a1")
    assert (kept.who, kept.note, kept.severity, kept.at) == (
        "awa",
        "calling the prefect",
        "warning",
        NOW,
    )
    (alert,) = load_alerts(tx, alert_id="a1")
    assert alert.acknowledged_at == NOW


def test_nobody_acknowledges_an_alert_that_is_not_there(tx):
    assert not people.acknowledge(tx, "a1", NOW, "awa")
    assert people.acknowledgements(tx, "a1") == ()


def test_the_newest_verdict_of_an_alert_counts(tx):
    for name in ("a1", "a2", "a3"):
        raised(tx, name)
    raised(tx, "b1", "others")
    for alert_id, word in [("a1", "false"), ("a2", "true"), ("a3", "unverified"), ("b1", "true")]:
        people.add_verdict(tx, alert_id, word, "", "awa", NOW)
    people.add_verdict(tx, "a1", "true", "confirmed by two sources", "boubacar", NOW + HOUR)
    assert people.precision(tx) == {"attacks": Precision(2, 0, 1), "others": Precision(1, 0, 0)}
    assert [one.verdict for one in people.verdicts(tx, "a1")] == ["false", "true"]


def test_precision_is_told_once_five_alerts_were_found_true_or_false():
    assert not Precision(3, 1, 9).told
    assert Precision(4, 1).told
    assert str(Precision(7, 2, 1)) == "7 of 9 judged true, 1 unverified"


def test_a_dispatch_is_released_once_and_only_if_it_is_there(tx):
    tx.execute(
        "INSERT INTO notices (id, alert_id, rule_id, rule_version, key, action, reason, at,"
        " severity, title, labels, facts, changes, items) VALUES"
        " ('n1', 'a1', 'attacks', 'v1', '[]', 'alert', 'FIRST', '', 'warning', '', '[]', '{}',"
        " '[]', '[]')"
    )
    tx.execute(
        "INSERT INTO dispatches (id, notice_id, alert_id, action, severity, receiver, group_key,"
        " created_at, due_at) VALUES (7, 'n1', 'a1', 'alert', 'warning', 'desk', 'g', '', '')"
    )
    assert people.release(tx, [7, 8], NOW, "awa") == (7,)
    assert people.release(tx, [7], NOW, "awa") == ()
    assert people.released(tx, [7, 8]) == {7}
